//go:build fault

// Package fault_test takes from running nodes what they stand on: the database, the
// network, time to run, room on the disk, their processes. It does so under load, on
// PostgreSQL, and counts afterwards what was lost, what came twice and why, and how
// long it took until everything was as before.
//
// With -short each scenario is the same one made small: shorter leases, shorter
// faults, fewer rounds.
package fault_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

// The servers that all tests run.
var (
	binary string
	skewed string // with a clock that is wrong by SKEW
)

// TestMain builds the binaries once, and prints the table at the end.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "grapnel-fault-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if binary, err = rig.Build(context.Background(), dir); err != nil {
		panic(err)
	}
	const wrong = "github.com/grapnelhq/grapnel/test/fault/skewed"
	if skewed, err = rig.BuildCommand(context.Background(), dir, wrong, "-tags", "fault"); err != nil {
		panic(err)
	}
	m.Run()
	table.print(os.Stdout)
}

// scale chooses by -short.
func scale[T any](full, short T) T {
	if testing.Short() {
		return short
	}
	return full
}

// The times that nodes live by.
func lease() time.Duration     { return scale(10*time.Second, 4*time.Second) }
func heartbeat() time.Duration { return scale(500*time.Millisecond, 200*time.Millisecond) }

// recoveryGrace is what comes on top of a lease until another node has sent everything
// that was left, with the load that goes on and on a machine that does much else.
const recoveryGrace = 5 * time.Second

// rounds is ROUNDS of the environment.
func rounds(t *testing.T, otherwise int) int {
	t.Helper()
	text := os.Getenv("ROUNDS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	rig.Check(t, err)
	return n
}

// wait lets time pass while something is broken.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}
