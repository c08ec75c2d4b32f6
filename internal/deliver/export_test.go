package deliver

import "time"

// What the tests of the pure parts see.
type (
	Circuit = circuit
	Bucket  = bucket
	Limit   = limit
	Clock   = clock
	Fifo    = fifo[int]
	Timers  = timers
	Timer   = timer
)

var (
	NewLimit = newLimit
	NewClock = newClock
)

// Now is the time that the clock tells.
func (c *clock) Now() time.Time { return c.Read().now }

// Places gives the places of an endpoint's limit for tests.
const (
	LimitStart = limitStart
	LimitMax   = limitMax
	ClaimMost  = claimMost
	SweepEvery = sweepEvery
	IdleAfter  = idleAfter
)
