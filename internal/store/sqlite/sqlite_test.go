package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// noRoom is a node without places: everything stays due.
type noRoom struct{}

func (noRoom) Reserve(*hook.Endpoint, int) bool    { return false }
func (noRoom) Unreserve(*hook.Endpoint, int)       {}
func (noRoom) Due(*hook.Endpoint, bool, time.Time) {}

// room is a node that takes everything.
type room struct{ noRoom }

func (room) Reserve(*hook.Endpoint, int) bool { return true }

// world is a store with one application.
type world struct {
	*testing.T
	*sqlite.Store
	path string
	node hook.Node
	env  hook.ID
	app  hook.ID
}

func newWorld(t *testing.T, opts sqlite.Options) *world {
	t.Helper()
	w := &world{T: t, path: filepath.Join(t.TempDir(), "a b?.db"), env: hook.NewID(start), app: hook.NewID(start)}
	w.open(opts)
	_, _, err := w.CreateApplication(w.Context(), &hook.Application{ID: w.app, Env: w.env, Name: "a", CreatedAt: start, UpdatedAt: start}, nil)
	w.must(err)
	return w
}

func (w *world) open(opts sqlite.Options) {
	w.Helper()
	s, err := sqlite.Open(w.Context(), w.path, opts)
	w.must(err)
	w.Store = s
	w.Cleanup(func() { s.Close() })
	w.node, err = s.RegisterNode(w.Context(), "n", time.Minute, start)
	w.must(err)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) endpoint(change ...func(*hook.Endpoint)) hook.Endpoint {
	w.Helper()
	e := hook.Endpoint{ID: hook.NewID(start), App: w.app, Env: w.env, URL: "https://x.test/", CreatedAt: start, UpdatedAt: start,
		Secrets: []hook.SealedSecret{{Sealed: []byte{1}}}}
	for _, c := range change {
		c(&e)
	}
	e, _, err := w.CreateEndpoint(w.Context(), &e, 0, nil)
	w.must(err)
	return e
}

func (w *world) event(at time.Time, body string) hook.NewEvent {
	return hook.NewEvent{Message: hook.Message{ID: hook.NewID(at), App: w.app, Env: w.env, EventType: "a.b",
		ContentType: "application/json", Body: []byte(body), CreatedAt: at}}
}

func (w *world) accept(p hook.Placer, events ...hook.NewEvent) []hook.Accepted {
	w.Helper()
	out, err := w.Accept(w.Context(), w.node, p, events[0].CreatedAt, events)
	w.must(err)
	for _, a := range out {
		w.must(a.Err)
	}
	return out
}

// answer settles a lease with this HTTP status.
func (w *world) answer(l *hook.Lease, status int, now time.Time, response []byte) hook.Settled {
	w.Helper()
	o := hook.Outcome{Class: hook.ClassOfStatus(status), Status: status}
	out, err := w.Settle(w.Context(), []hook.Settlement{{Lease: l, Now: now,
		Attempt: hook.Attempt{ID: hook.NewID(now), Message: l.Message.ID, Endpoint: l.Endpoint.ID, Number: l.Number, URL: l.Endpoint.URL,
			Outcome: o, StartedAt: now, Timings: hook.Timings{Queue: time.Second, Total: 3 * time.Millisecond}, Response: response},
		Then: hook.Next(l.Tried, o, hook.RetryPolicy{Steps: hook.DefaultSteps}, now, 0.5)}})
	w.must(err)
	return out[0]
}

func code(err error) hook.Code {
	var known *hook.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}

