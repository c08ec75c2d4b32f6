package node_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/node"
)

const (
	heartbeat = 500 * time.Millisecond
	lease     = 10 * time.Second
)

var errDown = errors.New("the database does not answer")

// world is a store as far as nodes are concerned, for one node, and what that node
// tells the rest of its server.
type world struct {
	mu     sync.Mutex // guards what follows
	down   bool       // calls fail
	hang   bool       // calls do not come back before their deadline
	slow   time.Duration
	lost   bool             // the node's lease has run out
	clock  func() time.Time // the store's; nil: it has none
	skip   time.Duration    // by which the monotonic clock has run ahead of the timers
	pulse  hook.Pulse       // what the next beats bring
	epoch  int64
	beats  []hook.Beat
	left   []hook.Node
	joined []hook.Node
	heard  []hook.Pulse
	log    strings.Builder
}

func (w *world) RegisterNode(ctx context.Context, _ string, _ time.Duration, _ time.Time) (hook.Node, error) {
	if err := w.call(ctx); err != nil {
		return hook.Node{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = false
	w.epoch++
	return hook.Node{ID: 7, Epoch: w.epoch}, nil
}

func (w *world) Beat(ctx context.Context, b hook.Beat) (hook.Pulse, error) {
	if err := w.call(ctx); err != nil {
		return hook.Pulse{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost || b.Node.Epoch != w.epoch {
		return hook.Pulse{Lost: true}, nil
	}
	b.Signals = slices.Clone(b.Signals)
	w.beats = append(w.beats, b)
	p := w.pulse
	p.Seen = int64(len(w.beats))
	if w.clock != nil {
		p.Clock = w.clock()
	}
	return p, nil
}

func (w *world) LeaveNode(ctx context.Context, n hook.Node, _ time.Time) error {
	if err := w.call(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = append(w.left, n)
	return nil
}

func (w *world) call(ctx context.Context) error {
	w.mu.Lock()
	down, hang, slow := w.down, w.hang, w.slow
	w.mu.Unlock()
	if down {
		return errDown
	}
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(slow)
	return nil
}

// set changes the world.
func (w *world) set(change func(w *world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

func (w *world) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

// said counts log lines with a text in them.
func (w *world) said(text string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.log.String(), text)
}

// rig is a Keeper in a bubble of simulated time.
type rig struct {
	*world
	*node.Keeper
	t    *testing.T
	time *node.Clock
	stop func()
}

// bubble runs test with a node that has joined and beats.
func bubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, &world{pulse: hook.Pulse{Delivering: 1}}, 0, true)
		defer r.stop()
		test(t, r)
	})
}

// start makes a node whose wall clock is wrong by skew.
func start(t *testing.T, w *world, skew time.Duration, delivers bool) *rig {
	t.Helper()
	began := time.Now()
	elapsed := func() time.Duration {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Since(began) + w.skip
	}
	clock := node.NewClock(func() time.Time { return time.Now().Add(skew) }, elapsed)
	k := node.New(node.Options{
		Store: w, Name: "test", Delivers: delivers, Heartbeat: heartbeat, Lease: lease,
		Elapsed: elapsed, Clock: clock, Log: slog.New(slog.NewTextHandler(io.Writer(w), nil)),
	})
	if err := k.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	k.Follow(
		func(n hook.Node) { w.set(func(w *world) { w.joined = append(w.joined, n) }) },
		func(p hook.Pulse) { w.set(func(w *world) { w.heard = append(w.heard, p) }) })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1) // Run's goroutine sends, stop receives
	go func() { ended <- k.Run(ctx) }()
	r := &rig{world: w, Keeper: k, t: t, time: clock}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run gave %v", err)
		}
	})
	return r
}

// pass lets time go by and then waits until every goroutine waits.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) wantFresh(want bool, when string) {
	r.t.Helper()
	if r.Fresh() != want {
		r.t.Errorf("fresh is %v %s", !want, when)
	}
}
