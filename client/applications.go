package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/grapnelhq/grapnel/apitype"
)

// CreateApplication creates an application. Code "conflict" if its uid is taken.
func (c *Client) CreateApplication(ctx context.Context, in apitype.ApplicationIn) (apitype.ApplicationOut, error) {
	return call[apitype.ApplicationOut](ctx, c, request{method: http.MethodPost, path: apiPath("app"), body: in})
}

// GetOrCreateApplication gives the application with the uid of in, or creates it.
func (c *Client) GetOrCreateApplication(ctx context.Context, in apitype.ApplicationIn) (apitype.ApplicationOut, error) {
	return call[apitype.ApplicationOut](ctx, c, request{
		method: http.MethodPost, path: apiPath("app"), body: in, query: url.Values{"get_if_exists": {"true"}},
	})
}

// FindApplication gives one application.
func (c *Client) FindApplication(ctx context.Context, app string) (apitype.ApplicationOut, error) {
	return call[apitype.ApplicationOut](ctx, c, request{method: http.MethodGet, path: apiPath("app", app)})
}

// ListApplications lists applications, oldest first.
func (c *Client) ListApplications(ctx context.Context, o ListOptions) (apitype.List[apitype.ApplicationOut], error) {
	return call[apitype.List[apitype.ApplicationOut]](ctx, c, request{method: http.MethodGet, path: apiPath("app"), query: o.query()})
}

// PutApplication states all of an application, and creates it if there is none.
func (c *Client) PutApplication(ctx context.Context, app string, in apitype.ApplicationIn) (apitype.ApplicationOut, error) {
	return call[apitype.ApplicationOut](ctx, c, request{method: http.MethodPut, path: apiPath("app", app), body: in})
}

// PatchApplication changes the members that are present.
func (c *Client) PatchApplication(ctx context.Context, app string, in apitype.ApplicationPatch) (apitype.ApplicationOut, error) {
	return call[apitype.ApplicationOut](ctx, c, request{method: http.MethodPatch, path: apiPath("app", app), body: in})
}

// DeleteApplication deletes an application with its endpoints.
func (c *Client) DeleteApplication(ctx context.Context, app string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: apiPath("app", app)})
	return err
}
