package sqlite_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// oneEnvironment is a stream with one record.
func oneEnvironment() func() (hook.Record, error) {
	records := []hook.Record{&hook.EnvironmentRecord{ID: hook.NewID(start), Name: "moved", CreatedAt: start}}
	return func() (hook.Record, error) {
		if len(records) == 0 {
			return nil, io.EOF
		}
		rec := records[0]
		records = records[1:]
		return rec, nil
	}
}

func fillOne(t *testing.T) func(*sqlite.Store) error {
	return func(s *sqlite.Store) error { return s.Load(t.Context(), oneEnvironment()) }
}

// namesIn lists a folder.
func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestBuildPutsAWholeDatabaseInItsPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "folder", "g.db")
	if err := sqlite.Build(t.Context(), path, sqlite.Options{}, fillOne(t)); err != nil {
		t.Fatal(err)
	}
	if names := namesIn(t, filepath.Dir(path)); !slices.Equal(names, []string{"g.db", "g.db.lock"}) {
		t.Errorf("left in the folder: %q", names)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if envs, err := s.ListEnvironments(t.Context()); err != nil || len(envs) != 1 || envs[0].Name != "moved" {
		t.Errorf("environments %+v, %v", envs, err)
	}
}

func TestBuildThatFailsLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken off")
	for _, before := range []string{"nothing", "an empty file", "an empty database"} {
		path := filepath.Join(t.TempDir(), "g.db")
		switch before {
		case "an empty file":
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		case "an empty database":
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err == nil {
				_, err = s.RegisterNode(t.Context(), "n", time.Minute, start) // what a server leaves that nobody has used
			}
			if err := errors.Join(err, s.Close()); err != nil {
				t.Fatal(err)
			}
		}
		// What a build that was killed has left is in nobody's way.
		if err := os.WriteFile(path+".new", []byte("rest"), 0o600); err != nil {
			t.Fatal(err)
		}
		was, _ := os.ReadFile(path)
		err := sqlite.Build(t.Context(), path, sqlite.Options{}, func(s *sqlite.Store) error {
			return errors.Join(s.Load(t.Context(), oneEnvironment()), broken)
		})
		if !errors.Is(err, broken) {
			t.Errorf("%s: %v", before, err)
		}
		if now, _ := os.ReadFile(path); string(now) != string(was) {
			t.Errorf("%s was changed", before)
		}
		if names := namesIn(t, filepath.Dir(path)); slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, ".new") }) {
			t.Errorf("%s: left in the folder: %q", before, names)
		}
		if err := sqlite.Build(t.Context(), path, sqlite.Options{}, fillOne(t)); err != nil {
			t.Errorf("%s: and then it works: %v", before, err)
		}
	}
}

func TestBuildReplacesNothingThatSomebodyNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	never := func(*sqlite.Store) error { return errors.New("was called") }
	if err := sqlite.Build(t.Context(), w.path, sqlite.Options{}, never); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("a database in use: %v", err)
	}
	w.must(w.Close())
	if err := sqlite.Build(t.Context(), w.path, sqlite.Options{}, never); !errors.Is(err, hook.ErrNotEmpty) {
		t.Errorf("a database with contents: %v", err)
	}
	other := filepath.Join(t.TempDir(), "notes.txt")
	w.must(os.WriteFile(other, []byte("not a database, but somebody's notes"), 0o600))
	if err := sqlite.Build(t.Context(), other, sqlite.Options{}, never); err == nil || strings.Contains(err.Error(), "was called") {
		t.Errorf("another file: %v", err)
	}
	if text, err := os.ReadFile(other); err != nil || !strings.HasPrefix(string(text), "not a database") {
		t.Errorf("it was changed to %q, %v", text, err)
	}
}

func TestOpenSnapshotAloneKeepsServersAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	if s, err := sqlite.OpenSnapshot(t.Context(), w.path, true); !errors.Is(err, sqlite.ErrInUse) {
		t.Fatalf("beside a server: %v, %v", s, err)
	}
	beside, err := sqlite.OpenSnapshot(t.Context(), w.path, false)
	w.must(err)
	w.must(beside.Close())
	w.must(w.Close())
	alone, err := sqlite.OpenSnapshot(t.Context(), w.path, true)
	w.must(err)
	if _, err := sqlite.Open(t.Context(), w.path, sqlite.Options{}); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("a server beside it: %v", err)
	}
	w.must(alone.Close())
	w.open(sqlite.Options{})
}

func TestOpenSnapshotWritesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "absent.db")
	if s, err := sqlite.OpenSnapshot(t.Context(), path, true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, %v", s, err)
	}
	if names := namesIn(t, filepath.Dir(path)); len(names) != 0 {
		t.Errorf("made %q", names)
	}
	w := newWorld(t, sqlite.Options{})
	w.must(w.Close())
	before, err := os.ReadFile(w.path)
	w.must(err)
	s, err := sqlite.OpenSnapshot(t.Context(), w.path, false)
	w.must(err)
	w.must(s.Dump(t.Context(), func(hook.Record) error { return nil }))
	w.must(s.Close())
	after, err := os.ReadFile(w.path)
	if w.must(err); string(before) != string(after) {
		t.Error("the file was changed")
	}
}

func TestAnotherSchemaIsNamedAndNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{})
	have, newest, err := sqlite.Schema(t.Context(), w.path)
	if w.must(err); have != newest || have < 1 {
		t.Fatalf("schema %d, newest %d", have, newest)
	}
	for _, change := range []struct {
		sql  string
		have int64
		hint string
	}{
		{`INSERT INTO goose_db_version (version_id, is_applied) VALUES (1000, 1)`, 1000, "newer version of Grapnel has used"},
		{`DELETE FROM goose_db_version WHERE version_id > 0`, 0, "grapnel admin migrate"},
	} {
		w.must(w.Exec(t.Context(), change.sql))
		if have, _, err := sqlite.Schema(t.Context(), w.path); err != nil || have != change.have {
			t.Errorf("%s: schema %d, %v", change.sql, have, err)
		}
		_, err := sqlite.OpenSnapshot(t.Context(), w.path, false)
		other, ok := errors.AsType[*hook.SchemaError](err)
		if !ok || other.Have != change.have || other.Newest != newest || !strings.Contains(other.Hint(), change.hint) {
			t.Errorf("%s: %v", change.sql, err)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty.db")
	w.must(os.WriteFile(empty, nil, 0o600))
	if have, _, err := sqlite.Schema(t.Context(), empty); err != nil || have != 0 {
		t.Errorf("an empty file: schema %d, %v", have, err)
	}
	if _, _, err := sqlite.Schema(t.Context(), empty+"x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestReclaimGivesFreeSpaceBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	w.endpoint()
	for range 40 {
		w.accept(noRoom{}, w.event(start, strings.Repeat("x", 1<<18)))
	}
	for _, table := range []string{"messages", "deliveries"} {
		w.must(w.Exec(t.Context(), "DELETE FROM "+table))
	}
	size := func() int64 {
		t.Helper()
		n, err := w.Size(t.Context())
		w.must(err)
		return n
	}
	before := size()
	w.must(w.Reclaim(t.Context()))
	after := size()
	if before < 10<<20 || after > 1<<20 {
		t.Errorf("from %d to %d bytes", before, after)
	}
	w.must(w.Reclaim(t.Context()))
	if again := size(); again != after {
		t.Errorf("once more: from %d to %d bytes", after, again)
	}
	w.must(w.Close())
	if info, err := os.Stat(w.path); err != nil || info.Size() != after {
		t.Errorf("the file has %d bytes, not %d, %v", info.Size(), after, err)
	}
}
