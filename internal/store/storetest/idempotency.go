package storetest

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var idempotencyTests = []test{
	{"the same request gets the same message", sameRequestSameMessage},
	{"the same key with another request is refused", keyOfAnotherRequest},
	{"a key used twice in one batch counts once", keyTwiceInABatch},
	{"keys of two environments are two keys", keysByEnvironment},
	{"a key that has ended is free", endedKey},
	{"a refused event leaves no key", refusedEventLeavesNoKey},
	{"keys survive a crash", keysSurviveCrash},
	{"an application is created once", applicationOnce},
	{"an event type is created once", eventTypeOnce},
	{"an endpoint is created and changed once", endpointOnce},
	{"a task is created once", taskOnce},
	{"a resend happens once", resendOnce},
	{"a refused create leaves no key", refusedCreateLeavesNoKey},
}

// kinds of keys: of the caller's own, and those that SDKs make up.
var keyKinds = map[string]bool{"caller's": false, "automatic": true}

// idempotencyKey is a key for one request that counts for ten minutes.
func (f *fixture) idempotencyKey(name, request string, auto bool) *hook.IdempotencyKey {
	return &hook.IdempotencyKey{
		Hash: sum(name), Fingerprint: sum(request),
		ExpiresAt: f.now.Add(10 * time.Minute), Auto: auto,
	}
}

func sum(text string) (short [16]byte) {
	long := sha256.Sum256([]byte(text))
	copy(short[:], long[:])
	return short
}

func (f *fixture) keyed(name, request string, auto bool) hook.NewEvent {
	return f.event(func(e *hook.NewEvent) { e.Idempotency = f.idempotencyKey(name, request, auto) })
}

// eachKeyKind runs a test for both kinds of keys, on names of their own.
func (f *fixture) eachKeyKind(try func(auto bool, name string)) {
	for kind, auto := range keyKinds {
		try(auto, kind+" key")
	}
}

func sameRequestSameMessage(f *fixture) {
	e := f.newEndpoint()
	f.eachKeyKind(func(auto bool, name string) {
		one := f.keyed(name, "r", auto)
		one.EventID = "event of " + name
		p := &places{room: everywhere}
		a := f.acceptWith(p, one)[0]
		testx.NoError(f, a.Err)
		testx.True(f, !a.Duplicate, name+" is new")
		f.pass(time.Minute)
		again := f.keyed(name, "r", auto)
		again.EventID = one.EventID // as the same request has it: no conflict
		b := f.acceptWith(p, again)[0]
		testx.NoError(f, b.Err, name)
		testx.True(f, b.Duplicate, name+" is known")
		testx.Equal(f, b.Message, a.Message, "the first message, with its body")
		testx.Equal(f, []int{b.Matched, len(b.Leased)}, []int{0, 0}, "nothing new to send")
		testx.Equal(f, p.reserved, map[hook.ID]int{e.ID: 1}, "places held")
		_, err := f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{ID: again.ID}, false)
		testx.Code(f, err, hook.CodeNotFound, "the second one")
		f.settle(a.Leased[0], answerOK)
	})
}

func keyOfAnotherRequest(f *fixture) {
	e := f.newEndpoint()
	f.eachKeyKind(func(auto bool, name string) {
		f.accept(f.keyed(name, "r", auto))
		other := f.keyed(name, "another", auto)
		other.EventID = "unused " + name
		out := f.accept(f.event(), other, f.event())
		testx.NoError(f, out[0].Err)
		testx.Code(f, out[1].Err, hook.CodeIdempotency, name)
		testx.NoError(f, out[2].Err)
		testx.True(f, f.accept(f.keyed(name, "r", auto))[0].Duplicate, "the first request is still known")
		f.send(func(n *hook.NewEvent) { n.EventID = other.EventID }) // its event id was not used up
	})
	testx.Equal(f, len(f.claim(first(e.ID, 100))[0].Leases), 8, "deliveries")
}

func keyTwiceInABatch(f *fixture) {
	e := f.newEndpoint()
	f.eachKeyKind(func(auto bool, name string) {
		out := f.accept(f.keyed(name, "r", auto), f.keyed(name, "r", auto), f.keyed(name, "another", auto))
		testx.True(f, !out[0].Duplicate, name+": the first")
		testx.True(f, out[1].Duplicate, name+": the second")
		testx.Equal(f, out[1].Message, out[0].Message)
		testx.Code(f, out[2].Err, hook.CodeIdempotency, name)
	})
	testx.Equal(f, len(f.claim(first(e.ID, 100))[0].Leases), 2, "deliveries")
}

