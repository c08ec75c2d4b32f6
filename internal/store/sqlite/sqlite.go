// Package sqlite is the store in one file: one writer goroutine with group
// commit, many readers, everything durable before it is answered.
//
// Callers hand the writer their operation and wait. The writer takes whatever
// has arrived, does it all in one transaction, commits (synchronous=full, so
// the write-ahead log is flushed to disk) and answers everyone. While it
// commits, the next group gathers: there is no timer that waits for company.
//
//	callers ──op──▶ writer: BEGIN, op, op, op, COMMIT ──result──▶ callers
//
// The package talks to SQLite directly (see conn.go) and keeps what Match
// needs of each application in memory, owned by the writer (see cache.go).
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrInUse says that another process has the database open.
var ErrInUse = errors.New("another process is using this database")

// Options adjust a store; the zero value is what a server wants.
type Options struct {
	Logger *slog.Logger // nil: slog.Default()
	// Observe is called after each commit; nil: not.
	Observe func(Commit)
	// Readers is the number of read connections; 0: 4.
	Readers int
	// MaxWait is the longest time that an operation waits for its turn before
	// it is refused with CodeUnavailable; 0: 5 s.
	MaxWait time.Duration
	// ReadTimeout is the longest time that a read takes before it is refused with
	// CodeUnavailable; 0: 1 s. A reader holds a snapshot, and an old one keeps the
	// write-ahead log from being used again.
	ReadTimeout time.Duration
	// Unsafe turns the flush to disk off, for tests in simulated time only.
	Unsafe bool
	// MaxPages bounds the file, for tests of a full disk; 0: no bound.
	MaxPages int
	// AutoKeys is how many idempotency keys that SDKs made up are remembered;
	// 0: 65,536.
	AutoKeys int
	// BeforeCommit and AfterCommit are called around each COMMIT, on the writer's
	// goroutine; an error of the first makes the commit fail. Nil: not. They are for
	// tests that put faults and crashes there.
	BeforeCommit func() error
	AfterCommit  func()
}

// Commit describes one group commit.
type Commit struct {
	Operations int
	Took       time.Duration // of the COMMIT alone
	Err        error
}

// Store is a database file. It is safe for concurrent use.
type Store struct {
	opts    Options
	log     *slog.Logger
	path    string
	lock    *os.File
	writer  *writer
	readers chan *conn // idle read connections; reads take one and give it back
	nread   int
	closed  atomic.Bool // by Close, which does nothing a second time
	life    life        // of the node that has the file
}

// Open opens the file at path, makes it if need be, brings it to the newest
// schema, and frees the leases that an earlier process left.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Readers == 0 {
		opts.Readers = 4
	}
	if opts.MaxWait == 0 {
		opts.MaxWait = 5 * time.Second
	}
	if opts.ReadTimeout == 0 {
		opts.ReadTimeout = time.Second
	}
	if opts.AutoKeys == 0 {
		opts.AutoKeys = 1 << 16
	}
	if opts.BeforeCommit == nil {
		opts.BeforeCommit = func() error { return nil }
	}
	if opts.AfterCommit == nil {
		opts.AfterCommit = func() {}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{opts: opts, log: opts.Logger, path: path, lock: lock}
	if err := s.open(ctx); err != nil {
		lock.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if err := makeFile(s.path); err != nil {
		return err
	}
	if err := migrate(ctx, s.uri()); err != nil {
		return err
	}
	c, err := s.connect(asWriter)
	if err != nil {
		return err
	}
	w, err := newWriter(s, c)
	if err != nil {
		return errors.Join(err, c.close())
	}
	s.readers = make(chan *conn, s.opts.Readers)
	for range s.opts.Readers {
		r, err := s.connect(asReader)
		if err != nil {
			return errors.Join(err, s.closeReaders(), c.close())
		}
		s.readers <- r
		s.nread++
	}
	s.writer = w
	w.start()
	return nil
}

// duty says what a connection is for.
type duty int

const (
	asWriter duty = iota // writes and checkpoints
	asReader             // only reads
)

// connect opens a connection with the settings of its duty.
func (s *Store) connect(d duty) (*conn, error) {
	pragmas := []string{
		"busy_timeout = 5000",
		"wal_autocheckpoint = 0", // checkpoint.go does it, off the commit path
		"journal_size_limit = 67108864",
		"temp_store = memory",
		"synchronous = full",
	}
	if s.opts.Unsafe {
		pragmas = append(pragmas, "synchronous = off")
	}
	if s.opts.MaxPages > 0 {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count = %d", s.opts.MaxPages))
	}
	switch d {
	case asWriter:
		pragmas = append(pragmas, "cache_size = -16384")
	case asReader:
		pragmas = append(pragmas, "cache_size = -2048", "query_only = 1")
	}
	return openConn(s.uri(), pragmas...)
}

// makeFile makes the file, if need be, as one that only its owner can read.
// SQLite gives the write-ahead log and its index the mode of the file beside them.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// uri is the address of the file; a path may hold characters that mean
// something in a URI.
func (s *Store) uri() string { return fileURI(s.path) }

func fileURI(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

// Ping reports whether the store can be read and written.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(`UPDATE meta SET value = value WHERE name = 'open_from'`)
		return err
	})
}

// Close ends the writer after the group that runs, and closes the file.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.writer.stop()
	return errors.Join(s.closeReaders(), s.writer.conn.close(), s.lock.Close())
}

func (s *Store) closeReaders() error {
	var errs []error
	for ; s.nread > 0; s.nread-- {
		errs = append(errs, (<-s.readers).close())
	}
	return errors.Join(errs...)
}

// read runs fn with a read connection inside one snapshot.
func (s *Store) read(ctx context.Context, fn func(ctx context.Context, c *conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.ReadTimeout)
	defer cancel()
	var c *conn
	select {
	case c = <-s.readers:
	case <-s.writer.quit:
		return hook.Unavailable(errors.New("the store is closed"))
	case <-ctx.Done():
		return hook.Unavailable(ctx.Err())
	}
	defer func() { s.readers <- c }()
	if _, err := c.exec("BEGIN"); err != nil {
		return s.explain(err)
	}
	err := fn(ctx, c)
	if _, cerr := c.exec("COMMIT"); err == nil {
		err = cerr
	}
	return s.explain(err)
}

// write runs fn on the writer, in a savepoint of its own inside the group's
// transaction: an error undoes what fn wrote and harms nobody else. fn must not
// keep the connection.
func (s *Store) write(ctx context.Context, fn func(c *conn) error) error {
	return s.writeWith(ctx, func(w *writer) error { return fn(w.conn) })
}

// writeWith is write for operations that use what the writer has in memory.
func (s *Store) writeWith(ctx context.Context, fn func(w *writer) error) error {
	return s.writer.do(ctx, &op{apply: func(w *writer) error {
		return w.inSavepoint(func() error { return fn(w) })
	}})
}

// explain turns an error of the driver into one of the contract.
func (s *Store) explain(err error) error {
	var known *hook.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return hook.Unavailable(err)
	}
	var failed *Error
	if errors.As(err, &failed) {
		switch failed.Code & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
			sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT:
			return hook.Unavailable(err)
		}
	}
	return fmt.Errorf("sqlite: %w", err)
}

// isUnique reports whether err is a violated uniqueness, of an index whose
// columns the driver names.
func isUnique(err error, column string) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Code == sqlite3.SQLITE_CONSTRAINT_UNIQUE && strings.Contains(failed.Message, column)
}
