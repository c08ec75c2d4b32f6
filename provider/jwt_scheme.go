package provider

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// jwtScheme is a token in a header that is bound to the request by its claims.
type jwtScheme struct {
	header string
	prefix string // in front of the token: "JWT "
	// algorithms are accepted unless the settings name others.
	algorithms []string
	read       func(text string) (key, error)
	// required are the times that the token must have: exp, nbf, iat.
	required []string
	// maxAge is how far iat may lie from now; 0: no more than the other times say.
	maxAge time.Duration
	// bound compares the claims with the request and the settings; Verified: they fit.
	bound func(r *Request, claims members, s *Settings) (Reason, string)
	// issue makes the claims that bound wants.
	issue func(r *Request, s *Settings, now time.Time) (map[string]any, error)
}

var _ scheme = (*jwtScheme)(nil)

// jwtLeeway is how far the clocks may differ at the begin and end of a token.
const jwtLeeway = 5 * time.Second

// jwtLifetime is how long a token of ours lasts.
const jwtLifetime = time.Minute

func (j *jwtScheme) parse(text string) (key, error) { return j.read(text) }

func (j *jwtScheme) allowed(s *Settings) []string {
	if len(s.Algorithms) > 0 {
		return s.Algorithms
	}
	return j.algorithms
}

func (j *jwtScheme) verify(_ context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	line, refused := single(r.Header, j.header)
	if refused.Reason != "" {
		return refused
	}
	text, ok := strings.CutPrefix(line, j.prefix)
	if !ok {
		return Verdict{Reason: MalformedHeader, Detail: "The header " + j.header + " does not begin with " + strings.TrimSpace(j.prefix) + "."}
	}
	t, err := parseJWT(text)
	if err != nil {
		return Verdict{Reason: MalformedHeader, Detail: "The token in " + j.header + " cannot be read: " + err.Error() + "."}
	}
	var v Verdict
	if v.Reason, v.Detail = t.judge(k, j.allowed(s)); v.Reason != Verified {
		return v
	}
	if v = j.times(t.claims, s, now); v.Reason != Verified {
		return v
	}
	v.Reason, v.Detail = j.bound(r, t.claims, s)
	return v
}

// times compares the token's times with now. Each that is there must hold, and those
// that are required must be there.
func (j *jwtScheme) times(claims members, s *Settings, now time.Time) Verdict {
	at := map[string]time.Time{}
	for _, name := range []string{"exp", "nbf", "iat"} {
		date, ok := claims.date(name)
		if !ok || date.IsZero() && slices.Contains(j.required, name) {
			return Verdict{Reason: MalformedHeader, Detail: "The token has no time " + name + " that can be read."}
		}
		at[name] = date
	}
	v := Verdict{Reason: Verified, SignedAt: at["iat"]}
	if v.SignedAt.IsZero() {
		v.SignedAt = at["nbf"]
	}
	switch {
	case !at["exp"].IsZero() && !now.Before(at["exp"].Add(jwtLeeway)):
		v.Reason, v.Detail = TooOld, "The token has expired."
	case now.Before(at["nbf"].Add(-jwtLeeway)):
		v.Reason, v.Detail = TooNew, "The token is not valid yet."
	case j.maxAge > 0:
		v.Reason, v.Detail = fresh(at["iat"], now, cmp.Or(s.Tolerance, j.maxAge))
	case now.Before(at["iat"].Add(-jwtLeeway)):
		v.Reason, v.Detail = TooNew, "The token was issued in the future."
	}
	return v
}

func (j *jwtScheme) sign(r *Request, k key, s *Settings, _ string, now time.Time) error {
	claims, err := j.issue(r, s, now)
	if err != nil {
		return err
	}
	text, err := makeJWT(claims, k, j.allowed(s))
	if err != nil {
		return err
	}
	r.Header.Set(j.header, j.prefix+text)
	return nil
}

// sameDigest compares a claim with the digest that it must be.
func sameDigest(claims members, name, want string) bool {
	got, ok := claims.text(name)
	return ok && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

const bodyDiffers = "The token is of another body."
