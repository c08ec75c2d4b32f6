package sim_test

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// checking is the look at one delivery: what is stored of it, and what its
// receiver saw. World.mu is held all the time.
type checking struct {
	w        *world
	parcel   *parcel
	delivery *hook.Delivery
	attempts []hook.Attempt // by number
	moment   moment
	matched  map[int]*receipt // attempt number to what the receiver has of it
	shown    bool
}

// show puts all that is known of the delivery into the trace.
func (c *checking) show() {
	d, since := c.delivery, func(t time.Time) time.Duration { return t.Sub(c.w.born).Round(time.Millisecond) }
	c.w.noteLocked("%s at %s: %s %s, %d attempts, step %d, manual %v, due %v", c.parcel.event, c.parcel.target, d.State, d.Reason, d.Attempts, d.Step, d.Manual, d.Due)
	for _, a := range c.attempts {
		c.w.noteLocked("  attempt %d, %s, %s %d, at %v for %v, next %v", a.Number, a.Trigger, a.Outcome.Class, a.Outcome.Status,
			since(a.StartedAt), a.Timings.Total.Round(time.Millisecond), since(a.NextDue))
	}
	for _, r := range c.parcel.receipts {
		c.w.noteLocked("  request to process %d, time %s, from %v to %v, answer %d, pause asked %v",
			r.process.number, r.timestamp, since(r.start), since(r.end), r.status, r.asked)
	}
}

func (c *checking) fail(format string, args ...any) {
	if !c.shown {
		c.shown = true
		c.show()
	}
	c.w.violateLocked("%s at %s: "+format, append([]any{c.parcel.event, c.parcel.target}, args...)...)
}

func (c *checking) check() {
	c.numbers()
	c.state()
	c.match()
	c.rules()
	c.manual()
}

// numbers holds that attempts are numbered 1 to n and counted.
func (c *checking) numbers() {
	for i, a := range c.attempts {
		if a.Number != i+1 {
			c.fail("attempt %d has the number %d", i+1, a.Number)
		}
	}
	if c.delivery.Attempts != len(c.attempts) {
		c.fail("%d attempts are counted, %d are stored", c.delivery.Attempts, len(c.attempts))
	}
}

// state holds that the delivery is in one of its states for a reason that there is.
func (c *checking) state() {
	d, g, e := c.delivery, c.parcel.target, c.parcel.event
	var success, saidGone bool
	for _, a := range c.attempts {
		success = success || a.Outcome.Class == hook.Success
		saidGone = saidGone || a.Outcome.Class == hook.FailGone
	}
	switch d.State {
	case hook.Pending:
		if d.Due.IsZero() {
			c.fail("is pending without a time: it would never be tried again")
		}
	case hook.Sending:
	case hook.Delivered:
		if !success {
			c.fail("is delivered without a successful attempt")
		}
	case hook.Failed:
		if d.Reason != hook.ReasonExhausted || c.scheduled() <= len(schedule) && !g.resent(e) {
			c.fail("has failed (%s) after %d of %d attempts", d.Reason, c.scheduled(), len(schedule)+1)
		}
	case hook.Canceled:
		c.canceled(saidGone)
	}
	if success && d.State != hook.Delivered && d.State != hook.Sending {
		c.fail("is %s although an attempt succeeded", d.State)
	}
	if c.moment == final && (!d.State.Final() || !d.Due.IsZero()) {
		c.fail("is %s (%s), due %v after %d attempts, long after everything was mended", d.State, d.Reason, d.Due, d.Attempts)
	}
}

func (c *checking) canceled(saidGone bool) {
	g, e := c.parcel.target, c.parcel.event
	excused := false
	switch c.delivery.Reason {
	case hook.ReasonEndpointDisabled:
		excused = g.everDisabled
	case hook.ReasonEndpointDeleted:
		excused = g.deleted()
	case hook.ReasonGone:
		excused = saidGone || g.everGone
	case hook.ReasonExpired:
		excused = e.expunged
	case hook.ReasonNone, hook.ReasonRetry, hook.ReasonScheduled, hook.ReasonReleased, hook.ReasonExhausted, hook.ReasonByUser:
	}
	if !excused {
		c.fail("is canceled (%s) without cause", c.delivery.Reason)
	}
}

