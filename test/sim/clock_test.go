package sim_test

import "time"

// clock is the wall clock of the machine: the bubble's, with jumps. World.mu
// guards it.
type clock struct {
	offset time.Duration
	peak   time.Duration // highest offset so far
	jumps  []jump
}

type jump struct {
	at time.Time // of the bubble
	by time.Duration
}

func (c *clock) jump(by time.Duration) {
	if by == 0 {
		return
	}
	c.offset += by
	c.peak = max(c.peak, c.offset)
	c.jumps = append(c.jumps, jump{time.Now(), by})
}

// forward sums the jumps ahead between two times of the bubble, both included.
func (c *clock) forward(from, to time.Time) (sum time.Duration) {
	for _, j := range c.jumps {
		if j.by > 0 && !j.at.Before(from) && !j.at.After(to) {
			sum += j.by
		}
	}
	return sum
}

// back sums the jumps back since a time of the bubble.
func (c *clock) back(from time.Time) (sum time.Duration) {
	for _, j := range c.jumps {
		if j.by < 0 && !j.at.Before(from) {
			sum -= j.by
		}
	}
	return sum
}

// wall is what the server is told.
func (w *world) wall() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.clock.offset)
}
