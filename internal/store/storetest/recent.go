package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var recentTests = []test{
	{"messages of a whole environment come newest first, in pages both ways", recentPages},
	{"a list can be narrowed by everything its filter names", recentFilters},
	{"a list says how far it looked, and goes on from there", recentLook},
	{"a row has its owner and sums up its deliveries", recentRow},
	{"what is new is behind the head of a page", recentHead},
	{"what fails is found, and found no longer once it does not", failingFollows},
	{"what fails goes with its message", failingExpires},
	{"ids are found without their application", foundAnywhere},
	{"endpoints of all owners can be narrowed", environmentEndpoints},
	{"applications come with counts of their endpoints", applicationCounts},
	{"requests of all sources come newest first", environmentRequests},
	{"the store tells its size", figures},
}

// recent lists everything from the newest on, page by page.
func (f *fixture) recent(filter hook.RecentFilter) (ids []hook.ID) {
	f.Helper()
	filter.Env = f.env
	if filter.Limit == 0 {
		filter.Limit = 3
	}
	for range 1000 {
		p := testx.Must(f.store.ListRecent(f.ctx, filter))(f)
		testx.True(f, len(p.Items) <= filter.Limit, "no more than the limit")
		for i := range p.Items {
			ids = append(ids, p.Items[i].Message.ID)
		}
		if !p.More {
			return ids
		}
		filter.From = p.Next
	}
	f.Fatal("the list does not end")
	return nil
}

// reversed is a list the other way round.
func reversed(ids []hook.ID) []hook.ID {
	out := slices.Clone(ids)
	slices.Reverse(out)
	return out
}

// sendOver stores messages, a second apart, in turn for two applications, and some
// of another environment in between.
func (f *fixture) sendOver(n int, other hook.ID) (ids []hook.ID) {
	f.Helper()
	g := *f
	g.env = f.newEnvironment("elsewhere")
	g.app = g.newApp().ID
	for i := range n {
		f.pass(time.Second)
		ids = append(ids, f.send(func(e *hook.NewEvent) {
			if i%2 == 1 {
				e.App = other
			}
			e.EventType = fmt.Sprintf("type.%c", 'a'+i%3)
		}))
		g.now = f.now
		g.send()
	}
	return ids
}

func recentPages(f *fixture) {
	other := f.newApp().ID
	want := reversed(f.sendOver(11, other))
	testx.Equal(f, f.recent(hook.RecentFilter{}), want)
	testx.Equal(f, f.recent(hook.RecentFilter{Limit: 100}), want)
	p := testx.Must(f.store.ListRecent(f.ctx, hook.RecentFilter{Env: f.env, Limit: 4}))(f)
	q := testx.Must(f.store.ListRecent(f.ctx, hook.RecentFilter{Env: f.env, Limit: 4, From: p.Next}))(f)
	testx.Equal(f, recentIDs(q.Items), want[4:8])
	back := testx.Must(f.store.ListRecent(f.ctx, hook.RecentFilter{Env: f.env, Limit: 3, From: q.Items[0].Place, Newer: true}))(f)
	testx.Equal(f, recentIDs(back.Items), want[1:4], "the page right above")
	testx.True(f, back.More, "there is one more above")
	back = testx.Must(f.store.ListRecent(f.ctx, hook.RecentFilter{Env: f.env, Limit: 3, From: back.Next, Newer: true}))(f)
	testx.Equal(f, recentIDs(back.Items), want[:1])
	testx.True(f, !back.More, "there is nothing above the newest")
	for _, apps := range [][]hook.ID{{f.app}, {other}, {f.app, other}} {
		n := 0
		for _, id := range f.recent(hook.RecentFilter{Apps: apps}) {
			testx.True(f, slices.Contains(want, id), "it is of the application")
			n++
		}
		testx.Equal(f, n, map[bool]int{true: 11, false: 5 + map[bool]int{true: 1}[apps[0] == f.app]}[len(apps) == 2], "messages of applications")
	}
	testx.Equal(f, f.recent(hook.RecentFilter{Apps: []hook.ID{hook.NewID(f.now)}}), []hook.ID(nil), "of an application that is not there")
}

func recentIDs(items []hook.RecentMessage) []hook.ID {
	return idsOf(items, func(m hook.RecentMessage) hook.ID { return m.Message.ID })
}

