package sqlite

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// loadRecords and loadBytes bound one operation of the writer.
	loadRecords = 2000
	loadBytes   = 8 << 20
)

// Load implements store.Mover. Records go in in operations of the writer, each
// one transaction; after an error everything is taken out again.
func (s *Store) Load(ctx context.Context, next func() (hook.Record, error)) error {
	empty := false
	if err := s.write(ctx, func(c *conn) (err error) {
		empty, err = isEmpty(ctx, c)
		return err
	}); err != nil {
		return err
	}
	if !empty {
		return hook.ErrNotEmpty
	}
	l := loader{apps: map[hook.ID]int64{}, waiting: map[int64][]waitingRevision{}}
	err := l.run(ctx, s, next)
	if err != nil {
		// What is there is of no use to anybody.
		err = errors.Join(err, s.writeWith(context.WithoutCancel(ctx), (*writer).clearAll))
	}
	return err
}

// everything are the tables that records are in.
var everything = []string{
	"environments", "api_keys", "applications", "event_types", "endpoints", "endpoint_revisions", "messages", "message_keys",
	"deliveries", "attempts", "once_auto", "once_caller", "tasks", "rollups", "failing", "traffic", "issues", "sources", "source_tokens", "requests",
	"members", "passkeys", "audits",
}

// isEmpty reports whether nothing is stored. What nodes left does not count.
func isEmpty(ctx context.Context, c *conn) (bool, error) {
	for _, table := range everything {
		found, err := c.one(ctx, `SELECT 1 FROM `+table+` LIMIT 1`, nil, func(*row) error { return nil })
		if err != nil || found {
			return false, err
		}
	}
	return true, nil
}

func (w *writer) clearAll() error {
	for _, table := range everything {
		if _, err := w.conn.exec(`DELETE FROM ` + table); err != nil {
			return err
		}
	}
	w.cache.clear()
	return w.autos.load(context.Background(), w.conn)
}

// loader puts the records of a stream in.
type loader struct {
	apps map[hook.ID]int64 // applications.seq
	// waiting are, by application, the revisions that no message has come for yet:
	// in force they are from the first message on that says so.
	waiting map[int64][]waitingRevision
}

type waitingRevision struct{ config, endpoint, revision int64 }

func (l *loader) run(ctx context.Context, s *Store, next func() (hook.Record, error)) error {
	var batch []hook.Record
	for more := true; more; {
		size := 0
		clear(batch)
		batch = batch[:0]
		for more && len(batch) < loadRecords && size < loadBytes {
			rec, err := next()
			if more = !errors.Is(err, io.EOF); !more {
				break
			}
			if err != nil {
				return err
			}
			batch = append(batch, rec)
			size += bytesOf(rec)
		}
		if err := s.writeWith(ctx, func(w *writer) error {
			w.check.since += len(batch) // they fill the log like as many operations
			return l.put(w, batch)
		}); err != nil {
			return err
		}
	}
	return s.writeWith(ctx, l.finish)
}

// bytesOf is about how much memory a record holds beyond its columns.
func bytesOf(rec hook.Record) int {
	switch r := rec.(type) {
	case *hook.MessageRecord:
		return len(r.Body)
	case *hook.RequestRecord:
		return len(r.Body)
	case *hook.AttemptRecord:
		return len(r.Response)
	}
	return 0
}

func (l *loader) put(w *writer, batch []hook.Record) error {
	for _, rec := range batch {
		if err := l.one(w, rec); err != nil {
			return fmt.Errorf("a record of kind %s: %w", rec.RecordKind(), err)
		}
	}
	return nil
}

// finish makes the store as if it had come to all of this by itself.
func (l *loader) finish(w *writer) error {
	w.cache.clear()
	// What is in force since after the last message.
	if _, err := w.conn.exec(`UPDATE endpoint_revisions SET after = ? WHERE after = ?`, w.lastMessage, maxSeq); err != nil {
		return err
	}
	if _, err := w.conn.exec(`UPDATE meta SET value = ? WHERE name = 'rolled_up'`, w.lastAttempt); err != nil {
		return err
	}
	if _, err := w.conn.exec(`UPDATE meta SET value = ? WHERE name = 'counted'`, w.lastMessage); err != nil {
		return err
	}
	return w.findFailing()
}

// errDangling says that a record names one that did not come before it.
var errDangling = errors.New("it names something that is not there")

