package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// intoQueue makes the deliveries that the statement before, named freed, has given
// back wait in the queue.
const intoQueue = `INSERT INTO queue (message, endpoint, retry, due) SELECT message, endpoint, retry, due FROM freed
  ON CONFLICT (message, endpoint) DO UPDATE SET retry = excluded.retry, due = excluded.due, node = NULL`

// releaseLeases gives single leases back, and gives those that were there.
var releaseLeases = `WITH freed AS (UPDATE deliveries d SET ` + strings.ReplaceAll(backInLane, "{due}", "g.due") + `, updated = $6
    FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS g(message, endpoint, node, epoch, due)
    WHERE d.message = g.message AND d.endpoint = g.endpoint AND d.node = g.node AND d.epoch = g.epoch
      AND d.message = ANY($1) AND d.message >= $7 AND d.message <= $8
    RETURNING d.message, d.endpoint, d.retry, d.due), queued AS (` + intoQueue + `)
  SELECT message, endpoint FROM freed`

// CancelLane implements store.Queue.
func (s *Store) CancelLane(ctx context.Context, endpoint hook.ID, reason hook.Reason, now time.Time, limit int) (n int, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		n = 0
		var seq int64
		open := false
		found, err := c.one(ctx, `SELECT e.seq, e.deleted IS NULL AND a.deleted IS NULL AND e.disabled = 0
		  FROM endpoints e JOIN applications a ON a.seq = e.app WHERE e.id = $1`, []any{endpoint}, func(r *row) error {
			seq, open = r.int(0), r.bool(1)
			return nil
		})
		// Its owner may have enabled it since: then there is nothing to cancel.
		if err != nil || !found || open && reason != hook.ReasonByUser {
			return err
		}
		n, err = cancelSome(ctx, c, seq, reason, now, limit)
		return err
	})
	return n, err
}

// cancelSome cancels at most limit deliveries that wait for an endpoint.
func cancelSome(ctx context.Context, c *conn, endpoint int64, reason hook.Reason, now time.Time, limit int) (int, error) {
	var keys deliveryKeys
	var within idRange
	err := c.query(ctx, `SELECT message FROM queue WHERE endpoint = $1 AND node IS NULL ORDER BY retry, due LIMIT $2 FOR UPDATE`,
		[]any{endpoint, limit}, func(r *row) error {
			keys.add(r.id(0), endpoint)
			within.add(r.id(0))
			return nil
		})
	if err != nil || len(keys.message) == 0 {
		return 0, err
	}
	// A resend that waits is dropped, but its delivery keeps its state.
	if _, err := c.exec(ctx, `UPDATE deliveries d SET due = NULL, auto_due = NULL, manual = false, updated = $3,
	    reason = CASE state WHEN 0 THEN $4 ELSE reason END, state = CASE state WHEN 0 THEN $5 ELSE state END
	  FROM unnest($1::bytea[], $2::bigint[]) AS g(message, endpoint)
	  WHERE d.message = g.message AND d.endpoint = g.endpoint AND d.message = ANY($1) AND d.message >= $6 AND d.message <= $7`,
		keys.message, keys.endpoint, now, int(reason), int(hook.Canceled), within.low, within.high); err != nil {
		return 0, err
	}
	if err := keys.endRetrying(ctx, c); err != nil {
		return 0, err
	}
	_, err = c.exec(ctx, deleteQueue, keys.message, keys.endpoint)
	return len(keys.message), err
}
