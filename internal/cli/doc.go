// Package cli is the command line: one file per command.
//
// What every command keeps to: data goes to stdout and everything else to
// stderr; without a terminal nothing is asked, shortened or coloured; an unknown
// value is refused; an error says what failed, why, what to do and the request
// id; exit codes are fixed (see exit.go). Each command is a client of the public
// API, except serve and dev, which run the server, and admin, which opens the
// database itself.
package cli
