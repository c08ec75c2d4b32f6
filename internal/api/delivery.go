package api

import (
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// statsWindow is the longest range that statistics cover, and the default.
	statsWindow = 28 * 24 * time.Hour
	clockSlack  = 5 * time.Minute // how far a caller's clock may be ahead
)

// statusOf says how a delivery stands in the API's closed set. Clients that do not
// know `canceled` see it as success, because nothing more will be tried.
func statusOf(d *hook.Delivery, expanded bool) apitype.MessageStatus {
	switch {
	case d.State == hook.Delivered:
		return apitype.StatusSuccess
	case !d.Due.IsZero():
		return apitype.StatusSending
	}
	switch d.State {
	case hook.Pending, hook.Sending:
		return apitype.StatusSending
	case hook.Failed:
		return apitype.StatusFail
	case hook.Canceled:
		if expanded {
			return apitype.StatusCanceled
		}
		return apitype.StatusSuccess
	case hook.Delivered:
	}
	return apitype.StatusSuccess
}

// statesOf gives the states that show as this status; none for a status that no
// delivery has.
func statesOf(s apitype.MessageStatus, expanded bool) []hook.State {
	switch s {
	case apitype.StatusSuccess:
		if !expanded {
			return []hook.State{hook.Delivered, hook.Canceled}
		}
		return []hook.State{hook.Delivered}
	case apitype.StatusSending:
		return []hook.State{hook.Pending, hook.Sending}
	case apitype.StatusFail:
		return []hook.State{hook.Failed}
	case apitype.StatusCanceled:
		return []hook.State{hook.Canceled}
	case apitype.StatusPending:
	}
	return nil
}

// listEndpointMessages lists the messages that were tried at an endpoint.
func listEndpointMessages(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	f := hook.DeliveryFilter{Env: c.key.Env, App: e.App, Endpoint: e.ID, Page: q.page(hook.KindMessage, false, false)}
	f.Before, f.After = q.window(&f.Page, c.now)
	f.EventTypes, f.Channel, f.Tag = q.filters()
	f.WithBody = q.boolean("with_content", true) && !c.hidesPayloads()
	expanded := q.boolean("expanded_statuses", false)
	status, byStatus := q.status()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	if byStatus {
		if f.States = statesOf(status, expanded); f.States == nil {
			return ok(apitype.List[apitype.EndpointMessageOut]{Data: []apitype.EndpointMessageOut{}, Done: true})
		}
	}
	page, err := c.Store.ListDeliveries(c.ctx(), f)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page,
		func(d *hook.DeliveryOf) string { return hook.KindMessage.Format(d.Delivery.Message) },
		func(d *hook.DeliveryOf) apitype.EndpointMessageOut {
			return apitype.EndpointMessageOut{
				MessageOut: messageOut(d.Message, f.WithBody), DeliveryStatus: statusOut(&d.Delivery, expanded),
			}
		}))
}

// listMessageEndpoints lists the endpoints at which a message was tried.
func listMessageEndpoints(c *call) (reply, error) {
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	f := hook.DeliveryFilter{Env: c.key.Env, App: m.App, Message: m.ID, Page: q.page(hook.KindEndpoint, true, false)}
	expanded := q.boolean("expanded_statuses", false)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	page, err := c.Store.ListDeliveries(c.ctx(), f)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page,
		func(d *hook.DeliveryOf) string { return hook.KindEndpoint.Format(d.Delivery.Endpoint) },
		func(d *hook.DeliveryOf) apitype.MessageEndpointOut {
			return apitype.MessageEndpointOut{
				EndpointFacts: endpointFacts(d.Endpoint), DeliveryStatus: statusOut(&d.Delivery, expanded),
			}
		}))
}

func messageOut(m *hook.Message, withContent bool) apitype.MessageOut {
	return apitype.MessageOut{
		ID: messageKey(m), EventID: textOut(m.EventID), EventType: m.EventType, Payload: payloadOf(m, withContent),
		Channels: m.Channels, Tags: m.Tags, DeliverAt: timeOut(m.DeliverAt), Timestamp: m.CreatedAt.UTC(),
	}
}

func statusOut(d *hook.Delivery, expanded bool) apitype.DeliveryStatus {
	status := statusOf(d, expanded)
	out := apitype.DeliveryStatus{Status: status, StatusText: status.Text()}
	if status == apitype.StatusSending {
		out.NextAttempt = timeOut(d.Due)
	}
	return out
}

// endpointStats counts by status in a range of at most 28 days.
func endpointStats(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	since, until := q.time("since"), q.time("until")
	if err := q.err(); err != nil {
		return reply{}, err
	}
	if until.IsZero() {
		until = c.now
	}
	if since.IsZero() {
		since = until.Add(-statsWindow)
	}
	switch {
	case until.After(c.now.Add(clockSlack)):
		return reply{}, invalidRange("`until` lies in the future.")
	case until.Before(since):
		return reply{}, invalidRange("`until` lies before `since`.")
	case until.Sub(since) > statsWindow+clockSlack:
		return reply{}, invalidRange("The range is longer than 28 days.")
	}
	n, err := c.Store.CountAttempts(c.ctx(), c.key.Env, e.App, e.ID, since, until)
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.EndpointStats{Success: n.Success, Pending: n.Pending, Sending: n.Sending, Fail: n.Fail, Canceled: n.Canceled})
}

func invalidRange(detail string) *hook.Error {
	return &hook.Error{Code: hook.CodeInvalidRange, Detail: detail}
}
