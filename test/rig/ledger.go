package rig

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Outcome is what a publisher learned about its message.
type Outcome uint8

// The outcomes.
const (
	Unknown  Outcome = iota // the connection died before an answer
	Accepted                // 2xx
	Refused                 // an error object
)

// entry is what is known about one message.
type entry struct {
	Item
	outcome Outcome
	id      string    // of the message, once accepted or received
	at      time.Time // when its outcome was known
}

// Parcel is one message for one endpoint.
type Parcel struct {
	Target int
	Mark   string
}

// Receipt is one webhook and its answer.
type Receipt struct {
	Life  int       // of the server that sent it
	Began time.Time // when it arrived
	At    time.Time // when it was answered
}

// Sending is one webhook that arrived, answered or not.
type Sending struct {
	Parcel
	Life   int
	Began  time.Time // when it arrived
	Signed time.Time // what its sender says, in whole seconds
}

// Ledger keeps both sides of the books: what the servers were given and what the
// receivers got. It is also the gate at which publishers wait.
type Ledger struct {
	Targets []*Target
	// CommitWithin is how long after an answer the attempt is on disk. What was
	// answered earlier before a fault must not come again.
	CommitWithin time.Duration

	mu          sync.Mutex // guards everything below
	changed     *sync.Cond // broadcast on every change that somebody waits for
	entries     map[string]*entry
	got         map[Parcel][]Receipt // answered with 2xx
	failed      map[Parcel][]Receipt // answered with an error
	sendings    []Sending
	outstanding map[Parcel]struct{}
	backlog     []int // by application
	waiting     []int // outstanding parcels by application
	doors       []Door
	turn        int  // of the doors
	ended       bool // no publisher begins anything new
	closed      bool // nobody waits at the gate any more
	faults      []string
	troubles    []Trouble
	answers     map[int]map[int]int // requests by life and status
	silences    []string            // requests without an answer
	unfinished  int                 // requests that publishers have begun
	parked      int                 // of these, how many wait for a server to be tried again
	count       int                 // accepted messages
}

// clock is how times are told.
const clock = "15:04:05.000"

// defaultBacklog is Target.Backlog where none is given.
const defaultBacklog = 600

// NewLedger makes an empty one. Its gate is shut.
func NewLedger(all []*Target) *Ledger {
	l := &Ledger{
		Targets: all, CommitWithin: defaultCommitWithin, entries: map[string]*entry{}, got: map[Parcel][]Receipt{}, failed: map[Parcel][]Receipt{},
		outstanding: map[Parcel]struct{}{}, answers: map[int]map[int]int{},
	}
	for _, t := range all {
		for len(l.backlog) <= t.App {
			l.backlog = append(l.backlog, defaultBacklog)
		}
		if t.Backlog > 0 {
			l.backlog[t.App] = min(l.backlog[t.App], t.Backlog)
		}
	}
	l.waiting = make([]int, len(l.backlog))
	l.changed = sync.NewCond(&l.mu)
	return l
}

// apps is how many applications the targets have.
func (l *Ledger) apps() int { return len(l.backlog) }

// Fault notes something that must never be.
func (l *Ledger) Fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault(format, args...)
}

func (l *Ledger) fault(format string, args ...any) {
	if len(l.faults) < 50 {
		l.faults = append(l.faults, fmt.Sprintf(format, args...))
	}
}

// Published notes what became of a message.
func (l *Ledger) Published(i Item, o Outcome, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(i.Mark)
	if e.id != "" && id != "" && e.id != id {
		l.fault("message %s was accepted as %s and delivered as %s", i.Mark, id, e.id)
	}
	if o == Accepted && e.outcome != Accepted {
		l.count++
	}
	e.Item, e.outcome, e.at = i, o, time.Now()
	if id != "" {
		e.id = id
	}
	if o == Accepted {
		for t, target := range l.Targets {
			p := Parcel{t, i.Mark}
			if target.App != i.App || !target.Wants(i) || len(l.got[p]) > 0 {
				continue
			}
			l.outstanding[p] = struct{}{}
			l.waiting[i.App]++
		}
	}
	l.changed.Broadcast()
}

func (l *Ledger) entry(mark string) *entry {
	e := l.entries[mark]
	if e == nil {
		e = &entry{}
		l.entries[mark] = e
	}
	return e
}

// said notes the status with which a server answered a publisher.
func (l *Ledger) said(life, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.answers[life] == nil {
		l.answers[life] = map[int]int{}
	}
	l.answers[life][status]++
}

// unanswered notes why a request got no answer.
func (l *Ledger) unanswered(life int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silences = append(l.silences, fmt.Sprintf("%s: life %d: %v", time.Now().Format(clock), life, err))
}

// Unanswered lists the requests that got no answer, and why.
func (l *Ledger) Unanswered() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.silences)
}

// Said is how many requests of publishers the server of a life answered with a
// status; life 0: all servers.
func (l *Ledger) Said(life, status int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for of, by := range l.answers {
		if life == 0 || of == life {
			n += by[status]
		}
	}
	return n
}

// arrived notes a webhook and says whether the endpoint has seen its message.
func (l *Ledger) arrived(s Sending, id string) (seen bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(s.Mark)
	if e.id != "" && e.id != id {
		l.fault("message %s is known as %s and arrived as %s", s.Mark, e.id, id)
	}
	e.id = id
	l.sendings = append(l.sendings, s)
	return len(l.got[s.Parcel]) > 0 || len(l.failed[s.Parcel]) > 0
}

// answered notes how a webhook was answered.
func (l *Ledger) answered(p Parcel, success bool, r Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !success {
		l.failed[p] = append(l.failed[p], r)
		return
	}
	l.got[p] = append(l.got[p], r)
	if _, waited := l.outstanding[p]; waited {
		delete(l.outstanding, p)
		l.waiting[l.Targets[p.Target].App]--
	}
	l.changed.Broadcast()
}

// Pending lists the parcels that were accepted and have not arrived.
func (l *Ledger) Pending() []Parcel {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Parcel, 0, len(l.outstanding))
	for p := range l.outstanding {
		list = append(list, p)
	}
	return list
}

// Delivered lists the parcels that have arrived.
func (l *Ledger) Delivered() []Parcel {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.got))
}

// Receipts gives the answers to a parcel: first those with 2xx, then the others,
// each in their order.
func (l *Ledger) Receipts(p Parcel) (got, failed []Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Receipt(nil), l.got[p]...), append([]Receipt(nil), l.failed[p]...)
}

// FirstIn gives the first arrival of p in a life.
func (l *Ledger) FirstIn(p Parcel, life int) (time.Time, bool) {
	got, _ := l.Receipts(p)
	for _, r := range got {
		if r.Life == life {
			return r.At, true
		}
	}
	return time.Time{}, false
}

// FirstAccepted gives when the first message after that time was accepted.
func (l *Ledger) FirstAccepted(after time.Time) (first time.Time, found bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.outcome == Accepted && e.at.After(after) && (!found || e.at.Before(first)) {
			first, found = e.at, true
		}
	}
	return first, found
}

// Sent lists what a server of that life sent, by the time of arrival.
func (l *Ledger) Sent(life int, from, to time.Time) (sent []Sending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.sendings {
		if s.Life == life && s.Began.After(from) && s.Began.Before(to) {
			sent = append(sent, s)
		}
	}
	return sent
}
