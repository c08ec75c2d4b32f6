package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var attemptTests = []test{
	{"are counted by their outcome, deliveries without one by their state", countAttempts},
	{"of deliveries that are sent again are counted by what was planned", countResends},
	{"carry what lists show of their message", attemptsCarryMessage},
	{"of a deleted endpoint stay with their message", attemptsOfDeletedEndpoint},
}

// outcomes of the attempts of a sample: message i is answered outcomes[i%5].
var outcomes = []hook.Outcome{
	answerOK,
	{Class: hook.FailStatus5xx, Status: 503, Detail: "It answered 503."},
	{Class: hook.FailStatus4xx, Status: 404, Detail: "It answered 404."},
	{Class: hook.FailTimeout, Detail: "It did not answer."},
	{Class: hook.FailRedirect, Status: 302, Detail: "It answered 302."},
}

// newTried is a sample of messages to one endpoint with an attempt each. It
// gives the ids of the attempts, too, by the place of their message.
func newTried(f *fixture, endpoint hook.ID, n int) (sample, []hook.ID) {
	var attempts []hook.ID
	s := newSampleWith(f, n, func(i int, message hook.ID) {
		leases := f.claim(first(endpoint, 1))[0].Leases
		testx.Equal(f, len(leases), 1)
		testx.Equal(f, leases[0].Message.ID, message)
		set := f.settlement(leases[0], outcomes[i%len(outcomes)])
		f.settleAll(set)
		attempts = append(attempts, set.Attempt.ID)
	})
	return s, attempts
}

func attemptID(a hook.Attempt) hook.ID { return a.ID }

func listAttemptsOfEndpoint(f *fixture) {
	e, other := f.newEndpoint(), f.newEndpoint()
	s, attempts := newTried(f, e.ID, 2*many)
	f.settle(f.claim(first(other.ID, 1))[0].Leases[0], answerOK)
	pick := func(pass func(i int) bool) []hook.ID {
		var out []hook.ID
		for i, id := range attempts {
			if pass(i) {
				out = append(out, id)
			}
		}
		return descending(out)
	}
	check := func(what string, filter hook.AttemptFilter, pass func(i int) bool) {
		f.Helper()
		filter.Env, filter.App, filter.Endpoint = f.env, f.app, e.ID
		l := listed("attempts "+what, pick(pass), attemptID, func(p hook.Page) (hook.PageOf[hook.Attempt], error) {
			filter.Page = p
			return f.store.ListAttempts(f.ctx, filter)
		})
		l.brief = what != "all"
		l.check(f)
	}
	for _, c := range s.selections() {
		check(c.name, hook.AttemptFilter{
			StatusClass: -1, EventTypes: c.eventTypes, Channel: c.channel, Tag: c.tag, Before: c.before, After: c.after,
		}, c.pass)
	}
	class := func(i int) int { return outcomes[i%len(outcomes)].Status / 100 * 100 }
	for _, want := range []int{0, 100, 200, 300, 400, 500} {
		check(fmt.Sprintf("of class %d", want), hook.AttemptFilter{StatusClass: want}, func(i int) bool { return class(i) == want })
	}
	check("that failed", hook.AttemptFilter{StatusClass: -1, OnlyFailed: true}, func(i int) bool { return i%5 != 0 })
	check("that succeeded", hook.AttemptFilter{StatusClass: -1, OnlySuccess: true}, func(i int) bool { return i%5 == 0 })
	check("that failed with 500s", hook.AttemptFilter{StatusClass: 500, OnlyFailed: true, Tag: "tag-1"},
		func(i int) bool { return i%5 == 1 && i%4 == 1 })
	_, err := f.store.ListAttempts(f.ctx, hook.AttemptFilter{
		Env: f.env, App: f.app, Endpoint: hook.NewID(f.now), StatusClass: -1, Page: hook.Page{Limit: 1},
	})
	testx.Code(f, err, hook.CodeNotFound, "of no endpoint")
}

