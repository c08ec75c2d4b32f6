package sqlite_test

import (
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// small is what a plan may read from end to end: the result of an inner selection
// that is bounded itself, a list that is a parameter, and the few there are.
var small = []string{"SCAN page ", "SCAN (subquery", "SCAN json_each ", "SCAN wanted ", "SCAN CONSTANT ROW ",
	"SCAN environments ", "SCAN nodes ", "SCAN tasks USING INDEX tasks_running "}

// flaws gives the lines of a plan that read a whole table or sort one.
func flaws(plan []string) (bad []string) {
	for _, line := range plan {
		scan := strings.HasPrefix(line, "SCAN ")
		for _, s := range small {
			scan = scan && !strings.HasPrefix(line+" ", s)
		}
		if scan || strings.Contains(line, "USE TEMP B-TREE") || strings.Contains(line, "AUTOMATIC") {
			bad = append(bad, line)
		}
	}
	return bad
}

func TestEveryListIsServedByAnIndexInItsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	for _, text := range append(append([]string(nil), sqlite.ListQueries...), sqlite.OtherQueries...) {
		plan, err := w.Plan(w.Context(), text)
		w.must(err)
		if bad := flaws(plan); len(bad) > 0 {
			t.Errorf("%s\n  plan:\n  %s", text, strings.Join(plan, "\n  "))
		}
	}
	if len(sqlite.ListQueries) < 20 {
		t.Errorf("only %d texts are registered", len(sqlite.ListQueries))
	}
}

// An index by endpoint would serve them too, and read all that the endpoint ever had.
func TestWhatIsNotRolledUpIsFoundByTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	for _, text := range sqlite.TailQueries {
		plan, err := w.Plan(w.Context(), text)
		w.must(err)
		if !strings.Contains(strings.Join(plan, "\n"), "USING INTEGER PRIMARY KEY (rowid>?)") {
			t.Errorf("%s\n  plan:\n  %s", text, strings.Join(plan, "\n  "))
		}
	}
}

func TestNoStatementReadsAWholeTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true, Readers: 1})
	w.everything()
	texts, err := w.Statements(w.Context())
	w.must(err)
	checked := 0
	for _, text := range texts {
		switch verb, _, _ := strings.Cut(text, " "); verb {
		case "SELECT", "INSERT", "UPDATE", "DELETE":
		default:
			continue
		}
		checked++
		plan, err := w.Plan(w.Context(), text)
		w.must(err)
		if bad := flaws(plan); len(bad) > 0 {
			t.Errorf("%s\n  plan:\n  %s", text, strings.Join(plan, "\n  "))
		}
	}
	if checked < 140 {
		t.Errorf("only %d statements were used", checked)
	}
}

