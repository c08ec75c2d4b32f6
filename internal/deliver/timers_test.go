package deliver_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
)

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