func listAttemptsOfMessage(f *fixture) {
	bad, good := f.newEndpoint(), f.newEndpoint()
	message, leases := f.sendLeased()
	_, others := f.sendLeased()
	f.settle(others[0], answerOK)
	byEndpoint := map[hook.ID][]hook.ID{}
	start := f.now
	for round := range 4 {
		for _, l := range leases {
			o := answerFail
			if l.Endpoint.ID == good.ID {
				o = answerOK
			}
			set := f.settlement(l, o)
			f.settleAll(set)
			byEndpoint[l.Endpoint.ID] = append(byEndpoint[l.Endpoint.ID], set.Attempt.ID)
		}
		if round < 3 {
			f.pass(time.Hour)
			leases = f.claim(retry(bad.ID, 1))[0].Leases
		}
	}
	all := append(slices.Clone(byEndpoint[bad.ID]), byEndpoint[good.ID]...)
	for name, c := range map[string]struct {
		filter hook.AttemptFilter
		want   []hook.ID
	}{
		"all":           {hook.AttemptFilter{StatusClass: -1}, all},
		"of the bad":    {hook.AttemptFilter{StatusClass: -1, OfEndpoint: bad.ID}, byEndpoint[bad.ID]},
		"of the good":   {hook.AttemptFilter{StatusClass: -1, OfEndpoint: good.ID}, byEndpoint[good.ID]},
		"that failed":   {hook.AttemptFilter{StatusClass: -1, OnlyFailed: true}, byEndpoint[bad.ID]},
		"with 200s":     {hook.AttemptFilter{StatusClass: 200}, byEndpoint[good.ID]},
		"after a time":  {hook.AttemptFilter{StatusClass: -1, After: start.Add(90 * time.Minute)}, byEndpoint[bad.ID][2:]},
		"before a time": {hook.AttemptFilter{StatusClass: -1, Before: start.Add(90 * time.Minute), OfEndpoint: bad.ID}, byEndpoint[bad.ID][:2]},
	} {
		c.filter.Env, c.filter.App, c.filter.Message = f.env, f.app, message
		listed("attempts of a message, "+name, descending(c.want), attemptID, func(p hook.Page) (hook.PageOf[hook.Attempt], error) {
			c.filter.Page = p
			return f.store.ListAttempts(f.ctx, c.filter)
		}).check(f)
	}
	_, err := f.store.ListAttempts(f.ctx, hook.AttemptFilter{
		Env: f.env, App: f.app, Message: hook.NewID(f.now), StatusClass: -1, Page: hook.Page{Limit: 1},
	})
	testx.Code(f, err, hook.CodeNotFound, "of no message")
}

func attemptsCarryMessage(f *fixture) {
	e := f.newEndpoint()
	s, attempts := newTried(f, e.ID, 1)
	for _, filter := range []hook.AttemptFilter{{Endpoint: e.ID}, {Message: s.ids[0]}} {
		filter.Env, filter.App, filter.StatusClass, filter.Page.Limit = f.env, f.app, -1, 10
		got := testx.Must(f.store.ListAttempts(f.ctx, filter))(f).Items
		testx.Equal(f, len(got), 1)
		a := got[0]
		testx.Equal(f, []any{a.ID, a.Message, a.Endpoint, a.EventType, a.EventID, a.Channels, a.Tags},
			[]any{attempts[0], s.ids[0], e.ID, "type-0", "event-0", []string{"channel-0", "all"}, []string{"tag-0"}})
		testx.Equal(f, []any{a.Number, a.Outcome, string(a.Response), string(a.ResponseHeaders), a.Timings.Total},
			[]any{1, answerOK, "answer", `{"server":"x"}`, 20 * time.Millisecond})
	}
}

func attemptsOfDeletedEndpoint(f *fixture) {
	e := f.newEndpoint()
	s, attempts := newTried(f, e.ID, 1)
	f.deleteEndpoint(e.ID)
	got := f.attempts(s.ids[0])
	testx.Equal(f, idsOf(got, attemptID), attempts)
	a := testx.Must(f.store.FindAttempt(f.ctx, f.env, f.app, s.ids[0], attempts[0]))(f)
	testx.Equal(f, a.Endpoint, e.ID)
}

