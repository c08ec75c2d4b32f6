package postgres

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// dumpSlice is how many rows one statement of a dump gives: it reads them by the
// index in whose order it goes on after the last one.
const dumpSlice = 2000

// dumper gives everything in a transaction that sees one moment. It needs no more
// memory than the largest row, the ids of applications and endpoints, and the sums
// of attempts that are in no rollup yet.
type dumper struct {
	c    *conn
	emit func(hook.Record) error
	apps map[int64]hook.ID        // by applications.seq
	ends map[int64]dumpedEndpoint // by endpoints.seq
	tail tallies                  // of attempts that no rollup counts
}

type dumpedEndpoint struct {
	id  hook.ID
	app int64
}

func dump(ctx context.Context, c *conn, emit func(hook.Record) error) error {
	// What is left of a slice is not read when emit fails: the connection is ended.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d := &dumper{c: c, apps: map[int64]hook.ID{}, ends: map[int64]dumpedEndpoint{}, tail: tallies{}}
	d.emit = func(rec hook.Record) error {
		err := emit(rec)
		if err != nil {
			stop()
		}
		return err
	}
	found, err := findPartitions(ctx, c)
	if err != nil {
		return err
	}
	for _, t := range dumpedTables {
		if err := d.table(ctx, t, found.of("messages")); err != nil {
			return err
		}
	}
	if err := d.rollups(ctx); err != nil {
		return err
	}
	if err := d.table(ctx, dumpedSources, nil); err != nil {
		return err
	}
	if err := d.table(ctx, dumpedRequests, found.of("requests")); err != nil {
		return err
	}
	if err := d.table(ctx, dumpedTraffic, nil); err != nil {
		return err
	}
	if err := d.table(ctx, dumpedIssues, nil); err != nil {
		return err
	}
	for _, t := range dumpedPeople {
		if err := d.table(ctx, t, nil); err != nil {
			return err
		}
	}
	return nil
}

// dumpedTable is how one kind of record is read.
type dumpedTable struct {
	// query gives rows after a key, whose columns are parameters and are behind the
	// others; the last parameter is how many rows. In {part} stands a partition.
	query string
	// first is below every key.
	first []any
	// scan makes a record; nil: none.
	scan func(*dumper, *row) (hook.Record, error)
}

// dumpedTables are the kinds of records up to rollups, in the order of hook.RecordKinds.
// Rows go in the order in which they were made, as far as an index has that order.
var dumpedTables = []dumpedTable{
	{`SELECT id, name, created, settings, kind, id FROM environments WHERE id > $1 ORDER BY id LIMIT $2`, []any{hook.ID{}}, dumpEnvironment},
	{`SELECT ` + keyColumns + `, id FROM api_keys WHERE id > $1 ORDER BY id LIMIT $2`, []any{hook.ID{}}, dumpKey},
	{`SELECT ` + applicationColumns + `, deleted, version, seq FROM applications WHERE seq > $1 ORDER BY seq LIMIT $2`, []any{int64(0)}, dumpApplication},
	{`SELECT ` + eventTypeColumns + `, id FROM event_types WHERE id > $1 ORDER BY id LIMIT $2`, []any{hook.ID{}}, dumpEventType},
	{`SELECT ` + endpointColumns + `, e.deleted, e.app, e.seq FROM endpoints e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2`, []any{int64(0)}, dumpEndpoint},
	{`SELECT event_types, channels, disabled, since, version, endpoint, revision FROM endpoint_revisions
	  WHERE (endpoint, revision) > ($1, $2) ORDER BY endpoint, revision LIMIT $3`, []any{int64(0), int64(0)}, dumpRevision},
	{`SELECT ` + messageColumns + `, ` + bodyColumns + `, m.body_expires, m.app, m.id FROM messages_{part} m
	  WHERE (m.app, m.id) > ($1, $2) ORDER BY m.app, m.id LIMIT $3`, []any{int64(0), hook.ID{}}, dumpMessage},
	{dumpedDeliveries, []any{hook.ID{}, int64(0)}, dumpDelivery},
	{dumpedAttempts, []any{hook.ID{}, hook.ID{}}, dumpAttempt},
	{`SELECT fingerprint, object, auto, expires, env, hash FROM once
	  WHERE (auto, expires, env, hash) > ($1, $2, $3, $4) ORDER BY auto, expires, env, hash LIMIT $5`,
		[]any{false, int64(math.MinInt64), hook.ID{}, []byte{}}, dumpIdempotency},
	{`SELECT ` + taskColumns + `, seq FROM tasks WHERE seq > $1 ORDER BY seq LIMIT $2`, []any{int64(0)}, dumpTask},
}

