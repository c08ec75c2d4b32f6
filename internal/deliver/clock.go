package deliver

import (
	"sync"
	"time"
)

const (
	// jumpNoticed is the smallest step of the wall clock that is worth a log line.
	jumpNoticed = time.Second
	// giveBack is the part of the passing time by which the clock may lag to let
	// a wall clock that was set back catch up.
	giveBack = 10
)

// moment is one reading of both clocks.
type moment struct {
	now  time.Time     // what due times are compared with
	mono time.Duration // for waits and rates
}

// until gives the reading of the monotonic clock at which t will be reached.
func (m moment) until(t time.Time) time.Duration { return m.mono + t.Sub(m.now) }

// at gives the time at which the monotonic clock will read mono.
func (m moment) at(mono time.Duration) time.Time { return m.now.Add(mono - m.mono) }

// clock tells the time that due times are made of and compared with.
//
// It is the wall clock, except that it never goes back. When the wall clock is
// set forward, or the machine wakes from sleep, the clock follows at once: what
// callers plan on the wall clock must not wait for the length of the jump. When
// the wall clock is set back, the clock goes on from where it was, and runs a
// tenth slower until the wall clock has caught up: what was planned before the
// jump comes when it was meant to come, at worst a tenth late.
type clock struct {
	wall    func() time.Time
	elapsed func() time.Duration
	jumped  func(by time.Duration) // told of steps of a second or more

	mu       sync.Mutex // guards what follows
	last     moment
	lastWall time.Time
}

func newClock(wall func() time.Time, elapsed func() time.Duration, jumped func(time.Duration)) *clock {
	now := wall().Round(0)
	return &clock{wall: wall, elapsed: elapsed, jumped: jumped, last: moment{now, elapsed()}, lastWall: now}
}

// Read gives the present moment.
func (c *clock) Read() moment {
	m, jump := c.read()
	if jump.Abs() >= jumpNoticed {
		c.jumped(jump)
	}
	return m
}

func (c *clock) read() (moment, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, mono := c.wall().Round(0), c.elapsed()
	passed := mono - c.last.mono
	jump := wall.Sub(c.lastWall) - passed
	now := c.last.now.Add(passed)
	if ahead := now.Sub(wall); ahead > 0 {
		now = now.Add(-min(ahead, passed/giveBack))
	} else {
		now = wall
	}
	c.last, c.lastWall = moment{now, mono}, wall
	return c.last, jump
}
