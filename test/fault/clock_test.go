//go:build fault

package fault_test

import (
	"slices"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

const (
	skew = time.Hour
	// retryAfter is the schedule's first step, and jitter what may come on top or be
	// missing of it.
	retryAfter = 2 * time.Second
	jitter     = retryAfter / 4
	// lateBy is how much later than planned a delivery may come on a busy machine.
	lateBy = 2 * time.Second
)

// One node's clock is an hour slow, the other's an hour fast. Leases, retries and
// planned times go by the database's clock, and signatures as well: receivers refuse
// them when they are five minutes old.
func TestNodesWithWrongClocksAreNeitherEarlyNorLate(t *testing.T) {
	s := newSite(t, 2, []*rig.Target{
		{Name: "prompt", App: 0, Wants: rig.Everything, Answer: rig.Prompt},
		{Name: "flaky", App: 1, Wants: rig.Everything, Answer: rig.Flaky},
	}, "--retry-schedule", retryAfter.String()+",2s,2s,2s")
	for i, wrong := range []time.Duration{-skew, skew} {
		s.nodes[i].options.Binary = skewed
		s.nodes[i].options.Env = []string{"SKEW=" + wrong.String()}
	}
	s.open(t)
	planned := s.plan(t)
	began := time.Now()
	s.flow(t, scale(3000, 1000))
	wait(t, scale(2*lease(), lease())) // what a lease too short would lose, it loses now
	if n := s.alive(t); n != len(s.nodes) {
		t.Errorf("the database knows %d nodes that are alive, want %d", n, len(s.nodes))
	}

	broke := time.Now()
	s.leasesAtAccept(t)
	var slowest time.Duration
	for _, n := range s.nodes { // each must see that the other's lease has run out, and no sooner
		pending, at := s.Ledger.Pending(), time.Now()
		pending = slices.DeleteFunc(pending, func(p rig.Parcel) bool { return !planned[p].IsZero() })
		s.kill(n)
		slowest = max(slowest, s.recovered(t, pending, at, lease()+recoveryGrace))
		s.start(t, n)
		s.flow(t, 500)
	}
	s.auditPlanned(t, planned)
	b := s.finish(t, "nodes with clocks an hour slow and an hour fast", slowest)
	s.auditRetries(t, began, broke)
	if n := b.Doubles - b.Reasons[rig.Killed]; n > 0 {
		t.Errorf("%d deliveries came twice while nothing was broken but clocks", n)
	}
}

// alive is how many nodes live by the database's own clock.
func (s *site) alive(t *testing.T) int {
	t.Helper()
	return s.count(t, "SELECT count(*) FROM nodes WHERE ended IS NULL AND until > clock_timestamp()")
}

// leasesAtAccept looks whether each node sends some of what it accepts without a
// detour by the queue, as nodes with right clocks do even under too much load.
func (s *site) leasesAtAccept(t *testing.T) {
	t.Helper()
	for i, n := range s.nodes {
		claimed, err := n.now().Metric(t.Context(), "grapnel_claimed_total")
		rig.Check(t, err)
		made, err := n.now().Metric(t.Context(), "grapnel_attempts_total")
		rig.Check(t, err)
		t.Logf("node %d made %.0f attempts, %.0f of them out of the queue", i, made, claimed)
		if claimed > made*9/10 {
			t.Errorf("of %.0f attempts of node %d %.0f went by the queue", made, i, claimed)
		}
	}
}

// auditRetries looks at retries after failures in a time in which nothing broke.
func (s *site) auditRetries(t *testing.T, from, to time.Time) {
	t.Helper()
	retries, early, late := 0, 0, 0
	for _, p := range s.Ledger.Delivered() {
		got, failed := s.Ledger.Receipts(p)
		if len(failed) == 0 || failed[0].At.Before(from) || got[0].Began.After(to) {
			continue
		}
		retries++
		switch waited := got[0].Began.Sub(failed[len(failed)-1].At); {
		case waited < retryAfter-jitter:
			early++
		case waited > retryAfter+jitter+lateBy:
			late++
		}
	}
	t.Logf("%d retries, %d early, %d late", retries, early, late)
	if early > 0 || late > 0 || retries == 0 {
		t.Errorf("of %d retries %d came early and %d late", retries, early, late)
	}
}

// planAhead is the shortest time ahead for which a delivery can be planned.
const planAhead = time.Minute + time.Second

// plan publishes a message through each node that is not to be sent before a time.
// The short form of the test has no time for that.
func (s *site) plan(t *testing.T) map[rig.Parcel]time.Time {
	t.Helper()
	planned := map[rig.Parcel]time.Time{}
	if testing.Short() {
		return planned
	}
	for i, n := range s.nodes {
		item := rig.Item{Mark: []string{"planned by the slow", "planned by the fast"}[i], Kind: rig.Kinds[0]}
		at := time.Now().Add(planAhead)
		body := rig.WireOf(item)
		body.DeliverAt = &at
		if _, o := s.PublishBody(t.Context(), n.now().Door(), item, body); o != rig.Accepted {
			t.Fatalf("a planned message was not accepted:%s", s.logs())
		}
		planned[rig.Parcel{Target: 0, Mark: item.Mark}] = at
	}
	return planned
}

func (s *site) auditPlanned(t *testing.T, planned map[rig.Parcel]time.Time) {
	t.Helper()
	for p, at := range planned {
		s.Ledger.Arrived([]rig.Parcel{p}, planAhead+lateBy)
		got, _ := s.Ledger.Receipts(p)
		if len(got) == 0 {
			t.Errorf("%s did not come", p.Mark)
			continue
		}
		off := got[0].Began.Sub(at)
		t.Logf("%s came %s after its time", p.Mark, off.Round(time.Millisecond))
		if off < 0 || off > lateBy {
			t.Errorf("%s came %s after its time", p.Mark, off)
		}
	}
}
