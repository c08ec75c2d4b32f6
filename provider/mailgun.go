package provider

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"time"
)

// mailgunScheme has time, token and signature in the body, and the signature covers
// only the first two. So the token must be believed once only: it is the event's id.
type mailgunScheme struct{ plainSecret }

var _ scheme = mailgunScheme{}

// mailgunTolerance is how long Mailgun goes on trying: whether a later try is signed
// anew it does not say.
const mailgunTolerance = 8 * time.Hour

var mailgun = Provider{
	Name:  "mailgun",
	Title: "Mailgun",
	Scheme: "HMAC-SHA256 (hex) of time and token, all three in the body; " +
		"it does not cover the rest of the body, so each token is believed once",
	SecretHelp: "Sending > Webhooks: the HTTP webhook signing key (not the API key).",
	Tolerance:  mailgunTolerance,
	Accepted:   ok200,
	scheme:     mailgunScheme{},
	eventID:    func(r *Request) string { proof, _ := readMailgun(r); return proof.token },
	eventType:  firstOf(inBody("event-data.event"), inForm("event")),
}

// mailgunProof is what a body says for itself.
type mailgunProof struct{ stamp, token, signature string }

func (mailgunScheme) verify(_ context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	proof, err := readMailgun(r)
	if err != nil {
		return refuse(MalformedBody, "The body has no timestamp, token and signature: "+err.Error()+".")
	}
	at, ok := seconds.parse(proof.stamp)
	signature, okHex := hexLower.bytes(proof.signature)
	if !ok || !okHex || len(signature) != sha256.Size {
		return refuse(MalformedBody, "The signature in the body is not 64 digits of lower-case hex, or its time is not "+seconds.String()+".")
	}
	verdict := Verdict{SignedAt: at}
	if !hmac.Equal(signature, mailgunMAC(k, proof)) {
		verdict.Reason, verdict.Detail = SignatureMismatch, "The signature does not fit time and token under the secret."
		return verdict
	}
	verdict.Reason, verdict.Detail = fresh(at, now, cmp.Or(s.Tolerance, mailgunTolerance))
	return verdict
}

func mailgunMAC(k key, proof mailgunProof) []byte {
	h := hmac.New(sha256.New, k.bytes)
	h.Write([]byte(proof.stamp + proof.token))
	return h.Sum(nil)
}

// readMailgun finds the proof in JSON (events), or in a form (what routes pass on).
func readMailgun(r *Request) (mailgunProof, error) {
	kind, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var fields url.Values
	var err error
	switch kind {
	case "application/x-www-form-urlencoded":
		fields, err = url.ParseQuery(string(r.Body))
	case "multipart/form-data":
		fields, err = multipartFields(r.Body, parameters["boundary"])
	default:
		return readMailgunJSON(r.Body)
	}
	if err != nil {
		return mailgunProof{}, errors.New("the form cannot be read")
	}
	proof := mailgunProof{one(fields["timestamp"]), one(fields["token"]), one(fields["signature"])}
	return proof, proof.check()
}

func (p mailgunProof) check() error {
	if p.stamp == "" || p.token == "" || p.signature == "" {
		return errors.New("one of them is absent or there twice")
	}
	return nil
}

func readMailgunJSON(body []byte) (mailgunProof, error) {
	whole, err := strictMembers(body)
	if err != nil {
		return mailgunProof{}, err
	}
	inner, err := strictMembers(whole["signature"])
	if err != nil {
		return mailgunProof{}, errors.New("it has no object signature")
	}
	var proof mailgunProof
	proof.stamp, _ = inner.scalar("timestamp")
	proof.token, _ = inner.text("token")
	proof.signature, _ = inner.text("signature")
	return proof, proof.check()
}

// Bounds of a multipart form.
const (
	maxFormParts = 200
	maxPartBytes = 256 // of a field that is looked at
)

// multipartFields reads the three fields of a proof and leaves the others alone: they may
// be files.
func multipartFields(body []byte, boundary string) (url.Values, error) {
	if boundary == "" {
		return nil, errors.New("it has no boundary")
	}
	fields := url.Values{}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFormParts {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		switch name := part.FormName(); name {
		case "timestamp", "token", "signature":
			value, err := io.ReadAll(io.LimitReader(part, maxPartBytes))
			if err != nil {
				return nil, err
			}
			fields.Add(name, string(value))
		}
	}
	return nil, errors.New("it has too many parts")
}

// sign writes the proof into a JSON body. A token that is no id is made of random bytes.
func (mailgunScheme) sign(r *Request, k key, _ *Settings, id string, now time.Time) error {
	body, err := strictMembers(r.Body)
	if err != nil {
		return errBody
	}
	if id == "" {
		var token [25]byte
		_, _ = rand.Read(token[:]) // it never fails
		id = hex.EncodeToString(token[:])
	}
	proof := mailgunProof{stamp: seconds.text(now), token: id}
	body["signature"], err = json.Marshal(map[string]string{
		"timestamp": proof.stamp, "token": id, "signature": hex.EncodeToString(mailgunMAC(k, proof)),
	})
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Body, err = json.Marshal(body)
	return err
}
