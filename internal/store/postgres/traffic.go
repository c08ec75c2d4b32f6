package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// trafficSlice is how many messages one transaction counts, and countPer how many
	// RollUp counts for each attempt that it may sum up: they are much less work.
	trafficSlice = 5000
	countPer     = 20
	// tailBound is how much of what is not summed up yet is read.
	tailBound = 20_000
)

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

// store adds the sums to what is stored. Attempts and messages are summed up by
// transactions of their own, so the rows are made and locked first, in one order.
func (t traffics) store(ctx context.Context, c *conn) error {
	if len(t) == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(t), func(a, b trafficKey) int {
		return cmp.Or(compareIDs(a.env, b.env), cmp.Compare(a.period, b.period))
	})
	envs, periods := make([][]byte, len(keys)), make([]int64, len(keys))
	for i, k := range keys {
		envs[i], periods[i] = append([]byte(nil), k.env[:]...), k.period
	}
	if err := c.query(ctx, `INSERT INTO traffic AS t (env, period, sum)
	  SELECT env, period, '' FROM unnest($1::bytea[], $2::bigint[]) AS g(env, period)
	  ON CONFLICT (env, period) DO UPDATE SET sum = t.sum RETURNING env, period, sum`, []any{envs, periods}, func(r *row) error {
		if len(r.values[2]) == 0 {
			return nil
		}
		return mergeTraffic(t[trafficKey{r.id(0), r.int(1)}], r, 2)
	}); err != nil {
		return err
	}
	sums := make([][]byte, len(keys))
	for i, k := range keys {
		sums[i] = t[k].Append(nil)
	}
	_, err := c.exec(ctx, `UPDATE traffic t SET sum = g.sum FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) AS g(env, period, sum)
	  WHERE t.env = g.env AND t.period = g.period`, envs, periods, sums)
	return err
}

func mergeTraffic(into *hook.Traffic, r *row, i int) error {
	t, err := hook.ParseTraffic(r.values[i])
	if err != nil {
		return fmt.Errorf("read traffic: %w", err)
	}
	into.Merge(&t)
	return nil
}

// countMessages counts about limit further messages and reports whether there are more.
func (s *Store) countMessages(ctx context.Context, limit int) (more bool, err error) {
	for more = true; more && limit > 0; limit -= trafficSlice {
		if err := s.write(ctx, func(ctx context.Context, c *conn) (err error) {
			more, err = countMessages(ctx, c)
			return err
		}); err != nil {
			return false, err
		}
	}
	return more, nil
}

// messagesToCount are those after the cursor, as the feed gives them.
const messagesToCount = `SELECT m.txid, m.id, m.created, a.env FROM (
    SELECT txid, id, created, app FROM messages
    WHERE txid >= $1 AND (txid, id) > ($1, $2) AND txid < ` + feedEnd + ` ORDER BY txid, id LIMIT $3) m
  LEFT JOIN applications a ON a.seq = m.app ORDER BY m.txid, m.id`

func countMessages(ctx context.Context, c *conn) (more bool, err error) {
	at, err := placeIn(ctx, c, "traffic")
	if err != nil {
		return false, err
	}
	sums, n := traffics{}, 0
	if err := c.query(ctx, messagesToCount, []any{at.Commit, within(at), trafficSlice}, func(r *row) error {
		n++
		at = hook.Cursor{Commit: r.int(0), Within: r.id(1)}
		if !r.null(3) {
			sums.of(r.id(3), r.time(2)).Accepted++
		}
		return nil
	}); err != nil || n == 0 {
		return false, err
	}
	if err := sums.store(ctx, c); err != nil {
		return false, err
	}
	_, err = c.exec(ctx, `UPDATE cursors SET commit = $1, within = $2 WHERE name = 'traffic'`, at.Commit, at.Within)
	return n == trafficSlice, err
}

// placeIn locks a cursor of the store's own.
func placeIn(ctx context.Context, c *conn, name string) (at hook.Cursor, err error) {
	_, err = c.one(ctx, `SELECT commit, within FROM cursors WHERE name = $1 FOR UPDATE`, []any{name}, func(r *row) error {
		at = hook.Cursor{Commit: r.int(0), Within: r.id(1)}
		return nil
	})
	return at, err
}

