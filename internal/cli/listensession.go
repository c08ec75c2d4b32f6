package cli

import (
	"context"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/grapnelhq/grapnel/apitype"
)

// listenQueue is how many arrivals wait for their turn at most: a window of the
// server's, and what came in another one before a connection was lost.
const listenQueue = 256

// listenView shows a session. Its methods are called from several goroutines, but for
// one arrival in the order below.
type listenView interface {
	state(linkState)
	hello(*apitype.ListenHello)
	// arrived is told before an arrival is passed on, passed after each target.
	arrived(*arrival)
	passed(*arrival, *outcome)
	// shown is told of an arrival that goes nowhere.
	shown(*arrival)
	// skipped is told of what --events leaves out.
	skipped(*arrival)
	refused(*apitype.ListenRefused, string)
}

// session passes on what a link brings.
type session struct {
	view      listenView
	forward   *forwarder
	targets   []string          // for every source that has none of its own
	byName    map[string]string // target by id, uid or name of a source
	patterns  []string          // of event types; empty: all
	workers   int
	most      int // arrivals, then done; 0: no end
	save      func(*arrival, string) error
	keep      func(cursor string) error // stores the place to go on from
	acks      chan string
	done      func() // ends the run: most have come
	queue     chan queued
	settling  sync.Mutex // keeps cursors in order; held before mu
	ledger    ledger
	mu        sync.Mutex // guards what follows
	sources   map[string]apitype.ListenSource
	apps      map[string]apitype.ListenApp
	count     int // arrivals that were taken
	finished  int
	failures  int
	problem   error         // the first one of save and keep
	pausedFor chan struct{} // closed when the pause ends; nil: none
}

type queued struct {
	*arrival
	number int
}

func newSession() *session {
	return &session{
		acks: make(chan string, 1), queue: make(chan queued, listenQueue),
		sources: make(map[string]apitype.ListenSource), apps: make(map[string]apitype.ListenApp),
	}
}

// greet remembers the names of what is listened to.
func (s *session) greet(h *apitype.ListenHello) {
	s.mu.Lock()
	for _, source := range h.Sources {
		s.sources[source.ID] = source
	}
	for _, app := range h.Apps {
		s.apps[app.ID] = app
	}
	s.mu.Unlock()
	s.view.hello(h)
}

// take is the link's frame: it queues events and is held up when there are too many.
func (s *session) take(ctx context.Context, frame apitype.ListenFrame) {
	switch {
	case frame.Refused != nil:
		s.mu.Lock()
		from := s.sources[frame.Refused.Source]
		s.mu.Unlock()
		s.view.refused(frame.Refused, nameOfSource(from, frame.Refused.Source))
	case frame.Event != nil:
		a := s.arrival(frame)
		if !s.wanted(a) {
			s.view.skipped(a)
			s.settle(s.ledger.enter(a.cursor))
			return
		}
		select {
		case s.queue <- queued{a, s.ledger.enter(a.cursor)}:
		case <-ctx.Done():
		}
	case frame.Cursor != "":
		s.pass(frame.Cursor)
	}
}

func (s *session) arrival(frame apitype.ListenFrame) *arrival {
	a := &arrival{ListenEvent: *frame.Event, cursor: frame.Cursor, verdict: "signed here"}
	s.mu.Lock()
	defer s.mu.Unlock()
	if app, ok := s.apps[a.App]; ok {
		a.from = app.Name
		if app.UID != "" {
			a.from = app.UID
		}
	}
	if a.Source == "" {
		return a
	}
	source, known := s.sources[a.Source]
	a.from, a.verdict = nameOfSource(source, a.Source), "unchecked"
	if !known || source.Verifies {
		a.verdict = "sig ok"
	}
	if u, err := url.Parse(source.IngestURL); err == nil {
		a.host = u.Host
	}
	return a
}

// nameOfSource is its uid, which is short and the only one, or what else there is.
func nameOfSource(s apitype.ListenSource, id string) string {
	switch {
	case s.UID != "":
		return s.UID
	case s.Name != "":
		return s.Name
	}
	return id
}

// wanted reports whether the event type is one of --events.
func (s *session) wanted(a *arrival) bool {
	return len(s.patterns) == 0 || slices.ContainsFunc(s.patterns, func(p string) bool {
		ok, _ := path.Match(p, a.EventType) // patterns were checked when they were given
		return ok || strings.HasSuffix(p, "*") && strings.HasPrefix(a.EventType, strings.TrimSuffix(p, "*")) && !strings.ContainsAny(strings.TrimSuffix(p, "*"), "*?[\\")
	})
}

