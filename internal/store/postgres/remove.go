package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// oldAttempts removes attempts that are older than retention keeps them: all of a
// partition that is all old, single ones of a small partition that is not. What
// the rollups do not have yet stays, and the slice is not the last.
func (s *slice) oldAttempts(ctx context.Context) (out hook.Expired, err error) {
	if s.keep.Attempts <= 0 {
		return out, nil
	}
	limit := s.now.Add(-s.keep.Attempts)
	out, err = s.long(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		spans, err := withAttempts(ctx, c)
		if err != nil || len(spans) == 0 || !spans[0].From.Before(limit) {
			return out, err
		}
		p := spans[0]
		if held, err := heldBack(ctx, c, p); err != nil || held {
			return hook.Expired{More: held}, err
		}
		if p.endedBefore(limit) {
			return emptyAttempts(ctx, c, p)
		}
		return removeAttempts(ctx, c, p, limit)
	})
	if pgCode(err) == codeLockTimeout { // another time
		return hook.Expired{}, nil
	}
	return out, err
}

// withAttempts gives the partitions of attempts that have some.
func withAttempts(ctx context.Context, c *conn) (spans []span, err error) {
	err = c.query(ctx, `SELECT k.relname::text FROM pg_inherits i JOIN pg_class k ON k.oid = i.inhrelid
	  WHERE i.inhparent = 'attempts'::regclass AND pg_relation_size(k.oid) > 0`, nil, func(r *row) error {
		s, err := spanOf(strings.TrimPrefix(r.text(0), "attempts_"))
		spans = append(spans, s)
		return err
	})
	slices.SortFunc(spans, func(a, b span) int { return a.From.Compare(b.From) })
	return spans, err
}

// rolledUp gives the place up to which the rollups have the feed of attempts.
func rolledUp(ctx context.Context, c *conn) (at hook.Cursor, err error) {
	_, err = c.one(ctx, `SELECT commit, within FROM cursors WHERE name = 'rollups'`, nil, func(r *row) error {
		at = hook.Cursor{Commit: r.int(0), Within: r.id(1)}
		return nil
	})
	return at, err
}

// attemptsAfter are those in a range of ids that come after a place in the feed.
const attemptsAfter = `SELECT 1 FROM attempts
  WHERE id >= $1 AND id < $2 AND txid >= $3 AND (txid, id) > ($3, $4) ORDER BY txid LIMIT 1`

// heldBack reports whether the rollups do not have all attempts of a partition yet.
func heldBack(ctx context.Context, c *conn, p span) (bool, error) {
	at, err := rolledUp(ctx, c)
	if err != nil {
		return false, err
	}
	return exists(ctx, c, attemptsAfter, p.from(), p.to(), at.Commit, within(at))
}

// exists reports whether a query gives a row.
func exists(ctx context.Context, c *conn, query string, args ...any) (bool, error) {
	return c.one(ctx, query, args, func(*row) error { return nil })
}

// emptyAttempts empties a partition of attempts.
func emptyAttempts(ctx context.Context, c *conn, p span) (out hook.Expired, err error) {
	if mine, err := mayDrop(ctx, c); err != nil || !mine {
		return out, err // another time
	}
	if _, err := c.one(ctx, `SELECT count(*) FROM attempts WHERE id >= $1 AND id < $2`, []any{p.from(), p.to()}, func(r *row) error {
		out = hook.Expired{Attempts: int(r.int(0)), More: true} // perhaps in the next partition
		return nil
	}); err != nil {
		return out, err
	}
	return out, giveUpSoon(ctx, c, `TRUNCATE attempts_`+p.name())
}

// removeAttempts removes attempts of a partition that is not all old, if it is small.
func removeAttempts(ctx context.Context, c *conn, p span, limit time.Time) (out hook.Expired, err error) {
	var n int
	if _, err := c.one(ctx, `SELECT count(*) FROM (SELECT 1 FROM attempts WHERE id >= $1 AND id < $2 LIMIT $3) AS page`,
		[]any{p.from(), p.to(), bigPartition + 1}, func(r *row) error {
			n = int(r.int(0))
			return nil
		}); err != nil || n > bigPartition {
		return out, err
	}
	removed, err := c.exec(ctx, `DELETE FROM attempts a USING (
	    SELECT message, id FROM attempts WHERE id >= $1 AND id < $2 AND started < $3 LIMIT $4) AS old
	  WHERE a.message = old.message AND a.id = old.id AND a.id >= $1 AND a.id < $2`, p.from(), p.to(), limit, sliceRows)
	return hook.Expired{Attempts: int(removed), More: removed == sliceRows}, err
}

// oldMessages removes messages with all that belongs to them, of the oldest
// partition. A node that still has a delivery of one in flight finds its lease lost.
func (s *slice) oldMessages(ctx context.Context) (out hook.Expired, err error) {
	if s.keep.Messages <= 0 {
		return out, nil
	}
	limit := s.now.Add(-s.keep.Messages)
	var p span
	some, big := false, false
	err = s.store.read(ctx, func(ctx context.Context, c *conn) error {
		spans, err := existing(ctx, c)
		if err != nil || len(spans) == 0 || !spans[0].From.Before(limit) {
			return err
		}
		p, some = spans[0], true
		big, err = p.isBig(ctx, c)
		return err
	})
	switch {
	case err != nil || !some:
		return out, err
	case !big:
		return s.removeSome(ctx, p, limit)
	case p.endedBefore(limit):
		return s.retire(ctx, p)
	}
	return out, nil
}

