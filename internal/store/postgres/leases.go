package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// openLeases knows the oldest message with a delivery that this process leased at
// accept and did not settle yet. Such deliveries are in no index: when a node has
// died they are looked for from there on.
//
// Invariant: every delivery that this process leased at accept belongs to a
// message with an id of at least the mark in the row of its node.
type openLeases struct {
	mu       sync.Mutex    // guards the rest
	bySecond map[int64]int // leases open, by the second of the message's id
	mark     hook.ID       // the mark that is on disk, or a lower one
}

// markRest is how far behind now the mark stays, because ids are made before
// their messages come here.
const markRest = time.Minute

func newOpenLeases() *openLeases { return &openLeases{bySecond: map[int64]int{}} }

// begin counts one more lease, and reports false for a message below the mark.
func (o *openLeases) begin(message hook.ID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if compareIDs(message, o.mark) < 0 {
		return false
	}
	o.bySecond[message.Time().Unix()]++
	return true
}

// end counts one less.
func (o *openLeases) end(message hook.ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	second := message.Time().Unix()
	if o.bySecond[second]--; o.bySecond[second] <= 0 {
		delete(o.bySecond, second)
	}
}

// next gives the mark to write; from now on nothing below it is leased.
func (o *openLeases) next(now time.Time) hook.ID {
	o.mu.Lock()
	defer o.mu.Unlock()
	mark := hook.IDAt(now.Add(-markRest))
	for second := range o.bySecond {
		if id := hook.IDAt(time.Unix(second, 0)); compareIDs(id, mark) < 0 {
			mark = id
		}
	}
	if compareIDs(mark, o.mark) > 0 {
		o.mark = mark
	}
	return o.mark
}

// reset forgets everything: the process is a new node.
func (o *openLeases) reset(mark hook.ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.bySecond)
	o.mark = mark
}

// orphans are leases of transactions of which nobody knows whether they were
// committed, because the connection broke. They are looked for with each beat, for
// a while, and given back if they are there.
type orphans struct {
	mu     sync.Mutex
	leases []*hook.Lease
	looks  []int // how often each was looked for
}

// orphanLooks is how many beats an orphan is looked for: the transaction may still
// be under way in the database.
const orphanLooks = 60

func (o *orphans) add(leases []*hook.Lease) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leases = append(o.leases, leases...)
	o.looks = append(o.looks, make([]int, len(leases))...)
}

// take gives the orphans to look for now.
func (o *orphans) take() []*hook.Lease {
	o.mu.Lock()
	defer o.mu.Unlock()
	var now, later []*hook.Lease
	var looks []int
	for i, l := range o.leases {
		now = append(now, l)
		if o.looks[i]+1 < orphanLooks {
			later, looks = append(later, l), append(looks, o.looks[i]+1)
		}
	}
	o.leases, o.looks = later, looks
	return now
}

// freeOrphans gives back those that are there.
func (s *Store) freeOrphans(ctx context.Context, now time.Time) error {
	leases := s.orphans.take()
	if len(leases) == 0 {
		return nil
	}
	return s.release(ctx, leases, now)
}
