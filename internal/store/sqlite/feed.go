package sqlite

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// feedLook is how many entries a feed of one environment looks at in one call.
const feedLook = 1000

// The feeds walk the row keys, which the writer hands out in the order of commits.
const (
	messageFeed = `SELECT m.seq, m.id, NULL, NULL, a.id, a.env FROM messages m CROSS JOIN applications a ON a.seq = m.app
  WHERE m.seq > ? ORDER BY m.seq LIMIT ?`
	attemptFeed = `SELECT t.seq, m.id, t.id, e.id, a.id, a.env FROM attempts t CROSS JOIN messages m ON m.seq = t.message
    CROSS JOIN endpoints e ON e.seq = t.endpoint CROSS JOIN applications a ON a.seq = m.app
  WHERE t.seq > ? ORDER BY t.seq LIMIT ?`
)

func feedQuery(kind hook.FeedKind) string {
	if kind == hook.FeedAttempts {
		return attemptFeed
	}
	return messageFeed
}

// ReadFeed implements store.Feed. For one environment it looks at 1,000 entries
// at most, or limit if that is more: a page may have nothing and yet more behind it.
func (s *Store) ReadFeed(ctx context.Context, kind hook.FeedKind, env hook.ID, after hook.Cursor, limit int) (hook.FeedPage, error) {
	look := limit
	if !env.IsZero() {
		look = max(limit, feedLook)
	}
	page := hook.FeedPage{Next: after}
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		looked := 0
		return c.query(ctx, feedQuery(kind), []any{after.Commit, look + 1}, func(r *row) error {
			if looked == look || len(page.Items) == limit {
				page.More = true
				return nil
			}
			looked++
			page.Next = hook.Cursor{Commit: r.int(0)}
			if item := scanFeed(r); env.IsZero() || item.Env == env {
				page.Items = append(page.Items, item)
			}
			return nil
		})
	})
	if err != nil {
		return hook.FeedPage{}, err
	}
	return page, nil
}

func scanFeed(r *row) hook.FeedItem {
	return hook.FeedItem{Message: r.id(1), Attempt: r.id(2), Endpoint: r.id(3), App: r.id(4), Env: r.id(5)}
}

// FeedEnd implements store.Feed.
func (s *Store) FeedEnd(ctx context.Context, kind hook.FeedKind) (end hook.Cursor, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		end.Commit, err = feedEnd(ctx, c, kind)
		return err
	})
	return end, err
}

// feedEnd gives the highest row key that was ever handed out: that of the last
// entry, or of one that retention has removed since.
func feedEnd(ctx context.Context, c *conn, kind hook.FeedKind) (seq int64, err error) {
	q := `SELECT max(coalesce((SELECT max(seq) FROM messages), 0), (SELECT value FROM meta WHERE name = 'last_message'))`
	if kind == hook.FeedAttempts {
		q = `SELECT max(coalesce((SELECT max(seq) FROM attempts), 0), (SELECT value FROM meta WHERE name = 'last_attempt'))`
	}
	_, err = c.one(ctx, q, nil, func(r *row) error {
		seq = r.int(0)
		return nil
	})
	return seq, err
}