// scheduled counts the attempts of the schedule.
func (c *checking) scheduled() (n int) {
	for _, a := range c.attempts {
		if a.Trigger == hook.TriggerScheduled {
			n++
		}
	}
	return n
}

// match finds for each attempt what the receiver saw of it, and an excuse for
// each receipt that no attempt tells of.
func (c *checking) match() {
	c.matched = map[int]*receipt{}
	next := 0
	for i := range c.attempts {
		a := &c.attempts[i]
		at := c.find(a, next)
		if at < 0 {
			if a.Outcome.Status != 0 {
				c.fail("attempt %d was answered with %d, which the receiver never said", a.Number, a.Outcome.Status)
			}
			continue
		}
		for ; next < at; next++ {
			c.excuse(next)
		}
		c.matched[a.Number] = c.parcel.receipts[at]
		next = at + 1
	}
	for ; next < len(c.parcel.receipts); next++ {
		c.excuse(next)
	}
}

// find gives the receipt of an attempt, from one on; -1: there is none.
func (c *checking) find(a *hook.Attempt, from int) int {
	var headers map[string]string
	if err := json.Unmarshal(a.RequestHeaders, &headers); err != nil {
		c.fail("attempt %d has no request headers: %q", a.Number, a.RequestHeaders)
		return -1
	}
	found := -1
	for i := from; i < len(c.parcel.receipts); i++ {
		r := c.parcel.receipts[i]
		if r.timestamp != headers["Webhook-Timestamp"] || r.status != a.Outcome.Status {
			continue
		}
		if r.wall.Sub(a.StartedAt).Abs() < tolerance { // else the server's clock lags behind a jump
			return i
		}
		if found < 0 {
			found = i
		}
	}
	return found
}

// recordWithin is how long an attempt may wait to be recorded, with an engine
// that is patient with its store, and still be lost with its process.
const recordWithin = 15 * time.Second

