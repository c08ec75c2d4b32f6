package cli

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Streams are what a command reads, writes and finds around it.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Which of them are terminals.
	InTerminal, OutTerminal, ErrTerminal bool
	// Env is the environment in the form of os.Environ.
	Env []string
}

// Standard gives the streams of the process.
func Standard() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Environ(),
		InTerminal: isTerminal(os.Stdin), OutTerminal: isTerminal(os.Stdout), ErrTerminal: isTerminal(os.Stderr),
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// getenv gives a variable; the last one of a name counts, as in a shell.
func (s *Streams) getenv(name string) string {
	value := ""
	for _, pair := range s.Env {
		if n, v, ok := strings.Cut(pair, "="); ok && n == name {
			value = v
		}
	}
	return value
}
