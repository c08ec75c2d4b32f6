package deliver_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// cluster is the rig's store with several engines on it, which hear of each other
// with beats.
type cluster struct {
	*rig
	nodes []*member
	stop  context.CancelFunc
	wg    sync.WaitGroup
}

// member is one node.
type member struct {
	*deliver.Engine
	mu      sync.Mutex // guards what follows
	signals []hook.Signal
	all     []hook.Signal // that it ever gave
	sent    []sending
	deaf    bool // does not take part in beats: it is dead to the others
}

// grow starts n engines on the rig's store.
func (r *rig) grow(n int) *cluster {
	r.t.Helper()
	c := &cluster{rig: r}
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	began := time.Now()
	for i := range n {
		m := &member{}
		o := r.opts
		o.Signal = m.signal
		o.Send = func(ctx context.Context, l *hook.Lease) hook.Attempt {
			m.mu.Lock()
			m.sent = append(m.sent, sending{at: time.Since(began), endpoint: l.Endpoint.ID, message: l.Message.ID, number: l.Number})
			m.mu.Unlock()
			return r.opts.Send(ctx, l)
		}
		m.Engine = deliver.New(o)
		m.Join(r.register(fmt.Sprint("node ", i)))
		m.Hear(hook.Pulse{Delivering: n})
		c.nodes = append(c.nodes, m)
		c.wg.Go(func() { r.must(m.Run(ctx)) })
	}
	c.wg.Go(func() { c.beat(ctx) })
	synctest.Wait()
	return c
}

// beat passes on every half second what each node has found out.
func (c *cluster) beat(ctx context.Context) {
	for {
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return
		}
		for _, from := range c.nodes {
			signals := from.take()
			for _, to := range c.nodes {
				if to != from && len(signals) > 0 {
					to.Hear(hook.Pulse{Delivering: len(c.nodes), Signals: signals})
				}
			}
		}
	}
}

func (c *cluster) halt() {
	c.answerAll(ok, 0)
	c.stop()
	c.wg.Wait()
}

func (m *member) signal(s hook.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signals, m.all = append(m.signals, s), append(m.all, s)
}

func (m *member) take() []hook.Signal {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.signals
	m.signals = nil
	if m.deaf {
		return nil
	}
	return taken
}

func (m *member) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sent)
}

// publishAt accepts n events on one node.
func (c *cluster) publishAt(m *member, app hook.ID, n int) []hook.ID {
	c.t.Helper()
	return c.accept(m.Accept, c.events(app, n, []byte(`{}`)))
}

func TestNodesShareThrottleRates(t *testing.T) {
	tests := []struct {
		name            string
		nodes           int
		appRate, epRate int
		endpoints       int
		backlog         bool
		want            int // over ten seconds
	}{
		{"two, an endpoint", 2, 0, 20, 1, false, 200},
		{"two, an endpoint with a backlog", 2, 0, 20, 1, true, 200},
		{"two, one a second", 2, 0, 1, 1, true, 10},
		{"three, one a second", 3, 0, 1, 1, true, 10},
		{"three, seven a second", 3, 0, 7, 1, true, 70},
		{"two, an application", 2, 30, 0, 3, true, 300},
		{"three, an application, less than one each", 3, 2, 0, 2, true, 20},
		{"two, both", 2, 100, 10, 2, true, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				app := r.app(tt.appRate)
				for range tt.endpoints {
					r.endpoint(app, tt.epRate)
				}
				r.opts.Sweep = 2 * time.Second
				const messages = 400
				if tt.backlog {
					r.stored(app, messages)
				}
				c := r.grow(tt.nodes)
				defer c.halt()
				if !tt.backlog {
					for _, m := range c.nodes {
						c.publishAt(m, app, messages/tt.nodes)
					}
				}
				pass(10 * time.Second)
				sent := len(r.sends(all))
				if low, high := tt.want*9/10, tt.want*11/10; sent < low || sent > high {
					t.Errorf("%d sent in 10 s, want %d to %d", sent, low, high)
				}
				for i, m := range c.nodes {
					if n := m.count(); n < tt.want*8/10/tt.nodes {
						t.Errorf("node %d sent %d of %d", i, n, sent)
					}
				}
			})
		})
	}
}

