package listen

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// place is a place between two messages of an environment's feed. A page of the
// feed has a cursor at its end only; a place inside of it is that before the page and
// the last message that was given.
type place struct {
	before hook.Cursor
	after  hook.ID // zero: before itself
}

// placeVersion is the first byte of the text form.
const placeVersion = 1

const placeSize = 1 + len(hook.ID{}) + 8 + len(hook.ID{}) + len(hook.ID{})

// format gives the text that clients keep. It is good in one environment only.
func (p place) format(env hook.ID) string {
	b := make([]byte, 0, placeSize)
	b = append(b, placeVersion)
	b = append(b, env[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.before.Commit))
	b = append(b, p.before.Within[:]...)
	b = append(b, p.after[:]...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parsePlace reads what format wrote for this environment.
func parsePlace(env hook.ID, text string) (place, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != placeSize || b[0] != placeVersion {
		return place{}, &hook.Error{Code: hook.CodeBadRequest, Detail: "The cursor is not one that this server gave."}
	}
	b = b[1:]
	if hook.ID(b[:20]) != env {
		return place{}, &hook.Error{Code: hook.CodeBadRequest, Detail: "The cursor is of another environment.", Hint: "Begin without a cursor."}
	}
	p := place{before: hook.Cursor{Commit: int64(binary.BigEndian.Uint64(b[20:28])), Within: hook.ID(b[28:48])}, after: hook.ID(b[48:68])}
	if p.before.Commit < 0 {
		return place{}, &hook.Error{Code: hook.CodeBadRequest, Detail: "The cursor is not one that this server gave."}
	}
	return p, nil
}
