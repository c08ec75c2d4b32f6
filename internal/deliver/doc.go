// Package deliver is the engine: it claims due deliveries, makes the attempts,
// settles what came of them, paces endpoints and gives back what it cannot
// finish. It speaks no HTTP; the one request of an attempt is a function that
// it is given.
//
//	Accept ──leases──┐                     ┌─> settle: Store.Settle, in batches
//	                 ├─> attempt: Send ────┤      └─ due again: back to its lane
//	Claim ───leases──┘   hook.Next decides └─> place free: the next claim
//	  ^
//	  └─ ready lanes, round-robin over applications
//
// # Lanes
//
// A lane is the queue of one endpoint: its first attempts, or its retries. The
// engine knows of a lane only when its earliest delivery is due. It learns that
// from Accept (Placer.Due), from Settle, from Wake, and at regular times (Sweep)
// from a look through Store.Lanes, which is also how it starts. An endpoint waits in a
// heap until its time, then among the ready ones of its application, and is
// nowhere while only an event, such as the end of an attempt, can make it ready.
//
// # Places
//
// Each running attempt holds a place, and its bytes count against a bound of
// memory until they are recorded. No application holds more than half of the
// places or of the bytes. Retries hold at most three quarters of all places, and
// of an endpoint's while first attempts wait there; when both wait, they take
// turns. An endpoint has an adaptive cap (limit), a circuit, a throttle and a
// hold (429 with Retry-After). While more than a quarter of all places is in
// use, an endpoint that is silent (timed out last, or no answer for a second) gets no
// more than two.
//
// # Nodes
//
// The engine delivers as the node that Join names, and only while that node's lease
// is Fresh: the last thing before a send is to ask. A lease that may not be sent any
// more is given back without counting an attempt. Hear takes over what the other
// nodes tell. Rates and limits are divided by the number of nodes that deliver; a
// circuit that one of them opened is open on all, and that one probes (see circuit).
//
// # Time
//
// Waits and rates use the monotonic clock. Wall time only decides what is due,
// through a clock that never goes back (see clock).
package deliver
