package search

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// fieldTerm reads the relation and the values behind the name of a field.
func (p *parser[R]) fieldTerm(start int, name string) (expr, *Error) {
	at, rest, found := p.query.list.field(name)
	if !found {
		return nil, errorAt(start, "there is no field %s here; put text that has a colon into quotes, fields are %s", shown(name), p.fieldNames())
	}
	f := &p.query.list.Fields[at].Def
	t := &term{at: start + 1, field: at}
	switch {
	case f.Kind == JSON:
		if t.path = pathOf(rest); t.path == nil {
			return nil, errorAt(start, "%s is followed by a path, such as %sdata.amount:1200", f.Name, f.Name)
		}
	case strings.HasSuffix(f.Name, "."):
		if t.rest = strings.Trim(rest, `"`); t.rest == "" {
			return nil, errorAt(start, "%s is followed by a name, such as %scontent-type:application/json", f.Name, f.Name)
		}
	}
	p.query.bytes = p.query.bytes || f.Body
	switch p.at(0) {
	case ':':
		p.pos++
	case '=':
		return nil, errorAt(p.pos, "write a colon in place of =")
	}
	for {
		one, err := p.value(f)
		if err != nil {
			return nil, err
		}
		t.tests = append(t.tests, one)
		if len(t.tests) > maxTerms {
			return nil, errorAt(p.pos, "a field has at most %d values", maxTerms)
		}
		if p.at(0) != ',' {
			break
		}
		p.pos++
	}
	if !p.end() && !unicode.IsSpace(p.at(0)) && p.at(0) != ')' {
		return nil, errorAt(p.pos, "a blank is missing here; put what belongs together into quotes")
	}
	return t, nil
}