// everything calls what the store offers, so that its statements are prepared.
func (w *world) everything() {
	ctx, page := w.Context(), hook.Page{Limit: 5}
	try := func(errs ...error) {
		w.Helper()
		for _, err := range errs {
			w.must(err)
		}
	}
	err := func(_ any, err error) error { return err }
	ep := w.endpoint(func(e *hook.Endpoint) { e.UID = "e" })
	other := w.endpoint()
	key := hook.Key{ID: hook.NewID(start), Env: w.env, Hash: [32]byte{1}, CreatedAt: start}
	kind := hook.EventType{ID: hook.NewID(start), Env: w.env, Name: "a.b", CreatedAt: start, UpdatedAt: start}
	once := &hook.IdempotencyKey{Hash: [16]byte{1}, ExpiresAt: start.Add(time.Hour)}
	task := hook.Task{ID: hook.NewID(start), Env: w.env, App: w.app, Endpoint: ep.ID, Kind: hook.TaskRecover, Status: hook.TaskRunning, CreatedAt: start, UpdatedAt: start}
	try(w.Ping(ctx),
		w.CreateEnvironment(ctx, &hook.Environment{ID: w.env, CreatedAt: start}), err(w.ListEnvironments(ctx)),
		w.CreateKey(ctx, &key), err(w.FindKeyByHash(ctx, key.Hash)), err(w.ListKeys(ctx, w.env, page)),
		w.TouchKeys(ctx, []hook.KeyUse{{Key: key.ID, At: start}}), w.ExpireKey(ctx, w.env, key.ID, start),
		w.ExpireAppKeys(ctx, w.env, w.app, nil, start),
		err(w.FindApplication(ctx, w.env, hook.Ref{ID: w.app})), err(w.ListApplications(ctx, w.env, page)),
		err(w.UpdateApplication(ctx, w.env, hook.Ref{ID: w.app}, func(a *hook.Application) error { a.UID = "a"; return nil })),
		err(w.FindApplication(ctx, w.env, hook.Ref{UID: "a"})))
	_, _, created := w.CreateEventType(ctx, &kind, once)
	try(created, err(w.FindEventType(ctx, w.env, "a.b")), err(w.FindEventTypes(ctx, w.env, []string{"a.b"})),
		err(w.ListEventTypes(ctx, w.env, true, page)),
		err(w.UpdateEventType(ctx, w.env, "a.b", func(*hook.EventType) error { return nil })), w.DeleteEventType(ctx, w.env, "a.b"))

	w.everyRequest()
	accepted := w.accept(room{}, w.event(start, "1"), w.event(start, "2"))
	w.accept(noRoom{}, w.event(start, "3"))
	w.flow(start, 4)
	lease, id := accepted[0].Leased[0], accepted[0].Message.ID
	w.answer(lease, 500, start, []byte("no"))
	try(w.Release(ctx, accepted[1].Leased, start), err(w.Lanes(ctx, ep.ID, 5)), err(w.QueueStats(ctx, start)),
		err(w.Claim(ctx, hook.ClaimRequest{Node: w.node, Now: start, MaxBytes: 1, Lanes: []hook.ClaimLane{{Endpoint: other.ID, Max: 1}}})),
		err(w.Resend(ctx, w.env, w.app, hook.Ref{ID: id}, hook.Ref{UID: "e"}, start, nil)),
		err(w.FindMessage(ctx, w.env, w.app, hook.Ref{ID: id}, true)), err(w.FindMessage(ctx, w.env, w.app, hook.Ref{ID: id}, false)),
		err(w.ExplainMessage(ctx, w.env, w.app, hook.Ref{ID: id})),
		err(w.ListMessages(ctx, hook.MessageFilter{Env: w.env, App: w.app, Page: page})),
		err(w.ListAttempts(ctx, hook.AttemptFilter{Env: w.env, App: w.app, Endpoint: ep.ID, Page: page})),
		err(w.ListAttempts(ctx, hook.AttemptFilter{Env: w.env, App: w.app, Message: id, OfEndpoint: ep.ID, Page: page})),
		err(w.ListDeliveries(ctx, hook.DeliveryFilter{Env: w.env, App: w.app, Endpoint: ep.ID, After: start, Before: start, Page: hook.Page{Limit: 5, From: id}})),
		err(w.ListDeliveries(ctx, hook.DeliveryFilter{Env: w.env, App: w.app, Message: id, Page: hook.Page{Limit: 5, From: hook.NewID(start)}})),
		err(w.CountAttempts(ctx, w.env, w.app, ep.ID, start, start)), w.ExpungeMessage(ctx, w.env, w.app, hook.Ref{ID: id}),
		err(w.ListEndpoints(ctx, w.env, w.app, page)), err(w.FindEndpoint(ctx, w.env, w.app, hook.Ref{UID: "e"})))

	try(err(w.Beat(ctx, hook.Beat{Node: w.node, Now: start})), err(w.ListNodes(ctx, start)), err(w.Rescue(ctx, start)),
		err(w.CountAttempts(ctx, w.env, w.app, ep.ID, start.Add(-90*time.Minute), start.Add(90*time.Minute))),
		err(w.RollUp(ctx, 1)), err(w.ListRollups(ctx, hook.StatsFilter{Env: w.env, App: w.app})),
		err(w.ListRollups(ctx, hook.StatsFilter{Env: w.env, App: w.app, Endpoint: ep.ID, Since: start, Until: start})), w.LeaveNode(ctx, w.node, start))
	for _, kind := range hook.FeedKinds {
		try(err(w.ReadFeed(ctx, kind, w.env, hook.Cursor{}, 5)), err(w.FeedEnd(ctx, kind)))
	}
	w.everySight(ep.ID, id)
	_, _, created = w.CreateTask(ctx, &task, nil)
	_, _, stepped := w.RecoverStep(ctx, task.ID, start, 5)
	try(created, stepped, err(w.ListTasks(ctx, hook.TaskFilter{Env: w.env, Page: page})), err(w.RunningTasks(ctx, 5)),
		err(w.CancelTask(ctx, w.env, task.ID, start)), err(w.CancelLane(ctx, ep.ID, hook.ReasonByUser, start, 5)),
		err(w.DeleteEndpoint(ctx, w.env, w.app, hook.Ref{UID: "e"}, start)))
	for _, keep := range []hook.Retention{{Payloads: time.Hour, Attempts: time.Hour}, {Messages: time.Hour}, {Requests: time.Hour}} {
		w.expire(keep, start.Add(24*time.Hour))
	}
}

