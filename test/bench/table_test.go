package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// line finds the table's line that begins with title.
func line(t *testing.T, table, title string) string {
	t.Helper()
	for l := range strings.Lines(table) {
		if strings.HasPrefix(l, "| "+title+" |") {
			return strings.TrimSpace(l)
		}
	}
	t.Fatalf("no line %q in\n%s", title, table)
	return ""
}

func sidesOf(forwarder, ours []float64) *sides {
	s := &sides{}
	for _, v := range forwarder {
		s.forwarder = append(s.forwarder, result{Target: "limit", DeliverPS: v, E2EP50: 0.5, E2EP99: 1})
	}
	for _, v := range ours {
		s.ours = append(s.ours, result{Target: "grapnel", DeliverPS: v, E2EP50: 1, E2EP99: 4, RSS: map[string]float64{"grapnel": 100}})
	}
	return s
}

func TestTheTableShowsMediansAndTheirRatio(t *testing.T) {
	t.Parallel()
	table := runs{"c64": sidesOf([]float64{19000, 21000, 20000}, []float64{9000, 15000, 13000})}.markdown()
	want := "| closed loop, 64 connections | 3 | 20,000 | 13,000 | 0.65 | 0.50 / 1.00 | 1.00 / 4.00 | – | 100 | ratio ≥ 0.6 | yes |  |"
	if got := line(t, table, "closed loop, 64 connections"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if strings.Contains(table, "256") {
		t.Error("a row without runs is in the table")
	}
}

func TestARowWithoutForwarderIsComparedWithAnother(t *testing.T) {
	t.Parallel()
	both := runs{"c64": sidesOf([]float64{20000}, nil), "backlog": sidesOf(nil, []float64{15000})}
	if got := line(t, both.markdown(), "drain of a preloaded backlog"); !strings.Contains(got, "| 20,000 | 15,000 | 0.75 |") {
		t.Error(got)
	}
	alone := runs{"backlog": sidesOf(nil, []float64{15000})}
	if got := line(t, alone.markdown(), "drain of a preloaded backlog"); !strings.Contains(got, "| – | 15,000 | – |") {
		t.Error(got)
	}
}

func TestARowOfOnlyTheForwarderMeetsNothing(t *testing.T) {
	t.Parallel()
	if got := line(t, runs{"c64": sidesOf([]float64{1}, nil)}.markdown(), "closed loop, 64 connections"); !strings.Contains(got, "| 0 | 1 | – | – |") || strings.Contains(got, "yes") {
		t.Error(got)
	}
}

func TestTroubleIsToldUnderTheTable(t *testing.T) {
	t.Parallel()
	s := sidesOf([]float64{20000}, []float64{15000})
	s.ours[0].Lost, s.ours[0].FirstError = 3, "503"
	if got := (runs{"c64": s}).markdown(); !strings.Contains(got, "- c64 of grapnel: 3 lost, first error: \"503\"\n") {
		t.Error(got)
	}
}

// Each goal is met by figures on its edge and missed by figures just over it.
func TestGoalsAreMetUpToTheirEdge(t *testing.T) {
	t.Parallel()
	one := func(label string, r result) runs {
		r.Target = "grapnel"
		forwarder := []result{{Target: "limit", DeliverPS: 100}}
		all := runs{
			"spread": {ours: []result{{Target: "grapnel", E2EP99: 10}}},
			"pg_c64": {forwarder: forwarder, ours: []result{{Target: "grapnel", DeliverPS: 50}}},
		}
		all[label] = &sides{forwarder: forwarder, ours: []result{r}}
		return all
	}
	rss := func(v float64) map[string]float64 { return map[string]float64{"grapnel": v} }
	edges := map[string]struct {
		met    result
		missed []result
	}{
		"c64":       {result{DeliverPS: 60}, []result{{DeliverPS: 59}}},
		"c256":      {result{DeliverPS: 60}, []result{{DeliverPS: 59}}},
		"batch":     {result{DeliverPS: 100}, []result{{DeliverPS: 99}}},
		"idle":      {result{E2EP50: 1.5, E2EP99: 5}, []result{{E2EP50: 1.6, E2EP99: 5}, {E2EP50: 1.5, E2EP99: 5.1}}},
		"fanout":    {result{DeliverPS: 70}, []result{{DeliverPS: 69}}},
		"hang":      {result{E2EP99: 20}, []result{{E2EP99: 21}}},
		"retention": {result{DeliverPS: 45, FileStart: 100, FileEnd: 105}, []result{{DeliverPS: 44, FileStart: 100, FileEnd: 100}, {DeliverPS: 45, FileStart: 100, FileEnd: 106}}},
		"backlog":   {result{RSS: rss(299)}, []result{{RSS: rss(300)}}},
		"pg_c64":    {result{DeliverPS: 45}, []result{{DeliverPS: 44}}},
		"pg_c256":   {result{DeliverPS: 45}, []result{{DeliverPS: 44}}},
		"pg_batch":  {result{DeliverPS: 51}, []result{{DeliverPS: 50}}},
		"pg_two":    {result{DeliverPS: 50}, []result{{DeliverPS: 49}}},
		"ingest":    {result{AcceptP99: 100}, []result{{AcceptP99: 101}}},
		"pg_idle":   {result{E2EP50: 8}, []result{{E2EP50: 8.1}}},
		"start":     {result{StartMS: 200, IdleRSS: 39}, []result{{StartMS: 201, IdleRSS: 39}, {StartMS: 200, IdleRSS: 40}}},
	}
	for _, r := range rows() {
		e, known := edges[r.label]
		if known != (r.met != nil) {
			t.Errorf("row %s: a goal without a case, or a case without a goal", r.label)
			continue
		}
		if r.met == nil {
			continue
		}
		if !r.met(one(r.label, e.met), r) {
			t.Errorf("row %s: %+v should do", r.label, e.met)
		}
		for _, bad := range e.missed {
			if r.met(one(r.label, bad), r) {
				t.Errorf("row %s: %+v should not do", r.label, bad)
			}
		}
	}
}

func TestNumbersHaveCommas(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", 1234567.4: "1,234,567"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
}

// The script and the table must speak of the same rows.
func TestTheScriptMeasuresEveryRow(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("rows.sh")
	if err != nil {
		t.Fatal(err)
	}
	var measured []string
	for _, m := range regexp.MustCompile(`-label ([a-z0-9_]+)|for label in ([a-z -]+);`).FindAllStringSubmatch(string(script), -1) {
		measured = append(measured, strings.Fields(m[1]+m[2])...)
	}
	for _, r := range rows() {
		if !slices.Contains(measured, r.label) {
			t.Errorf("row %s is not in the script, which has %q", r.label, measured)
		}
	}
}
