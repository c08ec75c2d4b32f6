package storetest

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var isolationTests = []test{
	{"no environment sees or changes what is another's", environmentsAreApart},
	{"no application sees or changes what is another's", applicationsAreApart},
	{"every method of a tenant is tried", everyMethodIsTried},
	{"a name of one environment means nothing in another", namesAreApart},
}

// withoutTenant are the methods that work for the server as a whole. Each must
// be here or in intrusions.
var withoutTenant = []string{
	"Ping", "Close", "CreateEnvironment", "ListEnvironments", "CreateKey", "FindKeyByHash", "TouchKeys",
	"RegisterNode", "Beat", "LeaveNode", "Rescue", "ListNodes", "FeedEnd", "RollUp", "Lanes", "Claim", "Settle", "Release", "CancelLane", "QueueStats", "RunningTasks", "RecoverStep", "Expire",
	"FindSourceByToken", "DueSources", "Figures",
	// Members are those of all environments; a list of the audit log may be of all too.
	"UpdateEnvironment", "CreateMember", "FindMember", "FindMemberByEmail", "FindMemberBySubject", "ListMembers", "UpdateMember", "DeleteMember",
	"CreateSession", "FindSession", "ListSessions", "EndSession", "EndSessions", "TouchSessions", "CreateTicket", "FindTicket", "TakeTicket",
	"CreatePasskey", "ListPasskeys", "UsePasskey", "DeletePasskey", "WriteAudit", "ListAudits",
	// Grants are found by their hash, and settings are of the environment itself.
	"CreatePortalGrant", "UsePortalGrant", "DeletePortalGrant", "FindSettings", "ListSettings", "UpdateSettings",
}

// estate is one of everything, in one environment.
type estate struct {
	env, app, endpoint, message, attempt, key, token, task hook.ID
	source, accepted, refused                              hook.ID // a source and two of its requests
	uid, eventID, eventType                                string
}

// newEstate makes an estate in an environment of its own, or in one that is there.
func newEstate(f *fixture, name string, env hook.ID) estate {
	f.Helper()
	s := estate{env: env, uid: "uid", eventID: "event", eventType: "type"}
	mine := func(a *hook.Application) { a.Env, a.Name = s.env, name }
	if env.IsZero() {
		s.env = f.newEnvironment(name)
		s.app = f.newApp(mine, withUID(s.uid)).ID
		f.newEventType(s.eventType, func(t *hook.EventType) { t.Env, t.Description = s.env, name })
	} else {
		s.app = f.newApp(mine).ID
	}
	s.endpoint = f.newEndpoint(endpointUID(s.uid), func(e *hook.Endpoint) { e.Env, e.App, e.Description = s.env, s.app, name }).ID
	a := f.acceptWith(&places{room: everywhere}, f.event(func(e *hook.NewEvent) {
		e.Env, e.App, e.EventID, e.Body = s.env, s.app, s.eventID, []byte(name)
	}))[0]
	testx.NoError(f, a.Err)
	s.message = a.Message.ID
	set := f.settlement(a.Leased[0], answerFail)
	f.settleAll(set)
	s.attempt = set.Attempt.ID
	s.key = f.newKey("key of "+name, func(k *hook.Key) { k.Env = s.env }).ID
	s.token = f.newKey("token of "+name, func(k *hook.Key) { k.Env, k.App = s.env, s.app }).ID
	s.task = f.newTask(s.endpoint, func(t *hook.Task) { t.Env, t.App = s.env, s.app }).ID
	s.source = f.newSource(func(src *hook.Source) {
		src.Env, src.Name, src.NextFire = s.env, name, f.now.Add(time.Hour)
		if env.IsZero() {
			src.UID = s.uid
		}
	}).ID
	g := *f
	g.env = s.env
	n := g.received(s.source, s.eventID, name)
	testx.NoError(f, g.accept(n)[0].Err)
	q := g.requestValue(s.source, name)
	g.record(q)
	s.accepted, s.refused = n.Request.ID, q.ID
	return s
}

// intrusion calls one method as somebody who knows all ids of an estate but is
// in another place. It reports whether it saw or was told to have done anything.
type intrusion struct {
	method string
	// wide says that the method knows no application, so that nothing is
	// forbidden to another application of the same environment.
	wide bool
	try  func(f *fixture, env, app hook.ID, s estate) (saw bool, err error)
}

func saw[T any](p hook.PageOf[T], err error) (bool, error) { return len(p.Items) > 0 || p.More, err }

