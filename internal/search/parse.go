package search

import (
	"strings"
	"time"
	"unicode"
)

const (
	maxQuery = 1000 // characters
	maxTerms = 50
	maxDepth = 10 // of parentheses
)

// Parse reads a query. The error is an *Error. now is what durations and days count from.
func (l *List[R]) Parse(text string, now time.Time) (*Query[R], error) {
	q := &Query[R]{list: l}
	p := &parser[R]{query: q, text: []rune(text), now: now.UTC()}
	if len(p.text) > maxQuery {
		return nil, errorAt(maxQuery, "a query has at most %d characters", maxQuery)
	}
	p.space()
	if p.end() {
		return q, nil
	}
	root, err := p.any(0)
	if err != nil {
		return nil, err
	}
	if !p.end() { // only a closing parenthesis stops the parser before the end
		return nil, errorAt(p.pos, "there is no ( that this ) closes")
	}
	q.root = root
	return q, nil
}

// parser walks over the characters of a query once.
type parser[R any] struct {
	query *Query[R]
	text  []rune
	pos   int
	terms int
	now   time.Time
}

func (p *parser[R]) end() bool { return p.pos >= len(p.text) }

// at gives the character some places ahead; 0 at the end.
func (p *parser[R]) at(ahead int) rune {
	if p.pos+ahead >= len(p.text) {
		return 0
	}
	return p.text[p.pos+ahead]
}

func (p *parser[R]) space() {
	for !p.end() && unicode.IsSpace(p.text[p.pos]) {
		p.pos++
	}
}

// keyword takes a word in capitals that stands alone.
func (p *parser[R]) keyword(word string) bool {
	end := p.pos + len(word)
	if end > len(p.text) || string(p.text[p.pos:end]) != word || end < len(p.text) && !unicode.IsSpace(p.text[end]) && p.text[end] != '(' && p.text[end] != ')' {
		return false
	}
	p.pos = end
	p.space()
	return true
}

// any reads alternatives joined by OR.
func (p *parser[R]) any(depth int) (expr, *Error) {
	first, err := p.all(depth)
	if err != nil {
		return nil, err
	}
	list := anyOf{first}
	for at := p.pos; p.keyword("OR"); at = p.pos {
		if p.end() || p.at(0) == ')' {
			return nil, errorAt(at, "something is missing after OR")
		}
		next, err := p.all(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, next)
	}
	if len(list) == 1 {
		return first, nil
	}
	return list, nil
}

// all reads terms up to OR, a closing parenthesis or the end.
func (p *parser[R]) all(depth int) (expr, *Error) {
	var list allOf
	for !p.end() && p.at(0) != ')' {
		at := p.pos
		if p.keyword("OR") {
			if len(list) == 0 {
				return nil, errorAt(at, "something is missing before OR")
			}
			p.pos = at
			break
		}
		one, err := p.term(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
		p.space()
	}
	switch len(list) {
	case 0:
		if depth == 0 {
			return nil, errorAt(p.pos, "there is no ( that this ) closes")
		}
		return nil, errorAt(p.pos, "something is missing before this )")
	case 1:
		return list[0], nil
	}
	return list, nil
}

func (p *parser[R]) term(depth int) (expr, *Error) {
	if p.terms++; p.terms > maxTerms {
		return nil, errorAt(p.pos, "a query has at most %d terms", maxTerms)
	}
	start := p.pos
	if p.at(0) == '-' {
		p.pos++
		if p.end() || unicode.IsSpace(p.at(0)) {
			return nil, errorAt(start, "a minus sign stands directly before what must not fit; write \"-\" to look for one")
		}
		if p.at(0) == '-' {
			return nil, errorAt(p.pos, "one minus sign is enough")
		}
		inner, err := p.plain(depth)
		if err != nil {
			return nil, err
		}
		return not{inner}, nil
	}
	return p.plain(depth)
}

// plain reads a term without its minus sign.
func (p *parser[R]) plain(depth int) (expr, *Error) {
	start := p.pos
	if p.at(0) == '(' {
		if depth == maxDepth {
			return nil, errorAt(start, "parentheses nest at most %d deep", maxDepth)
		}
		p.pos++
		p.space()
		inner, err := p.any(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.at(0) != ')' {
			return nil, errorAt(start, "there is no ) that closes this (")
		}
		p.pos++
		return inner, nil
	}
	for _, wrong := range [][2]string{{"AND", "terms that follow each other must all fit; leave AND away"}, {"NOT", "write a minus sign directly before what must not fit, in place of NOT"}} {
		if p.keyword(wrong[0]) {
			return nil, errorAt(start, "%s", wrong[1])
		}
	}
	if name, ok := p.name(); ok {
		return p.fieldTerm(start, name)
	}
	return p.word()
}

// name takes what stands before a relation. What has none is a word.
func (p *parser[R]) name() (string, bool) {
	var b strings.Builder
	quoted := false
	for i := 0; ; i++ {
		r := p.at(i)
		switch {
		case r == 0, !quoted && (unicode.IsSpace(r) || r == '(' || r == ')' || r == ','):
			return "", false
		case r == '"':
			if i == 0 {
				return "", false
			}
			quoted = !quoted
		case quoted:
			if r == '\\' && p.at(i+1) != 0 {
				b.WriteRune(r)
				i++
				r = p.at(i)
			}
		case r == ':' || r == '>' || r == '<' || r == '=':
			if i == 0 || r == ':' && p.at(i+1) == '/' && p.at(i+2) == '/' {
				return "", false // an address is a word
			}
			p.pos += i
			return b.String(), true
		}
		b.WriteRune(r)
	}
}

// word reads a word or a quoted text without a field.
func (p *parser[R]) word() (expr, *Error) {
	start := p.pos
	text, quoted, err := p.chunk(",")
	if err != nil {
		return nil, err
	}
	switch p.at(0) {
	case 0, ' ', '\t', '\n', '\r', ')':
	default:
		if !unicode.IsSpace(p.at(0)) {
			return nil, errorAt(p.pos, "a blank is missing here; put what belongs together into quotes")
		}
	}
	if !quoted {
		text = strings.TrimSuffix(text, "*") // a word looks for beginnings and parts anyway
	}
	if text == "" {
		return nil, errorAt(start, "there is nothing to look for")
	}
	p.query.words = true
	return word(newNeedle(text)), nil
}

// chunk reads text up to a blank, a parenthesis or one of the characters of stop, or a
// quoted text whole.
func (p *parser[R]) chunk(stop string) (text string, quoted bool, err *Error) {
	if p.at(0) == '"' {
		text, err = p.quoted()
		return text, true, err
	}
	var b strings.Builder
	for r := p.at(0); r != 0 && !unicode.IsSpace(r) && r != '(' && r != ')' && r != '"' && !strings.ContainsRune(stop, r); r = p.at(0) {
		b.WriteRune(r)
		p.pos++
	}
	return b.String(), false, nil
}

// quoted reads a text between quotes; a backslash takes the next character as it is.
func (p *parser[R]) quoted() (string, *Error) {
	start := p.pos
	var b strings.Builder
	for p.pos++; ; p.pos++ {
		switch r := p.at(0); r {
		case 0:
			return "", errorAt(start, "the quotes that begin here do not end")
		case '"':
			p.pos++
			return b.String(), nil
		case '\\':
			if p.at(1) != 0 {
				p.pos++
			}
			b.WriteRune(p.at(0))
		default:
			b.WriteRune(r)
		}
	}
}
