package provider_test

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// ask verifies a request and looks for a handshake in it.
func ask(t testing.TB, v *provider.Verifier, r provider.Request) (provider.Handshake, bool) {
	t.Helper()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	return v.Handshake(r, v.Verify(t.Context(), r, challengeTime), challengeTime)
}

func get(query string) provider.Request {
	return provider.Request{Method: http.MethodGet, URL: receiverURL + "?" + query}
}

func post(body string) provider.Request {
	return provider.Request{Method: http.MethodPost, URL: receiverURL, Header: http.Header{}, Body: []byte(body)}
}

// signed is the request signed by the provider.
func signed(t testing.TB, v *provider.Verifier, r provider.Request) provider.Request {
	t.Helper()
	if err := v.Sign(&r, "b0c4e1", challengeTime); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAChallengeThatIsNoPlainShortTextIsNotGivenBack(t *testing.T) {
	t.Parallel()
	hub := "hub.mode=subscribe&hub.verify_token=tea&hub.topic=https%3A%2F%2Fexample.com%2Ffeed&hub.challenge="
	asks := map[string]func(string) string{
		"dropbox": func(c string) string { return "challenge=" + c }, "nylas": func(c string) string { return "challenge=" + c },
		"meta": func(c string) string { return hub + c }, "strava": func(c string) string { return hub + c }, "websub": func(c string) string { return hub + c },
		"microsoft-graph": func(c string) string { return "validationToken=" + c },
		"x-twitter":       func(c string) string { return "crc_token=" + c },
	}
	settings := map[string]provider.Settings{
		"meta": {VerifyToken: "tea"}, "strava": {VerifyToken: "tea"}, "websub": {Topics: []string{"https://example.com/feed"}},
	}
	for name, query := range asks {
		v := ready(t, name, settings[name], "")
		for _, bad := range []string{"a\r\nX-Evil: 1", "a\x00", "a\x1b[2J", "a\u0085", "\xff\xfe", strings.Repeat("a", 4097)} {
			r := get(query(url.QueryEscape(bad)))
			if name == "microsoft-graph" {
				r.Method = http.MethodPost
			}
			found, ok := ask(t, v, r)
			if !ok || found.Answer.Status != http.StatusBadRequest || len(found.Answer.Body) > 0 {
				t.Errorf("%s: %q is answered %d with %q", name, bad, found.Answer.Status, found.Answer.Body)
			}
		}
	}
}

func TestTheVerifyTokenIsNeverGuessedByLeavingItOut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"meta", "whatsapp", "instagram", "strava"} {
		open, set := ready(t, name, provider.Settings{}, ""), ready(t, name, provider.Settings{VerifyToken: "tea"}, "")
		for _, c := range []struct {
			v      *provider.Verifier
			query  string
			status int
		}{
			{open, "hub.mode=subscribe&hub.challenge=1&hub.verify_token=", http.StatusForbidden},
			{open, "hub.mode=subscribe&hub.challenge=1", http.StatusForbidden},
			{set, "hub.mode=subscribe&hub.challenge=1", http.StatusForbidden},
			{set, "hub.mode=subscribe&hub.challenge=1&hub.verify_token=te", http.StatusForbidden},
			{set, "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=tea", http.StatusForbidden},
			{set, "hub.mode=subscribe&hub.verify_token=tea", http.StatusBadRequest},
			{set, "hub.mode=subscribe&hub.challenge=1&hub.verify_token=tea", http.StatusOK},
		} {
			if found, ok := ask(t, c.v, get(c.query)); !ok || found.Answer.Status != c.status {
				t.Errorf("%s: %s: %d, want %d", name, c.query, found.Answer.Status, c.status)
			}
		}
		if _, ok := ask(t, set, get("")); ok {
			t.Errorf("%s: a GET without anything is taken for a handshake", name)
		}
	}
}

