package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/grapnelhq/grapnel/internal/testx"
)

// cmdPostgres starts a PostgreSQL server of its own with the machine's binaries,
// writes "PID URL" of an empty database to a file, and stops the server when the
// command is ended. Commits are on disk when they are answered (its defaults).
func cmdPostgres(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("postgres", flag.ContinueOnError)
	out := fs.String("out", "", "file to write \"PID URL\" to")
	settings := fs.String("settings", "shared_buffers=512MB max_wal_size=4GB", "settings of the server, name=value")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	server, err := testx.StartPostgreSQL(strings.Fields(*settings)...)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer server.Stop()
	if err := server.Run(ctx, "postgres", "CREATE DATABASE bench"); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	// Written apart and renamed, so that whoever waits for the file reads it whole.
	line := fmt.Sprintf("%d %s\n", server.PID(), server.URL("bench"))
	if err := os.WriteFile(*out+".new", []byte(line), 0o600); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if err := os.Rename(*out+".new", *out); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	<-ctx.Done()
	return nil
}
