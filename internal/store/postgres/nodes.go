package postgres

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// firstMark is how far back a new node's mark is, until its first beat: nobody has
// leases older than that.
const firstMark = time.Hour

// RegisterNode implements store.Nodes. Whether a node lives is decided by the
// database's clock alone.
func (s *Store) RegisterNode(ctx context.Context, name string, lease time.Duration, now time.Time) (n hook.Node, err error) {
	mark := hook.IDAt(now.Add(-firstMark))
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		var before hook.Node
		var from hook.ID
		known, err := c.one(ctx, `SELECT id, epoch, open_from FROM nodes WHERE name = $1 FOR UPDATE`, []any{name}, func(r *row) error {
			before, from = hook.Node{ID: r.int(0), Epoch: r.int(1)}, r.id(2)
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := c.one(ctx, `INSERT INTO nodes (name, epoch, started, seen, until, open_from)
		  VALUES ($1, 1, clock_timestamp(), clock_timestamp(), clock_timestamp() + $2 * interval '1 microsecond', $3)
		  ON CONFLICT (name) DO UPDATE SET epoch = nodes.epoch + 1, started = excluded.started, seen = excluded.seen,
		    until = excluded.until, open_from = excluded.open_from, ended = NULL, swept = 0
		  RETURNING id, epoch`, []any{name, lease.Microseconds(), mark}, func(r *row) error {
			n = hook.Node{ID: r.int(0), Epoch: r.int(1)}
			return nil
		}); err != nil || !known {
			return err
		}
		_, err = freeNode(ctx, c, before, from, now)
		return err
	})
	if err == nil {
		s.open.reset(mark)
	}
	return n, err
}

// Beat implements store.Nodes.
func (s *Store) Beat(ctx context.Context, b hook.Beat) (p hook.Pulse, err error) {
	// With the first beat the node learns the database's clock. Until then a mark by
	// its own could be too high for everything that it accepts.
	mark := s.open.next(b.Now, b.Seen == 0)
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		p = hook.Pulse{}
		n, err := c.exec(ctx, `UPDATE nodes SET seen = clock_timestamp(), until = clock_timestamp() + $3 * interval '1 microsecond',
		    delivers = $4, open_from = $5 WHERE id = $1 AND epoch = $2`,
			b.Node.ID, b.Node.Epoch, b.Lease.Microseconds(), b.Delivers, mark)
		if err != nil {
			return err
		}
		if n == 0 {
			p.Lost = true
			return nil
		}
		return exchange(ctx, c, &b, &p)
	})
	if err != nil || p.Lost {
		return p, err
	}
	return p, s.freeOrphans(ctx, b.Now)
}

