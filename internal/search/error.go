package search

import "fmt"

// Error says what in a query cannot be understood, and where.
type Error struct {
	At  int    // character from 1; one behind the last if something is missing there
	Msg string // fit to show; it repeats nothing but names of fields and short values
}

// Error gives the place and what is wrong with it.
func (e *Error) Error() string { return fmt.Sprintf("at character %d: %s", e.At, e.Msg) }

func errorAt(at int, format string, args ...any) *Error {
	return &Error{At: at + 1, Msg: fmt.Sprintf(format, args...)}
}
