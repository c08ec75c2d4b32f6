package provider

import (
	"context"
	"errors"
	"strings"
	"time"
)

// gitlab is two schemes, told apart by the secret: a signing token begins with
// whsec_ and is checked by the standard, any other is the older token that comes as
// it is. So who knows how to leave the signature out gains nothing.
type gitlab struct {
	signing standard
	token   *mac
}

var _ scheme = gitlab{}

func (g gitlab) of(text string) scheme {
	if strings.HasPrefix(text, "whsec_") {
		return g.signing
	}
	return g.token
}

func (g gitlab) parse(text string) (key, error) { return g.of(text).parse(text) }

func (g gitlab) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	return g.of(k.text).verify(ctx, r, k, s, now)
}

func (g gitlab) sign(r *Request, k key, s *Settings, id string, now time.Time) error {
	return g.of(k.text).sign(r, k, s, id, now)
}

// unchecked believes everything: the receiver has said that it wants no proof.
type unchecked struct{}

var _ scheme = unchecked{}

func (unchecked) parse(string) (key, error) {
	return key{}, errors.New("this kind of source checks nothing and takes no secret")
}

func (unchecked) verify(context.Context, *Request, key, *Settings, time.Time) Verdict {
	return Verdict{Reason: Unchecked, Detail: "The source asks for no proof."}
}

func (unchecked) sign(*Request, key, *Settings, string, time.Time) error { return nil }