func keysByEnvironment(f *fixture) {
	env := f.newEnvironment("other")
	app := f.newApp(func(a *hook.Application) { a.Env = env }).ID
	f.eachKeyKind(func(auto bool, name string) {
		f.accept(f.keyed(name, "r", auto))
		there := f.keyed(name, "another", auto)
		there.Env, there.App = env, app
		a := f.accept(there)[0]
		testx.NoError(f, a.Err, name)
		testx.True(f, !a.Duplicate, name+" in another environment")
	})
}

func endedKey(f *fixture) {
	f.eachKeyKind(func(auto bool, name string) {
		one := f.keyed(name, "r", auto)
		f.accept(one)
		f.now = one.Idempotency.ExpiresAt.Add(-time.Microsecond)
		testx.True(f, f.accept(f.keyed(name, "r", auto))[0].Duplicate, name+" just before its end")
		f.now = one.Idempotency.ExpiresAt
		a := f.accept(f.keyed(name, "another", auto))[0]
		testx.NoError(f, a.Err, name)
		testx.True(f, !a.Duplicate, name+" at its end")
		b := f.accept(f.keyed(name, "another", auto))[0]
		testx.True(f, b.Duplicate, name+" counts anew")
		testx.Equal(f, b.Message.ID, a.Message.ID)
	})
}

func refusedEventLeavesNoKey(f *fixture) {
	f.eachKeyKind(func(auto bool, name string) {
		taken := "taken by " + name
		f.send(func(e *hook.NewEvent) { e.EventID = taken })
		refused := f.keyed(name, "r", auto)
		refused.EventID = taken
		testx.Code(f, f.accept(refused)[0].Err, hook.CodeConflict, name)
		testx.Code(f, f.accept(refused)[0].Err, hook.CodeConflict, name+" asked again")
		unknown := f.keyed("u"+name, "r", auto)
		unknown.App = hook.NewID(f.now)
		testx.Code(f, f.accept(unknown)[0].Err, hook.CodeNotFound, name)
		a := f.accept(f.keyed("u"+name, "another", auto))[0]
		testx.NoError(f, a.Err, "a key that only a refused event used")
		testx.True(f, !a.Duplicate, "it is new")
	})
}

func keysSurviveCrash(f *fixture) {
	want := map[string]hook.ID{}
	f.eachKeyKind(func(auto bool, name string) {
		want[name] = f.accept(f.keyed(name, "r", auto))[0].Message.ID
	})
	f.crash()
	f.register()
	f.eachKeyKind(func(auto bool, name string) {
		a := f.accept(f.keyed(name, "r", auto))[0]
		testx.True(f, a.Duplicate, name)
		testx.Equal(f, a.Message.ID, want[name])
		testx.Code(f, f.accept(f.keyed(name, "another", auto))[0].Err, hook.CodeIdempotency, name)
	})
}

// once tries a create that takes a key: the second call gives what the first
// one made, another request is refused, and no key makes another object.
func (f *fixture) once(create func(once *hook.IdempotencyKey) (id hook.ID, repeated bool, err error)) {
	f.Helper()
	f.eachKeyKind(func(auto bool, name string) {
		id, repeated, err := create(f.idempotencyKey(name, "r", auto))
		testx.NoError(f, err, name)
		testx.True(f, !repeated, name+" is new")
		again, repeated, err := create(f.idempotencyKey(name, "r", auto))
		testx.NoError(f, err, name)
		testx.True(f, repeated, name+" is known")
		testx.Equal(f, again, id, "the object of "+name)
		_, _, err = create(f.idempotencyKey(name, "another", auto))
		testx.Code(f, err, hook.CodeIdempotency, name)
		_, repeated, err = create(f.idempotencyKey("new "+name, "r", auto))
		testx.NoError(f, err, "another key")
		testx.True(f, !repeated, "another key is new")
	})
}

func applicationOnce(f *fixture) {
	f.once(func(once *hook.IdempotencyKey) (hook.ID, bool, error) {
		a := f.appValue()
		got, repeated, err := f.store.CreateApplication(f.ctx, &a, once)
		return got.ID, repeated, err
	})
	list := testx.Must(f.store.ListApplications(f.ctx, f.env, hook.Page{Limit: 100}))(f)
	testx.Equal(f, len(list.Items), 1+4, "applications")
}

func eventTypeOnce(f *fixture) {
	n := 0
	f.once(func(once *hook.IdempotencyKey) (hook.ID, bool, error) {
		n++
		t := f.eventTypeValue(fmt.Sprint("type-", n))
		got, repeated, err := f.store.CreateEventType(f.ctx, &t, once)
		return got.ID, repeated, err
	})
	list := testx.Must(f.store.ListEventTypes(f.ctx, f.env, true, hook.Page{Limit: 100, Ascending: true}))(f)
	testx.Equal(f, len(list.Items), 4, "event types")
}

