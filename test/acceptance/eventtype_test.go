package acceptance_test

import (
	"slices"
	"testing"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
	"github.com/svix/svix-webhooks/go/utils"
)

// invoiceSchema has an example, which send-example sends.
func invoiceSchema() *map[string]any {
	return &map[string]any{"1": map[string]any{
		"type": "object", "required": []any{"amount"},
		"properties": map[string]any{"amount": map[string]any{"type": "number"}},
		"examples":   []any{map[string]any{"amount": 1200.0}, map[string]any{"amount": 7.0}},
	}}
}

func TestEventTypeLivesItsWholeLife(t *testing.T) {
	t.Parallel()
	c := admin(t)
	name := unique("invoice.paid")
	created, err := c.EventType.Create(t.Context(), models.EventTypeIn{
		Name: name, Description: "An invoice was paid", GroupName: new("invoice"), FeatureFlag: new("beta"), Schemas: invoiceSchema(),
	}, nil)
	ok(t, err)
	equal(t, "name", created.Name, name)
	equal(t, "description", created.Description, "An invoice was paid")
	equal(t, "group", created.GroupName, new("invoice"))
	equal(t, "feature flag", created.FeatureFlag, new("beta"))
	equal(t, "feature flags", created.FeatureFlags, []string{"beta"})
	equal(t, "schemas", created.Schemas, invoiceSchema())
	equal(t, "archived", created.Archived, new(false))
	found, err := c.EventType.Get(t.Context(), name)
	ok(t, err)
	equal(t, "event type", found, created)
	_, err = c.EventType.Create(t.Context(), models.EventTypeIn{Name: name}, nil)
	refused(t, err, 409, "event_type_exists")

	patched, err := c.EventType.Patch(t.Context(), name, models.EventTypePatch{
		Description: new("Changed"), Deprecated: new(true), GroupName: utils.NewNullableFromPtr[string](nil),
	})
	ok(t, err)
	equal(t, "patched description", patched.Description, "Changed")
	equal(t, "patched deprecation", patched.Deprecated, true)
	equal(t, "patched group", patched.GroupName, nil)
	equal(t, "schemas after the patch", patched.Schemas, invoiceSchema())

	replaced, err := c.EventType.Update(t.Context(), name, models.EventTypeUpdate{Description: "Replaced"})
	ok(t, err)
	equal(t, "replaced description", replaced.Description, "Replaced")
	equal(t, "replaced schemas", replaced.Schemas, nil)
	equal(t, "replaced flags", replaced.FeatureFlags, nil)

	ok(t, c.EventType.Delete(t.Context(), name, nil))
	archived, err := c.EventType.Get(t.Context(), name)
	ok(t, err)
	equal(t, "archived after the delete", archived.Archived, new(true))
	revived, err := c.EventType.Create(t.Context(), models.EventTypeIn{Name: name, Description: "Back"}, nil)
	ok(t, err)
	equal(t, "archived after the revival", revived.Archived, new(false))
	equal(t, "revived description", revived.Description, "Back")

	ok(t, c.EventType.Delete(t.Context(), name, &svix.EventTypeDeleteOptions{Expunge: new(true)}))
	_, err = c.EventType.Get(t.Context(), name)
	refused(t, err, 404, "not_found")
}

func TestEventTypesAreListedByName(t *testing.T) {
	t.Parallel()
	c := admin(t)
	var mine []string
	for _, prefix := range []string{"list.c", "list.a", "list.b"} {
		mine = append(mine, newEventType(t, c, models.EventTypeIn{Name: unique(prefix), Schemas: invoiceSchema()}))
	}
	slices.Sort(mine)
	gone := newEventType(t, c, models.EventTypeIn{Name: unique("list.archived")})
	ok(t, c.EventType.Delete(t.Context(), gone, nil))

	list := func(o svix.EventTypeListOptions) (seen []models.EventTypeOut) {
		o.Limit = new(uint64(2))
		each(t, func(iterator *string) (*models.ListResponseEventTypeOut, error) {
			o.Iterator = iterator
			return c.EventType.List(t.Context(), &o)
		}, func(p *models.ListResponseEventTypeOut) ([]models.EventTypeOut, *string, bool) {
			return p.Data, p.Iterator, p.Done
		}, func(e models.EventTypeOut) {
			if slices.Contains(mine, e.Name) || e.Name == gone {
				seen = append(seen, e)
			}
		})
		return seen
	}
	names := func(types []models.EventTypeOut) (names []string) {
		for _, e := range types {
			names = append(names, e.Name)
		}
		return names
	}
	plain := list(svix.EventTypeListOptions{})
	equal(t, "names", names(plain), mine)
	for _, e := range plain {
		equal(t, "schemas of a list without content", e.Schemas, nil)
	}
	for _, e := range list(svix.EventTypeListOptions{WithContent: new(true)}) {
		equal(t, "schemas of a list with content", e.Schemas, invoiceSchema())
	}
	all := append(slices.Clone(mine), gone)
	slices.Sort(all)
	equal(t, "names with archived ones", names(list(svix.EventTypeListOptions{IncludeArchived: new(true)})), all)
}

func TestExamplesAreSentToOneEndpoint(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook, other := newApplication(t, c), receiver.Hook(), receiver.Hook()
	kind := newEventType(t, c, models.EventTypeIn{Schemas: invoiceSchema()})
	bare := newEventType(t, c, models.EventTypeIn{})
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	newEndpoint(t, c, app, models.EndpointIn{Url: other.URL})
	verify := verifier(t, c, app, ep)

	sent, err := c.Endpoint.SendExample(t.Context(), app, ep, models.EventExampleIn{EventType: kind}, nil)
	ok(t, err)
	equal(t, "payload in the answer", sent.Payload, map[string]any{"amount": 1200.0})
	got := hook.Next(t)
	ok(t, verify.Verify(got.Body, got.Header))
	equal(t, "id", got.ID(), sent.Id)
	equal(t, "body", string(got.Body), `{"amount":1200}`)

	_, err = c.Endpoint.SendExample(t.Context(), app, ep, models.EventExampleIn{EventType: kind, ExampleIndex: new(uint64(1))}, nil)
	ok(t, err)
	equal(t, "second example", string(hook.Next(t).Body), `{"amount":7}`)
	ping, err := c.Endpoint.SendExample(t.Context(), app, ep, models.EventExampleIn{EventType: "svix.ping"}, nil)
	ok(t, err)
	equal(t, "id of the ping", hook.Next(t).ID(), ping.Id)

	_, err = c.Endpoint.SendExample(t.Context(), app, ep, models.EventExampleIn{EventType: bare}, nil)
	refused(t, err, 400, "invalid_scheme")

	last := publish(t, c, app, models.MessageIn{})
	equal(t, "first message at the other endpoint", other.Next(t).ID(), last.Id)
}
