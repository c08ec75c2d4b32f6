package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// manyNodesTests are for stores that several nodes share. A store may go by a
// clock of its own here, so what takes time is looked at again and again.
var manyNodesTests = []test{
	{"claims of two nodes share the work", nodesShareClaims},
	{"the whole road at the same time, on two nodes", func(f *fixture) { road(f, f, f.another("second")) }},
	{"what a dead node had in flight is sent by another", deadNodeIsRescued},
	{"a resend that waited for a dead node's attempt comes first", deadNodeResend},
	{"what a lost node still takes is not lost", lostNodeTakes},
	{"a beat keeps a node alive", beatKeepsAlive},
	{"a node that registers again frees its own deliveries only", registerFreesOwn},
	{"one node leads, and another when it leaves", leaderLeaves},
	{"one node leads, and another when it dies", leaderDies},
	{"nodes that deliver are counted", nodesDelivering},
	{"changes of endpoints reach other nodes", changesReach},
	{"no change is missed among many", changesAmongMany},
	{"signals reach other nodes", signalsReach},
	{"a change made through one node is in force on the other", changesInForceElsewhere},
	{"a key and an event id count once over nodes", keysOverNodes},
	{"a resend through one node meets the attempt of the other", resendElsewhere},
	{"a feed has each entry once while two nodes write", func(f *fixture) { feedOf(f, f, f.another("second")) }},
	{"rollups count each attempt once when two nodes sum up", func(f *fixture) { rollupsOf(f, f, f.another("second")) }},
}

// another is the test as another node sees it, with a store of its own. Its time
// is that of the moment; see at.
func (f *fixture) another(name string) *fixture {
	f.Helper()
	other := *f
	other.store = f.harness.Another(f.T)
	other.node = testx.Must(other.store.RegisterNode(f.ctx, name, nodeLease, f.now))(f)
	return &other
}

// at brings the time of another node up to this one's.
func (f *fixture) at(now time.Time) *fixture {
	f.now = now
	return f
}

// fade lets the lease of the node run out at once.
func (f *fixture) fade() {
	f.Helper()
	f.beat(func(b *hook.Beat) { b.Lease = time.Millisecond })
}

// rescue is what a living node does until so many dead ones were found.
func (f *fixture) rescue(nodes int) (sum hook.Rescued) {
	f.Helper()
	for range patience {
		f.pass(time.Millisecond)
		f.beat()
		r := testx.Must(f.store.Rescue(f.ctx, f.now))(f)
		sum.Nodes += r.Nodes
		sum.Deliveries += r.Deliveries
		sum.Lanes = append(sum.Lanes, r.Lanes...)
		if sum.Nodes >= nodes {
			testx.Equal(f, sum.Nodes, nodes, "nodes that died")
			return sum
		}
	}
	f.Fatal("the lease of the node does not run out")
	return sum
}

func nodesShareClaims(f *fixture) {
	e := f.newEndpoint()
	second := f.another("second")
	nodes := []*fixture{f, second}
	const rounds, each = 20, 24
	var mu sync.Mutex
	times := map[hook.ID]int{}
	for range rounds {
		for range each {
			f.send()
		}
		var left atomic.Int64
		left.Store(each)
		together(4, func(i int) {
			on := nodes[i%2]
			for tries := 0; left.Load() > 0 && tries < patience; tries++ {
				out, err := on.store.Claim(f.ctx, hook.ClaimRequest{Node: on.node, Now: f.now, MaxBytes: 1 << 20, Lanes: []hook.ClaimLane{first(e.ID, 3)}})
				if err != nil {
					f.Errorf("claim: %v", err)
					return
				}
				for _, l := range out[0].Leases {
					mu.Lock()
					times[l.Message.ID]++
					mu.Unlock()
					if l.Node != on.node {
						f.Errorf("a lease is given to %+v, asked for by %+v", l.Node, on.node)
					}
					if got, err := on.store.Settle(f.ctx, []hook.Settlement{f.settlement(l, answerOK)}); err != nil || got[0].Lost {
						f.Errorf("settle: %v, %+v", err, got)
					}
					left.Add(-1)
				}
			}
		})
		testx.Equal(f, left.Load(), int64(0), "deliveries left")
	}
	testx.Equal(f, len(times), rounds*each, "deliveries claimed")
	for id, n := range times {
		testx.Equal(f, n, 1, "times a delivery was claimed")
		testx.Equal(f, f.numbers(id), []int{1})
	}
}

