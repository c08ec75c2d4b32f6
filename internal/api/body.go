package api

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// shortBody is a body that gets its memory at once: it is about what the
// connection takes anyway.
const shortBody = 16 << 10

// readBody reads the whole body, at most limit bytes. A declared length over the
// limit is refused before anything is read, so a waiting client is never told to
// go on.
func (c *call) readBody(limit int64) ([]byte, error) {
	if c.body != nil {
		return c.body, nil
	}
	n := c.r.ContentLength
	if n > limit {
		return nil, tooLarge(limit)
	}
	var err error
	if n >= 0 && n <= shortBody {
		c.body = make([]byte, n)
		_, err = io.ReadFull(c.r.Body, c.body)
	} else {
		c.body, err = c.readLong(limit)
	}
	if err == nil {
		return c.body, nil
	}
	c.body = nil
	var shown *hook.Error
	var over *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &shown):
		return nil, shown
	case errors.As(err, &over):
		return nil, tooLarge(limit)
	case errors.As(err, &slow) && slow.Timeout():
		return nil, &hook.Error{Code: hook.CodeTimeout, Detail: "The body did not arrive in time.", Err: err}
	}
	return nil, &hook.Error{Code: hook.CodeBadRequest, Detail: "The body ended before its declared length.", Err: err}
}

// readLong reads a body into memory that grows with what has arrived, not with
// what was announced, and that the budget has room for.
func (c *call) readLong(limit int64) ([]byte, error) {
	from, whole := http.MaxBytesReader(c.w, c.r.Body, limit), c.r.ContentLength
	var body []byte
	for int64(len(body)) != whole {
		if len(body) == cap(body) {
			size := max(shortBody, 2*int64(cap(body)))
			if whole >= 0 {
				size = min(size, whole)
			}
			if !c.bodies.take(c.key.Env, size-c.held) {
				return nil, &hook.Error{Code: hook.CodeUnavailable, Detail: "Too many long requests are under way. Nothing was accepted."}
			}
			c.held = size
			body = append(make([]byte, 0, size), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF && whole < 0 {
			break
		}
		if err != nil && int64(len(body)) != whole {
			return nil, err
		}
	}
	return body, nil
}

func tooLarge(limit int64) *hook.Error {
	return &hook.Error{Code: hook.CodeTooLarge, Detail: "The body is longer than " + strconv.FormatInt(limit, 10) + " bytes."}
}

// decode reads the body as a JSON object into a T. Unknown members are ignored; of
// a member that is there twice, the last counts.
func decode[T any](c *call) (T, error) {
	var v T
	body, err := c.readBody(c.MaxBody)
	if err != nil {
		return v, err
	}
	err = decodeObject(body, &v, "body")
	return v, err
}

// decodeOptional is decode for a call whose body may be left out.
func decodeOptional[T any](c *call) (T, error) {
	body, err := c.readBody(c.MaxBody)
	if err == nil && len(body) == 0 {
		var v T
		return v, nil
	}
	return decode[T](c)
}

// decodeObject reads JSON and names the place of a fault, never the value.
func decodeObject(data []byte, v any, loc ...string) error {
	if !utf8.Valid(data) {
		return undecodable("is not valid UTF-8", loc...)
	}
	err := json.Unmarshal(data, v)
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		if !isObject(data) {
			return undecodable("must be a JSON object", loc...)
		}
		return nil
	case len(data) == 0:
		return undecodable("is empty; a JSON object is due", loc...)
	case errors.As(err, &syntax):
		return undecodable("is not valid JSON at byte "+strconv.FormatInt(syntax.Offset, 10), loc...)
	case errors.As(err, &mismatch):
		for part := range strings.SplitSeq(mismatch.Field, ".") {
			if part != "" {
				loc = append(loc, part)
			}
		}
		return undecodable("must be "+wanted(mismatch.Type), loc...)
	}
	return undecodable("has a value that cannot be read, such as a malformed time", loc...)
}

func isObject(data []byte) bool {
	for _, c := range data {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c == '{'
		}
	}
	return false
}

func undecodable(msg string, loc ...string) *hook.Error {
	return &hook.Error{Code: hook.CodeInvalid, Fields: []hook.Field{{Loc: loc, Msg: msg, Type: typeDecode}}}
}

// wanted names a Go type in the words of JSON.
func wanted(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind := t.Kind()
	switch {
	case kind == reflect.String:
		return "a string"
	case kind == reflect.Bool:
		return "true or false"
	case kind >= reflect.Int && kind <= reflect.Uint64:
		return "a whole number in its range"
	case kind == reflect.Slice:
		return "a list"
	}
	return "an object"
}
