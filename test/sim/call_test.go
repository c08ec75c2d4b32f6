package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/grapnelhq/grapnel/internal/testx"
)

// callTimeout is how long a caller waits for an answer.
const callTimeout = time.Minute

// outcome is what a caller knows about one request.
type outcome int

const (
	unknown  outcome = iota // no answer came, or it is not known yet
	accepted                // 2xx
	refused                 // 4xx or 503: nothing was done
)

// reply is what came of a request.
type reply struct {
	outcome outcome
	status  int
	body    []byte
	err     error
	sent    int64 // order of things
	back    int64
}

// into decodes the body of an accepted request.
func into[T any](r reply) (out T, err error) {
	err = json.Unmarshal(r.body, &out)
	return out, err
}

// request is what a caller asks.
type request struct {
	method, path string
	key          string // idempotency key; empty: none
	body         any    // as JSON
	raw          []byte // in its place
	lose         bool   // the answer is lost on its way
}

type loseAnswer struct{} // key of a context

// newClient makes the client of all callers: each request has a connection of its own.
func (w *world) newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			w.mu.Lock()
			p := w.process
			w.mu.Unlock()
			c, err := w.dial(ctx, p, network, address)
			if err == nil && ctx.Value(loseAnswer{}) != nil {
				conn, _ := c.(*testx.Conn) // dial gives nothing else
				return deaf{conn}, nil
			}
			return c, err
		},
	}}
}

// deaf is a connection that breaks when an answer comes.
type deaf struct{ *testx.Conn }

func (d deaf) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	if n == 0 {
		return n, err
	}
	d.Reset()
	return 0, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

// call makes one request of a caller.
func (w *world) call(q request) (r reply) {
	r.sent = w.next()
	defer func() { r.back = w.next() }()
	ctx, cancel := context.WithTimeout(w.t.Context(), callTimeout)
	defer cancel()
	if q.lose {
		ctx = context.WithValue(ctx, loseAnswer{}, true)
	}
	text := q.raw
	if q.body != nil {
		text, _ = json.Marshal(q.body) // only what JSON can say is asked
	}
	req, err := http.NewRequestWithContext(ctx, q.method, "http://"+apiAddress+"/api/v1"+q.path, bytes.NewReader(text))
	if err != nil {
		r.err = err
		return r
	}
	req.GetBody = nil // or the transport would repeat it by itself
	req.Header.Set("Authorization", "Bearer "+apiKey)
	if q.key != "" {
		req.Header.Set("Idempotency-Key", q.key)
	}
	resp, err := w.api.Do(req)
	if err == nil {
		defer resp.Body.Close()
		r.status = resp.StatusCode
		r.body, err = io.ReadAll(resp.Body)
	}
	r.err = err
	r.outcome = w.judge(q, r)
	return r
}

// judge says what a caller may conclude.
func (w *world) judge(q request, r reply) outcome {
	var op *net.OpError
	switch {
	case r.err != nil && errors.As(r.err, &op) && op.Op == "dial":
		return refused
	case r.err != nil:
		return unknown
	case r.status < 300:
		return accepted
	case r.status < 500 || r.status == http.StatusServiceUnavailable:
		return refused
	}
	w.violate("%s %s is answered with %d: %s", q.method, q.path, r.status, r.body)
	return unknown
}