func TestTheAnswerToAChallengeIsNeverTheSignatureOfAnEvent(t *testing.T) {
	t.Parallel()
	x := ready(t, "x-twitter", provider.Settings{}, "")
	if found, _ := ask(t, x, get("crc_token="+url.QueryEscape(`{"for_user_id":"1"}`))); found.Answer.Status != http.StatusBadRequest {
		t.Errorf("X: a whole event is signed: %s", found.Answer.Body)
	}
	zoom := ready(t, "zoom", provider.Settings{}, "")
	event := post(`{"event":"endpoint.url_validation","payload":{"plainToken":"v0:1772366400:event"}}`)
	if found, _ := ask(t, zoom, event); found.Answer.Status != http.StatusBadRequest {
		t.Errorf("Zoom: what an event is signed over is signed: %s", found.Answer.Body)
	}
	forged := post(`{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}`)
	forged.Header.Set("X-Zm-Signature", "v0="+strings.Repeat("0", 64))
	forged.Header.Set("X-Zm-Request-Timestamp", "1772366400")
	if _, ok := ask(t, zoom, forged); ok {
		t.Error("Zoom: a wrong signature is answered")
	}
}

func TestASecretThatHasEndedAnswersNoChallenge(t *testing.T) {
	t.Parallel()
	v, err := provider.New("x-twitter", provider.Settings{},
		provider.Secret{Value: "ended", Until: challengeTime.Add(-time.Second)}, provider.Secret{Value: textSecret})
	if err != nil {
		t.Fatal(err)
	}
	with, _ := ask(t, v, get("crc_token=challenge_string"))
	only, _ := ask(t, ready(t, "x-twitter", provider.Settings{}, textSecret), get("crc_token=challenge_string"))
	if !bytes.Equal(with.Answer.Body, only.Answer.Body) {
		t.Errorf("%s, want the answer of the secret in force, %s", with.Answer.Body, only.Answer.Body)
	}
}

func TestASecretIsLearnedOnceAndNotReplaced(t *testing.T) {
	t.Parallel()
	requests := map[string]func(secret string) provider.Request{
		"asana": func(secret string) provider.Request {
			r := post("")
			r.Header.Set("X-Hook-Secret", secret)
			return r
		},
		"notion": func(secret string) provider.Request { return post(`{"verification_token":"` + secret + `"}`) },
	}
	for name, request := range requests {
		fresh, known := ready(t, name, provider.Settings{}, ""), ready(t, name, provider.Settings{}, "secret_one")
		for _, c := range []struct {
			v       *provider.Verifier
			secret  string
			status  int
			learned string
		}{
			{fresh, "secret_one", http.StatusOK, "secret_one"},
			{known, "secret_one", http.StatusOK, ""},
			{known, "secret_two", http.StatusConflict, ""},
			{fresh, strings.Repeat("s", 513), http.StatusBadRequest, ""},
		} {
			found, ok := ask(t, c.v, request(c.secret))
			if !ok || found.Answer.Status != c.status || found.Learned != c.learned {
				t.Errorf("%s: %.12s: %d and %q learned, want %d and %q", name, c.secret, found.Answer.Status, found.Learned, c.status, c.learned)
			}
			if echo := found.Answer.Header.Get("X-Hook-Secret"); name == "asana" && (echo == c.secret) != (c.status == http.StatusOK) {
				t.Errorf("asana: answered %d with X-Hook-Secret %q", found.Answer.Status, echo)
			}
		}
		if verdict := fresh.Verify(t.Context(), post(`{"type":"page.created","events":[1]}`), challengeTime); verdict.OK() {
			t.Errorf("%s: an event is believed before there is a secret", name)
		}
	}
}

func TestAnAsanaHeartbeatIsNoEvent(t *testing.T) {
	t.Parallel()
	v := ready(t, "asana", provider.Settings{}, textSecret)
	for body, want := range map[string]bool{`{"events":[]}`: true, `{}`: true, `{"events":[{"action":"added"}]}`: false, `[]`: false} {
		if _, ok := ask(t, v, signed(t, v, post(body))); ok != want {
			t.Errorf("%s: handshake %t, want %t", body, ok, want)
		}
		if _, ok := ask(t, v, post(body)); ok {
			t.Errorf("%s: answered without a signature", body)
		}
	}
}

