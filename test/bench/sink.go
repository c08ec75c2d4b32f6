package main

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// hookPath and a number make the path of an endpoint.
const hookPath = "/hook/"

// sink is the receiver of all endpoints of a plan.
type sink struct {
	plan      plan
	run       string // events of other runs are not counted
	delay     time.Duration
	failFirst int

	unparsed  atomic.Int64 // checks of an endpoint, leftovers of an earlier run
	misrouted atomic.Int64 // events at an endpoint of another application
	refused   atomic.Int64
	unsigned  atomic.Int64
	first     atomic.Int64 // time of the earliest success
	last      atomic.Int64 // time of the latest success
	sample    atomic.Pointer[http.Header]

	slots []slotLog // by the endpoint's place in its application
}

// slotLog holds what arrived. An event goes to one application, so its number
// and the place of the endpoint name a delivery.
type slotLog struct {
	mu         sync.Mutex // guards all below
	tries      map[int64]int
	done       bitset
	latency    []int64 // from post to arrival, ns, of each event once
	hung       bitset
	hungAfter  []int64 // the same of first attempts at endpoints that hang
	duplicates int64
}

func newSink(p plan, run string, delay time.Duration, failFirst int) *sink {
	s := &sink{plan: p, run: run, delay: delay, failFirst: failFirst, slots: make([]slotLog, p.Endpoints)}
	for i := range s.slots {
		s.slots[i].tries = map[int64]int{}
	}
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	at := now()
	st, ok := parseStamp(body)
	if !ok || st.run != s.run {
		s.unparsed.Add(1)
		return
	}
	if s.delay > 0 {
		time.Sleep(s.delay)
	}
	number, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, hookPath))
	slot, ok := s.plan.slot(st.seq, number)
	if err != nil || !ok {
		s.misrouted.Add(1)
		return
	}
	s.look(r.Header)
	if s.plan.hangs(number) {
		s.slots[slot].recordHung(st.seq, at-st.at)
		<-r.Context().Done() // until the sender gives up
		return
	}
	if !s.slots[slot].record(st.seq, at-st.at, s.failFirst) {
		s.refused.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	done := now()
	s.first.CompareAndSwap(0, done)
	s.last.Store(done)
}

// look notes what the headers of a delivery tell.
func (s *sink) look(h http.Header) {
	if !signed(h) {
		s.unsigned.Add(1)
	}
	if s.sample.Load() == nil {
		h = h.Clone()
		s.sample.Store(&h)
	}
}

// record notes one attempt; it reports false for an attempt that must fail.
func (l *slotLog) record(seq, latency int64, failFirst int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if failFirst > 0 && l.tries[seq] < failFirst {
		l.tries[seq]++
		return false
	}
	if l.done.add(seq) {
		l.latency = append(l.latency, latency)
	} else {
		l.duplicates++
	}
	return true
}

func (l *slotLog) recordHung(seq, latency int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hung.add(seq) {
		l.hungAfter = append(l.hungAfter, latency)
	}
}

// distinct counts the (endpoint, event) pairs delivered at least once.
func (s *sink) distinct() int64 {
	var n int64
	for i := range s.slots {
		l := &s.slots[i]
		l.mu.Lock()
		n += int64(len(l.latency))
		l.mu.Unlock()
	}
	return n
}

// matched counts the pairs delivered among acknowledged events.
func (s *sink) matched(acked bitset) int64 {
	var n int64
	for i := range s.slots {
		l := &s.slots[i]
		l.mu.Lock()
		n += l.done.countBoth(acked)
		l.mu.Unlock()
	}
	return n
}

// latencies returns what was noted, of endpoints that answer and of those
// that hang, and how many deliveries came more than once.
func (s *sink) latencies() (healthy, hanging []int64, duplicates int64) {
	for i := range s.slots {
		l := &s.slots[i]
		l.mu.Lock()
		healthy = append(healthy, l.latency...)
		hanging = append(hanging, l.hungAfter...)
		duplicates += l.duplicates
		l.mu.Unlock()
	}
	return healthy, hanging, duplicates
}

// signed reports whether a request carries something that names a signature.
func signed(h http.Header) bool {
	for k := range h {
		if strings.Contains(strings.ToLower(k), "signature") {
			return true
		}
	}
	return false
}
