package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// refused holds that err is a refusal with one of these codes, or nil for none.
func (w *world) refused(err error, codes ...hook.Code) {
	if len(codes) == 0 {
		w.ok(err)
		return
	}
	var known *hook.Error
	w.true(errors.As(err, &known) && slices.Contains(codes, known.Code), "refused with one of %v, not with %v", codes, err)
}

// The words that events and filters are made of.
var (
	someTypes    = []string{"a", "b"}
	someChannels = []string{"x", "y"}
)

func (w *world) settings(e *hook.Endpoint) {
	e.EventTypes, e.Channels = nil, nil
	if w.chance(30) {
		e.EventTypes = []string{pick(w, someTypes)}
	}
	if w.chance(20) {
		e.Channels = []string{pick(w, someChannels)}
	}
	e.UpdatedAt = w.now
}

func (w *world) createEndpoint() {
	if len(w.endpoints) >= 6 {
		return
	}
	app := w.rng.IntN(len(w.apps))
	e := hook.Endpoint{ID: w.id(), App: w.apps[app], Env: w.env, URL: "https://example.com", CreatedAt: w.now}
	w.settings(&e)
	got, _, err := w.store.CreateEndpoint(w.ctx, &e, 0, nil)
	w.ok(err)
	w.endpoints = append(w.endpoints, &modelEndpoint{value: got, app: app})
	w.note("create endpoint e%d of application %d: types %v, channels %v", w.serial, app, e.EventTypes, e.Channels)
}

// live gives an endpoint that is not deleted; nil if there is none.
func (w *world) live() *modelEndpoint {
	var live []*modelEndpoint
	for _, e := range w.endpoints {
		if !e.deleted {
			live = append(live, e)
		}
	}
	if len(live) == 0 {
		return nil
	}
	return pick(w, live)
}

func (w *world) closeOrOpen() {
	e := w.live()
	if e == nil {
		return
	}
	what, change := "change filters of", w.settings
	switch {
	case e.value.Disabled && w.chance(80):
		what, change = "enable", func(x *hook.Endpoint) { x.Enable() }
	case w.chance(50):
		what, change = "disable", func(x *hook.Endpoint) { x.Disable(hook.DisabledByUser, w.now) }
	}
	w.note("%s %s", what, w.endpointName(e))
	got, _, err := w.store.UpdateEndpoint(w.ctx, w.env, w.apps[e.app], hook.Ref{ID: e.value.ID}, nil, func(x *hook.Endpoint) error {
		change(x)
		x.UpdatedAt = w.now
		return nil
	})
	w.ok(err)
	switch what { // by the rules of hook, not by the store's word
	case "enable":
		e.value.Enable()
	case "disable":
		e.value.Disable(hook.DisabledByUser, w.now)
	default:
		e.value.EventTypes, e.value.Channels = got.EventTypes, got.Channels
	}
	e.value.UpdatedAt = w.now
	w.true(got.Revision > e.value.Revision, "the revision grows")
	e.value.Revision = got.Revision
	w.equal(got, e.value, "endpoint after the change")
}

func (w *world) deleteOne() {
	e := w.live()
	if e == nil || len(w.endpoints) < 3 {
		return
	}
	w.note("delete %s", w.endpointName(e))
	id, err := w.store.DeleteEndpoint(w.ctx, w.env, w.apps[e.app], hook.Ref{ID: e.value.ID}, w.now)
	w.ok(err)
	w.equal(id, e.value.ID, "id of what was deleted")
	e.deleted = true
}

