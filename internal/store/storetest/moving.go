package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// movingTests are about a store that is read and filled as a whole. Each gets a
// fixture, and a function that opens empty stores.
var movingTests = []struct {
	name string
	run  func(f *fixture, empty func() store.Store)
}{
	{"everything that goes in comes out", testEverythingComesOut},
	{"a message finds what was in force when it came", testMovedRevisions},
	{"a store that holds something takes nothing", testLoadRefusesContents},
	{"a stream that breaks off leaves nothing", testBrokenStreamLeavesNothing},
	{"a record that names nothing that is there is refused", testDanglingRecords},
	{"a dump is of one moment", testDumpIsOfOneMoment},
	{"a dump ends with its reader", testDumpEndsWithItsReader},
	{"what is in flight is given as due", testDumpOfLeases},
	{"a task goes on where it was", testMovedTask},
	{"sealed parts are changed page by page", testReseal},
	{"a page of sealed parts changes as a whole", testResealFails},
	{"sealed parts of sources are changed page by page", testResealSources},
	{"a source and its requests go on where they were", testMovedSource},
	{"members, passkeys and the audit log are moved", peopleAreMoved},
}

// runMoving runs them, and moves random histories.
func runMoving(t *testing.T, open Open) {
	for _, one := range movingTests {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			one.run(newFixture(t, open(t, false)), func() store.Store { return open(t, false).Store })
		})
	}
	histories := 24
	if testing.Short() || raceDetector {
		histories = 6
	}
	for seed := range histories {
		t.Run(fmt.Sprintf("history-%d", seed), func(t *testing.T) {
			t.Parallel()
			if failure, trace := playMoved(t, open, uint64(seed)); failure != "" {
				t.Fatalf("%s\n\nafter these operations (t: seconds since the start):\n%s", failure, strings.Join(trace, "\n"))
			}
		})
	}
}

func mover(t testing.TB, s store.Store) store.Mover {
	t.Helper()
	m, ok := s.(store.Mover)
	if !ok {
		t.Fatalf("%T cannot be moved", s)
	}
	return m
}

// dump gives all records of a store.
func dump(t testing.TB, s store.Store) []hook.Record {
	t.Helper()
	var out []hook.Record
	testx.NoError(t, mover(t, s).Dump(t.Context(), func(rec hook.Record) error {
		out = append(out, rec)
		return nil
	}))
	for i := range out {
		testx.True(t, i == 0 || out[i].RecordKind() >= out[i-1].RecordKind(), "the kinds are in their order")
	}
	return out
}

// stream gives records one by one, and then an error.
func stream(records []hook.Record, last error) func() (hook.Record, error) {
	return func() (hook.Record, error) {
		if len(records) == 0 {
			return nil, last
		}
		rec := records[0]
		records = records[1:]
		return rec, nil
	}
}

func load(t testing.TB, s store.Store, records []hook.Record) {
	t.Helper()
	testx.NoError(t, mover(t, s).Load(t.Context(), stream(records, io.EOF)))
}

// lines are records as sorted texts: all that stores agree in.
func lines(t testing.TB, records []hook.Record) []string {
	t.Helper()
	out := make([]string, len(records))
	for i, rec := range records {
		out[i] = fmt.Sprintf("%s %s", rec.RecordKind(), testx.Must(json.Marshal(rec))(t))
	}
	slices.Sort(out)
	return out
}

// countKinds tells how many records there are of each kind.
func countKinds(records []hook.Record) map[hook.RecordKind]int {
	n := map[hook.RecordKind]int{}
	for _, rec := range records {
		n[rec.RecordKind()]++
	}
	return n
}

// ids makes ids of one time that differ and grow.
type ids struct {
	at time.Time
	n  byte
}

func (i *ids) next() hook.ID {
	i.n++
	id := hook.IDAt(i.at)
	id[5] = i.n
	return id
}

// smallStream is a stream with one application, and endpoints that tests add to.
type smallStream struct {
	ids      ids
	env, app hook.ID
	records  []hook.Record
}

func newSmallStream() *smallStream {
	s := &smallStream{ids: ids{at: noon}}
	s.env, s.app = s.ids.next(), s.ids.next()
	s.add(&hook.EnvironmentRecord{ID: s.env, Name: "moved", CreatedAt: noon},
		&hook.ApplicationRecord{ID: s.app, Env: s.env, Name: "App", CreatedAt: noon, UpdatedAt: noon, Config: 100})
	return s
}

func (s *smallStream) add(records ...hook.Record) { s.records = append(s.records, records...) }

func (s *smallStream) endpoint(revision int64) hook.ID {
	id := s.ids.next()
	s.add(&hook.EndpointRecord{ID: id, App: s.app, URL: "https://example.com/", Revision: revision, CreatedAt: noon, UpdatedAt: noon,
		Secrets: []hook.SecretRecord{{Sealed: []byte("sealed")}}})
	return id
}

