// Package sim_test runs the whole server in simulated time: the real handlers,
// engine, sender, chores and SQLite store on a network inside the process, with
// receivers that fail in every way, a disk that fails and crashes, and a clock
// that jumps. What happens follows from a seed; after each step the invariants
// of docs/design.md are checked against what callers and receivers saw.
//
// world is the machine (disk, clock, network, processes), workload what callers
// do, receiver what endpoints do, ledger what was promised, and the files named
// check_ what must hold. docs/testing.md tells what is deterministic.
package sim_test

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var (
	oneSeed   = flag.Uint64("sim.seed", 0, "run this seed alone")
	firstSeed = flag.Uint64("sim.first", 1, "the first of many seeds")
	seeds     = flag.Int("sim.seeds", shortSet, "how many seeds to run")
	steps     = flag.Int("sim.steps", 120, "how many steps each seed takes")
	verbose   = flag.Bool("sim.trace", false, "print the whole trace, and the server's log, of each seed")
)

// TestSimulation plays seeds; each is a run of its own.
func TestSimulation(t *testing.T) {
	t.Parallel()
	first, count := *firstSeed, *seeds
	if *oneSeed != 0 {
		first, count = *oneSeed, 1
	}
	for i := range count {
		seed := first + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			play(t, seed)
		})
	}
}

// stuckAfter is how much real time a seed may take; it needs less than a second of
// a processor, with the race detector a few. A goroutine that spins keeps simulated
// time from passing, and nothing inside the bubble would notice.
const stuckAfter = 5 * time.Minute

// play runs one seed in a bubble. A bubble begins in 2000, when there were no ids.
func play(t *testing.T, seed uint64) {
	t.Helper()
	dir := t.TempDir()
	watch := time.AfterFunc(stuckAfter, func() {
		panic(fmt.Sprintf("time stands still in a simulation: something spins\n\n%s", again(seed)))
	})
	defer watch.Stop()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		w := newWorld(t, seed, dir)
		defer w.end()
		w.begin()
		w.furnish()
		w.work(*steps)
		w.heal()
		w.settleDown()
		w.audit(final)
		w.checkFeeds()
	})
}