// event makes an event that may repeat an event id or a key.
func (w *world) event() (app int, e hook.NewEvent, key, fingerprint string) {
	app = w.rng.IntN(len(w.apps))
	e = hook.NewEvent{Message: hook.Message{
		ID: w.id(), App: w.apps[app], Env: w.env, EventType: pick(w, someTypes), ContentType: "application/json",
		Body: make([]byte, w.rng.IntN(40)), CreatedAt: w.now,
	}}
	e.BodySize = len(e.Body)
	if w.chance(40) {
		e.Channels = []string{pick(w, someChannels)}
	}
	if w.chance(20) {
		e.EventID = fmt.Sprint("event-", w.rng.IntN(5))
	}
	if w.chance(10) {
		e.DeliverAt = w.now.Add(time.Duration(1+w.rng.IntN(7200)) * time.Second)
	}
	if w.chance(10) {
		e.BodyExpiresAt = w.now.Add(time.Duration(1+w.rng.IntN(3*3600)) * time.Second)
	}
	if end := pick(w, w.endpoints); end.app == app && !end.deleted && w.chance(15) {
		e.Only = end.value.ID
	}
	if w.chance(25) {
		auto := w.chance(50)
		key = fmt.Sprint("key-", w.rng.IntN(4), auto)
		fingerprint = fmt.Sprint("request-", app, w.rng.IntN(3) == 0)
		e.Idempotency = &hook.IdempotencyKey{Hash: sum(key), Fingerprint: sum(fingerprint), ExpiresAt: w.now.Add(10 * time.Minute), Auto: auto}
	}
	return app, e, key, fingerprint
}

func (w *world) acceptSome() {
	n := 1 + w.rng.IntN(3)
	w.commits++
	events := make([]hook.NewEvent, n)
	places := &places{room: func(*hook.Endpoint, int) bool { return w.chance(40) }}
	type want struct {
		refused hook.Code
		before  *modelKey
		fresh   *modelMessage
	}
	wants := make([]want, n)
	for i := range events {
		app, e, key, fingerprint := w.event()
		events[i] = e
		wants[i].refused, wants[i].before, wants[i].fresh = w.accept(app, &e, key, fingerprint)
		w.note("accept m%d for application %d: type %s, channels %v, event id %q, key %q of %q, later %t",
			w.serial, app, e.EventType, e.Channels, e.EventID, key, fingerprint, !e.DeliverAt.IsZero())
	}
	out, err := w.store.Accept(w.ctx, w.node, places, w.now, events)
	w.ok(err)
	w.equal(len(out), n, "results")
	leased := 0
	for i, a := range out {
		switch c := wants[i]; {
		case c.refused != "":
			w.refused(a.Err, c.refused)
		case c.before != nil:
			w.ok(a.Err)
			w.true(a.Duplicate && a.Message.ID == c.before.id && len(a.Leased) == 0, "the message of the first request is given")
		default:
			w.ok(a.Err)
			w.true(!a.Duplicate, "it is new")
			w.equal(a.Message, events[i].Message, "the message")
			leased += len(a.Leased)
			w.took(c.fresh, a)
		}
	}
	reserved := 0
	for _, n := range places.reserved {
		reserved += n
	}
	w.equal(leased, reserved, "leases, and places held")
}

// took notes what an accepted message has in flight.
func (w *world) took(msg *modelMessage, a hook.Accepted) {
	matched := 0
	for _, d := range msg.deliveries {
		if d.state == hook.Pending {
			matched++
		}
	}
	w.equal(a.Matched, matched, "endpoints that get "+w.messageName(msg))
	for _, l := range a.Leased {
		d := w.of(msg, l.Endpoint.ID)
		w.true(d != nil && d.waiting() && msg.value.DeliverAt.IsZero(), "only what is due at once is leased")
		w.equal(leaseFacts(l), d.facts(), "a lease given at accept, of "+w.name(d))
		w.lease(d, l)
		w.note("  leased %s", w.name(d))
	}
}

func (w *world) of(msg *modelMessage, endpoint hook.ID) *modelDelivery {
	for e, d := range msg.deliveries {
		if e.value.ID == endpoint {
			return d
		}
	}
	return nil
}

