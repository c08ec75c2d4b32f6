package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Resend implements store.Queue.
func (s *Store) Resend(ctx context.Context, env, app hook.ID, message, endpoint hook.Ref, now time.Time, once *hook.IdempotencyKey) (hook.Lane, error) {
	var lane hook.Lane
	err := s.writeWith(ctx, func(w *writer) error {
		a, err := w.app(env, app)
		if err != nil {
			return err
		}
		if a == nil {
			return hook.NotFound("application")
		}
		m, found, err := findMessage(ctx, w.conn, a.seq, message, false)
		if err != nil {
			return err
		}
		if !found {
			return hook.NotFound("message")
		}
		e := a.find(endpoint)
		if e == nil {
			return hook.NotFound("endpoint")
		}
		lane = hook.Lane{Endpoint: e.endpoint.ID, App: app, Retry: true, Due: now}
		if _, repeated, err := w.once(env, once, m.ID, now); err != nil || repeated {
			return err
		}
		if err := resendable(&m.Message, e.endpoint); err != nil {
			return err
		}
		return w.queueManual(hook.DeliveryRef{Message: m.seq, Endpoint: e.seq}, now)
	})
	return lane, err
}

// find gives an endpoint of the application by id or uid.
func (a *cachedApp) find(ref hook.Ref) *cachedEndpoint {
	for _, e := range a.endpoints {
		if e.endpoint.ID == ref.ID || ref.UID != "" && e.endpoint.UID == ref.UID {
			return e
		}
	}
	return nil
}

func resendable(m *hook.Message, e *hook.Endpoint) error {
	if e.Disabled {
		return &hook.Error{Code: hook.CodeDisabled, Detail: fmt.Sprintf(
			"The endpoint has been disabled (%s) since %s.", e.DisabledReason, e.DisabledAt.Format(time.RFC3339))}
	}
	if m.BodyGone {
		return &hook.Error{Code: hook.CodeMissingPayload, Detail: "The payload of this message is no longer stored."}
	}
	return nil
}

// queueManual makes a manual attempt of a delivery due now. The time of the
// automatic attempt, if one is planned, is remembered. While an attempt is in
// flight exactly one more is noted.
func (w *writer) queueManual(ref hook.DeliveryRef, now time.Time) error {
	n, err := w.conn.exec(`UPDATE deliveries SET again = 1, updated = ? WHERE message = ? AND endpoint = ? AND node IS NOT NULL`,
		now, ref.Message, ref.Endpoint)
	if err != nil {
		return err
	}
	if n > 0 {
		w.again[ref] = struct{}{}
		return nil
	}
	// A delivery that did not exist has no schedule: if the attempt fails, it has failed.
	_, err = w.conn.exec(`INSERT INTO deliveries
	    (message, endpoint, state, reason, attempts, step, manual, again, lane, due, last_status, updated)
	  VALUES (?1, ?2, ?4, ?5, 0, 0, 1, 0, 1, ?3, 0, ?3)
	  ON CONFLICT (message, endpoint) DO UPDATE SET
	    auto_due = CASE WHEN manual = 1 THEN auto_due ELSE due END,
	    manual = 1, due = ?3, lane = 1, updated = ?3`,
		ref.Message, ref.Endpoint, now, int(hook.Failed), int(hook.ReasonExhausted))
	return err
}
