package deliver_test

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// faults is the real store with faults between it and the engine.
type faults struct {
	deliver.Store
	insteadOfClaim func(hook.ClaimRequest) []hook.ClaimedLane // nil: as the store does
	afterClaim     func([]hook.ClaimedLane)
	beforeSettle   func([]hook.Settlement) error
	beforeLanes    func() error
}

func (f *faults) Claim(ctx context.Context, r hook.ClaimRequest) ([]hook.ClaimedLane, error) {
	if f.insteadOfClaim != nil {
		if lanes := f.insteadOfClaim(r); lanes != nil {
			return lanes, nil
		}
	}
	lanes, err := f.Store.Claim(ctx, r)
	if f.afterClaim != nil {
		f.afterClaim(lanes)
	}
	return lanes, err
}

func (f *faults) Settle(ctx context.Context, s []hook.Settlement) ([]hook.Settled, error) {
	if f.beforeSettle != nil {
		if err := f.beforeSettle(s); err != nil {
			return nil, err
		}
	}
	return f.Store.Settle(ctx, s)
}

func (f *faults) Lanes(ctx context.Context, after hook.ID, limit int) ([]hook.Lane, error) {
	if f.beforeLanes != nil {
		if err := f.beforeLanes(); err != nil {
			return nil, err
		}
	}
	return f.Store.Lanes(ctx, after, limit)
}