func (s *smallStream) message(config int64) *hook.MessageRecord {
	m := &hook.MessageRecord{ID: s.ids.next(), App: s.app, EventType: "a", ContentType: "application/json", BodySize: 2,
		Body: []byte("{}"), CreatedAt: noon, Config: config}
	s.add(m)
	return m
}

// fullStream has records of every kind with every field set, and with as few as
// there can be.
func fullStream() []hook.Record {
	i := &ids{at: noon}
	id := func() hook.ID { return i.next() }
	at := func(seconds int) time.Time {
		return noon.Add(time.Duration(seconds)*time.Second + 7*time.Microsecond)
	}
	env, other, app, bare, gone, person := id(), id(), id(), id(), id(), id()
	end, plain, deleted := id(), id(), id()
	full, empty, expunged := id(), id(), id()
	source, goneSource, plainSource, came, forgotten := id(), id(), id(), id(), id()
	words, meta := []string{"a.b", "ü \"<>&"}, map[string]string{"z": "1", "a": "ü\n"}
	hash := func(n byte, size int) []byte { return bytes.Repeat([]byte{n}, size) }
	body := []byte{0, 0xff, 0x80, '\n', '"'}
	return []hook.Record{
		&hook.EnvironmentRecord{ID: env, Name: "first", Kind: hook.EnvironmentTest, CreatedAt: at(1)}, &hook.EnvironmentRecord{ID: other, CreatedAt: at(2)},
		&hook.KeyRecord{ID: id(), Env: env, App: app, Hash: hash(1, 32), Name: "k", CensoredText: "gk_…x", Scopes: words, SessionID: "s",
			FeatureFlags: words, CreatedAt: at(3), ExpiresAt: at(4), LastUsedAt: at(5)},
		&hook.KeyRecord{ID: id(), Env: other, Hash: hash(2, 32), Name: "", CreatedAt: at(6)},
		&hook.ApplicationRecord{ID: app, Env: env, UID: "acme", Name: "Acme", ThrottleRate: 5, Metadata: meta, CreatedAt: at(7), UpdatedAt: at(8), Config: 9},
		&hook.ApplicationRecord{ID: source, Env: env, Name: "Größe", CreatedAt: at(7), UpdatedAt: at(8), Source: true},
		&hook.ApplicationRecord{ID: plainSource, Env: other, CreatedAt: at(7), UpdatedAt: at(8), Source: true},
		&hook.ApplicationRecord{ID: goneSource, Env: env, Name: "s", CreatedAt: at(7), UpdatedAt: at(8), DeletedAt: at(10), Source: true},
		&hook.ApplicationRecord{ID: bare, Env: other, CreatedAt: at(9), UpdatedAt: at(9)},
		&hook.ApplicationRecord{ID: gone, Env: env, UID: "acme", CreatedAt: at(9), UpdatedAt: at(9), DeletedAt: at(10), Config: 2},
		&hook.EventTypeRecord{ID: id(), Env: env, Name: "a.b", Description: "d", GroupName: "g", Archived: true, Deprecated: true,
			FeatureFlags: words, Schemas: []byte(`{"1": {}}`), EnforceSchema: true, CreatedAt: at(11), UpdatedAt: at(12)},
		&hook.EventTypeRecord{ID: id(), Env: env, Name: "c", CreatedAt: at(11), UpdatedAt: at(12)},
		&hook.EndpointRecord{ID: end, App: app, UID: "e", Description: "d", URL: "https://example.com/?a=%20", EventTypes: words, Channels: words,
			ThrottleRate: 3, Metadata: meta, FeatureFlags: words, SealedHeaders: hash(3, 50),
			Secrets:        []hook.SecretRecord{{Sealed: hash(4, 50)}, {Sealed: hash(5, 50), ExpiresAt: at(13)}},
			DisabledReason: hook.DisabledByGone, DisabledAt: at(14), FailingSince: at(15), Revision: 7, CreatedAt: at(16), UpdatedAt: at(17)},
		&hook.EndpointRecord{ID: plain, App: app, URL: "https://example.com/", Revision: 1, CreatedAt: at(16), UpdatedAt: at(17)},
		&hook.EndpointRecord{ID: deleted, App: gone, UID: "e", URL: "https://example.com/", Revision: 2, CreatedAt: at(16), UpdatedAt: at(17), DeletedAt: at(18)},
		&hook.RevisionRecord{Endpoint: end, Revision: 6, EventTypes: words, Channels: words, Disabled: true, Since: at(19), Config: 3},
		&hook.RevisionRecord{Endpoint: end, Revision: 7, Since: at(20), Config: 9},
		&hook.RevisionRecord{Endpoint: deleted, Revision: 2, Since: at(20), Config: 2},
		&hook.MessageRecord{ID: full, App: app, EventType: "a.b", EventID: "e1", Channels: words, Tags: words, ContentType: "text/plain",
			BodySize: 5, CreatedAt: at(21), DeliverAt: at(22), BodyExpiresAt: at(23), Body: body, Config: 3},
		&hook.MessageRecord{ID: empty, App: app, EventType: "x", ContentType: "application/json", CreatedAt: at(24), Body: []byte{}, Config: 4},
		&hook.MessageRecord{ID: came, App: source, EventType: "orders/create", EventID: "evt", ContentType: "text/plain", BodySize: 5, CreatedAt: at(24),
			Body: body, Envelope: &hook.Envelope{Method: "POST", Path: "/p", Query: "q=\xff", Forward: words,
				Headers: []hook.HeaderLine{{"A", "\x00\xff\xed\xa0\x80"}, {"A", "ü☃"}, {"B", ""}}}},
		&hook.MessageRecord{ID: forgotten, App: goneSource, EventType: "x", EventID: "evt", ContentType: "text/plain", BodySize: 5, CreatedAt: at(24)},
		&hook.MessageRecord{ID: expunged, App: gone, EventType: "x", EventID: "e1", ContentType: "application/json", BodySize: 9, CreatedAt: at(24)},
		&hook.DeliveryRecord{Message: full, Endpoint: end, State: hook.Canceled, Reason: hook.ReasonByUser, Attempts: 2, Step: 1, Manual: true,
			Retry: true, Due: at(25), AutoDue: at(26), LastStatus: 599, UpdatedAt: at(27)},
		&hook.DeliveryRecord{Message: full, Endpoint: plain, Due: at(25), UpdatedAt: at(27)},
		&hook.DeliveryRecord{Message: empty, Endpoint: plain, State: hook.Delivered, Attempts: 1, Step: 1, LastStatus: 204, UpdatedAt: at(27)},
		&hook.DeliveryRecord{Message: expunged, Endpoint: deleted, State: hook.Failed, Reason: hook.ReasonExhausted, UpdatedAt: at(27)},
		&hook.AttemptRecord{ID: id(), Message: full, Endpoint: end, Number: 2, Trigger: hook.TriggerManual, URL: "https://example.com/",
			Class: hook.FailBody, Status: 599, Detail: "d", StartedAt: at(28), NextDue: at(29),
			Timings:  hook.TimingsRecord{Queue: 1000, DNS: 2000, Connect: 3000, TLS: 4000, FirstByte: 5000, Body: 6000, Total: 7000},
			Response: body, ResponseHeaders: []byte(`{"a": 1}`), RequestHeaders: []byte(`{}`)},
		&hook.AttemptRecord{ID: id(), Message: empty, Endpoint: plain, Number: 1, StartedAt: at(30), Response: []byte{}, ResponseHeaders: []byte{}},
		&hook.AttemptRecord{ID: id(), Message: expunged, Endpoint: deleted, Number: 1, StartedAt: at(30)},
		&hook.IdempotencyRecord{Env: env, Hash: hash(6, 16), Fingerprint: hash(7, 16), Object: full, ExpiresAt: at(31)},
		&hook.IdempotencyRecord{Env: env, Hash: hash(8, 16), Fingerprint: hash(9, 16), Object: empty, ExpiresAt: at(32), Auto: true},
		&hook.TaskRecord{ID: id(), Env: env, App: app, Endpoint: end, Kind: hook.TaskRecover, Status: hook.TaskRunning, Since: at(33), Until: at(34),
			Cursor: full, Queued: 4, Rate: 5, Total: 6, CreatedAt: at(35), UpdatedAt: at(36)},
		&hook.TaskRecord{ID: id(), Env: env, App: app, Endpoint: end, Kind: hook.TaskRecover, Status: hook.TaskFinished, Canceled: true, CreatedAt: at(35), UpdatedAt: at(36)},
		&hook.RollupRecord{Endpoint: end, Hour: noon, ByClass: [13]int64{3, 12: 2}, Took: [hook.TookCells]int64{3, 47: 2}},
		&hook.RollupRecord{Endpoint: plain, Hour: noon.Add(-time.Hour), ByClass: [13]int64{1}, Took: [hook.TookCells]int64{5: 1}},
		&hook.SourceRecord{ID: source, Env: env, UID: "acme", Name: "Größe", Type: "stripe", Metadata: meta, Disabled: true, NextFire: at(40),
			Settings: hook.SourceSettings{Verification: []byte(`{"z":1,"a":"ü"}`), Rate: 3, Routes: []hook.SourceRoute{{App: app, Only: words}}},
			Secrets:  []hook.SecretRecord{{Sealed: hash(4, 50)}, {Sealed: hash(5, 50), ExpiresAt: at(13)}},
			Tokens: []hook.TokenRecord{{Hash: hash(10, 32), Sealed: hash(11, 50), CreatedAt: at(41)},
				{Hash: hash(12, 32), Sealed: hash(13, 50), CreatedAt: at(41), ExpiresAt: at(42)}},
			CreatedAt: at(43), UpdatedAt: at(44)},
		&hook.SourceRecord{ID: plainSource, Env: other, Type: "cron", Tokens: []hook.TokenRecord{}, CreatedAt: at(43), UpdatedAt: at(44)},
		&hook.RequestRecord{ID: id(), Source: source, Reason: "verified", Remote: "192.0.2.1", EventType: "orders/create", Key: "evt", Message: came,
			Fingerprint: hash(14, 16), Status: 200, BodySize: 5, ReceivedAt: at(45), Note: "n"},
		&hook.RequestRecord{ID: id(), Source: source, State: hook.RequestDiffers, Reason: "verified", Detail: "d", Findings: []byte(`[{"code": "x"}]`),
			Envelope: &hook.Envelope{Method: "PUT", Headers: []hook.HeaderLine{{"A", "\xff"}}}, Remote: "2001:db8::1", EventType: "x", Key: "evt",
			Message: came, Fingerprint: hash(15, 16), Status: 200, ContentType: "text/plain", BodySize: 5, Body: body, ReceivedAt: at(46), Note: "ü"},
		&hook.RequestRecord{ID: id(), Source: source, State: hook.RequestDuplicate, Reason: "verified", Envelope: &hook.Envelope{Method: "POST"},
			Message: id(), Fingerprint: hash(15, 16), Status: 200, BodySize: 5, ReceivedAt: at(47)}, // the first one is gone
		&hook.RequestRecord{ID: id(), Source: plainSource, State: hook.RequestRefused, Fingerprint: hash(16, 16), Status: 401, ReceivedAt: at(48), Body: []byte{}},
		&hook.RequestRecord{ID: id(), Source: goneSource, State: hook.RequestHandshake, Fingerprint: hash(16, 16), Status: 200, BodySize: 7, ReceivedAt: at(48)},
		&hook.RequestRecord{ID: id(), Source: goneSource, Message: forgotten, Fingerprint: hash(16, 16), Status: 200, BodySize: 5, ReceivedAt: at(49)},
		&hook.TrafficRecord{Env: env, Start: noon.Truncate(hook.TrafficPeriod), Accepted: 7, ByClass: [13]int64{3, 12: 2},
			Took: [hook.TookCells]int64{3, 47: 2}, Delay: hook.Delays{5, 47: 6}},
		&hook.TrafficRecord{Env: other, Start: noon.Add(-time.Hour).Truncate(hook.TrafficPeriod), Accepted: 1},
		&hook.IssueRecord{ID: id(), Env: env, Endpoint: end, Class: hook.FailStatus5xx, Status: 503, FirstSeen: at(50), LastSeen: at(51), Attempts: 3,
			Message: full, Attempt: id(), State: hook.IssueMuted, MutedUntil: at(52), ResolvedAt: at(53), HealedAt: at(54), Note: "ü", Assignee: "a"},
		&hook.IssueRecord{ID: id(), Env: env, Endpoint: plain, Class: hook.FailDNS, FirstSeen: at(50), LastSeen: at(51), Attempts: 1, Message: full, Attempt: id()},
		&hook.MemberRecord{ID: person, Email: "ada@example.com", Name: "Ädä", Role: hook.RoleOwner, MayReadPayloads: true, Password: "$argon2id$x",
			Subject: "https://id.example.com 42", CreatedAt: at(55), UpdatedAt: at(56), SeenAt: at(57)},
		&hook.MemberRecord{ID: id(), Email: "b@example.com", Role: hook.RoleViewer, CreatedAt: at(55), UpdatedAt: at(56)},
		&hook.PasskeyRecord{ID: id(), Member: person, Credential: hash(17, 40), Name: "n", Data: []byte(`{"n":1}`), CreatedAt: at(58), UsedAt: at(59)},
		&hook.AuditRecord{ID: id(), Env: env, Actor: hook.ActorMember, ActorID: person, Name: "ada@example.com", Action: "a.b", Target: "/t",
			Address: netip.MustParseAddr("2001:db8::1")},
		&hook.AuditRecord{ID: id(), Actor: hook.ActorSystem},
	}
}

