package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// oneNodeTests are for stores that only one process can have open: whoever
// registers is the only one who lives.
var oneNodeTests = []test{
	{"a node that registers takes the place of every other", oneNodeReplaces},
	{"the only node is alive however late it beats", oneNodeIsLate},
	{"nodes that ended are forgotten after a day", oneNodeForgets},
}

func oneNodeReplaces(f *fixture) {
	e := f.newEndpoint()
	was := f.node
	fromAccept, leases := f.sendLeased()
	claimed := f.send()
	leases = append(leases, f.claim(first(e.ID, 1))[0].Leases...)
	f.node = testx.Must(f.store.RegisterNode(f.ctx, "another", nodeLease, f.now))(f)
	f.lost(was, "the node before")
	for _, l := range leases {
		testx.True(f, f.settleAll(f.settlement(l, answerOK))[0].Lost, "a lease of the node before is lost")
	}
	for _, l := range f.freed(e.ID, fromAccept, claimed) {
		f.settle(l, answerOK)
	}
	p := f.beat()
	testx.Equal(f, []any{p.Leader, p.Delivering, p.Clock}, []any{true, 1, time.Time{}})
}

func oneNodeIsLate(f *fixture) {
	f.newEndpoint()
	id, leases := f.sendLeased()
	f.pass(100 * day)
	testx.True(f, !f.alive(f.node), "its lease has run out")
	testx.Equal(f, testx.Must(f.store.Rescue(f.ctx, f.now))(f), hook.Rescued{}, "there is nobody to take over")
	f.beat()
	testx.True(f, f.alive(f.node), "the node is alive")
	f.settle(leases[0], answerOK)
	testx.Equal(f, f.numbers(id), []int{1})
}

func oneNodeForgets(f *fixture) {
	was := f.node
	for i := range 30 {
		f.pass(time.Hour)
		n := testx.Must(f.store.RegisterNode(f.ctx, string(rune('a'+i)), nodeLease, f.now))(f)
		testx.True(f, n.ID != was.ID, "an id names one node")
		was = n
	}
	testx.Equal(f, len(f.nodes()), 24, "nodes of the last day")
	f.pass(3 * day)
	testx.Equal(f, len(f.nodes()), 0, "nodes that beat within the last day")
	f.register()
	testx.Equal(f, len(f.nodes()), 1)
	testx.True(f, f.node.ID > was.ID, "an id is not given out again")
	f.lost(hook.Node{ID: was.ID, Epoch: was.Epoch}, "a node that is forgotten")
}
