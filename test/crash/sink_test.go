//go:build crash

package crash_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// sink receives the webhooks of all targets, verifies each and writes it into the
// ledger.
type sink struct {
	ledger     *ledger
	server     *httptest.Server
	generation atomic.Int64 // the server process that is running
}

type generationKey struct{}

func newSink(t *testing.T, l *ledger) *sink {
	t.Helper()
	s := &sink{ledger: l}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	// A connection belongs to the process that opened it, even when what it sent
	// is read after its death.
	s.server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, generationKey{}, int(s.generation.Load()))
	}
	s.server.Start()
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

func (s *sink) url(target int) string { return s.server.URL + "/" + strconv.Itoa(target) }

// next begins a new generation. The process of the last one is dead. Connections
// are accepted in their order, so once a new one is answered all of the dead
// process have their number.
func (s *sink) next(t *testing.T) int {
	t.Helper()
	h := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := h.Get(s.server.URL + "/mark")
	check(t, err)
	check(t, resp.Body.Close())
	return int(s.generation.Add(1))
}

func verifyWith(t *testing.T, secret string) func([]byte, http.Header) error {
	t.Helper()
	v, err := svix.NewWebhook(secret)
	check(t, err)
	return v.Verify
}

func (s *sink) serve(w http.ResponseWriter, r *http.Request) {
	index, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil || index >= len(s.ledger.targets) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process died while it sent
	}
	target := s.ledger.targets[index]
	if err := target.verify(body, r.Header); err != nil {
		s.ledger.fault("endpoint %s: %v: %s", target.name, err, body)
	}
	var payload struct{ Mark string }
	if err := json.Unmarshal(body, &payload); err != nil || payload.Mark == "" {
		s.ledger.fault("endpoint %s got a body of nobody: %s", target.name, body)
		return
	}
	p := parcel{index, payload.Mark}
	seen := s.ledger.arrived(p, r.Header.Get("webhook-id"))
	status := target.answer(r.Context(), target, payload.Mark, seen)
	if r.Context().Err() != nil {
		return // nobody is left to read the answer: it did not arrive
	}
	generation, _ := r.Context().Value(generationKey{}).(int)
	s.ledger.answered(p, status < 300, receipt{generation: generation, at: time.Now()})
	w.WriteHeader(status)
}
