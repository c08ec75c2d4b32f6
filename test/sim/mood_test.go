package sim_test

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// mood is how a target behaves for a while.
type mood int

const (
	good    mood = iota
	flaky        // something else each time
	failing      // 5xx
	refuses      // 4xx, redirects
	gone         // 410
	busy         // 429
	hangs        // no answer
	slow         // an answer just before the deadline
	liar         // a header, and then no proper body
	down         // no connection
	silent       // no answer to the connection either
	moodCount
)

var moodNames = [moodCount]string{
	"good", "flaky", "failing", "refusing", "gone", "busy", "hanging", "slow", "a liar", "down", "silent",
}

// String gives the word for the trace.
func (m mood) String() string { return moodNames[m] }

// behave decides what a target does with the nth request for an event.
func (w *world) behave(g *target, e *event, nth int) behavior {
	roll := w.chance("behave", g.number, e.number, nth)
	w.mu.Lock()
	m, wall := g.mood, time.Now().Add(w.clock.offset)
	w.mu.Unlock()
	b := m.behave(roll)
	b.wall = wall
	return b
}

func (m mood) behave(roll *rand.Rand) behavior {
	ms := func(most int) time.Duration { return time.Duration(1+roll.IntN(most*1000)) * time.Microsecond }
	one := func(of ...int) int { return of[roll.IntN(len(of))] }
	pause := func() time.Duration { return time.Duration(one(0, 1, 3, 20, 60)) * time.Second }
	switch m {
	case good, down, silent, moodCount:
		return behavior{after: ms(300), status: one(200, 201, 202, 204)}
	case flaky:
		if roll.IntN(100) < 40 {
			return behavior{after: ms(300), status: http.StatusOK}
		}
		return []mood{failing, refuses, busy, hangs, slow, liar}[roll.IntN(6)].behave(roll)
	case failing:
		return behavior{after: ms(500), status: one(500, 502, 503, 504), retryAfter: pause()}
	case refuses:
		return behavior{after: ms(100), status: one(301, 307, 400, 404, 422, 499)}
	case gone:
		return behavior{after: ms(50), status: http.StatusGone}
	case busy:
		return behavior{after: ms(50), status: http.StatusTooManyRequests, retryAfter: pause(), date: roll.IntN(3) == 0}
	case hangs:
		if roll.IntN(2) == 0 {
			return behavior{then: hang}
		}
		return behavior{after: ms(2000), then: []ending{cut, cutHeader, gibberish}[roll.IntN(3)]}
	case slow:
		return behavior{after: ms(4800), status: http.StatusOK}
	case liar:
		return behavior{after: ms(1000), status: http.StatusOK, then: lies[roll.IntN(len(lies))]}
	}
	return behavior{}
}
