package sim_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// world is everything around the server, and the server.
type world struct {
	t     *testing.T
	seed  uint64
	dice  *rand.Rand // of the one goroutine that takes the steps
	dir   string
	net   *testx.Network
	born  time.Time
	swarm swarm
	calls sync.WaitGroup // requests of callers under way
	stops sync.WaitGroup // processes that end in the background
	sites []*http.Server // of the receivers
	api   *http.Client
	env   hook.ID

	feeds []*follower

	mu       sync.Mutex          // guards what follows
	process  *process            // the one that runs, or ran last; only the taker of steps changes it
	origins  map[string]*process // by the near end of their connections
	clock    clock
	disk     disk
	tick     int64 // orders what callers did
	apps     []*app
	targets  []*target
	events   []*event
	byMark   map[string]*event
	byID     map[hook.ID]*event // accepted ones
	parcels  map[parcelKey]*parcel
	late     []overdue        // found by the audit that runs
	touched  map[*parcel]bool // have receipts that were not looked at
	lines    []string
	faults   []string
	failed   bool
	finished bool
}

// swarm is which kinds of trouble a seed has: each alone and all together find
// different things.
type swarm struct {
	jumps, crashes, restarts, slow, failing, lost bool
	moods                                         []mood
}

func newWorld(t *testing.T, seed uint64, dir string) *world {
	t.Helper()
	w := &world{
		t: t, seed: seed, dice: rand.New(rand.NewPCG(seed, 0x6772)), dir: dir, net: testx.NewNetwork(), born: time.Now(),
		origins: map[string]*process{}, byMark: map[string]*event{}, byID: map[hook.ID]*event{}, parcels: map[parcelKey]*parcel{}, touched: map[*parcel]bool{},
	}
	w.api = w.newClient()
	odds := func(percent int) bool { return w.dice.IntN(100) < percent }
	w.swarm = swarm{jumps: odds(40), crashes: odds(65), restarts: odds(50), slow: odds(50), failing: odds(50), lost: odds(60)}
	for m := range moodCount {
		if m == good || odds(50) {
			w.swarm.moods = append(w.swarm.moods, m)
		}
	}
	w.feeds = newFollowers()
	return w
}

// chance gives dice for one thing that may happen at any moment, so that what
// comes of it does not depend on the order in which goroutines run.
func (w *world) chance(name string, parts ...int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, name, parts)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// age is the time since the beginning, for chance.
func (w *world) age() int { return int(time.Since(w.born)) }

// next gives the next number of the order of things.
func (w *world) next() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tick++
	return w.tick
}

// pass lets time go by and then waits until every goroutine waits.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// heal ends all trouble: the disk is well, receivers answer, and the wall clock
// is at the farthest time that it has shown, so that nothing waits for it.
func (w *world) heal() {
	w.note("everything is mended")
	w.mu.Lock()
	w.disk = disk{}
	w.clock.jump(w.clock.peak - w.clock.offset)
	for _, g := range w.targets {
		g.mood = good
	}
	w.mu.Unlock()
	w.revive()
}

// patience is how long everything may take to end once all is well: the longest
// retry, Retry-After and pause between two probes, one after the other.
const patience = 45 * time.Minute

// settleDown waits for all calls, deliveries and tasks to end.
func (w *world) settleDown() {
	w.calls.Wait()
	for until := time.Now().Add(patience); time.Now().Before(until) && !w.broken(); {
		w.pass(20 * time.Second)
		w.look()
		if w.idle() {
			return
		}
	}
}

// end stops whatever still runs; the bubble must be empty.
func (w *world) end() {
	w.mu.Lock()
	w.finished = true
	w.disk = disk{}
	for _, g := range w.targets {
		g.mood = good
	}
	w.mu.Unlock()
	w.calls.Wait()
	if w.process != nil {
		w.halt(w.process)
	}
	w.stops.Wait()
	for _, s := range w.sites {
		s.Close()
	}
	w.api.CloseIdleConnections()
	w.report()
}
