package listen_test

import (
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/listen"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestCursorIsGoodInItsEnvironmentOnly(t *testing.T) {
	t.Parallel()
	env, other := hook.NewID(time.Now()), hook.NewID(time.Now())
	before, after := hook.Cursor{Commit: 4711, Within: hook.NewID(time.Now())}, hook.NewID(time.Now())
	text := listen.FormatPlace(env, before, after)
	if strings.ContainsAny(text, "+/=&") {
		t.Errorf("%s cannot stand in a URL as it is", text)
	}
	gotBefore, gotAfter, err := listen.ParsePlace(env, text)
	testx.NoError(t, err)
	testx.Equal(t, gotBefore, before)
	testx.Equal(t, gotAfter, after)
	_, _, err = listen.ParsePlace(other, text)
	testx.Code(t, err, hook.CodeBadRequest)
	for _, bad := range []string{"", "x", text[1:], text + "A", strings.Repeat("_", len(text)), listen.FormatPlace(env, hook.Cursor{Commit: -1}, after)} {
		_, _, err := listen.ParsePlace(env, bad)
		testx.Code(t, err, hook.CodeBadRequest, bad)
	}
}

func FuzzCursorIsReadAsItWasWrittenOrRefused(f *testing.F) {
	env := hook.NewID(time.Now())
	f.Add(listen.FormatPlace(env, hook.Cursor{Commit: 1}, hook.ID{}))
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		before, after, err := listen.ParsePlace(env, text)
		if err != nil {
			testx.Code(t, err, hook.CodeBadRequest)
			return
		}
		again := listen.FormatPlace(env, before, after)
		if b, a, err := listen.ParsePlace(env, again); err != nil || b != before || a != after {
			t.Errorf("%q became %q", text, again)
		}
	})
}

func TestSourceIsFoundByWhatPeopleCallIt(t *testing.T) {
	t.Parallel()
	id := func(n byte) hook.ID { return hook.ID{n} }
	sources := []hook.Source{
		{ID: id(1), UID: "pay", Name: "Payments", Type: "stripe"},
		{ID: id(2), UID: "pay-test", Name: "Payments of the test shop", Type: "stripe"},
		{ID: id(3), Name: "code", Type: "github"},
		{ID: id(4), UID: "stripe", Name: "Old", Type: "shopify"},
		{ID: id(5), Name: "twin", Type: "slack"},
		{ID: id(6), Name: "twin", Type: "slack"},
	}
	for name, want := range map[string]hook.ID{
		"pay": id(1), "Payments": id(1), hook.KindSource.Format(id(2)): id(2), "code": id(3), "github": id(3), "stripe": id(4), "shopify": id(4),
	} {
		got, err := listen.Pick(sources, name)
		if err != nil || got.ID != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	_, err := listen.Pick(sources, "nobody")
	testx.Code(t, err, hook.CodeNotFound)
	_, err = listen.Pick(sources, "")
	testx.Code(t, err, hook.CodeNotFound)
	for _, several := range []string{"twin", "slack"} {
		_, err = listen.Pick(sources, several)
		testx.Code(t, err, hook.CodeConflict)
	}
}
