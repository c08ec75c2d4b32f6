package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// accepting is one call of Accept on its way through the writer.
type accepting struct {
	node   hook.Node
	places hook.Placer
	now    time.Time
	events []hook.NewEvent
	out    []hook.Accepted
	due    []dueNote // to tell places after the commit
}

type dueNote struct {
	endpoint *hook.Endpoint
	at       time.Time
}

// Accept implements store.Messages.
func (s *Store) Accept(ctx context.Context, node hook.Node, places hook.Placer, now time.Time, events []hook.NewEvent) ([]hook.Accepted, error) {
	a := &accepting{node: node, places: places, now: now, events: events, out: make([]hook.Accepted, len(events))}
	if err := s.writer.do(ctx, &op{apply: a.apply, settled: a.settled}); err != nil {
		return nil, err
	}
	return a.out, nil
}

func (a *accepting) apply(w *writer) error {
	for i := range a.events {
		if err := a.event(w, &a.events[i], &a.out[i]); err != nil {
			return broken{err}
		}
	}
	return nil
}

// settled tells the engine what became of the places it gave.
func (a *accepting) settled(err error) {
	if err != nil {
		for i := range a.out {
			for _, l := range a.out[i].Leased {
				a.places.Unreserve(l.Endpoint, l.Size())
			}
			a.out[i].Leased = nil
		}
		return
	}
	for _, d := range a.due {
		a.places.Due(d.endpoint, false, d.at)
	}
}

// event stores one event. A refusal goes to out.Err before anything is
// written; the error returned is the store's own.
func (a *accepting) event(w *writer, e *hook.NewEvent, out *hook.Accepted) error {
	app, err := w.app(e.Env, e.App)
	if err != nil {
		return err
	}
	if app == nil || app.source && e.Published {
		out.Err = hook.NotFound("application")
		return nil
	}
	if e.Request != nil {
		if done, err := a.receivable(w, app, e, out); done || err != nil {
			return err
		}
	}
	if e.EventID != "" {
		// Before the idempotency key is remembered: a refused event must not
		// leave one. The same key asked again finds its own event id taken, so
		// the key is looked at first.
		if done, err := a.repeated(w, app, e, out); done || err != nil {
			return err
		}
		n, err := w.conn.exec(`INSERT INTO message_keys (app, event_id, message) VALUES (?,?,?) ON CONFLICT DO NOTHING`,
			app.seq, e.EventID, w.lastMessage+1)
		if err != nil {
			return err
		}
		if n == 0 && e.Request != nil {
			return a.firstReceived(w, app, e, hook.Ref{UID: e.EventID}, out)
		}
		if n == 0 {
			out.Err = &hook.Error{Code: hook.CodeConflict, Detail: "A message with this eventId exists already."}
			return nil
		}
	}
	object, duplicate, err := w.once(e.Env, e.Idempotency, e.ID, a.now)
	if err != nil {
		return refusal(err, out)
	}
	if duplicate {
		return a.first(w, app, e, object, out)
	}
	return a.store(w, app, e, out)
}

// repeated answers an event whose idempotency key is known.
func (a *accepting) repeated(w *writer, app *cachedApp, e *hook.NewEvent, out *hook.Accepted) (bool, error) {
	if e.Idempotency == nil {
		return false, nil
	}
	before, found, err := w.recall(e.Env, e.Idempotency)
	if err != nil || !found || !a.now.Before(before.expires) {
		return false, err
	}
	object, _, err := w.once(e.Env, e.Idempotency, e.ID, a.now)
	if err != nil {
		return true, refusal(err, out)
	}
	return true, a.first(w, app, e, object, out)
}

// refusal puts an error that the caller may see into out.
func refusal(err error, out *hook.Accepted) error {
	var known *hook.Error
	if errors.As(err, &known) {
		out.Err = known
		return nil
	}
	return err
}

