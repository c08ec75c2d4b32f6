package hook_test

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestATallyHasAPlaceForEveryClass(t *testing.T) {
	t.Parallel()
	var tally hook.Tally
	if len(tally.ByClass) < len(hook.Classes) {
		t.Fatalf("%d places for %d classes", len(tally.ByClass), len(hook.Classes))
	}
	for i, class := range hook.Classes {
		for range i + 1 {
			tally.Add(class, time.Millisecond)
		}
	}
	for i, class := range hook.Classes {
		if got := tally.ByClass[class]; got != int64(i+1) {
			t.Errorf("%d of class %s, want %d", got, class, i+1)
		}
	}
	n := int64(len(hook.Classes))
	all := n * (n + 1) / 2
	if tally.Total() != all || tally.Succeeded() != 1 || tally.Failed() != all-1 {
		t.Errorf("%d in all, %d succeeded, %d failed; want %d, 1 and %d", tally.Total(), tally.Succeeded(), tally.Failed(), all, all-1)
	}
	tally.Add(hook.Class(255), time.Millisecond)
	if tally.Total() != all+1 || tally.Failed() != all {
		t.Errorf("with one of no class: %d in all, %d failed", tally.Total(), tally.Failed())
	}
}

func TestCellsAreGeometric(t *testing.T) {
	t.Parallel()
	if hook.TookBound(0) != 250*time.Microsecond {
		t.Errorf("the first bound is %v", hook.TookBound(0))
	}
	for i := 1; i < hook.TookCells; i++ {
		if ratio := float64(hook.TookBound(i)) / float64(hook.TookBound(i-1)); math.Abs(ratio-1.3) > 0.003 {
			t.Errorf("bound %d is %v, %f times the one before", i, hook.TookBound(i), ratio)
		}
	}
	if last := hook.TookBound(hook.TookCells - 2); last < 40*time.Second {
		t.Errorf("the last cell begins at %v, within what an attempt may take", last)
	}
}

func TestADurationIsCountedInItsCell(t *testing.T) {
	t.Parallel()
	cell := func(took time.Duration) int {
		var tally hook.Tally
		tally.Add(hook.Success, took)
		for i, n := range tally.Took {
			if n == 1 {
				return i
			}
		}
		return -1
	}
	const last = hook.TookCells - 1
	for i := range hook.TookCells {
		bound := hook.TookBound(i)
		for took, want := range map[time.Duration]int{
			bound - time.Microsecond: i, bound: i, bound + 1: min(i+1, last), bound + time.Microsecond: min(i+1, last),
		} {
			if got := cell(took); got != want {
				t.Errorf("%v is counted in cell %d, want %d", took, got, want)
			}
		}
	}
	for took, want := range map[time.Duration]int{-time.Hour: 0, math.MinInt64: 0, 0: 0, 1: 0, time.Hour: last, math.MaxInt64: last} {
		if got := cell(took); got != want {
			t.Errorf("%v is counted in cell %d, want %d", took, got, want)
		}
	}
}

func TestTalliesAddUp(t *testing.T) {
	t.Parallel()
	var a, b, both hook.Tally
	for i := range 300 {
		class, took := hook.Classes[i%len(hook.Classes)], time.Duration(i*i)*time.Millisecond
		into := &a
		if i%3 == 0 {
			into = &b
		}
		into.Add(class, took)
		both.Add(class, took)
	}
	a.Merge(b)
	if a != both {
		t.Errorf("added up:\n%v\nwant\n%v", a, both)
	}
	a.Merge(hook.Tally{})
	if a != both {
		t.Error("adding nothing changes it")
	}
}

