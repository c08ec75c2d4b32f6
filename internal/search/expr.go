package search

import (
	"slices"
	"strings"
	"time"
)

// expr is a node of a query: anyOf, allOf, not, word or *term.
type expr interface{ node() }

type (
	anyOf []expr
	allOf []expr
	not   struct{ expr }
	word  Needle
	// term is a field with what it may hold: one of the tests must fit.
	term struct {
		at    int    // character where it begins, from 1
		field int    // index in the list
		rest  string // name of a header
		path  []string
		tests []test
	}
)

func (anyOf) node() {}
func (allOf) node() {}
func (not) node()   {}
func (word) node()  {}
func (*term) node() {}

// how says what a test asks.
type how uint8

const (
	equals   how = iota
	begins       // with the text
	exists       // there is a value at all
	contains     // the text
	within       // the bounds
)

// test is one value of a term, made ready for its kind.
type test struct {
	how how
	Needle
	// Bounds of a Number or Size, both inclusive.
	low, high int64
	// Bounds of a Time; to is exclusive, a zero one is none.
	from, to time.Time
	// Of JSON.
	quoted bool // the text is a string, whatever it looks like
	edges  edges
}

// Match reports whether the row fits the query.
func (q *Query[R]) Match(row R) bool { return q.root == nil || q.match(row, q.root) }

func (q *Query[R]) match(row R, e expr) bool {
	switch e := e.(type) {
	case anyOf:
		for _, one := range e {
			if q.match(row, one) {
				return true
			}
		}
		return false
	case allOf:
		for _, one := range e {
			if !q.match(row, one) {
				return false
			}
		}
		return true
	case not:
		return !q.match(row, e.expr)
	case word:
		return q.list.Word(row, Needle(e))
	case *term:
		return q.matchTerm(row, e)
	}
	return false
}

func (q *Query[R]) matchTerm(row R, t *term) bool {
	f := &q.list.Fields[t.field]
	switch f.Kind {
	case Text, Word:
		if f.Whole != nil {
			return f.Whole(row).holds(t.tests)
		}
		values := f.texts(row, t)
		for i := range t.tests {
			if t.tests[i].fitsOne(values, f.Exact) {
				return true
			}
		}
	case Number, Size:
		n, there := f.Count(row)
		for i := range t.tests {
			if there && t.tests[i].low <= n && n <= t.tests[i].high {
				return true
			}
		}
	case Time:
		at := f.When(row)
		for i := range t.tests {
			if t.tests[i].fitsTime(at) {
				return true
			}
		}
	case JSON:
		return f.Document(row).fits(t.path, t.tests)
	}
	return false
}

func (f *Field[R]) texts(row R, t *term) []string {
	if f.Named != nil {
		return f.Named(row, t.rest)
	}
	return f.Texts(row)
}

func (t *test) fitsOne(values []string, exact bool) bool {
	for _, v := range values {
		if t.fitsText(v, exact) {
			return true
		}
	}
	return false
}

// fitsText compares in any case of letters unless it counts. An empty value is none.
func (t *test) fitsText(value string, exact bool) bool {
	switch t.how {
	case exists:
		return value != ""
	case equals:
		return value == t.Text || !exact && strings.EqualFold(value, t.Text)
	case begins:
		return strings.HasPrefix(value, t.Text) || !exact && t.Begins(value)
	case contains:
		return t.In(value)
	case within:
	}
	return false
}

func (t *test) fitsTime(at time.Time) bool {
	switch {
	case at.IsZero():
		return false
	case t.how == exists:
		return true
	}
	return !at.Before(t.from) && (t.to.IsZero() || at.Before(t.to))
}

// Value is what a query demands of a field.
type Value struct {
	Text   string
	Prefix bool // the value begins with it; else it equals it
}

// Demanded gives values of a text field of which every row that fits the query has one;
// false: the query leaves that open, or not by values that an index has.
func (q *Query[R]) Demanded(field string) ([]Value, bool) {
	at, _, found := q.list.field(field)
	if q.root == nil || !found {
		return nil, false
	}
	return demanded(q.root, at)
}

