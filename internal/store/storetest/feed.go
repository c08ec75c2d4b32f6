package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var feedTests = []test{
	{"has what was committed, in the order of commits", feedInOrder},
	{"has nothing that was refused or came twice", feedWithoutRefused},
	{"shows an older id that was committed later", feedReverseIDs},
	{"has each entry once while others write", feedConcurrent},
	{"can be read for one environment", feedOfEnvironment},
	{"keeps its place over a crash", feedCrash},
	{"keeps its place while retention removes what is around it", feedRetention},
	{"has an end that only later commits are behind", feedEnds},
}

// reader reads a feed.
type reader struct {
	*fixture
	kind   hook.FeedKind
	env    hook.ID
	cursor hook.Cursor
	limit  int
}

func (f *fixture) reader(kind hook.FeedKind, limit int) *reader {
	return &reader{fixture: f, kind: kind, limit: limit}
}

// page reads on once. It may be called by others than the test's own goroutine.
func (r *reader) page() (p hook.FeedPage, ok bool) {
	p, err := r.store.ReadFeed(r.ctx, r.kind, r.env, r.cursor, r.limit)
	switch {
	case err != nil:
		r.Errorf("read the feed of %s: %v", r.kind, err)
		return p, false
	case len(p.Items) > r.limit:
		r.Errorf("a page of the feed of %s has %d entries, at most %d", r.kind, len(p.Items), r.limit)
	case p.Next == r.cursor && (len(p.Items) > 0 || p.More):
		r.Errorf("the cursor of the feed of %s does not move on", r.kind)
		return p, false
	}
	r.cursor = p.Next
	return p, true
}

// take reads until n more entries have come, and holds that there are no others.
func (r *reader) take(n int) []hook.FeedItem {
	r.Helper()
	var out []hook.FeedItem
	for range patience {
		p, ok := r.page()
		testx.True(r, ok, "the feed can be read")
		out = append(out, p.Items...)
		if len(out) >= n && !p.More {
			break
		}
	}
	testx.Equal(r, len(out), n, "entries in the feed of "+r.kind.String())
	at := r.cursor
	p, _ := r.page()
	testx.Equal(r, p, hook.FeedPage{Next: at}, "behind the last")
	return out
}

// entries are feeds as they should be.
func (f *fixture) messageItem(id hook.ID) hook.FeedItem {
	return hook.FeedItem{Message: id, App: f.app, Env: f.env}
}

func (f *fixture) attemptItem(s hook.Settlement) hook.FeedItem {
	return hook.FeedItem{Message: s.Attempt.Message, Attempt: s.Attempt.ID, Endpoint: s.Attempt.Endpoint, App: f.app, Env: f.env}
}

func feedInOrder(f *fixture) {
	e := f.newEndpoint()
	f.newEndpoint()
	empty := f.reader(hook.FeedAttempts, 10)
	empty.take(0)
	testx.Equal(f, empty.cursor, hook.Cursor{}, "the cursor of an empty feed")
	var messages, attempts []hook.FeedItem
	for i := range 7 {
		id, leases := f.sendLeased()
		messages = append(messages, f.messageItem(id))
		for _, l := range leases {
			s := f.settlement(l, outcomes[i%len(outcomes)])
			f.settleAll(s)
			attempts = append(attempts, f.attemptItem(s))
		}
	}
	f.deleteEndpoint(e.ID)
	for _, limit := range []int{1, 2, 3, 7, 250} {
		testx.Equal(f, f.reader(hook.FeedMessages, limit).take(7), messages, fmt.Sprint("messages by ", limit))
		testx.Equal(f, f.reader(hook.FeedAttempts, limit).take(14), attempts, fmt.Sprint("attempts by ", limit))
	}
	p, ok := f.reader(hook.FeedMessages, 3).page()
	testx.True(f, ok && p.More && len(p.Items) == 3, "there is more behind a full page")
	p, ok = f.reader(hook.FeedMessages, 7).page()
	testx.True(f, ok && !p.More, "there is nothing behind the last")
}