// excuse holds that a request without a stored attempt has a reason: its process
// was gone before it could record it, the attempt is under way, or the sender
// repeated the request on a new connection.
func (c *checking) excuse(i int) {
	r := c.parcel.receipts[i]
	p := r.process
	over := p.dead || p.ended
	switch {
	case r.end.IsZero() || c.delivery.State == hook.Sending && i == len(c.parcel.receipts)-1:
	case over && (p.over.Sub(later(r.end, p.trouble)) <= recordWithin || !p.good.After(r.end)):
	case c.repeated(i) || i > 0 && c.repeated(i-1):
	default:
		c.fail("the receiver got request %d (answer %d) from process %d at %v, of which no attempt tells",
			i+1, r.status, p.number, r.start.Sub(c.w.born))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// repeated reports whether the next request is the same attempt once more: the
// connection had been kept and broke before an answer.
func (c *checking) repeated(i int) bool {
	if i+1 >= len(c.parcel.receipts) {
		return false
	}
	a, b := c.parcel.receipts[i], c.parcel.receipts[i+1]
	return a.status == 0 && a.process == b.process && a.timestamp == b.timestamp && a.end.Equal(b.start)
}

// rules holds that each attempt came when it was planned, and planned the next
// one as the schedule says.
func (c *checking) rules() {
	step := 0
	for i := range c.attempts {
		a := &c.attempts[i]
		if a.Trigger == hook.TriggerScheduled {
			if i > 0 {
				c.onTime(&c.attempts[i-1], a)
			}
			c.plan(a, step)
			step++
		} else if i > 0 && !a.NextDue.IsZero() && !a.NextDue.Equal(c.attempts[i-1].NextDue) {
			c.fail("attempt %d by hand moved the schedule from %v to %v", a.Number, c.attempts[i-1].NextDue, a.NextDue)
		}
	}
	if step > len(schedule)+1 {
		c.fail("was tried %d times by a schedule of %d", step, len(schedule)+1)
	}
}

// onTime holds that an attempt of the schedule did not come before its time.
func (c *checking) onTime(before, a *hook.Attempt) {
	switch {
	case before.NextDue.IsZero():
		c.fail("attempt %d was made although nothing was planned after attempt %d (%s)", a.Number, before.Number, before.Outcome.Class)
	case a.StartedAt.Before(before.NextDue):
		c.fail("attempt %d started %v before it was due", a.Number, before.NextDue.Sub(a.StartedAt))
	}
	// The same by the clock of the receiver, which nobody sets.
	r, s := c.matched[before.Number], c.matched[a.Number]
	if r == nil || s == nil || before.Trigger != hook.TriggerScheduled {
		return
	}
	low, _ := c.band(before, c.stepOf(before))
	if waited := s.start.Sub(r.end) + c.w.clock.forward(r.start, s.start); waited < low-time.Millisecond {
		c.fail("attempt %d came %v after attempt %d (%s), earliest is %v", a.Number, waited, before.Number, before.Outcome.Class, low)
	}
}

// stepOf counts the attempts of the schedule before this one.
func (c *checking) stepOf(of *hook.Attempt) (n int) {
	for i := range of.Number - 1 {
		if c.attempts[i].Trigger == hook.TriggerScheduled {
			n++
		}
	}
	return n
}

// plan holds that the next attempt is planned inside its band.
func (c *checking) plan(a *hook.Attempt, step int) {
	last := a.Outcome.Class == hook.Success || a.Outcome.Class == hook.FailGone || step >= len(schedule)
	if last || a.NextDue.IsZero() {
		if last != a.NextDue.IsZero() {
			c.fail("after attempt %d (%s, step %d) the next is planned for %v", a.Number, a.Outcome.Class, step, a.NextDue)
		}
		return
	}
	r := c.matched[a.Number]
	if r == nil && len(c.w.clock.jumps) > 0 {
		return // it is not known whether the clock jumped meanwhile
	}
	low, high := c.band(a, step)
	took := a.Timings.Total
	early, late := low+took*9/10, high+took
	if r != nil {
		late += c.w.clock.forward(r.start, r.start.Add(took)) // its end, even if it was repeated
	}
	if wait := a.NextDue.Sub(a.StartedAt); wait < early-tolerance || wait > late+tolerance {
		c.fail("after attempt %d (%s, step %d, took %v) the next is planned %v after its start, which is not from %v to %v",
			a.Number, a.Outcome.Class, step, took, wait, early, late)
	}
}

// tolerance is for times that are stored in whole microseconds.
const tolerance = time.Millisecond

// band is the shortest and longest wait after a failed attempt: docs/states.md
// tells the rules, and this tells them once more, apart from the code.
func (c *checking) band(a *hook.Attempt, step int) (low, high time.Duration) {
	base := schedule[step]
	lowAsked, highAsked := time.Duration(0), time.Duration(0)
	if r := c.matched[a.Number]; r != nil {
		lowAsked, highAsked = r.asked[0], r.asked[1]
	}
	scale := func(d time.Duration, percent int) time.Duration { return d * time.Duration(percent) / 100 }
	if a.Outcome.Status == http.StatusTooManyRequests {
		return max(base, lowAsked), scale(max(base, highAsked), 120)
	}
	low, high = scale(min(max(base, lowAsked), 2*base), 80), scale(min(max(base, highAsked), 2*base), 120)
	if a.Outcome.Class == hook.FailTimeout {
		low, high = max(low, policyFloor), max(high, policyFloor)
	}
	return low, high
}

// manual holds that attempts by hand were asked for, and that one that was asked
// for was made.
func (c *checking) manual() {
	g, e := c.parcel.target, c.parcel.event
	asked, most := e.resends[g.number], g.recovers
	if asked != nil {
		most += asked.asked
	}
	byHand := len(c.attempts) - c.scheduled()
	if byHand > most {
		c.fail("was tried %d times by hand, but that was asked for at most %d times", byHand, most)
	}
	if c.moment != final || asked == nil || asked.accepted.IsZero() || g.everDisabled || g.deleted() || e.expunged {
		return
	}
	if !c.triedSince(asked) {
		c.fail("was to be sent again at %v, but no attempt followed", asked.accepted.Sub(c.w.born))
	}
}

// triedSince reports whether an attempt began after a resend was asked for; one
// that was in flight then does not count.
func (c *checking) triedSince(asked *resending) bool {
	for _, r := range c.matched {
		if !r.start.Before(asked.accepted) {
			return true
		}
	}
	// An attempt that reached no receiver is known by the server's clock alone.
	back := c.w.clock.back(asked.accepted)
	for _, a := range c.attempts {
		if c.matched[a.Number] == nil && !a.StartedAt.Before(asked.wall.Add(-back-tolerance)) {
			return true
		}
	}
	return false
}
