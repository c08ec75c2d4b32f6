package postgres

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const taskColumns = `id, env, app, endpoint, kind, status, since, until, cursor, queued, canceled, created, updated, rate, total`

func scanTask(r *row) (hook.Task, error) {
	return hook.Task{
		ID: r.id(0), Env: r.id(1), App: r.id(2), Endpoint: r.id(3), Kind: hook.TaskKind(r.text(4)), Status: hook.TaskStatus(r.text(5)),
		Since: r.time(6), Until: r.time(7), Cursor: r.id(8), Queued: r.int(9), Canceled: r.bool(10),
		CreatedAt: r.time(11), UpdatedAt: r.time(12), Rate: int(r.int(13)), Total: r.int(14),
	}, nil
}

func findTask(ctx context.Context, c *conn, env, id hook.ID) (hook.Task, error) {
	return oneTask(ctx, c, `SELECT `+taskColumns+` FROM tasks WHERE id = $1 AND env = $2`, id, env)
}

func oneTask(ctx context.Context, c *conn, query string, args ...any) (t hook.Task, err error) {
	found, err := c.one(ctx, query, args, func(r *row) (err error) {
		t, err = scanTask(r)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("task")
	}
	return t, err
}

// CreateTask implements store.Tasks.
func (s *Store) CreateTask(ctx context.Context, t *hook.Task, key *hook.IdempotencyKey) (out hook.Task, repeated bool, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		id, again, err := once(ctx, c, t.Env, key, t.ID, t.CreatedAt)
		if err != nil {
			return err
		}
		if repeated = again; !repeated {
			if _, err := c.exec(ctx, `INSERT INTO tasks (`+taskColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)`,
				t.ID, t.Env, t.App, t.Endpoint, string(t.Kind), string(t.Status), t.Since, t.Until, t.Cursor, t.Queued, t.Canceled,
				t.CreatedAt, t.UpdatedAt, t.Rate, t.Total); err != nil {
				return err
			}
		}
		out, err = findTask(ctx, c, t.Env, id)
		return err
	})
	return out, repeated, err
}

// FindTask implements store.Tasks.
func (s *Store) FindTask(ctx context.Context, env, task hook.ID) (out hook.Task, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out, err = findTask(ctx, c, env, task)
		return err
	})
	return out, err
}

var listTasks = newListQuery(`SELECT ` + taskColumns + ` FROM tasks
  WHERE env = $1 AND id >= $2 AND id < $3 AND ($4::text IS NULL OR kind = $4) AND ($5::text IS NULL OR status = $5) ORDER BY id {dir} LIMIT $6`)

// ListTasks implements store.Tasks.
func (s *Store) ListTasks(ctx context.Context, f hook.TaskFilter) (out hook.PageOf[hook.Task], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(f.Page, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listTasks, f.Page,
			[]any{f.Env, from, to, nullText(string(f.Kind)), nullText(string(f.Status))}, scanTask)
		return err
	})
	return out, err
}

// CancelTask implements store.Tasks.
func (s *Store) CancelTask(ctx context.Context, env, task hook.ID, now time.Time) (out hook.Task, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		if _, err := c.exec(ctx, `UPDATE tasks SET status = $1, canceled = true, updated = $2 WHERE id = $3 AND env = $4 AND status = $5`,
			string(hook.TaskFinished), now, task, env, string(hook.TaskRunning)); err != nil {
			return err
		}
		out, err = findTask(ctx, c, env, task)
		return err
	})
	return out, err
}

// RunningTasks implements store.Tasks.
func (s *Store) RunningTasks(ctx context.Context, limit int) (out []hook.Task, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT `+taskColumns+` FROM tasks WHERE status = 'running' ORDER BY seq LIMIT $1`,
			[]any{limit}, func(r *row) error {
				t, err := scanTask(r)
				out = append(out, t)
				return err
			})
	})
	return out, err
}

// recovering is one step of a recover task.
type recovering struct {
	task   hook.Task
	looked int
	room   int       // how many may be chosen
	full   bool      // there was no more room
	chosen []hook.ID // messages, in the order of their ids
}

