package storetest

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var backlog = flag.Int("storetest.due", 0,
	"deliveries due behind one endpoint in the test of a claim's cost; 0: 1,000,000, or 20,000 with -short or the race detector")

var workTests = []test{
	{"a claim costs what it leases, not what is due", claimCost},
	{"statistics and feeds cost what they give, not what has ended", statisticsCost},
}

// claimCost counts what the store visits for claims and for the list of lanes,
// behind a few deliveries due to an endpoint that takes none of them, and behind
// a hundred times as many. What grows with them shows long before the million.
func claimCost(f *fixture) {
	if f.harness.Visited == nil {
		return // the store cannot count; its own package has to show it then
	}
	n := *backlog
	switch {
	case n > 0:
	case testing.Short() || raceDetector:
		n = 20_000
	default:
		n = 1_000_000
	}
	hanging := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"slow"} })
	healthy := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"fast"} })
	f.pile(hanging.ID, n/100)
	few := f.claimCosts(hanging.ID, healthy.ID)
	f.pile(hanging.ID, n-n/100)
	many := f.claimCosts(hanging.ID, healthy.ID)
	for what, before := range few {
		f.Logf("%s: visited %d behind %d, %d behind %d", what, before, n/100, many[what], n)
		// Trees get deeper by a page or two for each row; nothing else may grow.
		testx.True(f, many[what] <= 2*before+10,
			fmt.Sprintf("%s visits %d behind %d due and %d behind %d", what, before, n/100, many[what], n))
	}
}

// pile stores n messages for the hanging endpoint, half of them failed once, and
// takes a tenth of them in flight.
func (f *fixture) pile(endpoint hook.ID, n int) {
	f.Helper()
	held := n / 20
	slow := func(e *hook.NewEvent) { e.EventType, e.Body = "slow", []byte("{}") }
	for n > 0 {
		batch := make([]hook.NewEvent, min(n, 1000))
		n -= len(batch)
		for i := range batch {
			batch[i] = f.event(slow)
		}
		half := len(batch) / 2
		f.accept(batch[half:]...)
		var settle []hook.Settlement
		for _, a := range f.acceptWith(&places{room: everywhere}, batch[:half]...) {
			s := f.settlement(a.Leased[0], answerFail)
			s.Attempt = hook.Attempt{} // only the queue matters here
			settle = append(settle, s)
		}
		f.settleAll(settle...)
		f.pass(time.Second)
	}
	f.pass(time.Hour)
	f.claim(first(endpoint, held), retry(endpoint, held)) // in flight for ever
}

// claimCosts gives what the store visits for each kind of look at the queue.
func (f *fixture) claimCosts(hanging, healthy hook.ID) map[string]int64 {
	f.Helper()
	const k = 10
	events := make([]hook.NewEvent, k)
	for i := range events {
		events[i] = f.event(func(e *hook.NewEvent) { e.EventType = "fast" })
	}
	slow := make([]hook.NewEvent, k)
	for i := range slow {
		slow[i] = f.event(func(e *hook.NewEvent) { e.EventType = "slow" })
	}
	f.accept(slow...)
	cost := map[string]int64{}
	count := func(what string, look func()) { cost[what] = f.visits(look) }
	look := func(what string, endpoint hook.ID, most int) {
		f.accept(events...)
		for i := range events {
			events[i].ID = hook.NewID(f.now)
		}
		var leases []*hook.Lease
		count(what, func() { leases = f.claim(first(endpoint, most), retry(endpoint, most))[0].Leases })
		testx.Equal(f, len(leases), most, what)
		f.release(leases...)
		for _, c := range f.claim(first(healthy, 100)) {
			for _, l := range c.Leases {
				f.settle(l, answerOK)
			}
		}
	}
	look("a claim of ten from the healthy endpoint", healthy, k)
	look("a claim of ten from the hanging endpoint", hanging, k)
	look("a claim of none from the hanging endpoint", hanging, 0)
	count("the list of lanes", func() { f.lanes() })
	count("accepting to the hanging endpoint", func() { f.send(func(e *hook.NewEvent) { e.EventType = "slow" }) })
	count("canceling ten", func() {
		testx.Equal(f, testx.Must(f.store.CancelLane(f.ctx, hanging, hook.ReasonByUser, f.now, k))(f), k)
	})
	return cost
}

