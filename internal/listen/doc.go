// Package listen lets developers follow what arrives, over a WebSocket, and pass
// it on to their own machine.
//
// A listener follows the feed of messages of its environment from a cursor, in the
// order of commits, and gets those of the sources or applications that it names:
//
//	client                                server
//	  │  GET /api/v1/listen?source=stripe    │
//	  │ ───────────────────────────────────▶ │  key, rights, owners
//	  │ ◀──────────────── hello {cursor}     │
//	  │ ◀──────────────── event {cursor} …   │  at most 64 without an ack
//	  │  ack {cursor} ─────────────────────▶ │
//	  │ ◀──────────────▶ heartbeat           │  silent for 45 s: closed
//	  │ ◀──────────────── close, reason      │
//
// Nothing is kept for a listener on the server: the cursor of the last event that
// it has dealt with is all that is needed to go on, on this node or another, so a
// message comes at least once and none is left out. Requests that a source refused
// are told too, without a promise, for whoever waits for an event that does not come.
package listen
