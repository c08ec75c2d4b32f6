package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Dump implements store.Mover. It reads one snapshot on a connection of its own,
// for as long as that takes.
func (s *Store) Dump(ctx context.Context, emit func(hook.Record) error) error {
	snapshot, err := OpenSnapshot(ctx, s.path, false)
	if err != nil {
		return err
	}
	return errors.Join(snapshot.Dump(ctx, emit), snapshot.Close())
}

// Dump gives everything, row by row: it needs no more memory than the largest
// row, a number for each revision of an endpoint, and the sums of attempts that
// are in no rollup yet.
func (s *Snapshot) Dump(ctx context.Context, emit func(hook.Record) error) error {
	d := dumper{conn: s.conn}
	if err := d.readConfigs(ctx); err != nil {
		return err
	}
	if err := d.tables(ctx, dumped, emit); err != nil {
		return err
	}
	if err := d.rollups(ctx, emit); err != nil {
		return err
	}
	if err := d.tables(ctx, dumpedLast, emit); err != nil {
		return err
	}
	return d.tables(ctx, dumpedPeople, emit)
}

func (d *dumper) tables(ctx context.Context, tables []dumpedTable, emit func(hook.Record) error) error {
	for _, table := range tables {
		if err := d.conn.query(ctx, table.query, nil, func(r *row) error {
			rec, err := table.scan(d, r)
			if err != nil {
				return err
			}
			return emit(rec)
		}); err != nil {
			return err
		}
	}
	return nil
}

// dumper knows what no single row says.
type dumper struct {
	conn *conn
	// configs has, by applications.seq, after which messages the application was
	// changed: each place in the list is one configuration, counted from 1 on.
	configs map[int64][]int64
}

func (d *dumper) readConfigs(ctx context.Context) error {
	d.configs = map[int64][]int64{}
	return d.conn.query(ctx, `SELECT DISTINCT e.app, r.after FROM endpoint_revisions r JOIN endpoints e ON e.seq = r.endpoint
	  ORDER BY e.app, r.after`, nil, func(r *row) error {
		d.configs[r.int(0)] = append(d.configs[r.int(0)], r.int(1))
		return nil
	})
}

// configAt is how many configurations came before the message with this row key.
func (d *dumper) configAt(app, message int64) int64 {
	n, _ := slices.BinarySearch(d.configs[app], message)
	return int64(n)
}

// dumpedTable is how the records of a kind are read.
type dumpedTable struct {
	query string
	scan  func(*dumper, *row) (hook.Record, error)
}

// dumped are the kinds of records before rollups, in the order of
// hook.RecordKinds. Rows go in the order in which they were made.
var dumped = []dumpedTable{
	{`SELECT id, name, created, settings, kind FROM environments ORDER BY seq`, dumpEnvironment},
	{`SELECT ` + keyColumns + ` FROM api_keys ORDER BY seq`, dumpKey},
	{`SELECT ` + applicationColumns + `, deleted FROM applications ORDER BY seq`, dumpApplication},
	{`SELECT ` + eventTypeColumns + ` FROM event_types ORDER BY seq`, dumpEventType},
	{`SELECT ` + endpointColumns + `, e.deleted, a.id FROM endpoints e CROSS JOIN applications a ON a.seq = e.app ORDER BY e.seq`, dumpEndpoint},
	{`SELECT e.id, r.revision, r.event_types, r.channels, r.disabled, r.since, e.app, r.after
	  FROM endpoint_revisions r CROSS JOIN endpoints e ON e.seq = r.endpoint ORDER BY r.endpoint, r.revision`, dumpRevision},
	{`SELECT ` + messageColumns + `, ` + bodyColumns + `, m.body_expires, m.app, a.id
	  FROM messages m CROSS JOIN applications a ON a.seq = m.app ORDER BY m.seq`, dumpMessage},
	{dumpedDeliveries, dumpDelivery},
	{`SELECT ` + attemptColumns + ` FROM attempts a CROSS JOIN messages m ON m.seq = a.message
	  CROSS JOIN endpoints e ON e.seq = a.endpoint ORDER BY a.seq`, dumpAttempt},
	{`SELECT env, hash, fingerprint, object, expires, 0 FROM once_caller ORDER BY seq`, dumpIdempotency},
	// A key that came again after its end has a row for each time: the last one counts.
	{`SELECT env, hash, fingerprint, object, expires, 1 FROM once_auto
	  WHERE seq IN (SELECT max(seq) FROM once_auto GROUP BY env, hash) ORDER BY seq`, dumpIdempotency},
	{`SELECT ` + taskColumns + ` FROM tasks ORDER BY seq`, dumpTask},
}

