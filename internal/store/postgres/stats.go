package postgres

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// countBound is where QueueStats stops counting.
	countBound = 10_000
	// laneBound is how many lanes it looks at for the oldest delivery.
	laneBound = 10_000
)

const countQueue = `SELECT count(*) FROM (SELECT 1 FROM queue WHERE node IS NULL LIMIT $1) AS bounded`

// oldestDue skips from lane to lane, as Lanes does.
const oldestDue = `WITH RECURSIVE lanes AS (
    (SELECT endpoint, retry, due FROM queue WHERE node IS NULL ORDER BY endpoint, retry, due LIMIT 1)
    UNION ALL
    SELECT n.endpoint, n.retry, n.due FROM lanes l CROSS JOIN LATERAL (
      SELECT endpoint, retry, due FROM queue WHERE node IS NULL AND (endpoint, retry) > (l.endpoint, l.retry)
      ORDER BY endpoint, retry, due LIMIT 1) n)
  SELECT min(due) FROM (SELECT due FROM lanes LIMIT $2) AS bounded WHERE due <= $1`

// QueueStats implements store.Queue. Its cost is bounded: it counts 10,000
// deliveries at most, and looks at the first delivery of 10,000 lanes at most.
func (s *Store) QueueStats(ctx context.Context, now time.Time) (out hook.QueueStats, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		if _, err := c.one(ctx, countQueue, []any{countBound}, func(r *row) error {
			out.Due = r.int(0)
			return nil
		}); err != nil {
			return err
		}
		_, err := c.one(ctx, oldestDue, []any{now, laneBound}, func(r *row) error {
			out.OldestDue = r.time(0)
			return nil
		})
		return err
	})
	return out, err
}
