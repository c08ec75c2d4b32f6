//go:build crash

package crash_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

const (
	// recoverWithin is how long after a restart the last delivery that was
	// outstanding may arrive, in spite of the load that goes on.
	recoverWithin = 2 * time.Second
	drainWithin   = 30 * time.Second
)

// recovery is what the restarts of a run took.
type recovery struct {
	first, all  []time.Duration // from the start of a process to its first and to each recovered delivery
	ready       []time.Duration
	beforeReady int // kills before the server was ready
}

func fromEnvironment(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	rig.Check(t, err)
	return n
}

func TestKillAtAnyMomentLosesNothing(t *testing.T) {
	rounds := fromEnvironment(t, "ROUNDS", 5)
	seed := fromEnvironment(t, "SEED", uint64(time.Now().UnixNano()))
	t.Logf("%d rounds; SEED=%d repeats the moments", rounds, seed)
	random := rand.New(rand.NewPCG(seed, 0))

	w := newWorld(t, rig.Targets())
	s := w.start(t)
	w.Furnish(t, s)
	w.Load(t)
	rig.Check(t, s.Stop(t.Context()))
	var r recovery
	for range rounds {
		w.live(t, lifetime(random), &r)
		if t.Failed() {
			return
		}
	}
	w.finish(t, &r)
}

// lifetime is how long a process lives, from its start: most die soon, some while
// they still start, and every fourth lives long enough to have recovered
// everything.
func lifetime(random *rand.Rand) time.Duration {
	if random.IntN(4) == 0 {
		return recoverWithin + time.Duration(random.IntN(500))*time.Millisecond
	}
	return time.Duration(5+random.IntN(1200)) * time.Millisecond
}

// live runs one process under load and kills it after that time.
func (w *world) live(t *testing.T, lives time.Duration, r *recovery) {
	t.Helper()
	pending := w.Ledger.Pending()
	s := w.Launch(t, w.Options)
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan error, 1)
	go func() {
		err := s.AwaitReady(ctx)
		if err == nil {
			w.Ledger.Open(s.Door())
		}
		ready <- err
	}()
	moment := time.NewTimer(lives)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-s.Exited():
		t.Errorf("the server ended by itself:\n%s", s.Log)
	}
	w.Ledger.Killed(s.Life, time.Now())
	s.Kill()
	cancel()
	if err := <-ready; err != nil {
		r.beforeReady++
	} else {
		r.ready = append(r.ready, s.Ready)
	}
	w.Ledger.ShutAll()
	w.measure(t, pending, s, lives, r)
}

// measure looks when the deliveries that were outstanding at a start arrived.
func (w *world) measure(t *testing.T, pending []rig.Parcel, s *rig.Server, lived time.Duration, r *recovery) {
	t.Helper()
	var took []time.Duration
	for _, p := range pending {
		at, arrived := w.Ledger.FirstIn(p, s.Life)
		switch {
		case arrived:
			took = append(took, at.Sub(s.Started))
		case lived >= recoverWithin:
			t.Errorf("%s for endpoint %s did not arrive within %s of a restart", p.Mark, w.Ledger.Targets[p.Target].Name, lived)
			if t.Failed() {
				return
			}
		}
	}
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	r.first = append(r.first, took[0])
	r.all = append(r.all, took...)
	if slowest := took[len(took)-1]; slowest > recoverWithin {
		t.Errorf("the slowest of %d recovered deliveries took %s from the start", len(took), slowest)
	}
}

// finish lets the last process deliver everything and looks at the books.
func (w *world) finish(t *testing.T, r *recovery) {
	t.Helper()
	pending := w.Ledger.Pending()
	s := w.start(t)
	w.drain(t, s)
	r.ready = append(r.ready, s.Ready)
	w.measure(t, pending, s, time.Since(s.Started), r)
	rig.Check(t, s.Stop(t.Context()))
	books := w.Ledger.Audit(t)
	printBooks(t, books)
	r.print(t)
	w.auditDatabase(t, books, true)
}

// drain lets a server deliver everything that is left, and no more.
func (w *world) drain(t *testing.T, s *rig.Server) {
	t.Helper()
	w.Ledger.Open(s.Door())
	w.Ledger.End()
	if !w.Ledger.Drained(drainWithin) {
		t.Errorf("%d accepted deliveries did not arrive within %s", len(w.Ledger.Pending()), drainWithin)
	}
}

func (r *recovery) print(t *testing.T) {
	t.Helper()
	if len(r.all) == 0 {
		t.Error("no kill left a delivery outstanding: the load is too small to prove anything")
		return
	}
	slices.Sort(r.all)
	slices.Sort(r.first)
	t.Logf("%d deliveries were outstanding at a kill; from the start of the next process they took median %s, slowest %s",
		len(r.all), r.all[len(r.all)/2].Round(time.Millisecond), r.all[len(r.all)-1].Round(time.Millisecond))
	t.Logf("the first of each restart: median %s, slowest %s; /readyz said yes within %s; %d kills hit before",
		r.first[len(r.first)/2].Round(time.Millisecond), r.first[len(r.first)-1].Round(time.Millisecond),
		slices.Max(r.ready).Round(time.Millisecond), r.beforeReady)
}
