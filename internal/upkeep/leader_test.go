package upkeep_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/upkeep"
)

// counter is a store that counts the steps of every chore.
type counter struct {
	steps  atomic.Int64
	failed atomic.Bool
	left   atomic.Int64 // attempts to sum up
	tasks  []hook.Task
	onStep func()
}

func (c *counter) step() error {
	c.steps.Add(1)
	if c.onStep != nil {
		c.onStep()
	}
	if c.failed.Load() {
		return errors.New("the store fails")
	}
	return nil
}

func (c *counter) Expire(context.Context, hook.Retention, time.Time) (hook.Expired, error) {
	return hook.Expired{}, c.step()
}

func (c *counter) RollUp(_ context.Context, limit int) (int, error) {
	n := min(int64(limit), c.left.Load())
	c.left.Add(-n)
	return int(n), c.step()
}

func (c *counter) Rescue(context.Context, time.Time) (hook.Rescued, error) {
	return hook.Rescued{Nodes: 1, Deliveries: 2, Lanes: []hook.Lane{{Endpoint: hook.ID{1}}, {Endpoint: hook.ID{2}, Retry: true}}}, c.step()
}

func (c *counter) RunningTasks(context.Context, int) ([]hook.Task, error) { return c.tasks, nil }

func (c *counter) RecoverStep(_ context.Context, id hook.ID, _ time.Time, _ int) (hook.Task, hook.Lane, error) {
	return hook.Task{ID: id, Status: hook.TaskRunning}, hook.Lane{}, c.step()
}

var silent = slog.New(slog.DiscardHandler)

// chores are all that there are, over a store.
func chores(c *counter, leads func() bool) map[string]interface{ Run(context.Context) error } {
	return map[string]interface{ Run(context.Context) error }{
		"rescue":  &upkeep.Rescue{Store: c, Every: 500 * time.Millisecond, Leads: leads, Now: time.Now, Log: silent, Wake: func(hook.Lane) {}},
		"rollups": &upkeep.Rollups{Store: c, Leads: leads, Now: time.Now, Log: silent},
		"retention": &upkeep.Retention{
			Store: c, Keep: hook.Retention{Messages: time.Minute}, Leads: leads, Now: time.Now, Log: silent, Removed: func(hook.Expired) {},
		},
		"tasks": &upkeep.Tasks{Store: c, Leads: leads, Now: time.Now, Log: silent, Wake: func(hook.Lane) {}},
	}
}

// run runs a chore until stop is called.
func run(t *testing.T, chore interface{ Run(context.Context) error }) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1) // Run's goroutine sends, stop receives
	go func() { ended <- chore.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the chore ended with %v", err)
		}
	}
}

func TestChoresAreDoneByTheLeaderOnly(t *testing.T) {
	t.Parallel()
	for name := range chores(&counter{}, always) {
		synctest.Test(t, func(t *testing.T) {
			c := &counter{tasks: []hook.Task{{ID: hook.ID{1}}}}
			var leads atomic.Bool
			stop := run(t, chores(c, leads.Load)[name])
			defer stop()
			time.Sleep(time.Minute)
			if n := c.steps.Load(); n > 0 {
				t.Errorf("%s: %d steps of a node that does not lead", name, n)
			}
			leads.Store(true)
			time.Sleep(time.Second)
			if c.steps.Load() == 0 {
				t.Errorf("%s: no step in the second after it became leader", name)
			}
			leads.Store(false)
			synctest.Wait()
			before := c.steps.Load()
			time.Sleep(time.Hour)
			if n := c.steps.Load() - before; n > 0 {
				t.Errorf("%s: %d steps after another became leader", name, n)
			}
		})
	}
}

func TestTasksStopInTheMiddleOfARoundWhenAnotherLeads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var leads atomic.Bool
		leads.Store(true)
		c := &counter{tasks: []hook.Task{{ID: hook.ID{1}}, {ID: hook.ID{2}}, {ID: hook.ID{3}}}}
		c.onStep = func() { leads.Store(c.steps.Load() < 2) }
		stop := run(t, chores(c, leads.Load)["tasks"])
		defer stop()
		time.Sleep(time.Minute)
		if n := c.steps.Load(); n != 2 {
			t.Errorf("%d steps, want the 2 before another became leader", n)
		}
	})
}

func TestRollupsCatchUpAndThenLookEachSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &counter{}
		c.left.Store(50_500)
		stop := run(t, chores(c, always)["rollups"])
		defer stop()
		time.Sleep(100 * time.Millisecond)
		if n, left := c.steps.Load(), c.left.Load(); n != 51 || left != 0 {
			t.Errorf("%d steps and %d attempts left after a tenth of a second, want 51 and none", n, left)
		}
		time.Sleep(10 * time.Second)
		if n := c.steps.Load() - 51; n != 10 {
			t.Errorf("%d steps in ten idle seconds, want 10", n)
		}
	})
}

func TestRescueLooksAtEachHeartbeatAndWakesTheLanes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &counter{}
		var woken atomic.Int64
		stop := run(t, &upkeep.Rescue{
			Store: c, Every: 500 * time.Millisecond, Leads: always, Now: time.Now, Log: silent, Wake: func(hook.Lane) { woken.Add(1) },
		})
		defer stop()
		time.Sleep(10*time.Second - 1)
		if n, lanes := c.steps.Load(), woken.Load(); n != 20 || lanes != 40 {
			t.Errorf("%d looks and %d lanes woken in ten seconds, want 20 and 40", n, lanes)
		}
		c.failed.Store(true)
		time.Sleep(10 * time.Second)
		if n := c.steps.Load(); n != 40 {
			t.Errorf("%d looks in twenty seconds of which ten failed, want 40: a dead node must not wait for long", n)
		}
	})
}
