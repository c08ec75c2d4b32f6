package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// call is one request on its way through a handler.
type call struct {
	*API
	w      http.ResponseWriter
	r      *http.Request
	id     string // of the request
	route  *route
	values [maxParams]string
	key    hook.Key // zero on open routes; of a member one that stands for it
	// member and session are those of the cookie; zero: the caller has a key or nothing.
	member  hook.Member
	session hook.Session
	target  string // for the audit log; empty: the path
	now     time.Time
	body    []byte
	held    int64      // bytes of the budget for bodies
	query   url.Values // read by params()
	// ofSource says that the endpoints and messages of the path belong to a source.
	ofSource bool
	// sourceUIDs are those of the sources by id, read by withUID.
	sourceUIDs map[hook.ID]string
}

// reply is what a handler answers: a status, and a body to encode or one that is
// JSON already.
type reply struct {
	status int
	body   any
	json   []byte      // complete; JSON unless the header says otherwise
	header http.Header // added to the answer; nil: nothing
}

func ok(body any) (reply, error)      { return reply{status: http.StatusOK, body: body}, nil }
func created(body any) (reply, error) { return reply{status: http.StatusCreated, body: body}, nil }
func noContent() (reply, error)       { return reply{status: http.StatusNoContent}, nil }

func (c *call) ctx() context.Context { return c.r.Context() }

// value gives a path parameter.
func (c *call) value(name string) string {
	for i, p := range c.route.params {
		if p == name {
			return c.values[i]
		}
	}
	return ""
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled bounds the buffers that are kept.
const maxPooled = 1 << 16

// send writes the reply. An error means that nothing was written.
func (c *call) send(rep reply) error {
	if rep.status == 0 {
		return nil // the handler has answered itself
	}
	for k, v := range rep.header {
		c.w.Header()[k] = v
	}
	switch {
	case rep.json != nil:
		c.write(rep.status, rep.json)
	case rep.body == nil:
		c.w.WriteHeader(rep.status)
	default:
		buf, _ := buffers.Get().(*bytes.Buffer)
		defer func() {
			if buf.Cap() <= maxPooled {
				buffers.Put(buf)
			}
		}()
		buf.Reset()
		if err := encode(buf, rep.body); err != nil {
			return err
		}
		c.write(rep.status, buf.Bytes())
	}
	return nil
}

// buffered is how long an answer the server surely holds back until it is whole.
const buffered = 1024

var jsonType = []string{"application/json"}

func (c *call) write(status int, body []byte) {
	h := c.w.Header()
	if h["Content-Type"] == nil {
		h["Content-Type"] = jsonType
	}
	if len(body) > buffered {
		// Shorter answers get their length from the server, which holds them back.
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	c.w.WriteHeader(status)
	c.w.Write(body)
}

// encode writes v as JSON with the characters of payloads left as they are.
func encode(buf *bytes.Buffer, v any) error {
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// path is the path of the request, the same with and without a trailing slash.
func (c *call) path() string { return strings.TrimSuffix(c.r.URL.Path, "/") }
