package node_test

import (
	"errors"
	"io"
	"log/slog"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/node"
)

func TestNodeBeatsAtRegularTimesAndStaysFresh(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.wantFresh(true, "after the start")
		for range 100 {
			pass(heartbeat)
			r.wantFresh(true, "while beats come back")
		}
		r.set(func(w *world) {
			if len(w.beats) != 102 || len(w.heard) != 101 || len(w.joined) != 1 { // the first two before it serves
				t.Errorf("%d beats, %d heard, joined %d times, want 102, 101 and once", len(w.beats), len(w.heard), len(w.joined))
			}
			b := w.beats[50]
			if b.Lease != lease || !b.Delivers || b.Seen != 50 || b.Node != (hook.Node{ID: 7, Epoch: 1}) {
				t.Errorf("the beat is %+v", b)
			}
		})
	})
}

func TestLeaseGoesStaleFourFifthsAfterTheLastBeatBegan(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set(func(w *world) { w.slow = 2 * time.Second })
		pass(heartbeat + time.Second)
		r.set(func(w *world) { w.down = true }) // but for the beat that is under way
		pass(7*time.Second - 1)
		r.wantFresh(true, "just before four fifths of the lease")
		pass(1)
		r.wantFresh(false, "four fifths of the lease after the last good beat began")
	})
}

func TestFailingStoreIsLoggedOnceAndOnceWhenItWorksAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for range 2 {
			r.set(func(w *world) { w.down = true })
			pass(9 * time.Second)
			r.wantFresh(false, "after nine seconds without the database")
			r.set(func(w *world) { w.down = false })
			pass(heartbeat)
			r.wantFresh(true, "with the first beat that comes back")
		}
		if began, ended := r.said("cannot renew its lease"), r.said("renewed again"); began != 2 || ended != 2 {
			t.Errorf("%d lines that it fails and %d that it works, want 2 and 2:\n%s", began, ended, r.log.String())
		}
	})
}

func TestStoreThatHangsIsAskedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set(func(w *world) { w.hang = true })
		pass(20 * time.Second)
		r.wantFresh(false, "while the store hangs")
		r.set(func(w *world) { w.hang = false })
		pass(lease / 4)
		r.wantFresh(true, "a quarter of the lease after it answers again")
	})
}

func TestLostNodeRegistersAgainAndSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set(func(w *world) { w.lost, w.pulse.Leader = true, true })
		pass(heartbeat)
		r.wantFresh(true, "after it has registered again")
		r.set(func(w *world) {
			want := []hook.Node{{ID: 7, Epoch: 1}, {ID: 7, Epoch: 2}}
			if !reflect.DeepEqual(w.joined, want) {
				t.Errorf("joined as %v, want %v", w.joined, want)
			}
			if last := w.beats[len(w.beats)-1]; last.Node.Epoch != 2 || last.Seen != 2 {
				t.Errorf("the first beat of the new life is %+v, want it to go on with the news", last)
			}
		})
		if n := r.said("its deliveries were taken over by others"); n != 1 {
			t.Errorf("said %d times that it was lost", n)
		}
	})
}

func TestLostNodeThatCannotRegisterStartsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set(func(w *world) { w.pulse.Leader = true })
		pass(heartbeat)
		r.set(func(w *world) { w.lost = true })
		// The store fails between the beat that says so and the registration.
		pass(heartbeat - 1)
		r.set(func(w *world) { w.slow = time.Second })
		pass(1)
		r.set(func(w *world) { w.down = true })
		pass(time.Second)
		r.wantFresh(false, "while it cannot register")
		if r.Leads() {
			t.Error("it leads although it is lost")
		}
		r.set(func(w *world) { w.slow, w.down = 0, false })
		pass(2 * time.Second)
		r.wantFresh(true, "when the store works again")
	})
}

func TestStoppedProcessIsStaleTheMomentItGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		pass(time.Minute)
		r.set(func(w *world) { w.skip, w.lost = 20*time.Second, true }) // no timer has fired yet
		r.wantFresh(false, "after 20 s in which nothing ran")
		pass(heartbeat)
		r.wantFresh(true, "when it has joined again")
		r.set(func(w *world) {
			if len(w.joined) != 2 {
				t.Errorf("joined %d times, want twice", len(w.joined))
			}
		})
	})
}

func TestLeaderWaitsForTheOthersWhenTheStoreWasAway(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set(func(w *world) { w.pulse.Leader = true })
		pass(heartbeat)
		away := func(d time.Duration) {
			r.set(func(w *world) { w.down = true })
			pass(d)
			r.set(func(w *world) { w.down = false })
			pass(heartbeat)
		}
		away(lease / 2)
		if !r.Leads() {
			t.Error("it does not lead, though no lease can have run out")
		}
		away(2 * lease)
		if r.Leads() {
			t.Error("it leads at once, and takes over what the others have not lost")
		}
		pass(lease)
		if !r.Leads() {
			t.Error("it does not lead again")
		}
	})
}

func TestLeaderLeadsAsLongAsItIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		leads := func(want bool, when string) {
			t.Helper()
			if r.Leads() != want {
				t.Errorf("it leads: %v %s", !want, when)
			}
		}
		leads(false, "before it is told")
		r.set(func(w *world) { w.pulse.Leader = true })
		pass(heartbeat)
		leads(true, "after a beat that said so")
		r.set(func(w *world) { w.pulse.Leader = false })
		pass(heartbeat)
		leads(false, "after another became leader")
		r.set(func(w *world) { w.pulse.Leader = true })
		pass(heartbeat)
		r.set(func(w *world) { w.down = true })
		pass(9 * time.Second)
		leads(false, "while its lease is stale")
	})
}

