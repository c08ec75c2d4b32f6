//go:build fault

// Command skewed is `grapnel serve` on a machine whose clock is wrong by SKEW, a
// duration such as -1h. Its settings come from its flags alone, which it takes as
// `grapnel serve` does, and from the environment.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	skew, err := time.ParseDuration(os.Getenv("SKEW"))
	if err != nil {
		return fmt.Errorf("SKEW: %w", err)
	}
	cfg, err := config.Load(config.Sources{Flags: flags(os.Args[2:]), Env: os.Environ()}) // after the name and "serve"
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	return server.New(server.Options{
		Config: cfg, Log: os.Stderr, Version: "skewed", Now: func() time.Time { return time.Now().Add(skew) },
	}).Run(ctx)
}

// flags reads `--name value` and `--switch`.
func flags(args []string) map[string]string {
	given := map[string]string{}
	for i := 0; i < len(args); i++ {
		name := strings.TrimPrefix(args[i], "--")
		given[name] = "true"
		if i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
			i++
			given[name] = args[i]
		}
	}
	return given
}
