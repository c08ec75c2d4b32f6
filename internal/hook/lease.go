package hook

import "time"

// DeliveryRef is the store's own handle of a delivery. Only the store that
// gave it can read it.
type DeliveryRef struct {
	Message, Endpoint int64
}

// Lease is the right of one node to make the next attempt of a delivery, with
// everything that the attempt needs.
type Lease struct {
	Ref      DeliveryRef
	Node     Node
	Message  *Message // with Body; BodyGone if there is nothing left to send
	Endpoint *Endpoint
	// Number of the attempt that the lease is for, starting at 1.
	Number int
	Tried  Tried // the delivery before the attempt
	// Due is when the attempt was planned for.
	Due   time.Time
	Retry bool // from the retry lane
	// AtAccept says that Accept gave the lease, not Claim. It is the store's own note.
	AtAccept bool
	// AttemptID is the id of the attempt, from the moment that it begins; the
	// engine gives it.
	AttemptID ID
}

// Size is how many bytes the lease keeps in memory, for the engine's bound.
func (l *Lease) Size() int { return len(l.Message.Body) }

// Lane is the queue of one endpoint: its first attempts, or its retries.
type Lane struct {
	Endpoint ID
	App      ID
	Retry    bool
	Due      time.Time // of the earliest delivery
}

// ClaimLane asks for deliveries of one lane.
type ClaimLane struct {
	Endpoint ID
	Retry    bool
	Max      int // most deliveries to lease
}

// ClaimRequest leases due deliveries to a node.
type ClaimRequest struct {
	Node     Node
	Now      time.Time
	Lanes    []ClaimLane
	MaxBytes int // of bodies, over all lanes; at least one delivery is given
}

// ClaimedLane is what became of one ClaimLane, in the order asked.
type ClaimedLane struct {
	Leases []*Lease
	// Next is when the earliest delivery left in the lane is due; zero: the
	// lane is empty.
	Next time.Time
	// Closed says that the endpoint takes no deliveries: it is disabled or
	// deleted, and what is left in the lane must be canceled with this reason.
	Closed Reason
}

// Settlement ends a lease with the attempt that was made.
type Settlement struct {
	Lease   *Lease
	Attempt Attempt
	Then    Transition
	// DisableAfter is the rule that ShouldDisable applies to the endpoint; 0: off.
	DisableAfter time.Duration
	// Now is when the attempt ended.
	Now time.Time
}

// Settled is what came of one Settlement.
type Settled struct {
	// Lost says that the lease was no longer this node's: nothing was recorded.
	Lost bool
	// Due is when the delivery is due again, with Retry as its lane; zero: it is not.
	Due   time.Time
	Retry bool
	// Disabled says that this attempt disabled the endpoint, and why, and
	// FailingSince since when it has had nothing but failures.
	Disabled     DisableReason
	FailingSince time.Time
}