func TestDiscordPingsAreToldFromEvents(t *testing.T) {
	t.Parallel()
	v := ready(t, "discord", provider.Settings{}, formedSecrets["discord"])
	for body, status := range map[string]int{
		`{"type":1}`: http.StatusOK, `{"version":1,"type":0}`: http.StatusNoContent,
		`{"version":1,"type":1,"event":{"type":"ENTITLEMENT_CREATE"}}`: 0, `{"type":2,"data":{}}`: 0, `{"type":"1"}`: 0, `[]`: 0,
	} {
		if found, _ := ask(t, v, signed(t, v, post(body))); found.Answer.Status != status {
			t.Errorf("%s: %d, want %d", body, found.Answer.Status, status)
		}
	}
}

func TestWebSubConfirmsWhatTheReceiverWantsAndNothingElse(t *testing.T) {
	t.Parallel()
	v := ready(t, "websub", provider.Settings{Topics: []string{"https://example.com/feed"}}, "")
	for _, c := range []struct {
		mode, topic string
		status      int
	}{
		{"subscribe", "https://example.com/feed", 200}, {"subscribe", "https://example.com/other", 404}, {"subscribe", "", 404},
		{"unsubscribe", "https://example.com/feed", 404}, {"unsubscribe", "https://example.com/other", 200}, {"unsubscribe", "", 404},
		{"denied", "https://example.com/feed", 204}, {"denied", "https://example.com/other", 404}, {"publish", "https://example.com/feed", 404},
	} {
		found, ok := ask(t, v, get("hub.mode="+c.mode+"&hub.topic="+url.QueryEscape(c.topic)+"&hub.challenge=abc"))
		if !ok || found.Answer.Status != c.status {
			t.Errorf("%s %q: %d, want %d", c.mode, c.topic, found.Answer.Status, c.status)
		}
	}
}

func TestCloudEventsPermissionNeedsAnAllowedOriginAndKeepsToTheRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		origins              []string
		limit                int
		origin, rate         string
		wantOrigin, wantRate string
	}{
		{[]string{"a.example.com"}, 0, "a.example.com", "120", "a.example.com", "120"},
		{[]string{"a.example.com"}, 60, "a.example.com", "120", "a.example.com", "60"},
		{[]string{"a.example.com"}, 60, "a.example.com", "30", "a.example.com", "30"},
		{[]string{"a.example.com"}, 60, "A.example.com", "", "A.example.com", ""},
		{[]string{"a.example.com"}, 60, "a.example.com", "-1", "a.example.com", "60"},
		{[]string{"a.example.com"}, 0, "a.example.com", "*", "a.example.com", "*"},
		{[]string{"a.example.com"}, 0, "a.example.com", "99999999999999999999", "a.example.com", "*"},
		{[]string{"*"}, 0, "b.example.com", "", "b.example.com", ""},
		{[]string{"*"}, 0, "b.example.com\r\nx", "", "", ""},
		{[]string{"a.example.com"}, 0, "b.example.com", "120", "", ""},
		{[]string{"a.example.com"}, 0, "", "120", "", ""},
		{nil, 0, "a.example.com", "120", "", ""},
	} {
		v := ready(t, "cloudevents", provider.Settings{Origins: c.origins, Rate: c.limit}, "")
		r := provider.Request{Method: http.MethodOptions, URL: receiverURL, Header: http.Header{}}
		r.Header.Set("WebHook-Request-Origin", c.origin)
		r.Header.Set("WebHook-Request-Callback", "https://attacker.example.com/")
		if c.rate != "" {
			r.Header.Set("WebHook-Request-Rate", c.rate)
		}
		found, ok := ask(t, v, r)
		origin, rate := found.Answer.Header.Get("WebHook-Allowed-Origin"), found.Answer.Header.Get("WebHook-Allowed-Rate")
		if !ok || origin != c.wantOrigin || rate != c.wantRate || found.Visit != "" || (found.Answer.Status == http.StatusOK) != (c.wantOrigin != "") {
			t.Errorf("%+v: %d, origin %q, rate %q, visit %q", c, found.Answer.Status, origin, rate, found.Visit)
		}
	}
}