func (w *world) lease(d *modelDelivery, l *hook.Lease) {
	held := &modelLease{lease: l, delivery: d, epoch: w.epoch}
	d.lease = held
	w.leases = append(w.leases, held)
}

// facts is what a lease says of its delivery.
type facts struct {
	Message, Endpoint hook.ID
	Number            int
	Tried             hook.Tried
	Due               time.Time
	Retry, Gone       bool
	Filters           hook.EndpointRevision
}

func leaseFacts(l *hook.Lease) facts {
	f := facts{l.Message.ID, l.Endpoint.ID, l.Number, l.Tried, l.Due, l.Retry, l.Message.BodyGone, l.Endpoint.Filters()}
	f.Filters.Since = time.Time{}
	return f
}

func (d *modelDelivery) facts() facts {
	f := facts{
		Message: d.message.value.ID, Endpoint: d.endpoint.value.ID, Number: d.attempts + 1,
		Tried: hook.Tried{State: d.state, Reason: d.reason, Step: d.step, Manual: d.manual, AutoDue: d.autoDue},
		Due:   d.due, Retry: d.retry, Gone: d.message.gone, Filters: d.endpoint.value.Filters(),
	}
	f.Filters.Since = time.Time{}
	return f
}

func (w *world) claimSome() {
	var ask []hook.ClaimLane
	var of []*modelEndpoint
	for _, e := range w.endpoints {
		for _, retry := range []bool{false, true} {
			if w.chance(60) {
				ask = append(ask, hook.ClaimLane{Endpoint: e.value.ID, Retry: retry, Max: w.rng.IntN(4)})
				of = append(of, e)
			}
		}
	}
	out, err := w.store.Claim(w.ctx, hook.ClaimRequest{Node: w.node, Now: w.now, Lanes: ask, MaxBytes: 1 << 20})
	w.ok(err)
	w.equal(len(out), len(ask), "lanes")
	for i, c := range out {
		w.claimed(of[i], ask[i], c)
	}
}

func (w *world) claimed(e *modelEndpoint, ask hook.ClaimLane, c hook.ClaimedLane) {
	what := fmt.Sprintf("claim of %d from %s, retries %t", ask.Max, w.endpointName(e), ask.Retry)
	if why := e.closed(); why != hook.ReasonNone {
		w.equal(c, hook.ClaimedLane{Closed: why}, what)
		return
	}
	w.equal(c.Closed, hook.ReasonNone, what+" is open")
	waiting := w.lane(e, ask.Retry)
	var want []time.Time
	for _, d := range waiting {
		if !d.due.After(w.now) && len(want) < ask.Max {
			want = append(want, d.due)
		}
	}
	w.equal(dueTimes(c.Leases), want, what)
	for _, l := range c.Leases {
		at := slices.IndexFunc(waiting, func(d *modelDelivery) bool { return d.message.value.ID == l.Message.ID && d.lease == nil })
		w.true(at >= 0, "%s gives what waits there", what)
		w.equal(leaseFacts(l), waiting[at].facts(), "lease of "+w.name(waiting[at]))
		w.lease(waiting[at], l)
		w.note("claim %s, attempt %d", w.name(waiting[at]), l.Number)
	}
	var next time.Time
	if rest := w.lane(e, ask.Retry); len(rest) > 0 {
		next = rest[0].due
	}
	w.equal(c.Next, next, what+": the next one")
}

// answer is a random outcome of an attempt.
func (w *world) answer() hook.Outcome {
	switch n := w.rng.IntN(100); {
	case n < 35:
		return answerOK
	case n < 70:
		return answerFail
	case n < 80:
		return hook.Outcome{Class: hook.FailTimeout, Detail: "It did not answer."}
	case n < 90:
		return hook.Outcome{Class: hook.FailTooMany, Status: 429, RetryAfter: time.Duration(w.rng.IntN(600)) * time.Second, Detail: "It answered 429."}
	case n < 94:
		return answerGone
	}
	return hook.Outcome{Class: hook.FailDNS, Detail: "There is no such host."}
}

