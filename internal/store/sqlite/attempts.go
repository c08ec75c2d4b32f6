package sqlite

import (
	"context"
	"fmt"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// attemptColumns are what scanAttempt reads, of attempts a with its message m
// and its endpoint e.
const attemptColumns = `a.id, m.id, e.id, a.number, a.manual, a.url, a.class, a.status, a.detail, a.started, a.timings,
  a.response, a.response_headers, a.request_headers, a.next_due, m.event_type, m.channels, m.tags, m.event_id`

func scanAttempt(r *row) (hook.Attempt, error) {
	a := hook.Attempt{
		ID: r.id(0), Message: r.id(1), Endpoint: r.id(2), Number: int(r.int(3)), Trigger: hook.Trigger(r.int(4)), URL: r.text(5),
		Outcome:   hook.Outcome{Class: hook.Class(r.int(6)), Status: int(r.int(7)), Detail: r.text(8)},
		StartedAt: r.time(9), Timings: timingsFrom(r.blob(10)),
		Response: r.blob(11), ResponseGone: r.null(11), ResponseHeaders: r.blob(12), RequestHeaders: r.blob(13),
		NextDue: r.time(14), EventType: r.text(15), EventID: r.text(18),
	}
	if err := firstError(fromJSON(r, 16, &a.Channels), fromJSON(r, 17, &a.Tags)); err != nil {
		return a, fmt.Errorf("message %s: %w", hook.KindMessage.Format(a.Message), err)
	}
	return a, nil
}

// FindAttempt implements store.Attempts.
func (s *Store) FindAttempt(ctx context.Context, env, app, message, attempt hook.ID) (out hook.Attempt, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		m, err := messageOf(ctx, c, env, app, hook.Ref{ID: message}, false)
		if err != nil {
			return err
		}
		found, err := c.one(ctx, `SELECT `+attemptColumns+` FROM attempts a INDEXED BY attempts_message
		    CROSS JOIN messages m ON m.seq = a.message CROSS JOIN endpoints e ON e.seq = a.endpoint
		  WHERE a.message = ? AND a.id = ?`, []any{m.seq, attempt}, func(r *row) error {
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

// attemptPage is the part that both lists of attempts share. Endpoints come last,
// because no filter looks at them.
const attemptPage = `
    CROSS JOIN messages m ON m.seq = a.message CROSS JOIN endpoints e ON e.seq = a.endpoint
  WHERE a.id >= ?2 AND a.id < ?3 AND a.class BETWEEN ?8 AND ?9 AND a.status BETWEEN ?10 AND ?11
    AND (?7 IS NULL OR a.endpoint = ?7) AND ` + messageFilter

var (
	listAttemptsOfEndpoint = newListQuery(`SELECT ` + attemptColumns + ` FROM attempts a INDEXED BY attempts_endpoint` + attemptPage + `
    AND a.endpoint = ?1 ORDER BY a.id {dir} LIMIT ?12`)
	listAttemptsOfMessage = newListQuery(`SELECT ` + attemptColumns + ` FROM attempts a INDEXED BY attempts_message` + attemptPage + `
    AND a.message = ?1 ORDER BY a.id {dir} LIMIT ?12`)
)

// ListAttempts implements store.Attempts.
func (s *Store) ListAttempts(ctx context.Context, f hook.AttemptFilter) (out hook.PageOf[hook.Attempt], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		q, of, only, err := attemptsOf(ctx, c, &f)
		if err != nil {
			return err
		}
		from, to := idBounds(f.Page, f.After, f.Before)
		minClass, maxClass := classBounds(&f)
		minStatus, maxStatus := statusBounds(f.StatusClass)
		out, err = fetch(ctx, c, q, f.Page, []any{of, from, to, jsonList(f.EventTypes), nullText(f.Channel), nullText(f.Tag),
			only, minClass, maxClass, minStatus, maxStatus}, scanAttempt)
		return err
	})
	return out, err
}

// attemptsOf gives the query of a filter, the row key of the endpoint or message
// that it is about, and that of the endpoint to narrow it to, nil for all.
func attemptsOf(ctx context.Context, c *conn, f *hook.AttemptFilter) (q listQuery, of int64, only any, err error) {
	a, err := appSeq(ctx, c, f.Env, f.App)
	if err != nil {
		return q, 0, nil, err
	}
	if !f.Endpoint.IsZero() {
		e, err := findEndpoint(ctx, c, f.Env, f.App, a, hook.Ref{ID: f.Endpoint})
		return listAttemptsOfEndpoint, e.seq, nil, err
	}
	m, err := messageOf(ctx, c, f.Env, f.App, hook.Ref{ID: f.Message}, false)
	if err != nil {
		return q, 0, nil, err
	}
	if !f.OfEndpoint.IsZero() {
		if only, err = anyEndpoint(ctx, c, a, f.OfEndpoint); err != nil {
			return q, 0, nil, err
		}
	}
	return listAttemptsOfMessage, m.seq, only, nil
}

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
	return s.write(ctx, func(c *conn) error {
		m, err := messageOf(ctx, c, env, app, hook.Ref{ID: message}, false)
		if err != nil {
			return err
		}
		n, err := c.exec(`UPDATE attempts SET response = NULL, response_headers = NULL WHERE message = ? AND id = ?`, m.seq, attempt)
		if err == nil && n == 0 {
			err = hook.NotFound("attempt")
		}
		return err
	})
}
