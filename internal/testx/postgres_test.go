package testx_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestPostgreSQLKeepsWhatWasCommittedOnTheSamePort(t *testing.T) {
	t.Parallel()
	p, err := testx.StartPostgreSQL()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	port := p.Port
	run(t, p, "CREATE TABLE kept (n int)")
	ends := map[string]func() error{
		"killed":    p.Kill,
		"fast":      func() error { p.End(testx.Fast); return nil },
		"immediate": func() error { p.End(testx.Immediate); return nil },
	}
	for name, end := range ends {
		run(t, p, "INSERT INTO kept VALUES (1)")
		if err := end(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p.Running() || p.Ready() {
			t.Fatalf("%s: it still runs", name)
		}
		if err := p.Start(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	got, err := p.Ask(context.Background(), "postgres", "SELECT count(*) FROM kept")
	if err != nil || got != strconv.Itoa(len(ends)) || p.Port != port {
		t.Errorf("after the last start it has %q rows at port %d, %v; want %d at port %d", got, p.Port, err, len(ends), port)
	}
}

func TestPgBouncerLeadsToTheDatabase(t *testing.T) {
	t.Parallel()
	p, err := testx.StartPostgreSQL()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	b, err := testx.StartPgBouncer(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	run(t, p, "CREATE DATABASE behind")
	got, err := b.Ask(t.Context(), "behind", "SELECT current_database()")
	if err != nil || got != "behind" {
		t.Errorf("through the pooler the database is %q, %v", got, err)
	}
}

func run(t *testing.T, p *testx.PostgreSQL, sql string) {
	t.Helper()
	if err := p.Run(t.Context(), "postgres", sql); err != nil {
		t.Fatal(err)
	}
}
