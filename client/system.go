package client

import (
	"context"
	"net/http"

	"github.com/grapnelhq/grapnel/apitype"
)

// System gives what the server knows about itself, and what its doctor finds.
func (c *Client) System(ctx context.Context) (apitype.SystemOut, error) {
	return call[apitype.SystemOut](ctx, c, request{method: http.MethodGet, path: apiPath("system")})
}

// Settings gives the settings of the environment.
func (c *Client) Settings(ctx context.Context) (apitype.SettingsOut, error) {
	return call[apitype.SettingsOut](ctx, c, request{method: http.MethodGet, path: apiPath("settings")})
}

// PatchSettings changes settings of the environment; what is absent stays as it is.
func (c *Client) PatchSettings(ctx context.Context, in apitype.SettingsPatch) (apitype.SettingsOut, error) {
	return call[apitype.SettingsOut](ctx, c, request{method: http.MethodPatch, path: apiPath("settings"), body: in})
}

// ExchangeCode makes a token of the code of a portal link. A code is good once.
func (c *Client) ExchangeCode(ctx context.Context, in apitype.OneTimeTokenIn) (apitype.PortalTokenOut, error) {
	return call[apitype.PortalTokenOut](ctx, c, request{method: http.MethodPost, path: apiPath("auth", "one-time-token"), body: in})
}

// PortalConfig gives what the portal of this client's token looks like and may do.
func (c *Client) PortalConfig(ctx context.Context) (apitype.PortalConfigOut, error) {
	return call[apitype.PortalConfigOut](ctx, c, request{method: http.MethodGet, path: apiPath("portal", "config")})
}
