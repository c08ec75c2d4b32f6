package acceptance_test

import (
	"slices"
	"strings"
	"testing"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
	"github.com/svix/svix-webhooks/go/utils"
)

func TestEndpointLivesItsWholeLife(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, uid, url := newApplication(t, c), unique("ep"), receiver.Hook().URL
	kind := newEventType(t, c, models.EventTypeIn{})
	created, err := c.Endpoint.Create(t.Context(), app, models.EndpointIn{
		Url: url, Uid: &uid, Description: new("main"), FilterTypes: []string{kind}, Channels: []string{"one", "two"},
		RateLimit: new(uint16(500)), Metadata: &map[string]string{"team": "a"}, Version: new(uint16(3)),
		Headers: &map[string]string{"X-Team": "a"},
	}, nil)
	ok(t, err)
	if !strings.HasPrefix(created.Id, "ep_") || len(created.Id) != len("ep_")+27 {
		t.Errorf("id is %q", created.Id)
	}
	equal(t, "url", created.Url, url)
	equal(t, "uid", created.Uid, &uid)
	equal(t, "description", created.Description, "main")
	equal(t, "filter types", created.FilterTypes, []string{kind})
	equal(t, "channels", created.Channels, []string{"one", "two"})
	equal(t, "throttle rate", created.ThrottleRate, new(uint16(500)))
	equal(t, "older name of the rate", created.RateLimit, new(uint16(500)))
	equal(t, "metadata", created.Metadata, map[string]string{"team": "a"})
	equal(t, "disabled", created.Disabled, new(false))
	equal(t, "version", created.Version, 1)
	for _, name := range []string{created.Id, uid} {
		found, err := c.Endpoint.Get(t.Context(), app, name)
		ok(t, err)
		equal(t, "endpoint by "+name, found, created)
	}
	secret, err := c.Endpoint.GetSecret(t.Context(), app, uid)
	ok(t, err)

	patched, err := c.Endpoint.Patch(t.Context(), app, uid, models.EndpointPatch{
		Description: new("changed"), Channels: utils.NewNullableFromPtr[[]string](nil),
	})
	ok(t, err)
	equal(t, "patched description", patched.Description, "changed")
	equal(t, "patched channels", patched.Channels, nil)
	equal(t, "filter types after the patch", patched.FilterTypes, []string{kind})

	replaced, err := c.Endpoint.Update(t.Context(), app, created.Id, models.EndpointUpdate{Url: url + "/moved", Uid: &uid})
	ok(t, err)
	equal(t, "id after the update", replaced.Id, created.Id)
	equal(t, "url after the update", replaced.Url, url+"/moved")
	equal(t, "description after the update", replaced.Description, "")
	equal(t, "filter types after the update", replaced.FilterTypes, nil)
	kept, err := c.Endpoint.GetSecret(t.Context(), app, uid)
	ok(t, err)
	equal(t, "secret after the update", kept, secret)
	headers, err := c.Endpoint.GetHeaders(t.Context(), app, uid)
	ok(t, err)
	equal(t, "headers after the update", headers.Headers, map[string]string{"X-Team": "a"})

	ok(t, c.Endpoint.Delete(t.Context(), app, uid))
	_, err = c.Endpoint.Get(t.Context(), app, created.Id)
	refused(t, err, 404, "not_found")
}

func TestEndpointUpdateOfAnUnknownUIDCreates(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, uid := newApplication(t, c), unique("ep")
	created, err := c.Endpoint.Update(t.Context(), app, uid, models.EndpointUpdate{Url: receiver.Hook().URL, Uid: &uid})
	ok(t, err)
	found, err := c.Endpoint.Get(t.Context(), app, uid)
	ok(t, err)
	equal(t, "endpoint", found, created)
}

func TestEndpointsAreListedInPages(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app := newApplication(t, c)
	var mine []string
	for range 5 {
		mine = append(mine, newEndpoint(t, c, app, models.EndpointIn{Url: receiver.Hook().URL}).Id)
	}
	slices.Sort(mine) // ids of the same few milliseconds are in no order
	list := func(order *models.Ordering) (seen []string) {
		each(t, func(iterator *string) (*models.ListResponseEndpointOut, error) {
			return c.Endpoint.List(t.Context(), app, &svix.EndpointListOptions{Limit: new(uint64(2)), Iterator: iterator, Order: order})
		}, func(p *models.ListResponseEndpointOut) ([]models.EndpointOut, *string, bool) {
			return p.Data, p.Iterator, p.Done
		}, func(ep models.EndpointOut) { seen = append(seen, ep.Id) })
		return seen
	}
	equal(t, "ascending list", list(new(models.ORDERING_ASCENDING)), mine)
	slices.Reverse(mine)
	equal(t, "list by default", list(nil), mine)

	first, err := c.Endpoint.List(t.Context(), app, &svix.EndpointListOptions{Limit: new(uint64(2))})
	ok(t, err)
	second, err := c.Endpoint.List(t.Context(), app, &svix.EndpointListOptions{Limit: new(uint64(2)), Iterator: first.Iterator})
	ok(t, err)
	back, err := c.Endpoint.List(t.Context(), app, &svix.EndpointListOptions{Limit: new(uint64(2)), Iterator: second.PrevIterator})
	ok(t, err)
	equal(t, "page before the second", back.Data, first.Data)
}

func TestEndpointsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, url := newApplication(t, c), receiver.Hook().URL
	for _, test := range []struct {
		name, at string
		in       models.EndpointIn
	}{
		{"no url", "body.url", models.EndpointIn{}},
		{"no http", "body.url", models.EndpointIn{Url: "ftp://example.com/"}},
		{"private address", "body.url", models.EndpointIn{Url: "http://10.0.0.1/"}},
		{"metadata service", "body.url", models.EndpointIn{Url: "http://169.254.169.254/"}},
		{"unknown event type", "body.filterTypes", models.EndpointIn{Url: url, FilterTypes: []string{"never.made"}}},
		{"bad channel", "body.channels.[1]", models.EndpointIn{Url: url, Channels: []string{"fine", "not fine"}}},
		{"bad secret", "body.secret", models.EndpointIn{Url: url, Secret: new("whsec_short")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := c.Endpoint.Create(t.Context(), app, test.in, nil)
			refused(t, err, 422, test.at)
		})
	}
}

func TestEndpointHeadersAreSentAndSecretOnesHidden(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	none, err := c.Endpoint.GetHeaders(t.Context(), app, ep)
	ok(t, err)
	equal(t, "headers of a new endpoint", none, &models.EndpointHeadersOut{Headers: map[string]string{}, Sensitive: []string{}})

	ok(t, c.Endpoint.UpdateHeaders(t.Context(), app, ep, models.EndpointHeadersIn{
		Headers: map[string]string{"X-Team": "a", "X-Gone": "soon", "Authorization": "Bearer of-the-receiver"},
	}))
	ok(t, c.Endpoint.PatchHeaders(t.Context(), app, ep, models.EndpointHeadersPatchIn{Headers: map[string]string{"X-New": "b"}}))
	ok(t, c.Endpoint.PatchHeaders(t.Context(), app, ep, models.EndpointHeadersPatchIn{DeleteHeaders: []string{"X-Gone"}}))
	shown, err := c.Endpoint.GetHeaders(t.Context(), app, ep)
	ok(t, err)
	equal(t, "headers", shown.Headers, map[string]string{"X-Team": "a", "X-New": "b"})
	if len(shown.Sensitive) != 1 || !strings.EqualFold(shown.Sensitive[0], "authorization") {
		t.Errorf("sensitive headers are %q", shown.Sensitive)
	}

	publish(t, c, app, models.MessageIn{})
	got := hook.Next(t)
	equal(t, "X-Team", got.Header.Get("X-Team"), "a")
	equal(t, "X-New", got.Header.Get("X-New"), "b")
	equal(t, "X-Gone", got.Header.Get("X-Gone"), "")
	equal(t, "Authorization", got.Header.Get("Authorization"), "Bearer of-the-receiver")

	for _, name := range []string{"User-Agent", "Content-Length", "X-Amz-Date", "Svix-Id"} {
		err := c.Endpoint.UpdateHeaders(t.Context(), app, ep, models.EndpointHeadersIn{Headers: map[string]string{name: "x"}})
		refused(t, err, 422, "body.headers."+name)
	}
}

func TestSecretsRotateWithBothSignaturesDuringTheGracePeriod(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	given := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL, Secret: &given}).Id
	secret, err := c.Endpoint.GetSecret(t.Context(), app, ep)
	ok(t, err)
	equal(t, "secret", secret.Key, given)
	first := verifierOf(t, given)

	publish(t, c, app, models.MessageIn{})
	got := hook.Next(t)
	ok(t, first.Verify(got.Body, got.Header))

	ok(t, c.Endpoint.RotateSecret(t.Context(), app, ep, models.EndpointSecretRotateIn{}, nil))
	second := verifier(t, c, app, ep)
	publish(t, c, app, models.MessageIn{})
	got = hook.Next(t)
	ok(t, first.Verify(got.Body, got.Header))
	ok(t, second.Verify(got.Body, got.Header))
	equal(t, "signatures", len(strings.Fields(got.Header.Get("webhook-signature"))), 2)

	third := "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	ok(t, c.Endpoint.RotateSecret(t.Context(), app, ep, models.EndpointSecretRotateIn{Key: &third, GracePeriodSeconds: new(uint32(0))}, nil))
	publish(t, c, app, models.MessageIn{})
	got = hook.Next(t)
	ok(t, verifierOf(t, third).Verify(got.Body, got.Header))
	ok(t, first.Verify(got.Body, got.Header)) // its own grace period lasts
	if second.Verify(got.Body, got.Header) == nil {
		t.Error("a key that was replaced without grace still signs")
	}
}

func TestEndpointStatsCountAttempts(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook(500, 204)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	publish(t, c, app, models.MessageIn{})
	hook.Next(t)
	hook.Next(t)
	eventually(t, func() error {
		stats, err := c.Endpoint.GetStats(t.Context(), app, ep, nil)
		ok(t, err)
		return same(*stats, models.EndpointStats{Success: 1, Fail: 1})
	})
}
