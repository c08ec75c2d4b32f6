package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// Search asks a list for what a query finds, in the search language of docs/search.md.
type Search struct {
	Query string // empty: everything
	ListOptions
	WithContent bool // messages with their payloads
}

func (s Search) query() url.Values {
	q := s.ListOptions.query()
	q.Del("order") // these lists have one order: the newest first
	if s.Query != "" {
		q.Set("q", s.Query)
	}
	if s.WithContent {
		q.Set("with_content", "true")
	}
	return q
}

// SearchMessages finds messages of all applications and sources, newest first. A page can
// be short, or empty, although there is more: SearchedTo says how far it came.
func (c *Client) SearchMessages(ctx context.Context, s Search) (apitype.MessageRows, error) {
	return call[apitype.MessageRows](ctx, c, request{method: http.MethodGet, path: apiPath("message"), query: s.query()})
}

// SearchMessagesOf finds messages of one application.
func (c *Client) SearchMessagesOf(ctx context.Context, app string, s Search) (apitype.MessageRows, error) {
	return call[apitype.MessageRows](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "message"), query: s.query()})
}

// CountMessages counts what a query finds, up to 10,000.
func (c *Client) CountMessages(ctx context.Context, query string) (apitype.CountOut, error) {
	return call[apitype.CountOut](ctx, c, request{method: http.MethodGet, path: apiPath("message", "count"), query: Search{Query: query}.query()})
}

// FindAnyMessage gives a message of whatever application or source, with its payload.
func (c *Client) FindAnyMessage(ctx context.Context, message string) (apitype.MessageRow, error) {
	return call[apitype.MessageRow](ctx, c, request{method: http.MethodGet, path: apiPath("message", message)})
}

// SearchEndpoints finds endpoints of all applications and sources, newest first.
func (c *Client) SearchEndpoints(ctx context.Context, s Search) (apitype.EndpointRows, error) {
	return call[apitype.EndpointRows](ctx, c, request{method: http.MethodGet, path: apiPath("endpoint"), query: s.query()})
}

// FindAnyEndpoint gives an endpoint of whatever application or source.
func (c *Client) FindAnyEndpoint(ctx context.Context, endpoint string) (apitype.EndpointRow, error) {
	return call[apitype.EndpointRow](ctx, c, request{method: http.MethodGet, path: apiPath("endpoint", endpoint)})
}

// SearchRequests finds what reached all sources, newest first.
func (c *Client) SearchRequests(ctx context.Context, s Search) (apitype.RequestRows, error) {
	return call[apitype.RequestRows](ctx, c, request{method: http.MethodGet, path: ingestPath("request"), query: s.query()})
}

// SearchApplications finds applications, with counts of their endpoints.
func (c *Client) SearchApplications(ctx context.Context, query string, o ListOptions) (apitype.List[apitype.ApplicationRow], error) {
	q := o.query()
	q.Set("q", query)
	return call[apitype.List[apitype.ApplicationRow]](ctx, c, request{method: http.MethodGet, path: apiPath("app"), query: q})
}

// SearchSources finds sources, with what reached each last.
func (c *Client) SearchSources(ctx context.Context, query string, o ListOptions) (apitype.List[apitype.SourceRow], error) {
	q := o.query()
	q.Set("q", query)
	return call[apitype.List[apitype.SourceRow]](ctx, c, request{method: http.MethodGet, path: ingestPath("source"), query: q})
}

// SearchFields tells what a list can be searched by: messages, requests, endpoints,
// issues, applications, sources or event-types.
func (c *Client) SearchFields(ctx context.Context, list string) (apitype.SearchFields, error) {
	return call[apitype.SearchFields](ctx, c, request{method: http.MethodGet, path: apiPath("search", "fields"), query: url.Values{"list": {list}}})
}

// Overview shows a range of time in figures, and what needs somebody. Zero times stand
// for the last 24 hours.
func (c *Client) Overview(ctx context.Context, since, until time.Time) (apitype.OverviewOut, error) {
	return call[apitype.OverviewOut](ctx, c, request{method: http.MethodGet, path: apiPath("overview"), query: between(since, until)})
}

func between(since, until time.Time) url.Values {
	q := url.Values{}
	setTime(q, "since", since)
	setTime(q, "until", until)
	return q
}
