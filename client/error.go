package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// Error is a failure that the server reported.
type Error struct {
	Status    int                 // HTTP status, 300 to 599
	Code      string              // stable name of the cause, such as "not_found"
	Title     string              // short name of the cause
	Detail    string              // what went wrong, in one line
	Items     []apitype.ErrorItem // each wrong value, for status 422
	Hint      string              // what to do; may be empty
	RequestID string              // names the request in the server's log
	// RetryAfter is what the server asked to wait; 0: nothing.
	RetryAfter time.Duration
}

// Error gives status, code and detail in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Detail)
}

// UnreachableError says that there was no answer: no connection, a timeout, a
// TLS failure, or a connection that broke.
type UnreachableError struct {
	Server string // its URL
	Err    error
}

// Error names the server and the cause.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from %s: %s", e.Server, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// errorOf reads the error object of an answer. What is no such object, as from
// a proxy in between, is told by its status alone.
func errorOf(resp *http.Response, body []byte) *Error {
	e := &Error{Status: resp.StatusCode, RequestID: resp.Header.Get("X-Request-Id")}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	var object apitype.Error
	if err := json.Unmarshal(body, &object); err != nil || object.Code == "" {
		e.Code = "unexpected_answer"
		e.Title = http.StatusText(resp.StatusCode)
		e.Detail = fmt.Sprintf("The answer has status %d and is not from a Grapnel server.", resp.StatusCode)
		e.Hint = "Check the server's URL."
		return e
	}
	e.Code, e.Title, e.Hint = object.Code, object.Title, object.Hint
	e.Detail, e.Items = object.Detail.String(), object.Detail.Items
	if object.RequestID != "" {
		e.RequestID = object.RequestID
	}
	return e
}
