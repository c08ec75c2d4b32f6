//go:build fault

package fault_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

// Two nodes die at any moment of their lives, alone or together, while they start,
// and while one still does what the other left.
func TestNodesKilledAtAnyMomentLoseNothing(t *testing.T) {
	killed := rounds(t, scale(50, 5))
	short := 4 * time.Second // a lease that runs out between kills
	s := newSite(t, 2, rig.Targets(), "--node-lease", short.String(), "--heartbeat", "200ms")
	s.open(t)
	var slowest time.Duration
	for round := range killed {
		wait(t, time.Duration(50+rand.IntN(1200))*time.Millisecond)
		victims := s.nodes[round%2 : round%2+1]
		if rand.IntN(4) == 0 {
			victims = s.nodes
		}
		pending, at := s.Ledger.Pending(), time.Now()
		for _, n := range victims {
			s.kill(n)
		}
		for _, n := range victims {
			n.server.Store(s.Launch(t, n.options))
			t.Logf("%s: life %d", at.Format("15:04:05.000"), n.now().Life)
		}
		if round%5 == 4 { // everything that this one left, before the next
			slowest = max(slowest, s.recovered(t, pending, at, short+recoveryGrace))
		}
		if t.Failed() {
			break
		}
	}
	for _, n := range s.nodes {
		rig.Check(t, n.now().AwaitReady(t.Context()))
	}
	s.finish(t, fmt.Sprintf("two nodes, %d times one or both killed", killed), slowest)
}