func recentFilters(f *fixture) {
	other := f.newApp().ID
	start := f.now
	ids := f.sendOver(9, other)
	f.pass(time.Second)
	marked := f.send(func(e *hook.NewEvent) {
		e.EventType, e.Channels, e.Tags = "odd%type", []string{"vip", "eu"}, []string{"t1"}
	})
	one := []hook.ID{marked}
	testx.Equal(f, f.recent(hook.RecentFilter{Channel: "vip"}), one)
	testx.Equal(f, f.recent(hook.RecentFilter{Tag: "t1"}), one)
	testx.Equal(f, f.recent(hook.RecentFilter{EventTypePrefixes: []string{"odd%"}}), one)
	testx.Equal(f, f.recent(hook.RecentFilter{EventTypePrefixes: []string{"od%"}}), []hook.ID(nil), "a percent sign is one")
	testx.Equal(f, len(f.recent(hook.RecentFilter{EventTypePrefixes: []string{"type."}})), 9)
	testx.Equal(f, f.recent(hook.RecentFilter{EventTypes: []string{"type.b"}}), reversed([]hook.ID{ids[1], ids[4], ids[7]}))
	testx.Equal(f, f.recent(hook.RecentFilter{EventTypes: []string{"type.b"}, EventTypePrefixes: []string{"odd"}}),
		append([]hook.ID{marked}, reversed([]hook.ID{ids[1], ids[4], ids[7]})...), "one or the other")
	for _, apps := range [][]hook.ID{nil, {f.app}} {
		got := f.recent(hook.RecentFilter{Apps: apps, After: start.Add(3 * time.Second), Before: start.Add(6 * time.Second)})
		want := reversed(ids[2:5])
		if apps != nil {
			want = []hook.ID{ids[4], ids[2]}
		}
		testx.Equal(f, got, want, "of a range of time")
	}
	n := testx.Must(f.store.CountRecent(f.ctx, hook.RecentFilter{Env: f.env}, 100))(f)
	testx.Equal(f, n, hook.BoundedCount{Count: 10})
	n = testx.Must(f.store.CountRecent(f.ctx, hook.RecentFilter{Env: f.env}, 4))(f)
	testx.Equal(f, n, hook.BoundedCount{Count: 4, More: true})
	body := testx.Must(f.store.ListRecent(f.ctx, hook.RecentFilter{Env: f.env, Limit: 1, WithBody: true}))(f)
	testx.Equal(f, string(body.Items[0].Message.Body), `{"amount":1200}`)
}

func recentLook(f *fixture) {
	other := f.newApp().ID
	want := reversed(f.sendOver(12, other))
	last := []hook.ID{want[len(want)-1]}
	found, rounds := []hook.ID(nil), 0
	filter := hook.RecentFilter{Env: f.env, Limit: 5, Look: 5, Before: noon.Add(1500 * time.Millisecond)}
	for ; rounds < 100; rounds++ {
		p := testx.Must(f.store.ListRecent(f.ctx, filter))(f)
		found = append(found, recentIDs(p.Items)...)
		if !p.More {
			break
		}
		testx.True(f, !p.SearchedTo.IsZero(), "it says how far it looked")
		filter.From = p.Next
	}
	testx.Equal(f, found, last)
	testx.True(f, rounds > 1, "it took several looks")
	n := testx.Must(f.store.CountRecent(f.ctx, hook.RecentFilter{Env: f.env, Look: 5}, 100))(f)
	testx.True(f, n.More && n.Count < 12, "a count stops, too")
}

func recentRow(f *fixture) {
	ends := []hook.Endpoint{f.newEndpoint(), f.newEndpoint(), f.newEndpoint(), f.newEndpoint(), f.newEndpoint()}
	f.disable(ends[4].ID)
	id, leases := f.sendLeased()
	var due time.Time
	for _, l := range leases {
		switch l.Endpoint.ID {
		case ends[0].ID:
			f.settle(l, answerOK)
		case ends[1].ID:
			due = f.settle(l, answerFail).Due
		case ends[2].ID:
			s := f.settlement(l, answerFail)
			s.Then = hook.Transition{State: hook.Failed, Reason: hook.ReasonExhausted, Step: 1}
			f.settleAll(s)
		}
	}
	p := testx.Must(f.store.ListRecent(f.ctx, hook.RecentFilter{Env: f.env, Limit: 5}))(f)
	testx.Equal(f, len(p.Items), 1)
	got := p.Items[0]
	testx.Equal(f, got.Message.ID, id)
	testx.Equal(f, got.Owner, hook.Owner{ID: f.app, Name: "Customer"})
	testx.Equal(f, got.Deliveries, hook.DeliverySummary{Delivered: 1, Waiting: 1, Retrying: 1, Failed: 1, Canceled: 1, NextDue: due})
	testx.Equal(f, got.Deliveries.Total(), 5)
}

