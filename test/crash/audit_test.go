//go:build crash

package crash_test

import (
	"database/sql"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/grapnelhq/grapnel/test/rig"
)

func printBooks(t *testing.T, b rig.Books) {
	t.Helper()
	t.Logf("messages: %d accepted, %d refused, %d without an answer (%d of them delivered)", b.Accepted, b.Refused, b.Unknown, b.UnknownArrived)
	t.Logf("deliveries: %d arrived; %d came twice, each because the process died after the answer (at most %s) and before its commit",
		b.Delivered, b.Doubles-len(b.Needless), b.Oldest.Round(time.Millisecond))
	if n := len(b.Needless); n > 0 {
		t.Errorf("%d came twice without such a reason, such as %q", n, b.Needless[:min(n, 10)])
	}
	if b.Accepted == 0 || b.Refused == 0 {
		t.Error("a load without accepted or refused messages proves nothing")
	}
}

// auditDatabase looks into the file that a stopped server left. Everything is
// delivered if all, else deliveries may wait.
func (w *world) auditDatabase(t *testing.T, b rig.Books, all bool) {
	t.Helper()
	if verdict := ask[string](t, w, "PRAGMA integrity_check"); verdict != "ok" {
		t.Errorf("integrity_check: %s", verdict)
	}
	b.AuditDatabase(t, all, func(query string) int { return w.countRows(t, query) })
}

func (w *world) countRows(t *testing.T, query string) int {
	t.Helper()
	return ask[int](t, w, query)
}

// ask reads one value from the file of a server that does not run.
func ask[T any](t *testing.T, w *world, query string) (value T) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.file+"?mode=ro")
	rig.Check(t, err)
	defer db.Close()
	rig.Check(t, db.QueryRowContext(t.Context(), query).Scan(&value))
	return value
}
