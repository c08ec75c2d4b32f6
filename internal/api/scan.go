package api

import (
	"encoding/json"
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
type scanner struct {
	data []byte
	pos  int
	deep bool // the depth limit was the reason to stop
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
