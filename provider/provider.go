package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Request is one request as it arrived.
type Request struct {
	Method string
	// URL is the address that the sender was given, with the query as it arrived:
	// scheme, host, path, raw query. Some providers sign it. It is built from
	// configuration, never from the Host header.
	URL    string
	Header http.Header
	// Body is the raw bytes, before any parsing, inflating or recoding.
	Body []byte
}

// Secret is what a sender signs with, or its public half.
type Secret struct {
	// Value is the text as the provider shows it.
	Value string
	// Until is when it stops verifying; zero: never.
	Until time.Time
}

// Reason says why a request was refused. Verified is the only good one.
type Reason string

// The reasons.
const (
	Verified          Reason = "verified"
	Unchecked         Reason = "unchecked"          // the source asks for no proof
	MissingHeader     Reason = "missing_header"     // a header of the scheme is absent or empty
	MalformedHeader   Reason = "malformed_header"   // a header cannot be read, or is there several times
	MalformedBody     Reason = "malformed_body"     // the scheme has its signature in the body, and it is not there
	TooOld            Reason = "too_old"            // signed longer ago than the tolerance
	TooNew            Reason = "too_new"            // signed further in the future than the tolerance
	SignatureMismatch Reason = "signature_mismatch" // no signature fits under any secret in force
	SecretExpired     Reason = "secret_expired"     // it fits a secret whose time has ended
	UntrustedKey      Reason = "untrusted_key"      // the key or certificate that the request names is not an allowed one
	KeyUnavailable    Reason = "key_unavailable"    // the key or certificate could not be fetched
	NotAllowed        Reason = "not_allowed"        // correctly signed, but not for this receiver (topic, audience, account)
)

// Reasons lists every reason once.
var Reasons = []Reason{
	Verified, Unchecked, MissingHeader, MalformedHeader, MalformedBody, TooOld, TooNew,
	SignatureMismatch, SecretExpired, UntrustedKey, KeyUnavailable, NotAllowed,
}

// Verdict is what a verification found.
type Verdict struct {
	Reason Reason
	// Detail is one sentence for the receiver's own log; it names no secret.
	Detail string
	// EventID is the provider's id of the event, for dropping duplicates; empty: it
	// gives none. EventType is its name for the kind of event. Both are read from the
	// request whatever the verdict.
	EventID, EventType string
	// SignedAt is the time that the sender signed; zero: the scheme has none.
	SignedAt time.Time
}

// OK reports whether the request may be believed.
func (v Verdict) OK() bool { return v.Reason == Verified || v.Reason == Unchecked }

// Answer is a whole HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Handshake is what a request turned out to be that is no event.
type Handshake struct {
	// Answer is what the sender waits for.
	Answer Answer
	// Learned is a secret that the sender has told with this request and signs with
	// from now on (Asana, Notion); empty: none. It must be stored once and must not
	// replace another silently.
	Learned string
	// Visit is an address that must be fetched once to confirm the subscription (AWS
	// SNS, Azure Event Grid); empty: none. Its host has been checked.
	Visit string
}

// Finding is one thing that a diagnosis found out, the most likely first.
type Finding struct {
	// Code is stable: "wrong_secret", "secret_prefix", "secret_other_name",
	// "body_reencoded", "body_newline", "clock_skew", "header_missing",
	// "header_other_name", "header_encoding", "other_secret", "url_differs", …
	Code string
	// Text is one or two sentences that say what is wrong and what to do.
	Text string
}

// Settings is what a receiver can choose besides its secrets. Each field says
// which providers read it; New refuses fields that the provider does not read.
type Settings struct {
	// Tolerance is how far the signed time may lie from now, in either direction;
	// 0: the provider's own. For all schemes with a signed time. JSON has it as
	// toleranceSeconds.
	Tolerance time.Duration `json:"-"`
	// Generic describes the scheme of "generic-hmac".
	Generic *Generic `json:"generic,omitempty"`
	// VerifyToken is the text that a subscription handshake must bring (meta, strava).
	VerifyToken string `json:"verifyToken,omitempty"`
	// Topics are the only ones accepted (aws-sns: topic ARNs; websub: topic URLs).
	Topics []string `json:"topics,omitempty"`
	// Confirm allows the answer to a signed subscription request to be a visit of the
	// URL in it (aws-sns, azure-event-grid).
	Confirm bool `json:"confirm,omitempty"`
	// Origins are the senders that may ask for permission (cloudevents); "*": any.
	Origins []string `json:"origins,omitempty"`
	// Rate is the requests a minute that are granted to them; 0: unlimited.
	Rate int `json:"rate,omitempty"`
	// WebhookID is the id of the webhook at the provider (paypal).
	WebhookID string `json:"webhookId,omitempty"`
	// AccountKey is a second, public value that must match (pusher: the app key;
	// strava: the id of the subscription; jira-connect: the clientKey of the site).
	AccountKey string `json:"accountKey,omitempty"`
	// Username is that of basic authentication (basic-auth, chargebee, postmark).
	Username string `json:"username,omitempty"`
	// Header is the name of the header that carries the secret (api-key,
	// azure-event-grid, postmark).
	Header string `json:"header,omitempty"`
	// LegacySHA1 accepts the older SHA-1 header when the newer one is absent (github, meta).
	LegacySHA1 bool `json:"legacySha1,omitempty"`
	// Algorithms are the JWT algorithms that are accepted (fusionauth, netlify: one of HS256, RS256, ES256, …).
	Algorithms []string `json:"algorithms,omitempty"`
	// Audience is what a JWT must be made for (fusionauth, monday); empty: not
	// compared (fusionauth), or the URL (monday).
	Audience string `json:"audience,omitempty"`
	// Fetch gets a certificate or key set by https from a host that the scheme has
	// pinned, within a size and a time (paypal, aws-sns). nil: such requests
	// are refused with KeyUnavailable.
	Fetch func(ctx context.Context, url string) ([]byte, error) `json:"-"`
}

