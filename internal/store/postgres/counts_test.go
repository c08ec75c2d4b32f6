package postgres_test

import (
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestMoreDeliveriesAreCountedThanOneSliceHas(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	const n, pending = 50_000, 22_000
	a.fill(0, n, pending)
	a.exec(`UPDATE deliveries SET state = 4, reason = 5 WHERE state = 2`)
	a.exec(`UPDATE queue SET retry = true WHERE message IN (SELECT id FROM made WHERE n <= 1000)`)
	a.exec(`ANALYZE`)
	count := func(since, until time.Time) hook.AttemptCounts {
		t.Helper()
		return testx.Must(a.store.CountAttempts(t.Context(), a.env, a.app, a.endpoint, since, until))(t)
	}
	all := hook.AttemptCounts{Success: n - pending, Pending: pending, Canceled: n - pending}
	testx.Equal(t, count(time.Time{}, time.Time{}), all, "all")
	testx.Equal(t, count(archiveStart, archiveStart.Add(oneDay)), all, "of the day")
	// Message i of n is created at i / n of 20 hours: number 25,000 ends the first ten.
	half := hook.AttemptCounts{Success: 3000, Pending: pending, Canceled: 3000}
	testx.Equal(t, count(archiveStart, archiveStart.Add(10*time.Hour+time.Second)), half, "of ten hours")
	testx.Equal(t, count(archiveStart.Add(10*time.Hour+time.Second), time.Time{}),
		hook.AttemptCounts{Success: n - 25_000, Canceled: n - 25_000}, "since then")
}
