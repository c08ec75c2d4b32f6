package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var listTests = []test{
	{"applications", listApplications},
	{"keys", listKeys},
	{"event types", listEventTypes},
	{"endpoints", listEndpoints},
	{"messages", listMessages},
	{"attempts of an endpoint", listAttemptsOfEndpoint},
	{"attempts of a message", listAttemptsOfMessage},
	{"deliveries of an endpoint", listDeliveriesOfEndpoint},
	{"deliveries of a message", listDeliveriesOfMessage},
	{"tasks", listTasks},
	{"a place in a list stays while things are added", placeIsStable},
	{"a place need not be the id of anything", placeOfNothing},
}

// many is how many things a list of these tests holds.
const many = 7

// pager walks one list in all ways.
type pager struct {
	what string
	want []string // keys in the order of the list
	page func(p hook.Page) (keys []string, more bool, err error)
	// at makes the place after which a page starts.
	at func(p *hook.Page, key string)
	// both says that the list has a descending and an ascending order; else it
	// has the one in which want is, said by ascending.
	both, ascending bool
	// brief leaves out most sizes of pages, for lists that differ from others
	// only by a filter.
	brief bool
}

// listed makes a pager over a list of things with ids; want is in the order of
// the descending list.
func listed[T any](what string, want []hook.ID, id func(T) hook.ID, page func(p hook.Page) (hook.PageOf[T], error)) pager {
	keys := make([]string, 0, len(want))
	for _, k := range want {
		keys = append(keys, string(k[:]))
	}
	return pager{
		what: what, want: keys,
		page: func(p hook.Page) (keys []string, more bool, err error) {
			got, err := page(p)
			for _, item := range got.Items {
				k := id(item)
				keys = append(keys, string(k[:]))
			}
			return keys, got.More, err
		},
		at: func(p *hook.Page, key string) { p.From = hook.ID([]byte(key)) },
	}
}

// check walks the list forward and backward with pages of several sizes.
func (l pager) check(f *fixture) {
	f.Helper()
	l.walk(f, l.ascending, l.want)
	if l.both {
		turned := slices.Clone(l.want)
		slices.Reverse(turned)
		l.walk(f, !l.ascending, turned)
	}
}

func (l pager) walk(f *fixture, ascending bool, want []string) {
	f.Helper()
	sizes := []int{1, 2, max(1, len(want)), 250}
	if l.brief {
		sizes = []int{2, 250}
	}
	for _, size := range sizes {
		p := hook.Page{Limit: size, Ascending: ascending}
		what := fmt.Sprintf("%s, pages of %d, ascending %t", l.what, size, ascending)
		testx.Equal(f, positions(l.follow(f, p, what), want), positions(want, want), what+", forward")
		if len(want) == 0 {
			continue
		}
		last := want[len(want)-1]
		l.at(&p, last)
		p.Backward = true
		testx.Equal(f, positions(l.follow(f, p, what), want), positions(want[:len(want)-1], want), what+", backward from the last")
		l.at(&p, want[0])
		testx.Equal(f, len(l.follow(f, p, what)), 0, what+", backward from the first")
		p.Backward = false
		l.at(&p, last)
		testx.Equal(f, len(l.follow(f, p, what)), 0, what+", forward from the last")
	}
}

// positions names keys by their places in the list, so that a failure can be read.
func positions(keys, in []string) []int {
	out := make([]int, 0, len(keys))
	for _, k := range keys {
		out = append(out, slices.Index(in, k))
	}
	return out
}

// follow gives all that comes from a place on, in the order of the list.
func (l pager) follow(f *fixture, p hook.Page, what string) []string {
	f.Helper()
	var all []string
	for range 1000 {
		keys, more, err := l.page(p)
		testx.NoError(f, err, what)
		testx.True(f, len(keys) <= p.Limit, what+": the page is bounded")
		if p.Backward {
			all = append(slices.Clone(keys), all...)
		} else {
			all = append(all, keys...)
		}
		if !more {
			return all
		}
		testx.Equal(f, len(keys), p.Limit, what+": a page that is not the last is full")
		if p.Backward {
			l.at(&p, keys[0])
		} else {
			l.at(&p, keys[len(keys)-1])
		}
	}
	f.Fatalf("%s: no end", what)
	return nil
}

// descending sorts ids, the newest first.
func descending(ids []hook.ID) []hook.ID {
	out := slices.Clone(ids)
	slices.SortFunc(out, func(a, b hook.ID) int { return strings.Compare(string(b[:]), string(a[:])) })
	return out
}

func listApplications(f *fixture) {
	ids := []hook.ID{f.app}
	for range many {
		ids = append(ids, f.newApp().ID) // several within one tick of the ids' time
	}
	f.newApp(func(a *hook.Application) { a.Env = f.newEnvironment("other") })
	l := listed("applications", descending(ids), func(a hook.Application) hook.ID { return a.ID },
		func(p hook.Page) (hook.PageOf[hook.Application], error) {
			return f.store.ListApplications(f.ctx, f.env, p)
		})
	l.both = true
	l.check(f)
	empty := listed("no applications", nil, func(a hook.Application) hook.ID { return a.ID },
		func(p hook.Page) (hook.PageOf[hook.Application], error) {
			return f.store.ListApplications(f.ctx, hook.NewID(f.now), p)
		})
	empty.check(f)
}

