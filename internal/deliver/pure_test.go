package deliver_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
)

func TestCircuitOpensAfterTenFailuresOfWhichFiveAreRecent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		times []time.Duration // of failures in a row
		open  bool
	}{
		{"nine at once", slices.Repeat([]time.Duration{0}, 9), false},
		{"ten at once", slices.Repeat([]time.Duration{0}, 10), true},
		{"ten, one every ten seconds", every(10*time.Second, 10), true},
		{"ten, the last five in exactly a minute", every(15*time.Second, 10), true},
		{"ten, the last five in more than a minute", every(15*time.Second+1, 10), false},
		{"a hundred, one an hour", every(time.Hour, 100), false},
		{"nine an hour apart, then four in a second", slices.Concat(every(time.Hour, 9), from(9*time.Hour, 4)), false},
		{"nine an hour apart, then five in a second", slices.Concat(every(time.Hour, 9), from(9*time.Hour, 5)), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c deliver.Circuit
			var opened bool
			for _, at := range tt.times {
				opened = c.Failure(at, false)
			}
			if opened != tt.open {
				t.Errorf("the last failure opened it: %v, want %v", opened, tt.open)
			}
			if _, open := c.Open(); open != tt.open {
				t.Errorf("open is %v, want %v", open, tt.open)
			}
		})
	}
}

func every(d time.Duration, n int) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(i) * d
	}
	return times
}

func from(start time.Duration, n int) []time.Duration {
	return slices.Repeat([]time.Duration{start}, n)
}

func openCircuit(t *testing.T) *deliver.Circuit {
	t.Helper()
	c := &deliver.Circuit{}
	for range 10 {
		c.Failure(0, false)
	}
	if _, open := c.Open(); !open {
		t.Fatal("the circuit did not open")
	}
	return c
}

func TestCircuitProbesAtFiveSecondsDoublingToFiveMinutes(t *testing.T) {
	t.Parallel()
	c := openCircuit(t)
	var at time.Duration
	want := []time.Duration{5, 10, 20, 40, 80, 160, 300, 300}
	for _, seconds := range want {
		next, _ := c.Open()
		if next != at+seconds*time.Second {
			t.Fatalf("the next probe after %v is at %v, want %v later", at, next, seconds*time.Second)
		}
		if c.Probe(next - 1) {
			t.Fatal("a probe went too early")
		}
		if !c.Probe(next) {
			t.Fatal("the probe did not go when it was time")
		}
		if c.Probe(next) {
			t.Fatal("two probes went at once")
		}
		at = next
		c.Failure(at, true)
	}
}

func TestCircuitIsClosedByAnySuccess(t *testing.T) {
	t.Parallel()
	c := openCircuit(t)
	if !c.Success() {
		t.Error("Success did not tell that the circuit was open")
	}
	if _, open := c.Open(); open {
		t.Error("the circuit did not close")
	}
	for range 9 {
		c.Failure(time.Hour, false)
	}
	if _, open := c.Open(); open {
		t.Error("failures before the success still count")
	}
}

func TestCircuitIgnoresLateFailuresThatAreNoProbes(t *testing.T) {
	t.Parallel()
	c := openCircuit(t)
	before, _ := c.Open()
	c.Failure(time.Second, false)
	if after, _ := c.Open(); after != before {
		t.Errorf("the next probe moved from %v to %v", before, after)
	}
}

func TestCircuitProbeThatFoundNothingMayGoAgain(t *testing.T) {
	t.Parallel()
	c := openCircuit(t)
	c.Probe(5 * time.Second)
	c.Unprobe()
	if !c.Probe(5 * time.Second) {
		t.Error("the probe may not go again")
	}
	c.Unprobe()
	c.Failure(6*time.Second, true)
	c.Hurry(7 * time.Second)
	if !c.Probe(7 * time.Second) {
		t.Error("Hurry did not let a probe go")
	}
}

func TestBucketKeepsItsRateOverTenSeconds(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{1, 2, 5, 10, 49, 50, 51, 100, 999, 10_000} {
		var b deliver.Bucket
		b.SetRate(rate, 0)
		passed := 0
		for at := time.Duration(0); at < 10*time.Second; at = max(at+1, b.ReadyAt(at)) {
			n := b.Available(1<<20, at)
			b.Take(n)
			passed += n
		}
		if low, high := rate*10*9/10, rate*10*11/10; passed < low || passed > high {
			t.Errorf("at %d a second %d passed in 10 s, want %d to %d", rate, passed, low, high)
		}
	}
}

func TestBucketDoesNotAskToBeLookedAtForEachMessage(t *testing.T) {
	t.Parallel()
	var b deliver.Bucket
	b.SetRate(10_000, 0)
	looks := 0
	for at := time.Duration(0); at < time.Second; at = max(at+1, b.ReadyAt(at)) {
		b.Take(b.Available(1<<20, at))
		looks++
	}
	if looks > 60 {
		t.Errorf("%d looks in a second, want at most 60", looks)
	}
}

func TestBucketWithoutARateLetsEverythingPass(t *testing.T) {
	t.Parallel()
	var b deliver.Bucket
	b.Take(1000)
	if got := b.Available(77, time.Second); got != 77 {
		t.Errorf("%d may pass, want 77", got)
	}
	if got := b.ReadyAt(time.Second); got != time.Second {
		t.Errorf("ready at %v, want now", got)
	}
}

