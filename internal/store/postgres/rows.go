package postgres

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

// messageRows are messages by column, as one statement takes them.
type messageRows struct {
	app, config, created   []int64
	id, body, envelope     [][]byte
	eventType              []string
	eventID, contentType   []*string
	channels, tags         []*string // as array literals: arrays of arrays must be rectangular
	size                   []int32
	deliverAt, bodyExpires []*int64
	received               bool // one of them is: it came as a request, or has an envelope
}

func (m *messageRows) add(a *cachedApp, e *hook.NewEvent) {
	body := e.Body
	if body == nil {
		body = []byte{} // there is one, and it is empty
	}
	m.app, m.config, m.created = append(m.app, a.seq), append(m.config, a.version), append(m.created, e.CreatedAt.UnixMicro())
	m.id, m.body, m.envelope = append(m.id, e.ID[:]), append(m.body, body), append(m.envelope, envelopeColumn(envelopeOf(e)))
	m.received = m.received || e.Request != nil || e.Envelope != nil
	m.eventType = append(m.eventType, e.EventType)
	m.eventID = append(m.eventID, textPtr(e.EventID))
	var contentType *string
	if e.ContentType != "application/json" {
		contentType = &e.ContentType
	}
	m.contentType = append(m.contentType, contentType)
	m.channels, m.tags = append(m.channels, arrayLiteral(e.Channels)), append(m.tags, arrayLiteral(e.Tags))
	m.size = append(m.size, int32(len(e.Body)))
	m.deliverAt, m.bodyExpires = append(m.deliverAt, microsPtr(e.DeliverAt)), append(m.bodyExpires, microsPtr(e.BodyExpiresAt))
}

// deliveryRow is a new delivery.
type deliveryRow struct {
	message  hook.ID
	endpoint int64
	state    hook.State
	reason   hook.Reason
	due      time.Time
	node     hook.Node // zero: not leased
	updated  time.Time
}

// deliveryRows are new deliveries by column.
type deliveryRows struct {
	message          [][]byte
	endpoint         []int64
	state, reason    []int16
	due, node, epoch []*int64
	updated          []int64
}

func (d *deliveryRows) add(r *deliveryRow) {
	d.message, d.endpoint = append(d.message, r.message[:]), append(d.endpoint, r.endpoint)
	d.state, d.reason = append(d.state, int16(r.state)), append(d.reason, int16(r.reason))
	d.due, d.updated = append(d.due, microsPtr(r.due)), append(d.updated, r.updated.UnixMicro())
	var node, epoch *int64
	if r.node.ID != 0 {
		node, epoch = &r.node.ID, &r.node.Epoch
	}
	d.node, d.epoch = append(d.node, node), append(d.epoch, epoch)
}

// queueRows are rows of the queue by column.
type queueRows struct {
	message  [][]byte
	endpoint []int64
	retry    []bool
	due      []int64
}

func (q *queueRows) add(message hook.ID, endpoint int64, retry bool, due time.Time) {
	q.message, q.endpoint = append(q.message, message[:]), append(q.endpoint, endpoint)
	q.retry, q.due = append(q.retry, retry), append(q.due, due.UnixMicro())
}

// upsertQueue makes deliveries wait, whether they were in the queue or not.
const upsertQueue = `INSERT INTO queue (message, endpoint, retry, due)
  SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::boolean[], $4::bigint[]) AS g(message, endpoint, retry, due) ORDER BY 1, 2
  ON CONFLICT (message, endpoint) DO UPDATE SET retry = excluded.retry, due = excluded.due, node = NULL`

func (q *queueRows) upsert(b *pgx.Batch) {
	if len(q.message) > 0 {
		b.Queue(upsertQueue, q.message, q.endpoint, q.retry, q.due)
	}
}

// deliveryKeys are keys of deliveries by column.
type deliveryKeys struct {
	message  [][]byte
	endpoint []int64
}

func (k *deliveryKeys) add(message hook.ID, endpoint int64) {
	k.message, k.endpoint = append(k.message, message[:]), append(k.endpoint, endpoint)
}

// deliveryKey is the key of a delivery.
type deliveryKey struct {
	message  hook.ID
	endpoint int64
}

func keyOf(l *hook.Lease) deliveryKey { return deliveryKey{l.Message.ID, l.Ref.Endpoint} }

// remove takes out deliveries that were inserted only because they were not there.
func (k *deliveryKeys) remove(ctx context.Context, c *conn) error {
	if len(k.message) == 0 {
		return nil
	}
	_, err := c.exec(ctx, `DELETE FROM deliveries d USING unnest($1::bytea[], $2::bigint[]) AS g(message, endpoint)
	  WHERE d.message = g.message AND d.endpoint = g.endpoint AND d.message = ANY($1)`, k.message, k.endpoint)
	return err
}

const deleteQueue = `DELETE FROM queue q USING unnest($1::bytea[], $2::bigint[]) AS g(message, endpoint)
  WHERE q.message = g.message AND q.endpoint = g.endpoint AND q.message = ANY($1)`

// leaveQueue takes deliveries out of the queue.
func (k *deliveryKeys) leaveQueue(b *pgx.Batch) {
	if len(k.message) > 0 {
		b.Queue(deleteQueue, k.message, k.endpoint)
	}
}