func feedWithoutRefused(f *fixture) {
	e := f.newEndpoint()
	taken := f.send(func(n *hook.NewEvent) { n.EventID = "x" })
	a := f.accept(f.event(func(n *hook.NewEvent) { n.EventID = "x" }), f.event(func(n *hook.NewEvent) { n.App = hook.NewID(f.now) }))
	testx.Code(f, a[0].Err, hook.CodeConflict)
	testx.Code(f, a[1].Err, hook.CodeNotFound)
	keyed := f.accept(f.keyed("k", "r", true))[0].Message.ID
	testx.True(f, f.accept(f.keyed("k", "r", true))[0].Duplicate, "the second is none")
	testx.Equal(f, f.reader(hook.FeedMessages, 10).take(2), []hook.FeedItem{f.messageItem(taken), f.messageItem(keyed)})
	leases := f.claim(first(e.ID, 9))[0].Leases
	s := f.settlement(leases[0], answerOK)
	f.settleAll(s, f.settlement(leases[0], answerOK), f.untried(leases[1]))
	testx.Equal(f, f.reader(hook.FeedAttempts, 10).take(1), []hook.FeedItem{f.attemptItem(s)})
}

func feedReverseIDs(f *fixture) {
	f.newEndpoint()
	low, high := f.event(), f.event()
	low.ID, high.ID = hook.NewID(f.now.Add(-day)), hook.NewID(f.now.Add(day))
	messages, attempts := f.reader(hook.FeedMessages, 10), f.reader(hook.FeedAttempts, 10)
	f.accept(high)
	testx.Equal(f, messages.take(1), []hook.FeedItem{f.messageItem(high.ID)})
	f.accept(low)
	testx.Equal(f, messages.take(1), []hook.FeedItem{f.messageItem(low.ID)})
	_, first := f.sendLeased()
	_, second := f.sendLeased()
	older, younger := f.settlement(first[0], answerOK), f.settlement(second[0], answerOK)
	older.Attempt.ID, younger.Attempt.ID = low.ID, high.ID
	f.settleAll(younger)
	testx.Equal(f, attempts.take(1), []hook.FeedItem{f.attemptItem(younger)})
	f.settleAll(older)
	testx.Equal(f, attempts.take(1), []hook.FeedItem{f.attemptItem(older)})
}

func feedConcurrent(f *fixture) { feedOf(f, f) }

// feedOf reads feeds on one node while nodes accept and settle.
func feedOf(f *fixture, nodes ...*fixture) {
	f.newEndpoint()
	var mu sync.Mutex // guards the next two
	messages, attempts := map[hook.FeedItem]int{}, map[hook.FeedItem]int{}
	const writers, each = 8, 15
	var running atomic.Int64
	running.Store(writers)
	write := func(on *fixture, i int) {
		events := make([]hook.NewEvent, 1+i%3)
		for j := range events {
			events[j] = f.event()
		}
		out, err := on.store.Accept(f.ctx, on.node, &places{room: everywhere}, f.now, events)
		if err != nil {
			f.Errorf("accept: %v", err)
			return
		}
		for _, a := range out {
			s := f.settlement(a.Leased[0], answerOK)
			if got, err := on.store.Settle(f.ctx, []hook.Settlement{s}); err != nil || got[0].Lost {
				f.Errorf("settle: %v, %+v", err, got)
			}
			mu.Lock()
			messages[f.messageItem(a.Message.ID)] = 0
			attempts[f.attemptItem(s)] = 0
			mu.Unlock()
		}
	}
	seen := map[hook.FeedKind][]hook.FeedItem{}
	read := func(kind hook.FeedKind, of map[hook.FeedItem]int) {
		r := f.reader(kind, 3)
		for tries := 0; tries < patience; {
			over := running.Load() == 0
			p, ok := r.page()
			if !ok {
				return
			}
			mu.Lock()
			seen[kind] = append(seen[kind], p.Items...)
			all := over && len(seen[kind]) >= len(of)
			mu.Unlock()
			if all && !p.More {
				return
			}
			if over && !p.More {
				tries++
			}
		}
	}
	together(writers+2, func(i int) {
		switch i {
		case writers:
			read(hook.FeedMessages, messages)
		case writers + 1:
			read(hook.FeedAttempts, attempts)
		default:
			for n := range each {
				write(nodes[i%len(nodes)], n)
			}
			running.Add(-1)
		}
	})
	for kind, of := range map[hook.FeedKind]map[hook.FeedItem]int{hook.FeedMessages: messages, hook.FeedAttempts: attempts} {
		for _, item := range seen[kind] {
			_, ok := of[item]
			testx.True(f, ok, fmt.Sprintf("%+v was committed", item))
			of[item]++
		}
		testx.Equal(f, len(of), writers*each*2, "entries")
		for item, n := range of {
			testx.Equal(f, n, 1, fmt.Sprintf("times that the feed of %s gives %+v", kind, item))
		}
	}
}

