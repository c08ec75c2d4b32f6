package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/jackc/pgx/v5"
)

// configured is one application in a database that two nodes share.
type configured struct {
	*testing.T
	nodes [2]*postgres.Store
	db    *pgx.Conn
	env   hook.ID
	app   hook.ID
}

var configuredAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newConfigured(t *testing.T) *configured {
	t.Helper()
	url := newDatabase(t, false)
	c := &configured{T: t, nodes: [2]*postgres.Store{open(t, url), open(t, url)}, env: hook.NewID(configuredAt), app: hook.NewID(configuredAt)}
	var err error
	if c.db, err = pgx.Connect(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.db.Close(context.Background()) })
	testx.NoError(t, c.nodes[0].CreateEnvironment(t.Context(), &hook.Environment{ID: c.env, CreatedAt: configuredAt}))
	_, _, err = c.nodes[0].CreateApplication(t.Context(), &hook.Application{ID: c.app, Env: c.env, CreatedAt: configuredAt, UpdatedAt: configuredAt}, nil)
	testx.NoError(t, err)
	return c
}

func (c *configured) value() *hook.Endpoint {
	return &hook.Endpoint{ID: hook.NewID(configuredAt), Env: c.env, App: c.app, URL: "https://example.com", CreatedAt: configuredAt, UpdatedAt: configuredAt}
}

func (c *configured) endpoint() hook.Endpoint {
	c.Helper()
	e, _, err := c.nodes[0].CreateEndpoint(c.Context(), c.value(), 0, nil)
	testx.NoError(c, err)
	return e
}

func (c *configured) change(endpoint hook.ID, change func(*hook.Endpoint)) hook.Endpoint {
	c.Helper()
	e, _, err := c.nodes[0].UpdateEndpoint(c.Context(), c.env, c.app, hook.Ref{ID: endpoint}, nil, func(e *hook.Endpoint) error {
		change(e)
		return nil
	})
	testx.NoError(c, err)
	return e
}

// noPlaces leaves everything to be claimed.
type noPlaces struct{}

func (noPlaces) Reserve(*hook.Endpoint, int) bool    { return false }
func (noPlaces) Unreserve(*hook.Endpoint, int)       {}
func (noPlaces) Due(*hook.Endpoint, bool, time.Time) {}

func (c *configured) accept(at time.Time) hook.ID {
	c.Helper()
	id := hook.NewID(at)
	out, err := c.nodes[0].Accept(c.Context(), hook.Node{}, noPlaces{}, at, []hook.NewEvent{{Message: hook.Message{
		ID: id, Env: c.env, App: c.app, EventType: "a", ContentType: "application/json", Body: []byte("{}"), BodySize: 2, CreatedAt: at,
	}}})
	testx.NoError(c, err)
	testx.NoError(c, out[0].Err)
	return id
}

func (c *configured) number(query string, args ...any) (n int) {
	c.Helper()
	testx.NoError(c, c.db.QueryRow(c.Context(), query, args...).Scan(&n), query)
	return n
}

// atOnce lets callers of both nodes call at the same time, and counts those that
// got no error. The others must have got one with the code.
func (c *configured) atOnce(refused hook.Code, call func(node *postgres.Store) error) int {
	c.Helper()
	const callers = 12
	var won atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range callers {
		all.Go(func() {
			<-start
			err := call(c.nodes[i%2])
			var known *hook.Error
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &known) || known.Code != refused:
				c.Errorf("refused with %v, want code %q", err, refused)
			}
		})
	}
	close(start)
	all.Wait()
	return int(won.Load())
}

func TestLimitOfEndpointsHoldsAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newConfigured(t)
	won := c.atOnce(hook.CodeLimitReached, func(node *postgres.Store) error {
		_, _, err := node.CreateEndpoint(t.Context(), c.value(), 3, nil)
		return err
	})
	testx.Equal(t, []int{won, c.number(`SELECT count(*) FROM endpoints`)}, []int{3, 3})
}

func TestNamesAreTakenOnceAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newConfigured(t)
	eventType := func(node *postgres.Store) error {
		_, _, err := node.CreateEventType(t.Context(),
			&hook.EventType{ID: hook.NewID(configuredAt), Env: c.env, Name: "a", CreatedAt: configuredAt, UpdatedAt: configuredAt}, nil)
		return err
	}
	won := c.atOnce(hook.CodeEventTypeTaken, eventType)
	testx.Equal(t, won, 1, "event types")
	_, err := c.nodes[1].UpdateEventType(t.Context(), c.env, "a", func(e *hook.EventType) error { e.Archived = true; return nil })
	testx.NoError(t, err)
	won = c.atOnce(hook.CodeEventTypeTaken, eventType)
	testx.Equal(t, won, 1, "revivals of an archived one")
	won = c.atOnce(hook.CodeConflict, func(node *postgres.Store) error {
		_, _, err := node.CreateApplication(t.Context(),
			&hook.Application{ID: hook.NewID(configuredAt), Env: c.env, UID: "u", CreatedAt: configuredAt, UpdatedAt: configuredAt}, nil)
		return err
	})
	testx.Equal(t, won, 1, "applications")
}

func TestNoUpdateIsLostAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newConfigured(t)
	e := c.endpoint()
	won := c.atOnce("", func(node *postgres.Store) error {
		_, _, err := node.UpdateEndpoint(t.Context(), c.env, c.app, hook.Ref{ID: e.ID}, nil, func(e *hook.Endpoint) error { e.ThrottleRate++; return nil })
		_, err2 := node.UpdateApplication(t.Context(), c.env, hook.Ref{ID: c.app}, func(a *hook.Application) error { a.ThrottleRate++; return nil })
		return errors.Join(err, err2)
	})
	got := testx.Must(c.nodes[0].FindEndpoint(t.Context(), c.env, c.app, hook.Ref{ID: e.ID}))(t)
	app := testx.Must(c.nodes[0].FindApplication(t.Context(), c.env, hook.Ref{ID: c.app}))(t)
	testx.Equal(t, []int{got.ThrottleRate, app.ThrottleRate, int(got.Revision - e.Revision)}, []int{won, won, won})
	testx.Equal(t, c.number(`SELECT count(DISTINCT version) FROM endpoint_revisions`), won+1, "versions of the application with a revision")
}

func TestEveryChangeIsToldToOtherNodes(t *testing.T) {
	t.Parallel()
	c := newConfigured(t)
	version, seen := 1, 0
	// told expects one change of each endpoint since the last time.
	told := func(what string, want ...hook.EndpointChange) {
		t.Helper()
		rows, err := c.db.Query(t.Context(), `SELECT endpoint, revision, closed FROM changes ORDER BY txid, endpoint OFFSET $1`, seen)
		testx.NoError(t, err)
		got, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (hook.EndpointChange, error) {
			var id []byte
			var revision int64
			var closed int16
			err := r.Scan(&id, &revision, &closed)
			return hook.EndpointChange{Endpoint: hook.ID(id), Revision: revision, Closed: hook.Reason(closed)}, err
		})
		testx.NoError(t, err)
		testx.Equal(t, len(got), len(want), "changes told by "+what)
		if len(want) > 0 {
			testx.Equal(t, got, want, what)
		}
		seen += len(got)
		now := c.number(`SELECT version FROM applications WHERE id = $1`, c.app[:])
		testx.True(t, now > version, what+" counts the version of the application up")
		version = now
	}
	a := c.endpoint()
	told("a new endpoint", hook.EndpointChange{Endpoint: a.ID, Revision: 1})
	b := c.endpoint()
	told("another one", hook.EndpointChange{Endpoint: b.ID, Revision: 1})
	c.change(a.ID, func(e *hook.Endpoint) { e.URL = "https://example.org" })
	told("an update", hook.EndpointChange{Endpoint: a.ID, Revision: 2})
	c.change(a.ID, func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, configuredAt) })
	told("disabling", hook.EndpointChange{Endpoint: a.ID, Revision: 3, Closed: hook.ReasonEndpointDisabled})
	first, second := hook.EndpointChange{Endpoint: a.ID, Revision: 3, Closed: hook.ReasonEndpointDisabled}, hook.EndpointChange{Endpoint: b.ID, Revision: 1}
	if string(a.ID[:]) > string(b.ID[:]) {
		first, second = second, first
	}
	update := func(change func(*hook.Application)) {
		_, err := c.nodes[0].UpdateApplication(t.Context(), c.env, hook.Ref{ID: c.app}, func(a *hook.Application) error { change(a); return nil })
		testx.NoError(t, err)
	}
	update(func(a *hook.Application) { a.ThrottleRate = 5 })
	told("the rate of the application", first, second)
	update(func(a *hook.Application) { a.Name = "renamed" })
	told("the name of the application")
	_, err := c.nodes[0].DeleteEndpoint(t.Context(), c.env, c.app, hook.Ref{ID: a.ID}, configuredAt)
	testx.NoError(t, err)
	told("deleting", hook.EndpointChange{Endpoint: a.ID, Revision: 4, Closed: hook.ReasonEndpointDeleted})
	testx.Must(c.nodes[0].DeleteApplication(t.Context(), c.env, hook.Ref{ID: c.app}, configuredAt))(t)
	told("deleting the application", hook.EndpointChange{Endpoint: b.ID, Revision: 2, Closed: hook.ReasonEndpointDeleted})
}

