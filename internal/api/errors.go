package api

import (
	"bytes"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const internalDetail = "The server failed. Its log has the cause under the request id."

// Kinds of faults, as clients know them.
const (
	typeValue  = "value_error"
	typeDecode = "value_error.jsondecode"
)

// fail answers with the error object. Only a *hook.Error is shown; anything else
// is logged and becomes an internal error.
func (c *call) fail(err error) {
	shown := c.shown(err)
	h := c.w.Header()
	status := shown.Code.Info().Status
	switch status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	case http.StatusTooManyRequests:
		if shown.RetryAfter > 0 {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(shown.RetryAfter.Seconds()))))
		}
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusRequestEntityTooLarge, http.StatusRequestTimeout:
		// The rest of the body is not read.
		h.Set("Connection", "close")
	}
	c.write(status, errorBody(shown, c.id))
}

func (c *call) shown(err error) *hook.Error {
	var e *hook.Error
	known := errors.As(err, &e)
	switch {
	case known && e.Code.Info().Status < http.StatusInternalServerError:
		return e
	case c.ctx().Err() != nil && errors.Is(err, c.ctx().Err()):
		// The caller has gone; nobody reads this answer and nothing failed.
		return hook.Unavailable(err)
	case known && e.Code == hook.CodeNotImplemented:
		return e
	}
	level := slog.LevelError
	if known && e.Code == hook.CodeUnavailable {
		level = slog.LevelWarn
	}
	c.Logger.Log(c.ctx(), level, "request failed", "requestId", c.id, "route", c.routeName(), "error", err)
	if known {
		return e
	}
	return &hook.Error{Code: hook.CodeInternal, Detail: internalDetail}
}

func (c *call) routeName() string {
	if c.route == nil {
		return ""
	}
	return c.route.id
}

// errorBody is the error object on the wire.
func errorBody(e *hook.Error, requestID string) []byte {
	var buf bytes.Buffer
	if err := encode(&buf, errorObject(e, requestID)); err != nil {
		return []byte(`{"code":"internal_error","detail":"The server failed."}`)
	}
	return buf.Bytes()
}

// errorObject is the wire form of e. A 422 always carries a list, for that is how
// clients tell it from the others.
func errorObject(e *hook.Error, requestID string) *apitype.Error {
	info := e.Code.Info()
	out := &apitype.Error{
		Code: string(e.Code), Title: info.Title, Status: info.Status,
		Detail: apitype.ErrorDetail{Text: e.Detail}, Hint: e.Hint, RequestID: requestID,
	}
	if out.Hint == "" {
		out.Hint = info.Remedy
	}
	if out.Detail.Text == "" {
		out.Detail.Text = info.Meaning
	}
	if info.Status != http.StatusUnprocessableEntity {
		return out
	}
	for _, f := range e.Fields {
		out.Detail.Items = append(out.Detail.Items, apitype.ErrorItem{Loc: f.Loc, Msg: f.Msg, Type: f.Type})
	}
	if out.Detail.Items == nil {
		loc := []string{"body"}
		if e.Code == hook.CodeIdempotency {
			loc = []string{"header", "idempotency-key"}
		}
		out.Detail.Items = []apitype.ErrorItem{{Loc: loc, Msg: out.Detail.Text, Type: typeValue}}
	}
	return out
}

// badRequest says that something of the request cannot be read.
func badRequest(detail string) *hook.Error {
	return &hook.Error{Code: hook.CodeBadRequest, Detail: detail}
}

// notAllowed says that the key is valid but may not do this.
func notAllowed(detail string) *hook.Error {
	return &hook.Error{Code: hook.CodeNotAllowed, Detail: detail}
}

// isCode reports whether err carries this code.
func isCode(err error, code hook.Code) bool {
	var e *hook.Error
	return errors.As(err, &e) && e.Code == code
}
