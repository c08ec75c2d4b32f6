package config

import "strings"

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Where string // flag, variable or file and line
	What  string // continues Where to a sentence: "is not …"
	Fix   string // what to do, as a sentence
}

// Error lists everything that is wrong.
type Error struct {
	Problems []Problem
}

// Error gives one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Where + " " + p.What
		if p.Fix != "" {
			lines[i] += ". " + p.Fix
		}
	}
	return strings.Join(lines, "\n")
}

// badValue is what a setter reports: what is wrong with the text, and what to
// write instead.
type badValue struct {
	what, fix string
}

func (e *badValue) Error() string { return e.what }

func problemOf(s Setting, v given, err error) Problem {
	p := Problem{Where: string(v.origin), What: err.Error()}
	if bad, ok := err.(*badValue); ok { //nolint:errorlint // setters return it unwrapped
		p.Fix = bad.fix
	}
	if !s.Secret && !hidesPassword(v.text) {
		p.Where += " " + quote(v.text)
	}
	return p
}

// hidesPassword reports whether a text may hold a password of a URL.
func hidesPassword(text string) bool {
	return strings.Contains(text, "://") && (strings.Contains(text, "@") || strings.Contains(text, "password"))
}

func quote(text string) string {
	if text == "" || strings.ContainsAny(text, " \t\n\"") {
		return `"` + text + `"`
	}
	return text
}

// Nearest gives the candidate that text is most likely a misspelling of, or ""
// if none is close.
func Nearest(text string, candidates []string) string {
	best, found := "", 1+max(1, len(text)/3)
	text = strings.ToLower(text)
	for _, c := range candidates {
		d := distance(text, strings.ToLower(c))
		if len(text) >= 3 && (strings.HasPrefix(text, c) || strings.HasPrefix(c, text)) {
			d = 1 // cut short, or gone on too long
		}
		if d < found {
			best, found = c, d
		}
	}
	return best
}

// distance is how many single characters must be inserted, removed, replaced or
// swapped with their neighbour to turn a into b.
func distance(a, b string) int {
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
