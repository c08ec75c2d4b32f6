package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// attemptStore shows deliveries and attempts and takes resends. See package store
// for what each promises.
type attemptStore interface {
	FindAttempt(ctx context.Context, env, app, message, attempt hook.ID) (hook.Attempt, error)
	ListAttempts(ctx context.Context, f hook.AttemptFilter) (hook.PageOf[hook.Attempt], error)
	ListDeliveries(ctx context.Context, f hook.DeliveryFilter) (hook.PageOf[hook.DeliveryOf], error)
	CountAttempts(ctx context.Context, env, app, endpoint hook.ID, since, until time.Time) (hook.AttemptCounts, error)
	ExpungeAttempt(ctx context.Context, env, app, message, attempt hook.ID) error
	Resend(ctx context.Context, env, app hook.ID, message, endpoint hook.Ref, now time.Time, once *hook.IdempotencyKey) (hook.Lane, error)
}

// expunged stands for a response that was dropped.
const expunged = "EXPUNGED"

// attemptView is what of an attempt an answer shows.
type attemptView struct {
	withContent bool
	withMessage bool
}

func listEndpointAttempts(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	return c.attempts(hook.AttemptFilter{Env: c.key.Env, App: e.App, Endpoint: e.ID})
}

func listMessageAttempts(c *call) (reply, error) {
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	f := hook.AttemptFilter{Env: c.key.Env, App: m.App, Message: m.ID}
	if text := c.params().text("endpoint_id"); text != "" {
		ref, err := parseRef(hook.KindEndpoint, text, "endpoint")
		if err != nil {
			return reply{}, hook.Invalid("is not an id or uid", "query", "endpoint_id")
		}
		e, err := c.Store.FindEndpoint(c.ctx(), c.key.Env, m.App, ref)
		if err != nil {
			return reply{}, err
		}
		f.OfEndpoint = e.ID
	}
	return c.attempts(f)
}

// listAttemptsOfBoth is an old route: the attempts of a message to one endpoint.
func listAttemptsOfBoth(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	return c.attempts(hook.AttemptFilter{Env: c.key.Env, App: m.App, Message: m.ID, OfEndpoint: e.ID})
}

// attempts answers a list of attempts with the filters of the query.
func (c *call) attempts(f hook.AttemptFilter) (reply, error) {
	q := c.params()
	f.Page = q.page(hook.KindAttempt, false, false)
	f.Before, f.After = q.window(&f.Page, c.now)
	f.EventTypes, f.Channel, f.Tag = q.filters()
	f.StatusClass = q.statusClass()
	status, byStatus := q.status()
	view := attemptView{withContent: q.boolean("with_content", true) && !c.hidesPayloads(), withMessage: q.boolean("with_msg", false)}
	q.boolean("expanded_statuses", false)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	if byStatus {
		switch status {
		case apitype.StatusSuccess:
			f.OnlySuccess = true
		case apitype.StatusFail:
			f.OnlyFailed = true
		case apitype.StatusPending, apitype.StatusSending, apitype.StatusCanceled:
			// An attempt that was made has succeeded or failed.
			return ok(apitype.List[apitype.MessageAttemptOut]{Data: []apitype.MessageAttemptOut{}, Done: true})
		}
	}
	page, err := c.Store.ListAttempts(c.ctx(), f)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page, attemptKey, func(a *hook.Attempt) apitype.MessageAttemptOut { return attemptOut(a, view) }))
}

// status reads a status; unknown numbers are invalid.
func (q *queryReader) status() (apitype.MessageStatus, bool) {
	n, given := q.integer("status")
	if given && (n < int64(apitype.StatusSuccess) || n > int64(apitype.StatusCanceled)) {
		q.invalid("status", "must be 0, 1, 2, 3 or 4")
	}
	return apitype.MessageStatus(n), given
}

// statusClass reads a class of HTTP statuses; -1: all.
func (q *queryReader) statusClass() int {
	n, given := q.integer("status_code_class")
	if !given {
		return -1
	}
	if n < 0 || n > 500 || n%100 != 0 {
		q.invalid("status_code_class", "must be 0, 100, 200, 300, 400 or 500")
	}
	return int(n)
}

