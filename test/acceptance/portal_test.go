package acceptance_test

import (
	"encoding/json"
	"strings"
	"testing"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
)

// portal gives a client with a token of one application.
func portal(t *testing.T, c *svix.Svix, app string, in models.AppPortalAccessIn) (client *svix.Svix, token string) {
	t.Helper()
	access, err := c.Authentication.AppPortalAccess(t.Context(), app, in, nil)
	ok(t, err)
	if access.Token == "" || !strings.Contains(access.Url, "#code=") {
		t.Errorf("portal access is %s", show(access))
	}
	return clientWith(t, access.Token), access.Token
}

func TestPortalTokenMayManageItsOwnEndpoints(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	mine, token := portal(t, c, app, models.AppPortalAccessIn{})
	ep := newEndpoint(t, mine, app, models.EndpointIn{Url: hook.URL}).Id
	verify := verifier(t, mine, app, ep)
	msg := publish(t, c, app, models.MessageIn{})
	got := hook.Next(t)
	ok(t, verify.Verify(got.Body, got.Header))
	awaitStatus(t, mine, app, msg.Id, ep, models.MESSAGESTATUS_SUCCESS)

	_, err := mine.MessageAttempt.Resend(t.Context(), app, msg.Id, ep, nil)
	ok(t, err)
	equal(t, "id of the resent", hook.Next(t).ID(), msg.Id)
	list, err := mine.Message.List(t.Context(), app, nil)
	ok(t, err)
	equal(t, "messages", len(list.Data), 1)
	_, err = mine.EventType.List(t.Context(), nil)
	ok(t, err)
	_, err = mine.Endpoint.Patch(t.Context(), app, ep, models.EndpointPatch{Description: new("by the customer")})
	ok(t, err)
	ok(t, mine.Endpoint.RotateSecret(t.Context(), app, ep, models.EndpointSecretRotateIn{}, nil))
	ok(t, mine.Endpoint.UpdateHeaders(t.Context(), app, ep, models.EndpointHeadersIn{Headers: map[string]string{"X-A": "b"}}))
	_, err = mine.Endpoint.GetStats(t.Context(), app, ep, nil)
	ok(t, err)
	ok(t, mine.Endpoint.Delete(t.Context(), app, ep))

	status, body := call(t, "GET", "/api/v1/auth/whoami", token, "")
	equal(t, "status of whoami", status, 200)
	var who struct {
		Kind  string
		AppID *string `json:"appId"`
	}
	ok(t, json.Unmarshal(body, &who))
	equal(t, "kind", who.Kind, "application")
	equal(t, "application", who.AppID, &app)
}

func TestPortalTokenMayNotLeaveItsApplication(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, foreign := newApplication(t, c), newApplication(t, c)
	kind := newEventType(t, c, models.EventTypeIn{})
	mine, _ := portal(t, c, app, models.AppPortalAccessIn{})
	const no = "insufficient access"
	for _, test := range []struct {
		name   string
		status int
		code   string
		call   func() error
	}{
		{"list applications", 403, no, func() error { _, err := mine.Application.List(t.Context(), nil); return err }},
		{"create an application", 403, no, func() error {
			_, err := mine.Application.Create(t.Context(), models.ApplicationIn{Name: "x"}, nil)
			return err
		}},
		{"delete its application", 403, no, func() error { return mine.Application.Delete(t.Context(), app) }},
		{"publish", 403, no, func() error {
			_, err := mine.Message.Create(t.Context(), app, models.MessageIn{EventType: kind, Payload: map[string]any{}}, nil)
			return err
		}},
		{"create an event type", 403, no, func() error {
			_, err := mine.EventType.Create(t.Context(), models.EventTypeIn{Name: unique("x")}, nil)
			return err
		}},
		{"delete an event type", 403, no, func() error { return mine.EventType.Delete(t.Context(), kind, nil) }},
		{"make another token", 403, no, func() error {
			_, err := mine.Authentication.AppPortalAccess(t.Context(), app, models.AppPortalAccessIn{}, nil)
			return err
		}},
		{"foreign endpoints", 404, "not_found", func() error { _, err := mine.Endpoint.List(t.Context(), foreign, nil); return err }},
		{"foreign messages", 404, "not_found", func() error { _, err := mine.Message.List(t.Context(), foreign, nil); return err }},
	} {
		t.Run(test.name, func(t *testing.T) { refused(t, test.call(), test.status, test.code) })
	}
}

