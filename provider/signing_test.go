package provider_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

var signingTime = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

const signedURL = "https://hooks.example.com/in/abc?x=1"

// kit is what a provider needs in a test: two secrets and its settings.
type kit struct {
	secret, other string
	settings      provider.Settings
	bodyUnsigned  bool
}

func kitOf(p provider.Provider) kit {
	k := kit{secret: "topsecret-0123456789", other: "topsecret-0123456780"}
	switch {
	case slices.Contains(p.Headers, "webhook-signature") || slices.Contains(p.Headers, "svix-signature"):
		k.secret, k.other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	case p.Name == "discord":
		k.secret, k.other = ed25519Text(1), ed25519Text(2)
	case p.Name == "airtable":
		k.secret, k.other = "dG9wc2VjcmV0LTAxMjM0NTY3ODk=", "dG9wc2VjcmV0LTAxMjM0NTY3ODA="
	case p.Name == "pusher":
		k.settings.AccountKey = "app-key"
	case p.Name == "telegram":
		k.bodyUnsigned = true
	case p.Name == "generic-hmac":
		k.settings.Generic = &provider.Generic{SignatureHeader: "X-Sig", TimestampHeader: "X-Time", Template: "{ts}.{body}"}
	}
	return k
}

func ed25519Text(first byte) string {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = first
	return hex.EncodeToString(ed25519.NewKeyFromSeed(seed))
}

// checked are the providers of the tables that check something.
func checked(t *testing.T) []provider.Provider {
	t.Helper()
	var list []provider.Provider
	for _, name := range provider.TableProviders() {
		if p, ok := provider.Find(name); !ok {
			t.Errorf("%s is not in the registry", name)
		} else if name != "none" && name != "generic-webhook" {
			list = append(list, p)
		}
	}
	return list
}

func newVerifier(t testing.TB, name string, s provider.Settings, secrets ...string) *provider.Verifier {
	t.Helper()
	var dated []provider.Secret
	for _, secret := range secrets {
		dated = append(dated, provider.Secret{Value: secret})
	}
	v, err := provider.New(name, s, dated...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func signedRequest(t testing.TB, v *provider.Verifier) provider.Request {
	t.Helper()
	r := provider.Request{Method: http.MethodPost, URL: signedURL, Header: http.Header{}, Body: []byte(`{"id":"evt_1","type":"made","n":1}`)}
	if err := v.Sign(&r, "msg_1", signingTime); err != nil {
		t.Fatal(err)
	}
	return r
}

func withHeader(r provider.Request, name string, values ...string) provider.Request {
	r.Header = r.Header.Clone()
	r.Header[http.CanonicalHeaderKey(name)] = values
	return r
}

func TestWhatAProviderSignsIsVerifiedAndAnyChangedBitIsNot(t *testing.T) {
	t.Parallel()
	for _, p := range checked(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			k := kitOf(p)
			v := newVerifier(t, p.Name, k.settings, k.secret)
			r := signedRequest(t, v)
			if verdict := v.Verify(t.Context(), r, signingTime); verdict.Reason != provider.Verified {
				t.Fatalf("%s (%s): %v", verdict.Reason, verdict.Detail, r.Header)
			} else if (p.Tolerance > 0) != !verdict.SignedAt.IsZero() {
				t.Errorf("signed at %s with a tolerance of %s", verdict.SignedAt, p.Tolerance)
			}
			if verdict := newVerifier(t, p.Name, k.settings, k.other).Verify(t.Context(), r, signingTime); verdict.Reason != provider.SignatureMismatch {
				t.Errorf("under another secret: %s", verdict.Reason)
			}
			if verdict := newVerifier(t, p.Name, k.settings, k.other, k.secret).Verify(t.Context(), r, signingTime); !verdict.OK() {
				t.Errorf("under another secret and the right one: %s", verdict.Reason)
			}
			for i := range r.Body {
				changed := r
				changed.Body = slices.Clone(r.Body)
				changed.Body[i] ^= 1
				if v.Verify(t.Context(), changed, signingTime).OK() && !k.bodyUnsigned {
					t.Fatalf("byte %d of the body changed: verified", i)
				}
			}
			for name, values := range r.Header {
				for i := range len(values[0]) {
					changed := []byte(values[0])
					changed[i] ^= 1
					if v.Verify(t.Context(), withHeader(r, name, string(changed)), signingTime).OK() {
						t.Fatalf("%s is %q: verified", name, changed)
					}
				}
				for _, absent := range [][]string{nil, {""}} {
					if verdict := v.Verify(t.Context(), withHeader(r, name, absent...), signingTime); verdict.Reason != provider.MissingHeader {
						t.Errorf("without %s: %s (%s)", name, verdict.Reason, verdict.Detail)
					}
				}
			}
		})
	}
}