func did[T any](_ T, err error) (bool, error) { return err == nil, err }

func did2[T any](_ T, _ bool, err error) (bool, error) { return err == nil, err }

var onePage = hook.Page{Limit: 250, Ascending: true}

var intrusions = slices.Concat(seeIntrusions, []intrusion{
	{"ListKeys", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err := f.store.ListKeys(f.ctx, env, onePage)
		return slices.ContainsFunc(p.Items, func(k hook.Key) bool { return k.ID == s.key || k.ID == s.token }), err
	}},
	{"ExpireKey", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return false, errors.Join(f.store.ExpireKey(f.ctx, env, s.key, f.now), f.store.ExpireKey(f.ctx, env, s.token, f.now))
	}},
	{"ExpireAppKeys", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return false, f.store.ExpireAppKeys(f.ctx, env, s.app, nil, f.now)
	}},
	{"CreateApplication", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		// The key that made the other's application is a new one here.
		a := f.appValue(func(a *hook.Application) { a.Env = env })
		got, repeated, err := f.store.CreateApplication(f.ctx, &a, f.idempotencyKey("shared", "r", false))
		return repeated || got.ID == s.app, err
	}},
	{"FindApplication", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.FindApplication(f.ctx, env, hook.Ref{ID: s.app}))
	}},
	{"ListApplications", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err := f.store.ListApplications(f.ctx, env, onePage)
		return slices.ContainsFunc(p.Items, func(a hook.Application) bool { return a.ID == s.app }), err
	}},
	{"UpdateApplication", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.UpdateApplication(f.ctx, env, hook.Ref{ID: s.app}, func(a *hook.Application) error {
			f.Error("change is called with another's application")
			return nil
		}))
	}},
	{"DeleteApplication", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.DeleteApplication(f.ctx, env, hook.Ref{ID: s.app}, f.now))
	}},
	{"CreateEventType", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		t := f.eventTypeValue("type of "+hook.KindEnvironment.Format(env), func(t *hook.EventType) { t.Env = env })
		_, repeated, err := f.store.CreateEventType(f.ctx, &t, f.idempotencyKey("shared too", "r", false))
		return repeated, err
	}},
	{"FindEventType", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		t, err := f.store.FindEventType(f.ctx, env, s.eventType)
		return t.Env == s.env, err
	}},
	{"FindEventTypes", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		got, err := f.store.FindEventTypes(f.ctx, env, []string{s.eventType})
		return slices.ContainsFunc(got, func(t hook.EventType) bool { return t.Env == s.env }), err
	}},
	{"ListEventTypes", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err := f.store.ListEventTypes(f.ctx, env, true, onePage)
		return slices.ContainsFunc(p.Items, func(t hook.EventType) bool { return t.Env == s.env }), err
	}},
	{"UpdateEventType", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		t, err := f.store.UpdateEventType(f.ctx, env, s.eventType, func(t *hook.EventType) error {
			t.Description += " changed"
			return nil
		})
		return t.Env == s.env, err
	}},
	{"DeleteEventType", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return false, f.store.DeleteEventType(f.ctx, env, s.eventType)
	}},
	{"CreateEndpoint", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		e := f.endpointValue(func(e *hook.Endpoint) { e.Env, e.App = env, s.app })
		return did2(f.store.CreateEndpoint(f.ctx, &e, 0, nil))
	}},
	{"FindEndpoint", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did(f.store.FindEndpoint(f.ctx, env, app, hook.Ref{ID: s.endpoint}))
	}},
	{"ListEndpoints", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		p, err := f.store.ListEndpoints(f.ctx, env, app, onePage)
		return slices.ContainsFunc(p.Items, func(e hook.Endpoint) bool { return e.ID == s.endpoint }), err
	}},
	{"UpdateEndpoint", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did2(f.store.UpdateEndpoint(f.ctx, env, app, hook.Ref{ID: s.endpoint}, nil, func(*hook.Endpoint) error {
			f.Error("change is called with another's endpoint")
			return nil
		}))
	}},
	{"DeleteEndpoint", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did(f.store.DeleteEndpoint(f.ctx, env, app, hook.Ref{ID: s.endpoint}, f.now))
	}},
	{"Accept", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		a := f.accept(f.event(func(e *hook.NewEvent) { e.Env, e.App = env, s.app }))[0]
		return a.Err == nil, a.Err
	}},
	{"FindMessage", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did(f.store.FindMessage(f.ctx, env, app, hook.Ref{ID: s.message}, true))
	}},
	{"ListMessages", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		p, err := f.store.ListMessages(f.ctx, hook.MessageFilter{Env: env, App: app, Page: onePage})
		return slices.ContainsFunc(p.Items, func(m hook.Message) bool { return m.ID == s.message }), err
	}},
	{"ExpungeMessage", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did(0, f.store.ExpungeMessage(f.ctx, env, app, hook.Ref{ID: s.message}))
	}},
	{"ExplainMessage", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did(f.store.ExplainMessage(f.ctx, env, app, hook.Ref{ID: s.message}))
	}},
	{"FindAttempt", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did(f.store.FindAttempt(f.ctx, env, app, s.message, s.attempt))
	}},
	{"ListAttempts", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		a, err1 := saw(f.store.ListAttempts(f.ctx, hook.AttemptFilter{Env: env, App: app, Message: s.message, StatusClass: -1, Page: onePage}))
		b, err2 := saw(f.store.ListAttempts(f.ctx, hook.AttemptFilter{Env: env, App: app, Endpoint: s.endpoint, StatusClass: -1, Page: onePage}))
		return a || b, errors.Join(err1, err2)
	}},
	{"ListDeliveries", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		a, err1 := saw(f.store.ListDeliveries(f.ctx, hook.DeliveryFilter{Env: env, App: app, Message: s.message, Page: onePage}))
		b, err2 := saw(f.store.ListDeliveries(f.ctx, hook.DeliveryFilter{Env: env, App: app, Endpoint: s.endpoint, Page: onePage}))
		return a || b, errors.Join(err1, err2)
	}},
	{"CountAttempts", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		n, err := f.store.CountAttempts(f.ctx, env, app, s.endpoint, noon.Add(-day), noon.Add(day))
		return n != hook.AttemptCounts{}, err
	}},
	{"ListRollups", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		a, err := f.store.ListRollups(f.ctx, hook.StatsFilter{Env: env, App: app, Endpoint: s.endpoint})
		if err != nil || app != s.app {
			return len(a) > 0, err
		}
		b, err := f.store.ListRollups(f.ctx, hook.StatsFilter{Env: env, App: app})
		return len(a)+len(b) > 0, err
	}},
	{"ReadFeed", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		a, err1 := f.store.ReadFeed(f.ctx, hook.FeedMessages, env, hook.Cursor{}, 250)
		b, err2 := f.store.ReadFeed(f.ctx, hook.FeedAttempts, env, hook.Cursor{}, 250)
		return slices.ContainsFunc(append(a.Items, b.Items...), func(i hook.FeedItem) bool {
			return i.Message == s.message || i.Attempt == s.attempt || i.Env == s.env
		}), errors.Join(err1, err2)
	}},
	{"ExpungeAttempt", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did(0, f.store.ExpungeAttempt(f.ctx, env, app, s.message, s.attempt))
	}},
	{"Resend", false, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		return did(f.store.Resend(f.ctx, env, app, hook.Ref{ID: s.message}, hook.Ref{ID: s.endpoint}, f.now, nil))
	}},
	{"CreateTask", true, func(f *fixture, env, app hook.ID, s estate) (bool, error) {
		// A task for another's endpoint may be stored, but finds nothing to do.
		t := f.taskValue(s.endpoint, func(t *hook.Task) { t.Env, t.App = env, s.app })
		got, _, err := f.store.CreateTask(f.ctx, &t, nil)
		if err != nil {
			return false, err
		}
		got, work, err := f.store.RecoverStep(f.ctx, got.ID, f.now, 100)
		return got.Queued > 0 || work != hook.Lane{}, err
	}},
	{"FindTask", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.FindTask(f.ctx, env, s.task))
	}},
	{"ListTasks", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err := f.store.ListTasks(f.ctx, hook.TaskFilter{Env: env, Page: hook.Page{Limit: 250}})
		return slices.ContainsFunc(p.Items, func(t hook.Task) bool { return t.ID == s.task }), err
	}},
	{"CreateSource", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		src := f.sourceValue(func(src *hook.Source) { src.Env = env })
		got, repeated, err := f.store.CreateSource(f.ctx, &src, f.idempotencyKey("shared three", "r", false))
		return repeated || got.ID == s.source, err
	}},
	{"FindSource", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.FindSource(f.ctx, env, hook.Ref{ID: s.source}))
	}},
	{"ListSources", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		p, err := f.store.ListSources(f.ctx, env, onePage)
		return slices.ContainsFunc(p.Items, func(src hook.Source) bool { return src.ID == s.source }), err
	}},
	{"UpdateSource", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did2(f.store.UpdateSource(f.ctx, env, hook.Ref{ID: s.source}, nil, func(*hook.Source) error {
			f.Error("change is called with another's source")
			return nil
		}))
	}},
	{"DeleteSource", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.DeleteSource(f.ctx, env, hook.Ref{ID: s.source}, f.now))
	}},
	{"RecordRequests", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		q := f.requestValue(s.source, "x", func(q *hook.Request) { q.Env = env })
		return false, f.store.RecordRequests(f.ctx, hook.RequestBound{}, []hook.Request{q})
	}},
	{"FindRequest", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		a, err1 := did(f.store.FindRequest(f.ctx, env, s.source, s.accepted, true))
		b, err2 := did(f.store.FindRequest(f.ctx, env, s.source, s.refused, true))
		return a || b, errors.Join(err1, err2)
	}},
	{"ListRequests", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		a, err1 := saw(f.store.ListRequests(f.ctx, hook.RequestFilter{Env: env, Source: s.source, Page: onePage}))
		b, err2 := saw(f.store.ListRequests(f.ctx, hook.RequestFilter{Env: env, Source: s.source, States: hook.RequestStates[1:], Page: onePage}))
		return a || b, errors.Join(err1, err2)
	}},
	{"UpdateRequest", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.UpdateRequest(f.ctx, env, s.source, s.refused, func(*hook.Request) error {
			f.Error("change is called with another's request")
			return nil
		}))
	}},
	{"PurgeRequests", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		n, err := f.store.PurgeRequests(f.ctx, env, s.source, time.Time{}, 10)
		return n > 0, err
	}},
	{"CancelTask", true, func(f *fixture, env, _ hook.ID, s estate) (bool, error) {
		return did(f.store.CancelTask(f.ctx, env, s.task, f.now))
	}},
})

