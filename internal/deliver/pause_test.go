package deliver_test

import (
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// The store was slow to lease deliveries, and the endpoint asked for a pause
// meanwhile: they went out all the same.
func TestLeasesThatComeAfterAPauseWasAskedForAreGivenBack(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		r.opts.Store = &faults{Store: r.store, afterClaim: func([]hook.ClaimedLane) { time.Sleep(time.Second) }}
		r.start()
		r.answerAll(hook.Outcome{Class: hook.FailTooMany, Status: 429, RetryAfter: 2 * time.Minute}, 100*time.Millisecond)
		first := r.publish(app, 1)
		rest := r.stored(app, 5)
		r.engine.Wake(hook.Lane{Endpoint: ep, App: app, Due: r.wall()})
		pass(time.Minute)
		if n := len(r.sends(all)); n != 1 {
			t.Errorf("%d sends, want the one before the pause", n)
		}
		r.wantStates(app, ep, rest, map[string]int{"pending released": 5})
		r.answerAll(ok, 0)
		pass(3 * time.Minute)
		r.wantStates(app, ep, append(rest, first...), map[string]int{"delivered": 6})
	})
}
