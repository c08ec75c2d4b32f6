package upkeep

import (
	"context"
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// lookOften is how soon retention looks again after it had work, and
	// lookSeldom the longest it waits when there was none.
	lookOften  = time.Second
	lookSeldom = time.Minute
)

// Expirer is what Retention asks of the store.
type Expirer interface {
	Expire(ctx context.Context, r hook.Retention, now time.Time) (hook.Expired, error)
}

// Retention removes what is no longer kept. All fields must be set.
type Retention struct {
	Store Expirer
	Keep  hook.Retention
	Leads func() bool // this node does the chores
	Now   func() time.Time
	Log   *slog.Logger
	// Removed is told what each slice removed.
	Removed func(hook.Expired)
}

// Run works until ctx ends.
func (r *Retention) Run(ctx context.Context) error {
	l := loop{leads: r.Leads, log: r.Log, step: r.step, trouble: "retention could not remove anything, will try again"}
	return l.run(ctx)
}

// step removes one slice.
func (r *Retention) step(ctx context.Context) (time.Duration, error) {
	began := r.Now()
	gone, err := r.Store.Expire(ctx, r.Keep, began)
	if err != nil {
		return 0, err
	}
	if some(gone) {
		r.Removed(gone)
		r.Log.DebugContext(ctx, "retention removed", "messages", gone.Messages, "payloads", gone.Payloads,
			"attempts", gone.Attempts, "keys", gone.Keys, "unsent", gone.Unsent)
	}
	if gone.Unsent > 0 {
		r.Log.WarnContext(ctx, "retention ended deliveries that were still waiting", "deliveries", gone.Unsent)
	}
	return r.rest(gone, r.Now().Sub(began)), nil
}

// rest is how long to wait after a slice that removed this and took so long.
func (r *Retention) rest(gone hook.Expired, took time.Duration) time.Duration {
	switch {
	case gone.More:
		return restAfter(took)
	case some(gone):
		return lookOften
	}
	shortest := lookSeldom * 60
	for _, keep := range []time.Duration{r.Keep.Messages, r.Keep.Payloads, r.Keep.Attempts} {
		if keep > 0 {
			shortest = min(shortest, keep)
		}
	}
	return min(max(shortest/60, lookOften), lookSeldom)
}

func some(e hook.Expired) bool {
	return e.Messages+e.Payloads+e.Attempts+e.Keys > 0
}
