package postgres

import (
	"context"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// What accept does for events that were received as requests. In a group with some,
// keys are part of the one statement too (storeReceived): an event whose id is taken
// loses, and the others are stored all the same, for senders repeat their requests as
// a matter of course. A request that was refused before and is believed now must be
// locked before anything is stored; such groups take the longer way of withKeys.

// isRefused reports whether the request was stored before, as refused.
func isRefused(q *hook.Request) bool { return q != nil && q.State == hook.RequestRefused }

// believes reports whether a request is among the events that was refused before.
func (p *acceptance) believes() bool {
	return slices.ContainsFunc(p.items, func(i *acceptItem) bool { return isRefused(i.event.Request) })
}

// envelopeOf is how the event came; nil: through the API.
func envelopeOf(e *hook.NewEvent) *hook.Envelope {
	if e.Envelope == nil && e.Request != nil {
		return e.Request.Envelope
	}
	return e.Envelope
}

// fingerprint is what is kept of the body beside the event's id; nil: nothing.
func fingerprint(e *hook.NewEvent) []byte {
	if e.Request == nil {
		return nil
	}
	return e.Request.Fingerprint[:]
}

// lose says that another event with this id was first.
func (i *acceptItem) lose() {
	if i.event.Request != nil {
		i.out.Duplicate, i.ended = true, true
		return
	}
	i.refuse(&hook.Error{Code: hook.CodeConflict, Detail: "A message with this eventId exists already."})
}

// receive adds the row of the event's request.
func (p *acceptance) receive(i *acceptItem) {
	switch q := i.event.Request; {
	case q == nil:
	case isRefused(q):
		p.believed.add(i.app.seq, i.event)
	default:
		p.requests.add(i.app.seq, i.event)
	}
}

// receivedRows are requests that are accepted, by column. Envelope, content type and
// body are in their messages.
type receivedRows struct {
	source, received       []int64
	id, findings, message  [][]byte
	fingerprint            [][]byte
	reason, remote         []string
	detail, eventType, key []*string
	note                   []*string
	status, size           []int32
	within                 idRange
}

// add takes an event with its request, whose texts come from strangers.
func (w *receivedRows) add(source int64, e *hook.NewEvent) {
	q := e.Request
	w.source, w.received = append(w.source, source), append(w.received, q.ReceivedAt.UnixMicro())
	w.id, w.findings, w.message = append(w.id, q.ID[:]), append(w.findings, q.Findings), append(w.message, e.ID[:])
	w.fingerprint = append(w.fingerprint, q.Fingerprint[:])
	w.reason, w.remote = append(w.reason, storable(q.Reason)), append(w.remote, storable(q.Remote))
	w.detail, w.note = append(w.detail, textPtr(storable(q.Detail))), append(w.note, textPtr(storable(q.Note)))
	w.eventType, w.key = append(w.eventType, textPtr(storable(q.EventType))), append(w.key, textPtr(storable(q.Key)))
	w.status, w.size = append(w.status, int32(q.Status)), append(w.size, int32(len(e.Body)))
	w.within.add(q.ID)
}

// storeReceived is storeAtOnce for groups with requests. Keys come first, and what
// loses there stores nothing else. It gives the message of each event that lost, or
// one row without.
const storeReceived = `WITH current AS MATERIALIZED (SELECT NOT EXISTS (
    SELECT 1 FROM unnest($1::bigint[], $2::bigint[]) AS g(app, version)
    WHERE NOT EXISTS (SELECT 1 FROM applications a WHERE a.seq = g.app AND a.version = g.version AND a.deleted IS NULL)) AS ok),
  named AS (INSERT INTO message_keys (app, event_id, message, fingerprint)
    SELECT app, event_id, message, fingerprint
    FROM unnest($28::bigint[], $29::text[], $30::bytea[], $37::bytea[]) AS g(app, event_id, message, fingerprint)
    WHERE (SELECT ok FROM current) ORDER BY app, event_id COLLATE "C" ON CONFLICT DO NOTHING RETURNING message),
  lost AS MATERIALIZED (SELECT message FROM unnest($30::bytea[]) AS g(message)
    WHERE (SELECT ok FROM current) AND message NOT IN (SELECT message FROM named)),
  stored AS (INSERT INTO messages
      (app, id, config, txid, event_type, event_id, channels, tags, content_type, size, created, deliver_at, body_expires, body, envelope)
    SELECT app, id, config, (SELECT pg_current_xact_id()::text::bigint), event_type, event_id, channels::text[], tags::text[],
      content_type, size, created, deliver_at, body_expires, body, envelope
    FROM unnest($3::bigint[], $4::bytea[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
      $11::integer[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bytea[], $38::bytea[])
      AS g(app, id, config, event_type, event_id, channels, tags, content_type, size, created, deliver_at, body_expires, body, envelope)
    WHERE (SELECT ok FROM current) AND id NOT IN (SELECT message FROM lost)),
  delivered AS (INSERT INTO deliveries
      (message, endpoint, state, reason, manual, again, retry, attempts, step, last_status, due, node, epoch, updated)
    SELECT message, endpoint, state, reason, false, false, false, 0, 0, 0, due, node, epoch, updated
    FROM unnest($16::bytea[], $17::bigint[], $18::smallint[], $19::smallint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[])
      AS g(message, endpoint, state, reason, due, node, epoch, updated)
    WHERE (SELECT ok FROM current) AND message NOT IN (SELECT message FROM lost)),
  queued AS (INSERT INTO queue (message, endpoint, retry, due)
    SELECT message, endpoint, retry, due FROM unnest($24::bytea[], $25::bigint[], $26::boolean[], $27::bigint[]) AS g(message, endpoint, retry, due)
    WHERE (SELECT ok FROM current) AND message NOT IN (SELECT message FROM lost)),
  remembered AS (INSERT INTO once (env, hash, auto, fingerprint, object, expires)
    SELECT env, hash, auto, fingerprint, object, expires
    FROM unnest($31::bytea[], $32::bytea[], $33::boolean[], $34::bytea[], $35::bytea[], $36::bigint[])
      AS g(env, hash, auto, fingerprint, object, expires)
    WHERE (SELECT ok FROM current) AND object NOT IN (SELECT message FROM lost)),
  received AS (INSERT INTO requests
      (source, id, state, reason, detail, findings, remote, event_type, key, message, fingerprint, status, size, kept, received, note)
    SELECT source, id, 0, reason, detail, findings, remote, event_type, key, message, fingerprint, status, size, 0, received, note
    FROM unnest($39::bigint[], $40::bytea[], $41::text[], $42::text[], $43::bytea[], $44::text[], $45::text[], $46::text[], $47::bytea[],
      $48::bytea[], $49::integer[], $50::integer[], $51::bigint[], $52::text[])
      AS g(source, id, reason, detail, findings, remote, event_type, key, message, fingerprint, status, size, received, note)
    WHERE (SELECT ok FROM current) AND message NOT IN (SELECT message FROM lost))
  SELECT ok, lost.message FROM current LEFT JOIN lost ON true`

// receiveAtOnce is atOnce for groups with requests.
func (p *acceptance) receiveAtOnce(ctx context.Context, c *conn) (done bool, err error) {
	r := &p.requests
	args := append(p.arguments(), p.keys.ofBody, p.messages.envelope,
		r.source, r.id, r.reason, r.detail, r.findings, r.remote, r.eventType, r.key, r.message, r.fingerprint, r.status, r.size, r.received, r.note)
	lost := map[hook.ID]bool{}
	err = c.query(ctx, storeReceived, args, func(r *row) error {
		done = r.bool(0)
		if !r.null(1) {
			lost[r.id(1)] = true
		}
		return nil
	})
	if err != nil || len(lost) == 0 {
		return done, err
	}
	if p.loseSome(func(id hook.ID) bool { return lost[id] }) == len(p.messages.id) {
		p.messages = messageRows{} // nothing is stored
	}
	p.excuse(p.findReceived(ctx, c)) // the others are stored, whatever comes of this
	return true, nil
}

// loseSome marks the events that were to be stored and did not win, with all that
// was planned for them, and says how many they are.
func (p *acceptance) loseSome(lost func(hook.ID) bool) (n int) {
	for _, i := range p.items {
		if i.ended || !lost(i.event.ID) {
			continue
		}
		n++
		p.giveBackOf(i)
		i.call.due = slices.DeleteFunc(i.call.due, func(d dueNote) bool { return d.message == i.event.ID })
		i.out.Message = hook.Message{}
		i.lose()
	}
	return n
}

// excuse refuses the repetitions whose first message could not be looked up.
func (p *acceptance) excuse(err error) {
	for _, i := range p.items {
		if err != nil && i.byRequest() {
			i.out.Duplicate = false
			i.refuse(p.store.explain(err))
		}
	}
}

// byRequest reports whether the event is a repetition, and that not by an
// idempotency key.
func (i *acceptItem) byRequest() bool {
	return i.out.Duplicate && (i.use == nil || !i.use.repeated)
}

// firstReceived gives the messages that events repeat, by message or else by the
// event's id. One that is gone has only its id.
const firstReceived = `SELECT g.n, k.message, ` + messageColumns + `, ` + noBody + `
  FROM unnest($1::bigint[], $2::text[], $3::bytea[]) WITH ORDINALITY AS g(app, event_id, message, n)
    CROSS JOIN LATERAL (SELECT coalesce(g.message, (SELECT message FROM message_keys WHERE app = g.app AND event_id = g.event_id)) AS message) k
    LEFT JOIN LATERAL (SELECT * FROM messages WHERE app = g.app AND id = k.message LIMIT 1) m ON true`

// findReceived fills in the messages that were first, for repetitions by requests.
func (p *acceptance) findReceived(ctx context.Context, c *conn) error {
	var items []*acceptItem
	var apps []int64
	var eventIDs []string
	var messages [][]byte
	for _, i := range p.items {
		if i.byRequest() && i.same == nil {
			items, apps = append(items, i), append(apps, i.app.seq)
			eventIDs, messages = append(eventIDs, i.event.EventID), append(messages, idOrNil(i.first))
		}
	}
	if len(items) > 0 {
		if err := c.query(ctx, firstReceived, []any{apps, eventIDs, messages}, func(r *row) error {
			i := items[r.int(0)-1]
			m, err := scanMessage(r.from(2))
			if m.ID.IsZero() {
				m.Message = hook.Message{ID: r.id(1), EventID: i.event.EventID, BodyGone: true}
			}
			m.Env, m.App = i.event.Env, i.event.App
			i.out.Message = m.Message
			return err
		}); err != nil {
			return err
		}
	}
	for _, i := range p.items {
		if i.same != nil {
			i.follow()
		}
	}
	return nil
}

// follow gives an event what became of the one with the same request.
func (i *acceptItem) follow() {
	if i.same.out.Err != nil {
		i.out.Duplicate = false
		i.refuse(i.same.out.Err)
		return
	}
	i.out.Message = i.same.out.Message
	i.out.Message.Body, i.out.Message.Envelope = nil, nil
}

// lockRefused keeps requests that were refused from changing until the transaction
// ends. One that became a message meanwhile makes the event a repetition.
func (p *acceptance) lockRefused(ctx context.Context, c *conn) error {
	var items []*acceptItem
	var leave []*keyUse
	byID := map[hook.ID]*acceptItem{}
	for _, i := range p.items {
		if i.ended || !isRefused(i.event.Request) {
			continue
		}
		if other := byID[i.event.Request.ID]; other != nil {
			i.same = other
			i.lose()
			if i.use != nil {
				leave = append(leave, i.use)
			}
			continue
		}
		byID[i.event.Request.ID] = i
		items = append(items, i)
	}
	if len(items) == 0 {
		return nil
	}
	slices.SortFunc(items, func(a, b *acceptItem) int { return compareIDs(a.event.Request.ID, b.event.Request.ID) })
	var within idRange
	sources, ids := make([]int64, len(items)), make([][]byte, len(items))
	for n, i := range items {
		sources[n], ids[n] = i.app.seq, i.event.Request.ID[:]
		within.add(i.event.Request.ID)
	}
	there := map[*acceptItem]bool{}
	if err := c.query(ctx, `SELECT g.n, r.state = 0, r.message FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS g(source, id, n)
	    CROSS JOIN LATERAL (SELECT state, message FROM requests WHERE source = g.source AND id = g.id AND id >= $3 AND id <= $4 FOR UPDATE) r`,
		[]any{sources, ids, within.low, within.high}, func(r *row) error {
			i := items[r.int(0)-1]
			there[i] = true
			if r.bool(1) {
				i.first = r.id(2)
			}
			return nil
		}); err != nil {
		return err
	}
	for _, i := range items {
		switch {
		case !there[i]:
			i.refuse(hook.NotFound("request"))
		case !i.first.IsZero():
			i.lose()
		default:
			continue
		}
		if i.use != nil {
			leave = append(leave, i.use)
		}
	}
	return forgetKeys(ctx, c, leave)
}

// believe makes requests accepted that were refused before, in a transaction that
// has locked them.
func (p *acceptance) believe(ctx context.Context, c *conn) error {
	w := &p.believed
	if len(w.id) == 0 {
		return nil
	}
	_, err := c.exec(ctx, `UPDATE requests r SET state = 0, reason = g.reason, detail = g.detail, findings = g.findings,
	    event_type = g.event_type, key = g.key, message = g.message,
	    envelope = NULL, content_type = NULL, kept = 0, body = NULL
	  FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::bytea[])
	    AS g(source, id, reason, detail, findings, event_type, key, message)
	  WHERE r.source = g.source AND r.id = g.id AND r.id = ANY ($2) AND r.id >= $9 AND r.id <= $10`,
		w.source, w.id, w.reason, w.detail, w.findings, w.eventType, w.key, w.message, w.within.low, w.within.high)
	return err
}
