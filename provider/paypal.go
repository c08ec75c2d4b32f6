package provider

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"hash/crc32"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// payPalScheme is a signature under a certificate that the request names. The address
// must be PayPal's, the certificate must be made for PayPal's messages and lead to an
// authority.
type payPalScheme struct{}

var _ scheme = payPalScheme{}

const (
	payPalID        = "PAYPAL-TRANSMISSION-ID"
	payPalTime      = "PAYPAL-TRANSMISSION-TIME"
	payPalSignature = "PAYPAL-TRANSMISSION-SIG"
	payPalCert      = "PAYPAL-CERT-URL"
	payPalAlgorithm = "PAYPAL-AUTH-ALGO"
	payPalRSA       = "SHA256withRSA"

	// payPalTolerance is how long PayPal goes on trying: whether a later try is signed
	// anew it does not say.
	payPalTolerance = 72 * time.Hour
)

var (
	payPalCertURL  = regexp.MustCompile(`^https://(?:[a-z0-9-]{1,40}\.){1,4}paypal\.com/v1/notifications/certs/CERT-[0-9A-Za-z-]{1,80}$`)
	payPalCertName = regexp.MustCompile(`^messageverificationcerts(?:\.sandbox)?\.paypal\.com$`)
)

// payPalSignedURL is the address that our own signatures name.
const payPalSignedURL = "https://api.paypal.com/v1/notifications/certs/CERT-00000000-00000000-00000000"

var payPal = Provider{
	Name:    "paypal",
	Title:   "PayPal",
	Scheme:  "RSA-SHA256 (base64) of id, time, webhook id and CRC-32 of the body, under a certificate of paypal.com",
	Headers: []string{payPalID, payPalTime, payPalSignature, payPalCert, payPalAlgorithm},
	SecretHelp: "None is needed, but the setting webhookId: Developer Dashboard > Apps & Credentials > your app > Webhooks. " +
		"Certificates of authorities (PEM) given as the secret replace the system's.",
	SecretOptional: true,
	Tolerance:      payPalTolerance,
	Uses:           []string{"webhookId"},
	scheme:         payPalScheme{},
	// The transmission's id is signed. The body is covered by a CRC only, which anybody can
	// keep while changing it: so one id must not count twice.
	eventID:   inHeader(payPalID),
	eventType: inBody("event_type"),
}

func (payPalScheme) parse(text string) (key, error) { return parseCertificates(text) }

// transmission is what the headers say.
type transmission struct {
	id, stamp, address string
	at                 time.Time
	signature          []byte
}

func (payPalScheme) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	t, refused := readTransmission(r)
	if refused.Reason != "" {
		return refused
	}
	if s.WebhookID == "" {
		return refuse(SignatureMismatch, "The setting webhookId is not set, and it is part of what is signed.")
	}
	if reason, detail := fresh(t.at, now, cmp.Or(s.Tolerance, payPalTolerance)); reason != Verified {
		return Verdict{Reason: reason, Detail: detail, SignedAt: t.at}
	}
	certificates, refused := fetchCertificates(ctx, s, t.address)
	if refused.Reason != "" {
		return refused
	}
	if !isPayPals(certificates[0]) || !chained(certificates, pairOfKey(k).certificates, now) {
		return refuse(UntrustedKey, "The certificate is not PayPal's, has ended or leads to no known authority.")
	}
	public, ok := certificates[0].PublicKey.(*rsa.PublicKey)
	if !ok || rsa.VerifyPKCS1v15(public, crypto.SHA256, payPalDigest(&t, s.WebhookID, r.Body), t.signature) != nil {
		return Verdict{Reason: SignatureMismatch, Detail: "The signature does not fit the request under the certificate and the webhook id.", SignedAt: t.at}
	}
	return Verdict{Reason: Verified, SignedAt: t.at}
}

// readTransmission does all checks that need no certificate.
func readTransmission(r *Request) (t transmission, refused Verdict) {
	var algorithm, signature string
	for _, header := range []struct {
		name string
		into *string
	}{{payPalID, &t.id}, {payPalTime, &t.stamp}, {payPalSignature, &signature}, {payPalCert, &t.address}, {payPalAlgorithm, &algorithm}} {
		if *header.into, refused = single(r.Header, header.name); refused.Reason != "" {
			return t, refused
		}
	}
	var okTime, okSignature bool
	t.at, okTime = rfc3339.parse(t.stamp)
	t.signature, okSignature = base64Std.bytes(signature)
	switch {
	case algorithm != payPalRSA:
		return t, refuse(MalformedHeader, "The header "+payPalAlgorithm+" is not "+payPalRSA+".")
	case !okTime:
		return t, refuse(MalformedHeader, "The time in "+payPalTime+" is not "+rfc3339.String()+".")
	case !okSignature || len(t.signature) < minRSABits/8:
		return t, refuse(MalformedHeader, "The signature is not the base64 of an RSA signature.")
	case strings.ContainsAny(t.id, "|"):
		return t, refuse(MalformedHeader, "The id in "+payPalID+" has a bar in it.")
	case !payPalCertURL.MatchString(t.address):
		return t, refuse(UntrustedKey, "The address in "+payPalCert+" is not one of PayPal's certificates.")
	}
	return t, Verdict{}
}

// isPayPals looks at the names that the certificate was made for, and at its common name
// where it has none, as older ones do not.
func isPayPals(certificate *x509.Certificate) bool {
	names := certificate.DNSNames
	if len(names) == 0 {
		names = []string{certificate.Subject.CommonName}
	}
	return slices.ContainsFunc(names, payPalCertName.MatchString)
}

func payPalDigest(t *transmission, webhookID string, body []byte) []byte {
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
	digest := sha256.Sum256([]byte(t.id + "|" + t.stamp + "|" + webhookID + "|" + sum))
	return digest[:]
}

func (payPalScheme) sign(r *Request, k key, s *Settings, id string, now time.Time) error {
	private, ok := pairOfKey(k).private.(*rsa.PrivateKey)
	if !ok {
		return errors.New("only PayPal's private key can sign; give one as PEM for a test")
	}
	if id == "" || s.WebhookID == "" {
		return errors.New("the scheme signs an id and the setting webhookId, and one is not there")
	}
	t := transmission{id: id, stamp: now.UTC().Format(time.RFC3339)}
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, payPalDigest(&t, s.WebhookID, r.Body))
	if err != nil {
		return err
	}
	r.Header.Set(payPalID, t.id)
	r.Header.Set(payPalTime, t.stamp)
	r.Header.Set(payPalSignature, base64.StdEncoding.EncodeToString(signature))
	r.Header.Set(payPalCert, payPalSignedURL)
	r.Header.Set(payPalAlgorithm, payPalRSA)
	return nil
}
