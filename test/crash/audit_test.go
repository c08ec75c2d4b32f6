//go:build crash

package crash_test

import (
	"database/sql"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// books is the sum of a ledger.
type books struct {
	accepted, refused, unknown int
	unknownArrived             int // messages without an answer that were delivered all the same
	delivered                  int // parcels that arrived
	doubles                    int // arrivals beyond the first, in a later process
	needless                   []string
	oldest                     time.Duration // longest time from an answer to the kill for which it came twice
}

// audit compares what the server was given with what arrived.
func (l *ledger) audit(t *testing.T) books {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults {
		t.Error(f)
	}
	var b books
	for _, e := range l.entries {
		switch e.outcome {
		case accepted:
			b.accepted++
			l.auditAccepted(t, e)
		case refused:
			b.refused++
		case unknown:
			b.unknown++
			if e.id != "" {
				b.unknownArrived++
			}
		}
	}
	for p, receipts := range l.got {
		e, target := l.entries[p.mark], l.targets[p.target]
		if e.outcome == refused {
			t.Errorf("%s was refused but delivered to %s", p.mark, target.name)
		}
		if e.app != target.app || !target.wants(e.item) {
			t.Errorf("%s was delivered to %s, which does not want it", p.mark, target.name)
		}
		b.delivered++
		for i, r := range receipts[1:] {
			b.doubles++
			before := receipts[i]
			age := l.died[before.generation].Sub(before.at)
			if r.generation == before.generation || age > commitWithin {
				b.needless = append(b.needless, p.mark+" at "+target.name)
			} else {
				b.oldest = max(b.oldest, age)
			}
		}
	}
	return b
}

func (l *ledger) auditAccepted(t *testing.T, e *entry) {
	t.Helper()
	for i, target := range l.targets {
		if target.app == e.app && target.wants(e.item) && len(l.got[parcel{i, e.mark}]) == 0 {
			t.Errorf("%s was accepted as %s but did not arrive at %s", e.mark, e.id, target.name)
		}
	}
}

func (b books) print(t *testing.T) {
	t.Helper()
	t.Logf("messages: %d accepted, %d refused, %d without an answer (%d of them delivered)", b.accepted, b.refused, b.unknown, b.unknownArrived)
	t.Logf("deliveries: %d arrived; %d came twice, each because the process died after the answer (at most %s) and before its commit",
		b.delivered, b.doubles-len(b.needless), b.oldest.Round(time.Millisecond))
	if n := len(b.needless); n > 0 {
		t.Errorf("%d came twice without such a reason, such as %q", n, b.needless[:min(n, 10)])
	}
	if b.accepted == 0 || b.refused == 0 {
		t.Error("a load without accepted or refused messages proves nothing")
	}
}

// auditDatabase looks into the file that a stopped server left. Everything is
// delivered if all, else deliveries may wait.
func (w *world) auditDatabase(t *testing.T, b books, all bool) {
	t.Helper()
	if verdict := ask[string](t, w, "PRAGMA integrity_check"); verdict != "ok" {
		t.Errorf("integrity_check: %s", verdict)
	}
	for what, query := range map[string]string{
		"leased deliveries":                      `SELECT count(*) FROM deliveries WHERE node IS NOT NULL`,
		"deliveries being sent":                  `SELECT count(*) FROM deliveries WHERE state = 1`,
		"deliveries that neither wait nor ended": `SELECT count(*) FROM deliveries WHERE state = 0 AND due IS NULL`,
		"deliveries given up":                    `SELECT count(*) FROM deliveries WHERE state > 2`,
		"deliveries with a gap or a double in their attempts": `SELECT count(*) FROM (SELECT 1 FROM attempts
			GROUP BY message, endpoint HAVING count(*) <> max(number) OR count(DISTINCT number) <> count(*))`,
		// The plus keeps SQLite from walking over all attempts of the endpoint each time.
		"deliveries whose count of attempts is wrong": `SELECT count(*) FROM deliveries d WHERE attempts <>
			(SELECT count(*) FROM attempts a WHERE a.message = d.message AND +a.endpoint = d.endpoint)`,
	} {
		if n := w.countRows(t, query); n != 0 {
			t.Errorf("the database has %d %s", n, what)
		}
	}
	if waiting := w.countRows(t, `SELECT count(*) FROM deliveries WHERE state <> 2`); all && waiting != 0 {
		t.Errorf("the database has %d deliveries that are not delivered", waiting)
	}
	if n := w.countRows(t, `SELECT count(*) FROM messages`); n < b.accepted || n > b.accepted+b.unknown {
		t.Errorf("the database has %d messages; %d were accepted and %d had no answer", n, b.accepted, b.unknown)
	}
}

func (w *world) countRows(t *testing.T, query string) int {
	t.Helper()
	return ask[int](t, w, query)
}

// ask reads one value from the file of a server that does not run.
func ask[T any](t *testing.T, w *world, query string) (value T) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.file+"?mode=ro")
	check(t, err)
	defer db.Close()
	check(t, db.QueryRowContext(t.Context(), query).Scan(&value))
	return value
}
