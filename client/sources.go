package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/grapnelhq/grapnel/apitype"
)

// CreateSource creates a source. Its endpoints, messages and attempts are those of an
// application with the source's id. Code "conflict" if its uid is taken.
func (c *Client) CreateSource(ctx context.Context, in apitype.SourceIn) (apitype.SourceOut, error) {
	return call[apitype.SourceOut](ctx, c, request{method: http.MethodPost, path: ingestPath("source"), body: in})
}

// FindSource gives one source.
func (c *Client) FindSource(ctx context.Context, source string) (apitype.SourceOut, error) {
	return call[apitype.SourceOut](ctx, c, request{method: http.MethodGet, path: ingestPath("source", source)})
}

// ListSources lists sources, oldest first.
func (c *Client) ListSources(ctx context.Context, o ListOptions) (apitype.List[apitype.SourceOut], error) {
	return call[apitype.List[apitype.SourceOut]](ctx, c, request{method: http.MethodGet, path: ingestPath("source"), query: o.query()})
}

// ListSourceTypes lists who can send to a source, and how each is verified.
func (c *Client) ListSourceTypes(ctx context.Context) (apitype.List[apitype.SourceTypeOut], error) {
	return call[apitype.List[apitype.SourceTypeOut]](ctx, c, request{method: http.MethodGet, path: ingestPath("source-type")})
}

// PutSource states a source, and creates it if there is none.
func (c *Client) PutSource(ctx context.Context, source string, in apitype.SourceIn) (apitype.SourceOut, error) {
	return call[apitype.SourceOut](ctx, c, request{method: http.MethodPut, path: ingestPath("source", source), body: in})
}

// PatchSource changes the members that are present.
func (c *Client) PatchSource(ctx context.Context, source string, in apitype.SourcePatch) (apitype.SourceOut, error) {
	return call[apitype.SourceOut](ctx, c, request{method: http.MethodPatch, path: ingestPath("source", source), body: in})
}

// DeleteSource deletes a source with its endpoints.
func (c *Client) DeleteSource(ctx context.Context, source string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: ingestPath("source", source)})
	return err
}

// RotateSourceToken gives a source a new URL; the old one works for another 48 hours.
func (c *Client) RotateSourceToken(ctx context.Context, source string) (apitype.RotateTokenOut, error) {
	return call[apitype.RotateTokenOut](ctx, c, request{method: http.MethodPost, path: ingestPath("source", source, "token", "rotate")})
}

// SourceSecrets shows what the provider signs with.
func (c *Client) SourceSecrets(ctx context.Context, source string) (apitype.SourceSecretsOut, error) {
	return call[apitype.SourceSecretsOut](ctx, c, request{method: http.MethodGet, path: ingestPath("source", source, "secret")})
}

// RotateSourceSecret puts a secret in the place of the current one, which verifies for
// a while.
func (c *Client) RotateSourceSecret(ctx context.Context, source string, in apitype.SourceSecretRotateIn) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: ingestPath("source", source, "secret", "rotate"), body: in})
	return err
}

// ingestPath builds a path under /ingest/api/v1, each part escaped.
func ingestPath(parts ...string) string {
	path := "/ingest/api/v1"
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}
