package storetest

import (
	"errors"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var eventTypeTests = []test{
	{"an event type comes back as it was stored", eventTypeComesBack},
	{"a live name is taken, an archived one is revived", eventTypeRevived},
	{"several are found by name at once", eventTypesByName},
	{"archived ones are listed on demand", eventTypesListed},
	{"an update is all or nothing", eventTypeUpdate},
	{"deleting one removes it for good", eventTypeDelete},
}

func (f *fixture) eventTypeValue(name string, change ...func(*hook.EventType)) hook.EventType {
	t := hook.EventType{ID: hook.NewID(f.now), Env: f.env, Name: name, CreatedAt: f.now, UpdatedAt: f.now}
	for _, c := range change {
		c(&t)
	}
	return t
}

func (f *fixture) newEventType(name string, change ...func(*hook.EventType)) hook.EventType {
	f.Helper()
	t := f.eventTypeValue(name, change...)
	got, repeated, err := f.store.CreateEventType(f.ctx, &t, nil)
	f.must(err)
	testx.True(f, !repeated, "it is new")
	return got
}

func archived(t *hook.EventType) { t.Archived = true }

func eventTypeComesBack(f *fixture) {
	want := f.eventTypeValue("invoice.paid", func(t *hook.EventType) {
		t.Description, t.GroupName = "An invoice ☃ was paid.", "invoice"
		t.Deprecated, t.EnforceSchema = true, true
		t.FeatureFlags = []string{"beta", "gamma"}
		t.Schemas = []byte(`{"1": {"maximum" : 1.0e400, "z":1,"a":2}}`) // kept byte for byte
	})
	got, _, err := f.store.CreateEventType(f.ctx, &want, nil)
	f.must(err)
	testx.Equal(f, got, want)
	testx.Equal(f, testx.Must(f.store.FindEventType(f.ctx, f.env, "invoice.paid"))(f), want)
	bare := f.newEventType("bare")
	testx.Equal(f, testx.Must(f.store.FindEventType(f.ctx, f.env, "bare"))(f), bare)
	for _, name := range []string{"invoice", "INVOICE.PAID", ""} {
		_, err := f.store.FindEventType(f.ctx, f.env, name)
		testx.Code(f, err, hook.CodeNotFound, name)
	}
}

func eventTypeRevived(f *fixture) {
	f.newEventType("a")
	taken := f.eventTypeValue("a")
	_, _, err := f.store.CreateEventType(f.ctx, &taken, nil)
	testx.Code(f, err, hook.CodeEventTypeTaken)

	f.newEventType("b", archived, func(t *hook.EventType) { t.Description = "old" })
	f.pass(time.Hour)
	got := f.newEventType("b", func(t *hook.EventType) { t.Description = "new" })
	testx.True(f, !got.Archived, "it is live")
	testx.Equal(f, got.Description, "new")
	testx.Equal(f, testx.Must(f.store.FindEventType(f.ctx, f.env, "b"))(f), got)
	list := testx.Must(f.store.ListEventTypes(f.ctx, f.env, true, hook.Page{Limit: 10, Ascending: true}))(f)
	testx.Equal(f, names(list.Items), []string{"a", "b"}, "no second one of the name")
}

func names(types []hook.EventType) []string {
	out := make([]string, 0, len(types))
	for i := range types {
		out = append(out, types[i].Name)
	}
	return out
}

func eventTypesByName(f *fixture) {
	for _, name := range []string{"a", "b", "c"} {
		f.newEventType(name)
	}
	f.newEventType("old", archived)
	f.newEventType("x", func(t *hook.EventType) { t.Env = f.newEnvironment("other") })
	got := names(testx.Must(f.store.FindEventTypes(f.ctx, f.env, []string{"c", "nobody", "a", "old", "x", "c"}))(f))
	slices.Sort(got)
	testx.Equal(f, slices.Compact(got), []string{"a", "c", "old"})
	testx.Equal(f, len(testx.Must(f.store.FindEventTypes(f.ctx, f.env, nil))(f)), 0, "of no names")
}

func eventTypesListed(f *fixture) {
	f.newEventType("b", archived)
	f.newEventType("c")
	f.newEventType("a")
	page := hook.Page{Limit: 10, Ascending: true}
	live := testx.Must(f.store.ListEventTypes(f.ctx, f.env, false, page))(f)
	testx.Equal(f, names(live.Items), []string{"a", "c"})
	all := testx.Must(f.store.ListEventTypes(f.ctx, f.env, true, page))(f)
	testx.Equal(f, names(all.Items), []string{"a", "b", "c"})
}

func eventTypeUpdate(f *fixture) {
	before := f.newEventType("a", func(t *hook.EventType) { t.Schemas = []byte(`{"1":{}}`) })
	own := errors.New("not like this")
	_, err := f.store.UpdateEventType(f.ctx, f.env, "a", func(t *hook.EventType) error {
		t.Description = "changed"
		return own
	})
	testx.True(f, errors.Is(err, own), "the error of change is given back")
	testx.Equal(f, testx.Must(f.store.FindEventType(f.ctx, f.env, "a"))(f), before)

	want := before
	want.Description, want.Archived, want.Schemas, want.FeatureFlags = "new", true, nil, []string{"f"}
	want.UpdatedAt = f.now.Add(time.Second)
	got, err := f.store.UpdateEventType(f.ctx, f.env, "a", func(t *hook.EventType) error {
		testx.Equal(f, *t, before, "what change gets")
		*t = want
		return nil
	})
	f.must(err)
	testx.Equal(f, got, want)
	testx.Equal(f, testx.Must(f.store.FindEventType(f.ctx, f.env, "a"))(f), want)
	_, err = f.store.UpdateEventType(f.ctx, f.env, "nobody", func(*hook.EventType) error {
		f.Error("change is called for an event type that does not exist")
		return nil
	})
	testx.Code(f, err, hook.CodeNotFound)
}

func eventTypeDelete(f *fixture) {
	f.newEventType("a", archived, func(t *hook.EventType) { t.Description = "old" })
	f.must(f.store.DeleteEventType(f.ctx, f.env, "a"))
	_, err := f.store.FindEventType(f.ctx, f.env, "a")
	testx.Code(f, err, hook.CodeNotFound)
	testx.Code(f, f.store.DeleteEventType(f.ctx, f.env, "a"), hook.CodeNotFound)
	fresh := f.newEventType("a")
	testx.Equal(f, testx.Must(f.store.FindEventType(f.ctx, f.env, "a"))(f), fresh)
}
