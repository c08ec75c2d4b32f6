package storetest

import (
	"errors"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var issueTests = []test{
	{"failures of one cause are one issue", issuesFold},
	{"an issue opens again when it fails after it was resolved", issuesReopen},
	{"an issue is healed by a success, until it fails again", issuesHeal},
	{"issues are listed by their last failure, by state and endpoint", issuesList},
	{"an issue that was muted for a time opens when it is over", issuesUnmute},
	{"issues go with retention and with their endpoint", issuesGo},
}

var trafficTests = []test{
	{"traffic is the same before and after it is summed up", trafficEqual},
	{"traffic has the time from being due to success", trafficDelay},
	{"traffic goes with retention", trafficExpires},
	{"hours of many endpoints are those of each", rollupsOfMany},
}

// try makes one attempt at an endpoint.
func (f *fixture) try(endpoint hook.ID, o hook.Outcome) hook.Settlement {
	f.Helper()
	_, leases := f.sendLeased(func(e *hook.NewEvent) { e.Only = endpoint })
	s := f.settlement(leases[0], o)
	f.settleAll(s)
	return s
}

// sumUp sums up n attempts, and all messages.
func (f *fixture) sumUp(n int) {
	f.Helper()
	f.rollUpAll(n)
	for tries := 0; ; tries++ { // stores may give an attempt before they give its message
		if f.rollUp(10) == 0 {
			return
		}
		testx.True(f, tries < patience, "it comes to an end")
	}
}

func (f *fixture) issues(filter hook.IssueFilter) []hook.Issue {
	f.Helper()
	filter.Env = f.env
	if filter.Limit == 0 {
		filter.Limit = 100
	}
	return testx.Must(f.store.ListIssues(f.ctx, filter))(f).Items
}

func (f *fixture) decide(issue hook.ID, change func(*hook.Issue)) hook.Issue {
	f.Helper()
	return testx.Must(f.store.UpdateIssue(f.ctx, f.env, issue, func(i *hook.Issue) error {
		change(i)
		return nil
	}))(f)
}

func issuesFold(f *fixture) {
	e := f.newEndpoint()
	start := f.now
	f.try(e.ID, answerFail)
	f.pass(time.Minute)
	last := f.try(e.ID, answerFail)
	f.try(e.ID, hook.Outcome{Class: hook.FailStatus5xx, Status: 503})
	f.sumUp(3)
	got := f.issues(hook.IssueFilter{})
	testx.Equal(f, len(got), 2, "a cause is a class and a status")
	for _, i := range got {
		if i.Status == 503 {
			continue
		}
		testx.Equal(f, i, hook.Issue{
			ID: i.ID, Env: f.env, App: f.app, Endpoint: e.ID, Cause: hook.Cause{Class: hook.FailStatus5xx, Status: 500},
			FirstSeen: start, LastSeen: f.now, Attempts: 2, Message: last.Lease.Message.ID, Attempt: last.Attempt.ID,
			Owner: hook.Owner{ID: f.app, Name: "Customer"}, EndpointURL: e.URL,
		})
		testx.Equal(f, testx.Must(f.store.FindIssue(f.ctx, f.env, i.ID))(f), i)
	}
	f.pass(time.Minute)
	f.try(e.ID, answerFail)
	f.sumUp(1)
	got = f.issues(hook.IssueFilter{})
	testx.Equal(f, []any{len(got), got[0].Attempts, got[0].LastSeen}, []any{2, int64(3), f.now})
	_, err := f.store.FindIssue(f.ctx, f.env, hook.NewID(f.now))
	testx.Code(f, err, hook.CodeNotFound)
}

func issuesReopen(f *fixture) {
	e := f.newEndpoint()
	f.try(e.ID, answerFail)
	f.sumUp(1)
	id := f.issues(hook.IssueFilter{})[0].ID
	f.pass(time.Minute)
	f.try(e.ID, answerFail) // before it is resolved, but summed up after
	f.pass(time.Minute)
	got := f.decide(id, func(i *hook.Issue) {
		i.State, i.ResolvedAt, i.Note, i.Assignee, i.Attempts = hook.IssueResolved, f.now, "Fixed.", "Ada", 99
	})
	testx.Equal(f, []any{got.State, got.Note, got.Assignee, got.Attempts}, []any{hook.IssueResolved, "Fixed.", "Ada", int64(1)})
	f.sumUp(1)
	got = testx.Must(f.store.FindIssue(f.ctx, f.env, id))(f)
	testx.Equal(f, []any{got.State, got.Attempts}, []any{hook.IssueResolved, int64(2)}, "an older failure")
	f.pass(time.Minute)
	f.try(e.ID, answerFail)
	f.sumUp(1)
	got = testx.Must(f.store.FindIssue(f.ctx, f.env, id))(f)
	testx.Equal(f, []any{got.State, got.Attempts, got.ResolvedAt, got.Note}, []any{hook.IssueOpen, int64(3), time.Time{}, "Fixed."}, "a newer one")
	refused := errors.New("no")
	_, err := f.store.UpdateIssue(f.ctx, f.env, id, func(i *hook.Issue) error { i.Note = "x"; return refused })
	testx.True(f, err != nil, "an error of change is returned")
	testx.Equal(f, testx.Must(f.store.FindIssue(f.ctx, f.env, id))(f), got, "and nothing written")
}

func issuesHeal(f *fixture) {
	e := f.newEndpoint()
	f.try(e.ID, answerOK)
	f.pass(time.Minute)
	f.try(e.ID, answerFail)
	f.sumUp(2)
	healed := func() time.Time { f.Helper(); return f.issues(hook.IssueFilter{})[0].HealedAt }
	testx.Equal(f, healed(), time.Time{}, "a success before does not count")
	f.pass(time.Minute)
	f.try(e.ID, answerOK)
	f.sumUp(1)
	testx.Equal(f, healed(), f.now)
	f.pass(time.Minute)
	f.try(e.ID, answerFail)
	f.sumUp(1)
	testx.Equal(f, healed(), time.Time{}, "it failed again")
	f.pass(time.Minute)
	f.try(e.ID, answerFail)
	f.pass(time.Minute)
	f.try(e.ID, answerOK)
	f.sumUp(2)
	testx.Equal(f, healed(), f.now, "both at once")
}

func issuesList(f *fixture) {
	var want []hook.ID // endpoints, newest failure first
	for range 5 {
		f.pass(time.Minute)
		e := f.newEndpoint()
		f.try(e.ID, answerFail)
		want = append([]hook.ID{e.ID}, want...)
	}
	f.sumUp(5)
	endpoints := func(is []hook.Issue) []hook.ID { return idsOf(is, func(i hook.Issue) hook.ID { return i.Endpoint }) }
	all := f.issues(hook.IssueFilter{})
	testx.Equal(f, endpoints(all), want)
	var paged []hook.ID
	for after := (hook.IssuePlace{}); ; {
		p := testx.Must(f.store.ListIssues(f.ctx, hook.IssueFilter{Env: f.env, After: after, Limit: 2, States: hook.IssueStates}))(f)
		paged = append(paged, endpoints(p.Items)...)
		if !p.More {
			break
		}
		last := p.Items[len(p.Items)-1]
		after = hook.IssuePlace{LastSeen: last.LastSeen, ID: last.ID}
	}
	testx.Equal(f, paged, want)
	f.decide(all[1].ID, func(i *hook.Issue) { i.State = hook.IssueMuted })
	testx.Equal(f, endpoints(f.issues(hook.IssueFilter{States: []hook.IssueState{hook.IssueMuted}})), want[1:2])
	testx.Equal(f, endpoints(f.issues(hook.IssueFilter{Endpoint: want[3]})), want[3:4])
	testx.Equal(f, len(f.issues(hook.IssueFilter{App: f.newApp().ID})), 0)
	testx.Equal(f, testx.Must(f.store.CountIssues(f.ctx, f.env, hook.IssueOpen, 100))(f), 4)
	testx.Equal(f, testx.Must(f.store.CountIssues(f.ctx, f.env, hook.IssueOpen, 3))(f), 3)
}

func issuesUnmute(f *fixture) {
	e := f.newEndpoint()
	f.try(e.ID, answerFail)
	f.sumUp(1)
	id := f.issues(hook.IssueFilter{})[0].ID
	f.decide(id, func(i *hook.Issue) { i.State, i.MutedUntil = hook.IssueMuted, f.now.Add(time.Hour) })
	state := func() hook.IssueState { f.Helper(); return testx.Must(f.store.FindIssue(f.ctx, f.env, id))(f).State }
	f.expire(hook.Retention{})
	testx.Equal(f, state(), hook.IssueMuted)
	f.pass(time.Hour)
	f.expire(hook.Retention{})
	testx.Equal(f, state(), hook.IssueOpen)
}

func issuesGo(f *fixture) {
	e, other := f.newEndpoint(), f.newEndpoint()
	f.try(e.ID, answerFail)
	f.try(other.ID, answerFail)
	f.sumUp(2)
	f.deleteEndpoint(e.ID)
	got := f.issues(hook.IssueFilter{})
	testx.Equal(f, idsOf(got, func(i hook.Issue) hook.ID { return i.Endpoint }), []hook.ID{other.ID})
	f.pass(3 * day)
	f.expire(hook.Retention{Messages: day})
	testx.Equal(f, len(f.issues(hook.IssueFilter{})), 0)
}

func (f *fixture) traffic(step time.Duration) []hook.Traffic {
	f.Helper()
	return testx.Must(f.store.ListTraffic(f.ctx, hook.TrafficFilter{Env: f.env, Since: noon, Until: noon.Add(2 * time.Hour), Step: step}))(f)
}

func trafficEqual(f *fixture) {
	e := f.newEndpoint()
	g := *f
	g.env = f.newEnvironment("elsewhere")
	g.app = g.newApp().ID
	g.send()
	var want []hook.Traffic
	for i := range 4 {
		step := hook.Traffic{Start: noon.Add(time.Duration(i) * 20 * time.Minute), Accepted: int64(i + 1)}
		for n := range i + 1 {
			o := answerOK
			if n > 1 {
				o = answerFail
			}
			s := f.try(e.ID, o)
			due := s.Attempt.StartedAt.Add(-s.Attempt.Timings.Queue)
			step.Count(o.Class, s.Attempt.StartedAt, s.Attempt.Timings.Total, due)
		}
		want = append(want, step)
		f.pass(20 * time.Minute)
	}
	testx.Equal(f, f.traffic(5*time.Minute), want, "before")
	n := f.rollUp(4)
	testx.Equal(f, f.traffic(5*time.Minute), want, "in between")
	f.sumUp(10 - n)
	testx.Equal(f, f.traffic(5*time.Minute), want, "after")
	f.crash()
	f.register()
	testx.Equal(f, f.traffic(5*time.Minute), want, "after a crash")
	hour := want[0]
	hour.Merge(&want[1])
	hour.Merge(&want[2])
	testx.Equal(f, f.traffic(time.Hour), []hook.Traffic{hour, want[3]}, "by the hour")
}

func trafficDelay(f *fixture) {
	e := f.newEndpoint()
	_, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	f.pass(10 * time.Minute)
	l := f.claimOne(e.ID)
	f.settle(l, answerOK)
	took := 10*time.Minute + 20*time.Millisecond
	var want hook.Delays
	want.Add(took)
	check := func(what string) {
		f.Helper()
		var all hook.Traffic
		for _, t := range f.traffic(time.Hour) {
			all.Merge(&t)
		}
		testx.Equal(f, all.Delay, want, what)
		testx.Equal(f, []int64{all.Attempts.Succeeded(), all.Attempts.Failed()}, []int64{1, 1}, what)
	}
	check("before it is summed up")
	f.sumUp(2)
	check("after")
}

func trafficExpires(f *fixture) {
	f.newEndpoint()
	f.send()
	f.sumUp(0)
	testx.Equal(f, len(f.traffic(time.Hour)), 1)
	f.pass(3 * day)
	f.expire(hook.Retention{Messages: day})
	testx.Equal(f, len(f.traffic(time.Hour)), 0)
}

func rollupsOfMany(f *fixture) {
	a, b, c := f.newEndpoint(), f.newEndpoint(), f.newEndpoint()
	f.try(a.ID, answerOK)
	f.pass(time.Hour)
	f.try(a.ID, answerFail)
	f.try(b.ID, answerOK)
	f.rollUp(2)
	filter := hook.RollupFilter{Env: f.env, Endpoints: []hook.ID{a.ID, b.ID, c.ID, hook.NewID(f.now)}}
	check := func() {
		f.Helper()
		got := testx.Must(f.store.ListRollupsOf(f.ctx, filter))(f)
		testx.Equal(f, len(got), 2)
		for _, e := range []hook.ID{a.ID, b.ID} {
			testx.Equal(f, got[e], f.rollups(f.app, e, time.Time{}, time.Time{}))
		}
	}
	check()
	f.rollUp(10)
	check()
	filter.Since = f.now
	testx.Equal(f, len(testx.Must(f.store.ListRollupsOf(f.ctx, filter))(f)[a.ID]), 1, "of a range of hours")
}