// takeLeases picks some of what was given out, void leases too.
func (w *world) takeLeases(most int) []*modelLease {
	n := min(len(w.leases), 1+w.rng.IntN(most))
	w.rng.Shuffle(len(w.leases), func(i, j int) { w.leases[i], w.leases[j] = w.leases[j], w.leases[i] })
	taken := slices.Clone(w.leases[:n])
	w.leases = slices.Delete(w.leases, 0, n)
	if n > 0 && w.chance(10) { // told twice
		taken = append(taken, taken[0])
	}
	return taken
}

// disableAfter is the rule of the sequences: rarely enough, and not never.
const disableAfter = 4 * time.Hour

func (w *world) settleSome() {
	taken := w.takeLeases(4)
	w.commits++
	batch := make([]hook.Settlement, len(taken))
	for i, held := range taken {
		l, o := held.lease, w.answer()
		s := hook.Settlement{Lease: l, Now: w.now, DisableAfter: disableAfter, Then: hook.Next(l.Tried, o, policy, w.now, w.rng.Float64())}
		// What stores keep is whole microseconds.
		s.Then.Due = s.Then.Due.Truncate(time.Microsecond)
		if l.Message.BodyGone || w.chance(4) {
			s.Then = hook.Transition{State: hook.Canceled, Reason: hook.ReasonExpired, Step: l.Tried.Step}
			if l.Tried.State != hook.Pending {
				s.Then.State, s.Then.Reason = l.Tried.State, l.Tried.Reason
			}
		} else {
			s.Attempt = hook.Attempt{
				ID: w.id(), Message: l.Message.ID, Endpoint: l.Endpoint.ID, Number: l.Number, URL: l.Endpoint.URL,
				Outcome: o, StartedAt: w.now, NextDue: s.Then.Due,
				Timings: hook.Timings{Total: time.Duration(w.rng.IntN(30_000_000)) * time.Microsecond},
			}
			if l.Tried.Manual {
				s.Attempt.Trigger = hook.TriggerManual
			}
		}
		batch[i] = s
	}
	out, err := w.store.Settle(w.ctx, batch)
	w.ok(err)
	w.equal(len(out), len(batch), "results")
	for i, held := range taken {
		w.settled(held, batch[i], out[i])
	}
}

func (w *world) settled(held *modelLease, s hook.Settlement, got hook.Settled) {
	d := held.delivery
	what := fmt.Sprintf("settlement of %s, attempt %d, %s", w.name(d), s.Lease.Number, s.Attempt.Outcome.Class)
	if !w.holds(held) {
		w.note("%s: lost", what)
		w.equal(got, hook.Settled{Lost: true}, what)
		return
	}
	var attempt *modelAttempt
	if !s.Attempt.ID.IsZero() {
		attempt = &modelAttempt{s.Attempt.ID, s.Lease.Number, s.Lease.Tried.Manual, s.Attempt.Outcome.Class, w.now, s.Attempt.Timings.Total}
	}
	w.note("%s, tried %t: %s %s", what, attempt != nil, s.Then.State, s.Then.Reason)
	due, disabled := w.settle(held, s.Then, attempt, s.Attempt.Outcome.Status, s.DisableAfter)
	if attempt == nil && !due.IsZero() {
		d.retry = got.Retry // which lane a delivery is in that was never tried is the store's to say
	}
	want := hook.Settled{Due: due, Retry: d.retry && !due.IsZero(), Disabled: disabled}
	if disabled != hook.NotDisabled {
		want.FailingSince = d.endpoint.value.FailingSince
	}
	if due.IsZero() {
		want.Retry = got.Retry // says nothing
	}
	w.equal(got, want, what)
	if disabled != hook.NotDisabled {
		w.refresh(d.endpoint)
	}
}

