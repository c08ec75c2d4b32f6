package hook

import "time"

// Request is what reached a source, byte for byte. One that was accepted has a
// message, which keeps the method, the headers and the body for both.
type Request struct {
	ID     ID
	Source ID
	Env    ID
	State  RequestState
	// Reason is the provider's word for why it was refused ("signature_mismatch"), or
	// one of the gateway's own ("too_large", "rate_limited", …); of an accepted one
	// "verified" or "unchecked".
	Reason string
	Detail string // a sentence for the owner; empty: none
	// Findings is the diagnosis of a refused request: a JSON array of {code, text};
	// nil: none.
	Findings []byte
	// Envelope is method, path, query and headers. In the row of an accepted request it
	// is nil, for the message has it; reads give it all the same.
	Envelope *Envelope
	Remote   string // address of the sender, behind proxies that are trusted
	// EventType and Key are what the source made of the request; empty: nothing.
	EventType, Key string
	// Message is the message that it became, or for a duplicate the first one; zero: none.
	Message ID
	// Fingerprint is the first 16 bytes of the body's SHA-256.
	Fingerprint [16]byte
	// Status is what the sender was answered.
	Status      int
	ContentType string
	Body        []byte // nil when it was not asked for or is gone
	BodyGone    bool
	BodySize    int // bytes
	ReceivedAt  time.Time
	Note        string // of the owner
}

// RequestState is what became of a request.
type RequestState uint8

// The states.
const (
	RequestAccepted  RequestState = iota // it became a message
	RequestDuplicate                     // its event was there already
	RequestDiffers                       // its event was there already, with another body
	RequestRefused                       // not believed or not taken; it can be verified again
	RequestHandshake                     // no event: part of a subscription, and answered
)

// RequestStates lists every state once.
var RequestStates = []RequestState{RequestAccepted, RequestDuplicate, RequestDiffers, RequestRefused, RequestHandshake}

// String gives the word that the API shows.
func (s RequestState) String() string {
	switch s {
	case RequestAccepted:
		return "accepted"
	case RequestDuplicate:
		return "duplicate"
	case RequestDiffers:
		return "duplicate_differs"
	case RequestRefused:
		return "refused"
	case RequestHandshake:
		return "handshake"
	}
	return "unknown"
}

// Envelope is everything of a received request but its body.
type Envelope struct {
	Method string `json:"method"`
	// Path is what followed the token, such as "/orders"; empty: nothing.
	Path  string `json:"path,omitempty"`
	Query string `json:"query,omitempty"` // raw, without the question mark
	// Headers are in the order of names, and of values for each name; net/http does not
	// keep more of it. Host is not among them.
	Headers []HeaderLine `json:"headers,omitempty"`
	// Forward names headers that are passed on to endpoints although they are not by
	// default, in lower case.
	Forward []string `json:"forward,omitempty"`
}

// HeaderLine is a name and a value.
type HeaderLine [2]string

// RequestFilter selects requests of one source, newest first.
type RequestFilter struct {
	Env, Source ID
	States      []RequestState // empty: all
	Reason      string         // empty: all
	Before      time.Time      // zero: no bound
	After       time.Time
	Page        Page
}

// RequestBound limits what is kept of requests that became no message, for each
// source: the oldest go first.
type RequestBound struct {
	Count int
	Bytes int64 // of their bodies
}
