package storetest

import (
	"errors"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// seeIntrusions are those of the methods that look over a whole environment.
var seeIntrusions = []intrusion{
	{"ListRecent", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		a, err1 := f.store.ListRecent(f.ctx, hook.RecentFilter{Env: env, Limit: 250})
		b, err2 := f.store.ListRecent(f.ctx, hook.RecentFilter{Env: env, Limit: 250, States: hook.FailingStates})
		c, err3 := f.store.ListRecent(f.ctx, hook.RecentFilter{Env: env, Limit: 250, Apps: []hook.ID{s.app}})
		_, err4 := f.store.ListRecent(f.ctx, hook.RecentFilter{Env: env, Limit: 250, States: hook.FailingStates, Endpoint: s.endpoint})
		return slices.Contains(recentIDs(slices.Concat(a.Items, b.Items, c.Items)), s.message) || err4 == nil, errors.Join(err1, err2, err3)
	}},
	{"CountRecent", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		n, err := f.store.CountRecent(f.ctx, hook.RecentFilter{Env: env, Apps: []hook.ID{s.app}}, 10)
		return n != hook.BoundedCount{}, err
	}},
	{"RecentOf", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		item := hook.FeedItem{Message: s.message, App: s.app, Env: env}
		got, err := f.store.RecentOf(f.ctx, env, []hook.FeedItem{item})
		return len(got) > 0, err
	}},
	{"FindMessageAnywhere", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.FindMessageAnywhere(f.ctx, env, s.message, true))
	}},
	{"FindEndpointAnywhere", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.FindEndpointAnywhere(f.ctx, env, s.endpoint))
	}},
	{"FindAttemptAnywhere", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		_, _, err := f.store.FindAttemptAnywhere(f.ctx, env, s.attempt)
		return err == nil, err
	}},
	{"ListEnvironmentRequests", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		a, err1 := f.store.ListEnvironmentRequests(f.ctx, hook.RecentRequestFilter{Env: env, Limit: 250})
		b, err2 := f.store.ListEnvironmentRequests(f.ctx, hook.RecentRequestFilter{Env: env, Limit: 250, Sources: []hook.ID{s.source}})
		return slices.ContainsFunc(append(a.Items, b.Items...), func(q hook.RecentRequest) bool { return q.Request.Source == s.source }),
			errors.Join(err1, err2)
	}},
	{"ListEnvironmentEndpoints", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err := f.store.ListEnvironmentEndpoints(f.ctx, hook.EnvironmentEndpointFilter{Env: env, Page: hook.Page{Limit: 250}})
		return slices.ContainsFunc(p.Items, func(e hook.EndpointOf) bool { return e.Endpoint.ID == s.endpoint }), err
	}},
	{"ListApplicationsWithCounts", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err := f.store.ListApplicationsWithCounts(f.ctx, hook.ApplicationFilter{Env: env, Page: onePage})
		return slices.ContainsFunc(p.Items, func(a hook.ApplicationOf) bool { return a.Application.ID == s.app }), err
	}},
	{"ListIssues", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err := f.store.ListIssues(f.ctx, hook.IssueFilter{Env: env, Limit: 250})
		return slices.ContainsFunc(p.Items, func(i hook.Issue) bool { return i.Endpoint == s.endpoint }), err
	}},
	{"FindIssue", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.FindIssue(f.ctx, env, f.issueOf(s)))
	}},
	{"UpdateIssue", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.UpdateIssue(f.ctx, env, f.issueOf(s), func(*hook.Issue) error {
			f.Error("change is called with another's issue")
			return nil
		}))
	}},
	{"CountIssues", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err1 := f.store.ListIssues(f.ctx, hook.IssueFilter{Env: env, States: []hook.IssueState{hook.IssueOpen}, Limit: 250})
		n, err2 := f.store.CountIssues(f.ctx, env, hook.IssueOpen, 250)
		return n != len(p.Items), errors.Join(err1, err2)
	}},
	{"ListTraffic", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		sum := func(env hook.ID) (t hook.Traffic, err error) {
			all, err := f.store.ListTraffic(f.ctx, hook.TrafficFilter{Env: env, Since: noon.Add(-day), Until: noon.Add(day)})
			for i := range all {
				t.Merge(&all[i])
			}
			return t, err
		}
		nobody := hook.NewID(f.now)
		t, err := sum(nobody)
		return t.Accepted > 0 || t.Attempts.Total() > 0, err
	}},
	{"ListRollupsOf", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		got, err := f.store.ListRollupsOf(f.ctx, hook.RollupFilter{Env: env, Endpoints: []hook.ID{s.endpoint}})
		return len(got) > 0, err
	}},
	{"CountRecoverable", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		t := f.taskValue(s.endpoint, func(t *hook.Task) { t.Env, t.App = env, app })
		return did(f.store.CountRecoverable(f.ctx, &t, 10))
	}},
}

// issueOf gives the issue of an estate's endpoint.
func (f *fixture) issueOf(s estate) hook.ID {
	f.Helper()
	for tries := range patience {
		p, err := f.store.ListIssues(f.ctx, hook.IssueFilter{Env: s.env, Endpoint: s.endpoint, Limit: 1})
		f.must(err)
		if len(p.Items) > 0 {
			return p.Items[0].ID
		}
		f.rollUp(tries + 1)
	}
	f.Fatal("there is no issue of the estate")
	return hook.ID{}
}
