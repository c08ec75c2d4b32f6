package upkeep

import (
	"context"
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Rescuer is what Rescue asks of the store.
type Rescuer interface {
	Rescue(ctx context.Context, now time.Time) (hook.Rescued, error)
}

// Rescue makes due again what dead nodes had leased. All fields must be set.
type Rescue struct {
	Store Rescuer
	Every time.Duration // from one look to the next
	Leads func() bool   // this node does the chores
	Now   func() time.Time
	Log   *slog.Logger
	// Wake tells the engine that a lane has new work.
	Wake func(hook.Lane)
}

// Run works until ctx ends.
func (r *Rescue) Run(ctx context.Context) error {
	l := loop{
		leads: r.Leads, log: r.Log, step: r.step, again: r.Every,
		trouble: "the deliveries of dead nodes cannot be taken over, will try again",
	}
	return l.run(ctx)
}

func (r *Rescue) step(ctx context.Context) (time.Duration, error) {
	got, err := r.Store.Rescue(ctx, r.Now())
	if err != nil {
		return 0, err
	}
	for _, lane := range got.Lanes {
		r.Wake(lane)
	}
	if got.Nodes > 0 {
		r.Log.WarnContext(ctx, "nodes died; what they had leased is due again", "nodes", got.Nodes, "deliveries", got.Deliveries)
	}
	return r.Every, nil
}
