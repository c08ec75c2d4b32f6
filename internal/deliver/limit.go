package deliver

import "time"

const (
	limitStart = 32
	limitMax   = 256

	// Leases are taken ahead for as many attempts as end in aheadFor, so that no
	// place is empty while the store commits; but never more than aheadMax.
	aheadFor = 100 * time.Millisecond
	aheadMax = 1024

	// Answers count as slower than usual from twice the usual time, and by slowerBy.
	slowerBy = 20 * time.Millisecond
)

// limit is how many attempts an endpoint may have in flight. It grows by one
// with each success while all of it is wanted, and halves when the endpoint
// shows that it has too much to do. Rising latency alone only stops the growth.
// Each of several nodes starts with its part of limitStart and grows to its part
// of limitMax.
type limit struct {
	max      int
	most     int           // that max may grow to
	halvedAt time.Duration // monotonic
	usual    time.Duration // the fastest of late; it drifts up slowly
	lately   time.Duration // moving average over about eight answers
}

func newLimit(nodes int) limit {
	return limit{max: max(1, limitStart/nodes), most: max(1, limitMax/nodes)}
}

// Share bounds the limit to the part of one of so many nodes.
func (l *limit) Share(nodes int) {
	l.most = max(1, limitMax/nodes)
	l.max = min(l.max, l.most)
}

// Success counts a success that took so long. wanted says that work waits for
// lack of room, or that all room is in use.
func (l *limit) Success(took time.Duration, wanted bool) {
	took = max(took, 1) // 0 says that none is known
	if l.lately == 0 {
		l.usual, l.lately = took, took
	}
	l.usual = min(l.usual+l.usual/1024+1, took)
	l.lately += (took - l.lately) / 8
	if wanted && l.lately <= 2*l.usual+slowerBy {
		l.max = min(l.max+1, l.most)
	}
}

// Overload halves the limit for an attempt that started and ended at these
// times. Attempts that were under way at the last halving count as one.
func (l *limit) Overload(started, ended time.Duration) {
	if started >= l.halvedAt {
		l.max = max(1, l.max/2)
		l.halvedAt = ended
	}
}

// Restart lets the endpoint begin with one attempt at a time, after an outage:
// successes then double it with each round.
func (l *limit) Restart() { l.max = 1 }

// Max is the limit.
func (l *limit) Max() int { return l.max }

// Ahead is how many deliveries it makes sense to have at hand beyond those in
// flight; 0 as long as no answer has shown how fast the endpoint is.
func (l *limit) Ahead() int {
	if l.lately == 0 {
		return 0
	}
	rounds := float64(aheadFor) / float64(max(l.lately, time.Millisecond))
	return min(aheadMax, int(rounds*float64(l.max)))
}