func testEverythingComesOut(f *fixture, empty func() store.Store) {
	records := fullStream()
	testx.Equal(f, len(countKinds(records)), len(hook.RecordKinds), "every kind is tried")
	one := empty()
	load(f, one, records)
	out := dump(f, one)
	testx.Equal(f, lines(f, out), lines(f, records))
	// And once more, from what a store gives.
	two := empty()
	load(f, two, out)
	testx.Equal(f, lines(f, dump(f, two)), lines(f, records))
}

func testMovedRevisions(f *fixture, empty func() store.Store) {
	s := newSmallStream()
	changed, late, deleted := s.endpoint(2), s.endpoint(1), s.endpoint(2)
	s.records[4].(*hook.EndpointRecord).DeletedAt = noon
	s.add(
		&hook.RevisionRecord{Endpoint: changed, Revision: 1, EventTypes: []string{"a"}, Since: noon, Config: 10},
		&hook.RevisionRecord{Endpoint: changed, Revision: 2, EventTypes: []string{"b"}, Since: noon, Config: 40},
		&hook.RevisionRecord{Endpoint: late, Revision: 1, Channels: []string{"c"}, Disabled: true, Since: noon, Config: 20},
		&hook.RevisionRecord{Endpoint: deleted, Revision: 1, Since: noon, Config: 10},
		&hook.RevisionRecord{Endpoint: deleted, Revision: 2, Since: noon, Config: 50})
	type inForce struct{ changed, late, deleted int64 } // revisions; 0: there was none
	want := map[int64]inForce{0: {}, 10: {1, 0, 1}, 15: {1, 0, 1}, 20: {1, 1, 1}, 40: {2, 1, 1}, 49: {2, 1, 1}, 50: {2, 1, 0}, 99: {2, 1, 0}}
	byConfig := map[int64]hook.ID{}
	for _, config := range []int64{0, 10, 15, 20, 40, 49, 50, 99} {
		byConfig[config] = s.message(config).ID
	}
	f.store = empty()
	load(f, f.store, s.records)
	f.env, f.app = s.env, s.app
	look := func() {
		f.Helper()
		for config, id := range byConfig {
			var got inForce
			for endpoint, into := range map[hook.ID]*int64{changed: &got.changed, late: &got.late, deleted: &got.deleted} {
				if x := f.explain(id, endpoint); x != nil && x.AtAccept != nil {
					*into = x.AtAccept.Revision
				}
			}
			testx.Equal(f, got, want[config], fmt.Sprintf("in force for the message of configuration %d", config))
		}
	}
	look()
	rev := f.explain(byConfig[15], changed).AtAccept
	testx.Equal(f, *rev, hook.EndpointRevision{Endpoint: changed, Revision: 1, EventTypes: []string{"a"}, Since: noon})
	// What changes now is not in force for what came before.
	f.update(changed, func(e *hook.Endpoint) { e.EventTypes = nil })
	fresh := f.send()
	testx.Equal(f, f.explain(fresh, changed).AtAccept.Revision, 3)
	look()
}

