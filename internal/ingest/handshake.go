package ingest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/provider"
)

// shake answers a request that is part of a subscription.
func (c *call) shake(h *provider.Handshake, verdict *provider.Verdict) {
	if h.Learned != "" {
		if refused := c.learn(h.Learned); refused != nil {
			if refused.reason == reasonBusy {
				c.unavailable(errNotLearned)
				return
			}
			c.refuse(*refused)
			return
		}
	}
	c.result = resultHandshake
	rec := record{request: c.row(hook.RequestHandshake, reasonHandshake, "", h.Answer.Status), visit: h.Visit}
	rec.request.EventType = verdict.EventType
	if h.Answer.Status >= http.StatusBadRequest {
		c.result = resultRefused
		rec.request.State = hook.RequestRefused
		rec.request.Detail = "The handshake was answered with a refusal: what it brought does not fit the settings of the source."
	}
	c.note(rec)
	write(c.w, h.Answer)
}

var (
	errNotLearned = errors.New("the secret that the sender told could not be stored")
	errOther      = errors.New("another secret is in force")
)

// learn stores the secret that the sender will sign with. It never takes the place
// of another one.
func (c *call) learn(secret string) *refusal {
	sealed, err := c.Seal(hook.PurposeSourceSecret, c.src.ID, []byte(secret))
	if err != nil {
		return &refusal{status: http.StatusServiceUnavailable, reason: reasonBusy, retry: 1}
	}
	_, _, err = c.Store.UpdateSource(c.r.Context(), c.src.Env, hook.Ref{ID: c.src.ID}, nil, func(s *hook.Source) error {
		for _, has := range s.Secrets {
			if !has.ExpiresAt.IsZero() && !c.now.Before(has.ExpiresAt) {
				continue
			}
			if text, err := c.Open(hook.PurposeSourceSecret, s.ID, has.Sealed); err != nil || string(text) != secret {
				return errOther
			}
			return nil // the same again
		}
		s.Secrets = append([]hook.SealedSecret{{Sealed: sealed}}, s.Secrets...)
		s.UpdatedAt = c.now
		return nil
	})
	switch {
	case errors.Is(err, errOther):
		return &refusal{
			status: http.StatusConflict, reason: reasonLearned,
			detail: "The sender told a secret to sign with, but the source has another one. If it is meant to change, remove the old one and let the sender subscribe again.",
		}
	case err != nil:
		c.Logger.WarnContext(c.r.Context(), "a secret that a sender told was not stored", "source", hook.KindSource.Format(c.src.ID), "error", err)
		return &refusal{status: http.StatusServiceUnavailable, reason: reasonBusy, retry: 1}
	}
	c.ForgetSources()
	return nil
}

// visitTimeout bounds the visit that confirms a subscription.
const visitTimeout = 10 * time.Second

// visit confirms a subscription and gives the note about it. The address has a
// secret of the subscription in it, so only its host is shown.
func (g *Gateway) visit(ctx context.Context, address string) string {
	host := "an address"
	if u, err := url.Parse(address); err == nil {
		host = u.Host
	}
	ctx, cancel := context.WithTimeout(ctx, visitTimeout)
	defer cancel()
	if _, err := g.Fetch(ctx, address); err != nil {
		g.Logger.WarnContext(ctx, "a subscription was not confirmed", "host", host)
		return "The subscription was not confirmed: " + host + " did not answer the visit with success."
	}
	return "The subscription was confirmed by a visit to " + host + "."
}
