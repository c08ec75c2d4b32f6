package sqlite

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const taskColumns = `id, env, app, endpoint, kind, status, since, until, cursor, queued, canceled, created, updated`

func scanTask(r *row) (hook.Task, error) {
	return hook.Task{
		ID: r.id(0), Env: r.id(1), App: r.id(2), Endpoint: r.id(3), Kind: hook.TaskKind(r.text(4)), Status: hook.TaskStatus(r.text(5)),
		Since: r.time(6), Until: r.time(7), Cursor: r.id(8), Queued: r.int(9), Canceled: r.bool(10),
		CreatedAt: r.time(11), UpdatedAt: r.time(12),
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
			if _, err := w.conn.exec(`INSERT INTO tasks (`+taskColumns+`, position) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,0)`,
				t.ID, t.Env, t.App, t.Endpoint, string(t.Kind), string(t.Status), t.Since, t.Until, t.Cursor, t.Queued, t.Canceled,
				t.CreatedAt, t.UpdatedAt); err != nil {
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
	chosen   []int64 // messages.seq
}

// RecoverStep implements store.Tasks. It walks in the order of commits, so that
// a message committed later than one with a higher id is not passed over.
func (s *Store) RecoverStep(ctx context.Context, task hook.ID, now time.Time, limit int) (out hook.Task, lane hook.Lane, err error) {
	err = s.writeWith(ctx, func(w *writer) error {
		step := recovering{}
		lane = hook.Lane{}
		found, err := w.conn.one(ctx, `SELECT `+taskColumns+`, position FROM tasks WHERE id = ?`, []any{task}, func(r *row) (err error) {
			step.position = r.int(13)
			step.task, err = scanTask(r)
			return err
		})
		if err == nil && !found {
			err = hook.NotFound("task")
		}
		if out = step.task; err != nil || out.Status != hook.TaskRunning {
			return err
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
	if err := s.look(ctx, w.conn, a.seq, e.seq, limit); err != nil {
		return hook.Lane{}, err
	}
	if s.looked < limit {
		t.Status = hook.TaskFinished
	}
	if len(s.chosen) == 0 {
		return hook.Lane{}, nil
	}
	// Nothing is planned for any of them, so there is no automatic time to keep.
	n, err := w.conn.exec(`UPDATE deliveries SET manual = 1, due = ?1, auto_due = NULL, lane = ?2, updated = ?1
	  WHERE endpoint = ?3 AND message IN (SELECT value FROM json_each(?4))`, now, laneRetry, e.seq, jsonInts(s.chosen))
	t.Queued += n
	return hook.Lane{Endpoint: t.Endpoint, App: t.App, Retry: true, Due: now}, err
}

// look reads the next deliveries and chooses those to send again: recoverable,
// neither in flight nor planned, and with a payload.
func (s *recovering) look(ctx context.Context, c *conn, app, endpoint int64, limit int) error {
	t := &s.task
	from, to, err := seqRange(ctx, c, app, t.Since, t.Until)
	if err != nil {
		return err
	}
	return c.query(ctx, `SELECT d.message, m.id, m.created, d.state, d.reason,
	    d.due IS NULL AND d.node IS NULL AND m.body IS NOT NULL
	  FROM deliveries d INDEXED BY deliveries_endpoint CROSS JOIN messages m ON m.seq = d.message
	  WHERE d.endpoint = ? AND d.message > ? AND d.message < ? ORDER BY d.message LIMIT ?`,
		[]any{endpoint, max(from, s.position), to, limit}, func(r *row) error {
			s.looked++
			s.position, t.Cursor = r.int(0), r.id(1)
			created := r.time(2)
			if r.bool(5) && hook.Recoverable(hook.State(r.int(3)), hook.Reason(r.int(4))) &&
				!created.Before(t.Since) && (t.Until.IsZero() || created.Before(t.Until)) {
				s.chosen = append(s.chosen, s.position)
			}
			return nil
		})
}
