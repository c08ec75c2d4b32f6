package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// lookRows is how many deleted endpoints or applications are looked at in a slice.
const lookRows = 50

// What was deleted before $1 and has nothing left that refers to it. The order makes
// the database look by the index: it would read whole tables for an endpoint of
// which it expects to meet something soon.
const (
	oldEndpoints = `SELECT p.seq FROM (
    SELECT seq FROM endpoints WHERE deleted IS NOT NULL AND deleted < $1 ORDER BY deleted LIMIT $2) AS p
  WHERE (SELECT 1 FROM deliveries d WHERE d.endpoint = p.seq ORDER BY d.message LIMIT 1) IS NULL
    AND (SELECT 1 FROM attempts a WHERE a.endpoint = p.seq ORDER BY a.id LIMIT 1) IS NULL`
	emptyApplications = `SELECT p.seq FROM (
    SELECT seq FROM applications WHERE deleted IS NOT NULL AND deleted < $1 ORDER BY deleted LIMIT $2) AS p
  WHERE (SELECT 1 FROM messages m WHERE m.app = p.seq ORDER BY m.id LIMIT 1) IS NULL
    AND (SELECT 1 FROM endpoints e WHERE e.app = p.seq ORDER BY e.id LIMIT 1) IS NULL`
	oldApplications = emptyApplications + `
    AND (SELECT 1 FROM requests r WHERE r.source = p.seq ORDER BY r.id LIMIT 1) IS NULL`
)

// deletedEndpoints forgets endpoints that were deleted before the oldest kept
// message came. What explain and the lists of a message show of them is gone by then.
func (s *slice) deletedEndpoints(ctx context.Context) (hook.Expired, error) {
	return s.forget(ctx, oldEndpoints, statements(
		`DELETE FROM endpoint_revisions WHERE endpoint = ANY ($1::bigint[])`,
		`DELETE FROM rollups WHERE app IN (SELECT app FROM endpoints WHERE seq = ANY ($1::bigint[])) AND endpoint = ANY ($1)`,
		`DELETE FROM endpoints WHERE seq = ANY ($1::bigint[])`))
}

// deletedSources removes what there still is of requests of sources that are to be
// forgotten, of one source in each slice.
func (s *slice) deletedSources(ctx context.Context) (out hook.Expired, err error) {
	more := false
	_, err = s.forget(ctx, emptyApplications, func(ctx context.Context, c *conn, seqs []int64) error {
		var source int64
		var ids [][]byte
		var within idRange
		if err := c.query(ctx, requestsOf, []any{seqs, sliceRows}, func(r *row) error {
			if id := r.id(1); len(ids) == 0 || r.int(0) == source {
				source, ids = r.int(0), append(ids, id[:])
				within.add(id)
			}
			return nil
		}); err != nil || len(ids) == 0 {
			return err
		}
		n, err := c.exec(ctx, dropRequestsOf, source, ids, within.low, within.high)
		out.Requests, more = int(n), true
		return err
	})
	if err != nil {
		return hook.Expired{}, err
	}
	out.More = more
	return out, nil
}

const (
	requestsOf = `SELECT r.source, r.id FROM unnest($1::bigint[]) AS g(source)
    CROSS JOIN LATERAL (SELECT source, id FROM requests WHERE source = g.source ORDER BY id LIMIT $2) r LIMIT $2`
	dropRequestsOf = `DELETE FROM requests WHERE source = $1 AND id = ANY ($2::bytea[]) AND id >= $3 AND id <= $4`
)

// deletedApplications forgets those whose messages, endpoints and requests are all gone.
func (s *slice) deletedApplications(ctx context.Context) (hook.Expired, error) {
	return s.forget(ctx, oldApplications, statements(
		`DELETE FROM rollups WHERE app = ANY ($1::bigint[])`,
		`DELETE FROM api_keys WHERE app IN (SELECT id FROM applications WHERE seq = ANY ($1::bigint[]))`,
		`DELETE FROM applications WHERE seq = ANY ($1::bigint[])`))
}

// statements runs each statement for the same row keys.
func statements(all ...string) func(context.Context, *conn, []int64) error {
	return func(ctx context.Context, c *conn, seqs []int64) error {
		for _, q := range all {
			if _, err := c.exec(ctx, q, seqs); err != nil {
				return err
			}
		}
		return nil
	}
}

// forget does something about the row keys that a query gives.
func (s *slice) forget(ctx context.Context, which string, do func(context.Context, *conn, []int64) error) (hook.Expired, error) {
	if s.keep.Messages <= 0 {
		return hook.Expired{}, nil
	}
	return s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		var seqs []int64
		if err := c.query(ctx, which, []any{s.now.Add(-s.keep.Messages), lookRows}, func(r *row) error {
			seqs = append(seqs, r.int(0))
			return nil
		}); err != nil || len(seqs) == 0 {
			return out, err
		}
		return hook.Expired{More: len(seqs) == lookRows}, do(ctx, c, seqs)
	})
}

// oldRollups removes rollups whose hour ended before retention keeps messages.
func (s *slice) oldRollups(ctx context.Context) (hook.Expired, error) {
	if s.keep.Messages <= 0 {
		return hook.Expired{}, nil
	}
	return s.write(ctx, func(ctx context.Context, c *conn) (hook.Expired, error) {
		n, err := c.exec(ctx, `DELETE FROM rollups WHERE ctid = ANY (ARRAY(
		  SELECT ctid FROM rollups WHERE hour < $1 ORDER BY hour LIMIT $2))`, hourOf(s.now.Add(-s.keep.Messages)), sliceRows)
		return hook.Expired{More: n == sliceRows}, err
	})
}

// news removes what nodes told each other, once all have heard it, and nodes that
// are long gone. Only the database's clock counts there.
func (s *slice) news(ctx context.Context) (hook.Expired, error) {
	return s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		for _, table := range []string{"changes", "signals"} {
			n, err := c.exec(ctx, `DELETE FROM `+table+` WHERE ctid = ANY (ARRAY(
			  SELECT ctid FROM `+table+` WHERE at < clock_timestamp() - interval '10 minutes' LIMIT $1))`, sliceRows)
			if err != nil {
				return out, err
			}
			out.More = out.More || n == sliceRows
		}
		_, err = c.exec(ctx, `DELETE FROM nodes WHERE ended < clock_timestamp() - interval '1 day'`)
		return out, err
	})
}
