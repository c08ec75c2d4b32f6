package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// countBatch is how many messages are counted in one operation of the writer.
const countBatch = 2000

// periodOf is the number of the period that t is in.
func periodOf(t time.Time) int64 {
	return t.Truncate(hook.TrafficPeriod).Unix() / int64(hook.TrafficPeriod/time.Second)
}

// periodTime is when a period begins.
func periodTime(n int64) time.Time {
	return time.Unix(n*int64(hook.TrafficPeriod/time.Second), 0).UTC()
}

// trafficKey is the key of one row.
type trafficKey struct {
	env    hook.ID
	period int64
}

// traffics are sums that are not stored yet.
type traffics map[trafficKey]*hook.Traffic

func (t traffics) of(env hook.ID, at time.Time) *hook.Traffic {
	k := trafficKey{env, periodOf(at)}
	sum := t[k]
	if sum == nil {
		sum = &hook.Traffic{}
		t[k] = sum
	}
	return sum
}

// store adds the sums to what is stored.
func (t traffics) store(c *conn) error {
	keys := slices.SortedFunc(maps.Keys(t), func(a, b trafficKey) int {
		return cmp.Or(compareIDs(a.env, b.env), cmp.Compare(a.period, b.period))
	})
	for _, k := range keys {
		sum := t[k]
		if _, err := c.one(context.Background(), `SELECT sum FROM traffic WHERE env = ? AND period = ?`, []any{k.env, k.period},
			func(r *row) error { return mergeTraffic(sum, r, 0) }); err != nil {
			return err
		}
		if _, err := c.exec(`INSERT INTO traffic (env, period, sum) VALUES (?,?,?)
		  ON CONFLICT (env, period) DO UPDATE SET sum = excluded.sum`, k.env, k.period, sum.Append(nil)); err != nil {
			return err
		}
	}
	return nil
}

func mergeTraffic(into *hook.Traffic, r *row, i int) error {
	t, err := hook.ParseTraffic(r.bytes(i))
	if err != nil {
		return fmt.Errorf("read traffic: %w", err)
	}
	into.Merge(&t)
	return nil
}

// countMessages counts at most limit further messages and reports whether there
// are more.
func (w *writer) countMessages(limit int) (more bool, err error) {
	sums, n, last := traffics{}, 0, int64(0)
	err = w.conn.query(context.Background(), `SELECT m.seq, m.created, a.env FROM messages m
	    LEFT JOIN applications a ON a.seq = m.app
	  WHERE m.seq > (SELECT value FROM meta WHERE name = 'counted') ORDER BY m.seq LIMIT ?`, []any{limit}, func(r *row) error {
		n++
		last = r.int(0)
		if !r.null(2) {
			sums.of(r.id(2), r.time(1)).Accepted++
		}
		return nil
	})
	if err != nil || n == 0 {
		return false, err
	}
	if err := sums.store(w.conn); err != nil {
		return false, err
	}
	_, err = w.conn.exec(`UPDATE meta SET value = ? WHERE name = 'counted'`, last)
	return n == limit, err
}

const (
	listTraffic = `SELECT period, sum FROM traffic WHERE env = ? AND period >= ? AND period < ? ORDER BY period`
	// What no row counts yet.
	messageTail = `SELECT m.created FROM messages m CROSS JOIN applications a ON a.seq = m.app
  WHERE m.seq > (SELECT value FROM meta WHERE name = 'counted') AND a.env = ?1 AND m.created >= ?2 AND m.created < ?3 LIMIT ?4`
	attemptTail = `SELECT a.class, a.started, a.timings, ` + firstDue + ` FROM attempts a CROSS JOIN endpoints e ON e.seq = a.endpoint
    CROSS JOIN applications p ON p.seq = e.app
  WHERE a.seq > (SELECT value FROM meta WHERE name = 'rolled_up') AND p.env = ?1 AND a.started >= ?2 AND a.started < ?3 LIMIT ?4`
	// firstDue is when the message of a later automatic attempt that succeeded was
	// due at first. That of a first one follows from its timings.
	firstDue = `CASE WHEN a.class = 0 AND a.manual = 0 THEN
      CASE WHEN a.number > 1 THEN (SELECT coalesce(m.deliver_at, m.created) FROM messages m WHERE m.seq = a.message) ELSE 0 END END`
	// tailBound is how much of what is not summed up yet is read.
	tailBound = 20_000
)

// dueFrom reads what firstDue gives.
func dueFrom(r *row, i int, began time.Time, t hook.Timings) time.Time {
	switch {
	case r.null(i):
		return time.Time{}
	case r.int(i) == 0:
		return began.Add(-t.Queue)
	}
	return r.time(i)
}

// ListTraffic implements store.Rollups.
func (s *Store) ListTraffic(ctx context.Context, f hook.TrafficFilter) (out []hook.Traffic, err error) {
	step := max(f.Step.Truncate(hook.TrafficPeriod), hook.TrafficPeriod)
	from, to := f.Since.Truncate(step), f.Until.Truncate(step)
	if to.Before(f.Until) {
		to = to.Add(step)
	}
	sums := map[int64]*hook.Traffic{}
	of := func(at time.Time) *hook.Traffic {
		start := at.Truncate(step).UTC()
		if sums[start.Unix()] == nil {
			sums[start.Unix()] = &hook.Traffic{Start: start}
		}
		return sums[start.Unix()]
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		if err := c.query(ctx, listTraffic, []any{f.Env, periodOf(from), periodOf(to)}, func(r *row) error {
			return mergeTraffic(of(periodTime(r.int(0))), r, 1)
		}); err != nil {
			return err
		}
		if err := c.query(ctx, messageTail, []any{f.Env, from, to, tailBound}, func(r *row) error {
			of(r.time(0)).Accepted++
			return nil
		}); err != nil {
			return err
		}
		return c.query(ctx, attemptTail, []any{f.Env, from, to, tailBound}, func(r *row) error {
			t, began := timingsFrom(r.bytes(2)), r.time(1)
			of(began).Count(hook.Class(r.int(0)), began, t.Total, dueFrom(r, 3, began, t))
			return nil
		})
	})
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, *sums[k])
	}
	return out, err
}

// oldTraffic removes what ended before retention keeps messages.
func (s *slice) oldTraffic() (bool, error) {
	if s.keep.Messages <= 0 {
		return false, nil
	}
	n, err := s.exec(`DELETE FROM traffic WHERE (env, period) IN (
	  SELECT env, period FROM traffic INDEXED BY traffic_period WHERE period < ? ORDER BY period LIMIT ?)`,
		periodOf(s.now.Add(-s.keep.Messages)), lookRows)
	return n == lookRows, err
}