// dumpedLast are the kinds behind the rollups.
var dumpedLast = []dumpedTable{
	{`SELECT ` + sourceColumns + ` FROM sources s ORDER BY s.seq`, dumpSource},
	{`SELECT q.id, a.id, q.state, q.reason, q.detail, q.findings, q.envelope, q.remote, q.event_type, q.key, coalesce(m.id, q.first), q.fingerprint,
	    q.status, q.content_type, q.size, q.received, q.note, q.body
	  FROM requests q CROSS JOIN applications a ON a.seq = q.source LEFT JOIN messages m ON m.seq = q.message ORDER BY q.seq`, dumpRequest},
	{`SELECT env, period, sum FROM traffic`, dumpTraffic},
	{`SELECT ` + issueColumns + ` FROM issues i` + issueJoin + `ORDER BY i.seq`, dumpIssue},
}

// dumpedDeliveries gives deliveries as backInLane leaves them. One that was
// leased at accept has no due time: it was due when its message came. The numbers
// are of hook.State and hook.Reason: Sending, Pending, ReasonReleased.
const dumpedDeliveries = `SELECT m.id, e.id, CASE WHEN d.node IS NOT NULL AND d.state = 1 THEN 0 ELSE d.state END,
    CASE WHEN d.node IS NOT NULL AND d.state = 1 THEN 3 ELSE d.reason END,
    d.attempts, d.step, max(d.manual, d.again), max(d.lane, d.again),
    CASE WHEN d.node IS NOT NULL THEN coalesce(d.due, m.created) ELSE d.due END,
    CASE WHEN d.again = 1 AND d.manual = 0 THEN coalesce(d.due, m.created) ELSE d.auto_due END,
    d.last_status, d.updated
  FROM deliveries d CROSS JOIN messages m ON m.seq = d.message CROSS JOIN endpoints e ON e.seq = d.endpoint
  ORDER BY d.message, d.endpoint`

func dumpEnvironment(_ *dumper, r *row) (hook.Record, error) {
	settings, err := settingsRecord(r, 3)
	return &hook.EnvironmentRecord{ID: r.id(0), Name: r.text(1), CreatedAt: r.time(2), Settings: settings, Kind: hook.EnvironmentKind(r.int(4))}, err
}

func dumpKey(_ *dumper, r *row) (hook.Record, error) {
	k, err := scanKey(r)
	return &hook.KeyRecord{
		ID: k.ID, Env: k.Env, App: k.App, Hash: k.Hash[:], Name: k.Name, CensoredText: k.CensoredText, Scopes: k.Scopes,
		SessionID: k.SessionID, FeatureFlags: k.FeatureFlags, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt,
	}, err
}

func dumpApplication(d *dumper, r *row) (hook.Record, error) {
	a, err := scanApplication(r)
	return &hook.ApplicationRecord{
		ID: a.ID, Env: a.Env, UID: a.UID, Name: a.Name, ThrottleRate: a.ThrottleRate, Metadata: a.Metadata,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, DeletedAt: r.time(10), Source: a.Source, Config: int64(len(d.configs[a.seq])),
	}, err
}

func dumpEventType(_ *dumper, r *row) (hook.Record, error) {
	t, err := scanEventType(r)
	return &hook.EventTypeRecord{
		ID: t.ID, Env: t.Env, Name: t.Name, Description: t.Description, GroupName: t.GroupName, Archived: t.Archived,
		Deprecated: t.Deprecated, FeatureFlags: t.FeatureFlags, Schemas: t.Schemas, EnforceSchema: t.EnforceSchema,
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}, err
}

