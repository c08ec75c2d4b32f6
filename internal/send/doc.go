// Package send makes one attempt of a delivery: one signed HTTP POST, and what
// came of it as a hook.Attempt.
//
//	Post: prepare the endpoint (cached) -> sign -> transport -> classify
//
// A failing receiver is normal life, so Post returns no error: whatever happens
// becomes a hook.Outcome with a class and one sentence for the endpoint's owner.
// No request leaves without a signature; if the secrets of an endpoint cannot be
// opened, the attempt fails and the operator's log says so.
//
// # What counts as an answer
//
// An answer is a complete header section with a status from 200 to 599. From
// there on the status alone decides: a 2xx whose body breaks off, never ends or
// is too long is a success, because the receiver has said that it has the
// message. A header section that is cut off or does not end in time is no
// answer. Redirects are never followed, whatever they point to. Cookies,
// challenges and Alt-Svc in answers have no effect.
//
// # Which limit belongs to which class
//
// A limit that runs out while the name is being resolved is a DNS failure, in
// the TLS handshake a TLS failure, everywhere else a timeout.
//
// # Two transports
//
// The direct transport speaks HTTP/1.1 on connections of its own, in the
// goroutine of the caller: outside of system calls an attempt costs a third of
// what it costs through net/http, and an idle connection keeps neither goroutines
// nor buffers.
// The standard transport is net/http; it serves what the direct one does not:
// HTTP/2, an egress proxy, and large bodies, during which an early answer must be
// read while the request is still being written. An https endpoint starts on the standard
// transport, which offers both protocols; once it has answered in HTTP/1.1, it
// goes on the direct one. Both pass the same table of hostile servers.
//
// Connections are kept by scheme, host and port, and shared by all endpoints on
// that host, whichever application they belong to: the peer's address was checked
// when it was dialled, nothing on the connection carries identity (no client
// certificate, no cookie, no connection-bound authentication), and requests
// follow one another only after a complete, well-formed answer.
//
// # Repeated requests
//
// A connection that was kept can turn out closed by the peer just when it is
// used. If it breaks before one byte of an answer, the same request, with the
// same id and signature, goes out once more on a new connection within the same
// attempt. The peer may have seen the first one; deliveries are at least once,
// and the message id is what receivers recognise a double by.
package send
