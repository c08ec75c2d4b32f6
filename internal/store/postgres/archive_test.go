package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/jackc/pgx/v5"
)

// archive is a database with one application, an endpoint and many old messages.
type archive struct {
	*testing.T
	url           string
	store         *postgres.Store
	db            *pgx.Conn
	node          hook.Node
	env, app      hook.ID
	endpoint      hook.ID
	appSeq, epSeq int64
}

// archiveStart is when its first partition begins.
var archiveStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const oneDay = 24 * time.Hour

func newArchive(t *testing.T) *archive {
	t.Helper()
	url := newDatabase(t, false)
	a := &archive{T: t, url: url, store: open(t, url), env: hook.NewID(archiveStart), app: hook.NewID(archiveStart), endpoint: hook.NewID(archiveStart)}
	ctx := t.Context()
	var err error
	a.db, err = pgx.Connect(ctx, url)
	testx.NoError(t, err)
	t.Cleanup(func() { a.db.Close(context.Background()) })
	_, _, err = a.store.CreateApplication(ctx, &hook.Application{ID: a.app, Env: a.env, CreatedAt: archiveStart, UpdatedAt: archiveStart}, nil)
	testx.NoError(t, err)
	_, _, err = a.store.CreateEndpoint(ctx, &hook.Endpoint{ID: a.endpoint, App: a.app, Env: a.env, URL: "https://example.com",
		CreatedAt: archiveStart, UpdatedAt: archiveStart}, 0, nil)
	testx.NoError(t, err)
	a.node, err = a.store.RegisterNode(ctx, "archive", time.Hour, archiveStart)
	testx.NoError(t, err)
	a.appSeq, a.epSeq = a.number(`SELECT seq FROM applications`), a.number(`SELECT seq FROM endpoints`)
	return a
}

func (a *archive) exec(query string, args ...any) {
	a.Helper()
	if _, err := a.db.Exec(a.Context(), query, args...); err != nil {
		a.Fatalf("%s: %v", query, err)
	}
}

func (a *archive) number(query string, args ...any) (n int64) {
	a.Helper()
	if err := a.db.QueryRow(a.Context(), query, args...).Scan(&n); err != nil {
		a.Fatalf("%s: %v", query, err)
	}
	return n
}

// fill stores n messages with an event id each, one after the other over most of a
// day, sent with success at once but for the first ones: pending of them wait.
func (a *archive) fill(day, n, pending int) {
	a.Helper()
	from := archiveStart.Add(time.Duration(day) * oneDay)
	testx.Must(a.store.Expire(a.Context(), hook.Retention{}, from))(a) // makes the partition
	a.exec(`DROP TABLE IF EXISTS made`)
	a.exec(fmt.Sprintf(`CREATE TEMP TABLE made AS SELECT g AS n, us, decode(lpad(to_hex(us / 1000000 - 1400000000), 8, '0')
	    || lpad(to_hex((us %% 1000000) * 256 / 1000000), 2, '0') || substr(md5(us::text), 1, 30), 'hex') AS id
	  FROM (SELECT g, %d + g * (%d / %d) AS us FROM generate_series(1, %d) AS g) AS times`,
		from.UnixMicro(), (20 * time.Hour).Microseconds(), n, n))
	for _, q := range []string{
		`INSERT INTO messages SELECT %[1]d, id, 1, us / 1000000 - 1700000000, 'type-' || n %% 3, day, ARRAY['channel-' || n %% 2], NULL, NULL, 300, us, NULL, NULL,
		  convert_to(repeat('x', 300), 'UTF8') FROM (SELECT *, %[4]d || '-' || n AS day FROM made) AS made`,
		`INSERT INTO message_keys SELECT %[1]d, %[4]d || '-' || n, id FROM made`,
		`INSERT INTO deliveries (message, endpoint, state, reason, manual, again, retry, attempts, step, last_status, due, updated)
		  SELECT id, %[2]d, CASE WHEN wait THEN 0 ELSE 2 END, 0, false, false, false, (NOT wait)::integer, (NOT wait)::integer, 200,
		    CASE WHEN wait THEN us END, us FROM (SELECT *, n <= %[3]d AS wait FROM made) AS made`,
		`INSERT INTO queue SELECT id, %[2]d, false, us, NULL FROM made WHERE n <= %[3]d`,
		`INSERT INTO attempts SELECT id, id, %[2]d, pg_current_xact_id()::text::bigint, 1, false, 0, 200, NULL, 'https://example.com', us,
		  '\x', NULL, '\x', NULL, NULL FROM made WHERE n > %[3]d`,
	} {
		a.exec(fmt.Sprintf(q, a.appSeq, a.epSeq, pending, day))
	}
}

// send stores a message and gives it with what is leased of it.
func (a *archive) send(at time.Time) hook.Accepted {
	a.Helper()
	out := testx.Must(a.store.Accept(a.Context(), a.node, everywhere{}, at, []hook.NewEvent{{Message: hook.Message{
		ID: hook.NewID(at), App: a.app, Env: a.env, EventType: "type-0", Body: []byte("{}"), CreatedAt: at,
	}}}))(a)
	testx.NoError(a, out[0].Err)
	return out[0]
}

// sendAndSettle stores a message and delivers it by a store of the same database.
// The database may be busy.
func (a *archive) sendAndSettle(s *postgres.Store, at time.Time) {
	there := *a
	there.store = s
	there.settle(there.send(at).Leased[0], at)
}

// settle ends a lease with success.
func (a *archive) settle(l *hook.Lease, at time.Time) hook.Settled {
	a.Helper()
	return testx.Must(a.store.Settle(a.Context(), []hook.Settlement{{
		Lease: l, Now: at, Then: hook.Transition{State: hook.Delivered, Step: 1},
		Attempt: hook.Attempt{ID: hook.NewID(at), Message: l.Message.ID, Endpoint: l.Endpoint.ID, Number: l.Number,
			URL: l.Endpoint.URL, Outcome: hook.Outcome{Class: hook.Success, Status: 200}, StartedAt: at},
	}}))(a)[0]
}

// expire works until nothing is left to remove, and gives what each slice removed
// and the sum.
func (a *archive) expire(keep hook.Retention, now time.Time) (slices []hook.Expired, sum hook.Expired) {
	a.Helper()
	for range 10_000 {
		e := testx.Must(a.store.Expire(a.Context(), keep, now))(a)
		slices = append(slices, e)
		sum.Messages += e.Messages
		sum.Payloads += e.Payloads
		sum.Attempts += e.Attempts
		sum.Keys += e.Keys
		sum.Requests += e.Requests
		sum.Unsent += e.Unsent
		if !e.More {
			return slices, sum
		}
	}
	a.Fatal("retention does not come to an end")
	return nil, sum
}

// rollUp sums up n attempts, at most limit at a time. The feed that it follows ends
// before the oldest transaction in the whole cluster, so it may have to wait for other
// tests.
func (a *archive) rollUp(n, limit int) {
	a.Helper()
	for deadline := time.Now().Add(time.Minute); n > 0; {
		done := testx.Must(a.store.RollUp(a.Context(), min(n, limit)))(a)
		if n -= done; done == 0 && time.Now().After(deadline) {
			a.Fatalf("%d attempts do not come", n)
		}
	}
}

// tables is how many partitions a table has.
func (a *archive) tables(of string) int64 {
	a.Helper()
	return a.number(`SELECT count(*) FROM pg_inherits WHERE inhparent = $1::text::regclass`, of)
}