func listKeys(f *fixture) {
	var ids []hook.ID
	for i := range many {
		ids = append(ids, f.newKey(fmt.Sprint("key-", i)).ID)
		f.newKey(fmt.Sprint("token-", i), func(k *hook.Key) { k.App = f.app })
	}
	listed("keys", descending(ids), func(k hook.Key) hook.ID { return k.ID },
		func(p hook.Page) (hook.PageOf[hook.Key], error) { return f.store.ListKeys(f.ctx, f.env, p) }).check(f)
}

func listEventTypes(f *fixture) {
	all := []string{"B", "a", "a.b", "a.b.c", "a1", "a_b", "ab", "b", "z", "ä", "☃"}
	slices.Sort(all) // bytewise, as the stores do
	var live []string
	for i, name := range all {
		if i%3 == 0 {
			f.newEventType(name, archived)
		} else {
			f.newEventType(name)
			live = append(live, name)
		}
	}
	for with, want := range map[bool][]string{true: all, false: live} {
		pager{
			what: fmt.Sprintf("event types, archived too: %t", with), want: want, ascending: true,
			page: func(p hook.Page) ([]string, bool, error) {
				got, err := f.store.ListEventTypes(f.ctx, f.env, with, p)
				return names(got.Items), got.More, err
			},
			at: func(p *hook.Page, key string) { p.FromName = key },
		}.check(f)
	}
}

func listEndpoints(f *fixture) {
	var ids []hook.ID
	for i := range many {
		e := f.newEndpoint()
		if i == 3 {
			f.deleteEndpoint(e.ID)
			continue
		}
		ids = append(ids, e.ID)
	}
	other := f.newApp().ID
	f.newEndpoint(func(e *hook.Endpoint) { e.App = other })
	l := listed("endpoints", descending(ids), func(e hook.Endpoint) hook.ID { return e.ID },
		func(p hook.Page) (hook.PageOf[hook.Endpoint], error) {
			return f.store.ListEndpoints(f.ctx, f.env, f.app, p)
		})
	l.both = true
	l.check(f)
}

// sample is a set of messages that differ in all that lists select by. They are
// ten seconds apart; message i is of type "type-(i%3)" and so on.
type sample struct {
	f     *fixture
	start time.Time
	ids   []hook.ID // the oldest first
}

func newSample(f *fixture, n int) sample {
	return newSampleWith(f, n, func(int, hook.ID) {})
}

// newSampleWith does something with each message right after it came.
func newSampleWith(f *fixture, n int, then func(i int, message hook.ID)) sample {
	s := sample{f: f, start: f.now}
	for i := range n {
		s.ids = append(s.ids, f.send(func(e *hook.NewEvent) {
			e.EventType = fmt.Sprint("type-", i%3)
			e.EventID = fmt.Sprint("event-", i)
			e.Channels = []string{fmt.Sprint("channel-", i%2), "all"}
			e.Tags = []string{fmt.Sprint("tag-", i%4)}
			e.Body = []byte(fmt.Sprint("body ", i))
		}))
		then(i, s.ids[i])
		f.pass(10 * time.Second)
	}
	return s
}

// between is a moment after message i and before the next one.
func (s sample) between(i int) time.Time {
	return s.start.Add(time.Duration(i)*10*time.Second + 5*time.Second)
}

// pick gives the messages that pass, the newest first.
func (s sample) pick(pass func(i int) bool) []hook.ID {
	var out []hook.ID
	for i, id := range s.ids {
		if pass(i) {
			out = append(out, id)
		}
	}
	return descending(out)
}

// selection is a filter that all lists of messages, attempts and deliveries know.
type selection struct {
	name          string
	eventTypes    []string
	channel, tag  string
	before, after time.Time
	pass          func(i int) bool
}

func (s sample) selections() []selection {
	return []selection{
		{name: "all", pass: func(int) bool { return true }},
		{name: "of a type", eventTypes: []string{"type-1"}, pass: func(i int) bool { return i%3 == 1 }},
		{name: "of two types", eventTypes: []string{"type-0", "type-2", "none"}, pass: func(i int) bool { return i%3 != 1 }},
		{name: "of no type", eventTypes: []string{"none"}, pass: func(int) bool { return false }},
		{name: "of a channel", channel: "channel-1", pass: func(i int) bool { return i%2 == 1 }},
		{name: "of the second channel", channel: "all", pass: func(int) bool { return true }},
		{name: "of part of a channel", channel: "channel", pass: func(int) bool { return false }},
		{name: "with a tag", tag: "tag-3", pass: func(i int) bool { return i%4 == 3 }},
		{name: "before", before: s.between(2), pass: func(i int) bool { return i <= 2 }},
		{name: "after", after: s.between(2), pass: func(i int) bool { return i > 2 }},
		{name: "between", after: s.between(0), before: s.between(4), pass: func(i int) bool { return i > 0 && i <= 4 }},
		{name: "in no time", after: s.between(4), before: s.between(0), pass: func(int) bool { return false }},
		{name: "by everything", eventTypes: []string{"type-1", "type-2"}, channel: "channel-0", tag: "tag-0", after: s.between(1),
			pass: func(i int) bool { return i%3 != 0 && i%4 == 0 && i > 1 }},
	}
}

