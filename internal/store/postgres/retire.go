package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

const (
	// bigPartition is how many messages a partition has at most that is emptied row
	// by row: more are dropped with it.
	bigPartition = 10_000
	// detachedPrefix begins the names of tables that were partitions.
	detachedPrefix = "expired_"
	// detachTries is how often a partition is tried to be taken out in one call.
	detachTries = 5
	// dropLock is the advisory lock of whoever takes partitions out or removes such
	// tables. Who reads everything shares it: nobody then tries to take the tables to
	// himself, for which all others would have to wait behind the reader.
	dropLock = partitionLock + 1
)

// from and to bound the ids of a partition as a half-open range.
func (s span) from() hook.ID { return hook.IDAt(s.From) }
func (s span) to() hook.ID   { return hook.IDAt(s.To) }

// endedBefore reports whether all that is in the partition is older than limit.
func (s span) endedBefore(limit time.Time) bool { return !s.To.After(limit.Add(-disorder)) }

// isBig reports whether the partition has too many messages to remove them one by one.
func (s span) isBig(ctx context.Context, c *conn) (big bool, err error) {
	_, err = c.one(ctx, `SELECT count(*) FROM (SELECT 1 FROM messages WHERE id >= $1 AND id < $2 LIMIT $3) AS page`,
		[]any{s.from(), s.to(), bigPartition + 1}, func(r *row) error {
			big = r.int(0) > bigPartition
			return nil
		})
	return big, err
}

// retire removes a partition that is all old, in several slices: first what refers
// to it from outside, a bounded number of rows at a time, then the tables themselves.
func (s *slice) retire(ctx context.Context, p span) (hook.Expired, error) {
	more := false
	out, err := s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		n, err := c.exec(ctx, `DELETE FROM message_keys WHERE ctid = ANY (ARRAY(
		  SELECT ctid FROM message_keys WHERE message >= $1 AND message < $2 LIMIT $3))`, p.from(), p.to(), sliceRows)
		if err != nil {
			return out, err
		}
		if s.requestsStay() {
			done, err := s.removeRequests(ctx, c, p, s.now, &out)
			if err != nil || !done {
				more, out.More = true, true
				return out, err
			}
		}
		waited := 0
		out.Unsent, waited, err = s.endWaiting(ctx, c, `DELETE FROM queue q USING (
		    SELECT message, endpoint FROM queue WHERE message >= $1 AND message < $2 AND node IS NULL
		    ORDER BY message, endpoint LIMIT $3 FOR UPDATE SKIP LOCKED) AS old
		  WHERE q.message = old.message AND q.endpoint = old.endpoint RETURNING q.message, q.endpoint`, p.from(), p.to(), sliceRows)
		more = n == sliceRows || waited == sliceRows
		out.More = more
		return out, err
	})
	if err != nil || more {
		return out, err
	}
	last, err := s.detach(ctx, p)
	out.Unsent += last.Unsent
	out.More = last.More
	return out, err
}

// detach takes a partition out of sight, with the little that still refers to it.
// It needs the tables to itself for a moment: transactions that use them in
// another order wait for it while it waits for them, so it gives up soon and tries
// again.
func (s *slice) detach(ctx context.Context, p span) (out hook.Expired, err error) {
	return s.takeOut(ctx, func(ctx context.Context, c *conn) (hook.Expired, error) { return detach(ctx, c, p, s.requestsStay()) })
}

// takeOut runs a transaction that takes a partition out of sight.
func (s *slice) takeOut(ctx context.Context, fn func(ctx context.Context, c *conn) (hook.Expired, error)) (out hook.Expired, err error) {
	for range detachTries {
		out, err = s.write(ctx, fn)
		if pgCode(err) != codeLockTimeout {
			break
		}
	}
	switch {
	case pgCode(err) == codeLockTimeout: // another time
		return hook.Expired{}, nil
	case err != nil:
		return hook.Expired{}, err
	}
	return out, s.store.partitions.load(ctx)
}

