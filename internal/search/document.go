package search

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// Document is a JSON document that is decoded when a query first looks into it.
type Document struct {
	text    []byte
	lowered []byte // the text in lower case, once it was looked through
	decoded bool
	value   any
	broken  bool
}

// NewDocument wraps a text that may be JSON or not; nil for none.
func NewDocument(text []byte) *Document {
	if text == nil {
		return nil
	}
	return &Document{text: text}
}

// Contains reports whether the bytes of the document hold the text, in any case of letters.
func (d *Document) Contains(n Needle) bool {
	if d == nil {
		return false
	}
	if d.lowered == nil {
		d.lowered = bytes.ToLower(d.text)
	}
	return bytes.Contains(d.lowered, []byte(n.lower))
}

// holds reports whether the text of one of the tests is a part of the document.
func (d *Document) holds(tests []test) bool {
	if d == nil {
		return false
	}
	for i := range tests {
		if tests[i].how == exists || d.Contains(tests[i].Needle) {
			return true
		}
	}
	return false
}

// root decodes the document. Numbers stay as they are written.
func (d *Document) root() (any, bool) {
	if !d.decoded {
		d.decoded = true
		dec := json.NewDecoder(bytes.NewReader(d.text))
		dec.UseNumber()
		d.broken = dec.Decode(&d.value) != nil
		if !d.broken {
			_, err := dec.Token()
			d.broken = err != io.EOF
		}
	}
	return d.value, !d.broken
}

// fits reports whether something at the path fits one of the tests.
func (d *Document) fits(path []string, tests []test) bool {
	if d == nil {
		return false
	}
	root, ok := d.root()
	return ok && fitsAt(root, path, tests)
}

// fitsAt follows the path. A step that is no index goes into every item of an array,
// and so does the end of the path.
func fitsAt(v any, path []string, tests []test) bool {
	if list, ok := v.([]any); ok {
		if len(path) > 0 {
			if i, err := strconv.Atoi(path[0]); err == nil {
				return i >= 0 && i < len(list) && fitsAt(list[i], path[1:], tests)
			}
		}
		if len(path) == 0 && anyExists(tests) {
			return true
		}
		for _, item := range list {
			if fitsAt(item, path, tests) {
				return true
			}
		}
		return false
	}
	if len(path) == 0 {
		for i := range tests {
			if tests[i].fitsJSON(v) {
				return true
			}
		}
		return false
	}
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	next, there := object[path[0]]
	return there && fitsAt(next, path[1:], tests)
}

func anyExists(tests []test) bool {
	for i := range tests {
		if tests[i].how == exists {
			return true
		}
	}
	return false
}

// edges are the bounds of a comparison with a JSON value: numbers, or texts that are
// compared by their bytes.
type edges struct {
	low, high         edge
	hasLow, hasHigh   bool
	openLow, openHigh bool // the bound itself does not fit
}

type edge struct {
	number   decimal
	isNumber bool
	text     string
}

func newEdge(text string) edge {
	n, ok := parseDecimal(text)
	return edge{number: n, isNumber: ok, text: text}
}

// compare gives the order of a value and the edge; false if they have none.
func (e *edge) compare(value string, isString bool) (int, bool) {
	n, numeric := parseDecimal(value)
	switch {
	case e.isNumber && numeric:
		return n.compare(e.number), true
	case e.isNumber || !isString:
		return 0, false
	}
	return strings.Compare(value, e.text), true
}

func (e *edges) hold(value string, isString bool) bool {
	if e.hasLow {
		if c, ok := e.low.compare(value, isString); !ok || c < 0 || c == 0 && e.openLow {
			return false
		}
	}
	if e.hasHigh {
		if c, ok := e.high.compare(value, isString); !ok || c > 0 || c == 0 && e.openHigh {
			return false
		}
	}
	return true
}

// fitsJSON compares a scalar. Numbers are compared by what they are worth, however they
// are written: 1200, 1200.0 and 1.2e3 are the same.
func (t *test) fitsJSON(v any) bool {
	text, isString := "", false
	switch v := v.(type) {
	case string:
		text, isString = v, true
	case json.Number:
		text = v.String()
	case bool:
		text = strconv.FormatBool(v)
	case nil:
		text = "null"
	default:
		return t.how == exists
	}
	switch t.how {
	case exists:
		return true
	case within:
		return t.edges.hold(text, isString)
	case equals:
		if t.quoted {
			return isString && strings.EqualFold(text, t.Text)
		}
		if _, number := v.(json.Number); number && t.edges.low.isNumber {
			n, ok := parseDecimal(text)
			return ok && n.compare(t.edges.low.number) == 0
		}
		return strings.EqualFold(text, t.Text)
	case begins, contains:
		return t.fitsText(text, false)
	}
	return false
}

// ofJSON makes a test for a value in a document.
func (v *given) ofJSON() (test, *Error) {
	if low, high, ok := v.between(); ok && (low != "" || high != "") {
		t := test{how: within, edges: edges{hasLow: low != "", hasHigh: high != "", low: newEdge(low), high: newEdge(high)}}
		if low != "" && high != "" && t.edges.low.isNumber != t.edges.high.isNumber {
			return t, errorAt(v.at, "a range is between two numbers or between two texts")
		}
		return t, nil
	}
	e := newEdge(v.text)
	switch v.rel {
	case "~":
		return test{how: contains, Needle: newNeedle(v.text)}, nil
	case ">", ">=":
		return test{how: within, edges: edges{hasLow: true, low: e, openLow: v.rel == ">"}}, nil
	case "<", "<=":
		return test{how: within, edges: edges{hasHigh: true, high: e, openHigh: v.rel == "<"}}, nil
	}
	t := plainTest(v)
	t.edges.low = e
	return t, nil
}

// pathOf splits a path at its dots; a step in quotes may hold dots. nil if it is empty or
// has an empty step.
func pathOf(text string) []string {
	var path []string
	var step strings.Builder
	quoted, some := false, false
	end := func() bool {
		path = append(path, step.String())
		ok := some
		step.Reset()
		some = false
		return ok
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted, some = !quoted, true
		case quoted && c == '\\' && i+1 < len(text):
			i++
			step.WriteByte(text[i])
		case c == '.' && !quoted:
			if !end() {
				return nil
			}
		default:
			step.WriteByte(c)
			some = true
		}
	}
	if !end() {
		return nil
	}
	return path
}
