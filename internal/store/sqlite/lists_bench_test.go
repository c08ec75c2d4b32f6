package sqlite_test

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// fill is how many messages, each with a delivery and an attempt, are stored
// before the benchmark of lists begins.
var fill = flag.Int("sqlite.fill", 1000, "messages that are stored before the benchmark of lists begins")

// BenchmarkListsOfAnEnvironment reads one page of each list. One of ten messages
// fails, and every second one is of another environment.
func BenchmarkListsOfAnEnvironment(b *testing.B) {
	ctx, n := b.Context(), int64(*fill)
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	w, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "bench.db"), sqlite.Options{Unsafe: true})
	must(err)
	b.Cleanup(func() { w.Close() })
	env, other := hook.NewID(start), hook.NewID(start)
	mine := hook.Application{ID: hook.NewID(start), Env: env, CreatedAt: start, UpdatedAt: start}
	_, _, err = w.CreateApplication(ctx, &mine, nil)
	must(err)
	must(w.CreateEnvironment(ctx, &hook.Environment{ID: other, CreatedAt: start}))
	there := hook.Application{ID: hook.NewID(start), Env: other, CreatedAt: start, UpdatedAt: start}
	_, _, err = w.CreateApplication(ctx, &there, nil)
	must(err)
	ep := hook.Endpoint{ID: hook.NewID(start), App: mine.ID, Env: env, URL: "https://example.com", CreatedAt: start, UpdatedAt: start}
	_, _, err = w.CreateEndpoint(ctx, &ep, 0, nil)
	must(err)
	const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) `
	for _, q := range []string{
		`INSERT INTO messages (seq, app, id, event_type, size, created, tags, body) SELECT i, 1 + (i % 4 = 1 OR i % 4 = 3),
		  unhex(printf('%08x%02x%030x', (?2 + i * 86400) / 1000000 - 1400000000, ((?2 + i * 86400) % 1000000) * 256 / 1000000, i)), 'type.' || (i % 7), 600,
		  ?2 + i * 86400, CASE WHEN i % 100000 = 6 THEN '["rare"]' END, zeroblob(600) FROM n`,
		`INSERT INTO deliveries (message, endpoint, state, reason, attempts, step, manual, again, lane, due, last_status, updated)
		  SELECT i, 1, CASE WHEN i % 10 = 0 THEN 3 ELSE 2 END, 0, 1, 1, 0, 0, 0, NULL, 200, ?2 FROM n`,
		`INSERT INTO failing (message, endpoint, env, state, class, status, since)
		  SELECT i, 1, (SELECT env FROM applications WHERE seq = 1), 1, 9, 500, ?2 FROM n WHERE i % 10 = 0`,
	} {
		must(w.Exec(ctx, numbers+q, n, start.UnixMicro()))
	}
	day := start.Add(time.Duration(n/2) * 86400 * time.Microsecond)
	for name, f := range map[string]hook.RecentFilter{
		"newest":               {},
		"an event type":        {EventTypes: []string{"type.3"}},
		"a rare tag":           {Tag: "rare"},
		"up to a time":         {Before: day},
		"one application":      {Apps: []hook.ID{mine.ID}},
		"what fails":           {States: hook.FailingStates},
		"fails at an endpoint": {States: hook.FailingStates, Endpoint: ep.ID},
		"fails, up to":         {States: hook.FailingStates, Before: day, EventTypes: []string{"type.3"}},
	} {
		f.Env, f.Limit = env, 50
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := w.ListRecent(ctx, f)
				must(err)
			}
		})
	}
	b.Run("count, 10,001", func(b *testing.B) {
		for b.Loop() {
			_, err := w.CountRecent(ctx, hook.RecentFilter{Env: env}, 10_001)
			must(err)
		}
	})
	b.Run("a message by id", func(b *testing.B) {
		p, err := w.ListRecent(ctx, hook.RecentFilter{Env: env, Before: day, Limit: 1})
		must(err)
		for b.Loop() {
			_, err := w.FindMessageAnywhere(ctx, env, p.Items[0].Message.ID, false)
			must(err)
		}
	})
}
