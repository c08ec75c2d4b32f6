package main

import (
	"fmt"
	"strings"
)

// row is a row of docs/performance.md: what rows.sh measures under this label
// and how the figures are judged.
type row struct {
	label, title string
	goal         string               // empty: only reported
	met          func(runs, row) bool // nil without a goal
	ratio        bool                 // deliveries/s are compared with the forwarder's
	against      string               // the row whose forwarder counts if this one has none
	note         func(runs) string
}

// rows in the order of the table.
func rows() []row {
	return []row{
		{label: "c64", title: "closed loop, 64 connections", ratio: true, goal: "ratio ≥ 0.6", met: ratioAtLeast(0.6)},
		{label: "c256", title: "closed loop, 256 connections", ratio: true, goal: "ratio ≥ 0.6", met: ratioAtLeast(0.6)},
		{label: "batch", title: "batches (forwarder: single events)", ratio: true, goal: "ratio ≥ 1.0", met: ratioAtLeast(1),
			note: func(t runs) string { return number(t.ours("batch", acceptedPS)) + " accepted/s" }},
		{label: "sdk", title: "closed loop, 64 connections, with SDK headers", ratio: true, note: sdkNote},
		{label: "idle", title: "open loop, 200 events/s", goal: "p50 ≤ 1.5, p99 ≤ 5 ms",
			met: func(t runs, r row) bool { return t.ours(r.label, e2eP50) <= 1.5 && t.ours(r.label, e2eP99) <= 5 }},
		{label: "fanout", title: "1 event to 100 endpoints", ratio: true, goal: "ratio ≥ 0.7", met: ratioAtLeast(0.7)},
		{label: "spread", title: "one endpoint of many, open loop", note: func(t runs) string {
			return fmt.Sprintf("%s endpoints, made in %.1f s", number(t.ours("spread", apps)), t.ours("spread", setUpS))
		}},
		{label: "hang", title: "the same, some hang (p50 / p99 of the others)", goal: "p99 ≤ 2 × the row above",
			met: func(t runs, r row) bool {
				return t.has("spread") && t.ours(r.label, e2eP99) <= 2*t.ours("spread", e2eP99)
			},
			note: hangNote},
		{label: "retention", title: "closed loop while as much expires", ratio: true, against: "c64", goal: "ratio ≥ 0.45, file flat",
			met: func(t runs, r row) bool {
				return ratioAtLeast(0.45)(t, r) && t.ours(r.label, fileEnd) <= flat*t.ours(r.label, fileStart)
			}, note: func(t runs) string {
				return fmt.Sprintf("file %.0f → %.0f MiB", t.ours("retention", fileStart), t.ours("retention", fileEnd))
			}},
		{label: "backlog", title: "drain of a preloaded backlog", ratio: true, against: "c64", goal: "< 300 MiB",
			met: func(t runs, r row) bool { return t.ours(r.label, memory) < 300 }, note: backlogNote},
		{label: "pg_c64", title: "PostgreSQL: closed loop, 64 connections", ratio: true, goal: "ratio ≥ 0.45", met: ratioAtLeast(0.45), note: splitNote("pg_c64")},
		{label: "pg_c256", title: "PostgreSQL: closed loop, 256 connections", ratio: true, goal: "ratio ≥ 0.45", met: ratioAtLeast(0.45), note: splitNote("pg_c256")},
		{label: "pg_batch", title: "PostgreSQL: batches (forwarder: single events)", ratio: true, goal: "better than single events",
			met: func(t runs, r row) bool {
				batch, ok := t.ratio(r)
				single, known := t.ratio(row{label: "pg_c64", ratio: true})
				return ok && known && batch > single
			}, note: splitNote("pg_batch")},
		{label: "pg_idle", title: "PostgreSQL: open loop, 200 events/s", goal: "p50 ≤ 8 ms",
			met: func(t runs, r row) bool { return t.ours(r.label, e2eP50) <= 8 }, note: splitNote("pg_idle")},
		{label: "pg_two", title: "PostgreSQL: two nodes, closed loop, 64 connections", ratio: true, goal: "as good as one",
			met: func(t runs, r row) bool {
				two, ok := t.ratio(r)
				one, known := t.ratio(row{label: "pg_c64", ratio: true})
				return ok && known && two >= one
			}, note: splitNote("pg_two")},
		{label: "ingest", title: "webhooks received, verified and passed on, open loop", goal: "answer p99 ≤ 100 ms",
			met: func(t runs, r row) bool { return t.ours(r.label, acceptP99) <= 100 }, note: func(t runs) string {
				return fmt.Sprintf("%s answered/s, answer p50 / p99 %.2f / %.2f ms", number(t.ours("ingest", acceptedPS)), t.ours("ingest", acceptP50), t.ours("ingest", acceptP99))
			}},
		{label: "start-first", title: "first start, makes the store", note: startNote("start-first")},
		{label: "start", title: "start and idle memory", goal: "≤ 200 ms, < 40 MiB", note: startNote("start"),
			met: func(t runs, r row) bool { return t.ours(r.label, startMS) <= 200 && t.ours(r.label, memory) < 40 }},
	}
}

