package sqlite

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// RegisterNode implements store.Queue. The file lock proves that no other
// process lives, so every lease in the file is free.
func (s *Store) RegisterNode(ctx context.Context, name string, now time.Time) (hook.Node, error) {
	var n hook.Node
	err := s.write(ctx, func(c *conn) error {
		if _, err := c.exec(`INSERT INTO nodes (name, epoch, started) VALUES (?, 1, ?)
		  ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, started = excluded.started`, name, now); err != nil {
			return err
		}
		if _, err := c.one(ctx, `SELECT id, epoch FROM nodes WHERE name = ?`, []any{name}, func(r *row) error {
			n = hook.Node{ID: r.int(0), Epoch: r.int(1)}
			return nil
		}); err != nil {
			return err
		}
		return freeLeases(c, s.writer.savedOpen, now)
	})
	return n, err
}

// freeLeases makes every leased delivery due: claimed ones again at their time,
// those leased at accept at now, in the lane they were in. A resend that was
// asked for meanwhile is the attempt that follows.
func freeLeases(c *conn, openFrom int64, now time.Time) error {
	if _, err := c.exec(`UPDATE deliveries SET node = NULL, epoch = NULL, again = 0,
	    state = CASE state WHEN 1 THEN 0 ELSE state END
	  WHERE due IS NOT NULL AND node IS NOT NULL`); err != nil {
		return err
	}
	_, err := c.exec(`UPDATE deliveries SET node = NULL, epoch = NULL, again = 0, state = 0, reason = ?, due = ?, updated = ?
	  WHERE message >= ? AND node IS NOT NULL`, int(hook.ReasonReleased), now, now, openFrom)
	return err
}

// Lanes implements store.Queue. It skips from lane to lane in the queue index,
// so its cost is that of the lanes, not of the deliveries in them. The order is
// that in which the endpoints were made.
func (s *Store) Lanes(ctx context.Context, after hook.ID, limit int) ([]hook.Lane, error) {
	var lanes []hook.Lane
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		at, lane := int64(0), int64(laneRetry)
		if !after.IsZero() {
			found, err := c.one(ctx, `SELECT seq FROM endpoints WHERE id = ?`, []any{after}, func(r *row) error {
				at = r.int(0)
				return nil
			})
			if err != nil || !found {
				return err
			}
		}
		// Both lanes of an endpoint are given together.
		for len(lanes) < limit || lane == laneFirst {
			next, found, err := nextLane(ctx, c, &at, &lane)
			if err != nil || !found {
				return err
			}
			lanes = append(lanes, next)
		}
		return nil
	})
	return lanes, err
}

// firstOfNextLane gives the earliest delivery of the lane after (endpoint, lane).
const firstOfNextLane = `SELECT endpoint, lane, due FROM deliveries INDEXED BY deliveries_queue
  WHERE due IS NOT NULL AND node IS NULL AND (endpoint, lane) > (?, ?)
  ORDER BY endpoint, lane, due LIMIT 1`

// nextLane gives the lane after (at, lane) in the queue index and moves there.
func nextLane(ctx context.Context, c *conn, at, lane *int64) (hook.Lane, bool, error) {
	var l hook.Lane
	found, err := c.one(ctx, firstOfNextLane, []any{*at, *lane}, func(r *row) error {
		*at, *lane = r.int(0), r.int(1)
		l.Retry, l.Due = *lane == laneRetry, r.time(2)
		return nil
	})
	if err != nil || !found {
		return l, false, err
	}
	_, err = c.one(ctx, `SELECT e.id, a.id FROM endpoints e JOIN applications a ON a.seq = e.app WHERE e.seq = ?`,
		[]any{*at}, func(r *row) error {
			l.Endpoint, l.App = r.id(0), r.id(1)
			return nil
		})
	return l, true, err
}

const (
	laneFirst = 0
	laneRetry = 1
)

func laneOf(retry bool) int {
	if retry {
		return laneRetry
	}
	return laneFirst
}

