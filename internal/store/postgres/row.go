package postgres

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// row gives the columns of the current row by position, from the binary form
// that the database sends. NULL reads as the zero value. Texts and bytes are copies.
type row struct{ values [][]byte }

// from gives the row without its first n columns, for a scan of what a join
// adds behind them.
func (r *row) from(n int) *row { return &row{r.values[n:]} }

func (r *row) null(i int) bool { return r.values[i] == nil }

func (r *row) int(i int) int64 {
	switch v := r.values[i]; len(v) {
	case 8:
		return int64(binary.BigEndian.Uint64(v))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(v)))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(v)))
	case 1: // a boolean
		return int64(v[0])
	}
	return 0
}

func (r *row) bool(i int) bool { return r.int(i) != 0 }

func (r *row) text(i int) string { return string(r.values[i]) }

// blob gives the bytes, nil for NULL. An empty blob is not nil.
func (r *row) blob(i int) []byte {
	if r.values[i] == nil {
		return nil
	}
	return append(make([]byte, 0, len(r.values[i])), r.values[i]...)
}

func (r *row) id(i int) hook.ID {
	var id hook.ID
	copy(id[:], r.values[i])
	return id
}

func (r *row) time(i int) time.Time {
	if r.null(i) {
		return time.Time{}
	}
	return fromMicros(r.int(i))
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// words reads a column of type text[]; NULL and the empty list are nil. The form
// is: dimensions, flags, type of the elements, then for the one dimension length
// and lower bound, then length and bytes of each element; 32-bit numbers
// (array_send in PostgreSQL's source).
func (r *row) words(i int) []string {
	const head, perDimension, perElement = 12, 8, 4
	v := r.values[i]
	if len(v) < head+perDimension || binary.BigEndian.Uint32(v) != 1 {
		return nil
	}
	n := int(binary.BigEndian.Uint32(v[head:]))
	v = v[head+perDimension:]
	out := make([]string, 0, n)
	for len(v) >= perElement {
		size := int(int32(binary.BigEndian.Uint32(v)))
		v = v[perElement:]
		if size < 0 || size > len(v) {
			return out
		}
		out = append(out, string(v[:size]))
		v = v[size:]
	}
	return out
}

// fromJSON reads a column that holds JSON as text; NULL leaves the target alone.
func fromJSON(r *row, i int, into any) error {
	if r.null(i) {
		return nil
	}
	return json.Unmarshal(r.values[i], into)
}

// mapJSON makes a JSON column of a map; an empty one becomes NULL.
func mapJSON(m map[string]string) any {
	if len(m) == 0 {
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil { // maps of strings always marshal
		panic(fmt.Sprintf("postgres: %v", err))
	}
	return string(b)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