const (
	listTraffic = `SELECT period, sum FROM traffic WHERE env = $1 AND period >= $2 AND period < $3 ORDER BY period`
	// What no row counts yet.
	messageTail = `SELECT m.created FROM cursors c JOIN messages m
    ON m.txid >= c.commit AND (m.txid, m.id) > (c.commit, CASE length(c.within) WHEN 0 THEN $4 ELSE c.within END)
    JOIN applications a ON a.seq = m.app
  WHERE c.name = 'traffic' AND a.env = $1 AND m.created >= $2 AND m.created < $3 LIMIT $5`
	attemptTail = `SELECT a.class, a.started, a.timings, a.manual, a.number, a.message, e.app FROM cursors c JOIN attempts a
    ON a.txid >= c.commit AND (a.txid, a.id) > (c.commit, CASE length(c.within) WHEN 0 THEN $4 ELSE c.within END)
    JOIN endpoints e ON e.seq = a.endpoint JOIN applications p ON p.seq = e.app
  WHERE c.name = 'rollups' AND p.env = $1 AND a.started >= $2 AND a.started < $3 LIMIT $5`
)

// laterSuccess is a success of a later automatic attempt: its message says since when.
type laterSuccess struct {
	app     int64
	message hook.ID
	ended   time.Time
	into    *hook.Traffic
}

// countAttempt counts an attempt. If only its message says since when it was due, it
// is added to later.
func countAttempt(into *hook.Traffic, later []laterSuccess, class hook.Class, began time.Time, t hook.Timings, manual bool, number int64,
	app int64, message hook.ID) []laterSuccess {
	var due time.Time
	if class == hook.Success && !manual {
		if number == 1 {
			due = began.Add(-t.Queue)
		} else {
			later = append(later, laterSuccess{app, message, began.Add(t.Total), into})
		}
	}
	into.Count(class, began, t.Total, due)
	return later
}

const firstDue = `SELECT g.n, m.due FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS g(app, id, n)
  CROSS JOIN LATERAL (SELECT coalesce(deliver_at, created) AS due FROM messages
    WHERE app = g.app AND id = g.id AND id >= $3 AND id <= $4 LIMIT 1) m`

// addLater adds the delays of later attempts.
func addLater(ctx context.Context, c *conn, later []laterSuccess) error {
	if len(later) == 0 {
		return nil
	}
	apps, ids := make([]int64, len(later)), make([][]byte, len(later))
	var within idRange
	for i := range later {
		apps[i], ids[i] = later[i].app, later[i].message[:]
		within.add(later[i].message)
	}
	return c.query(ctx, firstDue, []any{apps, ids, within.low, within.high}, func(r *row) error {
		l := &later[r.int(0)-1]
		l.into.Delay.Add(l.ended.Sub(r.time(1)))
		return nil
	})
}

// ListTraffic implements store.Traffic.
func (s *Store) ListTraffic(ctx context.Context, f hook.TrafficFilter) (out []hook.Traffic, err error) {
	step := max(f.Step.Truncate(hook.TrafficPeriod), hook.TrafficPeriod)
	from, to := f.Since.Truncate(step), f.Until.Truncate(step)
	if to.Before(f.Until) {
		to = to.Add(step)
	}
	err = s.snapshot(ctx, func(ctx context.Context, c *conn) error {
		sums := map[int64]*hook.Traffic{}
		of := func(at time.Time) *hook.Traffic {
			start := at.Truncate(step).UTC()
			if sums[start.Unix()] == nil {
				sums[start.Unix()] = &hook.Traffic{Start: start}
			}
			return sums[start.Unix()]
		}
		if err := c.query(ctx, listTraffic, []any{f.Env, periodOf(from), periodOf(to)}, func(r *row) error {
			return mergeTraffic(of(periodTime(r.int(0))), r, 1)
		}); err != nil {
			return err
		}
		if err := c.query(ctx, messageTail, []any{f.Env, from, to, lastID, tailBound}, func(r *row) error {
			of(r.time(0)).Accepted++
			return nil
		}); err != nil {
			return err
		}
		var later []laterSuccess
		if err := c.query(ctx, attemptTail, []any{f.Env, from, to, lastID, tailBound}, func(r *row) error {
			began := r.time(1)
			later = countAttempt(of(began), later, hook.Class(r.int(0)), began, timingsFrom(r.values[2]), r.bool(3), r.int(4), r.int(6), r.id(5))
			return nil
		}); err != nil {
			return err
		}
		out = nil
		err := addLater(ctx, c, later)
		for _, k := range slices.Sorted(maps.Keys(sums)) {
			out = append(out, *sums[k])
		}
		return err
	})
	return out, tooLong(err)
}

// oldTraffic removes what ended before retention keeps messages.
func (s *slice) oldTraffic(ctx context.Context) (hook.Expired, error) {
	if s.keep.Messages <= 0 {
		return hook.Expired{}, nil
	}
	return s.write(ctx, func(ctx context.Context, c *conn) (hook.Expired, error) {
		n, err := c.exec(ctx, `DELETE FROM traffic WHERE ctid = ANY (ARRAY(
		  SELECT ctid FROM traffic WHERE period < $1 ORDER BY period LIMIT $2))`, periodOf(s.now.Add(-s.keep.Messages)), sliceRows)
		return hook.Expired{More: n == sliceRows}, err
	})
}