func recentHead(f *fixture) {
	f.send()
	p := testx.Must(f.store.ListRecent(f.ctx, hook.RecentFilter{Env: f.env, Limit: 5}))(f)
	later := f.send()
	var items []hook.FeedItem
	for at, tries := p.Head, 0; !slices.ContainsFunc(items, func(i hook.FeedItem) bool { return i.Message == later }); tries++ {
		testx.True(f, tries < patience, "the new one comes")
		page := testx.Must(f.store.ReadFeed(f.ctx, hook.FeedMessages, f.env, at, 10))(f)
		items, at = append(items, page.Items...), page.Next
	}
	rows := testx.Must(f.store.RecentOf(f.ctx, f.env, items))(f)
	testx.Equal(f, recentIDs(rows), idsOf(items, func(i hook.FeedItem) hook.ID { return i.Message }))
	testx.Equal(f, len(testx.Must(f.store.RecentOf(f.ctx, f.newEnvironment("other"), items))(f)), 0, "for another environment")
}

// fails lists what fails.
func (f *fixture) fails(endpoint hook.ID, states ...hook.FailingState) []hook.ID {
	f.Helper()
	return f.recent(hook.RecentFilter{States: states, Endpoint: endpoint})
}

func failingFollows(f *fixture) {
	e, other := f.newEndpoint(), f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"other"} })
	good, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	f.pass(time.Second)
	bad, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	f.pass(time.Second)
	dead, leases := f.sendLeased()
	s := f.settlement(leases[0], answerFail)
	s.Then = hook.Transition{State: hook.Failed, Reason: hook.ReasonExhausted, Step: 1}
	f.settleAll(s)
	both := []hook.FailingState{hook.FailingRetrying, hook.FailingFailed}
	for _, endpoint := range []hook.ID{{}, e.ID} {
		testx.Equal(f, f.fails(endpoint, both...), []hook.ID{dead, bad})
		testx.Equal(f, f.fails(endpoint, hook.FailingRetrying), []hook.ID{bad})
		testx.Equal(f, f.fails(endpoint, hook.FailingFailed), []hook.ID{dead})
	}
	testx.Equal(f, f.fails(other.ID, both...), []hook.ID(nil), "of an endpoint that does not fail")
	testx.True(f, !slices.Contains(f.fails(hook.ID{}, both...), good), "what succeeded at once never fails")

	// A resend that fails leaves it, one that succeeds ends it.
	f.resendAndFail(dead, e.ID)
	testx.Equal(f, f.fails(hook.ID{}, hook.FailingFailed), []hook.ID{dead})
	f.resend(dead, e.ID)
	f.settle(f.claimOne(e.ID), answerOK)
	testx.Equal(f, f.fails(hook.ID{}, both...), []hook.ID{bad})
	// So does a later attempt of the schedule.
	f.pass(time.Hour)
	f.settle(f.claimOne(e.ID), answerOK)
	testx.Equal(f, f.fails(hook.ID{}, both...), []hook.ID(nil))

	// What is canceled while it waits does not fail, what had failed before does.
	_, leases = f.sendLeased()
	f.settle(leases[0], answerFail)
	f.pass(time.Second)
	lost, leases := f.sendLeased()
	s = f.settlement(leases[0], answerFail)
	s.Then = hook.Transition{State: hook.Failed, Reason: hook.ReasonExhausted, Step: 1}
	f.settleAll(s)
	testx.Must(f.store.CancelLane(f.ctx, e.ID, hook.ReasonByUser, f.now, 100))(f)
	testx.Equal(f, f.fails(hook.ID{}, both...), []hook.ID{lost})
	f.crash()
	f.register()
	testx.Equal(f, f.fails(hook.ID{}, both...), []hook.ID{lost}, "after a crash")
	f.deleteEndpoint(e.ID)
	testx.Equal(f, f.fails(hook.ID{}, both...), []hook.ID(nil), "of a deleted endpoint")
}

