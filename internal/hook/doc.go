// Package hook is the domain of Grapnel: what an application, an endpoint, a
// message, a delivery and an attempt are, which endpoint a message matches
// (Match) and what follows from the outcome of an attempt (Next).
//
// It has no I/O, no logger and no clock: the time always comes in as a
// parameter, so everything here can be tested by tables and by fuzzing. It also
// holds the inputs and results of the store contract, one file per noun; the
// contract itself is in package store.
//
// One event runs through it like this:
//
//	NewEvent -> Match over the owner's endpoints -> one Delivery each
//	Lease (one node may send it now) -> attempt -> Outcome -> Next -> Settlement
package hook
