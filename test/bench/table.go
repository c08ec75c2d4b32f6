package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// runs are the results of many runs, by label and by side.
type runs map[string]*sides

type sides struct{ forwarder, ours []result }

// cmdTable prints the medians of the results in files as a Markdown table.
func cmdTable(args []string) error {
	if len(args) == 0 {
		return errors.New("table needs files of results")
	}
	t := runs{}
	for _, name := range args {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("results: %w", err)
		}
		err = t.read(f)
		_ = f.Close() // only read
		if err != nil {
			return fmt.Errorf("results in %s: %w", name, err)
		}
	}
	_, err := io.WriteString(os.Stdout, t.markdown())
	return err
}

// read takes one result a line.
func (t runs) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var one result
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return fmt.Errorf("result: %w", err)
		}
		s := t[one.Label]
		if s == nil {
			s = &sides{}
			t[one.Label] = s
		}
		if one.Target == "limit" {
			s.forwarder = append(s.forwarder, one)
		} else {
			s.ours = append(s.ours, one)
		}
	}
	return lines.Err()
}

func (t runs) has(label string) bool { return t[label] != nil && len(t[label].ours) > 0 }

// ours is the median of m over our runs of a row, 0 without any.
func (t runs) ours(label string, m metric) float64 {
	if t[label] == nil {
		return 0
	}
	return median(t[label].ours, m)
}

// forwarder returns the forwarder's runs that a row is compared with.
func (t runs) forwarder(r row) []result {
	for _, label := range []string{r.label, r.against} {
		if s := t[label]; s != nil && len(s.forwarder) > 0 {
			return s.forwarder
		}
	}
	return nil
}

// ratio of the deliveries/s, ours to the forwarder's; false if it makes no
// sense for the row or a side is missing.
func (t runs) ratio(r row) (float64, bool) {
	base := median(t.forwarder(r), deliverPS)
	if !r.ratio || base == 0 || !t.has(r.label) {
		return 0, false
	}
	return t.ours(r.label, deliverPS) / base, true
}

func median(rs []result, m metric) float64 {
	if len(rs) == 0 {
		return 0
	}
	var xs []float64
	for i := range rs {
		xs = append(xs, m(&rs[i]))
	}
	slices.Sort(xs)
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}

func (t runs) markdown() string {
	var b strings.Builder
	b.WriteString("| Row | Runs | Forwarder, deliveries/s | Grapnel, deliveries/s | Ratio | Forwarder p50 / p99 ms | Grapnel p50 / p99 ms | CPU-s per 1,000 | Memory, MiB | Goal | Met | Beside it |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows() {
		if t[r.label] != nil {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(t.cells(r), " | "))
		}
	}
	if lines := t.troubles(); len(lines) > 0 {
		b.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	}
	return b.String()
}

const none = "–"

func (t runs) cells(r row) []string {
	forwarder, ours := t.forwarder(r), t[r.label].ours
	ratio, met, note := none, none, ""
	if v, ok := t.ratio(r); ok {
		ratio = strconv.FormatFloat(v, 'f', 2, 64)
	}
	if r.met != nil && len(ours) > 0 {
		met = map[bool]string{true: "yes", false: "**no**"}[r.met(t, r)]
	}
	if r.note != nil && len(ours) > 0 {
		note = r.note(t)
	}
	goal := r.goal
	if goal == "" {
		goal = none
	}
	return []string{r.title, strconv.Itoa(len(ours)), cell(forwarder, deliverPS, number), cell(ours, deliverPS, number), ratio,
		latencyCell(forwarder), latencyCell(ours), cell(ours, cpuPer1k, decimals(3)), cell(ours, memory, decimals(0)), goal, met, note}
}

// cell formats a median; what is zero was not measured.
func cell(rs []result, m metric, format func(float64) string) string {
	if v := median(rs, m); v != 0 {
		return format(v)
	}
	return none
}

func latencyCell(rs []result) string {
	if median(rs, e2eP99) == 0 || rs[0].Mode == "drain" { // a backlog's age is no latency
		return none
	}
	return fmt.Sprintf("%.2f / %.2f", median(rs, e2eP50), median(rs, e2eP99))
}

func decimals(n int) func(float64) string {
	return func(v float64) string { return strconv.FormatFloat(v, 'f', n, 64) }
}

// number writes a whole number with commas between the thousands.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// troubles has a line for each run that lost, doubled or refused something:
// its figures must not stand alone.
func (t runs) troubles() []string {
	var out []string
	for _, label := range slices.Sorted(maps.Keys(t)) {
		for _, r := range slices.Concat(t[label].forwarder, t[label].ours) {
			if what := trouble(&r); what != "" {
				out = append(out, fmt.Sprintf("- %s of %s: %s", label, r.Target, what))
			}
		}
	}
	return out
}