// refresh learns the revision of an endpoint that the store changed by itself.
func (w *world) refresh(e *modelEndpoint) {
	got, err := w.store.FindEndpoint(w.ctx, w.env, w.apps[e.app], hook.Ref{ID: e.value.ID})
	w.ok(err)
	w.true(got.Revision > e.value.Revision, "disabling is a new revision")
	e.value.Revision = got.Revision
}

func (w *world) releaseSome() {
	taken := w.takeLeases(2)
	leases := make([]*hook.Lease, 0, len(taken))
	for _, held := range taken {
		leases = append(leases, held.lease)
		w.note("release %s, holds %t", w.name(held.delivery), w.holds(held))
		if w.holds(held) {
			w.release(held)
		}
	}
	w.ok(w.store.Release(w.ctx, leases, w.now))
}

func (w *world) resendOne() {
	if len(w.messages) == 0 {
		return
	}
	msg, e := pick(w, w.messages), pick(w, w.endpoints)
	if e.app != msg.app && w.chance(90) {
		return // seldom worth trying
	}
	w.note("resend %s to %s", w.messageName(msg), w.endpointName(e))
	lane, err := w.store.Resend(w.ctx, w.env, w.apps[msg.app], hook.Ref{ID: msg.value.ID}, hook.Ref{ID: e.value.ID}, w.now, nil)
	var refused []hook.Code
	switch {
	case e.app != msg.app || e.deleted:
		refused = []hook.Code{hook.CodeNotFound}
	default:
		if e.value.Disabled {
			refused = append(refused, hook.CodeDisabled)
		}
		if msg.gone {
			refused = append(refused, hook.CodeMissingPayload)
		}
	}
	w.refused(err, refused...)
	if err != nil {
		return
	}
	d := msg.deliveries[e]
	if d == nil {
		d = &modelDelivery{message: msg, endpoint: e, state: hook.Failed, reason: hook.ReasonExhausted, openState: true}
		msg.deliveries[e] = d
	}
	if d.lease != nil {
		d.again, d.inRetry = true, lane.Retry
		return
	}
	d.plan(w.now, lane.Retry)
	w.equal(lane, hook.Lane{Endpoint: e.value.ID, App: w.apps[e.app], Retry: lane.Retry, Due: w.now}, "the lane that has the work")
	w.look(d)
}

// look takes over what the contract leaves open about one delivery.
func (w *world) look(d *modelDelivery) hook.Delivery {
	x, err := w.store.ExplainMessage(w.ctx, w.env, w.apps[d.message.app], hook.Ref{ID: d.message.value.ID})
	w.ok(err)
	for _, e := range x.Endpoints {
		if e.Endpoint.ID == d.endpoint.value.ID && e.Delivery != nil {
			w.sees(*e.Delivery, d)
			return *e.Delivery
		}
	}
	w.true(false, "%s is there", w.name(d))
	panic("not reached")
}

func (w *world) cancelSome() {
	e := pick(w, w.endpoints)
	reason := e.closed()
	if reason == hook.ReasonNone {
		if w.chance(60) {
			return
		}
		reason = hook.ReasonByUser
	}
	waiting := append(w.lane(e, false), w.lane(e, true)...)
	if reason == hook.ReasonByUser && w.chance(30) { // somebody was late: it is enabled again
		reason, waiting = hook.ReasonEndpointDisabled, nil
	}
	limit := 1 + w.rng.IntN(4)
	n, err := w.store.CancelLane(w.ctx, e.value.ID, reason, w.now, limit)
	w.ok(err)
	w.note("cancel %d of %d in the lanes of %s: %s", n, len(waiting), w.endpointName(e), reason)
	w.equal(n, min(limit, len(waiting)), "deliveries canceled")
	for _, d := range waiting {
		// Which ones of several is the store's to choose.
		if w.look(d).Due.IsZero() {
			d.drop(reason)
			n--
		}
	}
	w.equal(n, 0, "deliveries canceled that are not")
}
