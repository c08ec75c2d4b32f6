package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

// receiver is the built-in target of `grapnel dev`. Its path says how it
// answers, so that retries, back-off and disabling can be seen without writing
// a server.
type receiver struct {
	listener net.Listener
	server   *http.Server

	mu       sync.Mutex // guards what follows
	verifier *webhook.Verifier
	seen     map[string]error // by message id: how the verification went
	tries    map[string]int   // by message id, at /flaky
}

const (
	receiverBody = 4 << 20 // most bytes that are read of a body
	receiverKeep = 10_000  // messages that are remembered
	flakyFails   = 2       // tries that /flaky refuses
	slowAnswer   = 3 * time.Second
	retryAfter   = 5 // seconds
)

// receiverPaths is what the start text and the receiver's own page tell.
const receiverPaths = "/ok /500 /429 /410 /flaky /slow /hang /close"

func newReceiver(ctx context.Context, address string) (*receiver, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		l, err = lc.Listen(ctx, "tcp", anyPort)
	}
	if err != nil {
		return nil, fmt.Errorf("starting the receiver: %w", err)
	}
	r := &receiver{listener: l, seen: make(map[string]error), tries: make(map[string]int)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	return r, nil
}

func (r *receiver) url() string { return "http://" + r.listener.Addr().String() }

func (r *receiver) run() error {
	if err := r.server.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the receiver: %w", err)
	}
	return nil
}

func (r *receiver) close() error {
	return errors.Join(r.server.Close(), ignoreClosed(r.listener.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// trust sets the secret that signatures are verified with.
func (r *receiver) trust(secret string) error {
	key, err := webhook.ParseLooseKey(secret)
	if err != nil {
		return err
	}
	verifier, err := webhook.NewVerifier([]webhook.Key{key})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifier = verifier
	return nil
}

// verified reports whether a message has arrived, and how its verification went.
func (r *receiver) verified(message string) (arrived bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err, arrived = r.seen[message]
	return arrived, err
}

// ServeHTTP verifies what arrives and answers as the path says.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "The receiver of grapnel dev. Point an endpoint at one of its paths:\n\n"+
			"  /ok      answers 200\n  /500     any status from 200 to 599 works\n  /429     with Retry-After: %d\n"+
			"  /flaky   500 twice for each message, then 200\n  /slow    200 after %s\n  /hang    never answers\n  /close   breaks the connection\n", retryAfter, slowAnswer)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, receiverBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusRequestEntityTooLarge)
		return
	}
	id := req.Header.Get(webhook.HeaderID)
	signature := "signature verified"
	switch err := r.note(id, req.Header, body); {
	case errors.Is(err, webhook.ErrNoMatch):
		signature = "signature not verified: this receiver knows the secret of the demo endpoints only"
	case err != nil:
		signature = "signature not verified: " + err.Error()
	}
	r.answer(w, req, id, signature)
}

// note verifies a message and remembers how that went.
func (r *receiver) note(id string, header http.Header, body []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := errors.New("the receiver knows no secret yet")
	if r.verifier != nil {
		err = r.verifier.Verify(header, body)
	}
	if len(r.seen) >= receiverKeep {
		clear(r.seen)
	}
	r.seen[id] = err
	return err
}

func (r *receiver) answer(w http.ResponseWriter, req *http.Request, id, signature string) {
	status := http.StatusOK
	switch path := strings.TrimPrefix(req.URL.Path, "/"); path {
	case "", "ok":
	case "flaky":
		if r.try(id) <= flakyFails {
			status = http.StatusInternalServerError
		}
	case "slow":
		timer := time.NewTimer(slowAnswer)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-req.Context().Done():
			return
		}
	case "hang":
		<-req.Context().Done()
		return
	case "close":
		panic(http.ErrAbortHandler) // net/http breaks the connection
	default:
		n, err := strconv.Atoi(path)
		if err != nil || n < 200 || n > 599 {
			http.Error(w, "the receiver has "+receiverPaths, http.StatusNotFound)
			return
		}
		status = n
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	switch {
	case status == http.StatusNoContent || status == http.StatusNotModified: // have no body
	case status >= http.StatusMultipleChoices:
		fmt.Fprintf(w, "%d as the path says; %s\n", status, signature) //nolint:gosec // plain text by its content type
	default:
		fmt.Fprintln(w, signature) //nolint:gosec // plain text by its content type
	}
}

func (r *receiver) try(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.tries) >= receiverKeep {
		clear(r.tries)
	}
	r.tries[id]++
	return r.tries[id]
}
