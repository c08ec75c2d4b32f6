package api

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// maxDepth bounds how deep arrays and objects may nest in a published body.
const maxDepth = 512

// scanner walks over JSON as RFC 8259 defines it, once and without building
// anything: values stay spans of the input. It takes and refuses the same inputs
// as encoding/json, but for the depth limit. Bytes of strings that are not UTF-8
// are the caller's to check.
//
// The skip functions work on positions: from where something starts to the byte
// after it. A negative result is ^position of the fault, or tooDeep.
type scanner struct {
	data []byte
	pos  int
	deep bool // the depth limit was the reason to stop
}

const tooDeep = -1 << 62

// skipSpace gives the position of the next byte that is no white space; the length
// of the input if there is none.
func skipSpace(d []byte, i int) int {
	for i < len(d) && (d[i] == ' ' || d[i] == '\n' || d[i] == '\r' || d[i] == '\t') {
		i++
	}
	return i
}

// skipValue skips the value that starts at i, where no white space is.
func skipValue(d []byte, i, depth int) int {
	if i >= len(d) {
		return ^i
	}
	switch d[i] {
	case '"':
		return skipString(d, i)
	case '{':
		return skipObject(d, i, depth)
	case '[':
		return skipArray(d, i, depth)
	case 't':
		return skipWord(d, i, "true")
	case 'f':
		return skipWord(d, i, "false")
	case 'n':
		return skipWord(d, i, "null")
	}
	return skipNumber(d, i)
}

func skipObject(d []byte, i, depth int) int {
	if depth >= maxDepth {
		return tooDeep
	}
	if i = skipSpace(d, i+1); i < len(d) && d[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(d) || d[i] != '"' {
			return ^i
		}
		if i = skipString(d, i); i < 0 {
			return i
		}
		if i = skipSpace(d, i); i >= len(d) || d[i] != ':' {
			return ^i
		}
		if i = skipValue(d, skipSpace(d, i+1), depth+1); i < 0 {
			return i
		}
		if i = skipSpace(d, i); i >= len(d) || d[i] != ',' {
			return closed(d, i, '}')
		}
		i = skipSpace(d, i+1)
	}
}

func skipArray(d []byte, i, depth int) int {
	if depth >= maxDepth {
		return tooDeep
	}
	if i = skipSpace(d, i+1); i < len(d) && d[i] == ']' {
		return i + 1
	}
	for {
		if i = skipValue(d, i, depth+1); i < 0 {
			return i
		}
		if i = skipSpace(d, i); i >= len(d) || d[i] != ',' {
			return closed(d, i, ']')
		}
		i = skipSpace(d, i+1)
	}
}

