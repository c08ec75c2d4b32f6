//go:build fault

package fault_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

// A node that stands still does not know it. When it goes on, its deliveries are
// another's: but for the requests that were under way it sends none of them. Those
// are signed with a time from before.
func TestNodePausedLongerThanItsLeaseSendsNothingThatItLost(t *testing.T) {
	s := newSite(t, 2, rig.Targets())
	s.open(t)
	s.flow(t, 500)
	one := s.nodes[1].now()
	rig.Check(t, one.Signal(syscall.SIGSTOP))
	at := time.Now()
	t.Cleanup(func() { _ = one.Signal(syscall.SIGCONT) }) // else it cannot end
	wait(t, slack)
	pending := s.Ledger.Pending()
	wait(t, 2*lease()-slack)
	rig.Check(t, one.Signal(syscall.SIGCONT))
	woke := time.Now()
	s.Ledger.Trouble(rig.Trouble{Life: one.Life, From: at, To: woke.Add(slack), Reason: "lease lost while paused"})

	took := s.recovered(t, pending, at, lease()+recoveryGrace)
	s.returns(t, s.nodes[1], woke)
	underWay := 0
	for _, sent := range s.Ledger.Sent(one.Life, woke, time.Now()) {
		if !s.deliveredByAnother(sent.Parcel, one.Life, at, woke) {
			continue
		}
		underWay++
		if sent.Signed.After(at) {
			t.Errorf("the node began to send %s after it went on, which another node had delivered", sent.Mark)
		}
	}
	refused, err := one.Metric(t.Context(), "grapnel_attempts_lost_total")
	rig.Check(t, err)
	t.Logf("%d sends were under way when it was stopped and left when it went on; %v attempts were not recorded", underWay, refused)
	if refused == 0 {
		t.Error("no attempt was refused: nothing was under way, so this proves nothing")
	}
	s.finish(t, "one node paused for "+woke.Sub(at).Round(time.Second).String(), took)
}

// deliveredByAnother says whether another life delivered a parcel in a time.
func (s *site) deliveredByAnother(p rig.Parcel, life int, from, to time.Time) bool {
	got, _ := s.Ledger.Receipts(p)
	for _, r := range got {
		if r.Life != life && r.Began.After(from) && r.Began.Before(to) {
			return true
		}
	}
	return false
}
