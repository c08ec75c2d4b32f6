package deliver_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestMessageIsSentAtOnceAndRecorded(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, 3*time.Millisecond)
		ids := r.publish(app, 1)
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1})
		attempts := r.attempts(app, ids[0])
		if len(attempts) != 1 {
			t.Fatalf("%d attempts, want 1", len(attempts))
		}
		a := attempts[0]
		if a.ID.IsZero() || a.Number != 1 || a.Trigger != hook.TriggerScheduled || a.Outcome.Status != 200 ||
			a.URL != "https://example.com/hook" || a.Timings.Total != 3*time.Millisecond || !a.NextDue.IsZero() {
			t.Errorf("the attempt is %+v", a)
		}
	})
}

func TestRetriesKeepTheScheduleThenTheDeliveryFails(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(broken, 0)
		ids := r.publish(app, 1)
		pass(30 * time.Hour)
		r.wantStates(app, ep, ids, map[string]int{"failed exhausted": 1})
		sent := r.sends(all)
		if len(sent) != 8 {
			t.Fatalf("%d attempts, want 8", len(sent))
		}
		want := time.Duration(0)
		for i, s := range sent {
			if i > 0 {
				want += hook.DefaultSteps[i-1]
			}
			if late := s.at - sent[0].at - want; late < 0 || late > 10*time.Millisecond*time.Duration(i+1) {
				t.Errorf("attempt %d came %v after its time", i+1, late)
			}
			if s.number != i+1 {
				t.Errorf("attempt %d has number %d", i+1, s.number)
			}
		}
	})
}

func TestBacklogOfAnEarlierLifeIsDelivered(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		ids := r.stored(app, 700)
		r.start()
		pass(2 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 700})
		if n := len(r.sends(all)); n != 700 {
			t.Errorf("%d attempts, want 700", n)
		}
	})
}

func TestScheduledMessageWaitsForItsTimeAndDelaysNoOther(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		events := r.events(app, 2, []byte(`{}`))
		events[0].DeliverAt = r.wall().Add(time.Hour)
		ids := r.accept(r.engine.Accept, events)
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1, "pending scheduled": 1})
		pass(time.Hour)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 2})
		sent := r.sends(all)
		if wait := sent[1].at - sent[0].at; wait < time.Hour || wait > time.Hour+time.Second {
			t.Errorf("it was sent after %v", wait)
		}
	})
}

func TestHangingEndpointDoesNotDelayAnother(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app := r.app(0)
		sick, healthy := r.endpoint(app, 0), r.endpoint(app, 0)
		r.opts.AttemptTimeout = 15 * time.Second
		r.start()
		r.answer(func(ctx context.Context, l *hook.Lease) hook.Outcome {
			if l.Endpoint.ID == sick {
				return hang(ctx, l)
			}
			return later(ctx, time.Millisecond, ok)
		})
		var ids []hook.ID
		for range 100 {
			ids = append(ids, r.publish(app, 5)...)
			pass(10 * time.Millisecond)
		}
		r.wantStates(app, healthy, ids, map[string]int{"delivered": 500})
		if n := len(r.sends(to(sick))); n != 32 {
			t.Errorf("the hanging endpoint has %d attempts in flight, want 32", n)
		}
	})
}

func TestManyHangingEndpointsLeavePlacesForTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.opts.MaxInFlight = 256
		r.start()
		sick := map[hook.ID]bool{}
		var sickApps []hook.ID
		for range 20 { // 20 times 32 is far more than there are places
			app, ep := r.lone()
			sick[ep] = true
			sickApps = append(sickApps, app)
		}
		app, healthy := r.lone()
		r.answer(func(ctx context.Context, l *hook.Lease) hook.Outcome {
			if sick[l.Endpoint.ID] {
				return hang(ctx, l)
			}
			return later(ctx, time.Millisecond, ok)
		})
		var ids []hook.ID
		for range 60 {
			for _, sickApp := range sickApps {
				r.publish(sickApp, 2)
			}
			ids = append(ids, r.publish(app, 1)...)
			pass(300 * time.Millisecond)
		}
		sent := r.sends(to(healthy))
		if len(sent) != len(ids) {
			t.Fatalf("%d of %d were sent", len(sent), len(ids))
		}
		for i, id := range ids {
			if q := r.attempts(app, id)[0].Timings.Queue; q > 100*time.Millisecond {
				t.Errorf("message %d waited %v", i, q)
			}
		}
	})
}

