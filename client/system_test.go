package client_test

import (
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/apitype"
)

func TestMethodsForServerSettingsAndPortalCallTheirRoutes(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, answer{status: 200, body: `{}`})
	ctx := t.Context()
	for _, tt := range []struct {
		call func() error
		want string
	}{
		{func() error { _, err := c.System(ctx); return err }, "GET /system"},
		{func() error { _, err := c.Settings(ctx); return err }, "GET /settings"},
		{func() error { _, err := c.PatchSettings(ctx, apitype.SettingsPatch{}); return err }, "PATCH /settings"},
		{func() error { _, err := c.ExchangeCode(ctx, apitype.OneTimeTokenIn{}); return err }, "POST /auth/one-time-token"},
		{func() error { _, err := c.PortalConfig(ctx); return err }, "GET /portal/config"},
	} {
		if err := tt.call(); err != nil {
			t.Errorf("%s: %v", tt.want, err)
			continue
		}
		last := a.seen[len(a.seen)-1]
		if got := last.method + " " + strings.TrimPrefix(last.uri, "/api/v1"); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}
