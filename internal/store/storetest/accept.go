package storetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var acceptTests = []test{
	{"a message comes back as it was accepted", messageComesBack},
	{"bodies are kept byte for byte", bodiesAreKept},
	{"a message goes to the endpoints that match", fanOut},
	{"a message without endpoints is stored", noEndpoints},
	{"a disabled endpoint gets a canceled delivery", disabledEndpointIsRecorded},
	{"Only names the one endpoint that gets it", onlyOne},
	{"a later time makes deliveries due then", deliverLater},
	{"an event id is taken once", eventIDIsUnique},
	{"a refused event harms no other of its batch", refusedEventHarmsNone},
	{"no events are accepted as nothing", acceptNothing},
	{"places are asked for what can be sent now", placesAsked},
	{"a leased delivery is not due", leasedIsNotDue},
	{"a lease has all that the attempt needs", leaseIsComplete},
	{"places are given back when nothing was stored", placesGivenBack},
	{"a batch that fails leaves the store as it was", failedBatchLeavesNothing},
	{"a closed store takes nothing and gives nothing", closedStore},
	{"an expunged payload is gone, the message stays", expunge},
}

func (f *fixture) message(id hook.ID) hook.Message {
	f.Helper()
	return testx.Must(f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{ID: id}, true))(f)
}

func messageComesBack(f *fixture) {
	full := f.event(func(e *hook.NewEvent) {
		e.EventType, e.EventID = "größe.☃", "order 17/a?b"
		e.Channels, e.Tags = []string{"eu", "eu:south"}, []string{"vip"}
		e.ContentType = "text/plain; charset=utf-8"
		e.Body = []byte("hello")
		e.BodySize = 5
		e.DeliverAt = f.now.Add(time.Hour)
	})
	got := f.accept(full)[0]
	testx.Equal(f, got, hook.Accepted{Message: full.Message})
	for _, ref := range []hook.Ref{{ID: full.ID}, {UID: "order 17/a?b"}} {
		testx.Equal(f, testx.Must(f.store.FindMessage(f.ctx, f.env, f.app, ref, true))(f), full.Message)
		bare := testx.Must(f.store.FindMessage(f.ctx, f.env, f.app, ref, false))(f)
		testx.True(f, bare.Body == nil && !bare.BodyGone, "a body not asked for is not given, nor called gone")
		bare.Body = full.Body
		testx.Equal(f, bare, full.Message)
	}
	for _, ref := range []hook.Ref{{ID: hook.NewID(f.now)}, {UID: "order 18"}} {
		_, err := f.store.FindMessage(f.ctx, f.env, f.app, ref, true)
		testx.Code(f, err, hook.CodeNotFound)
	}
}

func bodiesAreKept(f *fixture) {
	e := f.newEndpoint()
	big := bytes.Repeat([]byte{0, 0xff, '{', '"', 0x80, '\n', 1, 2}, 1<<17)
	for name, body := range map[string][]byte{
		"none":              nil, // an empty one, not one that is gone
		"empty":             {},
		"a NUL":             {0},
		"NULs between":      []byte("a\x00b\x00"),
		"not UTF-8":         {0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80},
		"a huge number":     []byte(`{"n":1` + strings.Repeat("0", 400) + `,"f":1.0000000000000000000001e-999}`),
		"order and blanks":  []byte("{ \"b\":1 ,\n\t\"a\" : 2, \"b\":3 }\r\n"),
		"escapes":           []byte(`"\u00e9\ud800\/\u0000"`),
		"looks like a blob": []byte(`x'00'`),
		"1 MiB":             big,
	} {
		id := f.send(func(n *hook.NewEvent) { n.Body = body })
		same := func(got []byte, where string) {
			f.Helper()
			testx.True(f, (got != nil || body == nil) && bytes.Equal(got, body), fmt.Sprintf("the body %q is the same %s", name, where))
		}
		m := f.message(id)
		same(m.Body, "in the message")
		testx.Equal(f, m.BodySize, len(body), name)
		testx.True(f, !m.BodyGone, "the body is there: "+name)
		l := f.claimOne(e.ID)
		same(l.Message.Body, "in a claimed lease")
		testx.True(f, !l.Message.BodyGone, "the body is there to send: "+name)
		f.settle(l, answerOK)
		_, leased := f.sendLeased(func(n *hook.NewEvent) { n.Body = body })
		same(leased[0].Message.Body, "in a lease given at accept")
		f.settle(leased[0], answerOK)
		f.pass(time.Second)
	}
	list := testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, WithBody: true, Page: hook.Page{Limit: 100}}))(f)
	for _, m := range list.Items {
		testx.Equal(f, m.Body, f.message(m.ID).Body, "body in a list")
	}
}

