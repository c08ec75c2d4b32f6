package sqlite

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// sliceTime is how long a slice works before it lets others write, and
	// sliceRows the rows it removes at most, for clocks that stand still in tests.
	sliceTime = 4 * time.Millisecond
	sliceRows = 2000
	// lookRows is how many rows a chore looks at to find some to remove.
	lookRows = 100
	// removeRun is how many messages go in one run: one set of statements for all.
	removeRun = 20
	// vacuumPages is how many free pages vacuumSome gives back, and freeKept how
	// many stay for what comes in next: taking them from the file only to make it
	// longer again would cost writes for nothing.
	vacuumPages = 32
	vacuumSome  = `PRAGMA incremental_vacuum(32)`
	freeKept    = 2048
	// tokenRest is how long the token of an application is kept after its end.
	tokenRest = 30 * 24 * time.Hour
)

// expirer is what Expire keeps from slice to slice; it belongs to the writer.
type expirer struct {
	turn     int   // the chore that the next slice starts with
	idle     int   // chores in a row that found nothing to do
	payloads int64 // payloads up to this message are gone or have a time of their own
}

// slice is one call of Expire.
type slice struct {
	w    *writer
	keep hook.Retention
	now  time.Time
	out  hook.Expired
	rows int // removed, changed or summed up so far
	time stopwatch
	// ended has the message of each lease that was given at accept and is gone.
	ended []int64
}

// chore removes a few rows of one kind and reports whether there may be more.
type chore func(*slice) (more bool, err error)

// chores take turns in being first, so that none waits for ever.
var chores = []chore{
	(*slice).autoKeys, (*slice).callerKeys, (*slice).tokens, (*slice).endedPeople,
	(*slice).ownPayloads, (*slice).oldPayloads, (*slice).oldAttempts, (*slice).oldMessages, (*slice).oldRollups, (*slice).oldTraffic, (*slice).oldIssues, (*slice).unmute, (*slice).oldRequests,
	(*slice).deletedEndpoints, (*slice).deletedApplications, (*slice).vacuum,
}

// Expire implements store.Upkeep. A slice is one operation of the writer and
// takes about 4 ms; messages and attempts go from the oldest on. No attempt goes
// before it is in its rollup: a slice sums up first, and removes nothing as long
// as that takes all its time. Beside what the contract says it forgets endpoints
// and applications that were deleted longer ago than messages are kept, and
// tokens of applications that ended 30 days ago, and gives free pages back to the
// file system.
func (s *Store) Expire(ctx context.Context, keep hook.Retention, now time.Time) (hook.Expired, error) {
	var out hook.Expired
	err := s.writeWith(ctx, func(w *writer) error {
		sl := &slice{w: w, keep: keep, now: now, time: startStopwatch()}
		if err := sl.work(); err != nil {
			return err
		}
		for _, message := range sl.ended {
			w.open.end(message)
		}
		// A slice fills the log like many other operations.
		w.check.since += sl.rows / 8
		out = sl.out
		return nil
	})
	if err != nil {
		return hook.Expired{}, err
	}
	return out, nil
}

func (s *slice) work() error {
	if s.keep.Messages > 0 || s.keep.Attempts > 0 {
		n, more, err := s.w.rollUp(sliceRows, s.time)
		s.rows += n
		if err == nil && !more {
			more, err = s.w.countMessages(sliceRows)
		}
		if err != nil || more {
			s.out.More = true
			return err
		}
	}
	if err := s.round(); err != nil {
		return err
	}
	if s.out.Messages == 0 && s.out.Attempts == 0 {
		return nil
	}
	// Revisions of endpoints, tasks, feeds and rollups refer to messages and
	// attempts by seq, so one that is gone must not be given out again after a
	// restart.
	for name, seq := range map[string]int64{"last_message": s.w.lastMessage, "last_attempt": s.w.lastAttempt} {
		if _, err := s.w.conn.exec(`UPDATE meta SET value = ?1 WHERE name = ?2 AND value < ?1`, seq, name); err != nil {
			return err
		}
	}
	return nil
}

// round lets chores work in turn until the slice is spent or each of them has found
// nothing to do, be it over several slices: where the looking alone takes longer than
// a slice, it ends as well.
func (s *slice) round() error {
	e := &s.w.expire
	for i := 0; e.idle < len(chores); i++ {
		if i > 0 && s.spent() { // the first one always gets on
			s.out.More = true
			return nil
		}
		before, more := s.rows, true
		for more {
			var err error
			if more, err = chores[e.turn](s); err != nil {
				return err
			}
			if s.spent() {
				break
			}
		}
		e.turn = (e.turn + 1) % len(chores)
		if e.idle++; more || s.rows > before {
			e.idle = 0
		}
	}
	e.idle = 0
	return nil
}

