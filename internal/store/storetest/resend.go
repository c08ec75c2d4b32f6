package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var resendTests = []test{
	{"of a waiting delivery keeps its schedule when it fails", resendWaiting},
	{"of a scheduled delivery keeps its time when it fails", resendScheduled},
	{"of a delivery that has ended changes its state only by a success", resendEnded},
	{"never leaves delivered", resendDelivered},
	{"reaches an endpoint that the message did not match", resendUnmatched},
	{"while in flight queues exactly one more", resendInFlight},
	{"while in flight follows a success too", resendInFlightSuccess},
	{"asked for while in flight is not lost with the lease", resendOutlivesLease},
	{"asked for while in flight is not lost with a settlement that is", resendOutlivesLost},
	{"asked for twice before it is sent is one attempt", resendTwice},
	{"gives the lane that has the work", resendLane},
	{"that is answered 410 disables the endpoint", resendGone},
	{"is refused where it can do nothing", resendRefused},
	{"that is canceled leaves the delivery as it was", resendCanceled},
	{"that is released stays a resend", resendReleased},
}

// manual claims the one attempt that a resend has queued and checks what it says.
func (f *fixture) manual(endpoint hook.ID, number int, tried hook.Tried) *hook.Lease {
	f.Helper()
	l := f.claimOne(endpoint)
	tried.Manual = true
	testx.Equal(f, l.Tried, tried, "what was tried before")
	testx.Equal(f, l.Number, number, "number of the attempt")
	return l
}

func resendWaiting(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	auto := f.settle(leases[0], answerFail).Due
	f.pass(time.Second)
	f.resend(id, e.ID)
	f.expect(id, e.ID, state{Reason: hook.ReasonRetry, Attempts: 1, Step: 1, Manual: true, Due: f.now})
	l := f.manual(e.ID, 2, hook.Tried{Reason: hook.ReasonRetry, Step: 1, AutoDue: auto})
	testx.Equal(f, f.settle(l, answerFail), hook.Settled{Due: auto, Retry: true})
	f.expect(id, e.ID, state{Reason: hook.ReasonRetry, Attempts: 2, Step: 1, Due: auto})

	f.resend(id, e.ID)
	l = f.manual(e.ID, 3, hook.Tried{Reason: hook.ReasonRetry, Step: 1, AutoDue: auto})
	testx.Equal(f, f.settle(l, answerOK), hook.Settled{})
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 3, Step: 1})
	testx.Equal(f, f.numbers(id), []int{1, 2, 3}, "attempts")
	for i, a := range f.attempts(id) {
		testx.Equal(f, a.Trigger == hook.TriggerManual, i > 0, "made by hand")
	}
}

func resendScheduled(f *fixture) {
	e := f.newEndpoint()
	at := f.now.Add(time.Hour)
	id := f.send(func(n *hook.NewEvent) { n.DeliverAt = at })
	f.resend(id, e.ID)
	l := f.manual(e.ID, 1, hook.Tried{Reason: hook.ReasonScheduled, AutoDue: at})
	testx.Equal(f, f.settle(l, answerFail).Due, at)
	f.expect(id, e.ID, state{Reason: hook.ReasonScheduled, Attempts: 1, Due: at})
	f.now = at
	l = f.claimOne(e.ID)
	testx.Equal(f, []any{l.Number, l.Tried}, []any{2, hook.Tried{Reason: hook.ReasonScheduled}})
	f.settle(l, answerFail)
	f.expect(id, e.ID, state{Reason: hook.ReasonRetry, Attempts: 2, Step: 1, Due: at.Add(policy.Steps[0])})
}