func listMessages(f *fixture) {
	s := newSample(f, 2*many)
	other := f.newApp().ID
	f.accept(f.event(func(e *hook.NewEvent) { e.App = other }))
	for _, c := range s.selections() {
		filter := hook.MessageFilter{
			Env: f.env, App: f.app, EventTypes: c.eventTypes, Channel: c.channel, Tag: c.tag, Before: c.before, After: c.after,
		}
		l := listed("messages "+c.name, s.pick(c.pass), func(m hook.Message) hook.ID { return m.ID },
			func(p hook.Page) (hook.PageOf[hook.Message], error) {
				filter.Page = p
				return f.store.ListMessages(f.ctx, filter)
			})
		l.brief = c.name != "all"
		l.check(f)
	}
	for with, body := range map[bool][]byte{true: []byte("body 13"), false: nil} {
		got := testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, WithBody: with, Page: hook.Page{Limit: 1}}))(f)
		want := f.message(s.ids[13])
		want.Body = body
		testx.Equal(f, got.Items, []hook.Message{want})
		testx.True(f, with || got.Items[0].Body == nil, "no body unless asked for")
	}
}

func placeIsStable(f *fixture) {
	s := newSample(f, many)
	list := func(p hook.Page) hook.PageOf[hook.Message] {
		f.Helper()
		return testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, Page: p}))(f)
	}
	ids := func(p hook.PageOf[hook.Message]) []hook.ID {
		return idsOf(p.Items, func(m hook.Message) hook.ID { return m.ID })
	}
	want := s.pick(func(int) bool { return true })
	top := list(hook.Page{Limit: 3})
	testx.Equal(f, ids(top), want[:3])
	newer := f.send()
	f.pass(time.Second)
	// One that is committed late: its id is older than what was listed already.
	late := f.event(func(e *hook.NewEvent) { e.ID = hook.NewID(s.between(0)) })
	f.accept(late)
	next := list(hook.Page{Limit: 3, From: want[2]})
	testx.Equal(f, ids(next), want[3:6], "the page after")
	rest := list(hook.Page{Limit: 3, From: want[5]})
	testx.Equal(f, ids(rest), []hook.ID{late.ID, want[6]}, "the last page")
	back := list(hook.Page{Limit: 10, From: want[2], Backward: true})
	testx.Equal(f, ids(back), []hook.ID{newer, want[0], want[1]}, "the page before")
}

func placeOfNothing(f *fixture) {
	s := newSample(f, many)
	want := s.pick(func(int) bool { return true })
	list := func(p hook.Page) []hook.ID {
		f.Helper()
		p.Limit = 3
		got := testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, Page: p}))(f)
		return idsOf(got.Items, func(m hook.Message) hook.ID { return m.ID })
	}
	at := hook.IDAt(s.between(3)) // messages 0 to 3 are older, 4 to 6 newer
	testx.Equal(f, list(hook.Page{From: at}), want[3:6])
	testx.Equal(f, list(hook.Page{From: at, Backward: true}), want[:3])
	testx.Equal(f, list(hook.Page{From: hook.IDAt(s.between(1)), Backward: true}), want[2:5], "those next to the place")
}

func listTasks(f *fixture) {
	e := f.newEndpoint()
	var running, finished []hook.ID
	for i := range many {
		id := f.newTask(e.ID).ID
		if i%3 == 0 {
			f.work(id, 10)
			finished = append(finished, id)
		} else {
			running = append(running, id)
		}
	}
	all := append(slices.Clone(running), finished...)
	for name, c := range map[string]struct {
		filter hook.TaskFilter
		want   []hook.ID
	}{
		"all":      {hook.TaskFilter{}, all},
		"a kind":   {hook.TaskFilter{Kind: hook.TaskRecover}, all},
		"no kind":  {hook.TaskFilter{Kind: "other"}, nil},
		"running":  {hook.TaskFilter{Status: hook.TaskRunning}, running},
		"finished": {hook.TaskFilter{Status: hook.TaskFinished, Kind: hook.TaskRecover}, finished},
		"failed":   {hook.TaskFilter{Status: hook.TaskFailed}, nil},
	} {
		l := listed("tasks, "+name, descending(c.want), func(t hook.Task) hook.ID { return t.ID },
			func(p hook.Page) (hook.PageOf[hook.Task], error) {
				c.filter.Env, c.filter.Page = f.env, p
				return f.store.ListTasks(f.ctx, c.filter)
			})
		l.check(f)
	}
}