// one puts a record in.
func (l *loader) one(w *writer, rec hook.Record) error {
	c := w.conn
	if done, err := loadPerson(c, rec); done {
		return err
	}
	switch r := rec.(type) {
	case *hook.EnvironmentRecord:
		settings, err := settingsText(r.Settings)
		if err != nil {
			return err
		}
		_, err = c.exec(`INSERT INTO environments (id, name, kind, created, settings) VALUES (?,?,?,?,?)`, r.ID, r.Name, int(r.Kind), r.CreatedAt, settings)
		return err
	case *hook.KeyRecord:
		_, err := c.exec(`INSERT INTO api_keys (`+keyColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
			r.ID, r.Env, nullID(r.App), r.Hash, r.Name, r.CensoredText, toJSON(r.Scopes), nullText(r.SessionID),
			toJSON(r.FeatureFlags), r.CreatedAt, r.ExpiresAt, r.LastUsedAt)
		return err
	case *hook.ApplicationRecord:
		_, err := c.exec(`INSERT INTO applications (id, env, uid, name, throttle, metadata, created, updated, deleted, source)
		  VALUES (?,?,?,?,?,?,?,?,?,?)`, r.ID, r.Env, nullText(r.UID), r.Name, r.ThrottleRate, toJSON(r.Metadata),
			r.CreatedAt, r.UpdatedAt, r.DeletedAt, r.Source)
		return err
	case *hook.EventTypeRecord:
		_, err := c.exec(`INSERT INTO event_types (`+eventTypeColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
			r.ID, r.Env, r.Name, r.Description, r.GroupName, r.Archived, r.Deprecated,
			toJSON(r.FeatureFlags), r.Schemas, r.EnforceSchema, r.CreatedAt, r.UpdatedAt)
		return err
	case *hook.EndpointRecord:
		return l.endpoint(c, r)
	case *hook.RevisionRecord:
		return l.revision(c, r)
	case *hook.MessageRecord:
		return l.message(w, r)
	case *hook.DeliveryRecord:
		return put(c, `INSERT INTO deliveries
		    (message, endpoint, state, reason, attempts, step, manual, again, lane, due, auto_due, last_status, updated)
		  SELECT m.seq, e.seq, ?,?,?,?,?, 0, ?,?,?,?,? FROM endpoints e CROSS JOIN messages m ON m.app = e.app AND m.id = ? WHERE e.id = ?`,
			int(r.State), int(r.Reason), r.Attempts, r.Step, r.Manual, laneOf(r.Retry), r.Due, r.AutoDue, r.LastStatus, r.UpdatedAt,
			r.Message, r.Endpoint)
	case *hook.AttemptRecord:
		return l.attempt(w, r)
	case *hook.IdempotencyRecord:
		return l.idempotency(w, r)
	case *hook.TaskRecord:
		return l.task(c, r)
	case *hook.RollupRecord:
		return l.rollup(w, r)
	case *hook.SourceRecord:
		return l.source(c, r)
	case *hook.RequestRecord:
		return l.request(c, r)
	case *hook.TrafficRecord:
		t := traffics{}
		t.of(r.Env, r.Start).Merge(r.Traffic())
		return t.store(c)
	case *hook.IssueRecord:
		return put(c, `INSERT INTO issues (id, env, endpoint, class, status, first, last, attempts, message, attempt, state, muted_until, resolved,
		    healed, note, assignee)
		  SELECT ?,?,seq,?,?,?,?,?,?,?,?,?,?,?,?,? FROM endpoints WHERE id = ?`, r.ID, r.Env, int(r.Class), r.Status, r.FirstSeen, r.LastSeen,
			r.Attempts, r.Message, r.Attempt, int(r.State), r.MutedUntil, r.ResolvedAt, r.HealedAt, nullText(r.Note), nullText(r.Assignee), r.Endpoint)
	}
	return errors.New("it is of an unknown kind")
}

// put runs an INSERT that finds nothing to insert if a reference leads nowhere.
func put(c *conn, query string, args ...any) error {
	n, err := c.exec(query, args...)
	if err == nil && n == 0 {
		err = errDangling
	}
	return err
}

