package storetest

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var sourceTests = []test{
	{"a source comes back as it was stored", sourceComesBack},
	{"a uid is unique among the sources of its environment", sourceUIDIsUnique},
	{"a token leads to its source until it ends", tokenLeadsToSource},
	{"a token belongs to one source", tokenIsUnique},
	{"an update is all or nothing", sourceUpdate},
	{"a deleted source is out of sight at once", sourceDelete},
	{"the owner of a source is no customer", sourceOwner},
	{"a source owns endpoints as an application does", sourceEndpoints},
	{"what a source takes goes the whole road", sourceRoad},
	{"sources are due when their time has come", sourcesDue},
	{"sources are listed by id", listSources},
	{"a source is created and changed once", sourceOnce},
	{"a refused source leaves no key", refusedSourceLeavesNoKey},
	{"sources survive a crash", sourcesSurviveCrash},
}

// token is the token of a text.
func token(text string, ends ...time.Time) hook.SourceToken {
	t := hook.SourceToken{Hash: sha256.Sum256([]byte(text)), Sealed: []byte("sealed " + text), CreatedAt: noon}
	for _, end := range ends {
		t.ExpiresAt = end
	}
	return t
}

// sourceValue is a source that is not stored yet, with a token of its own.
func (f *fixture) sourceValue(change ...func(*hook.Source)) hook.Source {
	s := hook.Source{ID: hook.NewID(f.now), Env: f.env, Name: "Shop", Type: "stripe", CreatedAt: f.now, UpdatedAt: f.now}
	s.Tokens = []hook.SourceToken{token(hook.KindSource.Format(s.ID))}
	for _, c := range change {
		c(&s)
	}
	return s
}

func (f *fixture) newSource(change ...func(*hook.Source)) hook.Source {
	f.Helper()
	s := f.sourceValue(change...)
	got, _, err := f.store.CreateSource(f.ctx, &s, nil)
	f.must(err)
	return got
}

// of is the test at work with a source in the place of its application.
func (f *fixture) of(source hook.ID) *fixture {
	g := *f
	g.app = source
	return &g
}

func sourceUID(uid string) func(*hook.Source) { return func(s *hook.Source) { s.UID = uid } }

func withTokens(tokens ...hook.SourceToken) func(*hook.Source) {
	return func(s *hook.Source) { s.Tokens = tokens }
}

func (f *fixture) updateSource(id hook.ID, change func(*hook.Source)) hook.Source {
	f.Helper()
	s, _, err := f.store.UpdateSource(f.ctx, f.env, hook.Ref{ID: id}, nil, func(s *hook.Source) error {
		change(s)
		return nil
	})
	f.must(err)
	return s
}

