package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var requestTests = []test{
	{"an accepted request is stored with its message", acceptedRequest},
	{"its envelope goes wherever its body goes", envelopeFollowsBody},
	{"no byte of a request changes", requestBytes},
	{"only a source receives", onlySourcesReceive},
	{"an event that came before is answered with the first", receivedTwice},
	{"an event that comes at the same time is taken once", receivedAtTheSameTime},
	{"an event of the API takes an id like any other", apiEventTakesID},
	{"a refused request is kept with everything", refusedRequest},
	{"a duplicate with another body is told apart", differingDuplicate},
	{"the oldest of those that became no message go first", requestsBoundByCount},
	{"their bodies are bounded too", requestsBoundByBytes},
	{"a refused request becomes accepted once", refusedBecomesAccepted},
	{"a refused request becomes accepted once at the same time", refusedBecomesAcceptedRace},
	{"a refused request whose event is there stays refused", refusedOfKnownEvent},
	{"a thousand requests go in at once", thousandRequests},
	{"requests at the same time are all kept", requestsAtTheSameTime},
	{"a request is changed in what its owner may change", requestUpdate},
	{"requests are listed by id and by what became of them", listRequestsTest},
	{"a list has all but the body", requestListItems},
	{"a purge leaves what was accepted", requestPurge},
	{"requests survive a crash", requestsSurviveCrash},
}

// envelopeOf is how a request came, with a header that tells it from others.
func envelopeOf(text string) *hook.Envelope {
	return &hook.Envelope{
		Method: "POST", Path: "/orders", Query: "a=1&b=%20", Forward: []string{"authorization"},
		Headers: []hook.HeaderLine{{"Content-Type", "text/plain"}, {"X-Text", text}, {"X-Text", ""}},
	}
}

// requestValue is a refused request that is not stored yet.
func (f *fixture) requestValue(source hook.ID, body string, change ...func(*hook.Request)) hook.Request {
	q := hook.Request{
		ID: hook.NewID(f.now), Source: source, Env: f.env, State: hook.RequestRefused, Reason: "signature_mismatch",
		Envelope: envelopeOf(body), Remote: "192.0.2.1", Status: 401, ContentType: "text/plain", Fingerprint: sum(body),
		Body: []byte(body), BodySize: len(body), ReceivedAt: f.now,
	}
	for _, c := range change {
		c(&q)
	}
	return q
}

// received is an event of a source, with the request that it came as.
func (f *fixture) received(source hook.ID, eventID, body string, change ...func(*hook.NewEvent)) hook.NewEvent {
	q := f.requestValue(source, body, func(q *hook.Request) {
		q.State, q.Reason, q.Status, q.EventType, q.Key = hook.RequestAccepted, "verified", 200, "orders/create", eventID
	})
	e := f.event(func(e *hook.NewEvent) {
		e.App, e.EventType, e.EventID, e.ContentType = source, "orders/create", eventID, q.ContentType
		e.Body, e.BodySize, e.Envelope, e.Request = q.Body, q.BodySize, q.Envelope, &q
	})
	for _, c := range change {
		c(&e)
	}
	return e
}

// wide is a bound that the tests do not reach.
var wide = hook.RequestBound{Count: 10_000, Bytes: 1 << 30}

func (f *fixture) record(rs ...hook.Request) {
	f.Helper()
	f.must(f.store.RecordRequests(f.ctx, wide, rs))
}

// request gives a stored request with its body.
func (f *fixture) request(source, id hook.ID) hook.Request {
	f.Helper()
	return testx.Must(f.store.FindRequest(f.ctx, f.env, source, id, true))(f)
}

// hasRequest reports whether a request is there.
func (f *fixture) hasRequest(source, id hook.ID) bool {
	f.Helper()
	_, err := f.store.FindRequest(f.ctx, f.env, source, id, false)
	if err != nil {
		testx.Code(f, err, hook.CodeNotFound)
	}
	return err == nil
}

// requests gives the ids of all requests of a source in some states, the oldest first.
func (f *fixture) requests(source hook.ID, states ...hook.RequestState) (ids []hook.ID) {
	f.Helper()
	list := testx.Must(f.store.ListRequests(f.ctx, hook.RequestFilter{Env: f.env, Source: source, States: states, Page: onePage}))(f)
	for _, q := range list.Items {
		ids = append(ids, q.ID)
	}
	return ids
}

// stored is what an event's request is read as.
func stored(e *hook.NewEvent) hook.Request {
	q := *e.Request
	q.State, q.Message = hook.RequestAccepted, e.ID
	return q
}

