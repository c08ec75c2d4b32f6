package hook

import "time"

// State is where a delivery is. docs/states.md draws the transitions.
type State uint8

// The states. Delivered is never left; a resend of a failed or canceled
// delivery can only turn it into Delivered.
const (
	Pending   State = iota // due at a time
	Sending                // leased by a node
	Delivered              // an attempt succeeded
	Failed                 // every attempt of the schedule failed
	Canceled               // it will not be tried; the reason says why
)

// States lists every state once.
var States = []State{Pending, Sending, Delivered, Failed, Canceled}

// String gives the word that the API and the documents use.
func (s State) String() string {
	switch s {
	case Pending:
		return "pending"
	case Sending:
		return "sending"
	case Delivered:
		return "delivered"
	case Failed:
		return "failed"
	case Canceled:
		return "canceled"
	}
	return "unknown"
}

// Final reports whether the schedule of the delivery has ended.
func (s State) Final() bool { return s == Delivered || s == Failed || s == Canceled }

// Reason says why a delivery is in its state.
type Reason uint8

// The reasons.
const (
	ReasonNone             Reason = iota // waiting for its first attempt, in flight, or delivered
	ReasonRetry                          // pending: an attempt failed, the next one has its time
	ReasonScheduled                      // pending: the caller asked for a later time
	ReasonReleased                       // pending: its node stopped before the attempt ended
	ReasonExhausted                      // failed: the schedule is used up
	ReasonEndpointDisabled               // canceled
	ReasonEndpointDeleted                // canceled
	ReasonGone                           // canceled: the endpoint answered 410
	ReasonExpired                        // canceled: retention took the payload first
	ReasonByUser                         // canceled
)

// Reasons lists every reason once.
var Reasons = []Reason{
	ReasonNone, ReasonRetry, ReasonScheduled, ReasonReleased, ReasonExhausted,
	ReasonEndpointDisabled, ReasonEndpointDeleted, ReasonGone, ReasonExpired, ReasonByUser,
}

// String gives the word that the API shows.
func (r Reason) String() string {
	switch r {
	case ReasonNone:
		return ""
	case ReasonRetry:
		return "retry"
	case ReasonScheduled:
		return "scheduled"
	case ReasonReleased:
		return "released"
	case ReasonExhausted:
		return "exhausted"
	case ReasonEndpointDisabled:
		return "endpoint_disabled"
	case ReasonEndpointDeleted:
		return "endpoint_deleted"
	case ReasonGone:
		return "gone_410"
	case ReasonExpired:
		return "expired"
	case ReasonByUser:
		return "by_user"
	}
	return "unknown"
}

// Recoverable reports whether recover selects a delivery in this state.
func Recoverable(s State, r Reason) bool {
	return s == Failed || s == Canceled && (r == ReasonEndpointDisabled || r == ReasonGone)
}

// Delivery is one message for one endpoint.
type Delivery struct {
	Message  ID
	Endpoint ID
	State    State
	Reason   Reason
	Attempts int  // attempts made, manual ones too
	Step     int  // automatic attempts made
	Manual   bool // the planned or running attempt is a resend
	// Due is when the next attempt is planned; zero: none is.
	Due time.Time
	// LastStatus is the HTTP status of the last attempt; 0: no answer, or no attempt.
	LastStatus int
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Hold says why a delivery that is due is not being sent.
type Hold uint8

// The reasons for holding.
const (
	NotHeld       Hold = iota
	HeldCircuit        // the endpoint fails; probes go out
	HeldThrottle       // its throttle rate is used up
	HeldFull           // as many attempts are in flight as it takes
	HeldRateLimit      // it answered 429 with Retry-After
	HeldNoNode         // no node delivers
)

// Holds lists every reason once.
var Holds = []Hold{NotHeld, HeldCircuit, HeldThrottle, HeldFull, HeldRateLimit, HeldNoNode}

// String gives the word that the API shows.
func (h Hold) String() string {
	switch h {
	case NotHeld:
		return ""
	case HeldCircuit:
		return "circuit_open"
	case HeldThrottle:
		return "throttled"
	case HeldFull:
		return "full"
	case HeldRateLimit:
		return "rate_limited"
	case HeldNoNode:
		return "no_node"
	}
	return "unknown"
}

// HoldState is why an endpoint's due deliveries wait, and until when.
type HoldState struct {
	Hold  Hold
	Until time.Time // next probe, end of the hold; zero: not known
}
