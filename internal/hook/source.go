package hook

import (
	"encoding/json"
	"time"
)

// Source is an ingest URL with the verification of whoever sends to it. It owns
// endpoints and messages exactly as an application does, under its own id: what
// works for an application's endpoints, messages, deliveries and attempts works
// for a source's, with ID in the place of the application's.
type Source struct {
	ID   ID
	Env  ID
	UID  string // the caller's own name for it; empty: none
	Name string
	// Type is the name of the provider, such as "stripe"; "cron" for a source that
	// makes its events itself.
	Type     string
	Metadata map[string]string
	Settings SourceSettings
	// Secrets are the encrypted texts that the provider signs with. Several may be in
	// force; one with ExpiresAt stops verifying then.
	Secrets []SealedSecret
	// Tokens are what the ingest URL ends in. The first is the current one, the others
	// work until they expire.
	Tokens   []SourceToken
	Disabled bool
	// NextFire is when a cron source makes its next event; zero: never.
	NextFire  time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// SourceToken is one end of a source's URL.
type SourceToken struct {
	Hash      [32]byte // SHA-256 of the text, by which a request finds the source
	Sealed    []byte   // the encrypted text, to be shown to the owner
	ExpiresAt time.Time
	CreatedAt time.Time
}

// SourceSettings is what the owner of a source can choose, besides its secrets.
// The stores keep it as JSON.
type SourceSettings struct {
	// Alias is the name by which the owner chose the type, if that is another one than
	// Source.Type.
	Alias string `json:"alias,omitempty"`
	// Verification is the provider's part, in the form that package provider reads.
	Verification json.RawMessage `json:"verification,omitempty"`
	// Dedupe says what makes two requests the same event.
	Dedupe Dedupe `json:"dedupe,omitzero"`
	// EventType says what kind of event a request is; zero: as the provider tells.
	EventType Pick `json:"eventType,omitzero"`
	// Responses are tried in order; the first that fits is the answer to an accepted
	// request. None fits: what the provider wants.
	Responses []ResponseRule `json:"responses,omitempty"`
	// Routes make each event a message of applications too.
	Routes []SourceRoute `json:"routes,omitempty"`
	// Rate is how many requests a second are taken, on all nodes together; 0: no limit.
	Rate int `json:"rate,omitempty"`
	// MaxBody bounds the body, in bytes, below the server's own limit; 0: that one.
	MaxBody int `json:"maxBody,omitempty"`
	// EmptyBody says that a request without a body is an event.
	EmptyBody bool `json:"emptyBody,omitempty"`
	// RequireJSON refuses bodies that are not JSON, with 415.
	RequireJSON bool `json:"requireJson,omitempty"`
	// Methods are taken besides POST: PUT, PATCH, DELETE, GET.
	Methods []string `json:"methods,omitempty"`
	// AllowNets are the CIDRs that requests may come from; empty: any.
	AllowNets []string `json:"allowNets,omitempty"`
	// ClientCA is PEM: the sender must show a certificate of this authority.
	ClientCA string `json:"clientCa,omitempty"`
	// ForwardHeaders are passed on to endpoints although they are not by default:
	// Authorization, Cookie.
	ForwardHeaders []string `json:"forwardHeaders,omitempty"`
	// Cron makes the events of a source of type "cron".
	Cron *CronSettings `json:"cron,omitempty"`
}

// Dedupe says where the key is that a repeated event repeats.
type Dedupe struct {
	// By is "" (the provider's event id if there is one), "header", "body", "hash" (of
	// the whole body) or "none".
	By string `json:"by,omitempty"`
	// At is the header's name, or the path in the JSON body such as "data.id".
	At string `json:"at,omitempty"`
}

// Pick is a fixed word or a place where to find it.
type Pick struct {
	Fixed  string `json:"fixed,omitempty"`
	Header string `json:"header,omitempty"`
	Body   string `json:"body,omitempty"` // path in the JSON body
}

// IsZero reports whether nothing was chosen.
func (p Pick) IsZero() bool { return p == Pick{} }

// ResponseRule answers accepted requests.
type ResponseRule struct {
	// EventType limits the rule to one; empty: all.
	EventType string            `json:"eventType,omitempty"`
	Status    int               `json:"status"` // 200 to 299
	Headers   map[string]string `json:"headers,omitempty"`
	Body      string            `json:"body,omitempty"`
}

// SourceRoute makes an event of a source a message of an application as well.
type SourceRoute struct {
	App ID `json:"app"`
	// EventType is the message's; zero: the source's event type, with what a name
	// cannot have replaced by dots.
	EventType Pick `json:"eventType,omitzero"`
	// Only limits the route to events of these types; empty: all.
	Only []string `json:"only,omitempty"`
}

// CronSettings say when a source makes an event, and which.
type CronSettings struct {
	Schedule    string `json:"schedule"`              // five fields, or @hourly and the like
	TimeZone    string `json:"timeZone,omitempty"`    // IANA name; empty: UTC
	EventType   string `json:"eventType,omitempty"`   // empty: "cron"
	ContentType string `json:"contentType,omitempty"` // empty: application/json
	Payload     string `json:"payload"`
}
