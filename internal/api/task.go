package api

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// taskStore keeps background tasks. See package store for what each promises.
type taskStore interface {
	CreateTask(ctx context.Context, t *hook.Task, once *hook.IdempotencyKey) (hook.Task, bool, error)
	FindTask(ctx context.Context, env, task hook.ID) (hook.Task, error)
	ListTasks(ctx context.Context, f hook.TaskFilter) (hook.PageOf[hook.Task], error)
	CancelTask(ctx context.Context, env, task hook.ID, now time.Time) (hook.Task, error)
}

// takesDeliveries refuses to send to a disabled endpoint, and says since when and why.
func takesDeliveries(e *hook.Endpoint) error {
	if !e.Disabled {
		return nil
	}
	return &hook.Error{
		Code:   hook.CodeDisabled,
		Detail: "The endpoint is disabled since " + e.DisabledAt.UTC().Format(time.RFC3339) + " (" + e.DisabledReason.String() + ").",
	}
}

func listTasks(c *call) (reply, error) {
	q := c.params()
	f := hook.TaskFilter{
		Env: c.key.Env, Kind: hook.TaskKind(q.text("task")), Status: hook.TaskStatus(q.text("status")),
		Page: q.page(hook.KindTask, false, true),
	}
	switch f.Status {
	case "", hook.TaskRunning, hook.TaskFinished, hook.TaskFailed:
	default:
		q.invalid("status", "must be running, finished or failed")
	}
	switch apitype.TaskType(f.Kind) {
	case "", apitype.TaskEndpointReplay, apitype.TaskEndpointRecover, apitype.TaskEndpointBulkReplay, apitype.TaskApplicationStats,
		apitype.TaskPurgeContent, apitype.TaskMessageBroadcast, apitype.TaskSDKGenerate, apitype.TaskEventTypeAggregate:
	default:
		q.invalid("task", "must be a type of task")
	}
	if err := q.err(); err != nil {
		return reply{}, err
	}
	page, err := c.Store.ListTasks(c.ctx(), f)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page, taskKey, taskOut))
}

func getTask(c *call) (reply, error) {
	id, err := c.taskID()
	if err != nil {
		return reply{}, err
	}
	t, err := c.Store.FindTask(c.ctx(), c.key.Env, id)
	if err != nil {
		return reply{}, err
	}
	return ok(taskOut(&t))
}

// cancelTask stops a running task; a finished one stays as it is.
func cancelTask(c *call) (reply, error) {
	id, err := c.taskID()
	if err != nil {
		return reply{}, err
	}
	t, err := c.Store.CancelTask(c.ctx(), c.key.Env, id, c.now)
	if err != nil {
		return reply{}, err
	}
	return ok(taskOut(&t))
}

func (c *call) taskID() (hook.ID, error) {
	id, err := hook.KindTask.Parse(c.value("task"))
	if err != nil {
		return id, hook.Invalid("is not a valid id", "path", "task_id")
	}
	return id, nil
}

func taskKey(t *hook.Task) string { return hook.KindTask.Format(t.ID) }

func taskRef(t *hook.Task) apitype.TaskRef {
	return apitype.TaskRef{
		ID: taskKey(t), Status: apitype.TaskStatus(t.Status), Task: apitype.TaskType(t.Kind), UpdatedAt: t.UpdatedAt.UTC(),
	}
}

func taskOut(t *hook.Task) apitype.TaskOut {
	data := map[string]any{
		"messagesSent": t.Queued, "appId": hook.KindApplication.Format(t.App), "endpointId": hook.KindEndpoint.Format(t.Endpoint),
		"since": t.Since.UTC(), "until": t.Until.UTC(),
	}
	if t.Total > 0 {
		data["total"] = t.Total
	}
	if t.Rate > 0 {
		data["rate"] = t.Rate
	}
	if t.Canceled {
		data["canceled"] = true
	}
	return apitype.TaskOut{TaskRef: taskRef(t), Data: data}
}
