package deliver_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestThrottleRatesHoldOverTenSeconds(t *testing.T) {
	tests := []struct {
		name             string
		appRate, epRate  int
		endpoints        int
		backlog          bool // stored before the start, so that it is claimed
		wantOverTenSecs  int
		wantHeldEndpoint hook.Hold
	}{
		{"of an endpoint", 0, 20, 1, false, 200, hook.HeldThrottle},
		{"of an endpoint, one a second", 0, 1, 1, false, 10, hook.HeldThrottle},
		{"of an endpoint with a backlog", 0, 6, 1, true, 60, hook.HeldThrottle},
		{"of an application", 30, 0, 3, false, 300, hook.HeldThrottle},
		{"of an application with a backlog", 30, 0, 3, true, 300, hook.HeldThrottle},
		{"of both, the application's lower", 10, 20, 2, false, 100, hook.HeldThrottle},
		{"of both, the endpoints' lower", 100, 10, 2, true, 200, hook.HeldThrottle},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				app := r.app(tt.appRate)
				var ep hook.ID
				for range tt.endpoints {
					ep = r.endpoint(app, tt.epRate)
				}
				const messages = 300
				if tt.backlog {
					r.stored(app, messages)
				}
				r.start()
				if !tt.backlog {
					r.publish(app, messages)
				}
				pass(10 * time.Second)
				sent := len(r.sends(all))
				if low, high := tt.wantOverTenSecs*9/10, tt.wantOverTenSecs*11/10; sent < low || sent > high {
					t.Errorf("%d sent in 10 s, want %d to %d", sent, low, high)
				}
				pass(10 * time.Millisecond)
				h := r.engine.Hold(ep)
				if h.Hold != tt.wantHeldEndpoint || h.Until.Before(r.wall()) || h.Until.After(r.wall().Add(2*time.Second)) {
					t.Errorf("held by %q until %v", h.Hold, h.Until)
				}
				pass(12 * time.Minute)
				if sent := len(r.sends(all)); sent != messages*tt.endpoints {
					t.Errorf("%d of %d were sent in the end", sent, messages*tt.endpoints)
				}
			})
		})
	}
}

func TestNewMessagesDoNotOvertakeThoseThatAThrottleHolds(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app := r.app(0)
		ep := r.endpoint(app, 10)
		r.start()
		ids := r.publish(app, 50)
		for range 60 {
			r.publish(app, 3) // thrice what the throttle lets pass
			pass(100 * time.Millisecond)
		}
		r.wantStates(app, ep, ids, map[string]int{"delivered": 50})
	})
}

func TestRetryAfterOf429HoldsTheWholeEndpoint(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(hook.Outcome{Class: hook.FailTooMany, Status: 429, RetryAfter: 2 * time.Minute}, 0)
		first := r.publish(app, 1)
		pass(time.Second)
		r.answerAll(ok, 0)
		rest := r.publish(app, 5)
		pass(time.Minute)
		if n := len(r.sends(all)); n != 1 {
			t.Errorf("%d sends during the hold, want the one before it", n)
		}
		if h := r.engine.Hold(ep); h.Hold != hook.HeldRateLimit || h.Until.Sub(r.wall()).Round(time.Second) != 59*time.Second {
			t.Errorf("held by %q until %v", h.Hold, h.Until)
		}
		r.wantStates(app, ep, rest, map[string]int{"pending": 5})
		pass(90 * time.Second)
		r.wantStates(app, ep, append(rest, first...), map[string]int{"delivered": 6})
		for _, s := range r.sends(all)[1:] {
			if s.at-r.sends(all)[0].at < 2*time.Minute {
				t.Errorf("a send came %v after the 429", s.at)
			}
		}
	})
}

func TestCircuitLetsOnlyProbesThroughUntilOneSucceeds(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		r.answerAll(broken, 0)
		ids := r.publish(app, 10)
		pass(time.Second)
		later := r.publish(app, 20)
		pass(time.Second)
		if n := len(r.sends(all)); n != 10 {
			t.Fatalf("%d sends, want the 10 that opened the circuit", n)
		}
		if h := r.engine.Hold(ep); h.Hold != hook.HeldCircuit || !h.Until.After(r.wall()) {
			t.Errorf("held by %q until %v", h.Hold, h.Until)
		}
		if held := r.engine.Stats().Held[hook.HeldCircuit]; held != 1 {
			t.Errorf("%d endpoints count as held by their circuit, want 1", held)
		}
		r.wantStates(app, ep, later, map[string]int{"pending": 20})
		pass(58 * time.Second)
		opened := r.sends(all)[9].at
		var probes []time.Duration
		for _, s := range r.sends(all)[10:] {
			probes = append(probes, (s.at - opened).Round(time.Second))
		}
		if len(probes) != 3 || probes[0] != 5*time.Second || probes[1] != 15*time.Second || probes[2] != 35*time.Second {
			t.Errorf("probes at %v after the opening, want 5s, 15s, 35s", probes)
		}
		r.answerAll(ok, 0)
		pass(20 * time.Minute)
		r.wantStates(app, ep, append(ids, later...), map[string]int{"delivered": 30})
		for _, id := range later {
			if n := len(r.attempts(app, id)); n > 2 {
				t.Errorf("a held message has %d attempts", n)
			}
		}
	})
}

func TestFlappingEndpointGetsEveryMessageInTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.start()
		start := r.wall()
		r.answer(func(ctx context.Context, _ *hook.Lease) hook.Outcome {
			if r.wall().Sub(start)/(10*time.Second)%2 == 0 {
				return later(ctx, 5*time.Millisecond, broken)
			}
			return later(ctx, 5*time.Millisecond, ok)
		})
		var ids []hook.ID
		for range 200 {
			ids = append(ids, r.publish(app, 3)...)
			pass(time.Second)
		}
		pass(8 * time.Hour)
		r.wantStates(app, ep, ids, map[string]int{"delivered": 600})
	})
}

func TestClockJumpsNeitherFreezeNorSkipNorHurry(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				app, ep := r.lone()
				var claims atomic.Int64
				r.opts.Observer = deliver.Observer{Claim: func(int, time.Duration) { claims.Add(1) }}
				r.start()
				r.answerAll(broken, 0)
				ids := r.publish(app, 3)
				pass(time.Second)
				r.jump(by)
				ids = append(ids, r.publish(app, 3)...)
				pass(20 * time.Second)
				for _, id := range ids {
					if n := len(r.attempts(app, id)); n != 2 {
						t.Errorf("%d attempts 20 s after a jump by %v, want 2", n, by)
					}
				}
				pass(35 * time.Hour)
				r.wantStates(app, ep, ids, map[string]int{"failed exhausted": 6})
				if n := len(r.sends(all)); n != 48 {
					t.Errorf("%d sends, want 48", n)
				}
				if n := claims.Load(); n > 500 {
					t.Errorf("%d claims for 48 sends", n)
				}
			})
		})
	}
}
