package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var settleTests = []test{
	{"a success delivers", settleSuccess},
	{"failures run through the schedule and end", settleSchedule},
	{"410 cancels and disables", settleGone},
	{"an attempt comes back as it was made", attemptComesBack},
	{"every class of outcome is kept", everyClassIsKept},
	{"a lease counts once", settleTwice},
	{"a lease of an earlier life of the node is lost", settleOldEpoch},
	{"only the node and epoch of the lease may settle it", settleForeign},
	{"a released lease is lost", settleReleased},
	{"a lost settlement harms no other of its batch", settleLostHarmsNone},
	{"a settlement without an attempt leaves none", settleUntried},
	{"an endpoint closed meanwhile keeps what was in flight", settleAfterClose},
}

func settleSuccess(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.pass(time.Second)
	testx.Equal(f, f.settle(leases[0], answerOK), hook.Settled{})
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	d := f.delivery(id, e.ID)
	testx.Equal(f, []any{d.LastStatus, d.UpdatedAt}, []any{200, f.now})
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
}

func settleSchedule(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	l := leases[0]
	for i, step := range policy.Steps {
		out := f.settle(l, answerFail)
		testx.Equal(f, out, hook.Settled{Due: f.now.Add(step), Retry: true})
		f.expect(id, e.ID, state{Reason: hook.ReasonRetry, Attempts: i + 1, Step: i + 1, Due: out.Due})
		testx.Equal(f, f.delivery(id, e.ID).LastStatus, 500)
		testx.Equal(f, f.lanes(), map[lane]time.Time{{e.ID, true}: out.Due})
		f.now = out.Due
		l = f.claimOne(e.ID)
		testx.Equal(f, f.delivery(id, e.ID).State, hook.Sending)
	}
	testx.Equal(f, f.settle(l, answerFail), hook.Settled{})
	f.expect(id, e.ID, state{State: hook.Failed, Reason: hook.ReasonExhausted, Attempts: 4, Step: 4})
	testx.Equal(f, f.numbers(id), []int{1, 2, 3, 4}, "attempts")
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
}

func settleGone(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	testx.Equal(f, f.settle(leases[0], answerGone), hook.Settled{Disabled: hook.DisabledByGone, FailingSince: f.now})
	f.expect(id, e.ID, state{State: hook.Canceled, Reason: hook.ReasonGone, Attempts: 1, Step: 1})
	got := f.endpoint(e.ID)
	testx.Equal(f, []any{got.Disabled, got.DisabledReason, got.DisabledAt}, []any{true, hook.DisabledByGone, f.now})
	testx.True(f, got.Revision > e.Revision, "the revision grows")
	f.expect(f.send(), e.ID, state{State: hook.Canceled, Reason: hook.ReasonEndpointDisabled})
}

// bare is an attempt without what only lists fill in.
func bare(a hook.Attempt) hook.Attempt {
	a.EventType, a.EventID, a.Channels, a.Tags = "", "", nil, nil
	return a
}

func attemptComesBack(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	s := f.settlement(leases[0], answerFail)
	s.Attempt.URL = "https://example.com/as/it/was?then"
	s.Attempt.StartedAt = f.now.Add(-123456 * time.Microsecond)
	s.Attempt.Response = []byte{0, 0xff, 'x'}
	s.Attempt.ResponseHeaders = []byte(`{"a" : "b"}`)
	s.Attempt.RequestHeaders = []byte(`{"c":"***"}`)
	s.Attempt.Timings = hook.Timings{
		Queue: time.Hour, DNS: 1 * time.Microsecond, Connect: 2 * time.Millisecond, TLS: 3 * time.Millisecond,
		FirstByte: 4 * time.Millisecond, Body: 5 * time.Millisecond, Total: 20 * time.Second,
	}
	f.settleAll(s)
	get := func() hook.Attempt {
		f.Helper()
		return testx.Must(f.store.FindAttempt(f.ctx, f.env, f.app, id, s.Attempt.ID))(f)
	}
	testx.Equal(f, bare(get()), s.Attempt)
	last := f.explain(id, e.ID).LastAttempt
	testx.Equal(f, last.ID, s.Attempt.ID)
	_, err := f.store.FindAttempt(f.ctx, f.env, f.app, id, hook.NewID(f.now))
	testx.Code(f, err, hook.CodeNotFound)
	_, err = f.store.FindAttempt(f.ctx, f.env, f.app, f.send(), s.Attempt.ID)
	testx.Code(f, err, hook.CodeNotFound, "with another message")

	testx.True(f, !get().ResponseGone, "the answer is there")
	f.must(f.store.ExpungeAttempt(f.ctx, f.env, f.app, id, s.Attempt.ID))
	got := get()
	testx.True(f, got.ResponseGone && len(got.Response) == 0, "the answer is gone")
	testx.Equal(f, []any{got.Number, got.Outcome}, []any{1, s.Attempt.Outcome}, "the attempt stays")
	f.must(f.store.ExpungeAttempt(f.ctx, f.env, f.app, id, s.Attempt.ID)) // twice is no error
	testx.Code(f, f.store.ExpungeAttempt(f.ctx, f.env, f.app, id, hook.NewID(f.now)), hook.CodeNotFound)
}

