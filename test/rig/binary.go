// Package rig runs the real binary for tests: it builds it, starts it on
// loopback, kills or stops it, and receives what it sends. It knows the product
// as an operator does, by flags, environment, signals and HTTP.
package rig

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const command = "github.com/grapnelhq/grapnel/cmd/grapnel"

// Build compiles the binary into dir, as `make build` does, and gives its path.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "grapnel")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, command)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", command, err, out)
	}
	return path, nil
}

// FreeAddress gives a loopback address on which nothing listens.
func FreeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	address := l.Addr().String()
	return address, l.Close()
}

// pollEvery is the pause between two looks at another process.
const pollEvery = 5 * time.Millisecond

// Until calls check until it gives nil, and gives its last error when the
// context ends first. It is for what only another process knows.
func Until(ctx context.Context, check func() error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("still not so when the time was up: %w", err)
		}
	}
}
