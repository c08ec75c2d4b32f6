package rig

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// arriveWithin is how long a webhook may take to arrive.
const arriveWithin = 15 * time.Second

// hookBacklog is how many webhooks a hook keeps that no test has looked at.
const hookBacklog = 4096

// Receiver takes webhooks on loopback. Each Hook is one path of it.
type Receiver struct {
	server *httptest.Server

	mu    sync.Mutex // guards hooks
	hooks []*Hook
}

// NewReceiver starts a receiver.
func NewReceiver() *Receiver {
	r := &Receiver{}
	r.server = httptest.NewServer(http.HandlerFunc(r.serve))
	return r
}

// Close ends it. Whoever still waits for an answer gets none.
func (r *Receiver) Close() {
	r.server.CloseClientConnections()
	r.server.Close()
}

// Hook is one target of webhooks. Its answers follow a script.
type Hook struct {
	URL string

	got chan Webhook // sent by the receiver's handlers, received by Next

	mu     sync.Mutex // guards script
	script []int
}

// Webhook is one request that arrived.
type Webhook struct {
	Header http.Header
	Body   []byte
	Status int // what it was answered with
}

// Hook makes a target that answers with these statuses in turn; the last one
// stays. Without any it answers 204.
func (r *Receiver) Hook(answers ...int) *Hook {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &Hook{URL: fmt.Sprintf("%s/%d", r.server.URL, len(r.hooks)), got: make(chan Webhook, hookBacklog)}
	h.Answer(answers...)
	r.hooks = append(r.hooks, h)
	return h
}

func (r *Receiver) find(path string) *Hook {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.hooks {
		if strings.HasSuffix(h.URL, path) {
			return h
		}
	}
	return nil
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	h := r.find(req.URL.Path)
	body, err := io.ReadAll(req.Body)
	if h == nil || err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	status := h.next()
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		fmt.Fprintf(w, "answer %d", status)
	}
	h.got <- Webhook{Header: req.Header, Body: body, Status: status}
}

// Answer replaces the script.
func (h *Hook) Answer(answers ...int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.script = answers
}

func (h *Hook) next() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch len(h.script) {
	case 0:
		return http.StatusNoContent
	case 1:
		return h.script[0]
	}
	status := h.script[0]
	h.script = h.script[1:]
	return status
}

// Next waits for the next webhook.
func (h *Hook) Next(t testing.TB) Webhook {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), arriveWithin)
	defer cancel()
	select {
	case w := <-h.got:
		return w
	case <-ctx.Done():
		t.Fatalf("no webhook arrived at %s within %s", h.URL, arriveWithin)
		return Webhook{}
	}
}

// ID is the message id that the webhook names.
func (w Webhook) ID() string { return w.Header.Get("webhook-id") }
