package sqlite

import (
	"time"
	"unsafe"

	"github.com/grapnelhq/grapnel/internal/hook"
	sqlite3 "modernc.org/sqlite/lib"
)

// row gives the columns of the current row of a statement by position. NULL
// reads as the zero value. Texts and bytes are copies.
type row struct {
	stmt  *stmt
	first int // position 0 is this column
}

// from gives the row without its first n columns, for a scan of what a join
// adds behind them.
func (r *row) from(n int) *row { return &row{r.stmt, r.first + n} }

func (r *row) null(i int) bool {
	return sqlite3.Xsqlite3_column_type(r.stmt.conn.tls, r.stmt.handle, int32(r.first+i)) == sqlite3.SQLITE_NULL
}

func (r *row) int(i int) int64 {
	return sqlite3.Xsqlite3_column_int64(r.stmt.conn.tls, r.stmt.handle, int32(r.first+i))
}

func (r *row) bool(i int) bool { return r.int(i) != 0 }

func (r *row) text(i int) string { return string(r.bytes(i)) }

// blob gives the bytes of a blob or text, nil for NULL. An empty blob is not nil.
func (r *row) blob(i int) []byte {
	if b := r.bytes(i); b != nil {
		return append(make([]byte, 0, len(b)), b...)
	}
	if r.null(i) {
		return nil
	}
	return []byte{}
}

func (r *row) id(i int) hook.ID {
	var id hook.ID
	copy(id[:], r.bytes(i))
	return id
}

func (r *row) time(i int) time.Time {
	if r.null(i) {
		return time.Time{}
	}
	return fromMicros(r.int(i))
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// bytes gives SQLite's own bytes, valid until the next step; nil for none.
func (r *row) bytes(i int) []byte {
	tls, handle := r.stmt.conn.tls, r.stmt.handle
	p := sqlite3.Xsqlite3_column_blob(tls, handle, int32(r.first+i))
	if p == 0 {
		return nil
	}
	return bytesAt(p, int(sqlite3.Xsqlite3_column_bytes(tls, handle, int32(r.first+i))))
}

const ptrSize = int(unsafe.Sizeof(uintptr(0)))

// bytesAt is the memory at an address outside of Go's heap.
func bytesAt(p uintptr, n int) []byte {
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p))), n)
}

// readPtr reads the pointer that is stored at an address outside of Go's heap.
func readPtr(p uintptr) uintptr {
	return *(*uintptr)(*(*unsafe.Pointer)(unsafe.Pointer(&p)))
}