func dumpEndpoint(_ *dumper, r *row) (hook.Record, error) {
	e, err := scanEndpoint(r)
	secrets := make([]hook.SecretRecord, len(e.Secrets))
	for i, s := range e.Secrets {
		secrets[i] = hook.SecretRecord(s)
	}
	behind := r.from(18)
	return &hook.EndpointRecord{
		ID: e.ID, App: behind.id(1), UID: e.UID, Description: e.Description, URL: e.URL, EventTypes: e.EventTypes,
		Channels: e.Channels, ThrottleRate: e.ThrottleRate, Metadata: e.Metadata, FeatureFlags: e.FeatureFlags,
		SealedHeaders: e.SealedHeaders, Secrets: secrets, DisabledReason: e.DisabledReason, DisabledAt: e.DisabledAt,
		FailingSince: e.FailingSince, Revision: e.Revision, CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt, DeletedAt: behind.time(0),
	}, err
}

func dumpRevision(d *dumper, r *row) (hook.Record, error) {
	rec := &hook.RevisionRecord{
		Endpoint: r.id(0), Revision: r.int(1), Disabled: r.bool(4), Since: r.time(5),
		// Its own place counts too: it is in force after that message.
		Config: d.configAt(r.int(6), r.int(7)+1),
	}
	if err := firstError(fromJSON(r, 2, &rec.EventTypes), fromJSON(r, 3, &rec.Channels)); err != nil {
		return nil, fmt.Errorf("revision of endpoint %s: %w", hook.KindEndpoint.Format(rec.Endpoint), err)
	}
	return rec, nil
}

func dumpMessage(d *dumper, r *row) (hook.Record, error) {
	m, err := scanMessage(r)
	behind := r.from(13)
	return &hook.MessageRecord{
		ID: m.ID, App: behind.id(2), EventType: m.EventType, EventID: m.EventID, Channels: m.Channels, Tags: m.Tags,
		ContentType: m.ContentType, BodySize: m.BodySize, CreatedAt: m.CreatedAt, DeliverAt: m.DeliverAt,
		BodyExpiresAt: behind.time(0), Body: m.Body, Envelope: m.Envelope, Config: d.configAt(behind.int(1), m.seq),
	}, err
}

func dumpDelivery(_ *dumper, r *row) (hook.Record, error) {
	return &hook.DeliveryRecord{
		Message: r.id(0), Endpoint: r.id(1), State: hook.State(r.int(2)), Reason: hook.Reason(r.int(3)),
		Attempts: int(r.int(4)), Step: int(r.int(5)), Manual: r.bool(6), Retry: r.bool(7), Due: r.time(8), AutoDue: r.time(9),
		LastStatus: int(r.int(10)), UpdatedAt: r.time(11),
	}, nil
}

func dumpAttempt(_ *dumper, r *row) (hook.Record, error) {
	a, err := scanAttempt(r)
	return &hook.AttemptRecord{
		ID: a.ID, Message: a.Message, Endpoint: a.Endpoint, Number: a.Number, Trigger: a.Trigger, URL: a.URL,
		Class: a.Outcome.Class, Status: a.Outcome.Status, Detail: a.Outcome.Detail, StartedAt: a.StartedAt,
		Timings: hook.TimingsRecord(a.Timings), NextDue: a.NextDue,
		Response: a.Response, ResponseHeaders: a.ResponseHeaders, RequestHeaders: a.RequestHeaders,
	}, err
}

func dumpIdempotency(_ *dumper, r *row) (hook.Record, error) {
	return &hook.IdempotencyRecord{
		Env: r.id(0), Hash: r.blob(1), Fingerprint: r.blob(2), Object: r.id(3), ExpiresAt: r.time(4), Auto: r.bool(5),
	}, nil
}

