package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// requestStore keeps what reached sources. See package store for what each promises.
type requestStore interface {
	FindRequest(ctx context.Context, env, source, request hook.ID, withBody bool) (hook.Request, error)
	ListRequests(ctx context.Context, f hook.RequestFilter) (hook.PageOf[hook.Request], error)
	UpdateRequest(ctx context.Context, env, source, request hook.ID, change func(*hook.Request) error) (hook.Request, error)
	PurgeRequests(ctx context.Context, env, source hook.ID, before time.Time, limit int) (int, error)
}

// redacted stands for the value of a header that is secret.
const redacted = "[redacted]"

func listRequests(c *call) (reply, error) {
	s, err := c.source()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	f := hook.RequestFilter{Env: c.key.Env, Source: s.ID, Page: q.page(hook.KindRequest, false, false)}
	f.Before, f.After = q.window(&f.Page, c.now)
	f.States, f.Reason = q.requestStates(), q.text("reason")
	if f.Reason != "" && !isName(f.Reason) {
		q.invalid("reason", "must be the name of a reason")
	}
	if err := q.err(); err != nil {
		return reply{}, err
	}
	page, err := c.Store.ListRequests(c.ctx(), f)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page, requestKey, requestFacts))
}

// requestStates reads states by their words.
func (q *queryReader) requestStates() []hook.RequestState {
	var states []hook.RequestState
	for _, word := range q.list("state") {
		i := slices.IndexFunc(hook.RequestStates, func(s hook.RequestState) bool { return s.String() == word })
		if i < 0 {
			q.invalid("state", "must be accepted, duplicate, duplicate_differs, refused or handshake")
			return nil
		}
		states = append(states, hook.RequestStates[i])
	}
	return states
}

func getRequest(c *call) (reply, error) {
	s, id, err := c.sourceAndRequest()
	if err != nil {
		return reply{}, err
	}
	r, err := c.Store.FindRequest(c.ctx(), c.key.Env, s.ID, id, false)
	if err != nil {
		return reply{}, err
	}
	return ok(c.requestOut(&s, &r))
}

// getRequestBody gives the bytes as they came.
func getRequestBody(c *call) (reply, error) {
	if c.hidesPayloads() {
		return reply{}, payloadsHidden()
	}
	s, id, err := c.sourceAndRequest()
	if err != nil {
		return reply{}, err
	}
	r, err := c.Store.FindRequest(c.ctx(), c.key.Env, s.ID, id, true)
	if err != nil {
		return reply{}, err
	}
	if r.BodyGone {
		return reply{}, &hook.Error{Code: hook.CodeMissingPayload, Detail: "The body of this request is not kept any more."}
	}
	return download(hook.KindRequest.Format(r.ID), r.ContentType, r.Body), nil
}

func patchRequest(c *call) (reply, error) {
	s, id, err := c.sourceAndRequest()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.RequestPatch](c)
	if err != nil {
		return reply{}, err
	}
	note := in.Note.Else("")
	if len(note) > maxNote || strings.ContainsRune(note, 0) {
		return reply{}, hook.Invalid("must be at most 4096 bytes without NUL", "body", "note")
	}
	r, err := c.Store.UpdateRequest(c.ctx(), c.key.Env, s.ID, id, func(r *hook.Request) error {
		if !in.Note.IsZero() {
			r.Note = note
		}
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return ok(c.requestOut(&s, &r))
}

const maxNote = 4096 // bytes

// sourceAndRequest finds the source of the path and reads the id of the request.
func (c *call) sourceAndRequest() (s hook.Source, id hook.ID, err error) {
	if id, err = hook.KindRequest.Parse(c.value("req")); err != nil {
		return s, id, hook.Invalid("is not a valid id", "path", "request_id")
	}
	s, err = c.source()
	return s, id, err
}

func requestKey(r *hook.Request) string { return hook.KindRequest.Format(r.ID) }

func requestFacts(r *hook.Request) apitype.RequestFacts {
	out := apitype.RequestFacts{
		ID: requestKey(r), SourceID: hook.KindSource.Format(r.Source), State: apitype.RequestState(r.State.String()),
		Reason: r.Reason, Detail: r.Detail, Findings: findingsOut(r.Findings), Remote: r.Remote, EventType: r.EventType, Key: r.Key,
		Fingerprint: hex.EncodeToString(r.Fingerprint[:]), Status: r.Status, ContentType: r.ContentType,
		BodySize: r.BodySize, BodyGone: r.BodyGone, ReceivedAt: r.ReceivedAt.UTC(), Note: r.Note,
	}
	if e := r.Envelope; e != nil {
		out.Method, out.Path, out.Query = e.Method, e.Path, shownQuery(e.Query)
	}
	if !r.Message.IsZero() {
		id := hook.KindMessage.Format(r.Message)
		out.MessageID = &id
	}
	return out
}

// secretParameters are parameters of a query that hold a credential, in lower case:
// some senders have no other place for theirs.
var secretParameters = []string{
	"access_token", "api_key", "apikey", "code", "hub.verify_token", "jwt", "key", "password", "secret", "token",
}

// shownQuery leaves out the values of such parameters.
func shownQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		raw, _, given := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(raw)
		if given && err == nil && slices.Contains(secretParameters, strings.ToLower(name)) {
			pairs[i] = raw + "=" + redacted
		}
	}
	return strings.Join(pairs, "&")
}

// findingsOut reads what the gateway wrote; never null.
func findingsOut(text []byte) []apitype.Finding {
	findings := []apitype.Finding{}
	if len(text) > 0 && json.Unmarshal(text, &findings) != nil {
		return []apitype.Finding{}
	}
	return findings
}

func (c *call) requestOut(s *hook.Source, r *hook.Request) apitype.RequestOut {
	out := apitype.RequestOut{RequestFacts: requestFacts(r), Headers: [][2]string{}}
	if r.Envelope == nil {
		return out
	}
	secret := c.secretHeaders(s)
	for _, line := range r.Envelope.Headers {
		if isSensitive(line[0]) || slices.Contains(secret, strings.ToLower(line[0])) {
			line[1] = redacted
		}
		out.Headers = append(out.Headers, line)
	}
	return out
}

// secretHeaders names the headers that the caller may not see, in lower case. Who may
// manage the source can read its secrets, and so may see signatures made with them;
// a header that holds a credential itself is never shown.
func (c *call) secretHeaders(s *hook.Source) []string {
	hidden := []string{"cookie", "set-cookie"}
	var own struct {
		Header  string `json:"header"`
		Generic struct {
			SignatureHeader string `json:"signatureHeader"`
		} `json:"generic"`
	}
	if len(s.Settings.Verification) > 0 && json.Unmarshal(s.Settings.Verification, &own) == nil && own.Header != "" {
		hidden = append(hidden, strings.ToLower(own.Header))
	}
	if len(c.key.Scopes) == 0 || slices.Contains(c.key.Scopes, scopeManage) {
		return hidden
	}
	t, _ := c.sourceType(s.Type)
	for _, name := range append(slices.Clone(t.Headers), own.Generic.SignatureHeader) {
		hidden = append(hidden, strings.ToLower(name))
	}
	return hidden
}
