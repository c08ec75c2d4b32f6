package api

import (
	"sync"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// budgetBodies is how many bodies of the longest kind fit into the budget.
const budgetBodies = 64

// bodyBudget bounds the memory of all long bodies that are being read or worked
// on. One environment gets half of it at most.
type bodyBudget struct {
	most int64

	mu   sync.Mutex // guards what follows
	used int64
	by   map[hook.ID]int64 // environment
}

func newBodyBudget(maxBody int64) *bodyBudget {
	return &bodyBudget{most: budgetBodies * maxBody, by: map[hook.ID]int64{}}
}

// take reports whether there was room for n more bytes.
func (b *bodyBudget) take(env hook.ID, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used+n > b.most || b.by[env]+n > b.most/2 {
		return false
	}
	b.used += n
	b.by[env] += n
	return true
}

// give takes back what a call held.
func (b *bodyBudget) give(env hook.ID, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	if b.by[env] -= n; b.by[env] == 0 {
		delete(b.by, env)
	}
}