// statisticsCost counts what the store visits for statistics and feeds behind a
// history of some messages, and behind ten times as many in the same hours.
func statisticsCost(f *fixture) {
	if f.harness.Visited == nil {
		return // the store cannot count; its own package has to show it then
	}
	e := f.newEndpoint()
	start := f.now
	few := f.statisticsCosts(e.ID, start, 600)
	many := f.statisticsCosts(e.ID, start, 6000)
	for what, before := range few {
		f.Logf("%s: visited %d behind a history, %d behind a long one", what, before, many[what])
		testx.True(f, many[what] <= 2*before+10, fmt.Sprintf("%s visits %d behind a history, %d behind a long one", what, before, many[what]))
	}
}

// statisticsCosts adds n messages with an attempt each to the twelve hours from
// start on, and gives what is visited then.
func (f *fixture) statisticsCosts(endpoint hook.ID, start time.Time, n int) map[string]int64 {
	f.Helper()
	const hours = 12
	for hour := range hours {
		f.now = start.Add(time.Duration(hour)*time.Hour + 30*time.Minute)
		f.sendMany(n / hours)
	}
	f.now = start.Add(hours * time.Hour)
	for more := true; more; {
		more = f.rollUp(1000) == 1000
	}
	cursors := map[hook.FeedKind]hook.Cursor{}
	for _, kind := range hook.FeedKinds {
		cursors[kind] = testx.Must(f.store.FeedEnd(f.ctx, kind))(f)
	}
	f.sendMany(5)
	cost := map[string]int64{}
	count := func(what string, look func()) { cost[what] = f.visits(look) }
	count("the count of all attempts", func() {
		c := testx.Must(f.store.CountAttempts(f.ctx, f.env, f.app, endpoint, start.Add(-90*time.Minute), f.now.Add(90*time.Minute)))(f)
		testx.True(f, c.Success+c.Fail >= int64(n), "they are counted")
	})
	count("the hours of an endpoint", func() { testx.Equal(f, len(f.rollups(f.app, endpoint, start, f.now.Add(time.Hour))), hours+1) })
	count("the hours of an application", func() { testx.Equal(f, len(f.rollups(f.app, hook.ID{}, start, f.now.Add(time.Hour))), hours+1) })
	for _, kind := range hook.FeedKinds {
		count("the end of the feed of "+kind.String(), func() {
			p := testx.Must(f.store.ReadFeed(f.ctx, kind, f.env, cursors[kind], 10))(f)
			testx.Equal(f, len(p.Items), 5)
		})
	}
	count("summing up the last ones", func() { testx.Equal(f, f.rollUp(10), 5) })
	return cost
}

// sendMany stores messages for all endpoints, with an attempt each. Every fifth fails for good.
func (f *fixture) sendMany(n int) {
	f.Helper()
	events := make([]hook.NewEvent, n)
	for i := range events {
		events[i] = f.event()
	}
	var settle []hook.Settlement
	for i, a := range f.acceptWith(&places{room: everywhere}, events...) {
		for _, l := range a.Leased {
			s := f.settlement(l, answerOK)
			if i%5 == 4 {
				s = f.settlement(l, answerFail)
				s.Then = hook.Transition{State: hook.Failed, Reason: hook.ReasonExhausted, Step: 1}
			}
			settle = append(settle, s)
		}
	}
	f.settleAll(settle...)
}

// visits counts what the store visits for one look.
func (f *fixture) visits(look func()) int64 {
	f.Helper()
	before := f.harness.Visited(f.T)
	idle := f.harness.Visited(f.T) - before // what the counting itself visits
	before += idle
	look()
	return f.harness.Visited(f.T) - before - idle
}
