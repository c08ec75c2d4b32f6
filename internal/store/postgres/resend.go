package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Resend implements store.Queue. Whoever removes the message waits for it, so that
// nothing is queued for a message that is gone.
func (s *Store) Resend(ctx context.Context, env, app hook.ID, message, endpoint hook.Ref, now time.Time, key *hook.IdempotencyKey) (hook.Lane, error) {
	var lane hook.Lane
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		a, err := appSeq(ctx, c, env, app)
		if err != nil {
			return err
		}
		m, err := holdMessage(ctx, c, a, message)
		if err != nil {
			return err
		}
		e, err := findEndpoint(ctx, c, env, app, a, endpoint)
		if err != nil {
			return err
		}
		lane = hook.Lane{Endpoint: e.ID, App: app, Retry: true, Due: now}
		if _, repeated, err := once(ctx, c, env, key, m.ID, now); err != nil || repeated {
			return err
		}
		if err := resendable(&m.Message, &e.Endpoint); err != nil {
			return err
		}
		return queueManual(ctx, c, m.ID, e.seq, now)
	})
	if err == nil {
		s.hints.tell([]hook.Lane{lane})
	}
	return lane, err
}

// holdMessage gives a message that stays, with its payload, until the transaction ends.
func holdMessage(ctx context.Context, c *conn, app int64, ref hook.Ref) (storedMessage, error) {
	m, found, err := findMessage(ctx, c, app, ref, false)
	if err != nil {
		return m, err
	}
	if found {
		found, err = c.one(ctx, `SELECT body IS NULL FROM messages WHERE app = $1 AND id = $2 FOR SHARE`, []any{app, m.ID}, func(r *row) error {
			m.BodyGone = r.bool(0)
			return nil
		})
	}
	if err == nil && !found {
		err = hook.NotFound("message")
	}
	return m, err
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

// A delivery that did not exist has no schedule: if the attempt fails, it has failed.
const planManual = `INSERT INTO deliveries AS d
    (message, endpoint, state, reason, attempts, step, manual, again, retry, due, last_status, updated)
  VALUES ($1, $2, $4, $5, 0, 0, true, false, true, $3, 0, $3)
  ON CONFLICT (message, endpoint) DO UPDATE SET
    auto_due = CASE WHEN d.manual THEN d.auto_due ELSE d.due END, manual = true, due = $3, retry = true, updated = $3
  WHERE d.node IS NULL`

// queueManual makes a manual attempt of a delivery due now. The time of the
// automatic attempt, if one is planned, is remembered. While an attempt is in
// flight exactly one more is noted.
func queueManual(ctx context.Context, c *conn, message hook.ID, endpoint int64, now time.Time) error {
	inFlight, err := lockDelivery(ctx, c, message, endpoint)
	if err != nil {
		return err
	}
	if !inFlight {
		n, err := c.exec(ctx, planManual, message, endpoint, now, int(hook.Failed), int(hook.ReasonExhausted))
		if err != nil {
			return err
		}
		inFlight = n == 0 // another resend made the delivery, and it was claimed
	}
	if inFlight {
		_, err := c.exec(ctx, `UPDATE deliveries SET again = true, updated = $3 WHERE message = $1 AND endpoint = $2`, message, endpoint, now)
		return err
	}
	_, err = c.exec(ctx, upsertQueue, idArray([]hook.ID{message}), []int64{endpoint}, []bool{true}, []int64{now.UnixMicro()})
	return err
}

// lockDelivery keeps a delivery, if there is one, from being claimed or settled
// until the transaction ends, and reports whether a node has it. It is locked in
// the order of a claim: first its place in the queue.
func lockDelivery(ctx context.Context, c *conn, message hook.ID, endpoint int64) (inFlight bool, err error) {
	if _, err := c.exec(ctx, `SELECT 1 FROM queue WHERE message = $1 AND endpoint = $2 FOR UPDATE`, message, endpoint); err != nil {
		return false, err
	}
	_, err = c.one(ctx, `SELECT node IS NOT NULL FROM deliveries WHERE message = $1 AND endpoint = $2 FOR UPDATE`,
		[]any{message, endpoint}, func(r *row) error {
			inFlight = r.bool(0)
			return nil
		})
	return inFlight, err
}