// inventory is all that an estate consists of, as its owner sees it.
func (f *fixture) inventory(s estate) []any {
	f.Helper()
	var all []any
	add := func(v any, err error) {
		f.Helper()
		testx.NoError(f, err)
		all = append(all, v)
	}
	id := func(id hook.ID) hook.Ref { return hook.Ref{ID: id} }
	list := func(v any, err error) { f.Helper(); add(v, err) }
	app, err := f.store.FindApplication(f.ctx, s.env, id(s.app))
	add(app, err)
	endpoints, err := f.store.ListEndpoints(f.ctx, s.env, s.app, onePage)
	add(endpoints, err)
	messages, err := f.store.ListMessages(f.ctx, hook.MessageFilter{Env: s.env, App: s.app, WithBody: true, Page: onePage})
	list(messages, err)
	x, err := f.store.ExplainMessage(f.ctx, s.env, s.app, id(s.message))
	add(x, err)
	a, err := f.store.FindAttempt(f.ctx, s.env, s.app, s.message, s.attempt)
	add(a, err)
	task, err := f.store.FindTask(f.ctx, s.env, s.task)
	add(task, err)
	types, err := f.store.FindEventTypes(f.ctx, s.env, []string{s.eventType})
	add(types, err)
	counts, err := f.store.CountAttempts(f.ctx, s.env, s.app, s.endpoint, noon.Add(-day), noon.Add(day))
	add(counts, err)
	hours, err := f.store.ListRollups(f.ctx, hook.StatsFilter{Env: s.env, App: s.app})
	list(hours, err)
	src, err := f.store.FindSource(f.ctx, s.env, id(s.source))
	add(src, err)
	requests, err := f.store.ListRequests(f.ctx, hook.RequestFilter{Env: s.env, Source: s.source, Page: onePage})
	list(requests, err)
	for _, q := range []hook.ID{s.accepted, s.refused} {
		request, err := f.store.FindRequest(f.ctx, s.env, s.source, q, true)
		add(request, err)
	}
	return append(all, f.key("key of "+app.Name), f.key("token of "+app.Name), f.lanesOf(s.endpoint))
}