func testLoadRefusesContents(f *fixture, empty func() store.Store) {
	before := lines(f, dump(f, f.store))
	err := mover(f, f.store).Load(f.ctx, stream(fullStream(), io.EOF))
	testx.True(f, errors.Is(err, hook.ErrNotEmpty), fmt.Sprintf("it says so: %v", err))
	testx.Equal(f, lines(f, dump(f, f.store)), before, "and stays as it is")

	full := empty()
	load(f, full, fullStream())
	err = mover(f, full).Load(f.ctx, stream(nil, io.EOF))
	testx.True(f, errors.Is(err, hook.ErrNotEmpty), fmt.Sprintf("a store that was filled is not filled again: %v", err))
}

func testBrokenStreamLeavesNothing(f *fixture, empty func() store.Store) {
	records := fullStream()
	s := empty()
	broken := errors.New("broken off")
	for n := range records {
		err := mover(f, s).Load(f.ctx, stream(records[:n], broken))
		testx.True(f, errors.Is(err, broken), fmt.Sprintf("the error of the stream: %v", err))
		testx.Equal(f, len(dump(f, s)), 0, fmt.Sprintf("records left of %d", n))
	}
	// Longer than what a store puts in at once.
	long := newSmallStream()
	end := long.endpoint(1)
	for n := range 9000 {
		m := *long.message(1)
		m.ID[6], m.ID[7] = byte(n>>8), byte(n)
		long.records[len(long.records)-1] = &m
	}
	for _, rec := range slices.Clone(long.records[3:]) {
		long.add(&hook.DeliveryRecord{Message: rec.(*hook.MessageRecord).ID, Endpoint: end, Due: noon, UpdatedAt: noon})
	}
	for _, n := range []int{9001, len(long.records)} {
		err := mover(f, s).Load(f.ctx, stream(long.records[:n], broken))
		testx.True(f, errors.Is(err, broken), fmt.Sprintf("the error of the stream: %v", err))
		testx.Equal(f, len(dump(f, s)), 0, fmt.Sprintf("records left of %d", n))
	}
	load(f, s, records)
	testx.Equal(f, lines(f, dump(f, s)), lines(f, records), "it can be filled after all")
	other := empty()
	load(f, other, long.records)
	testx.Equal(f, len(dump(f, other)), len(long.records), "and so can another with all of them")
}

