package provider_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// The keys of the providers that have no secret of plain text. They are made anew for
// each run.
const (
	adyenSecret  = "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00"
	snsTopic     = "arn:aws:sns:eu-central-1:000000000001:kettle"
	payPalHookID = "9XL90610J3647323C"
)

var (
	ownRSA  = must(rsa.GenerateKey(rand.Reader, 2048))
	ownEC   = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	otherEC = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))

	authority   = ownCertificate(ownTemplate("Test Authority", nil), nil)
	snsCert     = ownCertificate(ownTemplate("sns.amazonaws.com", nil), nil)
	payPalCert  = ownCertificate(ownTemplate("", []string{"messageverificationcerts.paypal.com"}), authority)
	ecSecret    = ownPrivatePEM(ownEC)
	plaidSecret = jwkOf(ownEC, "6c5516e1-92dc-479e-a8ff-5a51992e0001", true)
	snsSecret   = ownPrivatePEM(ownRSA) + ownCertificatePEM(snsCert)
	// The authority of the configuration, and PayPal's own key to sign with.
	payPalSecret = ownPrivatePEM(ownRSA) + ownCertificatePEM(authority)
)

// fetchFor serves certificates by address, as a receiver's Fetch does.
func fetchFor(certificates ...*x509.Certificate) func(context.Context, string) ([]byte, error) {
	return func(context.Context, string) ([]byte, error) {
		var text strings.Builder
		for _, certificate := range certificates {
			text.WriteString(ownCertificatePEM(certificate))
		}
		return []byte(text.String()), nil
	}
}

var errUnreachable = errors.New("unreachable")

func snsSettings() provider.Settings {
	return provider.Settings{Topics: []string{snsTopic}, Fetch: fetchFor(snsCert)}
}

func payPalSettings() provider.Settings {
	return provider.Settings{WebhookID: payPalHookID, Fetch: fetchFor(payPalCert)}
}

func ownTemplate(name string, dns []string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: dns,
		NotBefore: time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: name == "Test Authority", BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
}

// certificateOf is signed by the parent, or by itself. All have the same RSA key.
func ownCertificate(made, parent *x509.Certificate) *x509.Certificate {
	if parent == nil {
		parent = made
	}
	der := must(x509.CreateCertificate(rand.Reader, made, parent, ownRSA.Public(), ownRSA))
	return must(x509.ParseCertificate(der))
}

func ownCertificatePEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func ownPrivatePEM(private crypto.Signer) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(private))}))
}

func ownPublicPEM(private crypto.Signer) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(private.Public()))}))
}

func publicBase64(private crypto.Signer) string {
	return base64.StdEncoding.EncodeToString(must(x509.MarshalPKIXPublicKey(private.Public())))
}

// jwkOf is the key as a JWK, with the private number if whole.
func jwkOf(private *ecdsa.PrivateKey, id string, whole bool) string {
	point := must(private.PublicKey.Bytes())
	members := map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id,
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}
	if whole {
		members["d"] = base64.RawURLEncoding.EncodeToString(must(private.Bytes()))
	}
	return string(must(json.Marshal(members)))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// ownKits are secrets, settings and a body for each provider of a scheme of its own,
// that make one which signs and verifies.
var ownKits = map[string]struct {
	secret   string
	settings provider.Settings
	kind     string // content type
	body     string
	// unsigned: the proof does not cover the body.
	unsigned bool
}{
	"adyen":        {secret: adyenSecret, body: adyenBody},
	"api-key":      {secret: textSecret, body: `{"id":"1"}`, unsigned: true},
	"aws-sns":      {secret: snsSecret, settings: snsSettings(), body: snsBody},
	"basic-auth":   {secret: textSecret, settings: provider.Settings{Username: "kettle"}, body: `{"id":"1"}`, unsigned: true},
	"chargebee":    {secret: textSecret, settings: provider.Settings{Username: "kettle"}, body: `{"id":"1"}`, unsigned: true},
	"deepgram":     {secret: textSecret, body: `{"id":"1"}`, unsigned: true},
	"fusionauth":   {secret: textSecret, body: `{"event":{"id":"1","type":"user.create"}}`},
	"hubspot":      {secret: textSecret, body: `[{"eventId":1}]`},
	"jira-connect": {secret: textSecret, settings: provider.Settings{AccountKey: "site"}, body: `{"webhookEvent":"x"}`, unsigned: true},
	"mailgun":      {secret: textSecret, body: `{"event-data":{"event":"delivered","id":"x"}}`, unsigned: true},
	"messagebird":  {secret: textSecret, body: `{"type":"message.created"}`},
	"netlify":      {secret: textSecret, body: `{"id":"1"}`},
	"paypal":       {secret: payPalSecret, settings: payPalSettings(), body: `{"id":"WH-1","event_type":"PAYMENT.SALE.COMPLETED"}`},
	"plaid":        {secret: plaidSecret, body: `{"webhook_type":"ITEM","webhook_code":"ERROR"}`},
	"postmark":     {secret: textSecret, settings: provider.Settings{Username: "kettle"}, body: `{"RecordType":"Open"}`, unsigned: true},
	"sendgrid":     {secret: ecSecret, body: "[{\"event\":\"open\"}]\r\n"},
	"twilio":       {secret: textSecret, kind: "application/x-www-form-urlencoded", body: "MessageSid=SM1&MessageStatus=sent"},
}

const (
	ownURL    = "https://hooks.example.com/in/abc?b=2&a=1"
	adyenBody = `{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{},"amount":{"currency":"EUR","value":1000},` +
		`"eventCode":"AUTHORISATION","merchantAccountCode":"Shop","merchantReference":"order-1","pspReference":"7914073381342284","success":"true"}}]}`
	snsBody = `{"Type":"Notification","MessageId":"m-1","TopicArn":"` + snsTopic + `","Subject":"tea","Message":"{\"a\":1}","Timestamp":""}`
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func jsonNumber(n int64) string { return strconv.FormatInt(n, 10) }
