package postgres

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// storedMessage is a message with what the store keeps beside it.
type storedMessage struct {
	hook.Message
	app    int64 // applications.seq
	config int64 // applications.version at accept
}

// messageColumns are what scanMessage reads, of messages m; the columns of the body,
// or NULL for each, come behind them.
const (
	messageColumns = `m.id, m.app, m.config, m.event_type, m.event_id, m.channels, m.tags, m.content_type, m.size, m.created,
  m.deliver_at, m.body IS NULL`
	messageColumnCount = 12
	bodyColumns        = `m.body, m.envelope`
	bodyColumnCount    = 2
	noBody             = `NULL::bytea, NULL::bytea`
)

func scanMessage(r *row) (storedMessage, error) {
	envelope, err := scanEnvelope(r, messageColumnCount+1)
	return storedMessage{app: r.int(1), config: r.int(2), Message: hook.Message{
		ID: r.id(0), EventType: r.text(3), EventID: r.text(4), Channels: r.words(5), Tags: r.words(6),
		ContentType: contentType(r, 7), BodySize: int(r.int(8)), CreatedAt: r.time(9), DeliverAt: r.time(10),
		BodyGone: r.bool(11), Body: r.blob(messageColumnCount), Envelope: envelope,
	}}, err
}

func contentType(r *row, i int) string {
	if r.null(i) {
		return "application/json"
	}
	return r.text(i)
}

func bodyOrNot(with bool) string {
	if with {
		return bodyColumns
	}
	return noBody
}

// findMessage gives a message of an application without its owner's ids.
func findMessage(ctx context.Context, c *conn, app int64, ref hook.Ref, withBody bool) (m storedMessage, found bool, err error) {
	id := ref.ID
	if ref.UID != "" {
		// The id is asked for first, so that the message is looked for in one partition.
		found, err = c.one(ctx, `SELECT message FROM message_keys WHERE app = $1 AND event_id = $2`, []any{app, ref.UID}, func(r *row) error {
			id = r.id(0)
			return nil
		})
		if err != nil || !found {
			return m, false, err
		}
	}
	found, err = c.one(ctx, `SELECT `+messageColumns+`, `+bodyOrNot(withBody)+` FROM messages m WHERE m.app = $1 AND m.id = $2`,
		[]any{app, id}, func(r *row) (err error) {
			m, err = scanMessage(r)
			return err
		})
	return m, found, err
}

// appSeq gives the row key of an application that is not deleted.
func appSeq(ctx context.Context, c *conn, env, app hook.ID) (seq int64, err error) {
	found, err := c.one(ctx, `SELECT seq FROM applications WHERE id = $1 AND env = $2 AND deleted IS NULL`, []any{app, env},
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

// messageFilter is the part of a WHERE that filters messages m by event types,
// channel and tag, each NULL for all.
const messageFilter = `($4::text[] IS NULL OR m.event_type = ANY ($4))
    AND ($5::text IS NULL OR $5 = ANY (m.channels)) AND ($6::text IS NULL OR $6 = ANY (m.tags))`

var listMessages = newListQuery(`SELECT ` + messageColumns + `, CASE WHEN $7 THEN m.body END, CASE WHEN $7 THEN m.envelope END
  FROM messages m WHERE m.app = $1 AND m.id >= $2 AND m.id < $3 AND ` + messageFilter + ` ORDER BY m.id {dir} LIMIT $8`)

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
			[]any{a, from, to, words(f.EventTypes), nullText(f.Channel), nullText(f.Tag), f.WithBody},
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
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		m, err := messageOf(ctx, c, env, app, ref, false)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, `UPDATE messages SET body = NULL, envelope = NULL, body_expires = NULL WHERE app = $1 AND id = $2`, m.app, m.ID)
		return err
	})
}

// disorder is how far the order of commits and the times of messages and attempts
// may differ from the order of their ids: they wait for the database after they got them.
const disorder = time.Minute
