package sqlite

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

func findTask(ctx context.Context, c *conn, env, id hook.ID) (t hook.Task, err error) {
	found, err := c.one(ctx, `SELECT `+taskColumns+` FROM tasks WHERE id = ? AND env = ?`, []any{id, env}, func(r *row) (err error) {
		t, err = scanTask(r)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("task")
	}
	return t, err
}

// CreateTask implements store.Tasks.
func (s *Store) CreateTask(ctx context.Context, t *hook.Task, once *hook.IdempotencyKey) (out hook.Task, repeated bool, err error) {
	err = s.writeWith(ctx, func(w *writer) error {
		id, again, err := w.once(t.Env, once, t.ID, t.CreatedAt)
		if err != nil {
			return err
		}
		if repeated = again; !repeated {
			if _, err := w.conn.exec(`INSERT INTO tasks (`+taskColumns+`, position) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0)`,
				t.ID, t.Env, t.App, t.Endpoint, string(t.Kind), string(t.Status), t.Since, t.Until, t.Cursor, t.Queued, t.Canceled,
				t.CreatedAt, t.UpdatedAt, t.Rate, t.Total); err != nil {
				return err
			}
		}
		out, err = findTask(ctx, w.conn, t.Env, id)
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

var listTasks = newListQuery(`SELECT ` + taskColumns + ` FROM tasks INDEXED BY tasks_env
  WHERE env = ?1 AND id >= ?2 AND id < ?3 AND (?4 IS NULL OR kind = ?4) AND (?5 IS NULL OR status = ?5) ORDER BY id {dir} LIMIT ?6`)

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
	err = s.write(ctx, func(c *conn) error {
		if _, err := c.exec(`UPDATE tasks SET status = ?, canceled = 1, updated = ? WHERE id = ? AND env = ? AND status = ?`,
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
		return c.query(ctx, `SELECT `+taskColumns+` FROM tasks INDEXED BY tasks_running WHERE status = 'running' ORDER BY seq LIMIT ?`,
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
	task     hook.Task
	position int64 // messages.seq of the last message looked at
	looked   int
	room     int     // how many may be chosen
	full     bool    // there was no more room
	chosen   []int64 // messages.seq
}

// RecoverStep implements store.Tasks. It walks in the order of commits, so that
// a message committed later than one with a higher id is not passed over.
func (s *Store) RecoverStep(ctx context.Context, task hook.ID, now time.Time, limit int) (out hook.Task, lane hook.Lane, err error) {
	err = s.writeWith(ctx, func(w *writer) error {
		step := recovering{}
		lane = hook.Lane{}
		found, err := w.conn.one(ctx, `SELECT `+taskColumns+`, position FROM tasks WHERE id = ?`, []any{task}, func(r *row) (err error) {
			step.position = r.int(15)
			step.task, err = scanTask(r)
			return err
		})
		if err == nil && !found {
			err = hook.NotFound("task")
		}
		if out = step.task; err != nil || out.Status != hook.TaskRunning {
			return err
		}
		if step.room = out.Room(now, limit); step.room == 0 {
			return nil // its rate allows none yet
		}
		if lane, err = step.run(ctx, w, now, limit); err != nil {
			return err
		}
		out = step.task
		_, err = w.conn.exec(`UPDATE tasks SET status = ?, cursor = ?, position = ?, queued = ?, updated = ? WHERE id = ?`,
			string(out.Status), out.Cursor, step.position, out.Queued, now, task)
		out.UpdatedAt = now
		return err
	})
	return out, lane, err
}

func (s *recovering) run(ctx context.Context, w *writer, now time.Time, limit int) (hook.Lane, error) {
	t := &s.task
	a, err := w.app(t.Env, t.App)
	if err != nil {
		return hook.Lane{}, err
	}
	var e *cachedEndpoint
	if a != nil {
		e = a.find(hook.Ref{ID: t.Endpoint})
	}
	if e == nil || e.endpoint.Disabled {
		t.Status = hook.TaskFailed
		return hook.Lane{}, nil
	}
	if s.kind() == hook.TaskReplay {
		err = s.lookMissing(ctx, w.conn, a.seq, e, limit)
	} else {
		err = s.look(ctx, w.conn, a.seq, e.seq, limit)
	}
	if err != nil {
		return hook.Lane{}, err
	}
	if s.looked < limit && !s.full {
		t.Status = hook.TaskFinished
	}
	if len(s.chosen) == 0 {
		return hook.Lane{}, nil
	}
	retry := s.kind() != hook.TaskReplay
	text := queueAgain
	if !retry {
		text = queueMissing
	}
	n, err := w.conn.exec(text, now, laneOf(retry), e.seq, jsonInts(s.chosen))
	t.Queued += n
	return hook.Lane{Endpoint: t.Endpoint, App: t.App, Retry: retry, Due: now}, err
}

func (s *recovering) kind() hook.TaskKind { return s.task.Kind }

const (
	// Nothing is planned for any of them, so there is no automatic time to keep.
	queueAgain = `UPDATE deliveries SET manual = 1, due = ?1, auto_due = NULL, lane = ?2, updated = ?1
	  WHERE endpoint = ?3 AND message IN (SELECT value FROM json_each(?4))`
	// A delivery that never was begins like any other, with its schedule.
	queueMissing = `INSERT INTO deliveries (message, endpoint, state, reason, attempts, step, manual, again, lane, due, last_status, updated)
	  SELECT value, ?3, 0, 0, 0, 0, 0, 0, ?2, ?1, 0, ?1 FROM json_each(?4) WHERE true ON CONFLICT DO NOTHING`
)

// look reads the next deliveries and chooses those to send again: recoverable,
// neither in flight nor planned, and with a payload.
func (s *recovering) look(ctx context.Context, c *conn, app, endpoint int64, limit int) error {
	t := &s.task
	from, to, err := seqRange(ctx, c, app, t.Since, t.Until)
	if err != nil {
		return err
	}
	return stopped(c.query(ctx, recoverable, []any{endpoint, max(from, s.position), to, limit}, func(r *row) error {
		created := r.time(2)
		wanted := r.bool(5) && hook.Recoverable(hook.State(r.int(3)), hook.Reason(r.int(4))) &&
			!created.Before(t.Since) && (t.Until.IsZero() || created.Before(t.Until))
		return s.take(r.int(0), r.id(1), wanted)
	}))
}

const (
	recoverable = `SELECT d.message, m.id, m.created, d.state, d.reason, d.due IS NULL AND d.node IS NULL AND m.body IS NOT NULL
	  FROM deliveries d INDEXED BY deliveries_endpoint CROSS JOIN messages m ON m.seq = d.message
	  WHERE d.endpoint = ? AND d.message > ? AND d.message < ? ORDER BY d.message LIMIT ?`
	missing = `SELECT m.seq, m.id, m.event_type, m.channels, m.body IS NOT NULL AND d.message IS NULL
	  FROM messages m INDEXED BY messages_app LEFT JOIN deliveries d ON d.message = m.seq AND d.endpoint = ?1
	  WHERE m.app = ?2 AND m.id > ?3 AND m.id >= ?4 AND m.id < ?5 ORDER BY m.id LIMIT ?6`
)

// take looks at one message, and chooses it if there is room.
func (s *recovering) take(position int64, message hook.ID, wanted bool) error {
	if wanted && len(s.chosen) == s.room {
		s.full = true
		return errFull
	}
	s.looked++
	s.position, s.task.Cursor = position, message
	if wanted {
		s.chosen = append(s.chosen, position)
	}
	return nil
}

// lookMissing reads the next messages of the application, in the order of ids, and
// chooses those that the endpoint would get and never did.
func (s *recovering) lookMissing(ctx context.Context, c *conn, app int64, e *cachedEndpoint, limit int) error {
	t := &s.task
	from, to := idBounds(hook.Page{}, t.Since, t.Until)
	return stopped(c.query(ctx, missing, []any{e.seq, app, t.Cursor, from, to, limit}, func(r *row) error {
		wanted := r.bool(4)
		if wanted {
			var channels []string
			if err := fromJSON(r, 3, &channels); err != nil {
				return err
			}
			wanted = hook.Match(r.text(2), channels, e.endpoint.Filters()) == hook.Matched
		}
		return s.take(r.int(0), r.id(1), wanted)
	}))
}

// countLook is how many rows CountRecoverable looks at.
const countLook = 50_000

// CountRecoverable implements store.Tasks.
func (s *Store) CountRecoverable(ctx context.Context, t *hook.Task, bound int) (out hook.BoundedCount, err error) {
	step := recovering{task: *t, room: bound}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		app, err := appSeq(ctx, c, t.Env, t.App)
		if err != nil {
			return err
		}
		e, err := findEndpoint(ctx, c, t.Env, t.App, app, hook.Ref{ID: t.Endpoint})
		if err != nil {
			return err
		}
		if t.Kind == hook.TaskReplay {
			return step.lookMissing(ctx, c, app, &cachedEndpoint{seq: e.seq, endpoint: &e.Endpoint}, countLook)
		}
		return step.look(ctx, c, app, e.seq, countLook)
	})
	return hook.BoundedCount{Count: len(step.chosen), More: step.full || step.looked == countLook}, tooLong(err)
}
