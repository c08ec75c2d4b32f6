package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// watch compares all that can be seen of the store with the model.
func (w *world) watch() {
	for _, msg := range w.messages {
		w.watchMessage(msg)
	}
	for i := range w.apps {
		w.watchApp(i)
	}
	for _, e := range w.endpoints {
		if !e.deleted {
			w.watchEndpoint(e)
		}
	}
	w.watchLanes()
}

// shown is what a list or an explanation shows of a delivery.
type shown struct {
	Message, Endpoint hook.ID
	State             hook.State
	Reason            hook.Reason
	Attempts, Step    int
	Manual            bool
	Due               time.Time
	LastStatus        int
	Created           time.Time
}

func (d *modelDelivery) listed() bool { return d.attempts > 0 || d.lease != nil || !d.due.IsZero() }

func (d *modelDelivery) shown() shown {
	s := shown{
		Message: d.message.value.ID, Endpoint: d.endpoint.value.ID, State: d.state, Reason: d.reason,
		Attempts: d.attempts, Step: d.step, Manual: d.manual, Due: d.due, LastStatus: d.status, Created: d.message.value.CreatedAt,
	}
	if d.lease != nil {
		s.State, s.Reason, s.Due = hook.Sending, hook.ReasonNone, time.Time{}
	}
	return s
}

// sees turns what the store shows into the same, and takes over what the
// contract leaves open.
func (w *world) sees(got hook.Delivery, d *modelDelivery) shown {
	s := shown{
		Message: got.Message, Endpoint: got.Endpoint, State: got.State, Reason: got.Reason,
		Attempts: got.Attempts, Step: got.Step, Manual: got.Manual, Due: got.Due, LastStatus: got.LastStatus, Created: got.CreatedAt,
	}
	if d.lease != nil {
		// While in flight neither the reason nor the time says anything.
		s.Reason, s.Due = hook.ReasonNone, time.Time{}
		return s
	}
	if d.openDue {
		w.true(!got.Due.IsZero() && !got.Due.After(w.now), "what was in flight is due at once, not at %v", got.Due)
		if d.openAuto {
			d.autoDue = got.Due
		}
		d.due, d.openDue = got.Due, false
	}
	d.openAuto = false
	if d.openReason {
		w.true(got.Reason == d.reason || got.Reason == hook.ReasonReleased, "the reason is still %q or released, not %q", d.reason, got.Reason)
		d.reason, d.openReason = got.Reason, false
	}
	if d.openState {
		w.true(got.State != hook.Delivered && got.State != hook.Sending, "it has not been sent: %q", got.State)
		d.state, d.reason, d.openState = got.State, got.Reason, false
	}
	return s
}

func (w *world) watchMessage(msg *modelMessage) {
	x, err := w.store.ExplainMessage(w.ctx, w.env, w.apps[msg.app], hook.Ref{ID: msg.value.ID})
	w.ok(err)
	w.equal(x.Message.BodyGone, msg.gone, "the payload is gone")
	seen := map[hook.ID]*hook.EndpointExplanation{}
	for i := range x.Endpoints {
		seen[x.Endpoints[i].Endpoint.ID] = &x.Endpoints[i]
	}
	for _, e := range w.endpoints {
		if e.app != msg.app {
			w.true(seen[e.value.ID] == nil, "an endpoint of another application explains nothing")
			continue
		}
		w.watchExplained(msg, e, seen[e.value.ID])
	}
}

func (w *world) watchExplained(msg *modelMessage, e *modelEndpoint, x *hook.EndpointExplanation) {
	d := msg.deliveries[e]
	if x == nil {
		w.true(e.deleted && d == nil, "every endpoint is explained but a deleted one without a part in the message")
		return
	}
	w.equal(x.Deleted, e.deleted, "deleted")
	rev, existed := msg.inForce[e]
	w.equal(x.AtAccept != nil, existed, "it existed when the message came")
	if existed {
		rev.Since = x.AtAccept.Since
		w.equal(*x.AtAccept, rev, "what was in force when the message came")
	}
	w.equal(x.Delivery != nil, d != nil, "there is a delivery")
	if d == nil {
		return
	}
	w.equal(w.sees(*x.Delivery, d), d.shown(), "delivery "+w.name(d))
	w.equal(x.LastAttempt != nil, len(d.log) > 0, "there is an attempt of "+w.name(d))
	if n := len(d.log); n > 0 {
		w.equal(x.LastAttempt.ID, d.log[n-1].id, "the last attempt")
	}
}

// everything pages through a list with pages of a random size.
func everything[T any](w *world, id func(T) hook.ID, list func(p hook.Page) (hook.PageOf[T], error)) []T {
	var all []T
	p := hook.Page{Limit: []int{2, 3, 250}[w.sizes.IntN(3)]}
	for {
		got, err := list(p)
		w.ok(err)
		all = append(all, got.Items...)
		if !got.More {
			return all
		}
		w.true(len(got.Items) == p.Limit, "a page that is not the last is full")
		p.From = id(got.Items[len(got.Items)-1])
	}
}