func TestPortalTokenDoesOnlyWhatItsCapabilitiesSay(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app := newApplication(t, c)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: receiver.Hook().URL}).Id
	msg := publish(t, c, app, models.MessageIn{})
	viewer, _ := portal(t, c, app, models.AppPortalAccessIn{Capabilities: []models.AppPortalCapability{models.APPPORTALCAPABILITY_VIEW_BASE}})
	readOnly, _ := portal(t, c, app, models.AppPortalAccessIn{ReadOnly: new(true)})
	for _, limited := range []*svix.Svix{viewer, readOnly} {
		_, err := limited.Endpoint.Get(t.Context(), app, ep)
		ok(t, err)
		_, err = limited.Message.Get(t.Context(), app, msg.Id, nil)
		ok(t, err)
		_, err = limited.Endpoint.GetSecret(t.Context(), app, ep)
		refused(t, err, 403, "insufficient access")
		_, err = limited.Endpoint.Create(t.Context(), app, models.EndpointIn{Url: receiver.Hook().URL}, nil)
		refused(t, err, 403, "insufficient access")
		_, err = limited.MessageAttempt.Resend(t.Context(), app, msg.Id, ep, nil)
		refused(t, err, 403, "insufficient access")
	}
	keeper, _ := portal(t, c, app, models.AppPortalAccessIn{Capabilities: []models.AppPortalCapability{
		models.APPPORTALCAPABILITY_VIEW_BASE, models.APPPORTALCAPABILITY_VIEW_ENDPOINT_SECRET,
	}})
	_, err := keeper.Endpoint.GetSecret(t.Context(), app, ep)
	ok(t, err)
	refused(t, keeper.Endpoint.RotateSecret(t.Context(), app, ep, models.EndpointSecretRotateIn{}, nil), 403, "insufficient access")
}

func TestPortalTokensEnd(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app := newApplication(t, c)
	works := func(token *svix.Svix, want bool) {
		t.Helper()
		_, err := token.Endpoint.List(t.Context(), app, nil)
		if want {
			ok(t, err)
			return
		}
		refused(t, err, 401, "authentication_failed")
	}
	one, _ := portal(t, c, app, models.AppPortalAccessIn{SessionId: new("alice")})
	two, _ := portal(t, c, app, models.AppPortalAccessIn{SessionId: new("bob")})
	three, _ := portal(t, c, app, models.AppPortalAccessIn{Expiry: new(uint64(3600))})
	four, _ := portal(t, c, app, models.AppPortalAccessIn{})
	ok(t, four.Authentication.Logout(t.Context(), nil))
	works(four, false)
	works(one, true)

	ok(t, c.Authentication.ExpireAll(t.Context(), app, models.ApplicationTokenExpireIn{SessionIds: []string{"alice"}}, nil))
	works(one, false)
	works(two, true)
	ok(t, c.Authentication.ExpireAll(t.Context(), app, models.ApplicationTokenExpireIn{Expiry: new(int64(3600))}, nil))
	works(two, true)
	ok(t, c.Authentication.ExpireAll(t.Context(), app, models.ApplicationTokenExpireIn{}, nil))
	works(two, false)
	works(three, false)
	refused(t, c.Authentication.Logout(t.Context(), nil), 403, "insufficient access")
}

func TestOlderDashboardAccessStillWorks(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app := newApplication(t, c)
	access, err := c.Authentication.DashboardAccess(t.Context(), app, nil) //nolint:staticcheck // what is deprecated must work all the same
	ok(t, err)
	_, err = clientWith(t, access.Token).Endpoint.List(t.Context(), app, nil)
	ok(t, err)
}

func TestFeatureFlagsHideEventTypesFromPortalTokens(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, flag := newApplication(t, c), unique("flag")
	hidden := newEventType(t, c, models.EventTypeIn{FeatureFlags: []string{flag}})
	without, _ := portal(t, c, app, models.AppPortalAccessIn{})
	with, _ := portal(t, c, app, models.AppPortalAccessIn{FeatureFlags: []string{flag}})
	_, err := without.EventType.Get(t.Context(), hidden)
	refused(t, err, 404, "not_found")
	_, err = with.EventType.Get(t.Context(), hidden)
	ok(t, err)
}
