package deliver_test

import (
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
)

func TestBucketKeepsItsRateOverTenSeconds(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{1, 2, 5, 10, 49, 50, 51, 100, 999, 10_000} {
		var b deliver.Bucket
		b.SetRate(rate, 1, 0)
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
	b.SetRate(10_000, 1, 0)
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
	b.SetRate(1000, 1, 0)
	b.SetRate(10, 1, 0)
	if got := b.Available(1000, 0); got != 1 {
		t.Errorf("after lowering the rate %d may pass at once, want 1", got)
	}
	b.Take(1)
	b.Return(1)
	b.Return(1)
	if got := b.Available(1000, 0); got != 1 {
		t.Errorf("after returning tokens %d may pass, want 1", got)
	}
	b.SetRate(0, 1, time.Second)
	if got := b.Available(1000, time.Second); got != 1000 {
		t.Errorf("without a rate %d may pass, want 1000", got)
	}
}

func TestBucketsOfManyNodesKeepTheRateTogether(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{1, 2, 5, 10, 50, 999} {
		for nodes := 1; nodes <= 7; nodes++ {
			passed := 0
			for range nodes {
				var b deliver.Bucket
				b.SetRate(rate, nodes, 0)
				for at := time.Duration(0); at < 10*time.Second; at = max(at+1, b.ReadyAt(at)) {
					n := b.Available(1<<20, at)
					b.Take(n)
					passed += n
				}
			}
			// What is less than one message each cannot be split.
			if low, high := rate*9-nodes, rate*11; passed < low || passed > high {
				t.Errorf("at %d a second over %d nodes %d passed in 10 s, want %d to %d", rate, nodes, passed, low, high)
			}
		}
	}
}

func TestBucketKeepsItsRateWhenNodesComeAndGo(t *testing.T) {
	t.Parallel()
	var b deliver.Bucket
	b.SetRate(100, 1, 0)
	b.Take(b.Available(100, 0))
	b.SetRate(100, 4, 0)
	if got := b.Available(100, 100*time.Millisecond); got != 2 {
		t.Errorf("a tenth of a second later %d may pass of a quarter of 100 a second, want 2", got)
	}
}