// removeSome removes messages of a small partition, and the partition once it is empty.
func (s *slice) removeSome(ctx context.Context, p span, limit time.Time) (out hook.Expired, err error) {
	empty := false
	out, err = s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		var old messageKeys
		if err := c.query(ctx, `SELECT app, id FROM messages WHERE id >= $1 AND id < $2 AND created < $3 LIMIT $4 FOR UPDATE SKIP LOCKED`,
			[]any{p.from(), p.to(), limit, sliceMessages}, old.scan); err != nil {
			return out, err
		}
		if len(old.ids) > 0 {
			out, err = removeMessages(ctx, c, &old)
			out.More = out.More || len(old.ids) == sliceMessages || p.endedBefore(limit)
			if err != nil {
				return out, err
			}
		}
		done, err := s.removeRequests(ctx, c, p, limit, &out)
		out.More = out.More || !done
		if err != nil || !done || len(old.ids) > 0 {
			return out, err
		}
		some, err := exists(ctx, c, `SELECT 1 FROM messages WHERE id >= $1 AND id < $2
		  UNION ALL SELECT 1 FROM requests WHERE id >= $1 AND id < $2 AND NOT $3 LIMIT 1`, p.from(), p.to(), s.requestsStay())
		empty = !some
		return out, err
	})
	if err != nil || !empty || !p.endedBefore(limit) {
		return out, err
	}
	last, err := s.detach(ctx, p)
	out.Unsent += last.Unsent
	out.More = out.More || last.More
	return out, err
}

// removeMessages removes messages that the transaction has locked, or as many of
// their attempts and deliveries as fit into a slice; then it reports more.
func removeMessages(ctx context.Context, c *conn, m *messageKeys) (out hook.Expired, err error) {
	done, err := removeTries(ctx, c, m, &out)
	if err == nil && done {
		done, err = removeDeliveries(ctx, c, m, &out)
	}
	if err != nil || !done {
		out.More = true
		return out, err
	}
	// What was queued while the deliveries were being removed.
	if _, err := c.exec(ctx, `DELETE FROM queue WHERE message = ANY ($1::bytea[])`, m.ids); err != nil {
		return out, err
	}
	if _, err := c.exec(ctx, `DELETE FROM failing WHERE message = ANY ($1::bytea[])`, m.ids); err != nil {
		return out, err
	}
	if _, err := c.exec(ctx, `DELETE FROM message_keys WHERE message = ANY ($1::bytea[])`, m.ids); err != nil {
		return out, err
	}
	return out, c.query(ctx, `DELETE FROM messages m USING unnest($1::bigint[], $2::bytea[]) AS g(app, id)
	  WHERE m.app = g.app AND m.id = g.id AND m.id >= $3 AND m.id <= $4 RETURNING m.body IS NOT NULL`,
		[]any{m.apps, m.ids, m.within.low, m.within.high}, func(r *row) error {
			out.Messages++
			out.Payloads += int(r.int(0))
			return nil
		})
}

// removeTries removes the attempts of messages, at most sliceRows, and reports
// whether none is left. The last of them was made when its delivery last changed,
// which bounds the partitions to look into.
func removeTries(ctx context.Context, c *conn, m *messageKeys, out *hook.Expired) (done bool, err error) {
	from := hook.IDAt(m.within.low.Time().Add(-disorder))
	last := m.within.high.Time()
	if _, err := c.one(ctx, `SELECT max(updated) FROM deliveries WHERE message = ANY ($1::bytea[]) AND message >= $2 AND message <= $3`,
		[]any{m.ids, m.within.low, m.within.high}, func(r *row) error {
			if at := r.time(0); at.After(last) {
				last = at
			}
			return nil
		}); err != nil {
		return false, err
	}
	to := hook.IDAt(last.Add(disorder))
	at, err := rolledUp(ctx, c)
	if err != nil {
		return false, err
	}
	held, err := exists(ctx, c, `SELECT 1 FROM attempts
	  WHERE message = ANY ($1::bytea[]) AND id >= $2 AND id < $3 AND txid >= $4 AND (txid, id) > ($4, $5) LIMIT 1`,
		m.ids, from, to, at.Commit, within(at))
	if err != nil || held {
		return false, err
	}
	n, err := c.exec(ctx, `DELETE FROM attempts a USING (
	    SELECT message, id FROM attempts WHERE message = ANY ($1::bytea[]) AND id >= $2 AND id < $3 LIMIT $4) AS old
	  WHERE a.message = old.message AND a.id = old.id AND a.id >= $2 AND a.id < $3`, m.ids, from, to, sliceRows)
	out.Attempts += int(n)
	return n < sliceRows, err
}

// removeDeliveries removes those of messages, at most sliceRows, with their places
// in the queue, counts those that still waited to be sent, and reports whether none
// is left.
func removeDeliveries(ctx context.Context, c *conn, m *messageKeys, out *hook.Expired) (done bool, err error) {
	_, err = c.one(ctx, `WITH gone AS (
	    DELETE FROM deliveries d USING (
	      SELECT message, endpoint FROM deliveries WHERE message = ANY ($1::bytea[]) AND message >= $2 AND message <= $3 LIMIT $4) AS old
	    WHERE d.message = old.message AND d.endpoint = old.endpoint AND d.message >= $2 AND d.message <= $3
	    RETURNING d.message, d.endpoint, d.state),
	  left_queue AS (DELETE FROM queue q USING gone WHERE q.message = gone.message AND q.endpoint = gone.endpoint)
	  SELECT count(*), count(*) FILTER (WHERE state = 0) FROM gone`,
		[]any{m.ids, m.within.low, m.within.high, sliceRows}, func(r *row) error {
			done = r.int(0) < sliceRows
			out.Unsent += int(r.int(1))
			return nil
		})
	return done, err
}
