package storetest

import (
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var nodeTests = []test{
	{"get a new epoch each time they register", nodesGetEpochs},
	{"live as long as they beat in their own epoch", nodesBeat},
	{"that are alone lead, and deliver if they say so", nodesAlone},
	{"are listed, those that came last first", nodesListed},
	{"that leave are alive no more", nodesLeave},
	{"lose nothing when they leave and come back", nodesComeBack},
	{"that are alive are not rescued", nodesAliveNotRescued},
}

// beat is a beat of the test's node that must be taken.
func (f *fixture) beat(change ...func(*hook.Beat)) hook.Pulse {
	f.Helper()
	b := hook.Beat{Node: f.node, Lease: nodeLease, Delivers: true, Now: f.now}
	for _, c := range change {
		c(&b)
	}
	p := testx.Must(f.store.Beat(f.ctx, b))(f)
	testx.True(f, !p.Lost, "the node is alive")
	return p
}

// lost holds that a node's beat is refused, and that nothing of it was taken.
func (f *fixture) lost(n hook.Node, what string) {
	f.Helper()
	p := testx.Must(f.store.Beat(f.ctx, hook.Beat{Node: n, Lease: nodeLease, Delivers: true, Now: f.now}))(f)
	testx.True(f, p.Lost, what+" is lost")
	testx.True(f, !p.Leader, what+" leads nobody")
	testx.True(f, !f.alive(n), what+" is not alive")
}

func (f *fixture) nodes() []hook.NodeInfo {
	f.Helper()
	return testx.Must(f.store.ListNodes(f.ctx, f.now))(f)
}

// alive reports whether a node is listed as alive.
func (f *fixture) alive(n hook.Node) bool {
	f.Helper()
	return slices.ContainsFunc(f.nodes(), func(i hook.NodeInfo) bool { return i.Node == n && i.Alive })
}

func nodesGetEpochs(f *fixture) {
	seen := map[hook.Node]bool{f.node: true}
	for range 5 {
		was := f.node
		f.register()
		testx.True(f, f.node.ID == was.ID && f.node.Epoch > was.Epoch, "the same node, in a new epoch")
		other := testx.Must(f.store.RegisterNode(f.ctx, "other", nodeLease, f.now))(f)
		testx.True(f, other.ID != f.node.ID, "another name is another node")
		testx.True(f, !seen[f.node] && !seen[other], "no node comes twice")
		seen[f.node], seen[other] = true, true
		f.pass(36 * time.Hour)
	}
}

func nodesBeat(f *fixture) {
	f.beat()
	was := f.node
	f.register()
	f.lost(was, "the earlier life of a node")
	f.lost(hook.Node{ID: f.node.ID, Epoch: f.node.Epoch + 1}, "a life to come")
	f.lost(hook.Node{ID: f.node.ID + 1000, Epoch: f.node.Epoch}, "a node that never was")
	f.lost(hook.Node{}, "nobody")
	f.beat()
	testx.True(f, f.alive(f.node), "the node is alive")
	f.crash()
	f.register()
	f.beat()
}

func nodesAlone(f *fixture) {
	for _, delivers := range []bool{true, false, true} {
		p := f.beat(func(b *hook.Beat) { b.Delivers = delivers })
		want := 0
		if delivers {
			want = 1
		}
		testx.Equal(f, []any{p.Leader, p.Delivering}, []any{true, want})
		testx.Equal(f, f.nodes()[0].Delivers, delivers, "as listed")
	}
	e := f.newEndpoint()
	p := f.beat()
	for range 5 {
		p = f.beat(func(b *hook.Beat) {
			b.Seen = p.Seen
			b.Signals = []hook.Signal{{Endpoint: e.ID, App: f.app, Hold: hook.HeldCircuit, Until: f.now.Add(time.Minute)}}
		})
		testx.Equal(f, len(p.Signals), 0, "signals that a node hears of itself")
	}
}

func nodesListed(f *fixture) {
	testx.Equal(f, len(f.nodes()), 1)
	n := f.nodes()[0]
	testx.Equal(f, []any{n.Node, n.Name, n.Delivers, n.Alive}, []any{f.node, "node", false, true})
	testx.True(f, !n.Started.IsZero() && !n.Seen.Before(n.Started), "it was seen since it started")
	f.pass(time.Second)
	f.beat()
	again := f.nodes()[0]
	testx.True(f, again.Started.Equal(n.Started) && again.Seen.After(n.Seen), "a beat is seen")
	f.pass(time.Second)
	other := testx.Must(f.store.RegisterNode(f.ctx, "other", nodeLease, f.now))(f)
	testx.Equal(f, f.nodes()[0].Node, other)
	testx.Equal(f, f.nodes()[0].Name, "other")
	f.pass(time.Second)
	f.register()
	testx.Equal(f, f.nodes()[0].Node, f.node, "the one that registered last")
	listed := map[string]int{}
	for _, n := range f.nodes() {
		listed[n.Name]++
	}
	testx.Equal(f, listed["node"], 1, "lives listed of one node")
}

func nodesLeave(f *fixture) {
	f.beat()
	f.must(f.store.LeaveNode(f.ctx, f.node, f.now))
	f.lost(f.node, "a node that left")
	was := f.node
	f.register()
	f.must(f.store.LeaveNode(f.ctx, was, f.now)) // of an earlier life: it harms nobody
	f.beat()
	f.must(f.store.LeaveNode(f.ctx, f.node, f.now))
	f.must(f.store.LeaveNode(f.ctx, f.node, f.now)) // twice
	f.register()
	p := f.beat()
	testx.Equal(f, []any{p.Leader, p.Delivering}, []any{true, 1})
}

func nodesComeBack(f *fixture) {
	e := f.newEndpoint()
	for _, release := range []bool{true, false} {
		fromAccept, leases := f.sendLeased()
		claimed := f.send()
		leases = append(leases, f.claim(first(e.ID, 1))[0].Leases...)
		testx.Equal(f, len(leases), 2)
		if release {
			f.release(leases...)
		}
		f.must(f.store.LeaveNode(f.ctx, f.node, f.now))
		f.register()
		for _, l := range leases {
			testx.True(f, f.settleAll(f.settlement(l, answerOK))[0].Lost, "a lease from before is lost")
		}
		for _, l := range f.freed(e.ID, fromAccept, claimed) {
			testx.Equal(f, l.Number, 1, "the number of the attempt")
			f.settle(l, answerOK)
		}
		for _, id := range []hook.ID{fromAccept, claimed} {
			testx.Equal(f, f.numbers(id), []int{1})
		}
	}
}

func nodesAliveNotRescued(f *fixture) {
	e := f.newEndpoint()
	id, leases := f.sendLeased()
	f.beat()
	for range 20 {
		testx.Equal(f, testx.Must(f.store.Rescue(f.ctx, f.now))(f), hook.Rescued{})
	}
	f.beat()
	f.settle(leases[0], answerOK)
	f.expect(id, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})
}
