package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var retentionTests = []test{
	{"keeps everything without limits", retentionOff},
	{"removes messages with all that belongs to them", retentionMessages},
	{"removes payloads and leaves the rest", retentionPayloads},
	{"lets a message say how long its payload is kept", retentionOwnPayloadTime},
	{"removes attempts and leaves the deliveries", retentionAttempts},
	{"ends what still waited, and counts it", retentionUnsent},
	{"leaves to the node what is in flight", retentionInFlight},
	{"drops a resend whose payload went", retentionResend},
	{"removes keys that have ended", retentionKeys},
	{"goes in slices", retentionSlices},
	{"looks at every tenant", retentionTenants},
	{"removes requests with their messages, and the others by their own time", retentionRequests},
	{"keeps requests as long as messages if nothing else is said", retentionRequestsLikeMessages},
	{"takes a payload from its request too", retentionRequestPayloads},
	{"removes the requests of a source that was deleted", retentionDeletedSource},
}

// expire removes all that is no longer kept, slice by slice.
func (f *fixture) expire(keep hook.Retention) (sum hook.Expired) {
	f.Helper()
	for range 10_000 {
		e := testx.Must(f.store.Expire(f.ctx, keep, f.now))(f)
		sum.Messages += e.Messages
		sum.Payloads += e.Payloads
		sum.Attempts += e.Attempts
		sum.Keys += e.Keys
		sum.Requests += e.Requests
		sum.Unsent += e.Unsent
		if !e.More {
			return sum
		}
	}
	f.Fatal("retention does not come to an end")
	return sum
}

const day = 24 * time.Hour

// old stores a message with one attempt, and lets a time go by.
func (f *fixture) old(endpoint hook.ID, then time.Duration, change ...func(*hook.NewEvent)) hook.ID {
	f.Helper()
	id := f.send(change...)
	f.settle(f.claimOne(endpoint), answerOK)
	f.pass(then)
	return id
}

// found reports whether a message is there.
func (f *fixture) found(id hook.ID) bool {
	f.Helper()
	_, err := f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{ID: id}, false)
	if err != nil {
		testx.Code(f, err, hook.CodeNotFound)
	}
	return err == nil
}

func retentionOff(f *fixture) {
	e := f.newEndpoint()
	id := f.old(e.ID, 10_000*day)
	testx.Equal(f, f.expire(hook.Retention{}), hook.Expired{})
	testx.True(f, !f.message(id).BodyGone && len(f.attempts(id)) == 1, "all is there")
}

func retentionMessages(f *fixture) {
	e := f.newEndpoint()
	gone := f.old(e.ID, day, func(n *hook.NewEvent) { n.EventID = "x" })
	kept := f.old(e.ID, 89*day)
	keep := hook.Retention{Messages: 90 * day}
	f.pass(-time.Hour)
	testx.Equal(f, f.expire(keep).Messages, 0, "an hour before")
	f.pass(2 * time.Hour)
	got := f.expire(keep)
	testx.Equal(f, []int{got.Messages, got.Unsent}, []int{1, 0})
	testx.True(f, !f.found(gone) && f.found(kept), "the old one is gone, the other kept")
	testx.Equal(f, f.expire(keep).Messages, 0, "again")
	list := testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, Page: hook.Page{Limit: 10}}))(f)
	testx.Equal(f, idsOf(list.Items, func(m hook.Message) hook.ID { return m.ID }), []hook.ID{kept})
	attempts := testx.Must(f.store.ListAttempts(f.ctx, hook.AttemptFilter{
		Env: f.env, App: f.app, Endpoint: e.ID, StatusClass: -1, Page: hook.Page{Limit: 10},
	}))(f)
	testx.Equal(f, len(attempts.Items), 1, "attempts of the endpoint")
	counts := testx.Must(f.store.CountAttempts(f.ctx, f.env, f.app, e.ID, noon.Add(-day), f.now))(f)
	testx.Equal(f, counts, hook.AttemptCounts{Success: 1})
	_, err := f.store.Resend(f.ctx, f.env, f.app, hook.Ref{ID: gone}, hook.Ref{ID: e.ID}, f.now, nil)
	testx.Code(f, err, hook.CodeNotFound)
	f.send(func(n *hook.NewEvent) { n.EventID = "x" }) // its event id is free again
	f.crash()
	f.register()
	testx.True(f, !f.found(gone) && f.found(kept), "after a crash")
	f.claimOne(e.ID)
}