// ended are ways to bring a delivery to its end, and what it is then.
var ended = map[string]struct {
	end  func(f *fixture, endpoint hook.ID) hook.ID
	want state
}{
	"failed": {func(f *fixture, endpoint hook.ID) hook.ID {
		id, leases := f.sendLeased()
		for l := leases[0]; ; l = f.claimOne(endpoint) {
			out := f.settle(l, answerFail)
			if out.Due.IsZero() {
				return id
			}
			f.now = out.Due
		}
	}, state{State: hook.Failed, Reason: hook.ReasonExhausted, Attempts: 4, Step: 4}},
	"gone": {func(f *fixture, endpoint hook.ID) hook.ID {
		id, leases := f.sendLeased()
		f.settle(leases[0], answerGone)
		f.enable(endpoint)
		return id
	}, state{State: hook.Canceled, Reason: hook.ReasonGone, Attempts: 1, Step: 1}},
	"disabled before": {func(f *fixture, endpoint hook.ID) hook.ID {
		f.disable(endpoint)
		id := f.send()
		f.enable(endpoint)
		return id
	}, state{State: hook.Canceled, Reason: hook.ReasonEndpointDisabled}},
	"disabled since": {func(f *fixture, endpoint hook.ID) hook.ID {
		id := f.send()
		f.disable(endpoint)
		testx.Must(f.store.CancelLane(f.ctx, endpoint, hook.ReasonEndpointDisabled, f.now, 10))(f)
		f.enable(endpoint)
		return id
	}, state{State: hook.Canceled, Reason: hook.ReasonEndpointDisabled}},
	"by user": {func(f *fixture, endpoint hook.ID) hook.ID {
		id := f.send()
		testx.Must(f.store.CancelLane(f.ctx, endpoint, hook.ReasonByUser, f.now, 10))(f)
		return id
	}, state{State: hook.Canceled, Reason: hook.ReasonByUser}},
}

func resendEnded(f *fixture) {
	for name, c := range ended {
		e := f.newEndpoint()
		id := c.end(f, e.ID)
		f.expect(id, e.ID, c.want)
		f.pass(time.Minute)
		f.resend(id, e.ID)
		d := f.delivery(id, e.ID)
		testx.Equal(f, []any{d.Manual, d.Due}, []any{true, f.now}, name+": planned by hand")
		tried := hook.Tried{State: c.want.State, Reason: c.want.Reason, Step: c.want.Step}
		l := f.manual(e.ID, c.want.Attempts+1, tried)
		testx.Equal(f, f.settle(l, answerFail), hook.Settled{}, name)
		after := c.want
		after.Attempts++
		f.expect(id, e.ID, after)

		f.resend(id, e.ID)
		f.settle(f.manual(e.ID, after.Attempts+1, tried), answerOK)
		f.expect(id, e.ID, state{State: hook.Delivered, Attempts: after.Attempts + 1, Step: c.want.Step})
		f.deleteEndpoint(e.ID)
	}
}

func resendDelivered(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	for i, o := range []hook.Outcome{answerFail, answerOK, {Class: hook.FailTimeout}} {
		f.resend(id, e.ID)
		l := f.manual(e.ID, i+2, hook.Tried{State: hook.Delivered, Step: 1})
		testx.Equal(f, f.settle(l, o), hook.Settled{})
		f.expect(id, e.ID, state{State: hook.Delivered, Attempts: i + 2, Step: 1})
	}
	testx.Equal(f, f.numbers(id), []int{1, 2, 3, 4}, "attempts")
}

func resendUnmatched(f *fixture) {
	e := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes, e.Channels = []string{"other"}, []string{"other"} })
	id := f.send()
	testx.True(f, f.explain(id, e.ID).Delivery == nil, "it did not match")
	f.resend(id, e.ID)
	l := f.claimOne(e.ID)
	testx.Equal(f, []any{l.Number, l.Tried.Manual, l.Tried.AutoDue}, []any{1, true, time.Time{}})
	testx.Equal(f, f.settle(l, answerFail), hook.Settled{}, "no schedule starts")
	d := f.delivery(id, e.ID)
	testx.True(f, d.State == hook.Failed && d.Attempts == 1 && d.Due.IsZero(), "it has failed")
	late := f.newEndpoint() // made after the message
	f.resend(id, late.ID)
	f.settle(f.claimOne(late.ID), answerOK)
	f.expect(id, late.ID, state{State: hook.Delivered, Attempts: 1})
}

