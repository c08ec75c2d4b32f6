package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/provider"
)

// call is one request on its way through the gateway.
type call struct {
	*Gateway
	w    http.ResponseWriter
	r    *http.Request
	now  time.Time
	from netip.Addr
	rest string // of the path, after the token
	url  string // that the sender was given, with the query as it came
	told bool   // the operator has named the address in url

	src      *source
	id       hook.ID // of the request
	envelope *hook.Envelope
	body     []byte
	result   string
}

// ServeHTTP answers everything below Prefix. It must see paths as clients send them.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := g.Elapsed()
	// The stores keep microseconds.
	c := &call{Gateway: g, w: w, r: r, now: g.Now().UTC().Truncate(time.Microsecond), from: g.ClientOf(r)}
	defer func() { g.Observed(c.result, g.Elapsed()-began) }()
	defer func() {
		if p := recover(); p != nil {
			c.panicked(p)
		}
	}()
	c.receive()
}

// panicked answers 500 and logs where it happened.
func (c *call) panicked(p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	c.Logger.ErrorContext(c.r.Context(), "handler panicked", "request", hook.KindRequest.Format(c.id), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	c.result = resultUnavailable
	failure := refusal{status: http.StatusInternalServerError, close: true}
	failure.write(c.w, "")
}

// receive takes the steps in their order; each one that fails answers.
func (c *call) receive() {
	token, rest, ok := splitPath(c.r.URL.EscapedPath())
	if ok {
		var err error
		if c.src, err = c.find(c.r.Context(), HashToken(token)); err != nil {
			c.unavailable(err)
			return
		}
	}
	if c.src == nil {
		c.unknown()
		return
	}
	c.rest, c.id = rest, hook.NewID(c.now)
	c.w.Header()[HeaderRequest] = []string{hook.KindRequest.Format(c.id)}
	limit := c.src.maxBody(c.MaxBody)
	if refused := c.admit(limit); refused != nil {
		c.refuse(*refused)
		return
	}
	held, refused := c.read(limit)
	defer c.bodies.give(held)
	if refused != nil {
		c.refuse(*refused)
		return
	}
	c.envelope = envelope(c.r, rest, c.src.forward)
	base, told := c.PublicURL(c.r)
	c.url, c.told = urlOf(base, token, c.envelope), told
	c.decide()
}

// unknown answers for what is not there. A disabled source is not there either.
func (c *call) unknown() {
	c.result = resultUnknown
	refused := refusal{status: http.StatusNotFound, close: true}
	if wait, ok := c.searches.take(neighbourhood(c.from), searchRate, searchBurst, c.Elapsed()); !ok {
		refused = refusal{status: http.StatusTooManyRequests, retry: wholeSeconds(wait), close: true}
	}
	refused.write(c.w, "")
}

// unavailable answers when nothing can be read or stored. What became of the event
// may be unknown; the sender comes again, and what is stored is not stored twice.
func (c *call) unavailable(err error) {
	c.result = resultUnavailable
	if c.r.Context().Err() == nil {
		c.Logger.WarnContext(c.r.Context(), "a received webhook was not stored", "error", err)
	}
	refused := refusal{status: http.StatusServiceUnavailable, retry: 1}
	refused.write(c.w, "")
}

// admit decides before the body.
func (c *call) admit(limit int64) *refusal {
	if refused := c.src.admit(c.r, c.from, c.now, limit); refused != nil {
		return refused
	}
	rate := c.src.Settings.Rate
	if rate <= 0 {
		return nil
	}
	share := float64(rate) / float64(max(1, c.Nodes()))
	if wait, ok := c.rates.take(c.src.ID, share, max(1, share), c.Elapsed()); !ok {
		c.result = resultLimited
		return &refusal{status: http.StatusTooManyRequests, reason: reasonRate, retry: wholeSeconds(wait), close: true, detail: "The source takes no more requests a second than its rate."}
	}
	return nil
}

// read reads the body within its time.
func (c *call) read(limit int64) (held int64, refused *refusal) {
	if c.r.ProtoMajor == 1 && len(c.r.TransferEncoding) > 0 {
		// Perhaps there was a length too, which net/http does not tell: then the connection
		// must end (RFC 9112, 6.3), for somebody in between may have gone by it.
		c.w.Header()["Connection"] = []string{"close"}
	}
	// Without deadlines, as in a test without a connection, the server's own hold.
	_ = http.NewResponseController(c.w).SetReadDeadline(deadline(c.BodyTimeout))
	body, held, err := c.bodies.readBody(c.r.Body, c.r.ContentLength, limit)
	if err != nil {
		why := bodyRefusal(err, limit)
		return held, &why
	}
	c.body = body
	return held, nil
}

// decide verifies and does what follows from it.
func (c *call) decide() {
	src := c.src
	if src.verifier == nil {
		c.refuse(src.fault)
		return
	}
	req := provider.Request{Method: c.r.Method, URL: c.url, Header: c.r.Header, Body: c.body}
	verdict := src.verifier.Verify(c.r.Context(), req, c.now)
	if h, ok := src.verifier.Handshake(req, verdict, c.now); ok {
		c.shake(&h, &verdict)
		return
	}
	a := arrival{header: c.r.Header, body: c.body, verdict: verdict}
	if refused := src.judge(c.r.Method, &a); refused != nil {
		c.refuse(*refused)
		return
	}
	c.accept(&a)
}

// judge decides about an event after the verification: nil takes it.
func (s *source) judge(method string, a *arrival) *refusal {
	v := &a.verdict
	// A method that the provider names can be for handshakes alone. Who can sign is the
	// sender; of others it is no event.
	if !slices.Contains(s.events, method) && v.Reason != provider.Verified {
		return &refusal{status: http.StatusMethodNotAllowed, reason: reasonMethod, detail: "By " + known(method) + " the source takes handshakes only, and this was none.", allow: s.methods}
	}
	if v.Reason == provider.KeyUnavailable {
		// Nothing is said about the sender yet, and some never repeat what got a 4xx.
		return &refusal{status: http.StatusServiceUnavailable, reason: string(v.Reason), detail: v.Detail, retry: int(fetchRetry / time.Second), diagnose: true}
	}
	if !v.OK() {
		return &refusal{status: s.refusalStatus(), reason: string(v.Reason), detail: v.Detail, empty: s.provider.RefusalEmpty, diagnose: true}
	}
	if len(a.body) == 0 && !s.Settings.EmptyBody && hasBody(method) {
		return &refusal{status: http.StatusBadRequest, reason: reasonEmpty, detail: "The body is empty. Let the source take empty bodies if that is an event."}
	}
	if s.Settings.RequireJSON && hasBody(method) && !json.Valid(a.body) {
		return &refusal{status: http.StatusUnsupportedMediaType, reason: reasonNotJSON, detail: "The body is not JSON, which the source asks for."}
	}
	return nil
}

func hasBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// accept stores the event with its routes, then answers.
func (c *call) accept(a *arrival) {
	key, eventType := a.dedupeKey(c.src.Settings.Dedupe), a.eventType(c.src.Settings.EventType)
	answer := answerOf(c.src.Settings.Responses, &c.src.provider, eventType)
	row := c.row(hook.RequestAccepted, string(a.verdict.Reason), "", answer.Status)
	row.EventType, row.Key = eventType, key
	message := hook.NewID(c.now)
	row.Message = message
	row.Envelope, row.Body = nil, nil // the message has them
	events := eventsOf(c.src, a, &occurrence{
		message: message, key: key, eventType: eventType, contentType: row.ContentType, now: c.now, envelope: c.envelope, request: &row,
	})
	accepted, err := c.Accept(c.r.Context(), events)
	switch {
	case err != nil:
		c.unavailable(err)
		return
	case accepted[0].Err != nil && isCode(accepted[0].Err, hook.CodeNotFound):
		c.unknown() // it was deleted a moment ago
		return
	case accepted[0].Err != nil:
		c.unavailable(accepted[0].Err)
		return
	}
	c.result = resultAccepted
	if accepted[0].Duplicate {
		c.result = resultDuplicate
		again := c.row(hook.RequestDuplicate, string(a.verdict.Reason), "", answer.Status)
		again.EventType, again.Key, again.Message = eventType, key, accepted[0].Message.ID
		c.note(record{request: again})
	}
	c.logRoutes(c.r.Context(), c.src, events, accepted)
	c.w.Header()[HeaderDurability] = []string{"committed"}
	write(c.w, answer)
}

// logRoutes tells of routes that did not take the event: their application is gone.
func (g *Gateway) logRoutes(ctx context.Context, src *source, events []hook.NewEvent, accepted []hook.Accepted) {
	for i := 1; i < len(accepted); i++ {
		// A conflict is the same event, which the application has already.
		if err := accepted[i].Err; err != nil && !isCode(err, hook.CodeConflict) {
			g.Logger.WarnContext(ctx, "a route of a source did not take the event", "source", hook.KindSource.Format(src.ID),
				"app", hook.KindApplication.Format(events[i].App), "error", err)
		}
	}
}

// refuse answers and has it recorded.
func (c *call) refuse(f refusal) {
	if c.result == "" {
		c.result = resultRefused
	}
	if f.reason == reasonBusy {
		c.result = resultUnavailable
	} else {
		row := c.row(hook.RequestRefused, f.reason, f.detail, f.status)
		rec := record{request: row}
		if f.diagnose {
			rec.findings = c.findings
		}
		c.note(rec)
	}
	f.write(c.w, hook.KindRequest.Format(c.id))
}

// row is what is stored of the request.
func (c *call) row(state hook.RequestState, reason, detail string, status int) hook.Request {
	if c.envelope == nil {
		c.envelope = envelope(c.r, c.rest, nil)
	}
	r := hook.Request{
		ID: c.id, Source: c.src.ID, Env: c.src.Env, State: state, Reason: reason, Detail: detail, Envelope: c.envelope,
		Fingerprint: fingerprint(c.body), Status: status, ContentType: contentType(c.r.Header),
		Body: c.body, BodySize: len(c.body), ReceivedAt: c.now,
	}
	if c.from.IsValid() {
		r.Remote = c.from.String()
	}
	return r
}

// contentType is that of the request as it came; nothing is made of nothing. Bytes that
// are no text would have no place in the store; the event is not lost for that.
func contentType(h http.Header) string {
	return strings.ToValidUTF8(h.Get("Content-Type"), "\uFFFD")
}

// urlOf is the address that a sender was given, with what it put behind it.
func urlOf(base, token string, e *hook.Envelope) string {
	url := base + Prefix + token + e.Path
	if e.Query != "" {
		url += "?" + e.Query
	}
	return url
}

func isCode(err error, code hook.Code) bool {
	var e *hook.Error
	return errors.As(err, &e) && e.Code == code
}