func endpointOnce(f *fixture) {
	f.once(func(once *hook.IdempotencyKey) (hook.ID, bool, error) {
		e := f.endpointValue()
		got, repeated, err := f.store.CreateEndpoint(f.ctx, &e, 0, once)
		return got.ID, repeated, err
	})
	testx.Equal(f, f.accept(f.event())[0].Matched, 4, "endpoints")

	e := f.newEndpoint()
	changes := 0
	f.eachKeyKind(func(auto bool, name string) {
		change := func(request string) (hook.Endpoint, bool, error) {
			key := f.idempotencyKey("change "+name, request, auto)
			return f.store.UpdateEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: e.ID}, key, func(e *hook.Endpoint) error {
				changes++
				e.Description = fmt.Sprint(changes)
				return nil
			})
		}
		was := changes
		changed, repeated, err := change("r")
		testx.NoError(f, err)
		testx.True(f, !repeated, name+" is new")
		again, repeated, err := change("r")
		testx.NoError(f, err)
		testx.True(f, repeated, name+" is known")
		testx.Equal(f, again, changed)
		_, _, err = change("another")
		testx.Code(f, err, hook.CodeIdempotency, name)
		testx.Equal(f, changes, was+1, "calls of change")
	})
}

func taskOnce(f *fixture) {
	e := f.newEndpoint()
	f.once(func(once *hook.IdempotencyKey) (hook.ID, bool, error) {
		t := f.taskValue(e.ID)
		got, repeated, err := f.store.CreateTask(f.ctx, &t, once)
		return got.ID, repeated, err
	})
	testx.Equal(f, len(testx.Must(f.store.RunningTasks(f.ctx, 100))(f)), 4, "tasks")
}

func resendOnce(f *fixture) {
	e := f.newEndpoint()
	f.eachKeyKind(func(auto bool, name string) {
		id, leases := f.sendLeased()
		f.settle(leases[0], answerOK)
		ask := func(request string) error {
			_, err := f.store.Resend(f.ctx, f.env, f.app, hook.Ref{ID: id}, hook.Ref{ID: e.ID}, f.now, f.idempotencyKey(name, request, auto))
			return err
		}
		testx.NoError(f, ask("r"))
		f.settle(f.claimOne(e.ID), answerOK)
		testx.NoError(f, ask("r"), "the same request again")
		testx.Code(f, ask("another"), hook.CodeIdempotency, name)
		testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
		testx.Equal(f, f.numbers(id), []int{1, 2}, "attempts")
	})
}

func refusedCreateLeavesNoKey(f *fixture) {
	f.eachKeyKind(func(auto bool, name string) {
		uid := "taken by " + name
		f.newApp(withUID(uid))
		app := f.appValue(withUID(uid))
		endpoint := f.endpointValue()
		f.newEndpoint()
		typ := f.eventTypeValue(uid)
		f.newEventType(uid)
		off := f.newEndpoint(func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, f.now) })
		id := f.send()
		for what, c := range map[string]struct {
			code hook.Code
			ask  func(*hook.IdempotencyKey) error
		}{
			"application": {hook.CodeConflict, func(k *hook.IdempotencyKey) error {
				_, _, err := f.store.CreateApplication(f.ctx, &app, k)
				return err
			}},
			"event type": {hook.CodeEventTypeTaken, func(k *hook.IdempotencyKey) error {
				_, _, err := f.store.CreateEventType(f.ctx, &typ, k)
				return err
			}},
			"endpoint": {hook.CodeLimitReached, func(k *hook.IdempotencyKey) error {
				_, _, err := f.store.CreateEndpoint(f.ctx, &endpoint, 1, k)
				return err
			}},
			"change": {hook.CodeInvalid, func(k *hook.IdempotencyKey) error {
				_, _, err := f.store.UpdateEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: off.ID}, k, func(*hook.Endpoint) error {
					return hook.Invalid("no", "body")
				})
				return err
			}},
			"resend": {hook.CodeDisabled, func(k *hook.IdempotencyKey) error {
				_, err := f.store.Resend(f.ctx, f.env, f.app, hook.Ref{ID: id}, hook.Ref{ID: off.ID}, f.now, k)
				return err
			}},
		} {
			for range 2 { // the second time as well: the first one left nothing
				testx.Code(f, c.ask(f.idempotencyKey(what+name, "r", auto)), c.code, what+" with a "+name)
			}
			testx.Code(f, c.ask(f.idempotencyKey(what+name, "another", auto)), c.code, what+" with a "+name)
		}
	})
}
