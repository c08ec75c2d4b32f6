package deliver

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// An endpoint whose last attempt timed out, or that has attempts in flight
	// and has not answered for silentAfter, is silent: when places are scarce it
	// gets no more than silentPlaces.
	silentAfter  = time.Second
	silentPlaces = 2

	// idleAfter is how long what is known of an endpoint outlives its last use,
	// openIdleAfter how long if its circuit is open.
	idleAfter     = 30 * time.Second
	openIdleAfter = time.Hour
)

// endpoint is what the engine knows of one endpoint while that has work, runs
// attempts or fails. Guarded by Engine.mu. As long as a lease of the endpoint is
// held or asked for, it stays in memory, and with it revision.
type endpoint struct {
	id       hook.ID
	app      *app
	timer    timer // until a claim makes sense
	patience timer // until leases that wait here are given back

	ready  bool // waits in app.ready
	asking bool // a claim for it is under way
	known  bool // its rates have been seen

	leased   int          // places held: attempts, leases that wait, claims under way
	retries  int          // of those, by retries
	sending  int          // attempts that run
	waiting  fifo[flight] // leases that wait for an attempt to end
	lanes    [2]lane
	retryOdd bool // the odd place goes to a retry this time

	limit       limit
	circuit     circuit
	rate        int // messages a second over all nodes; 0: no limit
	throttle    bucket
	holdUntil   time.Duration // 429 with Retry-After; monotonic
	napUntil    time.Duration // after a claim that gave nothing; monotonic
	answeredAt  time.Duration // last answer, or the end of the last idleness; monotonic
	timedOut    bool          // an attempt has timed out since the last answer
	usedAt      time.Duration // monotonic
	minRevision int64         // no attempt starts with an older snapshot
	unsettled   int           // attempts that have ended and are not recorded
	closed      hook.Reason   // why its lanes are canceled; ReasonNone: they are not
}

// lane is what is known of one of the two queues of an endpoint.
type lane struct {
	due  time.Time // of the earliest delivery; zero: none is known
	deep bool      // there may be more than waiting
	// waiting is how many deliveries the engine was told of since a claim last
	// saw the end of the lane.
	waiting int

	// While a claim is under way: what it asked for, and what was told since.
	asked    int
	told     int
	toldSome bool // without a number
	toldDue  time.Time
}

// Indexes of endpoint.lanes.
const (
	firstLane = 0
	retryLane = 1
)

func laneOf(retry bool) int {
	if retry {
		return retryLane
	}
	return firstLane
}

// dueBy reports whether the lane has work at that time.
func (l *lane) dueBy(now time.Time) bool { return !l.due.IsZero() && !l.due.After(now) }

// want is how many deliveries it makes sense to ask for, at most limit.
func (l *lane) want(limit int) int {
	if l.deep {
		return limit
	}
	return min(limit, l.waiting)
}

// someDue is the count to tell when it is not known how many deliveries are due.
const someDue = 0

// tell notes that count deliveries were stored, the earliest due at that time.
func (l *lane) tell(due time.Time, count int) {
	if l.due.IsZero() || due.Before(l.due) {
		l.due = due
	}
	if l.asked > 0 {
		if l.toldDue.IsZero() || due.Before(l.toldDue) {
			l.toldDue = due
		}
		l.told += count
		l.toldSome = l.toldSome || count == someDue
	}
	l.waiting += count
	l.deep = l.deep || count == someDue
}

// answered takes over what a claim found: the time of the earliest delivery
// left, and what was told while it ran, which it may have seen or not.
func (l *lane) answered(next time.Time) {
	due := next
	if due.IsZero() || !l.toldDue.IsZero() && l.toldDue.Before(due) {
		due = l.toldDue
	}
	*l = lane{due: due, deep: !next.IsZero() || l.toldSome, waiting: l.told}
}

// unanswered takes a claim back that failed.
func (l *lane) unanswered() {
	*l = lane{due: l.due, deep: l.deep, waiting: l.waiting}
}

// observe takes over what a snapshot of the endpoint says about rates, of which
// each of the nodes has its part.
func (ep *endpoint) observe(e *hook.Endpoint, nodes int, mono time.Duration) {
	ep.known, ep.usedAt = true, mono
	ep.rate, ep.app.rate = e.ThrottleRate, e.AppThrottleRate
	ep.throttle.SetRate(ep.rate, nodes, mono)
	ep.app.throttle.SetRate(ep.app.rate, nodes, mono)
}

