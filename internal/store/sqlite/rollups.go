package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// rollupKeys is how many rollups one slice may touch.
	rollupKeys = 256
	// rollupLook is how many attempts are read between two looks at the time.
	rollupLook = 64
	// wholeApp stands for the endpoint in the rollups of an application.
	wholeApp = 0
	// Hours, since 1970, beyond all that is stored.
	firstHour, lastHour = -1 << 29, 1 << 29
)

// rollupKey is the key of one row.
type rollupKey struct{ app, endpoint, hour int64 }

func compareKeys(a, b rollupKey) int {
	return cmp.Or(cmp.Compare(a.app, b.app), cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.hour, b.hour))
}

// tallies are sums that are not stored yet.
type tallies map[rollupKey]*hook.Tally

func (t tallies) of(k rollupKey) *hook.Tally {
	sum := t[k]
	if sum == nil {
		sum = &hook.Tally{}
		t[k] = sum
	}
	return sum
}

// hourOf is the number of the hour that t is in.
func hourOf(t time.Time) int64 {
	return t.Truncate(hook.RollupPeriod).Unix() / int64(hook.RollupPeriod/time.Second)
}

// hourFrom is the first hour that begins at t or later.
func hourFrom(t time.Time) int64 {
	h := hourOf(t)
	if hourTime(h).Before(t) {
		h++
	}
	return h
}

// hourTime is when an hour begins.
func hourTime(h int64) time.Time { return time.Unix(h*int64(hook.RollupPeriod/time.Second), 0).UTC() }