func everyClassIsKept(f *fixture) {
	f.newEndpoint()
	for _, class := range hook.Classes {
		o := hook.Outcome{Class: class, Detail: "Why: " + class.String()}
		if class == hook.Success {
			o = answerOK
		}
		id, leases := f.sendLeased()
		s := f.settlement(leases[0], o)
		s.Then.Disable = hook.NotDisabled // so that the next one is sent as well
		f.settleAll(s)
		got := testx.Must(f.store.FindAttempt(f.ctx, f.env, f.app, id, s.Attempt.ID))(f)
		// RetryAfter has done its work by now; it is no fact about the attempt.
		testx.Equal(f, got.Outcome, o, class.String())
		testx.Equal(f, got.NextDue, s.Then.Due, class.String())
	}
}

func settleTwice(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	again := f.settlement(leases[0], answerFail)
	out := f.settleAll(f.settlement(leases[0], answerOK), again)
	testx.Equal(f, []bool{out[0].Lost, out[1].Lost}, []bool{false, true}, "in one batch")
	testx.Equal(f, f.settleAll(again)[0], hook.Settled{Lost: true}, "in another")
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	testx.Equal(f, f.numbers(id), []int{1}, "attempts")
	testx.Equal(f, f.endpoint(e.ID).FailingSince, time.Time{}, "the failure clock")
}

func settleOldEpoch(f *fixture) {
	e := f.newEndpoint()
	fromAccept, leases := f.sendLeased()
	claimed := f.send()
	leases = append(leases, f.claim(first(e.ID, 1))[0].Leases...)
	testx.Equal(f, len(leases), 2)
	was := f.node
	f.register()
	testx.True(f, f.node.ID == was.ID && f.node.Epoch > was.Epoch, "the same node, in a new epoch")
	for _, l := range leases {
		testx.Equal(f, f.settleAll(f.settlement(l, answerGone))[0], hook.Settled{Lost: true})
	}
	testx.True(f, !f.endpoint(e.ID).Disabled, "the endpoint is as it was")
	for _, id := range []hook.ID{fromAccept, claimed} {
		testx.Equal(f, len(f.attempts(id)), 0, "attempts")
		d := f.delivery(id, e.ID)
		testx.Equal(f, []any{d.State, d.Attempts, d.Step}, []any{hook.Pending, 0, 0})
	}
	again := f.claim(first(e.ID, 10))[0].Leases
	testx.Equal(f, len(again), 2, "leases in the new epoch")
	for _, l := range leases { // also while they are leased anew
		testx.Equal(f, f.settleAll(f.settlement(l, answerOK))[0], hook.Settled{Lost: true})
	}
	for _, l := range again {
		testx.Equal(f, l.Number, 1)
		f.settle(l, answerOK)
	}
}

func settleForeign(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	for name, node := range map[string]hook.Node{
		"another node":  {ID: f.node.ID + 1, Epoch: f.node.Epoch},
		"a later epoch": {ID: f.node.ID, Epoch: f.node.Epoch + 1},
		"an old epoch":  {ID: f.node.ID, Epoch: f.node.Epoch - 1},
		"nobody":        {},
	} {
		stolen := *leases[0]
		stolen.Node = node
		testx.Equal(f, f.settleAll(f.settlement(&stolen, answerOK))[0], hook.Settled{Lost: true}, name)
		f.release(&stolen)
		testx.Equal(f, f.delivery(id, e.ID).State, hook.Sending, name)
	}
	f.settle(leases[0], answerOK)
}