func fanOut(f *fixture) {
	with := func(types, channels []string) hook.ID {
		return f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes, e.Channels = types, channels }).ID
	}
	ids := map[string]hook.ID{
		"all":        with(nil, nil),
		"paid":       with([]string{"invoice.paid"}, nil),
		"several":    with([]string{"a", "invoice.paid"}, nil),
		"void":       with([]string{"invoice.void"}, nil),
		"eu":         with(nil, []string{"eu"}),
		"eu or us":   with(nil, []string{"us", "eu"}),
		"paid in eu": with([]string{"invoice.paid"}, []string{"eu"}),
		"void in eu": with([]string{"invoice.void"}, []string{"eu"}),
	}
	for _, c := range []struct {
		eventType string
		channels  []string
		want      []string
	}{
		{"invoice.paid", nil, []string{"all", "paid", "several"}},
		{"invoice.void", nil, []string{"all", "void"}},
		{"invoice", nil, []string{"all"}},
		{"invoice.paid", []string{"eu"}, []string{"all", "paid", "several", "eu", "eu or us", "paid in eu"}},
		{"invoice.void", []string{"x", "us"}, []string{"all", "void", "eu or us"}},
	} {
		got := f.accept(f.event(func(e *hook.NewEvent) { e.EventType, e.Channels = c.eventType, c.channels }))[0]
		what := fmt.Sprintf("%s in %v", c.eventType, c.channels)
		testx.Equal(f, got.Matched, len(c.want), what)
		reached := map[hook.ID]bool{}
		for name, id := range ids {
			if e := f.explain(got.Message.ID, id); e.Delivery != nil {
				f.expect(got.Message.ID, id, state{Due: f.now})
				reached[id] = true
				testx.Equal(f, e.Delivery.CreatedAt, f.now, name)
			}
		}
		for _, name := range c.want {
			testx.True(f, reached[ids[name]], what+" reaches "+name)
		}
		testx.Equal(f, len(reached), len(c.want), "endpoints reached by "+what)
	}
}

func noEndpoints(f *fixture) {
	a := f.acceptWith(&places{room: everywhere}, f.event())[0]
	testx.Equal(f, []int{a.Matched, len(a.Leased)}, []int{0, 0})
	testx.Equal(f, f.message(a.Message.ID), a.Message)
	testx.Equal(f, f.lanes(), map[lane]time.Time{})
}

func disabledEndpointIsRecorded(f *fixture) {
	off := f.newEndpoint(func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, f.now) })
	offOther := f.newEndpoint(func(e *hook.Endpoint) {
		e.EventTypes = []string{"other"}
		e.Disable(hook.DisabledByUser, f.now)
	})
	on := f.newEndpoint()
	p := &places{room: everywhere}
	a := f.acceptWith(p, f.event())[0]
	testx.Equal(f, a.Matched, 1, "endpoints that get it")
	testx.Equal(f, p.asked, []hook.ID{on.ID}, "endpoints that places were asked for")
	f.expect(a.Message.ID, off.ID, state{State: hook.Canceled, Reason: hook.ReasonEndpointDisabled})
	testx.True(f, f.explain(a.Message.ID, offOther.ID).Delivery == nil, "no delivery where its filters say no")
	f.enable(off.ID)
	testx.Equal(f, len(f.claim(first(off.ID, 10))[0].Leases), 0, "deliveries due after it was enabled")
}

