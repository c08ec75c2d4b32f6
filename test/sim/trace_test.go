package sim_test

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// lastLines is how much of the trace a failure prints.
const lastLines = 60

// note adds a line to the trace.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noteLocked(format, args...)
}

func (w *world) noteLocked(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf("%9.3fs  ", time.Since(w.born).Seconds())+fmt.Sprintf(format, args...))
	if !*verbose && len(w.lines) > 4*lastLines {
		w.lines = append(w.lines[:0:0], w.lines[len(w.lines)-lastLines:]...)
	}
}

// violate notes that something does not hold. The run ends with the step.
func (w *world) violate(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violateLocked(format, args...)
}

func (w *world) violateLocked(format string, args ...any) {
	w.failed = true
	if len(w.faults) < 10 {
		w.faults = append(w.faults, fmt.Sprintf(format, args...))
		w.noteLocked("VIOLATION: "+format, args...)
	}
}

func (w *world) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// report fails the test with what was found, the last steps, and how to run it again.
func (w *world) report() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if *verbose {
		w.t.Log("\n" + strings.Join(w.lines, "\n"))
	}
	if !w.failed {
		return
	}
	lines := w.lines[max(0, len(w.lines)-lastLines):]
	w.t.Errorf("%s\n\nthe last steps:\n%s\n\n%s", strings.Join(w.faults, "\n"), strings.Join(lines, "\n"), again(w.seed))
}

// again tells how to run a seed again.
func again(seed uint64) string {
	return fmt.Sprintf("to run it again: go test ./test/sim -run TestSimulation -sim.seed=%d", seed)
}

// serverLog is where the server's log goes: into the trace, if all of it is wanted.
func (w *world) serverLog(p *process) io.Writer {
	if !*verbose {
		return io.Discard
	}
	return logWriter{w, p}
}

type logWriter struct {
	w *world
	p *process
}

func (l logWriter) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		l.w.note("    [%d] %s", l.p.number, strings.TrimSpace(line))
	}
	return len(b), nil
}
