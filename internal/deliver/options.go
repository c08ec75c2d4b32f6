package deliver

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Store is the queue as the engine drives it; the store contract says what each
// method does. It has six methods because a delivery's whole way is here.
type Store interface {
	Accept(ctx context.Context, node hook.Node, places hook.Placer, now time.Time, events []hook.NewEvent) ([]hook.Accepted, error)
	Lanes(ctx context.Context, after hook.ID, limit int) ([]hook.Lane, error)
	Claim(ctx context.Context, r hook.ClaimRequest) ([]hook.ClaimedLane, error)
	Settle(ctx context.Context, s []hook.Settlement) ([]hook.Settled, error)
	Release(ctx context.Context, leases []*hook.Lease, now time.Time) error
	CancelLane(ctx context.Context, endpoint hook.ID, reason hook.Reason, now time.Time, limit int) (int, error)
}

// SendFunc makes the one request of an attempt and says what came of it. It
// fills URL, Outcome, Timings (without Queue), Response and the headers; the
// engine fills the rest. It returns soon after ctx is done.
type SendFunc func(ctx context.Context, l *hook.Lease) hook.Attempt

// Options configure an Engine.
type Options struct {
	Store Store    // required
	Send  SendFunc // required

	// Now is the wall clock; it may jump. Required.
	Now func() time.Time
	// Elapsed is a monotonic clock: the time since any fixed moment. Nil: taken
	// from the monotonic reading that the times of Now carry, as time.Now's do.
	Elapsed func() time.Duration
	// Rand gives random numbers in [0, 1) for the jitter; nil: math/rand.
	Rand func() float64

	// RetryPolicy is passed to hook.Next as it is; no steps means no retries.
	RetryPolicy hook.RetryPolicy
	// DisableAfter is how long an endpoint may do nothing but fail before it is
	// disabled; 0: for ever.
	DisableAfter time.Duration

	MaxInFlight    int           // attempts at the same time, over all endpoints; 0: 4096
	MemoryBytes    int64         // of bodies in flight and answers not yet recorded; 0: 64 MiB
	AttemptTimeout time.Duration // the whole of one attempt; 0: 15 s
	DrainTimeout   time.Duration // for attempts that run when the engine is stopped; 0: 25 s
	Sweep          time.Duration // from one look through all lanes to the next; 0: 30 s

	// Fresh reports whether the lease of this node can still be relied on at this
	// very moment. It is asked before each send: while it says no, nothing is sent
	// and nothing leased. Nil: always.
	Fresh func() bool
	// Signal is told what the other nodes should know of an endpoint. It must not
	// block and not call the engine. Nil: nobody is told.
	Signal func(hook.Signal)

	Logger   *slog.Logger // nil: no log
	Observer Observer
}

// Observer is told what happens, for metrics. Nil functions are not called.
// They must not block, and are called from many goroutines.
type Observer struct {
	// Attempt: one attempt has ended.
	Attempt func(class hook.Class, trigger hook.Trigger, t hook.Timings)
	// Claim: one call of Store.Claim took so long and gave so many leases.
	Claim func(leases int, took time.Duration)
	// Settle: one call of Store.Settle recorded so many attempts.
	Settle func(attempts int, took time.Duration)
	// Lost: so many attempts were not recorded because the lease was no longer ours.
	Lost func(attempts int)
	// Disabled: an attempt has disabled its endpoint.
	Disabled func(reason hook.DisableReason)

	// Claimed, Attempted and Settled are told of each delivery, for traces: what one
	// call of Store.Claim gave, an attempt that has ended, and what one call of
	// Store.Settle made of attempts. They must not change what they are given.
	Claimed   func(lanes []hook.ClaimedLane, began, ended time.Time)
	Attempted func(l *hook.Lease, a hook.Attempt)
	Settled   func(s []hook.Settlement, results []hook.Settled, began, ended time.Time)
}

func (o *Options) setDefaults() {
	if o.Store == nil || o.Send == nil || o.Now == nil {
		panic("deliver: Store, Send and Now are required")
	}
	if o.Elapsed == nil {
		first := o.Now()
		o.Elapsed = func() time.Duration { return o.Now().Sub(first) }
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = 4096
	}
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = 64 << 20
	}
	if o.AttemptTimeout <= 0 {
		o.AttemptTimeout = 15 * time.Second
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = 25 * time.Second
	}
	if o.Sweep <= 0 {
		o.Sweep = sweepEvery
	}
	if o.Fresh == nil {
		o.Fresh = func() bool { return true }
	}
	if o.Signal == nil {
		o.Signal = func(hook.Signal) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Observer.setDefaults()
}

func (o *Observer) setDefaults() {
	if o.Attempt == nil {
		o.Attempt = func(hook.Class, hook.Trigger, hook.Timings) {}
	}
	if o.Claim == nil {
		o.Claim = func(int, time.Duration) {}
	}
	if o.Settle == nil {
		o.Settle = func(int, time.Duration) {}
	}
	if o.Lost == nil {
		o.Lost = func(int) {}
	}
	if o.Disabled == nil {
		o.Disabled = func(hook.DisableReason) {}
	}
}