func onlyOne(f *fixture) {
	chosen := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes, e.Channels = []string{"other"}, []string{"other"} })
	f.newEndpoint()
	off := f.newEndpoint(func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, f.now) })
	to := func(id hook.ID) func(*hook.NewEvent) { return func(e *hook.NewEvent) { e.Only = id } }
	a := f.accept(f.event(to(chosen.ID)))[0]
	testx.Equal(f, a.Matched, 1)
	f.expect(a.Message.ID, chosen.ID, state{Due: f.now})
	testx.Equal(f, len(f.lanes()), 1, "lanes with work")
	a = f.accept(f.event(to(off.ID)))[0]
	testx.Equal(f, a.Matched, 0)
	f.expect(a.Message.ID, off.ID, state{State: hook.Canceled, Reason: hook.ReasonEndpointDisabled})
}

func deliverLater(f *fixture) {
	e := f.newEndpoint()
	at := f.now.Add(time.Hour)
	p := &places{room: everywhere}
	a := f.acceptWith(p, f.event(func(n *hook.NewEvent) { n.DeliverAt = at }))[0]
	testx.Equal(f, a.Matched, 1)
	testx.Equal(f, len(a.Leased), 0, "leases before the time")
	testx.Equal(f, p.due, []dueCall{{Endpoint: e.ID, At: at}})
	testx.Equal(f, len(p.reserved), 0, "places taken for it")
	f.expect(a.Message.ID, e.ID, state{Reason: hook.ReasonScheduled, Due: at})
	c := f.claim(first(e.ID, 10))[0]
	testx.Equal(f, []any{len(c.Leases), c.Next}, []any{0, at}, "a claim before the time")
	f.now = at
	l := f.claimOne(e.ID)
	testx.Equal(f, []any{l.Due, l.Number, l.Tried}, []any{at, 1, hook.Tried{Reason: hook.ReasonScheduled}})
	f.settle(l, answerOK)
}

func eventIDIsUnique(f *fixture) {
	e := f.newEndpoint()
	named := func(id string) func(*hook.NewEvent) { return func(n *hook.NewEvent) { n.EventID = id } }
	firstOne := f.send(named("a"))
	out := f.accept(f.event(named("a")), f.event(named("b")), f.event(named("b")), f.event(), f.event())
	testx.Code(f, out[0].Err, hook.CodeConflict, "stored before")
	testx.NoError(f, out[1].Err)
	testx.Code(f, out[2].Err, hook.CodeConflict, "twice in a batch")
	testx.NoError(f, out[3].Err)
	testx.NoError(f, out[4].Err)
	for i, id := range []hook.ID{firstOne, out[1].Message.ID} {
		got := testx.Must(f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{UID: string(rune('a' + i))}, true))(f)
		testx.Equal(f, got.ID, id)
	}
	testx.Equal(f, len(f.claim(first(e.ID, 100))[0].Leases), 4, "deliveries")

	other := f.newApp().ID
	elsewhere := f.accept(f.event(named("a"), func(n *hook.NewEvent) { n.App = other }))[0]
	testx.NoError(f, elsewhere.Err, "the same id in another application")
}

func refusedEventHarmsNone(f *fixture) {
	e := f.newEndpoint()
	f.send(func(n *hook.NewEvent) { n.EventID = "taken" })
	events := make([]hook.NewEvent, 40)
	for i := range events {
		events[i] = f.event()
		switch i % 4 {
		case 1:
			events[i].EventID = "taken"
		case 2:
			events[i].App = hook.NewID(f.now)
		case 3:
			events[i].Env = hook.NewID(f.now)
		}
	}
	p := &places{room: everywhere}
	out := f.acceptWith(p, events...)
	for i, a := range out {
		switch i % 4 {
		case 0:
			testx.NoError(f, a.Err)
			testx.Equal(f, a.Message.ID, events[i].ID, "results are in the order of the events")
			testx.Equal(f, len(a.Leased), 1)
		case 1:
			testx.Code(f, a.Err, hook.CodeConflict)
		default:
			testx.Code(f, a.Err, hook.CodeNotFound)
		}
		_, err := f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{ID: events[i].ID}, false)
		testx.Equal(f, err == nil, i%4 == 0, "stored")
	}
	testx.Equal(f, p.reserved, map[hook.ID]int{e.ID: 10}, "places held")
}

func acceptNothing(f *fixture) {
	testx.Equal(f, len(f.accept()), 0)
}

