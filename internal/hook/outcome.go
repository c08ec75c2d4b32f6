package hook

import "time"

// Class is what came of an attempt, as a closed set.
type Class uint8

// The classes. Everything but Success is a failure.
const (
	Success       Class = iota // 200 to 299
	FailDNS                    // the name could not be resolved
	FailConnect                // no connection
	FailTLS                    // handshake or certificate
	FailTimeout                // one of the time limits ran out
	FailProtocol               // what came back is not HTTP as it should be
	FailRedirect               // 300 to 399; redirects are never followed
	FailPolicy                 // the network policy forbids the address
	FailStatus4xx              // 400 to 499 but 410 and 429
	FailStatus5xx              // 500 to 599
	FailTooMany                // 429
	FailGone                   // 410
	FailBody                   // the connection broke while the request was being sent or before an answer
)

// Classes lists every class once.
var Classes = []Class{
	Success, FailDNS, FailConnect, FailTLS, FailTimeout, FailProtocol, FailRedirect,
	FailPolicy, FailStatus4xx, FailStatus5xx, FailTooMany, FailGone, FailBody,
}

// String gives the stable word of the class, as metrics and the API use it.
func (c Class) String() string {
	switch c {
	case Success:
		return "success"
	case FailDNS:
		return "dns"
	case FailConnect:
		return "connect"
	case FailTLS:
		return "tls"
	case FailTimeout:
		return "timeout"
	case FailProtocol:
		return "protocol"
	case FailRedirect:
		return "redirect"
	case FailPolicy:
		return "policy"
	case FailStatus4xx:
		return "status_4xx"
	case FailStatus5xx:
		return "status_5xx"
	case FailTooMany:
		return "status_429"
	case FailGone:
		return "status_410"
	case FailBody:
		return "body"
	}
	return "unknown"
}

// ClassOfStatus classifies a final HTTP status. Anything outside 200 to 599 is
// not an answer that HTTP allows.
func ClassOfStatus(status int) Class {
	switch {
	case status >= 200 && status <= 299:
		return Success
	case status >= 300 && status <= 399:
		return FailRedirect
	case status == 410:
		return FailGone
	case status == 429:
		return FailTooMany
	case status >= 400 && status <= 499:
		return FailStatus4xx
	case status >= 500 && status <= 599:
		return FailStatus5xx
	}
	return FailProtocol
}

// Outcome is what came of an attempt.
type Outcome struct {
	Class      Class
	Status     int           // HTTP status; 0 without an answer
	RetryAfter time.Duration // what the answer asked for; 0: nothing, or nothing sensible
	Detail     string        // one sentence for the endpoint's owner; empty on success
}

// SlowsEndpoint reports whether the outcome means that the endpoint as a whole
// has too much to do, not only that this message failed.
func (o Outcome) SlowsEndpoint() bool {
	switch o.Class {
	case FailTimeout, FailTooMany, FailConnect, FailBody:
		return true
	case FailStatus5xx:
		return o.Status == 502 || o.Status == 503 || o.Status == 504
	case Success, FailDNS, FailTLS, FailProtocol, FailRedirect, FailPolicy, FailStatus4xx, FailGone:
		return false
	}
	return false
}
