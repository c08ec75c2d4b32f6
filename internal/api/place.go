package api

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// placeText is a cursor as an iterator: opaque to callers, and safe in a URL.
func placeText(p hook.Cursor) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(p.Within)), uint64(p.Commit))
	return base64.RawURLEncoding.EncodeToString(append(b, p.Within[:]...))
}

// parsePlace reads what placeText made.
func parsePlace(text string) (p hook.Cursor, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 8+len(p.Within) {
		return p, false
	}
	p.Commit = int64(binary.BigEndian.Uint64(b))
	copy(p.Within[:], b[8:])
	return p, p.Commit >= 0
}

// place reads limit and iterator of a list whose places are cursors. newer asks for the
// page before that place. A cursor never begins with the minus sign that says so: its
// first character is one of the upper bits of a commit.
func (q *queryReader) place() (from hook.Cursor, newer bool, limit int) {
	limit = q.limit()
	text := q.text("iterator")
	if text == "" {
		return from, false, limit
	}
	if text[0] == '-' {
		newer, text = true, text[1:]
	}
	from, ok := parsePlace(text)
	if !ok {
		q.invalid("iterator", "is not an iterator of this list")
	}
	return from, newer, limit
}
