package sqlite

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Settle implements store.Queue.
func (s *Store) Settle(ctx context.Context, batch []hook.Settlement) ([]hook.Settled, error) {
	var out []hook.Settled
	err := s.writer.do(ctx, &op{apply: func(w *writer) error {
		out = make([]hook.Settled, len(batch))
		for i := range batch {
			if err := w.settle(&batch[i], &out[i]); err != nil {
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

// settle ends one lease: the delivery row where the lease is still the node's,
// then the attempt, then the endpoint's failure clock.
func (w *writer) settle(s *hook.Settlement, out *hook.Settled) error {
	l, t := s.Lease, s.Then
	attempts, status := l.Number, any(s.Attempt.Outcome.Status)
	if s.Attempt.ID.IsZero() { // nothing was tried
		attempts--
		status = nil
	}
	due, step := t.Due, t.Step
	lane := laneRetry
	if attempts == 0 {
		lane = laneFirst
	}
	// A resend asked for while this attempt was in flight becomes the next one;
	// what the schedule says is remembered in auto_due. A delivered message is
	// sent again all the same: the caller asked for it.
	const q = `UPDATE deliveries SET node = NULL, epoch = NULL, state = ?1, reason = ?2, attempts = ?3, step = ?4,
	    due = CASE again WHEN 1 THEN ?6 ELSE ?5 END,
	    auto_due = CASE WHEN again = 1 THEN ?5 END,
	    manual = again, again = 0, lane = ?7, last_status = coalesce(?8, last_status), updated = ?6
	  WHERE message = ?9 AND endpoint = ?10 AND node = ?11 AND epoch = ?12`
	n, err := w.conn.exec(q, int(t.State), int(t.Reason), attempts, step, due, s.Now, lane, status,
		l.Ref.Message, l.Ref.Endpoint, l.Node.ID, l.Node.Epoch)
	if err != nil {
		return err
	}
	if n == 0 {
		out.Lost = true
		return nil
	}
	w.endedAtAccept(l)
	out.Due = due
	if w.wantedAgain(l.Ref) { // asked here, so that a lost settlement takes nothing with it
		out.Due = s.Now
	}
	out.Retry = lane == laneRetry && !out.Due.IsZero()
	if err := w.keepFailing(s); err != nil {
		return err
	}
	if s.Attempt.ID.IsZero() {
		return nil
	}
	if err := w.insertAttempt(&s.Attempt, l.Ref, t.Due); err != nil {
		return err
	}
	return w.keepFailureClock(s, out)
}

// endedAtAccept lowers the count of leases that only their message's number finds.
func (w *writer) endedAtAccept(l *hook.Lease) {
	if l.AtAccept {
		w.open.end(l.Ref.Message)
	}
}

// wantedAgain is only asked where it can be true: Resend notes the delivery in
// the writer's memory as well as in its row.
func (w *writer) wantedAgain(ref hook.DeliveryRef) bool {
	_, ok := w.again[ref]
	if ok {
		delete(w.again, ref)
		w.againEnded = append(w.againEnded, ref)
	}
	return ok
}

func (w *writer) insertAttempt(a *hook.Attempt, ref hook.DeliveryRef, next time.Time) error {
	var buf [7 * binary.MaxVarintLen64]byte
	response := a.Response
	if response == nil {
		response = []byte{}
	}
	w.lastAttempt++
	_, err := w.conn.exec(`INSERT INTO attempts
	  (seq, id, message, endpoint, number, manual, class, status, detail, url, started, timings, next_due,
	   response, response_headers, request_headers) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		w.lastAttempt, a.ID, ref.Message, ref.Endpoint, a.Number, int(a.Trigger), int(a.Outcome.Class), a.Outcome.Status,
		nullText(a.Outcome.Detail), a.URL, a.StartedAt, appendTimings(buf[:0], a.Timings), next,
		response, a.ResponseHeaders, a.RequestHeaders)
	return err
}

func appendTimings(b []byte, t hook.Timings) []byte {
	for _, d := range [...]time.Duration{t.Queue, t.DNS, t.Connect, t.TLS, t.FirstByte, t.Body, t.Total} {
		b = binary.AppendUvarint(b, uint64(max(d, 0).Microseconds()))
	}
	return b
}

func timingsFrom(b []byte) hook.Timings {
	var t hook.Timings
	for _, d := range [...]*time.Duration{&t.Queue, &t.DNS, &t.Connect, &t.TLS, &t.FirstByte, &t.Body, &t.Total} {
		us, n := binary.Uvarint(b)
		if n <= 0 {
			break
		}
		*d = time.Duration(us) * time.Microsecond
		b = b[n:]
	}
	return t
}

// keepFailureClock starts, clears or reads the time since which the endpoint
// has had nothing but failures, and disables it if the rules say so.
func (w *writer) keepFailureClock(s *hook.Settlement, out *hook.Settled) error {
	e, err := w.endpointBySeq(s.Lease.Ref.Endpoint)
	if err != nil || e == nil {
		return err
	}
	if s.Attempt.Outcome.Class == hook.Success {
		if e.failingSince.IsZero() {
			return nil
		}
		return w.setFailingSince(e, time.Time{})
	}
	if e.failingSince.IsZero() {
		if err := w.setFailingSince(e, s.Attempt.StartedAt); err != nil {
			return err
		}
	}
	reason := s.Then.Disable
	if reason == hook.NotDisabled && hook.ShouldDisable(e.failingSince, s.Now, s.DisableAfter) {
		reason = hook.DisabledByFailing
	}
	if reason == hook.NotDisabled || e.endpoint.Disabled {
		return nil
	}
	out.Disabled, out.FailingSince = reason, e.failingSince
	return w.disable(e, reason, s.Now)
}

func (w *writer) setFailingSince(e *cachedEndpoint, since time.Time) error {
	e.failingSince = since
	_, err := w.conn.exec(`UPDATE endpoints SET failing_since = ? WHERE seq = ?`, since, e.seq)
	return err
}

func (w *writer) disable(e *cachedEndpoint, reason hook.DisableReason, now time.Time) error {
	if _, err := w.conn.exec(`UPDATE endpoints SET disabled = ?, disabled_at = ?, revision = revision + 1, updated = ? WHERE seq = ?`,
		int(reason), now, now, e.seq); err != nil {
		return err
	}
	w.cache.forget(e.endpoint.App)
	return w.noteRevision(e.seq)
}

// noteRevision records what Match reads of an endpoint as it is now, in force
// for messages after the last one stored. Of the oldest revisions it drops those
// that were replaced before the oldest kept message: each change adds one and
// drops up to three, so they do not pile up.
func (w *writer) noteRevision(endpoint int64) error {
	if _, err := w.conn.exec(`DELETE FROM endpoint_revisions WHERE endpoint = ?1 AND revision < (
	    SELECT max(revision) FROM (SELECT revision, after FROM endpoint_revisions WHERE endpoint = ?1 ORDER BY revision LIMIT 4)
	    WHERE after < (SELECT min(seq) FROM messages))`, endpoint); err != nil {
		return err
	}
	_, err := w.conn.exec(`INSERT INTO endpoint_revisions (endpoint, revision, after, event_types, channels, disabled, since)
	  SELECT seq, revision, ?, event_types, channels, disabled <> 0, updated FROM endpoints WHERE seq = ?`,
		w.lastMessage, endpoint)
	return err
}

// CancelLane implements store.Queue.
func (s *Store) CancelLane(ctx context.Context, endpoint hook.ID, reason hook.Reason, now time.Time, limit int) (int, error) {
	var n int
	err := s.writer.do(ctx, &op{apply: func(w *writer) error {
		if reason != hook.ReasonByUser {
			// Its owner may have enabled it since: then there is nothing to cancel.
			if e, err := w.endpoint(endpoint); err != nil || e != nil && !e.endpoint.Disabled {
				return asBroken(err)
			}
		}
		var err error
		n, err = w.cancelLane(endpoint, reason, now, limit)
		return asBroken(err)
	}})
	return n, err
}

// cancelLane cancels deliveries that wait. A resend that waits is dropped, but its
// delivery keeps its state.
func (w *writer) cancelLane(endpoint hook.ID, reason hook.Reason, now time.Time, limit int) (n int, err error) {
	var ended []hook.DeliveryRef
	err = w.conn.query(context.Background(), `UPDATE deliveries SET due = NULL, auto_due = NULL, manual = 0, updated = ?1,
	    reason = CASE state WHEN 0 THEN ?2 ELSE reason END, state = CASE state WHEN 0 THEN ?3 ELSE state END
	  WHERE (message, endpoint) IN (
	    SELECT d.message, d.endpoint FROM endpoints e CROSS JOIN deliveries d INDEXED BY deliveries_queue
	      ON d.endpoint = e.seq AND d.lane IN (0, 1) AND d.due IS NOT NULL AND d.node IS NULL
	    WHERE e.id = ?4 LIMIT ?5)
	  RETURNING message, endpoint, attempts > 0 AND state = 4`, []any{now, int(reason), int(hook.Canceled), endpoint, limit}, func(r *row) error {
		n++
		if r.bool(2) {
			ended = append(ended, hook.DeliveryRef{Message: r.int(0), Endpoint: r.int(1)})
		}
		return nil
	})
	for _, ref := range ended {
		err = firstError(err, w.endFailing(ref))
	}
	return n, err
}
