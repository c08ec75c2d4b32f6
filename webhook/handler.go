package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// DefaultMaxBody is the largest body that a [Handler] reads, in bytes.
const DefaultMaxBody = 1 << 20

// Event is one verified message.
type Event struct {
	// ID is the same each time the sender tries again: use it to drop doubles.
	ID string
	// Timestamp is when this attempt was signed, in whole seconds and UTC.
	Timestamp time.Time
	// Type is the text of "type" at the top level of a JSON body, else empty.
	Type string
	// Body holds the bytes that were signed.
	Body []byte
}

// Unmarshal decodes the JSON body into v.
func (e Event) Unmarshal(v any) error { return json.Unmarshal(e.Body, v) }

// HandlerOption changes how a [Handler] works.
type HandlerOption func(*handler)

// WithMaxBody sets the largest body that is read, in bytes. n is positive.
func WithMaxBody(n int64) HandlerOption {
	if n <= 0 {
		panic("webhook: the largest body must be positive")
	}
	return func(h *handler) { h.maxBody = n }
}

// WithRefused calls f for each request that is answered 4xx, with the reason.
// The sender does not get to know it: log it where only you can read it.
func WithRefused(f func(r *http.Request, reason error)) HandlerOption {
	return func(h *handler) { h.refused = f }
}

type handler struct {
	verifier *Verifier
	next     http.Handler
	maxBody  int64
	refused  func(*http.Request, error)
}

// Errors that [WithRefused] gets beside those of [Verifier.Verify].
var (
	// ErrMethod: the request is not a POST; answered 405.
	ErrMethod = errors.New("webhook: method is not POST")
	// ErrTooBig: the body is over the limit; answered 413.
	ErrTooBig = errors.New("webhook: body too big")
	// ErrBody: the body did not arrive as announced; answered 400.
	ErrBody = errors.New("webhook: body cannot be read")
)

// Handler passes to next only what verifier accepts. The bytes that were signed are
// read before anything else touches them, next reads the very same from r.Body,
// and [EventOf] gives them with the id, time and type.
//
// What is refused gets 405 if it is not a POST, 413 if the body is over the
// limit, 400 if it breaks off, and 401 for anything that is wrong with the
// signature, without saying what.
func Handler(verifier *Verifier, next http.Handler, options ...HandlerOption) http.Handler {
	h := &handler{verifier: verifier, next: next, maxBody: DefaultMaxBody, refused: func(*http.Request, error) {}}
	for _, option := range options {
		option(h)
	}
	return h
}

// Receive is [Handler] for those who want nothing but the event: it answers 204
// if receive returns nil, and else 500, upon which the sender tries again.
func Receive(verifier *Verifier, receive func(context.Context, Event) error, options ...HandlerOption) http.Handler {
	return Handler(verifier, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, _ := EventOf(r)
		if err := receive(r.Context(), event); err != nil {
			http.Error(w, "not processed", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}), options...)
}

// eventKey is where Handler leaves the event: next may sit behind middleware that
// wraps the body, and only the context passes through that.
type eventKey struct{}

// EventOf returns the verified message of a request that a [Handler] passed on.
// ok is false for every other request.
func EventOf(r *http.Request) (event Event, ok bool) {
	event, ok = r.Context().Value(eventKey{}).(Event)
	return event, ok
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event, err := h.accept(w, r)
	if err != nil {
		h.refused(r, err)
		refuse(w, err)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), eventKey{}, event))
	r.Body = io.NopCloser(bytes.NewReader(event.Body))
	r.ContentLength = int64(len(event.Body))
	h.next.ServeHTTP(w, r)
}

func (h *handler) accept(w http.ResponseWriter, r *http.Request) (Event, error) {
	if r.Method != http.MethodPost {
		return Event{}, ErrMethod
	}
	body, err := h.readBody(w, r)
	if err != nil {
		return Event{}, err
	}
	signed, err := h.verifier.verify(r.Header, body)
	if err != nil {
		return Event{}, err
	}
	return Event{
		ID:        signed.id,
		Timestamp: time.Unix(signed.unixSeconds, 0).UTC(),
		Type:      typeOf(body),
		Body:      body,
	}, nil
}

func (h *handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > h.maxBody {
		return nil, ErrTooBig
	}
	// MaxBytesReader also has the server close a connection whose body is not
	// read to its end.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBody))
	if _, tooBig := errors.AsType[*http.MaxBytesError](err); tooBig {
		return nil, ErrTooBig
	}
	if err != nil {
		return nil, errors.Join(ErrBody, err)
	}
	return body, nil
}

// refuse answers by class only: a forger learns nothing about the reason.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusUnauthorized
	switch {
	case errors.Is(err, ErrMethod):
		w.Header().Set("Allow", http.MethodPost)
		status = http.StatusMethodNotAllowed
	case errors.Is(err, ErrTooBig):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrBody):
		status = http.StatusBadRequest
	}
	http.Error(w, http.StatusText(status), status)
}

func typeOf(body []byte) string {
	var envelope struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return ""
	}
	return envelope.Type
}