func getAttempt(c *call) (reply, error) {
	app, msg, id, err := c.attemptPath()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	q.boolean("expanded_statuses", false)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	a, err := c.Store.FindAttempt(c.ctx(), c.key.Env, app, msg, id)
	if err != nil {
		return reply{}, err
	}
	return ok(attemptOut(&a, attemptView{withContent: !c.hidesPayloads()}))
}

func expungeAttempt(c *call) (reply, error) {
	app, msg, id, err := c.attemptPath()
	if err == nil {
		err = c.Store.ExpungeAttempt(c.ctx(), c.key.Env, app, msg, id)
	}
	if err != nil {
		return reply{}, err
	}
	return noContent()
}

func (c *call) attemptPath() (app, msg, attempt hook.ID, err error) {
	if attempt, err = hook.KindAttempt.Parse(c.value("attempt")); err != nil {
		return app, msg, attempt, hook.Invalid("is not a valid id", "path", "attempt_id")
	}
	m, err := c.message()
	return m.App, m.ID, attempt, err
}

// message finds the message of the path, without its payload.
func (c *call) message() (hook.Message, error) {
	app, ref, err := c.appAndMessage()
	if err != nil {
		return hook.Message{}, err
	}
	return c.Store.FindMessage(c.ctx(), c.key.Env, app, ref, false)
}

// resend queues one more attempt.
func resend(c *call) (reply, error) {
	app, msg, err := c.appAndMessage()
	if err != nil {
		return reply{}, err
	}
	_, ep, err := c.appAndEndpoint()
	if err != nil {
		return reply{}, err
	}
	if _, err := c.readBody(c.MaxBody); err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	lane, err := c.Store.Resend(c.ctx(), c.key.Env, app, msg, ep, c.now, once)
	if err != nil {
		return reply{}, err
	}
	c.Wake(lane)
	return reply{status: http.StatusAccepted, body: apitype.Empty{}}, nil
}

func attemptKey(a *hook.Attempt) string { return hook.KindAttempt.Format(a.ID) }

func attemptOut(a *hook.Attempt, view attemptView) apitype.MessageAttemptOut {
	status := apitype.StatusFail
	if a.Outcome.Class == hook.Success {
		status = apitype.StatusSuccess
	}
	out := apitype.MessageAttemptOut{
		ID: attemptKey(a), MsgID: hook.KindMessage.Format(a.Message), EndpointID: hook.KindEndpoint.Format(a.Endpoint),
		URL: a.URL, AttemptNumber: a.Number, TriggerType: apitype.TriggerScheduled, Status: status, StatusText: status.Text(),
		Outcome:            a.Outcome.Class.String(),
		ResponseStatusCode: int16(a.Outcome.Status),
		Response:           "{}", ResponseDurationMs: a.Timings.Total.Milliseconds(), Timings: timingsOut(&a.Timings),
		NextAttempt: timeOut(a.NextDue), Timestamp: a.StartedAt.UTC(),
	}
	if a.Trigger == hook.TriggerManual {
		out.TriggerType = apitype.TriggerManual
	}
	if view.withContent {
		out.Response = responseOf(a)
	}
	if view.withMessage {
		out.Msg = &apitype.MessageOut{
			ID: out.MsgID, EventID: textOut(a.EventID), EventType: a.EventType, Payload: emptyPayload,
			Channels: listOut(a.Channels), Tags: listOut(a.Tags), Timestamp: a.Message.Time(),
		}
	}
	return out
}

// responseOf gives the body of the answer as text, or what went wrong.
func responseOf(a *hook.Attempt) string {
	switch {
	case a.ResponseGone:
		return expunged
	case a.Outcome.Status == 0 && len(a.Response) == 0:
		return a.Outcome.Detail
	case !utf8.Valid(a.Response):
		return base64.StdEncoding.EncodeToString(a.Response)
	}
	return string(a.Response)
}

func timingsOut(t *hook.Timings) *apitype.AttemptTimings {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return &apitype.AttemptTimings{
		QueueMs: ms(t.Queue), DNSMs: ms(t.DNS), ConnectMs: ms(t.Connect),
		TLSMs: ms(t.TLS), FirstByteMs: ms(t.FirstByte), BodyMs: ms(t.Body),
	}
}
