package provider

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"
)

// messageBird is two schemes: the token in a header of its own goes before the older
// signature, and when it is there it alone decides.
type messageBird struct{ token *jwtScheme }

var _ scheme = messageBird{}

const (
	messageBirdIssuer    = "MessageBird"
	messageBirdTolerance = 5 * time.Minute
)

var messageBirdToken = &jwtScheme{
	header: "MessageBird-Signature-JWT", algorithms: []string{"HS256", "HS384", "HS512"}, read: plainSecret{}.parse,
	required: []string{"exp", "nbf"},
	bound: func(r *Request, claims members, _ *Settings) (Reason, string) {
		if issuer, _ := claims.text("iss"); issuer != messageBirdIssuer {
			return NotAllowed, "The token is not issued by MessageBird."
		}
		if !sameDigest(claims, "url_hash", hexSHA256([]byte(r.URL))) {
			return SignatureMismatch, "The token is of another address."
		}
		_, hashed := claims["payload_hash"]
		if hashed != (len(r.Body) > 0) || hashed && !sameDigest(claims, "payload_hash", hexSHA256(r.Body)) {
			return SignatureMismatch, bodyDiffers
		}
		return Verified, ""
	},
	issue: func(r *Request, _ *Settings, now time.Time) (map[string]any, error) {
		claims := map[string]any{
			"iss": messageBirdIssuer, "nbf": now.Unix(), "exp": now.Add(jwtLifetime).Unix(), "url_hash": hexSHA256([]byte(r.URL)),
		}
		if len(r.Body) > 0 {
			claims["payload_hash"] = hexSHA256(r.Body)
		}
		return claims, nil
	},
}

var messageBirdProvider = Provider{
	Name:  "messagebird",
	Title: "MessageBird (Bird)",
	Scheme: "JWT (HMAC) in MessageBird-Signature-JWT with hashes of URL and body; " +
		"without it HMAC-SHA256 (base64) in MessageBird-Signature of time, sorted query and SHA-256 of the body",
	Headers: []string{"MessageBird-Signature-JWT", "MessageBird-Signature", "MessageBird-Request-Timestamp"},
	SecretHelp: "Developers > API settings: the signing key. The URL of the source must be the one that MessageBird calls, " +
		"as the signature covers it.",
	Tolerance: messageBirdTolerance,
	Methods:   []string{"GET"},
	scheme:    messageBird{token: messageBirdToken},
	eventID: firstOf(joined(":", inBody("type"), inBody("message.id"), inBody("message.status")),
		joined(":", inBody("type"), inBody("message.id")), joined(":", inQuery("id"), inQuery("status")), messageBirdID),
	eventType: firstOf(inBody("type"), inBody("event"), inBody("status"), inQuery("status")),
}

// messageBirdID is the token's own id.
func messageBirdID(r *Request) string {
	t, err := parseJWT(inHeader(messageBirdToken.header)(r))
	if err != nil {
		return ""
	}
	id, _ := t.claims.text("jti")
	return id
}

func (m messageBird) parse(text string) (key, error) { return m.token.parse(text) }

func (m messageBird) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	if len(r.Header.Values(m.token.header)) > 0 {
		return m.token.verify(ctx, r, k, s, now)
	}
	text, refused := single(r.Header, "MessageBird-Signature")
	if refused.Reason != "" {
		return refused
	}
	stamp, refused := single(r.Header, "MessageBird-Request-Timestamp")
	if refused.Reason != "" {
		return refused
	}
	at, okTime := seconds.parse(stamp)
	signature, ok := base64Std.bytes(text)
	if !okTime || !ok || len(signature) != sha256.Size {
		return Verdict{Reason: MalformedHeader, Detail: "The signature is not the base64 of a SHA-256, or the time is not " + seconds.String() + "."}
	}
	verdict := Verdict{SignedAt: at}
	if !hmac.Equal(signature, messageBirdMAC(r, k, stamp)) {
		verdict.Reason, verdict.Detail = SignatureMismatch, "The signature does not fit the request under the secret."
		return verdict
	}
	verdict.Reason, verdict.Detail = fresh(at, now, cmp.Or(s.Tolerance, messageBirdTolerance))
	return verdict
}

func messageBirdMAC(r *Request, k key, stamp string) []byte {
	_, raw, _ := strings.Cut(r.URL, "?")
	raw, _, _ = strings.Cut(raw, "#")
	query, _ := url.ParseQuery(raw) // what cannot be read is left out, so that nothing fits
	sum := sha256.Sum256(r.Body)
	h := hmac.New(sha256.New, k.bytes)
	h.Write([]byte(stamp + "\n" + query.Encode() + "\n"))
	h.Write(sum[:])
	return h.Sum(nil)
}

func (m messageBird) sign(r *Request, k key, s *Settings, id string, now time.Time) error {
	stamp := seconds.text(now)
	r.Header.Set("MessageBird-Request-Timestamp", stamp)
	r.Header.Set("MessageBird-Signature", base64.StdEncoding.EncodeToString(messageBirdMAC(r, k, stamp)))
	return m.token.sign(r, k, s, id, now)
}