// Claim implements store.Queue.
func (s *Store) Claim(ctx context.Context, r hook.ClaimRequest) ([]hook.ClaimedLane, error) {
	var out []hook.ClaimedLane
	err := s.writer.do(ctx, &op{apply: func(w *writer) error {
		out = make([]hook.ClaimedLane, len(r.Lanes))
		room := r.MaxBytes
		for i, l := range r.Lanes {
			if err := w.claimLane(r, l, &room, &out[i]); err != nil {
				return broken{err}
			}
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// claimLane leases the earliest deliveries of one lane. room is what is left of
// ClaimRequest.MaxBytes.
func (w *writer) claimLane(r hook.ClaimRequest, l hook.ClaimLane, room *int, out *hook.ClaimedLane) error {
	e, err := w.endpoint(l.Endpoint)
	if err != nil {
		return err
	}
	switch {
	case e == nil:
		out.Closed = hook.ReasonEndpointDeleted
		return nil
	case e.endpoint.Disabled:
		out.Closed = hook.ReasonEndpointDisabled
		return nil
	}
	first := *room == r.MaxBytes // nothing leased by this call yet
	limit := l.Max
	if *room <= 0 && !first {
		limit = 0
	}
	if limit > 0 {
		if err := w.leaseDue(r, l, e, limit, room, out); err != nil {
			return err
		}
	}
	_, err = w.conn.one(context.Background(), `SELECT due FROM deliveries INDEXED BY deliveries_queue
	  WHERE endpoint = ? AND lane = ? AND due IS NOT NULL AND node IS NULL ORDER BY due LIMIT 1`,
		[]any{e.seq, laneOf(l.Retry)}, func(r *row) error {
			out.Next = r.time(0)
			return nil
		})
	return err
}

func (w *writer) leaseDue(r hook.ClaimRequest, l hook.ClaimLane, e *cachedEndpoint, limit int, room *int, out *hook.ClaimedLane) error {
	err := w.conn.query(context.Background(), `SELECT d.message, d.state, d.reason, d.attempts, d.step, d.manual, d.due, d.auto_due,
	    m.id, m.event_type, m.event_id, m.channels, m.tags, m.content_type, m.size, m.created, m.deliver_at, p.body
	  FROM deliveries d INDEXED BY deliveries_queue
	    JOIN messages m ON m.seq = d.message LEFT JOIN payloads p ON p.message = d.message
	  WHERE d.endpoint = ? AND d.lane = ? AND d.due IS NOT NULL AND d.node IS NULL AND d.due <= ?
	  ORDER BY d.due LIMIT ?`, []any{e.seq, laneOf(l.Retry), r.Now, limit}, func(row *row) error {
		if *room <= 0 && len(out.Leases) > 0 {
			return nil
		}
		lease, err := scanLease(row, r.Node, e, l.Retry)
		if err != nil {
			return err
		}
		*room -= lease.Size()
		out.Leases = append(out.Leases, lease)
		return nil
	})
	if err != nil {
		return err
	}
	for _, lease := range out.Leases {
		if _, err := w.conn.exec(`UPDATE deliveries SET node = ?, epoch = ?, state = CASE state WHEN 0 THEN 1 ELSE state END, updated = ?
		  WHERE message = ? AND endpoint = ?`, r.Node.ID, r.Node.Epoch, r.Now, lease.Ref.Message, lease.Ref.Endpoint); err != nil {
			return err
		}
	}
	return nil
}

func scanLease(r *row, node hook.Node, e *cachedEndpoint, retry bool) (*hook.Lease, error) {
	m := &hook.Message{
		ID: r.id(8), App: e.endpoint.App, Env: e.endpoint.Env, EventType: r.text(9), EventID: r.text(10),
		ContentType: contentType(r, 13), BodySize: int(r.int(14)), CreatedAt: r.time(15), DeliverAt: r.time(16),
		Body: r.blob(17), BodyGone: r.null(17),
	}
	if err := firstError(fromJSON(r, 11, &m.Channels), fromJSON(r, 12, &m.Tags)); err != nil {
		return nil, err
	}
	return &hook.Lease{
		Ref: hook.DeliveryRef{Message: r.int(0), Endpoint: e.seq}, Node: node,
		Message: m, Endpoint: e.endpoint, Number: int(r.int(3)) + 1, Due: r.time(6), Retry: retry,
		Tried: hook.Tried{
			State: hook.State(r.int(1)), Reason: hook.Reason(r.int(2)), Step: int(r.int(4)),
			Manual: r.bool(5), AutoDue: r.time(7),
		},
	}, nil
}

func contentType(r *row, i int) string {
	if r.null(i) {
		return "application/json"
	}
	return r.text(i)
}

// Release implements store.Queue. A resend that was asked for meanwhile is the
// attempt that follows.
func (s *Store) Release(ctx context.Context, leases []*hook.Lease, now time.Time) error {
	return s.writer.do(ctx, &op{apply: func(w *writer) error {
		for _, l := range leases {
			if _, err := w.conn.exec(`UPDATE deliveries SET node = NULL, epoch = NULL, again = 0, due = coalesce(due, ?),
			    state = CASE state WHEN 1 THEN 0 ELSE state END, updated = ?
			  WHERE message = ? AND endpoint = ? AND node = ? AND epoch = ?`,
				l.Due, now, l.Ref.Message, l.Ref.Endpoint, l.Node.ID, l.Node.Epoch); err != nil {
				return broken{err}
			}
			w.open.end(l.Ref.Message)
			delete(w.again, l.Ref)
		}
		return nil
	}})
}
