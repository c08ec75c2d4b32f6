package api

import (
	"context"
	"net/http"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// recoverWindow is the longest range that one recover or replay covers.
	recoverWindow = 14 * 24 * time.Hour
	// maxTaskRate is the highest rate of one, messages a second.
	maxTaskRate = 10_000
)

// recoverStore counts what a task would send.
type recoverStore interface {
	CountRecoverable(ctx context.Context, t *hook.Task, bound int) (hook.BoundedCount, error)
}

// recoverEndpoint starts a task that sends again what failed for good.
func recoverEndpoint(c *call) (reply, error) { return c.again(hook.TaskRecover) }

// replayMissing starts a task that sends what the endpoint would get today but never got.
func replayMissing(c *call) (reply, error) { return c.again(hook.TaskReplay) }

func countRecover(c *call) (reply, error) { return c.countAgain(hook.TaskRecover) }

func countMissing(c *call) (reply, error) { return c.countAgain(hook.TaskReplay) }

// again starts a task over a range of messages at the endpoint of the path.
func (c *call) again(kind hook.TaskKind) (reply, error) {
	in, err := decode[apitype.RecoverIn](c)
	if err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	if err := takesDeliveries(&e); err != nil {
		return reply{}, err
	}
	since, until, err := c.recoverRange(apitype.RecoverRange{Since: in.Since, Until: in.Until})
	if err != nil {
		return reply{}, err
	}
	rate, err := rateIn(in.Rate)
	if err != nil {
		return reply{}, err
	}
	t, err := c.startTask(&e, kind, since, until, rate, once)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusAccepted, body: taskRef(&t)}, nil
}

// recoverRange checks a range and fills in its end.
func (c *call) recoverRange(in apitype.RecoverRange) (since, until time.Time, err error) {
	since, until = in.Since.UTC(), in.Until.Else(c.now).UTC()
	var k checker
	switch {
	case in.Since.IsZero():
		k.bad("is missing", "since")
	case !since.Before(until):
		k.bad("must lie before until", "since")
	case until.Sub(since) > recoverWindow+clockSlack:
		k.bad("must lie at most 14 days before until", "since")
	}
	return since, until, k.err()
}

// rateIn reads the rate of a task; 0: no limit.
func rateIn(in apitype.Optional[uint32]) (int, error) {
	rate, given := in.Get()
	if given && (rate == 0 || rate > maxTaskRate) {
		return 0, hook.Invalid("must be from 1 to 10000", "body", "rate")
	}
	return int(rate), nil
}

// startTask stores a task, with how much there is to do as far as that is counted.
func (c *call) startTask(e *hook.Endpoint, kind hook.TaskKind, since, until time.Time, rate int, once *hook.IdempotencyKey) (hook.Task, error) {
	if err := takesDeliveries(e); err != nil {
		return hook.Task{}, err
	}
	t := hook.Task{
		ID: hook.NewID(c.now), Env: c.key.Env, App: e.App, Endpoint: e.ID, Kind: kind, Status: hook.TaskRunning,
		Since: since, Until: until, Rate: rate, CreatedAt: c.now, UpdatedAt: c.now,
	}
	n, err := c.Store.CountRecoverable(c.ctx(), &t, countBound)
	if err != nil {
		return t, err
	}
	if !n.More {
		t.Total = int64(n.Count)
	}
	t, _, err = c.Store.CreateTask(c.ctx(), &t, once)
	if err != nil {
		return t, err
	}
	c.Wake(hook.Lane{Endpoint: e.ID, App: e.App, Due: c.now})
	return t, nil
}

// countAgain counts what a task would send.
func (c *call) countAgain(kind hook.TaskKind) (reply, error) {
	in, err := decode[apitype.RecoverRange](c)
	if err != nil {
		return reply{}, err
	}
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	since, until, err := c.recoverRange(in)
	if err != nil {
		return reply{}, err
	}
	n, err := c.Store.CountRecoverable(c.ctx(), &hook.Task{
		Env: c.key.Env, App: e.App, Endpoint: e.ID, Kind: kind, Since: since, Until: until,
	}, countBound)
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.CountOut{Count: n.Count, More: n.More})
}
