package provider

import (
	"context"
	"time"
)

// optional makes a scheme one that asks for no proof while there is no secret.
type optional struct{ scheme }

func (o optional) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	if k.text == "" {
		return unchecked{}.verify(ctx, r, k, s, now)
	}
	return o.scheme.verify(ctx, r, k, s, now)
}

func (o optional) sign(r *Request, k key, s *Settings, id string, now time.Time) error {
	if k.text == "" {
		return nil
	}
	return o.scheme.sign(r, k, s, id, now)
}

// plainSecret reads a secret that is used as it is. A scheme embeds it.
type plainSecret struct{}

func (plainSecret) parse(text string) (key, error) { return (&mac{algorithm: plain}).parse(text) }
