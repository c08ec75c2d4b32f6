package deliver_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestNewMessagesLeavePlacesToThoseThatWait(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.opts.MaxInFlight = 32
		var n atomic.Int64
		r.answer(func(ctx context.Context, _ *hook.Lease) hook.Outcome {
			return later(ctx, 100*time.Millisecond+time.Duration(n.Add(1)*37%80)*time.Millisecond+time.Microsecond, ok)
		})
		r.start()
		var busy, fresh []hook.ID // three applications and their endpoints
		for range 3 {
			app := r.app(0)
			busy = append(busy, app)
			for range 100 {
				fresh = append(fresh, r.endpoint(app, 0))
			}
		}
		send := func(i int) {
			events := r.events(busy[i/100], 1, []byte(`{}`))
			events[0].Only = fresh[i]
			r.accept(r.engine.Accept, events)
		}
		for i := range 40 {
			send(i * 7)
		}
		var late []hook.ID
		for range 40 { // they find every place taken
			app, ep := r.lone()
			r.publish(app, 1)
			late = append(late, ep)
		}
		// More comes than the places serve, each to an endpoint of which nothing waits.
		for i := range 300 {
			if i%7 != 0 {
				send(i)
				pass(time.Millisecond)
			}
		}
		overtaken := 0
		for _, ep := range late {
			if len(r.sends(to(ep))) != 1 {
				overtaken++
			}
		}
		if overtaken > len(late)/3 { // time does not suffice for all of them
			t.Errorf("%d of %d messages were overtaken by all that came after them", overtaken, len(late))
		}
	})
}

func TestRetriesDoNotKeepFirstAttemptsWaiting(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		old := r.publish(app, 1000)
		pass(time.Minute) // all delivered, and the endpoint forgotten
		r.answerAll(ok, time.Second)
		for _, id := range old {
			r.resend(app, id, ep)
		}
		pass(500 * time.Millisecond)
		before := len(r.sends(all))
		ids := r.publish(app, 100)
		pass(2 * time.Second)
		var first, retries int
		for _, s := range r.sends(all)[before:] {
			if s.retry {
				retries++
			} else {
				first++
			}
		}
		if first < 30 || retries < 20 {
			t.Errorf("%d first attempts and %d retries in 2 s, want the places shared", first, retries)
		}
		pass(time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 100})
		if n := len(r.sends(all)); n != 2100 {
			t.Errorf("%d sends, want 2100", n)
		}
	})
}

func TestLeasesThatWaitForASilentEndpointAreGivenBack(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(ok, 5*time.Millisecond)
		r.publish(app, 1) // it is known to be fast now, so leases are taken ahead
		pass(100 * time.Millisecond)
		r.answer(hang)
		ids := r.publish(app, 300)
		pass(100 * time.Millisecond)
		if s := r.engine.Stats(); s.Leased < 100 || s.Sending != 32 {
			t.Fatalf("%d are leased and %d sent, want many leased and 32 sent", s.Leased, s.Sending)
		}
		pass(1500 * time.Millisecond)
		if s := r.engine.Stats(); s.Leased != 32 {
			t.Errorf("%d are still leased after 1.6 s without an answer, want the 32 in flight", s.Leased)
		}
		if got := r.states(app, ep, ids)["sending"]; got != 32 {
			t.Errorf("%d deliveries are stored as sending, want 32", got)
		}
		r.answerAll(ok, 0)
		pass(30 * time.Minute)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 300})
	})
}

func TestLaneThatGivesNothingIsNotAskedInAHotLoop(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		ids := r.stored(app, 1)
		var claims atomic.Int64
		var mended atomic.Bool
		r.opts.Store = &faults{Store: r.store, insteadOfClaim: func(q hook.ClaimRequest) []hook.ClaimedLane {
			claims.Add(1)
			if mended.Load() {
				return nil
			}
			return []hook.ClaimedLane{{Next: q.Now.Add(-time.Second)}}
		}}
		r.start()
		pass(10 * time.Second)
		if n := claims.Load(); n < 50 || n > 110 {
			t.Errorf("%d claims in 10 s, want one every 100 ms", n)
		}
		mended.Store(true)
		pass(time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1})
	})
}

