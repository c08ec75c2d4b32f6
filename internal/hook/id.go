package hook

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"time"
)

// ID names one object: 5 bytes of time and 15 random bytes, compared bytewise,
// so that ids sort by creation. The stores keep these 20 bytes; the text form,
// a prefix and 27 base62 characters (the KSUID layout), exists at the edge.
type ID [20]byte

// Kind says what an ID names. It decides the prefix of the text form.
type Kind string

// The kinds, with their prefixes.
const (
	KindEnvironment Kind = "org_"
	KindApplication Kind = "app_"
	KindEndpoint    Kind = "ep_"
	KindMessage     Kind = "msg_"
	KindAttempt     Kind = "atmpt_"
	KindEventType   Kind = "evtype_"
	KindTask        Kind = "qtask_"
	KindKey         Kind = "key_"
	KindSource      Kind = "src_"
	KindRequest     Kind = "req_"
	KindIssue       Kind = "iss_"
	KindMember      Kind = "mem_"
	KindSession     Kind = "sess_"
	KindPasskey     Kind = "pk_"
	KindAudit       Kind = "audit_"
)

// Kinds lists every kind once.
var Kinds = []Kind{
	KindEnvironment, KindApplication, KindEndpoint, KindMessage,
	KindAttempt, KindEventType, KindTask, KindKey, KindSource, KindRequest, KindIssue,
	KindMember, KindSession, KindPasskey, KindAudit,
}

// idEpoch is where the time part of an id starts, in Unix seconds.
const idEpoch = 1_400_000_000

const (
	idTextLen = 27
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// ErrBadID reports a text that is not an id of the wanted kind.
var ErrBadID = errors.New("not a valid id")

// NewID makes an id for the given time.
func NewID(now time.Time) ID {
	id := IDAt(now)
	_, _ = rand.Read(id[5:]) // never fails since Go 1.24
	return id
}

// IDAt returns the smallest id of that time: what a time bound of a list is
// turned into. Times outside the range of the layout saturate.
func IDAt(t time.Time) ID {
	var id ID
	sec := t.Unix() - idEpoch
	frac := byte(t.Nanosecond() / (1_000_000_000 / 256))
	switch {
	case sec < 0:
		sec, frac = 0, 0
	case sec > 1<<32-1:
		sec, frac = 1<<32-1, 255
	}
	binary.BigEndian.PutUint32(id[:4], uint32(sec))
	id[4] = frac
	return id
}

// Time is when the id was made, to 1/256 s.
func (id ID) Time() time.Time {
	sec := int64(binary.BigEndian.Uint32(id[:4])) + idEpoch
	return time.Unix(sec, int64(id[4])*(1_000_000_000/256)).UTC()
}

// IsZero reports whether the id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// Format gives the text form, such as "msg_2rV…".
func (k Kind) Format(id ID) string {
	return string(k.Append(make([]byte, 0, len(k)+idTextLen), id))
}

// Append appends the text form to dst.
func (k Kind) Append(dst []byte, id ID) []byte {
	dst = append(dst, k...)
	var text [idTextLen]byte
	// Long division of the 160-bit number, five 32-bit digits, by 62^5 at a
	// time: each round yields five characters, so 27 characters take 6 rounds.
	var n [5]uint32
	for i := range n {
		n[i] = binary.BigEndian.Uint32(id[4*i:])
	}
	const chunk = 62 * 62 * 62 * 62 * 62
	for end := idTextLen; end > 0; {
		var rest uint64
		for i := range n {
			v := rest<<32 | uint64(n[i])
			n[i] = uint32(v / chunk)
			rest = v % chunk
		}
		for range min(5, end) {
			end--
			text[end] = base62[rest%62]
			rest /= 62
		}
	}
	return append(dst, text[:]...)
}

// Parse reads the text form of an id of this kind. The error is ErrBadID.
func (k Kind) Parse(s string) (ID, error) {
	if len(s) != len(k)+idTextLen || s[:len(k)] != string(k) {
		return ID{}, ErrBadID
	}
	var n [5]uint32
	for i := len(k); i < len(s); i++ {
		d := base62Digit(s[i])
		if d < 0 {
			return ID{}, ErrBadID
		}
		carry := uint64(d)
		for j := len(n) - 1; j >= 0; j-- {
			v := uint64(n[j])*62 + carry
			n[j] = uint32(v)
			carry = v >> 32
		}
		if carry != 0 { // more than 160 bits
			return ID{}, ErrBadID
		}
	}
	var id ID
	for i := range n {
		binary.BigEndian.PutUint32(id[4*i:], n[i])
	}
	return id, nil
}

func base62Digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 36
	}
	return -1
}

// Ref is what a path segment names an object by: its id, or the uid that the
// caller gave it (for a message: its eventId). Exactly one of the two is set.
type Ref struct {
	ID  ID
	UID string
}

// ParseRef reads a path segment. A text that is no id of this kind is a uid.
func (k Kind) ParseRef(s string) Ref {
	if id, err := k.Parse(s); err == nil {
		return Ref{ID: id}
	}
	return Ref{UID: s}
}