// app gives the row key of an application.
func (l *loader) app(c *conn, id hook.ID) (int64, error) {
	if seq, ok := l.apps[id]; ok {
		return seq, nil
	}
	found, err := c.one(context.Background(), `SELECT seq FROM applications WHERE id = ?`, []any{id}, func(r *row) error {
		l.apps[id] = r.int(0)
		return nil
	})
	if err == nil && !found {
		err = errDangling
	}
	return l.apps[id], err
}

// endpointOf gives the row keys of an endpoint and its application.
func (l *loader) endpointOf(c *conn, id hook.ID) (endpoint, app int64, err error) {
	found, err := c.one(context.Background(), `SELECT seq, app FROM endpoints WHERE id = ?`, []any{id}, func(r *row) error {
		endpoint, app = r.int(0), r.int(1)
		return nil
	})
	if err == nil && !found {
		err = errDangling
	}
	return endpoint, app, err
}

func (l *loader) endpoint(c *conn, r *hook.EndpointRecord) error {
	secrets := make([]hook.SealedSecret, len(r.Secrets))
	for i, s := range r.Secrets {
		secrets[i] = hook.SealedSecret(s)
	}
	column, err := secretsColumn(secrets)
	if err != nil {
		return err
	}
	return put(c, `INSERT INTO endpoints (id, app, uid, description, url, event_types, channels, throttle, metadata, flags,
	    headers, secrets, disabled, disabled_at, failing_since, revision, created, updated, deleted)
	  SELECT ?, seq, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,? FROM applications WHERE id = ?`,
		r.ID, nullText(r.UID), r.Description, r.URL, toJSON(r.EventTypes), toJSON(r.Channels), r.ThrottleRate,
		toJSON(r.Metadata), toJSON(r.FeatureFlags), r.SealedHeaders, column, int(r.DisabledReason), r.DisabledAt, r.FailingSince,
		r.Revision, r.CreatedAt, r.UpdatedAt, r.DeletedAt, r.App)
}

// revision puts one in that is not in force yet.
func (l *loader) revision(c *conn, r *hook.RevisionRecord) error {
	endpoint, app, err := l.endpointOf(c, r.Endpoint)
	if err != nil {
		return err
	}
	l.waiting[app] = append(l.waiting[app], waitingRevision{r.Config, endpoint, r.Revision})
	_, err = c.exec(`INSERT INTO endpoint_revisions (endpoint, revision, after, event_types, channels, disabled, since)
	  VALUES (?,?,?,?,?,?,?)`, endpoint, r.Revision, maxSeq, toJSON(r.EventTypes), toJSON(r.Channels), r.Disabled, r.Since)
	return err
}