func (p *parser[R]) fieldNames() string {
	names := make([]string, 0, len(p.query.list.Fields))
	for i := range p.query.list.Fields {
		name := p.query.list.Fields[i].Name
		if strings.HasSuffix(name, ".") {
			name += "…"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// shown is a piece of a query as an error repeats it.
func shown(text string) string {
	runes := []rune(text)
	if len(runes) > 30 {
		runes = append(runes[:30], '…')
	}
	return strconv.Quote(string(runes))
}

// The relations that can stand before a value.
var relations = []string{">=", "<=", ">", "<", "~"}

// value reads one value with its relation.
func (p *parser[R]) value(f *Def) (test, *Error) {
	start, rel := p.pos, ""
	for _, r := range relations {
		if strings.HasPrefix(string(p.text[p.pos:min(p.pos+2, len(p.text))]), r) {
			rel = r
			p.pos += len(r)
			break
		}
	}
	at := p.pos
	text, quoted, err := p.chunk(",")
	if err != nil {
		return test{}, err
	}
	if text == "" && !quoted {
		return test{}, errorAt(at, "%s needs a value; write * for any, or \"\" for an empty one", f.Name)
	}
	v := given{rel: rel, text: text, quoted: quoted, start: start, at: at}
	switch f.Kind {
	case Text:
		return v.ofText(f)
	case Word:
		return v.ofWord(f)
	case Number, Size:
		return v.ofNumber(f)
	case Time:
		return v.ofTime(f, p.now)
	case JSON:
		return v.ofJSON()
	}
	return test{}, errorAt(start, "%s cannot be searched", f.Name)
}

// given is a value as it stands in the query.
type given struct {
	rel, text string
	quoted    bool
	start, at int // of the relation, of the text
}

func (v *given) ofText(f *Def) (test, *Error) {
	switch v.rel {
	case "":
	case "~":
		return test{how: contains, Needle: newNeedle(v.text)}, nil
	default:
		return test{}, errorAt(v.start, "%s is a text and has no order; ~ asks for a part of it", f.Name)
	}
	return plainTest(v), nil
}

// plainTest reads the star of a value without a relation.
func plainTest(v *given) test {
	if !v.quoted {
		if v.text == "*" {
			return test{how: exists}
		}
		if prefix, ok := strings.CutSuffix(v.text, "*"); ok {
			return test{how: begins, Needle: newNeedle(prefix)}
		}
	}
	return test{how: equals, Needle: newNeedle(v.text), quoted: v.quoted}
}

func (v *given) ofWord(f *Def) (test, *Error) {
	word := strings.ToLower(v.text)
	if v.rel != "" || !slices.Contains(f.Values, word) {
		return test{}, errorAt(v.at, "%s is one of %s", f.Name, strings.Join(f.Values, ", "))
	}
	return test{how: equals, Needle: newNeedle(word)}, nil
}

// between splits a range; ok is false if it is none.
func (v *given) between() (low, high string, ok bool) {
	if v.quoted || v.rel != "" {
		return "", "", false
	}
	return strings.Cut(v.text, "..")
}

func (v *given) ofNumber(f *Def) (test, *Error) {
	t := test{how: within, low: math.MinInt64, high: math.MaxInt64}
	if low, high, ok := v.between(); ok {
		var err *Error
		if low == "" && high == "" {
			return t, errorAt(v.at, "a range needs a beginning or an end")
		}
		if low != "" {
			if t.low, err = v.number(f, low, v.at); err != nil {
				return t, err
			}
		}
		if high != "" {
			if t.high, err = v.number(f, high, v.at+len([]rune(low))+2); err != nil {
				return t, err
			}
		}
		if t.low > t.high {
			return t, errorAt(v.at, "the range ends before it begins")
		}
		return t, nil
	}
	if v.text == "*" && v.rel == "" && !v.quoted {
		return t, nil
	}
	n, err := v.number(f, v.text, v.at)
	if err != nil {
		return t, err
	}
	switch v.rel {
	case "":
		t.low, t.high = n, n
	case ">":
		t.low = n + 1
	case ">=":
		t.low = n
	case "<":
		t.high = n - 1
	case "<=":
		t.high = n
	default:
		return t, errorAt(v.start, "%s is a number, which has no parts; compare it with >, < or a range", f.Name)
	}
	return t, nil
}

// units are those of a size, in lower case, the longest first.
var units = []struct {
	name string
	of   float64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"b", 1},
}

// most is beyond every size and count, and leaves room for one more.
const most = 1 << 53

func (v *given) number(f *Def, text string, at int) (int64, *Error) {
	if f.Kind == Number {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n > most || n < -most {
			return 0, errorAt(at, "%s is a whole number", f.Name)
		}
		return n, nil
	}
	unit, digits := 1.0, strings.ToLower(text)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(digits, u.name); ok {
			digits, unit = rest, u.of
			break
		}
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || strings.Trim(digits, "0123456789.") != "" || n*unit > most {
		return 0, errorAt(at, "%s is a size, such as 500, 10kB or 2MiB", f.Name)
	}
	return int64(n * unit), nil
}

func (v *given) ofTime(f *Def, now time.Time) (test, *Error) {
	low, high, isRange := v.between()
	if f.side != noBound {
		if isRange || v.rel != "" {
			return test{}, errorAt(v.start, "%s takes one time, such as 2h or 2026-11-01; at takes ranges", f.Name)
		}
		from, _, err := v.time(f, v.text, v.at, now)
		if f.side == lower {
			return test{how: within, from: from}, err
		}
		return test{how: within, to: from}, err
	}
	switch {
	case isRange && low == "" && high == "":
		return test{}, errorAt(v.at, "a range needs a beginning or an end")
	case isRange:
		return v.timeRange(f, low, high, now)
	case v.text == "*" && v.rel == "" && !v.quoted:
		return test{how: exists}, nil
	}
	from, to, err := v.time(f, v.text, v.at, now)
	if err != nil {
		return test{}, err
	}
	end := to
	if end.IsZero() { // a duration names a moment
		end = from
	}
	switch v.rel {
	case "":
		return test{how: within, from: from, to: to}, nil
	case ">":
		return test{how: within, from: end}, nil
	case ">=":
		return test{how: within, from: from}, nil
	case "<":
		return test{how: within, to: from}, nil
	case "<=":
		return test{how: within, to: end}, nil
	}
	return test{}, errorAt(v.start, "%s is a time, which has no parts; compare it with >, < or a range", f.Name)
}

func (v *given) timeRange(f *Def, low, high string, now time.Time) (t test, err *Error) {
	t.how = within
	if low != "" {
		if t.from, _, err = v.time(f, low, v.at, now); err != nil {
			return t, err
		}
	}
	if high != "" {
		at := v.at + len([]rune(low)) + 2
		from, to, err := v.time(f, high, at, now)
		if err != nil {
			return t, err
		}
		if t.to = to; to.IsZero() {
			t.to = from
		}
		if !t.from.Before(t.to) {
			return t, errorAt(v.at, "the range ends before it begins")
		}
	}
	return t, nil
}
