package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// RequestFilter chooses requests of a source.
type RequestFilter struct {
	States        []apitype.RequestState // empty: all
	Reason        string                 // empty: all
	Before, After time.Time
}

func (f RequestFilter) query(o ListOptions) url.Values {
	q := o.query()
	if len(f.States) > 0 {
		words := make([]string, len(f.States))
		for i, s := range f.States {
			words[i] = string(s)
		}
		q.Set("state", strings.Join(words, ","))
	}
	if f.Reason != "" {
		q.Set("reason", f.Reason)
	}
	setTime(q, "before", f.Before)
	setTime(q, "after", f.After)
	return q
}

// ListRequests lists what reached a source, newest first.
func (c *Client) ListRequests(ctx context.Context, source string, f RequestFilter, o ListOptions) (apitype.List[apitype.RequestFacts], error) {
	return call[apitype.List[apitype.RequestFacts]](ctx, c, request{method: http.MethodGet, path: ingestPath("source", source, "request"), query: f.query(o)})
}

// FindRequest gives one request with its headers.
func (c *Client) FindRequest(ctx context.Context, source, req string) (apitype.RequestOut, error) {
	return call[apitype.RequestOut](ctx, c, request{method: http.MethodGet, path: ingestPath("source", source, "request", req)})
}

// RequestBody gives the body of a request, byte for byte. Code "missing_payload" if it
// is not kept any more.
func (c *Client) RequestBody(ctx context.Context, source, req string) ([]byte, error) {
	return c.do(ctx, request{method: http.MethodGet, path: ingestPath("source", source, "request", req, "body")})
}

// VerifyRequest verifies a request again with the secrets of today. With process, a
// refused one that now verifies becomes a message, once.
func (c *Client) VerifyRequest(ctx context.Context, source, req string, process bool) (apitype.RequestOut, error) {
	return call[apitype.RequestOut](ctx, c, request{
		method: http.MethodPost, path: ingestPath("source", source, "request", req, "verify"), body: apitype.RequestVerifyIn{Process: apitype.Some(process)},
	})
}

// ReplayRequest sends a request again: to this URL, or with an empty one through the
// routes of its source as a new message. It is not repeated when the connection or the
// server fails, for each call sends it.
func (c *Client) ReplayRequest(ctx context.Context, source, req, to string) (apitype.RequestReplayOut, error) {
	in := apitype.RequestReplayIn{}
	if to != "" {
		in.To = apitype.Some(apitype.RequestTarget{URL: to})
	}
	return call[apitype.RequestReplayOut](ctx, c, request{
		method: http.MethodPost, path: ingestPath("source", source, "request", req, "replay"), body: in, single: true,
	})
}

// AnnotateRequest replaces the note of a request.
func (c *Client) AnnotateRequest(ctx context.Context, source, req, note string) (apitype.RequestOut, error) {
	return call[apitype.RequestOut](ctx, c, request{
		method: http.MethodPatch, path: ingestPath("source", source, "request", req), body: apitype.RequestPatch{Note: apitype.Some(note)},
	})
}

// PurgeRequests removes requests that became no message and arrived before that time;
// zero: all. Done in the answer is false if the call has to be repeated.
func (c *Client) PurgeRequests(ctx context.Context, source string, before time.Time) (apitype.RequestPurgeOut, error) {
	in := apitype.RequestPurgeIn{}
	if !before.IsZero() {
		in.Before = apitype.Some(before)
	}
	return call[apitype.RequestPurgeOut](ctx, c, request{method: http.MethodPost, path: ingestPath("source", source, "request", "purge"), body: in})
}
