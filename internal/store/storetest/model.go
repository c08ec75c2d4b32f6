package storetest

import (
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// model is what a store holds, as package store and docs/states.md tell it, in
// plain values. It knows nothing of tables, indexes or commits.
type model struct {
	now       time.Time
	epoch     int // of the node; a lease of another one is void
	apps      []hook.ID
	endpoints []*modelEndpoint
	messages  []*modelMessage // in the order of acceptance; removed ones are taken out
	keys      map[string]*modelKey
	tasks     []*modelTask
	commits   int             // of messages or attempts
	feeds     [2][]modelEntry // by kind
}

type modelEndpoint struct {
	value   hook.Endpoint // the settings, and what the store last said about them
	app     int
	deleted bool
	hours   map[time.Time]hook.Tally // of its attempts, by the hour in which they began
}

// closed is why the endpoint takes nothing.
func (e *modelEndpoint) closed() hook.Reason {
	switch {
	case e.deleted:
		return hook.ReasonEndpointDeleted
	case e.value.Disabled:
		return hook.ReasonEndpointDisabled
	}
	return hook.ReasonNone
}

type modelMessage struct {
	value      hook.Message
	app        int
	gone       bool      // the payload
	expires    time.Time // the payload's own time
	deliveries map[*modelEndpoint]*modelDelivery
	inForce    map[*modelEndpoint]hook.EndpointRevision // when it was accepted
}

type modelDelivery struct {
	message  *modelMessage
	endpoint *modelEndpoint
	state    hook.State
	reason   hook.Reason
	attempts int
	step     int
	manual   bool
	again    bool      // one more by hand was asked for while in flight
	inRetry  bool      // the lane that was named for it
	due      time.Time // zero: nothing is planned
	autoDue  time.Time // while manual: when the schedule goes on
	retry    bool      // the lane
	status   int
	lease    *modelLease // nil: not in flight
	log      []modelAttempt

	// What the contract leaves open is taken from the store, once.
	openDue    bool // some time up to now; autoDue too, if openAuto
	openAuto   bool
	openReason bool // the reason from before, or released
	openState  bool // of a delivery made by a resend: not delivered yet
}

type modelLease struct {
	lease    *hook.Lease
	delivery *modelDelivery
	epoch    int
}

type modelAttempt struct {
	id     hook.ID
	number int
	manual bool
	class  hook.Class
	at     time.Time
	took   time.Duration
}

type modelKey struct {
	fingerprint string
	message     *modelMessage
	id          hook.ID
	expires     time.Time
}

type modelTask struct {
	value    hook.Task
	endpoint *modelEndpoint
}

// waiting reports whether the delivery is in a lane.
func (d *modelDelivery) waiting() bool { return d.lease == nil && !d.due.IsZero() }

// drop takes away what is planned. One that had not ended is canceled.
func (d *modelDelivery) drop(reason hook.Reason) {
	if d.state == hook.Pending {
		d.state, d.reason = hook.Canceled, reason
	}
	d.due, d.autoDue, d.manual, d.again = time.Time{}, time.Time{}, false, false
}

// plan makes an attempt by hand due now.
func (d *modelDelivery) plan(now time.Time, retry bool) {
	if !d.manual {
		d.autoDue = d.due
	}
	d.manual, d.due, d.retry = true, now, retry
}

// deliveries gives those that pass, in the order of their messages.
func (m *model) deliveries(pass func(*modelDelivery) bool) []*modelDelivery {
	var out []*modelDelivery
	for _, msg := range m.messages {
		for _, e := range m.endpoints {
			if d := msg.deliveries[e]; d != nil && pass(d) {
				out = append(out, d)
			}
		}
	}
	return out
}

// lane gives what waits in a lane, what is due first coming first.
func (m *model) lane(e *modelEndpoint, retry bool) []*modelDelivery {
	out := m.deliveries(func(d *modelDelivery) bool { return d.endpoint == e && d.waiting() && d.retry == retry })
	slices.SortStableFunc(out, func(a, b *modelDelivery) int { return a.due.Compare(b.due) })
	return out
}

// byEventID finds a message of an application by the caller's id.
func (m *model) byEventID(app int, id string) *modelMessage {
	for _, msg := range m.messages {
		if id != "" && msg.app == app && msg.value.EventID == id {
			return msg
		}
	}
	return nil
}

// accept says what becomes of an event: a refusal, the message that its key led
// to before, or a new message with its deliveries, none of them leased.
func (m *model) accept(app int, e *hook.NewEvent, key, fingerprint string) (refused hook.Code, before *modelKey, fresh *modelMessage) {
	if k := m.keys[key]; k != nil && m.now.Before(k.expires) {
		switch {
		case k.fingerprint != fingerprint:
			return hook.CodeIdempotency, nil, nil
		case k.message == nil || !slices.Contains(m.messages, k.message):
			return hook.CodeNotFound, nil, nil
		}
		return "", k, nil
	}
	if m.byEventID(app, e.EventID) != nil {
		return hook.CodeConflict, nil, nil
	}
	msg := &modelMessage{
		value: e.Message, app: app, expires: e.BodyExpiresAt,
		deliveries: map[*modelEndpoint]*modelDelivery{}, inForce: map[*modelEndpoint]hook.EndpointRevision{},
	}
	for _, end := range m.endpoints {
		if end.app == app && !end.deleted {
			msg.inForce[end] = end.value.Filters()
			m.fanOut(msg, end, e)
		}
	}
	m.messages = append(m.messages, msg)
	m.publish(hook.FeedMessages, modelEntry{message: msg})
	if e.Idempotency != nil {
		m.keys[key] = &modelKey{fingerprint: fingerprint, message: msg, id: e.ID, expires: e.Idempotency.ExpiresAt}
	}
	return "", nil, msg
}

func (m *model) fanOut(msg *modelMessage, end *modelEndpoint, e *hook.NewEvent) {
	verdict := hook.Match(e.EventType, e.Channels, end.value.Filters())
	if !e.Only.IsZero() {
		if end.value.ID != e.Only {
			return
		}
		verdict = hook.Matched
		if end.value.Disabled {
			verdict = hook.EndpointDisabled
		}
	}
	d := &modelDelivery{message: msg, endpoint: end}
	switch verdict {
	case hook.EventTypeDiffers, hook.ChannelDiffers:
		return
	case hook.EndpointDisabled:
		d.state, d.reason = hook.Canceled, hook.ReasonEndpointDisabled
	case hook.Matched:
		d.due = e.CreatedAt
		if !e.DeliverAt.IsZero() {
			d.due, d.reason = e.DeliverAt, hook.ReasonScheduled
		}
	}
	msg.deliveries[end] = d
}

// holds reports whether a lease may still be settled.
func (m *model) holds(l *modelLease) bool {
	return l.epoch == m.epoch && l.delivery.lease == l && slices.Contains(m.messages, l.delivery.message)
}

// settle ends a lease that holds. attempt is nil if nothing was tried.
func (m *model) settle(l *modelLease, t hook.Transition, attempt *modelAttempt, status int, disableAfter time.Duration) (due time.Time, disabled hook.DisableReason) {
	d := l.delivery
	d.lease = nil
	d.state, d.reason, d.step, d.due = t.State, t.Reason, t.Step, t.Due
	d.manual, d.autoDue = false, time.Time{}
	if attempt != nil {
		d.attempts++
		d.status = status
		d.log = append(d.log, *attempt)
		m.publish(hook.FeedAttempts, modelEntry{message: d.message, delivery: d, attempt: attempt.id})
		d.endpoint.sumUp(attempt)
		d.retry = true
	}
	if d.again {
		d.again, d.manual, d.autoDue, d.due = false, true, d.due, m.now
	}
	if attempt == nil || d.endpoint.deleted {
		return d.due, hook.NotDisabled
	}
	return d.due, m.failureClock(d.endpoint, attempt.class, t.Disable, disableAfter)
}

func (m *model) failureClock(end *modelEndpoint, class hook.Class, wish hook.DisableReason, after time.Duration) hook.DisableReason {
	e := &end.value
	if class == hook.Success {
		e.FailingSince = time.Time{}
		return hook.NotDisabled
	}
	if e.FailingSince.IsZero() {
		e.FailingSince = m.now
	}
	if wish == hook.NotDisabled && hook.ShouldDisable(e.FailingSince, m.now, after) {
		wish = hook.DisabledByFailing
	}
	if e.Disabled || wish == hook.NotDisabled {
		return hook.NotDisabled
	}
	e.Disable(wish, m.now)
	return wish
}

// release gives a lease back that holds.
func (m *model) release(l *modelLease) {
	l.delivery.unleased()
	if l.delivery.state == hook.Pending {
		l.delivery.reason = hook.ReasonReleased
	}
}

// unleased is due again as before. What was asked for by hand meanwhile comes
// first, and the attempt that was not made comes after it.
func (d *modelDelivery) unleased() {
	d.due, d.lease = d.lease.lease.Due, nil
	if !d.again {
		return
	}
	if !d.manual {
		d.manual, d.autoDue, d.openAuto = true, d.due, true
	}
	d.again, d.retry = false, d.inRetry
}

// register makes every lease void: what was in flight is due at once.
func (m *model) register() {
	m.epoch++
	for _, d := range m.deliveries(func(d *modelDelivery) bool { return d.lease != nil }) {
		d.unleased()
		d.openDue, d.openReason = true, d.state == hook.Pending
	}
}

// dropPayload forgets a payload; what waited for it ends. It gives how many
// deliveries were still to be sent.
func (m *model) dropPayload(msg *modelMessage) (unsent int) {
	msg.gone = true
	for _, d := range msg.deliveries {
		if d.lease != nil {
			continue
		}
		if d.state == hook.Pending {
			unsent++
		}
		d.drop(hook.ReasonExpired)
	}
	return unsent
}

// expire is all that retention does at this time.
func (m *model) expire(keep hook.Retention) (out hook.Expired) {
	if keep.Messages > 0 {
		m.forgetHours(m.now.Add(-keep.Messages))
	}
	past := func(at time.Time, keep time.Duration) bool { return keep > 0 && at.Before(m.now.Add(-keep)) }
	for _, msg := range slices.Clone(m.messages) {
		own := !msg.expires.IsZero()
		if !msg.gone && (own && !msg.expires.After(m.now) || !own && past(msg.value.CreatedAt, keep.Payloads)) {
			if !past(msg.value.CreatedAt, keep.Messages) { // else it may go with its message
				out.Payloads++
			}
			out.Unsent += m.dropPayload(msg)
		}
		for _, d := range msg.deliveries {
			before := len(d.log)
			d.log = slices.DeleteFunc(d.log, func(a modelAttempt) bool { return past(a.at, keep.Attempts) })
			out.Attempts += before - len(d.log)
		}
		if past(msg.value.CreatedAt, keep.Messages) {
			out.Messages++
			for _, d := range msg.deliveries {
				if d.state == hook.Pending && d.lease == nil {
					out.Unsent++
				}
			}
			m.messages = slices.DeleteFunc(m.messages, func(x *modelMessage) bool { return x == msg })
		}
	}
	return out
}

// recoverable gives what a recover task still has to look at, up to a message.
func (t *modelTask) ahead(m *model, cursor, to hook.ID) []*modelDelivery {
	return m.deliveries(func(d *modelDelivery) bool {
		at, id := d.message.value.CreatedAt, d.message.value.ID
		return d.endpoint == t.endpoint && !at.Before(t.value.Since) && at.Before(t.value.Until) &&
			slices.Compare(id[:], cursor[:]) > 0 && slices.Compare(id[:], to[:]) <= 0
	})
}

// recoverable reports whether recover sends the delivery again.
func (d *modelDelivery) recoverable() bool {
	return d.lease == nil && d.due.IsZero() && !d.message.gone && hook.Recoverable(d.state, d.reason)
}
