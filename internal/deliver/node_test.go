package deliver_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// freshness lets the test say whether the node is fresh.
type freshness struct{ stale atomic.Bool }

func (f *freshness) fresh() bool { return !f.stale.Load() }

func TestNothingIsSentOrLeasedWhileTheNodeIsStale(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var f freshness
		r.opts.Fresh = f.fresh
		r.opts.Sweep = time.Second
		ids := r.stored(app, 10)
		f.stale.Store(true)
		r.start()
		ids = append(ids, r.publish(app, 10)...)
		pass(time.Minute)
		if n := len(r.sends(all)); n > 0 {
			t.Errorf("%d sends of a node that is stale", n)
		}
		r.wantStates(app, ep, ids, map[string]int{"pending": 20})
		f.stale.Store(false)
		r.engine.Hear(hook.Pulse{Delivering: 1})
		pass(time.Millisecond)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 20})
	})
}

func TestAnAttemptThatWasNotSentAfterAllIsNotRecorded(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		send, refused := r.opts.Send, false
		r.opts.Send = func(ctx context.Context, l *hook.Lease) hook.Attempt {
			if !refused {
				refused = true
				return hook.Attempt{Unsent: true, Outcome: hook.Outcome{Class: hook.FailTimeout}}
			}
			return send(ctx, l)
		}
		r.start()
		ids := r.publish(app, 1)
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1})
		if a := r.attempts(app, ids[0]); len(a) != 1 || a[0].Number != 1 {
			t.Errorf("the attempts are %+v, want one", a)
		}
	})
}

func TestLeasesThatHaveNotStartedArePutBackWhenTheNodeGoesStale(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var f freshness
		r.opts.Fresh = f.fresh
		r.start()
		r.answerAll(ok, 5*time.Millisecond)
		r.publish(app, 1) // it is known to be fast now, so leases are taken ahead
		pass(100 * time.Millisecond)
		r.answerAll(ok, 700*time.Millisecond)
		ids := r.publish(app, 100)
		pass(100 * time.Millisecond)
		f.stale.Store(true)
		pass(10 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 32, "pending released": 68})
		f.stale.Store(false)
		r.engine.Hear(hook.Pulse{Delivering: 1})
		pass(10 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 100})
		for _, id := range ids {
			if a := r.attempts(app, id); len(a) != 1 || a[0].Number != 1 {
				t.Fatalf("the attempts are %+v, want one", a)
			}
		}
	})
}

// TestProcessThatWasStoppedForLongDoesNoHarm stands for SIGSTOP: nothing runs for
// 20 s of the monotonic clock, others take the deliveries over, and then everything
// whose time has come runs at once.
func TestProcessThatWasStoppedForLongDoesNoHarm(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var f freshness
		var lines bytes.Buffer
		var lost atomic.Int64
		r.opts.Fresh = f.fresh
		r.opts.Logger = slog.New(slog.NewTextHandler(&lines, nil))
		r.opts.Observer.Lost = func(n int) { lost.Add(int64(n)) }
		r.start()
		r.answerAll(broken, 0)
		retries := r.publish(app, 3) // whose retry comes after 5 s
		r.answerAll(ok, 5*time.Millisecond)
		pass(100 * time.Millisecond)
		r.publish(app, 1)
		pass(100 * time.Millisecond)
		r.answer(func(ctx context.Context, l *hook.Lease) hook.Outcome {
			return later(ctx, time.Duration(5+l.Message.ID[len(l.Message.ID)-1]%10)*time.Second, ok)
		})
		ids := append(r.publish(app, 100), retries...)
		pass(100 * time.Millisecond)
		sending := len(r.sends(all))

		f.stale.Store(true)
		other := r.register("test") // as Rescue does: the deliveries are due for everybody
		pass(20 * time.Second)
		if n := len(r.sends(all)); n != sending {
			t.Errorf("%d sends were started after the stop", n-sending)
		}
		r.engine.Join(other)
		f.stale.Store(false)
		r.engine.Hear(hook.Pulse{Delivering: 1})
		r.answerAll(ok, 0)
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 103})
		if n := lost.Load(); n != 32 {
			t.Errorf("%d attempts were lost, want the 32 that ran", n)
		}
		if n := strings.Count(lines.String(), "attempts were not recorded"); n != 1 || !strings.Contains(lines.String(), "attempts=32") {
			t.Errorf("the log tells %d times of lost attempts, want once of 32:\n%s", n, lines.String())
		}
	})
}

