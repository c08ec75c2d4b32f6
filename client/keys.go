package client

import (
	"context"
	"net/http"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// Whoami says whose key this client uses.
func (c *Client) Whoami(ctx context.Context) (apitype.WhoamiOut, error) {
	return call[apitype.WhoamiOut](ctx, c, request{method: http.MethodGet, path: apiPath("auth", "whoami")})
}

// CreateKey creates an API key of an environment. Only this answer shows it.
func (c *Client) CreateKey(ctx context.Context, environment string, in apitype.APITokenIn) (apitype.APITokenOut, error) {
	return call[apitype.APITokenOut](ctx, c, request{method: http.MethodPost, path: keyPath(environment), body: in})
}

// ListKeys lists the API keys of an environment.
func (c *Client) ListKeys(ctx context.Context, environment string, o ListOptions) (apitype.List[apitype.APITokenCensoredOut], error) {
	return call[apitype.List[apitype.APITokenCensoredOut]](ctx, c, request{method: http.MethodGet, path: keyPath(environment), query: o.query()})
}

// ExpireKey ends an API key after this time, in whole seconds up to three days;
// 0: at once.
func (c *Client) ExpireKey(ctx context.Context, environment, key string, after time.Duration) error {
	in := apitype.APITokenExpireIn{Expiry: apitype.Some(int32(after / time.Second))}
	_, err := c.do(ctx, request{method: http.MethodPost, path: keyPath(environment, key, "expire"), body: in})
	return err
}

// PortalAccess makes a token with which a customer sees one application.
func (c *Client) PortalAccess(ctx context.Context, app string, in apitype.PortalAccessIn) (apitype.PortalAccessOut, error) {
	return call[apitype.PortalAccessOut](ctx, c, request{method: http.MethodPost, path: apiPath("auth", "app-portal-access", app), body: in})
}

// ExpirePortalTokens ends portal tokens of an application.
func (c *Client) ExpirePortalTokens(ctx context.Context, app string, in apitype.TokenExpireIn) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: apiPath("auth", "app", app, "expire-all"), body: in})
	return err
}

// Logout ends the portal token that this client uses.
func (c *Client) Logout(ctx context.Context) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: apiPath("auth", "logout")})
	return err
}

// FindTask says how far a background task is.
func (c *Client) FindTask(ctx context.Context, task string) (apitype.TaskOut, error) {
	return call[apitype.TaskOut](ctx, c, request{method: http.MethodGet, path: apiPath("background-task", task)})
}

// ListTasks lists background tasks, newest first.
func (c *Client) ListTasks(ctx context.Context, o ListOptions) (apitype.List[apitype.TaskOut], error) {
	return call[apitype.List[apitype.TaskOut]](ctx, c, request{method: http.MethodGet, path: apiPath("background-task"), query: o.query()})
}

// Health reports whether the server can store and read.
func (c *Client) Health(ctx context.Context) error {
	_, err := c.do(ctx, request{method: http.MethodGet, path: apiPath("health")})
	return err
}

func keyPath(environment string, rest ...string) string {
	return apiPath(append([]string{"management", "authentication", environment, "api-token"}, rest...)...)
}