func feedOfEnvironment(f *fixture) {
	other := *f
	other.env = f.newEnvironment("other")
	other.app = f.newApp(func(a *hook.Application) { a.Env = other.env }).ID
	var mine, theirs, all []hook.FeedItem
	send := func(f *fixture, into *[]hook.FeedItem) {
		item := f.messageItem(f.send())
		*into = append(*into, item)
		all = append(all, item)
	}
	// Many of the other's in a row, so that a store that looks at a bounded number
	// of entries gives a page without any.
	for i := range 60 {
		if i%20 == 10 {
			send(f, &mine)
		}
		send(&other, &theirs)
	}
	var batch []hook.NewEvent
	for range 1100 {
		batch = append(batch, other.event())
	}
	for _, a := range other.accept(batch...) {
		theirs = append(theirs, other.messageItem(a.Message.ID))
	}
	send(f, &mine)
	for _, limit := range []int{20, 250} {
		r := f.reader(hook.FeedMessages, limit)
		r.env = f.env
		testx.Equal(f, r.take(len(mine)), mine, "of the one")
	}
	r := f.reader(hook.FeedMessages, 100)
	r.env = other.env
	testx.Equal(f, len(r.take(len(theirs))), len(theirs), "of the other")
	r.env, r.cursor = hook.NewID(f.now), hook.Cursor{}
	r.take(0)
	testx.True(f, r.cursor != hook.Cursor{}, "the cursor moves on over what belongs to others")
	f.reader(hook.FeedMessages, 250).take(len(mine) + len(theirs))
}

func feedCrash(f *fixture) {
	e := f.newEndpoint()
	var messages, attempts []hook.FeedItem
	for range 6 {
		messages = append(messages, f.messageItem(f.send()))
		s := f.settlement(f.claimOne(e.ID), answerOK)
		f.settleAll(s)
		attempts = append(attempts, f.attemptItem(s))
	}
	m, a := f.reader(hook.FeedMessages, 10), f.reader(hook.FeedAttempts, 10)
	m.take(6)
	a.take(6)
	m = f.reader(hook.FeedMessages, 2)
	p, _ := m.page()
	testx.Equal(f, p.Items, messages[:2])
	f.crash()
	f.register()
	testx.Equal(f, m.take(4), messages[2:], "the rest")
	a.take(0)
	after := f.messageItem(f.send())
	s := f.settlement(f.claimOne(e.ID), answerOK)
	f.settleAll(s)
	testx.Equal(f, m.take(1), []hook.FeedItem{after}, "what came after the crash")
	testx.Equal(f, a.take(1), []hook.FeedItem{f.attemptItem(s)})
	testx.Equal(f, f.reader(hook.FeedAttempts, 3).take(7), append(attempts, f.attemptItem(s)), "from the beginning")
}

// feedRetention removes everything, so that a store which counts entries by what
// is there would begin anew.
func feedRetention(f *fixture) {
	e := f.newEndpoint()
	m, a := f.reader(hook.FeedMessages, 10), f.reader(hook.FeedAttempts, 10)
	for round := range 4 {
		for range 3 {
			f.old(e.ID, 0)
		}
		if round > 0 {
			m.take(3)
			a.take(3)
		} // else the cursor is from before all that is removed
		f.pass(2 * day)
		if round%2 == 0 {
			testx.Equal(f, f.expire(hook.Retention{Attempts: day}).Attempts, 3)
		}
		testx.Equal(f, f.expire(hook.Retention{Messages: day}).Messages, 3)
		f.crash()
		f.register()
		m.take(0)
		a.take(0)
		if round > 1 {
			m.cursor = testx.Must(f.store.FeedEnd(f.ctx, hook.FeedMessages))(f)
			a.cursor = testx.Must(f.store.FeedEnd(f.ctx, hook.FeedAttempts))(f)
		}
	}
}

func feedEnds(f *fixture) {
	e := f.newEndpoint()
	for _, kind := range hook.FeedKinds {
		r := f.reader(kind, 10)
		r.cursor = testx.Must(f.store.FeedEnd(f.ctx, kind))(f)
		for range 3 {
			id := f.send()
			s := f.settlement(f.claimOne(e.ID), answerOK)
			f.settleAll(s)
			want := f.messageItem(id)
			if kind == hook.FeedAttempts {
				want = f.attemptItem(s)
			}
			testx.Equal(f, r.take(1), []hook.FeedItem{want}, kind.String())
			r.cursor = testx.Must(f.store.FeedEnd(f.ctx, kind))(f)
			r.take(0)
		}
	}
}
