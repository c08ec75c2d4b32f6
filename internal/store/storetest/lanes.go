package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var laneTests = []test{
	{"are those that have work, with its earliest time", lanesWithWork},
	{"are all found by paging", lanesByPage},
	{"are canceled in slices", cancelInSlices},
	{"are counted for the metrics", queueStats},
}

// lane names a lane.
type lane struct {
	endpoint hook.ID
	retry    bool
}

// lanes gives all lanes with the earliest due time of each.
func (f *fixture) lanes() map[lane]time.Time {
	f.Helper()
	return f.lanesBy(100)
}

// lanesBy pages through the lanes. Both lanes of an endpoint are given together,
// so that none is lost between two pages: a page may be one longer than asked.
func (f *fixture) lanesBy(limit int) map[lane]time.Time {
	f.Helper()
	out := map[lane]time.Time{}
	var after hook.ID
	for {
		page := testx.Must(f.store.Lanes(f.ctx, after, limit))(f)
		testx.True(f, len(page) <= limit+1, "the page is bounded")
		for _, l := range page {
			_, twice := out[lane{l.Endpoint, l.Retry}]
			testx.True(f, !twice, "a lane is given once")
			out[lane{l.Endpoint, l.Retry}] = l.Due
			after = l.Endpoint
		}
		if len(page) == 0 {
			return out
		}
	}
}

func lanesWithWork(f *fixture) {
	busy := f.newEndpoint()
	later := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"later"} })
	f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"never"} })
	_, leases := f.sendLeased()
	start := f.now
	retryAt := f.settle(leases[0], answerFail).Due
	f.pass(time.Second)
	f.send()
	f.pass(time.Second)
	f.send()
	f.sendLeased()
	// A message for one of them alone, in the future.
	at := f.now.Add(time.Hour)
	f.accept(f.event(func(n *hook.NewEvent) { n.Only, n.DeliverAt = later.ID, at }))
	testx.Equal(f, f.lanes(), map[lane]time.Time{
		{busy.ID, true}: retryAt, {busy.ID, false}: start.Add(time.Second), {later.ID, false}: at,
	})
	for _, l := range testx.Must(f.store.Lanes(f.ctx, hook.ID{}, 100))(f) {
		testx.Equal(f, l.App, f.app)
	}
	f.claim(first(busy.ID, 1))
	testx.Equal(f, f.lanes()[lane{busy.ID, false}], start.Add(2*time.Second), "after the first was leased")
}

func lanesByPage(f *fixture) {
	want := map[lane]time.Time{}
	for i := range 7 {
		// Ids out of the order of creation.
		e := f.newEndpoint(func(e *hook.Endpoint) { e.ID = hook.NewID(f.now.Add(-time.Duration(i) * time.Hour)) })
		want[lane{e.ID, false}] = f.now.Add(time.Second)
		if i%2 == 0 {
			want[lane{e.ID, true}] = f.now.Add(policy.Steps[0])
		}
	}
	_, leases := f.sendLeased()
	for _, l := range leases {
		if _, ok := want[lane{l.Endpoint.ID, true}]; ok {
			f.settle(l, answerFail)
		} else {
			f.settle(l, answerOK)
		}
	}
	f.pass(time.Second)
	f.send()
	for _, limit := range []int{1, 2, 3, 4, 100} {
		testx.Equal(f, f.lanesBy(limit), want)
	}
}

func cancelInSlices(f *fixture) {
	e, other := f.newEndpoint(), f.newEndpoint()
	var ids []hook.ID
	for range 5 {
		ids = append(ids, f.send())
	}
	waiting := f.claim(first(e.ID, 2))[0].Leases
	f.settle(waiting[0], answerFail) // now in the other lane
	inFlight := waiting[1]
	f.pass(time.Minute)
	testx.Equal(f, testx.Must(f.store.CancelLane(f.ctx, e.ID, hook.ReasonEndpointDisabled, f.now, 3))(f), 0,
		"of an endpoint that was enabled again since")
	f.disable(e.ID)
	for _, want := range []int{3, 1, 0} {
		testx.Equal(f, testx.Must(f.store.CancelLane(f.ctx, e.ID, hook.ReasonEndpointDisabled, f.now, 3))(f), want)
	}
	for _, id := range ids {
		d := f.delivery(id, e.ID)
		switch id {
		case inFlight.Message.ID:
			testx.Equal(f, d.State, hook.Sending, "what is in flight")
		default:
			testx.Equal(f, []any{d.State, d.Reason, d.Due, d.UpdatedAt},
				[]any{hook.Canceled, hook.ReasonEndpointDisabled, time.Time{}, f.now})
		}
		testx.Equal(f, f.delivery(id, other.ID).State, hook.Pending, "another endpoint")
	}
	testx.Equal(f, f.settle(inFlight, answerOK), hook.Settled{})
	f.enable(e.ID) // what was canceled stays so
	testx.Equal(f, f.claim(first(e.ID, 9), retry(e.ID, 9)), []hook.ClaimedLane{{}, {}}, "what is left")
	testx.Equal(f, testx.Must(f.store.CancelLane(f.ctx, hook.NewID(f.now), hook.ReasonEndpointDeleted, f.now, 3))(f), 0)
}

func queueStats(f *fixture) {
	stats := func() hook.QueueStats {
		f.Helper()
		return testx.Must(f.store.QueueStats(f.ctx, f.now))(f)
	}
	testx.Equal(f, stats(), hook.QueueStats{})
	e := f.newEndpoint()
	f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"other"} })
	start := f.now
	f.sendAt(0, 60, 3600)
	f.sendLeased()
	testx.Equal(f, stats().OldestDue, start, "the oldest that is due")
	f.pass(2 * time.Minute)
	testx.Equal(f, stats().OldestDue, start, "the oldest that is due, later")
	f.claim(first(e.ID, 1))
	testx.Equal(f, stats().OldestDue, start.Add(time.Minute), "the oldest that is due and not leased")
	f.claim(first(e.ID, 1))
	testx.Equal(f, stats(), hook.QueueStats{Due: 1}, "one waits for a later time")
}
