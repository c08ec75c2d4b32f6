package postgres

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// sliceMessages is how many messages one transaction removes or changes, and
	// sliceRows how many of the small rows.
	sliceMessages = 500
	sliceRows     = 5000
	// tokenRest is how long the token of an application is kept after its end.
	tokenRest = 30 * 24 * time.Hour
)

// slice is one call of Expire.
type slice struct {
	store *Store
	keep  hook.Retention
	now   time.Time
}

// chore removes a bounded number of rows of one kind, in transactions of its own.
type chore func(*slice, context.Context) (hook.Expired, error)

// chores all have their turn in each call, so that none waits for another.
var chores = []chore{
	(*slice).keys, (*slice).tokens, (*slice).endedPeople, (*slice).ownPayloads, (*slice).oldPayloads, (*slice).oldAttempts, (*slice).oldRequests, (*slice).oldMessages,
	(*slice).loneRequests, (*slice).detached, (*slice).oldRollups, (*slice).oldTraffic, (*slice).oldIssues, (*slice).oldFailing, (*slice).news, (*slice).deletedEndpoints, (*slice).deletedSources, (*slice).deletedApplications,
}

// Expire implements store.Upkeep. It first makes the partitions for what is to
// come, and sums up: no attempt goes before it is in its rollup.
//
// Messages go with their partition. One that lies wholly before the limit and has
// more than 10,000 messages is dropped as a whole; a smaller one is emptied row by
// row as its messages grow old, and dropped at last. In between, a big one waits:
// what is in it stays up to the time that one partition covers longer than it is
// kept. The same goes for payloads and attempts. What is dropped with a partition
// can be counted only after the transaction that takes it out of sight: it is
// reported by the slice that removes the table.
//
// Beside what the contract says it forgets endpoints and applications that were
// deleted longer ago than messages are kept, tokens of applications that ended 30
// days ago, nodes that ended a day ago, and what nodes told each other.
func (s *Store) Expire(ctx context.Context, keep hook.Retention, now time.Time) (out hook.Expired, err error) {
	if err := s.partitions.ensure(ctx, now, now.Add(s.opts.PartitionWidth)); err != nil {
		return out, err
	}
	if keep.Messages > 0 || keep.Attempts > 0 {
		n, err := s.RollUp(ctx, sliceRows)
		if err != nil || n == sliceRows {
			return hook.Expired{More: true}, err
		}
		if more, err := s.countMessages(ctx, trafficSlice); err != nil || more {
			return hook.Expired{More: true}, err
		}
	}
	sl := &slice{store: s, keep: keep, now: now}
	for _, c := range chores {
		one, err := c(sl, ctx)
		if err != nil {
			return out, err
		}
		out.Messages += one.Messages
		out.Payloads += one.Payloads
		out.Attempts += one.Attempts
		out.Keys += one.Keys
		out.Requests += one.Requests
		out.Unsent += one.Unsent
		out.More = out.More || one.More
	}
	return out, nil
}

// write runs fn in a transaction and gives what it removed if it was committed.
func (s *slice) write(ctx context.Context, fn func(ctx context.Context, c *conn) (hook.Expired, error)) (out hook.Expired, err error) {
	err = s.store.write(ctx, func(ctx context.Context, c *conn) error {
		one, err := fn(ctx, c)
		out = one
		return err
	})
	if err != nil {
		return hook.Expired{}, err
	}
	return out, nil
}

// long is write for what may take longer than Options.MaxWait, and is not done again.
func (s *slice) long(ctx context.Context, fn func(ctx context.Context, c *conn) (hook.Expired, error)) (out hook.Expired, err error) {
	err = s.store.explain(s.store.transaction(ctx, func(ctx context.Context, c *conn) (err error) {
		out, err = fn(ctx, c)
		return err
	}))
	if err != nil {
		return hook.Expired{}, err
	}
	return out, nil
}

