package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/grapnelhq/grapnel/apitype"
)

// AttemptFilter chooses attempts.
type AttemptFilter struct {
	MessageFilter
	Status     *apitype.MessageStatus   // nil: all
	StatusCode *apitype.StatusCodeClass // class of the HTTP status; nil: all
	Endpoint   string                   // of a message's attempts, those at this endpoint; empty: all
}

func (f AttemptFilter) query(o ListOptions) url.Values {
	q := f.MessageFilter.query(o)
	q.Set("expanded_statuses", "true")
	if f.Status != nil {
		q.Set("status", strconv.Itoa(int(*f.Status)))
	}
	if f.StatusCode != nil {
		q.Set("status_code_class", strconv.Itoa(int(*f.StatusCode)))
	}
	if f.Endpoint != "" {
		q.Set("endpoint_id", f.Endpoint)
	}
	return q
}

// ListAttemptsOfMessage lists the attempts of one message, newest first.
func (c *Client) ListAttemptsOfMessage(ctx context.Context, app, message string, f AttemptFilter, o ListOptions) (apitype.List[apitype.MessageAttemptOut], error) {
	return call[apitype.List[apitype.MessageAttemptOut]](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "attempt", "msg", message), query: f.query(o)})
}

// ListAttemptsOfEndpoint lists the attempts at one endpoint, newest first.
func (c *Client) ListAttemptsOfEndpoint(ctx context.Context, app, endpoint string, f AttemptFilter, o ListOptions) (apitype.List[apitype.MessageAttemptOut], error) {
	f.Endpoint = ""
	return call[apitype.List[apitype.MessageAttemptOut]](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "attempt", "endpoint", endpoint), query: f.query(o)})
}

// ListMessagesOfEndpoint lists the messages that one endpoint got or will get,
// newest first, each with how it stands.
func (c *Client) ListMessagesOfEndpoint(ctx context.Context, app, endpoint string, f AttemptFilter, o ListOptions) (apitype.List[apitype.EndpointMessageOut], error) {
	f.Endpoint = ""
	return call[apitype.List[apitype.EndpointMessageOut]](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "endpoint", endpoint, "msg"), query: f.query(o)})
}

// ListEndpointsOfMessage lists the endpoints that one message went or will go
// to, each with how it stands.
func (c *Client) ListEndpointsOfMessage(ctx context.Context, app, message string, o ListOptions) (apitype.List[apitype.MessageEndpointOut], error) {
	return call[apitype.List[apitype.MessageEndpointOut]](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "msg", message, "endpoint"), query: o.query()})
}

// FindAttempt gives one attempt with the answer that it got.
func (c *Client) FindAttempt(ctx context.Context, app, message, attempt string) (apitype.MessageAttemptOut, error) {
	return call[apitype.MessageAttemptOut](ctx, c, request{
		method: http.MethodGet, path: apiPath("app", app, "msg", message, "attempt", attempt), query: url.Values{"expanded_statuses": {"true"}},
	})
}

// ExpungeAttempt drops the stored answer of an attempt.
func (c *Client) ExpungeAttempt(ctx context.Context, app, message, attempt string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: apiPath("app", app, "msg", message, "attempt", attempt, "content")})
	return err
}

// Resend tries one message at one endpoint once more, now.
func (c *Client) Resend(ctx context.Context, app, message, endpoint string) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: apiPath("app", app, "msg", message, "endpoint", endpoint, "resend")})
	return err
}