// first fills out with the message that a key led to before.
func (a *accepting) first(w *writer, app *cachedApp, e *hook.NewEvent, id hook.ID, out *hook.Accepted) error {
	m, found, err := findMessage(context.Background(), w.conn, app.seq, hook.Ref{ID: id}, true)
	if err != nil {
		return err
	}
	if !found {
		out.Err = hook.NotFound("message; it was removed since this idempotency key was used")
		return nil
	}
	m.Env, m.App = e.Env, e.App
	out.Message, out.Duplicate = m.Message, true
	return nil
}

// store writes the message, its body and one delivery for each endpoint that
// gets it, or would if it were enabled.
func (a *accepting) store(w *writer, app *cachedApp, e *hook.NewEvent, out *hook.Accepted) error {
	w.lastMessage++
	seq := w.lastMessage
	out.Message = e.Message
	out.Message.BodySize = len(e.Body)
	if e.Request != nil && e.Envelope == nil {
		out.Message.Envelope = e.Request.Envelope
	}
	envelope, err := envelopeColumn(out.Message.Envelope)
	if err != nil {
		return err
	}
	var contentType any
	if e.ContentType != "application/json" {
		contentType = e.ContentType
	}
	body := e.Body
	if body == nil {
		body = []byte{} // there is one, and it is empty
	}
	if _, err := w.conn.exec(`INSERT INTO messages
	  (seq, app, id, event_type, event_id, channels, tags, content_type, size, created, deliver_at, body_expires, body, envelope)
	  VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		seq, app.seq, e.ID, e.EventType, nullText(e.EventID), toJSON(e.Channels), toJSON(e.Tags),
		contentType, len(e.Body), e.CreatedAt, e.DeliverAt, e.BodyExpiresAt, body, envelope); err != nil {
		return err
	}
	if e.Request != nil {
		if err := w.putAccepted(app, seq, e); err != nil {
			return err
		}
	}
	for _, ep := range app.endpoints {
		if err := a.deliver(w, seq, ep, e, out); err != nil {
			return err
		}
	}
	return nil
}

// deliver writes the delivery for one endpoint, if it matches.
func (a *accepting) deliver(w *writer, seq int64, ep *cachedEndpoint, e *hook.NewEvent, out *hook.Accepted) error {
	verdict := hook.Match(e.EventType, e.Channels, ep.endpoint.Filters())
	if !e.Only.IsZero() {
		if ep.endpoint.ID != e.Only {
			return nil
		}
		verdict = hook.Matched
		if ep.endpoint.Disabled {
			verdict = hook.EndpointDisabled
		}
	}
	state, reason := hook.Pending, hook.ReasonNone
	var due, node, epoch any
	var lease *hook.Lease
	switch verdict {
	case hook.EventTypeDiffers, hook.ChannelDiffers:
		return nil
	case hook.EndpointDisabled:
		state, reason = hook.Canceled, hook.ReasonEndpointDisabled
	case hook.Matched:
		out.Matched++
		at := e.CreatedAt
		if !e.DeliverAt.IsZero() {
			at, reason = e.DeliverAt, hook.ReasonScheduled
		}
		if e.DeliverAt.IsZero() && a.places.Reserve(ep.endpoint, len(e.Body)) {
			state, node, epoch = hook.Sending, a.node.ID, a.node.Epoch
			lease = &hook.Lease{
				Ref: hook.DeliveryRef{Message: seq, Endpoint: ep.seq}, Node: a.node,
				Message: &out.Message, Endpoint: ep.endpoint, Number: 1, Due: at, AtAccept: true,
			}
			out.Leased = append(out.Leased, lease)
			w.open.lease(seq)
		} else {
			due = at
			a.due = append(a.due, dueNote{ep.endpoint, at})
		}
	}
	_, err := w.conn.exec(`INSERT INTO deliveries
	  (message, endpoint, state, reason, attempts, step, manual, again, lane, due, node, epoch, last_status, updated)
	  VALUES (?,?,?,?,0,0,0,0,0,?,?,?,0,?)`,
		seq, ep.seq, int(state), int(reason), due, node, epoch, a.now)
	return err
}

func nullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}
