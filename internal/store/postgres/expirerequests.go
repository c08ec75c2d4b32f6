package postgres

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Requests that were accepted go with the messages of their time, and mostly with
// their partition. The others have a time of their own, and stay beyond that of
// messages if it is longer.

// requestsStay reports whether those that became no message outlive messages.
func (s *slice) requestsStay() bool { return s.keep.Requests > s.keep.Messages }

// removeRequests removes requests of a partition whose messages are old, at most
// sliceRows, counts those that became no message, and reports whether none is left.
func (s *slice) removeRequests(ctx context.Context, c *conn, p span, limit time.Time, out *hook.Expired) (done bool, err error) {
	_, err = c.one(ctx, `WITH gone AS (
	    DELETE FROM requests r USING (
	      SELECT source, id FROM requests WHERE id >= $1 AND id < $2 AND received < $3 AND (state = 0 OR NOT $4) LIMIT $5) AS old
	    WHERE r.source = old.source AND r.id = old.id AND r.id >= $1 AND r.id < $2 RETURNING r.state)
	  SELECT count(*), count(*) FILTER (WHERE state <> 0) FROM gone`, []any{p.from(), p.to(), limit, s.requestsStay(), sliceRows},
		func(r *row) error {
			done = r.int(0) < sliceRows
			out.Requests += int(r.int(1))
			return nil
		})
	return done, err
}

const expireRequests = `SELECT id FROM requests WHERE state <> 0 AND id < $1 AND received < $2 ORDER BY id LIMIT $3`

// oldRequests removes requests that became no message and are older than retention
// keeps them.
func (s *slice) oldRequests(ctx context.Context) (hook.Expired, error) {
	if s.keep.Requests <= 0 {
		return hook.Expired{}, nil
	}
	limit := s.now.Add(-s.keep.Requests)
	return s.write(ctx, func(ctx context.Context, c *conn) (hook.Expired, error) {
		n, err := removeLoose(ctx, c, expireRequests, hook.IDAt(limit.Add(disorder)), limit, sliceRows)
		return hook.Expired{Requests: n, More: n == sliceRows}, err
	})
}

// loneRequests takes the oldest partition of requests out of sight that has no
// messages beside it, once it is all old.
func (s *slice) loneRequests(ctx context.Context) (out hook.Expired, err error) {
	keep := max(s.keep.Requests, s.keep.Messages)
	if keep <= 0 {
		return out, nil
	}
	limit := s.now.Add(-keep)
	// lone gives that partition; old is false if there is none.
	lone := func(found foundPartitions) (p span, old bool) {
		for _, p := range found.of("requests") {
			if !found.has(p, "messages") {
				return p, p.endedBefore(limit)
			}
		}
		return p, false
	}
	some := false
	if err := s.store.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := findPartitions(ctx, c)
		_, some = lone(found)
		return err
	}); err != nil || !some {
		return out, err
	}
	return s.takeOut(ctx, func(ctx context.Context, c *conn) (hook.Expired, error) {
		found, mine, err := takeTables(ctx, c, "requests")
		if err != nil || !mine {
			return hook.Expired{}, err
		}
		p, old := lone(found)
		if !old {
			return hook.Expired{}, nil
		}
		return hook.Expired{More: true}, detachTable(ctx, c, "requests", p)
	})
}