func TestAnEventGoesFromAcceptOverClaimAndSettleIntoEveryList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	ctx := w.Context()
	ep := w.endpoint()
	body := "\x00\xff{\"a\":1}\x00"
	e := w.event(start, body)
	e.Tags, e.Channels, e.EventID = []string{"t\"1"}, []string{"c"}, "own-1"
	accepted := w.accept(noRoom{}, e)
	if accepted[0].Matched != 1 || len(accepted[0].Leased) != 0 {
		t.Fatalf("accepted %+v", accepted[0])
	}
	lanes, err := w.Lanes(ctx, hook.ID{}, 10)
	w.must(err)
	if len(lanes) != 1 || lanes[0].Endpoint != ep.ID || lanes[0].App != w.app || !lanes[0].Due.Equal(start) {
		t.Fatalf("lanes %+v", lanes)
	}
	stats, err := w.QueueStats(ctx, start)
	w.must(err)
	if stats.Due != 1 || !stats.OldestDue.Equal(start) {
		t.Fatalf("queue %+v", stats)
	}
	claimed, err := w.Claim(ctx, hook.ClaimRequest{Node: w.node, Now: start, MaxBytes: 100, Lanes: []hook.ClaimLane{{Endpoint: ep.ID, Max: 5}}})
	w.must(err)
	lease := claimed[0].Leases[0]
	if string(lease.Message.Body) != body {
		t.Fatalf("body %q", lease.Message.Body)
	}
	deliveries, err := w.ListDeliveries(ctx, hook.DeliveryFilter{Env: w.env, App: w.app, Endpoint: ep.ID, WithBody: true, Page: hook.Page{Limit: 10}})
	w.must(err)
	if d := deliveries.Items[0]; d.Delivery.State != hook.Sending || string(d.Message.Body) != body {
		t.Fatalf("delivery %+v of %+v", d.Delivery, d.Message)
	}
	answer := []byte("no\x00\xfe")
	if got := w.answer(lease, 500, start.Add(time.Second), answer); got.Due.IsZero() || !got.Retry {
		t.Fatalf("settled %+v", got)
	}

	attempts, err := w.ListAttempts(ctx, hook.AttemptFilter{Env: w.env, App: w.app, Endpoint: ep.ID, StatusClass: 500, OnlyFailed: true,
		EventTypes: []string{"x", "a.b"}, Channel: "c", Tag: "t\"1", Page: hook.Page{Limit: 10}})
	w.must(err)
	a := attempts.Items[0]
	if string(a.Response) != string(answer) || a.Number != 1 || a.EventID != "own-1" || a.Timings.Total != 3*time.Millisecond || a.NextDue.IsZero() {
		t.Fatalf("attempt %+v", a)
	}
	ofMessage, err := w.ListDeliveries(ctx, hook.DeliveryFilter{Env: w.env, App: w.app, Message: e.ID, States: []hook.State{hook.Pending}, Page: hook.Page{Limit: 10}})
	w.must(err)
	if d := ofMessage.Items[0]; d.Endpoint.URL != ep.URL || d.Delivery.Reason != hook.ReasonRetry || d.Delivery.LastStatus != 500 || d.Delivery.Due.IsZero() {
		t.Fatalf("delivery %+v", d.Delivery)
	}
	counts, err := w.CountAttempts(ctx, w.env, w.app, ep.ID, start, start.Add(time.Hour))
	w.must(err)
	if counts != (hook.AttemptCounts{Pending: 1, Fail: 1}) {
		t.Fatalf("counts %+v", counts)
	}
	messages, err := w.ListMessages(ctx, hook.MessageFilter{Env: w.env, App: w.app, Tag: "t\"1", Page: hook.Page{Limit: 1}})
	w.must(err)
	if len(messages.Items) != 1 || messages.More || messages.Items[0].Body != nil || messages.Items[0].EventID != "own-1" {
		t.Fatalf("messages %+v", messages)
	}
	x, err := w.ExplainMessage(ctx, w.env, w.app, hook.Ref{UID: "own-1"})
	w.must(err)
	if ex := x.Endpoints[0]; ex.AtAccept == nil || ex.AtAccept.Revision != 1 || ex.Delivery == nil || ex.LastAttempt == nil || ex.LastAttempt.ID != a.ID {
		t.Fatalf("explanation %+v", ex)
	}
}

func TestAMalformedDatabaseAddressAndASecondProcessAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	if _, err := sqlite.Open(context.Background(), w.path, sqlite.Options{}); !errors.Is(err, sqlite.ErrInUse) {
		t.Fatalf("second open: %v", err)
	}
}

func TestAFileOfANewerProgramIsRefusedAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "grapnel.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	var schema *hook.SchemaError
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.As(err, &schema) || schema.Have != 9999 {
		t.Fatalf("open: %v", err)
	}
}

func TestOnlyTheOwnerCanReadTheFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(w.path + suffix)
		w.must(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%q has mode %o", suffix, info.Mode().Perm())
		}
	}
}

func TestASearchThatTakesTooLongIsEndedAndItsConnectionIsGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true, Readers: 1})
	w.must(w.Exec(w.Context(), `INSERT INTO messages (app, id, event_type, size, created)
	  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT 1, randomblob(20), 'a.b', 0, i FROM n`))
	list := func(timeout time.Duration, tag string) (hook.PageOf[hook.Message], error) {
		ctx, cancel := context.WithTimeout(w.Context(), timeout)
		defer cancel()
		return w.ListMessages(ctx, hook.MessageFilter{Env: w.env, App: w.app, Tag: tag, Page: hook.Page{Limit: 3}})
	}
	for range 5 {
		if _, err := list(time.Millisecond, "rare"); code(err) != hook.CodeUnavailable {
			t.Fatalf("the search ended with %v", err)
		}
		if p, err := list(time.Minute, ""); err != nil || len(p.Items) != 3 || !p.More {
			t.Fatalf("then: %+v, %v", p, err)
		}
	}
}

func TestAnIdempotencyKeyOfARefusedCreateIsNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	w.endpoint(func(e *hook.Endpoint) { e.UID = "taken" })
	for _, auto := range []bool{true, false} {
		once := &hook.IdempotencyKey{Auto: auto, ExpiresAt: start.Add(time.Hour)}
		e := hook.Endpoint{ID: hook.NewID(start), App: w.app, Env: w.env, UID: "taken", URL: "https://x.test/", CreatedAt: start, UpdatedAt: start}
		for range 2 {
			if _, _, err := w.CreateEndpoint(w.Context(), &e, 0, once); code(err) != hook.CodeConflict {
				t.Fatalf("auto %v: %v", auto, err)
			}
		}
		e.UID = ""
		if _, repeated, err := w.CreateEndpoint(w.Context(), &e, 0, once); err != nil || repeated {
			t.Fatalf("auto %v, free at last: %v, %v", auto, repeated, err)
		}
		if _, repeated, err := w.CreateEndpoint(w.Context(), &e, 0, once); err != nil || !repeated {
			t.Fatalf("auto %v, again: %v, %v", auto, repeated, err)
		}
		w.must(w.Close())
		w.open(sqlite.Options{})
		if _, repeated, err := w.CreateEndpoint(w.Context(), &e, 0, once); err != nil || !repeated {
			t.Fatalf("auto %v, after a restart: %v, %v", auto, repeated, err)
		}
	}
}
