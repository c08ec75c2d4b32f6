package deliver_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestStopLetsAttemptsEnd(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, 5*time.Second)
		ids := r.publish(app, 100) // 32 in flight
		pass(time.Second)
		before := time.Now()
		r.halt()
		if took := time.Since(before); took != 4*time.Second {
			t.Errorf("the stop took %v, want the 4 s that the attempts still ran", took)
		}
		r.wantStates(app, ep, ids, map[string]int{"delivered": 32, "pending": 68})
	})
}

func TestStopGivesBackLeasesThatWaitForAPlace(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, 5*time.Millisecond)
		r.publish(app, 1) // it is known to be fast now, so leases are taken ahead
		pass(100 * time.Millisecond)
		r.answerAll(ok, 700*time.Millisecond)
		ids := r.publish(app, 100)
		pass(100 * time.Millisecond)
		if s := r.engine.Stats(); s.Leased != 100 || s.Sending != 32 {
			t.Fatalf("%d are leased and %d sent, want 100 and 32", s.Leased, s.Sending)
		}
		r.halt()
		r.wantStates(app, ep, ids, map[string]int{"delivered": 32, "pending released": 68})
	})
}

func TestStopCutsOffWhatHangsWithoutCountingAnAttempt(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.opts.DrainTimeout = 3 * time.Second
		r.opts.AttemptTimeout = time.Minute
		r.start()
		r.answer(hang)
		ids := r.publish(app, 40)
		pass(time.Second)
		before := time.Now()
		r.halt()
		if took := time.Since(before); took != 3*time.Second {
			t.Errorf("the stop took %v, want the drain timeout", took)
		}
		for _, id := range ids {
			if d := r.delivery(app, id, ep); d.State != hook.Pending || d.Attempts != 0 {
				t.Errorf("a delivery is %s after %d attempts", d.State, d.Attempts)
			}
		}
		r.answerAll(ok, 0)
		r.start()
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 40})
		for _, id := range ids {
			if a := r.attempts(app, id); len(a) != 1 || a[0].Number != 1 {
				t.Errorf("the attempts are %+v, want one", a)
			}
		}
	})
}

func TestStoppedEngineStoresWhatItAcceptsAsDue(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		engine := r.engine
		r.halt()
		ids := r.accept(engine.Accept, r.events(app, 3, []byte(`{}`)))
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"pending": 3})
		if h := engine.Hold(ep); h.Hold != hook.HeldNoNode {
			t.Errorf("held by %q, want %q", h.Hold, hook.HeldNoNode)
		}
		r.start()
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 3})
	})
}

func TestResultsAreKeptUntilTheStoreTakesThem(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var failures atomic.Int64
		r.opts.Store = &faults{Store: r.store, beforeSettle: func([]hook.Settlement) error {
			if failures.Add(1) <= 8 {
				return hook.Unavailable(errors.New("the disk is full"))
			}
			return nil
		}}
		r.start()
		ids := r.publish(app, 30)
		pass(2 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"sending": 30})
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 30})
		if n := len(r.sends(all)); n != 30 {
			t.Errorf("%d sends, want 30", n)
		}
	})
}

func TestResultThatTheStoreRefusesHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var poison atomic.Pointer[hook.ID]
		r.opts.Store = &faults{Store: r.store, beforeSettle: func(batch []hook.Settlement) error {
			for _, s := range batch {
				if bad := poison.Load(); bad != nil && s.Lease.Message.ID == *bad {
					return errors.New("a row that cannot be written")
				}
			}
			return nil
		}}
		r.start()
		r.answerAll(ok, 10*time.Millisecond)
		ids := r.publish(app, 31)
		poison.Store(&ids[10])
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 30, "sending": 1})
		poison.Store(nil)
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 31})
	})
}

func TestUnsettledResultsStopNewLeases(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app := r.app(0)
		r.opts.MaxInFlight = 256
		var broken atomic.Bool
		broken.Store(true)
		r.opts.Store = &faults{Store: r.store, beforeSettle: func([]hook.Settlement) error {
			if broken.Load() {
				return hook.Unavailable(errors.New("the disk is full"))
			}
			return nil
		}}
		for range 60 {
			r.endpoint(app, 0)
		}
		r.start()
		r.stored(app, 100)
		pass(10 * time.Minute)
		if n := len(r.sends(all)); n < 4096 || n > 4096+256 {
			t.Errorf("%d sends while nothing can be recorded, want 4096 and those that were in flight then", n)
		}
		broken.Store(false)
		pass(10 * time.Minute)
		if n := len(r.sends(all)); n != 6000 {
			t.Errorf("%d of 6000 were sent", n)
		}
	})
}

func TestLateResultOfAnEarlierLifeIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var lost atomic.Int64
		r.opts.Observer.Lost = func(n int) { lost.Add(int64(n)) }
		r.start()
		r.answerAll(ok, time.Second)
		ids := r.publish(app, 3)
		pass(100 * time.Millisecond)
		// Another life of the node takes over while the attempts run.
		r.register("test")
		pass(2 * time.Second)
		if n := lost.Load(); n != 3 {
			t.Errorf("%d results were lost, want 3", n)
		}
		r.wantStates(app, ep, ids, map[string]int{"pending released": 3})
	})
}

func TestRunEndsWithAnErrorWhenALoopDies(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var die atomic.Bool
		r.opts.Store = &faults{Store: r.store, beforeLanes: func() error {
			if die.Load() {
				panic("lanes")
			}
			return nil
		}}
		r.start()
		r.answerAll(ok, 5*time.Second)
		pass(27 * time.Second)
		ids := r.publish(app, 3)
		die.Store(true)
		err := <-r.result
		if err == nil || !strings.Contains(err.Error(), "sweep loop") {
			t.Errorf("Run gave %v", err)
		}
		r.wantStates(app, ep, ids, map[string]int{"delivered": 3})
		r.engine = nil
	})
}

func TestRunCanBeCalledOnce(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.start()
		if err := r.engine.Run(t.Context()); err == nil {
			t.Error("a second Run gave no error")
		}
	})
}