// storeAtOnce stores messages, their deliveries and what of them waits, and the
// keys, if all applications are of the versions given; it says whether they are. A
// key that is taken is an error, and nothing is stored.
const storeAtOnce = `WITH current AS MATERIALIZED (SELECT NOT EXISTS (
    SELECT 1 FROM unnest($1::bigint[], $2::bigint[]) AS g(app, version)
    WHERE NOT EXISTS (SELECT 1 FROM applications a WHERE a.seq = g.app AND a.version = g.version AND a.deleted IS NULL)) AS ok),
  stored AS (INSERT INTO messages
      (app, id, config, txid, event_type, event_id, channels, tags, content_type, size, created, deliver_at, body_expires, body)
    SELECT app, id, config, (SELECT pg_current_xact_id()::text::bigint), event_type, event_id, channels::text[], tags::text[],
      content_type, size, created, deliver_at, body_expires, body
    FROM unnest($3::bigint[], $4::bytea[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
      $11::integer[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bytea[])
      AS g(app, id, config, event_type, event_id, channels, tags, content_type, size, created, deliver_at, body_expires, body)
    WHERE (SELECT ok FROM current)),
  delivered AS (INSERT INTO deliveries
      (message, endpoint, state, reason, manual, again, retry, attempts, step, last_status, due, node, epoch, updated)
    SELECT message, endpoint, state, reason, false, false, false, 0, 0, 0, due, node, epoch, updated
    FROM unnest($16::bytea[], $17::bigint[], $18::smallint[], $19::smallint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[])
      AS g(message, endpoint, state, reason, due, node, epoch, updated)
    WHERE (SELECT ok FROM current)),
  queued AS (INSERT INTO queue (message, endpoint, retry, due)
    SELECT message, endpoint, retry, due FROM unnest($24::bytea[], $25::bigint[], $26::boolean[], $27::bigint[]) AS g(message, endpoint, retry, due)
    WHERE (SELECT ok FROM current)),
  named AS (INSERT INTO message_keys (app, event_id, message)
    SELECT app, event_id, message FROM unnest($28::bigint[], $29::text[], $30::bytea[]) AS g(app, event_id, message)
    WHERE (SELECT ok FROM current)),
  remembered AS (INSERT INTO once (env, hash, auto, fingerprint, object, expires)
    SELECT env, hash, auto, fingerprint, object, expires
    FROM unnest($31::bytea[], $32::bytea[], $33::boolean[], $34::bytea[], $35::bytea[], $36::bigint[])
      AS g(env, hash, auto, fingerprint, object, expires)
    WHERE (SELECT ok FROM current))
  SELECT ok FROM current`

// arguments are those of storeAtOnce.
func (p *acceptance) arguments() []any {
	var apps, versions []int64
	seen := map[int64]bool{}
	for _, i := range p.items {
		if !i.ended && !seen[i.app.seq] {
			seen[i.app.seq] = true
			apps, versions = append(apps, i.app.seq), append(versions, i.app.version)
		}
	}
	m, d, q, k := &p.messages, &p.due, &p.queue, &p.keys
	return []any{
		apps, versions,
		m.app, m.id, m.config, m.eventType, m.eventID, m.channels, m.tags, m.contentType, m.size, m.created, m.deliverAt, m.bodyExpires, m.body,
		d.message, d.endpoint, d.state, d.reason, d.due, d.node, d.epoch, d.updated,
		q.message, q.endpoint, q.retry, q.due,
		k.app, k.eventID, k.message, k.env, k.hash, k.auto, k.fingerprint, k.object, k.expires,
	}
}

// keyRows are the keys that events bring, by column.
type keyRows struct {
	app                            []int64
	eventID                        []string
	message, ofBody                [][]byte // ofBody is the fingerprint of the message's body; nil: not known
	env, hash, fingerprint, object [][]byte
	auto                           []bool
	expires                        []int64
}

func (k *keyRows) add(a *cachedApp, e *hook.NewEvent) {
	if e.EventID != "" {
		k.app, k.eventID, k.message = append(k.app, a.seq), append(k.eventID, e.EventID), append(k.message, e.ID[:])
		k.ofBody = append(k.ofBody, fingerprint(e))
	}
	if o := e.Idempotency; o != nil {
		k.env, k.hash, k.auto = append(k.env, e.Env[:]), append(k.hash, o.Hash[:]), append(k.auto, o.Auto)
		k.fingerprint, k.object = append(k.fingerprint, o.Fingerprint[:]), append(k.object, e.ID[:])
		k.expires = append(k.expires, o.ExpiresAt.UnixMicro())
	}
}

func textPtr(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// arrayLiteral is a list of words in the text form of text[]; nil for an empty one.
func arrayLiteral(list []string) *string {
	if len(list) == 0 {
		return nil
	}
	b := []byte{'{'}
	for i, w := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		for _, c := range []byte(w) {
			if c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c)
		}
		b = append(b, '"')
	}
	s := string(append(b, '}'))
	return &s
}

// idRange gives the lowest and highest of ids, as bounds for the partitions that a
// statement has to look into. A statement that takes many keys says three things:
// the join with its arrays, `= ANY` of the keys, so that the planner looks each up
// instead of reading all between the bounds, and the bounds. A SELECT says the same
// with LATERAL and OFFSET 0.
type idRange struct{ low, high hook.ID }

func (r *idRange) add(id hook.ID) {
	if r.low.IsZero() || compareIDs(id, r.low) < 0 {
		r.low = id
	}
	if compareIDs(id, r.high) > 0 {
		r.high = id
	}
}