func acceptedRequest(f *fixture) {
	s := f.newSource()
	e := f.of(s.ID).newEndpoint()
	n := f.received(s.ID, "evt_1", "body")
	n.Request.Detail, n.Request.Findings, n.Request.Note = "A sentence.", []byte(`[{"code":"x"}]`), "of the owner"
	a := f.accept(n)[0]
	testx.NoError(f, a.Err)
	testx.Equal(f, []any{a.Duplicate, a.Matched, a.Message.ID}, []any{false, 1, n.ID})
	testx.Equal(f, a.Message, n.Message)

	want := stored(&n)
	testx.Equal(f, f.request(s.ID, n.Request.ID), want)
	want.Body = nil
	testx.Equal(f, testx.Must(f.store.FindRequest(f.ctx, f.env, s.ID, n.Request.ID, false))(f), want, "without the body")
	testx.Equal(f, f.requests(s.ID), []hook.ID{want.ID})
	testx.Equal(f, len(f.claim(first(e.ID, 10))[0].Leases), 1, "deliveries")

	// Its body is there once: the row of the request has none, and neither has it an
	// envelope or a content type.
	for _, rec := range dump(f, f.store) {
		if q, ok := rec.(*hook.RequestRecord); ok {
			testx.True(f, q.Body == nil && q.Envelope == nil && q.ContentType == "", "the message has them")
			testx.Equal(f, []any{q.Message, q.BodySize, string(q.Fingerprint)}, []any{n.ID, 4, string(n.Request.Fingerprint[:])})
		}
	}
	bare := f.received(s.ID, "", "", func(n *hook.NewEvent) {
		n.Envelope, n.ContentType = nil, "application/json"
		n.Request.Envelope, n.Request.ContentType = &hook.Envelope{Method: "GET"}, "application/json"
	})
	testx.NoError(f, f.accept(bare)[0].Err)
	testx.Equal(f, f.request(s.ID, bare.Request.ID), stored(&bare), "one with little")
	m := testx.Must(f.store.FindMessage(f.ctx, f.env, s.ID, hook.Ref{ID: bare.ID}, true))(f)
	testx.Equal(f, m.Envelope, bare.Request.Envelope, "the envelope of a request is that of its message")
}

func envelopeFollowsBody(f *fixture) {
	s := f.newSource()
	g := f.of(s.ID)
	e := g.newEndpoint()
	n := f.received(s.ID, "evt_1", "body")
	a := f.acceptWith(&places{room: everywhere}, n)[0]
	testx.NoError(f, a.Err)
	testx.Equal(f, *a.Leased[0].Message, n.Message, "at accept")
	f.release(a.Leased[0])
	l := f.claimOne(e.ID)
	testx.Equal(f, *l.Message, n.Message, "at claim")
	f.settle(l, answerOK)
	g.resend(n.ID, e.ID)
	l = f.claimOne(e.ID)
	testx.Equal(f, *l.Message, n.Message, "at a resend")
	f.settle(l, answerOK)
	for _, with := range []bool{true, false} {
		want := n.Message
		if !with {
			want.Body, want.Envelope = nil, nil
		}
		for _, ref := range []hook.Ref{{ID: n.ID}, {UID: "evt_1"}} {
			testx.Equal(f, testx.Must(f.store.FindMessage(f.ctx, f.env, s.ID, ref, with))(f), want, fmt.Sprintf("with body: %t", with))
		}
		list := testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: s.ID, WithBody: with, Page: onePage}))(f)
		testx.Equal(f, list.Items, []hook.Message{want}, fmt.Sprintf("in a list with bodies: %t", with))
	}
	api := f.send()
	testx.True(f, f.message(api).Envelope == nil, "an event of the API has none")
}

func requestBytes(f *fixture) {
	s := f.newSource()
	g := f.of(s.ID)
	e := g.newEndpoint()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for i, body := range []string{"", "\x00", "a\x00b\xff\xfe", "\xed\xa0\x80", string(all), "{\"a\":\r\n1}  ", string(bytes.Repeat([]byte("x"), 100_000))} {
		envelope := &hook.Envelope{
			Method: "POST", Path: "/\xff%00", Query: "q=\xc3&\x00", Forward: []string{"x-\xff"},
			Headers: []hook.HeaderLine{{"A", "\x00\xff" + body}, {"A", "ü☃"}, {"B", string(all)}, {"C", ""}},
		}
		n := f.received(s.ID, fmt.Sprint("evt_", i), body)
		n.Envelope, n.Request.Envelope = envelope, envelope
		a := f.accept(n)[0]
		testx.NoError(f, a.Err)
		testx.Equal(f, f.request(s.ID, n.Request.ID), stored(&n), "accepted")
		l := f.claimOne(e.ID)
		testx.Equal(f, []any{l.Message.Body, l.Message.Envelope}, []any{n.Body, envelope}, "to send")
		f.settle(l, answerOK)
		q := f.requestValue(s.ID, body, func(q *hook.Request) { q.Envelope = envelope })
		f.record(q)
		testx.Equal(f, f.request(s.ID, q.ID), q, "refused")
	}
}

