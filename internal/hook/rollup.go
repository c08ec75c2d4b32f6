package hook

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"
)

// RollupPeriod is the time that one rollup covers.
const RollupPeriod = time.Hour

// Rollup sums up the attempts of one endpoint that began in one hour.
type Rollup struct {
	Endpoint ID        // zero: of all endpoints of an application
	Hour     time.Time // its beginning, UTC
	Attempts Tally
}

// Tally counts attempts by what came of them and how long they took. The zero
// value is empty; tallies are added up.
type Tally struct {
	ByClass [13]int64 // index: Class
	// Took counts by duration, from the start of the attempt to its end: cell i
	// has those that took up to TookBound(i).
	Took [TookCells]int64
}

// TookCells is how many cells a Tally has for durations.
const TookCells = 48

// tookMicros are the bounds of the cells in microseconds: from 250 µs on, each
// 1.3 times the one before. Stored tallies count on them.
var tookMicros = [TookCells]int64{
	250, 325, 423, 549, 714, 928, 1207, 1569, 2039, 2651, 3446, 4480, 5825, 7572, 9843, 12796,
	16635, 21626, 28114, 36548, 47512, 61766, 80296, 104385, 135700, 176410, 229333, 298133, 387573, 503845, 654999, 851499,
	1106948, 1439033, 1870742, 2431965, 3161555, 4110021, 5343027, 6945936, 9029716, 11738631, 15260220, 19838286, 25789772,
	33526704, 43584715, 56660130,
}

// TookBound is the longest duration of cell i, from 0 to TookCells-1. The last
// cell also has what took longer.
func TookBound(i int) time.Duration { return time.Duration(tookMicros[i]) * time.Microsecond }

// Add counts one attempt. A class outside of Classes counts as FailProtocol.
func (t *Tally) Add(class Class, took time.Duration) {
	if int(class) >= len(t.ByClass) {
		class = FailProtocol
	}
	t.ByClass[class]++
	// What is within no other bound is of the last cell.
	cell, _ := slices.BinarySearchFunc(tookMicros[:TookCells-1], took, func(us int64, took time.Duration) int {
		return cmp.Compare(time.Duration(us)*time.Microsecond, took)
	})
	t.Took[cell]++
}

// Merge adds another tally.
func (t *Tally) Merge(o Tally) {
	for i, n := range o.ByClass {
		t.ByClass[i] += n
	}
	for i, n := range o.Took {
		t.Took[i] += n
	}
}

// Total is how many attempts were counted.
func (t *Tally) Total() (n int64) {
	for _, of := range t.ByClass {
		n += of
	}
	return n
}

// Succeeded is how many of them were a success.
func (t *Tally) Succeeded() int64 { return t.ByClass[Success] }

// Failed is how many of them were not.
func (t *Tally) Failed() int64 { return t.Total() - t.Succeeded() }

// Quantile estimates the duration that a share q of the attempts did not exceed,
// q from 0 to 1: within the bounds of the right cell, as if its attempts were
// spread evenly. It is 0 if nothing was counted.
func (t *Tally) Quantile(q float64) time.Duration { return quantile(t.Took[:], q, TookBound) }

// quantile estimates a quantile of durations that were counted in cells with these bounds.
func quantile(cells []int64, q float64, bound func(int) time.Duration) time.Duration {
	var total int64
	for _, n := range cells {
		total += n
	}
	if math.IsNaN(q) {
		q = 0
	}
	rank := float64(total) * min(max(q, 0), 1)
	var below int64
	for i, n := range cells {
		if n == 0 || float64(below+n) < rank {
			below += n
			continue
		}
		var low time.Duration
		if i > 0 {
			low = bound(i - 1)
		}
		share := max(rank-float64(below), 0) / float64(n)
		return low + time.Duration(share*float64(bound(i)-low))
	}
	return 0
}

// tallyVersion is the first byte of the binary form.
const tallyVersion = 1

// ErrBadTally reports bytes that are not the binary form of a Tally.
var ErrBadTally = errors.New("not the binary form of a tally")

// Append appends the binary form: a byte for its version, then for the classes
// and for the cells how many are not empty, and of each of those how far it is
// from the one before and its count, all as varints.
func (t *Tally) Append(b []byte) []byte {
	b = append(b, tallyVersion)
	b = appendCounts(b, t.ByClass[:])
	return appendCounts(b, t.Took[:])
}

func appendCounts(b []byte, counts []int64) []byte {
	some := 0
	for _, n := range counts {
		if n > 0 {
			some++
		}
	}
	b = binary.AppendUvarint(b, uint64(some))
	last := -1
	for i, n := range counts {
		if n > 0 {
			b = binary.AppendUvarint(b, uint64(i-last))
			b = binary.AppendUvarint(b, uint64(n))
			last = i
		}
	}
	return b
}

// ParseTally reads what Append made. The error is ErrBadTally.
func ParseTally(b []byte) (Tally, error) {
	var t Tally
	if len(b) == 0 || b[0] != tallyVersion {
		return Tally{}, ErrBadTally
	}
	b, ok := parseCounts(b[1:], t.ByClass[:])
	if ok {
		b, ok = parseCounts(b, t.Took[:])
	}
	if !ok || len(b) > 0 {
		return Tally{}, ErrBadTally
	}
	return t, nil
}

// parseCounts fills counts and gives what follows.
func parseCounts(b []byte, counts []int64) (rest []byte, ok bool) {
	next := func(most uint64) (v uint64) {
		v, n := binary.Uvarint(b)
		if ok = ok && n > 0 && v <= most; !ok {
			return 0
		}
		b = b[n:]
		return v
	}
	ok = true
	at := -1
	for some := next(uint64(len(counts))); some > 0 && ok; some-- {
		step := int(next(uint64(len(counts) - 1 - at)))
		n := int64(next(math.MaxInt64))
		if ok = ok && step > 0 && n > 0; ok {
			at += step
			counts[at] = n
		}
	}
	return b, ok
}

// StatsFilter selects rollups of one endpoint, or of all endpoints of one application.
type StatsFilter struct {
	Env, App ID
	Endpoint ID // zero: all of the application, deleted ones too, summed up per hour
	Since    time.Time
	Until    time.Time // exclusive; both are widened to whole hours
}

// RollupFilter selects rollups of many endpoints of an environment at once.
type RollupFilter struct {
	Env       ID
	Endpoints []ID
	Since     time.Time
	Until     time.Time // exclusive; both are widened to whole hours
}
