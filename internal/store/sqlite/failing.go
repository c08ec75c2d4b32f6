package sqlite

import (
	"github.com/grapnelhq/grapnel/internal/hook"
)

// keepFailing writes down a delivery that fails, or that it fails no longer.
func (w *writer) keepFailing(s *hook.Settlement) error {
	switch s.Failing() {
	case hook.FailingStays:
		return nil
	case hook.FailingEnds:
		return w.endFailing(s.Lease.Ref)
	case hook.FailingSet:
	}
	f := s.FailingAs()
	_, err := w.conn.exec(`INSERT INTO failing (message, endpoint, env, state, class, status, since) VALUES (?,?,?,?,?,?,?)
	  ON CONFLICT (message, endpoint) DO UPDATE SET state = excluded.state, class = excluded.class, status = excluded.status`,
		s.Lease.Ref.Message, s.Lease.Ref.Endpoint, s.Lease.Message.Env, int(f.State), int(f.Class), f.Status, f.Since)
	return err
}

func (w *writer) endFailing(ref hook.DeliveryRef) error {
	_, err := w.conn.exec(`DELETE FROM failing WHERE message = ? AND endpoint = ?`, ref.Message, ref.Endpoint)
	return err
}

// findFailing fills in what fails of all deliveries. A class whose attempt is gone
// counts as hook.FailProtocol, which is 5.
func (w *writer) findFailing() error {
	_, err := w.conn.exec(`INSERT INTO failing (message, endpoint, env, state, class, status, since)
	  SELECT d.message, d.endpoint, a.env, CASE d.state WHEN 3 THEN 1 ELSE 0 END,
	    coalesce((SELECT t.class FROM attempts t INDEXED BY attempts_message
	      WHERE t.message = d.message AND t.endpoint = d.endpoint ORDER BY t.id DESC LIMIT 1), 5), d.last_status, d.updated
	  FROM deliveries d CROSS JOIN messages m ON m.seq = d.message CROSS JOIN applications a ON a.seq = m.app
	  WHERE d.attempts > 0 AND d.state IN (0, 1, 3)`)
	return err
}
