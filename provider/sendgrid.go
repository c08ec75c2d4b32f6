package provider

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"
)

// sendGridScheme is ECDSA over the time and the body as it is, its last line end too.
type sendGridScheme struct{}

var _ scheme = sendGridScheme{}

const (
	sendGridHeader = "X-Twilio-Email-Event-Webhook-Signature"
	sendGridStamp  = "X-Twilio-Email-Event-Webhook-Timestamp"
	// sendGridTolerance is how long SendGrid goes on trying: whether a later try is
	// signed anew it does not say.
	sendGridTolerance = 24 * time.Hour
)

var sendGrid = Provider{
	Name:       "sendgrid",
	Title:      "SendGrid",
	Scheme:     "ECDSA P-256 with SHA-256 (base64 of DER) in " + sendGridHeader + " of time and body",
	Headers:    []string{sendGridHeader, sendGridStamp},
	SecretHelp: "Settings > Mail Settings > Event Webhooks > Signature Verification: the verification key (a public key that begins with MFkw).",
	Tolerance:  sendGridTolerance,
	scheme:     sendGridScheme{},
	// A body holds many events, and the id of one does not stand for the others.
	eventID:   sole(inBody("0.sg_event_id"), "1"),
	eventType: sole(inBody("0.event"), "1"),
}

func (sendGridScheme) parse(text string) (key, error) {
	k, err := parsePublicKey(text)
	if err != nil {
		return key{}, err
	}
	if public, ok := pairOfKey(k).public.(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		return key{}, errors.New("it is no key of P-256")
	}
	return k, nil
}

func (sendGridScheme) verify(_ context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	text, refused := single(r.Header, sendGridHeader)
	if refused.Reason != "" {
		return refused
	}
	stamp, refused := single(r.Header, sendGridStamp)
	if refused.Reason != "" {
		return refused
	}
	signature, ok := base64Std.bytes(text)
	if !ok {
		return refuse(MalformedHeader, "The signature is not base64 with padding.")
	}
	at, ok := seconds.parse(stamp)
	if !ok {
		return refuse(MalformedHeader, "The time in "+sendGridStamp+" is not "+seconds.String()+".")
	}
	verdict := Verdict{SignedAt: at}
	public, ok := pairOfKey(k).public.(*ecdsa.PublicKey)
	if !ok || !ecdsa.VerifyASN1(public, sendGridDigest(stamp, r.Body), signature) {
		verdict.Reason, verdict.Detail = SignatureMismatch, "The signature does not fit the request under the public key."
		return verdict
	}
	verdict.Reason, verdict.Detail = fresh(at, now, cmp.Or(s.Tolerance, sendGridTolerance))
	return verdict
}

func sendGridDigest(stamp string, body []byte) []byte {
	h := sha256.New()
	h.Write([]byte(stamp))
	h.Write(body)
	return h.Sum(nil)
}

func (sendGridScheme) sign(r *Request, k key, _ *Settings, _ string, now time.Time) error {
	private, ok := pairOfKey(k).private.(*ecdsa.PrivateKey)
	if !ok {
		return errPublicOnly
	}
	stamp := seconds.text(now)
	signature, err := ecdsa.SignASN1(rand.Reader, private, sendGridDigest(stamp, r.Body))
	if err != nil {
		return err
	}
	r.Header.Set(sendGridStamp, stamp)
	r.Header.Set(sendGridHeader, base64.StdEncoding.EncodeToString(signature))
	return nil
}
