package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
)

// The exit codes. They are a promise to scripts: changing one is a breaking change.
const (
	ExitOK          = 0
	ExitError       = 1   // unexpected
	ExitUsage       = 2   // bad flag or value, or a missing answer
	ExitDenied      = 3   // not signed in or not allowed
	ExitNotFound    = 4   // there is no such thing
	ExitConflict    = 5   // conflict or failed precondition
	ExitInvalid     = 6   // the server refused the input
	ExitUnreachable = 7   // no answer, timeout, TLS
	ExitNo          = 8   // the answer is no: a delivery failed, a server is not ready
	ExitLimited     = 9   // rate-limited after retries
	ExitInterrupted = 130 // SIGINT
	ExitTerminated  = 143 // SIGTERM
)

// failure is an error as a person reads it.
type failure struct {
	exit      int
	code      string // stable name, for programs
	what      string // what failed, without a full stop
	why       string
	fix       string
	requestID string
	err       error
}

func (f *failure) Error() string {
	if f.why == "" {
		return f.what
	}
	return f.what + ": " + f.why
}

func (f *failure) Unwrap() error { return f.err }

// usage says that the command was given wrongly.
func usage(what, fix string) *failure {
	return &failure{exit: ExitUsage, code: "usage", what: what, fix: fix}
}

// Interrupted is the cause of a context that a signal ended.
type Interrupted struct{ Signal syscall.Signal }

// Error names the signal.
func (i *Interrupted) Error() string { return "stopped by " + i.Signal.String() }

// ExitCode is the code that shells expect: 128 and the signal's number.
func (i *Interrupted) ExitCode() int { return 128 + int(i.Signal) }

// failed turns any error into a failure; what names the thing that was tried.
func failed(ctx context.Context, what string, err error) *failure {
	var known *failure
	var refused *client.Error
	var unreachable *client.UnreachableError
	var settings *config.Error
	var inUse *server.DatabaseInUseError
	var stopped *Interrupted
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(context.Cause(ctx), &stopped):
		return &failure{exit: stopped.ExitCode(), code: "interrupted", what: what, why: stopped.Error(), err: err}
	case errors.As(err, &refused):
		return &failure{
			exit: exitOfStatus(refused), code: refused.Code, what: what, why: detailOf(refused),
			fix: refused.Hint, requestID: refused.RequestID, err: err,
		}
	case errors.As(err, &unreachable):
		return &failure{
			exit: ExitUnreachable, code: "unreachable", what: what, why: unreachable.Error(),
			fix: "Check that the server runs and --server is its address; `grapnel dev` starts one.", err: err,
		}
	case errors.As(err, &settings):
		f := &failure{exit: ExitUsage, code: "bad_settings", what: what, why: settings.Error(), err: err}
		if len(settings.Problems) == 1 {
			p := settings.Problems[0]
			f.why, f.fix = p.Where+" "+p.What+".", p.Fix
		}
		return f
	case errors.As(err, &inUse):
		return &failure{
			exit: ExitConflict, code: "database_in_use", what: what, why: inUse.Error() + ".",
			fix: "Stop the other process, or give this one a database of its own with --db.", err: err,
		}
	}
	f := &failure{exit: ExitError, code: "error", what: what, why: err.Error(), err: err}
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		f.fix = hint.Hint()
	}
	return f
}

// detailOf is what the server says is wrong: one line for each value.
func detailOf(e *client.Error) string {
	if len(e.Items) == 0 {
		return e.Detail
	}
	lines := make([]string, len(e.Items))
	for i, item := range e.Items {
		place := item.Loc
		if len(place) > 1 { // the first one is body, path, query or header
			place = place[1:]
		}
		lines[i] = strings.ReplaceAll(strings.Join(place, "."), ".[", "[") + " " + item.Msg
	}
	return strings.Join(lines, "\n")
}

func exitOfStatus(e *client.Error) int {
	switch {
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return ExitDenied
	case e.Status == http.StatusNotFound || e.Status == http.StatusGone:
		return ExitNotFound
	case e.Status == http.StatusConflict || e.Status == http.StatusPreconditionFailed:
		return ExitConflict
	case e.Status == http.StatusTooManyRequests:
		return ExitLimited
	case e.Status == http.StatusRequestTimeout || e.Status == http.StatusGatewayTimeout ||
		e.Status == http.StatusBadGateway || e.Status == http.StatusServiceUnavailable:
		return ExitUnreachable
	case e.Status >= 400 && e.Status <= 499:
		return ExitInvalid
	}
	return ExitError
}

// print writes the four parts of a failure, or one JSON object.
func (f *failure) print(w io.Writer, asJSON bool, p paint) {
	if asJSON {
		f.printJSON(w)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", p.bad(), f.what)
	for _, part := range []struct{ name, text string }{{"why", f.why}, {"fix", f.fix}, {"request", f.requestID}} {
		for i, line := range strings.Split(part.text, "\n") {
			if line == "" {
				continue
			}
			name := part.name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&b, "  %-8s %s\n", name, line)
		}
	}
	_, _ = io.WriteString(w, b.String())
}

func (f *failure) printJSON(w io.Writer) {
	type object struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		Hint      string `json:"hint,omitempty"`
		RequestID string `json:"request_id,omitempty"`
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(map[string]object{"error": {f.code, f.Error(), f.fix, f.requestID}})
}
