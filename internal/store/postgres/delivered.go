package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// allDelivered reports whether all leases of a batch were given at accept and
// their attempts succeeded, which is so for most batches.
func allDelivered(batch []hook.Settlement) bool {
	for i := range batch {
		s := &batch[i]
		if !s.Lease.AtAccept || !tried(s) || s.Attempt.Outcome.Class != hook.Success {
			return false
		}
	}
	return true
}

// settleAtOnce does all that settling does for such a batch, in one statement: the
// deliveries whose lease is still the node's, their attempts, resends that were
// asked for meanwhile, and the clocks of endpoints that had been failing.
const settleAtOnce = `WITH ended AS (` + endLeases + `),
  g AS (SELECT * FROM unnest($1::bytea[], $2::bigint[], $12::bytea[], $13::integer[], $14::boolean[], $15::smallint[], $10::integer[],
      $16::text[], $17::text[], $18::bigint[], $19::bytea[], $20::bytea[], $21::bytea[], $22::bytea[])
    AS g(message, endpoint, id, number, manual, class, status, detail, url, started, timings, response, response_headers, request_headers)),
  tried AS (INSERT INTO attempts (id, message, endpoint, txid, number, manual, class, status, detail, url, started, timings,
      next_due, response, response_headers, request_headers)
    SELECT g.id, g.message, g.endpoint, (SELECT pg_current_xact_id()::text::bigint), g.number, g.manual, g.class, g.status, g.detail,
      g.url, g.started, g.timings, NULL, g.response, g.response_headers, g.request_headers
    FROM g WHERE (g.message, g.endpoint) IN (SELECT message, endpoint FROM ended WHERE NOT again)),
  queued AS (INSERT INTO queue (message, endpoint, retry, due)
    SELECT message, endpoint, true, due FROM ended WHERE due IS NOT NULL AND NOT again
    ON CONFLICT (message, endpoint) DO UPDATE SET retry = true, due = excluded.due, node = NULL),
  recovered AS (UPDATE endpoints e SET failing_since = NULL
    WHERE e.seq = ANY (SELECT endpoint FROM ended WHERE NOT again) AND e.failing_since IS NOT NULL)
  SELECT message, endpoint, due, manual, again FROM ended`

func (s *Store) settleDelivered(ctx context.Context, batch []hook.Settlement) (out []hook.Settled, err error) {
	st := newSettling(batch)
	a := st.attemptColumns(func(int) bool { return true })
	args := append(st.leaseColumns(), a.id, a.number, a.manual, a.class, a.detail, a.url, a.started, a.timings,
		a.response, a.responseHeaders, a.requestHeaders)
	var gone deliveryKeys
	err = s.autocommit(ctx, func(ctx context.Context, c *conn) error {
		gone = deliveryKeys{}
		err := c.query(ctx, settleAtOnce, args, func(r *row) error {
			if r.bool(4) {
				gone.add(r.id(0), r.int(1))
				return nil
			}
			st.out[st.place[deliveryKey{r.id(0), r.int(1)}]] = hook.Settled{Due: r.time(2), Retry: !r.null(2)}
			return nil
		})
		if err != nil {
			return err
		}
		return gone.remove(ctx, c)
	})
	if err != nil {
		return nil, err
	}
	for i := range st.out {
		if st.out[i].Lost { // rare: find out whether it is recorded already
			return st.out, s.write(ctx, st.recallLost)
		}
	}
	return st.out, nil
}
