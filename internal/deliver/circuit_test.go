package deliver_test

import (
	"slices"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
)

func TestCircuitOpensAfterTenFailuresOfWhichFiveAreRecent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		times []time.Duration // of failures in a row
		open  bool
	}{
		{"nine at once", slices.Repeat([]time.Duration{0}, 9), false},
		{"ten at once", slices.Repeat([]time.Duration{0}, 10), true},
		{"ten, one every ten seconds", every(10*time.Second, 10), true},
		{"ten, the last five in exactly a minute", every(15*time.Second, 10), true},
		{"ten, the last five in more than a minute", every(15*time.Second+1, 10), false},
		{"a hundred, one an hour", every(time.Hour, 100), false},
		{"nine an hour apart, then four in a second", slices.Concat(every(time.Hour, 9), from(9*time.Hour, 4)), false},
		{"nine an hour apart, then five in a second", slices.Concat(every(time.Hour, 9), from(9*time.Hour, 5)), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c deliver.Circuit
			var opened bool
			for _, at := range tt.times {
				opened = c.Failure(at, false)
			}
			if opened != tt.open {
				t.Errorf("the last failure opened it: %v, want %v", opened, tt.open)
			}
			if _, open := c.Open(); open != tt.open {
				t.Errorf("open is %v, want %v", open, tt.open)
			}
		})
	}
}

func every(d time.Duration, n int) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(i) * d
	}
	return times
}

func from(start time.Duration, n int) []time.Duration {
	return slices.Repeat([]time.Duration{start}, n)
}

func openCircuit(t *testing.T) *deliver.Circuit {
	t.Helper()
	c := &deliver.Circuit{}
	for range 10 {
		c.Failure(0, false)
	}
	if _, open := c.Open(); !open {
		t.Fatal("the circuit did not open")
	}
	return c
}

func TestCircuitProbesAtFiveSecondsDoublingToFiveMinutes(t *testing.T) {
	t.Parallel()
	c := openCircuit(t)
	var at time.Duration
	for _, seconds := range []int{5, 10, 20, 40, 80, 160, 300, 300} {
		want := time.Duration(seconds) * time.Second
		next, _ := c.Open()
		if next != at+want {
			t.Fatalf("the next probe after %v is at %v, want %v later", at, next, want)
		}
		if c.Probe(next - 1) {
			t.Fatal("a probe went too early")
		}
		if !c.Probe(next) {
			t.Fatal("the probe did not go when it was time")
		}
		if c.Probe(next) {
			t.Fatal("two probes went at once")
		}
		at = next
		c.Failure(at, true)
	}
}

func TestCircuitIsClosedByAnySuccess(t *testing.T) {
	t.Parallel()
	c := openCircuit(t)
	if !c.Success() {
		t.Error("Success did not tell that the circuit was open")
	}
	if _, open := c.Open(); open {
		t.Error("the circuit did not close")
	}
	for range 9 {
		c.Failure(time.Hour, false)
	}
	if _, open := c.Open(); open {
		t.Error("failures before the success still count")
	}
}

func TestCircuitIgnoresLateFailuresThatAreNoProbes(t *testing.T) {
	t.Parallel()
	c := openCircuit(t)
	before, _ := c.Open()
	c.Failure(time.Second, false)
	if after, _ := c.Open(); after != before {
		t.Errorf("the next probe moved from %v to %v", before, after)
	}
}

func TestCircuitProbeThatFoundNothingMayGoAgain(t *testing.T) {
	t.Parallel()
	c := openCircuit(t)
	c.Probe(5 * time.Second)
	c.Unprobe()
	if !c.Probe(5 * time.Second) {
		t.Error("the probe may not go again")
	}
	c.Unprobe()
	c.Failure(6*time.Second, true)
	c.Hurry(7 * time.Second)
	if !c.Probe(7 * time.Second) {
		t.Error("Hurry did not let a probe go")
	}
}

func TestCircuitFollowsTheNodeThatProbesFirst(t *testing.T) {
	t.Parallel()
	own := func() *deliver.Circuit { return openCircuit(t) } // at 0, with its probe at 5 s
	probing := func() *deliver.Circuit {
		c := own()
		if !c.Probe(5 * time.Second) {
			t.Fatal("no probe")
		}
		return c
	}
	following := func() *deliver.Circuit {
		c := &deliver.Circuit{}
		c.Hear(0, 20*time.Second)
		return c
	}
	const slack = 2 * time.Second
	tests := []struct {
		name     string
		circuit  *deliver.Circuit
		at, told time.Duration
		opened   bool
		next     time.Duration // 0: closed
	}{
		{"closed", &deliver.Circuit{}, time.Second, 10 * time.Second, true, 10*time.Second + slack},
		{"closed, old news", &deliver.Circuit{}, 10 * time.Second, 10 * time.Second, false, 0},
		{"open, the other probes first", own(), time.Second, 4 * time.Second, false, 4*time.Second + slack},
		{"open, this one probes first", own(), time.Second, 6 * time.Second, false, 5 * time.Second},
		{"probing", probing(), 5 * time.Second, 6 * time.Second, false, 5 * time.Second},
		{"following, sooner", following(), time.Second, 10 * time.Second, false, 10*time.Second + slack},
		{"following, later", following(), time.Second, time.Minute, false, time.Minute + slack},
	}
	for _, tt := range tests {
		opened := tt.circuit.Hear(tt.at, tt.told)
		next, open := tt.circuit.Open()
		if opened != tt.opened || open != (tt.next > 0) || open && next != tt.next {
			t.Errorf("%s: opened %v, open %v with a probe at %v; want %v and %v", tt.name, opened, open, next, tt.opened, tt.next)
		}
	}
}

func TestFollowerWhoseProbeFailsGoesOnWithTheLongWait(t *testing.T) {
	t.Parallel()
	var c deliver.Circuit
	c.Hear(0, 2*time.Minute)
	at := 122 * time.Second
	if c.Probe(at - 1) {
		t.Error("it probes before the other had its chance")
	}
	if !c.Probe(at) {
		t.Fatal("it does not probe although the other did not")
	}
	c.Failure(at, true)
	if next, _ := c.Open(); next != at+4*time.Minute {
		t.Errorf("the next probe is at %v, want twice the two minutes later", next)
	}
	if c.Hear(at, at+5*time.Minute); !c.Probe(at + 4*time.Minute) {
		t.Error("it follows another although its own probe comes first")
	}
	if !c.Success() {
		t.Error("a success does not close it")
	}
}
