package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// requestColumns are what scanRequest reads, of requests q and messages m, which
// may be gone. The body comes behind them.
const (
	requestColumns = `q.seq, q.id, q.state, q.reason, q.detail, q.findings, q.remote, q.event_type, q.key, coalesce(m.id, q.first), q.fingerprint,
	  q.status, CASE q.state WHEN 0 THEN coalesce(m.content_type, 'application/json') ELSE q.content_type END, q.size, q.received,
	  q.note, CASE q.state WHEN 0 THEN m.body IS NULL ELSE q.body IS NULL END,
	  CASE q.state WHEN 0 THEN m.envelope ELSE q.envelope END`
	requestBody = `CASE q.state WHEN 0 THEN m.body ELSE q.body END`
	// requestJoin finds the message of a request.
	requestJoin = ` LEFT JOIN messages m ON m.seq = q.message `
)

// storedRequest is a request with its row key.
type storedRequest struct {
	hook.Request
	seq int64
}

// scanRequest reads all but the ids of the source and environment.
func scanRequest(r *row) (storedRequest, error) {
	q := storedRequest{seq: r.int(0), Request: hook.Request{
		ID: r.id(1), State: hook.RequestState(r.int(2)), Reason: r.text(3), Detail: r.text(4), Findings: r.blob(5), Remote: r.text(6),
		EventType: r.text(7), Key: r.text(8), Message: r.id(9), Status: int(r.int(11)), ContentType: r.text(12),
		BodySize: int(r.int(13)), ReceivedAt: r.time(14), Note: r.text(15), BodyGone: r.bool(16), Body: r.blob(18),
	}}
	copy(q.Fingerprint[:], r.bytes(10))
	if err := fromJSON(r, 17, &q.Envelope); err != nil {
		return q, fmt.Errorf("request %s: %w", hook.KindRequest.Format(q.ID), err)
	}
	return q, nil
}

// envelopeColumn is JSON, as fromJSON reads it; nil for none.
func envelopeColumn(e *hook.Envelope) ([]byte, error) {
	if e == nil {
		return nil, nil
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("the envelope of a request: %w", err)
	}
	return b, nil
}

