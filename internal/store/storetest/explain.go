package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var explainTests = []test{
	{"has every endpoint with what was in force", explainVerdicts},
	{"keeps to what was in force when the message came", explainRevision},
	{"shows a deleted endpoint that had a part", explainDeleted},
	{"says that an endpoint came later", explainLater},
	{"has the last attempt", explainLastAttempt},
	{"is of one message alone", explainOneMessage},
}

// verdict is what an explanation says about an endpoint and a message.
func verdict(f *fixture, m *hook.Message, x *hook.EndpointExplanation) hook.Verdict {
	f.Helper()
	testx.True(f, x != nil && x.AtAccept != nil, "what was in force is known")
	return hook.Match(m.EventType, m.Channels, *x.AtAccept)
}

func explainVerdicts(f *fixture) {
	want := map[hook.ID]hook.Verdict{
		f.newEndpoint().ID: hook.Matched,
		f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"invoice.paid"} }).ID: hook.Matched,
		f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"other"} }).ID:        hook.EventTypeDiffers,
		f.newEndpoint(func(e *hook.Endpoint) { e.Channels = []string{"other"} }).ID:          hook.ChannelDiffers,
		f.newEndpoint(func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, f.now) }).ID:   hook.EndpointDisabled,
	}
	id := f.send(func(e *hook.NewEvent) { e.Channels, e.EventID = []string{"c"}, "x" })
	for _, ref := range []hook.Ref{{ID: id}, {UID: "x"}} {
		x := testx.Must(f.store.ExplainMessage(f.ctx, f.env, f.app, ref))(f)
		testx.Equal(f, []any{x.Message.ID, x.Message.EventType, x.Message.Channels}, []any{id, "invoice.paid", []string{"c"}})
		testx.Equal(f, len(x.Endpoints), len(want), "endpoints")
		for i := range x.Endpoints {
			e := &x.Endpoints[i]
			testx.Equal(f, e.Endpoint, f.endpoint(e.Endpoint.ID))
			testx.Equal(f, verdict(f, &x.Message, e), want[e.Endpoint.ID])
			testx.Equal(f, *e.AtAccept, e.Endpoint.Filters(), "what was in force")
			testx.Equal(f, e.Delivery != nil, want[e.Endpoint.ID] == hook.Matched || want[e.Endpoint.ID] == hook.EndpointDisabled, "has a delivery")
			testx.True(f, !e.Deleted && e.LastAttempt == nil, "it is there and was not tried")
		}
	}
	_, err := f.store.ExplainMessage(f.ctx, f.env, f.app, hook.Ref{UID: "y"})
	testx.Code(f, err, hook.CodeNotFound)
}

func explainRevision(f *fixture) {
	e := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"other"} })
	before := f.send()
	f.pass(time.Minute)
	f.update(e.ID, func(e *hook.Endpoint) { e.EventTypes, e.Channels = nil, []string{"c"} })
	between := f.send()
	f.pass(time.Minute)
	f.disable(e.ID)
	disabled := f.send(func(n *hook.NewEvent) { n.Channels = []string{"c"} })
	f.enable(e.ID)
	f.update(e.ID, func(e *hook.Endpoint) { e.Channels = nil })
	after := f.send()
	var revisions []int64
	for i, c := range []struct {
		message hook.ID
		want    hook.Verdict
	}{
		{before, hook.EventTypeDiffers}, {between, hook.ChannelDiffers}, {disabled, hook.EndpointDisabled}, {after, hook.Matched},
	} {
		x := f.explain(c.message, e.ID)
		m := f.message(c.message)
		testx.Equal(f, verdict(f, &m, x), c.want)
		testx.Equal(f, x.AtAccept.Revision != x.Endpoint.Revision, i < 3, "it has changed since")
		revisions = append(revisions, x.AtAccept.Revision)
	}
	for i := range revisions[1:] {
		testx.True(f, revisions[i] < revisions[i+1], "revisions grow")
	}
	f.crash()
	m := f.message(before)
	testx.Equal(f, verdict(f, &m, f.explain(before, e.ID)), hook.EventTypeDiffers, "after a crash")
}

func explainDeleted(f *fixture) {
	delivered := f.newEndpoint()
	passed := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"other"} })
	id := f.send()
	f.settle(f.claimOne(delivered.ID), answerOK)
	f.deleteEndpoint(delivered.ID)
	f.deleteEndpoint(passed.ID)
	later := f.send()
	m := f.message(id)
	for endpoint, want := range map[hook.ID]hook.Verdict{delivered.ID: hook.Matched, passed.ID: hook.EventTypeDiffers} {
		x := f.explain(id, endpoint)
		testx.True(f, x != nil && x.Deleted, "it is shown as deleted")
		testx.Equal(f, verdict(f, &m, x), want)
		testx.Equal(f, x.Delivery != nil, want == hook.Matched)
	}
	f.expect(id, delivered.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
	for _, endpoint := range []hook.ID{delivered.ID, passed.ID} {
		x := f.explain(later, endpoint)
		testx.True(f, x == nil || x.Deleted && x.Delivery == nil && x.AtAccept == nil,
			"an endpoint that was deleted before the message has no part in it")
	}
}

func explainLater(f *fixture) {
	id := f.send()
	f.pass(time.Minute)
	e := f.newEndpoint()
	f.update(e.ID, func(e *hook.Endpoint) { e.Description = "changed" })
	x := f.explain(id, e.ID)
	testx.True(f, x != nil && x.AtAccept == nil && x.Delivery == nil && x.LastAttempt == nil, "it did not exist then")
	f.resend(id, e.ID)
	f.settle(f.claimOne(e.ID), answerOK)
	x = f.explain(id, e.ID)
	testx.True(f, x.AtAccept == nil && x.Delivery != nil && x.LastAttempt != nil, "it got the message by hand")
}

func explainLastAttempt(f *fixture) {
	e, other := f.newEndpoint(), f.newEndpoint()
	id, leases := f.sendLeased()
	testx.Equal(f, len(leases), 2)
	var last hook.ID
	for _, l := range leases {
		s := f.settlement(l, answerFail)
		f.settleAll(s)
		if l.Endpoint.ID == e.ID {
			last = s.Attempt.ID
		}
	}
	testx.Equal(f, f.explain(id, e.ID).LastAttempt.ID, last)
	f.pass(time.Hour)
	l := f.claimOne(e.ID)
	s := f.settlement(l, answerOK)
	f.settleAll(s)
	got := f.explain(id, e.ID).LastAttempt
	testx.Equal(f, []any{got.ID, got.Number, got.Outcome}, []any{s.Attempt.ID, 2, answerOK})
	testx.Equal(f, f.explain(id, other.ID).LastAttempt.Number, 1, "of the other endpoint")
}

func explainOneMessage(f *fixture) {
	e := f.newEndpoint()
	one := f.send()
	f.settle(f.claimOne(e.ID), answerOK)
	two := f.send()
	testx.Equal(f, f.explain(one, e.ID).Delivery.State, hook.Delivered)
	x := f.explain(two, e.ID)
	testx.Equal(f, x.Delivery.State, hook.Pending)
	testx.True(f, x.LastAttempt == nil, "an attempt of another message is none of this one")
}