// RecoverStep implements store.Tasks. It walks in the order of messages' ids. A
// message that is committed after the walk has passed its id is not seen. Nothing
// is lost by that: its delivery is new, so its first attempts are still to come.
// Only a message whose acceptance began while the endpoint was disabled, and ended
// after it was enabled and the walk was through, is left canceled; another recover
// finds it.
func (s *Store) RecoverStep(ctx context.Context, task hook.ID, now time.Time, limit int) (out hook.Task, lane hook.Lane, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) (err error) {
		lane = hook.Lane{}
		// Two nodes may both take themselves for the leader for a moment.
		if out, err = oneTask(ctx, c, `SELECT `+taskColumns+` FROM tasks WHERE id = $1`+forUpdate, task); err != nil || out.Status != hook.TaskRunning {
			return err
		}
		step := recovering{task: out, room: out.Room(now, limit)}
		if step.room == 0 {
			return nil // its rate allows none yet
		}
		if lane, err = step.run(ctx, c, now, limit); err != nil {
			return err
		}
		out = step.task
		out.UpdatedAt = now
		_, err = c.exec(ctx, `UPDATE tasks SET status = $1, cursor = $2, queued = $3, updated = $4 WHERE id = $5`,
			string(out.Status), out.Cursor, out.Queued, now, task)
		return err
	})
	if err == nil && !lane.Endpoint.IsZero() {
		s.hints.tell([]hook.Lane{lane})
	}
	return out, lane, err
}

func (s *recovering) run(ctx context.Context, c *conn, now time.Time, limit int) (hook.Lane, error) {
	t := &s.task
	var app, endpoint int64
	open, err := c.one(ctx, `SELECT a.seq, e.seq FROM applications a JOIN endpoints e ON e.app = a.seq
	  WHERE a.id = $1 AND a.env = $2 AND a.deleted IS NULL AND e.id = $3 AND e.deleted IS NULL AND e.disabled = 0`,
		[]any{t.App, t.Env, t.Endpoint}, func(r *row) error {
			app, endpoint = r.int(0), r.int(1)
			return nil
		})
	if err != nil {
		return hook.Lane{}, err
	}
	if !open {
		t.Status = hook.TaskFailed
		return hook.Lane{}, nil
	}
	replay := t.Kind == hook.TaskReplay
	if replay {
		err = s.lookMissing(ctx, c, app, endpoint, limit)
	} else {
		err = s.look(ctx, c, app, endpoint, limit)
	}
	if err != nil {
		return hook.Lane{}, err
	}
	if s.looked < limit && !s.full {
		t.Status = hook.TaskFinished
	}
	n, err := s.queue(ctx, c, endpoint, now)
	if err != nil || n == 0 {
		return hook.Lane{}, err
	}
	t.Queued += n
	return hook.Lane{Endpoint: t.Endpoint, App: t.App, Retry: !replay, Due: now}, nil
}

// take looks at one message, and chooses it if there is room. What comes after one
// for which there was none is left for the next step.
func (s *recovering) take(message hook.ID, wanted bool) {
	s.full = s.full || wanted && len(s.chosen) == s.room
	if s.full {
		return
	}
	s.looked++
	s.task.Cursor = message
	if wanted {
		s.chosen = append(s.chosen, message)
	}
}

// idTick is the time of which all ids begin with the same bytes.
const idTick = time.Second / 256

// bounds gives the ids of the messages yet to look at as a half-open range. The
// first and last tick have others, too.
func (s *recovering) bounds() (from, to hook.ID) {
	to = lastID
	if !s.task.Since.IsZero() {
		from = hook.IDAt(s.task.Since)
	}
	if next := nextID(s.task.Cursor); !s.task.Cursor.IsZero() && compareIDs(next, from) > 0 {
		from = next
	}
	if !s.task.Until.IsZero() {
		to = hook.IDAt(s.task.Until.Add(idTick))
	}
	return from, to
}

// look reads the next deliveries and chooses those to send again: recoverable,
// neither in flight nor planned, and with a payload. The LIMIT of the inner
// selections keeps them from becoming a join that reads all messages of the range.
func (s *recovering) look(ctx context.Context, c *conn, app, endpoint int64, limit int) error {
	t := &s.task
	from, to := s.bounds()
	return c.query(ctx, `SELECT d.message, m.created, d.state, d.reason, d.idle AND m.kept
	  FROM (
	    SELECT message, state, reason, due IS NULL AND node IS NULL AS idle FROM deliveries
	    WHERE endpoint = $1 AND message >= $2 AND message < $3 ORDER BY message LIMIT $4) d
	  LEFT JOIN LATERAL (
	    SELECT created, body IS NOT NULL AS kept FROM messages WHERE app = $5 AND id = d.message AND id >= $2 AND id < $3 LIMIT 1) m ON true
	  ORDER BY d.message`,
		[]any{endpoint, from, to, limit, app}, func(r *row) error {
			created := r.time(1)
			s.take(r.id(0), r.bool(4) && hook.Recoverable(hook.State(r.int(2)), hook.Reason(r.int(3))) &&
				!created.Before(t.Since) && (t.Until.IsZero() || created.Before(t.Until)))
			return nil
		})
}

