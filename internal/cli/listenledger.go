package cli

import "sync"

// ledger knows which arrivals are dealt with. A cursor is good to go on from when
// everything up to it is.
type ledger struct {
	mu   sync.Mutex // guards what follows
	rows []ledgerRow
	base int // number of the first row
}

type ledgerRow struct {
	cursor string
	done   bool
}

// enter takes an arrival in and gives its number.
func (l *ledger) enter(cursor string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = append(l.rows, ledgerRow{cursor: cursor})
	return l.base + len(l.rows) - 1
}

// finish says that an arrival is dealt with. If more can be acknowledged now, it
// gives the cursor for that.
func (l *ledger) finish(number int) (cursor string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows[number-l.base].done = true
	n := 0
	for n < len(l.rows) && l.rows[n].done {
		cursor, ok = l.rows[n].cursor, true
		n++
	}
	l.rows = l.rows[n:]
	l.base += n
	return cursor, ok
}

// empty reports whether nothing is left to deal with.
func (l *ledger) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.rows) == 0
}
