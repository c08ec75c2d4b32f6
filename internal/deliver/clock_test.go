package deliver_test

import (
	"slices"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
)

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