func (s *slice) spent() bool { return s.rows >= sliceRows || s.time.elapsed() >= s.w.slice }

// exec counts the rows that a statement removes or changes.
func (s *slice) exec(query string, args ...any) (int, error) {
	n, err := s.w.conn.exec(query, args...)
	s.rows += int(n)
	return int(n), err
}

// keys gives the first column of a query's rows.
func (s *slice) keys(query string, args ...any) (keys []int64, err error) {
	err = s.w.conn.query(context.Background(), query, args, func(r *row) error {
		keys = append(keys, r.int(0))
		return nil
	})
	return keys, err
}

// autoKeys removes the keys that SDKs made up: in the order in which they came,
// those that have ended and those above the cap.
func (s *slice) autoKeys() (bool, error) {
	looked, last := 0, int64(0)
	alive := false
	err := s.w.conn.query(context.Background(), `SELECT seq, expires FROM once_auto WHERE seq > 0 ORDER BY seq LIMIT ?`, []any{lookRows}, func(r *row) error {
		looked++
		ended := r.int(0) < s.w.autos.next-int64(s.w.autos.max) || !r.time(1).After(s.now)
		if alive = alive || !ended; !alive {
			last = r.int(0)
		}
		return nil
	})
	if err != nil || last == 0 {
		return false, err
	}
	n, err := s.exec(`DELETE FROM once_auto WHERE seq <= ?`, last)
	s.w.autos.dropThrough(last)
	s.out.Keys += n
	return n == lookRows, err
}

// callerKeys removes those of callers. They all live equally long, so those that
// have ended are the first ones.
func (s *slice) callerKeys() (bool, error) {
	n, err := s.exec(`DELETE FROM once_caller WHERE seq IN (
	  SELECT seq FROM (SELECT seq, expires FROM once_caller WHERE seq > 0 ORDER BY seq LIMIT ?) AS page WHERE expires <= ?)`, lookRows, s.now)
	s.out.Keys += n
	return n == lookRows, err
}

func (s *slice) tokens() (bool, error) {
	n, err := s.exec(`DELETE FROM api_keys WHERE seq IN (SELECT seq FROM api_keys INDEXED BY api_keys_ended
	  WHERE app IS NOT NULL AND expires IS NOT NULL AND expires <= ? LIMIT ?)`, s.now.Add(-tokenRest), lookRows)
	return n == lookRows, err
}

// ownPayloads drops payloads whose own time has come.
func (s *slice) ownPayloads() (bool, error) {
	keys, err := s.keys(`SELECT seq FROM messages INDEXED BY messages_body_expires
	  WHERE body_expires IS NOT NULL AND body_expires <= ? ORDER BY body_expires LIMIT ?`, s.now, lookRows)
	if err != nil {
		return false, err
	}
	for i, message := range keys {
		if i > 0 && s.spent() {
			return true, nil
		}
		if err := s.dropPayload(message); err != nil {
			return false, err
		}
	}
	return len(keys) == lookRows, nil
}

// oldPayloads drops payloads without a time of their own that are older than
// retention keeps them. It remembers how far it came.
func (s *slice) oldPayloads() (bool, error) {
	if s.keep.Payloads <= 0 {
		return false, nil
	}
	var drop []int64
	limit, done, looked := s.now.Add(-s.keep.Payloads), s.w.expire.payloads, 0
	young := false
	err := s.w.conn.query(context.Background(), `SELECT seq, body IS NOT NULL AND body_expires IS NULL, created
	  FROM messages WHERE seq > ? ORDER BY seq LIMIT ?`,
		[]any{done, lookRows}, func(r *row) error {
			looked++
			old := r.time(2).Before(limit)
			if young = young || !old; !young {
				done = r.int(0)
			}
			if old && r.bool(1) {
				drop = append(drop, r.int(0))
			}
			return nil
		})
	if err != nil {
		return false, err
	}
	for i, message := range drop {
		if i > 0 && s.spent() {
			return true, nil
		}
		if err := s.dropPayload(message); err != nil {
			return false, err
		}
	}
	more := looked == lookRows && (len(drop) > 0 || done > s.w.expire.payloads)
	s.w.expire.payloads = done
	return more, nil
}

