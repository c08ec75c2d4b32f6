package deliver_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// lateRelease is a store that takes leases back only after a cancel has found
// nothing, and gives the engine time to hear of it before the cancel's answer.
type lateRelease struct {
	deliver.Store
	empty    chan struct{} // closed by the first cancel that finds nothing
	once     sync.Once
	released int
}

func (s *lateRelease) Release(ctx context.Context, leases []*hook.Lease, now time.Time) error {
	<-s.empty
	s.released += len(leases)
	return s.Store.Release(ctx, leases, now)
}

func (s *lateRelease) CancelLane(ctx context.Context, endpoint hook.ID, reason hook.Reason, now time.Time, limit int) (int, error) {
	n, err := s.Store.CancelLane(ctx, endpoint, reason, now, limit)
	if n == 0 {
		s.once.Do(func() {
			close(s.empty)
			time.Sleep(time.Millisecond)
		})
	}
	return n, err
}

func TestWhatIsGivenBackWhileALaneIsCanceledIsCanceledToo(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		app, ep := r.lone()
		store := &lateRelease{Store: r.store, empty: make(chan struct{})}
		r.opts.Store = store
		r.start()
		r.answerAll(ok, 100*time.Millisecond)
		ids := r.publish(app, 200)
		pass(150 * time.Millisecond) // it answers, so leases wait for their turn
		r.disable(app, ep)
		pass(time.Second)
		if store.released == 0 {
			t.Fatal("no lease was given back")
		}
		states := r.states(app, ep, ids)
		if states["delivered"]+states["canceled endpoint_disabled"] != len(ids) {
			t.Errorf("a second after the endpoint was disabled: %v", states)
		}
	})
}
