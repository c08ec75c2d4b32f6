package node_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// storeTime is what a store's clock reads that is right.
func storeTime() time.Time { return time.Now() }

func TestClockIsTheStoresFromTheFirstBeatOn(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-time.Hour, 0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, &world{clock: storeTime, slow: 20 * time.Millisecond}, skew, true)
			defer r.stop()
			for range 10 {
				// The answer was on its way for as long as it may have taken.
				if off := time.Until(r.time.Now()); off.Abs() > 10*time.Millisecond {
					t.Errorf("a node whose clock is wrong by %v is off by %v", skew, off)
				}
				pass(time.Minute)
			}
		})
	}
}

func TestClockOfAStoreWithoutOneIsTheMachines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, &world{pulse: hook.Pulse{Delivering: 1}}, time.Hour, true)
		defer r.stop()
		pass(time.Minute)
		if off := time.Until(r.time.Now()); off != time.Hour {
			t.Errorf("the clock is off by %v, want the hour by which the machine's is", off)
		}
	})
}

func TestClockFollowsTheStoresButDoesNotTremble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shift := time.Duration(0)
		w := &world{slow: 20 * time.Millisecond}
		w.clock = func() time.Time { return time.Now().Add(shift) }
		r := start(t, w, 0, true)
		defer r.stop()
		off := func() time.Duration { return time.Until(r.time.Now()) }
		pass(heartbeat + 30*time.Millisecond)
		steady := off()
		for _, slow := range []time.Duration{30 * time.Millisecond, 100 * time.Millisecond, 25 * time.Millisecond} {
			r.set(func(w *world) { w.slow = slow })
			pass(time.Second)
			if off() != steady {
				t.Errorf("an answer after %v moved the clock from %v to %v", slow, steady, off())
			}
		}
		for _, by := range []time.Duration{time.Second, -time.Minute} {
			r.set(func(*world) { shift = by })
			pass(time.Second)
			if (off() - by).Abs() > 50*time.Millisecond {
				t.Errorf("the store's clock moved by %v, this one by %v", by, off())
			}
		}
	})
}
