package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// attemptColumns are what scanAttempt reads, of attempts a with its message m.
const attemptColumns = `a.id, a.message, (SELECT e.id FROM endpoints e WHERE e.seq = a.endpoint), a.number, a.manual, a.url, a.class,
  a.status, a.detail, a.started, a.timings, a.response, a.response_headers, a.request_headers, a.next_due,
  m.event_type, m.channels, m.tags, m.event_id`

func scanAttempt(r *row) (hook.Attempt, error) {
	return hook.Attempt{
		ID: r.id(0), Message: r.id(1), Endpoint: r.id(2), Number: int(r.int(3)), Trigger: hook.Trigger(r.int(4)), URL: r.text(5),
		Outcome:   hook.Outcome{Class: hook.Class(r.int(6)), Status: int(r.int(7)), Detail: r.text(8)},
		StartedAt: r.time(9), Timings: timingsFrom(r.values[10]),
		Response: r.blob(11), ResponseGone: r.null(11), ResponseHeaders: r.blob(12), RequestHeaders: r.blob(13),
		NextDue: r.time(14), EventType: r.text(15), Channels: r.words(16), Tags: r.words(17), EventID: r.text(18),
	}, nil
}

// FindAttempt implements store.Attempts.
func (s *Store) FindAttempt(ctx context.Context, env, app, message, attempt hook.ID) (out hook.Attempt, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		m, err := messageOf(ctx, c, env, app, hook.Ref{ID: message}, false)
		if err != nil {
			return err
		}
		found, err := c.one(ctx, `SELECT `+attemptColumns+` FROM attempts a, messages m
		  WHERE a.message = $2 AND a.id = $3 AND m.app = $1 AND m.id = $2`, []any{m.app, m.ID, attempt}, func(r *row) error {
			out, err = scanAttempt(r)
			return err
		})
		if err == nil && !found {
			err = hook.NotFound("attempt")
		}
		return err
	})
	return out, err
}

// attemptFilter is the part that both lists of attempts share.
const attemptFilter = `
    AND a.id >= $2 AND a.id < $3 AND a.class BETWEEN $8 AND $9 AND a.status BETWEEN $10 AND $11 AND ` + messageFilter

// The LIMIT 1 makes the database look each message up by its key, in the one
// partition that has it, whatever it believes about the tables. Attempts whose
// message is gone are not listed.
var (
	listAttemptsOfEndpoint = newListQuery(`SELECT ` + attemptColumns + ` FROM attempts a
    CROSS JOIN LATERAL (SELECT m.event_type, m.event_id, m.channels, m.tags FROM messages m
      WHERE m.app = $7 AND m.id = a.message LIMIT 1) m
  WHERE a.endpoint = $1` + attemptFilter + ` ORDER BY a.id {dir} LIMIT $12`)
	listAttemptsOfMessage = newListQuery(`SELECT ` + attemptColumns + ` FROM attempts a, messages m
  WHERE a.message = $1 AND m.id = $1 AND m.app = $7 AND ($12::bigint IS NULL OR a.endpoint = $12)` + attemptFilter + `
  ORDER BY a.id {dir} LIMIT $13`)
)

// ListAttempts implements store.Attempts.
func (s *Store) ListAttempts(ctx context.Context, f hook.AttemptFilter) (out hook.PageOf[hook.Attempt], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		app, err := appSeq(ctx, c, f.Env, f.App)
		if err != nil {
			return err
		}
		from, to := idBounds(f.Page, f.After, f.Before)
		minClass, maxClass := classBounds(&f)
		minStatus, maxStatus := statusBounds(f.StatusClass)
		args := []any{nil, from, to, words(f.EventTypes), nullText(f.Channel), nullText(f.Tag), app, minClass, maxClass, minStatus, maxStatus}
		if !f.Endpoint.IsZero() {
			e, err := findEndpoint(ctx, c, f.Env, f.App, app, hook.Ref{ID: f.Endpoint})
			if err != nil {
				return err
			}
			args[0] = e.seq
			out, err = fetch(ctx, c, listAttemptsOfEndpoint, f.Page, args, scanAttempt)
			return err
		}
		m, only, err := attemptsOf(ctx, c, app, &f)
		if err != nil {
			return err
		}
		if first := firstAttempt(&m.Message); compareIDs(first, from) > 0 {
			from = first
		}
		args[0], args[1] = m.ID, from
		out, err = fetch(ctx, c, listAttemptsOfMessage, f.Page, append(args, only), scanAttempt)
		return err
	})
	return out, err
}

// attemptsOf gives the message that a filter is about, and the row key of the
// endpoint to narrow it to, nil for all.
func attemptsOf(ctx context.Context, c *conn, app int64, f *hook.AttemptFilter) (m storedMessage, only any, err error) {
	m, found, err := findMessage(ctx, c, app, hook.Ref{ID: f.Message}, false)
	if err == nil && !found {
		err = hook.NotFound("message")
	}
	if err == nil && !f.OfEndpoint.IsZero() {
		only, err = anyEndpoint(ctx, c, app, f.OfEndpoint)
	}
	return m, only, err
}

// firstAttempt is below the ids of all attempts of a message: it bounds the
// partitions to look into.
func firstAttempt(m *hook.Message) hook.ID { return hook.IDAt(m.ID.Time().Add(-disorder)) }

// classBounds is the range of hook.Class that a filter lets through.
func classBounds(f *hook.AttemptFilter) (from, to int) {
	from, to = int(hook.Success), len(hook.Classes)-1
	if f.OnlyFailed {
		from = int(hook.Success) + 1
	}
	if f.OnlySuccess {
		to = int(hook.Success)
	}
	return from, to
}

// statusBounds is the range of HTTP statuses of a class: 0 is no answer, and
// all that an answer below 100 would have been.
func statusBounds(class int) (from, to int) {
	switch {
	case class < 0:
		return 0, 999
	case class < 100:
		return 0, 99
	}
	return class, class + 99
}

// ExpungeAttempt implements store.Attempts.
func (s *Store) ExpungeAttempt(ctx context.Context, env, app, message, attempt hook.ID) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		m, err := messageOf(ctx, c, env, app, hook.Ref{ID: message}, false)
		if err != nil {
			return err
		}
		n, err := c.exec(ctx, `UPDATE attempts SET response = NULL, response_headers = NULL WHERE message = $1 AND id = $2`, m.ID, attempt)
		if err == nil && n == 0 {
			err = hook.NotFound("attempt")
		}
		return err
	})
}