// dropPayload drops a payload and ends what waits to send it. A delivery in
// flight is left to its node, which has the payload.
func (s *slice) dropPayload(message int64) error {
	n, err := s.exec(`UPDATE deliveries SET state = ?, reason = ?, due = NULL, auto_due = NULL, manual = 0, updated = ?
	  WHERE message = ? AND node IS NULL AND state = 0`, int(hook.Canceled), int(hook.ReasonExpired), s.now, message)
	if err != nil {
		return err
	}
	s.out.Unsent += n
	if n > 0 {
		if _, err := s.exec(`DELETE FROM failing WHERE message = ?1 AND endpoint IN (
		  SELECT endpoint FROM deliveries WHERE message = ?1 AND state = 4)`, message); err != nil {
			return err
		}
	}
	// A resend of a delivery that has ended is dropped; the delivery stays as it is.
	if _, err := s.exec(`UPDATE deliveries SET due = NULL, auto_due = NULL, manual = 0, updated = ?
	  WHERE message = ? AND node IS NULL AND due IS NOT NULL`, s.now, message); err != nil {
		return err
	}
	n, err = s.exec(`UPDATE messages SET body = NULL, envelope = NULL, body_expires = NULL WHERE seq = ?`, message)
	s.out.Payloads += n
	return err
}

func (s *slice) oldAttempts() (bool, error) {
	if s.keep.Attempts <= 0 {
		return false, nil
	}
	n, err := s.exec(`DELETE FROM attempts WHERE seq IN (
	  SELECT seq FROM (SELECT seq, started FROM attempts WHERE seq > 0 ORDER BY seq LIMIT ?) AS page WHERE started < ?)`,
		lookRows, s.now.Add(-s.keep.Attempts))
	s.out.Attempts += n
	return n == lookRows, err
}

// oldMessages removes messages with all that belongs to them. A node that still
// has a delivery of one in flight finds its lease lost.
func (s *slice) oldMessages() (bool, error) {
	if s.keep.Messages <= 0 {
		return false, nil
	}
	keys, err := s.keys(`SELECT seq FROM (SELECT seq, created FROM messages WHERE seq > 0 ORDER BY seq LIMIT ?) AS page
	  WHERE created < ?`, lookRows, s.now.Add(-s.keep.Messages))
	if err != nil {
		return false, err
	}
	for i := 0; i < len(keys); i += removeRun {
		if i > 0 && s.spent() {
			return true, nil
		}
		run := keys[i:min(i+removeRun, len(keys))]
		if done, err := s.removeMessages(run[0], run[len(run)-1]); err != nil || !done {
			return true, err
		}
	}
	return len(keys) == lookRows, nil
}

// removeMessages removes the messages from one row key to another, or as many
// of their attempts and deliveries as fit into a slice; then it reports false.
func (s *slice) removeMessages(from, to int64) (bool, error) {
	n, err := s.exec(`DELETE FROM attempts WHERE seq IN (
	  SELECT seq FROM attempts INDEXED BY attempts_message WHERE message BETWEEN ? AND ? LIMIT ?)`, from, to, sliceRows)
	if s.out.Attempts += n; err != nil || n == sliceRows {
		return false, err
	}
	n, err = s.removeDeliveries(from, to)
	if err != nil || n == sliceRows {
		return false, err
	}
	if _, err := s.exec(`DELETE FROM failing WHERE message BETWEEN ? AND ?`, from, to); err != nil {
		return false, err
	}
	if _, err := s.exec(`DELETE FROM message_keys WHERE (app, event_id) IN (
	  SELECT app, event_id FROM messages WHERE seq BETWEEN ? AND ? AND event_id IS NOT NULL)`, from, to); err != nil {
		return false, err
	}
	if _, err := s.exec(`DELETE FROM requests WHERE state = 0 AND message BETWEEN ? AND ?`, from, to); err != nil {
		return false, err
	}
	err = s.w.conn.query(context.Background(), `DELETE FROM messages WHERE seq BETWEEN ? AND ? RETURNING body IS NOT NULL`,
		[]any{from, to}, func(r *row) error {
			s.rows++
			s.out.Messages++
			s.out.Payloads += int(r.int(0))
			return nil
		})
	return true, err
}

// removeDeliveries removes those of the messages, at most sliceRows, and counts
// those that still waited to be sent.
func (s *slice) removeDeliveries(from, to int64) (n int, err error) {
	err = s.w.conn.query(context.Background(), `DELETE FROM deliveries WHERE (message, endpoint) IN (
	    SELECT message, endpoint FROM deliveries WHERE message BETWEEN ? AND ? LIMIT ?)
	  RETURNING message, state, node IS NOT NULL AND due IS NULL`,
		[]any{from, to, sliceRows}, func(r *row) error {
			n++
			if hook.State(r.int(1)) == hook.Pending {
				s.out.Unsent++
			}
			if r.bool(2) {
				s.ended = append(s.ended, r.int(0))
			}
			return nil
		})
	s.rows += n
	return n, err
}