func deadNodeIsRescued(f *fixture) {
	e := f.newEndpoint()
	dying := f.another("dying")
	retried, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	f.pass(time.Hour)
	dying.at(f.now)
	late := dying.claim(retry(e.ID, 1))[0].Leases
	claimed := f.send()
	late = append(late, dying.claim(first(e.ID, 1))[0].Leases...)
	atAccept, leases := dying.sendLeased()
	late = append(late, leases...)
	testx.Equal(f, len(late), 3, "in flight on the dying node")
	mine, myLeases := f.sendLeased()

	dying.fade()
	r := f.rescue(1)
	testx.Equal(f, r.Deliveries, 3, "deliveries that are due again")
	lanes := map[lane]bool{}
	for _, l := range r.Lanes {
		lanes[lane{l.Endpoint, l.Retry}] = true
		testx.Equal(f, l.App, f.app)
		testx.True(f, !l.Due.After(f.now), "a lane has work at once")
	}
	testx.Equal(f, lanes, map[lane]bool{{e.ID, false}: true, {e.ID, true}: true}, "lanes that have work again")
	lost := func() {
		f.Helper()
		for _, l := range late {
			testx.Equal(f, dying.settleAll(dying.settlement(l, answerGone))[0], hook.Settled{Lost: true}, "settled by the dead node")
		}
		dying.release(late...)
	}
	lost()
	f.lost(dying.node, "the dead node")
	again := f.freed(e.ID, retried, claimed, atAccept)
	lost()
	for _, l := range again {
		testx.Equal(f, l.Retry, l.Message.ID == retried, "in the lane it was in")
		f.settle(l, answerOK)
	}
	lost()
	f.settle(myLeases[0], answerOK)
	for id, want := range map[hook.ID][]int{retried: {1, 2}, claimed: {1}, atAccept: {1}, mine: {1}} {
		testx.Equal(f, f.numbers(id), want, "attempts")
		testx.Equal(f, f.delivery(id, e.ID).State, hook.Delivered)
	}
	testx.Equal(f, testx.Must(f.store.Rescue(f.ctx, f.now))(f), hook.Rescued{}, "once more")

	was := dying.node
	dying.at(f.now).node = testx.Must(dying.store.RegisterNode(f.ctx, "dying", nodeLease, f.now))(f)
	testx.True(f, dying.node != was, "it comes back in a new epoch")
	dying.beat()
	f.lost(was, "its earlier life")
	f.send()
	dying.settle(dying.claimOne(e.ID), answerOK)
}

func deadNodeResend(f *fixture) {
	e := f.newEndpoint()
	dying := f.another("dying")
	id, leases := dying.sendLeased()
	f.resend(id, e.ID)
	dying.fade()
	testx.Equal(f, f.rescue(1).Deliveries, 1)
	testx.True(f, dying.settleAll(dying.settlement(leases[0], answerOK))[0].Lost, "the attempt in flight is lost")
	l := f.claimOne(e.ID)
	testx.Equal(f, []any{l.Number, l.Tried.Manual, l.Tried.AutoDue.IsZero()}, []any{1, true, false}, "the resend, with the automatic attempt behind it")
	f.settle(l, answerFail)
	l = f.claimOne(e.ID)
	testx.Equal(f, []any{l.Number, l.Tried.Manual}, []any{2, false}, "the automatic attempt")
	f.settle(l, answerOK)
	testx.Equal(f, f.numbers(id), []int{1, 2})
}