// keys removes idempotency keys that have ended.
func (s *slice) keys(ctx context.Context) (hook.Expired, error) {
	return s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		for _, auto := range []bool{true, false} {
			n, err := c.exec(ctx, `DELETE FROM once WHERE ctid = ANY (ARRAY(
			  SELECT ctid FROM once WHERE auto = $1 AND expires <= $2 ORDER BY expires LIMIT $3))`, auto, s.now, sliceRows)
			if err != nil {
				return out, err
			}
			out.Keys += int(n)
			out.More = out.More || n == sliceRows
		}
		return out, nil
	})
}

func (s *slice) tokens(ctx context.Context) (hook.Expired, error) {
	return s.write(ctx, func(ctx context.Context, c *conn) (hook.Expired, error) {
		n, err := c.exec(ctx, `DELETE FROM api_keys WHERE ctid = ANY (ARRAY(
		  SELECT ctid FROM api_keys WHERE app IS NOT NULL AND expires IS NOT NULL AND expires <= $1 ORDER BY expires LIMIT $2))`,
			s.now.Add(-tokenRest), sliceRows)
		return hook.Expired{More: n == sliceRows}, err
	})
}

// ownPayloads drops payloads whose own time has come.
func (s *slice) ownPayloads(ctx context.Context) (hook.Expired, error) {
	return s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		var old messageKeys
		if err := c.query(ctx, `SELECT app, id FROM messages WHERE body_expires <= $1 LIMIT $2`, []any{s.now, sliceMessages}, old.scan); err != nil {
			return out, err
		}
		out, err = s.dropPayloads(ctx, c, &old)
		out.More = len(old.ids) == sliceMessages
		return out, err
	})
}

// oldPayloads drops payloads without a time of their own that are older than
// retention keeps them, one partition after the other.
func (s *slice) oldPayloads(ctx context.Context) (hook.Expired, error) {
	if s.keep.Payloads <= 0 {
		return hook.Expired{}, nil
	}
	limit := s.now.Add(-s.keep.Payloads)
	return s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		spans, err := existing(ctx, c)
		if err != nil {
			return out, err
		}
		at, err := findPlace(ctx, c)
		if err != nil {
			return out, err
		}
		for _, p := range spans {
			switch {
			case compareIDs(p.to(), at.id) <= 0: // done
			case !p.From.Before(limit):
				return out, nil
			case !p.endedBefore(limit):
				return s.dropYoung(ctx, c, p, limit)
			default:
				return s.dropFrom(ctx, c, p, at)
			}
		}
		return out, nil
	})
}

// dropYoung drops the payloads in a partition that is not all old, if it is small.
func (s *slice) dropYoung(ctx context.Context, c *conn, p span, limit time.Time) (out hook.Expired, err error) {
	if big, err := p.isBig(ctx, c); err != nil || big {
		return out, err
	}
	var old messageKeys
	if err := c.query(ctx, `SELECT app, id FROM messages
	  WHERE id >= $1 AND id < $2 AND body IS NOT NULL AND body_expires IS NULL AND created < $3 LIMIT $4`,
		[]any{p.from(), p.to(), limit, sliceMessages}, old.scan); err != nil {
		return out, err
	}
	out, err = s.dropPayloads(ctx, c, &old)
	out.More = len(old.ids) == sliceMessages
	return out, err
}

// payloadPlace says how far payloads are dropped: in all partitions that end at id
// or before, and in the one that has id, in the order of (app, id). Only partitions
// that are all old have it moved through them.
type payloadPlace struct {
	app int64
	id  hook.ID
}

func findPlace(ctx context.Context, c *conn) (at payloadPlace, err error) {
	_, err = c.one(ctx, `SELECT commit, within FROM cursors WHERE name = 'payloads' FOR UPDATE`, nil, func(r *row) error {
		at = payloadPlace{r.int(0), r.id(1)}
		return nil
	})
	return at, err
}

