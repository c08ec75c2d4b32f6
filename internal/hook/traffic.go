package hook

import (
	"encoding/binary"
	"errors"
	"time"
)

// TrafficPeriod is the time that one stored Traffic covers.
const TrafficPeriod = 5 * time.Minute

// Traffic is what went through an environment in some time.
type Traffic struct {
	Start    time.Time // UTC
	Accepted int64     // messages
	Attempts Tally     // that began in it
	// Delay is the time from a message being due at first to its success, of automatic
	// attempts that began in it.
	Delay Delays
}

// DelayCells is how many cells Delays has.
const DelayCells = 48

// Delays counts by duration: cell i has those up to DelayBound(i), the last one
// also what is longer. The zero value is empty.
type Delays [DelayCells]int64

// delayBounds go from 1 ms on, each 1.5 times the one before, to about 52 hours.
// Stored delays count on them.
var delayBounds = func() (out [DelayCells]time.Duration) {
	us := int64(1000)
	for i := range out {
		out[i] = time.Duration(us) * time.Microsecond
		us += us / 2
	}
	return out
}()

// DelayBound is the longest duration of cell i, from 0 to DelayCells-1.
func DelayBound(i int) time.Duration { return delayBounds[i] }

// Add counts one.
func (d *Delays) Add(took time.Duration) {
	i := 0
	for i < DelayCells-1 && took > delayBounds[i] {
		i++
	}
	d[i]++
}

// Merge adds others.
func (d *Delays) Merge(o *Delays) {
	for i, n := range o {
		d[i] += n
	}
}

// Total is how many were counted.
func (d *Delays) Total() (n int64) {
	for _, of := range d {
		n += of
	}
	return n
}

// Quantile estimates the duration that a share q of them did not exceed, q from 0
// to 1. It is 0 if nothing was counted.
func (d *Delays) Quantile(q float64) time.Duration { return quantile(d[:], q, DelayBound) }

// Merge adds other traffic; Start stays.
func (t *Traffic) Merge(o *Traffic) {
	t.Accepted += o.Accepted
	t.Attempts.Merge(o.Attempts)
	t.Delay.Merge(&o.Delay)
}

// Count adds one attempt of which the message was first due at due; zero: not known.
func (t *Traffic) Count(class Class, began time.Time, took time.Duration, due time.Time) {
	t.Attempts.Add(class, took)
	if class == Success && !due.IsZero() {
		t.Delay.Add(began.Add(took).Sub(due))
	}
}

// trafficVersion is the first byte of the binary form.
const trafficVersion = 1

// ErrBadTraffic reports bytes that are not the binary form of a Traffic.
var ErrBadTraffic = errors.New("not the binary form of traffic")

// Append appends the binary form: a byte for its version, then accepted as a
// varint, then delays, classes and durations as a Tally has them. Start is not in it.
func (t *Traffic) Append(b []byte) []byte {
	b = append(b, trafficVersion)
	b = binary.AppendUvarint(b, uint64(max(t.Accepted, 0)))
	b = appendCounts(b, t.Delay[:])
	return t.Attempts.Append(b)
}

// ParseTraffic reads what Append made. The error is ErrBadTraffic.
func ParseTraffic(b []byte) (Traffic, error) {
	if len(b) == 0 || b[0] != trafficVersion {
		return Traffic{}, ErrBadTraffic
	}
	accepted, n := binary.Uvarint(b[1:])
	if n <= 0 || accepted > 1<<62 {
		return Traffic{}, ErrBadTraffic
	}
	t := Traffic{Accepted: int64(accepted)}
	rest, ok := parseCounts(b[1+n:], t.Delay[:])
	if !ok {
		return Traffic{}, ErrBadTraffic
	}
	var err error
	if t.Attempts, err = ParseTally(rest); err != nil {
		return Traffic{}, ErrBadTraffic
	}
	return t, nil
}

// TrafficFilter selects traffic of an environment. Since and Until are widened to
// whole steps of UTC. Steps without anything are left out of what it selects.
type TrafficFilter struct {
	Env   ID
	Since time.Time
	Until time.Time     // exclusive
	Step  time.Duration // a multiple of TrafficPeriod, into which periods are merged
}
