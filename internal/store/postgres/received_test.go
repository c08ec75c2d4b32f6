package postgres_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// newSource makes a source in the environment of a test.
func newSource(t *testing.T, s *postgres.Store, env hook.ID, at time.Time) hook.Source {
	t.Helper()
	src, _, err := s.CreateSource(t.Context(), &hook.Source{ID: hook.NewID(at), Env: env, Type: "stripe", CreatedAt: at, UpdatedAt: at}, nil)
	testx.NoError(t, err)
	return src
}

// arrived is a request of a source at a time.
func arrived(src hook.Source, at time.Time, state hook.RequestState) hook.Request {
	return hook.Request{
		ID: hook.NewID(at), Source: src.ID, Env: src.Env, State: state, Reason: "x", Fingerprint: [16]byte{1}, Status: 200,
		Envelope: &hook.Envelope{Method: "POST"}, Body: []byte("{}"), BodySize: 2, ReceivedAt: at,
	}
}

// event is what a request becomes.
func event(q hook.Request, eventID string) hook.NewEvent {
	return hook.NewEvent{Request: &q, Message: hook.Message{
		ID: hook.NewID(q.ReceivedAt), App: q.Source, Env: q.Env, EventType: "a", EventID: eventID, Body: q.Body, BodySize: q.BodySize,
		Envelope: q.Envelope, CreatedAt: q.ReceivedAt,
	}}
}

// doubtedSource is a source with an endpoint whose node is behind a breaker.
func (d *doubted) source(t *testing.T) hook.Source {
	t.Helper()
	src := newSource(t, d.nodes[0], d.env, configuredAt)
	e := d.value()
	e.App = src.ID
	_, _, err := d.nodes[0].CreateEndpoint(t.Context(), e, 0, nil)
	testx.NoError(t, err)
	out := testx.Must(d.store.Accept(t.Context(), d.node, allPlaces{new(atomic.Int64)}, configuredAt,
		[]hook.NewEvent{event(arrived(src, configuredAt, hook.RequestAccepted), "known")}))(t) // from here on it is in memory
	testx.NoError(t, out[0].Err)
	return src
}

func TestRequestsThatBreakOffAreResolved(t *testing.T) {
	t.Parallel()
	for name, arm := range map[string]func(*breaker){
		"before the commit": func(b *breaker) { b.request = []byte{} },
		"after the commit":  func(b *breaker) { b.answer = []byte("SELECT ") },
	} {
		for _, believed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, believed %t", name, believed), func(t *testing.T) {
				t.Parallel()
				d := newDoubted(t)
				src := d.source(t)
				events := []hook.NewEvent{
					event(arrived(src, configuredAt, hook.RequestAccepted), "known"), // first, and not stored
					event(arrived(src, configuredAt, hook.RequestAccepted), "new"),
					event(arrived(src, configuredAt, hook.RequestAccepted), ""),
				}
				if believed {
					q := arrived(src, configuredAt, hook.RequestRefused)
					testx.NoError(t, d.nodes[0].RecordRequests(t.Context(), hook.RequestBound{Count: 10, Bytes: 1000}, []hook.Request{q}))
					events = append(events, event(q, "late"))
				}
				places := allPlaces{new(atomic.Int64)}
				d.arm(arm)
				if believed { // in a transaction of several statements
					d.arm(func(b *breaker) {
						if b.request, b.answer = []byte("commit\x00"), nil; name == "after the commit" {
							b.request, b.answer = nil, []byte("COMMIT\x00")
						}
					})
				}
				out, err := d.store.Accept(t.Context(), d.node, places, configuredAt, events)
				testx.NoError(t, err)
				testx.True(t, d.hasBroken(), "a connection broke")
				leased := 0
				for i, a := range out {
					testx.NoError(t, a.Err)
					testx.Equal(t, a.Duplicate, i == 0, fmt.Sprintf("event %d is a repetition", i))
					testx.Equal(t, a.Message.ID == events[i].ID, i > 0, fmt.Sprintf("event %d is its own message", i))
					testx.Equal(t, a.Matched, min(i, 1), fmt.Sprintf("endpoints of event %d", i))
					leased += len(a.Leased)
					testx.Equal(t, d.count(t, "SELECT count(*) FROM requests WHERE id = $1 AND state = 0 AND message = $2 AND body IS NULL",
						events[i].Request.ID[:], events[i].ID[:]), min(i, 1), fmt.Sprintf("requests of event %d", i))
				}
				testx.Equal(t, leased+int(places.due.Load()), len(events)-1, "deliveries, leased or due")
				testx.Equal(t, d.count(t, "SELECT count(*) FROM messages WHERE app = (SELECT app FROM sources)"), len(events), "messages, with the first")
				testx.Equal(t, d.count(t, "SELECT count(*) FROM queue WHERE node IS NULL"), int(places.due.Load()), "deliveries that wait")
			})
		}
	}
}