func resendInFlight(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.resend(id, e.ID)
	f.resend(id, e.ID) // one more, not two
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work while in flight")
	testx.Equal(f, f.delivery(id, e.ID).State, hook.Sending)
	f.pass(time.Second)
	auto := f.now.Add(policy.Steps[0])
	out := f.settle(leases[0], answerFail)
	testx.Equal(f, out.Due, f.now, "due at once")
	testx.Equal(f, f.lanes(), map[lane]time.Time{{e.ID, out.Retry}: f.now})
	f.expect(id, e.ID, state{Reason: hook.ReasonRetry, Attempts: 1, Step: 1, Manual: true, Due: f.now})

	l := f.manual(e.ID, 2, hook.Tried{Reason: hook.ReasonRetry, Step: 1, AutoDue: auto})
	f.resend(id, e.ID) // while one by hand is in flight
	testx.Equal(f, f.settle(l, answerFail).Due, f.now, "due at once")
	l = f.manual(e.ID, 3, hook.Tried{Reason: hook.ReasonRetry, Step: 1, AutoDue: auto})
	testx.Equal(f, f.settle(l, answerFail), hook.Settled{Due: auto, Retry: true})
	f.expect(id, e.ID, state{Reason: hook.ReasonRetry, Attempts: 3, Step: 1, Due: auto})
	f.now = auto
	f.settle(f.claimOne(e.ID), answerOK)
	testx.Equal(f, f.numbers(id), []int{1, 2, 3, 4}, "attempts")
}

func resendInFlightSuccess(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.resend(id, e.ID)
	testx.Equal(f, f.settle(leases[0], answerOK).Due, f.now)
	l := f.manual(e.ID, 2, hook.Tried{State: hook.Delivered, Step: 1})
	testx.Equal(f, f.settle(l, answerFail), hook.Settled{})
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 2, Step: 1})
}

// resendOutlivesLease ends a lease without an attempt in three ways; what was
// asked for by hand is sent all the same, exactly once.
func resendOutlivesLease(f *fixture) {
	for name, end := range map[string]func(*hook.Lease){
		"released": func(l *hook.Lease) { f.release(l) },
		"node gone": func(*hook.Lease) {
			f.register()
		},
		"crash": func(*hook.Lease) {
			f.crash()
			f.register()
		},
	} {
		e := f.newEndpoint()
		id := f.send()
		l := f.claimOne(e.ID)
		f.resend(id, e.ID)
		end(l)
		// A settlement that comes too late takes nothing with it.
		testx.True(f, f.settleAll(f.settlement(l, answerOK))[0].Lost, name)
		byHand := 0
		for f.delivery(id, e.ID).Attempts < 5 && len(f.lanes()) > 0 {
			l := f.claimOne(e.ID)
			if l.Tried.Manual {
				byHand++
			}
			before := f.lanes()
			out := f.settle(l, answerFail)
			after := f.lanes()
			if !out.Due.IsZero() {
				testx.Equal(f, after, map[lane]time.Time{{e.ID, out.Retry}: out.Due}, name+": what settle says is due")
			} else {
				testx.Equal(f, after, before, name)
			}
			f.now = f.now.Add(time.Hour)
		}
		testx.Equal(f, byHand, 1, name+": attempts by hand")
		testx.Equal(f, f.delivery(id, e.ID).Attempts, 5, name+": four of the schedule and one by hand")
		f.deleteEndpoint(e.ID)
	}
}

// resendOutlivesLost settles a lease of the node's earlier life while the
// delivery is in flight anew and has a resend noted.
func resendOutlivesLost(f *fixture) {
	e := f.newEndpoint()
	id := f.send()
	old := f.claimOne(e.ID)
	f.register()
	held := f.claimOne(e.ID)
	f.resend(id, e.ID)
	testx.Equal(f, f.settleAll(f.settlement(old, answerOK))[0], hook.Settled{Lost: true})
	f.release(old)
	out := f.settle(held, answerFail)
	testx.Equal(f, out.Due, f.now, "due at once")
	testx.Equal(f, f.lanes(), map[lane]time.Time{{e.ID, out.Retry}: f.now})
	f.settle(f.manual(e.ID, 2, hook.Tried{Reason: hook.ReasonRetry, Step: 1, AutoDue: f.now.Add(policy.Steps[0])}), answerOK)
}

func resendTwice(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	auto := f.settle(leases[0], answerFail).Due
	f.resend(id, e.ID)
	f.pass(time.Second)
	f.resend(id, e.ID)
	l := f.manual(e.ID, 2, hook.Tried{Reason: hook.ReasonRetry, Step: 1, AutoDue: auto})
	testx.Equal(f, f.settle(l, answerFail), hook.Settled{Due: auto, Retry: true})
}

