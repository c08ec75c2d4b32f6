package node

import (
	"sync/atomic"
	"time"
)

// Clock tells the time on which all nodes agree: the store's, as far as it has one,
// else that of the machine. Between two beats it goes by the monotonic clock.
type Clock struct {
	wall    func() time.Time
	elapsed func() time.Duration
	known   atomic.Pointer[reading] // nil: the store has told no time
}

// reading is the store's time at one reading of the monotonic clock.
type reading struct {
	time time.Time
	mono time.Duration
}

// NewClock makes a clock that tells wall's time until it is told the store's.
// elapsed is a monotonic clock: the time since any fixed moment.
func NewClock(wall func() time.Time, elapsed func() time.Duration) *Clock {
	return &Clock{wall: wall, elapsed: elapsed}
}

// Now gives the time.
func (c *Clock) Now() time.Time {
	if k := c.known.Load(); k != nil {
		return k.time.Add(c.elapsed() - k.mono)
	}
	return c.wall()
}

// told takes over what the store's clock read at some moment between two readings of
// the monotonic clock: most likely in the middle. A reading with which the present
// estimate agrees changes nothing, or the time would tremble with each beat.
func (c *Clock) told(at time.Time, before, after time.Duration) {
	at = at.Round(0)
	if k := c.known.Load(); k != nil {
		ahead := k.time.Add(after - k.mono).Sub(at)
		if ahead >= 0 && ahead <= after-before {
			return
		}
	}
	c.known.Store(&reading{at, before + (after-before)/2})
}
