package sqlite

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// deliveryColumns are what scanDelivery reads, of deliveries d with its message
// m and its endpoint e.
const (
	deliveryColumns = `m.id, e.id, d.state, d.node IS NOT NULL, d.reason, d.attempts, d.step, d.manual, d.due, d.last_status,
  m.created, d.updated`
	deliveryColumnCount = 12
)

// scanDelivery shows a leased delivery as being sent, whatever state a resend of
// it may come back to.
func scanDelivery(r *row) hook.Delivery {
	d := hook.Delivery{
		Message: r.id(0), Endpoint: r.id(1), State: hook.State(r.int(2)), Reason: hook.Reason(r.int(4)),
		Attempts: int(r.int(5)), Step: int(r.int(6)), Manual: r.bool(7), Due: r.time(8), LastStatus: int(r.int(9)),
		CreatedAt: r.time(10), UpdatedAt: r.time(11),
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
    AND (?8 IS NULL OR ` + shownState + ` IN (SELECT value FROM json_each(?8)))
    AND m.id >= ?9 AND m.id < ?10 AND ` + messageFilter

var (
	listDeliveriesOfEndpoint = newListQuery(`SELECT ` + deliveryColumns + `, ` + messageColumns + `, CASE WHEN ?7 THEN m.body END
  FROM deliveries d INDEXED BY deliveries_endpoint
    CROSS JOIN messages m ON m.seq = d.message CROSS JOIN endpoints e ON e.seq = d.endpoint
  WHERE d.endpoint = ?1 AND d.message > ?2 AND d.message < ?3` + deliveryFilter + `
  ORDER BY d.message {dir} LIMIT ?11`)

	listDeliveriesOfMessage = newListQuery(`SELECT ` + deliveryColumns + `, ` + endpointColumns + `
  FROM deliveries d CROSS JOIN messages m ON m.seq = d.message CROSS JOIN endpoints e ON e.seq = d.endpoint
  WHERE d.message = ?1 AND d.endpoint > ?2 AND d.endpoint < ?3` + deliveryFilter + `
  ORDER BY d.endpoint {dir} LIMIT ?11`)
)

// ListDeliveries implements store.Attempts. The deliveries of an endpoint are in
// the order in which their messages were committed, those of a message in the
// order in which their endpoints were made.
func (s *Store) ListDeliveries(ctx context.Context, f hook.DeliveryFilter) (out hook.PageOf[hook.DeliveryOf], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		l, err := deliveriesOf(ctx, c, &f)
		if err != nil {
			return err
		}
		out, err = fetch(ctx, c, l.query, f.Page, []any{l.of, l.from, l.to, jsonList(f.EventTypes), nullText(f.Channel),
			nullText(f.Tag), f.WithBody, jsonStates(f.States), l.fromID, l.toID}, l.scan)
		return err
	})
	return out, err
}

// deliveryList is what a DeliveryFilter comes down to.
type deliveryList struct {
	query        listQuery
	of           int64 // row key of the endpoint or the message
	from, to     int64 // row keys of messages or endpoints, exclusive
	fromID, toID hook.ID
	scan         func(*row) (hook.DeliveryOf, error)
}

func deliveriesOf(ctx context.Context, c *conn, f *hook.DeliveryFilter) (l deliveryList, err error) {
	app, err := appSeq(ctx, c, f.Env, f.App)
	if err != nil {
		return l, err
	}
	if !f.Endpoint.IsZero() {
		e, err := findEndpoint(ctx, c, f.Env, f.App, app, hook.Ref{ID: f.Endpoint})
		if err != nil {
			return l, err
		}
		l = deliveryList{query: listDeliveriesOfEndpoint, of: e.seq, scan: func(r *row) (hook.DeliveryOf, error) {
			m, err := scanMessage(r.from(deliveryColumnCount))
			m.Env, m.App = f.Env, f.App
			return hook.DeliveryOf{Delivery: scanDelivery(r), Message: &m.Message}, err
		}}
		return l, l.boundByMessage(ctx, c, app, f)
	}
	m, err := messageOf(ctx, c, f.Env, f.App, hook.Ref{ID: f.Message}, false)
	if err != nil {
		return l, err
	}
	l = deliveryList{query: listDeliveriesOfMessage, of: m.seq, scan: func(r *row) (hook.DeliveryOf, error) {
		e, err := scanEndpoint(r.from(deliveryColumnCount))
		e.Env, e.App = f.Env, f.App
		return hook.DeliveryOf{Delivery: scanDelivery(r), Endpoint: &e}, err
	}}
	return l, l.boundByEndpoint(ctx, c, app, f)
}

// boundByMessage bounds a list of an endpoint. A place that is no message of the
// application, such as one that has expired, bounds the ids instead of the row keys.
func (l *deliveryList) boundByMessage(ctx context.Context, c *conn, app int64, f *hook.DeliveryFilter) error {
	p, since, until := f.Page, f.After, f.Before
	at, exact, err := seqOf(ctx, c, `SELECT seq FROM messages INDEXED BY messages_app WHERE app = ? AND id = ?`, app, p.From)
	switch {
	case err != nil:
		return err
	case exact || p.From.IsZero():
		p.From = hook.ID{}
	case ascends(p) && p.From.Time().After(since):
		since = p.From.Time()
	case !ascends(p) && (until.IsZero() || p.From.Time().Before(until)):
		until = p.From.Time()
	}
	l.fromID, l.toID = idBounds(p, f.After, f.Before)
	if l.from, l.to, err = seqRange(ctx, c, app, since, until); err != nil || !exact {
		return err
	}
	if ascends(p) {
		l.from = max(l.from, at)
	} else {
		l.to = min(l.to, at)
	}
	return nil
}

// boundByEndpoint bounds a list of a message.
func (l *deliveryList) boundByEndpoint(ctx context.Context, c *conn, app int64, f *hook.DeliveryFilter) error {
	l.fromID, l.toID = idBounds(hook.Page{}, f.After, f.Before)
	l.from, l.to = 0, maxSeq
	p := f.Page
	if p.From.IsZero() {
		return nil
	}
	at, exact, err := seqOf(ctx, c, `SELECT seq FROM endpoints WHERE app = ? AND id = ?`, app, p.From)
	if err == nil && !exact { // it is gone: go on from where it would be
		at, exact, err = seqOf(ctx, c, `SELECT seq FROM endpoints INDEXED BY endpoints_app WHERE app = ? AND id >= ? ORDER BY id LIMIT 1`, app, p.From)
		if !exact {
			at = maxSeq
		} else if ascends(p) {
			at--
		}
	}
	if ascends(p) {
		l.from = at
	} else {
		l.to = at
	}
	return err
}

// seqOf gives the row key that a query finds for an id of an application.
func seqOf(ctx context.Context, c *conn, query string, app int64, id hook.ID) (seq int64, found bool, err error) {
	found, err = c.one(ctx, query, []any{app, id}, func(r *row) error {
		seq = r.int(0)
		return nil
	})
	return seq, found, err
}

// jsonStates is a list of states as one parameter; NULL if empty.
func jsonStates(states []hook.State) any {
	if len(states) == 0 {
		return nil
	}
	numbers := make([]int, len(states))
	for i, s := range states {
		numbers[i] = int(s)
	}
	return jsonInts(numbers)
}
