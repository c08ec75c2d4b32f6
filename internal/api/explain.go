package api

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// explainMessage says for every endpoint of the application what became of one
// message, and why.
func explainMessage(c *call) (reply, error) {
	app, msg, err := c.appAndMessage()
	if err != nil {
		return reply{}, err
	}
	known, err := c.Store.ExplainMessage(c.ctx(), c.key.Env, app, msg)
	if err != nil {
		return reply{}, err
	}
	m := &known.Message
	out := apitype.ExplainOut{
		Message: apitype.ExplainMessage{
			ID: messageKey(m), EventID: textOut(m.EventID), EventType: m.EventType, Channels: listOut(m.Channels),
			Timestamp: m.CreatedAt.UTC(), PayloadExpired: m.BodyGone,
		},
		Endpoints: make([]apitype.ExplainEndpoint, len(known.Endpoints)), At: c.now,
	}
	for i := range known.Endpoints {
		out.Endpoints[i] = c.explain(m, &known.Endpoints[i])
	}
	slices.SortFunc(out.Endpoints, func(a, b apitype.ExplainEndpoint) int { return cmp.Compare(a.EndpointID, b.EndpointID) })
	return ok(out)
}

func (c *call) explain(m *hook.Message, e *hook.EndpointExplanation) apitype.ExplainEndpoint {
	out := apitype.ExplainEndpoint{
		EndpointID: endpointKey(&e.Endpoint), EndpointUID: textOut(e.Endpoint.UID), URL: e.Endpoint.URL,
		ChangedSinceAccept: e.AtAccept != nil && (e.Deleted || filtersDiffer(e.AtAccept, &e.Endpoint)),
	}
	if e.Endpoint.Disabled {
		out.DisabledSince = timeOut(e.Endpoint.DisabledAt)
	}
	if e.LastAttempt != nil {
		status := int16(e.LastAttempt.Outcome.Status)
		out.LastStatusCode, out.LastAttemptAt = &status, timeOut(e.LastAttempt.StartedAt)
	}
	if e.Delivery == nil {
		out.Verdict = apitype.VerdictNotMatched
		out.Reason, out.Text = whyNotMatched(m, e)
		return out
	}
	d := e.Delivery
	out.Verdict, out.Attempts = apitype.Verdict(d.State.String()), d.Attempts
	out.Reason, out.Text = whyState(e)
	if !d.Due.IsZero() {
		out.DueAt = timeOut(d.Due)
		c.explainHold(d, &out)
	}
	return out
}

// explainHold adds why a planned attempt waits beyond its time.
func (c *call) explainHold(d *hook.Delivery, out *apitype.ExplainEndpoint) {
	held := c.Hold(d.Endpoint)
	if held.Hold == hook.NotHeld {
		return
	}
	out.HeldReason = held.Hold.String()
	out.NextProbeAt = timeOut(held.Until)
	out.Text += " It is held: " + holdText(held.Hold) + "."
}

func holdText(h hook.Hold) string {
	switch h {
	case hook.HeldCircuit:
		return "the endpoint keeps failing, so only probes go out"
	case hook.HeldThrottle:
		return "the endpoint's rate is used up"
	case hook.HeldFull:
		return "as many attempts are under way as the endpoint takes"
	case hook.HeldRateLimit:
		return "the endpoint asked to wait (429)"
	case hook.HeldNoNode:
		return "no node delivers at the moment"
	case hook.NotHeld:
	}
	return ""
}

// whyNotMatched explains an endpoint without a delivery.
func whyNotMatched(m *hook.Message, e *hook.EndpointExplanation) (reason, text string) {
	if e.AtAccept == nil {
		return "created_later", "The endpoint was created after the message was accepted."
	}
	v := hook.Match(m.EventType, m.Channels, *e.AtAccept)
	switch v {
	case hook.EventTypeDiffers:
		return v.String(), "The endpoint takes " + strings.Join(e.AtAccept.EventTypes, ", ") + " only; the message is " + m.EventType + "."
	case hook.ChannelDiffers:
		has := "the message has no channels"
		if len(m.Channels) > 0 {
			has = "the message has " + strings.Join(m.Channels, ", ")
		}
		return v.String(), "The endpoint takes messages of the channels " + strings.Join(e.AtAccept.Channels, ", ") + " only; " + has + "."
	case hook.EndpointDisabled:
		return v.String(), "The endpoint was disabled when the message was accepted."
	case hook.Matched:
	}
	return "not_addressed", "The message was made for another endpoint only."
}

// whyState explains the state of a delivery.
func whyState(e *hook.EndpointExplanation) (reason, text string) {
	d := e.Delivery
	switch d.State {
	case hook.Pending:
		return whyPending(e)
	case hook.Sending:
		return "in_flight", fmt.Sprintf("Attempt %d is under way.", d.Attempts+1)
	case hook.Delivered:
		return "delivered", fmt.Sprintf("Answered with %d at attempt %d.", d.LastStatus, d.Attempts)
	case hook.Failed:
		return "exhausted", fmt.Sprintf("Every attempt of the schedule failed, %d in all; %s.", d.Attempts, lastFailure(e))
	case hook.Canceled:
		return d.Reason.String(), canceledText(e)
	}
	return "", ""
}

func whyPending(e *hook.EndpointExplanation) (reason, text string) {
	d := e.Delivery
	switch {
	case d.Manual:
		return "resend", "A resend is planned."
	case d.Reason == hook.ReasonRetry:
		return d.Reason.String(), fmt.Sprintf("Attempt %d failed: %s. The next one has its time.", d.Attempts, lastFailure(e))
	case d.Reason == hook.ReasonScheduled:
		return d.Reason.String(), "The caller asked for a later time."
	case d.Reason == hook.ReasonReleased:
		return d.Reason.String(), "The node that had it stopped before the attempt ended; it is due again."
	}
	return "due", "It waits for its first attempt."
}

func lastFailure(e *hook.EndpointExplanation) string {
	if e.LastAttempt == nil {
		return "the attempts are no longer kept"
	}
	o := &e.LastAttempt.Outcome
	switch {
	case o.Status != 0:
		return fmt.Sprintf("the endpoint answered %d", o.Status)
	case o.Detail != "":
		return strings.TrimSuffix(o.Detail, ".")
	}
	return "failure class " + o.Class.String()
}

func canceledText(e *hook.EndpointExplanation) string {
	switch e.Delivery.Reason {
	case hook.ReasonEndpointDisabled:
		return "The endpoint was disabled; recover sends it once the endpoint is enabled."
	case hook.ReasonEndpointDeleted:
		return "The endpoint was deleted."
	case hook.ReasonGone:
		return "The endpoint answered 410, which says that it is gone for good."
	case hook.ReasonExpired:
		return "The retention of the payload ended before it could be delivered."
	case hook.ReasonByUser:
		return "It was canceled through the API."
	case hook.ReasonNone, hook.ReasonRetry, hook.ReasonScheduled, hook.ReasonReleased, hook.ReasonExhausted:
	}
	return "It will not be sent."
}

// filtersDiffer reports whether what decides about a match was changed.
func filtersDiffer(then *hook.EndpointRevision, now *hook.Endpoint) bool {
	return then.Disabled != now.Disabled || !slices.Equal(then.EventTypes, now.EventTypes) || !slices.Equal(then.Channels, now.Channels)
}
