package sqlite

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// countBound is where QueueStats stops counting.
	countBound = 10_000
	// laneBound is how many lanes it looks at for the oldest delivery.
	laneBound = 10_000
)

// QueueStats implements store.Queue. Its cost is bounded: it counts 10,000
// deliveries at most, and looks at the first delivery of 10,000 lanes at most.
func (s *Store) QueueStats(ctx context.Context, now time.Time) (out hook.QueueStats, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		if _, err := c.one(ctx, `SELECT count(*) FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_queue
		  WHERE endpoint >= 0 AND due IS NOT NULL AND node IS NULL LIMIT ?)`, []any{countBound}, func(r *row) error {
			out.Due = r.int(0)
			return nil
		}); err != nil {
			return err
		}
		out.OldestDue, err = oldestDue(ctx, c, now)
		return err
	})
	return out, err
}

// oldestDue skips from lane to lane, as Lanes does.
func oldestDue(ctx context.Context, c *conn, now time.Time) (oldest time.Time, err error) {
	endpoint, lane := int64(0), int64(laneRetry)
	for range laneBound {
		due, found, err := skipLane(ctx, c, &endpoint, &lane)
		if err != nil || !found {
			return oldest, err
		}
		if !due.After(now) && (oldest.IsZero() || due.Before(oldest)) {
			oldest = due
		}
	}
	return oldest, nil
}

// PagesVisited is how many pages of the file all connections have looked at so
// far, in memory or on disk: the work that the store has done, free of any clock.
func (s *Store) PagesVisited(ctx context.Context) (sum int64, err error) {
	for range s.nread {
		if err := s.read(ctx, func(_ context.Context, c *conn) error { return c.addPages(&sum) }); err != nil {
			return 0, err
		}
	}
	return sum, s.write(ctx, func(c *conn) error { return c.addPages(&sum) })
}

// addPages adds the pages that one connection has looked at.
func (c *conn) addPages(sum *int64) error {
	const size = 4 // a C int
	values := c.tls.Alloc(2 * size)
	defer c.tls.Free(2 * size)
	for _, op := range []int32{sqlite3.SQLITE_DBSTATUS_CACHE_HIT, sqlite3.SQLITE_DBSTATUS_CACHE_MISS} {
		if rc := sqlite3.Xsqlite3_db_status(c.tls, c.db, op, values, values+size, 0); rc != sqlite3.SQLITE_OK {
			return c.failure(rc, "read a counter")
		}
		*sum += int64(binary.NativeEndian.Uint32(bytesAt(values, size)))
	}
	return nil
}
