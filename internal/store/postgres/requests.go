package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// requestColumns are what scanRequest reads, of requests r with what its message m
// has of an accepted one; the body or NULL comes behind them.
const (
	requestColumns = `r.id, r.state, r.reason, r.detail, r.findings, coalesce(r.envelope, m.envelope), r.remote, r.event_type, r.key,
  r.message, r.fingerprint, r.status, CASE r.state WHEN 0 THEN m.content_type ELSE r.content_type END, r.size, r.received, r.note,
  CASE r.state WHEN 0 THEN coalesce(m.gone, true) ELSE r.body IS NULL END`
	requestColumnCount = 17
	requestBody        = `coalesce(r.body, m.body)`

	// ofMessage joins what an accepted request has in its message: LIMIT makes the
	// database look it up by its key, whatever it believes about the tables.
	ofMessage = ` LEFT JOIN LATERAL (SELECT coalesce(content_type, 'application/json') AS content_type, envelope, body IS NULL AS gone, body
    FROM messages WHERE app = r.source AND id = r.message AND r.state = 0 LIMIT 1) m ON true `
)

func scanRequest(r *row, env, source hook.ID) (hook.Request, error) {
	q := hook.Request{
		ID: r.id(0), Source: source, Env: env, State: hook.RequestState(r.int(1)), Reason: r.text(2), Detail: r.text(3), Findings: r.blob(4),
		Remote: r.text(6), EventType: r.text(7), Key: r.text(8), Message: r.id(9), Status: int(r.int(11)), ContentType: r.text(12),
		BodySize: int(r.int(13)), ReceivedAt: r.time(14), Note: r.text(15), BodyGone: r.bool(16), Body: r.blob(requestColumnCount),
	}
	copy(q.Fingerprint[:], r.values[10])
	var err error
	q.Envelope, err = scanEnvelope(r, 5)
	return q, err
}

// FindRequest implements store.Requests.
func (s *Store) FindRequest(ctx context.Context, env, source, request hook.ID, withBody bool) (out hook.Request, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		app, err := sourceSeq(ctx, c, env, source)
		if err != nil {
			return err
		}
		out, err = findRequest(ctx, c, env, source, app, request, withBody, "")
		return err
	})
	return out, err
}

// findRequest gives a request of the source with row key app.
func findRequest(ctx context.Context, c *conn, env, source hook.ID, app int64, request hook.ID, withBody bool, locking string) (out hook.Request, err error) {
	body := `NULL::bytea`
	if withBody {
		body = requestBody
	}
	found, err := c.one(ctx, `SELECT `+requestColumns+`, `+body+` FROM requests r`+ofMessage+`WHERE r.source = $1 AND r.id = $2`+locking,
		[]any{app, request}, func(r *row) (err error) {
			out, err = scanRequest(r, env, source)
			return err
		})
	if err == nil && !found {
		err = hook.NotFound("request")
	}
	return out, err
}

// listOfRequests is a list of the requests of a source that pass the filters; more
// is a condition for an index.
func listOfRequests(more string) listQuery {
	return newListQuery(`SELECT ` + requestColumns + `, NULL::bytea FROM requests r` + ofMessage + `
  WHERE r.source = $1 AND r.id >= $2 AND r.id < $3 AND ($4::smallint[] IS NULL OR r.state = ANY ($4)) AND ($5::text IS NULL OR r.reason = $5)` +
		more + ` ORDER BY r.id {dir} LIMIT $6`)
}

var (
	listRequests = listOfRequests("")
	// listLooseRequests passes over those that became messages, of which there can be
	// many between two others.
	listLooseRequests = listOfRequests(" AND r.state <> 0")
)

// ListRequests implements store.Requests. Rows that a filter passes over are
// searched for during Options.ReadTimeout at most.
func (s *Store) ListRequests(ctx context.Context, f hook.RequestFilter) (out hook.PageOf[hook.Request], err error) {
	list := listRequests
	var states []int16 // nil, which is NULL, for all
	if len(f.States) > 0 {
		states = make([]int16, 0, len(f.States))
	}
	for _, state := range f.States {
		states = append(states, int16(state))
	}
	if len(states) > 0 && !slices.Contains(f.States, hook.RequestAccepted) {
		list = listLooseRequests
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		app, err := sourceSeq(ctx, c, f.Env, f.Source)
		if err != nil {
			return err
		}
		from, to := idBounds(f.Page, f.After, f.Before)
		out, err = fetch(ctx, c, list, f.Page, []any{app, from, to, states, nullText(f.Reason)}, func(r *row) (hook.Request, error) {
			return scanRequest(r, f.Env, f.Source)
		})
		return err
	})
	return out, err
}

// UpdateRequest implements store.Requests.
func (s *Store) UpdateRequest(ctx context.Context, env, source, request hook.ID, change func(*hook.Request) error) (hook.Request, error) {
	var out hook.Request
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		app, err := sourceSeq(ctx, c, env, source)
		if err != nil {
			return err
		}
		q, err := findRequest(ctx, c, env, source, app, request, false, forUpdate+` OF r`)
		if err != nil {
			return err
		}
		if err := change(&q); err != nil {
			return err
		}
		if _, err := c.exec(ctx, `UPDATE requests SET note = $3, reason = $4, detail = $5, findings = $6 WHERE source = $1 AND id = $2`,
			app, request, nullText(q.Note), storable(q.Reason), nullText(storable(q.Detail)), q.Findings); err != nil {
			return err
		}
		out, err = findRequest(ctx, c, env, source, app, request, false, "")
		return err
	})
	return out, err
}

const purgeRequests = `SELECT id FROM requests WHERE source = $1 AND state <> 0 AND id < $2 AND received < $3 LIMIT $4`

// PurgeRequests implements store.Requests.
func (s *Store) PurgeRequests(ctx context.Context, env, source hook.ID, before time.Time, limit int) (int, error) {
	bound := lastID
	if before.IsZero() {
		before = time.Unix(1<<40, 0)
	} else {
		bound = hook.IDAt(before.Add(disorder))
	}
	var n int
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		app, err := sourceSeq(ctx, c, env, source)
		if err != nil {
			return err
		}
		n, err = removeLoose(ctx, c, purgeRequests, app, bound, before, limit)
		return err
	})
	return n, err
}

const dropLoose = `DELETE FROM requests WHERE state <> 0 AND id = ANY ($1::bytea[]) AND id >= $2 AND id <= $3`

// removeLoose removes the requests whose ids a query gives, but for those that became
// messages meanwhile, and reports how many.
func removeLoose(ctx context.Context, c *conn, query string, args ...any) (int, error) {
	var ids [][]byte
	var within idRange
	if err := c.query(ctx, query, args, func(r *row) error {
		id := r.id(0)
		ids = append(ids, id[:])
		within.add(id)
		return nil
	}); err != nil || len(ids) == 0 {
		return 0, err
	}
	n, err := c.exec(ctx, dropLoose, ids, within.low, within.high)
	return int(n), err
}
