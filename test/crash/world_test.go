//go:build crash

// Package crash_test ends the real binary in every way a machine can, under
// load, and counts afterwards what was lost, doubled or left behind.
package crash_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/grapnelhq/grapnel/test/rig"
)

// binary is the path of the server that all tests run.
var binary string

// TestMain builds the binary once.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "grapnel-crash-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if binary, err = rig.Build(context.Background(), dir); err != nil {
		panic(err)
	}
	m.Run()
}

// world is one database file and the servers that run on it one after the other,
// all at the same address.
type world struct {
	*rig.World
	file string // the database as the test sees it
}

// newWorld makes an empty world; no server runs yet.
func newWorld(t *testing.T, all []*rig.Target, flags ...string) *world {
	t.Helper()
	address, err := rig.FreeAddress()
	rig.Check(t, err)
	w := &world{file: filepath.Join(t.TempDir(), "crash.db")}
	w.World = rig.NewWorld(t, rig.Options{
		Binary: binary, DB: w.file, Listen: address,
		Flags: append([]string{"--log-level", "warn", "--retry-schedule", "100ms,200ms,200ms,200ms,200ms,200ms"}, flags...),
	}, all)
	return w
}

// start runs a server and stops it with the test.
func (w *world) start(t *testing.T) *rig.Server {
	t.Helper()
	return w.Start(t, w.Options)
}
