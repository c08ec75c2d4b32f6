package hook

import "time"

// Message is one accepted event of an application.
type Message struct {
	ID          ID
	App         ID
	Env         ID
	EventType   string
	EventID     string // the caller's own id for it; empty: none
	Channels    []string
	Tags        []string
	ContentType string // of the body; "application/json" unless the caller said otherwise
	// Envelope is how a received request came, so that it is passed on like that; nil:
	// an event of the API. It is read with the body.
	Envelope *Envelope
	// Body is the exact bytes to send. Nil when it was not asked for or is gone.
	Body      []byte
	BodyGone  bool // expunged, or its retention ended
	BodySize  int  // bytes
	CreatedAt time.Time
	DeliverAt time.Time // zero: at once
}

// NewEvent is what a caller hands to Accept: a message that has its id, and
// what Accept must know besides.
type NewEvent struct {
	Message
	// BodyExpiresAt is when this message's payload is dropped; zero: with the
	// server's payload retention.
	BodyExpiresAt time.Time
	Idempotency   *IdempotencyKey // nil: none
	// Only names the one endpoint that gets the message, whatever its filters
	// say; zero: all that match.
	Only ID
	// Published says that a caller of the API publishes it. The owner of a source's
	// messages takes no such event: CodeNotFound.
	Published bool
	// Request is what the message was received as; nil: an event of the API. It is
	// stored with the message, or changed if Request.State is RequestRefused: then it
	// was stored before, and becomes accepted. If the EventID is taken, nothing is
	// stored of it and Accepted is the first message, as a Duplicate without body.
	Request *Request
}

// Accepted is what came of one NewEvent.
type Accepted struct {
	// Err refuses this one event (an *Error), others of the same call may be accepted.
	Err error
	// Message is the stored message; for a duplicate by idempotency key the
	// first one, with its body.
	Message   Message
	Duplicate bool
	Matched   int // endpoints that get it
	// Leased are the deliveries that the caller's node must send now; the rest
	// is due in the store.
	Leased []*Lease
}

// Placer is asked by Accept, inside the transaction, whether this node has a
// place to send a new delivery at once. Its methods must not block.
type Placer interface {
	// Reserve takes a place for one delivery of size bytes to the endpoint, or
	// says no; then the delivery is stored as due and Claim leases it later.
	Reserve(e *Endpoint, size int) bool
	// Unreserve gives a place back when the transaction failed after all.
	Unreserve(e *Endpoint, size int)
	// Due says that a delivery to the endpoint was stored as due at that time.
	// It is called after the commit.
	Due(e *Endpoint, retry bool, at time.Time)
}

// MessageFilter selects messages of one application, newest first.
type MessageFilter struct {
	Env, App   ID
	EventTypes []string // empty: all
	Channel    string
	Tag        string
	Before     time.Time // zero: no bound
	After      time.Time
	WithBody   bool
	Page       Page
}

// Page is a place in a list. Lists are in the order of ids unless said otherwise.
type Page struct {
	Limit int // 1 to 250
	// From is the id after which the page starts, in the direction of the list;
	// zero: at its beginning.
	From ID
	// Backward asks for the page that ends before From instead.
	Backward  bool
	Ascending bool // order of the list
	// FromName takes the place of From in lists ordered by name.
	FromName string
}

// PageOf is one page of a list.
type PageOf[T any] struct {
	Items []T
	More  bool // there are further ones in the direction asked for
}

// Explanation is what the store knows about why each endpoint of the
// application did or did not get a message.
type Explanation struct {
	Message   Message
	Endpoints []EndpointExplanation
}

// EndpointExplanation is the part about one endpoint.
type EndpointExplanation struct {
	Endpoint Endpoint
	Deleted  bool
	// AtAccept is what was in force when the message was accepted; nil if the
	// endpoint did not exist then.
	AtAccept *EndpointRevision
	Delivery *Delivery // nil: there is none
	// LastAttempt is the newest attempt; nil: none was made.
	LastAttempt *Attempt
}
