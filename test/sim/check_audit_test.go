package sim_test

import (
	"bytes"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// moment is when an audit is made.
type moment bool

const (
	midway moment = false // anything may be under way
	final  moment = true  // everything must have ended
)

// look checks what changed in the last step: what the feeds tell and what
// receivers got.
func (w *world) look() {
	if w.broken() || w.unreadable() {
		return
	}
	attempts := w.feeds[hook.FeedAttempts]
	before := len(attempts.all)
	for _, f := range w.feeds {
		w.follow(f)
	}
	changed := map[hook.ID]hook.ID{} // message to application
	for _, item := range attempts.all[before:] {
		changed[item.Message] = item.App
	}
	w.mu.Lock()
	for p := range w.touched {
		if !p.event.id.IsZero() {
			changed[p.event.id] = p.event.app.id
		}
		w.checkOverlaps(p)
	}
	clear(w.touched)
	w.mu.Unlock()
	w.keepFailureClocks(attempts.all[before:])
	for message, app := range changed {
		w.checkMessage(app, message, midway)
	}
}

// keepFailureClocks notes which targets the server may disable because they did
// nothing but fail for too long.
func (w *world) keepFailureClocks(news []fed) {
	for _, item := range news {
		a, err := w.process.store.FindAttempt(w.t.Context(), w.env, item.App, item.Message, item.Attempt)
		if err != nil {
			w.violate("an attempt of the feed cannot be found: %v", err)
			return
		}
		w.mu.Lock()
		for _, g := range w.targets {
			if g.id == item.Endpoint {
				g.keepFailureClock(&a, w.clock.forward(w.born, time.Now()))
			}
		}
		w.mu.Unlock()
	}
}

func (g *target) keepFailureClock(a *hook.Attempt, slack time.Duration) {
	if a.Outcome.Class == hook.Success {
		g.failingSince = time.Time{}
		return
	}
	if g.failingSince.IsZero() {
		g.failingSince = a.StartedAt
	}
	if a.StartedAt.Add(a.Timings.Total+slack).Sub(g.failingSince) >= disableAfter {
		g.everDisabled = true
	}
}

// unreadable reports whether the last process is gone.
func (w *world) unreadable() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.process.dead || w.process.ended
}

// checkOverlaps holds that a delivery has one attempt at a time. World.mu is held.
func (w *world) checkOverlaps(p *parcel) {
	for i := 1; i < len(p.receipts); i++ {
		a, b := p.receipts[i-1], p.receipts[i]
		if a.end.IsZero() || b.start.Before(a.end) {
			w.violateLocked("%s has two attempts of %s at the same time, of process %d and %d", p.target, p.event, a.process.number, b.process.number)
		}
	}
}

// audit checks everything that is stored against everything that is known.
func (w *world) audit(m moment) {
	if w.broken() || w.unreadable() {
		return
	}
	w.mu.Lock()
	w.late = nil
	w.mu.Unlock()
	messages := w.stored()
	w.checkMessages(messages)
	for _, msg := range messages {
		w.checkMessage(msg.App, msg.ID, m)
	}
	w.note("audit of %d messages", len(messages))
	w.checkOverdue()
	if m == final {
		w.checkRest()
	}
}

// checkMessages holds that what was accepted is stored once, and what was refused not at all.
func (w *world) checkMessages(messages []hook.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stored := map[*event]bool{}
	for i := range messages {
		m := &messages[i]
		e := w.eventOf(m)
		switch {
		case e == nil:
			w.violateLocked("the store has the message %s, which nobody sent", hook.KindMessage.Format(m.ID))
			continue
		case stored[e]:
			w.violateLocked("%s is stored twice", e)
		case e.refusedAll():
			w.violateLocked("%s was refused, but is stored", e)
		case !e.id.IsZero() && e.id != m.ID:
			w.violateLocked("%s is stored as %s, but it is %s", e, hook.KindMessage.Format(m.ID), e.text())
		}
		if m.BodyGone && !e.expunged || !m.BodyGone && !bytes.Equal(m.Body, e.body) {
			w.violateLocked("%s is stored with another body (gone: %v): %.100q", e, m.BodyGone, m.Body)
		}
		stored[e], e.id = true, m.ID
		w.byID[m.ID] = e
	}
	for _, e := range w.events {
		if e.accepted() && !stored[e] {
			w.violateLocked("%s was accepted as %s and is lost", e, e.text())
		}
	}
}

