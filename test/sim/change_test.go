package sim_test

import (
	"net/http"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// change states filters, throttle and whether it is disabled of a target anew.
func (w *world) change() {
	g := w.anyTarget()
	if g == nil {
		return
	}
	rev := w.drawRevision()
	rev.disabled = w.dice.IntN(4) == 0
	in := apitype.EndpointPatch{
		EventTypes: listOf(rev.kinds), Channels: listOf(rev.channels), Disabled: apitype.Some(rev.disabled), ThrottleRate: w.drawRate(),
	}
	w.alter(g, rev, request{method: http.MethodPatch, path: "/app/" + g.app.text + "/endpoint/" + g.text, body: in, lose: w.lost()})
}

// remove deletes a target, unless few are left.
func (w *world) remove() {
	g := w.anyTarget()
	if g == nil {
		return
	}
	left := 0
	w.mu.Lock()
	for _, other := range w.targets {
		if !other.deleted() {
			left++
		}
	}
	w.mu.Unlock()
	if left > 3 {
		w.alter(g, revision{deleted: true}, request{method: http.MethodDelete, path: "/app/" + g.app.text + "/endpoint/" + g.text, lose: w.lost()})
	}
}

// alter asks for a change of a target and writes down that it may be in force
// from now on, and what came of it.
func (w *world) alter(g *target, rev revision, q request) {
	w.mu.Lock()
	w.tick++
	rev.sent = w.tick
	mayBeGone := g.deleted()
	g.revisions = append(g.revisions, rev)
	g.busy = true
	if !rev.disabled && !rev.deleted {
		g.hold = hold{} // opening a closed endpoint forgets it
	}
	if rev.disabled {
		g.everDisabled = true
	}
	w.mu.Unlock()
	w.calls.Go(func() {
		r := w.call(q)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.noteLocked("%s: %s %v %v disabled=%v: %d %v", g, q.method, rev.kinds, rev.channels, rev.disabled, r.status, r.err)
		g.busy = false
		last := &g.revisions[len(g.revisions)-1]
		switch r.outcome {
		case unknown: // it may be in force from now on
		case accepted:
			last.back = r.back
		case refused:
			g.revisions = g.revisions[:len(g.revisions)-1]
			if r.status == http.StatusNotFound && mayBeGone {
				g.deletion().back = r.back // now it is known
			} else if r.status != 0 && r.status != http.StatusServiceUnavailable {
				w.violateLocked("changing %s is refused: %d %s", g, r.status, r.body)
			}
		}
		if d := g.deletion(); d != nil && d.back != 0 {
			g.busy = true // nothing more can be done with it
		}
	})
}

// resend asks for one more attempt of an event at a target.
func (w *world) resend() {
	g, e := w.anyTarget(), w.anyEvent()
	if g == nil || e == nil || g.app != e.app {
		return
	}
	w.mu.Lock()
	if e.resends[g.number] == nil {
		e.resends[g.number] = &resending{}
	}
	asked := e.resends[g.number]
	asked.asked++
	w.mu.Unlock()
	lose := w.lost()
	w.calls.Go(func() {
		began, wall := time.Now(), w.wall()
		r := w.call(request{method: "POST", path: "/app/" + g.app.text + "/msg/" + e.text() + "/endpoint/" + g.text + "/resend", lose: lose})
		w.mu.Lock()
		defer w.mu.Unlock()
		w.noteLocked("resend %s to %s: %d %v", e, g, r.status, r.err)
		switch {
		case r.outcome == accepted:
			asked.accepted, asked.wall = began, wall
		case r.outcome == unknown, r.status == 0, r.status == http.StatusServiceUnavailable:
		case r.status == http.StatusBadRequest && (g.everDisabled || e.expunged):
		case r.status == http.StatusNotFound && g.deleted():
		default:
			w.violateLocked("resending %s to %s is refused: %d %s", e, g, r.status, r.body)
		}
	})
}

// recoverAll asks to send again all that failed at a target.
func (w *world) recoverAll() {
	g := w.anyTarget()
	if g == nil {
		return
	}
	w.mu.Lock()
	g.recovers++
	in := apitype.RecoverIn{Since: w.born.Add(-mostJumps)}
	w.mu.Unlock()
	w.calls.Go(func() {
		r := w.call(request{method: "POST", path: "/app/" + g.app.text + "/endpoint/" + g.text + "/recover", body: in})
		w.mu.Lock()
		defer w.mu.Unlock()
		w.noteLocked("recover %s: %d %v", g, r.status, r.err)
		if r.outcome == refused && r.status != 0 && r.status != http.StatusServiceUnavailable && !g.everDisabled && !g.deleted() {
			w.violateLocked("recovering %s is refused: %d %s", g, r.status, r.body)
		}
	})
}

// expunge drops the payload of an event.
func (w *world) expunge() {
	e := w.anyEvent()
	if e == nil {
		return
	}
	w.mu.Lock()
	e.expunged = true
	w.mu.Unlock()
	w.calls.Go(func() {
		r := w.call(request{method: http.MethodDelete, path: "/app/" + e.app.text + "/msg/" + e.text() + "/content"})
		w.note("expunge %s: %d %v", e, r.status, r.err)
		if r.outcome == refused && r.status != 0 && r.status != http.StatusServiceUnavailable {
			w.violate("expunging %s is refused: %d %s", e, r.status, r.body)
		}
	})
}

// explain asks why an event did or did not come.
func (w *world) explain() {
	e := w.anyEvent()
	if e == nil {
		return
	}
	w.calls.Go(func() {
		r := w.call(request{method: http.MethodGet, path: "/app/" + e.app.text + "/msg/" + e.text() + "/explain"})
		if r.outcome == refused && r.status != 0 && r.status != http.StatusServiceUnavailable {
			w.violate("explaining %s is refused: %d %s", e, r.status, r.body)
		}
	})
}
