// Package storetest is the suite that every store must pass: what package store
// promises, tried from outside, through the contract alone.
//
// There is a file for each noun, one for what no tenant may see of another
// (isolation.go), one for callers that come at the same time (concurrency.go),
// one for the cost of a claim (work.go), and a test that runs random operations
// against a store and a small model of it and compares the two (model.go has the
// model, play.go the sequences, moves.go and chores.go the operations, watch.go
// the comparison).
//
// Each test has a store of its own, and its own time: nothing here reads a clock.
package storetest

import (
	"testing"

	"github.com/grapnelhq/grapnel/internal/store"
)

// Harness is a fresh store under test and what the contract cannot do to it.
type Harness struct {
	Store store.Store
	// Crash abandons the store as it is, as if its process had been killed now,
	// and opens what that left. Nothing of the old store may be used afterwards.
	Crash func(t *testing.T) store.Store
	// Visited counts what the store has looked at so far to answer: rows or
	// pages, whatever it can count, over reads and writes. nil: it cannot.
	Visited func(t *testing.T) int64
}

// Open makes a fresh and empty store that lives until the test ends. One that
// need not be durable may leave out the flush to disk, so that tests are fast.
type Open func(t *testing.T, durable bool) Harness

// test is one sentence about a store, and what tries it.
type test struct {
	name string
	run  func(f *fixture)
}

// groups are all tests, in the order in which they run.
var groups = []struct {
	noun  string
	tests []test
}{
	{"tenants", tenantTests},
	{"applications", applicationTests},
	{"event types", eventTypeTests},
	{"endpoints", endpointTests},
	{"accept", acceptTests},
	{"idempotency", idempotencyTests},
	{"claim", claimTests},
	{"settle", settleTests},
	{"failure clock", failureClockTests},
	{"resend", resendTests},
	{"lanes", laneTests},
	{"crash", crashTests},
	{"tasks", taskTests},
	{"lists", listTests},
	{"attempts", attemptTests},
	{"explain", explainTests},
	{"retention", retentionTests},
	{"isolation", isolationTests},
	{"concurrency", concurrencyTests},
	{"work", workTests},
}

// durableGroups run on a store that flushes to disk: what they try depends on
// how commits are grouped, or on what is left by a crash.
var durableGroups = map[string]bool{"crash": true, "concurrency": true}

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	for _, g := range groups {
		t.Run(g.noun, func(t *testing.T) {
			t.Parallel()
			for _, one := range g.tests {
				t.Run(one.name, func(t *testing.T) {
					t.Parallel()
					one.run(newFixture(t, open(t, durableGroups[g.noun])))
				})
			}
		})
	}
	t.Run("model", func(t *testing.T) {
		t.Parallel()
		runModel(t, open)
	})
}
