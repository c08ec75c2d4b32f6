package provider

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// eventGridSecret compares the secret with a parameter of the address, or with the
// header of the settings.
type eventGridSecret struct{ plainSecret }

var _ scheme = eventGridSecret{}

const eventGridParameter = "code"

func (eventGridSecret) verify(_ context.Context, r *Request, k key, s *Settings, _ time.Time) Verdict {
	if s.Header != "" {
		text, refused := single(r.Header, s.Header)
		if refused.Reason == "" && !sameText(text, k.text) {
			refused = Verdict{Reason: SignatureMismatch, Detail: "The text in " + s.Header + " is not the secret."}
		}
		if refused.Reason != "" {
			return refused
		}
		return Verdict{Reason: Verified}
	}
	if !sameText(inQuery(eventGridParameter)(r), k.text) {
		return Verdict{Reason: SignatureMismatch, Detail: "The parameter " + eventGridParameter + " of the address is not the secret."}
	}
	return Verdict{Reason: Verified}
}

func (eventGridSecret) sign(r *Request, k key, s *Settings, _ string, _ time.Time) error {
	if s.Header != "" {
		r.Header.Set(s.Header, k.text)
		return nil
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return errors.New("the address cannot be read")
	}
	query := u.Query()
	query.Set(eventGridParameter, k.text)
	u.RawQuery = query.Encode()
	r.URL = u.String()
	return nil
}
