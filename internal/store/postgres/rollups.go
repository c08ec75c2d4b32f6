package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

const (
	// rollupSlice is how many attempts one transaction sums up.
	rollupSlice = 5000
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

// RollUp implements store.Rollups. It follows the feed of attempts, whose cursor
// moves in the transaction that writes the sums; one that fails leaves what those
// before it did.
func (s *Store) RollUp(ctx context.Context, limit int) (done int, err error) {
	for more := true; more && done < limit; {
		var n int
		slice := min(limit-done, rollupSlice)
		err := s.write(ctx, func(ctx context.Context, c *conn) (err error) {
			n, err = rollUp(ctx, c, slice)
			return err
		})
		if err != nil {
			return done, err
		}
		done += n
		more = n == slice
	}
	_, err = s.countMessages(ctx, countPer*limit)
	return done, err
}

// attemptsToRollUp are those after the cursor, as the feed gives them.
const attemptsToRollUp = `SELECT t.txid, t.id, t.endpoint, t.class, t.started, t.timings, t.status, t.manual, t.number, t.message FROM attempts t
  WHERE t.txid >= $1 AND (t.txid, t.id) > ($1, $2) AND t.txid < ` + feedEnd + ` ORDER BY t.txid, t.id LIMIT $3`

func rollUp(ctx context.Context, c *conn, limit int) (n int, err error) {
	at, err := placeIn(ctx, c, "rollups")
	if err != nil {
		return 0, err
	}
	var all []attemptToSum
	if err := c.query(ctx, attemptsToRollUp, []any{at.Commit, within(at), limit}, func(r *row) error {
		n++
		at = hook.Cursor{Commit: r.int(0), Within: r.id(1)}
		all = append(all, attemptToSum{
			id: at.Within, endpoint: r.int(2), class: hook.Class(r.int(3)), began: r.time(4), timings: timingsFrom(r.values[5]),
			status: int(r.int(6)), manual: r.bool(7), number: r.int(8), message: r.id(9),
		})
		return nil
	}); err != nil || n == 0 {
		return 0, err
	}
	if err := sumUp(ctx, c, all); err != nil {
		return 0, err
	}
	_, err = c.exec(ctx, `UPDATE cursors SET commit = $1, within = $2 WHERE name = 'rollups'`, at.Commit, at.Within)
	return n, err
}

// attemptToSum is what the sums need of an attempt.
type attemptToSum struct {
	id, message hook.ID
	endpoint    int64 // endpoints.seq
	class       hook.Class
	status      int
	manual      bool
	number      int64
	began       time.Time
	timings     hook.Timings
}

// summedEndpoint is what they need of its endpoint.
type summedEndpoint struct {
	app     int64
	env     hook.ID
	deleted bool
}

// sumUp adds attempts to the sums of endpoints, applications and environments, and
// to the issues. An endpoint that is forgotten is left out: nobody can ask for it.
func sumUp(ctx context.Context, c *conn, all []attemptToSum) error {
	seqs := make([]int64, len(all))
	for i := range all {
		seqs[i] = all[i].endpoint
	}
	endpoints := map[int64]summedEndpoint{}
	if err := c.query(ctx, `SELECT e.seq, e.app, a.env, e.deleted IS NOT NULL FROM endpoints e JOIN applications a ON a.seq = e.app
	  WHERE e.seq = ANY($1)`, []any{distinct(seqs)}, func(r *row) error {
		endpoints[r.int(0)] = summedEndpoint{r.int(1), r.id(2), r.bool(3)}
		return nil
	}); err != nil {
		return err
	}
	sums, traffic, trouble := tallies{}, traffics{}, newTroubles()
	var later []laterSuccess
	for i := range all {
		t := &all[i]
		e, known := endpoints[t.endpoint]
		if !known {
			continue
		}
		sums.of(rollupKey{e.app, t.endpoint, hourOf(t.began)}).Add(t.class, t.timings.Total)
		sums.of(rollupKey{e.app, wholeApp, hourOf(t.began)}).Add(t.class, t.timings.Total)
		later = countAttempt(traffic.of(e.env, t.began), later, t.class, t.began, t.timings, t.manual, t.number, e.app, t.message)
		switch {
		case t.class == hook.Success:
			trouble.success(t.endpoint, t.began)
		case !e.deleted:
			trouble.failure(e.env, causeKey{t.endpoint, hook.Cause{Class: t.class, Status: t.status}}, t.message, t.id, t.began)
		}
	}
	if err := addToRollups(ctx, c, sums); err != nil {
		return err
	}
	if err := addLater(ctx, c, later); err != nil {
		return err
	}
	if err := traffic.store(ctx, c); err != nil {
		return err
	}
	return trouble.store(ctx, c)
}

// addToRollups adds sums to what is stored. Only one transaction does so at a time,
// for the cursor is locked.
func addToRollups(ctx context.Context, c *conn, sums tallies) error {
	keys := slices.SortedFunc(maps.Keys(sums), compareKeys)
	apps, endpoints, hours := make([]int64, len(keys)), make([]int64, len(keys)), make([]int64, len(keys))
	for i, k := range keys {
		apps[i], endpoints[i], hours[i] = k.app, k.endpoint, k.hour
	}
	if err := c.query(ctx, `SELECT g.n, r.tally FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS g(app, endpoint, hour, n)
	  JOIN rollups r ON r.app = g.app AND r.endpoint = g.endpoint AND r.hour = g.hour`, []any{apps, endpoints, hours}, func(r *row) error {
		return mergeTally(sums[keys[r.int(0)-1]], r, 1)
	}); err != nil {
		return err
	}
	stored := make([][]byte, len(keys))
	for i, k := range keys {
		stored[i] = sums[k].Append(nil)
	}
	_, err := c.exec(ctx, `INSERT INTO rollups (app, endpoint, hour, tally)
	  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])
	  ON CONFLICT (app, endpoint, hour) DO UPDATE SET tally = excluded.tally`, apps, endpoints, hours, stored)
	return err
}

func mergeTally(into *hook.Tally, r *row, i int) error {
	t, err := hook.ParseTally(r.values[i])
	if err != nil {
		return fmt.Errorf("read a rollup: %w", err)
	}
	into.Merge(t)
	return nil
}

// ListRollups implements store.Rollups.
func (s *Store) ListRollups(ctx context.Context, f hook.StatsFilter) (out []hook.Rollup, err error) {
	err = s.snapshot(ctx, func(ctx context.Context, c *conn) error {
		out = nil
		k := rollupKey{endpoint: wholeApp}
		var err error
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

// ListRollupsOf implements store.Traffic.
func (s *Store) ListRollupsOf(ctx context.Context, f hook.RollupFilter) (out map[hook.ID][]hook.Rollup, err error) {
	from, to := int64(firstHour), int64(lastHour)
	if !f.Since.IsZero() {
		from = hourOf(f.Since)
	}
	if !f.Until.IsZero() {
		to = hourFrom(f.Until)
	}
	err = s.snapshot(ctx, func(ctx context.Context, c *conn) error {
		out = map[hook.ID][]hook.Rollup{}
		sums, ids := tallies{}, map[int64]hook.ID{}
		var apps, seqs []int64
		if err := c.query(ctx, `SELECT e.seq, e.app, e.id FROM endpoints e JOIN applications a ON a.seq = e.app
		  WHERE e.id = ANY ($1::bytea[]) AND a.env = $2 AND e.deleted IS NULL`, []any{idArray(f.Endpoints), f.Env}, func(r *row) error {
			seqs, apps = append(seqs, r.int(0)), append(apps, r.int(1))
			ids[r.int(0)] = r.id(2)
			return nil
		}); err != nil || len(seqs) == 0 {
			return err
		}
		if err := c.query(ctx, rollupsOfMany, []any{apps, seqs, from, to}, func(r *row) error {
			return mergeTally(sums.of(rollupKey{0, r.int(0), r.int(1)}), r, 2)
		}); err != nil {
			return err
		}
		if err := c.query(ctx, rollupTailOfMany, []any{seqs, hourTime(from), hourTime(to), lastID}, func(r *row) error {
			sums.of(rollupKey{0, r.int(3), hourOf(r.time(1))}).Add(hook.Class(r.int(0)), timingsFrom(r.values[2]).Total)
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
	rollupsOfMany = `SELECT r.endpoint, r.hour, r.tally FROM unnest($1::bigint[], $2::bigint[]) AS g(app, endpoint)
    JOIN rollups r ON r.app = g.app AND r.endpoint = g.endpoint WHERE r.hour >= $3 AND r.hour < $4`
	rollupTailOfMany = `SELECT a.class, a.started, a.timings, a.endpoint FROM cursors c JOIN attempts a
    ON a.txid >= c.commit AND (a.txid, a.id) > (c.commit, CASE length(c.within) WHEN 0 THEN $4 ELSE c.within END)
  WHERE c.name = 'rollups' AND a.endpoint = ANY ($1) AND a.started >= $2 AND a.started < $3`
)

// snapshot is read for what must be seen as it was at one moment.
func (s *Store) snapshot(ctx context.Context, fn func(ctx context.Context, c *conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.ReadTimeout)
	defer cancel()
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return s.explain(pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) error {
		return fn(ctx, &conn{tx.Conn()})
	}))
}

const (
	listRollups = `SELECT hour, tally FROM rollups WHERE app = $1 AND endpoint = $2 AND hour >= $3 AND hour < $4`
	// rollupTail are the attempts that no rollup counts yet.
	rollupTail = `SELECT a.class, a.started, a.timings FROM cursors c JOIN attempts a
    ON a.txid >= c.commit AND (a.txid, a.id) > (c.commit, CASE length(c.within) WHEN 0 THEN $5 ELSE c.within END)
    JOIN endpoints e ON e.seq = a.endpoint
  WHERE c.name = 'rollups' AND ($2 = 0 OR a.endpoint = $2) AND e.app = $1 AND a.started >= $3 AND a.started < $4`
)

// readRollups gives the sums of an endpoint or application by hour, from one
// hour up to another, with the attempts that are not rolled up yet. It must run
// in a snapshot.
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
	err := c.query(ctx, rollupTail, []any{k.app, k.endpoint, hourTime(from), hourTime(to), lastID}, func(r *row) error {
		of(hourOf(r.time(1))).Add(hook.Class(r.int(0)), timingsFrom(r.values[2]).Total)
		return nil
	})
	return sums, err
}

// tallies gives the sum of an endpoint over whole hours. It must run in a snapshot.
func (s *Store) tallies(ctx context.Context, c *conn, app, endpoint, from, to int64) (sum hook.Tally, err error) {
	sums, err := readRollups(ctx, c, rollupKey{app: app, endpoint: endpoint}, from, to)
	for _, t := range sums {
		sum.Merge(*t)
	}
	return sum, err
}
