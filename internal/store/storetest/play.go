package storetest

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
)

// seeds is how many random sequences the model test plays.
var seeds = flag.Int("storetest.seeds", 0, "random sequences of the model test; 0: 200, or 12 under the race detector, with -short or on a database server")

const (
	// length is how many operations a sequence has.
	length = 60
	// lookEvery is how many operations pass before everything is compared. The
	// operations compare their own answers all the time.
	lookEvery = 6
)

// runModel plays each seed as a subtest of its own. On a shared store, which is a
// database server, each takes much longer.
func runModel(t *testing.T, open Open, shared bool) {
	n := *seeds
	switch {
	case n > 0:
	case testing.Short() || raceDetector || shared:
		n = 12
	default:
		n = 200
	}
	for seed := range n {
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			t.Parallel()
			failure, _ := play(t, open, uint64(seed), lookEvery)
			if failure == "" {
				return
			}
			// Once more, with a look after each operation, to find the first one
			// after which the two differ.
			first, trace := play(t, open, uint64(seed), 1)
			if first == "" {
				t.Fatalf("seed %d failed once and not again: %s", seed, failure)
			}
			t.Fatalf("%s\n\nafter these operations (t: seconds since the start):\n%s\n\nrun it again: go test -run '%s' -storetest.seeds=%d",
				first, strings.Join(trace, "\n"), t.Name()+"$", seed+1)
		})
	}
}

// world plays one sequence on a store and the model side by side.
type world struct {
	*model
	t       *testing.T
	ctx     context.Context
	harness Harness
	store   store.Store
	env     hook.ID
	node    hook.Node
	rng     *rand.Rand    // decides what is done
	sizes   *rand.Rand    // decides how it is looked at, which changes nothing
	leases  []*modelLease // given and not ended by us, void ones too
	serial  uint64
	trace   []string
	cursors [2]hook.Cursor // by kind of feed: how far it was read
	read    [2]int         // and how many entries of the model's that is
}

// play gives the first mismatch, "" for none, and what was done up to then.
func play(t *testing.T, open Open, seed uint64, every int) (failure string, trace []string) {
	h := open(t, false)
	w := &world{
		model: &model{now: noon, keys: map[string]*modelKey{}},
		t:     t, ctx: t.Context(), harness: h, store: h.Store, rng: rand.New(rand.NewPCG(seed, 1)), sizes: rand.New(rand.NewPCG(seed, 2)),
	}
	defer func() {
		if r := recover(); r != nil {
			m, ok := r.(mismatch)
			if !ok {
				panic(r)
			}
			failure, trace = string(m), w.trace
		}
	}()
	w.begin()
	for i := range length {
		w.step()
		if (i+1)%every == 0 {
			w.watch()
		}
	}
	w.drain()
	w.watch()
	w.readOn()
	return "", nil
}

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%3d. t=%v ", len(w.trace), w.now.Sub(noon).Seconds())+fmt.Sprintf(format, args...))
}

// id makes ids that grow with each call, so that lists have one right order.
func (w *world) id() hook.ID {
	w.serial++
	id := hook.IDAt(w.now)
	binary.BigEndian.PutUint64(id[5:], w.serial)
	return id
}

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func pick[T any](w *world, from []T) T { return from[w.rng.IntN(len(from))] }

// name tells a delivery by the places of its message and endpoint.
func (w *world) name(d *modelDelivery) string {
	return w.messageName(d.message) + " to " + w.endpointName(d.endpoint)
}

func (w *world) messageName(msg *modelMessage) string {
	return fmt.Sprintf("m%d", binary.BigEndian.Uint64(msg.value.ID[5:]))
}

func (w *world) endpointName(e *modelEndpoint) string {
	return fmt.Sprintf("e%d", binary.BigEndian.Uint64(e.value.ID[5:]))
}

func (w *world) begin() {
	w.env = w.id()
	w.ok(w.store.CreateEnvironment(w.ctx, &hook.Environment{ID: w.env, Name: "model", CreatedAt: w.now}))
	for range 2 {
		a := hook.Application{ID: w.id(), Env: w.env, Name: "app", CreatedAt: w.now, UpdatedAt: w.now}
		_, _, err := w.store.CreateApplication(w.ctx, &a, nil)
		w.ok(err)
		w.apps = append(w.apps, a.ID)
	}
	w.register()
	for range 3 {
		w.createEndpoint()
	}
}

// operations are what a sequence is made of, each as often as its weight says.
var operations = []struct {
	weight int
	do     func(*world)
}{
	{14, (*world).passTime},
	{18, (*world).acceptSome},
	{20, (*world).claimSome},
	{22, (*world).settleSome},
	{5, (*world).releaseSome},
	{9, (*world).resendOne},
	{6, (*world).closeOrOpen},
	{1, (*world).deleteOne},
	{2, (*world).createEndpoint},
	{4, (*world).cancelSome},
	{4, (*world).recoverSome},
	{2, (*world).crashNow},
	{1, (*world).registerAgain},
	{3, (*world).expireSome},
	{2, (*world).expungeOne},
	{5, (*world).rollUpSome},
	{4, (*world).readOn},
}

func (w *world) step() {
	total := 0
	for _, o := range operations {
		total += o.weight
	}
	n := w.rng.IntN(total)
	for _, o := range operations {
		if n -= o.weight; n < 0 {
			o.do(w)
			return
		}
	}
}

// drain settles all that is in flight, so that each sequence ends with more
// ended deliveries than open ones.
func (w *world) drain() {
	for len(w.leases) > 0 {
		w.settleSome()
	}
}

func (w *world) passTime() {
	d := pick(w, []time.Duration{time.Second, 6 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 3 * time.Hour})
	// No two things happen at a bound by accident.
	w.now = w.now.Add(d + time.Duration(1+w.rng.IntN(999))*time.Microsecond)
	w.note("time passes")
}

func (w *world) register() {
	n, err := w.store.RegisterNode(w.ctx, "node", nodeLease, w.now)
	w.ok(err)
	w.node = n
	w.model.register()
}

func (w *world) registerAgain() {
	w.note("the node registers again")
	w.register()
	w.watch()
}

func (w *world) crashNow() {
	w.note("crash")
	w.store = w.harness.Crash(w.t)
	if w.chance(50) { // a server may write before it registers its node
		w.ok(w.store.TouchKeys(w.ctx, []hook.KeyUse{{Key: w.id(), At: w.now}}))
	}
	w.register()
	w.watch()
}