// fullSource has every field set.
func fullSource(s *hook.Source) {
	s.UID, s.Name, s.Type, s.Disabled, s.NextFire = "shop-1", "Größe ☃", "cron", true, noon.Add(time.Hour)
	s.Metadata = map[string]string{"plan": "gold", "": "empty", "quote": `"'\`}
	s.UpdatedAt = noon.Add(time.Second)
	s.Secrets = []hook.SealedSecret{{Sealed: []byte{0, 255}}, {Sealed: []byte("older"), ExpiresAt: noon.Add(time.Minute)}}
	s.Tokens = []hook.SourceToken{token("new"), token("old", noon.Add(time.Hour))}
	s.Settings = hook.SourceSettings{
		Verification: json.RawMessage(`{"header":"x-sign","secrets":["a","ü"],"b":{"z":1,"a":2}}`),
		Dedupe:       hook.Dedupe{By: "body", At: "data.id"}, EventType: hook.Pick{Header: "x-type"},
		Responses: []hook.ResponseRule{{EventType: "a/b", Status: 202, Headers: map[string]string{"x": "y"}, Body: "ok"}, {Status: 200}},
		Routes:    []hook.SourceRoute{{App: hook.NewID(noon), EventType: hook.Pick{Fixed: "a.b"}, Only: []string{"a/b"}}},
		Rate:      5, MaxBody: 100, EmptyBody: true, RequireJSON: true, Methods: []string{"PUT"}, AllowNets: []string{"10.0.0.0/8"},
		ClientCA: "pem\n", ForwardHeaders: []string{"authorization"},
		Cron: &hook.CronSettings{Schedule: "* * * * *", TimeZone: "Europe/Berlin", EventType: "tick", ContentType: "text/plain", Payload: "\n<&>"},
	}
}

func sourceComesBack(f *fixture) {
	full, bare := f.sourceValue(fullSource), f.sourceValue(withTokens())
	for _, want := range []hook.Source{full, bare} {
		got, repeated, err := f.store.CreateSource(f.ctx, &want, nil)
		f.must(err)
		testx.True(f, !repeated, "it is new")
		testx.Equal(f, got, want)
		testx.Equal(f, testx.Must(f.store.FindSource(f.ctx, f.env, hook.Ref{ID: want.ID}))(f), want)
	}
	testx.Equal(f, testx.Must(f.store.FindSource(f.ctx, f.env, hook.Ref{UID: "shop-1"}))(f), full)
	list := testx.Must(f.store.ListSources(f.ctx, f.env, hook.Page{Limit: 10, Ascending: true}))(f)
	for _, s := range list.Items {
		testx.Equal(f, s, map[hook.ID]hook.Source{full.ID: full, bare.ID: bare}[s.ID], "in the list")
	}
	testx.Equal(f, len(list.Items), 2)
	for _, ref := range []hook.Ref{{ID: hook.NewID(f.now)}, {UID: "shop-2"}, {UID: full.Name}, {ID: f.app}} {
		_, err := f.store.FindSource(f.ctx, f.env, ref)
		testx.Code(f, err, hook.CodeNotFound)
	}
}

func sourceUIDIsUnique(f *fixture) {
	one := f.newSource(sourceUID("u"))
	refused := f.sourceValue(sourceUID("u"))
	_, _, err := f.store.CreateSource(f.ctx, &refused, nil)
	testx.Code(f, err, hook.CodeConflict)
	for what, err := range map[string]error{
		"the refused one": did1(f.store.FindSource(f.ctx, f.env, hook.Ref{ID: refused.ID})),
		"its owner":       did1(f.store.FindApplication(f.ctx, f.env, hook.Ref{ID: refused.ID})),
		"its token":       did1(f.store.FindSourceByToken(f.ctx, refused.Tokens[0].Hash, f.now)),
	} {
		testx.Code(f, err, hook.CodeNotFound, what)
	}
	f.newSource()
	f.newSource() // having no uid is nothing that two could share
	f.newSource(sourceUID("U"))
	f.newApp(withUID("u")) // applications have names of their own
	f.newSource(sourceUID("u"), func(s *hook.Source) { s.Env = f.newEnvironment("other") })
	f.updateSource(one.ID, func(s *hook.Source) { s.UID = "v" })
	f.newSource(sourceUID("u")) // free again
}

// did1 is the error of a call alone.
func did1[T any](_ T, err error) error { return err }

func tokenLeadsToSource(f *fixture) {
	first, second := token("first"), token("second")
	s := f.newSource(withTokens(first))
	f.newSource()
	find := func(t hook.SourceToken) hook.ID {
		f.Helper()
		got, err := f.store.FindSourceByToken(f.ctx, t.Hash, f.now)
		if err != nil {
			testx.Code(f, err, hook.CodeNotFound)
			return hook.ID{}
		}
		testx.Equal(f, got, testx.Must(f.store.FindSource(f.ctx, f.env, hook.Ref{ID: s.ID}))(f), "all of it")
		return got.ID
	}
	testx.Equal(f, find(first), s.ID)
	testx.Equal(f, find(second), hook.ID{}, "a token of nobody")

	// The new one works at once, the old one for another hour.
	end := f.now.Add(time.Hour)
	first.ExpiresAt = end
	f.updateSource(s.ID, func(s *hook.Source) { s.Tokens = []hook.SourceToken{second, first} })
	testx.Equal(f, []hook.ID{find(first), find(second)}, []hook.ID{s.ID, s.ID})
	f.now = end.Add(-time.Microsecond)
	testx.Equal(f, find(first), s.ID, "just before its end")
	f.now = end
	testx.Equal(f, []hook.ID{find(first), find(second)}, []hook.ID{{}, s.ID}, "at its end")

	f.updateSource(s.ID, func(s *hook.Source) { s.Disabled = true })
	testx.Equal(f, find(second), s.ID, "of a disabled source")
	f.updateSource(s.ID, func(s *hook.Source) { s.Tokens = nil })
	testx.Equal(f, find(second), hook.ID{}, "taken away")
}

func tokenIsUnique(f *fixture) {
	one := f.newSource(withTokens(token("a"), token("b", noon.Add(time.Hour))))
	two := f.newSource(withTokens(token("c")))
	other := f.newEnvironment("other")
	for _, taken := range []string{"a", "b"} {
		s := f.sourceValue(withTokens(token("free"), token(taken)), func(s *hook.Source) { s.Env = other })
		_, _, err := f.store.CreateSource(f.ctx, &s, nil)
		testx.Code(f, err, hook.CodeConflict, "a source with "+taken)
		_, err = f.store.FindSource(f.ctx, other, hook.Ref{ID: s.ID})
		testx.Code(f, err, hook.CodeNotFound, "the refused one")
		_, _, err = f.store.UpdateSource(f.ctx, f.env, hook.Ref{ID: two.ID}, nil, func(s *hook.Source) error {
			s.Tokens = []hook.SourceToken{token("free"), token(taken)}
			return nil
		})
		testx.Code(f, err, hook.CodeConflict, "a change to "+taken)
	}
	testx.Code(f, did1(f.store.FindSourceByToken(f.ctx, token("free").Hash, f.now)), hook.CodeNotFound, "a token that came with a taken one")
	for text, want := range map[string]hook.Source{"a": one, "b": one, "c": two} {
		testx.Equal(f, testx.Must(f.store.FindSourceByToken(f.ctx, token(text).Hash, f.now))(f), want, text)
	}
	f.updateSource(one.ID, func(s *hook.Source) { s.Tokens = s.Tokens[:1] })
	f.updateSource(two.ID, func(s *hook.Source) { s.Tokens = append(s.Tokens, token("b")) }) // free again
}

func sourceUpdate(f *fixture) {
	a := f.newSource(sourceUID("a"))
	b := f.newSource(sourceUID("b"))
	ref := hook.Ref{ID: b.ID}
	own := errors.New("not like this")
	for want, change := range map[error]func(*hook.Source) error{
		own: func(s *hook.Source) error { s.Name, s.Tokens = "changed", []hook.SourceToken{token("x")}; return own },
		nil: func(s *hook.Source) error { s.UID, s.Tokens = "a", []hook.SourceToken{token("x")}; return nil },
	} {
		_, _, err := f.store.UpdateSource(f.ctx, f.env, ref, nil, change)
		if want == nil {
			testx.Code(f, err, hook.CodeConflict)
		} else {
			testx.True(f, errors.Is(err, want), "the error of change is given back")
		}
	}
	testx.Equal(f, testx.Must(f.store.FindSource(f.ctx, f.env, ref))(f), b, "after two refusals")
	testx.Equal(f, testx.Must(f.store.FindSourceByToken(f.ctx, b.Tokens[0].Hash, f.now))(f), b, "its token works")

	want := b
	fullSource(&want)
	got, repeated, err := f.store.UpdateSource(f.ctx, f.env, hook.Ref{UID: "b"}, nil, func(s *hook.Source) error {
		testx.Equal(f, *s, b, "what change gets")
		*s = want
		return nil
	})
	f.must(err)
	testx.True(f, !repeated, "without a key")
	testx.Equal(f, got, want)
	testx.Equal(f, testx.Must(f.store.FindSource(f.ctx, f.env, hook.Ref{UID: want.UID}))(f), want)
	testx.Equal(f, testx.Must(f.store.FindSource(f.ctx, f.env, hook.Ref{ID: a.ID}))(f), a, "the other one")
	owner := testx.Must(f.store.FindApplication(f.ctx, f.env, ref))(f)
	testx.Equal(f, []any{owner.Name, owner.UpdatedAt}, []any{want.Name, want.UpdatedAt}, "the owner follows")
	_, _, err = f.store.UpdateSource(f.ctx, f.env, hook.Ref{UID: "nobody"}, nil, func(*hook.Source) error {
		f.Error("change is called without a source")
		return nil
	})
	testx.Code(f, err, hook.CodeNotFound)
}

func sourceDelete(f *fixture) {
	s := f.newSource(sourceUID("u"), func(s *hook.Source) { s.NextFire = noon })
	g := f.of(s.ID)
	e, other := g.newEndpoint(), g.newEndpoint()
	g.deleteEndpoint(g.newEndpoint().ID)
	g.send()
	key := f.newKey("portal", func(k *hook.Key) { k.App = s.ID })
	gone := testx.Must(f.store.DeleteSource(f.ctx, f.env, hook.Ref{UID: "u"}, f.now))(f)
	testx.Equal(f, set(gone), set([]hook.ID{e.ID, other.ID}), "its endpoints")

	ref := hook.Ref{ID: s.ID}
	_, _, update := f.store.UpdateSource(f.ctx, f.env, ref, nil, func(*hook.Source) error { return nil })
	for what, err := range map[string]error{
		"find":         did1(f.store.FindSource(f.ctx, f.env, ref)),
		"find by uid":  did1(f.store.FindSource(f.ctx, f.env, hook.Ref{UID: "u"})),
		"its token":    did1(f.store.FindSourceByToken(f.ctx, s.Tokens[0].Hash, f.now)),
		"its owner":    did1(f.store.FindApplication(f.ctx, f.env, ref)),
		"update":       update,
		"delete again": did1(f.store.DeleteSource(f.ctx, f.env, ref, f.now)),
		"endpoints":    did1(f.store.ListEndpoints(f.ctx, f.env, s.ID, onePage)),
		"messages":     did1(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: s.ID, Page: onePage})),
		"requests":     did1(f.store.ListRequests(f.ctx, hook.RequestFilter{Env: f.env, Source: s.ID, Page: onePage})),
		"accept":       g.accept(g.event())[0].Err,
	} {
		testx.Code(f, err, hook.CodeNotFound, what)
	}
	testx.Equal(f, len(testx.Must(f.store.ListSources(f.ctx, f.env, onePage))(f).Items), 0, "sources in the list")
	testx.Equal(f, len(testx.Must(f.store.DueSources(f.ctx, f.now, 10))(f)), 0, "sources that are due")
	testx.Equal(f, f.claim(first(e.ID, 10))[0].Closed, hook.ReasonEndpointDeleted, "its lanes")
	testx.Equal(f, f.key("portal").ExpiresAt, f.now, "the token "+hook.KindKey.Format(key.ID)+" of its portal ends")
	f.newSource(sourceUID("u"), withTokens(s.Tokens...)) // both are free again
}

func sourceOwner(f *fixture) {
	s := f.newSource(sourceUID("u"), func(s *hook.Source) { s.Metadata = map[string]string{"a": "b"} })
	ref := hook.Ref{ID: s.ID}
	owner := testx.Must(f.store.FindApplication(f.ctx, f.env, ref))(f)
	testx.Equal(f, owner, hook.Application{ID: s.ID, Env: f.env, Name: s.Name, Source: true, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt})
	testx.True(f, !testx.Must(f.store.FindApplication(f.ctx, f.env, hook.Ref{ID: f.app}))(f).Source, "an application is no source")
	_, update := f.store.UpdateApplication(f.ctx, f.env, ref, func(*hook.Application) error {
		f.Error("change is called with the owner of a source")
		return nil
	})
	_, _, updateSource := f.store.UpdateSource(f.ctx, f.env, hook.Ref{ID: f.app}, nil, func(*hook.Source) error {
		f.Error("change is called with an application")
		return nil
	})
	for what, err := range map[string]error{
		"find by uid":                        did1(f.store.FindApplication(f.ctx, f.env, hook.Ref{UID: "u"})),
		"update":                             update,
		"delete":                             did1(f.store.DeleteApplication(f.ctx, f.env, ref, f.now)),
		"an application found as a source":   did1(f.store.FindSource(f.ctx, f.env, hook.Ref{ID: f.app})),
		"an application changed as a source": updateSource,
		"an application deleted as a source": did1(f.store.DeleteSource(f.ctx, f.env, hook.Ref{ID: f.app}, f.now)),
		"requests of an application":         did1(f.store.ListRequests(f.ctx, hook.RequestFilter{Env: f.env, Source: f.app, Page: onePage})),
	} {
		testx.Code(f, err, hook.CodeNotFound, what)
	}
	for range 5 {
		f.newSource()
	}
	for _, p := range []hook.Page{onePage, {Limit: 1}, {Limit: 1, From: s.ID, Ascending: true, Backward: true}} {
		list := testx.Must(f.store.ListApplications(f.ctx, f.env, p))(f)
		testx.True(f, !list.More, "there is one application and no more")
		for _, a := range list.Items {
			testx.Equal(f, a.ID, f.app, "applications in the list")
		}
	}
	testx.Equal(f, testx.Must(f.store.FindSource(f.ctx, f.env, ref))(f), s, "the source is as it was")
}

func sourceEndpoints(f *fixture) {
	s := f.newSource()
	g := f.of(s.ID)
	e := g.newEndpoint(endpointUID("e"), func(e *hook.Endpoint) { e.EventTypes = []string{"orders/create"} })
	testx.Equal(f, testx.Must(f.store.FindEndpoint(f.ctx, f.env, s.ID, hook.Ref{UID: "e"}))(f), e)
	f.newEndpoint(endpointUID("e")) // that of an application is another's
	_, err := f.store.FindEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: e.ID})
	testx.Code(f, err, hook.CodeNotFound, "as the application's")
	changed := g.update(e.ID, func(e *hook.Endpoint) { e.Description = "d" })
	testx.Equal(f, []any{changed.Description, changed.Revision}, []any{"d", e.Revision + 1})
	list := testx.Must(f.store.ListEndpoints(f.ctx, f.env, s.ID, onePage))(f)
	testx.Equal(f, len(list.Items), 1)
	second := g.endpointValue()
	_, _, err = f.store.CreateEndpoint(f.ctx, &second, 1, nil)
	testx.Code(f, err, hook.CodeLimitReached)
	testx.Equal(f, g.accept(g.event(), g.event(func(n *hook.NewEvent) { n.EventType = "orders/create" }))[1].Matched, 1)
	f.updateSource(s.ID, func(s *hook.Source) { s.Name = "new" }) // changes nothing about them
	testx.Equal(f, len(f.claim(first(e.ID, 10))[0].Leases), 1)
	g.deleteEndpoint(e.ID)
	testx.Equal(f, f.claim(first(e.ID, 10))[0].Closed, hook.ReasonEndpointDeleted)
}

func sourceRoad(f *fixture) {
	s := f.newSource()
	f.newEndpoint() // of an application: it gets nothing of this
	g := f.of(s.ID)
	e := g.newEndpoint()
	id, leases := g.sendLeased(func(n *hook.NewEvent) { n.EventID = "evt_1" })
	testx.Equal(f, len(leases), 1)
	g.settle(leases[0], answerFail)
	g.pass(time.Hour)
	g.settle(g.claimOne(e.ID), answerOK)
	testx.Equal(f, g.numbers(id), []int{1, 2}, "attempts")
	g.expect(id, e.ID, state{State: hook.Delivered, Attempts: 2, Step: 2})
	testx.Equal(f, g.resend(id, e.ID).App, s.ID)
	g.settle(g.claimOne(e.ID), answerOK)
	testx.Equal(f, testx.Must(f.store.FindMessage(f.ctx, f.env, s.ID, hook.Ref{UID: "evt_1"}, false))(f).App, s.ID)
	testx.Equal(f, len(testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, Page: onePage}))(f).Items), 0)
	counts := testx.Must(f.store.CountAttempts(f.ctx, f.env, s.ID, e.ID, noon, noon.Add(day)))(f)
	testx.Equal(f, []int64{counts.Success, counts.Fail}, []int64{2, 1})
	f.rollUpAll(3)
	testx.True(f, len(testx.Must(f.store.ListRollups(f.ctx, hook.StatsFilter{Env: f.env, App: s.ID}))(f)) > 0, "sums of the source")
	page := testx.Must(f.store.ReadFeed(f.ctx, hook.FeedMessages, f.env, hook.Cursor{}, 10))(f)
	testx.Equal(f, []any{len(page.Items), page.Items[0].App}, []any{1, s.ID}, "the feed")
}

func sourcesDue(f *fixture) {
	at := func(minutes int) func(*hook.Source) {
		return func(s *hook.Source) { s.NextFire = noon.Add(time.Duration(minutes) * time.Minute) }
	}
	f.newSource() // never
	late, early := f.newSource(at(3)), f.newSource(at(1))
	between := f.newSource(at(2), func(s *hook.Source) { s.Env = f.newEnvironment("other") })
	due := func(minutes, limit int) (ids []hook.ID) {
		f.Helper()
		for _, s := range testx.Must(f.store.DueSources(f.ctx, noon.Add(time.Duration(minutes)*time.Minute), limit))(f) {
			ids = append(ids, s.ID)
		}
		return ids
	}
	testx.Equal(f, due(0, 10), nil)
	testx.Equal(f, due(1, 10), []hook.ID{early.ID}, "at its time")
	testx.Equal(f, due(9, 10), []hook.ID{early.ID, between.ID, late.ID}, "the longest due first")
	testx.Equal(f, due(9, 2), []hook.ID{early.ID, between.ID}, "as many as asked for")
	got := testx.Must(f.store.DueSources(f.ctx, noon.Add(time.Minute), 1))(f)[0]
	testx.Equal(f, got, early, "all of it")
	f.updateSource(early.ID, at(5))
	f.updateSource(late.ID, func(s *hook.Source) { s.NextFire = time.Time{} })
	testx.Equal(f, due(9, 10), []hook.ID{between.ID, early.ID}, "after it has fired")
}

func listSources(f *fixture) {
	var all []hook.ID
	for range many {
		all = append(all, f.newSource().ID)
		f.newApp()
	}
	f.newSource(func(s *hook.Source) { s.Env = f.newEnvironment("other") })
	l := listed("sources", descending(all), func(s hook.Source) hook.ID { return s.ID },
		func(p hook.Page) (hook.PageOf[hook.Source], error) { return f.store.ListSources(f.ctx, f.env, p) })
	l.both = true
	l.check(f)
}

func sourceOnce(f *fixture) {
	f.once(func(once *hook.IdempotencyKey) (hook.ID, bool, error) {
		s := f.sourceValue()
		got, repeated, err := f.store.CreateSource(f.ctx, &s, once)
		return got.ID, repeated, err
	})
	testx.Equal(f, len(testx.Must(f.store.ListSources(f.ctx, f.env, onePage))(f).Items), 4, "sources")

	s := f.newSource()
	changes := 0
	f.eachKeyKind(func(auto bool, name string) {
		change := func(request string) (hook.Source, bool, error) {
			key := f.idempotencyKey("change "+name, request, auto)
			return f.store.UpdateSource(f.ctx, f.env, hook.Ref{ID: s.ID}, key, func(s *hook.Source) error {
				changes++
				s.Name = fmt.Sprint(changes)
				return nil
			})
		}
		was := changes
		changed, repeated, err := change("r")
		testx.NoError(f, err)
		testx.True(f, !repeated, name+" is new")
		again, repeated, err := change("r")
		testx.NoError(f, err)
		testx.True(f, repeated, name+" is known")
		testx.Equal(f, again, changed)
		_, _, err = change("another")
		testx.Code(f, err, hook.CodeIdempotency, name)
		testx.Equal(f, changes, was+1, "calls of change")
	})
}

func refusedSourceLeavesNoKey(f *fixture) {
	taken := f.newSource(sourceUID("u"))
	f.eachKeyKind(func(auto bool, name string) {
		for _, request := range []string{"r", "r", "another"} {
			s := f.sourceValue(sourceUID("u"))
			_, _, err := f.store.CreateSource(f.ctx, &s, f.idempotencyKey(name, request, auto))
			testx.Code(f, err, hook.CodeConflict, name)
			_, _, err = f.store.UpdateSource(f.ctx, f.env, hook.Ref{ID: taken.ID}, f.idempotencyKey("change "+name, request, auto),
				func(*hook.Source) error { return hook.Invalid("no", "body") })
			testx.Code(f, err, hook.CodeInvalid, name)
		}
	})
}

func sourcesSurviveCrash(f *fixture) {
	s := f.newSource(fullSource)
	e := f.of(s.ID).newEndpoint()
	deleted := f.newSource()
	testx.Must(f.store.DeleteSource(f.ctx, f.env, hook.Ref{ID: deleted.ID}, f.now))(f)
	f.crash()
	f.register()
	testx.Equal(f, testx.Must(f.store.FindSourceByToken(f.ctx, s.Tokens[0].Hash, f.now))(f), s)
	testx.Equal(f, f.of(s.ID).accept(f.of(s.ID).event())[0].Matched, 1)
	testx.Equal(f, len(f.claim(first(e.ID, 10))[0].Leases), 1)
	testx.Code(f, did1(f.store.FindSourceByToken(f.ctx, deleted.Tokens[0].Hash, f.now)), hook.CodeNotFound)
}
