package storetest

import (
	"crypto/sha256"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var tenantTests = []test{
	{"environments are listed oldest first", environmentsAreListed},
	{"a key comes back as it was stored", keyComesBack},
	{"a hash can be stored once", keyHashIsUnique},
	{"an environment's keys are listed without app tokens", keysAreListedWithoutTokens},
	{"a key ends at a time and never later", keyEnds},
	{"app tokens end all together or by session", appTokensEnd},
	{"app tokens end with their application", appTokensEndWithApplication},
	{"the last use of a key is kept", keyUseIsKept},
}

func environmentsAreListed(f *fixture) {
	f.pass(time.Second)
	second := f.newEnvironment("second")
	got := testx.Must(f.store.ListEnvironments(f.ctx))(f)
	testx.Equal(f, got, []hook.Environment{
		{ID: f.env, Name: "first", CreatedAt: noon},
		{ID: second, Name: "second", CreatedAt: f.now},
	})
}

// newKey stores a key of the test's environment, known by its name.
func (f *fixture) newKey(name string, change ...func(*hook.Key)) hook.Key {
	f.Helper()
	k := hook.Key{
		ID: hook.NewID(f.now), Env: f.env, Hash: sha256.Sum256([]byte(name)), Name: name,
		CensoredText: "gk_…" + name, CreatedAt: f.now,
	}
	for _, c := range change {
		c(&k)
	}
	f.must(f.store.CreateKey(f.ctx, &k))
	return k
}

func (f *fixture) key(name string) hook.Key {
	f.Helper()
	return testx.Must(f.store.FindKeyByHash(f.ctx, sha256.Sum256([]byte(name))))(f)
}

func keyComesBack(f *fixture) {
	plain := f.newKey("plain")
	full := f.newKey("full", func(k *hook.Key) {
		k.App = f.app
		k.Scopes = []string{"ViewBase", "ManageEndpoint"}
		k.SessionID = "session"
		k.FeatureFlags = []string{"beta"}
		k.ExpiresAt = f.now.Add(-time.Hour) // given all the same: the caller judges
		k.LastUsedAt = f.now
	})
	testx.Equal(f, f.key("plain"), plain)
	testx.Equal(f, f.key("full"), full)
	_, err := f.store.FindKeyByHash(f.ctx, [32]byte{1})
	testx.Code(f, err, hook.CodeNotFound)
}

func keyHashIsUnique(f *fixture) {
	k := f.newKey("one")
	again := hook.Key{ID: hook.NewID(f.now), Env: f.env, Hash: k.Hash, Name: "two", CreatedAt: f.now}
	testx.Code(f, f.store.CreateKey(f.ctx, &again), hook.CodeConflict)
	testx.Equal(f, f.key("one"), k)
}

func keysAreListedWithoutTokens(f *fixture) {
	a := f.newKey("a")
	f.newKey("token", func(k *hook.Key) { k.App = f.app })
	f.pass(time.Second)
	b := f.newKey("b", func(k *hook.Key) { k.ExpiresAt = f.now })
	f.newKey("elsewhere", func(k *hook.Key) { k.Env = f.newEnvironment("other") })
	got := testx.Must(f.store.ListKeys(f.ctx, f.env, hook.Page{Limit: 10}))(f)
	testx.Equal(f, got, hook.PageOf[hook.Key]{Items: []hook.Key{b, a}})
}

func keyEnds(f *fixture) {
	k := f.newKey("k")
	end := f.now.Add(time.Hour)
	f.must(f.store.ExpireKey(f.ctx, f.env, k.ID, end))
	testx.Equal(f, f.key("k").ExpiresAt, end)
	f.must(f.store.ExpireKey(f.ctx, f.env, k.ID, end.Add(time.Hour)))
	testx.Equal(f, f.key("k").ExpiresAt, end, "the earlier end stays")
	f.must(f.store.ExpireKey(f.ctx, f.env, k.ID, f.now))
	testx.Equal(f, f.key("k").ExpiresAt, f.now, "an earlier end counts")
	testx.Code(f, f.store.ExpireKey(f.ctx, f.env, hook.NewID(f.now), f.now), hook.CodeNotFound)
}

func appTokensEnd(f *fixture) {
	other := f.newApp().ID
	token := func(name, session string, app hook.ID) {
		f.newKey(name, func(k *hook.Key) { k.App, k.SessionID = app, session })
	}
	token("none", "", f.app)
	token("red", "red", f.app)
	token("blue", "blue", f.app)
	token("green", "green", f.app)
	token("other", "red", other)
	f.newKey("environment", func(k *hook.Key) { k.SessionID = "red" })
	f.newKey("ended", func(k *hook.Key) { k.App, k.SessionID, k.ExpiresAt = f.app, "red", f.now.Add(-time.Hour) })

	ends := func(want map[string]time.Time) {
		f.Helper()
		for _, name := range []string{"none", "red", "blue", "green", "other", "environment"} {
			testx.Equal(f, f.key(name).ExpiresAt, want[name], "end of "+name)
		}
		testx.Equal(f, f.key("ended").ExpiresAt, f.now.Add(-time.Hour), "an earlier end")
	}
	f.must(f.store.ExpireAppKeys(f.ctx, f.env, f.app, []string{"red", "blue"}, f.now))
	ends(map[string]time.Time{"red": f.now, "blue": f.now})
	later := f.now.Add(time.Minute)
	f.must(f.store.ExpireAppKeys(f.ctx, f.env, f.app, nil, later))
	ends(map[string]time.Time{"red": f.now, "blue": f.now, "none": later, "green": later})
}

func keyUseIsKept(f *fixture) {
	a, b := f.newKey("a"), f.newKey("b")
	used := f.now.Add(time.Minute)
	f.must(f.store.TouchKeys(f.ctx, []hook.KeyUse{{Key: a.ID, At: used}, {Key: hook.NewID(f.now), At: used}}))
	testx.Equal(f, f.key("a").LastUsedAt, used)
	testx.Equal(f, f.key("b"), b, "a key that was not used")
	f.must(f.store.TouchKeys(f.ctx, []hook.KeyUse{{Key: a.ID, At: f.now}}))
	testx.Equal(f, f.key("a").LastUsedAt, used, "a use told late")
	f.must(f.store.TouchKeys(f.ctx, nil))
}

func appTokensEndWithApplication(f *fixture) {
	other := f.newApp()
	f.newKey("environment")
	f.newKey("token", func(k *hook.Key) { k.App = f.app })
	f.newKey("of another", func(k *hook.Key) { k.App = other.ID })
	f.newKey("ended", func(k *hook.Key) { k.App, k.ExpiresAt = f.app, f.now.Add(-time.Hour) })
	testx.Must(f.store.DeleteApplication(f.ctx, f.env, hook.Ref{ID: f.app}, f.now))(f)
	for name, end := range map[string]time.Time{
		"token": f.now, "ended": f.now.Add(-time.Hour), "of another": {}, "environment": {},
	} {
		testx.Equal(f, f.key(name).ExpiresAt, end, "end of "+name)
	}
}
