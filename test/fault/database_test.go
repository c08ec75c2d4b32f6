//go:build fault

package fault_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

const databaseAway = "answered while the database was away"

// The database is killed and recovers by itself when it is started again. What it
// had confirmed it still has; what the nodes could not record meanwhile they record
// then, or it comes again.
func TestDatabaseKilledUnderLoadLosesNothing(t *testing.T) {
	s := newSite(t, 2, rig.Targets())
	s.open(t)
	var slowest time.Duration
	for round := range scale(6, 2) {
		s.flow(t, 500)
		pending, at := s.Ledger.Pending(), time.Now()
		rig.Check(t, s.db.Kill())
		away := time.Duration(rand.IntN(1500)) * time.Millisecond
		if round%3 == 2 { // long enough that every lease runs out
			away = lease() + time.Second
		}
		wait(t, away)
		rig.Check(t, s.db.Start())
		back := time.Now()
		s.Ledger.Trouble(rig.Trouble{From: at, To: back.Add(s.Ledger.CommitWithin), Reason: databaseAway})
		took := s.recovered(t, pending, back, lease()+recoveryGrace)
		s.flow(t, 1)
		first, _ := s.Ledger.FirstAccepted(back)
		t.Logf("away for %s; then the first message was accepted after %s, and the last of %d outstanding deliveries arrived after %s",
			back.Sub(at).Round(time.Millisecond), first.Sub(back).Round(time.Millisecond), len(pending), took.Round(time.Millisecond))
		if late := first.Sub(back); late > recoveryGrace {
			t.Errorf("the first message was accepted %s after the database was back", late)
		}
		slowest = max(slowest, took)
		if t.Failed() {
			break
		}
	}
	s.finish(t, "PostgreSQL killed and restarted", slowest)
}
