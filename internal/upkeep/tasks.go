package upkeep

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// taskBatch is how many deliveries of a task one step looks at, and
	// taskPause the rest between two rounds: about 2,000 deliveries a second for
	// each task, so that a recovery does not push the traffic aside.
	taskBatch = 200
	taskPause = 100 * time.Millisecond
	// taskLook is how often new tasks are looked for.
	taskLook = 500 * time.Millisecond
	// maxTasks is how many tasks are worked on at a time; the others wait.
	maxTasks = 16
)

// TaskStore is what Tasks asks of the store.
type TaskStore interface {
	RunningTasks(ctx context.Context, limit int) ([]hook.Task, error)
	RecoverStep(ctx context.Context, task hook.ID, now time.Time, limit int) (hook.Task, hook.Lane, error)
}

// Tasks works stored tasks off, the oldest ones side by side. Progress is kept
// in the store, so a restart goes on where the last step ended. All fields must
// be set.
type Tasks struct {
	Store TaskStore
	Leads func() bool // this node does the chores
	Now   func() time.Time
	Log   *slog.Logger
	// Wake tells the engine that a lane has new work.
	Wake func(hook.Lane)
}

// Run works until ctx ends.
func (t *Tasks) Run(ctx context.Context) error {
	l := loop{leads: t.Leads, log: t.Log, step: t.round, trouble: "background tasks are waiting for the store"}
	return l.run(ctx)
}

// round takes every running task one step further and gives the rest to take.
// A task whose step fails keeps none of the others waiting.
func (t *Tasks) round(ctx context.Context) (time.Duration, error) {
	tasks, err := t.Store.RunningTasks(ctx, maxTasks)
	if err != nil {
		return 0, err
	}
	var failed error
	for _, task := range tasks {
		if !t.Leads() {
			break
		}
		after, lane, err := t.Store.RecoverStep(ctx, task.ID, t.Now(), taskBatch)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if !lane.Endpoint.IsZero() {
			t.Wake(lane)
		}
		if after.Status != hook.TaskRunning {
			t.Log.InfoContext(ctx, "task ended", "task", hook.KindTask.Format(after.ID), "kind", string(after.Kind),
				"status", string(after.Status), "queued", after.Queued, "canceled", after.Canceled)
		}
	}
	if len(tasks) > 0 {
		return taskPause, failed
	}
	return taskLook, nil
}
