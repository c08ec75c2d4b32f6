package provider

import (
	"cmp"
	"strings"
	"time"
)

// mondayScheme is a token that is made for the address and lasts minutes. It does not
// cover the body: it proves who sends, not what.
var mondayScheme = &jwtScheme{
	header: "Authorization", algorithms: []string{"HS256"}, read: plainSecret{}.parse, required: []string{"exp"},
	bound: func(r *Request, claims members, s *Settings) (Reason, string) {
		if audience, _ := claims.text("aud"); audience != mondayAudience(r, s) {
			return NotAllowed, "The token is made for another address."
		}
		return Verified, ""
	},
	issue: func(r *Request, s *Settings, now time.Time) (map[string]any, error) {
		return map[string]any{"aud": mondayAudience(r, s), "iat": now.Unix(), "exp": now.Add(jwtLifetime).Unix()}, nil
	},
}

// mondayAudience is the address without its query, unless the settings name another.
func mondayAudience(r *Request, s *Settings) string {
	address, _, _ := strings.Cut(r.URL, "?")
	return cmp.Or(s.Audience, address)
}
