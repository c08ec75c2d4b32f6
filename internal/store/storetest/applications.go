package storetest

import (
	"errors"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var applicationTests = []test{
	{"an application comes back as it was stored", applicationComesBack},
	{"a uid is unique in its environment", applicationUIDIsUnique},
	{"an update is all or nothing", applicationUpdate},
	{"a deleted application is out of sight", applicationDelete},
	{"deleting an application closes the lanes of its endpoints", applicationDeleteClosesLanes},
	{"the throttle rate of the application reaches the engine", applicationThrottleReachesEngine},
}

func withUID(uid string) func(*hook.Application) {
	return func(a *hook.Application) { a.UID = uid }
}

func applicationComesBack(f *fixture) {
	full := f.appValue(withUID("customer-1"), func(a *hook.Application) {
		a.Name, a.ThrottleRate = "Größe ☃", 17
		a.Metadata = map[string]string{"plan": "gold", "": "empty", "quote": `"'\`}
		a.UpdatedAt = f.now.Add(time.Second)
	})
	got, repeated, err := f.store.CreateApplication(f.ctx, &full, nil)
	f.must(err)
	testx.True(f, !repeated, "it is new")
	testx.Equal(f, got, full)
	for _, ref := range []hook.Ref{{ID: full.ID}, {UID: "customer-1"}} {
		testx.Equal(f, testx.Must(f.store.FindApplication(f.ctx, f.env, ref))(f), full)
	}
	for _, ref := range []hook.Ref{{ID: hook.NewID(f.now)}, {UID: "customer-2"}, {UID: full.Name}} {
		_, err := f.store.FindApplication(f.ctx, f.env, ref)
		testx.Code(f, err, hook.CodeNotFound)
	}
}

func applicationUIDIsUnique(f *fixture) {
	f.newApp(withUID("u"))
	a := f.appValue(withUID("u"))
	_, _, err := f.store.CreateApplication(f.ctx, &a, nil)
	testx.Code(f, err, hook.CodeConflict)
	_, err = f.store.FindApplication(f.ctx, f.env, hook.Ref{ID: a.ID})
	testx.Code(f, err, hook.CodeNotFound, "the refused one")

	f.newApp()
	f.newApp() // having no uid is nothing that two could share
	f.newApp(withUID("u"), func(a *hook.Application) { a.Env = f.newEnvironment("other") })
	f.newApp(withUID("U")) // letters count as they are
}

func applicationUpdate(f *fixture) {
	a := f.newApp(withUID("a"))
	b := f.newApp(withUID("b"))
	ref := hook.Ref{ID: b.ID}

	_, err := f.store.UpdateApplication(f.ctx, f.env, ref, func(x *hook.Application) error { x.UID = "a"; return nil })
	testx.Code(f, err, hook.CodeConflict)
	own := errors.New("not like this")
	_, err = f.store.UpdateApplication(f.ctx, f.env, ref, func(x *hook.Application) error {
		x.Name, x.UID = "changed", "c"
		return own
	})
	testx.True(f, errors.Is(err, own), "the error of change is given back")
	testx.Equal(f, testx.Must(f.store.FindApplication(f.ctx, f.env, ref))(f), b, "after two refusals")

	want := b
	want.Name, want.UID, want.ThrottleRate, want.Metadata = "new", "", 3, map[string]string{"k": "v"}
	want.UpdatedAt = f.now.Add(time.Minute)
	got, err := f.store.UpdateApplication(f.ctx, f.env, hook.Ref{UID: "b"}, func(x *hook.Application) error {
		testx.Equal(f, *x, b, "what change gets")
		*x = want
		return nil
	})
	f.must(err)
	testx.Equal(f, got, want)
	testx.Equal(f, testx.Must(f.store.FindApplication(f.ctx, f.env, ref))(f), want)
	testx.Equal(f, testx.Must(f.store.FindApplication(f.ctx, f.env, hook.Ref{ID: a.ID}))(f), a, "the other one")
	f.newApp(withUID("b")) // the uid is free again

	_, err = f.store.UpdateApplication(f.ctx, f.env, hook.Ref{UID: "nobody"}, func(*hook.Application) error {
		f.Error("change is called for an application that does not exist")
		return nil
	})
	testx.Code(f, err, hook.CodeNotFound)
}

func applicationDelete(f *fixture) {
	a := f.newApp(withUID("a"))
	kept := f.newApp()
	in := func(e *hook.Endpoint) { e.App = a.ID }
	e1, e2 := f.newEndpoint(in), f.newEndpoint(in)
	other := f.newEndpoint()

	gone := testx.Must(f.store.DeleteApplication(f.ctx, f.env, hook.Ref{UID: "a"}, f.now))(f)
	testx.Equal(f, set(gone), set([]hook.ID{e1.ID, e2.ID}), "endpoints that went with it")
	for _, ref := range []hook.Ref{{ID: a.ID}, {UID: "a"}} {
		_, err := f.store.FindApplication(f.ctx, f.env, ref)
		testx.Code(f, err, hook.CodeNotFound, "find")
		_, err = f.store.DeleteApplication(f.ctx, f.env, ref, f.now)
		testx.Code(f, err, hook.CodeNotFound, "delete again")
	}
	_, err := f.store.FindEndpoint(f.ctx, f.env, a.ID, hook.Ref{ID: e1.ID})
	testx.Code(f, err, hook.CodeNotFound, "its endpoint")
	e3 := f.endpointValue(in)
	_, _, err = f.store.CreateEndpoint(f.ctx, &e3, 0, nil)
	testx.Code(f, err, hook.CodeNotFound, "a new endpoint")
	refused := f.accept(f.event(func(e *hook.NewEvent) { e.App = a.ID }))[0]
	testx.Code(f, refused.Err, hook.CodeNotFound, "a message")

	list := testx.Must(f.store.ListApplications(f.ctx, f.env, hook.Page{Limit: 10, Ascending: true}))(f)
	testx.Equal(f, set(idsOf(list.Items, func(a hook.Application) hook.ID { return a.ID })), set([]hook.ID{f.app, kept.ID}))
	f.newApp(withUID("a")) // the uid is free again
	testx.Equal(f, len(f.sendTo(other.ID)), 1, "deliveries of another application")
}

// sendTo sends one message and gives its leases to an endpoint.
func (f *fixture) sendTo(endpoint hook.ID) []*hook.Lease {
	f.Helper()
	f.send()
	return f.claim(first(endpoint, 10))[0].Leases
}

func applicationDeleteClosesLanes(f *fixture) {
	e := f.newEndpoint()
	msg := f.send()
	testx.Must(f.store.DeleteApplication(f.ctx, f.env, hook.Ref{ID: f.app}, f.now))(f)
	c := f.claim(first(e.ID, 10))[0]
	testx.Equal(f, c.Closed, hook.ReasonEndpointDeleted)
	testx.Equal(f, len(c.Leases), 0, "leases of a deleted application")
	n := testx.Must(f.store.CancelLane(f.ctx, e.ID, c.Closed, f.now, 10))(f)
	testx.Equal(f, n, 1, "deliveries canceled of message "+hook.KindMessage.Format(msg))
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes left")
}

func applicationThrottleReachesEngine(f *fixture) {
	e := f.newEndpoint(func(e *hook.Endpoint) { e.ThrottleRate = 5 })
	f.setThrottle(20)
	_, leases := f.sendLeased()
	testx.Equal(f, leases[0].Endpoint.AppThrottleRate, 20, "with a message")
	testx.Equal(f, leases[0].Endpoint.ThrottleRate, 5)
	f.send()
	f.setThrottle(30)
	testx.Equal(f, f.claimOne(e.ID).Endpoint.AppThrottleRate, 30, "with a claim")
}

func (f *fixture) setThrottle(rate int) {
	f.Helper()
	_, err := f.store.UpdateApplication(f.ctx, f.env, hook.Ref{ID: f.app}, func(a *hook.Application) error {
		a.ThrottleRate = rate
		return nil
	})
	f.must(err)
}

// idsOf gives the ids of a list.
func idsOf[T any](items []T, id func(T) hook.ID) []hook.ID {
	out := make([]hook.ID, 0, len(items))
	for _, item := range items {
		out = append(out, id(item))
	}
	return out
}

// set forgets the order of ids, and counts each.
func set(ids []hook.ID) map[hook.ID]int {
	out := map[hook.ID]int{}
	for _, id := range ids {
		out[id]++
	}
	return out
}
