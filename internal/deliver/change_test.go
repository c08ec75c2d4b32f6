package deliver_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// update changes an endpoint as the API does.
func (r *rig) update(app, endpoint hook.ID, change func(*hook.Endpoint)) {
	r.t.Helper()
	e, _, err := r.store.UpdateEndpoint(r.t.Context(), r.env, app, hook.Ref{ID: endpoint}, nil, func(e *hook.Endpoint) error {
		change(e)
		e.UpdatedAt = r.wall()
		return nil
	})
	r.must(err)
	closed := hook.ReasonNone
	if e.Disabled {
		closed = hook.ReasonEndpointDisabled
	}
	r.engine.EndpointChanged(e.ID, e.Revision, closed)
}

func (r *rig) disable(app, endpoint hook.ID) {
	r.t.Helper()
	r.update(app, endpoint, func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, r.wall()) })
}

func (r *rig) enable(app, endpoint hook.ID) {
	r.t.Helper()
	r.update(app, endpoint, (*hook.Endpoint).Enable)
}

func TestGoneDisablesTheEndpointAndCancelsWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		var disabled atomic.Int64
		r.opts.Observer = deliver.Observer{Disabled: func(why hook.DisableReason) {
			if why == hook.DisabledByGone {
				disabled.Add(1)
			}
		}}
		r.start()
		r.answerAll(gone, 10*time.Millisecond)
		ids := r.publish(app, 1200) // 32 in flight, the others wait
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"canceled gone_410": 1200})
		if n := len(r.sends(all)); n != 32 {
			t.Errorf("%d sends, want the 32 that were in flight", n)
		}
		if n := disabled.Load(); n != 1 {
			t.Errorf("told %d times that the endpoint was disabled, want once", n)
		}
		e, err := r.store.FindEndpoint(t.Context(), r.env, app, hook.Ref{ID: ep})
		r.must(err)
		if !e.Disabled || e.DisabledReason != hook.DisabledByGone {
			t.Errorf("the endpoint is %+v", e)
		}
		more := r.publish(app, 1)
		pass(time.Second)
		r.wantStates(app, ep, more, map[string]int{"canceled endpoint_disabled": 1})
	})
}

func TestEndpointThatOnlyFailsIsDisabledAfterTheSetTime(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.opts.DisableAfter = 2 * time.Hour
		r.start()
		r.answerAll(broken, 0)
		ids := r.publish(app, 2)
		pass(2 * time.Hour)
		r.wantStates(app, ep, ids, map[string]int{"pending retry": 2})
		pass(3 * time.Hour)
		r.wantStates(app, ep, ids, map[string]int{"canceled endpoint_disabled": 2})
		e, err := r.store.FindEndpoint(t.Context(), r.env, app, hook.Ref{ID: ep})
		r.must(err)
		if !e.Disabled || e.DisabledReason != hook.DisabledByFailing {
			t.Errorf("the endpoint is %+v", e)
		}
	})
}

func TestSuccessResetsTheDisableClock(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.opts.DisableAfter = 2 * time.Hour
		r.start()
		for range 6 {
			r.answerAll(broken, 0)
			r.publish(app, 1)
			pass(time.Hour)
			r.answerAll(ok, 0)
			r.publish(app, 1)
			pass(time.Minute)
		}
		e, err := r.store.FindEndpoint(t.Context(), r.env, app, hook.Ref{ID: ep})
		r.must(err)
		if e.Disabled {
			t.Errorf("the endpoint was disabled: %s", e.DisabledReason)
		}
	})
}

func TestDisableCancelsWhatWaitsAndStartsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, time.Second)
		ids := r.publish(app, 100)
		pass(500 * time.Millisecond)
		r.disable(app, ep)
		before := len(r.sends(all))
		pass(10 * time.Second)
		if n := len(r.sends(all)); n != before {
			t.Errorf("%d sends started after the endpoint was disabled", n-before)
		}
		r.wantStates(app, ep, ids, map[string]int{"delivered": before, "canceled endpoint_disabled": 100 - before})
		r.enable(app, ep)
		more := r.publish(app, 3)
		pass(10 * time.Second)
		r.wantStates(app, ep, more, map[string]int{"delivered": 3})
	})
}

func TestLaneThatIsFoundClosedIsCanceled(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		ids := r.stored(app, 700)
		_, _, err := r.store.UpdateEndpoint(t.Context(), r.env, app, hook.Ref{ID: ep}, nil, func(e *hook.Endpoint) error {
			e.Disable(hook.DisabledByUser, r.wall())
			return nil
		})
		r.must(err)
		r.start()
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"canceled endpoint_disabled": 700})
		if n := len(r.sends(all)); n != 0 {
			t.Errorf("%d sends to a disabled endpoint", n)
		}
	})
}

func TestWatcherHearsOfACanceledDelivery(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, time.Minute)
		ids := r.publish(app, 40)
		pass(time.Second)
		changed, stop := r.engine.Watch(ids[39])
		defer stop()
		r.disable(app, ep)
		pass(time.Second)
		select {
		case <-changed:
		default:
			t.Error("no signal came")
		}
		r.wantStates(app, ep, ids[39:], map[string]int{"canceled endpoint_disabled": 1})
	})
}

func TestDeleteCancelsWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(broken, 0)
		ids := r.publish(app, 5)
		pass(time.Second)
		_, err := r.store.DeleteEndpoint(t.Context(), r.env, app, hook.Ref{ID: ep}, r.wall())
		r.must(err)
		r.engine.EndpointChanged(ep, 0, hook.ReasonEndpointDeleted)
		pass(40 * time.Hour)
		if n := len(r.sends(all)); n != 5 {
			t.Errorf("%d sends, want the 5 before the deletion", n)
		}
		r.wantStates(app, ep, ids, map[string]int{"canceled endpoint_deleted": 5})
	})
}

func TestEnablingForgetsCircuitAndHold(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(hook.Outcome{Class: hook.FailTooMany, Status: 429, RetryAfter: 10 * time.Hour}, 0)
		r.publish(app, 20)
		pass(time.Second)
		if h := r.engine.Hold(ep); h.Hold != hook.HeldCircuit {
			t.Fatalf("held by %q, want %q", h.Hold, hook.HeldCircuit)
		}
		r.answerAll(ok, 0)
		r.disable(app, ep)
		pass(time.Second)
		r.enable(app, ep)
		r.answerAll(ok, time.Second)
		before := len(r.sends(all))
		ids := r.publish(app, 20)
		pass(100 * time.Millisecond)
		if n := len(r.sends(all)) - before; n != 20 {
			t.Errorf("%d attempts start at once, want all 20", n)
		}
		pass(2 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 20})
	})
}

func TestChangeLetsAProbeGoAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(broken, 0)
		r.publish(app, 10)
		pass(10 * time.Minute) // probes are minutes apart by now
		r.answerAll(ok, 0)
		ids := r.publish(app, 5)
		r.update(app, ep, func(e *hook.Endpoint) { e.URL = "https://example.com/mended" })
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 5})
	})
}

func TestLeaseOfAnOlderRevisionIsGivenBackAndClaimedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		ids := r.stored(app, 5)
		var changed atomic.Bool
		var wanted atomic.Int64
		// The endpoint is changed when its leases have left the store and have not
		// reached the engine.
		r.opts.Store = &faults{Store: r.store, afterClaim: func(lanes []hook.ClaimedLane) {
			if len(lanes[0].Leases) > 0 && changed.CompareAndSwap(false, true) {
				r.update(app, ep, func(e *hook.Endpoint) { e.URL = "https://example.com/new" })
				wanted.Store(lanes[0].Leases[0].Endpoint.Revision + 1)
			}
		}}
		r.start()
		pass(5 * time.Second)
		for _, s := range r.sends(all) {
			if s.revision < wanted.Load() {
				t.Errorf("an attempt was made with revision %d, after the change to %d", s.revision, wanted.Load())
			}
		}
		r.wantStates(app, ep, ids, map[string]int{"delivered": 5})
		for _, id := range ids {
			if a := r.attempts(app, id); len(a) != 1 || a[0].Number != 1 || a[0].URL != "https://example.com/new" {
				t.Errorf("the attempts are %+v", a)
			}
		}
	})
}

func TestNewsOfAnEarlierChangeIsIgnored(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, time.Second)
		ids := r.publish(app, 40)
		pass(100 * time.Millisecond)
		r.update(app, ep, func(e *hook.Endpoint) { e.Description = "changed" })
		r.engine.EndpointChanged(ep, 1, hook.ReasonEndpointDisabled)
		pass(10 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 40})
	})
}

func TestResendWhileInFlightIsExactlyOneMore(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, time.Second)
		ids := r.publish(app, 1)
		pass(500 * time.Millisecond)
		for range 3 {
			r.resend(app, ids[0], ep)
		}
		pass(time.Minute)
		sent := r.sends(all)
		if len(sent) != 2 || sent[0].manual || !sent[1].manual || sent[1].number != 2 {
			t.Errorf("the sends are %+v, want one by schedule and one by hand", sent)
		}
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1})
	})
}

func TestFailedResendLeavesTheScheduleAlone(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(broken, 0)
		ids := r.publish(app, 1)
		pass(10 * time.Second) // two attempts; the third is due five minutes after the second
		due := r.delivery(app, ids[0], ep).Due
		r.resend(app, ids[0], ep)
		pass(time.Second)
		d := r.delivery(app, ids[0], ep)
		if !d.Due.Equal(due) || d.State != hook.Pending || d.Attempts != 3 || d.Step != 2 {
			t.Errorf("after a failed resend the delivery is %+v, want due at %v", d, due)
		}
		r.answerAll(ok, 0)
		pass(5 * time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1})
		if sent := r.sends(all); len(sent) != 4 || !sent[2].manual || sent[3].manual {
			t.Errorf("the sends are %+v", sent)
		}
	})
}

func (r *rig) resend(app, message, endpoint hook.ID) {
	r.t.Helper()
	lane, err := r.store.Resend(r.t.Context(), r.env, app, hook.Ref{ID: message}, hook.Ref{ID: endpoint}, r.wall(), nil)
	r.must(err)
	r.engine.Wake(lane)
}