func TestSignalsGoWithTheNextBeatThatComesBackTheLatestOfEach(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		now := time.Now()
		signal := func(endpoint byte, hold hook.Hold, after time.Duration) hook.Signal {
			s := hook.Signal{Endpoint: hook.ID{endpoint}, Hold: hold}
			if after > 0 {
				s.Until = now.Add(after)
			}
			r.Signal(s)
			return s
		}
		r.set(func(w *world) { w.down = true })
		signal(1, hook.HeldCircuit, time.Second)
		limited := signal(1, hook.HeldRateLimit, time.Minute)
		signal(2, hook.HeldCircuit, time.Second)
		pass(2 * heartbeat)
		opened := signal(1, hook.HeldCircuit, 5*time.Second)
		closed := signal(2, hook.NotHeld, 0)
		r.set(func(w *world) { w.down, w.lost = false, true })
		pass(heartbeat)
		r.set(func(w *world) {
			want := []hook.Signal{limited, opened, closed}
			if got := w.beats[len(w.beats)-1].Signals; !reflect.DeepEqual(got, want) {
				t.Errorf("the signals are %+v, want %+v", got, want)
			}
		})
		pass(heartbeat)
		r.set(func(w *world) {
			if got := w.beats[len(w.beats)-1].Signals; len(got) > 0 {
				t.Errorf("signals are told again: %+v", got)
			}
		})
	})
}

func TestNewsAreToldOnceHoweverOftenTheyCome(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		change := func(revision int64) hook.EndpointChange {
			return hook.EndpointChange{Endpoint: hook.ID{1}, Revision: revision}
		}
		held := hook.Signal{Endpoint: hook.ID{1}, Hold: hook.HeldCircuit, Until: time.Now()}
		for _, p := range []hook.Pulse{
			{Changes: []hook.EndpointChange{change(1)}},
			{Changes: []hook.EndpointChange{change(1), change(2)}, Signals: []hook.Signal{held}},
			{Changes: []hook.EndpointChange{change(1), change(2)}, Signals: []hook.Signal{held}},
			{},
			{Changes: []hook.EndpointChange{change(1)}},
		} {
			r.set(func(w *world) { w.pulse = p })
			pass(heartbeat)
		}
		r.set(func(w *world) {
			var changes []hook.EndpointChange
			var signals []hook.Signal
			for _, p := range w.heard {
				changes, signals = append(changes, p.Changes...), append(signals, p.Signals...)
			}
			if !reflect.DeepEqual(changes, []hook.EndpointChange{change(1), change(2), change(1)}) || len(signals) != 1 {
				t.Errorf("told %+v and %+v", changes, signals)
			}
		})
	})
}

func TestNodeWithoutEngineKnowsWhatOthersHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, &world{}, 0, false)
		defer r.stop()
		ep, now := hook.ID{1}, time.Now()
		hold := func(want hook.Hold, when string) {
			t.Helper()
			if got := r.Hold(ep); got.Hold != want {
				t.Errorf("held by %q %s, want %q", got.Hold, when, want)
			}
		}
		hear := func(signals ...hook.Signal) {
			r.set(func(w *world) { w.pulse = hook.Pulse{Delivering: 2, Signals: signals} })
			pass(heartbeat)
			r.set(func(w *world) { w.pulse.Signals = nil })
		}
		hold(hook.HeldNoNode, "while no node delivers")
		hear(hook.Signal{Endpoint: ep, Hold: hook.HeldCircuit, Until: now.Add(time.Minute)})
		hold(hook.HeldCircuit, "after a node said so")
		hear(hook.Signal{Endpoint: ep})
		hold(hook.NotHeld, "after it closed the circuit")
		hear(hook.Signal{Endpoint: ep, Hold: hook.HeldRateLimit, Until: now.Add(2 * time.Minute)})
		hold(hook.HeldRateLimit, "after a 429")
		pass(2 * time.Minute)
		hold(hook.NotHeld, "when its time is over")
	})
}

func TestNodeThatLeavesIsNoLongerFresh(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.stop()
		if err := r.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.wantFresh(false, "after it has left")
		r.set(func(w *world) {
			if !reflect.DeepEqual(w.left, []hook.Node{{ID: 7, Epoch: 1}}) {
				t.Errorf("left as %v", w.left)
			}
		})
	})
}

func TestLeavingDoesNotWaitForAStoreThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.stop()
		r.set(func(w *world) { w.hang = true })
		before := time.Now()
		if err := r.Leave(t.Context()); err == nil {
			t.Error("no error although the store did not answer")
		}
		if took := time.Since(before); took > 2*time.Second {
			t.Errorf("it waited %v", took)
		}
	})
}

func TestStartFailsWithTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		elapsed := func() time.Duration { return 0 }
		k := node.New(node.Options{
			Store: &world{down: true}, Name: "test", Heartbeat: heartbeat, Lease: lease, Elapsed: elapsed,
			Clock: node.NewClock(time.Now, elapsed), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err := k.Start(t.Context()); !errors.Is(err, errDown) {
			t.Errorf("Start gave %v", err)
		}
		if k.Fresh() || k.Leads() {
			t.Error("it is fresh, or leads, without a beat")
		}
		if err := k.Leave(t.Context()); err != nil {
			t.Errorf("a node that never joined cannot leave: %v", err)
		}
	})
}
