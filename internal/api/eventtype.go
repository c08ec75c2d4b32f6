package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// eventTypeStore keeps event types. See package store for what each promises.
type eventTypeStore interface {
	CreateEventType(ctx context.Context, t *hook.EventType, once *hook.IdempotencyKey) (hook.EventType, bool, error)
	FindEventType(ctx context.Context, env hook.ID, name string) (hook.EventType, error)
	FindEventTypes(ctx context.Context, env hook.ID, names []string) ([]hook.EventType, error)
	ListEventTypes(ctx context.Context, env hook.ID, archived bool, p hook.Page) (hook.PageOf[hook.EventType], error)
	UpdateEventType(ctx context.Context, env hook.ID, name string, change func(*hook.EventType) error) (hook.EventType, error)
	DeleteEventType(ctx context.Context, env hook.ID, name string) error
}

func createEventType(c *call) (reply, error) {
	in, err := decode[apitype.EventTypeIn](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	if !isName(in.Name) {
		k.bad(nameRule, "name")
	}
	update := in.Update()
	t := c.newEventType(&k, in.Name, &update)
	if err := k.err(); err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	made, _, err := c.Store.CreateEventType(c.ctx(), t, once)
	c.types.clear()
	if err != nil {
		return reply{}, err
	}
	return c.eventTypeReply(&made, created)
}

func (c *call) newEventType(k *checker, name string, in *apitype.EventTypeUpdate) *hook.EventType {
	t := &hook.EventType{ID: hook.NewID(c.now), Env: c.key.Env, Name: name, CreatedAt: c.now, UpdatedAt: c.now}
	fillEventType(k, t, in)
	return t
}

// fillEventType states all of t but its name, as POST and PUT do.
func fillEventType(k *checker, t *hook.EventType, in *apitype.EventTypeUpdate) {
	t.Description = k.description(in.Description)
	t.Archived = in.Archived.Else(false)
	t.Deprecated = in.Deprecated.Else(false)
	t.EnforceSchema = in.EnforceSchema.Else(false)
	t.Schemas = k.schemas(in.Schemas.Else(nil))
	t.GroupName = k.groupName(in.GroupName)
	t.FeatureFlags = k.featureFlags(in.FeatureFlags, in.FeatureFlag)
}

func (k *checker) groupName(o apitype.Optional[string]) string {
	name, given := o.Get()
	if given && !isName(name) {
		k.bad(nameRule, "groupName")
	}
	return name
}

func (k *checker) featureFlags(newer apitype.Optional[[]string], older apitype.Optional[string]) []string {
	if flag, given := older.Get(); newer.IsZero() && given {
		return k.names([]string{flag}, true, 0, isName, nameRule, "featureFlag")
	}
	flags, given := newer.Get()
	return k.names(flags, given, 0, isName, nameRule, "featureFlags")
}

func listEventTypes(c *call) (reply, error) {
	q := c.params()
	p := q.namePage()
	archived := q.boolean("include_archived", false)
	withContent := q.boolean("with_content", false)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	page, err := c.searchEventTypes(archived, p)
	if err != nil {
		return reply{}, err
	}
	var broken error
	list := listOf(page, func(t *hook.EventType) string { return t.Name }, func(t *hook.EventType) apitype.EventTypeOut {
		if !withContent {
			t.Schemas = nil
		}
		out, err := eventTypeOut(t)
		if err != nil {
			broken = err
		}
		return out
	})
	if broken != nil {
		return reply{}, broken
	}
	visible := list.Data[:0]
	for i := range page.Items {
		if c.sees(&page.Items[i]) {
			visible = append(visible, list.Data[i])
		}
	}
	list.Data = visible
	return ok(list)
}

// sees reports whether the caller may know of the type: an app token must have one
// of the type's flags, if it has any.
func (c *call) sees(t *hook.EventType) bool {
	if c.key.App.IsZero() || len(t.FeatureFlags) == 0 {
		return true
	}
	return slices.ContainsFunc(t.FeatureFlags, func(flag string) bool { return slices.Contains(c.key.FeatureFlags, flag) })
}

func getEventType(c *call) (reply, error) {
	name, err := c.typeName()
	if err != nil {
		return reply{}, err
	}
	t, err := c.Store.FindEventType(c.ctx(), c.key.Env, name)
	switch {
	case err != nil:
		return reply{}, err
	case !c.sees(&t):
		return reply{}, hook.NotFound("event type")
	}
	return c.eventTypeReply(&t, ok)
}

func putEventType(c *call) (reply, error) {
	name, err := c.typeName()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.EventTypeUpdate](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	fresh := c.newEventType(&k, name, &in)
	if err := k.err(); err != nil {
		return reply{}, err
	}
	var t hook.EventType
	defer c.types.clear()
	return upsert(hook.Ref{UID: name},
		func() error {
			t, err = c.Store.UpdateEventType(c.ctx(), c.key.Env, name, func(t *hook.EventType) error {
				id, createdAt := t.ID, t.CreatedAt
				*t = *fresh
				t.ID, t.CreatedAt = id, createdAt
				return nil
			})
			return err
		},
		func() error {
			t, _, err = c.Store.CreateEventType(c.ctx(), fresh, nil)
			return err
		},
		func() (any, error) { return eventTypeOut(&t) })
}

func patchEventType(c *call) (reply, error) {
	name, err := c.typeName()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.EventTypePatch](c)
	if err != nil {
		return reply{}, err
	}
	t, err := c.Store.UpdateEventType(c.ctx(), c.key.Env, name, func(t *hook.EventType) error {
		return patchedEventType(t, &in, c)
	})
	c.types.clear()
	if err != nil {
		return reply{}, err
	}
	return c.eventTypeReply(&t, ok)
}

