package testx

import (
	"errors"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// patience is how long a test waits for something that must come. It is no
// pause: nobody waits longer than the thing takes.
const patience = 30 * time.Second

// Equal fails the test unless got and want are the same, and names each place
// where they differ. Diff says what counts as the same.
func Equal[T any](tb testing.TB, got, want T, what ...string) {
	tb.Helper()
	if d := Diff(got, want); d != "" {
		tb.Fatalf("%s differs (- got, + want):\n%s", label(what, "value"), d)
	}
}

// NoError fails the test if err is not nil.
func NoError(tb testing.TB, err error, what ...string) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("%s: %v", label(what, "unexpected error"), err)
	}
}

// Must gives v, or fails the test if err is not nil: testx.Must(f())(t).
func Must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		NoError(tb, err)
		return v
	}
}

// True fails the test if ok is false.
func True(tb testing.TB, ok bool, what string) {
	tb.Helper()
	if !ok {
		tb.Fatalf("not true: %s", what)
	}
}

// Code fails the test unless err is a *hook.Error of this code.
func Code(tb testing.TB, err error, want hook.Code, what ...string) {
	tb.Helper()
	var known *hook.Error
	switch {
	case err == nil:
		tb.Fatalf("%s: no error, want code %q", label(what, "refusal"), want)
	case !errors.As(err, &known):
		tb.Fatalf("%s: %T %v, want a *hook.Error of code %q", label(what, "refusal"), err, err, want)
	case known.Code != want:
		tb.Fatalf("%s: code %q (%v), want %q", label(what, "refusal"), known.Code, err, want)
	}
}

// Receive gives the next value of a channel; it fails the test if none comes or
// the channel is closed.
func Receive[T any](tb testing.TB, from <-chan T, what string) T {
	tb.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v, open := <-from:
		if !open {
			tb.Fatalf("%s: the channel is closed", what)
		}
		return v
	case <-timer.C:
		tb.Fatalf("%s: nothing came within %v", what, patience)
	}
	panic("not reached")
}

// Closed waits until the channel is closed, throwing away what comes before.
func Closed[T any](tb testing.TB, ch <-chan T, what string) {
	tb.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case _, open := <-ch:
			if !open {
				return
			}
		case <-timer.C:
			tb.Fatalf("%s: still open after %v", what, patience)
		}
	}
}

// Eventually waits until condition is true. It asks at once and after each
// value of changed, never in between: whoever changes the state must tell.
func Eventually[T any](tb testing.TB, changed <-chan T, condition func() bool, what string) {
	tb.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for !condition() {
		select {
		case _, open := <-changed:
			if !open && !condition() {
				tb.Fatalf("%s: not so, and nothing will change it any more", what)
			}
		case <-timer.C:
			tb.Fatalf("%s: not so within %v", what, patience)
		}
	}
}

func label(what []string, otherwise string) string {
	if len(what) == 0 {
		return otherwise
	}
	return what[0]
}