func settleReleased(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.release(leases...)
	testx.Equal(f, f.settleAll(f.settlement(leases[0], answerOK))[0], hook.Settled{Lost: true})
	d := f.delivery(id, e.ID)
	testx.Equal(f, []any{d.State, d.Attempts, len(f.attempts(id))}, []any{hook.Pending, 0, 0})
}

func settleLostHarmsNone(f *fixture) {
	e := f.newEndpoint()
	var batch []hook.Settlement
	var ids []hook.ID
	for i := range 9 {
		id, leases := f.sendLeased()
		ids = append(ids, id)
		if i%3 == 1 {
			f.release(leases...)
		}
		o := answerOK
		if i%3 == 2 {
			o = answerFail
		}
		batch = append(batch, f.settlement(leases[0], o))
	}
	for i, out := range f.settleAll(batch...) {
		d := f.delivery(ids[i], e.ID)
		switch i % 3 {
		case 0:
			testx.Equal(f, []any{out, d.State}, []any{hook.Settled{}, hook.Delivered})
		case 1:
			testx.Equal(f, []any{out, d.State, d.Attempts}, []any{hook.Settled{Lost: true}, hook.Pending, 0})
		case 2:
			testx.Equal(f, []any{out, d.State}, []any{hook.Settled{Due: f.now.Add(policy.Steps[0]), Retry: true}, hook.Pending})
		}
		testx.Equal(f, len(f.attempts(ids[i])) == 0, i%3 == 1, "no attempt")
	}
	testx.Equal(f, len(f.settleAll()), 0, "of no settlements")
}

func settleUntried(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	clock := f.endpoint(e.ID).FailingSince
	f.pass(time.Hour)
	testx.Equal(f, f.settleAll(f.untried(f.claimOne(e.ID)))[0], hook.Settled{})
	f.expect(id, e.ID, state{State: hook.Canceled, Reason: hook.ReasonExpired, Attempts: 1, Step: 1})
	testx.Equal(f, f.delivery(id, e.ID).LastStatus, 500, "the status of the last attempt")
	testx.Equal(f, f.numbers(id), []int{1}, "attempts")
	testx.Equal(f, f.endpoint(e.ID).FailingSince, clock, "the failure clock")

	// Put off without an attempt, a first attempt stays one.
	id, leases = f.sendLeased()
	s := f.untried(leases[0])
	s.Then = hook.Transition{State: hook.Pending, Reason: hook.ReasonReleased, Due: f.now.Add(time.Minute)}
	testx.Equal(f, f.settleAll(s)[0], hook.Settled{Due: s.Then.Due})
	f.now = s.Then.Due
	c := f.claim(first(e.ID, 1))[0]
	testx.Equal(f, len(c.Leases), 1)
	testx.Equal(f, c.Leases[0].Number, 1)
	f.settle(c.Leases[0], answerOK)
	testx.Equal(f, f.numbers(id), []int{1}, "attempts")
}

func settleAfterClose(f *fixture) {
	disabled, deleted := f.newEndpoint(), f.newEndpoint()
	id, leases := f.sendLeased()
	f.disable(disabled.ID)
	f.deleteEndpoint(deleted.ID)
	for _, e := range []hook.ID{disabled.ID, deleted.ID} {
		testx.Equal(f, testx.Must(f.store.CancelLane(f.ctx, e, hook.ReasonEndpointDisabled, f.now, 10))(f), 0, "canceled while in flight")
	}
	for _, l := range leases {
		o := answerOK
		if l.Endpoint.ID == disabled.ID {
			o = answerFail
		}
		f.settle(l, o)
	}
	testx.Equal(f, len(f.attempts(id)), 2, "attempts")
	f.expect(id, deleted.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	due := f.now.Add(policy.Steps[0])
	f.expect(id, disabled.ID, state{Reason: hook.ReasonRetry, Attempts: 1, Step: 1, Due: due})
	f.now = due
	c := f.claim(retry(disabled.ID, 1))[0]
	testx.Equal(f, []any{c.Closed, len(c.Leases)}, []any{hook.ReasonEndpointDisabled, 0})
}