// lanesOf gives the lanes of one endpoint.
func (f *fixture) lanesOf(endpoint hook.ID) map[lane]time.Time {
	f.Helper()
	out := map[lane]time.Time{}
	for l, due := range f.lanes() {
		if l.endpoint == endpoint {
			out[l] = due
		}
	}
	return out
}

// intrude calls methods as the intruder with all that belongs to the victim. In
// the end nothing of the victim's may have changed.
func intrude(f *fixture, victim estate, env, app hook.ID, wide bool) {
	f.Helper()
	before := f.inventory(victim)
	for _, in := range intrusions {
		if in.wide && !wide {
			continue
		}
		saw, err := in.try(f, env, app, victim)
		testx.True(f, !saw, in.method+" does nothing with another's things")
		var known *hook.Error
		testx.True(f, err == nil || errors.As(err, &known) && known.Code == hook.CodeNotFound, in.method+" finds nothing, or says so")
		testx.Equal(f, f.inventory(victim), before, "after "+in.method)
	}
}

func environmentsAreApart(f *fixture) {
	victim := newEstate(f, "victim", hook.ID{})
	intruder := newEstate(f, "intruder", hook.ID{})
	a := f.appValue(func(a *hook.Application) { a.Env = victim.env })
	_, _, err := f.store.CreateApplication(f.ctx, &a, f.idempotencyKey("shared", "r", false))
	f.must(err)
	t := f.eventTypeValue("another", func(t *hook.EventType) { t.Env = victim.env })
	_, _, err = f.store.CreateEventType(f.ctx, &t, f.idempotencyKey("shared too", "r", false))
	f.must(err)
	src := f.sourceValue(func(s *hook.Source) { s.Env = victim.env })
	_, _, err = f.store.CreateSource(f.ctx, &src, f.idempotencyKey("shared three", "r", false))
	f.must(err)
	intrude(f, victim, intruder.env, victim.app, true) // the other's application, in the own environment
	intruder = newEstate(f, "second intruder", hook.ID{})
	intrude(f, victim, intruder.env, intruder.app, true) // the own application, with the other's ids
	nobody := hook.NewID(f.now)
	intrude(f, victim, nobody, victim.app, true)
}

