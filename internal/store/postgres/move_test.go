package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/store/storetest"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/jackc/pgx/v5"
)

func TestSQLiteAndPostgreSQLGiveEachOtherEverything(t *testing.T) {
	t.Parallel()
	storetest.RunBetween(t, openSQLite, openForSuite)
}

func openSQLite(t *testing.T, _ bool) storetest.Harness {
	t.Helper()
	address := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	opened := func(t *testing.T) store.Store {
		t.Helper()
		s, err := store.Open(t.Context(), address, store.Options{Unsafe: true})
		testx.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		return s
	}
	s := opened(t)
	return storetest.Harness{Store: s, Crash: func(t *testing.T) store.Store {
		testx.NoError(t, s.Close()) // two cannot have it open; what is lost is not the subject here
		s = opened(t)
		return s
	}}
}

// written counts what a dump must agree in: messages and their deliveries, and
// attempts, those that deliveries and rollups count, and deliveries that are done.
type written struct{ messages, deliveries, delivered, attempts, counted, rolledUp int64 }

func sumUp(records []hook.Record) (w written) {
	for _, rec := range records {
		switch r := rec.(type) {
		case *hook.MessageRecord:
			w.messages++
		case *hook.DeliveryRecord:
			w.deliveries++
			w.counted += int64(r.Attempts)
			if r.State == hook.Delivered {
				w.delivered++
			}
		case *hook.AttemptRecord:
			w.attempts++
		case *hook.RollupRecord:
			for _, n := range r.ByClass {
				w.rolledUp += n
			}
		}
	}
	return w
}

func recordsOf(t *testing.T, from store.Source) (records []hook.Record) {
	t.Helper()
	testx.NoError(t, from.Dump(t.Context(), func(rec hook.Record) error {
		records = append(records, rec)
		return nil
	}))
	return records
}

// from gives records one by one.
func from(records []hook.Record) func() (hook.Record, error) {
	return func() (hook.Record, error) {
		if len(records) == 0 {
			return nil, io.EOF
		}
		rec := records[0]
		records = records[1:]
		return rec, nil
	}
}

func TestADumpIsConsistentWhileNodesWrite(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.fill(0, 3000, 0)
	other := open(t, a.url)
	var nodes sync.WaitGroup
	var writing atomic.Bool
	writing.Store(true)
	for i, s := range []*postgres.Store{a.store, other} {
		nodes.Go(func() {
			for n := 0; writing.Load(); n++ {
				at := archiveStart.Add(time.Duration(n%48)*time.Hour + time.Duration(i)*time.Minute)
				a.sendAndSettle(s, at)
				if n%10 == 0 {
					_, _ = s.RollUp(t.Context(), 1000)
				}
			}
		})
	}
	var before written
	for range 8 {
		records := recordsOf(t, a.store)
		now := sumUp(records)
		testx.Equal(t, now, written{now.messages, now.messages, now.attempts, now.attempts, now.attempts, now.attempts},
			"messages and deliveries, and what became of them")
		testx.True(t, now.messages >= before.messages, "later dumps have more")
		before = now
		target := "sqlite:" + filepath.Join(t.TempDir(), "target.db")
		testx.NoError(t, store.Build(t.Context(), target, store.Options{}, func(m store.Mover) error { return m.Load(t.Context(), from(records)) }))
	}
	writing.Store(false)
	nodes.Wait()
	testx.True(t, before.messages > 3000, fmt.Sprintf("nodes have written meanwhile: %d", before.messages))
}

func TestRetentionTakesNothingAwayFromADump(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.fill(0, big, 0)
	a.fill(1, 20, 0)
	source, err := store.OpenSource(t.Context(), a.url, false)
	testx.NoError(t, err)
	keep := hook.Retention{Messages: time.Hour, Attempts: time.Hour}
	began := time.Now()
	_, got := a.expire(keep, nextDay.Add(time.Hour))
	testx.Equal(t, got.Messages, 0, "messages removed while all is read")
	testx.Equal(t, a.tables("messages"), 3, "partitions")
	a.send(nextDay) // nobody has to wait
	testx.True(t, time.Since(began) < 30*time.Second, "nobody waits for the reader")
	testx.Equal(t, sumUp(recordsOf(t, source)), written{big + 20, big + 20, big + 20, big + 20, big + 20, big + 20})
	testx.NoError(t, source.Close())
	_, got = a.expire(keep, nextDay.Add(time.Hour))
	testx.Equal(t, got.Messages, big, "messages removed afterwards")
}

func TestAttemptsThatOutliveTheirMessageAreInNoDump(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.fill(0, big, 0)
	sent := a.send(archiveStart.Add(21 * time.Hour))
	a.fill(1, 20, 0)
	a.settle(sent.Leased[0], nextDay) // its attempt is in the partition of the next day
	a.expire(hook.Retention{Messages: time.Hour}, nextDay.Add(time.Hour))
	testx.Equal(t, a.number(`SELECT count(*) FROM attempts`), 21, "attempts there are")
	got := sumUp(recordsOf(t, a.store))
	testx.Equal(t, [3]int64{got.messages, got.deliveries, got.attempts}, [3]int64{20, 20, 20})
	target := "sqlite:" + filepath.Join(t.TempDir(), "target.db")
	testx.NoError(t, store.Build(t.Context(), target, store.Options{}, func(m store.Mover) error {
		return m.Load(t.Context(), from(recordsOf(t, a.store)))
	}))
}