func retentionPayloads(f *fixture) {
	e := f.newEndpoint()
	gone := f.old(e.ID, 10*day)
	kept := f.old(e.ID, 25*day)
	got := f.expire(hook.Retention{Payloads: 30 * day})
	testx.Equal(f, []int{got.Messages, got.Payloads, got.Attempts}, []int{0, 1, 0})
	m := f.message(gone)
	testx.True(f, m.BodyGone && m.Body == nil && m.BodySize > 0, "the payload is gone, the message stays")
	testx.True(f, !f.message(kept).BodyGone, "the younger one is kept")
	f.expect(gone, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	testx.Equal(f, f.numbers(gone), []int{1}, "attempts")
}

func retentionOwnPayloadTime(f *fixture) {
	e := f.newEndpoint()
	until := func(d time.Duration) func(*hook.NewEvent) {
		at := f.now.Add(d)
		return func(n *hook.NewEvent) { n.BodyExpiresAt = at }
	}
	short := f.old(e.ID, 0, until(time.Hour))
	long := f.old(e.ID, 0, until(100*day))
	usual := f.old(e.ID, 0)
	keep := hook.Retention{Payloads: 30 * day}
	gone := func(what string, want ...bool) {
		f.Helper()
		f.expire(keep)
		testx.Equal(f, []bool{f.message(short).BodyGone, f.message(long).BodyGone, f.message(usual).BodyGone}, want, what)
	}
	f.pass(time.Hour - time.Second)
	gone("before the first ends", false, false, false)
	f.pass(2 * time.Second)
	gone("after the first ended", true, false, false)
	f.pass(40 * day)
	gone("after the usual time", true, false, true)
	f.pass(100 * day)
	gone("after the last ended", true, true, true)
	alone := f.old(e.ID, 2*time.Hour, until(time.Hour))
	keep = hook.Retention{}
	f.expire(keep)
	testx.True(f, f.message(alone).BodyGone, "without any limit of the server, too")
}

func retentionAttempts(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	f.pass(10 * day)
	f.settle(f.claimOne(e.ID), answerFail)
	f.pass(25 * day)
	got := f.expire(hook.Retention{Attempts: 30 * day})
	testx.Equal(f, []int{got.Messages, got.Payloads, got.Attempts}, []int{0, 0, 1})
	testx.Equal(f, f.numbers(id), []int{2}, "attempts that are left")
	d := f.delivery(id, e.ID)
	testx.Equal(f, []any{d.Attempts, d.Step}, []any{2, 2}, "made")
	l := f.claimOne(e.ID)
	testx.Equal(f, l.Number, 3, "the next number")
	f.settle(l, answerOK)
	testx.Equal(f, f.numbers(id), []int{2, 3})
}

func retentionUnsent(f *fixture) {
	e := f.newEndpoint()
	fresh := f.send()
	tried, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	later := f.send(func(n *hook.NewEvent) { n.DeliverAt = f.now.Add(60 * day) })
	delivered, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	f.pass(31 * day)
	kept := f.send()
	got := f.expire(hook.Retention{Payloads: 30 * day})
	testx.Equal(f, []int{got.Payloads, got.Unsent}, []int{4, 3})
	f.expect(fresh, e.ID, state{State: hook.Canceled, Reason: hook.ReasonExpired})
	f.expect(tried, e.ID, state{State: hook.Canceled, Reason: hook.ReasonExpired, Attempts: 1, Step: 1})
	f.expect(later, e.ID, state{State: hook.Canceled, Reason: hook.ReasonExpired})
	f.expect(delivered, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	testx.Equal(f, f.lanes(), map[lane]time.Time{{e.ID, false}: f.now}, "lanes with work")
	testx.Equal(f, f.claimOne(e.ID).Message.ID, kept)

	waiting := f.send()
	f.pass(100 * day)
	got = f.expire(hook.Retention{Messages: 90 * day})
	testx.Equal(f, []int{got.Messages, got.Unsent}, []int{6, 1}, "with the message; one is in flight")
	testx.True(f, !f.found(waiting), "the message is gone")
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
}

func retentionInFlight(f *fixture) {
	e := f.newEndpoint()
	_, leases := f.sendLeased()
	succeeds := leases[0]
	_, leases = f.sendLeased()
	fails := leases[0]
	f.pass(31 * day)
	testx.Equal(f, f.expire(hook.Retention{Payloads: 30 * day}).Unsent, 0, "what is in flight is not unsent")
	testx.Equal(f, f.delivery(fails.Message.ID, e.ID).State, hook.Sending)
	f.settle(succeeds, answerOK)
	f.expect(succeeds.Message.ID, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	f.settle(fails, answerFail)
	f.pass(time.Hour)
	// What waits now has nothing to send: it is canceled by retention or given
	// to the engine, which cancels it.
	f.expire(hook.Retention{Payloads: 30 * day})
	for _, l := range f.claim(retry(e.ID, 9))[0].Leases {
		testx.True(f, l.Message.BodyGone, "there is nothing to send")
		f.settleAll(f.untried(l))
	}
	f.expect(fails.Message.ID, e.ID, state{State: hook.Canceled, Reason: hook.ReasonExpired, Attempts: 1, Step: 1})

	gone, leases := f.sendLeased()
	f.pass(100 * day)
	f.expire(hook.Retention{Messages: 90 * day})
	testx.True(f, !f.found(gone), "the message is gone")
	testx.Equal(f, f.settleAll(f.settlement(leases[0], answerOK))[0], hook.Settled{Lost: true}, "settled after that")
	f.release(leases...)
}

func retentionResend(f *fixture) {
	e := f.newEndpoint()
	id := f.old(e.ID, 31*day)
	f.resend(id, e.ID)
	got := f.expire(hook.Retention{Payloads: 30 * day})
	testx.Equal(f, got.Payloads, 1)
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
}

func retentionKeys(f *fixture) {
	f.newEndpoint()
	f.eachKeyKind(func(auto bool, name string) {
		f.accept(f.keyed(name, "r", auto))
	})
	f.pass(9 * time.Minute)
	testx.Equal(f, f.expire(hook.Retention{}).Keys, 0, "while they count")
	f.eachKeyKind(func(auto bool, name string) {
		testx.True(f, f.accept(f.keyed(name, "r", auto))[0].Duplicate, name)
	})
	f.pass(2 * time.Minute)
	testx.Equal(f, f.expire(hook.Retention{}).Keys, 2, "after they ended")
	testx.Equal(f, f.expire(hook.Retention{}).Keys, 0, "again")
}

func retentionSlices(f *fixture) {
	f.newEndpoint()
	const n = 1500
	var batch []hook.NewEvent
	for range n {
		batch = append(batch, f.event())
	}
	f.accept(batch...)
	f.pass(91 * day)
	kept := f.send()
	removed, slices := 0, 0
	for more := true; more; slices++ {
		e := testx.Must(f.store.Expire(f.ctx, hook.Retention{Messages: 90 * day}, f.now))(f)
		removed += e.Messages
		more = e.More
		testx.True(f, e.Messages < n, "a slice is small")
	}
	testx.Equal(f, removed, n)
	testx.True(f, slices > 1, "there are several")
	testx.True(f, f.found(kept), "the young one is kept")
}

func retentionTenants(f *fixture) {
	old := f.send()
	env := f.newEnvironment("other")
	app := f.newApp(func(a *hook.Application) { a.Env = env }).ID
	there := f.accept(f.event(func(e *hook.NewEvent) { e.Env, e.App = env, app }))[0].Message.ID
	f.pass(91 * day)
	testx.Equal(f, f.expire(hook.Retention{Messages: 90 * day}).Messages, 2)
	testx.True(f, !f.found(old), "the message of the first is gone")
	_, err := f.store.FindMessage(f.ctx, env, app, hook.Ref{ID: there}, false)
	testx.Code(f, err, hook.CodeNotFound, "that of the other")
}

func retentionRequests(f *fixture) {
	s := f.newSource()
	e := f.of(s.ID).newEndpoint()
	old := f.received(s.ID, "evt_1", "body")
	f.accept(old)
	f.settle(f.claimOne(e.ID), answerOK)
	refused := f.refuse(s.ID, 3, 10)
	duplicate := f.requestValue(s.ID, "body", func(q *hook.Request) { q.State, q.Message = hook.RequestDuplicate, old.ID })
	f.record(duplicate)
	f.pass(8 * day)
	fresh := f.received(s.ID, "evt_2", "body")
	f.accept(fresh)
	young := f.refuse(s.ID, 2, 10)

	keep := hook.Retention{Messages: 90 * day, Requests: 30 * day}
	testx.Equal(f, f.expire(keep), hook.Expired{}, "nothing is old yet")
	f.pass(23 * day)
	testx.Equal(f, f.expire(keep), hook.Expired{Requests: 4}, "after their own time")
	testx.Equal(f, f.requests(s.ID), ascending(append(young, old.Request.ID, fresh.Request.ID)...), "accepted ones stay")
	testx.True(f, !f.hasRequest(s.ID, refused[0]) && !f.hasRequest(s.ID, duplicate.ID), "the others are gone")
	f.pass(61 * day)
	got := f.expire(keep)
	testx.Equal(f, []int{got.Messages, got.Requests}, []int{1, 2}, "after the time of messages")
	testx.Equal(f, f.requests(s.ID), []hook.ID{fresh.Request.ID}, "an accepted one goes with its message")
	testx.Equal(f, f.request(s.ID, fresh.Request.ID), stored(&fresh))
	again := f.received(s.ID, "evt_1", "body")
	a := f.accept(again)[0]
	testx.True(f, a.Err == nil && !a.Duplicate, "an event that was forgotten is a new one")
	testx.Equal(f, f.request(s.ID, again.Request.ID), stored(&again))
}

func retentionRequestsLikeMessages(f *fixture) {
	s := f.newSource()
	f.refuse(s.ID, 30, 10)
	f.pass(31 * day)
	young := f.refuse(s.ID, 2, 10)
	testx.Equal(f, f.expire(hook.Retention{}), hook.Expired{}, "for ever")
	testx.Equal(f, f.expire(hook.Retention{Payloads: day, Attempts: day}), hook.Expired{}, "it has no payload and no attempts")
	testx.Equal(f, f.expire(hook.Retention{Messages: 30 * day}), hook.Expired{Requests: 30})
	testx.Equal(f, f.requests(s.ID), young)
	// What is gone does not count for the bound.
	q := f.requestValue(s.ID, "x")
	f.must(f.store.RecordRequests(f.ctx, hook.RequestBound{Count: 3, Bytes: 1000}, []hook.Request{q}))
	testx.Equal(f, f.requests(s.ID), append(young, q.ID))
	f.pass(2 * day)
	testx.Equal(f, f.expire(hook.Retention{Requests: day}), hook.Expired{Requests: 3}, "without a time for messages")
}

func retentionRequestPayloads(f *fixture) {
	s := f.newSource()
	old, own, expunged := f.received(s.ID, "a", "body"), f.received(s.ID, "b", "body"), f.received(s.ID, "c", "body")
	own.BodyExpiresAt = f.now.Add(time.Hour)
	f.accept(old, own, expunged)
	f.must(f.store.ExpungeMessage(f.ctx, f.env, s.ID, hook.Ref{UID: "c"}))
	refused := f.refuse(s.ID, 1, 10)
	gone := func(n hook.NewEvent, what string) {
		f.Helper()
		want := stored(&n)
		want.Body, want.BodyGone, want.Envelope = nil, true, nil
		testx.Equal(f, f.request(s.ID, n.Request.ID), want, what)
		m := testx.Must(f.store.FindMessage(f.ctx, f.env, s.ID, hook.Ref{ID: n.ID}, true))(f)
		testx.True(f, m.BodyGone && m.Body == nil && m.Envelope == nil, what)
	}
	gone(expunged, "expunged: the headers are gone with the body")
	testx.Equal(f, f.request(s.ID, old.Request.ID), stored(&old), "the others are there")
	f.pass(2 * time.Hour)
	f.expire(hook.Retention{Messages: 90 * day, Payloads: 30 * day})
	gone(own, "with a time of its own")
	testx.Equal(f, f.request(s.ID, old.Request.ID), stored(&old), "the other is there")
	f.pass(31 * day)
	f.expire(hook.Retention{Messages: 90 * day, Payloads: 30 * day})
	gone(old, "with the retention of payloads")
	testx.Equal(f, f.requests(s.ID), ascending(append(refused, old.Request.ID, own.Request.ID, expunged.Request.ID)...))
}

func retentionDeletedSource(f *fixture) {
	s, other := f.newSource(), f.newSource()
	f.of(s.ID).newEndpoint()
	n := f.received(s.ID, "evt_1", "body")
	f.accept(n)
	f.refuse(s.ID, 50, 10)
	kept := f.refuse(other.ID, 3, 10)
	testx.Must(f.store.DeleteSource(f.ctx, f.env, hook.Ref{ID: s.ID}, f.now))(f)
	q := f.requestValue(s.ID, "late")
	f.record(q)
	count := func() (requests, owners int) {
		f.Helper()
		for _, rec := range dump(f, f.store) {
			switch rec := rec.(type) {
			case *hook.RequestRecord:
				if rec.Source == s.ID {
					requests++
				}
			case *hook.ApplicationRecord:
				if rec.ID == s.ID {
					owners++
				}
			case *hook.SourceRecord:
				testx.Equal(f, rec.ID, other.ID, "sources")
			}
		}
		return requests, owners
	}
	requests, owners := count()
	testx.Equal(f, []int{requests, owners}, []int{51, 1}, "until retention comes to them")
	f.pass(31 * day)
	// What is refused is kept for longer than messages, but not without its source.
	removed := 0
	for range 3 { // one thing waits for the other to go
		removed += f.expire(hook.Retention{Messages: 30 * day, Requests: 300 * day}).Requests
	}
	testx.Equal(f, removed, 50, "those that became no message")
	requests, owners = count()
	testx.Equal(f, []int{requests, owners}, []int{0, 0}, "left of the deleted one")
	testx.Equal(f, f.requests(other.ID), kept, "those of another source")
}