func (w *world) watchApp(app int) {
	var want []hook.ID
	for _, msg := range slices.Backward(w.messages) {
		if msg.app == app {
			want = append(want, msg.value.ID)
		}
	}
	byID := func(m hook.Message) hook.ID { return m.ID }
	got := everything(w, byID, func(p hook.Page) (hook.PageOf[hook.Message], error) {
		return w.store.ListMessages(w.ctx, hook.MessageFilter{Env: w.env, App: w.apps[app], Page: p})
	})
	w.equal(idsOf(got, byID), want, "messages of an application")

	var endpoints []*modelEndpoint
	for _, e := range w.endpoints {
		if e.app == app {
			endpoints = append(endpoints, e)
		}
	}
	hours, err := w.store.ListRollups(w.ctx, hook.StatsFilter{Env: w.env, App: w.apps[app]})
	w.ok(err)
	w.equal(hours, rollups(hook.ID{}, endpoints...), "hours of an application")
}

func (w *world) watchEndpoint(e *modelEndpoint) {
	got, err := w.store.FindEndpoint(w.ctx, w.env, w.apps[e.app], hook.Ref{ID: e.value.ID})
	w.ok(err)
	w.true(got.Revision >= e.value.Revision, "revisions never go back")
	e.value.Revision, e.value.UpdatedAt = got.Revision, got.UpdatedAt
	w.equal(got, e.value, "endpoint "+w.endpointName(e))
	mine := func(d *modelDelivery) bool { return d.endpoint == e }

	var attempts []modelAttempt
	var want []shown
	for _, d := range slices.Backward(w.deliveries(mine)) {
		attempts = append(attempts, d.log...)
		if d.listed() {
			want = append(want, d.shown())
		}
	}
	slices.SortFunc(attempts, func(a, b modelAttempt) int { return slices.Compare(b.id[:], a.id[:]) })
	tries := everything(w, attemptID, func(p hook.Page) (hook.PageOf[hook.Attempt], error) {
		return w.store.ListAttempts(w.ctx, hook.AttemptFilter{Env: w.env, App: w.apps[e.app], Endpoint: e.value.ID, StatusClass: -1, Page: p})
	})
	seen := make([]modelAttempt, 0, len(tries))
	for _, a := range tries {
		seen = append(seen, modelAttempt{a.ID, a.Number, a.Trigger == hook.TriggerManual, a.Outcome.Class, a.StartedAt, a.Timings.Total})
	}
	w.equal(fmt.Sprint(seen), fmt.Sprint(attempts), "attempts of endpoint "+w.endpointName(e))

	listed := everything(w, deliveredMessage, func(p hook.Page) (hook.PageOf[hook.DeliveryOf], error) {
		return w.store.ListDeliveries(w.ctx, hook.DeliveryFilter{Env: w.env, App: w.apps[e.app], Endpoint: e.value.ID, Page: p})
	})
	w.equal(len(listed), len(want), "deliveries listed of endpoint "+w.endpointName(e))
	for i, d := range listed {
		of := slices.IndexFunc(w.messages, func(m *modelMessage) bool { return m.value.ID == d.Delivery.Message })
		w.equal(w.sees(d.Delivery, w.messages[of].deliveries[e]), want[i], "a delivery in the list of endpoint "+w.endpointName(e))
	}
	w.watchCounts(e)
}

// watchCounts looks at the counts of all time and of some, and at the hours.
func (w *world) watchCounts(e *modelEndpoint) {
	quarters := int(w.now.Sub(noon)/(15*time.Minute)) + 1
	since := noon.Add(time.Duration(w.sizes.IntN(quarters)) * 15 * time.Minute)
	until := since.Add(time.Duration(w.sizes.IntN(quarters)) * 15 * time.Minute)
	for _, r := range [][2]time.Time{{noon.Add(-day), w.now.Add(day)}, {since, until}} {
		n, err := w.store.CountAttempts(w.ctx, w.env, w.apps[e.app], e.value.ID, r[0], r[1])
		w.ok(err)
		w.equal(n, w.counts(e, r[0], r[1]), fmt.Sprintf("counts of endpoint %s from %v to %v", w.endpointName(e), r[0].Sub(noon), r[1].Sub(noon)))
	}
	got, err := w.store.ListRollups(w.ctx, hook.StatsFilter{Env: w.env, App: w.apps[e.app], Endpoint: e.value.ID})
	w.ok(err)
	w.equal(got, rollups(e.value.ID, e), "hours of endpoint "+w.endpointName(e))
}

func (w *world) watchLanes() {
	want := map[lane]time.Time{}
	for _, e := range w.endpoints {
		for _, retry := range []bool{false, true} {
			if waiting := w.lane(e, retry); len(waiting) > 0 {
				want[lane{e.value.ID, retry}] = waiting[0].due
			}
		}
	}
	got := map[lane]time.Time{}
	var after hook.ID
	for {
		page, err := w.store.Lanes(w.ctx, after, 2)
		w.ok(err)
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			got[lane{l.Endpoint, l.Retry}] = l.Due
			after = l.Endpoint
		}
	}
	w.equal(got, want, "lanes")
}

// mismatch ends the run of a sequence: the store and the model differ.
type mismatch string

func (w *world) true(ok bool, format string, args ...any) {
	if !ok {
		panic(mismatch("not true: " + fmt.Sprintf(format, args...)))
	}
}

func (w *world) ok(err error) { w.true(err == nil, "no error: %v", err) }

// equal compares what the store says with what the model says.
func (w *world) equal(got, want any, what string) {
	if d := testx.Diff(got, want); d != "" {
		panic(mismatch(fmt.Sprintf("%s differs (- store, + model):\n%s", what, d)))
	}
}
