package testx

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

// Answer is what a Receiver does with one request.
type Answer struct {
	Status int // 0: 204
	Header http.Header
	Body   []byte
	// Wait holds the answer back until the channel is closed or gives a value;
	// nil: not.
	Wait <-chan struct{}
	// After holds the answer back for that long, for tests in simulated time.
	After time.Duration
	// Hang never answers: the sender has to give up.
	Hang bool
	// HangBody sends status, headers and Body, and then nothing more.
	HangBody bool
	// Drop closes the connection instead of answering.
	Drop bool
}

// Request is one request that reached a Receiver.
type Request struct {
	Method   string
	Path     string
	RawQuery string
	Host     string
	Proto    string
	Remote   string
	Header   http.Header
	Body     []byte
	BodyErr  error // why the body did not arrive whole
	At       time.Time
	// Refused is why the signature is not good; nil if it is, or if the
	// Receiver verifies nothing.
	Refused error
}

// ID is the message id that the request carries.
func (r *Request) ID() string { return r.Header.Get(webhook.HeaderID) }

// Receiver is an HTTP server that answers by script and keeps what it got.
type Receiver struct {
	mu       sync.Mutex // guards what follows
	scripts  map[string][]Answer
	requests []Request
	taken    int // of requests, by Next
	verifier *webhook.Verifier

	arrived chan struct{} // one value at most: there is something new
	over    sync.Once
	done    chan struct{} // closed by Close: answers no longer wait
}

var _ http.Handler = (*Receiver)(nil)

// NewReceiver makes a receiver that answers everything with 204.
func NewReceiver() *Receiver {
	return &Receiver{scripts: map[string][]Answer{}, arrived: make(chan struct{}, 1), done: make(chan struct{})}
}

// On sets the answers to requests for a path, one after the other; the last one
// stays. They take the place of what was set before.
func (r *Receiver) On(path string, answers ...Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scripts[path] = append([]Answer(nil), answers...)
}

// Verify checks the signature of each request from now on; nil: of none.
func (r *Receiver) Verify(v *webhook.Verifier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifier = v
}

// Requests gives all requests so far, in the order in which they had arrived whole.
func (r *Receiver) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request(nil), r.requests...)
}

// Next waits for the next request that Next has not given yet.
func (r *Receiver) Next(tb testing.TB) Request {
	tb.Helper()
	var next Request
	Eventually(tb, r.arrived, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.taken == len(r.requests) {
			return false
		}
		next = r.requests[r.taken]
		r.taken++
		return true
	}, "a request at the receiver")
	return next
}

// Close lets all answers go that wait or hang.
func (r *Receiver) Close() { r.over.Do(func() { close(r.done) }) }

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	a := r.record(req, body, err)
	if !r.hold(a, req) || a.Drop {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	status := a.Status
	if status == 0 {
		status = http.StatusNoContent
	}
	w.WriteHeader(status)
	if len(a.Body) > 0 {
		_, _ = w.Write(a.Body)
	}
	if a.HangBody {
		_ = http.NewResponseController(w).Flush()
		r.hang(req)
		panic(http.ErrAbortHandler)
	}
}

// record keeps the request and gives its answer.
func (r *Receiver) record(req *http.Request, body []byte, bodyErr error) Answer {
	got := Request{
		Method: req.Method, Path: req.URL.Path, RawQuery: req.URL.RawQuery, Host: req.Host, Proto: req.Proto,
		Remote: req.RemoteAddr, Header: req.Header.Clone(), Body: body, BodyErr: bodyErr, At: time.Now(),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.verifier != nil {
		got.Refused = r.verifier.Verify(req.Header, body)
	}
	r.requests = append(r.requests, got)
	select {
	case r.arrived <- struct{}{}:
	default: // there is a value already
	}
	script := r.scripts[got.Path]
	if len(script) == 0 {
		return Answer{}
	}
	if len(script) > 1 {
		r.scripts[got.Path] = script[1:]
	}
	return script[0]
}

// hold waits as the answer says. It reports false if there is nobody to answer.
func (r *Receiver) hold(a Answer, req *http.Request) bool {
	if a.Hang {
		r.hang(req)
		return false
	}
	if a.After > 0 {
		timer := time.NewTimer(a.After)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-req.Context().Done():
			return false
		case <-r.done:
		}
	}
	if a.Wait != nil {
		select {
		case <-a.Wait:
		case <-req.Context().Done():
			return false
		case <-r.done:
		}
	}
	return true
}

func (r *Receiver) hang(req *http.Request) {
	select {
	case <-req.Context().Done():
	case <-r.done:
	}
}

// Serve answers on an address of the network until the test ends.
func (r *Receiver) Serve(tb testing.TB, n *Network, address string) {
	tb.Helper()
	l, err := n.Listen(address)
	NoError(tb, err)
	r.serve(tb, l).Start()
}

// ServeTLS is Serve with TLS, and HTTP/2 where the client offers it. It gives
// the server: its Certificate is for example.com and 127.0.0.1.
func (r *Receiver) ServeTLS(tb testing.TB, n *Network, address string) *httptest.Server {
	tb.Helper()
	l, err := n.Listen(address)
	NoError(tb, err)
	s := r.serve(tb, l)
	s.EnableHTTP2 = true
	s.StartTLS()
	return s
}

// ServeLoopback answers on a port of the loopback interface until the test ends
// and gives the URL, without a path.
func (r *Receiver) ServeLoopback(tb testing.TB) string {
	tb.Helper()
	var config net.ListenConfig
	l, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	NoError(tb, err)
	s := r.serve(tb, l)
	s.Start()
	return s.URL
}

func (r *Receiver) serve(tb testing.TB, l net.Listener) *httptest.Server {
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: r, ReadHeaderTimeout: patience}}
	tb.Cleanup(func() {
		r.Close()
		s.CloseClientConnections()
		s.Close()
	})
	return s
}
