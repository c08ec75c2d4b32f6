package send

import (
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// phase is how far an exchange has come. It only moves forward, except when the
// request is repeated on a new connection.
type phase uint8

const (
	connecting  phase = iota // nothing yet, or dialling
	resolving                // asking for the name's addresses
	handshaking              // TLS
	sending                  // writing the request
	waiting                  // the request is written, nothing came back
	heading                  // the answer has begun, its header has not ended
	answered                 // the header is complete: the status decides
)

// exchange is one request and what came back. A transport gets it ready to send
// and fills in the rest. It is pooled: nothing that outlives the attempt may
// point into its buffers.
type exchange struct {
	to          *target
	body        []byte
	contentType string
	id          []byte // text of the message id
	timestamp   []byte // Unix seconds
	signature   []byte
	parent      []byte  // value of the header traceparent; empty: it is not sent
	passed      *passed // what a received webhook brings with it; nil: an event of the API

	start    time.Time
	deadline time.Time
	now      time.Time // wall clock, for Retry-After

	phase   phase
	reused  bool // the connection was kept from an earlier request
	timings hook.Timings
	err     error // why there is no answer

	status          int
	major           int // HTTP version of the answer
	retryAfter      time.Duration
	response        []byte
	responseHeaders []byte

	wire   []byte // what the direct transport writes
	answer answerReader
}

// maxPooled bounds what one exchange leaves in the pool, per buffer, in bytes.
const maxPooled = 64 << 10

// maxPooledFields is the same for the list of header lines.
const maxPooledFields = 64

// clear makes the exchange fit for the pool: no references, no large buffers.
func (x *exchange) clear() {
	fields := x.answer.fields
	if cap(fields) > maxPooledFields {
		fields = nil
	}
	clear(fields[:cap(fields)])
	*x = exchange{
		id: x.id[:0], timestamp: x.timestamp[:0], signature: x.signature[:0], parent: x.parent[:0],
		wire: bounded(x.wire), answer: answerReader{buf: bounded(x.answer.buf), fields: fields[:0]},
	}
}

func bounded(buf []byte) []byte {
	if cap(buf) > maxPooled {
		return nil
	}
	return buf[:0]
}

// arrived takes the header of the final answer: from here on the status decides.
func (x *exchange) arrived(status, major int, fields []field) {
	x.phase, x.status, x.major = answered, status, major
	x.responseHeaders = appendFields(nil, fields)
	for _, f := range fields {
		if strings.EqualFold(string(f.name), "retry-after") {
			x.retryAfter = retryAfter(string(f.value), x.now)
			break
		}
	}
}

// requestHeaders is what was sent, as JSON, secrets masked.
func (x *exchange) requestHeaders() []byte {
	names, head := x.to.names, x.to.headersJSON
	if x.passed != nil {
		head = x.passed.json()
	}
	size := len(head) + len(x.contentType) + len(names)*(len(x.id)+len(x.timestamp)+len(x.signature)+80) + len(x.parent) + 96
	json := append(make([]byte, 0, size), head...)
	if x.contentType != "" {
		json = appendMember(json, "Content-Type", x.contentType)
	}
	var digits [20]byte
	if x.passed == nil || countsBody(x.passed.method, x.body) {
		json = appendMember(json, "Content-Length", appendInt(digits[:0], len(x.body)))
	}
	for _, n := range names {
		json = appendMember(json, n.id, x.id)
		json = appendMember(json, n.timestamp, x.timestamp)
		json = appendMember(json, n.signature, x.signature)
	}
	if len(x.parent) > 0 {
		json = appendMember(json, headerParent, x.parent)
	}
	return append(json, '}')
}
