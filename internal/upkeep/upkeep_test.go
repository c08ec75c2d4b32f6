package upkeep_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/upkeep"
)

// noPlaces leaves everything due.
type noPlaces struct{}

func (noPlaces) Reserve(*hook.Endpoint, int) bool    { return false }
func (noPlaces) Unreserve(*hook.Endpoint, int)       {}
func (noPlaces) Due(*hook.Endpoint, bool, time.Time) {}

// always leads.
func always() bool { return true }

type rig struct {
	store store.Store
	app   hook.Application
	ep    hook.Endpoint
	now   time.Time
}

func newRig(t *testing.T) *rig {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "g.db"), store.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	r := &rig{store: st, now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	env := hook.Environment{ID: hook.NewID(r.now), Name: "test", CreatedAt: r.now}
	if err := st.CreateEnvironment(t.Context(), &env); err != nil {
		t.Fatal(err)
	}
	r.app = hook.Application{ID: hook.NewID(r.now), Env: env.ID, Name: "Acme", CreatedAt: r.now, UpdatedAt: r.now}
	if _, _, err := st.CreateApplication(t.Context(), &r.app, nil); err != nil {
		t.Fatal(err)
	}
	r.ep = hook.Endpoint{
		ID: hook.NewID(r.now), App: r.app.ID, Env: env.ID, URL: "https://example.com/",
		Secrets: []hook.SealedSecret{{Sealed: []byte("x")}}, CreatedAt: r.now, UpdatedAt: r.now,
	}
	if _, _, err := st.CreateEndpoint(t.Context(), &r.ep, 0, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// accept stores n events at the time at.
func (r *rig) accept(t *testing.T, n int, at time.Time) {
	t.Helper()
	events := make([]hook.NewEvent, n)
	for i := range events {
		events[i].Message = hook.Message{
			ID: hook.NewID(at), App: r.app.ID, Env: r.app.Env, EventType: "a", ContentType: "application/json",
			Body: json.RawMessage(`{}`), BodySize: 2, CreatedAt: at,
		}
	}
	accepted, err := r.store.Accept(t.Context(), hook.Node{}, noPlaces{}, at, events)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accepted {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
}

func (r *rig) messages(t *testing.T) int {
	t.Helper()
	page, err := r.store.ListMessages(t.Context(), hook.MessageFilter{Env: r.app.Env, App: r.app.ID, Page: hook.Page{Limit: 250}})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Items)
}

func TestRetentionRemovesWhatIsOldAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.accept(t, 200, r.now)
	later := r.now.Add(48 * time.Hour)
	r.accept(t, 7, later)
	var mu sync.Mutex
	removed := hook.Expired{}
	done := make(chan struct{}) // closed when all that is old has gone
	loop := &upkeep.Retention{
		Store: r.store, Leads: always, Keep: hook.Retention{Messages: 24 * time.Hour}, Now: func() time.Time { return later },
		Log: slog.New(slog.DiscardHandler),
		Removed: func(e hook.Expired) {
			mu.Lock()
			defer mu.Unlock()
			removed.Messages += e.Messages
			removed.Unsent += e.Unsent
			if removed.Messages == 200 {
				close(done)
			}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	<-done
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := r.messages(t); n != 7 {
		t.Errorf("%d messages are left, want the 7 young ones", n)
	}
	if removed.Unsent != 200 {
		t.Errorf("%d deliveries were told to end unsent, want 200", removed.Unsent)
	}
}

// toRecover stores n messages whose deliveries were canceled, because their
// endpoint was disabled, and a task that recovers them.
func (r *rig) toRecover(t *testing.T, n int, now time.Time) hook.Task {
	t.Helper()
	change := func(change func(*hook.Endpoint)) {
		t.Helper()
		if _, _, err := r.store.UpdateEndpoint(t.Context(), r.app.Env, r.app.ID, hook.Ref{ID: r.ep.ID}, nil, func(e *hook.Endpoint) error {
			change(e)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	change(func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, r.now) })
	r.accept(t, n, r.now)
	change((*hook.Endpoint).Enable)
	task := hook.Task{
		ID: hook.NewID(now), Env: r.app.Env, App: r.app.ID, Endpoint: r.ep.ID, Kind: hook.TaskRecover, Status: hook.TaskRunning,
		Since: r.now.Add(-time.Hour), Until: now, CreatedAt: now, UpdatedAt: now,
	}
	if _, _, err := r.store.CreateTask(t.Context(), &task, nil); err != nil {
		t.Fatal(err)
	}
	return task
}

// brokenTask fails each step of one task.
type brokenTask struct {
	store.Store
	task hook.ID
}

func (s brokenTask) RecoverStep(ctx context.Context, task hook.ID, now time.Time, limit int) (hook.Task, hook.Lane, error) {
	if task == s.task {
		return hook.Task{}, hook.Lane{}, errors.New("broken")
	}
	return s.Store.RecoverStep(ctx, task, now, limit)
}

func TestTaskThatFailsKeepsNoneOfTheOthersWaiting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now := r.now.Add(time.Minute)
	broken := r.toRecover(t, 1, now)
	r.toRecover(t, 1, now.Add(time.Second))
	woken := make(chan hook.Lane, 10) // the loop sends, the test receives
	loop := &upkeep.Tasks{
		Store: brokenTask{r.store, broken.ID}, Leads: always, Now: func() time.Time { return now },
		Log: slog.New(slog.DiscardHandler), Wake: func(l hook.Lane) { woken <- l },
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	<-woken // of the second task
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestRecoverTaskIsWorkedOffAndWakesItsLane(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now := r.now.Add(time.Minute)
	task := r.toRecover(t, 5, now)
	woken := make(chan hook.Lane, 10) // the loop sends, the test receives
	loop := &upkeep.Tasks{Store: r.store, Leads: always, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Wake: func(l hook.Lane) { woken <- l }}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	if lane := <-woken; lane.Endpoint != r.ep.ID {
		t.Errorf("lane of %v woken, want that of the endpoint", lane.Endpoint)
	}
	for {
		got, err := r.store.FindTask(t.Context(), r.app.Env, task.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status == hook.TaskFinished {
			if got.Queued != 5 {
				t.Errorf("%d deliveries queued, want 5", got.Queued)
			}
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestFailingStoreDoesNotEndALoop(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	failed := make(chan struct{}, 2) // the log sends
	log := slog.New(&signalHandler{Handler: slog.DiscardHandler, on: failed})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() {
		ended <- (&upkeep.Retention{Store: r.store, Leads: always, Now: func() time.Time { return r.now }, Log: log, Removed: func(hook.Expired) {}}).Run(ctx)
	}()
	go func() {
		ended <- (&upkeep.Tasks{Store: r.store, Leads: always, Now: func() time.Time { return r.now }, Log: log, Wake: func(hook.Lane) {}}).Run(ctx)
	}()
	<-failed
	<-failed
	cancel()
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("a loop ended with %v", err)
		}
	}
}

// signalHandler tells that something was logged.
type signalHandler struct {
	slog.Handler
	on chan struct{}
}

func (h *signalHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *signalHandler) Handle(context.Context, slog.Record) error {
	h.on <- struct{}{}
	return nil
}