func TestASchemeThatSignsTheURLReadsItFromTheRequestGiven(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"square", "trello"} {
		v := newVerifier(t, name, provider.Settings{}, "secret")
		r := signedRequest(t, v)
		r.URL += "&y=2"
		if verdict := v.Verify(t.Context(), r, signingTime); verdict.Reason != provider.SignatureMismatch {
			t.Errorf("%s: %s", name, verdict.Reason)
		}
	}
}

func TestTheToleranceHoldsInBothDirectionsToTheSecond(t *testing.T) {
	t.Parallel()
	for _, p := range checked(t) {
		if p.Tolerance == 0 {
			continue
		}
		k := kitOf(p)
		v := newVerifier(t, p.Name, k.settings, k.secret)
		r := signedRequest(t, v)
		wider := k.settings
		wider.Tolerance = p.Tolerance + time.Second
		for _, c := range []struct {
			v    *provider.Verifier
			off  time.Duration
			want provider.Reason
		}{
			{v, p.Tolerance, provider.Verified},
			{v, -p.Tolerance, provider.Verified},
			{v, p.Tolerance + time.Second, provider.TooOld},
			{v, -p.Tolerance - time.Second, provider.TooNew},
			{newVerifier(t, p.Name, wider, k.secret), p.Tolerance + time.Second, provider.Verified},
		} {
			if verdict := c.v.Verify(t.Context(), r, signingTime.Add(c.off)); verdict.Reason != c.want {
				t.Errorf("%s, %s later: %s (%s), want %s", p.Name, c.off, verdict.Reason, verdict.Detail, c.want)
			}
		}
	}
}

func TestSecretsCountUntilTheyEnd(t *testing.T) {
	t.Parallel()
	end := signingTime.Add(time.Hour)
	for _, p := range checked(t) {
		k := kitOf(p)
		v, err := provider.New(p.Name, k.settings, provider.Secret{Value: k.other}, provider.Secret{Value: k.secret, Until: end}, provider.Secret{Value: k.other})
		if err != nil {
			t.Fatal(err)
		}
		for now, want := range map[time.Time]provider.Reason{
			end.Add(-time.Second): provider.Verified,
			end:                   provider.SecretExpired,
			end.Add(time.Minute):  provider.SecretExpired,
		} {
			r := provider.Request{Method: "POST", URL: signedURL, Body: []byte(`{}`)}
			if err := newVerifier(t, p.Name, k.settings, k.secret).Sign(&r, "m", now); err != nil {
				t.Fatal(err)
			}
			if verdict := v.Verify(t.Context(), r, now); verdict.Reason != want {
				t.Errorf("%s: at %s %s, want %s", p.Name, now, verdict.Reason, want)
			}
		}
	}
}

