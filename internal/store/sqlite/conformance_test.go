package sqlite_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
	"github.com/grapnelhq/grapnel/internal/store/storetest"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openForSuite)
}

// emptyDatabase is a file with all migrations and nothing else: copying it is
// faster than making it for each of several hundred tests.
var emptyDatabase = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "grapnel-empty-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "empty.db")
	s, err := sqlite.Open(context.Background(), path, suiteOptions(false))
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// suiteOptions lets nothing depend on how busy the machine is.
func suiteOptions(durable bool) sqlite.Options {
	return sqlite.Options{Logger: slog.New(slog.DiscardHandler), MaxWait: time.Minute, ReadTimeout: time.Minute, Unsafe: !durable}
}

// underTest is a database file of one test.
type underTest struct {
	store   *sqlite.Store
	path    string
	durable bool
}

func openForSuite(t *testing.T, durable bool) storetest.Harness {
	t.Helper()
	empty, err := emptyDatabase()
	if err != nil {
		t.Fatal(err)
	}
	u := &underTest{path: filepath.Join(t.TempDir(), "test.db"), durable: durable}
	if err := os.WriteFile(u.path, empty, 0o600); err != nil {
		t.Fatal(err)
	}
	u.open(t)
	return storetest.Harness{Store: u.store, Crash: u.crash, Visited: u.visited}
}

func (u *underTest) open(t *testing.T) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), u.path, suiteOptions(u.durable))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	u.store = s
}

// crash opens a copy of the files as they are while the store is still open:
// what a killed process leaves. The database comes before its log, so that a
// checkpoint in between does no harm: the log then still has those pages.
func (u *underTest) crash(t *testing.T) store.Store {
	t.Helper()
	left := filepath.Join(t.TempDir(), "left.db")
	for _, suffix := range []string{"", "-wal"} {
		if err := copyFile(u.path+suffix, left+suffix); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.store.Close(); err != nil {
		t.Fatal(err)
	}
	u.path = left
	u.open(t)
	return u.store
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

func (u *underTest) visited(t *testing.T) int64 {
	t.Helper()
	n, err := u.store.PagesVisited(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