// closed expects the closing byte at i.
func closed(d []byte, i int, closing byte) int {
	if i < len(d) && d[i] == closing {
		return i + 1
	}
	return ^i
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// skipString skips the string that starts at i. Eight plain bytes at a time are
// passed over: the mask marks the first quote, backslash or control character.
func skipString(d []byte, i int) int {
	i++
	for {
		for len(d)-i >= 8 {
			x := binary.LittleEndian.Uint64(d[i:])
			mask := ((x - 0x20*ones) | ((x ^ 0x22*ones) - ones) | ((x ^ 0x5c*ones) - ones)) &^ x & highs
			if mask != 0 {
				i += bits.TrailingZeros64(mask) / 8
				break
			}
			i += 8
		}
		if i >= len(d) {
			return ^len(d)
		}
		switch c := d[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = skipEscape(d, i); i < 0 {
				return i
			}
		case c < ' ':
			return ^i
		default:
			i++
		}
	}
}

// skipEscape skips the escape sequence that starts at i.
func skipEscape(d []byte, i int) int {
	if i+1 >= len(d) {
		return ^len(d)
	}
	switch d[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for j := i + 2; j < i+6; j++ {
			if j >= len(d) || !isHex(d[j]) {
				return ^j
			}
		}
		return i + 6
	}
	return ^(i + 1)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func skipWord(d []byte, i int, w string) int {
	if len(d)-i < len(w) || string(d[i:i+len(w)]) != w {
		return ^i
	}
	return i + len(w)
}

// skipNumber skips a number; what is at i may be anything.
func skipNumber(d []byte, i int) int {
	if i < len(d) && d[i] == '-' {
		i++
	}
	if i < len(d) && d[i] == '0' {
		i++
	} else if i = skipDigits(d, i); i < 0 {
		return i
	}
	if i < len(d) && d[i] == '.' {
		if i = skipDigits(d, i+1); i < 0 {
			return i
		}
	}
	if i < len(d) && d[i]|0x20 == 'e' {
		if i++; i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		return skipDigits(d, i)
	}
	return i
}

// skipDigits skips one or more digits.
func skipDigits(d []byte, i int) int {
	start := i
	for i < len(d) && d[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return ^i
	}
	return i
}

// space skips white space and gives the next byte; 0 at the end.
func (s *scanner) space() byte {
	if s.pos = skipSpace(s.data, s.pos); s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// to moves to the end of what was skipped, or to the fault.
func (s *scanner) to(end int) bool {
	switch {
	case end >= 0:
		s.pos = end
		return true
	case end == tooDeep:
		s.deep = true
	default:
		s.pos = ^end
	}
	return false
}

// next reads what follows an item: a comma (more), or the closing byte (ok).
func (s *scanner) next(closing byte) (more, ok bool) {
	switch s.space() {
	case ',':
		s.pos++
		return true, true
	case closing:
		s.pos++
		return false, true
	}
	return false, false
}

// span skips one value and gives its bytes.
func (s *scanner) span(depth int) ([]byte, bool) {
	s.space()
	start := s.pos
	if !s.to(skipValue(s.data, start, depth)) {
		return nil, false
	}
	return s.data[start:s.pos:s.pos], true
}

// fault says why the scan stopped.
func (s *scanner) fault(loc ...string) *hook.Error {
	switch {
	case s.deep:
		return undecodable("nests deeper than "+strconv.Itoa(maxDepth)+" levels", loc...)
	case s.pos >= len(s.data):
		return undecodable("ends in the middle of a JSON value", loc...)
	}
	return undecodable("is not valid JSON at byte "+strconv.Itoa(s.pos), loc...)
}

// members walks over the members of an object that fills the whole input and gives
// each name with the span of its value. Unknown names cost nothing but the walk.
func (s *scanner) members(visit func(name, value []byte)) *hook.Error {
	if s.space() != '{' {
		if s.pos >= len(s.data) {
			return undecodable("is empty; a JSON object is due", "body")
		}
		return undecodable("must be a JSON object", "body")
	}
	if s.pos++; s.space() == '}' {
		s.pos++
		return s.end()
	}
	for {
		if s.space() != '"' {
			return s.fault("body")
		}
		start := s.pos
		if !s.to(skipString(s.data, s.pos)) {
			return s.fault("body")
		}
		name := unquote(s.data[start:s.pos])
		if s.space() != ':' {
			return s.fault("body")
		}
		s.pos++
		value, ok := s.span(1)
		if !ok {
			return s.fault("body")
		}
		visit(name, value)
		more, ok := s.next('}')
		if !ok {
			return s.fault("body")
		}
		if !more {
			return s.end()
		}
	}
}

// end accepts white space up to the end of the input.
func (s *scanner) end() *hook.Error {
	if s.space(); s.pos < len(s.data) {
		return undecodable("has more after the JSON value, at byte "+strconv.Itoa(s.pos), "body")
	}
	return nil
}

// unquote gives the text of a valid JSON string; without escapes it is a span of
// the input. A lone surrogate becomes U+FFFD.
func unquote(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	for _, c := range inner {
		if c == '\\' {
			var text string
			if err := json.Unmarshal(quoted, &text); err != nil {
				return inner
			}
			return []byte(text)
		}
	}
	return inner
}

// textOf gives the text of a span if it is a string.
func textOf(span []byte) (string, bool) {
	if len(span) < 2 || span[0] != '"' {
		return "", false
	}
	return string(unquote(span)), true
}

func isNull(span []byte) bool { return len(span) == 4 && span[0] == 'n' }

// checkText refuses a body that is not UTF-8: it could not be shown again inside
// an answer that must be JSON.
func checkText(data []byte) *hook.Error {
	if utf8.Valid(data) {
		return nil
	}
	return undecodable("is not valid UTF-8", "body")
}
