package listen

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// The rules of a connection.
const (
	// Heartbeat is how often each side says that it is there, if nothing else was to say.
	Heartbeat = 15 * time.Second
	// Silence is after how long without a frame a client is taken for gone.
	Silence = 45 * time.Second
	// Window is how many events may be without an ack.
	Window = 64
	// MostListeners is how many an environment can have on one node.
	MostListeners = 100

	// writeLimit is how long one frame may take on its way to the client.
	writeLimit = 30 * time.Second
	// lookEvery is how often the feed is looked at: other nodes write to it too.
	lookEvery = 250 * time.Millisecond
	// pageSize is how many entries of the feed are read at once.
	pageSize = 100
)

// Store is what listening reads. See package store for what each promises.
type Store interface {
	ReadFeed(ctx context.Context, kind hook.FeedKind, env hook.ID, after hook.Cursor, limit int) (hook.FeedPage, error)
	FeedEnd(ctx context.Context, kind hook.FeedKind) (hook.Cursor, error)
	FindMessage(ctx context.Context, env, app hook.ID, ref hook.Ref, withBody bool) (hook.Message, error)
	FindApplication(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Application, error)
	FindSource(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Source, error)
	ListSources(ctx context.Context, env hook.ID, p hook.Page) (hook.PageOf[hook.Source], error)
	ListRequests(ctx context.Context, f hook.RequestFilter) (hook.PageOf[hook.Request], error)
}

// Deps is what a Hub needs.
type Deps struct {
	Store        Store
	Now          func() time.Time
	Authenticate func(ctx context.Context, token string) (hook.Key, error)
	// IngestURL is where requests for the source go, as the caller of r reaches the server.
	IngestURL func(r *http.Request, s *hook.Source) string
	// Verifies reports whether the source asks its senders for a proof.
	Verifies func(s *hook.Source) bool
	// Fail answers a request with the error object.
	Fail func(w http.ResponseWriter, err error)
	Log  *slog.Logger
}

// Hub keeps the listeners of a node.
type Hub struct {
	Deps

	mu        sync.Mutex // guards what follows
	stopping  bool
	count     map[hook.ID]int // listeners by environment
	listeners map[*listener]struct{}
	all       sync.WaitGroup
	someone   chan struct{} // tells Run that there is a listener
}

// New makes a Hub and starts nothing.
func New(d Deps) *Hub {
	return &Hub{Deps: d, count: make(map[hook.ID]int), listeners: make(map[*listener]struct{}), someone: make(chan struct{}, 1)}
}

// Wake makes the listeners look at the feed at once: something was accepted here.
func (h *Hub) Wake() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Run wakes listeners when other nodes have written to the feed, and when ctx ends
// says goodbye to all and waits for them.
func (h *Hub) Run(ctx context.Context) error {
	h.follow(ctx)
	h.mu.Lock()
	h.stopping = true
	for l := range h.listeners {
		l.stop(goodbyeStopping)
	}
	h.mu.Unlock()
	h.all.Wait()
	return nil
}

// follow looks whether the feed has grown, as long as there is somebody to tell.
func (h *Hub) follow(ctx context.Context) {
	var end hook.Cursor
	for {
		var tick <-chan time.Time
		if h.hasListeners() {
			tick = time.After(lookEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-h.someone:
			continue
		case <-tick:
		}
		now, err := h.Store.FeedEnd(ctx, hook.FeedMessages)
		if err == nil && now != end {
			end = now
			h.Wake()
		}
	}
}

func (h *Hub) hasListeners() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners) > 0
}

// join takes a listener in.
func (h *Hub) join(l *listener) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.stopping:
		return &hook.Error{Code: hook.CodeUnavailable, Detail: "The server is stopping."}
	case h.count[l.key.Env] >= MostListeners:
		return &hook.Error{Code: hook.CodeLimitReached, Detail: "This environment has 100 listeners already.", Hint: "End one of them."}
	}
	h.count[l.key.Env]++
	h.listeners[l] = struct{}{}
	h.all.Add(1)
	select {
	case h.someone <- struct{}{}:
	default:
	}
	return nil
}

func (h *Hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count[l.key.Env]--; h.count[l.key.Env] == 0 {
		delete(h.count, l.key.Env)
	}
	delete(h.listeners, l)
	h.all.Done()
}
