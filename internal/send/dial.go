package send

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// probe watches the phases of an exchange from the trace hooks. They come from
// goroutines of the dialer and of net/http, some of them after the exchange has
// ended, so it is not pooled.
type probe struct {
	mu      sync.Mutex // guards all below
	phase   phase
	since   time.Time // when phase began
	got     bool      // there is a connection: hooks of a dial that lost the race say nothing any more
	reused  bool
	timings hook.Timings
}

func newProbe(start time.Time) *probe { return &probe{since: start} }

// enter ends the current phase and adds its length to the timings.
func (p *probe) enter(next phase) {
	now := time.Now()
	p.timings = p.phase.add(p.timings, now.Sub(p.since))
	p.phase, p.since = next, now
}

// add counts d as time spent in the phase.
func (p phase) add(t hook.Timings, d time.Duration) hook.Timings {
	switch p {
	case connecting:
		t.Connect += d
	case resolving:
		t.DNS += d
	case handshaking:
		t.TLS += d
	case sending:
	case waiting, heading:
		t.FirstByte += d
	case answered:
		t.Body += d
	}
	return t
}

func (p *probe) step(next phase) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.got && next != p.phase {
		p.enter(next)
	}
}

// dialTrace watches the phases up to the connection.
func (p *probe) dialTrace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { p.step(resolving) },
		DNSDone: func(info httptrace.DNSDoneInfo) {
			if info.Err == nil {
				p.step(connecting)
			}
		},
		TLSHandshakeStart: func() { p.step(handshaking) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				p.step(sending)
			}
		},
	}
}

// trace watches all phases.
func (p *probe) trace() *httptrace.ClientTrace {
	t := p.dialTrace()
	t.GetConn = func(string) { // once more when the request is repeated
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got = false
		p.enter(connecting)
	}
	t.GotConn = func(info httptrace.GotConnInfo) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got, p.reused = true, info.Reused
		p.enter(sending)
		if info.Reused {
			p.timings = hook.Timings{}
		}
	}
	t.WroteRequest = func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			p.advance(waiting)
		}
	}
	t.GotFirstResponseByte = func() { p.advance(heading) }
	return t
}

// advance moves on with the exchange itself. An answer may come before the
// request is written, and then the phase does not go back.
func (p *probe) advance(next phase) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if next > p.phase {
		p.enter(next)
	}
}

// result is what was seen until now, the running phase included.
func (p *probe) result() (ph phase, timings hook.Timings, reused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.phase, p.phase.add(p.timings, time.Since(p.since)), p.reused
}