func testDanglingRecords(f *fixture, empty func() store.Store) {
	s := empty()
	records := fullStream()
	for _, without := range []hook.RecordKind{hook.RecordApplication, hook.RecordEndpoint, hook.RecordMessage} {
		kept := slices.DeleteFunc(slices.Clone(records), func(rec hook.Record) bool { return rec.RecordKind() == without })
		err := mover(f, s).Load(f.ctx, stream(kept, io.EOF))
		testx.True(f, err != nil, fmt.Sprintf("a stream without records of kind %s is refused", without))
		testx.Equal(f, len(dump(f, s)), 0, "records left")
	}
	source, request := &hook.SourceRecord{}, &hook.RequestRecord{}
	for _, rec := range records {
		switch rec := rec.(type) {
		case *hook.SourceRecord:
			source = rec
		case *hook.RequestRecord:
			if rec.State == hook.RequestAccepted {
				request = rec
			}
		}
	}
	customer := records[4].(*hook.ApplicationRecord)
	orphan, unsent, foreign := *source, *request, *request
	orphan.ID, orphan.Tokens = customer.ID, nil
	unsent.ID, unsent.Message = hook.NewID(noon), hook.NewID(noon)
	foreign.ID, foreign.Source = hook.NewID(noon), hook.NewID(noon)
	for what, rec := range map[string]hook.Record{
		"a source whose owner is a customer": &orphan, "an accepted request without its message": &unsent, "a request of no source": &foreign,
	} {
		err := mover(f, s).Load(f.ctx, stream(append(slices.Clone(records), rec), io.EOF))
		testx.True(f, err != nil, what+" is refused")
		testx.Equal(f, len(dump(f, s)), 0, "records left")
	}
	twice := append(slices.Clone(records[:1]), records...)
	testx.True(f, mover(f, s).Load(f.ctx, stream(twice, io.EOF)) != nil, "a record that comes twice is refused")
	testx.Equal(f, len(dump(f, s)), 0, "records left")
}

