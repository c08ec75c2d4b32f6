package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

// recording is one call of RecordRequests on its way through its group, which is not
// that of accepts: whoever is flooded with requests that are refused accepts the
// others as fast as before.
type recording struct {
	bound    hook.RequestBound
	requests []hook.Request
}

// RecordRequests implements store.Requests.
func (s *Store) RecordRequests(ctx context.Context, bound hook.RequestBound, rs []hook.Request) error {
	if len(rs) == 0 {
		return nil
	}
	for i := range rs {
		if rs[i].State == hook.RequestAccepted {
			return errRecorded
		}
	}
	return s.records.do(ctx, &recording{bound, rs})
}

// owner is a source, and whose it is in the words of a caller.
type owner struct{ env, source hook.ID }

// errRecorded says that a caller does what only Accept does.
var errRecorded = errors.New("a request that was accepted is stored by Accept")

// recordGroup stores the requests of all callers in one transaction, or each
// caller's in one of its own if something in it cannot be stored.
func (s *Store) recordGroup(calls []*waiting[*recording]) {
	err := s.recordAll(calls)
	if err != nil && len(calls) > 1 && !isAway(err) {
		for _, w := range calls {
			w.err = s.recordAll([]*waiting[*recording]{w})
		}
		return
	}
	for _, w := range calls {
		w.err = err
	}
}

func (s *Store) recordAll(calls []*waiting[*recording]) error {
	var rows recordRows
	bounds := map[owner]hook.RequestBound{}
	ctx, cancel := context.WithTimeout(s.ctx, 2*s.opts.MaxWait)
	defer cancel()
	for _, w := range calls {
		for i := range w.of.requests {
			r := &w.of.requests[i]
			if err := s.partitions.ensure(ctx, r.ID.Time()); err != nil {
				return err
			}
			rows.add(r)
			of := owner{r.Env, r.Source}
			bound, known := bounds[of]
			if !known {
				bound = w.of.bound
			}
			bounds[of] = hook.RequestBound{Count: min(bound.Count, w.of.bound.Count), Bytes: min(bound.Bytes, w.of.bound.Bytes)}
		}
	}
	watch := startStopwatch()
	err := s.record(ctx, &rows, bounds)
	s.opts.Observe(Commit{Operations: len(calls), Took: watch.elapsed(), Err: err})
	return err
}

// record stores rows, and trims their sources. Doing it again does no harm, so a
// transaction that broke off is done again: nobody must know whether it was committed.
func (s *Store) record(ctx context.Context, rows *recordRows, bounds map[owner]hook.RequestBound) error {
	envs, sources := make([][]byte, 0, len(bounds)), make([][]byte, 0, len(bounds))
	counts, bytes := make([]int64, 0, len(bounds)), make([]int64, 0, len(bounds))
	// In one order on every node, so that no two wait for each other.
	for _, of := range slices.SortedFunc(maps.Keys(bounds), func(a, b owner) int { return compareIDs(a.source, b.source) }) {
		bound := bounds[of]
		envs, sources = append(envs, of.env[:]), append(sources, of.source[:])
		counts, bytes = append(counts, int64(bound.Count)), append(bytes, bound.Bytes)
	}
	for try := 1; ; try++ {
		err := s.autocommit(ctx, func(ctx context.Context, c *conn) error {
			b := &pgx.Batch{}
			b.Queue(storeRequests, rows.arguments()...)
			b.Queue(trimRequests, envs, sources, counts, bytes)
			return s.whereThereAreTables(ctx, func() error { return c.send(ctx, b) })
		})
		if err == nil || try == 2 || !isUnavailable(err) || ctx.Err() != nil {
			return err
		}
	}
}