func failingExpires(f *fixture) {
	e := f.newEndpoint()
	_, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	testx.Equal(f, len(f.fails(e.ID, hook.FailingStates...)), 1)
	f.pass(3 * day)
	f.expire(hook.Retention{Payloads: day})
	testx.Equal(f, len(f.fails(e.ID, hook.FailingStates...)), 0, "its payload is gone, so it is canceled")
	_, leases = f.sendLeased()
	s := f.settlement(leases[0], answerFail)
	s.Then = hook.Transition{State: hook.Failed, Reason: hook.ReasonExhausted, Step: 1}
	f.settleAll(s)
	testx.Equal(f, len(f.fails(e.ID, hook.FailingStates...)), 1)
	f.pass(5 * day)
	f.expire(hook.Retention{Messages: day})
	testx.Equal(f, len(f.fails(e.ID, hook.FailingStates...)), 0, "its message is gone")
}

func foundAnywhere(f *fixture) {
	s := newEstate(f, "anywhere", hook.ID{})
	m := testx.Must(f.store.FindMessageAnywhere(f.ctx, s.env, s.message, true))(f)
	testx.Equal(f, []any{m.Message.ID, m.Message.App, m.Owner.Name, string(m.Message.Body)}, []any{s.message, s.app, "anywhere", "anywhere"})
	testx.Equal(f, m.Deliveries.Retrying, 1)
	e := testx.Must(f.store.FindEndpointAnywhere(f.ctx, s.env, s.endpoint))(f)
	testx.Equal(f, []any{e.Endpoint.ID, e.Endpoint.App, e.Endpoint.Env, e.Owner.ID}, []any{s.endpoint, s.app, s.env, s.app})
	a, owner, err := f.store.FindAttemptAnywhere(f.ctx, s.env, s.attempt)
	f.must(err)
	testx.Equal(f, []any{a.ID, a.Message, a.Endpoint, owner.ID}, []any{s.attempt, s.message, s.endpoint, s.app})
	q := testx.Must(f.store.FindRequest(f.ctx, s.env, s.source, s.accepted, false))(f)
	m = testx.Must(f.store.FindMessageAnywhere(f.ctx, s.env, q.Message, false))(f)
	testx.Equal(f, []any{m.Owner.ID, m.Owner.Source}, []any{s.source, true}, "of a source")
}

func environmentEndpoints(f *fixture) {
	other := f.newApp(func(a *hook.Application) { a.Name = "Other" }).ID
	var ids []hook.ID
	for i := range 5 {
		f.pass(time.Second)
		ids = append(ids, f.newEndpoint(func(e *hook.Endpoint) {
			e.URL = fmt.Sprintf("https://Example.com/%d", i)
			if i == 4 {
				e.App, e.Description = other, "Billing"
			}
		}).ID)
	}
	f.disable(ids[1])
	_, leases := f.sendLeased(func(e *hook.NewEvent) { e.Only = ids[2] })
	f.settle(leases[0], answerFail)
	yes, no := true, false
	list := func(filter hook.EnvironmentEndpointFilter) (got []hook.ID) {
		f.Helper()
		filter.Env, filter.Page.Limit = f.env, 2
		for range 100 {
			p := testx.Must(f.store.ListEnvironmentEndpoints(f.ctx, filter))(f)
			got = append(got, idsOf(p.Items, func(e hook.EndpointOf) hook.ID { return e.Endpoint.ID })...)
			if !p.More {
				return got
			}
			filter.Page.From = p.Next
		}
		f.Fatal("the list does not end")
		return nil
	}
	testx.Equal(f, list(hook.EnvironmentEndpointFilter{}), reversed(ids))
	testx.Equal(f, list(hook.EnvironmentEndpointFilter{Look: 1}), reversed(ids), "looking at one at a time")
	testx.Equal(f, list(hook.EnvironmentEndpointFilter{Disabled: &yes}), ids[1:2])
	testx.Equal(f, len(list(hook.EnvironmentEndpointFilter{Disabled: &no})), 4)
	testx.Equal(f, list(hook.EnvironmentEndpointFilter{Failing: &yes}), ids[2:3])
	testx.Equal(f, list(hook.EnvironmentEndpointFilter{Contains: "bILL"}), ids[4:])
	testx.Equal(f, list(hook.EnvironmentEndpointFilter{Contains: "example.com/3"}), ids[3:4])
	testx.Equal(f, list(hook.EnvironmentEndpointFilter{Apps: []hook.ID{other}}), ids[4:])
	back := testx.Must(f.store.ListEnvironmentEndpoints(f.ctx, hook.EnvironmentEndpointFilter{Env: f.env, Page: hook.Page{Limit: 2, From: ids[1], Backward: true}}))(f)
	testx.Equal(f, idsOf(back.Items, func(e hook.EndpointOf) hook.ID { return e.Endpoint.ID }), []hook.ID{ids[3], ids[2]}, "the page above")
	testx.Equal(f, back.Items[0].Owner, hook.Owner{ID: f.app, Name: "Customer"})
}

