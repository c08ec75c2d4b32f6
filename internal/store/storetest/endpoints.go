package storetest

import (
	"errors"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var endpointTests = []test{
	{"an endpoint comes back as it was stored", endpointComesBack},
	{"a uid is unique in its application", endpointUIDIsUnique},
	{"a limit bounds the endpoints of an application", endpointLimit},
	{"an update is all or nothing and counts the revision up", endpointUpdate},
	{"a deleted endpoint is out of sight", endpointDelete},
	{"a change is in force for the next message", endpointChangeInForceForAccept},
	{"a change is in force for the next claim", endpointChangeInForceForClaim},
	{"enabling forgets who disabled it and since when", endpointEnable},
}

func endpointUID(uid string) func(*hook.Endpoint) {
	return func(e *hook.Endpoint) { e.UID = uid }
}

func (f *fixture) endpoint(id hook.ID) hook.Endpoint {
	f.Helper()
	return testx.Must(f.store.FindEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: id}))(f)
}

// sameEndpoint compares all but the revision, whose first value is the store's.
func sameEndpoint(f *fixture, got, want hook.Endpoint, what ...string) {
	f.Helper()
	want.Revision = got.Revision
	testx.Equal(f, got, want, what...)
}

func endpointComesBack(f *fixture) {
	full := f.endpointValue(endpointUID("mine"), func(e *hook.Endpoint) {
		e.Description, e.URL = "Größe ☃", "https://example.com:8443/a?b=%20c#d"
		e.EventTypes = []string{"invoice.paid", "invoice.void"}
		e.Channels = []string{"eu", "us"}
		e.ThrottleRate = 9
		e.Metadata = map[string]string{"k": `"v"`}
		e.FeatureFlags = []string{"beta"}
		e.SealedHeaders = []byte{0, 1, 0xff}
		e.Secrets = []hook.SealedSecret{
			{Sealed: []byte{0, 0xfe, 2}}, {Sealed: []byte("old"), ExpiresAt: f.now.Add(24 * time.Hour)},
		}
		e.Disabled, e.DisabledReason, e.DisabledAt = true, hook.DisabledByUser, f.now
		e.UpdatedAt = f.now.Add(time.Second)
	})
	got, repeated, err := f.store.CreateEndpoint(f.ctx, &full, 0, nil)
	f.must(err)
	testx.True(f, !repeated, "it is new")
	sameEndpoint(f, got, full)
	for _, ref := range []hook.Ref{{ID: full.ID}, {UID: "mine"}} {
		sameEndpoint(f, testx.Must(f.store.FindEndpoint(f.ctx, f.env, f.app, ref))(f), full)
	}
	bare := f.endpointValue(func(e *hook.Endpoint) { e.Secrets = nil })
	_, _, err = f.store.CreateEndpoint(f.ctx, &bare, 0, nil)
	f.must(err)
	sameEndpoint(f, f.endpoint(bare.ID), bare)
	testx.True(f, f.endpoint(bare.ID).SealedHeaders == nil, "no headers is not empty headers")
}

func endpointUIDIsUnique(f *fixture) {
	f.newEndpoint(endpointUID("u"))
	e := f.endpointValue(endpointUID("u"))
	_, _, err := f.store.CreateEndpoint(f.ctx, &e, 0, nil)
	testx.Code(f, err, hook.CodeConflict)
	testx.Equal(f, f.accept(f.event())[0].Matched, 1, "endpoints that get a message")
	f.newEndpoint()
	f.newEndpoint()
	other := f.newApp().ID
	f.newEndpoint(endpointUID("u"), func(e *hook.Endpoint) { e.App = other })
}

func endpointLimit(f *fixture) {
	e1, e2 := f.endpointValue(), f.endpointValue()
	_, _, err := f.store.CreateEndpoint(f.ctx, &e1, 1, nil)
	f.must(err)
	_, _, err = f.store.CreateEndpoint(f.ctx, &e2, 1, nil)
	testx.Code(f, err, hook.CodeLimitReached)
	f.deleteEndpoint(e1.ID)
	_, _, err = f.store.CreateEndpoint(f.ctx, &e2, 1, nil)
	f.must(err)
}

