package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// conn is one connection with its prepared statements, used by one goroutine at
// a time. It calls SQLite's own interface, as the library translates it to Go:
// database/sql and its driver would cost a conversion, a lock and several
// allocations for each value of the few statements that an event takes
// (docs/adr/0002-sqlite-in-pure-go-with-one-writer.md has the figures).
type conn struct {
	tls   *libc.TLS
	db    uintptr // sqlite3*
	stmts map[string]*stmt
}

// openConn opens the file at a URI and runs the pragmas.
func openConn(uri string, pragmas ...string) (*conn, error) {
	c := &conn{tls: libc.NewTLS(), stmts: map[string]*stmt{}}
	name, err := libc.CString(uri)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	handle := c.tls.Alloc(ptrSize)
	defer c.tls.Free(ptrSize)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_URI | sqlite3.SQLITE_OPEN_NOMUTEX
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, handle, flags, 0)
	c.db = readPtr(handle)
	if rc == sqlite3.SQLITE_OK {
		sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	} else {
		return nil, errors.Join(c.failure(rc, "open"), c.close())
	}
	for _, p := range pragmas {
		if _, err := c.exec("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.finalize()
	}
	c.stmts = nil
	rc := sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	c.tls.Close()
	if rc != sqlite3.SQLITE_OK {
		return &Error{Code: int(rc), Message: "close"}
	}
	return nil
}

// Error is a failure that SQLite reported.
type Error struct {
	Code    int    // the extended result code
	Message string // what was done, and SQLite's words
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

func (c *conn) failure(rc int32, doing string) *Error {
	return &Error{Code: int(rc), Message: fmt.Sprintf("%.60s: %s", doing, libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db)))}
}

// exec runs one statement and gives the number of rows changed. Arguments may
// be int, int64, bool, string, []byte, nil, hook.ID and time.Time; nil bytes
// and the zero time become NULL.
func (c *conn) exec(query string, args ...any) (int64, error) {
	s, err := c.begin(query, args)
	if err != nil {
		return 0, err
	}
	rc := s.step()
	for rc == sqlite3.SQLITE_ROW {
		rc = s.step()
	}
	if rc != sqlite3.SQLITE_DONE {
		err = c.failure(rc, query)
	}
	s.end()
	if err != nil {
		return 0, err
	}
	return sqlite3.Xsqlite3_changes64(c.tls, c.db), nil
}

// query runs one statement and calls each for its rows. The row is valid only
// during the call; an error of each ends the query and is returned. The end of
// ctx interrupts it.
func (c *conn) query(ctx context.Context, query string, args []any, each func(*row) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s, err := c.begin(query, args)
	if err != nil {
		return err
	}
	defer s.end()
	if ctx.Done() != nil {
		defer c.interruptAtEndOf(ctx)()
	}
	for {
		switch rc := s.step(); rc {
		case sqlite3.SQLITE_ROW:
			if err := each(&s.row); err != nil {
				return err
			}
		case sqlite3.SQLITE_DONE:
			return nil
		default:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return c.failure(rc, query)
		}
	}
}

// interruptAgain is how soon a statement that goes on is interrupted once more.
const interruptAgain = 5 * time.Millisecond

// interruptAtEndOf makes the end of ctx stop the running statement. SQLite
// forgets an interrupt that comes before the statement's first step, so it is
// repeated. The function it gives ends that, and waits for an interrupt on its
// way, for the connection may be closed afterwards.
func (c *conn) interruptAtEndOf(ctx context.Context) func() {
	over, interrupted := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		tls := libc.NewTLS()
		defer tls.Close()
		again := time.NewTicker(interruptAgain)
		defer again.Stop()
		for {
			sqlite3.Xsqlite3_interrupt(tls, c.db)
			select {
			case <-over:
				return
			case <-again.C:
			}
		}
	})
	return func() {
		close(over)
		if !stop() {
			<-interrupted
		}
	}
}

// one runs a query that gives at most one row; found is false for none.
func (c *conn) one(ctx context.Context, query string, args []any, each func(*row) error) (found bool, err error) {
	err = c.query(ctx, query, args, func(r *row) error {
		found = true
		return each(r)
	})
	return found, err
}

