package ingest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/provider"
)

// Headers of answers.
const (
	// HeaderRequest names the request in the source's log.
	HeaderRequest = "Grapnel-Request-Id"
	// HeaderDurability says that the event is on disk.
	HeaderDurability = "Grapnel-Durability"
)

// answerOf is what the sender of an event of this type is told: by the first rule
// that fits, else as the provider wants it, else 202 and nothing.
func answerOf(rules []hook.ResponseRule, p *provider.Provider, eventType string) provider.Answer {
	for i := range rules {
		if r := &rules[i]; r.EventType == "" || r.EventType == eventType {
			h := make(http.Header, len(r.Headers))
			for name, value := range r.Headers {
				h.Set(name, value)
			}
			return provider.Answer{Status: r.Status, Header: h, Body: []byte(r.Body)}
		}
	}
	if p.Accepted.Status != 0 {
		return p.Accepted
	}
	return provider.Answer{Status: http.StatusAccepted}
}

// write sends an answer. A text without a type is shown as text, and by no browser as
// anything else; one that its owner calls a page runs nothing and is of no origin.
func write(w http.ResponseWriter, a provider.Answer) {
	h := w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	if len(a.Body) > 0 {
		h["X-Content-Type-Options"] = []string{"nosniff"}
		h["Content-Security-Policy"] = []string{"default-src 'none'; sandbox"}
		if h["Content-Type"] == nil {
			h["Content-Type"] = []string{"text/plain; charset=utf-8"}
		}
	}
	w.WriteHeader(a.Status)
	if len(a.Body) > 0 {
		_, _ = w.Write(a.Body) // the sender has gone; nobody is left to tell
	}
}

// write sends a refusal.
func (f *refusal) write(w http.ResponseWriter, request string) {
	h := w.Header()
	if f.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(f.retry))
	}
	if len(f.allow) > 0 {
		h.Set("Allow", strings.Join(f.allow, ", "))
	}
	if f.close {
		h.Set("Connection", "close")
	}
	if f.empty {
		write(w, provider.Answer{Status: f.status})
		return
	}
	write(w, provider.Answer{Status: f.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: errorBody(f.status, request)})
}