func TestLeasesOfAnEarlierEpochAreNotSent(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var lost atomic.Int64
		r.opts.Observer.Lost = func(n int) { lost.Add(int64(n)) }
		var late atomic.Pointer[hook.Node]
		r.opts.Store = &faults{Store: r.store, afterClaim: func([]hook.ClaimedLane) {
			if n := late.Swap(nil); n != nil { // the claim was under way when the node was lost
				*n = r.register("test")
				r.engine.Join(*n)
			}
		}}
		r.start()
		r.answerAll(ok, 5*time.Millisecond)
		r.publish(app, 1)
		pass(100 * time.Millisecond)
		r.answerAll(ok, time.Second)
		ids := r.publish(app, 100)
		pass(100 * time.Millisecond)
		r.engine.Join(r.register("test"))
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 100})
		if n, sent := lost.Load(), len(r.sends(all)); n != 32 || sent != 1+100+32 {
			t.Errorf("%d lost, %d sends; want the 32 that ran lost and made again, and no other", n, sent)
		}

		more := r.stored(app, 10)
		late.Store(&hook.Node{})
		r.engine.Wake(hook.Lane{Endpoint: ep, App: app, Due: r.wall()})
		pass(time.Minute)
		r.wantStates(app, ep, more, map[string]int{"delivered": 10})
		if n := len(r.sends(all)); n != 1+100+32+10 {
			t.Errorf("%d sends, want each of a claim that came too late once", n)
		}
	})
}

func TestEngineThatHasNotJoinedLeasesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.engine.Join(hook.Node{})
		ids := r.publish(app, 3)
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"pending": 3})
		r.engine.Join(r.register("test"))
		pass(time.Millisecond)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 3})
	})
}

func TestChangesOfOtherNodesCountAndCanBeToldOften(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(broken, 0)
		r.publish(app, 10) // which open the circuit
		pass(time.Second)
		r.publish(app, 10)
		before := len(r.sends(all))
		// Another node has changed the endpoint, which lets a probe go at once; and
		// every beat tells of it.
		e, _, err := r.store.UpdateEndpoint(t.Context(), r.env, app, hook.Ref{ID: ep}, nil, func(*hook.Endpoint) error { return nil })
		r.must(err)
		news := hook.Pulse{Delivering: 1, Changes: []hook.EndpointChange{{Endpoint: ep, Revision: e.Revision}}}
		for range 4 {
			r.engine.Hear(news)
			pass(500 * time.Millisecond)
		}
		if n := len(r.sends(all)) - before; n != 1 {
			t.Errorf("%d probes in the 2 s after a change, want one", n)
		}
		_, _, err = r.store.UpdateEndpoint(t.Context(), r.env, app, hook.Ref{ID: ep}, nil, func(e *hook.Endpoint) error {
			e.Disable(hook.DisabledByUser, r.wall())
			return nil
		})
		r.must(err)
		r.answerAll(ok, 0)
		before = len(r.sends(all))
		news.Changes = append(news.Changes, hook.EndpointChange{Endpoint: ep, Revision: e.Revision + 1, Closed: hook.ReasonEndpointDisabled})
		r.engine.Hear(news)
		r.engine.Hear(news)
		pass(time.Hour)
		if n := len(r.sends(all)) - before; n != 0 {
			t.Errorf("%d sends after another node disabled the endpoint", n)
		}
	})
}

func TestWorkThatAnotherNodeLeftIsFoundAtTheNextSweep(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.opts.Sweep = 2 * time.Second
		r.start()
		pass(time.Second)
		ids := r.stored(app, 5)
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 5})
	})
}