// begin prepares the statement, once per connection and text, and binds the arguments.
func (c *conn) begin(query string, args []any) (*stmt, error) {
	s, ok := c.stmts[query]
	if !ok {
		var err error
		if s, err = c.prepare(query); err != nil {
			return nil, err
		}
		c.stmts[query] = s
	}
	if s.busy {
		return nil, fmt.Errorf("%.60q runs already on this connection", query)
	}
	s.busy = true
	if err := s.bind(args); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func (c *conn) prepare(query string) (*stmt, error) {
	text, err := libc.CString(query)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	handle := c.tls.Alloc(ptrSize)
	defer c.tls.Free(ptrSize)
	rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, int32(len(query)+1), sqlite3.SQLITE_PREPARE_PERSISTENT, handle, 0)
	if rc != sqlite3.SQLITE_OK {
		return nil, c.failure(rc, query)
	}
	s := &stmt{conn: c, handle: readPtr(handle)}
	s.row.stmt = s
	return s, nil
}

// stmt is a prepared statement with the memory of its arguments, which SQLite
// reads while the statement runs.
type stmt struct {
	conn   *conn
	handle uintptr // sqlite3_stmt*
	busy   bool
	row    row
	memory uintptr // of size bytes, outside of Go's heap
	size   int
}

// keepMemory is how much memory for arguments a statement keeps between uses.
const keepMemory = 64 << 10

func (s *stmt) step() int32 { return sqlite3.Xsqlite3_step(s.conn.tls, s.handle) }

func (s *stmt) end() {
	sqlite3.Xsqlite3_reset(s.conn.tls, s.handle)
	if s.size > keepMemory {
		sqlite3.Xsqlite3_clear_bindings(s.conn.tls, s.handle)
		s.free()
	}
	s.busy = false
}

func (s *stmt) free() {
	if s.memory != 0 {
		libc.Xfree(s.conn.tls, s.memory)
	}
	s.memory, s.size = 0, 0
}

func (s *stmt) finalize() {
	sqlite3.Xsqlite3_finalize(s.conn.tls, s.handle)
	s.free()
}

// bind gives the statement its arguments. Bytes and texts are copied to the
// statement's memory, so that nothing is allocated for each of them.
func (s *stmt) bind(args []any) error {
	if err := s.reserve(args); err != nil {
		return err
	}
	tls, used := s.conn.tls, 0
	for i, arg := range args {
		n := int32(i + 1)
		var rc int32
		switch v := arg.(type) {
		case nil:
			rc = sqlite3.Xsqlite3_bind_null(tls, s.handle, n)
		case int:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, n, int64(v))
		case int64:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, n, v)
		case bool:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, n, asInt(v))
		case time.Time:
			if v.IsZero() {
				rc = sqlite3.Xsqlite3_bind_null(tls, s.handle, n)
			} else {
				rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, n, v.UnixMicro())
			}
		case string:
			copy(bytesAt(s.memory+uintptr(used), len(v)), v)
			rc = sqlite3.Xsqlite3_bind_text(tls, s.handle, n, s.memory+uintptr(used), int32(len(v)), 0)
			used += len(v)
		case hook.ID:
			used, rc = s.bindBlob(n, v[:], used)
		case []byte:
			if v == nil {
				rc = sqlite3.Xsqlite3_bind_null(tls, s.handle, n)
			} else {
				used, rc = s.bindBlob(n, v, used)
			}
		default:
			return fmt.Errorf("argument %d is a %T", n, arg)
		}
		if rc != sqlite3.SQLITE_OK {
			return s.conn.failure(rc, "bind")
		}
	}
	return nil
}

func (s *stmt) bindBlob(n int32, v []byte, used int) (int, int32) {
	copy(bytesAt(s.memory+uintptr(used), len(v)), v)
	rc := sqlite3.Xsqlite3_bind_blob(s.conn.tls, s.handle, n, s.memory+uintptr(used), int32(len(v)), 0)
	return used + len(v), rc
}

// reserve makes room for all texts and bytes among the arguments.
func (s *stmt) reserve(args []any) error {
	need := 1 // never no memory: a null pointer would bind NULL
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			need += len(v)
		case []byte:
			need += len(v)
		case hook.ID:
			need += len(v)
		}
	}
	if need <= s.size {
		return nil
	}
	s.free()
	size := max(256, need+need/2)
	s.memory = libc.Xmalloc(s.conn.tls, libc.Tsize_t(size))
	if s.memory == 0 {
		return &Error{Code: sqlite3.SQLITE_NOMEM, Message: "bind"}
	}
	s.size = size
	return nil
}

func asInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
