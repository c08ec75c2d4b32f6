package postgres

import (
	"context"
	"math"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// deliveryColumns are what scanDelivery reads, of deliveries d with its endpoint e.
const (
	deliveryColumns = `d.message, e.id, d.state, d.node IS NOT NULL, d.reason, d.attempts, d.step, d.manual, d.due, d.last_status,
  d.updated`
	deliveryColumnCount = 11
)

// scanDelivery shows a leased delivery of m as being sent, whatever state a resend
// of it may come back to.
func scanDelivery(r *row, m *hook.Message) hook.Delivery {
	d := hook.Delivery{
		Message: r.id(0), Endpoint: r.id(1), State: hook.State(r.int(2)), Reason: hook.Reason(r.int(4)),
		Attempts: int(r.int(5)), Step: int(r.int(6)), Manual: r.bool(7), Due: r.time(8), LastStatus: int(r.int(9)),
		CreatedAt: m.CreatedAt, UpdatedAt: r.time(10),
	}
	if r.bool(3) {
		d.State, d.Reason, d.Due = hook.Sending, hook.ReasonNone, time.Time{}
	}
	return d
}

// shownState is the state as scanDelivery gives it, in SQL.
const shownState = `CASE WHEN d.node IS NULL THEN d.state ELSE 1 END`

// deliveryFilter is the part that both lists share: deliveries that were tried
// or are planned, of the wanted states, of messages that pass the filters.
const deliveryFilter = `
    AND (d.attempts > 0 OR d.due IS NOT NULL OR d.node IS NOT NULL)
    AND ($8::integer[] IS NULL OR ` + shownState + ` = ANY ($8)) AND ` + messageFilter

// The LIMIT 1 makes the database look each row up by its key, whatever it believes
// about the tables.
var (
	listDeliveriesOfEndpoint = newListQuery(`SELECT ` + deliveryColumns + `, ` + messageColumns + `, CASE WHEN $7 THEN m.body END, CASE WHEN $7 THEN m.envelope END
  FROM deliveries d CROSS JOIN endpoints e
    CROSS JOIN LATERAL (SELECT m.id, m.app, m.config, m.event_type, m.event_id, m.channels, m.tags, m.content_type, m.size, m.created,
      m.deliver_at, m.body, m.envelope FROM messages m WHERE m.app = $9 AND m.id = d.message LIMIT 1) m
  WHERE d.endpoint = $1 AND e.seq = $1 AND d.message >= $2 AND d.message < $3` + deliveryFilter + `
  ORDER BY d.message {dir} LIMIT $10`)

	listDeliveriesOfMessage = newListQuery(`SELECT ` + deliveryColumns + `, ` + endpointColumns + `
  FROM deliveries d CROSS JOIN messages m
    CROSS JOIN LATERAL (SELECT ` + endpointColumns + ` FROM endpoints e WHERE e.seq = d.endpoint LIMIT 1) e
  WHERE d.message = $1 AND m.id = $1 AND m.app = $7 AND d.endpoint > $2 AND d.endpoint < $3` + deliveryFilter + `
  ORDER BY d.endpoint {dir} LIMIT $9`)
)

// ListDeliveries implements store.Attempts. The deliveries of an endpoint are in
// the order of their messages' ids, those of a message in the order in which their
// endpoints were made.
func (s *Store) ListDeliveries(ctx context.Context, f hook.DeliveryFilter) (out hook.PageOf[hook.DeliveryOf], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		app, err := appSeq(ctx, c, f.Env, f.App)
		if err != nil {
			return err
		}
		if f.Endpoint.IsZero() {
			out, err = deliveriesOfMessage(ctx, c, app, &f)
		} else {
			out, err = deliveriesOfEndpoint(ctx, c, app, &f)
		}
		return err
	})
	return out, err
}

func deliveriesOfEndpoint(ctx context.Context, c *conn, app int64, f *hook.DeliveryFilter) (out hook.PageOf[hook.DeliveryOf], err error) {
	e, err := findEndpoint(ctx, c, f.Env, f.App, app, hook.Ref{ID: f.Endpoint})
	if err != nil {
		return out, err
	}
	from, to := idBounds(f.Page, f.After, f.Before)
	return fetch(ctx, c, listDeliveriesOfEndpoint, f.Page, []any{e.seq, from, to, words(f.EventTypes), nullText(f.Channel), nullText(f.Tag),
		f.WithBody, stateNumbers(f.States), app}, func(r *row) (hook.DeliveryOf, error) {
		m, err := scanMessage(r.from(deliveryColumnCount))
		m.Env, m.App = f.Env, f.App
		return hook.DeliveryOf{Delivery: scanDelivery(r, &m.Message), Message: &m.Message}, err
	})
}

func deliveriesOfMessage(ctx context.Context, c *conn, app int64, f *hook.DeliveryFilter) (out hook.PageOf[hook.DeliveryOf], err error) {
	m, found, err := findMessage(ctx, c, app, hook.Ref{ID: f.Message}, false)
	if err == nil && !found {
		err = hook.NotFound("message")
	}
	if err != nil {
		return out, err
	}
	if from, to := idBounds(hook.Page{}, f.After, f.Before); compareIDs(m.ID, from) < 0 || compareIDs(m.ID, to) >= 0 {
		return out, nil
	}
	from, to, err := endpointBounds(ctx, c, app, f.Page)
	if err != nil {
		return out, err
	}
	return fetch(ctx, c, listDeliveriesOfMessage, f.Page, []any{m.ID, from, to, words(f.EventTypes), nullText(f.Channel), nullText(f.Tag),
		app, stateNumbers(f.States)}, func(r *row) (hook.DeliveryOf, error) {
		e, err := scanEndpoint(r.from(deliveryColumnCount))
		e.Env, e.App = f.Env, f.App
		return hook.DeliveryOf{Delivery: scanDelivery(r, &m.Message), Endpoint: &e}, err
	})
}

// maxSeq is above every row key.
const maxSeq = int64(math.MaxInt64)

// endpointBounds gives the row keys of the endpoints of a page, both exclusive.
func endpointBounds(ctx context.Context, c *conn, app int64, p hook.Page) (from, to int64, err error) {
	from, to = 0, maxSeq
	if p.From.IsZero() {
		return from, to, nil
	}
	at, exact, err := seqOf(ctx, c, `SELECT seq FROM endpoints WHERE app = $1 AND id = $2`, app, p.From)
	if err == nil && !exact { // it is gone: go on from where it would be
		at, exact, err = seqOf(ctx, c, `SELECT seq FROM endpoints WHERE app = $1 AND id >= $2 ORDER BY id LIMIT 1`, app, p.From)
		if !exact {
			at = maxSeq
		} else if ascends(p) {
			at--
		}
	}
	if ascends(p) {
		from = at
	} else {
		to = at
	}
	return from, to, err
}

// seqOf gives the row key that a query finds for an id of an application.
func seqOf(ctx context.Context, c *conn, query string, app int64, id hook.ID) (seq int64, found bool, err error) {
	found, err = c.one(ctx, query, []any{app, id}, func(r *row) error {
		seq = r.int(0)
		return nil
	})
	return seq, found, err
}

// stateNumbers is a list of states as one parameter; NULL if empty.
func stateNumbers(states []hook.State) any {
	if len(states) == 0 {
		return nil
	}
	numbers := make([]int32, len(states))
	for i, s := range states {
		numbers[i] = int32(s)
	}
	return numbers
}
