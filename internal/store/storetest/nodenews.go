package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// leads lets nodes beat in turn and gives the one that leads.
func leads(nodes ...*fixture) *fixture {
	var leader *fixture
	for _, n := range nodes {
		n.Helper()
		if n.beat().Leader {
			testx.True(n, leader == nil, "one node leads")
			leader = n
		}
	}
	return leader
}

// leadsAgain gives the leader among nodes that are left without one.
func leadsAgain(nodes ...*fixture) *fixture {
	for range patience {
		for _, n := range nodes {
			n.pass(time.Millisecond)
		}
		if l := leads(nodes...); l != nil {
			return l
		}
	}
	nodes[0].Fatal("no node leads")
	return nil
}

func leaderLeaves(f *fixture) {
	second, third := f.another("second"), f.another("third")
	nodes := []*fixture{f, second, third}
	leader := leadsAgain(nodes...)
	for range 20 {
		testx.True(f, leads(nodes...) == leader, "the same node leads as long as it beats")
	}
	for range 2 {
		f.must(leader.store.LeaveNode(f.ctx, leader.node, leader.now))
		var left []*fixture
		for _, n := range nodes {
			if n != leader {
				left = append(left, n)
			}
		}
		next := leadsAgain(left...)
		testx.True(f, next != leader, "another one leads")
		f.lost(leader.node, "the one that left")
		leader.node = testx.Must(leader.store.RegisterNode(f.ctx, fmt.Sprint("back ", leader.node.ID), nodeLease, leader.now))(f)
		testx.True(f, leads(nodes...) == next, "who comes back does not lead")
		leader = next
	}
}

func leaderDies(f *fixture) {
	second := f.another("second")
	leader, other := leadsAgain(f, second), second
	if leader == second {
		other = f
	}
	leader.fade()
	next := leadsAgain(other)
	testx.True(f, next == other, "the other one leads")
	p := testx.Must(leader.store.Beat(f.ctx, hook.Beat{Node: leader.node, Lease: nodeLease, Now: other.now}))(f)
	testx.True(f, !p.Leader, "the dead one leads no more")
	testx.True(f, other.beat().Leader, "the other one still leads")
}

func nodesDelivering(f *fixture) {
	second, third := f.another("second"), f.another("third")
	delivers := func(yes bool) func(*hook.Beat) { return func(b *hook.Beat) { b.Delivers = yes } }
	f.beat()
	testx.Equal(f, second.beat(delivers(true)).Delivering, 2)
	testx.Equal(f, third.beat(delivers(false)).Delivering, 2)
	testx.Equal(f, third.beat(delivers(true)).Delivering, 3)
	testx.Equal(f, f.beat(delivers(false)).Delivering, 2)
	f.must(second.store.LeaveNode(f.ctx, second.node, f.now))
	testx.Equal(f, f.beat().Delivering, 2)
	third.fade()
	f.rescue(1)
	testx.Equal(f, f.beat().Delivering, 1)
}

// listener is a node that hears of others by its beats. It may be told more than once.
type listener struct {
	*fixture
	seen    int64
	changes map[hook.ID]hook.EndpointChange // the last one of each endpoint
	signals []hook.Signal
}

func (f *fixture) listener() *listener {
	l := &listener{fixture: f, changes: map[hook.ID]hook.EndpointChange{}}
	l.listen()
	return l
}

func (l *listener) listen() {
	l.Helper()
	p := l.beat(func(b *hook.Beat) { b.Seen = l.seen })
	l.seen = p.Seen
	for _, c := range p.Changes {
		// Some may be told again; the revision says which is the last one.
		if c.Revision >= l.changes[c.Endpoint].Revision {
			l.changes[c.Endpoint] = c
		}
	}
	for _, s := range p.Signals {
		if n := len(l.signals); n == 0 || l.signals[n-1] != s {
			l.signals = append(l.signals, s)
		}
	}
}

// hears listens until something was told.
func (l *listener) hears(what string, told func() bool) {
	l.Helper()
	for range patience {
		if told() {
			return
		}
		l.listen()
	}
	l.Fatalf("the node does not hear of %s; it heard %+v, %+v", what, l.changes, l.signals)
}

