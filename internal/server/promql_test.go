package server_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// selector is one use of a metric in a PromQL expression, or one series of
// /metrics: both are a name with labels in braces.
type selector struct {
	metric   string
	matchers []matcher
}

type matcher struct{ label, op, value string }

// label gives the value of a label of a series.
func (s selector) label(name string) (string, bool) {
	for _, m := range s.matchers {
		if m.label == name {
			return m.value, true
		}
	}
	return "", false
}

// fits reports whether the value of a label passes the matcher.
func (m matcher) fits(value string) (bool, error) {
	switch m.op {
	case "=":
		return value == m.value, nil
	case "!=":
		return value != m.value, nil
	}
	pattern, err := regexp.Compile("^(?:" + m.value + ")$")
	if err != nil {
		return false, err
	}
	return pattern.MatchString(value) == (m.op == "=~"), nil
}

// query is what a PromQL expression uses.
type query struct {
	selectors []selector
	grouping  []string // labels of by, on and the like
}

// What may stand before an opening parenthesis. An expression with another name
// is refused, so that a misspelt function is found too.
var (
	promFunctions = []string{"rate", "increase", "deriv", "histogram_quantile", "sum", "max", "min", "avg", "count"}
	promClauses   = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}
	promWords     = []string{"and", "or", "unless", "bool", "offset"}
)

// promScanner takes an expression apart without understanding its grammar: what is
// neither function nor keyword is a metric.
type promScanner struct {
	text string
	pos  int
}

var (
	promName   = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*`)
	promNumber = regexp.MustCompile(`^[0-9][0-9.a-zA-Z]*`)
	promRange  = regexp.MustCompile(`^\[[^\]]+\]`)
	promOp     = regexp.MustCompile(`^(?:=~|!~|!=|==|>=|<=|=|>|<|[-+*/%^(),])`)
	promString = regexp.MustCompile(`^"(?:[^"\\]|\\.)*"`)
)

// take gives what the pattern finds here, and goes on behind it.
func (s *promScanner) take(pattern *regexp.Regexp) string {
	s.text = strings.TrimLeft(s.text[s.pos:], " \n\t")
	found := pattern.FindString(s.text)
	s.pos = len(found)
	return found
}

func (s *promScanner) rest() string { return strings.TrimSpace(s.text[s.pos:]) }

func scanPromQL(text string) (query, error) {
	s := &promScanner{text: text}
	var q query
	for s.rest() != "" {
		name := s.take(promName)
		switch next := s.rest(); {
		case name == "":
			if s.take(promNumber) == "" && s.take(promRange) == "" && s.take(promOp) == "" {
				return q, fmt.Errorf("cannot be read from %q on", s.rest())
			}
		case slices.Contains(promWords, name):
		case slices.Contains(promClauses, name):
			labels, err := s.list()
			if err != nil {
				return q, err
			}
			q.grouping = append(q.grouping, labels...)
		case slices.Contains(promFunctions, name):
		case strings.HasPrefix(next, "("):
			return q, fmt.Errorf("%s is not a function", name)
		default:
			found, err := s.selector(name)
			if err != nil {
				return q, err
			}
			q.selectors = append(q.selectors, found)
		}
	}
	if len(q.selectors) == 0 {
		return q, fmt.Errorf("names no metric")
	}
	return q, nil
}

// list reads the labels of a clause.
func (s *promScanner) list() (labels []string, err error) {
	if s.take(promOp) != "(" {
		return nil, fmt.Errorf("( is missing before %q", s.rest())
	}
	for {
		labels = append(labels, s.take(promName))
		switch op := s.take(promOp); op {
		case ")":
			return labels, nil
		case ",":
		default:
			return nil, fmt.Errorf("%q in a list of labels", op)
		}
	}
}

var (
	promOpen  = regexp.MustCompile(`^\{`)
	promClose = regexp.MustCompile(`^\}`)
	promComma = regexp.MustCompile(`^,`)
)

// selector reads the matchers behind a metric's name.
func (s *promScanner) selector(name string) (selector, error) {
	found := selector{metric: name}
	if s.take(promOpen) == "" {
		return found, nil
	}
	for s.take(promClose) == "" {
		m := matcher{label: s.take(promName), op: s.take(promOp)}
		value, err := strconv.Unquote(s.take(promString))
		if m.label == "" || !slices.Contains([]string{"=", "!=", "=~", "!~"}, m.op) || err != nil {
			return found, fmt.Errorf("the matcher before %q cannot be read", s.rest())
		}
		m.value = value
		found.matchers = append(found.matchers, m)
		s.take(promComma)
	}
	return found, nil
}

func TestExpressionsAreTakenApart(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`up`: `[up]`,
		`sum by (a, b) (rate(x_total{c="d",e!~"f|g"}[5m])) / 3`:              `[x_total c=d e!~f|g] a b`,
		`histogram_quantile(0.5, sum by (le) (rate(y_bucket{}[$__rate]))) `:  `[y_bucket] le`,
		`max(m) > 1e3 and on (job) n{l="}\""} offset 5m == bool 0 unless -z`: `[m] [n l=}"] [z] job`,
		`rat(x)`:        `rat is not a function`,
		`x{a="b"`:       `the matcher before "" cannot be read`,
		`x{a:"b"}`:      `the matcher before "}" cannot be read`,
		`{a="b"}`:       `cannot be read from "{a=\"b\"}" on`,
		`sum by a (x)`:  `( is missing before "a (x)"`,
		`sum by (a (x)`: `"(" in a list of labels`,
		`1 + 2`:         `names no metric`,
	} {
		q, err := scanPromQL(text)
		var got []string
		for _, s := range q.selectors {
			one := s.metric
			for _, m := range s.matchers {
				one += " " + m.label + m.op + m.value
			}
			got = append(got, "["+one+"]")
		}
		got = append(got, q.grouping...)
		if err != nil {
			got = []string{err.Error()}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", text, s, want)
		}
	}
}
