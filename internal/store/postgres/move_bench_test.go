package postgres_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
)

// BenchmarkMove takes everything of a database with -postgres.fill messages, puts it
// into another one, and compares: what `grapnel admin copy` does. It reports
// messages, each with a delivery and an attempt, by second.
func BenchmarkMove(b *testing.B) {
	bm := newBenchmark(b)
	b.Run("dump", func(b *testing.B) {
		for range b.N {
			dumpAll(b, bm.store)
		}
		b.ReportMetric(float64(*fill)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
	b.Run("load", func(b *testing.B) {
		for range b.N {
			build(b, newTarget(b), bm.store)
		}
		b.ReportMetric(float64(*fill)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
	b.Run("load into SQLite", func(b *testing.B) {
		for range b.N {
			build(b, "sqlite:"+filepath.Join(b.TempDir(), "target.db"), bm.store)
		}
		b.ReportMetric(float64(*fill)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
}

func dumpAll(b *testing.B, from interface {
	Dump(ctx context.Context, emit func(hook.Record) error) error
}) (records []hook.Record) {
	b.Helper()
	if err := from.Dump(b.Context(), func(rec hook.Record) error {
		records = append(records, rec)
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return records
}

func newTarget(b *testing.B) string {
	b.Helper()
	name := "target_of_load"
	for _, q := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name + " TEMPLATE " + template} {
		if err := cluster.Run(b.Context(), "postgres", q); err != nil {
			b.Fatal(err)
		}
	}
	return cluster.URL(name)
}

// build fills a database. Reading the source does not count.
func build(b *testing.B, target string, source *postgres.Store) {
	b.Helper()
	b.StopTimer()
	records := dumpAll(b, source)
	b.StartTimer()
	if err := store.Build(b.Context(), target, store.Options{}, func(m store.Mover) error { return m.Load(b.Context(), from(records)) }); err != nil {
		b.Fatal(err)
	}
}
