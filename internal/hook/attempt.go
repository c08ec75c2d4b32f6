package hook

import "time"

// Trigger says what started an attempt.
type Trigger uint8

// The triggers.
const (
	TriggerScheduled Trigger = iota // the delivery's own schedule
	TriggerManual                   // a resend or a recover
)

// String gives the stable word of the trigger.
func (t Trigger) String() string {
	if t == TriggerManual {
		return "manual"
	}
	return "scheduled"
}

// Attempt is one try of a delivery and what came of it.
type Attempt struct {
	ID        ID
	Message   ID
	Endpoint  ID
	Number    int // 1 for the first attempt of the delivery, without gaps
	Trigger   Trigger
	URL       string
	Outcome   Outcome
	StartedAt time.Time
	Timings   Timings
	// Response is the body of the answer, up to a cap; RequestHeaders and
	// ResponseHeaders are JSON objects of name -> value, secrets masked.
	Response        []byte
	ResponseHeaders []byte
	RequestHeaders  []byte
	ResponseGone    bool // expunged
	// Unsent says that nothing was sent after all, for the node's lease was no longer
	// good. Such an attempt is not recorded.
	Unsent bool
	// NextDue is when the delivery is tried again; zero: it is not.
	NextDue time.Time

	// Filled by lists that ask for the message.
	EventType string
	Channels  []string
	Tags      []string
	EventID   string
}

// Timings are the phases of an attempt. A phase that did not happen is 0, as
// DNS, Connect and TLS are on a reused connection.
type Timings struct {
	Queue     time.Duration // from being due to the start of the attempt
	DNS       time.Duration
	Connect   time.Duration
	TLS       time.Duration
	FirstByte time.Duration // from the request written to the first byte of the answer
	Body      time.Duration // reading the answer
	Total     time.Duration // from the start of the attempt to its end
}

// AttemptFilter selects attempts, newest first: of one endpoint, or of one message.
type AttemptFilter struct {
	Env, App    ID
	Endpoint    ID // of this endpoint; zero: of Message
	Message     ID
	OnlyFailed  bool // failures only
	OnlySuccess bool // successes only
	StatusClass int  // -1: all; 0: no answer; 100, 200, … 500
	EventTypes  []string
	Channel     string
	Tag         string
	// OfEndpoint narrows a message's attempts to one endpoint; zero: all.
	OfEndpoint ID
	Before     time.Time
	After      time.Time
	Page       Page
}

// DeliveryFilter selects the deliveries of one endpoint or of one message,
// newest message first (of an endpoint) or newest endpoint first (of a message).
type DeliveryFilter struct {
	Env, App   ID
	Endpoint   ID // of this endpoint; zero: of Message
	Message    ID
	States     []State // empty: all
	EventTypes []string
	Channel    string
	Tag        string
	Before     time.Time
	After      time.Time
	WithBody   bool
	Page       Page
}

// DeliveryOf is a delivery with what its list shows beside it.
type DeliveryOf struct {
	Delivery Delivery
	Message  *Message  // in lists of an endpoint
	Endpoint *Endpoint // in lists of a message
}

// AttemptCounts are figures of an endpoint in a time range: attempts that
// succeeded and failed, and deliveries that wait, are in flight or were canceled.
type AttemptCounts struct {
	Success, Pending, Fail, Sending, Canceled int64
}
