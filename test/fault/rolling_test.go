//go:build fault

package fault_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

// A new version comes node by node, and nobody notices: clients follow /readyz.
func TestRollingRestartRefusesLosesAndDoublesNothing(t *testing.T) {
	s := newSite(t, 2, rig.Targets())
	s.open(t)
	var slowest time.Duration
	for range scale(3, 1) {
		for _, n := range s.nodes {
			s.flow(t, 300)
			at := time.Now()
			t.Logf("%s: life %d ends", at.Format("15:04:05.000"), n.now().Life)
			if err := n.now().Stop(t.Context()); err != nil {
				t.Error(err)
			}
			s.start(t, n)
			slowest = max(slowest, time.Since(at))
		}
	}
	s.flow(t, 300)
	b := s.finish(t, "rolling restart of two nodes", slowest)
	if n := s.Ledger.Said(0, http.StatusServiceUnavailable); n > 0 || b.Unknown > 0 {
		t.Errorf("%d requests were refused and %d got no answer, want none: %q", n, b.Unknown, s.Ledger.Unanswered())
	}
	if b.Doubles > 0 {
		t.Errorf("%d deliveries came twice, though every node had time to end", b.Doubles)
	}
}
