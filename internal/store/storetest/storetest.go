// Package storetest is the suite that every store must pass: what package store
// promises, tried from outside, through the contract alone.
//
// There is a file for each noun, one for what no tenant may see of another
// (isolation.go), one for callers that come at the same time (concurrency.go),
// one for the cost of a claim (work.go), two for nodes that share a store
// (manynodes.go, nodenews.go) and one for those that cannot (onenode.go), and a
// test that runs random operations against a store and a small model of it and
// compares the two (model.go has the model, modelfeed.go its feeds and sums,
// play.go the sequences, moves.go and chores.go the operations, watch.go the
// comparison).
//
// Each test has a store of its own, and its own time: nothing here reads a clock.
package storetest

import (
	"slices"
	"testing"

	"github.com/grapnelhq/grapnel/internal/store"
)

// Harness is a fresh store under test and what the contract cannot do to it.
type Harness struct {
	Store store.Store
	// Crash abandons the store as it is, as if its process had been killed now,
	// and opens what that left. Nothing of the old store may be used afterwards.
	Crash func(t *testing.T) store.Store
	// Another opens the same store once more, as another node does, for as long as
	// the test lasts. nil: only one process can have it open.
	Another func(t *testing.T) store.Store
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

// group is the tests about one noun.
type group struct {
	noun  string
	tests []test
}

// groups are the tests for all stores, in the order in which they run.
var groups = []group{
	{"tenants", tenantTests},
	{"people", peopleTests},
	{"portal", portalTests},
	{"applications", applicationTests},
	{"event types", eventTypeTests},
	{"endpoints", endpointTests},
	{"sources", sourceTests},
	{"accept", acceptTests},
	{"idempotency", idempotencyTests},
	{"requests", requestTests},
	{"claim", claimTests},
	{"settle", settleTests},
	{"failure clock", failureClockTests},
	{"resend", resendTests},
	{"lanes", laneTests},
	{"crash", crashTests},
	{"tasks", taskTests},
	{"nodes", nodeTests},
	{"feed", feedTests},
	{"rollups", rollupTests},
	{"lists", listTests},
	{"recent", recentTests},
	{"issues", issueTests},
	{"traffic", trafficTests},
	{"attempts", attemptTests},
	{"explain", explainTests},
	{"retention", retentionTests},
	{"isolation", isolationTests},
	{"concurrency", concurrencyTests},
	{"work", workTests},
}

// groupsOf are the tests for a store: all those above, and those for what
// several nodes do to it, or for what it promises if there can only be one.
func groupsOf(h Harness) []group {
	if h.Another == nil {
		return append(slices.Clone(groups), group{"one node", oneNodeTests})
	}
	return append(slices.Clone(groups), group{"many nodes", manyNodesTests})
}

// durableGroups run on a store that flushes to disk: what they try depends on
// how commits are grouped, or on what is left by a crash.
var durableGroups = map[string]bool{"crash": true, "concurrency": true}

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	first := open(t, false)
	for _, g := range groupsOf(first) {
		t.Run(g.noun, func(t *testing.T) {
			t.Parallel()
			for _, test := range g.tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.run(newFixture(t, open(t, durableGroups[g.noun])))
				})
			}
		})
	}
	t.Run("moving", func(t *testing.T) {
		t.Parallel()
		runMoving(t, open)
	})
	t.Run("model", func(t *testing.T) {
		t.Parallel()
		runModel(t, open, first.Another != nil)
	})
}
