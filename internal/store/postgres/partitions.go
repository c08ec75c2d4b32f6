package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// partitioned are the tables that come in partitions, and the id by which.
var partitioned = []struct{ table, key string }{
	{"messages", "id"}, {"deliveries", "message"}, {"attempts", "id"}, {"requests", "id"},
}

// span is the time of one partition: its ids are those made from From to To,
// exclusive.
type span struct{ From, To time.Time }

// partitions knows which partitions exist. All tables have the same ones, so one
// transaction makes them. The name of a partition tells its time. Only requests may
// lack some, for a node of the version before knows nothing of them, or have older
// ones, if they are kept for longer than messages. What is not in all tables counts as
// missing here, until make has completed it.
type partitions struct {
	store *Store
	mu    sync.Mutex // guards spans
	spans []span     // in the order of time
}

func newPartitions(s *Store) *partitions { return &partitions{store: s} }

// load reads which partitions exist.
func (p *partitions) load(ctx context.Context) error {
	return p.store.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := findPartitions(ctx, c)
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.spans = found.complete()
		return nil
	})
}

// foundPartitions says which tables have a partition of which time.
type foundPartitions map[span]map[string]bool

// findPartitions looks at messages and requests: the others have those of messages.
func findPartitions(ctx context.Context, c *conn) (foundPartitions, error) {
	found := foundPartitions{}
	err := c.query(ctx, `SELECT p.relname::text, k.relname::text FROM pg_inherits i
	    JOIN pg_class p ON p.oid = i.inhparent JOIN pg_class k ON k.oid = i.inhrelid
	  WHERE i.inhparent IN ('messages'::regclass, 'requests'::regclass)`, nil, func(r *row) error {
		s, err := spanOf(strings.TrimPrefix(r.text(1), r.text(0)+"_"))
		if found[s] == nil {
			found[s] = map[string]bool{}
		}
		found[s][r.text(0)] = true
		return err
	})
	return found, err
}

// has reports whether a table has a partition of that time.
func (f foundPartitions) has(s span, table string) bool {
	if table != "requests" {
		table = "messages"
	}
	return f[s][table]
}

// of gives the partitions of a table, in the order of time.
func (f foundPartitions) of(table string) (spans []span) {
	for s := range f {
		if f.has(s, table) {
			spans = append(spans, s)
		}
	}
	sortSpans(spans)
	return spans
}

// all gives the partitions that any table has, in the order of time.
func (f foundPartitions) all() []span {
	spans := slices.Collect(maps.Keys(f))
	sortSpans(spans)
	return spans
}

// complete gives the partitions that all tables have, in the order of time.
func (f foundPartitions) complete() []span {
	return slices.DeleteFunc(f.of("messages"), func(s span) bool { return !f.has(s, "requests") })
}

// existing gives the partitions of messages, in the order of time.
func existing(ctx context.Context, c *conn) ([]span, error) {
	found, err := findPartitions(ctx, c)
	return found.of("messages"), err
}

// name is the part of a partition's name that tells its time: Unix seconds.
func (s span) name() string { return fmt.Sprintf("%d_%d", s.From.Unix(), s.To.Unix()) }

func spanOf(name string) (span, error) {
	var from, to int64
	if _, err := fmt.Sscanf(name, "%d_%d", &from, &to); err != nil {
		return span{}, fmt.Errorf("a partition has a name that is not ours: %q", name)
	}
	return span{time.Unix(from, 0).UTC(), time.Unix(to, 0).UTC()}, nil
}

func (s span) holds(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// covered reports whether one of the spans, in the order of time, holds t.
func covered(spans []span, t time.Time) bool {
	i, found := slices.BinarySearchFunc(spans, t, func(s span, t time.Time) int { return s.From.Compare(t) })
	return found || i > 0 && spans[i-1].holds(t)
}

func sortSpans(spans []span) {
	slices.SortFunc(spans, func(a, b span) int { return a.From.Compare(b.From) })
}

// missing reports whether no known partition holds t.
func (p *partitions) missing(t time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !covered(p.spans, t)
}

// ensure makes the partitions that hold the ids of these times, where there are
// none yet.
func (p *partitions) ensure(ctx context.Context, times ...time.Time) error {
	for _, t := range times {
		if !p.missing(t) {
			continue
		}
		if err := p.make(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// partitionLock is the advisory lock of whoever makes or drops partitions.
const partitionLock = migrationLock + 1

func (p *partitions) make(ctx context.Context, t time.Time) error {
	var spans []span
	err := p.store.write(ctx, func(ctx context.Context, c *conn) error {
		if _, err := c.exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(partitionLock)); err != nil {
			return err
		}
		found, err := findPartitions(ctx, c)
		if err != nil {
			return err
		}
		want, _ := place(found.all(), t, p.store.opts.PartitionWidth)
		spans = found.of("messages")
		if !slices.Contains(spans, want) { // no other node was first
			spans = append(spans, want)
		}
		for _, s := range spans {
			if err := makePartition(ctx, c, s, found); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	sortSpans(spans)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spans = spans
	return nil
}

// place gives the span of the partition to make for t: a whole width of the
// calendar, cut where others of another width are beside it.
func place(spans []span, t time.Time, width time.Duration) (s span, needed bool) {
	s.From = t.UTC().Truncate(width)
	s.To = s.From.Add(width)
	for _, other := range spans {
		switch {
		case other.holds(t):
			return other, false
		case other.To.After(s.From) && !other.To.After(t):
			s.From = other.To
		case other.From.Before(s.To) && other.From.After(t):
			s.To = other.From
		}
	}
	return s, true
}

// makePartition makes a partition for those tables that were found to have none. It
// attaches tables made apart, because that takes a weaker lock than making them in
// place: accepts and settlements go on.
func makePartition(ctx context.Context, c *conn, s span, found foundPartitions) error {
	for _, t := range partitioned {
		if found.has(s, t.table) {
			continue
		}
		name := t.table + "_" + s.name()
		more := ""
		if t.table == "deliveries" { // room for updates in place, and cleaned often
			more = ` WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0)`
		}
		for _, q := range []string{
			fmt.Sprintf(`CREATE TABLE %s (LIKE %s INCLUDING ALL)%s`, name, t.table, more),
			fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)`, t.table, name, idLiteral(s.From), idLiteral(s.To)),
		} {
			if _, err := c.exec(ctx, q); err != nil {
				return fmt.Errorf("make partition %s: %w", name, err)
			}
		}
	}
	return nil
}

func idLiteral(t time.Time) string {
	id := hook.IDAt(t)
	return `'\x` + hex.EncodeToString(id[:]) + `'`
}

// whereThereAreTables runs fn, and learns which partitions there are if one that fn
// needed is gone.
func (s *Store) whereThereAreTables(ctx context.Context, fn func() error) error {
	err := fn()
	if pgCode(err) != codeNoPartition {
		return err
	}
	if err := s.partitions.load(ctx); err != nil {
		return err
	}
	return err
}
