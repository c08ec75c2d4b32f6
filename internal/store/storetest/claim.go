package storetest

import (
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var claimTests = []test{
	{"what is due first is given first", claimInOrderOfDue},
	{"no more than asked for is given", claimMax},
	{"bodies are bounded, but one delivery is always given", claimMaxBytes},
	{"a delivery is given once", claimOnce},
	{"first attempts and retries are two lanes", claimLanesApart},
	{"what is due later is not given, but told", claimFuture},
	{"a lane without work says so", claimEmpty},
	{"an endpoint that takes nothing is closed", claimClosed},
	{"each lane gets its own answer", claimManyLanes},
	{"a retry says what was tried", claimRetry},
	{"a lease whose payload is gone says so", claimGone},
	{"a released lease is due again and counts no attempt", claimRelease},
	{"releasing what is no longer held changes nothing", releaseStale},
}

// dueTimes gives when each lease was due.
func dueTimes(leases []*hook.Lease) []time.Time {
	out := make([]time.Time, 0, len(leases))
	for _, l := range leases {
		out = append(out, l.Due)
	}
	return out
}

// sendAt stores messages that are due so many seconds from now.
func (f *fixture) sendAt(seconds ...int) []time.Time {
	f.Helper()
	var times []time.Time
	for _, s := range seconds {
		at := f.now.Add(time.Duration(s) * time.Second)
		f.send(func(e *hook.NewEvent) { e.DeliverAt = at })
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

func claimInOrderOfDue(f *fixture) {
	e := f.newEndpoint()
	times := f.sendAt(7, 3, 9, 1, 5, 8, 2)
	f.pass(time.Hour)
	c := f.claim(first(e.ID, 3))[0]
	testx.Equal(f, dueTimes(c.Leases), times[:3])
	testx.Equal(f, c.Next, times[3], "the next one")
	f.release(c.Leases[1])
	c = f.claim(first(e.ID, 3))[0]
	testx.Equal(f, dueTimes(c.Leases), []time.Time{times[1], times[3], times[4]}, "after one was released")
	c = f.claim(first(e.ID, 3))[0]
	testx.Equal(f, dueTimes(c.Leases), times[5:])
	testx.Equal(f, c.Next, time.Time{}, "nothing is left")
}

func claimMax(f *fixture) {
	e := f.newEndpoint()
	times := f.sendAt(1, 2, 3)
	f.pass(time.Minute)
	c := f.claim(first(e.ID, 0))[0]
	testx.Equal(f, []any{len(c.Leases), c.Next}, []any{0, times[0]}, "asked for none")
	for want := 1; want <= 2; want++ {
		testx.Equal(f, len(f.claim(first(e.ID, want))[0].Leases), want)
	}
}

func claimMaxBytes(f *fixture) {
	e1, e2 := f.newEndpoint(), f.newEndpoint()
	sized := func(n int) {
		f.send(func(e *hook.NewEvent) { e.Body = make([]byte, n) })
		f.pass(time.Second)
	}
	for range 6 {
		sized(100)
	}
	sizes := func(maxBytes int) (got []int) {
		f.Helper()
		lanes := testx.Must(f.store.Claim(f.ctx, hook.ClaimRequest{
			Node: f.node, Now: f.now, MaxBytes: maxBytes, Lanes: []hook.ClaimLane{first(e1.ID, 5), first(e2.ID, 5)},
		}))(f)
		for _, c := range lanes {
			got = append(got, len(c.Leases))
			f.release(c.Leases...)
			testx.True(f, !c.Next.IsZero(), "the rest is told")
		}
		return got
	}
	testx.Equal(f, sizes(1<<20), []int{5, 5}, "room for all")
	testx.Equal(f, sizes(800), []int{5, 3}, "room for eight")
	testx.Equal(f, sizes(399), []int{3, 0}, "room for three and a bit")
	testx.Equal(f, sizes(100), []int{1, 0}, "room for one")
	testx.Equal(f, sizes(1), []int{1, 0}, "room for none")
	testx.Equal(f, sizes(0), []int{1, 0}, "no room")
	f.disable(e1.ID)
	lanes := testx.Must(f.store.Claim(f.ctx, hook.ClaimRequest{
		Node: f.node, Now: f.now, MaxBytes: 1, Lanes: []hook.ClaimLane{first(e1.ID, 5), first(e2.ID, 5)},
	}))(f)
	testx.Equal(f, len(lanes[1].Leases), 1, "the first delivery, though not of the first lane")
}

func claimOnce(f *fixture) {
	e := f.newEndpoint()
	for range 5 {
		f.send()
	}
	seen := map[hook.ID]int{}
	// The same lane twice in one claim, too.
	for range 3 {
		for _, c := range f.claim(first(e.ID, 2), first(e.ID, 1)) {
			for _, l := range c.Leases {
				seen[l.Message.ID]++
			}
		}
	}
	testx.Equal(f, len(seen), 5, "messages given")
	for _, n := range seen {
		testx.Equal(f, n, 1, "times given")
	}
}

func claimLanesApart(f *fixture) {
	e := f.newEndpoint()
	failed, leases := f.sendLeased()
	out := f.settle(leases[0], answerFail)
	f.pass(time.Hour)
	fresh := f.send()
	c := f.claim(first(e.ID, 10), retry(e.ID, 10))
	testx.Equal(f, []int{len(c[0].Leases), len(c[1].Leases)}, []int{1, 1})
	testx.Equal(f, c[0].Leases[0].Message.ID, fresh)
	testx.Equal(f, c[1].Leases[0].Message.ID, failed)
	testx.Equal(f, []bool{c[0].Leases[0].Retry, c[1].Leases[0].Retry}, []bool{false, true})
	testx.Equal(f, c[1].Leases[0].Due, out.Due)
}

func claimFuture(f *fixture) {
	e := f.newEndpoint()
	times := f.sendAt(10, 20)
	f.now = times[0].Add(-time.Microsecond)
	c := f.claim(first(e.ID, 10))[0]
	testx.Equal(f, []any{len(c.Leases), c.Next}, []any{0, times[0]}, "just before")
	f.now = times[0]
	c = f.claim(first(e.ID, 10))[0]
	testx.Equal(f, []any{len(c.Leases), c.Next}, []any{1, times[1]}, "at the time")
}

func claimEmpty(f *fixture) {
	e := f.newEndpoint()
	testx.Equal(f, f.claim(first(e.ID, 10), retry(e.ID, 10)), []hook.ClaimedLane{{}, {}})
	testx.Equal(f, f.claim(), []hook.ClaimedLane{}, "no lanes")
}

func claimClosed(f *fixture) {
	disabled, deleted, gone, open := f.newEndpoint(), f.newEndpoint(), f.newEndpoint(), f.newEndpoint()
	id := f.send()
	f.send()
	f.disable(disabled.ID)
	f.deleteEndpoint(deleted.ID)
	f.settle(f.claim(first(gone.ID, 1))[0].Leases[0], answerGone)
	c := f.claim(first(disabled.ID, 9), first(deleted.ID, 9), first(gone.ID, 9), first(open.ID, 9), first(hook.NewID(f.now), 9))
	for i, want := range []hook.Reason{
		hook.ReasonEndpointDisabled, hook.ReasonEndpointDeleted, hook.ReasonEndpointDisabled, hook.ReasonNone, hook.ReasonEndpointDeleted,
	} {
		testx.Equal(f, c[i].Closed, want)
		testx.Equal(f, len(c[i].Leases) > 0, want == hook.ReasonNone, "has leases")
	}
	f.expect(id, disabled.ID, state{Due: f.now}) // until the engine cancels it
	f.enable(disabled.ID)
	testx.Equal(f, len(f.claim(first(disabled.ID, 9))[0].Leases), 2, "leases once it is enabled again")
}

func claimManyLanes(f *fixture) {
	var endpoints []hook.Endpoint
	var ask []hook.ClaimLane
	for range 20 {
		endpoints = append(endpoints, f.newEndpoint())
	}
	f.send()
	f.send()
	for i, e := range slices.Backward(endpoints) {
		ask = append(ask, first(e.ID, i%3))
	}
	for i, c := range f.claim(ask...) {
		testx.Equal(f, len(c.Leases), ask[i].Max)
		for _, l := range c.Leases {
			testx.Equal(f, l.Endpoint.ID, ask[i].Endpoint)
		}
	}
}

func claimRetry(f *fixture) {
	e := f.newEndpoint()
	_, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	for want := 2; want <= 3; want++ {
		f.pass(time.Hour)
		l := f.claimOne(e.ID)
		testx.Equal(f, l.Number, want)
		testx.Equal(f, l.Tried, hook.Tried{State: hook.Pending, Reason: hook.ReasonRetry, Step: want - 1})
		f.settle(l, answerFail)
	}
}

func claimGone(f *fixture) {
	e := f.newEndpoint()
	id := f.send()
	l := f.claimOne(e.ID)
	f.must(f.store.ExpungeMessage(f.ctx, f.env, f.app, hook.Ref{ID: id}))
	f.settle(l, answerFail) // its body was in memory already
	f.pass(time.Hour)
	for _, c := range f.claim(retry(e.ID, 1)) {
		for _, l := range c.Leases {
			testx.True(f, l.Message.BodyGone && l.Message.Body == nil, "there is nothing to send")
			testx.Equal(f, l.Size(), 0)
			f.settleAll(f.untried(l))
		}
	}
	f.expect(id, e.ID, state{State: hook.Canceled, Reason: hook.ReasonExpired, Attempts: 1, Step: 1})
}

func claimRelease(f *fixture) {
	e := f.newEndpoint()
	id := f.send()
	due := f.now
	f.pass(time.Minute)
	l := f.claimOne(e.ID)
	f.pass(time.Minute)
	f.release(l)
	f.expect(id, e.ID, state{Reason: hook.ReasonReleased, Due: due})
	again := f.claimOne(e.ID)
	testx.Equal(f, []any{again.Number, again.Due, again.Retry}, []any{1, due, false})
	f.settle(again, answerFail)
	testx.Equal(f, f.numbers(id), []int{1}, "attempts")

	f.pass(time.Hour)
	inRetry := f.claimOne(e.ID)
	due = inRetry.Due
	f.release(inRetry)
	f.expect(id, e.ID, state{Reason: hook.ReasonReleased, Attempts: 1, Step: 1, Due: due})
	again = f.claimOne(e.ID)
	testx.Equal(f, []any{again.Number, again.Retry}, []any{2, true}, "a retry stays one")

	fromAccept, leases := f.sendLeased()
	due = f.now
	f.pass(time.Minute)
	f.release(leases...)
	f.expect(fromAccept, e.ID, state{Reason: hook.ReasonReleased, Due: due})
	f.settle(f.claimOne(e.ID), answerOK)
}

func releaseStale(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	f.release(leases...)
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})

	id = f.send()
	old := f.claimOne(e.ID)
	f.register()
	held := f.claimOne(e.ID)
	f.release(old)
	testx.Equal(f, f.delivery(id, e.ID).State, hook.Sending)
	testx.Equal(f, f.claim(first(e.ID, 9))[0], hook.ClaimedLane{}, "a claim while it is held")
	f.settle(held, answerOK)
	f.release()
}
