package provider_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

func TestPayPalSignsIDTimeWebhookAndCRC(t *testing.T) {
	t.Parallel()
	// The published example of the signed text.
	const signed = "d938e770-8046-11e6-8103-6b62a8a99ac4|2016-09-21T22:00:46Z|9XL90610J3647323C|838965618"
	sum := sha256.Sum256([]byte(signed))
	r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{}, Body: []byte(`{"id":"WH-1"}`)}
	for name, value := range map[string]string{
		"PAYPAL-TRANSMISSION-ID": "d938e770-8046-11e6-8103-6b62a8a99ac4", "PAYPAL-TRANSMISSION-TIME": "2016-09-21T22:00:46Z",
		"PAYPAL-AUTH-ALGO": "SHA256withRSA", "PAYPAL-CERT-URL": "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77",
		"PAYPAL-TRANSMISSION-SIG": base64.StdEncoding.EncodeToString(must(rsa.SignPKCS1v15(rand.Reader, ownRSA, crypto.SHA256, sum[:]))),
	} {
		r.Header.Set(name, value)
	}
	verdict := newVerifier(t, "paypal", payPalSettings(), ownCertificatePEM(authority)).
		Verify(t.Context(), r, time.Date(2016, 9, 21, 22, 1, 0, 0, time.UTC))
	if !verdict.OK() || verdict.EventID != "d938e770-8046-11e6-8103-6b62a8a99ac4" {
		t.Errorf("%+v", verdict)
	}
}

func TestACertificateOfAnotherAddressThanPayPalsIsNeverFetched(t *testing.T) {
	t.Parallel()
	const file = "/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
	_, r := ownRequest(t, "paypal")
	for _, address := range []string{
		"https://attacker.com" + file, "https://paypal.com.attacker.com" + file, "https://api.paypal.com.attacker.com" + file,
		"https://apipaypal.com" + file, "https://evilpaypal.com" + file, "http://api.paypal.com" + file, "https://api.paypal.com:444" + file,
		"https://api.paypal.com@attacker.com" + file, "https://u:p@api.paypal.com" + file, "https://api.paypal.com" + file + "?x", "https://api.paypal.com" + file + "#x",
		"https://api.paypal.com/redirect?to=https://attacker.com" + file, "https://api.paypal.com/v1/../x", "https://api.paypal.com\\.attacker.com" + file,
		"https://api.paypal.com." + file, " https://api.paypal.com" + file, "file:///etc/passwd", "https://attacker.com/#.paypal.com" + file,
	} {
		fetched := 0
		settings := payPalSettings()
		settings.Fetch = func(context.Context, string) ([]byte, error) { fetched++; return nil, errUnreachable }
		verdict := newVerifier(t, "paypal", settings).Verify(t.Context(), withHeader(r, "PAYPAL-CERT-URL", address), signingTime)
		if verdict.Reason != provider.UntrustedKey || fetched != 0 {
			t.Errorf("%q: %s, %d fetched", address, verdict.Reason, fetched)
		}
	}
}

func TestAPayPalRequestThatIsRefusedAnywayCausesNoFetch(t *testing.T) {
	t.Parallel()
	_, r := ownRequest(t, "paypal")
	settings := payPalSettings()
	settings.Fetch = func(context.Context, string) ([]byte, error) { t.Error("fetched"); return nil, errUnreachable }
	v := newVerifier(t, "paypal", settings)
	for name, values := range map[string][]string{
		"PAYPAL-AUTH-ALGO":         {"SHA1withRSA", "none", "sha256withrsa"},
		"PAYPAL-TRANSMISSION-TIME": {"yesterday", "0", "2016-09-21T22:00:46Z", "2099-01-01T00:00:00Z"},
		"PAYPAL-TRANSMISSION-SIG":  {"AAAA", "x"},
		"PAYPAL-TRANSMISSION-ID":   {"a|b", ""},
	} {
		for _, value := range values {
			if verdict := v.Verify(t.Context(), withHeader(r, name, value), signingTime); verdict.OK() {
				t.Errorf("%s %q: believed", name, value)
			}
		}
	}
	settings.WebhookID = ""
	if newVerifier(t, "paypal", settings).Verify(t.Context(), r, signingTime).OK() {
		t.Error("believed without the id of the webhook")
	}
}

func TestAPayPalCertificateMustBeMadeForItsMessagesAndLeadToAnAuthority(t *testing.T) {
	t.Parallel()
	_, r := ownRequest(t, "paypal")
	signed := func(c *x509.Certificate) *x509.Certificate { return ownCertificate(c, authority) }
	ended := ownTemplate("", []string{"messageverificationcerts.paypal.com"})
	ended.NotAfter = signingTime.Add(-time.Second)
	coming := ownTemplate("", []string{"messageverificationcerts.paypal.com"})
	coming.NotBefore = signingTime.Add(time.Second)
	for name, c := range map[string]struct {
		certificate *x509.Certificate
		want        provider.Reason
	}{
		"good":                                  {payPalCert, provider.Verified},
		"of the sandbox":                        {signed(ownTemplate("", []string{"messageverificationcerts.sandbox.paypal.com"})), provider.Verified},
		"common name only":                      {signed(ownTemplate("messageverificationcerts.paypal.com", nil)), provider.Verified},
		"ended":                                 {signed(ended), provider.UntrustedKey},
		"not begun":                             {signed(coming), provider.UntrustedKey},
		"signed by itself":                      {ownCertificate(ownTemplate("", []string{"messageverificationcerts.paypal.com"}), nil), provider.UntrustedKey},
		"another name":                          {signed(ownTemplate("", []string{"www.paypal.com"})), provider.UntrustedKey},
		"a longer name":                         {signed(ownTemplate("", []string{"messageverificationcerts.paypal.com.attacker.com"})), provider.UntrustedKey},
		"name in the common name beside others": {signed(ownTemplate("messageverificationcerts.paypal.com", []string{"attacker.com"})), provider.UntrustedKey},
	} {
		settings := payPalSettings()
		settings.Fetch = fetchFor(c.certificate)
		v := newVerifier(t, "paypal", settings, ownCertificatePEM(authority))
		if got := v.Verify(t.Context(), r, signingTime); got.Reason != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got.Reason, got.Detail, c.want)
		}
	}
	if got := newVerifier(t, "paypal", payPalSettings()).Verify(t.Context(), r, signingTime); got.Reason != provider.UntrustedKey {
		t.Errorf("an authority that the system does not know: %s", got.Reason)
	}
	settings := payPalSettings()
	settings.WebhookID = "another"
	if got := newVerifier(t, "paypal", settings, payPalSecret).Verify(t.Context(), r, signingTime); got.Reason != provider.SignatureMismatch {
		t.Errorf("for another webhook: %s", got.Reason)
	}
}