func (l *loader) message(w *writer, r *hook.MessageRecord) error {
	app, err := l.app(w.conn, r.App)
	if err != nil {
		return err
	}
	if err := l.enforce(w, app, r.Config); err != nil {
		return err
	}
	w.lastMessage++
	var contentType any
	if r.ContentType != "application/json" {
		contentType = r.ContentType
	}
	if r.EventID != "" {
		if _, err := w.conn.exec(`INSERT INTO message_keys (app, event_id, message) VALUES (?,?,?)`, app, r.EventID, w.lastMessage); err != nil {
			return err
		}
	}
	envelope, err := envelopeColumn(r.Envelope)
	if err != nil {
		return err
	}
	_, err = w.conn.exec(`INSERT INTO messages
	  (seq, app, id, event_type, event_id, channels, tags, content_type, size, created, deliver_at, body_expires, body, envelope)
	  VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		w.lastMessage, app, r.ID, r.EventType, nullText(r.EventID), toJSON(r.Channels), toJSON(r.Tags),
		contentType, r.BodySize, r.CreatedAt, r.DeliverAt, r.BodyExpiresAt, r.Body, envelope)
	return err
}

// enforce puts the revisions of an application in force that the next message was
// accepted under. A message whose number is lower than that of one before it, as
// there can be where several nodes accept at the same moment, finds newer ones.
func (l *loader) enforce(w *writer, app, config int64) error {
	waiting := l.waiting[app]
	byConfig := func(a, b waitingRevision) int { return cmp.Compare(a.config, b.config) }
	if !slices.IsSortedFunc(waiting, byConfig) {
		slices.SortStableFunc(waiting, byConfig)
	}
	n := 0
	for ; n < len(waiting) && waiting[n].config <= config; n++ {
		if _, err := w.conn.exec(`UPDATE endpoint_revisions SET after = ? WHERE endpoint = ? AND revision = ?`,
			w.lastMessage, waiting[n].endpoint, waiting[n].revision); err != nil {
			return err
		}
	}
	l.waiting[app] = waiting[n:]
	return nil
}

func (l *loader) attempt(w *writer, r *hook.AttemptRecord) error {
	var buf [7 * binary.MaxVarintLen64]byte
	w.lastAttempt++
	return put(w.conn, `INSERT INTO attempts
	    (seq, id, message, endpoint, number, manual, class, status, detail, url, started, timings, next_due,
	     response, response_headers, request_headers)
	  SELECT ?,?, m.seq, e.seq, ?,?,?,?,?,?,?,?,?,?,?,? FROM endpoints e CROSS JOIN messages m ON m.app = e.app AND m.id = ? WHERE e.id = ?`,
		w.lastAttempt, r.ID, r.Number, int(r.Trigger), int(r.Class), r.Status, nullText(r.Detail), r.URL, r.StartedAt,
		appendTimings(buf[:0], hook.Timings(r.Timings)), r.NextDue, r.Response, r.ResponseHeaders, r.RequestHeaders, r.Message, r.Endpoint)
}

func (l *loader) idempotency(w *writer, r *hook.IdempotencyRecord) error {
	k := hook.IdempotencyKey{Hash: [16]byte(r.Hash), Fingerprint: [16]byte(r.Fingerprint), ExpiresAt: r.ExpiresAt, Auto: r.Auto}
	return w.rememberOnce(r.Env, &k, r.Object)
}

// task finds the place of its cursor again: its last message, or the one before
// where that was.
func (l *loader) task(c *conn, r *hook.TaskRecord) error {
	_, err := c.exec(`INSERT INTO tasks (`+taskColumns+`, position) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,
	  coalesce((SELECT m.seq FROM applications a CROSS JOIN messages m ON m.app = a.seq AND m.id <= ?9
	    WHERE a.id = ?3 ORDER BY m.id DESC LIMIT 1), 0))`,
		r.ID, r.Env, r.App, r.Endpoint, string(r.Kind), string(r.Status), r.Since, r.Until, r.Cursor, r.Queued, r.Canceled,
		r.CreatedAt, r.UpdatedAt, r.Rate, r.Total)
	return err
}

func (l *loader) rollup(w *writer, r *hook.RollupRecord) error {
	endpoint, app, err := l.endpointOf(w.conn, r.Endpoint)
	if err != nil {
		return err
	}
	for _, of := range []int64{endpoint, wholeApp} {
		sum := hook.Tally{ByClass: r.ByClass, Took: r.Took}
		if err := w.addToRollup(rollupKey{app: app, endpoint: of, hour: hourOf(r.Hour)}, &sum); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) source(c *conn, r *hook.SourceRecord) error {
	secrets := make([]hook.SealedSecret, len(r.Secrets))
	for i, s := range r.Secrets {
		secrets[i] = hook.SealedSecret(s)
	}
	s := &hook.Source{
		ID: r.ID, Env: r.Env, UID: r.UID, Name: r.Name, Type: r.Type, Metadata: r.Metadata, Settings: r.Settings, Secrets: secrets,
		Tokens: tokensFrom(r.Tokens), Disabled: r.Disabled, NextFire: r.NextFire, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if err := insertSourceRow(c, s); err != nil {
		return err
	}
	return insertTokens(c, s)
}

func (l *loader) request(c *conn, r *hook.RequestRecord) error {
	source, err := l.app(c, r.Source)
	if err != nil {
		return err
	}
	var message any
	if r.State == hook.RequestAccepted {
		seq, found, err := messageSeq(c, source, r.Message)
		if err == nil && !found {
			err = errDangling
		}
		if err != nil {
			return err
		}
		message = seq
	}
	return mustInsertRequest(c, source, message, &hook.Request{
		ID: r.ID, State: r.State, Message: r.Message, Reason: r.Reason, Detail: r.Detail, Findings: r.Findings, Envelope: r.Envelope, Remote: r.Remote,
		EventType: r.EventType, Key: r.Key, Fingerprint: [16]byte(r.Fingerprint), Status: r.Status, ContentType: r.ContentType,
		BodySize: r.BodySize, Body: r.Body, ReceivedAt: r.ReceivedAt, Note: r.Note,
	})
}