func endpointUpdate(f *fixture) {
	f.newEndpoint(endpointUID("taken"))
	e := f.newEndpoint(endpointUID("e"))
	ref := hook.Ref{ID: e.ID}
	_, _, err := f.store.UpdateEndpoint(f.ctx, f.env, f.app, ref, nil, func(x *hook.Endpoint) error { x.UID = "taken"; return nil })
	testx.Code(f, err, hook.CodeConflict)
	own := errors.New("not like this")
	_, _, err = f.store.UpdateEndpoint(f.ctx, f.env, f.app, ref, nil, func(x *hook.Endpoint) error {
		x.URL = "https://elsewhere.example"
		return own
	})
	testx.True(f, errors.Is(err, own), "the error of change is given back")
	testx.Equal(f, f.endpoint(e.ID), e, "after two refusals")

	want := e
	want.UID, want.URL, want.Description = "", "https://elsewhere.example", "new"
	want.EventTypes, want.Channels = []string{"a"}, []string{"b"}
	want.Secrets = append([]hook.SealedSecret{{Sealed: []byte("new")}}, want.Secrets...)
	want.Secrets[1].ExpiresAt = f.now.Add(time.Hour)
	want.SealedHeaders, want.Metadata = []byte("headers"), map[string]string{"k": "v"}
	want.UpdatedAt = f.now.Add(time.Second)
	got, repeated, err := f.store.UpdateEndpoint(f.ctx, f.env, f.app, hook.Ref{UID: "e"}, nil, func(x *hook.Endpoint) error {
		testx.Equal(f, *x, e, "what change gets")
		*x = want
		return nil
	})
	f.must(err)
	testx.True(f, !repeated, "it is no repetition")
	testx.True(f, got.Revision > e.Revision, "the revision grows")
	sameEndpoint(f, got, want)
	testx.Equal(f, f.endpoint(e.ID), got)
	_, _, err = f.store.UpdateEndpoint(f.ctx, f.env, f.app, hook.Ref{UID: "e"}, nil, func(*hook.Endpoint) error {
		f.Error("change is called for an endpoint that does not exist")
		return nil
	})
	testx.Code(f, err, hook.CodeNotFound)
}

func endpointDelete(f *fixture) {
	e := f.newEndpoint(endpointUID("e"))
	kept := f.newEndpoint()
	f.deleteEndpoint(e.ID)
	for _, ref := range []hook.Ref{{ID: e.ID}, {UID: "e"}} {
		_, err := f.store.FindEndpoint(f.ctx, f.env, f.app, ref)
		testx.Code(f, err, hook.CodeNotFound, "find")
		_, err = f.store.DeleteEndpoint(f.ctx, f.env, f.app, ref, f.now)
		testx.Code(f, err, hook.CodeNotFound, "delete")
		_, _, err = f.store.UpdateEndpoint(f.ctx, f.env, f.app, ref, nil, func(*hook.Endpoint) error { return nil })
		testx.Code(f, err, hook.CodeNotFound, "update")
	}
	list := testx.Must(f.store.ListEndpoints(f.ctx, f.env, f.app, hook.Page{Limit: 10}))(f)
	testx.Equal(f, list.Items, []hook.Endpoint{kept})
	testx.Equal(f, f.accept(f.event())[0].Matched, 1, "endpoints that get a message")
	f.newEndpoint(endpointUID("e")) // the uid is free again
}

func endpointChangeInForceForAccept(f *fixture) {
	e := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"a"} })
	typed := func(name string) func(*hook.NewEvent) { return func(n *hook.NewEvent) { n.EventType = name } }
	matched := func(name string) int { return f.accept(f.event(typed(name)))[0].Matched }
	testx.Equal(f, []int{matched("a"), matched("b")}, []int{1, 0})
	f.update(e.ID, func(e *hook.Endpoint) { e.EventTypes = []string{"b"} })
	testx.Equal(f, []int{matched("a"), matched("b")}, []int{0, 1}, "after a change of its event types")
	e2 := f.newEndpoint()
	testx.Equal(f, []int{matched("a"), matched("b")}, []int{1, 2}, "after another endpoint came")
	f.disable(e2.ID)
	testx.Equal(f, []int{matched("a"), matched("b")}, []int{0, 1}, "after it was disabled")
	f.deleteEndpoint(e.ID)
	testx.Equal(f, []int{matched("a"), matched("b")}, []int{0, 0}, "after the first was deleted")
	f.enable(e2.ID)
	testx.Equal(f, []int{matched("a"), matched("b")}, []int{1, 1}, "after the other was enabled")
}

func endpointChangeInForceForClaim(f *fixture) {
	e := f.newEndpoint()
	f.send()
	changed := f.update(e.ID, func(e *hook.Endpoint) {
		e.URL = "https://moved.example/hook"
		e.Secrets = []hook.SealedSecret{{Sealed: []byte("rotated")}}
		e.SealedHeaders = []byte("headers")
		e.ThrottleRate = 4
	})
	l := f.claimOne(e.ID)
	testx.Equal(f, *l.Endpoint, changed)
	testx.True(f, l.Endpoint.Revision > e.Revision, "the revision tells that it is another")
}

func endpointEnable(f *fixture) {
	e := f.newEndpoint()
	f.send()
	f.settle(f.claimOne(e.ID), answerGone)
	got := f.endpoint(e.ID)
	testx.Equal(f, []any{got.Disabled, got.DisabledReason, got.DisabledAt}, []any{true, hook.DisabledByGone, f.now})
	f.pass(time.Hour)
	f.enable(e.ID)
	got = f.endpoint(e.ID)
	testx.Equal(f, []any{got.Disabled, got.DisabledReason, got.DisabledAt, got.FailingSince},
		[]any{false, hook.NotDisabled, time.Time{}, time.Time{}})
	testx.Equal(f, len(f.sendTo(e.ID)), 1, "deliveries after it was enabled")
}
