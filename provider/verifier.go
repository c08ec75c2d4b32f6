package provider

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Bounds of one verification.
const (
	// MaxSignatures is how many signature values of one request are looked at; what
	// follows is ignored.
	MaxSignatures = 32
	// MaxSecrets is how many secrets a verifier takes.
	MaxSecrets = 32
)

// Verify decides about one request. It tries every secret, the ended ones too: a
// request that fits none but an ended one is refused as SecretExpired. Without any
// secret nothing is ever verified, except by schemes that need none.
func (v *Verifier) Verify(ctx context.Context, r Request, now time.Time) Verdict {
	verdict := v.decide(ctx, &r, now)
	if verdict.EventID == "" && v.provider.eventID != nil {
		verdict.EventID = v.provider.eventID(&r)
	}
	if verdict.EventType == "" && v.provider.eventType != nil {
		verdict.EventType = v.provider.eventType(&r)
	}
	verdict.EventID, verdict.EventType = usable(verdict.EventID), usable(verdict.EventType)
	return verdict
}

func (v *Verifier) decide(ctx context.Context, r *Request, now time.Time) Verdict {
	if len(v.keys) == 0 {
		if !v.provider.SecretOptional {
			return Verdict{Reason: SignatureMismatch, Detail: "No secret is configured."}
		}
		return v.provider.scheme.verify(ctx, r, key{}, &v.settings, now)
	}
	var best Verdict
	for i := range v.keys {
		verdict := v.provider.scheme.verify(ctx, r, v.keys[i].key, &v.settings, now)
		if verdict.OK() {
			if v.keys[i].inForce(now) {
				return verdict
			}
			verdict.Reason = SecretExpired
			verdict.Detail = "The signature fits a secret that ended at " + v.keys[i].until.UTC().Format(time.RFC3339) + "."
		}
		if i == 0 || verdict.Reason.nearness() > best.Reason.nearness() {
			best = verdict
		}
	}
	return best
}

func (k *datedKey) inForce(now time.Time) bool { return k.until.IsZero() || now.Before(k.until) }

// nearness says how far a request came before it was refused. Of the verdicts
// under several secrets the nearest is the one that explains most.
func (r Reason) nearness() int {
	switch r {
	case Verified, Unchecked:
		return 6
	case SecretExpired:
		return 5
	case NotAllowed:
		return 4
	case TooOld, TooNew:
		return 3
	case UntrustedKey, KeyUnavailable:
		return 2
	case SignatureMismatch:
		return 1
	case MissingHeader, MalformedHeader, MalformedBody:
		return 0
	}
	return 0
}

var errNoSecret = errors.New("there is no secret to sign with")

// Sign makes r one that the provider could have sent: it sets the headers, or the
// members of the body, that prove it under the first secret. id is the event's, where
// the scheme signs one. The error says why this cannot be signed: for most providers
// with public keys the secret must be the private half.
func (v *Verifier) Sign(r *Request, id string, now time.Time) error {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if len(v.keys) == 0 {
		if !v.provider.SecretOptional {
			return errNoSecret
		}
		return v.provider.scheme.sign(r, key{}, &v.settings, id, now)
	}
	return v.provider.scheme.sign(r, v.keys[0].key, &v.settings, id, now)
}

// Handshake tells whether the request is no event but part of a subscription, and
// how to answer it. verdict is what Verify said about it.
func (v *Verifier) Handshake(r Request, verdict Verdict, now time.Time) (Handshake, bool) {
	if v.provider.handshake == nil {
		return Handshake{}, false
	}
	return v.provider.handshake(v, &r, verdict, now)
}