// insertRequest stores a request of the owner with row key source. message is the
// row key of what it became, or nil: then q.Message is that of a duplicate. It
// reports false for one that is there already.
func insertRequest(c *conn, source int64, message any, q *hook.Request) (bool, error) {
	envelope, err := envelopeColumn(q.Envelope)
	if err != nil {
		return false, err
	}
	first := any(nil)
	if message == nil {
		first = nullID(q.Message)
	}
	n, err := c.exec(`INSERT INTO requests (id, source, state, reason, detail, findings, envelope, remote, event_type, key, message,
	    first, fingerprint, status, content_type, size, received, note, kept, body)
	  VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		q.ID, source, int(q.State), q.Reason, nullText(q.Detail), q.Findings, envelope, q.Remote, nullText(q.EventType), nullText(q.Key),
		message, first, q.Fingerprint[:], q.Status, nullText(q.ContentType), q.BodySize, q.ReceivedAt, nullText(q.Note), len(q.Body), q.Body)
	return n > 0, err
}

// mustInsertRequest is insertRequest for one that cannot be there.
func mustInsertRequest(c *conn, source int64, message any, q *hook.Request) error {
	fresh, err := insertRequest(c, source, message, q)
	if err == nil && !fresh {
		err = fmt.Errorf("request %s is there already", hook.KindRequest.Format(q.ID))
	}
	return err
}

// findRequest gives a request of a source without its owner's ids.
func findRequest(ctx context.Context, c *conn, source int64, id hook.ID, withBody bool) (q storedRequest, found bool, err error) {
	body := `NULL`
	if withBody {
		body = requestBody
	}
	found, err = c.one(ctx, `SELECT `+requestColumns+`, `+body+` FROM requests q`+requestJoin+`WHERE q.source = ? AND q.id = ?`,
		[]any{source, id}, func(r *row) (err error) {
			q, err = scanRequest(r)
			return err
		})
	return q, found, err
}

// requestOf gives a request or CodeNotFound, with its owner's ids.
func requestOf(ctx context.Context, c *conn, env, source, request hook.ID, withBody bool) (storedRequest, error) {
	s, err := sourceSeq(ctx, c, env, source)
	if err != nil {
		return storedRequest{}, err
	}
	q, found, err := findRequest(ctx, c, s, request, withBody)
	if err == nil && !found {
		err = hook.NotFound("request")
	}
	q.Env, q.Source = env, source
	return q, err
}

// FindRequest implements store.Requests.
func (s *Store) FindRequest(ctx context.Context, env, source, request hook.ID, withBody bool) (hook.Request, error) {
	var out storedRequest
	err := s.read(ctx, func(ctx context.Context, c *conn) (err error) {
		out, err = requestOf(ctx, c, env, source, request, withBody)
		return err
	})
	return out.Request, err
}

// Both lists take states as a JSON list of numbers, NULL for all. The second has an
// index without accepted requests, which are most.
const requestFilter = `(?4 IS NULL OR q.state IN (SELECT value FROM json_each(?4))) AND (?5 IS NULL OR q.reason = ?5)
  ORDER BY q.id {dir} LIMIT ?6`

var (
	listRequests = newListQuery(`SELECT ` + requestColumns + `, NULL FROM requests q INDEXED BY requests_source` + requestJoin + `
  WHERE q.source = ?1 AND q.id >= ?2 AND q.id < ?3 AND ` + requestFilter)
	listApart = newListQuery(`SELECT ` + requestColumns + `, NULL FROM requests q INDEXED BY requests_apart` + requestJoin + `
  WHERE q.source = ?1 AND q.state <> 0 AND q.id >= ?2 AND q.id < ?3 AND ` + requestFilter)
)

// ListRequests implements store.Requests. Rows that a filter passes over are
// searched for during Options.ReadTimeout at most.
func (s *Store) ListRequests(ctx context.Context, f hook.RequestFilter) (out hook.PageOf[hook.Request], err error) {
	list, states := listRequests, any(nil)
	if len(f.States) > 0 {
		numbers := make([]int, len(f.States))
		list = listApart
		for i, state := range f.States {
			numbers[i] = int(state)
			if state == hook.RequestAccepted {
				list = listRequests
			}
		}
		states = jsonInts(numbers)
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		source, err := sourceSeq(ctx, c, f.Env, f.Source)
		if err != nil {
			return err
		}
		from, to := idBounds(f.Page, f.After, f.Before)
		out, err = fetch(ctx, c, list, f.Page, []any{source, from, to, states, nullText(f.Reason)}, func(r *row) (hook.Request, error) {
			q, err := scanRequest(r)
			q.Env, q.Source = f.Env, f.Source
			return q.Request, err
		})
		return err
	})
	return out, err
}

// UpdateRequest implements store.Requests.
func (s *Store) UpdateRequest(ctx context.Context, env, source, request hook.ID, change func(*hook.Request) error) (hook.Request, error) {
	var out storedRequest
	err := s.write(ctx, func(c *conn) error {
		q, err := requestOf(ctx, c, env, source, request, false)
		if err != nil {
			return err
		}
		if err := change(&q.Request); err != nil {
			return err
		}
		if _, err := c.exec(`UPDATE requests SET note = ?, reason = ?, detail = ?, findings = ? WHERE seq = ?`,
			nullText(q.Note), q.Reason, nullText(q.Detail), q.Findings, q.seq); err != nil {
			return err
		}
		out, err = requestOf(ctx, c, env, source, request, false)
		return err
	})
	return out.Request, err
}

// PurgeRequests implements store.Requests. Ids are made when requests come, so
// those to remove are the first ones.
func (s *Store) PurgeRequests(ctx context.Context, env, source hook.ID, before time.Time, limit int) (removed int, err error) {
	err = s.writeWith(ctx, func(w *writer) error {
		seq, err := sourceSeq(ctx, w.conn, env, source)
		if err != nil {
			return err
		}
		to, until := lastID, maxTime
		if !before.IsZero() {
			to, until = hook.IDAt(before.Add(disorder)), before
		}
		n, err := w.conn.exec(`DELETE FROM requests WHERE seq IN (SELECT seq FROM requests INDEXED BY requests_apart
		  WHERE source = ? AND state <> 0 AND id < ? AND received < ? ORDER BY id LIMIT ?)`, seq, to, until, limit)
		removed = int(n)
		delete(w.cache.apart, seq)
		return err
	})
	return removed, err
}

// maxTime is after every time that is stored.
var maxTime = time.UnixMicro(maxSeq)

// messageSeq gives the row key of a message.
func messageSeq(c *conn, app int64, id hook.ID) (seq int64, found bool, err error) {
	found, err = c.one(context.Background(), `SELECT seq FROM messages WHERE app = ? AND id = ?`, []any{app, id}, func(r *row) error {
		seq = r.int(0)
		return nil
	})
	return seq, found, err
}

// receivable looks at what an event was received as. It reports that all is done
// if there is nothing to accept: no such source or request, or somebody else was
// earlier to accept a request that had been refused.
func (a *accepting) receivable(w *writer, app *cachedApp, e *hook.NewEvent, out *hook.Accepted) (done bool, err error) {
	if !app.source {
		out.Err = hook.NotFound("source")
		return true, nil
	}
	if e.Request.State != hook.RequestRefused {
		return false, nil
	}
	q, found, err := findRequest(context.Background(), w.conn, app.seq, e.Request.ID, false)
	switch {
	case err != nil:
		return true, err
	case !found:
		out.Err = hook.NotFound("request")
		return true, nil
	case q.State == hook.RequestAccepted:
		return true, a.firstReceived(w, app, e, hook.Ref{ID: q.Message}, out)
	}
	return false, nil
}

// firstReceived answers an event whose message is there already.
func (a *accepting) firstReceived(w *writer, app *cachedApp, e *hook.NewEvent, ref hook.Ref, out *hook.Accepted) error {
	m, found, err := findMessage(context.Background(), w.conn, app.seq, ref, false)
	if err != nil {
		return err
	}
	if !found { // its key goes with it
		m.ID = ref.ID
	}
	m.Env, m.App = e.Env, e.App
	out.Message, out.Duplicate = m.Message, true
	return nil
}

// putAccepted stores the request of an event, or changes it if it had been refused.
func (w *writer) putAccepted(app *cachedApp, message int64, e *hook.NewEvent) error {
	if e.Request.State == hook.RequestRefused {
		delete(w.cache.apart, app.seq)
		q := e.Request
		_, err := w.conn.exec(`UPDATE requests SET state = 0, reason = ?, detail = ?, findings = ?, envelope = NULL, event_type = ?, key = ?,
		    message = ?, first = NULL, content_type = NULL, kept = 0, body = NULL WHERE source = ? AND id = ?`,
			q.Reason, nullText(q.Detail), q.Findings, nullText(q.EventType), nullText(q.Key), message, app.seq, q.ID)
		return err
	}
	q := *e.Request
	q.State, q.BodySize = hook.RequestAccepted, len(e.Body)
	q.Envelope, q.ContentType, q.Body = nil, "", nil // the message has them
	return mustInsertRequest(w.conn, app.seq, message, &q)
}

// apart is how much there is of the requests of a source that became no message.
type apart struct {
	count int
	bytes int64
}

// apartOf counts once, and from then on in memory.
func (w *writer) apartOf(source int64) (*apart, error) {
	if a := w.cache.apart[source]; a != nil {
		return a, nil
	}
	a := &apart{}
	_, err := w.conn.one(context.Background(), `SELECT count(*), coalesce(sum(kept), 0) FROM requests INDEXED BY requests_apart
	  WHERE source = ? AND state <> 0`, []any{source}, func(r *row) error {
		a.count, a.bytes = int(r.int(0)), r.int(1)
		return nil
	})
	w.cache.apart[source] = a
	return a, err
}

// errRecorded says that a caller does what only Accept does.
var errRecorded = errors.New("a request that was accepted is stored by Accept")

// RecordRequests implements store.Requests.
func (s *Store) RecordRequests(ctx context.Context, bound hook.RequestBound, rs []hook.Request) error {
	return s.writeWith(ctx, func(w *writer) error {
		var sources []int64 // in the order in which they come
		seen := map[int64]bool{}
		for i := range rs {
			app, err := w.app(rs[i].Env, rs[i].Source)
			if err != nil {
				return err
			}
			if app == nil || !app.source {
				continue
			}
			if err := w.record(app.seq, rs[i]); err != nil {
				return err
			}
			if !seen[app.seq] {
				seen[app.seq] = true
				sources = append(sources, app.seq)
			}
		}
		for _, source := range sources {
			if err := w.keepBound(source, bound); err != nil {
				return err
			}
		}
		return nil
	})
}

// record stores one request that became no message.
func (w *writer) record(source int64, q hook.Request) error {
	if q.State == hook.RequestAccepted {
		return errRecorded
	}
	a, err := w.apartOf(source)
	if err != nil {
		return err
	}
	if q.State == hook.RequestDuplicate {
		if _, err := w.conn.one(context.Background(), `SELECT f.fingerprint FROM messages m
		    CROSS JOIN requests f INDEXED BY requests_message ON f.message = m.seq AND f.state = 0
		  WHERE m.app = ? AND m.id = ?`, []any{source, q.Message}, func(r *row) error {
			if !bytes.Equal(r.bytes(0), q.Fingerprint[:]) {
				q.State = hook.RequestDiffers
			}
			return nil
		}); err != nil {
			return err
		}
	}
	switch {
	case q.Body != nil:
		q.BodySize = len(q.Body)
	case q.BodySize == 0: // it is empty; one with a size was not read
		q.Body = []byte{}
	}
	if q.State == hook.RequestDuplicate {
		q.Body = nil // it is the message's
	}
	fresh, err := insertRequest(w.conn, source, nil, &q)
	if fresh {
		a.count++
		a.bytes += int64(len(q.Body))
	}
	return err
}

// keepBound removes the oldest requests of a source that became no message until
// the others are within the bound.
func (w *writer) keepBound(source int64, bound hook.RequestBound) error {
	a, err := w.apartOf(source)
	if err != nil {
		return err
	}
	within := func() bool {
		return a.count <= bound.Count && a.bytes <= bound.Bytes
	}
	if within() {
		return nil
	}
	var remove []int64
	err = w.conn.query(context.Background(), `SELECT seq, kept FROM requests INDEXED BY requests_apart
	  WHERE source = ? AND state <> 0 ORDER BY id LIMIT ?`, []any{source, sliceRows}, func(r *row) error {
		if within() {
			return errFull
		}
		remove = append(remove, r.int(0))
		a.count--
		a.bytes -= r.int(1)
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
		return err
	}
	for _, seq := range remove {
		if _, err := w.conn.exec(`DELETE FROM requests WHERE seq = ?`, seq); err != nil {
			return err
		}
	}
	return nil
}

// oldRequests removes those that became no message and are older than retention
// keeps them.
func (s *slice) oldRequests() (bool, error) {
	keep := s.keep.Requests
	if keep <= 0 {
		keep = s.keep.Messages
	}
	if keep <= 0 {
		return false, nil
	}
	n, err := s.exec(`DELETE FROM requests WHERE seq IN (SELECT seq FROM requests INDEXED BY requests_received
	  WHERE state <> 0 AND received < ? ORDER BY received LIMIT ?)`, s.now.Add(-keep), removeRun)
	s.removedRequests(n)
	return n == removeRun, err
}

// requestsOf removes some of a deleted source and reports whether that were all
// that one turn removes.
func (s *slice) requestsOf(source int64) (left bool, err error) {
	n, err := s.exec(`DELETE FROM requests WHERE seq IN (SELECT seq FROM requests INDEXED BY requests_source WHERE source = ? LIMIT ?)`,
		source, removeRun)
	s.removedRequests(n)
	return n == removeRun, err
}

func (s *slice) removedRequests(n int) {
	if n > 0 {
		s.out.Requests += n
		clear(s.w.cache.apart)
	}
}
