package listen

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// The rules of live streams.
const (
	// MostStreams is how many an environment can have on one node, and MostOfOne how
	// many one member or key.
	MostStreams = 500
	MostOfOne   = 20
	// LiveGap is the least time between two events of a stream.
	LiveGap = 250 * time.Millisecond
	// MostTold is how many of a topic one event names; beyond that it says that there
	// is more.
	MostTold = 25

	// retryAfter is when a browser comes back after the end of a stream.
	retryAfter = 2 * time.Second
	// lookAtCaller is how often a stream looks whether its caller may still follow, and
	// stillEvery is for how long a caller is believed before something is told.
	lookAtCaller = 5 * time.Second
	stillEvery   = 2 * time.Second
	// pollEvery is how often what has no feed is looked at: requests and tasks.
	pollEvery = time.Second
)

// LiveStore is what live streams read. See package store for what each promises.
type LiveStore interface {
	ReadFeed(ctx context.Context, kind hook.FeedKind, env hook.ID, after hook.Cursor, limit int) (hook.FeedPage, error)
	FeedEnd(ctx context.Context, kind hook.FeedKind) (hook.Cursor, error)
	FindMessage(ctx context.Context, env, app hook.ID, ref hook.Ref, withBody bool) (hook.Message, error)
	FindApplication(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Application, error)
	ListEnvironmentRequests(ctx context.Context, f hook.RecentRequestFilter) (hook.RecentRequestPage, error)
	ListTasks(ctx context.Context, f hook.TaskFilter) (hook.PageOf[hook.Task], error)
}

// Follow is what one caller may follow.
type Follow struct {
	Env    hook.ID
	App    hook.ID // zero: all of the environment
	Topics []apitype.LiveTopic
	// LastEventID is where the caller was before; empty, or none of ours: now.
	LastEventID string
	// Follower tells one caller from another.
	Follower hook.ID
	// Still says whether the caller may go on; the error is why not.
	Still func(ctx context.Context) error
}

// Live keeps the streams of server-sent events of a node. Like Hub it keeps nothing
// for who is not connected: the id of the last event is where to go on, on any node.
// An event is an announcement and not a log: it names a few things that are new, and
// says when there are more than it names.
type Live struct {
	store LiveStore
	now   func() time.Time
	log   *slog.Logger

	mu        sync.Mutex // guards what follows
	stopping  bool
	inEnv     map[hook.ID]int
	ofOne     map[hook.ID]int
	streams   map[*stream]struct{}
	someone   chan struct{} // tells Run that there is a stream
	all       sync.WaitGroup
	closeOnce sync.Once
	closed    chan struct{} // closed by Close
}

// NewLive makes a Live and starts nothing.
func NewLive(st LiveStore, now func() time.Time, log *slog.Logger) *Live {
	return &Live{
		store: st, now: now, log: log, inEnv: make(map[hook.ID]int), ofOne: make(map[hook.ID]int),
		streams: make(map[*stream]struct{}), someone: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

// Wake makes the streams look at the feeds at once. It never waits.
func (l *Live) Wake() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.streams {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// LookAgain makes every stream ask at once whether its caller still may follow, after
// sessions, members or keys were changed by this process. It never waits.
func (l *Live) LookAgain() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.streams {
		select {
		case s.doubt <- struct{}{}:
		default:
		}
	}
}

// Close ends all streams, so that the requests that they are in end, and lets no more
// in. It does not wait.
func (l *Live) Close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.stopping = true
	l.mu.Unlock()
	l.closeOnce.Do(func() { close(l.closed) })
}

// Run wakes streams when a feed has grown, whoever wrote to it, until ctx ends; then
// it ends the streams and waits for them.
func (l *Live) Run(ctx context.Context) error {
	l.follow(ctx)
	l.Close()
	l.all.Wait()
	return nil
}

func (l *Live) follow(ctx context.Context) {
	var ends [2]hook.Cursor
	for {
		var tick <-chan time.Time
		if l.hasStreams() {
			tick = time.After(lookEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-l.closed:
			return
		case <-l.someone:
			continue
		case <-tick:
		}
		grown := false
		for _, kind := range hook.FeedKinds {
			end, err := l.store.FeedEnd(ctx, kind)
			if err == nil && end != ends[kind] {
				ends[kind], grown = end, true
			}
		}
		if grown {
			l.Wake()
		}
	}
}

func (l *Live) hasStreams() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.streams) > 0
}

// Serve answers with a stream until the caller goes, may not go on, or the server
// stops. An error means that nothing was written.
func (l *Live) Serve(w http.ResponseWriter, r *http.Request, f Follow) error {
	s := &stream{live: l, Follow: f, wake: make(chan struct{}, 1), doubt: make(chan struct{}, 1), rc: http.NewResponseController(w), w: w}
	if err := l.join(s); err != nil {
		return err
	}
	defer l.leave(s)
	if err := s.start(r.Context()); err != nil {
		return err
	}
	s.serve(r.Context())
	return nil
}

func (l *Live) join(s *stream) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.stopping:
		return &hook.Error{Code: hook.CodeUnavailable, Detail: "The server is stopping."}
	case l.inEnv[s.Env] >= MostStreams:
		return &hook.Error{Code: hook.CodeRateLimited, Detail: "This environment has 500 live streams on this node already.", Hint: "Close pages that nobody looks at."}
	case l.ofOne[s.Follower] >= MostOfOne:
		return &hook.Error{Code: hook.CodeRateLimited, Detail: "You have 20 live streams on this node already.", Hint: "Close pages that nobody looks at."}
	}
	l.inEnv[s.Env]++
	l.ofOne[s.Follower]++
	l.streams[s] = struct{}{}
	l.all.Add(1)
	select {
	case l.someone <- struct{}{}:
	default:
	}
	return nil
}

func (l *Live) leave(s *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inEnv[s.Env]--; l.inEnv[s.Env] == 0 {
		delete(l.inEnv, s.Env)
	}
	if l.ofOne[s.Follower]--; l.ofOne[s.Follower] == 0 {
		delete(l.ofOne, s.Follower)
	}
	delete(l.streams, s)
	l.all.Done()
}