func dumpTask(_ *dumper, r *row) (hook.Record, error) {
	t, err := scanTask(r)
	return &hook.TaskRecord{
		ID: t.ID, Env: t.Env, App: t.App, Endpoint: t.Endpoint, Kind: t.Kind, Status: t.Status, Since: t.Since, Until: t.Until,
		Cursor: t.Cursor, Queued: t.Queued, Canceled: t.Canceled, Rate: t.Rate, Total: t.Total, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}, err
}

func dumpSource(_ *dumper, r *row) (hook.Record, error) {
	s, err := scanSource(r)
	secrets := make([]hook.SecretRecord, len(s.Secrets))
	for i, secret := range s.Secrets {
		secrets[i] = hook.SecretRecord(secret)
	}
	return &hook.SourceRecord{
		ID: s.ID, Env: s.Env, UID: s.UID, Name: s.Name, Type: s.Type, Metadata: s.Metadata, Settings: s.Settings, Secrets: secrets,
		Tokens: tokenRecords(s.Tokens), Disabled: s.Disabled, NextFire: s.NextFire, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}, err
}

func dumpRequest(_ *dumper, r *row) (hook.Record, error) {
	rec := &hook.RequestRecord{
		ID: r.id(0), Source: r.id(1), State: hook.RequestState(r.int(2)), Reason: r.text(3), Detail: r.text(4), Findings: r.blob(5),
		Remote: r.text(7), EventType: r.text(8), Key: r.text(9), Message: r.id(10), Fingerprint: r.blob(11), Status: int(r.int(12)),
		ContentType: r.text(13), BodySize: int(r.int(14)), ReceivedAt: r.time(15), Note: r.text(16), Body: r.blob(17),
	}
	if err := fromJSON(r, 6, &rec.Envelope); err != nil {
		return nil, fmt.Errorf("request %s: %w", hook.KindRequest.Format(rec.ID), err)
	}
	return rec, nil
}

// rollups gives what is stored and, added to it, the attempts that no rollup
// counts yet. The sums of whole applications are left out: they are those of
// their endpoints, but for endpoints that retention has forgotten.
func (d *dumper) rollups(ctx context.Context, emit func(hook.Record) error) error {
	tail := tallies{}
	if err := d.conn.query(ctx, `SELECT a.endpoint, a.class, a.started, a.timings FROM attempts a
	  WHERE a.seq > (SELECT value FROM meta WHERE name = 'rolled_up')`, nil, func(r *row) error {
		tail.of(rollupKey{endpoint: r.int(0), hour: hourOf(r.time(2))}).Add(hook.Class(r.int(1)), timingsFrom(r.bytes(3)).Total)
		return nil
	}); err != nil {
		return err
	}
	give := func(endpoint hook.ID, hour int64, t *hook.Tally) error {
		return emit(&hook.RollupRecord{Endpoint: endpoint, Hour: hourTime(hour), ByClass: t.ByClass, Took: t.Took})
	}
	if err := d.conn.query(ctx, `SELECT e.id, r.endpoint, r.hour, r.tally FROM rollups r CROSS JOIN endpoints e ON e.seq = r.endpoint`,
		nil, func(r *row) error {
			k := rollupKey{endpoint: r.int(1), hour: r.int(2)}
			sum := tail.of(k)
			delete(tail, k)
			if err := mergeTally(sum, r, 3); err != nil {
				return err
			}
			return give(r.id(0), k.hour, sum)
		}); err != nil {
		return err
	}
	for _, k := range slices.SortedFunc(maps.Keys(tail), compareKeys) {
		var id hook.ID
		found, err := d.conn.one(ctx, `SELECT id FROM endpoints WHERE seq = ?`, []any{k.endpoint}, func(r *row) error {
			id = r.id(0)
			return nil
		})
		if err == nil && found {
			err = give(id, k.hour, tail[k])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func dumpTraffic(_ *dumper, r *row) (hook.Record, error) {
	t := hook.Traffic{Start: periodTime(r.int(1))}
	err := mergeTraffic(&t, r, 2)
	return hook.TrafficRecordOf(r.id(0), &t), err
}

func dumpIssue(_ *dumper, r *row) (hook.Record, error) {
	i := scanIssue(r)
	return hook.IssueRecordOf(&i), nil
}