// dumpedDeliveries gives deliveries as backInLane leaves them. One that was leased
// at accept has no due time: it was due when its message came. One without its
// message, which a resend can leave that meets retention, is nothing.
const dumpedDeliveries = `SELECT CASE WHEN leased AND state = 1 THEN 0 ELSE state END, CASE WHEN leased AND state = 1 THEN 3 ELSE reason END,
    attempts, step, manual OR again, retry OR again, CASE WHEN leased THEN coalesce(due, created) ELSE due END,
    CASE WHEN again AND NOT manual THEN coalesce(due, created) ELSE auto_due END, last_status, updated, created IS NOT NULL,
    message, endpoint
  FROM (SELECT d.message, d.endpoint, d.state, d.reason, d.attempts, d.step, d.manual, d.again, d.retry, d.due, d.auto_due, d.last_status,
      d.updated, d.node IS NOT NULL AS leased, (SELECT m.created FROM messages_{part} m
        WHERE m.app = (SELECT e.app FROM endpoints e WHERE e.seq = d.endpoint) AND m.id = d.message) AS created
    FROM deliveries_{part} d WHERE (d.message, d.endpoint) > ($1, $2) ORDER BY d.message, d.endpoint LIMIT $3) d
  ORDER BY message, endpoint`

// dumpedAttempts leaves those that outlived their message to scan: they go with
// their own partition.
const dumpedAttempts = `SELECT a.endpoint, a.number, a.manual, a.class, a.status, a.detail, a.url, a.started, a.timings, a.next_due,
    a.response, a.response_headers, a.request_headers, EXISTS (SELECT 1 FROM messages m
      WHERE m.app = (SELECT e.app FROM endpoints e WHERE e.seq = a.endpoint) AND m.id = a.message), a.message, a.id
  FROM attempts_{part} a WHERE (a.message, a.id) > ($1, $2) ORDER BY a.message, a.id LIMIT $3`

// These come behind rollups. Requests are given as they are stored, without what their
// messages have; one that outlived its message, for it is in the next partition, is
// nothing.
var (
	dumpedSources = dumpedTable{`SELECT ` + sourceColumns + `, s.app FROM sources s WHERE s.app > $1 ORDER BY s.app LIMIT $2`,
		[]any{int64(0)}, dumpSource}
	dumpedRequests = dumpedTable{`SELECT state, reason, detail, findings, envelope, remote, event_type, key, message, fingerprint, status,
    content_type, size, body, received, note, state <> 0 OR EXISTS (SELECT 1 FROM messages m WHERE m.app = r.source AND m.id = r.message),
    source, id FROM requests_{part} r
  WHERE (source, id) > ($1, $2) ORDER BY source, id LIMIT $3`, []any{int64(0), hook.ID{}}, dumpRequest}
	dumpedTraffic = dumpedTable{`SELECT sum, env, period FROM traffic WHERE (env, period) > ($1, $2) ORDER BY env, period LIMIT $3`,
		[]any{hook.ID{}, int64(math.MinInt64)}, dumpTraffic}
	dumpedIssues = dumpedTable{`SELECT ` + issueColumns + `, i.id FROM issues i` + issueJoin + `WHERE i.id > $1 ORDER BY i.id LIMIT $2`,
		[]any{hook.ID{}}, dumpIssue}
)

