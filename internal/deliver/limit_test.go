package deliver_test

import (
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
)

func TestLimitGrowsByOneWithEachSuccessWhileWanted(t *testing.T) {
	t.Parallel()
	l := deliver.NewLimit(1)
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
	l := deliver.NewLimit(1)
	for range 100 {
		l.Success(10*time.Millisecond, false)
	}
	if l.Max() != deliver.LimitStart {
		t.Errorf("the limit is %d, want %d", l.Max(), deliver.LimitStart)
	}
}

func TestLimitStopsGrowingWhenAnswersGetSlower(t *testing.T) {
	t.Parallel()
	l := deliver.NewLimit(1)
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
	l := deliver.NewLimit(1)
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

func TestLimitsOfManyNodesAreOneTogether(t *testing.T) {
	t.Parallel()
	for nodes, want := range map[int][2]int{1: {32, 256}, 2: {16, 128}, 3: {10, 85}, 50: {1, 5}, 1000: {1, 1}} {
		l := deliver.NewLimit(nodes)
		start := l.Max()
		for range 300 {
			l.Success(10*time.Millisecond, true)
		}
		if got := [2]int{start, l.Max()}; got != want {
			t.Errorf("of %d nodes each starts with and grows to %v, want %v", nodes, got, want)
		}
	}
	l := deliver.NewLimit(1)
	if l.Share(8); l.Max() != 32 {
		t.Errorf("the limit is %d when seven nodes join, want the 32 that each may have", l.Max())
	}
	if l.Share(16); l.Max() != 16 {
		t.Errorf("the limit is %d when fifteen nodes join, want 16", l.Max())
	}
}
