package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// phase is where the engine is between New and the end of Run.
type phase uint8

const (
	phaseNew      phase = iota // Run was not called: nothing is leased
	phaseRunning               // leases are taken and sent
	phaseDraining              // no new leases; those that are held are sent
	phaseEnding                // whatever comes is given back
)

// Engine delivers. All methods may be called from many goroutines.
type Engine struct {
	Options
	clock    *clock
	watchers watchers
	wake     chan struct{} // kick sends, the claim loop receives
	settles  chan struct{} // whoever adds a result sends, the settlers receive
	cancels  chan struct{} // whoever closes an endpoint sends, the cancel loop receives
	emptied  chan struct{} // whoever frees the last place while draining sends, Run receives

	mu        sync.Mutex // guards what follows, and every endpoint and app
	ran       bool       // Run was called
	phase     phase
	node      hook.Node    // zero until Join; nothing is leased before
	nodes     int          // that deliver, this one included
	stale     bool         // the claim loop waits for a beat
	earlier   int          // attempts and leases of earlier epochs that are not recorded
	lost      int          // attempts that were not recorded and that no log line told of
	launch    func(flight) // set by Run: flies on a goroutine of its own
	crew      crew
	places    places
	endpoints map[hook.ID]*endpoint
	apps      map[hook.ID]*app
	timers    timers
	turns     fifo[*app]    // applications with ready endpoints
	ready     int           // endpoints in all app.ready
	sleeping  bool          // the claim loop waits
	wakeAt    time.Duration // and until when
	results   fifo[result]
	closing   map[hook.ID]hook.Reason // lanes to cancel
	// canceling is the endpoint whose lanes the cancel loop is at; cancelAgain says
	// that it was closed once more since.
	canceling   hook.ID
	cancelAgain bool
}

var _ hook.Placer = (*Engine)(nil)

// New makes an engine and starts nothing. Until Run and Join are called it leases
// nothing, and what Accept stores is due. It panics if a required option is missing.
func New(o Options) *Engine {
	o.setDefaults()
	e := &Engine{
		Options:   o,
		nodes:     1,
		wake:      make(chan struct{}, 1),
		settles:   make(chan struct{}, 1),
		cancels:   make(chan struct{}, 1),
		emptied:   make(chan struct{}, 1),
		places:    places{max: o.MaxInFlight, maxBytes: o.MemoryBytes},
		endpoints: map[hook.ID]*endpoint{},
		apps:      map[hook.ID]*app{},
		closing:   map[hook.ID]hook.Reason{},
	}
	e.clock = newClock(o.Now, o.Elapsed, func(by time.Duration) {
		o.Logger.Warn("the wall clock jumped", slog.Duration("by", by))
	})
	return e
}

// Accept stores events through Store.Accept and starts what it leases to this
// node. The error is the store's: nothing of this call was stored.
func (e *Engine) Accept(ctx context.Context, events []hook.NewEvent) ([]hook.Accepted, error) {
	e.mu.Lock()
	node := e.node
	e.mu.Unlock()
	accepted, err := e.Store.Accept(ctx, node, e, e.clock.Read().now, events)
	if err != nil {
		return nil, err //nolint:wrapcheck // the contract's own errors, for the caller's answer
	}
	for i := range accepted {
		if len(accepted[i].Leased) > 0 {
			e.start(accepted[i].Leased)
		}
	}
	return accepted, nil
}

// start begins the attempts of leases for which Reserve took the places.
func (e *Engine) start(leases []*hook.Lease) {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range leases {
		e.dispatch(flight{lease: l, ep: e.endpoints[l.Endpoint.ID], size: int64(l.Size())}, t)
	}
	e.kick(t)
}

// Reserve implements hook.Placer.
func (e *Engine) Reserve(he *hook.Endpoint, size int) bool {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != phaseRunning || e.places.stuffed() || !e.fresh() {
		return false
	}
	ep := e.endpoint(he.ID, he.App)
	ep.observe(he, e.nodes, t.mono)
	if _, open := ep.circuit.Open(); open || ep.closed != hook.ReasonNone || max(ep.holdUntil, ep.napUntil) > t.mono {
		return false
	}
	if e.places.freeFor(ep.app) == 0 || e.turns.Len() > 0 && e.places.tight(ep.app) {
		return false
	}
	room := ep.room(e.places.scarce(), t.mono)
	if room == 0 || ep.behind(room, t.now) {
		return false
	}
	if ep.throttle.Available(1, t.mono) == 0 || ep.app.throttle.Available(1, t.mono) == 0 {
		return false
	}
	ep.throttle.Take(1)
	ep.app.throttle.Take(1)
	e.places.take(ep, 1, 0, t)
	e.places.hold(ep.app, int64(size))
	return true
}

// Unreserve implements hook.Placer.
func (e *Engine) Unreserve(he *hook.Endpoint, size int) {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	ep := e.endpoints[he.ID]
	ep.throttle.Return(1)
	ep.app.throttle.Return(1)
	e.places.release(ep, 1, 0)
	e.places.hold(ep.app, -int64(size))
	e.put(ep, t)
	e.kick(t)
}

// Due implements hook.Placer.
func (e *Engine) Due(he *hook.Endpoint, retry bool, at time.Time) {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase > phaseRunning {
		return
	}
	ep := e.endpoint(he.ID, he.App)
	ep.observe(he, e.nodes, t.mono)
	e.tell(ep, retry, at, 1, t)
	e.kick(t)
}

// Wake says that due work was added to a lane other than by this engine's Accept:
// by a resend or a recover, or by another node.
func (e *Engine) Wake(l hook.Lane) {
	if l.Due.IsZero() {
		return
	}
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hint(l, t)
	e.kick(t)
}

// hint notes that a lane has work from its due time on.
func (e *Engine) hint(l hook.Lane, t moment) {
	if e.phase > phaseRunning {
		return
	}
	ep := e.endpoint(l.Endpoint, l.App)
	ep.usedAt = t.mono
	e.tell(ep, l.Retry, l.Due, someDue, t)
}

// tell notes that count deliveries are due, the earliest at that time.
func (e *Engine) tell(ep *endpoint, retry bool, due time.Time, count int, t moment) {
	ep.lanes[laneOf(retry)].tell(due, count)
	if ep.closed != hook.ReasonNone {
		e.close(ep.id, ep.closed, t)
		return
	}
	e.put(ep, t)
}

// endpoint gives what is known of an endpoint, beginning to know it.
func (e *Engine) endpoint(id, appID hook.ID) *endpoint {
	if ep := e.endpoints[id]; ep != nil {
		return ep
	}
	a := e.apps[appID]
	if a == nil {
		a = &app{id: appID}
		a.timer.fire = func(t moment) { e.queue(a, t) }
		e.apps[appID] = a
	}
	a.endpoints++
	ep := &endpoint{id: id, app: a, limit: newLimit(e.nodes)}
	ep.timer.fire = func(t moment) { e.put(ep, t) }
	ep.patience.fire = func(t moment) { e.losePatience(ep, t) }
	ep.closed = e.closing[id]
	e.endpoints[id] = ep
	return ep
}

// forget drops what is known of an idle endpoint.
func (e *Engine) forget(ep *endpoint) {
	e.timers.Remove(&ep.timer)
	e.timers.Remove(&ep.patience)
	delete(e.endpoints, ep.id)
	ep.app.endpoints--
	if ep.app.endpoints == 0 {
		e.timers.Remove(&ep.app.timer)
		delete(e.apps, ep.app.id)
	}
}
