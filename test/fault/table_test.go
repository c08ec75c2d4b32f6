//go:build fault

package fault_test

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

// rows is the table of what the scenarios found.
type rows struct{ lines []string }

var table rows

func (r *rows) add(t *testing.T, scenario string, cells ...string) {
	t.Helper()
	line := "| " + scenario + " | " + strings.Join(cells, " | ") + " |"
	r.lines = append(r.lines, line)
	t.Log(line)
}

// print prints the whole table.
func (r *rows) print(to io.Writer) {
	if len(r.lines) == 0 {
		return
	}
	fmt.Fprintln(to, "| fault | accepted | delivered | lost | twice | recovered within |")
	fmt.Fprintln(to, "| --- | --: | --: | --: | --- | --: |")
	for _, line := range r.lines {
		fmt.Fprintln(to, line)
	}
}

// notRun says that a scenario could not be made on this machine.
func (r *rows) notRun(t *testing.T, scenario, why string) {
	t.Helper()
	r.add(t, scenario, "not run: "+why, "", "", "", "")
}

// tell adds the row of a scenario.
func (r *rows) tell(t *testing.T, scenario string, b rig.Books, recovered time.Duration) {
	t.Helper()
	twice := "0"
	if b.Doubles > 0 {
		var reasons []string
		for _, reason := range slices.Sorted(maps.Keys(b.Reasons)) {
			reasons = append(reasons, fmt.Sprintf("%d %s", b.Reasons[reason], reason))
		}
		if n := len(b.Needless); n > 0 {
			reasons = append(reasons, fmt.Sprintf("%d WITHOUT A REASON", n))
		}
		twice = strings.Join(reasons, ", ")
		if b.Oldest > 0 {
			twice += fmt.Sprintf(" (answered at most %s before)", b.Oldest.Round(10*time.Millisecond))
		}
	}
	r.add(t, scenario, fmt.Sprint(b.Accepted), fmt.Sprint(b.Delivered), fmt.Sprint(b.Lost), twice, recovered.Round(10*time.Millisecond).String())
}