// patchedEventType changes the members that are present.
func patchedEventType(t *hook.EventType, in *apitype.EventTypePatch, c *call) error {
	var k checker
	if text, given := notNull(&k, in.Description, "description"); given {
		t.Description = k.description(text)
	}
	for _, flag := range []struct {
		in   apitype.Optional[bool]
		name string
		to   *bool
	}{
		{in.Archived, "archived", &t.Archived},
		{in.Deprecated, "deprecated", &t.Deprecated},
		{in.EnforceSchema, "enforceSchema", &t.EnforceSchema},
	} {
		if on, given := notNull(&k, flag.in, flag.name); given {
			*flag.to = on
		}
	}
	if !in.Schemas.IsZero() {
		t.Schemas = k.schemas(in.Schemas.Else(nil))
	}
	if !in.GroupName.IsZero() {
		t.GroupName = k.groupName(in.GroupName)
	}
	if !in.FeatureFlags.IsZero() || !in.FeatureFlag.IsZero() {
		t.FeatureFlags = k.featureFlags(in.FeatureFlags, in.FeatureFlag)
	}
	t.UpdatedAt = c.now
	return k.err()
}

// deleteEventType archives the type, or with expunge removes it for good.
func deleteEventType(c *call) (reply, error) {
	name, err := c.typeName()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	expunge := q.boolean("expunge", false)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	defer c.types.clear()
	if expunge {
		err = c.Store.DeleteEventType(c.ctx(), c.key.Env, name)
	} else {
		_, err = c.Store.UpdateEventType(c.ctx(), c.key.Env, name, func(t *hook.EventType) error {
			t.Archived, t.UpdatedAt = true, c.now
			return nil
		})
	}
	if err != nil {
		return reply{}, err
	}
	return noContent()
}

func (c *call) typeName() (string, error) {
	name := c.value("name")
	if !isName(name) {
		return "", hook.Invalid(nameRule, "path", "event_type_name")
	}
	return name, nil
}

func (c *call) eventTypeReply(t *hook.EventType, answer func(any) (reply, error)) (reply, error) {
	out, err := eventTypeOut(t)
	if err != nil {
		return reply{}, err
	}
	return answer(out)
}

func eventTypeOut(t *hook.EventType) (apitype.EventTypeOut, error) {
	out := apitype.EventTypeOut{
		Name: t.Name, Description: t.Description, Archived: t.Archived, Deprecated: t.Deprecated,
		EnforceSchema: t.EnforceSchema, GroupName: textOut(t.GroupName), FeatureFlags: listOut(t.FeatureFlags),
		CreatedAt: t.CreatedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(),
	}
	if len(t.FeatureFlags) > 0 {
		out.FeatureFlag = &t.FeatureFlags[0]
	}
	var err error
	out.Schemas, err = schemasOut(t)
	return out, err
}

// schemasOut reads stored schemas; nil if there are none.
func schemasOut(t *hook.EventType) (map[string]json.RawMessage, error) {
	if t.Schemas == nil {
		return nil, nil
	}
	var byVersion map[string]json.RawMessage
	if err := json.Unmarshal(t.Schemas, &byVersion); err != nil {
		return nil, fmt.Errorf("read the schemas of an event type: %w", err)
	}
	return byVersion, nil
}
