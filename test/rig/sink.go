package rig

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// Sink receives the webhooks of all targets, verifies each and writes it into the
// ledger.
type Sink struct {
	ledger *Ledger
	server *httptest.Server
}

func newSink(t testing.TB, l *Ledger) *Sink {
	t.Helper()
	s := &Sink{ledger: l}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

func (s *Sink) url(target int) string { return s.server.URL + "/" + strconv.Itoa(target) }

// A server says in the User-Agent header under which address it is known, so that
// each of its lives has one of its own.
const (
	lifeAddress = "http://life-%d.example"
	lifePattern = `http://life-(\d+)\.example`
)

var lifeInAgent = regexp.MustCompile(lifePattern)

func lifeOf(r *http.Request) int {
	found := lifeInAgent.FindStringSubmatch(r.UserAgent())
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		return 0
	}
	return n
}

// verifyWith checks signatures with the library of another maker.
func verifyWith(secret string) (func([]byte, http.Header) error, error) {
	v, err := svix.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	return v.Verify, nil
}

func (s *Sink) serve(w http.ResponseWriter, r *http.Request) {
	began, life := time.Now(), lifeOf(r)
	index, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil || index >= len(s.ledger.Targets) || life == 0 {
		s.ledger.Fault("a request for nobody arrived at %s from %q", r.URL.Path, r.UserAgent())
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process died while it sent
	}
	target := s.ledger.Targets[index]
	if err := target.verify(body, r.Header); err != nil {
		s.ledger.Fault("endpoint %s: %v: %s", target.Name, err, body)
	}
	var payload struct{ Mark string }
	if err := json.Unmarshal(body, &payload); err != nil || payload.Mark == "" {
		s.ledger.Fault("endpoint %s got a body of nobody: %s", target.Name, body)
		return
	}
	p := Parcel{index, payload.Mark}
	signed, err := strconv.ParseInt(r.Header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		s.ledger.Fault("endpoint %s: the timestamp of a signature: %v", target.Name, err)
	}
	seen := s.ledger.arrived(Sending{Parcel: p, Life: life, Began: began, Signed: time.Unix(signed, 0)}, r.Header.Get("webhook-id"))
	status := target.Answer(r.Context(), Visit{Target: target, Mark: payload.Mark, Life: life, Seen: seen})
	if r.Context().Err() != nil {
		return // nobody is left to read the answer: it did not arrive
	}
	s.ledger.answered(p, status < 300, Receipt{Life: life, Began: began, At: time.Now()})
	w.WriteHeader(status)
}