// lostNodeTakes claims and accepts on a node that is dead and does not know it.
// Whether it is given anything is the store's to say; nothing may stay with it.
func lostNodeTakes(f *fixture) {
	e := f.newEndpoint()
	dying := f.another("dying")
	dying.fade()
	f.rescue(1)
	dying.at(f.now)
	want := map[hook.ID]bool{f.send(): true, f.send(): true}
	out, err := dying.store.Claim(f.ctx, hook.ClaimRequest{Node: dying.node, Now: f.now, Lanes: []hook.ClaimLane{first(e.ID, 1)}, MaxBytes: 1 << 20})
	var late []*hook.Lease
	if err == nil {
		late = append(late, out[0].Leases...)
	}
	id := hook.NewID(f.now)
	accepted, err := dying.store.Accept(f.ctx, dying.node, &places{room: everywhere}, f.now,
		[]hook.NewEvent{f.event(func(n *hook.NewEvent) { n.ID = id })})
	if err == nil && accepted[0].Err == nil {
		want[id] = true
		late = append(late, accepted[0].Leased...)
	}
	for tries := 0; len(want) > 0; tries++ {
		testx.True(f, tries < patience, fmt.Sprintf("%d deliveries that a lost node took come free", len(want)))
		f.pass(time.Millisecond)
		f.beat()
		testx.Must(f.store.Rescue(f.ctx, f.now))(f)
		for _, l := range f.claim(first(e.ID, 9))[0].Leases {
			testx.True(f, want[l.Message.ID], "each comes once")
			delete(want, l.Message.ID)
			f.settle(l, answerOK)
		}
	}
	for _, l := range late {
		testx.True(f, dying.settleAll(dying.settlement(l, answerOK))[0].Lost, "what a lost node settles")
		testx.Equal(f, f.numbers(l.Message.ID), []int{1})
	}
}

// beatKeepsAlive registers two nodes for the same time, one after the other.
// When the lease of the second has run out, that of the first would have, too.
func beatKeepsAlive(f *fixture) {
	e := f.newEndpoint()
	const lease = 2 * time.Second
	second, third := f.another("second"), f.another("third")
	second.node = testx.Must(second.store.RegisterNode(f.ctx, "second", lease, f.now))(f)
	second.beat()
	id, leases := second.sendLeased()
	third.node = testx.Must(third.store.RegisterNode(f.ctx, "third", lease, f.now))(f)
	for rescued := 0; rescued == 0; {
		f.pass(time.Millisecond)
		f.beat()
		rescued = testx.Must(f.store.Rescue(f.ctx, f.now))(f).Nodes
		if f.now.After(noon.Add(5 * time.Minute)) {
			f.Fatal("the lease of the third node does not run out")
		}
	}
	f.lost(third.node, "the node that did not beat")
	testx.True(f, f.alive(second.node), "the node that beat is alive")
	second.at(f.now).beat()
	second.settle(leases[0], answerOK)
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
}

func registerFreesOwn(f *fixture) {
	e := f.newEndpoint()
	second := f.another("second")
	theirs, late := second.sendLeased()
	mine, leases := f.sendLeased()
	again := f.another("second")
	testx.True(f, again.node.ID == second.node.ID && again.node.Epoch > second.node.Epoch, "the same node, in a new epoch")
	f.lost(second.node, "its earlier life")
	testx.True(f, second.settleAll(second.settlement(late[0], answerOK))[0].Lost, "a lease of its earlier life is lost")
	again.settle(again.freed(e.ID, theirs)[0], answerOK)
	f.settle(leases[0], answerOK)
	testx.Equal(f, [][]int{f.numbers(mine), f.numbers(theirs)}, [][]int{{1}, {1}})
}

