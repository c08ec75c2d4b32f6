package provider_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

func reasonOf(t *testing.T, v *provider.Verifier, r provider.Request, now time.Time) provider.Reason {
	t.Helper()
	return v.Verify(t.Context(), r, now).Reason
}

func TestEveryNotificationOfGraphMustHaveTheClientState(t *testing.T) {
	t.Parallel()
	v := ready(t, "microsoft-graph", provider.Settings{}, textSecret)
	one := func(state string) string { return `{"id":"n1","changeType":"created","clientState":"` + state + `"}` }
	for body, want := range map[string]provider.Reason{
		`{"value":[` + one(textSecret) + `]}`:                         provider.Verified,
		`{"value":[` + one(textSecret) + `,` + one(textSecret) + `]}`: provider.Verified,
		`{"value":[` + one(textSecret) + `,` + one("other") + `]}`:    provider.SignatureMismatch,
		`{"value":[` + one("") + `]}`:                                 provider.SignatureMismatch,
		`{"value":[{"id":"n1"}]}`:                                     provider.SignatureMismatch,
		`{"value":[]}`:                                                provider.MalformedBody,
		`{"value":{}}`:                                                provider.MalformedBody,
		``:                                                            provider.MalformedBody,
	} {
		if got := reasonOf(t, v, post(body), challengeTime); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestAnIDOrTypeOfOneEventDoesNotStandForSeveral(t *testing.T) {
	t.Parallel()
	for name, bodies := range map[string][2]string{
		"microsoft-graph":  {`{"value":[{"id":"1","changeType":"created"}]}`, `{"value":[{"id":"1","changeType":"created"},{"id":"2"}]}`},
		"azure-event-grid": {`[{"id":"1","eventType":"a"}]`, `[{"id":"1","eventType":"a"},{"id":"2"}]`},
		"cloudevents":      {`[{"id":"1","source":"/s","type":"a"}]`, `[{"id":"1","source":"/s","type":"a"},{"id":"2"}]`},
	} {
		v := ready(t, name, provider.Settings{}, "")
		if verdict := v.Verify(t.Context(), post(bodies[0]), challengeTime); verdict.EventID == "" || verdict.EventType == "" {
			t.Errorf("%s: one event has the id %q and the type %q", name, verdict.EventID, verdict.EventType)
		}
		if verdict := v.Verify(t.Context(), post(bodies[1]), challengeTime); verdict.EventID != "" || verdict.EventType != "" {
			t.Errorf("%s: two events have the id %q and the type %q", name, verdict.EventID, verdict.EventType)
		}
	}
}

func TestACloudEventIsKnownBySourceAndIDInBothModes(t *testing.T) {
	t.Parallel()
	v := ready(t, "cloudevents", provider.Settings{}, "")
	binary := post(`{"id":"of the data"}`)
	binary.Header = http.Header{"Ce-Id": {"7"}, "Ce-Source": {"/kitchen"}, "Ce-Type": {"boiled"}}
	structured := post(`{"specversion":"1.0","id":"7","source":"/kitchen","type":"boiled"}`)
	for _, r := range []provider.Request{binary, structured} {
		if verdict := v.Verify(t.Context(), r, challengeTime); verdict.EventID != "/kitchen 7" || verdict.EventType != "boiled" {
			t.Errorf("%q %q", verdict.EventID, verdict.EventType)
		}
	}
	long := v.Verify(t.Context(), post(`{"id":"7","source":"/`+strings.Repeat("s", 300)+`"}`), challengeTime).EventID
	other := v.Verify(t.Context(), post(`{"id":"8","source":"/`+strings.Repeat("s", 300)+`"}`), challengeTime).EventID
	if !strings.HasPrefix(long, "sha256:") || long == other {
		t.Errorf("long sources give %q and %q", long, other)
	}
	if id := v.Verify(t.Context(), post(`{"id":"7"}`), challengeTime).EventID; id != "" {
		t.Errorf("an id without a source is %q", id)
	}
}

func TestATokenThatIsSetMustBeThere(t *testing.T) {
	t.Parallel()
	v := ready(t, "cloudevents", provider.Settings{}, textSecret)
	for value, want := range map[string]provider.Reason{
		"Bearer " + textSecret: provider.Verified, "Bearer x": provider.SignatureMismatch, textSecret: provider.MalformedHeader,
		"": provider.MissingHeader, "Bearer ": provider.MalformedHeader,
	} {
		r := post(`{}`)
		r.Header.Set("Authorization", value)
		if got := reasonOf(t, v, r, challengeTime); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
	if got := reasonOf(t, ready(t, "cloudevents", provider.Settings{}, ""), post(`{}`), challengeTime); got != provider.Unchecked {
		t.Errorf("without a token: %s, want unchecked", got)
	}
}

func TestEventGridComparesTheSecretWhereTheSettingsSay(t *testing.T) {
	t.Parallel()
	inAddress, inHeader := ready(t, "azure-event-grid", provider.Settings{}, textSecret), ready(t, "azure-event-grid", provider.Settings{Header: "X-Kitchen"}, textSecret)
	withCode, withHeader := post(`[]`), post(`[]`)
	withCode.URL += "?code=" + textSecret
	withHeader.Header.Set("X-Kitchen", textSecret)
	for _, c := range []struct {
		v    *provider.Verifier
		r    provider.Request
		want provider.Reason
	}{
		{inAddress, withCode, provider.Verified}, {inAddress, withHeader, provider.SignatureMismatch},
		{inHeader, withHeader, provider.Verified}, {inHeader, withCode, provider.MissingHeader},
	} {
		if got := reasonOf(t, c.v, c.r, challengeTime); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	validation := post(`[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"1"}}]`)
	validation.Header.Set("aeg-event-type", "SubscriptionValidation")
	if found, ok := ask(t, inHeader, validation); !ok || found.Answer.Status != http.StatusOK {
		t.Error("a validation without the delivery property is not answered")
	}
}

func TestWebSubTakesEveryMethodOfTheStandardAndNoOther(t *testing.T) {
	t.Parallel()
	v := ready(t, "websub", provider.Settings{Topics: []string{"https://example.com/feed"}}, textSecret)
	sum := func(method func() hash.Hash) string {
		h := hmac.New(method, []byte(textSecret))
		h.Write([]byte("feed"))
		return hex.EncodeToString(h.Sum(nil))
	}
	for value, want := range map[string]provider.Reason{
		"sha1=" + sum(sha1.New):                  provider.Verified,
		"sha384=" + sum(sha512.New384):           provider.Verified,
		"sha512=" + sum(sha512.New):              provider.Verified,
		"sha512=" + sum(sha1.New):                provider.SignatureMismatch,
		"md5=" + sum(sha1.New):                   provider.MalformedHeader,
		"sha1=" + strings.ToUpper(sum(sha1.New)): provider.MalformedHeader,
		"sha1=":                                  provider.SignatureMismatch,
		"":                                       provider.MissingHeader,
	} {
		r := post("feed")
		r.Header.Set("X-Hub-Signature", value)
		if got := reasonOf(t, v, r, challengeTime); got != want {
			t.Errorf("%.20q: %s, want %s", value, got, want)
		}
	}
}

func TestWebSubContentOfAForeignTopicIsRefused(t *testing.T) {
	t.Parallel()
	v := ready(t, "websub", provider.Settings{Topics: []string{"https://example.com/feed"}}, "")
	for line, want := range map[string]provider.Reason{
		`<https://hub.example.com/>; rel="hub", <https://example.com/feed>; rel="self"`: provider.Unchecked,
		`<https://example.com/feed>; rel=self`:                                          provider.Unchecked,
		`<https://example.com/other>; rel="self"`:                                       provider.NotAllowed,
		`<https://example.com/other>; title=x; REL="hub self"`:                          provider.NotAllowed,
		`<https://example.com/other>; rel="hub"`:                                        provider.Unchecked,
		`<<>;<`:                                                                         provider.Unchecked,
		"":                                                                              provider.Unchecked,
	} {
		r := post("feed")
		r.Header.Set("Link", line)
		if got := reasonOf(t, v, r, challengeTime); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func TestAStravaEventOfAnotherSubscriptionIsRefused(t *testing.T) {
	t.Parallel()
	v := ready(t, "strava", provider.Settings{AccountKey: "120475"}, "")
	for body, want := range map[string]provider.Reason{
		`{"subscription_id":120475}`: provider.Unchecked, `{"subscription_id":1}`: provider.NotAllowed, `{}`: provider.NotAllowed,
	} {
		if got := reasonOf(t, v, post(body), challengeTime); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func mondayJWT(head, claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(head)) + "." + part([]byte(claims))
	return text + "." + part(sha256MAC(text))
}

func TestAMondayTokenMustBeOfTheSecretAndForTheAddressAndInTime(t *testing.T) {
	t.Parallel()
	v := ready(t, "monday", provider.Settings{}, textSecret)
	now, hs := challengeTime.Unix(), `{"alg":"HS256"}`
	claims := func(audience string, expires int64) string {
		return fmt.Sprintf(`{"aud":%q,"exp":%d}`, audience, expires)
	}
	for _, c := range []struct {
		name, token string
		want        provider.Reason
	}{
		{"good", mondayJWT(hs, claims(receiverURL, now+60)), provider.Verified},
		{"ended", mondayJWT(hs, claims(receiverURL, now-60)), provider.TooOld},
		{"for another address", mondayJWT(hs, claims("https://other.example.com/", now+60)), provider.NotAllowed},
		{"without an end", mondayJWT(hs, `{"aud":"`+receiverURL+`"}`), provider.MalformedHeader},
		{"of another algorithm", mondayJWT(`{"alg":"none"}`, claims(receiverURL, now+60)), provider.SignatureMismatch},
		{"of another secret", mondayJWT(hs, claims(receiverURL, now+60)) + "A", provider.SignatureMismatch},
		{"no token", "abc", provider.MalformedHeader},
	} {
		r := post(`{"event":{"type":"create_pulse"}}`)
		r.Header.Set("Authorization", c.token)
		if got := reasonOf(t, v, r, challengeTime); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func sha256MAC(text string) []byte {
	h := hmac.New(sha256.New, []byte(textSecret))
	h.Write([]byte(text))
	return h.Sum(nil)
}