func TestRecordedRequestsThatBreakOffAreThereOnce(t *testing.T) {
	t.Parallel()
	for name, arm := range map[string]func(*breaker){
		"before the statement arrives": func(b *breaker) { b.request = []byte{} },
		"after the commit":             func(b *breaker) { b.answer = []byte("DELETE 0\x00") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoubted(t)
			src := d.source(t)
			d.arm(arm)
			q := arrived(src, configuredAt, hook.RequestRefused)
			testx.NoError(t, d.store.RecordRequests(t.Context(), hook.RequestBound{Count: 10, Bytes: 1000}, []hook.Request{q}))
			testx.True(t, d.hasBroken(), "a connection broke")
			testx.Equal(t, d.count(t, "SELECT count(*) FROM requests WHERE id = $1", q.ID[:]), 1)
		})
	}
}

// Two nodes get the same event at the same time, among others in the same groups.
func TestAnEventIsTakenOnceByTwoNodes(t *testing.T) {
	t.Parallel()
	c := newConfigured(t)
	src := newSource(t, c.nodes[0], c.env, configuredAt)
	const rounds, callers = 20, 8
	var mu sync.Mutex // guards first
	first := map[string][]hook.ID{}
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			for round := range rounds {
				key := fmt.Sprint("round ", round)
				events := []hook.NewEvent{
					event(arrived(src, configuredAt, hook.RequestAccepted), fmt.Sprint(n, "/", round)),
					event(arrived(src, configuredAt, hook.RequestAccepted), key),
				}
				out, err := c.nodes[n%2].Accept(t.Context(), hook.Node{}, noPlaces{}, configuredAt, events)
				if err != nil || out[0].Err != nil || out[1].Err != nil || out[0].Duplicate {
					t.Errorf("%v, %+v", err, out)
					return
				}
				if out[1].Duplicate == (out[1].Message.ID == events[1].ID) {
					t.Errorf("a duplicate: %t, of %v", out[1].Duplicate, out[1].Message.ID)
				}
				mu.Lock()
				first[key] = append(first[key], out[1].Message.ID)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for key, ids := range first {
		testx.Equal(t, len(slices.Compact(ids)), 1, key)
	}
	testx.Equal(t, c.number(`SELECT count(*) FROM messages`), rounds*(callers+1))
	testx.Equal(t, c.number(`SELECT count(*) FROM requests`), rounds*(callers+1))
}

// A node of the version before makes and removes partitions of the other tables.
func TestPartitionsOfRequestsAreMadeWhereAnOlderNodeLeftThemOut(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	src := newSource(t, a.store, a.env, archiveStart)
	testx.Must(a.store.Expire(t.Context(), hook.Retention{}, archiveStart))(t)
	testx.Equal(t, a.tables("requests"), 2)
	var names []string
	for _, table := range []string{"messages", "deliveries", "attempts"} {
		var name string
		testx.NoError(t, a.db.QueryRow(t.Context(), `SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = $1::text::regclass`, table).Scan(&name))
		names = append(names, name)
	}
	a.exec(`DROP TABLE requests_` + names[0][len("messages_"):]) // of the second day
	s := open(t, a.url)
	at := archiveStart.Add(oneDay + time.Hour)
	q := arrived(src, at, hook.RequestAccepted)
	out := testx.Must(s.Accept(t.Context(), hook.Node{}, noPlaces{}, at, []hook.NewEvent{event(q, "")}))(t)
	testx.NoError(t, out[0].Err)
	testx.NoError(t, s.RecordRequests(t.Context(), hook.RequestBound{Count: 10, Bytes: 1000}, []hook.Request{arrived(src, at, hook.RequestRefused)}))
	testx.Equal(t, a.tables("requests"), 2)
	testx.Equal(t, a.tables("messages"), 2)

	for _, name := range names { // as if it were old, and that node had removed it
		a.exec(`DROP TABLE ` + name)
	}
	n := 0
	testx.NoError(t, s.Dump(t.Context(), func(rec hook.Record) error {
		if rec.RecordKind() == hook.RecordRequest {
			n++
		}
		return nil
	}))
	testx.Equal(t, n, 1, "requests in a dump: not the one without its message")
	a.expire(hook.Retention{Messages: oneDay}, archiveStart.Add(5*oneDay))
	testx.Equal(t, a.tables("requests"), 2, "of the day and the next")
	testx.Equal(t, a.number(`SELECT count(*) FROM pg_class WHERE relname LIKE 'expired%'`), 0, "tables that are out of sight")
}

func TestRequestsOfABigPartitionGoWithItOrStay(t *testing.T) {
	t.Parallel()
	for _, stay := range []bool{false, true} {
		t.Run(fmt.Sprint("they stay: ", stay), func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			a.fill(0, big, 0)
			a.receive()
			const refused = big / 20
			keep := hook.Retention{Messages: oneDay}
			if stay {
				keep.Requests = 3 * oneDay
			}
			_, got := a.expire(keep, archiveStart.Add(2*oneDay+time.Hour))
			testx.Equal(t, got.Messages, big)
			if !stay {
				testx.Equal(t, got.Requests, refused)
				testx.Equal(t, a.number(`SELECT count(*) FROM requests`), 0)
				return
			}
			testx.Equal(t, got.Requests, 0)
			testx.Equal(t, a.number(`SELECT count(*) FROM requests`), refused, "accepted ones are gone")
			testx.Equal(t, a.tables("messages")+1, a.tables("requests"))
			_, got = a.expire(keep, archiveStart.Add(10*oneDay))
			testx.Equal(t, got, hook.Expired{Requests: refused})
			testx.Equal(t, a.tables("messages"), a.tables("requests"))
		})
	}
}
