package search

import (
	"strings"
	"time"
)

// Kind is what the values of a field are.
type Kind uint8

// The kinds.
const (
	Text   Kind = iota // compared in any case of letters
	Word               // one of Def.Values
	Number             // whole numbers
	Size               // bytes, with units
	Time               // times, dates and durations before now
	JSON               // what is found in a JSON document
)

// Kinds lists every kind once.
var Kinds = []Kind{Text, Word, Number, Size, Time, JSON}

// String gives the word that the API uses for the kind.
func (k Kind) String() string {
	switch k {
	case Text:
		return "text"
	case Word:
		return "word"
	case Number:
		return "number"
	case Size:
		return "size"
	case Time:
		return "time"
	case JSON:
		return "json"
	}
	return "unknown"
}

// bound says which side of a time a field such as after is.
type bound uint8

const (
	noBound bound = iota
	lower         // from the time on
	upper         // before the time
)

// Def describes a field to those who write a query.
type Def struct {
	// Name is what stands before the colon. One that ends in a dot is followed by a
	// path into a document or by the name of a header.
	Name string
	Kind Kind
	Doc  string
	// Values are all words of a Word.
	Values []string
	// Exact says that the case of letters counts, as in ids and names of event types.
	Exact bool
	// Body says that the field reads payloads, which not everybody may.
	Body bool

	side bound
}

// Field is a field with where a row has its values. One of the functions is set.
type Field[R any] struct {
	Def
	// Texts gives the values of a Text or Word; any may fit.
	Texts func(R) []string
	// Count gives the value of a Number or Size; false: there is none.
	Count func(R) (int64, bool)
	// When gives the value of a Time; zero: there is none.
	When func(R) time.Time
	// Named gives the texts under the name that follows the dot, for a Text.
	Named func(R, string) []string
	// Whole gives the payload for a Text that is a part of it; nil: there is none.
	Whole func(R) *Document
	// Document gives the document that a path leads into, for JSON; nil: there is none.
	Document func(R) *Document
}

// After and Before make the fields that bound a time on one side.
func After[R any](name string, when func(R) time.Time) Field[R] {
	return Field[R]{Def: Def{Name: name, Kind: Time, Doc: "From this time on: how long ago, such as 2h, or a date.", side: lower}, When: when}
}

// Before is the other side of After.
func Before[R any](name string, when func(R) time.Time) Field[R] {
	return Field[R]{Def: Def{Name: name, Kind: Time, Doc: "Before this time.", side: upper}, When: when}
}

// List is a list that can be searched.
type List[R any] struct {
	Name   string
	Fields []Field[R]
	// Word reports whether a word without a field fits a row.
	Word func(row R, word Needle) bool
	// WordsReadBodies says that Word looks into payloads too, if the row has them.
	WordsReadBodies bool
}

// Defs describes the fields.
func (l *List[R]) Defs() []Def {
	defs := make([]Def, len(l.Fields))
	for i := range l.Fields {
		defs[i] = l.Fields[i].Def
	}
	return defs
}

// field finds a field by what stands before the relation: its name, or the name that
// ends in a dot and what follows that.
func (l *List[R]) field(name string) (at int, rest string, found bool) {
	lowered := strings.ToLower(name)
	for i := range l.Fields {
		own := strings.ToLower(l.Fields[i].Name)
		if own == lowered && !strings.HasSuffix(own, ".") {
			return i, "", true
		}
		if strings.HasSuffix(own, ".") && strings.HasPrefix(lowered, own) {
			return i, name[len(own):], true
		}
	}
	return 0, "", false
}

// A Query is a search of one list that was understood.
type Query[R any] struct {
	list  *List[R]
	root  expr
	bytes bool // a term of a field reads payloads
	words bool // there are words without a field
}

// Empty reports whether the query fits every row.
func (q *Query[R]) Empty() bool { return q.root == nil }

// ReadsBodies reports whether a field of the query reads payloads.
func (q *Query[R]) ReadsBodies() bool { return q.bytes }

// WantsBodies reports whether rows should come with payloads: a field reads them, or
// words without a field look into them as well.
func (q *Query[R]) WantsBodies() bool { return q.bytes || q.words && q.list.WordsReadBodies }
