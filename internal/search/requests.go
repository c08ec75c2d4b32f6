package search

import (
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Request is a row of the list of requests.
type Request struct {
	*hook.RecentRequest
	// Query is the raw query and Headers are the headers as the caller may see them.
	Query   string
	Headers [][2]string
	Body    *Document // nil: it is gone, or the caller may not see it
}

// Requests is the list of requests of all sources, or of one.
var Requests = &List[*Request]{
	Name: "requests",
	Fields: []Field[*Request]{
		{Def: Def{Name: "state", Kind: Word, Doc: "What became of it.", Values: requestStates()}, Texts: func(r *Request) []string { return []string{r.Request.State.String()} }},
		{Def: Def{Name: "reason", Kind: Text, Doc: "Reason of its state, such as signature_mismatch."}, Texts: func(r *Request) []string { return []string{r.Request.Reason} }},
		{Def: Def{Name: "source", Kind: Text, Doc: "Source, by id, uid or name."}, Texts: func(r *Request) []string { return ownerTexts(&r.Owner, true) }},
		{Def: Def{Name: "type", Kind: Text, Exact: true, Doc: "Event type, such as push or charge.*"}, Texts: func(r *Request) []string { return []string{r.Request.EventType} }},
		{Def: Def{Name: "at", Kind: Time, Doc: "When it arrived: 2h, 2026-11-01 or 2026-11-01..2026-11-02."}, When: requestAt},
		After("after", requestAt),
		Before("before", requestAt),
		{Def: Def{Name: "body.", Kind: JSON, Doc: "A value in the body by its path, such as body.ref:~main", Body: true}, Document: func(r *Request) *Document { return r.Body }},
		{Def: Def{Name: "header.", Kind: Text, Doc: "A header by its name, such as header.x-event:push"}, Named: (*Request).header},
		bodyText(func(r *Request) *Document { return r.Body }),
		{Def: Def{Name: "method", Kind: Text, Doc: "HTTP method."}, Texts: func(r *Request) []string { return []string{r.envelope().Method} }},
		{Def: Def{Name: "path", Kind: Text, Doc: "What followed the token in the path."}, Texts: func(r *Request) []string { return []string{r.envelope().Path} }},
		{Def: Def{Name: "query", Kind: Text, Doc: "Raw query of its URL."}, Texts: func(r *Request) []string { return []string{r.Query} }},
		{Def: Def{Name: "remote", Kind: Text, Doc: "Address of the sender, such as 192.0.2.*"}, Texts: func(r *Request) []string { return []string{r.Request.Remote} }},
		{Def: Def{Name: "status", Kind: Number, Doc: "HTTP status that the sender was answered."}, Count: func(r *Request) (int64, bool) { return int64(r.Request.Status), true }},
		{Def: Def{Name: "size", Kind: Size, Doc: "Length of the body, such as >10kB"}, Count: func(r *Request) (int64, bool) { return int64(r.Request.BodySize), true }},
		{Def: Def{Name: "key", Kind: Text, Doc: "What a repeated event repeats."}, Texts: func(r *Request) []string { return []string{r.Request.Key} }},
		{Def: Def{Name: "message", Kind: Text, Exact: true, Doc: "Message that it became, by id."}, Texts: func(r *Request) []string { return []string{r.message()} }},
		{Def: Def{Name: "id", Kind: Text, Exact: true, Doc: "Id of the request."}, Texts: func(r *Request) []string { return []string{hook.KindRequest.Format(r.Request.ID)} }},
		{Def: Def{Name: "note", Kind: Text, Doc: "Note of the owner."}, Texts: func(r *Request) []string { return []string{r.Request.Note} }},
		{Def: Def{Name: "contentType", Kind: Text, Doc: "Content type, as it came."}, Texts: func(r *Request) []string { return []string{r.Request.ContentType} }},
	},
	Word: func(r *Request, w Needle) bool {
		q := &r.Request
		return w.Begins(q.EventType, q.Remote, q.Reason) || w.Equals(hook.KindRequest.Format(q.ID), ownerID(&r.Owner), r.message(), q.Key) ||
			w.In(r.Owner.Name, r.Owner.UID, r.envelope().Path, q.Note) || r.Body.Contains(w)
	},
	WordsReadBodies: true,
}

func requestStates() []string {
	words := make([]string, len(hook.RequestStates))
	for i, s := range hook.RequestStates {
		words[i] = s.String()
	}
	return words
}

func requestAt(r *Request) time.Time { return r.Request.ReceivedAt }

// noEnvelope stands for that of a request of which nothing is kept any more.
var noEnvelope = &hook.Envelope{}

func (r *Request) envelope() *hook.Envelope {
	if r.Request.Envelope == nil {
		return noEnvelope
	}
	return r.Request.Envelope
}

func (r *Request) header(name string) []string {
	var values []string
	for _, line := range r.Headers {
		if strings.EqualFold(line[0], name) {
			values = append(values, line[1])
		}
	}
	return values
}

func (r *Request) message() string {
	if r.Request.Message.IsZero() {
		return ""
	}
	return hook.KindMessage.Format(r.Request.Message)
}
