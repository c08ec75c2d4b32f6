package receivers_test

import (
	"errors"
	"sync"
)

var (
	errDuplicate = errors.New("the unique key is taken")
	errCut       = errors.New("the store is gone")
)

// books are a receiver's database: a table of effects by the id of their message. It can
// fail, and it lets transactions that read before they write meet.
type books struct {
	mu      sync.Mutex // guards what follows
	effects map[string]int
	cut     bool
	meeting *meeting
}

// meeting holds readers until all have read.
type meeting struct {
	left int
	all  chan struct{} // closed by the last reader, received by the others
}

func newBooks() *books { return &books{effects: map[string]int{}} }

// seen is SELECT: it sees what is committed and nothing of transactions beside it.
func (b *books) seen(id string) bool {
	b.mu.Lock()
	seen, m := b.effects[id] > 0, b.meeting
	if m != nil {
		if m.left--; m.left == 0 {
			b.meeting = nil
			close(m.all)
		}
	}
	b.mu.Unlock()
	if m != nil {
		<-m.all
	}
	return seen
}

// insert is INSERT into a table without a unique key.
func (b *books) insert(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return errCut
	}
	b.effects[id]++
	return nil
}

// insertUnique is INSERT into a table with a unique key: the effect and its key are one
// transaction.
func (b *books) insertUnique(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return errCut
	}
	if b.effects[id] > 0 {
		return errDuplicate
	}
	b.effects[id]++
	return nil
}

func (b *books) count(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.effects[id]
}

func (b *books) cutOff() (restore func()) {
	b.setCut(true)
	return func() { b.setCut(false) }
}

func (b *books) setCut(cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = cut
}

func (b *books) meet(readers int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.meeting = nil
	if readers > 1 {
		b.meeting = &meeting{left: readers, all: make(chan struct{})}
	}
}