func TestRetriesLeavePlacesForFirstAttemptsElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.opts.MaxInFlight = 16
		r.start()
		places := map[hook.ID]hook.ID{}
		sent := map[hook.ID][]hook.ID{}
		for range 2 { // together they could hold all places but a few
			app, ep := r.lone()
			places[app], sent[app] = ep, r.publish(app, 50)
		}
		pass(time.Second)
		r.answerAll(ok, 10*time.Second)
		for app, ids := range sent {
			for _, id := range ids {
				r.resend(app, id, places[app])
			}
		}
		pass(5 * time.Second)
		if s := r.engine.Stats(); s.Leased > 12 {
			t.Errorf("retries hold %d of 16 places, want at most 12", s.Leased)
		}
		app, ep := r.lone()
		ids := r.publish(app, 2)
		pass(11 * time.Second)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 2})
	})
}

func TestApplicationsTakeTurns(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.opts.MaxInFlight = 16
		greedy, modest := r.app(0), r.app(0)
		var greedyEndpoints []hook.ID
		for range 4 {
			greedyEndpoints = append(greedyEndpoints, r.endpoint(greedy, 0))
		}
		ep := r.endpoint(modest, 0)
		r.stored(greedy, 500)
		ids := r.stored(modest, 40)
		r.answerAll(ok, 100*time.Millisecond)
		r.start()
		pass(1500 * time.Millisecond)
		r.wantStates(modest, ep, ids, map[string]int{"delivered": 40})
		atOnce := 0
		for _, s := range r.sends(all) {
			if s.endpoint != ep && s.at < 50*time.Millisecond {
				atOnce++
			}
		}
		if atOnce == 0 || atOnce > 8 {
			t.Errorf("the greedy application got %d of 16 places at once, want 1 to 8", atOnce)
		}
		pass(time.Minute)
		for _, ep := range greedyEndpoints {
			if n := len(r.sends(to(ep))); n != 500 {
				t.Errorf("%d of 500 were sent", n)
			}
		}
	})
}

func TestBodiesInFlightStayWithinTheMemory(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		const body, bound = 1 << 10, 16 << 10
		r.opts.MemoryBytes = bound
		var apps []hook.ID
		for range 4 {
			app, _ := r.lone()
			apps = append(apps, app)
		}
		r.start()
		r.answerAll(ok, 50*time.Millisecond)
		for range 5 {
			for _, app := range apps {
				r.publishBody(app, 30, make([]byte, body))
				if s := r.engine.Stats(); s.Bytes > bound {
					t.Errorf("%d bytes are held, want at most %d", s.Bytes, bound)
				}
			}
			pass(20 * time.Millisecond)
		}
		pass(10 * time.Second)
		if n := len(r.sends(all)); n != 600 {
			t.Errorf("%d of 600 were sent", n)
		}
		if n := r.mostAtOnce(); n > bound/body+1 {
			t.Errorf("%d bodies were in flight at once, want at most %d", n, bound/body)
		}
	})
}

func TestApplicationsThatHangLeavePlacesForOthers(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.opts.MaxInFlight = 512
		r.start()
		app, ep := r.lone()
		r.answer(func(ctx context.Context, l *hook.Lease) hook.Outcome {
			if l.Endpoint.ID == ep {
				return ok
			}
			return hang(ctx, l)
		})
		for range 20 { // each alone could fill many places, all together more than there are
			greedy := r.app(0)
			for range 50 {
				r.endpoint(greedy, 0)
			}
			r.publish(greedy, 1)
		}
		pass(time.Second)
		ids := r.publish(app, 1)
		pass(100 * time.Millisecond)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 1})
	})
}
