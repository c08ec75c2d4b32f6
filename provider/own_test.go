package provider_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// ownRequest is a request of that provider, signed at signingTime.
func ownRequest(t testing.TB, name string) (*provider.Verifier, provider.Request) {
	t.Helper()
	kit, ok := ownKits[name]
	if !ok {
		t.Fatalf("no kit for %s", name)
	}
	v := newVerifier(t, name, kit.settings, kit.secret)
	r := provider.Request{Method: http.MethodPost, URL: ownURL, Header: http.Header{}, Body: []byte(kit.body)}
	if kit.kind != "" {
		r.Header.Set("Content-Type", kit.kind)
	}
	if err := v.Sign(&r, "evt-1", signingTime); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v, r
}

func TestWhatASchemeOfItsOwnSignsIsVerifiedAndAnyChangedByteIsNot(t *testing.T) {
	t.Parallel()
	for name, kit := range ownKits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, r := ownRequest(t, name)
			if verdict := v.Verify(t.Context(), r, signingTime); verdict.Reason != provider.Verified {
				t.Fatalf("refused: %s, %s", verdict.Reason, verdict.Detail)
			}
			if !kit.unsigned {
				r.Body = bytes.Clone(r.Body)
				for _, i := range []int{0, len(r.Body) / 2, len(r.Body) - 1} {
					r.Body[i] ^= 1
					if verdict := v.Verify(t.Context(), r, signingTime); verdict.OK() {
						t.Errorf("believed with byte %d changed", i)
					}
					r.Body[i] ^= 1
				}
			}
			refusesBrokenHeaders(t, v, r)
		})
	}
}

// refusesBrokenHeaders takes each header that the scheme reads away, cuts it, changes its
// last character, and sends it twice.
func refusesBrokenHeaders(t *testing.T, v *provider.Verifier, r provider.Request) {
	t.Helper()
	for _, name := range v.Provider().Headers {
		value := r.Header.Get(name)
		if value == "" || strings.HasPrefix(name, "X-Amz-") || name == "Protocol" {
			continue
		}
		last := []byte(value)
		last[len(last)/2] ^= 1
		for what, values := range map[string][]string{"empty": {""}, "cut": {value[:len(value)-1]}, "changed": {string(last)}, "a blank": {" "}, "a comma": {","}} {
			if name == "MessageBird-Signature" || name == "MessageBird-Request-Timestamp" || name == "PAYPAL-CERT-URL" && what == "cut" {
				continue // the token decides alone; an address that is cut is another of the same form
			}
			if verdict := v.Verify(t.Context(), withHeader(r, name, values...), signingTime); verdict.OK() {
				t.Errorf("%s %s: believed", name, what)
			}
		}
	}
}