func testDumpIsOfOneMoment(f *fixture, _ func() store.Store) {
	end := f.newEndpoint()
	for range 3 {
		f.send()
	}
	before := lines(f, dump(f, f.store))
	var during []hook.Record
	f.must(mover(f, f.store).Dump(f.ctx, func(rec hook.Record) error {
		during = append(during, rec)
		f.pass(time.Second)
		f.send() // must not wait for the dump
		if len(during) == 2 {
			f.update(end.ID, func(e *hook.Endpoint) { e.Description = "changed" })
		}
		return nil
	}))
	testx.Equal(f, lines(f, during), before)
	testx.Equal(f, countKinds(dump(f, f.store))[hook.RecordMessage], 3+len(during), "messages that came meanwhile")
}

func testDumpEndsWithItsReader(f *fixture, _ func() store.Store) {
	full := errors.New("the disk is full")
	n := 0
	err := mover(f, f.store).Dump(f.ctx, func(hook.Record) error {
		n++
		return full
	})
	testx.True(f, errors.Is(err, full) && n == 1, fmt.Sprintf("it ends with the first error: %v after %d", err, n))
	f.send() // nothing is held on to

	ctx, cancel := context.WithCancel(f.ctx)
	err = mover(f, f.store).Dump(ctx, func(hook.Record) error {
		cancel()
		return nil
	})
	testx.True(f, err != nil, "the end of its context ends it")
}

func testDumpOfLeases(f *fixture, empty func() store.Store) {
	end := f.newEndpoint()
	fresh, _ := f.sendLeased()
	f.pass(time.Second)
	retried, leases := f.sendLeased()
	f.settle(leases[0], answerFail)
	f.pass(time.Hour)
	lease := f.claimOne(end.ID)
	again, _ := f.sendLeased()
	f.resend(again, end.ID)

	s := empty()
	load(f, s, dump(f, f.store))
	created := map[hook.ID]time.Time{fresh: noon, again: f.now}
	f.store = s
	f.expect(fresh, end.ID, state{State: hook.Pending, Reason: hook.ReasonReleased, Due: created[fresh]})
	f.expect(retried, end.ID, state{State: hook.Pending, Reason: hook.ReasonReleased, Attempts: 1, Step: 1, Due: lease.Due})
	f.expect(again, end.ID, state{State: hook.Pending, Reason: hook.ReasonReleased, Manual: true, Due: created[again]})
	// They are sent from there as if nothing had been.
	f.register()
	numbers := map[bool][]int{}
	for _, c := range f.claim(first(end.ID, 10), retry(end.ID, 10)) {
		for _, l := range c.Leases {
			numbers[l.Retry] = append(numbers[l.Retry], l.Number)
			f.settle(l, answerOK)
		}
	}
	slices.Sort(numbers[true])
	testx.Equal(f, numbers, map[bool][]int{false: {1}, true: {1, 2}}, "the numbers of their attempts, by lane")
	// The resend was for the attempt after the one in flight, which was not made.
	f.expect(again, end.ID, state{State: hook.Delivered, Attempts: 1})
}