func TestRatesFollowTheNumberOfNodes(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app := r.app(0)
		r.endpoint(app, 20)
		r.stored(app, 2000)
		r.start()
		for _, step := range []struct{ nodes, want int }{{1, 200}, {4, 50}, {2, 100}, {1, 200}, {0, 200}} {
			r.engine.Hear(hook.Pulse{Delivering: step.nodes})
			pass(time.Second)
			before := len(r.sends(all))
			pass(10 * time.Second)
			if n := len(r.sends(all)) - before; n < step.want*9/10 || n > step.want*11/10 {
				t.Errorf("with %d nodes %d were sent in 10 s, want %d", step.nodes, n, step.want)
			}
		}
	})
}

func TestThrottledEndpointDoesNotWaitForNodesThatHaveGone(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app := r.app(0)
		r.endpoint(app, 1)
		r.start()
		r.engine.Hear(hook.Pulse{Delivering: 30})
		r.publish(app, 10)
		pass(40 * time.Second) // of thirty nodes, one sends every half a minute
		before := len(r.sends(all))
		r.engine.Hear(hook.Pulse{Delivering: 1})
		pass(2 * time.Second)
		if n := len(r.sends(all)) - before; n == 0 {
			t.Error("nothing was sent in the 2 s after it was alone")
		}
	})
}

func TestNodesShareTheAttemptsInFlight(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.engine.Hear(hook.Pulse{Delivering: 4})
		r.answer(hang)
		r.publish(app, 100)
		pass(time.Second)
		if n := r.mostAtOnce(); n != deliver.LimitStart/4 {
			t.Errorf("%d in flight of one of four nodes, want a quarter of %d", n, deliver.LimitStart)
		}
		r.answerAll(ok, 10*time.Millisecond)
		pass(20 * time.Minute)
		r.stored(app, 3000)
		r.engine.Wake(hook.Lane{Endpoint: ep, App: app, Due: r.wall()})
		pass(10 * time.Second)
		if n := r.mostAtOnce(); n != deliver.LimitMax/4 {
			t.Errorf("it grew to %d in flight, want a quarter of %d", n, deliver.LimitMax)
		}
		r.engine.Hear(hook.Pulse{Delivering: 16})
		r.forgetMost()
		r.stored(app, 3000)
		r.engine.Wake(hook.Lane{Endpoint: ep, App: app, Due: r.wall()})
		pass(2 * time.Minute)
		if n := r.mostAtOnce(); n != deliver.LimitMax/16 {
			t.Errorf("%d in flight when there are sixteen, want a sixteenth of %d", n, deliver.LimitMax)
		}
	})
}

func TestNodeTellsWhatItFindsOut(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.opts.AttemptTimeout = 16 * time.Second
		c := r.grow(1)
		defer c.halt()
		m, start := c.nodes[0], r.wall()
		told := func(what string, want ...hook.Signal) {
			t.Helper()
			m.mu.Lock()
			got := m.all
			m.all = nil
			m.mu.Unlock()
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i].Hold != want[i].Hold || got[i].Until.Sub(want[i].Until).Abs() > 10*time.Millisecond ||
					got[i].Endpoint != ep || got[i].App != app {
					t.Errorf("%s it told %+v, want %+v", what, got, want)
					return
				}
			}
		}
		circuit := func(until time.Duration) hook.Signal {
			return hook.Signal{Hold: hook.HeldCircuit, Until: start.Add(until)}
		}
		r.answerAll(broken, 0)
		c.publishAt(m, app, 10)
		pass(time.Second)
		told("when the circuit opened", circuit(5*time.Second))
		pass(5 * time.Second)
		told("when a probe began and failed", circuit(21*time.Second), circuit(15*time.Second))
		r.answerAll(ok, 0)
		pass(10 * time.Second)
		told("when a probe succeeded", circuit(31*time.Second), hook.Signal{Hold: hook.NotHeld})
		r.answerAll(hook.Outcome{Class: hook.FailTooMany, Status: 429, RetryAfter: time.Hour}, 0)
		now := r.wall()
		c.publishAt(m, app, 1)
		pass(time.Second)
		told("after a 429", hook.Signal{Hold: hook.HeldRateLimit, Until: now.Add(time.Hour)})
	})
}