func demanded(e expr, field int) ([]Value, bool) {
	switch e := e.(type) {
	case allOf:
		for _, one := range e {
			if values, ok := demanded(one, field); ok {
				return values, true
			}
		}
	case anyOf:
		var all []Value
		for _, one := range e {
			values, ok := demanded(one, field)
			if !ok {
				return nil, false
			}
			all = append(all, values...)
		}
		return all, true
	case *term:
		if e.field != field || e.rest != "" {
			return nil, false
		}
		values := make([]Value, len(e.tests))
		for i := range e.tests {
			t := &e.tests[i]
			if t.how != equals && t.how != begins {
				return nil, false
			}
			values[i] = Value{Text: t.Text, Prefix: t.how == begins}
		}
		return values, true
	case not, word:
	}
	return nil, false
}

// Between gives bounds that the time of every row that fits the query lies in: from
// inclusive, to exclusive, zero for none. fields are those that hold this time.
func (q *Query[R]) Between(fields ...string) (from, to time.Time) {
	if q.root == nil {
		return from, to
	}
	own := map[int]bool{}
	for _, name := range fields {
		if at, _, found := q.list.field(name); found {
			own[at] = true
		}
	}
	return between(q.root, own)
}

func between(e expr, own map[int]bool) (from, to time.Time) {
	switch e := e.(type) {
	case allOf:
		for _, one := range e {
			f, t := between(one, own)
			if f.After(from) {
				from = f
			}
			if to.IsZero() || !t.IsZero() && t.Before(to) {
				to = t
			}
		}
	case anyOf:
		for i, one := range e {
			f, t := between(one, own)
			from, to = wider(i == 0, from, to, f, t)
		}
	case *term:
		if !own[e.field] {
			return from, to
		}
		for i := range e.tests {
			from, to = wider(i == 0, from, to, e.tests[i].from, e.tests[i].to)
		}
	case not, word:
	}
	return from, to
}

// wider gives the bounds that hold both ranges.
func wider(first bool, from, to, f, t time.Time) (time.Time, time.Time) {
	if first {
		return f, t
	}
	if f.Before(from) {
		from = f
	}
	if t.IsZero() || !to.IsZero() && t.After(to) {
		to = t
	}
	return from, to
}

// Words gives the words without a field that every row that fits the query must fit. One
// of them may be an id, by which a row is found at once.
func (q *Query[R]) Words() []string {
	var words []string
	switch e := q.root.(type) {
	case word:
		words = append(words, e.Text)
	case allOf:
		for _, one := range e {
			if w, ok := one.(word); ok {
				words = append(words, w.Text)
			}
		}
	}
	return words
}

// Uses gives the character, from 1, at which the query first uses a field; 0: nowhere.
func (q *Query[R]) Uses(field string) int {
	at, _, found := q.list.field(field)
	if q.root == nil || !found {
		return 0
	}
	return uses(q.root, at)
}

func uses(e expr, field int) int {
	switch e := e.(type) {
	case allOf:
		return usesAny(e, field)
	case anyOf:
		return usesAny(e, field)
	case not:
		return uses(e.expr, field)
	case *term:
		if e.field == field {
			return e.at
		}
	case word:
	}
	return 0
}

func usesAny(list []expr, field int) int {
	for _, one := range list {
		if at := uses(one, field); at > 0 {
			return at
		}
	}
	return 0
}

// OnlyOf reports whether the query consists of terms of these fields that must all fit,
// each field once and each time with one value: then what Demanded and Between give is
// all that it says.
func (q *Query[R]) OnlyOf(fields ...string) bool {
	var terms []expr
	switch e := q.root.(type) {
	case nil:
		return true
	case allOf:
		terms = e
	default:
		terms = []expr{e}
	}
	seen := map[int]bool{}
	for _, one := range terms {
		t, ok := one.(*term)
		if !ok || seen[t.field] || q.list.Fields[t.field].Kind == Time && (len(t.tests) > 1 || t.tests[0].how == exists) {
			return false
		}
		seen[t.field] = true
		if !slices.Contains(fields, q.list.Fields[t.field].Name) {
			return false
		}
	}
	return true
}