func testMovedTask(f *fixture, empty func() store.Store) {
	s := newSmallStream()
	end := s.endpoint(1)
	s.add(&hook.RevisionRecord{Endpoint: end, Revision: 1, Since: noon, Config: 1})
	var messages []hook.ID
	for range 4 {
		messages = append(messages, s.message(1).ID)
	}
	for _, m := range messages {
		s.add(&hook.DeliveryRecord{Message: m, Endpoint: end, State: hook.Failed, Reason: hook.ReasonExhausted, Attempts: 1, Step: 1, UpdatedAt: noon})
	}
	// Its cursor is a message, or one that retention has removed since.
	between := messages[1]
	between[19]++
	for cursor, want := range map[hook.ID]int{{}: 0, messages[0]: 1, messages[1]: 2, between: 2} {
		task := hook.TaskRecord{ID: s.ids.next(), Env: s.env, App: s.app, Endpoint: end, Kind: hook.TaskRecover, Status: hook.TaskRunning,
			Since: noon.Add(-time.Hour), Until: noon.Add(time.Hour), Cursor: cursor, Queued: 7, CreatedAt: noon, UpdatedAt: noon}
		st := empty()
		load(f, st, append(slices.Clone(s.records), &task))
		got, _, err := st.RecoverStep(f.ctx, task.ID, f.now, 1)
		f.must(err)
		testx.Equal(f, got.Cursor, messages[want], "the message that it looks at next")
		testx.Equal(f, got.Queued, int64(8))
	}
}

func testReseal(f *fixture, _ func() store.Store) {
	var all []hook.Endpoint
	for i := range 5 {
		all = append(all, f.newEndpoint(func(e *hook.Endpoint) {
			e.Secrets = append(e.Secrets, hook.SealedSecret{Sealed: []byte("older"), ExpiresAt: noon.Add(time.Hour)})
			if i%2 == 0 {
				e.SealedHeaders = []byte("headers")
			}
		}))
	}
	slices.SortFunc(all, func(a, b hook.Endpoint) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	f.deleteEndpoint(all[1].ID)
	f.send() // a store that keeps endpoints in memory has them there
	m := mover(f, f.store)
	var seen []hook.ID
	var after hook.ID
	pages := 0
	for more := true; more; more = !after.IsZero() {
		pages++
		after = testx.Must(m.Reseal(f.ctx, after, 2, func(e *hook.Endpoint) error {
			seen = append(seen, e.ID)
			testx.Equal(f, e.Env, f.env)
			testx.Equal(f, e.App, f.app)
			if e.ID == all[2].ID {
				return nil // one that stays
			}
			for i := range e.Secrets {
				e.Secrets[i].Sealed = append([]byte("new "), e.Secrets[i].Sealed...)
			}
			if e.SealedHeaders != nil {
				e.SealedHeaders = []byte("new headers")
			}
			return nil
		}))(f)
	}
	var want []hook.ID
	for _, e := range all {
		want = append(want, e.ID)
	}
	testx.Equal(f, seen, want, "every endpoint once, by id, deleted ones too")
	testx.True(f, pages >= 3, "in pages")
	for i, e := range all {
		if i != 2 {
			e.Secrets[0].Sealed, e.Secrets[1].Sealed = []byte("new sealed"), []byte("new older")
			if e.SealedHeaders != nil {
				e.SealedHeaders = []byte("new headers")
			}
		}
		if i != 1 {
			got := testx.Must(f.store.FindEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: e.ID}))(f)
			testx.Equal(f, got, e, "all else is as it was, the revision too")
		}
	}
	// What is sent from now on has them.
	_, leases := f.sendLeased()
	for _, l := range leases {
		testx.Equal(f, strings.HasPrefix(string(l.Endpoint.Secrets[0].Sealed), "new "), l.Endpoint.ID != all[2].ID)
	}
	for _, rec := range dump(f, f.store) {
		if e, ok := rec.(*hook.EndpointRecord); ok && e.ID == all[1].ID {
			testx.Equal(f, string(e.Secrets[0].Sealed), "new sealed", "of the deleted one")
		}
	}
}

func testResealFails(f *fixture, _ func() store.Store) {
	for range 3 {
		f.newEndpoint()
	}
	before := lines(f, dump(f, f.store))
	broken := errors.New("unreadable")
	n := 0
	_, err := mover(f, f.store).Reseal(f.ctx, hook.ID{}, 10, func(e *hook.Endpoint) error {
		e.Secrets[0].Sealed = []byte("new")
		if n++; n == 3 {
			return broken
		}
		return nil
	})
	testx.True(f, errors.Is(err, broken), fmt.Sprintf("the error of change: %v", err))
	testx.Equal(f, lines(f, dump(f, f.store)), before, "nothing was changed")
}