func TestAQuantileIsWithinTheCellOfItsAttempt(t *testing.T) {
	t.Parallel()
	var tally hook.Tally
	if got := tally.Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for ms := 1; ms <= 1000; ms++ { // as many of each duration
		tally.Add(hook.Success, time.Duration(ms)*time.Millisecond)
	}
	for _, q := range []float64{0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999} {
		want := q * 1000
		if got := float64(tally.Quantile(q)) / 1e6; math.Abs(got-want) > want*0.15+1 {
			t.Errorf("q %v is %v ms, want about %v", q, got, want)
		}
	}
	var one hook.Tally
	one.Add(hook.FailTimeout, 20*time.Millisecond)
	for _, q := range []float64{0, 0.5, 1} {
		if got := one.Quantile(q); got < hook.TookBound(16) || got > hook.TookBound(17) {
			t.Errorf("q %v of one attempt of 20 ms is %v", q, got)
		}
	}
	before := time.Duration(0)
	for i := range 101 {
		got := tally.Quantile(float64(i) / 100)
		if got < before {
			t.Errorf("q %d %% is %v, less than the one before", i, got)
		}
		before = got
	}
	for q, same := range map[float64]float64{-1: 0, math.Inf(-1): 0, 2: 1, math.Inf(1): 1} {
		if tally.Quantile(q) != tally.Quantile(same) {
			t.Errorf("q %v is %v, want that of %v", q, tally.Quantile(q), same)
		}
	}
	if got := tally.Quantile(math.NaN()); got != tally.Quantile(0) {
		t.Errorf("of no number: %v", got)
	}
}

func TestABinaryFormIsReadBackAndSmall(t *testing.T) {
	t.Parallel()
	var usual, full hook.Tally
	for i := range 5000 {
		usual.Add(hook.Success, time.Duration(10+i%30)*time.Millisecond)
	}
	usual.Add(hook.FailTimeout, 15*time.Second)
	for i := range full.ByClass {
		full.ByClass[i] = math.MaxInt64
	}
	for i := range full.Took {
		full.Took[i] = int64(i + 1)
	}
	for name, c := range map[string]struct {
		tally hook.Tally
		most  int // bytes
	}{"empty": {hook.Tally{}, 3}, "usual": {usual, 32}, "full": {full, 300}} {
		b := c.tally.Append([]byte("before"))
		if !bytes.HasPrefix(b, []byte("before")) || len(b)-6 > c.most {
			t.Errorf("%s: %d bytes, want at most %d", name, len(b)-6, c.most)
		}
		got, err := hook.ParseTally(b[6:])
		if err != nil || got != c.tally {
			t.Errorf("%s: read back as %v, %v", name, got, err)
		}
	}
}

func TestForeignBytesAreNoTally(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"nothing":          nil,
		"another version":  {2, 0, 0},
		"the version only": {1},
		"cut off":          {1, 1, 1},
		"half of it":       {1, 0},
		"more behind it":   {1, 0, 0, 0},
		"a count of 0":     {1, 1, 1, 0, 0},
		"a step of 0":      {1, 1, 0, 5, 0},
		"a class too many": {1, 1, 14, 5, 0},
		"a cell too many":  {1, 0, 1, 49, 5},
		"steps too far":    {1, 2, 13, 1, 1, 1, 0},
		"too many classes": append([]byte{1, 14}, bytes.Repeat([]byte{1, 1}, 14)...),
		"too large":        {1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0},
		"no varint":        {1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0},
	} {
		if got, err := hook.ParseTally(b); !errors.Is(err, hook.ErrBadTally) || got != (hook.Tally{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzParseTally(f *testing.F) {
	var some hook.Tally
	for i, class := range hook.Classes {
		some.Add(class, time.Duration(i)*time.Second)
	}
	for _, b := range [][]byte{nil, {1}, {1, 0, 0}, {2, 1, 1, 1}, {1, 1, 13, 5, 1, 48, 5}, some.Append(nil)} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tally, err := hook.ParseTally(b)
		if err != nil {
			if !errors.Is(err, hook.ErrBadTally) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		again, err := hook.ParseTally(tally.Append(nil))
		if err != nil || again != tally {
			t.Fatalf("read back as %v, %v; want %v", again, err, tally)
		}
		tally.Quantile(0.5)
	})
}