func deliveredMessage(d hook.DeliveryOf) hook.ID  { return d.Delivery.Message }
func deliveredEndpoint(d hook.DeliveryOf) hook.ID { return d.Delivery.Endpoint }

func listDeliveriesOfEndpoint(f *fixture) {
	e := f.newEndpoint()
	s, _ := newTried(f, e.ID, 2*many)
	// One that was never tried and will not be is no part of the list.
	f.disable(e.ID)
	f.send()
	f.enable(e.ID)
	states := make([]hook.State, len(s.ids))
	for i, id := range s.ids {
		states[i] = f.delivery(id, e.ID).State
	}
	check := func(what string, filter hook.DeliveryFilter, pass func(i int) bool) {
		f.Helper()
		filter.Env, filter.App, filter.Endpoint = f.env, f.app, e.ID
		l := listed("deliveries of an endpoint, "+what, s.pick(pass), deliveredMessage, func(p hook.Page) (hook.PageOf[hook.DeliveryOf], error) {
			filter.Page = p
			return f.store.ListDeliveries(f.ctx, filter)
		})
		l.brief = what != "all"
		l.check(f)
	}
	for _, c := range s.selections() {
		check(c.name, hook.DeliveryFilter{
			EventTypes: c.eventTypes, Channel: c.channel, Tag: c.tag, Before: c.before, After: c.after,
		}, c.pass)
	}
	for _, want := range hook.States {
		check(want.String(), hook.DeliveryFilter{States: []hook.State{want}}, func(i int) bool { return states[i] == want })
	}
	check("of two states", hook.DeliveryFilter{States: []hook.State{hook.Delivered, hook.Failed}},
		func(i int) bool { return states[i] == hook.Delivered })

	filter := hook.DeliveryFilter{Env: f.env, App: f.app, Endpoint: e.ID, WithBody: true, Page: hook.Page{Limit: 1}}
	got := testx.Must(f.store.ListDeliveries(f.ctx, filter))(f).Items[0]
	last := s.ids[len(s.ids)-1]
	testx.Equal(f, got.Delivery, f.delivery(last, e.ID))
	testx.Equal(f, *got.Message, f.message(last))
	filter.WithBody = false
	got = testx.Must(f.store.ListDeliveries(f.ctx, filter))(f).Items[0]
	testx.True(f, got.Message.Body == nil && !got.Message.BodyGone, "no body unless asked for")
	filter.Endpoint = hook.NewID(f.now)
	_, err := f.store.ListDeliveries(f.ctx, filter)
	testx.Code(f, err, hook.CodeNotFound, "of no endpoint")
}

func listDeliveriesOfMessage(f *fixture) {
	var endpoints []hook.ID
	for range many {
		endpoints = append(endpoints, f.newEndpoint().ID)
		f.pass(time.Second)
	}
	off := f.newEndpoint(func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, f.now) })
	message, leases := f.sendLeased()
	f.sendLeased()
	inState := map[hook.State][]hook.ID{}
	for i, l := range leases {
		state := hook.Sending
		switch i % 4 {
		case 0:
			f.settle(l, answerOK)
			state = hook.Delivered
		case 1:
			f.settle(l, answerFail)
			state = hook.Pending
		case 2:
			f.settle(l, answerGone)
			state = hook.Canceled
		}
		inState[state] = append(inState[state], l.Endpoint.ID)
	}
	check := func(what string, want []hook.ID, states ...hook.State) {
		f.Helper()
		listed("deliveries of a message, "+what, descending(want), deliveredEndpoint, func(p hook.Page) (hook.PageOf[hook.DeliveryOf], error) {
			return f.store.ListDeliveries(f.ctx, hook.DeliveryFilter{Env: f.env, App: f.app, Message: message, States: states, Page: p})
		}).check(f)
	}
	check("all", endpoints)
	for _, s := range hook.States {
		check(s.String(), inState[s], s)
	}
	got := testx.Must(f.store.ListDeliveries(f.ctx, hook.DeliveryFilter{
		Env: f.env, App: f.app, Message: message, Page: hook.Page{Limit: 100},
	}))(f)
	for _, d := range got.Items {
		testx.Equal(f, d.Delivery, f.delivery(message, d.Delivery.Endpoint))
		testx.Equal(f, *d.Endpoint, f.endpoint(d.Delivery.Endpoint))
	}
	f.expect(message, off.ID, state{State: hook.Canceled, Reason: hook.ReasonEndpointDisabled}) // explained, not listed
	_, err := f.store.ListDeliveries(f.ctx, hook.DeliveryFilter{Env: f.env, App: f.app, Message: hook.NewID(f.now), Page: hook.Page{Limit: 1}})
	testx.Code(f, err, hook.CodeNotFound, "of no message")
}

