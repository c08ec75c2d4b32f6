package storetest

import (
	"crypto/sha256"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var portalTests = []test{
	{"an environment that set nothing has the zero settings", settingsBegin},
	{"settings come back as they were changed", settingsComeBack},
	{"an error of the change leaves settings as they were", settingsStay},
	{"the code of a link is good once", codeIsGoodOnce},
	{"a cookie is good until it ends", cookieIsGood},
	{"a grant ends with the key of its link", grantEndsWithKey},
	{"ended grants go when new ones come", endedGrantsGo},
}

func settingsBegin(f *fixture) {
	testx.Equal(f, testx.Must(f.store.FindSettings(f.ctx, f.env))(f), hook.Settings{Env: f.env})
	testx.Equal(f, len(testx.Must(f.store.ListSettings(f.ctx))(f)), 0)
	_, err := f.store.FindSettings(f.ctx, hook.NewID(f.now))
	testx.Code(f, err, hook.CodeNotFound)
	_, err = f.store.UpdateSettings(f.ctx, hook.NewID(f.now), func(*hook.Settings) error { return nil })
	testx.Code(f, err, hook.CodeNotFound)
}

func settingsComeBack(f *fixture) {
	other, radius := f.newEnvironment("other"), 0
	want := hook.Settings{Env: f.env, PortalOrigins: []string{"https://a.example"}, UpdatedAt: f.now, Portal: hook.PortalTheme{
		Name: "Ümläut \"quoted\"", LogoLight: "https://a.example/l.svg", LogoDark: "data:image/png;base64,AA==", Accent: "#000000", AccentDark: "#ffffff",
		Radius: &radius, Font: "inter", Mode: "dark", Language: "de", Hide: []string{"test"}, Title: "T", Welcome: "W", Support: "S", SupportURL: "mailto:a@b.example",
	}}
	got := testx.Must(f.store.UpdateSettings(f.ctx, f.env, func(s *hook.Settings) error { *s = want; return nil }))(f)
	testx.Equal(f, got, want)
	testx.Equal(f, testx.Must(f.store.FindSettings(f.ctx, f.env))(f), want)
	testx.Equal(f, testx.Must(f.store.ListSettings(f.ctx))(f), []hook.Settings{want})
	testx.Equal(f, testx.Must(f.store.FindSettings(f.ctx, other))(f), hook.Settings{Env: other})
	again := testx.Must(f.store.UpdateSettings(f.ctx, f.env, func(s *hook.Settings) error { s.Portal.Name = "B"; return nil }))(f)
	want.Portal.Name = "B"
	testx.Equal(f, again, want)
}

func settingsStay(f *fixture) {
	refused := &hook.Error{Code: hook.CodeConflict}
	_, err := f.store.UpdateSettings(f.ctx, f.env, func(s *hook.Settings) error { s.Portal.Name = "B"; return refused })
	testx.Code(f, err, hook.CodeConflict)
	testx.Equal(f, testx.Must(f.store.FindSettings(f.ctx, f.env))(f), hook.Settings{Env: f.env})
}

// newGrant stores a grant of a key, known by its text.
func (f *fixture) newGrant(text string, k *hook.Key, once bool, end time.Time) [32]byte {
	f.Helper()
	g := hook.PortalGrant{Hash: sha256.Sum256([]byte(text)), Key: k.ID, Once: once, ExpiresAt: end}
	f.must(f.store.CreatePortalGrant(f.ctx, &g, f.now))
	return g.Hash
}

func (f *fixture) refusedGrant(hash [32]byte, code hook.Code) {
	f.Helper()
	_, _, err := f.store.UsePortalGrant(f.ctx, hash, f.now)
	testx.Code(f, err, code)
}

func codeIsGoodOnce(f *fixture) {
	k := f.newKey("link", func(k *hook.Key) { k.App, k.Scopes, k.ExpiresAt = f.app, []string{"ViewBase"}, f.now.Add(time.Hour) })
	hash := f.newGrant("code", &k, true, k.ExpiresAt)
	g, got, err := f.store.UsePortalGrant(f.ctx, hash, f.now)
	f.must(err)
	testx.Equal(f, got, k)
	testx.Equal(f, g, hook.PortalGrant{Hash: hash, Key: k.ID, Once: true, ExpiresAt: k.ExpiresAt, UsedAt: f.now})
	f.refusedGrant(hash, hook.CodeAuthentication)
	f.refusedGrant(sha256.Sum256([]byte("unknown")), hook.CodeNotFound)
}

func cookieIsGood(f *fixture) {
	k := f.newKey("link", func(k *hook.Key) { k.App = f.app })
	hash := f.newGrant("cookie", &k, false, f.now.Add(time.Hour))
	for range 2 {
		_, _, err := f.store.UsePortalGrant(f.ctx, hash, f.now)
		f.must(err)
	}
	f.must(f.store.DeletePortalGrant(f.ctx, hash))
	f.refusedGrant(hash, hook.CodeNotFound)
	hash = f.newGrant("another", &k, false, f.now.Add(time.Hour))
	f.pass(time.Hour)
	f.refusedGrant(hash, hook.CodeAuthentication)
}

func grantEndsWithKey(f *fixture) {
	k := f.newKey("link", func(k *hook.Key) { k.App = f.app })
	code, cookie := f.newGrant("code", &k, true, f.now.Add(time.Hour)), f.newGrant("cookie", &k, false, f.now.Add(time.Hour))
	f.must(f.store.ExpireAppKeys(f.ctx, f.env, f.app, nil, f.now))
	f.refusedGrant(code, hook.CodeAuthentication)
	f.refusedGrant(cookie, hook.CodeAuthentication)
}

func endedGrantsGo(f *fixture) {
	k := f.newKey("link", func(k *hook.Key) { k.App = f.app })
	old, live := f.newGrant("old", &k, true, f.now.Add(time.Minute)), f.newGrant("live", &k, true, f.now.Add(time.Hour))
	f.pass(time.Minute)
	f.refusedGrant(old, hook.CodeAuthentication)
	f.newGrant("new", &k, true, f.now.Add(time.Hour))
	f.refusedGrant(old, hook.CodeNotFound)
	_, _, err := f.store.UsePortalGrant(f.ctx, live, f.now)
	f.must(err)
}