func onlySourcesReceive(f *fixture) {
	s := f.newSource()
	deleted := f.newSource()
	testx.Must(f.store.DeleteSource(f.ctx, f.env, hook.Ref{ID: deleted.ID}, f.now))(f)
	cases := map[string]hook.NewEvent{
		"an application":                  f.received(f.app, "evt_1", "body"),
		"nobody":                          f.received(hook.NewID(f.now), "evt_1", "body"),
		"a deleted source":                f.received(deleted.ID, "evt_1", "body"),
		"a source of another environment": f.received(s.ID, "evt_1", "body", func(n *hook.NewEvent) { n.Env = f.newEnvironment("other") }),
	}
	for what, n := range cases {
		n.Request.Env, n.Request.Source = n.Env, n.App
		testx.Code(f, f.accept(n)[0].Err, hook.CodeNotFound, what)
		q := *n.Request
		q.State = hook.RequestRefused
		f.record(q) // it is dropped
		_, err := f.store.FindRequest(f.ctx, n.Env, n.App, q.ID, false)
		testx.Code(f, err, hook.CodeNotFound, what)
	}
	testx.Equal(f, countKinds(dump(f, f.store))[hook.RecordRequest], 0, "requests that are stored")
	n := f.received(s.ID, "evt_1", "body")
	testx.NoError(f, f.accept(n)[0].Err, "its event id was not used up")
	f.record()
}

func receivedTwice(f *fixture) {
	s, other := f.newSource(), f.newSource()
	e := f.of(s.ID).newEndpoint()
	p := &places{room: everywhere}
	one, two, three := f.received(s.ID, "evt_1", "body"), f.received(s.ID, "evt_1", "body"), f.received(s.ID, "evt_2", "body")
	out := f.acceptWith(p, one, two, three)
	again := f.acceptWith(p, f.received(s.ID, "evt_1", "another body"))
	f.crash()
	f.register()
	want := one.Message
	want.Body, want.Envelope = nil, nil
	for i, a := range []hook.Accepted{out[1], again[0], f.acceptWith(p, f.received(s.ID, "evt_1", "body"))[0]} {
		testx.NoError(f, a.Err, fmt.Sprint("repetition ", i))
		testx.True(f, a.Duplicate, "it is one")
		testx.Equal(f, a.Message, want, "the first message, without its body")
		testx.Equal(f, []int{a.Matched, len(a.Leased)}, []int{0, 0}, "nothing new to send")
	}
	testx.True(f, out[0].Err == nil && !out[0].Duplicate && out[2].Err == nil && !out[2].Duplicate, "the others are new")
	testx.Equal(f, f.requests(s.ID), ascending(one.Request.ID, three.Request.ID), "of duplicates nothing is stored")
	testx.Equal(f, p.reserved, map[hook.ID]int{e.ID: 2}, "places held")
	elsewhere := f.accept(f.received(other.ID, "evt_1", "body"))[0]
	testx.True(f, elsewhere.Err == nil && !elsewhere.Duplicate, "the same id at another source")
	for range 2 { // without an id each is an event of its own
		a := f.accept(f.received(s.ID, "", "body"))[0]
		testx.True(f, a.Err == nil && !a.Duplicate, "an event without an id")
	}
}

