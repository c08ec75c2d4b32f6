package postgres

import (
	"encoding/binary"
	"errors"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// An envelope is stored as texts one after the other, each behind its length as a
// varint: method, path, query, the words of Forward behind their number, and then
// name and value of each header up to the end. Not as JSON, which would change bytes
// that are not UTF-8; headers may have them.

// envelopeColumn is an envelope as it is stored; nil for none.
func envelopeColumn(e *hook.Envelope) []byte {
	if e == nil {
		return nil
	}
	size := len(e.Method) + len(e.Path) + len(e.Query) + 16
	for _, h := range e.Headers {
		size += len(h[0]) + len(h[1]) + 4
	}
	b := make([]byte, 0, size)
	b = appendText(appendText(appendText(b, e.Method), e.Path), e.Query)
	b = binary.AppendUvarint(b, uint64(len(e.Forward)))
	for _, name := range e.Forward {
		b = appendText(b, name)
	}
	for _, h := range e.Headers {
		b = appendText(appendText(b, h[0]), h[1])
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// errEnvelope says that a column does not hold what envelopeColumn gives.
var errEnvelope = errors.New("the stored envelope of a request is damaged")

// scanEnvelope reads what envelopeColumn gives; nil for NULL.
func scanEnvelope(r *row, i int) (*hook.Envelope, error) {
	if r.null(i) {
		return nil, nil
	}
	return parseEnvelope(r.values[i])
}

func parseEnvelope(b []byte) (*hook.Envelope, error) {
	t := texts{left: b}
	e := &hook.Envelope{Method: t.next(), Path: t.next(), Query: t.next()}
	for n := t.number(); n > 0 && !t.broken; n-- {
		e.Forward = append(e.Forward, t.next())
	}
	for len(t.left) > 0 && !t.broken {
		e.Headers = append(e.Headers, hook.HeaderLine{t.next(), t.next()})
	}
	if t.broken {
		return nil, errEnvelope
	}
	return e, nil
}

// texts reads what appendText wrote.
type texts struct {
	left   []byte
	broken bool
}

func (t *texts) number() uint64 {
	n, size := binary.Uvarint(t.left)
	if size <= 0 {
		t.broken, t.left = true, nil
		return 0
	}
	t.left = t.left[size:]
	return n
}

func (t *texts) next() string {
	n := t.number()
	if n > uint64(len(t.left)) {
		t.broken, t.left = true, nil
		return ""
	}
	s := string(t.left[:n])
	t.left = t.left[n:]
	return s
}
