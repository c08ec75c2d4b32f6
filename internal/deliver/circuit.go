package deliver

import "time"

const (
	// A circuit opens after openAfter failures in a row, of which the last
	// openRecent came within openWithin: a rare failure every hour is no outage.
	openAfter  = 10
	openRecent = 5
	openWithin = time.Minute

	firstProbe = 5 * time.Second
	maxProbe   = 5 * time.Minute
)

// hearsaySlack is how much later than the node that found an endpoint failing the
// others probe it: that node goes first, and any of them if it does not.
const hearsaySlack = 2 * time.Second

// circuit decides whether an endpoint that fails is left alone but for probes.
// It opens by what this node has seen, or by what another one tells (Hear).
// Times are readings of the monotonic clock. The zero value is closed.
type circuit struct {
	failures int                       // in a row
	recent   [openRecent]time.Duration // when the latest of them came, as a ring
	open     bool
	heard    bool          // open because another node says so; that one probes first
	probing  bool          // a probe is under way
	wait     time.Duration // from a failed probe to the next
	next     time.Duration // when the next probe may go
}

// Success closes the circuit, whichever attempt it was. It reports whether it was open.
func (c *circuit) Success() bool {
	was := c.open
	*c = circuit{}
	return was
}

// Failure counts a failed attempt that ended at the given time. It reports
// whether the circuit has opened by it. While open, only the failure of the
// probe moves the next probe.
func (c *circuit) Failure(at time.Duration, probe bool) bool {
	if c.open {
		if probe {
			c.probing, c.heard = false, false
			c.wait = min(2*c.wait, maxProbe)
			c.next = at + c.wait
		}
		return false
	}
	c.recent[c.failures%openRecent] = at
	c.failures++
	oldest := c.recent[c.failures%openRecent]
	if c.failures < openAfter || at-oldest > openWithin {
		return false
	}
	c.open, c.wait, c.next = true, firstProbe, at+firstProbe
	return true
}

// Hear takes over that the circuit of another node is open, and when that node
// probes. Of two nodes that both found the endpoint failing, the one whose probe
// comes first goes on, and the other follows it. It reports whether the circuit
// has opened by it.
func (c *circuit) Hear(at, next time.Duration) (opened bool) {
	mine := c.open && !c.heard && c.next <= next
	if next <= at || c.probing || mine {
		return false
	}
	opened = !c.open
	if opened {
		*c = circuit{}
	}
	c.open, c.heard, c.next = true, true, next+hearsaySlack
	c.wait = max(c.wait, min(max(next-at, firstProbe), maxProbe))
	return opened
}

// Probe takes the right to make the next probe, if it is time for it.
func (c *circuit) Probe(at time.Duration) bool {
	if !c.open || c.probing || at < c.next {
		return false
	}
	c.probing = true
	return true
}

// Unprobe gives the right back: there was nothing to send after all.
func (c *circuit) Unprobe() { c.probing = false }

// Hurry lets the next probe go at once: the endpoint has been changed, perhaps mended.
func (c *circuit) Hurry(at time.Duration) {
	if c.open {
		c.wait, c.next = firstProbe, min(c.next, at)
	}
}

// Open reports whether only probes may go, and when the next one may.
func (c *circuit) Open() (next time.Duration, open bool) { return c.next, c.open }