// ascending sorts ids.
func ascending(ids ...hook.ID) []hook.ID {
	slices.SortFunc(ids, func(a, b hook.ID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

func receivedAtTheSameTime(f *fixture) {
	s := f.newSource()
	e := f.of(s.ID).newEndpoint()
	var mu sync.Mutex // guards what follows
	var fresh []hook.ID
	var answers []hook.ID
	together(callers, func(int) {
		n := f.received(s.ID, "evt_1", "body")
		a, ok := f.acceptOne(&places{}, n)
		if !ok || a.Err != nil {
			f.Errorf("%v", a.Err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		answers = append(answers, a.Message.ID)
		if !a.Duplicate {
			fresh = append(fresh, n.ID)
		}
	})
	testx.Equal(f, len(fresh), 1, "taken as new")
	for _, id := range answers {
		testx.Equal(f, id, fresh[0], "the message that each was told")
	}
	testx.Equal(f, []int{len(answers), len(f.requests(s.ID))}, []int{callers, 1})
	testx.Equal(f, len(f.claim(first(e.ID, 100))[0].Leases), 1, "deliveries")
}

func apiEventTakesID(f *fixture) {
	s := f.newSource()
	g := f.of(s.ID)
	id := g.send(func(n *hook.NewEvent) { n.EventID = "made" }) // as a schedule makes it
	a := f.accept(f.received(s.ID, "made", "body"))[0]
	testx.NoError(f, a.Err)
	testx.Equal(f, []any{a.Duplicate, a.Message.ID}, []any{true, id})
	f.accept(f.received(s.ID, "came", "body"))
	testx.Code(f, g.accept(g.event(func(n *hook.NewEvent) { n.EventID = "came" }))[0].Err, hook.CodeConflict)
	testx.Code(f, g.accept(g.event(func(n *hook.NewEvent) { n.Published = true }))[0].Err, hook.CodeNotFound)
	q := f.requestValue(s.ID, "body", func(q *hook.Request) { q.State, q.Message = hook.RequestDuplicate, id })
	f.record(q)
	testx.Equal(f, f.request(s.ID, q.ID).State, hook.RequestDuplicate, "there is nothing that it could differ from")
}

func refusedRequest(f *fixture) {
	s := f.newSource()
	e := f.of(s.ID).newEndpoint()
	full := f.requestValue(s.ID, "body", func(q *hook.Request) {
		q.Detail, q.Findings, q.EventType, q.Key, q.Note = "A sentence.", []byte(`[{"code":"x"}]`), "orders/create", "evt_1", "of the owner"
	})
	empty := f.requestValue(s.ID, "", func(q *hook.Request) { q.Envelope = &hook.Envelope{Method: "GET"} })
	unread := f.requestValue(s.ID, "", func(q *hook.Request) { q.Body, q.BodySize, q.BodyGone = nil, 5_000_000, true })
	handshake := f.requestValue(s.ID, "", func(q *hook.Request) { q.State, q.Status, q.ContentType = hook.RequestHandshake, 200, "" })
	f.record(full, empty, unread)
	f.record(handshake)
	for _, q := range []hook.Request{full, empty, unread, handshake} {
		testx.Equal(f, f.request(s.ID, q.ID), q)
	}
	testx.Equal(f, f.claim(first(e.ID, 10))[0], hook.ClaimedLane{}, "nothing to send")
	testx.Equal(f, len(testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: s.ID, Page: onePage}))(f).Items), 0)
	// The same once more, as by a caller who was not told: it is there once.
	f.record(full)
	testx.Equal(f, len(f.requests(s.ID)), 4)
	for what, err := range map[string]error{
		"another id":     did1(f.store.FindRequest(f.ctx, f.env, s.ID, hook.NewID(f.now), true)),
		"another source": did1(f.store.FindRequest(f.ctx, f.env, f.newSource().ID, full.ID, true)),
	} {
		testx.Code(f, err, hook.CodeNotFound, what)
	}
}

func differingDuplicate(f *fixture) {
	s := f.newSource()
	n := f.received(s.ID, "evt_1", "body")
	f.accept(n)
	duplicate := func(body string, state hook.RequestState) hook.Request {
		return f.requestValue(s.ID, body, func(q *hook.Request) {
			q.State, q.Reason, q.Status, q.Message, q.Key = state, "verified", 200, n.ID, "evt_1"
		})
	}
	same, differs, known := duplicate("body", hook.RequestDuplicate), duplicate("another", hook.RequestDuplicate), duplicate("third", hook.RequestDiffers)
	f.record(same, differs)
	f.record(known)
	same.Body, same.BodyGone = nil, true // the message has it
	differs.State = hook.RequestDiffers
	for _, want := range []hook.Request{same, differs, known} {
		testx.Equal(f, f.request(s.ID, want.ID), want)
	}
	testx.Equal(f, f.request(s.ID, n.Request.ID), stored(&n), "the first one")
	testx.Equal(f, f.requests(s.ID, hook.RequestDuplicate), []hook.ID{same.ID})
	testx.Equal(f, f.requests(s.ID, hook.RequestDiffers), ascending(differs.ID, known.ID))
}

// refuse stores n refused requests a second apart, the oldest first.
func (f *fixture) refuse(source hook.ID, n, size int) (ids []hook.ID) {
	f.Helper()
	for i := range n {
		q := f.requestValue(source, string(bytes.Repeat([]byte{byte('a' + i%20)}, size)))
		f.record(q)
		ids = append(ids, q.ID)
		f.pass(time.Second)
	}
	return ids
}

func requestsBoundByCount(f *fixture) {
	s, other := f.newSource(), f.newSource()
	untouched := f.refuse(other.ID, 5, 10)
	n := f.received(s.ID, "evt_1", "body")
	f.accept(n)
	f.pass(time.Second)
	ids := f.refuse(s.ID, 6, 10)
	bound := hook.RequestBound{Count: 6, Bytes: 1 << 20}
	kept := func() []hook.ID { f.Helper(); return f.requests(s.ID, hook.RequestStates[1:]...) }
	put := func(n int) {
		f.Helper()
		var rs []hook.Request
		for range n {
			rs = append(rs, f.requestValue(s.ID, "x"))
			ids = append(ids, rs[len(rs)-1].ID)
			f.pass(time.Second)
		}
		f.must(f.store.RecordRequests(f.ctx, bound, rs))
	}
	f.must(f.store.RecordRequests(f.ctx, bound, nil))
	testx.Equal(f, kept(), ids, "as many as the bound")
	put(1)
	testx.Equal(f, kept(), ids[1:], "one more than the bound")
	put(3)
	testx.Equal(f, kept(), ids[4:], "three more in one call")
	f.crash()
	f.register()
	put(20)
	testx.Equal(f, kept(), ids[24:], "more at once than the bound")
	bound.Count = 2
	put(1)
	testx.Equal(f, kept(), ids[len(ids)-2:], "with a smaller bound")
	testx.True(f, f.hasRequest(s.ID, n.Request.ID), "an accepted one is not counted")
	testx.Equal(f, f.requests(other.ID), untouched, "those of another source")
}

func requestsBoundByBytes(f *fixture) {
	s := f.newSource()
	n := f.received(s.ID, "evt_1", string(make([]byte, 10_000)))
	f.accept(n)
	ids := f.refuse(s.ID, 3, 100)
	bound := hook.RequestBound{Count: 100, Bytes: 300}
	put := func(size int, change ...func(*hook.Request)) {
		f.Helper()
		q := f.requestValue(s.ID, string(make([]byte, size)), change...)
		ids = append(ids, q.ID)
		f.pass(time.Second)
		f.must(f.store.RecordRequests(f.ctx, bound, []hook.Request{q}))
	}
	kept := func() []hook.ID { f.Helper(); return f.requests(s.ID, hook.RequestStates[1:]...) }
	put(0)
	testx.Equal(f, kept(), ids, "as many bytes as the bound")
	put(1)
	testx.Equal(f, kept(), ids[1:], "a byte more")
	put(150)
	testx.Equal(f, kept(), ids[2:], "100, 0, 1, 150")
	put(50_000, func(q *hook.Request) { q.Body = nil })
	put(10_000, func(q *hook.Request) {
		q.State, q.Message, q.Fingerprint = hook.RequestDuplicate, n.ID, n.Request.Fingerprint
	})
	testx.Equal(f, kept(), ids[2:], "a body that is not kept has no weight")
	put(300)
	testx.Equal(f, kept(), ids[6:], "as many go as must, and no more")
	// What becomes accepted weighs no longer.
	last := f.request(s.ID, ids[8])
	e := f.received(s.ID, "evt_2", string(last.Body))
	e.Request.ID, e.Request.State = last.ID, hook.RequestRefused
	testx.NoError(f, f.accept(e)[0].Err)
	put(300)
	testx.Equal(f, kept(), []hook.ID{ids[6], ids[7], ids[9]})
	testx.True(f, f.hasRequest(s.ID, last.ID), "the accepted one")
}

// verified is an event of a request that was refused before.
func (f *fixture) verified(q *hook.Request, eventID string) hook.NewEvent {
	e := f.received(q.Source, eventID, string(q.Body))
	was := *e.Request
	again := *q
	again.Reason, again.Detail, again.Findings, again.EventType, again.Key = was.Reason, "", nil, was.EventType, was.Key
	e.Request = &again
	return e
}

func refusedBecomesAccepted(f *fixture) {
	s := f.newSource()
	e := f.of(s.ID).newEndpoint()
	q := f.requestValue(s.ID, "body", func(q *hook.Request) {
		q.Detail, q.Findings, q.Note = "A sentence.", []byte(`[{"code":"x"}]`), "of the owner"
	})
	f.record(q, f.requestValue(s.ID, "other"))
	f.pass(time.Hour)
	n := f.verified(&q, "evt_1")
	a := f.acceptWith(&places{room: everywhere}, n)[0]
	testx.NoError(f, a.Err)
	testx.Equal(f, []any{a.Duplicate, a.Matched, a.Message}, []any{false, 1, n.Message})
	testx.Equal(f, *a.Leased[0].Message, n.Message, "what is sent")
	want := q
	want.State, want.Reason, want.Detail, want.Findings, want.Message = hook.RequestAccepted, "verified", "", nil, n.ID
	want.EventType, want.Key = "orders/create", "evt_1"
	testx.Equal(f, f.request(s.ID, q.ID), want, "when it came, how it was answered and what was noted stays")
	testx.Equal(f, []int{len(f.requests(s.ID)), len(f.requests(s.ID, hook.RequestRefused))}, []int{2, 1})

	again := f.acceptWith(&places{room: everywhere}, f.verified(&q, "evt_1"), f.verified(&q, ""), f.verified(&q, "evt_9"))
	for _, a := range again {
		testx.NoError(f, a.Err)
		testx.Equal(f, []any{a.Duplicate, a.Message.ID, a.Message.Body == nil, len(a.Leased)}, []any{true, n.ID, true, 0}, "it was accepted already")
	}
	testx.Equal(f, f.request(s.ID, q.ID), want)
	fresh := f.accept(f.received(s.ID, "evt_9", "body"))[0]
	testx.True(f, fresh.Err == nil && !fresh.Duplicate, "the id of an event that was not taken is free")
	unknown := f.requestValue(s.ID, "body")
	testx.Code(f, f.accept(f.verified(&unknown, "evt_8"))[0].Err, hook.CodeNotFound, "a request that is not there")
	fresh = f.accept(f.received(s.ID, "evt_8", "body"))[0]
	testx.True(f, fresh.Err == nil && !fresh.Duplicate, "and it leaves nothing")
	testx.Equal(f, f.of(s.ID).delivery(n.ID, e.ID).State, hook.Sending)
}

func refusedBecomesAcceptedRace(f *fixture) {
	s := f.newSource()
	e := f.of(s.ID).newEndpoint()
	for _, eventID := range []string{"evt_1", ""} {
		q := f.requestValue(s.ID, "body")
		f.record(q)
		var mu sync.Mutex // guards what follows
		var fresh, told []hook.ID
		together(20, func(int) {
			a, ok := f.acceptOne(&places{}, f.verified(&q, eventID))
			if !ok || a.Err != nil {
				f.Errorf("%v", a.Err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			told = append(told, a.Message.ID)
			if !a.Duplicate {
				fresh = append(fresh, a.Message.ID)
			}
		})
		testx.Equal(f, len(fresh), 1, "taken as new")
		for _, id := range told {
			testx.Equal(f, id, fresh[0], "the message that each was told")
		}
		testx.Equal(f, f.request(s.ID, q.ID).Message, fresh[0])
		testx.Equal(f, len(f.claim(first(e.ID, 100))[0].Leases), 1, "deliveries")
	}
}

func refusedOfKnownEvent(f *fixture) {
	s := f.newSource()
	n := f.received(s.ID, "evt_1", "body")
	f.accept(n)
	q := f.requestValue(s.ID, "body")
	f.record(q)
	a := f.accept(f.verified(&q, "evt_1"))[0]
	testx.NoError(f, a.Err)
	testx.Equal(f, []any{a.Duplicate, a.Message.ID}, []any{true, n.ID})
	testx.Equal(f, f.request(s.ID, q.ID), q, "it is as it was")
	testx.Equal(f, f.request(s.ID, n.Request.ID), stored(&n), "and so is the first")
}

func thousandRequests(f *fixture) {
	s := f.newSource()
	e := f.of(s.ID).newEndpoint()
	const n = 1000
	events := make([]hook.NewEvent, n)
	refused := make([]hook.Request, n)
	for i := range events {
		events[i] = f.received(s.ID, fmt.Sprint("evt_", i/2), fmt.Sprint("body ", i/2))
		refused[i] = f.requestValue(s.ID, fmt.Sprint("refused ", i))
		if i%10 == 3 {
			events[i] = f.event() // of the API, among the others
		}
	}
	out := f.accept(events...)
	fresh := map[string]hook.ID{}
	for i, a := range out {
		testx.NoError(f, a.Err)
		if events[i].Request == nil {
			continue
		}
		id := events[i].EventID
		testx.Equal(f, a.Duplicate, fresh[id] != hook.ID{}, "duplicate")
		if !a.Duplicate {
			fresh[id] = a.Message.ID
		}
		testx.Equal(f, a.Message.ID, fresh[id], "the message")
	}
	f.record(refused...)
	var accepted, others int
	page := hook.Page{Limit: 250}
	for more := true; more; {
		list := testx.Must(f.store.ListRequests(f.ctx, hook.RequestFilter{Env: f.env, Source: s.ID, Page: page}))(f)
		for _, q := range list.Items {
			if q.State == hook.RequestAccepted {
				accepted++
			} else {
				others++
			}
		}
		more = list.More
		page.From = list.Items[len(list.Items)-1].ID
	}
	testx.Equal(f, []int{accepted, others}, []int{len(fresh), n})
	testx.Equal(f, len(f.claim(first(e.ID, 2*n))[0].Leases), len(fresh), "deliveries")
}

func requestsAtTheSameTime(f *fixture) {
	s, other := f.newSource(), f.newSource()
	const each = 10
	together(callers, func(i int) {
		for n := range each {
			if n%2 == 0 {
				if _, ok := f.acceptOne(&places{}, f.received(s.ID, fmt.Sprint(i, "-", n), "body")); !ok {
					return
				}
				continue
			}
			rs := []hook.Request{f.requestValue(s.ID, "refused"), f.requestValue(other.ID, "refused")}
			if err := f.store.RecordRequests(f.ctx, wide, rs); err != nil {
				f.Errorf("record: %v", err)
			}
		}
	})
	testx.Equal(f, []int{len(f.requests(s.ID)), len(f.requests(other.ID)), len(f.requests(s.ID, hook.RequestRefused))},
		[]int{callers * each, callers * each / 2, callers * each / 2})
}

func requestUpdate(f *fixture) {
	s := f.newSource()
	n := f.received(s.ID, "evt_1", "body")
	f.accept(n)
	q := f.requestValue(s.ID, "refused")
	f.record(q)
	own := errors.New("not like this")
	for _, want := range []hook.Request{stored(&n), q} {
		want.Body = nil
		_, err := f.store.UpdateRequest(f.ctx, f.env, s.ID, want.ID, func(x *hook.Request) error {
			x.Note = "changed"
			return own
		})
		testx.True(f, errors.Is(err, own), "the error of change is given back")
		for range 2 { // and back again
			was := want
			want.Note, want.Reason, want.Detail, want.Findings = "n ☃", "clock_skew", "A sentence.", []byte(`[{"code":"y"}]`)
			if was.Note != "" {
				want.Note, want.Detail, want.Findings = "", "", nil
			}
			got, err := f.store.UpdateRequest(f.ctx, f.env, s.ID, want.ID, func(x *hook.Request) error {
				testx.Equal(f, *x, was, "what change gets")
				x.Note, x.Reason, x.Detail, x.Findings = want.Note, want.Reason, want.Detail, want.Findings
				x.State, x.Status, x.Remote, x.Key = hook.RequestHandshake, 1, "x", "x" // which is not for it to change
				return nil
			})
			f.must(err)
			testx.Equal(f, got, want)
			found := f.request(s.ID, want.ID)
			testx.True(f, len(found.Body) == found.BodySize, "its body is there")
			found.Body = nil
			testx.Equal(f, found, want)
		}
	}
	_, err := f.store.UpdateRequest(f.ctx, f.env, s.ID, hook.NewID(f.now), func(*hook.Request) error {
		f.Error("change is called without a request")
		return nil
	})
	testx.Code(f, err, hook.CodeNotFound)
}

// requestSample is requests of each state, ten seconds apart, the oldest first.
func requestSample(f *fixture, source hook.ID) (all []hook.Request) {
	f.Helper()
	for i := range 3 * len(hook.RequestStates) {
		n := f.received(source, fmt.Sprint("evt_", i), "body")
		q := *n.Request
		q.State = hook.RequestStates[i%len(hook.RequestStates)]
		q.Reason = fmt.Sprint("reason-", i%2)
		switch q.State {
		case hook.RequestAccepted:
			n.Request.Reason = q.Reason
			testx.NoError(f, f.accept(n)[0].Err)
			q.Message = n.ID
		case hook.RequestDuplicate:
			q.Message = all[0].Message
			f.record(q)
			q.Body, q.BodyGone = nil, true
		case hook.RequestDiffers, hook.RequestRefused, hook.RequestHandshake:
			f.record(q)
		}
		all = append(all, q)
		f.pass(10 * time.Second)
	}
	return all
}

func listRequestsTest(f *fixture) {
	s, other := f.newSource(), f.newSource()
	all := requestSample(f, s.ID)
	f.refuse(other.ID, 3, 1)
	cases := []struct {
		what   string
		filter hook.RequestFilter
		pass   func(*hook.Request) bool
	}{
		{"all", hook.RequestFilter{}, func(*hook.Request) bool { return true }},
		{"two states", hook.RequestFilter{States: []hook.RequestState{hook.RequestRefused, hook.RequestDiffers}}, func(q *hook.Request) bool {
			return q.State == hook.RequestRefused || q.State == hook.RequestDiffers
		}},
		{"a state and accepted", hook.RequestFilter{States: []hook.RequestState{hook.RequestHandshake, hook.RequestAccepted}}, func(q *hook.Request) bool {
			return q.State == hook.RequestHandshake || q.State == hook.RequestAccepted
		}},
		{"a reason", hook.RequestFilter{Reason: "reason-1"}, func(q *hook.Request) bool { return q.Reason == "reason-1" }},
		{"no such reason", hook.RequestFilter{Reason: "reason"}, func(*hook.Request) bool { return false }},
		{"a range of time", hook.RequestFilter{After: noon.Add(20 * time.Second), Before: noon.Add(90 * time.Second)}, func(q *hook.Request) bool {
			return !q.ReceivedAt.Before(noon.Add(20*time.Second)) && q.ReceivedAt.Before(noon.Add(90*time.Second))
		}},
		{"a state and a reason since", hook.RequestFilter{States: []hook.RequestState{hook.RequestRefused}, Reason: "reason-0", After: noon.Add(time.Minute)},
			func(q *hook.Request) bool {
				return q.State == hook.RequestRefused && q.Reason == "reason-0" && !q.ReceivedAt.Before(noon.Add(time.Minute))
			}},
	}
	for _, state := range hook.RequestStates {
		cases = append(cases, struct {
			what   string
			filter hook.RequestFilter
			pass   func(*hook.Request) bool
		}{state.String(), hook.RequestFilter{States: []hook.RequestState{state}}, func(q *hook.Request) bool { return q.State == state }})
	}
	for _, c := range cases {
		var want []hook.ID
		for _, q := range slices.Backward(all) {
			if c.pass(&q) {
				want = append(want, q.ID)
			}
		}
		c.filter.Env, c.filter.Source = f.env, s.ID
		l := listed("requests: "+c.what, want, func(q hook.Request) hook.ID { return q.ID }, func(p hook.Page) (hook.PageOf[hook.Request], error) {
			filter := c.filter
			filter.Page = p
			return f.store.ListRequests(f.ctx, filter)
		})
		l.both = true
		l.check(f)
	}
}

func requestListItems(f *fixture) {
	s := f.newSource()
	all := requestSample(f, s.ID)
	for _, states := range [][]hook.RequestState{nil, hook.RequestStates[1:]} {
		list := testx.Must(f.store.ListRequests(f.ctx, hook.RequestFilter{Env: f.env, Source: s.ID, States: states, Page: onePage}))(f)
		want := slices.Clone(all)
		if states != nil {
			want = slices.DeleteFunc(want, func(q hook.Request) bool { return q.State == hook.RequestAccepted })
		}
		for i := range want {
			want[i].Body = nil
		}
		testx.Equal(f, list.Items, want)
	}
}

func requestPurge(f *fixture) {
	s, other := f.newSource(), f.newSource()
	n := f.received(s.ID, "evt_1", "body")
	f.accept(n)
	ids := f.refuse(s.ID, 10, 5)
	untouched := f.refuse(other.ID, 3, 5)
	purge := func(before time.Time, limit int) int {
		f.Helper()
		return testx.Must(f.store.PurgeRequests(f.ctx, f.env, s.ID, before, limit))(f)
	}
	kept := func() []hook.ID { f.Helper(); return f.requests(s.ID, hook.RequestRefused) }
	testx.Equal(f, purge(noon, 100), 0, "before the first")
	testx.Equal(f, purge(noon.Add(3*time.Second), 100), 3, "before the fourth")
	testx.Equal(f, kept(), ids[3:])
	testx.Equal(f, purge(time.Time{}, 4), 4, "as many as asked for")
	testx.Equal(f, len(kept()), 3)
	testx.Equal(f, purge(time.Time{}, 4), 3, "the rest")
	testx.Equal(f, purge(time.Time{}, 4), 0, "no more")
	testx.Equal(f, f.requests(s.ID), []hook.ID{n.Request.ID}, "the accepted one stays")
	testx.Equal(f, f.requests(other.ID), untouched, "those of another source")
	// What is gone does not count for the bound.
	q := f.requestValue(s.ID, "x")
	f.must(f.store.RecordRequests(f.ctx, hook.RequestBound{Count: 1, Bytes: 1}, []hook.Request{q}))
	testx.Equal(f, kept(), []hook.ID{q.ID})
	_, err := f.store.PurgeRequests(f.ctx, f.env, hook.NewID(f.now), time.Time{}, 1)
	testx.Code(f, err, hook.CodeNotFound)
}

func requestsSurviveCrash(f *fixture) {
	s := f.newSource()
	e := f.of(s.ID).newEndpoint()
	n := f.received(s.ID, "evt_1", "body")
	held := f.acceptWith(&places{room: everywhere}, n)[0]
	testx.Equal(f, len(held.Leased), 1)
	q := f.requestValue(s.ID, "refused")
	f.record(q)
	f.crash()
	f.register()
	testx.Equal(f, f.request(s.ID, n.Request.ID), stored(&n))
	testx.Equal(f, f.request(s.ID, q.ID), q)
	testx.Equal(f, *f.claimOne(e.ID).Message, n.Message, "what was in flight is due again")
}