func applicationCounts(f *fixture) {
	other := f.newApp(withUID("acme_1"), func(a *hook.Application) { a.Name = "Acme" }).ID
	a, b := f.newEndpoint(), f.newEndpoint()
	f.newEndpoint()
	f.disable(a.ID)
	_, leases := f.sendLeased(func(e *hook.NewEvent) { e.Only = b.ID })
	f.settle(leases[0], answerFail)
	list := func(contains string) []hook.ApplicationOf {
		f.Helper()
		return testx.Must(f.store.ListApplicationsWithCounts(f.ctx, hook.ApplicationFilter{Env: f.env, Contains: contains, Page: onePage}))(f).Items
	}
	testx.Equal(f, len(list("")), 2)
	for _, contains := range []string{"aCM", "ME_1"} {
		got := list(contains)
		testx.Equal(f, len(got), 1, contains)
		testx.Equal(f, got[0].Application.ID, other)
	}
	mine := list("customer")
	testx.Equal(f, len(mine), 1)
	testx.Equal(f, []int{mine[0].Endpoints, mine[0].Failing, mine[0].Disabled}, []int{3, 1, 1})
}

func environmentRequests(f *fixture) {
	one, two := f.newSource().ID, f.newSource().ID
	var all, refused []hook.ID
	for i := range 6 {
		f.pass(time.Second)
		source := []hook.ID{one, two}[i%2]
		if i%3 == 0 {
			q := f.requestValue(source, "no")
			f.record(q)
			all, refused = append(all, q.ID), append(refused, q.ID)
			continue
		}
		n := f.received(source, fmt.Sprint("event ", i), "yes")
		testx.NoError(f, f.accept(n)[0].Err)
		all = append(all, n.Request.ID)
	}
	list := func(filter hook.RecentRequestFilter) (got []hook.ID) {
		f.Helper()
		filter.Env, filter.Limit = f.env, 2
		for range 100 {
			p := testx.Must(f.store.ListEnvironmentRequests(f.ctx, filter))(f)
			got = append(got, idsOf(p.Items, func(r hook.RecentRequest) hook.ID { return r.Request.ID })...)
			if !p.More {
				return got
			}
			filter.From = p.Next
		}
		f.Fatal("the list does not end")
		return nil
	}
	testx.Equal(f, list(hook.RecentRequestFilter{}), reversed(all))
	testx.Equal(f, list(hook.RecentRequestFilter{Look: 1}), reversed(all), "looking at one at a time")
	testx.Equal(f, list(hook.RecentRequestFilter{States: []hook.RequestState{hook.RequestRefused}}), reversed(refused))
	testx.Equal(f, list(hook.RecentRequestFilter{Sources: []hook.ID{two}}), []hook.ID{all[5], all[3], all[1]})
	testx.Equal(f, list(hook.RecentRequestFilter{Reason: "verified", Before: noon.Add(4 * time.Second)}), []hook.ID{all[2], all[1]})
	testx.Equal(f, list(hook.RecentRequestFilter{After: noon.Add(5 * time.Second)}), []hook.ID{all[5], all[4]})
	p := testx.Must(f.store.ListEnvironmentRequests(f.ctx, hook.RecentRequestFilter{Env: f.env, Limit: 3, WithBody: true}))(f)
	testx.Equal(f, string(p.Items[0].Request.Body)+string(p.Items[2].Request.Body), "yesno")
	testx.Equal(f, p.Items[0].Owner.ID, two)
	testx.Equal(f, p.Items[0].Owner.Source, true)
	back := testx.Must(f.store.ListEnvironmentRequests(f.ctx, hook.RecentRequestFilter{Env: f.env, Limit: 2, From: p.Items[2].Place, Newer: true}))(f)
	testx.Equal(f, idsOf(back.Items, func(r hook.RecentRequest) hook.ID { return r.Request.ID }), []hook.ID{all[5], all[4]})
}

func figures(f *fixture) {
	f.send()
	got := testx.Must(f.store.Figures(f.ctx))(f)
	testx.True(f, got.Size > 0 && got.Schema >= 3 && got.Version != "" && got.Kind != "", "it tells what it is")
	for _, name := range []string{"messages", "attempts", "endpoints"} {
		testx.True(f, slices.ContainsFunc(got.Tables, func(t hook.TableFigures) bool { return t.Name == name }), name+" are among the tables")
	}
}