// eventOf finds the event of a stored message.
func (w *world) eventOf(m *hook.Message) *event {
	if e := w.byID[m.ID]; e != nil {
		return e
	}
	if m.BodyGone { // then its id is known: an id is needed to drop a payload
		for _, e := range w.events {
			if e.id == m.ID {
				return e
			}
		}
	}
	return w.byMark[markOf(m.Body)]
}

// checkMessage checks one message with its deliveries and attempts.
func (w *world) checkMessage(app, message hook.ID, m moment) {
	x, err := w.process.store.ExplainMessage(w.t.Context(), w.env, app, hook.Ref{ID: message})
	if err != nil {
		w.violate("message %s cannot be explained: %v", hook.KindMessage.Format(message), err)
		return
	}
	attempts := map[hook.ID][]hook.Attempt{}
	for _, a := range w.attemptsOf(app, message) {
		attempts[a.Endpoint] = append(attempts[a.Endpoint], a)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.eventByID(message)
	if e == nil {
		return // it is not known whose it is yet: its caller has no answer
	}
	deliveries := map[hook.ID]*hook.Delivery{}
	for i := range x.Endpoints {
		deliveries[x.Endpoints[i].Endpoint.ID] = x.Endpoints[i].Delivery
	}
	for _, g := range w.targets {
		if g.app != e.app || g.id.IsZero() {
			continue
		}
		w.checkExistence(e, g, deliveries[g.id])
		if d := deliveries[g.id]; d != nil {
			c := checking{w: w, parcel: w.parcelLocked(e, g), delivery: d, attempts: attempts[g.id], moment: m}
			c.check()
			w.noteLate(e, g, d)
		}
	}
}

func (w *world) eventByID(id hook.ID) *event {
	if e := w.byID[id]; e != nil {
		return e
	}
	for _, e := range w.events {
		if e.id == id {
			w.byID[id] = e
			return e
		}
	}
	return nil
}

// checkExistence holds that the endpoints that match have a delivery, and no others.
func (w *world) checkExistence(e *event, g *target, d *hook.Delivery) {
	if !e.finished {
		return
	}
	yes, no := g.wants(e)
	switch {
	case yes && d == nil:
		w.violateLocked("%s has no delivery for %s, which wants it", e, g)
	case no && d != nil && !g.resent(e):
		w.violateLocked("%s has a delivery for %s, which does not want it", e, g)
	}
	if r := e.resends[g.number]; r != nil && !r.accepted.IsZero() && d == nil {
		w.violateLocked("%s was to be sent to %s again, but there is no delivery", e, g)
	}
}

// idle reports whether nothing is left to do.
func (w *world) idle() bool {
	if w.unreadable() {
		return false
	}
	tasks, err := w.process.store.RunningTasks(w.t.Context(), 1)
	if err != nil || len(tasks) > 0 {
		return false
	}
	if q, err := w.process.store.QueueStats(w.t.Context(), time.Now().Add(48*time.Hour)); err != nil || q.Due > 0 {
		return false
	}
	for _, m := range w.stored() {
		x, err := w.process.store.ExplainMessage(w.t.Context(), w.env, m.App, hook.Ref{ID: m.ID})
		if err != nil {
			return false
		}
		for _, e := range x.Endpoints {
			if d := e.Delivery; d != nil && (!d.State.Final() || !d.Due.IsZero()) {
				return false
			}
		}
	}
	return true
}

// checkRest holds that nothing but the deliveries is left unfinished either.
func (w *world) checkRest() {
	tasks, err := w.process.store.RunningTasks(w.t.Context(), 10)
	if err != nil || len(tasks) > 0 {
		w.violate("%d tasks have not ended: %v", len(tasks), err)
	}
	q, err := w.process.store.QueueStats(w.t.Context(), time.Now().Add(48*time.Hour))
	if err != nil || q.Due != 0 {
		w.violate("%d deliveries are due in the end: %v", q.Due, err)
	}
	w.checkRollups()
	if err := w.process.store.Ping(w.t.Context()); err != nil {
		w.violate("the store does not answer in the end: %v", err)
	}
}