func TestCircuitOfOneNodeHoldsOnAll(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		c := r.grow(2)
		defer c.halt()
		owner, other := c.nodes[0], c.nodes[1]
		r.answerAll(broken, 0)
		c.publishAt(owner, app, 10)
		pass(time.Second)
		ids := c.publishAt(other, app, 5)
		if h := other.Hold(ep); h.Hold != hook.HeldCircuit || !h.Until.After(r.wall()) {
			t.Errorf("on the other node it is held by %q until %v", h.Hold, h.Until)
		}
		pass(20 * time.Minute)
		if n := other.count(); n > 0 {
			t.Errorf("the other node made %d attempts while the owner of the circuit probed", n)
		}
		if n := owner.count(); n < 10+7 || n > 10+12 {
			t.Errorf("the owner made %d attempts in 20 minutes, want the 10 that opened it and its probes", n)
		}
		r.answerAll(ok, 0)
		for probes := owner.count(); owner.count() == probes; {
			pass(100 * time.Millisecond)
		}
		pass(500 * time.Millisecond)
		if h := other.Hold(ep); h.Hold != hook.NotHeld {
			t.Errorf("half a second after the owner's probe succeeded it is held by %q on the other node", h.Hold)
		}
		r.wantStates(app, ep, ids, map[string]int{"delivered": 5})
	})
}

func TestOtherNodeProbesWhenTheOwnerOfTheCircuitIsDead(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		c := r.grow(2)
		defer c.halt()
		other := c.nodes[1]
		until := r.wall().Add(5 * time.Second)
		other.Hear(hook.Pulse{Delivering: 2, Signals: []hook.Signal{{Endpoint: ep, App: app, Hold: hook.HeldCircuit, Until: until}}})
		ids := c.publishAt(other, app, 40)
		pass(7*time.Second - time.Millisecond)
		if n := other.count(); n > 0 {
			t.Errorf("it sent %d before the owner had its chance", n)
		}
		r.answer(func(ctx context.Context, _ *hook.Lease) hook.Outcome { return later(ctx, time.Second, broken) })
		pass(500 * time.Millisecond)
		if n := other.count(); n != 1 {
			t.Errorf("%d sends when nobody had probed, want one probe", n)
		}
		r.answerAll(ok, time.Millisecond)
		pass(11 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 40})
	})
}

func TestHoldOf429CountsOnAllNodes(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		c := r.grow(2)
		defer c.halt()
		r.answerAll(hook.Outcome{Class: hook.FailTooMany, Status: 429, RetryAfter: 2 * time.Minute}, 0)
		c.publishAt(c.nodes[0], app, 1)
		pass(time.Second)
		r.answerAll(ok, 0)
		ids := c.publishAt(c.nodes[1], app, 5)
		pass(time.Minute)
		if h := c.nodes[1].Hold(ep); h.Hold != hook.HeldRateLimit {
			t.Errorf("on the other node it is held by %q", h.Hold)
		}
		r.wantStates(app, ep, ids, map[string]int{"pending": 5})
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 5})
	})
}

func TestNodesThatAllSeeAnOutageProbeNoMoreThanOne(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.opts.Sweep = 2 * time.Second
		c := r.grow(3)
		defer c.halt()
		r.answer(func(ctx context.Context, _ *hook.Lease) hook.Outcome { return later(ctx, 10*time.Millisecond, broken) })
		var ids []hook.ID
		for _, m := range c.nodes {
			ids = append(ids, c.publishAt(m, app, 10)...) // each sees enough by itself
			pass(3 * time.Millisecond)
		}
		pass(10 * time.Minute)
		if n := len(r.sends(all)) - 30; n < 6 || n > 12 {
			t.Errorf("%d probes of three nodes in ten minutes, want about the 7 of one", n)
		}
		r.answerAll(ok, 0)
		pass(time.Hour)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 30})
	})
}