// exchange takes the news of a beat and gives that of the others.
func exchange(ctx context.Context, c *conn, b *hook.Beat, p *hook.Pulse) error {
	if err := putSignals(ctx, c, b); err != nil {
		return err
	}
	// Whoever leads renews; when its time is over the first to ask leads.
	n, err := c.exec(ctx, `UPDATE leader SET node = $1, epoch = CASE node WHEN $1 THEN epoch ELSE epoch + 1 END,
	    until = clock_timestamp() + $2 * interval '1 microsecond' WHERE one AND (node = $1 OR until < clock_timestamp())`,
		b.Node.ID, b.Lease.Microseconds())
	if err != nil {
		return err
	}
	p.Leader = n > 0
	// What is read below may be newer than this snapshot and is then read again
	// with the next beat; nothing is passed over.
	if _, err := c.one(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
	    (SELECT count(*) FROM nodes WHERE delivers AND ended IS NULL AND until > clock_timestamp())`, nil, func(r *row) error {
		p.Clock, p.Seen, p.Delivering = r.time(0), r.int(1), int(r.int(2))
		return nil
	}); err != nil {
		return err
	}
	if b.Seen == 0 {
		return nil // the first beat: nothing is known that could have changed
	}
	if err := c.query(ctx, `SELECT endpoint, revision, closed FROM changes WHERE txid >= $1 ORDER BY txid`, []any{b.Seen}, func(r *row) error {
		p.Changes = append(p.Changes, hook.EndpointChange{
			Endpoint: r.id(0), Revision: r.int(1), Closed: hook.Reason(r.int(2)),
		})
		return nil
	}); err != nil {
		return err
	}
	return c.query(ctx, `SELECT endpoint, app, hold, until FROM signals WHERE txid >= $1 AND node <> $2 ORDER BY txid`,
		[]any{b.Seen, b.Node.ID}, func(r *row) error {
			p.Signals = append(p.Signals, hook.Signal{
				Endpoint: r.id(0), App: r.id(1), Hold: hook.Hold(r.int(2)), Until: r.time(3),
			})
			return nil
		})
}

// putSignals stores what a node found out, the newest of each endpoint.
func putSignals(ctx context.Context, c *conn, b *hook.Beat) error {
	if len(b.Signals) == 0 {
		return nil
	}
	newest := map[hook.ID]hook.Signal{}
	for _, sig := range b.Signals {
		newest[sig.Endpoint] = sig
	}
	ids := make([]hook.ID, 0, len(newest))
	for id := range newest {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	apps, holds, untils := make([][]byte, len(ids)), make([]int16, len(ids)), make([]*int64, len(ids))
	for i, id := range ids {
		sig := newest[id]
		apps[i], holds[i], untils[i] = bytes.Clone(sig.App[:]), int16(sig.Hold), microsPtr(sig.Until)
	}
	_, err := c.exec(ctx, `INSERT INTO signals (endpoint, app, node, hold, until, txid)
	  SELECT endpoint, app, $5, hold, until, (SELECT pg_current_xact_id()::text::bigint)
	  FROM unnest($1::bytea[], $2::bytea[], $3::smallint[], $4::bigint[]) AS g(endpoint, app, hold, until)
	  ON CONFLICT (endpoint) DO UPDATE SET app = excluded.app, node = excluded.node, hold = excluded.hold, until = excluded.until,
	    txid = excluded.txid, at = clock_timestamp()`, idArray(ids), apps, holds, untils, b.Node.ID)
	return err
}

// LeaveNode implements store.Nodes.
func (s *Store) LeaveNode(ctx context.Context, n hook.Node, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		var from hook.ID
		found, err := c.one(ctx, `UPDATE nodes SET ended = clock_timestamp(), until = clock_timestamp(), epoch = epoch + 1
		  WHERE id = $1 AND epoch = $2 RETURNING open_from`, []any{n.ID, n.Epoch}, func(r *row) error {
			from = r.id(0)
			return nil
		})
		if err != nil || !found {
			return err
		}
		if _, err := c.exec(ctx, `UPDATE leader SET until = '-infinity' WHERE one AND node = $1`, n.ID); err != nil {
			return err
		}
		_, err = freeNode(ctx, c, n, from, now)
		return err
	})
}

// When the deliveries of a node that has ended are looked for again: a transaction
// of it may have been under way in the database, or in the hands of a paused process.
const sweepAgain = `(ended IS NULL AND until < clock_timestamp()
    OR swept = 1 AND ended < clock_timestamp() - interval '15 seconds'
    OR swept = 2 AND ended < clock_timestamp() - interval '2 minutes')`

// Rescue implements store.Nodes.
func (s *Store) Rescue(ctx context.Context, now time.Time) (out hook.Rescued, err error) {
	var nodes []int64
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT id FROM nodes WHERE `+sweepAgain, nil, func(r *row) error {
			nodes = append(nodes, r.int(0))
			return nil
		})
	})
	for _, id := range nodes {
		if err != nil {
			break
		}
		var one hook.Rescued
		err = s.write(ctx, func(ctx context.Context, c *conn) (err error) {
			one, err = rescue(ctx, c, id, now)
			return err
		})
		out.Nodes += one.Nodes
		out.Deliveries += one.Deliveries
		out.Lanes = append(out.Lanes, one.Lanes...)
	}
	s.hints.tell(out.Lanes)
	return out, err
}

// rescue frees what one node has leased, if that is still to be done.
func rescue(ctx context.Context, c *conn, id int64, now time.Time) (out hook.Rescued, err error) {
	var dead hook.Node
	var from hook.ID
	found, err := c.one(ctx, `UPDATE nodes n SET ended = coalesce(n.ended, clock_timestamp()), swept = n.swept + 1,
	    epoch = CASE WHEN n.ended IS NULL THEN n.epoch + 1 ELSE n.epoch END
	  FROM (SELECT id, ended IS NULL AS fresh FROM nodes WHERE id = $1 AND `+sweepAgain+` FOR UPDATE) o
	  WHERE n.id = o.id RETURNING n.id, n.epoch - 1, n.open_from, o.fresh`, []any{id}, func(r *row) error {
		dead, from = hook.Node{ID: r.int(0), Epoch: r.int(1)}, r.id(2)
		if r.bool(3) {
			out.Nodes = 1
		}
		return nil
	})
	if err != nil || !found {
		return out, err
	}
	freed, err := freeNode(ctx, c, dead, from, now)
	out.Deliveries, out.Lanes = freed.Deliveries, freed.Lanes
	return out, err
}

