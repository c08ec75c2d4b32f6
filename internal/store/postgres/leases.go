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

// next gives the mark to write; from now on nothing below it is leased. It stays
// where it is if now is not to be relied on.
func (o *openLeases) next(now time.Time, unreliable bool) hook.ID {
	o.mu.Lock()
	defer o.mu.Unlock()
	if unreliable {
		return o.mark
	}
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
// a while, and given back once if they are there.
//
// Nothing in the database tells an orphan from a lease of the same delivery that this
// node took later, knowing it. So a claim that takes it makes it known, and no look
// comes between the commit of a claim and that.
type orphans struct {
	claims sync.RWMutex // held by claims together, by a look alone

	mu     sync.Mutex // guards the rest
	leases map[deliveryKey]*orphan
}

type orphan struct {
	lease *hook.Lease
	looks int // how often it was looked for
}

// orphanLooks is how many beats an orphan is looked for: the transaction may still
// be under way in the database.
const orphanLooks = 60

func newOrphans() *orphans { return &orphans{leases: map[deliveryKey]*orphan{}} }

func (o *orphans) add(leases []*hook.Lease) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range leases {
		o.leases[keyOf(l)] = &orphan{lease: l}
	}
}

// known takes out what is no orphan any more.
func (o *orphans) known(keys []deliveryKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range keys {
		delete(o.leases, k)
	}
}

// list gives the orphans to look for now.
func (o *orphans) list() []*hook.Lease {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := make([]*hook.Lease, 0, len(o.leases))
	for k, one := range o.leases {
		now = append(now, one.lease)
		if one.looks++; one.looks >= orphanLooks {
			delete(o.leases, k)
		}
	}
	return now
}

// freeOrphans gives back those that are there. It leaves them for the next beat
// while a claim is under way.
func (s *Store) freeOrphans(ctx context.Context, now time.Time) error {
	if !s.orphans.claims.TryLock() {
		return nil
	}
	defer s.orphans.claims.Unlock()
	freed, err := s.release(ctx, s.orphans.list(), now)
	s.orphans.known(freed)
	return err
}
