package cli

import "strconv"

// paint colours text, or leaves it. Colour never carries a meaning alone.
type paint bool

func (p paint) with(code int, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + strconv.Itoa(code) + "m" + text + "\x1b[0m"
}

func (p paint) good() string              { return p.with(32, "✓") }
func (p paint) bad() string               { return p.with(31, "✕") }
func (p paint) wait(text string) string   { return p.with(33, text) }
func (p paint) quiet(text string) string  { return p.with(2, text) }
func (p paint) strong(text string) string { return p.with(1, text) }

// The choices of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// paintFor decides by --color, then by NO_COLOR, CLICOLOR_FORCE and TERM, then
// by whether the stream is a terminal.
func (s *Streams) paintFor(choice string, terminal bool) paint {
	switch {
	case choice == colorAlways:
		return true
	case choice == colorNever || s.getenv("NO_COLOR") != "":
		return false
	case s.getenv("CLICOLOR_FORCE") != "" && s.getenv("CLICOLOR_FORCE") != "0":
		return true
	case s.getenv("TERM") == "dumb":
		return false
	}
	return paint(terminal)
}
