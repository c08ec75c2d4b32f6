package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// expire works until nothing is left to remove.
func (w *world) expire(keep hook.Retention, now time.Time) (sum hook.Expired) {
	w.Helper()
	for range 100_000 {
		e, err := w.Expire(w.Context(), keep, now)
		w.must(err)
		sum.Messages += e.Messages
		sum.Payloads += e.Payloads
		sum.Attempts += e.Attempts
		sum.Keys += e.Keys
		sum.Unsent += e.Unsent
		if !e.More {
			return sum
		}
	}
	w.Fatal("expire finds no end")
	return sum
}

// flow takes in messages, each with an idempotency key, sends half of them, and
// gives the ids.
func (w *world) flow(at time.Time, n int) (ids []hook.ID) {
	w.Helper()
	events := make([]hook.NewEvent, n)
	for i := range events {
		events[i] = w.event(at, string(make([]byte, 1500)))
		events[i].EventID = fmt.Sprint(at.UnixNano(), i)
		events[i].Idempotency = &hook.IdempotencyKey{Auto: i%2 == 0, ExpiresAt: at.Add(10 * time.Minute)}
		copy(events[i].Idempotency.Hash[:], events[i].ID[4:])
		ids = append(ids, events[i].ID)
	}
	for i, a := range w.accept(room{}, events...) {
		for _, l := range a.Leased {
			w.answer(l, []int{500, 200}[i%2], at, make([]byte, 600))
		}
	}
	return ids
}

func (w *world) number(query string) int64 {
	w.Helper()
	n, err := w.Number(w.Context(), query)
	w.must(err)
	return n
}

func TestTheFileStopsGrowingWhenAsMuchIsRemovedAsComesIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	w.endpoint()
	keep := hook.Retention{Messages: time.Hour, Payloads: 30 * time.Minute, Attempts: 40 * time.Minute}
	var warm int64
	for minute := range 300 {
		now := start.Add(time.Duration(minute) * time.Minute)
		w.flow(now, 20)
		w.expire(keep, now)
		if minute == 70 {
			warm = w.number(`PRAGMA page_count`)
		}
	}
	if pages := w.number(`PRAGMA page_count`); pages > warm+warm/20 {
		t.Errorf("the file grew from %d to %d pages", warm, pages)
	}
	for table, most := range map[string]int64{"messages": 61 * 20, "deliveries": 61 * 20, "attempts": 41 * 20,
		"message_keys": 61 * 20, "once_auto": 11 * 10, "once_caller": 11 * 10} {
		if n := w.number(`SELECT count(*) FROM ` + table); n > most || n == 0 {
			t.Errorf("%d rows in %s, want at most %d", n, table, most)
		}
	}
	if n := w.number(`SELECT count(*) FROM messages WHERE body IS NOT NULL`); n > 31*20 || n == 0 {
		t.Errorf("%d payloads are left, want at most %d", n, 31*20)
	}
}

// Looking for something to remove takes time as well. Where each slice ends before
// every chore has looked, the work ends all the same, and all of it is done.
func TestExpireEndsOnAMachineThatIsSlowerThanItsSlices(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	w.must(w.Slow(t.Context()))
	w.endpoint()
	w.flow(start, 100)
	keep := hook.Retention{Messages: time.Hour, Payloads: 30 * time.Minute, Attempts: 40 * time.Minute}
	if got := w.expire(keep, start.Add(time.Minute)); got.Messages != 0 {
		t.Errorf("removed %+v", got)
	}
	if got := w.expire(keep, start.Add(2*time.Hour)); got.Messages != 100 || got.Attempts != 100 {
		t.Errorf("removed %+v", got)
	}
	if got := w.expire(keep, start.Add(2*time.Hour)); got != (hook.Expired{}) {
		t.Errorf("removed %+v", got)
	}
}

func TestFreePagesAreGivenBackAfterAGreatRemoval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	w.endpoint()
	for i := range 10 {
		w.flow(start.Add(time.Duration(i)*time.Second), 1000)
	}
	full := w.number(`PRAGMA page_count`)
	if got := w.expire(hook.Retention{Messages: time.Hour}, start.Add(2*time.Hour)); got.Messages != 10_000 {
		t.Fatalf("removed %+v", got)
	}
	if left := w.number(`PRAGMA page_count`); left > 2200 || full < 3*left {
		t.Errorf("%d of %d pages are left", left, full)
	}
}

func TestALeaseThatEndsWithItsMessageIsNotLookedForAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	w.endpoint()
	lease := w.accept(room{}, w.event(start, "{}"))[0].Leased[0]
	w.accept(noRoom{}, w.event(start, "{}"))
	late := start.Add(2 * time.Hour)
	if from := w.number(`SELECT value FROM meta WHERE name = 'open_from'`); from != 1 {
		t.Fatalf("leases are looked for from message %d on, want 1", from)
	}
	if got := w.expire(hook.Retention{Messages: time.Hour}, late); got.Messages != 2 || got.Unsent != 1 {
		t.Fatalf("removed %+v", got)
	}
	if !w.answer(lease, 200, late, nil).Lost {
		t.Error("the lease is still good")
	}
	if from := w.number(`SELECT value FROM meta WHERE name = 'open_from'`); from != 3 {
		t.Errorf("leases are looked for from message %d on, want 3", from)
	}
}