func placesAsked(f *fixture) {
	with := f.newEndpoint()
	without := f.newEndpoint()
	f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"other"} })
	f.newEndpoint(func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, f.now) })
	f.deleteEndpoint(f.newEndpoint().ID)
	var sizes []int
	p := &places{room: func(e *hook.Endpoint, size int) bool {
		sizes = append(sizes, size)
		return e.ID == with.ID
	}}
	a := f.acceptWith(p, f.event(func(e *hook.NewEvent) { e.Body = make([]byte, 77) }))[0]
	testx.Equal(f, set(p.asked), set([]hook.ID{with.ID, without.ID}), "asked once for each that can be sent now")
	testx.Equal(f, sizes, []int{77, 77}, "sizes asked for")
	testx.Equal(f, p.reserved, map[hook.ID]int{with.ID: 1}, "places held")
	testx.Equal(f, p.due, []dueCall{{Endpoint: without.ID, At: f.now}}, "told as due")
	testx.Equal(f, []int{a.Matched, len(a.Leased)}, []int{2, 1})
	testx.Equal(f, a.Leased[0].Endpoint.ID, with.ID)
}

func leasedIsNotDue(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	testx.Equal(f, len(leases), 1)
	d := f.delivery(id, e.ID)
	testx.Equal(f, []any{d.State, d.Reason, d.Attempts}, []any{hook.Sending, hook.ReasonNone, 0})
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
	f.pass(24 * time.Hour)
	for _, c := range f.claim(first(e.ID, 10), retry(e.ID, 10)) {
		testx.Equal(f, c, hook.ClaimedLane{}, "a claim")
	}
	f.settle(leases[0], answerOK)
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
}

func leaseIsComplete(f *fixture) {
	e := f.newEndpoint()
	want := f.event(func(n *hook.NewEvent) {
		n.EventID, n.Channels, n.Tags = "e", []string{"c"}, []string{"t"}
		n.ContentType = "application/xml"
	})
	a := f.acceptWith(&places{room: everywhere}, want)[0]
	given := a.Leased[0]
	testx.Equal(f, *given.Message, want.Message, "message at accept")
	testx.Equal(f, *given.Endpoint, e, "endpoint at accept")
	f.release(given)
	claimed := f.claimOne(e.ID)
	testx.Equal(f, *claimed.Message, want.Message, "message at claim")
	testx.Equal(f, *claimed.Endpoint, e, "endpoint at claim")
	for name, l := range map[string]*hook.Lease{"accept": given, "claim": claimed} {
		testx.Equal(f, l.Node, f.node, name)
		testx.Equal(f, []any{l.Number, l.Due, l.Retry, l.Tried.State, l.Tried.Step, l.Tried.Manual, l.Tried.AutoDue, l.Size()},
			[]any{1, f.now, false, hook.Pending, 0, false, time.Time{}, len(want.Body)}, name)
	}
}

