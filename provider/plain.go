package provider

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// basicScheme is the name and password of RFC 7617.
type basicScheme struct{ plainSecret }

// headerScheme is the secret itself in a header, that of the settings if they name one.
type headerScheme struct {
	plainSecret
	header string
}

// postmarkScheme is a header of the settings if they name one, else basic
// authentication: so the configuration chooses, and not the request.
type postmarkScheme struct {
	basicScheme
	header headerScheme
}

var (
	_ scheme = basicScheme{}
	_ scheme = headerScheme{}
	_ scheme = postmarkScheme{}
)

const noSignature = "; it proves who sends, not what: nothing covers the body"

var basicAuth = Provider{
	Name:       "basic-auth",
	Title:      "Basic authentication",
	Scheme:     "Name and password in Authorization" + noSignature,
	Headers:    []string{"Authorization"},
	SecretHelp: "The password that the sender was given; the name is the setting username.",
	Uses:       []string{"username"},
	scheme:     basicScheme{},
	eventID:    ownID,
}

// ownID finds an id where a sender of any kind says that it is one. A member "id" of the
// body may as well be that of a thing that several events tell of.
var ownID = firstOf(inHeader("Webhook-Id"), inHeader("Idempotency-Key"))

var apiKey = Provider{
	Name:       "api-key",
	Title:      "API key",
	Scheme:     "The secret in a header (X-Api-Key unless the settings name another; in Authorization also after Bearer)" + noSignature,
	Headers:    []string{"X-Api-Key"},
	SecretHelp: "The key that the sender was given.",
	Uses:       []string{"header"},
	scheme:     headerScheme{header: "X-Api-Key"},
	eventID:    ownID,
}

var chargebee = Provider{
	Name:       "chargebee",
	Title:      "Chargebee",
	Scheme:     "Name and password in Authorization" + noSignature,
	Headers:    []string{"Authorization"},
	SecretHelp: "Settings > Configure Chargebee > API Keys and Webhooks > your webhook: the basic authentication password; the name is the setting username.",
	Uses:       []string{"username"},
	scheme:     basicScheme{},
	eventID:    inBody("id"),
	eventType:  inBody("event_type"),
}

var postmark = Provider{
	Name:    "postmark",
	Title:   "Postmark",
	Scheme:  "Name and password in Authorization, or the secret in the header of the settings" + noSignature,
	Headers: []string{"Authorization"},
	SecretHelp: "Server > message stream > Webhooks > your webhook: the password of the basic auth credentials (the name is the setting username), " +
		"or the value of a custom header (its name is the setting header).",
	Accepted: ok200,
	Uses:     []string{"username", "header"},
	scheme:   postmarkScheme{},
	eventID: joined(":", inBody("RecordType"), inBody("MessageID"), firstOf(inBody("Recipient"), inBody("Email")),
		firstOf(inBody("ID"), inBody("DeliveredAt"), inBody("BouncedAt"), inBody("ReceivedAt"), inBody("ChangedAt"))),
	eventType: inBody("RecordType"),
}

var deepgram = Provider{
	Name:       "deepgram",
	Title:      "Deepgram",
	Scheme:     "The id of an API key in dg-token" + noSignature,
	Headers:    []string{deepgramHeader},
	SecretHelp: "Console > API Keys: the identifier of the key that you ask with (not the key).",
	scheme:     headerScheme{header: deepgramHeader},
	eventID:    inBody("metadata.request_id"),
}

const deepgramHeader = "dg-token"

func (basicScheme) verify(_ context.Context, r *Request, k key, s *Settings, _ time.Time) Verdict {
	line, refused := single(r.Header, "Authorization")
	if refused.Reason != "" {
		return refused
	}
	word, text, _ := strings.Cut(line, " ")
	if !strings.EqualFold(word, "Basic") {
		return refuse(MalformedHeader, "The header Authorization does not begin with Basic.")
	}
	credentials, ok := base64Std.bytes(text)
	if !ok || !strings.Contains(string(credentials), ":") {
		return refuse(MalformedHeader, "The credentials are not the base64 of a name and a password.")
	}
	if k.text == "" || !sameText(string(credentials), s.Username+":"+k.text) {
		return refuse(SignatureMismatch, "The name or the password is another.")
	}
	return Verdict{Reason: Verified}
}

func (basicScheme) sign(r *Request, k key, s *Settings, _ string, _ time.Time) error {
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(s.Username+":"+k.text)))
	return nil
}

func (h headerScheme) name(s *Settings) string {
	if s.Header != "" {
		return s.Header
	}
	return h.header
}

func (h headerScheme) verify(_ context.Context, r *Request, k key, s *Settings, _ time.Time) Verdict {
	name := h.name(s)
	text, refused := single(r.Header, name)
	if refused.Reason != "" {
		return refused
	}
	if http.CanonicalHeaderKey(name) == "Authorization" {
		text = withoutBearer(text, k.text)
	}
	if !sameText(text, k.text) {
		return refuse(SignatureMismatch, "The text in "+name+" is not the secret.")
	}
	return Verdict{Reason: Verified}
}

// withoutBearer takes the word Bearer off, unless the secret has it too.
func withoutBearer(text, secret string) string {
	word, rest, ok := strings.Cut(text, " ")
	if ok && strings.EqualFold(word, "Bearer") && !strings.Contains(secret, " ") {
		return rest
	}
	return text
}

func (h headerScheme) sign(r *Request, k key, s *Settings, _ string, _ time.Time) error {
	text := k.text
	if name := h.name(s); http.CanonicalHeaderKey(name) == "Authorization" && !strings.Contains(text, " ") {
		text = "Bearer " + text
	}
	r.Header.Set(h.name(s), text)
	return nil
}

func (p postmarkScheme) of(s *Settings) scheme {
	if s.Header != "" {
		return p.header
	}
	return p.basicScheme
}

func (p postmarkScheme) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	return p.of(s).verify(ctx, r, k, s, now)
}

func (p postmarkScheme) sign(r *Request, k key, s *Settings, id string, now time.Time) error {
	return p.of(s).sign(r, k, s, id, now)
}