func TestEndpointCapGrowsWithSuccessesTo256(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, 100*time.Millisecond)
		ids := r.publish(app, 100)
		pass(50 * time.Millisecond)
		if n := r.mostAtOnce(); n != 32 {
			t.Errorf("%d at once to begin with, want 32", n)
		}
		if h := r.engine.Hold(ep); h.Hold != hook.HeldFull {
			t.Errorf("the others are held by %q, want %q", h.Hold, hook.HeldFull)
		}
		for range 24 {
			ids = append(ids, r.publish(app, 250)...)
			pass(50 * time.Millisecond)
		}
		pass(10 * time.Second)
		if n := r.mostAtOnce(); n != 256 {
			t.Errorf("%d at once, want 256", n)
		}
		r.wantStates(app, ep, ids, map[string]int{"delivered": len(ids)})
	})
}

func TestEndpointCapHalvesOnTimeoutsAndGrowsAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.opts.AttemptTimeout = time.Minute
		r.start()
		var n atomic.Int64
		r.answer(func(ctx context.Context, _ *hook.Lease) hook.Outcome {
			i := n.Add(1)
			switch {
			case i <= 9:
				return later(ctx, 15*time.Second, timedOut)
			case i <= 32:
				return later(ctx, 20*time.Second+time.Duration(i)*100*time.Millisecond, ok)
			}
			return later(ctx, time.Second, ok)
		})
		ids := r.publish(app, 200)
		pass(21*time.Second + 250*time.Millisecond)
		// 9 timeouts have halved the cap, once, to 16; 3 successes made it 19; the
		// other 20 of the first 32 still run.
		if n := len(r.sends(all)); n != 32 {
			t.Errorf("%d attempts were started, want 32: halving gives no places free", n)
		}
		pass(10 * time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 200})
		if n := r.mostAtOnce(); n <= 32 {
			t.Errorf("%d were in flight at most: it did not grow again", n)
		}
	})
}

func TestPanicInAnAttemptIsAnOutcomeAndTheEngineLives(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answer(func(context.Context, *hook.Lease) hook.Outcome { panic("a poisoned message") })
		ids := r.publish(app, 1)
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"pending retry": 1})
		if a := r.attempts(app, ids[0]); len(a) != 1 || a[0].Outcome.Class != hook.FailProtocol {
			t.Errorf("the attempts are %+v", a)
		}
		r.answerAll(ok, 0)
		pass(10 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1})
	})
}

func TestBodyThatIsGoneEndsTheDeliveryWithoutAnAttempt(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(broken, 0)
		ids := r.publish(app, 1)
		pass(time.Second)
		r.must(r.store.ExpungeMessage(t.Context(), r.env, app, hook.Ref{ID: ids[0]}))
		pass(time.Hour)
		r.wantStates(app, ep, ids, map[string]int{"canceled expired": 1})
		if n := len(r.sends(all)); n != 1 {
			t.Errorf("%d sends, want the first one only", n)
		}
		if n := len(r.attempts(app, ids[0])); n != 1 {
			t.Errorf("%d attempts are recorded, want 1", n)
		}
	})
}

func TestResendOfABodyThatIsGoneChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		ids := r.publish(app, 1)
		pass(time.Second)
		lane, err := r.store.Resend(t.Context(), r.env, app, hook.Ref{ID: ids[0]}, hook.Ref{ID: ep}, r.wall(), nil)
		r.must(err)
		r.must(r.store.ExpungeMessage(t.Context(), r.env, app, hook.Ref{ID: ids[0]}))
		r.engine.Wake(lane)
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1})
		if n := len(r.sends(all)); n != 1 {
			t.Errorf("%d sends, want the first one only", n)
		}
	})
}

func TestWatcherHearsOfSettledAttempts(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, _ := r.lone()
		r.start()
		r.answerAll(broken, time.Second)
		events := r.events(app, 1, []byte(`{}`))
		changed, stop := r.engine.Watch(events[0].ID)
		other, stopOther := r.engine.Watch(hook.NewID(r.wall()))
		defer stopOther()
		r.accept(r.engine.Accept, events)
		<-changed
		if n := len(r.attempts(app, events[0].ID)); n != 1 {
			t.Errorf("the signal came with %d attempts recorded, want 1", n)
		}
		<-changed
		if n := len(r.attempts(app, events[0].ID)); n != 2 {
			t.Errorf("the second signal came with %d attempts recorded, want 2", n)
		}
		stop()
		pass(time.Hour)
		select {
		case <-changed:
			t.Error("a signal came after stop")
		case <-other:
			t.Error("a signal came for another message")
		default:
		}
	})
}

func TestIdleEndpointsAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.start()
		for range 50 {
			app := r.app(100)
			r.endpoint(app, 10)
			r.publish(app, 3)
		}
		pass(time.Second)
		if n := r.engine.Stats().Endpoints; n != 50 {
			t.Errorf("%d endpoints are known, want 50", n)
		}
		pass(2 * time.Minute)
		if s := r.engine.Stats(); s.Endpoints != 0 || s.Leased != 0 || s.Sending != 0 || s.Bytes != 0 || s.Unsettled != 0 {
			t.Errorf("when nothing is left to do the engine holds %+v", s)
		}
	})
}
