package sqlite_test

import (
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// small are the tables that a plan may read from end to end: results of an inner
// selection that is bounded itself, and lists that are a parameter.
var small = []string{"SCAN page", "SCAN json_each ", "SCAN wanted ", "SCAN (subquery", "SCAN e VIRTUAL"}

// flaws gives the lines of a plan that read a whole table or sort one.
func flaws(plan []string) (bad []string) {
	for _, line := range plan {
		scan := strings.HasPrefix(line, "SCAN ")
		for _, s := range small {
			scan = scan && !strings.HasPrefix(line+" ", s)
		}
		if scan || strings.Contains(line, "USE TEMP B-TREE") || strings.Contains(line, "AUTOMATIC") {
			bad = append(bad, line)
		}
	}
	return bad
}

func TestEveryListIsServedByAnIndexInItsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	for _, text := range append(append([]string(nil), sqlite.ListQueries...), sqlite.OtherQueries...) {
		plan, err := w.Plan(w.Context(), text)
		w.must(err)
		if bad := flaws(plan); len(bad) > 0 {
			t.Errorf("%s\n  plan:\n  %s", text, strings.Join(plan, "\n  "))
		}
	}
	if len(sqlite.ListQueries) < 20 {
		t.Errorf("only %d texts are registered", len(sqlite.ListQueries))
	}
}

func TestDump(t *testing.T) {
	w := newWorld(t, sqlite.Options{})
	ep := w.endpoint()
	now := start.Add(time.Hour * 24 * 200)
	e := w.event(start, "x")
	e.EventID = "x"
	acc := w.accept(room{}, e)
	w.answer(acc[0].Leased[0], 500, start, nil)
	_, _ = w.Expire(w.Context(), hook.Retention{Messages: time.Hour * 24 * 365, Payloads: time.Hour, Attempts: time.Hour}, now)
	_, _ = w.Expire(w.Context(), hook.Retention{Messages: time.Hour, Payloads: time.Hour, Attempts: time.Hour}, now)
	_, _ = w.CountAttempts(w.Context(), w.env, w.app, ep.ID, start, now)
	_, _ = w.QueueStats(w.Context(), now)
	_, _ = w.Lanes(w.Context(), hook.ID{}, 5)
	texts, _ := w.Statements(w.Context())
	for _, text := range texts {
		plan, err := w.Plan(w.Context(), text)
		if err != nil {
			t.Logf("%s: %v", text, err)
		}
		if bad := flaws(plan); len(bad) > 0 {
			t.Logf("%s\n  plan:\n  %s", text, strings.Join(plan, "\n  "))
		}
	}
}
