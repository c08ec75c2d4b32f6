package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

// Load implements store.Mover. All of it is one transaction.
func (s *Store) Load(ctx context.Context, next func() (hook.Record, error)) error {
	pg, err := session(ctx, s.direct)
	if err != nil {
		return s.explain(err)
	}
	defer pg.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is not needed any more
	if err := pgx.BeginFunc(ctx, pg, func(tx pgx.Tx) error {
		return load(ctx, &conn{tx.Conn()}, s.opts.PartitionWidth, next)
	}); err != nil {
		return err
	}
	return s.partitions.load(ctx)
}

// filled are the tables that records are in.
var filled = []string{
	"environments", "api_keys", "applications", "event_types", "endpoints", "endpoint_revisions", "messages", "message_keys",
	"deliveries", "attempts", "once", "tasks", "rollups", "queue", "failing", "traffic", "issues", "sources", "source_tokens", "requests",
	"members", "passkeys", "audits",
}

// lockEmpty sees to it that there is nothing, and that nobody else brings anything
// before the transaction ends. The error is hook.ErrNotEmpty.
func lockEmpty(ctx context.Context, c *conn) error {
	// Whoever makes partitions takes the lock for that before those of the tables.
	if _, err := c.exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(partitionLock)); err != nil {
		return err
	}
	for _, table := range filled {
		if _, err := c.exec(ctx, `LOCK TABLE `+table+` IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
	}
	for _, table := range filled {
		found, err := exists(ctx, c, `SELECT 1 FROM `+table+` LIMIT 1`)
		if err != nil {
			return err
		}
		if found {
			return hook.ErrNotEmpty
		}
	}
	return nil
}

// loader puts the records of a stream in. Each kind goes in as one COPY, which ends
// where a partition is missing and goes on when that is made.
type loader struct {
	c     *conn
	width time.Duration // of partitions
	spans []span
	txid  int64 // of this transaction

	next func() (hook.Record, error)
	rec  hook.Record // the one at hand; nil: the stream has ended
	err  error       // of the stream, or of a record

	apps, ends, tasks int64 // row keys given last
	appSeqs           map[hook.ID]int64
	endSeqs           map[hook.ID]loadedEndpoint
	members           map[hook.ID]bool
	owners            map[hook.ID]int64 // those of appSeqs that own what a source has
	tokens            tokenRows
}

type loadedEndpoint struct{ seq, app int64 }

// byTable is how the statements of a load are planned, which read whole tables of
// which nothing is known yet: a join must not go by anything but hashes, or it may
// compare each row of an application with each other one.
var byTable = []string{
	"enable_seqscan = on", "enable_bitmapscan = on", "enable_sort = on", "enable_mergejoin = off", "enable_nestloop = off",
	"enable_partitionwise_join = on", "work_mem = '64MB'",
}

func load(ctx context.Context, c *conn, width time.Duration, next func() (hook.Record, error)) error {
	if err := unhurried(ctx, c, byTable...); err != nil {
		return err
	}
	if err := lockEmpty(ctx, c); err != nil {
		return err
	}
	l := &loader{c: c, width: width, next: next, appSeqs: map[hook.ID]int64{}, endSeqs: map[hook.ID]loadedEndpoint{},
		owners: map[hook.ID]int64{}, members: map[hook.ID]bool{}}
	found, err := findPartitions(ctx, c)
	if err != nil {
		return err
	}
	l.spans = found.all()
	for _, s := range l.spans {
		if err := makePartition(ctx, c, s, found); err != nil {
			return locksOf(err)
		}
	}
	// Row keys that were given before are not given again, even if nothing has them.
	if _, err := c.one(ctx, `SELECT pg_current_xact_id()::text::bigint, nextval('applications_seq_seq'), nextval('endpoints_seq_seq'), nextval('tasks_seq_seq')`,
		nil, func(r *row) error {
			l.txid, l.apps, l.ends, l.tasks = r.int(0), r.int(1), r.int(2), r.int(3)
			return nil
		}); err != nil {
		return err
	}
	for l.advance(); l.rec != nil && l.err == nil; {
		if err := l.some(ctx); err != nil {
			return err
		}
	}
	if l.err != nil {
		return l.err
	}
	return l.finish(ctx)
}

// advance takes the next record in hand.
func (l *loader) advance() {
	l.rec, l.err = l.next()
	if errors.Is(l.err, io.EOF) {
		l.rec, l.err = nil, nil
	} else if l.err != nil {
		l.rec = nil
	}
}

// some puts in the record at hand and those like it that come behind.
func (l *loader) some(ctx context.Context) error {
	kind := l.rec.RecordKind()
	if kind == hook.RecordRollup {
		return l.rollups(ctx)
	}
	if at, parted := partOf(l.rec); parted && l.lacks(at) {
		if err := l.makePartition(ctx, at); err != nil {
			return err
		}
	}
	into, known := loadedTables[kind]
	if !known {
		return fmt.Errorf("a record of kind %s: it is of an unknown kind", kind)
	}
	src := &copied{loader: l, kind: kind}
	_, err := l.c.pg.CopyFrom(ctx, pgx.Identifier{into.table}, into.columns, src)
	if l.err != nil {
		return l.err // what the driver says is only that we broke off
	}
	if err != nil {
		return fmt.Errorf("records of kind %s: %w", kind, err)
	}
	return nil
}

// partOf gives the time by which a record of a partitioned table has its place.
func partOf(rec hook.Record) (at time.Time, parted bool) {
	switch r := rec.(type) {
	case *hook.MessageRecord:
		return r.ID.Time(), true
	case *hook.DeliveryRecord:
		return r.Message.Time(), true
	case *hook.AttemptRecord:
		return r.ID.Time(), true
	case *hook.RequestRecord:
		return r.ID.Time(), true
	}
	return time.Time{}, false
}

func (l *loader) lacks(at time.Time) bool { return !covered(l.spans, at) }

func (l *loader) makePartition(ctx context.Context, at time.Time) error {
	s, needed := place(l.spans, at, l.width)
	if !needed {
		return nil
	}
	l.spans = append(l.spans, s)
	sortSpans(l.spans)
	return locksOf(makePartition(ctx, l.c, s, nil))
}

// copied are the records that one COPY takes: those of one kind that come one after
// the other, up to one that has no partition yet.
type copied struct {
	*loader
	kind   hook.RecordKind
	values []any
	begun  bool
}

// Next implements pgx.CopyFromSource.
func (s *copied) Next() bool {
	if s.begun {
		s.advance()
	}
	s.begun = true
	if s.err != nil || s.rec == nil || s.rec.RecordKind() != s.kind {
		return false
	}
	if at, parted := partOf(s.rec); parted && s.lacks(at) {
		return false
	}
	var err error
	if s.values, err = s.row(s.rec); err != nil {
		s.err = fmt.Errorf("a record of kind %s: %w", s.kind, err)
	}
	return err == nil
}

// Values implements pgx.CopyFromSource.
func (s *copied) Values() ([]any, error) { return s.values, nil }

// Err implements pgx.CopyFromSource.
func (s *copied) Err() error { return s.err }

// loadedRollups is how many rollups are added up at a time.
const loadedRollups = 1000

// rollups adds rollups up, those of applications too.
func (l *loader) rollups(ctx context.Context) error {
	sums := tallies{}
	for n := 0; n < loadedRollups && l.err == nil; n++ {
		r, ok := l.rec.(*hook.RollupRecord)
		if !ok {
			break
		}
		e, known := l.endSeqs[r.Endpoint]
		if !known {
			return fmt.Errorf("a record of kind %s: %w", r.RecordKind(), errDangling)
		}
		for _, of := range []int64{e.seq, wholeApp} {
			sums.of(rollupKey{e.app, of, hourOf(r.Hour)}).Merge(hook.Tally{ByClass: r.ByClass, Took: r.Took})
		}
		l.advance()
	}
	return addToRollups(ctx, l.c, sums)
}
