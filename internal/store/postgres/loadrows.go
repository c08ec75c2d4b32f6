package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// loadedTables says where records go. The columns are those of loader.row.
var loadedTables = map[hook.RecordKind]struct {
	table   string
	columns []string
}{
	hook.RecordEnvironment: {"environments", []string{"id", "name", "created", "settings", "kind"}},
	hook.RecordKey: {"api_keys", []string{"id", "env", "app", "hash", "name", "censored", "scopes", "session", "flags", "created", "expires",
		"last_used"}},
	hook.RecordApplication: {"applications", []string{"seq", "id", "env", "uid", "name", "throttle", "metadata", "version", "created", "updated",
		"deleted", "source"}},
	hook.RecordEventType: {"event_types", []string{"id", "env", "name", "description", "group_name", "archived", "deprecated", "flags", "schemas",
		"enforce", "created", "updated"}},
	hook.RecordEndpoint: {"endpoints", []string{"seq", "id", "app", "uid", "description", "url", "event_types", "channels", "throttle", "metadata",
		"flags", "headers", "secrets", "disabled", "disabled_at", "failing_since", "revision", "created", "updated", "deleted"}},
	hook.RecordRevision: {"endpoint_revisions", []string{"endpoint", "revision", "version", "event_types", "channels", "disabled", "since"}},
	hook.RecordMessage: {"messages", []string{"app", "id", "config", "txid", "event_type", "event_id", "channels", "tags", "content_type", "size",
		"created", "deliver_at", "body_expires", "body", "envelope"}},
	hook.RecordDelivery: {"deliveries", []string{"message", "endpoint", "state", "reason", "manual", "again", "retry", "attempts", "step",
		"last_status", "due", "auto_due", "updated"}},
	hook.RecordAttempt: {"attempts", []string{"id", "message", "endpoint", "txid", "number", "manual", "class", "status", "detail", "url", "started",
		"timings", "next_due", "response", "response_headers", "request_headers"}},
	hook.RecordIdempotency: {"once", []string{"env", "hash", "auto", "fingerprint", "object", "expires"}},
	hook.RecordTask: {"tasks", []string{"seq", "id", "env", "app", "endpoint", "kind", "status", "since", "until", "cursor", "queued", "canceled",
		"created", "updated", "rate", "total"}},
	hook.RecordSource: {"sources", []string{"app", "id", "env", "uid", "name", "type", "metadata", "settings", "secrets", "tokens", "disabled",
		"next_fire", "created", "updated"}},
	hook.RecordRequest: {"requests", []string{"source", "id", "state", "reason", "detail", "findings", "envelope", "remote", "event_type", "key",
		"message", "fingerprint", "status", "content_type", "size", "kept", "received", "note", "body"}},
	hook.RecordTraffic: {"traffic", []string{"env", "period", "sum"}},
	hook.RecordIssue: {"issues", []string{"id", "env", "endpoint", "class", "status", "first", "last", "attempts", "message", "attempt", "state",
		"muted_until", "resolved", "healed", "note", "assignee"}},
	hook.RecordMember:  {"members", []string{"id", "email", "name", "role", "payloads", "password", "subject", "created", "updated", "seen"}},
	hook.RecordPasskey: {"passkeys", []string{"id", "member", "credential", "name", "data", "created", "used"}},
	hook.RecordAudit:   {"audits", []string{"id", "env", "actor", "actor_id", "name", "action", "target", "address"}},
}

var (
	// errDangling says that a record names one that did not come before it.
	errDangling = errors.New("it names something that is not there")
	// errNUL says that a record has a text that PostgreSQL does not take.
	errNUL = errors.New("a text in it holds the character U+0000, which PostgreSQL does not store")
)

// row gives the columns of a record.
func (l *loader) row(rec hook.Record) ([]any, error) {
	values, err := l.columns(rec)
	for i, v := range values {
		if err != nil {
			break
		}
		values[i], err = storableValue(v)
	}
	return bind(values), err
}

// storableValue mends texts as JSON does, and so backups: each byte that is not
// UTF-8 becomes U+FFFD.
func storableValue(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return storableText(v)
	case []string:
		for i := range v {
			text, err := storableText(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = text
		}
	}
	return v, nil
}

func storableText(s string) (string, error) {
	switch {
	case strings.IndexByte(s, 0) >= 0:
		return "", errNUL
	case !utf8.ValidString(s):
		return string([]rune(s)), nil
	}
	return s, nil
}

