package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Lanes implements store.Queue. It skips from lane to lane in the queue index,
// so its cost is that of the lanes, not of the deliveries in them. The order is
// that in which the endpoints were made. Both lanes of an endpoint are given
// together, so there may be one more than limit.
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
		for {
			before := at
			next, found, err := nextLane(ctx, c, &at, &lane)
			// Both lanes of an endpoint are given together.
			if err != nil || !found || len(lanes) >= limit && at != before {
				return err
			}
			lanes = append(lanes, next)
		}
	})
	return lanes, err
}

// skipLane moves (at, lane) to the next lane in the queue index and gives the
// time of its earliest delivery. These are two queries, because SQLite would
// read a whole lane to get past (endpoint, lane) > (?, ?).
func skipLane(ctx context.Context, c *conn, at, lane *int64) (due time.Time, found bool, err error) {
	here := func(r *row) error {
		*at, *lane, due = r.int(0), r.int(1), r.time(2)
		return nil
	}
	if *lane == laneFirst {
		found, err = c.one(ctx, `SELECT endpoint, lane, due FROM deliveries INDEXED BY deliveries_queue
		  WHERE due IS NOT NULL AND node IS NULL AND endpoint = ? AND lane > ? ORDER BY lane, due LIMIT 1`, []any{*at, *lane}, here)
		if found || err != nil {
			return due, found, err
		}
	}
	found, err = c.one(ctx, `SELECT endpoint, lane, due FROM deliveries INDEXED BY deliveries_queue
	  WHERE due IS NOT NULL AND node IS NULL AND endpoint > ? ORDER BY endpoint, lane, due LIMIT 1`, []any{*at}, here)
	return due, found, err
}

// nextLane gives the lane after (at, lane) in the queue index and moves there.
func nextLane(ctx context.Context, c *conn, at, lane *int64) (hook.Lane, bool, error) {
	var l hook.Lane
	due, found, err := skipLane(ctx, c, at, lane)
	l.Retry, l.Due = *lane == laneRetry, due
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
		room := claimRoom{bytes: r.MaxBytes}
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

// claimLane leases the earliest deliveries of one lane.
func (w *writer) claimLane(r hook.ClaimRequest, l hook.ClaimLane, room *claimRoom, out *hook.ClaimedLane) error {
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
	if l.Max > 0 {
		if err := w.leaseDue(r, l, e, room, out); err != nil {
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

// errFull ends a query when there is no more room for what it gives.
var errFull = errors.New("no more room")

func (w *writer) leaseDue(r hook.ClaimRequest, l hook.ClaimLane, e *cachedEndpoint, room *claimRoom, out *hook.ClaimedLane) error {
	err := w.conn.query(context.Background(), `SELECT d.message, d.state, d.reason, d.attempts, d.step, d.manual, d.due, d.auto_due,
	    m.id, m.event_type, m.event_id, m.channels, m.tags, m.content_type, m.size, m.created, m.deliver_at, m.body, m.envelope
	  FROM deliveries d INDEXED BY deliveries_queue
	    JOIN messages m ON m.seq = d.message
	  WHERE d.endpoint = ? AND d.lane = ? AND d.due IS NOT NULL AND d.node IS NULL AND d.due <= ?
	  ORDER BY d.due LIMIT ?`, []any{e.seq, laneOf(l.Retry), r.Now, l.Max}, func(row *row) error {
		lease, err := scanLease(row, r.Node, e, l.Retry)
		if err != nil {
			return err
		}
		if !room.take(lease.Size()) {
			return errFull
		}
		out.Leases = append(out.Leases, lease)
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
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

// claimRoom is what is left of ClaimRequest.MaxBytes. The first delivery is
// taken whatever its size, or a body larger than all the room would never be sent.
type claimRoom struct {
	bytes int
	taken bool
}

func (c *claimRoom) take(size int) bool {
	if c.taken && size > c.bytes {
		return false
	}
	c.bytes -= size
	c.taken = true
	return true
}

func scanLease(r *row, node hook.Node, e *cachedEndpoint, retry bool) (*hook.Lease, error) {
	m := &hook.Message{
		ID: r.id(8), App: e.endpoint.App, Env: e.endpoint.Env, EventType: r.text(9), EventID: r.text(10),
		ContentType: contentType(r, 13), BodySize: int(r.int(14)), CreatedAt: r.time(15), DeliverAt: r.time(16),
		Body: r.blob(17), BodyGone: r.null(17),
	}
	if err := firstError(fromJSON(r, 11, &m.Channels), fromJSON(r, 12, &m.Tags), fromJSON(r, 18, &m.Envelope)); err != nil {
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

// Release implements store.Queue.
func (s *Store) Release(ctx context.Context, leases []*hook.Lease, now time.Time) error {
	return s.writer.do(ctx, &op{apply: func(w *writer) error {
		for _, l := range leases {
			n, err := w.conn.exec(`UPDATE deliveries SET `+backInLane+`, updated = ?3
			  WHERE message = ?4 AND endpoint = ?5 AND node = ?6 AND epoch = ?7`,
				l.Due, int(hook.ReasonReleased), now, l.Ref.Message, l.Ref.Endpoint, l.Node.ID, l.Node.Epoch)
			if err != nil {
				return broken{err}
			}
			if n > 0 {
				w.endedAtAccept(l)
				w.wantedAgain(l.Ref) // it is planned now
			}
		}
		return nil
	}})
}