// table gives a table, partition by partition if it has some.
func (d *dumper) table(ctx context.Context, t dumpedTable, spans []span) error {
	if !strings.Contains(t.query, "{part}") {
		return d.rows(ctx, t, t.query)
	}
	for _, s := range spans {
		if err := d.rows(ctx, t, strings.ReplaceAll(t.query, "{part}", s.name())); err != nil {
			return err
		}
	}
	return nil
}

func (d *dumper) rows(ctx context.Context, t dumpedTable, query string) error {
	after := slices.Clone(t.first)
	for n := dumpSlice; n == dumpSlice; {
		n = 0
		if err := d.c.query(ctx, query, append(slices.Clone(after), dumpSlice), func(r *row) error {
			n++
			keyFrom(r.from(len(r.values)-len(after)), after)
			rec, err := t.scan(d, r)
			if err != nil || rec == nil {
				return err
			}
			return d.emit(rec)
		}); err != nil {
			return err
		}
	}
	return nil
}

// keyFrom reads a key, whose columns are of the types that it has.
func keyFrom(r *row, key []any) {
	for i := range key {
		switch key[i].(type) {
		case hook.ID:
			key[i] = r.id(i)
		case int64:
			key[i] = r.int(i)
		case bool:
			key[i] = r.bool(i)
		case []byte:
			key[i] = r.blob(i)
		default:
			panic(fmt.Sprintf("postgres: a key of type %T", key[i]))
		}
	}
}

// storedRollups are the sums of endpoints and, with endpoint 0, of applications.
var storedRollups = dumpedTable{`SELECT tally, app, endpoint, hour FROM rollups
  WHERE (app, endpoint, hour) > ($1, $2, $3) ORDER BY app, endpoint, hour LIMIT $4`,
	[]any{int64(0), int64(0), int64(firstHour)}, dumpRollup}

// rollups gives what is stored and, added to it, the attempts that no rollup counts
// yet. The sums of whole applications are left out: they are those of their
// endpoints, but for endpoints that retention has forgotten.
func (d *dumper) rollups(ctx context.Context) error {
	if err := d.readTail(ctx); err != nil {
		return err
	}
	if err := d.table(ctx, storedRollups, nil); err != nil {
		return err
	}
	for _, k := range slices.SortedFunc(maps.Keys(d.tail), compareKeys) {
		if rec := d.rollup(k, d.tail[k]); rec != nil {
			if err := d.emit(rec); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// readTail sums up the attempts that no rollup counts yet.
func (d *dumper) readTail(ctx context.Context) error {
	at, err := rolledUp(ctx, d.c)
	if err != nil {
		return err
	}
	return d.c.query(ctx, `SELECT a.endpoint, a.class, a.started, a.timings FROM attempts a
	  WHERE a.txid >= $1 AND (a.txid, a.id) > ($1, $2)`, []any{at.Commit, within(at)}, func(r *row) error {
		e := d.ends[r.int(0)]
		k := rollupKey{e.app, r.int(0), hourOf(r.time(2))}
		d.tail.of(k).Add(hook.Class(r.int(1)), timingsFrom(r.values[3]).Total)
		return nil
	})
}

func dumpRollup(d *dumper, r *row) (hook.Record, error) {
	k := rollupKey{r.int(1), r.int(2), r.int(3)}
	if k.endpoint == wholeApp {
		return nil, nil
	}
	sum := d.tail.of(k)
	delete(d.tail, k)
	if err := mergeTally(sum, r, 0); err != nil {
		return nil, err
	}
	return d.rollup(k, sum), nil
}

// rollup makes a record; nil if the endpoint is forgotten.
func (d *dumper) rollup(k rollupKey, t *hook.Tally) hook.Record {
	e, known := d.ends[k.endpoint]
	if !known {
		return nil
	}
	return &hook.RollupRecord{Endpoint: e.id, Hour: hourTime(k.hour), ByClass: t.ByClass, Took: t.Took}
}
