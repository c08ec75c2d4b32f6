package provider

import (
	"time"
)

const netlifyIssuer = "netlify"

var netlifyScheme = &jwtScheme{
	header: "X-Webhook-Signature", algorithms: []string{"HS256"}, read: parseAnyKey,
	bound: func(r *Request, claims members, _ *Settings) (Reason, string) {
		if !sameDigest(claims, "sha256", hexSHA256(r.Body)) {
			return SignatureMismatch, bodyDiffers
		}
		if issuer, _ := claims.text("iss"); issuer != netlifyIssuer {
			return NotAllowed, "The token is not issued by netlify."
		}
		return Verified, ""
	},
	issue: func(r *Request, _ *Settings, _ time.Time) (map[string]any, error) {
		return map[string]any{"iss": netlifyIssuer, "sha256": hexSHA256(r.Body)}, nil
	},
}

var netlify = Provider{
	Name:       "netlify",
	Title:      "Netlify",
	Scheme:     "JWT (HS256 unless the settings say otherwise) in X-Webhook-Signature with the SHA-256 of the body",
	Headers:    []string{"X-Webhook-Signature", "X-Netlify-Event"},
	SecretHelp: "The JWS secret token that you typed in at Project configuration > Notifications > HTTP POST request.",
	Uses:       []string{"algorithms"},
	scheme:     netlifyScheme,
	// A deploy is told of several times, once in each state.
	eventID:   firstOf(joined(":", inBody("id"), inBody("state"), inBody("updated_at")), inBody("id")),
	eventType: inHeader("X-Netlify-Event"),
}