const missing = `SELECT m.id, m.event_type, m.channels, m.kept AND d.there IS NULL, m.created
  FROM (SELECT id, event_type, channels, created, body IS NOT NULL AS kept FROM messages
    WHERE app = $1 AND id >= $3 AND id < $4 ORDER BY id LIMIT $5) m
  LEFT JOIN LATERAL (SELECT 1 AS there FROM deliveries
    WHERE message = m.id AND endpoint = $2 AND message >= $3 AND message < $4 LIMIT 1) d ON true
  ORDER BY m.id`

// lookMissing reads the next messages of the application and chooses those that the
// endpoint would get and never did.
func (s *recovering) lookMissing(ctx context.Context, c *conn, app, endpoint int64, limit int) error {
	var filters hook.EndpointRevision
	if _, err := c.one(ctx, `SELECT event_types, channels FROM endpoints WHERE seq = $1`, []any{endpoint}, func(r *row) error {
		filters.EventTypes, filters.Channels = r.words(0), r.words(1)
		return nil
	}); err != nil {
		return err
	}
	t := &s.task
	from, to := s.bounds()
	return c.query(ctx, missing, []any{app, endpoint, from, to, limit}, func(r *row) error {
		created := r.time(4)
		s.take(r.id(0), r.bool(3) && hook.Match(r.text(1), r.words(2), filters) == hook.Matched &&
			!created.Before(t.Since) && (t.Until.IsZero() || created.Before(t.Until)))
		return nil
	})
}

// countLook is how many rows CountRecoverable looks at.
const countLook = 50_000

// CountRecoverable implements store.Sizes.
func (s *Store) CountRecoverable(ctx context.Context, t *hook.Task, bound int) (out hook.BoundedCount, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		step := recovering{task: *t, room: bound}
		app, err := appSeq(ctx, c, t.Env, t.App)
		if err != nil {
			return err
		}
		e, err := findEndpoint(ctx, c, t.Env, t.App, app, hook.Ref{ID: t.Endpoint})
		if err != nil {
			return err
		}
		if t.Kind == hook.TaskReplay {
			err = step.lookMissing(ctx, c, app, e.seq, countLook)
		} else {
			err = step.look(ctx, c, app, e.seq, countLook)
		}
		out = hook.BoundedCount{Count: len(step.chosen), More: step.full || step.looked == countLook}
		return err
	})
	return out, tooLong(err)
}

// queue plans a manual attempt for what was chosen, and gives how many. Nothing
// is planned for any of them, so there is no automatic time to keep. One that was
// resent since it was looked at is left alone.
func (s *recovering) queue(ctx context.Context, c *conn, endpoint int64, now time.Time) (n int64, err error) {
	if len(s.chosen) == 0 {
		return 0, nil
	}
	text, args := queueAgain, []any{now, endpoint, idArray(s.chosen), s.chosen[0], s.chosen[len(s.chosen)-1], int(hook.Delivered)}
	if s.task.Kind == hook.TaskReplay {
		text, args = queueMissing, args[:3]
	}
	_, err = c.one(ctx, text, args, func(r *row) error {
		n = r.int(0)
		return nil
	})
	return n, err
}

const (
	queueAgain = `WITH planned AS (
	    UPDATE deliveries SET manual = true, due = $1, auto_due = NULL, retry = true, updated = $1
	    WHERE endpoint = $2 AND message = ANY ($3::bytea[]) AND message >= $4 AND message <= $5
	      AND due IS NULL AND node IS NULL AND state <> $6
	    RETURNING message),
	  queued AS (
	    INSERT INTO queue (message, endpoint, retry, due) SELECT message, $2, true, $1 FROM planned ORDER BY message
	    ON CONFLICT (message, endpoint) DO NOTHING)
	  SELECT count(*) FROM planned`
	// A delivery that never was begins like any other, with its schedule.
	queueMissing = `WITH planned AS (
	    INSERT INTO deliveries (message, endpoint, state, reason, manual, again, retry, attempts, step, last_status, due, updated)
	    SELECT message, $2, 0, 0, false, false, false, 0, 0, 0, $1, $1 FROM unnest($3::bytea[]) AS g(message)
	    ON CONFLICT (message, endpoint) DO NOTHING RETURNING message),
	  queued AS (
	    INSERT INTO queue (message, endpoint, retry, due) SELECT message, $2, false, $1 FROM planned ORDER BY message
	    ON CONFLICT (message, endpoint) DO NOTHING)
	  SELECT count(*) FROM planned`
)
