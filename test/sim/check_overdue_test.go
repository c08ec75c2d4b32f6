package sim_test

import (
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// overdueAfter is how late a delivery may be without a reason while all is well.
// The engine also looks through all lanes every 30 s, and that mends what it missed
// in worse times; in good ones it must not need that.
const (
	overdueAfter = 5 * time.Second
	calmAfter    = 45 * time.Second
)

// overdue is a delivery that should have been tried long ago.
type overdue struct {
	event  *event
	target *target
	due    time.Time
}

// checkOverdue holds that a delivery that waits beyond its time has a reason, which
// callers can see.
func (w *world) checkOverdue() {
	w.mu.Lock()
	late := w.late
	w.late = nil
	calm := w.calmLocked(calmAfter)
	w.mu.Unlock()
	if !calm {
		return
	}
	for _, l := range late {
		r := w.call(request{method: "GET", path: "/app/" + l.event.app.text + "/msg/" + l.event.text() + "/explain"})
		out, err := into[apitype.ExplainOut](r)
		if r.outcome != accepted || err != nil {
			continue // the process may have died meanwhile
		}
		for _, e := range out.Endpoints {
			if e.EndpointID == l.target.text && e.HeldReason == "" && e.DueAt != nil && e.DueAt.Equal(l.due) && e.Verdict == apitype.VerdictPending {
				w.violate("%s at %s is %v late and held by nothing", l.event, l.target, w.wall().Sub(l.due))
			}
		}
	}
}

// noteLate remembers a delivery that waits for too long. World.mu is held.
func (w *world) noteLate(e *event, g *target, d *hook.Delivery) {
	if d.State == hook.Pending && !d.Due.IsZero() && time.Now().Add(w.clock.offset).Sub(d.Due) > overdueAfter {
		w.late = append(w.late, overdue{e, g, d.Due})
	}
}

// calmLocked reports whether disk, clock and process were well for so long, and the
// server's clock lags behind no jump. World.mu is held.
func (w *world) calmLocked(since time.Duration) bool {
	from := time.Now().Add(-since)
	p := w.process
	if p.dead || p.ended || p.up.After(from) || w.clock.offset != w.clock.peak {
		return false
	}
	if w.disk.slowUntil.After(from) || w.disk.failUntil.After(from) || p.trouble.After(from) {
		return false
	}
	for _, j := range w.clock.jumps {
		if j.at.After(from) {
			return false
		}
	}
	return true
}
