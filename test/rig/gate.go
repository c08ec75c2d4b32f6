package rig

import (
	"slices"
	"time"
)

// Door is a server that takes messages, in one of its lives.
type Door struct {
	Life int
	URL  string
}

// Open lets publishers through to a server, and to none before it at its address.
// Those that are open take turns.
func (l *Ledger) Open(d Door) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut(d)
	l.doors = append(l.doors, d)
	l.changed.Broadcast()
}

// Shut lets nobody through to a server, or to one before it at its address.
func (l *Ledger) Shut(d Door) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut(d)
}

func (l *Ledger) shut(d Door) {
	l.doors = slices.DeleteFunc(l.doors, func(other Door) bool { return other.URL == d.URL && other.Life <= d.Life })
}

// ShutAll lets nobody through to any server.
func (l *Ledger) ShutAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doors = nil
}

// close ends all waiting at the gate: whoever tries again gives up.
func (l *Ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended, l.closed = true, true
	l.changed.Broadcast()
}

// door gives the one whose turn it is.
func (l *Ledger) door() Door {
	l.turn++
	return l.doors[l.turn%len(l.doors)]
}

// begin waits until a message of the application may be published, and gives the
// server that takes it; false: no more.
func (l *Ledger) begin(app int) (Door, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.ended && (len(l.doors) == 0 || l.waiting[app] >= l.backlog[app]) {
		l.changed.Wait()
	}
	if l.ended {
		return Door{}, false
	}
	l.unfinished++
	return l.door(), true
}

// finish says that a publisher is through with what it began.
func (l *Ledger) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unfinished--
	l.changed.Broadcast()
}

// again waits for a server, for a message that must be tried again; false: there
// will be none.
func (l *Ledger) again() (Door, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parked++
	l.changed.Broadcast()
	for !l.closed && len(l.doors) == 0 {
		l.changed.Wait()
	}
	l.parked--
	if l.closed {
		return Door{}, false
	}
	return l.door(), true
}

// End stops the publishers after what they are at.
func (l *Ledger) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.changed.Broadcast()
}

// await waits until reached holds, looking again whenever something changes; it
// gives false if the time is up before.
func (l *Ledger) await(limit time.Duration, reached func() bool) bool {
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

// Quiet waits until no request is under way.
func (l *Ledger) Quiet(limit time.Duration) bool {
	return l.await(limit, func() bool { return l.unfinished == l.parked })
}

// Drained waits until every publisher is done and nothing is outstanding.
func (l *Ledger) Drained(limit time.Duration) bool {
	return l.await(limit, func() bool { return l.unfinished == 0 && len(l.outstanding) == 0 })
}

// Arrived waits until none of these parcels is outstanding.
func (l *Ledger) Arrived(parcels []Parcel, limit time.Duration) bool {
	left := parcels
	return l.await(limit, func() bool {
		for len(left) > 0 {
			if _, waits := l.outstanding[left[0]]; waits {
				return false
			}
			left = left[1:]
		}
		return true
	})
}

// AcceptedAtLeast waits for so many accepted messages.
func (l *Ledger) AcceptedAtLeast(n int, limit time.Duration) bool {
	return l.await(limit, func() bool { return l.count >= n })
}

// Count is how many messages were accepted so far.
func (l *Ledger) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}