// RollUp implements store.Rollups. It goes in operations of the writer of about
// 4 ms each; one that fails leaves what those before it did.
func (s *Store) RollUp(ctx context.Context, limit int) (done int, err error) {
	for more := true; more && done < limit; {
		var n int
		err := s.writeWith(ctx, func(w *writer) (err error) {
			n, more, err = w.rollUp(min(limit-done, sliceRows), startStopwatch())
			return err
		})
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, s.countMessages(ctx, countPer*limit)
}

// countPer is how many messages RollUp counts for each attempt that it may sum up:
// they are much less work.
const countPer = 20

// countMessages counts about limit further messages.
func (s *Store) countMessages(ctx context.Context, limit int) error {
	for more := true; more && limit > 0; limit -= countBatch {
		if err := s.writeWith(ctx, func(w *writer) (err error) {
			more, err = w.countMessages(countBatch)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// rollUp sums up at most limit attempts, or as many as half a slice takes; the
// other half is for writing. It reports whether there are more.
func (w *writer) rollUp(limit int, began stopwatch) (n int, more bool, err error) {
	ctx := context.Background()
	var last int64
	sums, traffic, trouble := tallies{}, traffics{}, newTroubles()
	err = w.conn.query(ctx, `SELECT a.seq, e.app, a.endpoint, a.class, a.started, a.timings, `+firstDue+`, p.env, a.status,
	    e.deleted IS NULL, a.id, CASE WHEN a.class > 0 THEN (SELECT m.id FROM messages m WHERE m.seq = a.message) END
	  FROM attempts a LEFT JOIN endpoints e ON e.seq = a.endpoint LEFT JOIN applications p ON p.seq = e.app
	  WHERE a.seq > (SELECT value FROM meta WHERE name = 'rolled_up') ORDER BY a.seq LIMIT ?`, []any{limit + 1}, func(r *row) error {
		if n == limit || len(sums) >= rollupKeys || n > 0 && n%rollupLook == 0 && began.elapsed() >= sliceTime/2 {
			more = true
			return errFull
		}
		n++
		last = r.int(0)
		if r.null(1) { // nobody can ask for the attempts of an endpoint that is forgotten
			return nil
		}
		class, began, timings := hook.Class(r.int(3)), r.time(4), timingsFrom(r.bytes(5))
		sums.of(rollupKey{r.int(1), r.int(2), hourOf(began)}).Add(class, timings.Total)
		sums.of(rollupKey{r.int(1), wholeApp, hourOf(began)}).Add(class, timings.Total)
		traffic.of(r.id(7), began).Count(class, began, timings.Total, dueFrom(r, 6, began, timings))
		switch {
		case class == hook.Success:
			trouble.success(r.int(2), began)
		case r.bool(9):
			trouble.failure(r.id(7), causeKey{r.int(2), hook.Cause{Class: class, Status: int(r.int(8))}}, r.id(11), r.id(10), began)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFull) || n == 0 {
		return 0, false, err
	}
	for _, k := range slices.SortedFunc(maps.Keys(sums), compareKeys) {
		if err := w.addToRollup(k, sums[k]); err != nil {
			return 0, false, err
		}
	}
	if err := firstError(traffic.store(w.conn), trouble.store(w.conn)); err != nil {
		return 0, false, err
	}
	_, err = w.conn.exec(`UPDATE meta SET value = ? WHERE name = 'rolled_up'`, last)
	return n, more, err
}

// addToRollup adds a sum to what is stored.
func (w *writer) addToRollup(k rollupKey, sum *hook.Tally) error {
	if _, err := w.conn.one(context.Background(), `SELECT tally FROM rollups WHERE app = ? AND endpoint = ? AND hour = ?`,
		[]any{k.app, k.endpoint, k.hour}, func(r *row) error {
			return mergeTally(sum, r, 0)
		}); err != nil {
		return err
	}
	_, err := w.conn.exec(`INSERT INTO rollups (app, endpoint, hour, tally) VALUES (?,?,?,?)
	  ON CONFLICT (app, endpoint, hour) DO UPDATE SET tally = excluded.tally`, k.app, k.endpoint, k.hour, sum.Append(nil))
	return err
}

func mergeTally(into *hook.Tally, r *row, i int) error {
	t, err := hook.ParseTally(r.bytes(i))
	if err != nil {
		return fmt.Errorf("read a rollup: %w", err)
	}
	into.Merge(t)
	return nil
}

// ListRollups implements store.Rollups.
func (s *Store) ListRollups(ctx context.Context, f hook.StatsFilter) (out []hook.Rollup, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		k := rollupKey{endpoint: wholeApp}
		if k.app, err = appSeq(ctx, c, f.Env, f.App); err != nil {
			return err
		}
		if !f.Endpoint.IsZero() {
			e, err := findEndpoint(ctx, c, f.Env, f.App, k.app, hook.Ref{ID: f.Endpoint})
			if err != nil {
				return err
			}
			k.endpoint = e.seq
		}
		from, to := int64(firstHour), int64(lastHour)
		if !f.Since.IsZero() {
			from = hourOf(f.Since)
		}
		if !f.Until.IsZero() {
			to = hourFrom(f.Until)
		}
		sums, err := readRollups(ctx, c, k, from, to)
		for _, hour := range slices.Sorted(maps.Keys(sums)) {
			out = append(out, hook.Rollup{Endpoint: f.Endpoint, Hour: hourTime(hour), Attempts: *sums[hour]})
		}
		return tooLong(err)
	})
	return out, err
}

// ListRollupsOf implements store.Rollups.
func (s *Store) ListRollupsOf(ctx context.Context, f hook.RollupFilter) (out map[hook.ID][]hook.Rollup, err error) {
	out = map[hook.ID][]hook.Rollup{}
	from, to := int64(firstHour), int64(lastHour)
	if !f.Since.IsZero() {
		from = hourOf(f.Since)
	}
	if !f.Until.IsZero() {
		to = hourFrom(f.Until)
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		sums, ids := map[rollupKey]*hook.Tally{}, map[int64]hook.ID{}
		var seqs []int64
		for _, id := range f.Endpoints {
			if _, err := c.one(ctx, `SELECT e.seq, e.app FROM endpoints e CROSS JOIN applications a ON a.seq = e.app
			  WHERE e.id = ? AND a.env = ? AND e.deleted IS NULL`, []any{id, f.Env}, func(r *row) error {
				ids[r.int(0)] = id
				seqs = append(seqs, r.int(0))
				return nil
			}); err != nil {
				return err
			}
		}
		of := func(endpoint, hour int64) *hook.Tally {
			k := rollupKey{0, endpoint, hour}
			if sums[k] == nil {
				sums[k] = &hook.Tally{}
			}
			return sums[k]
		}
		wanted := jsonInts(seqs)
		if err := c.query(ctx, rollupsOfMany, []any{wanted, from, to}, func(r *row) error {
			return mergeTally(of(r.int(0), r.int(1)), r, 2)
		}); err != nil {
			return err
		}
		if err := c.query(ctx, rollupTailOfMany, []any{wanted, hourTime(from), hourTime(to)}, func(r *row) error {
			of(r.int(3), hourOf(r.time(1))).Add(hook.Class(r.int(0)), timingsFrom(r.bytes(2)).Total)
			return nil
		}); err != nil {
			return err
		}
		for _, k := range slices.SortedFunc(maps.Keys(sums), compareKeys) {
			id := ids[k.endpoint]
			out[id] = append(out[id], hook.Rollup{Endpoint: id, Hour: hourTime(k.hour), Attempts: *sums[k]})
		}
		return nil
	})
	return out, tooLong(err)
}

const (
	rollupsOfMany = `SELECT r.endpoint, r.hour, r.tally FROM json_each(?1) AS wanted CROSS JOIN endpoints e ON e.seq = wanted.value
    CROSS JOIN rollups r ON r.app = e.app AND r.endpoint = e.seq WHERE r.hour >= ?2 AND r.hour < ?3`
	// The plus keeps the planner from the index by endpoint, which would read all their history.
	rollupTailOfMany = `SELECT a.class, a.started, a.timings, a.endpoint FROM attempts a
  WHERE a.seq > (SELECT value FROM meta WHERE name = 'rolled_up') AND +a.endpoint IN (SELECT value FROM json_each(?1))
    AND a.started >= ?2 AND a.started < ?3`
	listRollups = `SELECT hour, tally FROM rollups WHERE app = ? AND endpoint = ? AND hour >= ? AND hour < ?`
	// rollupTail are the attempts that no rollup counts yet.
	rollupTail = `SELECT a.class, a.started, a.timings FROM attempts a CROSS JOIN endpoints e ON e.seq = a.endpoint
  WHERE a.seq > (SELECT value FROM meta WHERE name = 'rolled_up') AND (?2 = 0 OR a.endpoint = ?2) AND e.app = ?1
    AND a.started >= ?3 AND a.started < ?4`
)

// readRollups gives the sums of an endpoint or application by hour, from one
// hour up to another, with the attempts that are not rolled up yet.
func readRollups(ctx context.Context, c *conn, k rollupKey, from, to int64) (map[int64]*hook.Tally, error) {
	sums := map[int64]*hook.Tally{}
	of := func(hour int64) *hook.Tally {
		if sums[hour] == nil {
			sums[hour] = &hook.Tally{}
		}
		return sums[hour]
	}
	if from >= to {
		return nil, nil
	}
	if err := c.query(ctx, listRollups, []any{k.app, k.endpoint, from, to}, func(r *row) error {
		return mergeTally(of(r.int(0)), r, 1)
	}); err != nil {
		return nil, err
	}
	err := c.query(ctx, rollupTail, []any{k.app, k.endpoint, hourTime(from), hourTime(to)}, func(r *row) error {
		of(hourOf(r.time(1))).Add(hook.Class(r.int(0)), timingsFrom(r.bytes(2)).Total)
		return nil
	})
	return sums, err
}

// oldRollups removes rollups whose hour ended before retention keeps messages.
func (s *slice) oldRollups() (bool, error) {
	if s.keep.Messages <= 0 {
		return false, nil
	}
	n, err := s.exec(`DELETE FROM rollups WHERE (app, endpoint, hour) IN (
	  SELECT app, endpoint, hour FROM rollups INDEXED BY rollups_hour WHERE hour < ? ORDER BY hour LIMIT ?)`,
		hourOf(s.now.Add(-s.keep.Messages)), lookRows)
	return n == lookRows, err
}