func (l *loader) columns(rec hook.Record) ([]any, error) {
	if values, err := l.person(rec); values != nil {
		return values, err
	}
	switch r := rec.(type) {
	case *hook.EnvironmentRecord:
		settings, err := settingsText(r.Settings)
		return []any{r.ID, r.Name, r.CreatedAt, settings, int16(r.Kind)}, err
	case *hook.KeyRecord:
		return []any{r.ID, r.Env, nullID(r.App), r.Hash, r.Name, r.CensoredText, words(r.Scopes), nullText(r.SessionID), words(r.FeatureFlags),
			r.CreatedAt, r.ExpiresAt, r.LastUsedAt}, nil
	case *hook.ApplicationRecord:
		l.apps++
		l.appSeqs[r.ID] = l.apps
		if r.Source {
			l.owners[r.ID] = l.apps
		}
		return []any{l.apps, r.ID, r.Env, nullText(r.UID), r.Name, r.ThrottleRate, mapJSON(r.Metadata), r.Config, r.CreatedAt, r.UpdatedAt,
			r.DeletedAt, r.Source}, nil
	case *hook.EventTypeRecord:
		return []any{r.ID, r.Env, r.Name, r.Description, r.GroupName, r.Archived, r.Deprecated, words(r.FeatureFlags), r.Schemas, r.EnforceSchema,
			r.CreatedAt, r.UpdatedAt}, nil
	case *hook.EndpointRecord:
		return l.endpoint(r)
	case *hook.MessageRecord:
		return l.message(r)
	case *hook.SourceRecord:
		return l.source(r)
	case *hook.RequestRecord:
		app, known := l.owners[r.Source]
		return []any{app, r.ID, int16(r.State), r.Reason, nullText(r.Detail), r.Findings, envelopeColumn(r.Envelope), r.Remote,
			nullText(r.EventType), nullText(r.Key), nullID(r.Message), r.Fingerprint, r.Status, nullText(r.ContentType), r.BodySize, len(r.Body),
			r.ReceivedAt, nullText(r.Note), r.Body}, dangling(known)
	case *hook.TaskRecord:
		l.tasks++
		return []any{l.tasks, r.ID, r.Env, r.App, r.Endpoint, string(r.Kind), string(r.Status), r.Since, r.Until, r.Cursor, r.Queued, r.Canceled,
			r.CreatedAt, r.UpdatedAt, r.Rate, r.Total}, nil
	case *hook.TrafficRecord:
		return []any{r.Env, periodOf(r.Start), r.Traffic().Append(nil)}, nil
	case *hook.IssueRecord:
		e, known := l.endSeqs[r.Endpoint]
		return []any{r.ID, r.Env, e.seq, int16(r.Class), r.Status, r.FirstSeen, r.LastSeen, r.Attempts, r.Message, r.Attempt, int16(r.State),
			r.MutedUntil, r.ResolvedAt, r.HealedAt, nullText(r.Note), nullText(r.Assignee)}, dangling(known)
	case *hook.IdempotencyRecord:
		return []any{r.Env, r.Hash, r.Auto, r.Fingerprint, r.Object, r.ExpiresAt.UnixMicro()}, nil
	}
	return l.ofEndpoint(rec)
}

func (l *loader) endpoint(r *hook.EndpointRecord) ([]any, error) {
	app, known := l.appSeqs[r.App]
	if !known {
		return nil, errDangling
	}
	secrets := make([]hook.SealedSecret, len(r.Secrets))
	for i, s := range r.Secrets {
		secrets[i] = hook.SealedSecret(s)
	}
	column, err := secretsColumn(secrets)
	l.ends++
	l.endSeqs[r.ID] = loadedEndpoint{l.ends, app}
	return []any{l.ends, r.ID, app, nullText(r.UID), r.Description, r.URL, words(r.EventTypes), words(r.Channels), r.ThrottleRate,
		mapJSON(r.Metadata), words(r.FeatureFlags), r.SealedHeaders, column, int16(r.DisabledReason), r.DisabledAt, r.FailingSince,
		r.Revision, r.CreatedAt, r.UpdatedAt, r.DeletedAt}, err
}

func (l *loader) message(r *hook.MessageRecord) ([]any, error) {
	app, known := l.appSeqs[r.App]
	if !known {
		return nil, errDangling
	}
	var contentType any
	if r.ContentType != "application/json" {
		contentType = r.ContentType
	}
	return []any{app, r.ID, r.Config, l.txid, r.EventType, nullText(r.EventID), words(r.Channels), words(r.Tags), contentType, r.BodySize,
		r.CreatedAt, r.DeliverAt, r.BodyExpiresAt, r.Body, envelopeColumn(r.Envelope)}, nil
}

func (l *loader) source(r *hook.SourceRecord) ([]any, error) {
	app, known := l.owners[r.ID]
	if !known {
		return nil, errDangling
	}
	var secrets []hook.SealedSecret
	for _, s := range r.Secrets {
		secrets = append(secrets, hook.SealedSecret(s))
	}
	parts, err := jsonColumns(&r.Settings, secrets, r.Tokens)
	for _, t := range r.Tokens {
		l.tokens.add(t.Hash, app, t.ExpiresAt)
	}
	return []any{app, r.ID, r.Env, nullText(r.UID), r.Name, r.Type, mapJSON(r.Metadata), parts[0], parts[1], parts[2], r.Disabled, r.NextFire,
		r.CreatedAt, r.UpdatedAt}, err
}

