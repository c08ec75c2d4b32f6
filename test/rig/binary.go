// Package rig runs the real binary for tests: it builds it, starts it on
// loopback, puts it under load, kills or stops it, receives what it sends, and
// keeps the books on what went in and what came out. It knows the product as an
// operator does, by flags, environment, signals and HTTP.
package rig

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/grapnelhq/grapnel/internal/testx"
)

const product = "github.com/grapnelhq/grapnel/cmd/grapnel"

// Build compiles the product into dir, as `make build` does, and gives the path of
// the binary.
func Build(ctx context.Context, dir string) (string, error) { return BuildCommand(ctx, dir, product) }

// BuildCommand is Build for another command, with more flags of `go build`.
func BuildCommand(ctx context.Context, dir, command string, flags ...string) (string, error) {
	path := filepath.Join(dir, filepath.Base(command))
	args := append([]string{"build", "-trimpath", "-o", path}, flags...)
	build := exec.CommandContext(ctx, "go", append(args, command)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", command, err, out)
	}
	return path, nil
}

// FreeAddress gives a loopback address on which nothing listens, and on which a
// server that was ended can be started again.
func FreeAddress() (string, error) {
	port, err := testx.FreePort()
	if err != nil {
		return "", err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
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