func resendLane(f *fixture) {
	e := f.newEndpoint(endpointUID("e"))
	id := f.send(func(n *hook.NewEvent) { n.EventID = "m"; n.DeliverAt = f.now.Add(time.Hour) })
	got := testx.Must(f.store.Resend(f.ctx, f.env, f.app, hook.Ref{UID: "m"}, hook.Ref{UID: "e"}, f.now, nil))(f)
	testx.Equal(f, got, hook.Lane{Endpoint: e.ID, App: f.app, Retry: got.Retry, Due: f.now})
	testx.Equal(f, f.lanes(), map[lane]time.Time{{e.ID, got.Retry}: f.now})
	l := f.claim(hook.ClaimLane{Endpoint: e.ID, Retry: got.Retry, Max: 1})[0].Leases
	testx.Equal(f, len(l), 1, "leases of that lane")
	testx.Equal(f, l[0].Message.ID, id)
}

func resendGone(f *fixture) {
	e := f.newEndpoint()
	id := ended["failed"].end(f, e.ID)
	f.resend(id, e.ID)
	testx.Equal(f, f.settle(f.claimOne(e.ID), answerGone).Disabled, hook.DisabledByGone)
	f.expect(id, e.ID, state{State: hook.Failed, Reason: hook.ReasonExhausted, Attempts: 5, Step: 4})
	testx.True(f, f.endpoint(e.ID).Disabled, "the endpoint is disabled")
}

func resendRefused(f *fixture) {
	e := f.newEndpoint()
	id := f.send()
	l := f.claimOne(e.ID)
	f.settle(l, answerOK)
	ask := func(app hook.ID, message, endpoint hook.Ref) error {
		_, err := f.store.Resend(f.ctx, f.env, app, message, endpoint, f.now, nil)
		return err
	}
	msg, to := hook.Ref{ID: id}, hook.Ref{ID: e.ID}
	testx.Code(f, ask(f.app, hook.Ref{ID: hook.NewID(f.now)}, to), hook.CodeNotFound, "no such message")
	testx.Code(f, ask(f.app, hook.Ref{UID: "x"}, to), hook.CodeNotFound, "no such event id")
	testx.Code(f, ask(f.app, msg, hook.Ref{ID: hook.NewID(f.now)}), hook.CodeNotFound, "no such endpoint")
	testx.Code(f, ask(f.app, msg, hook.Ref{UID: "x"}), hook.CodeNotFound, "no such uid")
	testx.Code(f, ask(hook.NewID(f.now), msg, to), hook.CodeNotFound, "no such application")
	f.disable(e.ID)
	testx.Code(f, ask(f.app, msg, to), hook.CodeDisabled)
	f.enable(e.ID)
	f.must(f.store.ExpungeMessage(f.ctx, f.env, f.app, msg))
	testx.Code(f, ask(f.app, msg, to), hook.CodeMissingPayload)
	f.deleteEndpoint(e.ID)
	testx.Code(f, ask(f.app, msg, to), hook.CodeNotFound, "a deleted endpoint")
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
}

func resendCanceled(f *fixture) {
	e := f.newEndpoint()
	delivered, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	waiting, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	f.resend(delivered, e.ID)
	f.resend(waiting, e.ID)
	testx.Equal(f, testx.Must(f.store.CancelLane(f.ctx, e.ID, hook.ReasonByUser, f.now, 10))(f), 2)
	f.expect(delivered, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	f.expect(waiting, e.ID, state{State: hook.Canceled, Reason: hook.ReasonByUser, Attempts: 1, Step: 1})
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")

	// One more that was noted while in flight is canceled with the rest.
	id := f.send()
	l := f.claimOne(e.ID)
	f.resend(id, e.ID)
	f.release(l)
	testx.Equal(f, testx.Must(f.store.CancelLane(f.ctx, e.ID, hook.ReasonByUser, f.now, 10))(f), 1)
	f.resend(id, e.ID)
	testx.Equal(f, f.settle(f.claimOne(e.ID), answerFail), hook.Settled{}, "one attempt was asked for since")
	f.expect(id, e.ID, state{State: hook.Canceled, Reason: hook.ReasonByUser, Attempts: 1})
}

func resendReleased(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	f.resend(id, e.ID)
	tried := hook.Tried{State: hook.Delivered, Step: 1}
	f.release(f.manual(e.ID, 2, tried))
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1, Manual: true, Due: f.now})
	l := f.manual(e.ID, 2, tried)
	f.crash()
	f.register()
	testx.True(f, f.settleAll(f.settlement(l, answerOK))[0].Lost, "a lease from before the crash is lost")
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1, Manual: true, Due: f.now})
	f.settle(f.manual(e.ID, 2, tried), answerFail)
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 2, Step: 1})
}
