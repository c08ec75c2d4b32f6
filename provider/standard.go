package provider

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

// standard is the scheme of the Standard Webhooks specification, 1.0.0. It reads the
// webhook- and the svix- headers; prefix is the family that Sign writes.
type standard struct {
	prefix string
	// strip is what the provider puts in front of its secrets besides whsec_.
	strip string
}

var _ scheme = standard{}

const standardTolerance = webhook.DefaultTolerance

func (s standard) parse(text string) (key, error) {
	k, err := webhook.ParseLooseKey(strings.TrimPrefix(text, s.strip))
	if err != nil {
		return key{}, err
	}
	return key{text: text, other: k}, nil
}

func (standard) verify(_ context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	parsed, ok := k.other.(webhook.Key)
	if !ok {
		return Verdict{Reason: SignatureMismatch, Detail: "No secret is configured."}
	}
	tolerance := standardTolerance
	if s.Tolerance > 0 {
		tolerance = s.Tolerance
	}
	verifier, err := webhook.NewVerifier([]webhook.Key{parsed},
		webhook.WithTolerance(tolerance), webhook.WithClock(func() time.Time { return now }))
	if err != nil {
		return Verdict{Reason: SignatureMismatch, Detail: "The secret cannot verify."}
	}
	verdict := Verdict{Reason: Verified}
	verdict.SignedAt, _ = seconds.parse(standardHeader(r.Header, "Timestamp"))
	if err := verifier.Verify(r.Header, r.Body); err != nil {
		verdict.Reason = standardReason(err)
		verdict.Detail = strings.TrimPrefix(err.Error(), "webhook: ")
	}
	return verdict
}

func standardReason(err error) Reason {
	switch {
	case errors.Is(err, webhook.ErrMissingHeader):
		return MissingHeader
	case errors.Is(err, webhook.ErrMalformedHeader):
		return MalformedHeader
	case errors.Is(err, webhook.ErrTooOld):
		return TooOld
	case errors.Is(err, webhook.ErrTooNew):
		return TooNew
	}
	return SignatureMismatch
}

// standardHeader takes a value from the family that is complete, as verification does.
func standardHeader(h http.Header, name string) string {
	for _, family := range []string{"Webhook-", "Svix-"} {
		if h.Get(family+"Id") != "" && h.Get(family+"Timestamp") != "" && h.Get(family+"Signature") != "" {
			return h.Get(family + name)
		}
	}
	return ""
}

func standardID(r *Request) string { return standardHeader(r.Header, "Id") }

func (s standard) sign(r *Request, k key, _ *Settings, id string, now time.Time) error {
	parsed, ok := k.other.(webhook.Key)
	if !ok {
		return errNoSecret
	}
	signer, err := webhook.NewSigner(parsed)
	if err != nil {
		return err
	}
	signed := http.Header{}
	if err := signer.SetHeaders(signed, id, now, r.Body); err != nil {
		return err
	}
	for _, name := range []string{"Id", "Timestamp", "Signature"} {
		r.Header.Set(s.prefix+name, signed.Get("Webhook-"+name))
	}
	return nil
}
