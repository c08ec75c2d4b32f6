// Package node is the life of this node among those that share the store: it
// registers, beats, and tells the rest of the server what comes of it.
//
// Deliveries are leased to a node, and the node has one lease of its own that each
// beat renews. Whoever holds deliveries must know at any moment whether that lease
// can still be relied on:
//
//	register ─> beat ─> beat ─> beat … ─┬─> fresh: sends may start, for 0.8 of the
//	   ^                                │   lease from before the last beat that came back
//	   │                                └─> no beat came back in time: stale, nothing starts
//	   └── lost: the lease had run out, others have the deliveries; a new epoch begins
//
// Freshness is a reading of the monotonic clock taken before the call, so neither a
// slow answer nor a process that was stopped, nor a wall clock that is wrong, can
// make a lease look longer than it is. The last fifth is for sends that are just
// about to start, and for clocks that do not run alike.
//
// One node leads: it does the chores that one does for all. And each node reckons
// with the store's clock, so that what one plans means the same to the others.
package node
