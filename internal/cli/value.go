package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/config"
)

// badValue says what is wrong with the value of a flag, and what to write instead.
type badValue struct{ what, fix string }

// Error continues the value to a sentence: "is not …".
func (b *badValue) Error() string { return b.what }

// choice is a flag value out of a few words.
type choice struct {
	value *string
	words []string
}

func newChoice(to *string, preset string, words ...string) *choice {
	*to = preset
	return &choice{value: to, words: words}
}

// String, Set and Type make it a pflag.Value.
func (c *choice) String() string { return *c.value }

// Set takes one of the words and refuses everything else.
func (c *choice) Set(text string) error {
	if slices.Contains(c.words, text) {
		*c.value = text
		return nil
	}
	bad := &badValue{what: "is not one of " + strings.Join(c.words, ", "), fix: "Write one of them."}
	if near := config.Nearest(text, c.words); near != "" {
		bad.fix = "Did you mean " + near + "?"
	}
	return bad
}

// Type is what help shows for the value.
func (c *choice) Type() string { return strings.Join(c.words, "|") }

// text is a flag value that is taken as it is; kind is what help shows for it.
type text struct {
	to   *string
	kind string
}

// String, Set and Type make it a pflag.Value.
func (t text) String() string { return *t.to }

// Set keeps the text.
func (t text) Set(value string) error { *t.to = value; return nil }

// Type is what help shows for the value.
func (t text) Type() string { return t.kind }

// texts is a flag that can be repeated; with a separator one value can hold several.
type texts struct {
	to        *[]string
	kind      string
	separator string
}

// String is empty, for these flags have no default.
func (t texts) String() string { return "" }

// Set adds what it is given.
func (t texts) Set(value string) error {
	if t.separator == "" {
		*t.to = append(*t.to, value)
		return nil
	}
	*t.to = append(*t.to, strings.Split(value, t.separator)...)
	return nil
}

// Type is what help shows for the value.
func (t texts) Type() string { return t.kind }

// span is a duration from least to most; most 0: without an end.
type span struct {
	to          *time.Duration
	least, most time.Duration
}

// String, Set and Type make it a pflag.Value.
func (s span) String() string { return config.FormatDuration(*s.to) }

// Set reads a duration as the settings of the server are read.
func (s span) Set(value string) error {
	d, err := config.ParseDuration(value)
	switch {
	case err != nil:
		return &badValue{"is not a duration", "Write a number with a unit, such as 500ms, 10s or 1h."}
	case s.most > 0 && (d < s.least || d > s.most):
		return &badValue{fmt.Sprintf("is not from %s to %s", config.FormatDuration(s.least), config.FormatDuration(s.most)), "Write a duration in between, such as 10s."}
	case d < s.least:
		return &badValue{"is less than " + config.FormatDuration(s.least), "Write a longer one, such as 10s."}
	}
	*s.to = d
	return nil
}

// Type is what help shows for the value.
func (s span) Type() string { return "DURATION" }