func placesGivenBack(f *fixture) {
	e := f.newEndpoint()
	// A caller that leaves may be too late to stop its commit, but it must not
	// be told a lie, and no place may be lost.
	for range 30 {
		ctx, cancel := context.WithCancel(f.ctx)
		p := &places{room: func(*hook.Endpoint, int) bool { cancel(); return true }}
		n := f.event()
		if _, err := f.store.Accept(ctx, f.node, p, f.now, []hook.NewEvent{n}); err != nil {
			testx.Equal(f, p.reserved, nil, "places held by what was not stored")
			_, err := f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{ID: n.ID}, false)
			testx.Code(f, err, hook.CodeNotFound, "what was not stored")
		} else {
			testx.Equal(f, p.reserved, map[hook.ID]int{e.ID: 1}, "places held by what was stored")
			f.message(n.ID)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	p := &places{room: everywhere}
	n := f.event()
	if _, err := f.store.Accept(ctx, f.node, p, f.now, []hook.NewEvent{n}); err != nil {
		testx.Code(f, err, hook.CodeUnavailable, "a caller who has left already")
		testx.Equal(f, p.reserved, nil, "places held")
	}
}

// failedBatchLeavesNothing makes a batch fail in its middle by an id that is
// stored already, which no caller can bring about: ids are random.
func failedBatchLeavesNothing(f *fixture) {
	e := f.newEndpoint()
	held, _ := f.sendLeased()
	doubled := f.event()
	f.accept(doubled)
	p := &places{room: everywhere}
	batch := []hook.NewEvent{f.event(), doubled, f.event()}
	batch[0].EventID, batch[2].EventID = "kept", "kept too"
	out, err := f.store.Accept(f.ctx, f.node, p, f.now, batch)
	if err == nil {
		testx.True(f, out[1].Err != nil, "an id that is stored already is refused")
		testx.Equal(f, p.reserved, map[hook.ID]int{e.ID: 2}, "places held by the other two")
	} else {
		testx.Equal(f, p.reserved, nil, "places held by what was not stored")
		testx.Equal(f, p.bytes, 0, "bytes held by what was not stored")
		testx.Equal(f, len(p.due), 0, "told as due")
		for _, i := range []int{0, 2} {
			_, err := f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{ID: batch[i].ID}, false)
			testx.Code(f, err, hook.CodeNotFound, "what was not stored")
		}
		again := f.accept(batch[0], batch[2])
		testx.NoError(f, again[0].Err, "its event id is free")
		testx.NoError(f, again[1].Err, "its event id is free")
	}
	// What was leased before is still ours, and is found again after a crash.
	f.accept(f.event())
	f.crash()
	f.register()
	leases := f.leasesOf(held, f.claim(first(e.ID, 100), retry(e.ID, 100)))
	testx.Equal(f, len(leases), 1, "leases of the delivery that was in flight")
	f.settle(leases[0], answerOK)
}

// leasesOf picks the leases of one message.
func (f *fixture) leasesOf(message hook.ID, lanes []hook.ClaimedLane) []*hook.Lease {
	var out []*hook.Lease
	for _, c := range lanes {
		for _, l := range c.Leases {
			if l.Message.ID == message {
				out = append(out, l)
			}
		}
	}
	return out
}

func closedStore(f *fixture) {
	f.newEndpoint()
	f.must(f.store.Ping(f.ctx))
	f.must(f.store.Close())
	p := &places{room: everywhere}
	_, err := f.store.Accept(f.ctx, f.node, p, f.now, []hook.NewEvent{f.event()})
	testx.Code(f, err, hook.CodeUnavailable)
	testx.Equal(f, p.reserved, nil, "places held")
	testx.Code(f, f.store.Ping(f.ctx), hook.CodeUnavailable, "ping")
	_, err = f.store.FindApplication(f.ctx, f.env, hook.Ref{ID: f.app})
	testx.Code(f, err, hook.CodeUnavailable, "a read")
	f.must(f.store.Close()) // again
}

func expunge(f *fixture) {
	e := f.newEndpoint()
	id := f.send(func(n *hook.NewEvent) { n.EventID = "x" })
	other := f.send()
	f.must(f.store.ExpungeMessage(f.ctx, f.env, f.app, hook.Ref{UID: "x"}))
	m := f.message(id)
	testx.True(f, m.Body == nil && m.BodyGone, "the payload is gone")
	testx.Equal(f, []any{m.EventType, m.EventID, m.BodySize}, []any{"invoice.paid", "x", 15})
	f.must(f.store.ExpungeMessage(f.ctx, f.env, f.app, hook.Ref{ID: id})) // twice is no error
	testx.True(f, !f.message(other).BodyGone, "the other message keeps its payload")
	testx.Code(f, f.store.ExpungeMessage(f.ctx, f.env, f.app, hook.Ref{UID: "y"}), hook.CodeNotFound)

	// What waited for it is either canceled at once or given to the engine as
	// having nothing to send.
	for _, l := range f.claim(first(e.ID, 10))[0].Leases {
		testx.Equal(f, l.Message.BodyGone, l.Message.ID == id, "gone")
		if l.Message.BodyGone {
			testx.True(f, l.Message.Body == nil, "nothing to send")
			f.settleAll(f.untried(l))
		} else {
			f.settle(l, answerOK)
		}
	}
	f.expect(id, e.ID, state{State: hook.Canceled, Reason: hook.ReasonExpired})
	testx.Equal(f, len(f.attempts(id)), 0, "attempts without a payload")
}