func TestRevisionsOfAnEndpointDoNotPileUp(t *testing.T) {
	t.Parallel()
	c := newConfigured(t)
	e := c.endpoint()
	at := configuredAt
	change := func(n int, every time.Duration) {
		for range n {
			at = at.Add(every)
			c.change(e.ID, func(e *hook.Endpoint) { e.UpdatedAt = at })
		}
	}
	kept := func() int { return c.number(`SELECT count(*) FROM endpoint_revisions`) }
	oldest := c.accept(at.Add(time.Hour))
	change(40, 0) // by a clock that is late
	testx.Equal(t, kept(), 41, "revisions while the first message is kept")
	c.accept(at.Add(2 * time.Hour))
	_, err := c.db.Exec(t.Context(), `DELETE FROM messages WHERE id = $1`, oldest[:])
	testx.NoError(t, err)
	change(40, time.Minute)
	testx.True(t, kept() <= 44, fmt.Sprintf("%d revisions are kept after the message of the first 40 is gone", kept()))
	_, err = c.db.Exec(t.Context(), `DELETE FROM messages`)
	testx.NoError(t, err)
	change(40, time.Minute)
	testx.True(t, kept() <= 6, fmt.Sprintf("%d revisions are kept for an application without messages", kept()))
}

func TestTwoLeadersRecoverEachDeliveryOnce(t *testing.T) {
	t.Parallel()
	c := newConfigured(t)
	e := c.endpoint()
	c.change(e.ID, func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, configuredAt) })
	const missed = 40
	for i := range missed {
		c.accept(configuredAt.Add(time.Duration(i) * time.Second))
	}
	c.change(e.ID, func(e *hook.Endpoint) { e.Enable() })
	task := hook.Task{
		ID: hook.NewID(configuredAt), Env: c.env, App: c.app, Endpoint: e.ID, Kind: hook.TaskRecover, Status: hook.TaskRunning,
		CreatedAt: configuredAt, UpdatedAt: configuredAt,
	}
	_, _, err := c.nodes[0].CreateTask(t.Context(), &task, nil)
	testx.NoError(t, err)
	c.atOnce("", func(node *postgres.Store) error {
		for {
			got, _, err := node.RecoverStep(t.Context(), task.ID, configuredAt.Add(time.Hour), 3)
			if err != nil || got.Status != hook.TaskRunning {
				return err
			}
		}
	})
	got := testx.Must(c.nodes[1].FindTask(t.Context(), c.env, task.ID))(t)
	testx.Equal(t, []any{got.Status, got.Queued}, []any{hook.TaskFinished, int64(missed)})
	testx.Equal(t, []int{c.number(`SELECT count(*) FROM queue WHERE retry`), c.number(`SELECT count(*) FROM deliveries WHERE manual AND due IS NOT NULL`)},
		[]int{missed, missed}, "deliveries that wait")
}
