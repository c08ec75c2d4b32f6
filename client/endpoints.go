package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// CreateEndpoint creates an endpoint of an application.
func (c *Client) CreateEndpoint(ctx context.Context, app string, in apitype.EndpointIn) (apitype.EndpointOut, error) {
	return call[apitype.EndpointOut](ctx, c, request{method: http.MethodPost, path: apiPath("app", app, "endpoint"), body: in})
}

// FindEndpoint gives one endpoint.
func (c *Client) FindEndpoint(ctx context.Context, app, endpoint string) (apitype.EndpointOut, error) {
	return call[apitype.EndpointOut](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "endpoint", endpoint)})
}

// ListEndpoints lists the endpoints of an application, newest first.
func (c *Client) ListEndpoints(ctx context.Context, app string, o ListOptions) (apitype.List[apitype.EndpointOut], error) {
	return call[apitype.List[apitype.EndpointOut]](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "endpoint"), query: o.query()})
}

// PutEndpoint states all of an endpoint but its secret and headers, and creates
// it if there is none.
func (c *Client) PutEndpoint(ctx context.Context, app, endpoint string, in apitype.EndpointUpdate) (apitype.EndpointOut, error) {
	return call[apitype.EndpointOut](ctx, c, request{method: http.MethodPut, path: apiPath("app", app, "endpoint", endpoint), body: in})
}

// PatchEndpoint changes the members that are present.
func (c *Client) PatchEndpoint(ctx context.Context, app, endpoint string, in apitype.EndpointPatch) (apitype.EndpointOut, error) {
	return call[apitype.EndpointOut](ctx, c, request{method: http.MethodPatch, path: apiPath("app", app, "endpoint", endpoint), body: in})
}

// DeleteEndpoint deletes an endpoint.
func (c *Client) DeleteEndpoint(ctx context.Context, app, endpoint string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: apiPath("app", app, "endpoint", endpoint)})
	return err
}

// EndpointSecret gives what the receiver verifies signatures with.
func (c *Client) EndpointSecret(ctx context.Context, app, endpoint string) (apitype.EndpointSecretOut, error) {
	return call[apitype.EndpointSecretOut](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "endpoint", endpoint, "secret")})
}

// RotateEndpointSecret replaces the secret; the old one signs too for a while.
func (c *Client) RotateEndpointSecret(ctx context.Context, app, endpoint string, in apitype.EndpointSecretRotateIn) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: apiPath("app", app, "endpoint", endpoint, "secret", "rotate"), body: in})
	return err
}

// EndpointHeaders gives the added request headers; secret ones by name only.
func (c *Client) EndpointHeaders(ctx context.Context, app, endpoint string) (apitype.EndpointHeadersOut, error) {
	return call[apitype.EndpointHeadersOut](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "endpoint", endpoint, "headers")})
}

// PutEndpointHeaders states all of the added request headers.
func (c *Client) PutEndpointHeaders(ctx context.Context, app, endpoint string, in apitype.EndpointHeadersIn) error {
	_, err := c.do(ctx, request{method: http.MethodPut, path: apiPath("app", app, "endpoint", endpoint, "headers"), body: in})
	return err
}

// PatchEndpointHeaders changes some of the added request headers.
func (c *Client) PatchEndpointHeaders(ctx context.Context, app, endpoint string, in apitype.EndpointHeadersPatchIn) error {
	_, err := c.do(ctx, request{method: http.MethodPatch, path: apiPath("app", app, "endpoint", endpoint, "headers"), body: in})
	return err
}

// EndpointStats counts messages by status. Zero times stand for the server's
// default, the last 28 days.
func (c *Client) EndpointStats(ctx context.Context, app, endpoint string, since, until time.Time) (apitype.EndpointStats, error) {
	q := url.Values{}
	setTime(q, "since", since)
	setTime(q, "until", until)
	return call[apitype.EndpointStats](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "endpoint", endpoint, "stats"), query: q})
}

// RecoverEndpoint sends again what failed for good in a time range.
func (c *Client) RecoverEndpoint(ctx context.Context, app, endpoint string, in apitype.RecoverIn) (apitype.TaskRef, error) {
	return call[apitype.TaskRef](ctx, c, request{method: http.MethodPost, path: apiPath("app", app, "endpoint", endpoint, "recover"), body: in})
}

// CountRecoverable counts what RecoverEndpoint would send, up to 10,000.
func (c *Client) CountRecoverable(ctx context.Context, app, endpoint string, in apitype.RecoverRange) (apitype.CountOut, error) {
	return call[apitype.CountOut](ctx, c, request{method: http.MethodPost, path: apiPath("app", app, "endpoint", endpoint, "recover", "count"), body: in})
}

// ReplayMissing sends what the endpoint would get by its filters of today and never got.
func (c *Client) ReplayMissing(ctx context.Context, app, endpoint string, in apitype.RecoverIn) (apitype.TaskRef, error) {
	return call[apitype.TaskRef](ctx, c, request{method: http.MethodPost, path: apiPath("app", app, "endpoint", endpoint, "replay-missing"), body: in})
}

// CountMissing counts what ReplayMissing would send, up to 10,000.
func (c *Client) CountMissing(ctx context.Context, app, endpoint string, in apitype.RecoverRange) (apitype.CountOut, error) {
	return call[apitype.CountOut](ctx, c, request{method: http.MethodPost, path: apiPath("app", app, "endpoint", endpoint, "replay-missing", "count"), body: in})
}

// EndpointHealth tells hour by hour how an endpoint has been. Zero times stand for the
// last 24 hours.
func (c *Client) EndpointHealth(ctx context.Context, app, endpoint string, since, until time.Time) (apitype.EndpointHealth, error) {
	return call[apitype.EndpointHealth](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "endpoint", endpoint, "health"), query: between(since, until)})
}

// ListEndpointTasks lists the tasks of an endpoint, newest first.
func (c *Client) ListEndpointTasks(ctx context.Context, app, endpoint string, o ListOptions) (apitype.List[apitype.TaskOut], error) {
	return call[apitype.List[apitype.TaskOut]](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "endpoint", endpoint, "task"), query: o.query()})
}

// CancelEndpointTask stops a task of an endpoint.
func (c *Client) CancelEndpointTask(ctx context.Context, app, endpoint, task string) (apitype.TaskOut, error) {
	return call[apitype.TaskOut](ctx, c, request{method: http.MethodPost, path: apiPath("app", app, "endpoint", endpoint, "task", task, "cancel")})
}

// SendExample sends the example of an event type to this endpoint only.
func (c *Client) SendExample(ctx context.Context, app, endpoint string, in apitype.EventExampleIn) (apitype.MessageOut, error) {
	return call[apitype.MessageOut](ctx, c, request{method: http.MethodPost, path: apiPath("app", app, "endpoint", endpoint, "send-example"), body: in})
}

func setTime(q url.Values, name string, t time.Time) {
	if !t.IsZero() {
		q.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}
