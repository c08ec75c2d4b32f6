package sim_test

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// checkRollups holds that each attempt was summed up once, whatever died meanwhile.
func (w *world) checkRollups() {
	count := map[hook.ID]hook.Tally{}
	for _, m := range w.stored() {
		for _, a := range w.attemptsOf(m.App, m.ID) {
			t := count[a.Endpoint]
			t.Add(a.Outcome.Class, a.Timings.Total)
			count[a.Endpoint] = t
		}
	}
	for _, g := range w.targets {
		if g.id.IsZero() || g.deleted() {
			continue
		}
		hours, err := w.process.store.ListRollups(w.t.Context(), hook.StatsFilter{
			Env: w.env, App: g.app.id, Endpoint: g.id, Since: w.born.Add(-2 * mostJumps), Until: time.Now().Add(2 * mostJumps),
		})
		if err != nil {
			w.violate("the rollups of %s cannot be read: %v", g, err)
			return
		}
		var sum hook.Tally
		for i := range hours {
			sum.Merge(hours[i].Attempts)
		}
		if want := count[g.id]; sum != want {
			w.violate("the rollups of %s count %v by class, the attempts are %v", g, sum.ByClass, want.ByClass)
		}
	}
}