func testResealSources(f *fixture, _ func() store.Store) {
	var all []hook.Source
	for i := range 5 {
		all = append(all, f.newSource(func(s *hook.Source) {
			s.Secrets = []hook.SealedSecret{{Sealed: []byte("sealed")}, {Sealed: []byte("older"), ExpiresAt: noon.Add(time.Hour)}}
			s.Tokens = append(s.Tokens, token(fmt.Sprint("second ", i), noon.Add(time.Hour)))
			if i%2 == 0 {
				s.Env = f.newEnvironment("another")
			}
		}))
	}
	slices.SortFunc(all, func(a, b hook.Source) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	deleted := f.newSource()
	testx.Must(f.store.DeleteSource(f.ctx, f.env, hook.Ref{ID: deleted.ID}, f.now))(f)
	m := mover(f, f.store)
	before := lines(f, dump(f, f.store))
	broken := errors.New("unreadable")
	n := 0
	change := func(s *hook.Source) {
		s.Secrets[0].Sealed, s.Tokens[1].Sealed = []byte("new secret"), []byte("new token")
	}
	_, err := m.ResealSources(f.ctx, hook.ID{}, 10, func(s *hook.Source) error {
		change(s)
		if n++; n == 3 {
			return broken
		}
		return nil
	})
	testx.True(f, errors.Is(err, broken), fmt.Sprintf("the error of change: %v", err))
	testx.Equal(f, lines(f, dump(f, f.store)), before, "nothing was changed")

	var seen []hook.ID
	var after hook.ID
	for more := true; more; more = !after.IsZero() {
		after = testx.Must(m.ResealSources(f.ctx, after, 2, func(s *hook.Source) error {
			seen = append(seen, s.ID)
			testx.Equal(f, *s, all[len(seen)-1], "what change gets")
			if len(seen) != 2 { // one stays
				change(s)
			}
			return nil
		}))(f)
	}
	testx.Equal(f, len(seen), len(all), "each once")
	for i, want := range all {
		if i != 1 {
			want.Secrets, want.Tokens = slices.Clone(want.Secrets), slices.Clone(want.Tokens)
			change(&want)
		}
		for _, t := range want.Tokens {
			testx.Equal(f, testx.Must(f.store.FindSourceByToken(f.ctx, t.Hash, f.now))(f), want, "all else is as it was")
		}
	}
}

func testMovedSource(f *fixture, empty func() store.Store) {
	s := f.newSource(fullSource)
	e := f.of(s.ID).newEndpoint()
	n := f.received(s.ID, "evt_1", "body")
	f.accept(n)
	q := f.requestValue(s.ID, "refused")
	f.record(q)
	to := empty()
	load(f, to, dump(f, f.store))
	f.store = to
	f.register()
	testx.Equal(f, testx.Must(f.store.FindSourceByToken(f.ctx, s.Tokens[1].Hash, f.now))(f), s)
	testx.Equal(f, f.request(s.ID, n.Request.ID), stored(&n))
	testx.Equal(f, f.request(s.ID, q.ID), q)
	testx.Equal(f, *f.claimOne(e.ID).Message, n.Message)
	a := f.accept(f.received(s.ID, "evt_1", "body"))[0]
	testx.Equal(f, []any{a.Duplicate, a.Message.ID}, []any{true, n.ID}, "it is known there")
	differs := f.requestValue(s.ID, "other", func(q *hook.Request) { q.State, q.Message = hook.RequestDuplicate, n.ID })
	f.record(differs)
	testx.Equal(f, f.request(s.ID, differs.ID).State, hook.RequestDiffers)
	testx.NoError(f, f.accept(f.verified(&q, "evt_2"))[0].Err)
	testx.Equal(f, f.request(s.ID, q.ID).State, hook.RequestAccepted)
	testx.Equal(f, f.requests(s.ID, hook.RequestStates[1:]...), []hook.ID{differs.ID})
}

// playMoved plays a random history, moves it to another store while deliveries
// are in flight, compares that with the model, and plays on.
func playMoved(t *testing.T, open Open, seed uint64) (failure string, trace []string) {
	h := open(t, false)
	w := &world{
		model: &model{now: noon, keys: map[string]*modelKey{}},
		t:     t, ctx: t.Context(), harness: h, store: h.Store,
		rng: rand.New(rand.NewPCG(seed, 3)), sizes: rand.New(rand.NewPCG(seed, 4)),
	}
	defer func() {
		if r := recover(); r != nil {
			m, ok := r.(mismatch)
			if !ok {
				panic(r)
			}
			failure, trace = string(m), w.trace
		}
	}()
	w.begin()
	for range length {
		w.step()
	}
	w.moveTo(open(t, false))
	after := []func(*world){
		(*world).passTime, (*world).acceptSome, (*world).claimSome, (*world).settleSome, (*world).resendOne, (*world).closeOrOpen,
		(*world).recoverSome, (*world).expireSome, (*world).createEndpoint, (*world).rollUpSome,
	}
	for range length {
		pick(w, after)(w)
	}
	w.drain()
	w.watch()
	return "", nil
}

// moveTo goes on with a store that is filled from the one before. Nothing that
// the one before has given, such as a lease, means anything to it.
func (w *world) moveTo(h Harness) {
	w.note("moved")
	before := dump(w.t, w.store)
	load(w.t, h.Store, before)
	w.equal(lines(w.t, dump(w.t, h.Store)), lines(w.t, before), "what was moved")
	w.store, w.harness = h.Store, h
	w.leases = nil
	w.register()
	w.watch()
}