// room is how many more deliveries may be leased: those that may be sent now,
// and, to an endpoint that answers, those that it will take in a moment.
func (ep *endpoint) room(scarce bool, mono time.Duration) int {
	most := ep.limit.Max()
	switch silent := ep.silent(mono); {
	case silent && scarce:
		most = min(most, silentPlaces)
	case !silent:
		most += ep.limit.Ahead()
	}
	return max(0, most-ep.leased)
}

// silent reports whether the endpoint owes answers.
func (ep *endpoint) silent(mono time.Duration) bool {
	return ep.timedOut || ep.leased > 0 && mono-ep.answeredAt > silentAfter
}

// answered notes that an attempt has ended, with an answer or by its deadline.
func (ep *endpoint) answered(timedOut bool, mono time.Duration) {
	ep.timedOut = timedOut
	if !timedOut {
		ep.answeredAt = mono
	}
}

// behind reports whether a new delivery must queue up: older first attempts
// wait, and there is no place for all of them and for this one, or a throttle
// lets them pass one by one.
func (ep *endpoint) behind(room int, now time.Time) bool {
	l := &ep.lanes[firstLane]
	if !l.dueBy(now) {
		return false
	}
	throttled := ep.throttle.rate > 0 || ep.app.throttle.rate > 0
	return l.deep || throttled || room <= max(0, l.waiting-l.asked)
}

// take holds n places, r of them for retries.
func (ep *endpoint) take(n, r int, mono time.Duration) {
	if ep.leased == 0 {
		ep.answeredAt = mono
	}
	ep.leased += n
	ep.retries += r
	ep.usedAt = mono
}

// free gives places back.
func (ep *endpoint) free(n, r int) {
	ep.leased -= n
	ep.retries -= r
}

// readyAt gives the time from which a claim for the endpoint makes sense. It
// reports false if only an event can change that: new work, or a free place.
func (ep *endpoint) readyAt(scarce bool, t moment) (time.Duration, bool) {
	due := ep.earliest()
	if due.IsZero() || ep.closed != hook.ReasonNone {
		return 0, false
	}
	at := max(t.until(due), ep.holdUntil, ep.napUntil)
	if next, open := ep.circuit.Open(); open {
		if ep.circuit.probing {
			return 0, false
		}
		at = max(at, next)
	} else if ep.room(scarce, t.mono) == 0 {
		return 0, false
	}
	return max(at, ep.throttle.ReadyAt(t.mono)), true
}

// earliest gives the earlier due time of the two lanes; zero: both are empty.
func (ep *endpoint) earliest() time.Time {
	first, retry := ep.lanes[firstLane].due, ep.lanes[retryLane].due
	if first.IsZero() || !retry.IsZero() && retry.Before(first) {
		return retry
	}
	return first
}

// idle reports whether nothing would be lost by forgetting the endpoint.
func (ep *endpoint) idle(mono time.Duration) bool {
	if ep.leased > 0 || ep.unsettled > 0 || ep.asking || ep.ready {
		return false
	}
	unused := mono - ep.usedAt
	if ep.closed != hook.ReasonNone {
		return unused >= idleAfter
	}
	if !ep.earliest().IsZero() || ep.holdUntil > mono {
		return false
	}
	next, open := ep.circuit.Open()
	switch {
	case open && ep.circuit.heard:
		return unused >= idleAfter && next <= mono
	case open:
		return unused >= openIdleAfter
	}
	return unused >= idleAfter
}

// shares divides the places for one claim between the lanes. room is for both,
// retryRoom the part that retries may have.
func (ep *endpoint) shares(room, retryRoom int, now time.Time) (first, retry int) {
	waits := ep.lanes[firstLane].dueBy(now)
	if waits {
		first = ep.lanes[firstLane].want(room)
		retryRoom = min(retryRoom, max(1, ep.limit.Max()*3/4)-ep.retries)
	}
	if ep.lanes[retryLane].dueBy(now) {
		retry = max(0, ep.lanes[retryLane].want(min(room, retryRoom)))
	}
	if first+retry <= room {
		return first, retry
	}
	half := room / 2
	if room%2 == 1 {
		if ep.retryOdd {
			half++
		}
		ep.retryOdd = !ep.retryOdd
	}
	retry = min(retry, max(half, room-first))
	return min(first, room-retry), retry
}

// probeLane is the lane with the oldest due delivery.
func (ep *endpoint) probeLane() int {
	if ep.earliest().Equal(ep.lanes[firstLane].due) {
		return firstLane
	}
	return retryLane
}

// full reports whether as many attempts run as the endpoint takes.
func (ep *endpoint) full() bool { return ep.sending >= ep.limit.Max() }