// tokenRows are the tokens of sources, of which there are few.
type tokenRows struct {
	hashes  [][]byte
	sources []int64
	expires []*int64
}

func (t *tokenRows) add(hash []byte, source int64, expires time.Time) {
	t.hashes, t.sources, t.expires = append(t.hashes, hash), append(t.sources, source), append(t.expires, microsPtr(expires))
}

// ofEndpoint gives the columns of a record that names an endpoint.
func (l *loader) ofEndpoint(rec hook.Record) ([]any, error) {
	switch r := rec.(type) {
	case *hook.RevisionRecord:
		e, known := l.endSeqs[r.Endpoint]
		return []any{e.seq, r.Revision, r.Config, words(r.EventTypes), words(r.Channels), r.Disabled, r.Since}, dangling(known)
	case *hook.DeliveryRecord:
		e, known := l.endSeqs[r.Endpoint]
		return []any{r.Message, e.seq, int16(r.State), int16(r.Reason), r.Manual, false, r.Retry, r.Attempts, r.Step, r.LastStatus, r.Due,
			r.AutoDue, r.UpdatedAt}, dangling(known)
	case *hook.AttemptRecord:
		e, known := l.endSeqs[r.Endpoint]
		return []any{r.ID, r.Message, e.seq, l.txid, r.Number, r.Trigger == hook.TriggerManual, int16(r.Class), r.Status, nullText(r.Detail), r.URL,
			r.StartedAt, appendTimings(nil, hook.Timings(r.Timings)), r.NextDue, r.Response, r.ResponseHeaders, r.RequestHeaders}, dangling(known)
	}
	return nil, errors.New("it is of an unknown kind")
}

func dangling(known bool) error {
	if known {
		return nil
	}
	return errDangling
}

// withoutMessage finds records that name a message that is not there, or one of
// another application.
const withoutMessage = `SELECT 1 FROM {table} d JOIN endpoints e ON e.seq = d.endpoint
  LEFT JOIN messages m ON m.app = e.app AND m.id = d.message WHERE m.id IS NULL LIMIT 1`

// finish makes the store as if it had come to all of this by itself. The feed of a
// new follower begins behind all that was put in; and so do the rollups, which have
// it all: with the next transaction, from its first id on.
func (l *loader) finish(ctx context.Context) error {
	for _, table := range []string{"deliveries", "attempts"} {
		found, err := exists(ctx, l.c, strings.Replace(withoutMessage, "{table}", table, 1))
		if err != nil {
			return err
		}
		if found {
			return fmt.Errorf("one of the %s: %w", table, errDangling)
		}
	}
	found, err := exists(ctx, l.c, `SELECT 1 FROM requests r LEFT JOIN messages m ON m.app = r.source AND m.id = r.message
	  WHERE r.state = 0 AND m.id IS NULL LIMIT 1`)
	if err == nil && found {
		err = fmt.Errorf("one of the requests: %w", errDangling)
	}
	if err != nil {
		return err
	}
	for _, q := range []string{
		`INSERT INTO message_keys (app, event_id, message, fingerprint) SELECT m.app, m.event_id, m.id, r.fingerprint
		  FROM messages m LEFT JOIN requests r ON r.source = m.app AND r.message = m.id AND r.state = 0 WHERE m.event_id IS NOT NULL`,
		`INSERT INTO queue (message, endpoint, retry, due) SELECT message, endpoint, retry, due FROM deliveries WHERE due IS NOT NULL`,
		`INSERT INTO failing (message, endpoint, env, state, class, status, since)
		  SELECT d.message, d.endpoint, a.env, CASE d.state WHEN 3 THEN 1 ELSE 0 END, coalesce((SELECT t.class FROM attempts t
		      WHERE t.message = d.message AND t.endpoint = d.endpoint ORDER BY t.id DESC LIMIT 1), 5), d.last_status, d.updated
		  FROM deliveries d JOIN endpoints e ON e.seq = d.endpoint JOIN applications a ON a.seq = e.app
		  WHERE d.attempts > 0 AND d.state IN (0, 1, 3)`,
	} {
		if _, err := l.c.exec(ctx, q); err != nil {
			return err
		}
	}
	if _, err := l.c.exec(ctx, `INSERT INTO source_tokens (hash, source, expires)
	  SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[])`, l.tokens.hashes, l.tokens.sources, l.tokens.expires); err != nil {
		return err
	}
	if _, err := l.c.exec(ctx, `UPDATE cursors SET commit = $1, within = $2 WHERE name IN ('rollups', 'traffic')`, l.txid+1, nextID(hook.ID{})); err != nil {
		return err
	}
	_, err = l.c.exec(ctx, `SELECT setval('applications_seq_seq', $1), setval('endpoints_seq_seq', $2), setval('tasks_seq_seq', $3)`,
		l.apps, l.ends, l.tasks)
	return err
}