func detach(ctx context.Context, c *conn, p span, requestsStay bool) (out hook.Expired, err error) {
	if held, err := heldBack(ctx, c, p); err != nil || held {
		return hook.Expired{More: held}, err
	}
	found, mine, err := takeTables(ctx, c, "messages", "deliveries", "attempts", "requests")
	if err != nil || !mine || !found.has(p, "messages") { // another time, or another node was first
		return out, err
	}
	if _, err := c.one(ctx, `WITH gone AS (DELETE FROM queue WHERE message >= $1 AND message < $2 RETURNING message, endpoint)
	  SELECT count(*) FROM gone g JOIN deliveries d ON d.message = g.message AND d.endpoint = g.endpoint
	  WHERE d.message >= $1 AND d.message < $2 AND d.state = 0`, []any{p.from(), p.to()}, func(r *row) error {
		out.Unsent = int(r.int(0))
		return nil
	}); err != nil {
		return out, err
	}
	if _, err := c.exec(ctx, `DELETE FROM message_keys WHERE message >= $1 AND message < $2`, p.from(), p.to()); err != nil {
		return out, err
	}
	for _, t := range partitioned {
		if t.table == "requests" && (requestsStay || !found.has(p, t.table)) {
			continue
		}
		if err := detachTable(ctx, c, t.table, p); err != nil {
			return out, err
		}
	}
	out.More = true // the tables are to be removed
	return out, nil
}

// takeTables takes the right to take partitions of these tables out, and says which
// there are; mine is false if somebody else has it.
func takeTables(ctx context.Context, c *conn, tables ...string) (found foundPartitions, mine bool, err error) {
	if mine, err = mayDrop(ctx, c); err != nil || !mine {
		return nil, false, err
	}
	if err := giveUpSoon(ctx, c, fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, int64(partitionLock))); err != nil {
		return nil, false, err
	}
	if _, err := c.exec(ctx, `LOCK TABLE ONLY `+strings.Join(tables, `, ONLY `)+` IN ACCESS EXCLUSIVE MODE`); err != nil {
		return nil, false, err
	}
	found, err = findPartitions(ctx, c)
	return found, true, err
}

func detachTable(ctx context.Context, c *conn, table string, p span) error {
	name := table + "_" + p.name()
	for _, q := range []string{
		fmt.Sprintf(`ALTER TABLE %s DETACH PARTITION %s`, table, name),
		fmt.Sprintf(`ALTER TABLE %s RENAME TO %s`, name, detachedPrefix+name),
	} {
		if _, err := c.exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// giveUpSoon runs a statement that takes a lock, and the rest of the transaction,
// with little patience: others would wait behind it. The error is codeLockTimeout.
func giveUpSoon(ctx context.Context, c *conn, query string) error {
	if _, err := c.exec(ctx, `SET LOCAL lock_timeout = '100ms'`); err != nil {
		return err
	}
	_, err := c.exec(ctx, query)
	return err
}

// detached removes one table that was a partition, and counts what was in it.
// That takes as long as reading it once, and nobody waits for it.
func (s *slice) detached(ctx context.Context) (hook.Expired, error) {
	return s.long(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		var tables []string
		if err := c.query(ctx, `SELECT k.relname::text FROM pg_class k JOIN pg_class m ON m.relnamespace = k.relnamespace
		  WHERE m.oid = 'messages'::regclass AND k.relkind = 'r' AND starts_with(k.relname, $1) ORDER BY 1 LIMIT 2`,
			[]any{detachedPrefix}, func(r *row) error {
				tables = append(tables, r.text(0))
				return nil
			}); err != nil || len(tables) == 0 {
			return out, err
		}
		if mine, err := mayDrop(ctx, c); err != nil || !mine {
			return out, err
		}
		out, err = dropDetached(ctx, c, tables[0])
		out.More = len(tables) > 1
		return out, err
	})
}

// mayDrop takes dropLock for the rest of the transaction if it is free.
func mayDrop(ctx context.Context, c *conn) (mine bool, err error) {
	_, err = c.one(ctx, `SELECT pg_try_advisory_xact_lock($1)`, []any{int64(dropLock)}, func(r *row) error {
		mine = r.bool(0)
		return nil
	})
	return mine, err
}

func dropDetached(ctx context.Context, c *conn, table string) (out hook.Expired, err error) {
	name := pgx.Identifier{table}.Sanitize()
	kind, _, _ := strings.Cut(strings.TrimPrefix(table, detachedPrefix), "_")
	switch kind {
	case "messages":
		_, err = c.one(ctx, `SELECT count(*), count(body) FROM `+name, nil, func(r *row) error {
			out.Messages, out.Payloads = int(r.int(0)), int(r.int(1))
			return nil
		})
	case "attempts":
		out.Attempts, err = countRows(ctx, c, name)
	case "requests":
		out.Requests, err = countRows(ctx, c, name+` WHERE state <> 0`)
	}
	if err != nil {
		return out, err
	}
	_, err = c.exec(ctx, `DROP TABLE `+name)
	return out, err
}

func countRows(ctx context.Context, c *conn, from string) (n int, err error) {
	_, err = c.one(ctx, `SELECT count(*) FROM `+from, nil, func(r *row) error {
		n = int(r.int(0))
		return nil
	})
	return n, err
}
