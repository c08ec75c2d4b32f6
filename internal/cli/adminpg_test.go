package cli_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/cli"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// shared is a site on PostgreSQL, with as many nodes as are started.
type shared struct {
	*site
	pg    *testx.PostgreSQL
	nodes []*server.Server
}

// Master keys of these tests.
const firstMaster, secondMaster = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

func newShared(t *testing.T) *shared {
	t.Helper()
	pg, err := testx.StartPostgreSQL()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Stop)
	s := &shared{site: newSite(t, "GRAPNEL_MASTER_KEY="+firstMaster), pg: pg}
	t.Cleanup(func() { s.stopAll() })
	return s
}

// database makes one that is empty, and gives its address.
func (s *shared) database(name string) string {
	s.Helper()
	if err := s.pg.Run(s.Context(), "postgres", "CREATE DATABASE "+name); err != nil {
		s.Fatal(err)
	}
	return s.pg.URL(name)
}

// startNode starts one more node on a database. The next steps go to it.
func (s *shared) startNode(address string) {
	s.Helper()
	cfg, err := config.Load(config.Sources{
		Flags: map[string]string{
			"listen": "127.0.0.1:0", "db": address, "db-connections": "4", "log-level": "error", "drain-delay": "0s",
			"allow-net": "127.0.0.0/8", "allow-http": "true", "retry-schedule": "1h", "drain-timeout": "5s",
		},
		Env: append([]string{"GRAPNEL_API_KEY=" + testKey}, s.env...),
	})
	if err != nil {
		s.Fatal(err)
	}
	n := server.New(server.Options{Config: cfg, Version: "test"})
	if err := n.Start(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.nodes = append(s.nodes, n)
	if s.client, err = client.New(n.URL(), testKey); err != nil {
		s.Fatal(err)
	}
}

func (s *shared) stopAll() {
	s.Helper()
	for _, n := range s.nodes {
		if err := n.Stop(context.Background()); err != nil {
			s.Error(err)
		}
	}
	s.nodes = nil
}

func TestAdminKeepsADatabaseOfPostgreSQL(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	for name, test := range map[string]func(*shared){
		"backup and restore": (*shared).backsUp, "gc": (*shared).collects, "rotate": (*shared).rotates, "copy": (*shared).copies,
		"migrate": (*shared).migrates,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := &shared{site: newSite(t, s.env...), pg: s.pg}
			t.Cleanup(func() { one.stopAll() })
			test(one)
		})
	}
}

func (s *shared) backsUp() {
	live := s.database("live")
	s.startNode(live)
	s.startNode(live)
	secret := s.fill(3)
	file := filepath.Join(s.TempDir(), "b.gz")
	out, errs := s.expect(cli.ExitOK, "backup", file, "--db", live)
	tells(s.T, out, "\nmessage            3        ", "\nattempt            3        ")
	tells(s.T, errs, "Wrote "+file, "encrypted with master key")
	before := s.messages()
	s.proves(secret) // the nodes went on
	restored := s.database("restored")
	_, errs = s.expect(cli.ExitConflict, "restore", file, "--db", live)
	tells(s.T, errs, "open", "Stop the server")
	_, errs = s.expect(cli.ExitOK, "restore", file, "--db", restored)
	tells(s.T, errs, "from postgres", " holds all of it: ")
	s.stopAll()
	_, errs = s.expect(cli.ExitConflict, "restore", file, "--db", live)
	tells(s.T, errs, "holds something already")

	s.startNode(restored)
	if after := s.messages(); !slices.Equal(after, before) {
		s.Errorf("messages %q, want %q", after, before)
	}
	s.proves(secret)
	// A backup goes to any kind of database.
	s.expect(cli.ExitOK, "restore", file, "--db", "sqlite:"+s.db)
	s.start()
	if after := s.messages(); !slices.Equal(after, before) {
		s.Errorf("messages %q on SQLite, want %q", after, before)
	}
	s.proves(secret)
}

