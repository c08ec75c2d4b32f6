package deliver

import (
	"container/heap"
	"time"
)

// timer is a place in the heap of those that wait for a time.
type timer struct {
	at   time.Duration // monotonic
	pos  int           // in the heap, counted from 1; 0: not waiting
	fire func(t moment)
}

// timers is a heap of those that wait, earliest first.
type timers struct{ items timerHeap }

// Set makes t wait until at.
func (h *timers) Set(t *timer, at time.Duration) {
	t.at = at
	if t.pos == 0 {
		heap.Push(&h.items, t)
	} else {
		heap.Fix(&h.items, t.pos-1)
	}
}

// Remove ends the wait of t, if it waits.
func (h *timers) Remove(t *timer) {
	if t.pos != 0 {
		heap.Remove(&h.items, t.pos-1)
	}
}

// Pop takes the earliest, if its time has come.
func (h *timers) Pop(now time.Duration) *timer {
	if len(h.items) == 0 || h.items[0].at > now {
		return nil
	}
	t, _ := heap.Pop(&h.items).(*timer) // the heap holds nothing else
	return t
}

// Next gives the earliest time.
func (h *timers) Next() (at time.Duration, ok bool) {
	if len(h.items) == 0 {
		return 0, false
	}
	return h.items[0].at, true
}

type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i+1, j+1
}

func (h *timerHeap) Push(x any) {
	t, _ := x.(*timer) // the heap holds nothing else
	*h = append(*h, t)
	t.pos = len(*h)
}

func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.pos = 0
	return t
}