func TestAMessageWithMoreThanASliceCanRemoveGoesInSeveral(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	w.flow(start, 1)
	const n = 9000
	w.must(w.Exec(w.Context(), `INSERT INTO attempts (id, message, endpoint, number, manual, class, status, url, started, timings)
	  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT randomblob(20), 1, 1, i, 0, 0, 200, '', i, x'' FROM n`, n))
	w.must(w.Exec(w.Context(), `INSERT INTO deliveries (message, endpoint, state, reason, attempts, step, manual, again, lane, due, last_status, updated)
	  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT 1, i, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0 FROM n`, n))
	if got := w.expire(hook.Retention{Messages: time.Hour}, start.Add(2*time.Hour)); got.Messages != 1 || got.Attempts != n || got.Unsent != n {
		t.Fatalf("removed %+v", got)
	}
	for _, table := range []string{"messages", "deliveries", "attempts", "message_keys"} {
		if left := w.number(`SELECT count(*) FROM ` + table); left != 0 {
			t.Errorf("%d rows left in %s", left, table)
		}
	}
}

func TestPayloadsThatLiveLongerDoNotHideOlderOnesBehindThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	var events []hook.NewEvent
	for i := range 700 {
		e := w.event(start, "{}")
		if i%7 != 0 || i < 300 {
			e.BodyExpiresAt = start.Add(24 * time.Hour)
		}
		events = append(events, e)
	}
	w.accept(noRoom{}, events...)
	keep := hook.Retention{Payloads: time.Hour}
	if got := w.expire(keep, start.Add(2*time.Hour)); got.Payloads != 57 {
		t.Errorf("dropped %d payloads, want the 57 without a time of their own", got.Payloads)
	}
	if got := w.expire(keep, start.Add(25*time.Hour)); got.Payloads != 643 {
		t.Errorf("then dropped %d payloads, want the other 643", got.Payloads)
	}
}

func TestAMessageNumberIsNeverGivenOutTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	w.endpoint()
	w.flow(start, 50)
	ep := w.endpoint() // its revision is in force after message 50
	late := start.Add(2 * time.Hour)
	if got := w.expire(hook.Retention{Messages: time.Hour}, late); got.Messages != 50 {
		t.Fatalf("removed %+v", got)
	}
	w.must(w.Close())
	w.open(sqlite.Options{Unsafe: true})
	e := w.event(late, "{}")
	w.accept(noRoom{}, e)
	x, err := w.ExplainMessage(w.Context(), w.env, w.app, hook.Ref{ID: e.ID})
	w.must(err)
	for _, one := range x.Endpoints {
		if one.Endpoint.ID == ep.ID && (one.AtAccept == nil || one.Delivery == nil) {
			t.Errorf("the endpoint seems younger than the message: %+v", one)
		}
	}
}

func TestWhatWasDeletedIsForgottenWithTheLastMessageOfItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	ctx := w.Context()
	w.must(w.CreateKey(ctx, &hook.Key{ID: hook.NewID(start), Env: w.env, App: w.app, Hash: [32]byte{1}, CreatedAt: start}))
	w.must(w.CreateKey(ctx, &hook.Key{ID: hook.NewID(start), Env: w.env, App: hook.NewID(start), Hash: [32]byte{2}, CreatedAt: start, ExpiresAt: start}))
	w.endpoint()
	w.flow(start, 1)
	_, err := w.DeleteApplication(ctx, w.env, hook.Ref{ID: w.app}, start.Add(time.Minute))
	w.must(err)
	keep := hook.Retention{Messages: time.Hour}
	tables := []string{"applications", "endpoints", "endpoint_revisions", "api_keys"}
	w.expire(keep, start.Add(59*time.Minute))
	for _, table := range tables {
		if w.number(`SELECT count(*) FROM `+table) == 0 {
			t.Errorf("%s is empty too early", table)
		}
	}
	w.expire(keep, start.Add(62*time.Minute))
	for _, table := range tables[:3] {
		if left := w.number(`SELECT count(*) FROM ` + table); left != 0 {
			t.Errorf("%d rows left in %s", left, table)
		}
	}
	w.expire(keep, start.Add(31*24*time.Hour))
	if left := w.number(`SELECT count(*) FROM api_keys`); left != 0 {
		t.Errorf("%d keys left", left)
	}
}

func TestRevisionsOfAnEndpointDoNotPileUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite.Options{Unsafe: true})
	ep := w.endpoint()
	change := func(n int) {
		for range n {
			_, _, err := w.UpdateEndpoint(w.Context(), w.env, w.app, hook.Ref{ID: ep.ID}, nil, func(*hook.Endpoint) error { return nil })
			w.must(err)
		}
	}
	w.flow(start, 1)
	change(40)
	w.flow(start.Add(2*time.Hour), 1)
	if n := w.number(`SELECT count(*) FROM endpoint_revisions`); n != 41 {
		t.Errorf("%d revisions are kept while the first message is, want 41", n)
	}
	w.expire(hook.Retention{Messages: time.Hour}, start.Add(2*time.Hour))
	change(40)
	if n := w.number(`SELECT count(*) FROM endpoint_revisions`); n > 42 {
		t.Errorf("%d revisions are kept after the messages of the first 40 are gone", n)
	}
}
