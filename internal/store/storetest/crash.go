package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var crashTests = []test{
	{"loses nothing that was answered", crashKeepsEverything},
	{"frees what was in flight", crashFreesLeases},
	{"frees it whatever is written before the node registers", crashThenWriteFirst},
	{"frees one delivery of a message whose others have ended", crashOneOfMany},
	{"frees it after other deliveries were released and sent again", crashAfterRelease},
	{"can happen again and again", crashRepeated},
	{"leaves what had ended as it was", crashLeavesEnded},
}

func crashKeepsEverything(f *fixture) {
	e := f.newEndpoint(endpointUID("e"))
	f.newEventType("invoice.paid", func(t *hook.EventType) { t.Schemas = []byte(`{"1":{}}`) })
	k := f.newKey("k")
	full := f.event(func(n *hook.NewEvent) { n.EventID = "x" })
	a := f.acceptWith(&places{room: everywhere}, full)[0]
	f.settle(a.Leased[0], answerFail)
	task := f.newTask(e.ID)
	want := f.delivery(full.ID, e.ID)
	attempts := f.attempts(full.ID)
	before := f.endpoint(e.ID)
	f.crash()
	f.must(f.store.Ping(f.ctx))
	testx.Equal(f, f.message(full.ID), full.Message)
	testx.Equal(f, f.delivery(full.ID, e.ID), want)
	testx.Equal(f, f.attempts(full.ID), attempts)
	testx.Equal(f, f.endpoint(e.ID), before)
	testx.Equal(f, f.key("k"), k)
	testx.Equal(f, testx.Must(f.store.FindTask(f.ctx, f.env, task.ID))(f), task)
	testx.Equal(f, len(testx.Must(f.store.ListEnvironments(f.ctx))(f)), 1)
	testx.Code(f, f.accept(f.event(func(n *hook.NewEvent) { n.EventID = "x" }))[0].Err, hook.CodeConflict)
	testx.Equal(f, f.lanes(), map[lane]time.Time{{e.ID, true}: want.Due})
	was := f.node
	f.register()
	testx.True(f, f.node != was, "the node has a new epoch")
}

// freed claims what must be due after a crash: these messages, each once, with
// no attempt counted.
func (f *fixture) freed(endpoint hook.ID, messages ...hook.ID) []*hook.Lease {
	f.Helper()
	var leases []*hook.Lease
	for _, c := range f.claim(first(endpoint, 100), retry(endpoint, 100)) {
		leases = append(leases, c.Leases...)
	}
	testx.Equal(f, set(idsOf(leases, func(l *hook.Lease) hook.ID { return l.Message.ID })), set(messages), "messages that are due")
	return leases
}

func crashFreesLeases(f *fixture) {
	e := f.newEndpoint()
	fromAccept, atAccept := f.sendLeased()
	claimed := f.send()
	atClaim := f.claim(first(e.ID, 1))[0].Leases
	retried, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	f.pass(time.Hour)
	atRetry := f.claim(retry(e.ID, 1))[0].Leases
	waiting := f.send()
	f.pass(time.Minute)
	f.crash()
	f.register()
	for _, id := range []hook.ID{fromAccept, claimed, waiting} {
		d := f.delivery(id, e.ID)
		testx.Equal(f, []any{d.State, d.Attempts, d.Step, d.Manual}, []any{hook.Pending, 0, 0, false})
		testx.True(f, !d.Due.After(f.now) && !d.Due.IsZero(), "it is due at once")
	}
	d := f.delivery(retried, e.ID)
	testx.Equal(f, []any{d.State, d.Attempts, d.Step}, []any{hook.Pending, 1, 1})
	for _, l := range append(append(atAccept, atClaim...), atRetry...) {
		testx.True(f, f.settleAll(f.settlement(l, answerOK))[0].Lost, "a lease from before the crash is lost")
	}
	for _, l := range f.freed(e.ID, fromAccept, claimed, retried, waiting) {
		testx.Equal(f, l.Retry, l.Message.ID == retried, "in the lane it was in")
		f.settle(l, answerOK)
	}
	testx.Equal(f, f.numbers(retried), []int{1, 2}, "attempts")
}

// crashThenWriteFirst writes before it registers, as a server does that makes
// its first key or tidies up at start.
func crashThenWriteFirst(f *fixture) {
	e := f.newEndpoint()
	id, _ := f.sendLeased()
	f.crash()
	f.newKey("made at start")
	f.register()
	f.settle(f.freed(e.ID, id)[0], answerOK)

	id, _ = f.sendLeased()
	f.crash()
	fresh := f.send()
	_, err := f.store.Expire(f.ctx, hook.Retention{}, f.now)
	f.must(err)
	f.register()
	f.freed(e.ID, id, fresh)

	f.crash()
	f.crash() // before it came to register
	f.register()
	f.freed(e.ID, id, fresh)
}

func crashOneOfMany(f *fixture) {
	var endpoints []hook.ID
	for range 3 {
		endpoints = append(endpoints, f.newEndpoint().ID)
	}
	// The first is leased at accept, the second claimed and settled, the third
	// claimed and released again and again.
	a := f.acceptWith(&places{room: func(e *hook.Endpoint, _ int) bool { return e.ID == endpoints[0] }}, f.event())[0]
	testx.Equal(f, len(a.Leased), 1)
	f.settle(f.claimOne(endpoints[1]), answerOK)
	for range 3 {
		f.release(f.claimOne(endpoints[2]))
	}
	f.sendLeased() // younger work
	f.crash()
	f.register()
	c := f.claim(first(endpoints[0], 9))[0]
	testx.Equal(f, len(f.leasesOf(a.Message.ID, []hook.ClaimedLane{c})), 1, "leases of the delivery that was in flight")
}

func crashAfterRelease(f *fixture) {
	e := f.newEndpoint()
	first1, leases1 := f.sendLeased()
	second, leases2 := f.sendLeased()
	f.release(leases2...)
	f.settle(f.claimOne(e.ID), answerOK)
	third, _ := f.sendLeased()
	f.crash()
	f.register()
	testx.True(f, f.settleAll(f.settlement(leases1[0], answerOK))[0].Lost, "a lease from before the crash is lost")
	f.freed(e.ID, first1, third)
	f.expect(second, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
}

func crashRepeated(f *fixture) {
	e := f.newEndpoint()
	open := map[hook.ID]bool{}
	for round := range 6 {
		for i := range 4 {
			id, leases := f.sendLeased()
			open[id] = true
			if i == round%4 { // settled out of order, among others that stay open
				f.settle(leases[0], answerOK)
				delete(open, id)
			}
		}
		f.crash()
		f.register()
		var want []hook.ID
		for id := range open {
			want = append(want, id)
		}
		leases := f.freed(e.ID, want...)
		for i, l := range leases {
			if i%2 == 0 {
				f.settle(l, answerOK)
				delete(open, l.Message.ID)
			}
		}
	}
}

func crashLeavesEnded(f *fixture) {
	e := f.newEndpoint()
	want := map[hook.ID]state{}
	for _, c := range ended {
		want[c.end(f, e.ID)] = c.want
	}
	f.crash()
	f.register()
	for id, s := range want {
		f.expect(id, e.ID, s)
	}
	f.freed(e.ID)
}