func changesInForceElsewhere(f *fixture) {
	second := f.another("second")
	e := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"never"} })
	matched := func(on *fixture, name string) int {
		f.Helper()
		a := on.accept(on.event(func(n *hook.NewEvent) { n.EventType = name }))[0]
		testx.NoError(f, a.Err)
		return a.Matched
	}
	for i := range 40 {
		changer, other := f, second
		if i%2 == 1 {
			changer, other = second, f
		}
		name := fmt.Sprint("type-", i)
		changer.update(e.ID, func(e *hook.Endpoint) { e.EventTypes = []string{name} })
		testx.Equal(f, matched(other, name), 1, "endpoints that "+name+" reaches after the change")
		testx.Equal(f, matched(other, fmt.Sprint("type-", i-1)), 0, "endpoints that the type before reaches")
	}
	f.update(e.ID, func(e *hook.Endpoint) { e.EventTypes, e.URL = nil, "https://example.com/moved" })
	l := second.claim(first(e.ID, 1))[0].Leases[0]
	testx.Equal(f, l.Endpoint.URL, "https://example.com/moved", "the address in a lease")
	added := f.newEndpoint()
	testx.Equal(f, matched(second, "any"), 2, "endpoints with a new one")
	f.disable(e.ID)
	testx.Equal(f, matched(second, "any"), 1, "endpoints without the disabled one")
	testx.Equal(f, second.claim(first(e.ID, 1))[0].Closed, hook.ReasonEndpointDisabled)
	second.enable(e.ID)
	testx.Equal(f, matched(f, "any"), 2, "endpoints with the enabled one")
	_, leases := f.acceptLeased(added.ID)
	f.settle(leases[0], answerGone)
	testx.Equal(f, matched(second, "any"), 1, "endpoints without the one that its answer disabled")
	f.deleteEndpoint(e.ID)
	testx.Equal(f, matched(second, "any"), 0, "endpoints that are left")
	testx.Equal(f, second.claim(first(e.ID, 1))[0].Closed, hook.ReasonEndpointDeleted)
	_, err := f.store.DeleteApplication(f.ctx, f.env, hook.Ref{ID: f.app}, f.now)
	f.must(err)
	testx.Code(f, second.accept(second.event())[0].Err, hook.CodeNotFound, "of a deleted application")
}

// acceptLeased stores one event for one endpoint alone, leased at once.
func (f *fixture) acceptLeased(endpoint hook.ID) (hook.ID, []*hook.Lease) {
	f.Helper()
	return f.sendLeased(func(n *hook.NewEvent) { n.Only = endpoint })
}

func keysOverNodes(f *fixture) {
	e := f.newEndpoint()
	nodes := []*fixture{f, f.another("second")}
	const rounds = 10
	for round := range rounds {
		var won, fresh, other atomic.Int64
		var mu sync.Mutex
		ids := map[hook.ID]bool{}
		together(6, func(i int) {
			on := nodes[i%2]
			if i < 3 {
				a, ok := on.acceptOne(&places{}, f.event(func(n *hook.NewEvent) { n.EventID = fmt.Sprint(round) }))
				if ok && a.Err == nil {
					won.Add(1)
				} else {
					f.refused(a.Err, hook.CodeConflict)
				}
				return
			}
			a, ok := on.acceptOne(&places{}, f.keyed(fmt.Sprint("key ", round), "r", round%2 == 0))
			if !ok || a.Err != nil {
				other.Add(1)
				f.Errorf("accept with a key: %v", a.Err)
				return
			}
			if !a.Duplicate {
				fresh.Add(1)
			}
			mu.Lock()
			ids[a.Message.ID] = true
			mu.Unlock()
		})
		testx.Equal(f, []int64{won.Load(), fresh.Load(), int64(len(ids)), other.Load()}, []int64{1, 1, 1, 0}, "taken")
	}
	testx.Equal(f, len(f.claim(first(e.ID, 100))[0].Leases), 2*rounds, "deliveries")
}

func resendElsewhere(f *fixture) {
	e := f.newEndpoint()
	second := f.another("second")
	id, leases := second.sendLeased()
	f.resend(id, e.ID)
	f.resend(id, e.ID)
	testx.Equal(f, second.settle(leases[0], answerOK), hook.Settled{Due: f.now, Retry: true}, "one more is due")
	l := f.claimOne(e.ID)
	testx.Equal(f, []any{l.Number, l.Tried.Manual}, []any{2, true})
	f.settle(l, answerFail)
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 2, Step: 1})
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
}
