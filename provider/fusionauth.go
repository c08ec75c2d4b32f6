package provider

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"
)

var fusionAuthScheme = &jwtScheme{
	header:     "X-FusionAuth-Signature-JWT",
	algorithms: []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"},
	read:       parseAnyKey,
	bound: func(r *Request, claims members, s *Settings) (Reason, string) {
		if !sameDigest(claims, "request_body_sha256", base64SHA256(r.Body)) {
			return SignatureMismatch, bodyDiffers
		}
		return claims.madeFor(s)
	},
	issue: func(r *Request, s *Settings, now time.Time) (map[string]any, error) {
		claims := map[string]any{"iat": now.Unix(), "exp": now.Add(jwtLifetime).Unix(), "request_body_sha256": base64SHA256(r.Body)}
		if s.Audience != "" {
			claims["aud"] = s.Audience
		}
		return claims, nil
	},
}

var fusionAuth = Provider{
	Name:    "fusionauth",
	Title:   "FusionAuth",
	Scheme:  "JWT in X-FusionAuth-Signature-JWT with the SHA-256 (base64) of the body; HMAC, RSA or ECDSA by the kind of the key",
	Headers: []string{"X-FusionAuth-Signature-JWT"},
	SecretHelp: "Settings > Key Master: the value of the HMAC key that the webhook signs with, or the public key (PEM) of an RSA or EC one. " +
		"Settings > Webhooks > Security: Sign events.",
	Uses:      []string{"algorithms", "audience"},
	scheme:    fusionAuthScheme,
	eventID:   inBody("event.id"),
	eventType: inBody("event.type"),
}

func base64SHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// madeFor compares aud, which is one text or a list of them (RFC 7519 4.1.3), with the
// audience of the settings.
func (m members) madeFor(s *Settings) (Reason, string) {
	if s.Audience == "" {
		return Verified, ""
	}
	one, _ := m.text("aud")
	var many []string
	if json.Unmarshal(m["aud"], &many) != nil {
		many = nil
	}
	if one == s.Audience || slices.Contains(many, s.Audience) {
		return Verified, ""
	}
	return NotAllowed, "The token is made for another audience."
}