func changesReach(f *fixture) {
	e, e2 := f.newEndpoint(), f.newEndpoint()
	app := f.newApp().ID
	inApp := f.newEndpoint(func(e *hook.Endpoint) { e.App = app })
	l := f.another("second").listener()
	hears := func(what string, endpoint hook.ID, revision int64, closed hook.Reason) {
		f.Helper()
		l.hears(what, func() bool { c := l.changes[endpoint]; return c.Revision >= revision && c.Closed == closed })
	}
	changed := f.update(e.ID, func(e *hook.Endpoint) { e.EventTypes = []string{"other"} })
	hears("new filters", e.ID, changed.Revision, hook.ReasonNone)
	changed = f.update(e.ID, func(e *hook.Endpoint) { e.URL, e.EventTypes = "https://example.com/moved", nil })
	hears("a new address", e.ID, changed.Revision, hook.ReasonNone)
	testx.Equal(f, l.changes[e.ID].Revision, changed.Revision)
	f.disable(e.ID)
	hears("a disabled endpoint", e.ID, changed.Revision+1, hook.ReasonEndpointDisabled)
	f.enable(e.ID)
	hears("an enabled endpoint", e.ID, changed.Revision+2, hook.ReasonNone)
	_, leases := f.sendLeased()
	f.settle(leases[0], answerGone)
	hears("an endpoint that was disabled by its answer", leases[0].Endpoint.ID, 2, hook.ReasonEndpointDisabled)
	f.deleteEndpoint(e2.ID)
	hears("a deleted endpoint", e2.ID, 2, hook.ReasonEndpointDeleted)
	_, err := f.store.DeleteApplication(f.ctx, f.env, hook.Ref{ID: app}, f.now)
	f.must(err)
	hears("an endpoint that went with its application", inApp.ID, 2, hook.ReasonEndpointDeleted)
}

// changesAmongMany changes endpoints from several callers on two nodes while a
// third one listens: it has to hear of the last revision of each.
func changesAmongMany(f *fixture) {
	var endpoints []hook.ID
	for range 4 {
		endpoints = append(endpoints, f.newEndpoint().ID)
	}
	l := f.another("listener").listener()
	nodes := []*fixture{f, f.another("second")}
	const writers, each = 6, 15
	var running atomic.Int64
	running.Store(writers)
	together(writers+1, func(i int) {
		if i == writers {
			for running.Load() > 0 {
				p, err := l.store.Beat(f.ctx, hook.Beat{Node: l.node, Lease: nodeLease, Seen: l.seen, Now: f.now})
				if err != nil || p.Lost {
					f.Errorf("beat: %v, lost %t", err, p.Lost)
					return
				}
				l.seen = p.Seen
				for _, c := range p.Changes {
					if c.Revision >= l.changes[c.Endpoint].Revision {
						l.changes[c.Endpoint] = c
					}
				}
			}
			return
		}
		defer running.Add(-1)
		for n := range each {
			endpoint := endpoints[(i+n)%len(endpoints)]
			if _, _, err := nodes[i%2].store.UpdateEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: endpoint}, nil, func(e *hook.Endpoint) error {
				e.Description = fmt.Sprint(i, n)
				return nil
			}); err != nil {
				f.Errorf("update: %v", err)
			}
		}
	})
	for _, id := range endpoints {
		want := f.endpoint(id).Revision
		l.hears("the last revision", func() bool { return l.changes[id].Revision == want })
	}
}

func signalsReach(f *fixture) {
	e := f.newEndpoint()
	second, third := f.another("second").listener(), f.another("third").listener()
	mine := f.listener()
	for i, s := range []hook.Signal{
		{Hold: hook.HeldCircuit, Until: f.now.Add(time.Minute)}, {Hold: hook.NotHeld},
		{Hold: hook.HeldRateLimit, Until: f.now.Add(90*time.Minute + 123*time.Microsecond)},
	} {
		s.Endpoint, s.App = e.ID, f.app
		p := f.beat(func(b *hook.Beat) { b.Seen, b.Signals = mine.seen, []hook.Signal{s} })
		mine.seen = p.Seen
		testx.Equal(f, len(p.Signals), 0, "signals that a node hears of itself")
		for _, l := range []*listener{second, third} {
			l.hears("a signal", func() bool { return len(l.signals) > i })
			testx.Equal(f, l.signals[i], s)
		}
	}
	for range 10 {
		mine.listen()
		second.listen()
	}
	testx.Equal(f, []int{len(mine.signals), len(second.signals)}, []int{0, 3}, "signals heard")

	// Of a beat that is lost nothing is taken.
	was := f.node
	f.register()
	p := testx.Must(f.store.Beat(f.ctx, hook.Beat{Node: was, Lease: nodeLease, Now: f.now, Signals: []hook.Signal{
		{Endpoint: e.ID, App: f.app, Hold: hook.HeldCircuit, Until: f.now.Add(time.Hour)}}}))(f)
	testx.True(f, p.Lost, "an earlier life is lost")
	last := hook.Signal{Endpoint: e.ID, App: f.app, Hold: hook.HeldCircuit, Until: f.now.Add(time.Second)}
	f.beat(func(b *hook.Beat) { b.Signals = []hook.Signal{last} })
	second.hears("the next signal", func() bool { return len(second.signals) > 3 })
	testx.Equal(f, second.signals[3:], []hook.Signal{last})
}