func applicationsAreApart(f *fixture) {
	victim := newEstate(f, "victim", hook.ID{})
	intruder := newEstate(f, "intruder", victim.env)
	intrude(f, victim, victim.env, intruder.app, false)
	intrude(f, intruder, victim.env, victim.app, false)
	intrude(f, victim, victim.env, hook.NewID(f.now), false)
	intrude(f, victim, victim.env, hook.ID{}, false)
}

func everyMethodIsTried(f *fixture) {
	known := slices.Clone(withoutTenant)
	for _, in := range intrusions {
		known = append(known, in.method)
	}
	for m := range reflect.TypeFor[store.Store]().Methods() {
		testx.True(f, slices.Contains(known, m.Name), m.Name+" is tried for what it lets others see")
	}
}

func namesAreApart(f *fixture) {
	one := newEstate(f, "one", hook.ID{})
	two := newEstate(f, "two", hook.ID{})
	for _, s := range []estate{one, two} {
		app := testx.Must(f.store.FindApplication(f.ctx, s.env, hook.Ref{UID: s.uid}))(f)
		testx.Equal(f, app.ID, s.app)
		e := testx.Must(f.store.FindEndpoint(f.ctx, s.env, s.app, hook.Ref{UID: s.uid}))(f)
		testx.Equal(f, e.ID, s.endpoint)
		m := testx.Must(f.store.FindMessage(f.ctx, s.env, s.app, hook.Ref{UID: s.eventID}, true))(f)
		testx.Equal(f, []any{m.ID, string(m.Body)}, []any{s.message, app.Name})
		t := testx.Must(f.store.FindEventType(f.ctx, s.env, s.eventType))(f)
		testx.Equal(f, t.Description, app.Name)
		src := testx.Must(f.store.FindSource(f.ctx, s.env, hook.Ref{UID: s.uid}))(f)
		testx.Equal(f, []any{src.ID, src.Name}, []any{s.source, app.Name})
	}
	// What one changes by name is its own.
	f.must(f.store.ExpungeMessage(f.ctx, one.env, one.app, hook.Ref{UID: one.eventID}))
	m := testx.Must(f.store.FindMessage(f.ctx, two.env, two.app, hook.Ref{UID: two.eventID}, true))(f)
	testx.True(f, !m.BodyGone, "the other's payload is there")
	f.must(f.store.DeleteEventType(f.ctx, one.env, one.eventType))
	testx.Must(f.store.FindEventType(f.ctx, two.env, two.eventType))(f)
	_, err := f.store.DeleteApplication(f.ctx, one.env, hook.Ref{UID: one.uid}, f.now)
	f.must(err)
	testx.Must(f.store.FindApplication(f.ctx, two.env, hook.Ref{UID: two.uid}))(f)
}