func (s *shared) collects() {
	live := s.database("collected")
	s.startNode(live)
	secret := s.fill(3)
	if err := s.pg.Run(s.Context(), "collected", `UPDATE messages SET created = created - 2 * 86400000000`); err != nil {
		s.Fatal(err)
	}
	out, _ := s.expect(cli.ExitOK, "gc", "--db", live, "--retention", "1s", "--allow-short-retention", "--yes")
	tells(s.T, out, "\nmessage          3\n", "\nattempt          3\n")
	if left := s.messages(); len(left) != 0 {
		s.Errorf("%d messages are left", len(left))
	}
	s.proves(secret)
}

func (s *shared) rotates() {
	live := s.database("rotated")
	s.startNode(live)
	secret := s.fill(1)
	_, errs := s.expect(cli.ExitUsage, "rotate-master-key", "--db", live)
	tells(s.T, errs, "there is only one master key")
	for _, keys := range []string{firstMaster + " " + secondMaster, secondMaster + "," + firstMaster} {
		s.stopAll()
		s.env = []string{"GRAPNEL_MASTER_KEY=" + keys}
		s.startNode(live)
		s.startNode(live)
		s.proves(secret)
	}
	_, errs = s.expect(cli.ExitOK, "rotate-master-key", "--db", live)
	tells(s.T, errs, "2 secrets changed", "Take the old key out of the settings")
	if strings.Contains(errs, firstMaster) || strings.Contains(errs, secondMaster) {
		s.Error("a key is shown")
	}
	s.proves(secret) // the nodes went on
	s.stopAll()
	s.env = []string{"GRAPNEL_MASTER_KEY=" + secondMaster}
	s.startNode(live)
	s.proves(secret)
}

func (s *shared) copies() {
	live := s.database("original")
	s.startNode(live)
	secret := s.fill(2)
	before := s.messages()
	_, errs := s.expect(cli.ExitConflict, "copy", "--from", live, "--to", "sqlite:"+s.db)
	tells(s.T, errs, "Another process has postgres://", "Stop the server")
	s.stopAll()
	out, errs := s.expect(cli.ExitOK, "copy", "--from", live, "--to", "sqlite:"+s.db)
	tells(s.T, out, "\nmessage            2       2       ", "✓")
	tells(s.T, errs, "Copied and compared ")
	back := s.database("back")
	s.expect(cli.ExitOK, "copy", "--from", "sqlite:"+s.db, "--to", back)
	_, errs = s.expect(cli.ExitConflict, "copy", "--from", "sqlite:"+s.db, "--to", back)
	tells(s.T, errs, "holds something already")
	_, errs = s.expect(cli.ExitNotFound, "copy", "--from", "sqlite:"+s.db, "--to", s.pg.URL("absent"))
	tells(s.T, errs, "There is no postgres://", "CREATE DATABASE")
	s.startNode(back)
	if after := s.messages(); !slices.Equal(after, before) {
		s.Errorf("messages %q, want %q", after, before)
	}
	s.proves(secret)
}

func (s *shared) migrates() {
	fresh := s.database("fresh")
	_, errs := s.expect(cli.ExitNo, "migrate", "--check", "--db", fresh)
	tells(s.T, errs, "needs a migration", "Its schema has version 0")
	_, errs = s.expect(cli.ExitConflict, "backup", filepath.Join(s.TempDir(), "b.gz"), "--db", fresh)
	tells(s.T, errs, "the schema of the database has version 0", "grapnel admin migrate")
	_, errs = s.expect(cli.ExitOK, "migrate", "--db", fresh)
	tells(s.T, errs, "was brought from schema version 0 to ")
	_, errs = s.expect(cli.ExitOK, "migrate", "--check", "--db", fresh)
	tells(s.T, errs, "there is nothing to do")
	for _, args := range [][]string{{"migrate"}, {"backup", filepath.Join(s.TempDir(), "b.gz")}, {"gc", "--yes"}} {
		_, errs = s.expect(cli.ExitNotFound, append(args, "--db", s.pg.URL("absent"))...)
		tells(s.T, errs, "There is no postgres://", "CREATE DATABASE")
	}
}
