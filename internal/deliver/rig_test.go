package deliver_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
)

// realStore is what the tests use of the store.
type realStore interface {
	deliver.Store
	RegisterNode(ctx context.Context, name string, lease time.Duration, now time.Time) (hook.Node, error)
	CreateEnvironment(ctx context.Context, e *hook.Environment) error
	CreateApplication(ctx context.Context, a *hook.Application, once *hook.IdempotencyKey) (hook.Application, bool, error)
	CreateEndpoint(ctx context.Context, e *hook.Endpoint, limit int, once *hook.IdempotencyKey) (hook.Endpoint, bool, error)
	FindEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref) (hook.Endpoint, error)
	UpdateEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, once *hook.IdempotencyKey, change func(*hook.Endpoint) error) (hook.Endpoint, bool, error)
	DeleteEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, now time.Time) (hook.ID, error)
	ExpungeMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) error
	ExplainMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) (hook.Explanation, error)
	ListAttempts(ctx context.Context, f hook.AttemptFilter) (hook.PageOf[hook.Attempt], error)
	Resend(ctx context.Context, env, app hook.ID, message, endpoint hook.Ref, now time.Time, once *hook.IdempotencyKey) (hook.Lane, error)
	Close() error
}

// rig is an engine on a real store in a bubble of simulated time.
type rig struct {
	t     *testing.T
	store realStore
	env   hook.ID
	opts  deliver.Options
	dir   string

	engine *deliver.Engine
	stop   context.CancelFunc
	result chan error // Run's

	mu     sync.Mutex // guards what follows
	offset time.Duration
	script func(ctx context.Context, l *hook.Lease) hook.Outcome
	sent   []sending
	now    int // sends that run
	most   int // most of them at once
}

// sending is one call of Send.
type sending struct {
	at       time.Duration // since the rig was made
	endpoint hook.ID
	message  hook.ID
	number   int
	revision int64
	manual   bool
	retry    bool
}

// bubble runs test in simulated time, which begins in 2026: ids cannot tell
// times before 2014.
func bubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		r := newRig(t, dir)
		defer r.close()
		test(t, r)
	})
}

func newRig(t *testing.T, dir string) *rig {
	t.Helper()
	r := &rig{t: t, dir: dir, env: hook.NewID(time.Now())}
	r.script = func(context.Context, *hook.Lease) hook.Outcome { return ok }
	r.openStore()
	r.must(r.store.CreateEnvironment(t.Context(), &hook.Environment{ID: r.env, Name: "test", CreatedAt: time.Now()}))
	start := time.Now()
	logs := io.Discard
	if os.Getenv("GRAPNEL_TEST_LOG") != "" {
		logs = t.Output()
	}
	r.opts = deliver.Options{
		Store:       r.store,
		Now:         r.wall,
		Elapsed:     func() time.Duration { return time.Since(start) },
		Rand:        func() float64 { return 0.5 }, // no jitter
		RetryPolicy: hook.RetryPolicy{Steps: hook.DefaultSteps, TimeoutFloor: hook.DefaultTimeoutFloor},
		Logger:      slog.New(slog.NewTextHandler(logs, nil)),
	}
	r.opts.Send = func(ctx context.Context, l *hook.Lease) hook.Attempt {
		script := r.begin(time.Since(start), l)
		defer r.end()
		return hook.Attempt{URL: l.Endpoint.URL, Outcome: script(ctx, l)}
	}
	return r
}

func (r *rig) openStore() {
	s, err := store.Open(r.t.Context(), "sqlite:"+filepath.Join(r.dir, "test.db"),
		store.Options{Unsafe: true, Logger: slog.New(slog.DiscardHandler)})
	r.must(err)
	r.store = s
}

// wall is the wall clock, with the jumps of the test.
func (r *rig) wall() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.offset)
}

func (r *rig) jump(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offset += by
}

func (r *rig) begin(at time.Duration, l *hook.Lease) func(context.Context, *hook.Lease) hook.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now++
	r.most = max(r.most, r.now)
	r.sent = append(r.sent, sending{
		at: at, endpoint: l.Endpoint.ID, message: l.Message.ID, number: l.Number,
		revision: l.Endpoint.Revision, manual: l.Tried.Manual, retry: l.Retry,
	})
	return r.script
}

func (r *rig) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now--
}

// answer sets what every attempt from now on comes to.
func (r *rig) answer(script func(ctx context.Context, l *hook.Lease) hook.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = script
}

// answerAll sets one outcome for all, after some time.
func (r *rig) answerAll(o hook.Outcome, after time.Duration) {
	r.answer(func(ctx context.Context, _ *hook.Lease) hook.Outcome { return later(ctx, after, o) })
}

// later is o after some time, or a timeout if the deadline comes first.
func later(ctx context.Context, d time.Duration, o hook.Outcome) hook.Outcome {
	select {
	case <-time.After(d):
		return o
	case <-ctx.Done():
		return timedOut
	}
}

var (
	ok       = hook.Outcome{Class: hook.Success, Status: 200}
	broken   = hook.Outcome{Class: hook.FailStatus5xx, Status: 500, Detail: "It answered 500."}
	gone     = hook.Outcome{Class: hook.FailGone, Status: 410, Detail: "It answered 410."}
	timedOut = hook.Outcome{Class: hook.FailTimeout, Detail: "It did not answer in time."}
)

func hang(ctx context.Context, _ *hook.Lease) hook.Outcome {
	<-ctx.Done()
	return timedOut
}

// start makes an engine and runs it until every goroutine waits.
func (r *rig) start() {
	if r.opts.Store == nil {
		r.opts.Store = r.store
	}
	r.engine = deliver.New(r.opts)
	r.engine.Join(r.register("test"))
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	r.result = make(chan error, 1)
	go func() { r.result <- r.engine.Run(ctx) }()
	synctest.Wait()
}

// register begins a life of a node.
func (r *rig) register(name string) hook.Node {
	r.t.Helper()
	n, err := r.store.RegisterNode(r.t.Context(), name, time.Minute, r.wall())
	r.must(err)
	return n
}

// halt stops the engine and waits for it.
func (r *rig) halt() {
	r.t.Helper()
	r.stop()
	r.must(<-r.result)
	r.engine = nil
}

func (r *rig) close() {
	r.t.Helper()
	if r.engine != nil {
		r.answerAll(ok, 0)
		r.halt()
	}
	r.must(r.store.Close())
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// pass lets time go by and then waits until every goroutine waits.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
