package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// storedMessage is a message with its row key.
type storedMessage struct {
	hook.Message
	seq int64
}

// messageColumns are what scanMessage reads, of messages m.
const (
	messageColumns = `m.seq, m.id, m.event_type, m.event_id, m.channels, m.tags, m.content_type, m.size, m.created, m.deliver_at,
	  m.body IS NULL`
	bodyColumns = `m.body, m.envelope`
	noBody      = `NULL, NULL`
)

func scanMessage(r *row) (storedMessage, error) {
	m := storedMessage{seq: r.int(0), Message: hook.Message{
		ID: r.id(1), EventType: r.text(2), EventID: r.text(3), ContentType: contentType(r, 6),
		BodySize: int(r.int(7)), CreatedAt: r.time(8), DeliverAt: r.time(9), BodyGone: r.bool(10), Body: r.blob(11),
	}}
	if err := firstError(fromJSON(r, 4, &m.Channels), fromJSON(r, 5, &m.Tags), fromJSON(r, 12, &m.Envelope)); err != nil {
		return m, fmt.Errorf("message %s: %w", hook.KindMessage.Format(m.ID), err)
	}
	return m, nil
}

func bodyOrNot(with bool) string {
	if with {
		return bodyColumns
	}
	return noBody
}

// findMessage gives a message of an application without its owner's ids.
func findMessage(ctx context.Context, c *conn, app int64, ref hook.Ref, withBody bool) (m storedMessage, found bool, err error) {
	q := `SELECT ` + messageColumns + `, ` + bodyOrNot(withBody) + ` FROM messages m WHERE m.app = ? AND m.id = ?`
	key := any(ref.ID)
	if ref.UID != "" {
		q = `SELECT ` + messageColumns + `, ` + bodyOrNot(withBody) + ` FROM message_keys k
		  JOIN messages m ON m.seq = k.message
		  WHERE k.app = ? AND k.event_id = ?`
		key = ref.UID
	}
	found, err = c.one(ctx, q, []any{app, key}, func(r *row) error {
		m, err = scanMessage(r)
		return err
	})
	return m, found, err
}

// appSeq gives the row key of an application that is not deleted.
func appSeq(ctx context.Context, c *conn, env, app hook.ID) (seq int64, err error) {
	found, err := c.one(ctx, `SELECT seq FROM applications WHERE id = ? AND env = ? AND deleted IS NULL`, []any{app, env},
		func(r *row) error {
			seq = r.int(0)
			return nil
		})
	if err == nil && !found {
		err = hook.NotFound("application")
	}
	return seq, err
}

// messageOf gives a message or CodeNotFound, with its owner's ids.
func messageOf(ctx context.Context, c *conn, env, app hook.ID, ref hook.Ref, withBody bool) (storedMessage, error) {
	a, err := appSeq(ctx, c, env, app)
	if err != nil {
		return storedMessage{}, err
	}
	m, found, err := findMessage(ctx, c, a, ref, withBody)
	if err == nil && !found {
		err = hook.NotFound("message")
	}
	m.Env, m.App = env, app
	return m, err
}

// FindMessage implements store.Messages.
func (s *Store) FindMessage(ctx context.Context, env, app hook.ID, ref hook.Ref, withBody bool) (hook.Message, error) {
	var out storedMessage
	err := s.read(ctx, func(ctx context.Context, c *conn) (err error) {
		out, err = messageOf(ctx, c, env, app, ref, withBody)
		return err
	})
	return out.Message, err
}

// messageFilter is the part of a WHERE that filters messages m by event types
// (a JSON list), channel and tag, each NULL for all.
const messageFilter = `(?4 IS NULL OR m.event_type IN (SELECT value FROM json_each(?4)))
    AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(m.channels) WHERE value = ?5))
    AND (?6 IS NULL OR EXISTS (SELECT 1 FROM json_each(m.tags) WHERE value = ?6))`

var listMessages = newListQuery(`SELECT ` + messageColumns + `, CASE WHEN ?7 THEN m.body END, CASE WHEN ?7 THEN m.envelope END
  FROM messages m INDEXED BY messages_app
  WHERE m.app = ?1 AND m.id >= ?2 AND m.id < ?3 AND ` + messageFilter + ` ORDER BY m.id {dir} LIMIT ?8`)

// ListMessages implements store.Messages. Rows that a filter passes over are
// searched for during Options.ReadTimeout at most.
func (s *Store) ListMessages(ctx context.Context, f hook.MessageFilter) (out hook.PageOf[hook.Message], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		a, err := appSeq(ctx, c, f.Env, f.App)
		if err != nil {
			return err
		}
		from, to := idBounds(f.Page, f.After, f.Before)
		out, err = fetch(ctx, c, listMessages, f.Page,
			[]any{a, from, to, jsonList(f.EventTypes), nullText(f.Channel), nullText(f.Tag), f.WithBody},
			func(r *row) (hook.Message, error) {
				m, err := scanMessage(r)
				m.Env, m.App = f.Env, f.App
				return m.Message, err
			})
		return err
	})
	return out, err
}

// ExpungeMessage implements store.Messages.
func (s *Store) ExpungeMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) error {
	return s.write(ctx, func(c *conn) error {
		m, err := messageOf(ctx, c, env, app, ref, false)
		if err != nil {
			return err
		}
		_, err = c.exec(`UPDATE messages SET body = NULL, envelope = NULL, body_expires = NULL WHERE seq = ?`, m.seq)
		return err
	})
}

// disorder is how far the order of commits may differ from the order of ids and
// of times: a message waits for the disk after it got them.
const disorder = time.Minute

// maxSeq is above every row key.
const maxSeq = int64(1) << 62

// seqRange gives row keys, both exclusive, between which lie all messages of an
// application that were created from since to until; zero times bound nothing.
// Others lie between them too, so whoever uses it looks at the time as well.
func seqRange(ctx context.Context, c *conn, app int64, since, until time.Time) (from, to int64, err error) {
	to = maxSeq
	seq := func(into *int64) func(*row) error {
		return func(r *row) error {
			*into = r.int(0)
			return nil
		}
	}
	if !since.IsZero() {
		if _, err := c.one(ctx, `SELECT seq FROM messages INDEXED BY messages_app WHERE app = ? AND id < ? ORDER BY id DESC LIMIT 1`,
			[]any{app, hook.IDAt(since.Add(-disorder))}, seq(&from)); err != nil {
			return 0, 0, err
		}
	}
	if !until.IsZero() {
		if _, err := c.one(ctx, seqFromID, []any{app, hook.IDAt(until.Add(disorder))}, seq(&to)); err != nil {
			return 0, 0, err
		}
	}
	return from, to, nil
}

// seqFromID gives the row key of the first message of an application from an id on.
const seqFromID = `SELECT seq FROM messages INDEXED BY messages_app WHERE app = ? AND id >= ? ORDER BY id LIMIT 1`
