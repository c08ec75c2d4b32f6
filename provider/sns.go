package provider

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
)

// snsScheme has the signature in the body, with the address of the certificate. That
// address must be exactly of the form that SNS uses: AWS signs for whoever asks, and
// gives away buckets under its names.
type snsScheme struct{}

var _ scheme = snsScheme{}

const (
	snsTypeHeader = "X-Amz-Sns-Message-Type"
	snsTolerance  = time.Hour
)

// snsCertURL admits no port, user, query, other path or upper case.
var snsCertURL = regexp.MustCompile(`^https://sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[0-9a-f]{16,64}\.pem$`)

// snsSignedURL is the address that our own signatures name.
const snsSignedURL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000000.pem"

var awsSNS = Provider{
	Name:    "aws-sns",
	Title:   "AWS SNS",
	Scheme:  "RSA-SHA256 or RSA-SHA1 (base64) in the body of its values, under a certificate of sns.<region>.amazonaws.com",
	Headers: []string{snsTypeHeader, "X-Amz-Sns-Message-Id", "X-Amz-Sns-Topic-Arn"},
	SecretHelp: "None is needed, but the setting topics: the ARNs of your topics. AWS signs for everybody, so only the topic tells yours. " +
		"A certificate (PEM) given as the secret is the only one that is accepted.",
	SecretOptional: true,
	Tolerance:      snsTolerance,
	AnswerWithin:   15 * time.Second,
	Uses:           []string{"topics", "confirm"},
	scheme:         snsScheme{},
	eventID:        inBody("MessageId"),
	eventType:      firstOf(inBody("Type"), inHeader(snsTypeHeader)),
}

// snsSigned are the members that are signed, in their order, by the type of the message.
var snsSigned = map[string][]string{
	"Notification":             {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"},
	"SubscriptionConfirmation": {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
	"UnsubscribeConfirmation":  {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
}

// snsHashes are the hashes by SignatureVersion.
var snsHashes = map[string]crypto.Hash{"1": crypto.SHA1, "2": crypto.SHA256}

// snsMessage is a message that has passed all checks that need no certificate.
type snsMessage struct {
	address   string
	content   string
	hash      crypto.Hash
	signature []byte
	at        time.Time
}

func (snsScheme) parse(text string) (key, error) { return parseCertificates(text) }

func (snsScheme) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	m, refused := readSNS(r, s)
	if refused.Reason != "" {
		return refused
	}
	if reason, detail := fresh(m.at, now, cmp.Or(s.Tolerance, snsTolerance)); reason != Verified {
		return Verdict{Reason: reason, Detail: detail, SignedAt: m.at}
	}
	certificates, refused := fetchCertificates(ctx, s, m.address)
	if refused.Reason != "" {
		return refused
	}
	certificate := certificates[0]
	pinned := pairOfKey(k).certificates
	if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) ||
		len(pinned) > 0 && !slices.ContainsFunc(pinned, certificate.Equal) {
		return refuse(UntrustedKey, "The certificate has ended, or is not the configured one.")
	}
	public, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() < minRSABits || rsa.VerifyPKCS1v15(public, m.hash, m.digest(), m.signature) != nil {
		return Verdict{Reason: SignatureMismatch, Detail: "The signature does not fit the message under the certificate.", SignedAt: m.at}
	}
	return Verdict{Reason: Verified, SignedAt: m.at}
}

func (m *snsMessage) digest() []byte {
	h := m.hash.New()
	h.Write([]byte(m.content))
	return h.Sum(nil)
}

// readSNS does all checks that need no certificate, the topic among them: so nobody can
// make this receiver fetch anything with messages of a topic of his own.
func readSNS(r *Request, s *Settings) (m snsMessage, refused Verdict) {
	body, err := strictMembers(r.Body)
	if err != nil {
		return m, refuse(MalformedBody, "The body is no SNS message (raw message delivery has no signature): "+err.Error()+".")
	}
	kind, _ := body.text("Type")
	names, ok := snsSigned[kind]
	if sent := r.Header.Values(snsTypeHeader); !ok || len(sent) > 0 && one(sent) != kind {
		return m, refuse(MalformedBody, "The body has no Type of SNS, or another than "+snsTypeHeader+".")
	}
	if m.content, ok = snsContent(body, names); !ok {
		return m, refuse(MalformedBody, "The body has not all members that SNS signs as texts.")
	}
	version, _ := body.text("SignatureVersion")
	signature, _ := body.text("Signature")
	stamp, _ := body.text("Timestamp")
	var okHash, okSignature, okTime bool
	m.hash, okHash = snsHashes[version]
	m.signature, okSignature = base64Std.bytes(signature)
	m.at, okTime = rfc3339.parse(stamp)
	if !okHash || !okSignature || !okTime || len(m.signature) < minRSABits/8 {
		return m, refuse(MalformedBody, "The SignatureVersion, Signature or Timestamp of the body cannot be read.")
	}
	m.address, _ = body.text("SigningCertURL")
	if !snsCertURL.MatchString(m.address) {
		return m, refuse(UntrustedKey, "The SigningCertURL is not one of SNS.")
	}
	if topic, _ := body.text("TopicArn"); !slices.Contains(s.Topics, topic) {
		return m, refuse(NotAllowed, "The message names the topic "+usable(topic)+", which is not in the setting topics.")
	}
	return m, Verdict{}
}

// snsContent is what is signed: each name and each value, with a line end after it.
// Subject is left out where there is none; all others must be there.
func snsContent(body members, names []string) (string, bool) {
	var text strings.Builder
	for _, name := range names {
		if raw := string(body[name]); name == "Subject" && (raw == "" || raw == "null") {
			continue
		}
		value, ok := body.text(name)
		if !ok {
			return "", false
		}
		text.WriteString(name + "\n" + value + "\n")
	}
	return text.String(), true
}

// sign writes id, time and signature into the message in the body.
func (snsScheme) sign(r *Request, k key, _ *Settings, id string, now time.Time) error {
	private, ok := pairOfKey(k).private.(*rsa.PrivateKey)
	if !ok {
		return errors.New("only the private key of AWS can sign; give one as PEM for a test")
	}
	body, err := strictMembers(r.Body)
	if err != nil {
		return errBody
	}
	if id != "" {
		body["MessageId"] = quoted(id)
	}
	body["Timestamp"] = quoted(now.UTC().Format("2006-01-02T15:04:05.000Z"))
	kind, _ := body.text("Type")
	m := snsMessage{hash: crypto.SHA256}
	if m.content, ok = snsContent(body, snsSigned[kind]); !ok || m.content == "" {
		return errors.New("the body has not all members that SNS signs as texts")
	}
	if m.signature, err = rsa.SignPKCS1v15(rand.Reader, private, m.hash, m.digest()); err != nil {
		return err
	}
	body["SignatureVersion"] = quoted("2")
	body["SigningCertURL"] = quoted(snsSignedURL)
	body["Signature"] = quoted(base64.StdEncoding.EncodeToString(m.signature))
	r.Header.Set(snsTypeHeader, kind)
	r.Body, err = json.Marshal(body)
	return err
}