func TestEventGridIsVisitedOnlyWhenAllowedAndAtItsOwnHosts(t *testing.T) {
	t.Parallel()
	good := "https://rp-westeurope.eventgrid.azure.net:553/eventsubscriptions/kettle/validate?id=1"
	for _, c := range []struct {
		address string
		confirm bool
		visited bool
	}{
		{good, true, true}, {good, false, false},
		{"https://rp-westeurope.eventgrid.azure.net/x", true, true},
		{"http://rp-westeurope.eventgrid.azure.net:553/x", true, false},
		{"https://rp-westeurope.eventgrid.azure.net:8080/x", true, false},
		{"https://rp-westeurope.eventgrid.azure.net.attacker.example.com/x", true, false},
		{"https://u@rp-westeurope.eventgrid.azure.net/x", true, false},
		{"https://attacker.example.com/#rp-westeurope.eventgrid.azure.net", true, false},
		{"", true, false},
	} {
		v := ready(t, "azure-event-grid", provider.Settings{Confirm: c.confirm}, textSecret)
		r := post(`[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6","validationUrl":"` + c.address + `"}}]`)
		r.Header.Set("aeg-event-type", "SubscriptionValidation")
		if _, ok := ask(t, v, r); ok {
			t.Errorf("%s: answered without the secret of the address", c.address)
		}
		found, ok := ask(t, v, signed(t, v, r))
		if !ok || string(found.Answer.Body) != `{"validationResponse":"512d38b6"}` || (found.Visit == c.address) != (c.visited || c.address == "") {
			t.Errorf("%s, confirm %t: %s, visit %q", c.address, c.confirm, found.Answer.Body, found.Visit)
		}
	}
}

// handshakeMethods are the methods besides POST that handshakes come by.
var handshakeMethods = map[string]string{
	"azure-event-grid": "OPTIONS", "cloudevents": "OPTIONS", "dropbox": "GET", "instagram": "GET", "intercom": "HEAD", "meta": "GET",
	"nylas": "GET", "okta": "GET", "strava": "GET", "trello": "HEAD", "websub": "GET", "whatsapp": "GET", "x-twitter": "GET",
}

func TestProvidersNameTheMethodsOfTheirHandshakes(t *testing.T) {
	t.Parallel()
	for name, method := range handshakeMethods {
		if p, ok := provider.Find(name); !ok || !slices.Contains(p.Methods, method) {
			t.Errorf("%s: methods %v, want %s among them", name, p.Methods, method)
		}
	}
}

func TestAMethodThatIsNotOfTheHandshakeIsNone(t *testing.T) {
	t.Parallel()
	queries := "challenge=a&crc_token=a&hub.mode=subscribe&hub.challenge=a&hub.verify_token=tea"
	for _, p := range provider.List() {
		v := ready(t, p.Name, sampleSettings[p.Name], secretOf(p))
		for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE", "CONNECT"} {
			r := get(queries)
			r.Method = method
			if found, ok := ask(t, v, r); ok {
				t.Errorf("%s: %s is answered %d", p.Name, method, found.Answer.Status)
			}
		}
	}
}

func TestTheFormPingOfWooCommerceIsAnswered(t *testing.T) {
	t.Parallel()
	v := ready(t, "woocommerce", provider.Settings{}, "")
	for body, want := range map[string]bool{
		"webhook_id=142": true, "webhook_id=": false, "webhook_id=1&x=1": false, "webhook_id=-1": false, `{"id":1}`: false,
		"webhook_id=" + strings.Repeat("1", 100): false,
	} {
		if found, ok := ask(t, v, post(body)); ok != want || ok && found.Answer.Status != http.StatusOK {
			t.Errorf("%q: handshake %t, want %t", body, ok, want)
		}
	}
}
