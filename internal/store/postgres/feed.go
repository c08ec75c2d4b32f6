package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// The feed is in the order of transaction ids, and ends before the oldest
// transaction that is still under way: whatever commits later comes later. A
// cursor names the transaction and the id within it.
const (
	feedEnd = `(SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint)`

	feedMessages = `SELECT m.txid, m.id, a.id, a.env, NULL::bytea, NULL::bytea
  FROM messages m JOIN applications a ON a.seq = m.app
  WHERE m.txid >= $1 AND (m.txid, m.id) > ($1, $2) AND m.txid < ` + feedEnd + ` ORDER BY m.txid, m.id LIMIT $3`

	feedAttempts = `SELECT t.txid, t.message, a.id, a.env, t.id, e.id
  FROM attempts t JOIN endpoints e ON e.seq = t.endpoint JOIN applications a ON a.seq = e.app
  WHERE t.txid >= $1 AND (t.txid, t.id) > ($1, $2) AND t.txid < ` + feedEnd + ` ORDER BY t.txid, t.id LIMIT $3`
)

// ReadFeed implements store.Feed. With an environment it looks at no more than
// limit entries, and may give none though there are more.
func (s *Store) ReadFeed(ctx context.Context, kind hook.FeedKind, env hook.ID, after hook.Cursor, limit int) (p hook.FeedPage, err error) {
	query := feedMessages
	if kind == hook.FeedAttempts {
		query = feedAttempts
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		p = hook.FeedPage{Next: after}
		looked := 0
		// One more than asked for tells whether there is more.
		err := c.query(ctx, query, []any{after.Commit, within(after), limit + 1}, func(r *row) error {
			if looked++; looked > limit {
				return nil
			}
			i := hook.FeedItem{Message: r.id(1), App: r.id(2), Env: r.id(3), Attempt: r.id(4), Endpoint: r.id(5)}
			p.Next = hook.Cursor{Commit: r.int(0), Within: i.Message}
			if kind == hook.FeedAttempts {
				p.Next.Within = i.Attempt
			}
			if env.IsZero() || i.Env == env {
				p.Items = append(p.Items, i)
			}
			return nil
		})
		p.More = looked > limit
		return err
	})
	return p, err
}

// within is the id after which a cursor goes on in its transaction.
func within(c hook.Cursor) hook.ID {
	if c.Within.IsZero() {
		return lastID
	}
	return c.Within
}

// FeedEnd implements store.Feed.
func (s *Store) FeedEnd(ctx context.Context, _ hook.FeedKind) (end hook.Cursor, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.one(ctx, `SELECT `+feedEnd, nil, func(r *row) error {
			end.Commit = r.int(0) - 1
			return nil
		})
		return err
	})
	return end, err
}
