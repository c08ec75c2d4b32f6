package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Store is what the Keeper asks of the store.
type Store interface {
	RegisterNode(ctx context.Context, name string, lease time.Duration, now time.Time) (hook.Node, error)
	Beat(ctx context.Context, b hook.Beat) (hook.Pulse, error)
	LeaveNode(ctx context.Context, n hook.Node, now time.Time) error
}

// Options configure a Keeper. All fields must be set.
type Options struct {
	Store    Store
	Name     string // of this process and no other
	Delivers bool   // the node has an engine
	// Heartbeat is the time from one beat to the next; Lease how long the node counts
	// as alive after one, at least 4 heartbeats.
	Heartbeat, Lease time.Duration
	Elapsed          func() time.Duration // a monotonic clock: the time since any fixed moment
	Clock            *Clock               // is told the store's time
	Log              *slog.Logger
}

const (
	// registerTimeout bounds a registration, which may have the deliveries of an
	// earlier life to make due.
	registerTimeout = 30 * time.Second
	// leaveTimeout bounds the farewell. A node that cannot say it is missed when its
	// lease runs out.
	leaveTimeout = 2 * time.Second
)

// Keeper keeps this node alive. Start it, let others Follow, then Run it. Its
// questions may be asked from many goroutines.
type Keeper struct {
	Options
	joined func(hook.Node)
	hear   func(hook.Pulse)

	// freshUntil is the reading of Elapsed up to which sends may start.
	freshUntil atomic.Int64
	leads      atomic.Bool
	// leadsFrom is the reading of Elapsed before which this node does not lead.
	leadsFrom  atomic.Int64
	delivering atomic.Int64

	// Of the goroutine that beats:
	node    hook.Node
	lost    bool          // must register before it beats again
	last    hook.Pulse    // the news of the last beat
	failing bool          // the last beat failed
	since   time.Duration // when that began

	mu      sync.Mutex // guards what follows
	signals []hook.Signal
	held    map[hook.ID]hook.HoldState // what other nodes found out, while it lasts
}

// New makes a Keeper and starts nothing.
func New(o Options) *Keeper {
	return &Keeper{
		Options: o, lost: true, joined: func(hook.Node) {}, hear: func(hook.Pulse) {},
		held: map[hook.ID]hook.HoldState{},
	}
}

// Start registers the node and beats once, so that the clock is right and it is
// known who leads. An error is the store's.
func (k *Keeper) Start(ctx context.Context) error {
	for range 2 { // the first beat brings the store's clock, the second one goes by it
		if err := k.beat(ctx); err != nil {
			return fmt.Errorf("joining the other nodes: %w", err)
		}
	}
	k.Log.InfoContext(ctx, "node joined", "name", k.Name, "node", k.node.ID, "epoch", k.node.Epoch, "leader", k.last.Leader)
	return nil
}

// Follow says who is told that the node has joined, now and with each new epoch,
// and what each beat brings. Called between Start and Run.
func (k *Keeper) Follow(joined func(hook.Node), hear func(hook.Pulse)) {
	k.joined, k.hear = joined, hear
	joined(k.node)
	hear(k.last)
}

// Run beats until ctx is done. A store that fails is asked again with each beat.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(k.Heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		k.note(ctx, k.beat(ctx))
	}
}

// Leave ends the node, after Run and after everything that it held was given back.
func (k *Keeper) Leave(ctx context.Context) error {
	k.freshUntil.Store(0)
	if k.lost {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	if err := k.Store.LeaveNode(ctx, k.node, k.Clock.Now()); err != nil {
		return fmt.Errorf("leaving the other nodes: %w", err)
	}
	return nil
}

// Fresh reports whether sends may start and leases be taken at this very moment.
func (k *Keeper) Fresh() bool { return int64(k.Elapsed()) < k.freshUntil.Load() }

// Leads reports whether this node does the chores that one node does for all. After
// a time without the store in which all leases ran out it does none for the length of
// a lease: the others are there as well, and renew theirs first.
func (k *Keeper) Leads() bool {
	return k.leads.Load() && k.Fresh() && int64(k.Elapsed()) >= k.leadsFrom.Load()
}

// errLostAgain says that the lease ran out between registering and the first beat.
var errLostAgain = errors.New("the lease ran out before the first beat came back")

// beat renews the lease, registering first if the node is lost, and tells what it hears.
func (k *Keeper) beat(ctx context.Context) error {
	for range 2 {
		if k.lost {
			if err := k.register(ctx); err != nil {
				return err
			}
		}
		pulse, err := k.ask(ctx)
		if err != nil {
			return err
		}
		if !pulse.Lost {
			k.take(pulse)
			return nil
		}
		k.lose(ctx)
	}
	return errLostAgain
}

// register begins a new epoch.
func (k *Keeper) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	n, err := k.Store.RegisterNode(ctx, k.Name, k.Lease, k.Clock.Now())
	if err != nil {
		return err
	}
	k.node, k.lost = n, false
	k.joined(n)
	return nil
}

// ask makes one beat.
func (k *Keeper) ask(ctx context.Context) (hook.Pulse, error) {
	ctx, cancel := context.WithTimeout(ctx, k.Lease/4)
	defer cancel()
	signals := k.takeSignals()
	before := k.Elapsed()
	p, err := k.Store.Beat(ctx, hook.Beat{
		Node: k.node, Lease: k.Lease, Delivers: k.Delivers, Seen: k.last.Seen, Signals: signals, Now: k.Clock.Now(),
	})
	if err != nil || p.Lost {
		k.giveBack(signals)
		return p, err
	}
	if !p.Clock.IsZero() {
		k.Clock.told(p.Clock, before, k.Elapsed())
	}
	if k.failing && !k.Fresh() {
		k.leadsFrom.Store(int64(k.Elapsed() + k.Lease))
	}
	k.freshUntil.Store(int64(before + k.Lease/5*4))
	return p, nil
}

// take takes over the news of a beat and tells them, but for what the last one
// brought already: a store reads again what it cannot be sure to have told.
func (k *Keeper) take(p hook.Pulse) {
	before := k.last
	k.last = p
	p.Changes, p.Signals = news(p.Changes, before.Changes), news(p.Signals, before.Signals)
	k.leads.Store(p.Leader)
	k.delivering.Store(int64(p.Delivering))
	k.remember(p.Signals)
	k.hear(p)
}

// lose notes that others have taken the deliveries over.
func (k *Keeper) lose(ctx context.Context) {
	k.lost = true
	k.freshUntil.Store(0)
	k.leads.Store(false)
	k.Log.WarnContext(ctx, "this node was too long without the database; its deliveries were taken over by others",
		"node", k.node.ID, "epoch", k.node.Epoch)
}

// note writes a line when beats begin to fail and one when they work again.
func (k *Keeper) note(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !k.failing:
		k.failing, k.since = true, k.Elapsed()
		k.Log.ErrorContext(ctx, "the node cannot renew its lease; it sends nothing from when that runs out until the database answers",
			"error", err, "lease", k.Lease)
	case err == nil && k.failing:
		k.failing = false
		k.Log.InfoContext(ctx, "the node's lease is renewed again", "after", (k.Elapsed() - k.since).Round(time.Millisecond))
	}
}
