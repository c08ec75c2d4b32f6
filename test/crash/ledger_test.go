//go:build crash

package crash_test

import (
	"fmt"
	"sync"
	"time"
)

// outcome is what a publisher learned about its message.
type outcome uint8

const (
	unknown  outcome = iota // the connection died before an answer
	accepted                // 2xx
	refused                 // an error object
)

// entry is what is known about one message.
type entry struct {
	item
	outcome outcome
	id      string // of the message, once accepted or received
}

// parcel is one message for one endpoint.
type parcel struct {
	target int
	mark   string
}

// receipt is one arrival that was answered with 2xx.
type receipt struct {
	generation int
	at         time.Time
}

// ledger keeps both sides of the books: what the server was given and what the
// receivers got. It is also the gate at which publishers wait.
type ledger struct {
	targets []*target

	mu          sync.Mutex // guards everything below
	changed     *sync.Cond // broadcast on every change that somebody waits for
	entries     map[string]*entry
	got         map[parcel][]receipt
	failed      map[parcel]int // arrivals that were answered with an error
	outstanding map[parcel]struct{}
	waiting     []int // outstanding parcels by application
	open        int   // the generation whose server takes messages; 0: none
	ended       bool  // no publisher begins anything new
	faults      []string
	died        map[int]time.Time // when the process of a generation was killed
	unfinished  int               // requests that publishers have begun
	parked      int               // of these, how many wait for the next server to be tried again
	count       int               // accepted messages
}

func newLedger(all []*target) *ledger {
	l := &ledger{
		targets: all, entries: map[string]*entry{}, got: map[parcel][]receipt{}, failed: map[parcel]int{}, died: map[int]time.Time{},
		outstanding: map[parcel]struct{}{}, waiting: make([]int, len(backlog)),
	}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// fault notes something that must never be.
func (l *ledger) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faultLocked(format, args...)
}

func (l *ledger) faultLocked(format string, args ...any) {
	if len(l.faults) < 50 {
		l.faults = append(l.faults, fmt.Sprintf(format, args...))
	}
}

// killed notes the death of a process.
func (l *ledger) killed(generation int, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.died[generation] = at
}

// begin waits until a message of the application may be published, and gives the
// generation of the server that takes it; 0: no more.
func (l *ledger) begin(app int) (generation int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.ended && (l.open == 0 || l.waiting[app] >= backlog[app]) {
		l.changed.Wait()
	}
	if l.ended {
		return 0
	}
	l.unfinished++
	return l.open
}

// finish says that a publisher is through with what it began.
func (l *ledger) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unfinished--
	l.changed.Broadcast()
}

// lost closes the gate of a generation: its server does not answer.
func (l *ledger) lost(generation int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == generation && generation != lastGeneration {
		l.open = 0
	}
}

// next waits for a server, for a message that must be tried again.
func (l *ledger) next() (generation int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parked++
	l.changed.Broadcast()
	for l.open == 0 {
		l.changed.Wait()
	}
	l.parked--
	return l.open
}

// gate lets publishers through to the server of a generation; 0 holds them.
func (l *ledger) gate(generation int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = generation
	l.changed.Broadcast()
}

// quiet waits until no request is under way.
func (l *ledger) quiet(limit time.Duration) bool {
	return l.await(limit, func() bool { return l.unfinished == l.parked })
}

// end stops the publishers after what they are at.
func (l *ledger) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.changed.Broadcast()
}

// published notes what became of a message.
func (l *ledger) published(i item, o outcome, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(i.mark)
	if e.id != "" && id != "" && e.id != id {
		l.faultLocked("message %s was accepted as %s and delivered as %s", i.mark, id, e.id)
	}
	if o == accepted && e.outcome != accepted {
		l.count++
	}
	e.item, e.outcome = i, o
	if id != "" {
		e.id = id
	}
	if o == accepted {
		for t, target := range l.targets {
			p := parcel{t, i.mark}
			if target.app != i.app || !target.wants(i) || len(l.got[p]) > 0 {
				continue
			}
			l.outstanding[p] = struct{}{}
			l.waiting[i.app]++
		}
	}
	l.changed.Broadcast()
}

func (l *ledger) entry(mark string) *entry {
	e := l.entries[mark]
	if e == nil {
		e = &entry{}
		l.entries[mark] = e
	}
	return e
}

// arrived notes a webhook and says whether the endpoint has seen its message.
func (l *ledger) arrived(p parcel, id string) (seen bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(p.mark)
	if e.id != "" && e.id != id {
		l.faultLocked("message %s is known as %s and arrived as %s", p.mark, e.id, id)
	}
	e.id = id
	return len(l.got[p]) > 0 || l.failed[p] > 0
}

// answered notes how a webhook was answered.
func (l *ledger) answered(p parcel, success bool, r receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !success {
		l.failed[p]++
		return
	}
	l.got[p] = append(l.got[p], r)
	if _, waited := l.outstanding[p]; waited {
		delete(l.outstanding, p)
		l.waiting[l.targets[p.target].app]--
	}
	l.changed.Broadcast()
}

// pending lists the parcels that were accepted and have not arrived.
func (l *ledger) pending() []parcel {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]parcel, 0, len(l.outstanding))
	for p := range l.outstanding {
		list = append(list, p)
	}
	return list
}

// firstIn gives the first arrival of p in a generation.
func (l *ledger) firstIn(p parcel, generation int) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.got[p] {
		if r.generation == generation {
			return r.at, true
		}
	}
	return time.Time{}, false
}

// await waits until reached holds, looking again whenever something changes; it
// gives false if the time is up before.
func (l *ledger) await(limit time.Duration, reached func() bool) bool {
	late := false
	timer := time.AfterFunc(limit, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		late = true
		l.changed.Broadcast()
	})
	defer timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !reached() {
		if late {
			return false
		}
		l.changed.Wait()
	}
	return true
}

// drained waits until every publisher is done and nothing is outstanding.
func (l *ledger) drained(limit time.Duration) bool {
	return l.await(limit, func() bool { return l.unfinished == 0 && len(l.outstanding) == 0 })
}

// acceptedAtLeast waits for so many accepted messages.
func (l *ledger) acceptedAtLeast(n int, limit time.Duration) bool {
	return l.await(limit, func() bool { return l.count >= n })
}