// everySight calls what looks over a whole environment.
func (w *world) everySight(endpoint, message hook.ID) {
	w.Helper()
	ctx := w.Context()
	try := func(_ any, err error) { w.Helper(); w.must(err) }
	for _, apps := range [][]hook.ID{nil, {w.app}} {
		for _, states := range [][]hook.FailingState{nil, hook.FailingStates} {
			try(w.ListRecent(ctx, hook.RecentFilter{Env: w.env, Apps: apps, States: states, After: start, Before: start.Add(time.Hour), Limit: 5}))
		}
	}
	try(w.ListRecent(ctx, hook.RecentFilter{Env: w.env, Endpoint: endpoint, States: hook.FailingStates, Newer: true, Limit: 5}))
	try(w.CountRecent(ctx, hook.RecentFilter{Env: w.env}, 5))
	try(w.RecentOf(ctx, w.env, []hook.FeedItem{{Env: w.env, App: w.app, Message: message}}))
	try(w.FindMessageAnywhere(ctx, w.env, message, true))
	try(w.FindEndpointAnywhere(ctx, w.env, endpoint))
	if _, _, err := w.FindAttemptAnywhere(ctx, w.env, hook.NewID(start)); err == nil {
		w.Error("an attempt that is not there is found")
	}
	try(w.ListEnvironmentRequests(ctx, hook.RecentRequestFilter{Env: w.env, After: start, Before: start.Add(time.Hour), Limit: 5}))
	try(w.ListEnvironmentEndpoints(ctx, hook.EnvironmentEndpointFilter{Env: w.env, Page: hook.Page{Limit: 5}}))
	try(w.ListApplicationsWithCounts(ctx, hook.ApplicationFilter{Env: w.env, Page: hook.Page{Limit: 5}}))
	try(w.ListTraffic(ctx, hook.TrafficFilter{Env: w.env, Since: start, Until: start.Add(time.Hour)}))
	try(w.ListRollupsOf(ctx, hook.RollupFilter{Env: w.env, Endpoints: []hook.ID{endpoint}}))
	try(w.Figures(ctx))
	task := hook.Task{Env: w.env, App: w.app, Endpoint: endpoint, Since: start, Until: start.Add(time.Hour)}
	for _, task.Kind = range []hook.TaskKind{hook.TaskRecover, hook.TaskReplay} {
		try(w.CountRecoverable(ctx, &task, 5))
		task.ID, task.Status, task.CreatedAt, task.UpdatedAt = hook.NewID(start), hook.TaskRunning, start, start
		_, _, err := w.CreateTask(ctx, &task, nil)
		w.must(err)
		_, _, err = w.RecoverStep(ctx, task.ID, start, 5)
		w.must(err)
	}
	for _, states := range [][]hook.IssueState{nil, hook.IssueStates} {
		p, err := w.ListIssues(ctx, hook.IssueFilter{Env: w.env, States: states, Limit: 5})
		w.must(err)
		if len(p.Items) == 0 {
			w.Fatal("there is no issue")
		}
		try(w.UpdateIssue(ctx, w.env, p.Items[0].ID, func(*hook.Issue) error { return nil }))
	}
	try(w.CountIssues(ctx, w.env, hook.IssueOpen, 5))
}

// everyRequest calls what there is for sources and requests.
func (w *world) everyRequest() {
	w.Helper()
	ctx, page := w.Context(), hook.Page{Limit: 5}
	try := func(_ any, err error) { w.Helper(); w.must(err) }
	sources := make([]hook.Source, 2)
	for i := range sources {
		s := &sources[i]
		*s = hook.Source{ID: hook.NewID(start), Env: w.env, UID: string(rune('a' + i)), CreatedAt: start, UpdatedAt: start}
		s.Tokens = []hook.SourceToken{{Hash: [32]byte{byte(i)}}}
		_, _, err := w.CreateSource(ctx, s, nil)
		w.must(err)
	}
	source := sources[0].ID
	request := func(state hook.RequestState) hook.Request {
		return hook.Request{ID: hook.NewID(start), Source: source, Env: w.env, State: state, ReceivedAt: start, Body: []byte("b")}
	}
	received := func(q hook.Request) hook.NewEvent {
		e := w.event(start, "body")
		e.App, e.EventID, e.Request = source, hook.KindRequest.Format(q.ID), &q
		return e
	}
	refused := request(hook.RequestRefused)
	w.must(w.RecordRequests(ctx, hook.RequestBound{Count: 9, Bytes: 9}, []hook.Request{refused}))
	first := w.accept(noRoom{}, received(request(hook.RequestAccepted)), received(refused))[0].Message.ID
	duplicate := request(hook.RequestDuplicate)
	duplicate.Message = first
	w.must(w.RecordRequests(ctx, hook.RequestBound{Count: 1, Bytes: 9}, []hook.Request{duplicate, request(hook.RequestRefused)}))
	for _, states := range [][]hook.RequestState{nil, {hook.RequestRefused}} {
		try(w.ListRequests(ctx, hook.RequestFilter{Env: w.env, Source: source, States: states, Page: page}))
	}
	try(w.FindSource(ctx, w.env, hook.Ref{UID: "a"}))
	try(w.FindSourceByToken(ctx, [32]byte{1}, start))
	try(w.ListSources(ctx, w.env, page))
	try(w.DueSources(ctx, start, 5))
	try(w.FindRequest(ctx, w.env, source, refused.ID, true))
	try(w.UpdateRequest(ctx, w.env, source, refused.ID, func(*hook.Request) error { return nil }))
	try(w.PurgeRequests(ctx, w.env, source, start, 5))
	try(w.ResealSources(ctx, hook.ID{}, 5, func(*hook.Source) error { return nil }))
	_, _, err := w.UpdateSource(ctx, w.env, hook.Ref{ID: source}, nil, func(*hook.Source) error { return nil })
	w.must(err)
	try(w.DeleteSource(ctx, w.env, hook.Ref{ID: sources[1].ID}, start.Add(-time.Hour)))
}
