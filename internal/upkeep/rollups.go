package upkeep

import (
	"context"
	"log/slog"
	"time"
)

const (
	// rollupBatch is how many attempts one step sums up, and rollupEvery the rest
	// when it has caught up.
	rollupBatch = 1000
	rollupEvery = time.Second
)

// RollupStore is what Rollups asks of the store.
type RollupStore interface {
	RollUp(ctx context.Context, limit int) (int, error)
}

// Rollups sums attempts up by endpoint and hour. All fields must be set.
type Rollups struct {
	Store RollupStore
	Leads func() bool // this node does the chores
	Now   func() time.Time
	Log   *slog.Logger
}

// Run works until ctx ends.
func (r *Rollups) Run(ctx context.Context) error {
	l := loop{leads: r.Leads, log: r.Log, step: r.step, trouble: "attempts cannot be summed up, will try again"}
	return l.run(ctx)
}

func (r *Rollups) step(ctx context.Context) (time.Duration, error) {
	began := r.Now()
	n, err := r.Store.RollUp(ctx, rollupBatch)
	if err != nil {
		return 0, err
	}
	if n < rollupBatch {
		return rollupEvery, nil
	}
	return restAfter(r.Now().Sub(began)), nil
}