// work passes on what is queued until ctx ends.
func (s *session) work(ctx context.Context) {
	var workers sync.WaitGroup
	for range s.workers {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case q := <-s.queue:
					s.handle(ctx, q)
				}
			}
		})
	}
	workers.Wait()
}

func (s *session) handle(ctx context.Context, q queued) {
	if !s.waitForTurn(ctx) || !s.begin() {
		return
	}
	s.view.arrived(q.arrival)
	failed := s.passAll(ctx, q.arrival)
	if ctx.Err() != nil {
		return // cut off: it comes again
	}
	s.settle(q.number)
	s.end(failed)
}

// passAll sends an arrival to each of its targets; it reports whether one failed.
func (s *session) passAll(ctx context.Context, a *arrival) bool {
	targets := s.targetsOf(a)
	if s.save != nil { // before it is told, so that who reads of it finds the files
		target := ""
		if len(targets) > 0 {
			target = targets[0]
		}
		s.note(s.save(a, target))
	}
	failed := false
	for _, target := range targets {
		o := s.forward.pass(ctx, a, target)
		if ctx.Err() != nil {
			return true
		}
		failed = failed || !o.ok()
		s.view.passed(a, &o)
	}
	if len(targets) == 0 {
		s.view.shown(a)
	}
	return failed
}

// targetsOf tells where an arrival goes. A command takes the place of targets.
func (s *session) targetsOf(a *arrival) []string {
	if s.forward.command != "" {
		return []string{""}
	}
	s.mu.Lock()
	source := s.sources[a.Source]
	s.mu.Unlock()
	for _, name := range []string{a.Source, source.UID, source.Name, source.Type} {
		if target, ok := s.byName[name]; ok && name != "" {
			return []string{target}
		}
	}
	return s.targets
}

// begin counts an arrival; false: there were enough.
func (s *session) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.most > 0 && s.count >= s.most {
		return false
	}
	s.count++
	return true
}

func (s *session) end(failed bool) {
	s.mu.Lock()
	s.finished++
	if failed {
		s.failures++
	}
	enough := s.most > 0 && s.finished >= s.most
	s.mu.Unlock()
	if enough {
		s.done()
	}
}

// settle marks an arrival as dealt with, and acknowledges as far as all are.
func (s *session) settle(number int) {
	s.settling.Lock()
	defer s.settling.Unlock()
	cursor, ok := s.ledger.finish(number)
	if !ok {
		return
	}
	s.remember(cursor)
	for {
		select {
		case s.acks <- cursor:
			return
		default:
		}
		select {
		case <-s.acks: // the new one says the same and more
		default:
		}
	}
}

// pass notes a place without an event: what is left out need not be looked at again.
func (s *session) pass(cursor string) {
	s.settling.Lock()
	defer s.settling.Unlock()
	if s.ledger.empty() {
		s.remember(cursor)
	}
}

func (s *session) remember(cursor string) {
	if s.keep != nil {
		s.note(s.keep(cursor))
	}
}

// note keeps the first problem with files for the end.
func (s *session) note(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem == nil {
		s.problem = err
	}
}

// pause holds arrivals back, or lets them go on.
func (s *session) pause(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case on && s.pausedFor == nil:
		s.pausedFor = make(chan struct{})
	case !on && s.pausedFor != nil:
		close(s.pausedFor)
		s.pausedFor = nil
	}
}

// waitForTurn waits for the end of a pause; false: ctx has ended.
func (s *session) waitForTurn(ctx context.Context) bool {
	s.mu.Lock()
	paused := s.pausedFor
	s.mu.Unlock()
	if paused == nil {
		return ctx.Err() == nil
	}
	select {
	case <-paused:
		return true
	case <-ctx.Done():
		return false
	}
}

// again sends an arrival once more, changed or not, beside the others: to these
// targets, or where it went before.
func (s *session) again(ctx context.Context, a *arrival, targets ...string) {
	copied := *a
	copied.replayed = true
	s.view.arrived(&copied)
	if len(targets) == 0 {
		targets = s.targetsOf(a)
	}
	if len(targets) == 0 {
		s.view.shown(&copied)
	}
	for _, target := range targets {
		o := s.forward.pass(ctx, &copied, target)
		s.view.passed(&copied, &o)
	}
}