func TestSchemesOfTheirOwnRefuseAHeaderThatIsThereTwice(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"twilio": "X-Twilio-Signature", "sendgrid": "X-Twilio-Email-Event-Webhook-Signature", "paypal": "PAYPAL-TRANSMISSION-SIG",
		"hubspot": "X-HubSpot-Signature-v3", "messagebird": "MessageBird-Signature-JWT", "plaid": "Plaid-Verification",
		"fusionauth": "X-FusionAuth-Signature-JWT", "netlify": "X-Webhook-Signature", "jira-connect": "Authorization",
		"basic-auth": "Authorization", "api-key": "X-Api-Key", "chargebee": "Authorization", "postmark": "Authorization", "deepgram": "dg-token",
	} {
		v, r := ownRequest(t, name)
		if got := v.Verify(t.Context(), withHeader(r, header, r.Header.Get(header), "x"), signingTime).Reason; got != provider.MalformedHeader {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestSchemesOfTheirOwnWithASignedTimeHoldTheirTolerance(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sendgrid", "mailgun", "paypal", "hubspot", "aws-sns", "plaid"} {
		v, r := ownRequest(t, name)
		tolerance := v.Provider().Tolerance
		for _, c := range []struct {
			after time.Duration
			want  provider.Reason
		}{
			{tolerance, provider.Verified}, {tolerance + time.Second, provider.TooOld},
			{-tolerance, provider.Verified}, {-tolerance - time.Second, provider.TooNew},
		} {
			if got := v.Verify(t.Context(), r, signingTime.Add(c.after)); got.Reason != c.want {
				t.Errorf("%s after %s: %s, want %s", name, c.after, got.Reason, c.want)
			}
		}
	}
}

func TestAnotherSecretNeverFitsASchemeOfItsOwn(t *testing.T) {
	t.Parallel()
	others := map[string]string{
		"adyen": strings.Repeat("ab", 32), "sendgrid": ownPrivatePEM(otherEC), "plaid": jwkOf(otherEC, "6c5516e1-92dc-479e-a8ff-5a51992e0001", false),
		"paypal": ownCertificatePEM(snsCert), "aws-sns": ownCertificatePEM(payPalCert),
	}
	for name, kit := range ownKits {
		_, r := ownRequest(t, name)
		other, ok := others[name]
		if !ok {
			other = textSecret + "1"
		}
		verdict := newVerifier(t, name, kit.settings, other).Verify(t.Context(), r, signingTime)
		if verdict.OK() {
			t.Errorf("%s: %s", name, verdict.Reason)
		}
		if strings.Contains(verdict.Detail, kit.secret) {
			t.Errorf("%s: the detail has the secret", name)
		}
	}
}

func TestUnreadableSecretsOfOwnSchemesAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]string{
		"adyen":      {"", "xyz", "abcd", adyenSecret + "00", strings.Repeat("zz", 32)},
		"sendgrid":   {"", "hunter22", publicBase64(ownRSA), publicBase64(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))), "-----BEGIN PUBLIC KEY-----", ownPublicPEM(ownEC) + ownPublicPEM(otherEC)},
		"plaid":      {"", "hunter22", "{}", `{"kty":"oct","k":"AA"}`, ownPublicPEM(ownRSA), strings.Replace(plaidSecret, `"P-256"`, `"P-384"`, 1), strings.Replace(plaidSecret, `"alg"`, `"expired_at":1,"alg"`, 1)},
		"paypal":     {"", "hunter22", ownPublicPEM(ownRSA)},
		"aws-sns":    {"", "hunter22", ownPublicPEM(ownRSA)},
		"fusionauth": {"", " x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"},
		"twilio":     {"", "x\n"}, "mailgun": {""}, "hubspot": {""}, "messagebird": {""}, "jira-connect": {""}, "netlify": {""},
		"basic-auth": {""}, "api-key": {"", " "}, "chargebee": {""}, "postmark": {""}, "deepgram": {""},
	} {
		for _, secret := range secrets {
			if _, err := provider.New(name, provider.Settings{}, provider.Secret{Value: secret}); err == nil {
				t.Errorf("%s takes %.30q", name, secret)
			} else if len(secret) > 3 && strings.Contains(err.Error(), secret) {
				t.Errorf("%s repeats it: %v", name, err)
			}
		}
	}
}

func TestAPublicKeyVerifiesAndCannotSign(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{
		"sendgrid": publicBase64(ownEC), "plaid": jwkOf(ownEC, "6c5516e1-92dc-479e-a8ff-5a51992e0001", false),
		"fusionauth": ownPublicPEM(ownEC), "paypal": ownCertificatePEM(authority), "aws-sns": ownCertificatePEM(snsCert),
	} {
		kit := ownKits[name]
		v := newVerifier(t, name, kit.settings, secret)
		r := provider.Request{Method: "POST", URL: ownURL, Body: []byte(kit.body)}
		if err := v.Sign(&r, "1", signingTime); err == nil {
			t.Errorf("%s signs with a public key", name)
		}
		if name == "fusionauth" {
			continue
		}
		if _, signed := ownRequest(t, name); !v.Verify(t.Context(), signed, signingTime).OK() {
			t.Errorf("%s does not verify with the public half", name)
		}
	}
}
