package hook

import "time"

// Node is one running server, as the store knows it. A lease names the node
// and its epoch; a node that registers again gets a new epoch, so what an
// earlier life of it still tries to settle is refused.
type Node struct {
	ID    int64
	Epoch int64
}

// NodeInfo is what the store shows of a node.
type NodeInfo struct {
	Node
	Name     string
	Delivers bool
	Started  time.Time
	Seen     time.Time // its last beat
	Alive    bool      // its lease has not run out
}

// Beat is what a node tells the store at regular times: that it lives.
type Beat struct {
	Node Node
	// Lease is how long the node counts as alive from now on.
	Lease time.Duration
	// Delivers says that the node has an engine.
	Delivers bool
	// Seen is Pulse.Seen of the last beat; zero at the first.
	Seen int64
	// Signals are what this node found out about endpoints since its last beat.
	Signals []Signal
	// Now is the node's own idea of the time. A store with a clock of its own
	// does not look at it.
	Now time.Time
}

// Pulse is what a node hears in return.
type Pulse struct {
	// Lost says that the node's lease had run out and its deliveries may belong to
	// others: it must register again. Nothing of the beat was taken then.
	Lost bool
	// Clock is the store's own clock; zero: it has none, and the node's counts.
	Clock time.Time
	// Delivering is how many nodes that are alive deliver, this one included.
	Delivering int
	// Leader says that this node does the chores that one node does for all.
	Leader bool
	// Changes are endpoints that other nodes changed, and may hold some that were
	// told before; Signals are what other nodes found out.
	Changes []EndpointChange
	Signals []Signal
	// Seen is for the next beat.
	Seen int64
}

// EndpointChange says that an endpoint has a new revision or is closed.
type EndpointChange struct {
	Endpoint ID
	Revision int64
	Closed   Reason // ReasonEndpointDisabled, ReasonEndpointDeleted, or ReasonNone
}

// Signal is what one node tells the others about an endpoint: wait until then.
type Signal struct {
	Endpoint ID
	App      ID
	Hold     Hold      // HeldCircuit, HeldRateLimit, or NotHeld: go on
	Until    time.Time // zero with NotHeld
}

// Rescued counts what came of one call of Rescue.
type Rescued struct {
	Nodes      int // whose leases had run out
	Deliveries int // that are due again
	Lanes      []Lane
}