// flat is how much a file may still grow while the same amount expires.
const flat = 1.05

func ratioAtLeast(want float64) func(runs, row) bool {
	return func(t runs, r row) bool {
		ratio, ok := t.ratio(r)
		return ok && ratio >= want
	}
}

func sdkNote(t runs) string {
	note := number(t.ours("sdk", acceptedPS)) + " accepted/s"
	if t.has("c64") {
		note += ", without them " + number(t.ours("c64", acceptedPS))
	}
	return note
}

func hangNote(t runs) string {
	return fmt.Sprintf("%s of %s hang; first attempt at them %.1f / %.1f ms",
		number(t.ours("hang", hanging)), number(t.ours("hang", apps)), t.ours("hang", hungP50), t.ours("hang", hungP99))
}

func backlogNote(t runs) string {
	note := fmt.Sprintf("%s deliveries, first after %.0f ms", number(t.ours("backlog", delivered)), t.ours("backlog", firstMS))
	if t.has("preload") {
		note += fmt.Sprintf("; accepted at %s/s", number(t.ours("preload", acceptedPS)))
	}
	return note
}

func startNote(label string) func(runs) string {
	return func(t runs) string { return fmt.Sprintf("answers after %.0f ms", t.ours(label, startMS)) }
}

// What is taken of a result.
type metric func(*result) float64

func deliverPS(r *result) float64  { return r.DeliverPS }
func acceptedPS(r *result) float64 { return r.AcceptedPS }
func acceptP50(r *result) float64  { return r.AcceptP50 }
func acceptP99(r *result) float64  { return r.AcceptP99 }
func delivered(r *result) float64  { return float64(r.Delivered) }
func e2eP50(r *result) float64     { return r.E2EP50 }
func e2eP99(r *result) float64     { return r.E2EP99 }
func hungP50(r *result) float64    { return r.HungP50 }
func hungP99(r *result) float64    { return r.HungP99 }
func apps(r *result) float64       { return float64(r.Apps) }
func hanging(r *result) float64    { return float64(r.Hanging) }
func firstMS(r *result) float64    { return r.FirstMS }
func startMS(r *result) float64    { return r.StartMS }
func setUpS(r *result) float64     { return r.SetUpS }
func fileStart(r *result) float64  { return r.FileStart }
func fileEnd(r *result) float64    { return r.FileEnd }
func cpuPer1k(r *result) float64   { return r.CPUPer1k }

// memory is the peak in MiB, of a start the idle memory.
func memory(r *result) float64 { return max(r.RSS[r.Target], r.IdleRSS) }

// trouble tells what makes a run worth less than its figures.
func trouble(r *result) string {
	var out []string
	for _, t := range []struct {
		n    int64
		what string
	}{
		{r.Lost, "lost"}, {r.Rejected, "rejected"}, {r.Duplicates, "duplicates"},
		{r.Unaccepted, "delivered but not acknowledged"}, {r.Misrouted, "misrouted"}, {r.Unsigned, "unsigned"},
	} {
		if t.n != 0 {
			out = append(out, fmt.Sprintf("%d %s", t.n, t.what))
		}
	}
	if r.FirstError != "" {
		out = append(out, fmt.Sprintf("first error: %q", r.FirstError))
	}
	return strings.Join(out, ", ")
}

// splitNote says how the CPU time of a delivery is split between us and the database.
func splitNote(label string) func(runs) string {
	of := func(process string) func(*result) float64 {
		return func(r *result) float64 { return 1e6 * r.CPU[process] / max(1, float64(r.Delivered)) }
	}
	return func(t runs) string {
		return fmt.Sprintf("CPU µs per event: %.0f ours, %.0f PostgreSQL", t.ours(label, of("grapnel"))+t.ours(label, of("second")), t.ours(label, of("postgres")))
	}
}