func TestAnUnusableSecretIsRefusedAndNotRepeatedInTheError(t *testing.T) {
	t.Parallel()
	for _, p := range checked(t) {
		k := kitOf(p)
		for _, secret := range []string{"", " ", "\n", "whsec_", k.secret + "\n", " " + k.secret, strings.Repeat("x", 5000)} {
			if secret == "whsec_" && !slices.Contains(p.Headers, "webhook-signature") && p.Name != "discord" && p.Name != "airtable" {
				continue // a plain text like any other
			}
			if strings.TrimSpace(secret) == k.secret && (slices.Contains(p.Headers, "webhook-signature") || slices.Contains(p.Headers, "svix-signature")) {
				continue // the standard's loose reading drops blanks
			}
			_, err := provider.New(p.Name, k.settings, provider.Secret{Value: secret})
			if err == nil {
				t.Errorf("%s accepts the secret %.20q", p.Name, secret)
			} else if len(secret) > 10 && strings.Contains(err.Error(), secret) {
				t.Errorf("%s repeats the secret: %v", p.Name, err)
			}
		}
		_, err := provider.New(p.Name, k.settings)
		if (err == nil) != p.SecretOptional {
			t.Errorf("%s without a secret: %v", p.Name, err)
		}
	}
	many := make([]provider.Secret, provider.MaxSecrets+1)
	for i := range many {
		many[i].Value = "x"
	}
	if _, err := provider.New("github", provider.Settings{}, many...); err == nil {
		t.Error("any number of secrets is accepted")
	}
}

func TestWithoutASecretNothingIsVerified(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"asana", "notion"} {
		v := newVerifier(t, name, provider.Settings{})
		p := v.Provider()
		for _, value := range []string{"", "sha256=", "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"} {
			r := provider.Request{Method: "POST", Header: http.Header{http.CanonicalHeaderKey(p.Headers[0]): {value}}}
			if verdict := v.Verify(t.Context(), r, signingTime); verdict.OK() {
				t.Errorf("%s believes %q without a secret", name, value)
			}
		}
		if err := v.Sign(&provider.Request{}, "", signingTime); err == nil {
			t.Errorf("%s signs without a secret", name)
		}
	}
}

func TestASourceWithoutVerificationSaysSo(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"none", "generic-webhook"} {
		v := newVerifier(t, name, provider.Settings{})
		verdict := v.Verify(t.Context(), provider.Request{}, signingTime)
		if verdict.Reason != provider.Unchecked || !verdict.OK() {
			t.Errorf("%s: %+v", name, verdict)
		}
		if _, err := provider.New(name, provider.Settings{}, provider.Secret{Value: "s"}); err == nil {
			t.Errorf("%s takes a secret that has no effect", name)
		}
	}
}

func TestADiscordPublicKeyVerifiesAndCannotSign(t *testing.T) {
	t.Parallel()
	private := ed25519Text(7)
	r := signedRequest(t, newVerifier(t, "discord", provider.Settings{}, private))
	public := newVerifier(t, "discord", provider.Settings{}, private[64:])
	if verdict := public.Verify(t.Context(), r, signingTime); !verdict.OK() {
		t.Errorf("%s (%s)", verdict.Reason, verdict.Detail)
	}
	upper := withHeader(r, "X-Signature-Ed25519", strings.ToUpper(r.Header.Get("X-Signature-Ed25519")))
	if verdict := public.Verify(t.Context(), upper, signingTime); verdict.Reason != provider.MalformedHeader {
		t.Errorf("upper-case hex: %s", verdict.Reason)
	}
	if err := public.Sign(&r, "", signingTime); err == nil {
		t.Error("a public key signs")
	}
	if _, err := provider.New("discord", provider.Settings{}, provider.Secret{Value: private[:64] + strings.Repeat("0", 64)}); err == nil {
		t.Error("halves that do not belong together are a key")
	}
}

func TestGitLabTellsItsTwoKindsOfSecretsApart(t *testing.T) {
	t.Parallel()
	signing := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	asToken := provider.Request{Method: "POST", Header: http.Header{"X-Gitlab-Token": {signing}, "X-Gitlab-Event": {"Push Hook"}, "Idempotency-Key": {"k"}}}
	if verdict := newVerifier(t, "gitlab", provider.Settings{}, signing).Verify(t.Context(), asToken, signingTime); verdict.OK() {
		t.Error("a signing token that comes as it is, is believed")
	}
	asToken.Header.Set("X-Gitlab-Token", "older-token")
	verdict := newVerifier(t, "gitlab", provider.Settings{}, signing, "older-token").Verify(t.Context(), asToken, signingTime)
	if !verdict.OK() || verdict.EventID != "k" || verdict.EventType != "Push Hook" {
		t.Errorf("%+v", verdict)
	}
}
