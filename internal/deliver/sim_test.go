package deliver_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// TestNothingIsLostWhateverHappens lets endpoints fail in all ways while
// messages are published and resent, endpoints are disabled, enabled, changed
// and deleted, the clock jumps and the engine is stopped and started. In the end
// every delivery must be in a state that has a reason.
func TestNothingIsLostWhateverHappens(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				s := &simulation{rig: r, rnd: rand.New(rand.NewPCG(seed, 7)), closed: map[hook.ID]bool{}}
				s.run()
			})
		})
	}
}

type simulation struct {
	*rig
	rnd  *rand.Rand
	list []place
	sent []message

	mu     sync.Mutex // guards what follows
	closed map[hook.ID]bool
}

type place struct {
	app, endpoint hook.ID
	deleted       bool
}

type message struct {
	app, endpoint, id hook.ID
}

func (s *simulation) run() {
	s.opts.MaxInFlight = 64
	s.opts.MemoryBytes = 4 << 10
	s.opts.DrainTimeout = 2 * time.Second
	s.answer(s.misbehave(rand.New(rand.NewPCG(s.rnd.Uint64(), 1))))
	for i := range 8 {
		app := s.app([]int{0, 0, 20}[i%3])
		s.list = append(s.list, place{app: app, endpoint: s.endpoint(app, []int{0, 0, 0, 10}[i%4])})
	}
	s.start()
	for range 200 {
		s.step()
		pass(time.Duration(s.rnd.IntN(2000)) * time.Millisecond)
	}
	s.answerAll(ok, 10*time.Millisecond)
	pass(48 * time.Hour)
	s.check()
}

// misbehave answers in all ways an endpoint can.
func (s *simulation) misbehave(rnd *rand.Rand) func(context.Context, *hook.Lease) hook.Outcome {
	var mu sync.Mutex // guards rnd
	outcomes := []hook.Outcome{
		broken, timedOut, {Class: hook.FailConnect, Detail: "refused"},
		{Class: hook.FailTooMany, Status: 429, RetryAfter: 20 * time.Second}, {Class: hook.FailStatus4xx, Status: 404},
	}
	return func(ctx context.Context, l *hook.Lease) hook.Outcome {
		s.mu.Lock()
		if s.closed[l.Endpoint.ID] {
			s.t.Error("an attempt started although the endpoint was closed before")
		}
		s.mu.Unlock()
		mu.Lock()
		roll, pick, wait := rnd.IntN(100), rnd.IntN(len(outcomes)), time.Duration(rnd.IntN(300))*time.Millisecond
		mu.Unlock()
		switch {
		case roll < 4:
			return hang(ctx, l)
		case roll < 5:
			panic("a poisoned message")
		case roll < 40:
			return later(ctx, wait, outcomes[pick])
		}
		return later(ctx, wait, ok)
	}
}

func (s *simulation) step() {
	p := &s.list[s.rnd.IntN(len(s.list))]
	if !p.deleted && s.isClosed(p.endpoint) && s.rnd.IntN(2) == 0 {
		s.toggle(p)
	}
	switch roll := s.rnd.IntN(100); {
	case roll < 60:
		for _, id := range s.publishBody(p.app, 1+s.rnd.IntN(20), make([]byte, 1+s.rnd.IntN(200))) {
			if !p.deleted {
				s.sent = append(s.sent, message{p.app, p.endpoint, id})
			}
		}
	case roll < 70:
		s.resendAny()
	case roll < 75 && !p.deleted:
		s.toggle(p)
	case roll < 85 && !p.deleted:
		s.update(p.app, p.endpoint, func(e *hook.Endpoint) { e.ThrottleRate = []int{0, 5, 50}[s.rnd.IntN(3)] })
	case roll < 86 && !p.deleted:
		_, err := s.store.DeleteEndpoint(s.t.Context(), s.env, p.app, hook.Ref{ID: p.endpoint}, s.wall())
		s.must(err)
		p.deleted = true
		s.engine.EndpointChanged(p.endpoint, 0, hook.ReasonEndpointDeleted)
		s.setClosed(p.endpoint, true)
	case roll < 92:
		s.jump(time.Duration(s.rnd.IntN(7200)-3600) * time.Second)
	case roll < 95:
		s.halt()
		s.engineStopped()
		s.start()
	}
}

// engineStopped checks that a stop left no lease behind.
func (s *simulation) engineStopped() {
	for _, m := range s.sent {
		if d := s.delivery(m.app, m.id, m.endpoint); d.State == hook.Sending {
			s.t.Fatal("a delivery is still leased after the stop")
		}
	}
}

func (s *simulation) resendAny() {
	if len(s.sent) == 0 {
		return
	}
	m := s.sent[s.rnd.IntN(len(s.sent))]
	lane, err := s.store.Resend(s.t.Context(), s.env, m.app, hook.Ref{ID: m.id}, hook.Ref{ID: m.endpoint}, s.wall(), nil)
	if err == nil { // else the endpoint is closed
		s.engine.Wake(lane)
	}
}

func (s *simulation) toggle(p *place) {
	e, err := s.store.FindEndpoint(s.t.Context(), s.env, p.app, hook.Ref{ID: p.endpoint})
	s.must(err)
	if e.Disabled {
		s.setClosed(p.endpoint, false)
		s.enable(p.app, p.endpoint)
		return
	}
	s.disable(p.app, p.endpoint)
	synctest.Wait() // those whose attempt had begun have called Send by now
	s.setClosed(p.endpoint, true)
}

func (s *simulation) setClosed(endpoint hook.ID, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed[endpoint] = closed
}

func (s *simulation) isClosed(endpoint hook.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed[endpoint]
}

func (s *simulation) check() {
	states := map[string]int{}
	for _, m := range s.sent {
		d := s.delivery(m.app, m.id, m.endpoint)
		states[d.State.String()+" "+d.Reason.String()]++
		if !d.State.Final() || !d.Due.IsZero() {
			s.t.Errorf("a delivery is %s %s, due %v, after %d attempts, two days after everything was mended", d.State, d.Reason, d.Due, d.Attempts)
		}
		attempts := s.attempts(m.app, m.id)
		if len(attempts) != d.Attempts {
			s.t.Errorf("%d attempts are recorded, the delivery counts %d", len(attempts), d.Attempts)
		}
		for i, a := range attempts {
			if a.Number != i+1 {
				s.t.Errorf("attempt %d has number %d", i+1, a.Number)
			}
			if i > 0 && a.Trigger == hook.TriggerScheduled && a.StartedAt.Before(attempts[i-1].NextDue) {
				s.t.Errorf("an attempt started %v before it was due", attempts[i-1].NextDue.Sub(a.StartedAt))
			}
		}
	}
	s.t.Logf("%d messages: %v; %d sends, %d at once", len(s.sent), states, len(s.sends(all)), s.mostAtOnce())
	if st := s.engine.Stats(); st.Leased != 0 || st.Bytes != 0 || st.Unsettled != 0 || st.Endpoints != 0 {
		s.t.Errorf("two days later the engine still holds %+v", st)
	}
}
