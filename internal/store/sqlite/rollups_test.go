package sqlite_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// counted is the number of attempts in all rollups of the application.
func (w *world) counted() (n int64) {
	w.Helper()
	hours, err := w.ListRollups(w.Context(), hook.StatsFilter{Env: w.env, App: w.app})
	w.must(err)
	for _, h := range hours {
		n += h.Attempts.Total()
	}
	return n
}

func TestSummingUpLetsOthersWriteInBetween(t *testing.T) {
	t.Parallel()
	var operations atomic.Int64
	w := newWorld(t, sqlite.Options{Unsafe: true, Observe: func(c sqlite.Commit) { operations.Add(int64(c.Operations)) }})
	const endpoints, each = 300, 8
	for range endpoints {
		w.endpoint()
	}
	for range each {
		var batch []hook.Settlement
		for _, l := range w.accept(room{}, w.event(start, "{}"))[0].Leased {
			batch = append(batch, hook.Settlement{Lease: l, Now: start, Then: hook.Transition{State: hook.Delivered, Step: 1},
				Attempt: hook.Attempt{ID: hook.NewID(start), Number: 1, StartedAt: start}})
		}
		_, err := w.Settle(w.Context(), batch)
		w.must(err)
	}
	before := operations.Load()
	n, err := w.RollUp(w.Context(), 1_000_000)
	w.must(err)
	if n != endpoints*each || w.counted() != endpoints*each {
		t.Errorf("%d were summed up to %d, want %d", n, w.counted(), endpoints*each)
	}
	// Each operation touches no more than 256 rollups, and each message has those
	// of 300 endpoints and of the application.
	if slices := operations.Load() - before; slices < each {
		t.Errorf("it was done in %d operations", slices)
	}
	if rows := w.number(`SELECT count(*) FROM rollups`); rows != endpoints+1 {
		t.Errorf("%d rows, want one for each of %d endpoints and the application", rows, endpoints)
	}
}

func TestNoAttemptExpiresBeforeItIsSummedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true, ReadTimeout: time.Minute})
	w.endpoint()
	w.flow(start, 1)
	const n = 5000 // more than one slice sums up
	w.must(w.Exec(w.Context(), `INSERT INTO attempts (id, message, endpoint, number, manual, class, status, url, started, timings)
	  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
	  SELECT randomblob(20), 1, 1, i, 0, 0, 200, '', ?, x'' FROM n`, n, start))
	late := start.Add(2 * time.Hour)
	for more := true; more; {
		e, err := w.Expire(w.Context(), hook.Retention{Attempts: time.Hour}, late)
		w.must(err)
		if more = e.More; w.counted() != n+1 {
			t.Fatalf("%d attempts are counted after %+v, want %d", w.counted(), e, n+1)
		}
	}
	if left := w.number(`SELECT count(*) FROM attempts`); left != 0 {
		t.Errorf("%d attempts are left", left)
	}
	w.expire(hook.Retention{Messages: time.Hour}, late)
	if rows := w.number(`SELECT count(*) FROM rollups`); rows != 0 {
		t.Errorf("%d rollups are left after the hour", rows)
	}
}

func TestARollupGoesWithItsEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	ep := w.endpoint()
	lease := w.accept(room{}, w.event(start, "{}"))[0].Leased[0]
	_, err := w.DeleteEndpoint(w.Context(), w.env, w.app, hook.Ref{ID: ep.ID}, start)
	w.must(err)
	late := start.Add(50 * time.Minute)
	w.answer(lease, 200, late, nil)
	// The message is old enough to go and the endpoint with it, but the hour of the attempt is not over long enough.
	w.expire(hook.Retention{Messages: time.Minute}, late.Add(2*time.Minute))
	for table, want := range map[string]int64{"endpoints": 0, "rollups": 1} {
		if n := w.number(`SELECT count(*) FROM ` + table); n != want {
			t.Errorf("%d rows in %s, want %d", n, table, want)
		}
	}
	if w.counted() != 1 {
		t.Errorf("%d attempts of the application are counted, want 1", w.counted())
	}
	w.endpoint() // it may get the row key of the one that is gone
	hours, err := w.ListRollups(w.Context(), hook.StatsFilter{Env: w.env, App: w.app, Endpoint: w.endpoint().ID})
	w.must(err)
	if len(hours) != 0 {
		t.Errorf("a new endpoint has %+v", hours)
	}
}