// Provider describes one kind of sender. The fields that are functions and the
// scheme stay inside the package.
type Provider struct {
	Name  string // stable, lower case: "stripe"
	Title string // "Stripe"
	// Scheme is one line about what is signed and how.
	Scheme string
	// Headers are those that the scheme reads, in their usual spelling.
	Headers []string
	// SecretHelp says where the user finds the secret.
	SecretHelp string
	// SecretOptional: the provider can be used without a secret.
	SecretOptional bool
	// Tolerance is the default; 0: the scheme has no signed time.
	Tolerance time.Duration
	// AnswerWithin is how fast the provider wants its answer; 0: not known.
	AnswerWithin time.Duration
	// Refusal is the status for a request that is not believed: 401 unless the
	// provider documents another.
	Refusal int
	// RefusalEmpty: the refusal must have no body (Xero).
	RefusalEmpty bool
	// Accepted is the answer that the provider wants for an event; zero: 202 with none.
	Accepted Answer
	// Methods besides POST that events or handshakes come by.
	Methods []string
	// Uses names the fields of Settings that the provider reads, as the JSON form
	// spells them.
	Uses []string

	scheme    scheme
	eventID   locator
	eventType locator
	handshake handshake
}

// scheme proves that a request comes from its sender. It sees each secret alone;
// Verifier tries all of them and deals with their end times.
type scheme interface {
	// parse reads a secret's text as a key; the error says what is wrong with it.
	parse(text string) (key, error)
	// verify decides about a request with one key. A scheme without keys (JWT by
	// key set, certificates, unchecked) is called once with the zero key.
	verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict
	// sign sets the headers (or the body's members) that make r verify. id is the
	// event's id where the scheme signs one.
	sign(r *Request, k key, s *Settings, id string, now time.Time) error
}

// key is a parsed secret: bytes for a MAC, or a public or private key.
type key struct {
	text  string
	bytes []byte
	other any
}

// locator finds a value of a request; empty: not there.
type locator func(*Request) string

// handshake looks whether a request is no event but part of a subscription.
// verdict is what Verify said, so that signed handshakes are answered only when
// they are genuine.
type handshake func(v *Verifier, r *Request, verdict Verdict, now time.Time) (Handshake, bool)

// ErrUnknownProvider: there is no provider of this name.
var ErrUnknownProvider = errors.New("there is no such provider")

// ErrNoSecret: the provider needs a secret. All else that New was given is right.
var ErrNoSecret = errors.New("it needs a secret")

// Find gives the provider of that name.
func Find(name string) (Provider, bool) {
	i, ok := slices.BinarySearchFunc(registry, name, func(p Provider, n string) int { return strings.Compare(p.Name, n) })
	if !ok {
		return Provider{}, false
	}
	return registry[i], true
}

// List gives all providers in the order of their names.
func List() []Provider { return slices.Clone(registry) }

// Verifier is a provider with the secrets and settings of one receiver. It is
// used by many goroutines.
type Verifier struct {
	provider Provider
	settings Settings
	keys     []datedKey
}

type datedKey struct {
	key
	until time.Time
}

// New makes a verifier. The error says what is wrong with a secret or a setting,
// without the secret.
func New(name string, s Settings, secrets ...Secret) (*Verifier, error) {
	p, ok := Find(name)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownProvider, name)
	}
	if err := p.check(&s); err != nil {
		return nil, err
	}
	if len(secrets) > MaxSecrets {
		return nil, fmt.Errorf("%s has %d secrets, at most %d are tried", p.Title, len(secrets), MaxSecrets)
	}
	if len(secrets) == 0 && !p.SecretOptional {
		return nil, fmt.Errorf("%s: %w. %s", p.Title, ErrNoSecret, p.SecretHelp)
	}
	if s.Generic != nil {
		s.Generic.shape(&p)
	}
	v := &Verifier{provider: p, settings: s}
	for _, secret := range secrets {
		k, err := p.scheme.parse(secret.Value)
		if err != nil {
			return nil, fmt.Errorf("secret of %s: %w", p.Title, err)
		}
		v.keys = append(v.keys, datedKey{key: k, until: secret.Until})
	}
	return v, nil
}

// Provider gives the description.
func (v *Verifier) Provider() Provider { return v.provider }
