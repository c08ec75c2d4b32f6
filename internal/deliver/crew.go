package deliver

// crewMost bounds the goroutines that wait for their next flight.
const crewMost = 512

// crew keeps goroutines that have made an attempt for the next one: their
// stacks have grown to what a request needs, and growing a fresh one costs a
// tenth of all work at full speed. Guarded by Engine.mu.
type crew struct {
	idle []chan flight // takeOff sends, one flight each, or closes; fly receives
	low  int           // least that were idle since the last dismissal
}

// call gives the flight to the goroutine that became idle last; false: there is none.
func (c *crew) call(f flight) bool {
	n := len(c.idle)
	if n == 0 {
		return false
	}
	c.idle[n-1] <- f // has room: an idle goroutine has taken what was sent before
	c.idle[n-1] = nil
	c.idle = c.idle[:n-1]
	c.low = min(c.low, n-1)
	return true
}

// join lets a goroutine wait for flights on its channel; false: there are enough.
func (c *crew) join(work chan flight) bool {
	if len(c.idle) >= crewMost {
		return false
	}
	c.idle = append(c.idle, work)
	return true
}

// dismiss ends the goroutines that were not needed since the last call, or all.
func (c *crew) dismiss(all bool) {
	n := c.low
	if all {
		n = len(c.idle)
	}
	for _, work := range c.idle[:n] {
		close(work)
	}
	c.idle = append([]chan flight(nil), c.idle[n:]...)
	c.low = len(c.idle)
}