func countAttempts(f *fixture) {
	e := f.newEndpoint()
	start := f.now
	count := func(since, until time.Time) hook.AttemptCounts {
		f.Helper()
		return testx.Must(f.store.CountAttempts(f.ctx, f.env, f.app, e.ID, since, until))(f)
	}
	far := start.Add(1000 * time.Hour)
	testx.Equal(f, count(start, far), hook.AttemptCounts{})
	for _, name := range []string{"failed", "gone", "disabled before", "disabled since", "by user"} {
		ended[name].end(f, e.ID)
	}
	for range 2 {
		_, leases := f.sendLeased()
		f.settle(leases[0], answerOK)
	}
	_, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	f.sendLeased()
	all := testx.Must(f.store.ListAttempts(f.ctx, hook.AttemptFilter{
		Env: f.env, App: f.app, Endpoint: e.ID, StatusClass: -1, Page: hook.Page{Limit: 100},
	}))(f)
	want := hook.AttemptCounts{Success: 2, Pending: 1, Fail: int64(len(all.Items)) - 2, Sending: 1, Canceled: 4}
	testx.Equal(f, count(start, far), want, "all")
	f.pass(time.Minute)
	f.send()
	f.pass(time.Minute)
	want.Pending++
	testx.Equal(f, count(start, far), want, "with one more")
	testx.Equal(f, count(f.now.Add(-90*time.Second), f.now), hook.AttemptCounts{Pending: 1}, "of the last 90 seconds")
	testx.Equal(f, count(f.now, far), hook.AttemptCounts{}, "of the time to come")
	_, err := f.store.CountAttempts(f.ctx, f.env, f.app, hook.NewID(f.now), start, far)
	testx.Code(f, err, hook.CodeNotFound, "of no endpoint")
}

// countResends sends deliveries that had ended again. As long as the resend
// waits they count as what they were, in flight they are being sent.
func countResends(f *fixture) {
	e := f.newEndpoint()
	end := f.now.Add(100 * time.Hour)
	count := func(want hook.AttemptCounts, what string) {
		f.Helper()
		testx.Equal(f, testx.Must(f.store.CountAttempts(f.ctx, f.env, f.app, e.ID, noon, end))(f), want, what)
	}
	delivered, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	f.disable(e.ID)
	canceled := f.send()
	f.enable(e.ID)
	count(hook.AttemptCounts{Success: 1, Canceled: 1}, "before")
	for _, id := range []hook.ID{delivered, canceled} {
		f.resend(id, e.ID)
	}
	count(hook.AttemptCounts{Success: 1, Canceled: 1}, "while the resends wait")
	again := f.claim(retry(e.ID, 9))[0].Leases
	testx.Equal(f, len(again), 2)
	count(hook.AttemptCounts{Success: 1, Sending: 2}, "in flight")
	for _, l := range again {
		f.settle(l, answerFail)
	}
	count(hook.AttemptCounts{Success: 1, Fail: 2, Canceled: 1}, "after they failed")
	f.resend(canceled, e.ID)
	f.settle(f.claimOne(e.ID), answerOK)
	count(hook.AttemptCounts{Success: 2, Fail: 2}, "after one was delivered")
}