func TestNobodyUsesWhatIsCopied(t *testing.T) {
	t.Parallel()
	url := newDatabase(t, false)
	s := open(t, url)
	n := testx.Must(s.RegisterNode(t.Context(), "node", time.Hour, archiveStart))(t)
	_, err := store.OpenSource(t.Context(), url, true)
	testx.True(t, errors.Is(err, store.ErrInUse), fmt.Sprintf("a node is there: %v", err))
	err = store.Build(t.Context(), url, store.Options{}, func(store.Mover) error { return nil })
	testx.True(t, errors.Is(err, store.ErrInUse), fmt.Sprintf("a node is there: %v", err))
	both, err := store.OpenSource(t.Context(), url, false)
	testx.NoError(t, err)
	testx.NoError(t, both.Close())

	testx.NoError(t, s.LeaveNode(t.Context(), n, archiveStart))
	alone, err := store.OpenSource(t.Context(), url, true)
	testx.NoError(t, err)
	impatient, err := postgres.Open(t.Context(), url, postgres.Options{MaxWait: 200 * time.Millisecond})
	testx.NoError(t, err)
	t.Cleanup(func() { impatient.Close() })
	_, err = impatient.RegisterNode(t.Context(), "late", time.Hour, archiveStart)
	var refused *hook.Error
	testx.True(t, errors.As(err, &refused) && refused.Code == hook.CodeUnavailable, fmt.Sprintf("no node registers meanwhile: %v", err))
	testx.NoError(t, alone.Close())
	testx.Must(impatient.RegisterNode(t.Context(), "late", time.Hour, archiveStart))(t)
}

func TestABuildThatIsBrokenOffLeavesNothing(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.fill(0, 5000, 100)
	a.fill(1, 500, 0)
	records := recordsOf(t, a.store)
	broken := errors.New("broken off")
	var database string
	for name, fill := range map[string]func(context.Context, context.CancelFunc, store.Mover) error{
		"by what fills it, when all is in": func(ctx context.Context, _ context.CancelFunc, m store.Mover) error {
			if err := m.Load(ctx, from(records)); err != nil {
				return err
			}
			testx.Equal(t, sumUp(recordsOf(t, unclosed{m})), sumUp(records), "it can be read before it is there")
			return broken
		},
		"by the end of its context": func(ctx context.Context, stop context.CancelFunc, m store.Mover) error {
			next, n := from(records), 0
			return m.Load(ctx, func() (hook.Record, error) {
				if n++; n == len(records)/2 {
					stop()
				}
				return next()
			})
		},
		"by the end of its connection": func(ctx context.Context, _ context.CancelFunc, m store.Mover) error {
			next, n := from(records), 0
			return m.Load(ctx, func() (hook.Record, error) {
				if n++; n == len(records)/2 {
					testx.Equal(a, a.number(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
					  WHERE datname = $1 AND application_name = 'grapnel admin'`, database), 1, "connections ended")
				}
				return next()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := newDatabase(t, false)
			database = path.Base(strings.Split(url, "?")[0])
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			err := store.Build(ctx, url, store.Options{}, func(m store.Mover) error { return fill(ctx, stop, m) })
			testx.True(t, err != nil, "it fails")
			c, err := pgx.Connect(t.Context(), url)
			testx.NoError(t, err)
			defer c.Close(context.WithoutCancel(t.Context()))
			tables := 0
			testx.NoError(t, c.QueryRow(t.Context(), `SELECT count(*) FROM pg_inherits`).Scan(&tables))
			testx.Equal(t, tables, 0, "partitions")
			testx.Equal(t, len(recordsOf(t, open(t, url))), 0, "records")
			testx.NoError(t, store.Build(t.Context(), url, store.Options{}, func(m store.Mover) error { return m.Load(t.Context(), from(records)) }))
			testx.Equal(t, sumUp(recordsOf(t, open(t, url))), sumUp(records), "and it can be filled after all")
		})
	}
}

// unclosed is a mover as a source that is never closed.
type unclosed struct{ store.Mover }

func (unclosed) Close() error { return nil }

func TestALoadComparesRowsByHashesAlone(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.fill(0, 20_000, 0)
	a.exec(`BEGIN`)
	for _, setting := range postgres.LoadPlanning {
		a.exec(`SET LOCAL ` + setting)
	}
	for _, query := range postgres.LoadChecks {
		plan := strings.Join(testx.Must(pgx.CollectRows(testx.Must(a.db.Query(t.Context(), `EXPLAIN `+query))(t), pgx.RowTo[string]))(t), "\n")
		testx.True(t, strings.Contains(plan, "Hash Anti Join") && !strings.Contains(plan, "Merge") && !strings.Contains(plan, "Nested"), plan)
	}
}

func TestALoadOverMorePartitionsThanThereAreLocksSaysWhatToDo(t *testing.T) {
	t.Parallel()
	small, err := testx.StartPostgreSQL("max_connections=20", "max_locks_per_transaction=10")
	testx.NoError(t, err)
	t.Cleanup(small.Stop)
	a := newArchive(t)
	for day := range 60 {
		a.fill(day, 1, 0)
	}
	records := recordsOf(t, a.store)
	err = store.Build(t.Context(), small.URL("postgres"), store.Options{}, func(m store.Mover) error { return m.Load(t.Context(), from(records)) })
	var locks *postgres.LocksError
	testx.True(t, errors.As(err, &locks) && strings.Contains(locks.Hint(), "max_locks_per_transaction"), fmt.Sprint(err))
}