func TestBucketFollowsANewRate(t *testing.T) {
	t.Parallel()
	var b deliver.Bucket
	b.SetRate(1000, 0)
	b.SetRate(10, 0)
	if got := b.Available(1000, 0); got != 1 {
		t.Errorf("after lowering the rate %d may pass at once, want 1", got)
	}
	b.Take(1)
	b.Return(1)
	b.Return(1)
	if got := b.Available(1000, 0); got != 1 {
		t.Errorf("after returning tokens %d may pass, want 1", got)
	}
	b.SetRate(0, time.Second)
	if got := b.Available(1000, time.Second); got != 1000 {
		t.Errorf("without a rate %d may pass, want 1000", got)
	}
}

func TestLimitGrowsByOneWithEachSuccessWhileWanted(t *testing.T) {
	t.Parallel()
	l := deliver.NewLimit()
	for want := deliver.LimitStart; want < deliver.LimitMax; want++ {
		if l.Max() != want {
			t.Fatalf("the limit is %d, want %d", l.Max(), want)
		}
		l.Success(10*time.Millisecond, true)
	}
	l.Success(10*time.Millisecond, true)
	if l.Max() != deliver.LimitMax {
		t.Errorf("the limit is %d, want at most %d", l.Max(), deliver.LimitMax)
	}
}

func TestLimitDoesNotGrowWhileNotWanted(t *testing.T) {
	t.Parallel()
	l := deliver.NewLimit()
	for range 100 {
		l.Success(10*time.Millisecond, false)
	}
	if l.Max() != deliver.LimitStart {
		t.Errorf("the limit is %d, want %d", l.Max(), deliver.LimitStart)
	}
}

func TestLimitStopsGrowingWhenAnswersGetSlower(t *testing.T) {
	t.Parallel()
	l := deliver.NewLimit()
	for range 10 {
		l.Success(100*time.Millisecond, true)
	}
	for range 20 { // until the average has followed
		l.Success(400*time.Millisecond, true)
	}
	before := l.Max()
	for range 20 {
		l.Success(400*time.Millisecond, true)
	}
	if l.Max() != before {
		t.Errorf("the limit went from %d to %d while answers took four times as long", before, l.Max())
	}
}

func TestLimitHalvesOncePerRound(t *testing.T) {
	t.Parallel()
	l := deliver.NewLimit()
	for range 32 { // started together, timed out together
		l.Overload(0, 15*time.Second)
	}
	if l.Max() != 16 {
		t.Fatalf("after one round of timeouts the limit is %d, want 16", l.Max())
	}
	for round, want := range []int{8, 4, 2, 1, 1} {
		at := time.Duration(round+2) * 15 * time.Second
		l.Overload(at, at+15*time.Second)
		if l.Max() != want {
			t.Errorf("the limit is %d, want %d", l.Max(), want)
		}
	}
}

func TestClockNeverGoesBackAndCatchesUpSlowly(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var passed, offset time.Duration
	var jumps []time.Duration
	c := deliver.NewClock(
		func() time.Time { return start.Add(passed + offset) },
		func() time.Duration { return passed },
		func(by time.Duration) { jumps = append(jumps, by) },
	)
	passed, offset = time.Minute, -time.Hour
	if got := c.Now().Sub(start); got < 54*time.Second || got > time.Minute {
		t.Errorf("a minute later, the clock set back an hour, it tells %v", got)
	}
	last := c.Now()
	for range 1000 {
		passed += 7 * time.Second
		now := c.Now()
		if step := now.Sub(last); step < 6300*time.Millisecond || step > 7*time.Second {
			t.Fatalf("in 7 s the clock went on by %v", step)
		}
		last = now
	}
	passed += 10 * time.Hour
	if got := c.Now(); !got.Equal(start.Add(passed + offset)) {
		t.Errorf("the clock did not catch up: it tells %v", got)
	}
	offset = 0
	if got := c.Now(); !got.Equal(start.Add(passed)) {
		t.Errorf("the clock did not follow a jump ahead: it tells %v", got)
	}
	if !slices.Equal(jumps, []time.Duration{-time.Hour, time.Hour}) {
		t.Errorf("jumps told: %v", jumps)
	}
}

func TestTimersGiveTheEarliestFirst(t *testing.T) {
	t.Parallel()
	var h deliver.Timers
	items := make([]deliver.Timer, 200)
	rnd := rand.New(rand.NewPCG(1, 2))
	want := map[*deliver.Timer]time.Duration{}
	for range 2000 {
		tm := &items[rnd.IntN(len(items))]
		if rnd.IntN(4) == 0 {
			h.Remove(tm)
			delete(want, tm)
			continue
		}
		at := time.Duration(rnd.IntN(1000))
		h.Set(tm, at)
		want[tm] = at
	}
	last := time.Duration(-1)
	for {
		at, ok := h.Next()
		if !ok {
			break
		}
		if h.Pop(at-1) != nil {
			t.Fatal("a timer was given before its time")
		}
		tm := h.Pop(at)
		if want[tm] != at || at < last {
			t.Fatalf("got a timer of %v at %v after %v", want[tm], at, last)
		}
		delete(want, tm)
		last = at
	}
	if len(want) > 0 {
		t.Errorf("%d timers were never given", len(want))
	}
}

func TestFifoKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var q deliver.Fifo
	rnd := rand.New(rand.NewPCG(3, 4))
	pushed, popped := 0, 0
	for range 10_000 {
		if rnd.IntN(2) == 0 || q.Len() == 0 {
			q.Push(pushed)
			pushed++
			continue
		}
		if *q.Peek() != popped || q.Pop() != popped {
			t.Fatalf("the order is broken at %d", popped)
		}
		popped++
	}
	if q.Len() != pushed-popped {
		t.Errorf("%d wait, want %d", q.Len(), pushed-popped)
	}
}