// storeRequests stores requests of sources that are there. The one that a duplicate
// repeats is known by the key of its message.
const storeRequests = `INSERT INTO requests
    (source, id, state, reason, detail, findings, envelope, remote, event_type, key, message, fingerprint, status, content_type, size, kept,
      received, note, body)
  SELECT source, id, state, reason, detail, findings, envelope, remote, event_type, key, message, fingerprint, status, content_type, size,
    CASE state WHEN 1 THEN 0 ELSE coalesce(octet_length(body), 0) END, received, note, CASE state WHEN 1 THEN NULL ELSE body END
  FROM (SELECT a.seq AS source, g.id, CASE WHEN g.state = 1 AND (SELECT k.fingerprint FROM message_keys k
        WHERE k.message = g.message AND k.app = a.seq LIMIT 1) <> g.fingerprint THEN 2 ELSE g.state END AS state,
      g.reason, g.detail, g.findings, g.envelope, g.remote, g.event_type, g.key, g.message, g.fingerprint, g.status, g.content_type,
      g.size, g.received, g.note, g.body
    FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::smallint[], $5::text[], $6::text[], $7::bytea[], $8::bytea[], $9::text[],
      $10::text[], $11::text[], $12::bytea[], $13::bytea[], $14::integer[], $15::text[], $16::integer[], $17::bigint[], $18::text[], $19::bytea[])
      AS g(env, owner, id, state, reason, detail, findings, envelope, remote, event_type, key, message, fingerprint, status, content_type,
        size, received, note, body)
    CROSS JOIN LATERAL (SELECT seq FROM applications WHERE id = g.owner AND env = g.env AND source AND deleted IS NULL LIMIT 1) a) AS new
  ON CONFLICT DO NOTHING`

// trimRequests removes the oldest requests that became no message beyond the bounds
// of their sources.
const trimRequests = `DELETE FROM requests r USING (
    SELECT a.seq, beyond.id FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[]) AS g(env, source, count, bytes)
      CROSS JOIN LATERAL (SELECT seq FROM applications WHERE id = g.source AND env = g.env LIMIT 1) a
      CROSS JOIN LATERAL (SELECT id FROM (
          SELECT id, row_number() OVER newest AS n, sum(kept) OVER newest AS bytes FROM requests WHERE source = a.seq AND state <> 0
          WINDOW newest AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING)) AS summed
        WHERE summed.n > g.count OR summed.bytes > g.bytes ORDER BY id DESC LIMIT 1) AS beyond
    ) AS cut
  WHERE r.source = cut.seq AND r.id <= cut.id AND r.state <> 0`

// recordRows are requests by column, as one statement takes them.
type recordRows struct {
	env, source, id, findings, envelope, message, fingerprint, body [][]byte
	state                                                           []int16
	reason, remote                                                  []string
	detail, eventType, key, contentType, note                       []*string
	status, size                                                    []int32
	received                                                        []int64
}

// add takes a request that became no message. Its texts come from strangers.
func (w *recordRows) add(r *hook.Request) {
	w.env, w.source, w.id = append(w.env, r.Env[:]), append(w.source, r.Source[:]), append(w.id, r.ID[:])
	w.state, w.status = append(w.state, int16(r.State)), append(w.status, int32(r.Status))
	w.reason, w.detail = append(w.reason, storable(r.Reason)), append(w.detail, textPtr(storable(r.Detail)))
	w.findings, w.envelope = append(w.findings, r.Findings), append(w.envelope, envelopeColumn(r.Envelope))
	w.remote, w.note = append(w.remote, storable(r.Remote)), append(w.note, textPtr(storable(r.Note)))
	w.eventType, w.key = append(w.eventType, textPtr(storable(r.EventType))), append(w.key, textPtr(storable(r.Key)))
	w.contentType = append(w.contentType, textPtr(storable(r.ContentType)))
	w.message, w.fingerprint = append(w.message, idOrNil(r.Message)), append(w.fingerprint, r.Fingerprint[:])
	w.received = append(w.received, r.ReceivedAt.UnixMicro())
	body, size := r.Body, len(r.Body)
	if body == nil {
		// Without a size it is one that is empty, else one that was not read.
		if size = r.BodySize; size == 0 {
			body = []byte{}
		}
	}
	w.body, w.size = append(w.body, body), append(w.size, int32(size))
}

// idOrNil is an id in an array of ids; nil for none.
func idOrNil(id hook.ID) []byte {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

func (w *recordRows) arguments() []any {
	return []any{w.env, w.source, w.id, w.state, w.reason, w.detail, w.findings, w.envelope, w.remote, w.eventType, w.key, w.message,
		w.fingerprint, w.status, w.contentType, w.size, w.received, w.note, w.body}
}