// freeLeased makes due what a node has leased up to an epoch: what it claimed, by
// the queue, and what it leased at accept, from its mark on.
var (
	freeClaimed = `WITH freed AS (UPDATE deliveries d SET ` + strings.ReplaceAll(backInLane, "{due}", "$5") + `, updated = $5
      FROM unnest($1::bytea[], $2::bigint[]) AS g(message, endpoint)
      WHERE d.message = g.message AND d.endpoint = g.endpoint AND d.node = $3 AND d.epoch <= $4 AND d.message = ANY($1) AND d.message >= $6 AND d.message <= $7
      RETURNING d.message, d.endpoint, d.retry, d.due), queued AS (` + intoQueue + `)
    SELECT endpoint, retry, min(due), count(*) FROM freed GROUP BY 1, 2`
	freeAccepted = `WITH freed AS (UPDATE deliveries d SET ` + strings.ReplaceAll(backInLane, "{due}", "$4") + `, updated = $4
      WHERE d.message >= $1 AND d.node = $2 AND d.epoch <= $3
      RETURNING d.message, d.endpoint, d.retry, d.due), queued AS (` + intoQueue + `)
    SELECT endpoint, retry, min(due), count(*) FROM freed GROUP BY 1, 2`
)

func freeNode(ctx context.Context, c *conn, n hook.Node, from hook.ID, now time.Time) (out hook.Rescued, err error) {
	var keys deliveryKeys
	var within idRange
	if err := c.query(ctx, `SELECT message, endpoint FROM queue WHERE node = $1 FOR UPDATE`, []any{n.ID}, func(r *row) error {
		keys.add(r.id(0), r.int(1))
		within.add(r.id(0))
		return nil
	}); err != nil {
		return out, err
	}
	lanes := map[int64][]hook.Lane{}
	count := func(r *row) error {
		lanes[r.int(0)] = append(lanes[r.int(0)], hook.Lane{Retry: r.bool(1), Due: r.time(2)})
		out.Deliveries += int(r.int(3))
		return nil
	}
	if len(keys.message) > 0 {
		if err := c.query(ctx, freeClaimed, []any{keys.message, keys.endpoint, n.ID, n.Epoch, now, within.low, within.high}, count); err != nil {
			return out, err
		}
	}
	if err := c.query(ctx, freeAccepted, []any{from, n.ID, n.Epoch, now}, count); err != nil {
		return out, err
	}
	out.Lanes, err = nameLanes(ctx, c, lanes)
	return out, err
}

// nameLanes turns row keys of endpoints into ids.
func nameLanes(ctx context.Context, c *conn, lanes map[int64][]hook.Lane) (out []hook.Lane, err error) {
	if len(lanes) == 0 {
		return nil, nil
	}
	seqs := make([]int64, 0, len(lanes))
	for seq := range lanes {
		seqs = append(seqs, seq)
	}
	err = c.query(ctx, `SELECT e.seq, e.id, a.id FROM endpoints e JOIN applications a ON a.seq = e.app WHERE e.seq = ANY($1)`,
		[]any{seqs}, func(r *row) error {
			for _, l := range lanes[r.int(0)] {
				l.Endpoint, l.App = r.id(1), r.id(2)
				out = append(out, l)
			}
			return nil
		})
	return out, err
}

// ListNodes implements store.Nodes.
func (s *Store) ListNodes(ctx context.Context, _ time.Time) (out []hook.NodeInfo, err error) {
	const micros = `(extract(epoch FROM %s) * 1000000)::bigint`
	query := `SELECT id, epoch, name, delivers, ` + strings.ReplaceAll(micros, "%s", "started") + `, ` +
		strings.ReplaceAll(micros, "%s", "seen") + `, ended IS NULL AND until > clock_timestamp()
	  FROM nodes WHERE seen > clock_timestamp() - interval '1 day' ORDER BY started DESC, id DESC`
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, query, nil, func(r *row) error {
			out = append(out, hook.NodeInfo{
				Node: hook.Node{ID: r.int(0), Epoch: r.int(1)}, Name: r.text(2), Delivers: r.bool(3),
				Started: r.time(4), Seen: r.time(5), Alive: r.bool(6),
			})
			return nil
		})
	})
	return out, err
}