// dropFrom drops payloads in a partition that is all old, from a place on, and
// keeps how far it came.
func (s *slice) dropFrom(ctx context.Context, c *conn, p span, at payloadPlace) (out hook.Expired, err error) {
	if compareIDs(at.id, p.from()) < 0 {
		at = payloadPlace{id: p.from()}
	}
	var old messageKeys
	looked := 0
	if err := c.query(ctx, payloadsFrom, []any{p.from(), p.to(), at.app, at.id, sliceMessages}, func(r *row) error {
		looked++
		at = payloadPlace{r.int(0), r.id(1)}
		if r.bool(2) {
			return old.scan(r)
		}
		return nil
	}); err != nil {
		return out, err
	}
	if looked < sliceMessages {
		at = payloadPlace{id: p.to()}
	}
	if out, err = s.dropPayloads(ctx, c, &old); err != nil {
		return out, err
	}
	out.More = true // in this partition, or in the next one
	_, err = c.exec(ctx, `INSERT INTO cursors (name, commit, within) VALUES ('payloads', $1, $2)
	  ON CONFLICT (name) DO UPDATE SET commit = excluded.commit, within = excluded.within`, at.app, at.id)
	return out, err
}

const payloadsFrom = `SELECT app, id, body IS NOT NULL AND body_expires IS NULL FROM messages
  WHERE id >= $1 AND id < $2 AND (app, id) > ($3, $4) ORDER BY app, id LIMIT $5`

// dropPayloads drops payloads and ends what waits to send them. A delivery in
// flight is left to its node, which has the payload.
func (s *slice) dropPayloads(ctx context.Context, c *conn, m *messageKeys) (out hook.Expired, err error) {
	if len(m.ids) == 0 {
		return out, nil
	}
	n, err := c.exec(ctx, `UPDATE messages m SET body = NULL, envelope = NULL, body_expires = NULL FROM unnest($1::bigint[], $2::bytea[]) AS g(app, id)
	  WHERE m.app = g.app AND m.id = g.id AND m.id >= $3 AND m.id <= $4 AND m.body IS NOT NULL`, m.apps, m.ids, m.within.low, m.within.high)
	if err != nil {
		return out, err
	}
	out.Payloads = int(n)
	out.Unsent, _, err = s.endWaiting(ctx, c, `DELETE FROM queue WHERE message = ANY ($1::bytea[]) AND node IS NULL RETURNING message, endpoint`, m.ids)
	return out, err
}

// endWaiting takes deliveries out of the queue, by a statement that gives their
// keys, and ends them. It reports how many were still to be sent of how many.
func (s *slice) endWaiting(ctx context.Context, c *conn, leave string, args ...any) (unsent, of int, err error) {
	var keys deliveryKeys
	var within idRange
	if err := c.query(ctx, leave, args, func(r *row) error {
		keys.add(r.id(0), r.int(1))
		within.add(r.id(0))
		return nil
	}); err != nil || len(keys.message) == 0 {
		return 0, 0, err
	}
	const these = ` FROM unnest($1::bytea[], $2::bigint[]) AS g(message, endpoint)
	  WHERE d.message = g.message AND d.endpoint = g.endpoint AND d.message >= $4 AND d.message <= $5 AND d.node IS NULL`
	n, err := c.exec(ctx, `UPDATE deliveries d SET state = $6, reason = $7, due = NULL, auto_due = NULL, manual = false, updated = $3`+these+
		` AND d.state = 0`, keys.message, keys.endpoint, s.now, within.low, within.high, int(hook.Canceled), int(hook.ReasonExpired))
	if err == nil {
		err = keys.endRetrying(ctx, c)
	}
	if err != nil {
		return 0, 0, err
	}
	// A resend of a delivery that has ended is dropped; the delivery stays as it is.
	_, err = c.exec(ctx, `UPDATE deliveries d SET due = NULL, auto_due = NULL, manual = false, updated = $3`+these+
		` AND d.due IS NOT NULL`, keys.message, keys.endpoint, s.now, within.low, within.high)
	return int(n), len(keys.message), err
}

// messageKeys are keys of messages by column.
type messageKeys struct {
	apps   []int64
	ids    [][]byte
	within idRange
}

// scan adds the key in the first columns of a row.
func (m *messageKeys) scan(r *row) error {
	id := r.id(1)
	m.apps, m.ids = append(m.apps, r.int(0)), append(m.ids, id[:])
	m.within.add(id)
	return nil
}
