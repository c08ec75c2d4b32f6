package provider_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

// standardSecret is a secret in the form of the Standard Webhooks specification.
const standardSecret = "whsec_Z3JhcG5lbC1zYW1wbGUtc2VjcmV0LTAwMQ=="

// textSecret is one for the providers that take any text.
const textSecret = "topsecret-0123456789"

// formedSecrets are secrets for the providers that ask for a certain form.
var formedSecrets = map[string]string{
	"adyen":    "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
	"airtable": "dG9wc2VjcmV0LTAxMjM0NTY3ODk=",
	"discord":  hex.EncodeToString(ed25519.NewKeyFromSeed([]byte("grapnel sample seed of 32 bytes."))),
	"gitlab":   standardSecret,
	"supabase": "v1," + standardSecret,
}

// sampleSettings are what the providers need besides a secret.
var sampleSettings = map[string]provider.Settings{
	"generic-hmac": {Generic: &provider.Generic{SignatureHeader: "X-Signature", EventID: "body:id", EventType: "body:type"}},
	"pusher":       {AccountKey: "0f3e1c"},
	"websub":       {Topics: []string{"https://example.com/feed"}},
}

// secretless are the providers that take none.
var secretless = map[string]bool{"none": true, "generic-webhook": true, "strava": true}

// secretOf is a secret that the provider takes and can sign with; empty: it takes none.
func secretOf(p provider.Provider) string {
	if secretless[p.Name] {
		return ""
	}
	if secret, ok := formedSecrets[p.Name]; ok {
		return secret
	}
	switch p.Name {
	case "aws-sns", "paypal":
		return certified().certificate + certified().private
	case "plaid", "sendgrid":
		return curveKey()
	}
	if p.Tolerance > 0 && len(p.Headers) == 3 && (p.Headers[0] == "webhook-id" || p.Headers[0] == "svix-id") {
		return standardSecret
	}
	return textSecret
}

// ready makes a verifier with that secret, or one in the provider's form if it is empty.
// Providers that can do without get none.
func ready(t testing.TB, name string, s provider.Settings, secret string) *provider.Verifier {
	t.Helper()
	if certified, ok := certifiedSettings[name]; ok && s.Fetch == nil {
		s = certified
	}
	p, ok := provider.Find(name)
	if !ok {
		t.Fatalf("there is no provider %q", name)
	}
	var secrets []provider.Secret
	if secret == "" && !p.SecretOptional {
		secret = secretOf(p)
	}
	if secret != "" {
		secrets = []provider.Secret{{Value: secret}}
	}
	v, err := provider.New(name, s, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
