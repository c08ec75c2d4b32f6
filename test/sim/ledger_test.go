package sim_test

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/webhook"
)

// The event types and channels that are used.
var (
	kinds    = []string{"sim.paid", "sim.void", "sim.sent"}
	channels = []string{"eu", "us"}
)

// app is an application. Its fields do not change.
type app struct {
	number int
	text   string
	id     hook.ID
}

// event is one event that a caller publishes, perhaps more than once. World.mu
// guards what changes.
type event struct {
	number    int
	app       *app
	kind      string
	channels  []string
	eventID   string // empty: none
	key       string // idempotency key; empty: none
	body      []byte
	deliverAt time.Time // zero: at once
	twin      *event    // that took the eventId before; nil: none

	tries    []outcome
	sent     int64 // order of things: begin of the first try, end of the last
	back     int64
	finished bool    // no more tries
	id       hook.ID // as far as it is known
	expunged bool    // perhaps
	resends  map[int]*resending
}

// resending is what was asked by hand for an event and a target.
type resending struct {
	asked    int       // how often, at most
	accepted time.Time // when the last one that was taken was asked for; zero: none
	wall     time.Time // the same, by the wall clock
}

// String names the event in the trace.
func (e *event) String() string { return fmt.Sprintf("event %d", e.number) }

var mark = regexp.MustCompile(`"mark":\s*"([^"]+)"`)

// markOf finds what makes a body unlike all others.
func markOf(body []byte) string {
	if m := mark.FindSubmatch(body); m != nil {
		return string(m[1])
	}
	return ""
}

// accepted reports whether a caller was told that the event was taken.
func (e *event) accepted() bool { return slices.Contains(e.tries, accepted) }

// refusedAll reports whether every caller knows that it was not taken.
func (e *event) refusedAll() bool {
	if len(e.tries) == 0 || !e.finished {
		return false
	}
	return !slices.ContainsFunc(e.tries, func(o outcome) bool { return o != refused })
}

// target is an endpoint and its receiver. World.mu guards what changes.
type target struct {
	number int
	app    *app
	addr   string
	text   string // id
	id     hook.ID
	secret string
	check  *webhook.Verifier

	mood mood
	hold hold

	busy         bool // a change is under way
	revisions    []revision
	everGone     bool // has answered 410
	everDisabled bool // perhaps, by a caller or by the server
	failingSince time.Time
	recovers     int // how often all that failed was asked for
}

// String names the target in the trace.
func (g *target) String() string { return fmt.Sprintf("target %d", g.number) }

// resent reports whether somebody may have asked by hand for this event here.
func (g *target) resent(e *event) bool { return e.resends[g.number] != nil || g.recovers > 0 }

// revision is what a caller stated about a target.
type revision struct {
	sent     int64 // order of things
	back     int64 // when it was acknowledged; 0: it never was
	kinds    []string
	channels []string
	disabled bool
	deleted  bool
}

func (r *revision) matches(e *event) bool {
	v := hook.Match(e.kind, e.channels, hook.EndpointRevision{EventTypes: r.kinds, Channels: r.channels})
	return v == hook.Matched
}

// deleted reports whether the target may be deleted: it was asked for, and no
// later change has shown that it is still there.
func (g *target) deleted() bool { return g.deletion() != nil }

// deletion is the revision that may have deleted the target; nil: there is none.
func (g *target) deletion() (found *revision) {
	for i := range g.revisions {
		switch r := &g.revisions[i]; {
		case r.deleted && found == nil:
			found = r
		case !r.deleted && r.back != 0:
			found = nil
		}
	}
	return found
}

// wants says what the target makes of an event: every revision that may have
// been in force while the event was taken says yes, or every one says no, or
// nobody can know.
func (g *target) wants(e *event) (yes, no bool) {
	yes, no = true, true
	before := true // that the target did not exist yet is possible
	for i := range g.revisions {
		r := &g.revisions[i]
		overtaken := slices.ContainsFunc(g.revisions[i+1:], func(later revision) bool { return later.back != 0 && later.back < e.sent })
		if r.back != 0 && r.back < e.sent {
			before = false
		}
		if overtaken || r.sent > e.back {
			continue
		}
		if !r.deleted && r.matches(e) {
			no = false
		} else {
			yes = false
		}
	}
	if before {
		yes = false
	}
	return yes, no
}
