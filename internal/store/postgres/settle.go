package postgres

import (
	"cmp"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

// Settle implements store.Queue.
func (s *Store) Settle(ctx context.Context, batch []hook.Settlement) ([]hook.Settled, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	for i := range batch {
		if !tried(&batch[i]) {
			continue
		}
		if err := s.partitions.ensure(ctx, batch[i].Attempt.ID.Time()); err != nil {
			return nil, err
		}
	}
	out, err := s.settleParts(ctx, batch)
	if err != nil {
		return nil, err
	}
	for i := range batch {
		if batch[i].Lease.AtAccept {
			s.open.end(batch[i].Lease.Message.ID)
		}
	}
	return out, nil
}

// settleParts settles a batch. A statement can change a delivery only once, so a
// lease of an earlier epoch and a later one of the same delivery go one after the
// other; what has no table any more, because retention dropped it, is lost.
func (s *Store) settleParts(ctx context.Context, batch []hook.Settlement) ([]hook.Settled, error) {
	out := make([]hook.Settled, len(batch))
	seen := map[deliveryKey]bool{}
	var now, later []hook.Settlement
	var nowAt, laterAt []int
	for i := range batch {
		k := keyOf(batch[i].Lease)
		switch {
		case s.partitions.missing(k.message.Time()):
			out[i].Lost = true
		case seen[k]:
			later, laterAt = append(later, batch[i]), append(laterAt, i)
		default:
			seen[k] = true
			now, nowAt = append(now, batch[i]), append(nowAt, i)
		}
	}
	if len(now) == 0 {
		return out, nil
	}
	settled, err := s.settle(ctx, now)
	if err != nil {
		return nil, err
	}
	for j, i := range nowAt {
		out[i] = settled[j]
	}
	if len(later) == 0 {
		return out, nil
	}
	if settled, err = s.settleParts(ctx, later); err != nil {
		return nil, err
	}
	for j, i := range laterAt {
		out[i] = settled[j]
	}
	return out, nil
}

// settle takes the short way if it may.
func (s *Store) settle(ctx context.Context, batch []hook.Settlement) (out []hook.Settled, err error) {
	err = s.whereThereAreTables(ctx, func() error {
		if allDelivered(batch) {
			out, err = s.settleDelivered(ctx, batch)
			return err
		}
		return s.write(ctx, func(ctx context.Context, c *conn) error {
			st := newSettling(batch)
			out = st.out
			return st.run(ctx, c)
		})
	})
	if pgCode(err) == codeNoPartition { // retention has dropped a table since we looked
		return s.settleParts(ctx, batch)
	}
	return out, err
}

// settling is one transaction that ends leases.
type settling struct {
	batch []hook.Settlement
	order []int               // places in batch, in the order of keys
	place map[deliveryKey]int // the place of each
	out   []hook.Settled
	again []bool // a resend was asked for meanwhile
	known []bool // recorded by an earlier transaction
	ends  map[int64]*settledEndpoint
}

// settledEndpoint is what the failure clock of an endpoint needs.
type settledEndpoint struct {
	app          int64
	failingSince time.Time
	disabled     bool
}

func newSettling(batch []hook.Settlement) *settling {
	st := &settling{
		batch: batch, order: make([]int, len(batch)), out: make([]hook.Settled, len(batch)),
		again: make([]bool, len(batch)), known: make([]bool, len(batch)), ends: map[int64]*settledEndpoint{},
		place: make(map[deliveryKey]int, len(batch)),
	}
	for i := range batch {
		st.order[i] = i
		st.out[i].Lost = true // unless its row is found
		st.place[keyOf(batch[i].Lease)] = i
	}
	slices.SortFunc(st.order, func(a, b int) int { return compareLeases(batch[a].Lease, batch[b].Lease) })
	return st
}

func (st *settling) run(ctx context.Context, c *conn) error {
	if err := st.endLeases(ctx, c); err != nil {
		return err
	}
	if err := st.recorded(ctx, c); err != nil {
		return err
	}
	b := &pgx.Batch{}
	st.attempts(b)
	st.queue(b)
	st.failing(b)
	if b.Len() > 0 {
		if err := c.send(ctx, b); err != nil {
			return err
		}
	}
	return st.failureClocks(ctx, c)
}

// endLeases ends leases that are still the node's. It is written as an insert that
// meets the row that is there: so each row is looked up by its key, in its partition
// alone, whatever the planner thinks of tables that have just been made. A row that
// is not there any more is inserted, with `again`, and taken out again.
//
// A resend asked for while the attempt was in flight becomes the next one; what
// the schedule says is remembered in auto_due. A delivered message is sent again
// all the same: the caller asked for it.
const endLeases = `INSERT INTO deliveries AS d
    (message, endpoint, node, epoch, state, reason, attempts, step, due, last_status, updated, manual, again, retry)
  SELECT message, endpoint, node, epoch, state, reason, attempts, step, due, coalesce(status, -1), now, false, true, attempts > 0
  FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::smallint[], $7::integer[], $8::integer[],
      $9::bigint[], $10::integer[], $11::bigint[]) AS g(message, endpoint, node, epoch, state, reason, attempts, step, due, status, now)
  ON CONFLICT (message, endpoint) DO UPDATE SET node = NULL, epoch = NULL, state = excluded.state, reason = excluded.reason,
    attempts = excluded.attempts, step = excluded.step, due = CASE WHEN d.again THEN excluded.updated ELSE excluded.due END,
    auto_due = CASE WHEN d.again THEN excluded.due END, manual = d.again, again = false, retry = excluded.retry,
    last_status = CASE excluded.last_status WHEN -1 THEN d.last_status ELSE excluded.last_status END, updated = excluded.updated
  WHERE d.node = excluded.node AND d.epoch = excluded.epoch
  RETURNING d.message, d.endpoint, d.due, d.manual, d.again`

const endpointClocks = `SELECT seq, app, failing_since, disabled <> 0 FROM endpoints WHERE seq = ANY($1) AND deleted IS NULL`

// endLeases updates the deliveries whose lease is still the node's, and reads the
// endpoints' clocks.
func (st *settling) endLeases(ctx context.Context, c *conn) error {
	args := st.leaseColumns()
	var gone deliveryKeys
	b := &pgx.Batch{}
	b.Queue(endLeases, args...).Query(scanRows(func(r *row) error {
		if r.bool(4) {
			gone.add(r.id(0), r.int(1))
			return nil
		}
		i := st.place[deliveryKey{r.id(0), r.int(1)}]
		st.out[i].Lost, st.again[i] = false, r.bool(3)
		return nil
	}))
	b.Queue(endpointClocks, distinct(args[1].([]int64))).Query(scanRows(func(r *row) error {
		st.ends[r.int(0)] = &settledEndpoint{app: r.int(1), failingSince: r.time(2), disabled: r.bool(3)}
		return nil
	}))
	if err := c.send(ctx, b); err != nil {
		return err
	}
	return gone.remove(ctx, c)
}

// leaseColumns are the arguments that end leases: keys, whose lease it is, and
// what becomes of the delivery.
func (st *settling) leaseColumns() []any {
	n := len(st.batch)
	var keys deliveryKeys
	nodes, epochs, nows := make([]int64, n), make([]int64, n), make([]int64, n)
	states, reasons := make([]int16, n), make([]int16, n)
	attempts, steps := make([]int32, n), make([]int32, n)
	dues, statuses := make([]*int64, n), make([]*int32, n)
	for at, i := range st.order {
		s := &st.batch[i]
		l := s.Lease
		keys.add(l.Message.ID, l.Ref.Endpoint)
		nodes[at], epochs[at], nows[at] = l.Node.ID, l.Node.Epoch, s.Now.UnixMicro()
		states[at], reasons[at] = int16(s.Then.State), int16(s.Then.Reason)
		attempts[at], steps[at] = int32(l.Number-1), int32(s.Then.Step)
		dues[at] = microsPtr(s.Then.Due)
		if tried(s) {
			attempts[at]++
			status := int32(s.Attempt.Outcome.Status)
			statuses[at] = &status
		}
	}
	return []any{keys.message, keys.endpoint, nodes, epochs, states, reasons, attempts, steps, dues, statuses, nows}
}

// tried reports whether a settlement brings an attempt.
func tried(s *hook.Settlement) bool { return !s.Attempt.ID.IsZero() }

func distinct(numbers []int64) []int64 {
	out := slices.Clone(numbers)
	slices.Sort(out)
	return slices.Compact(out)
}

// recorded fills in the results; some may have been recorded by a transaction
// before this one of which nobody heard that it was committed.
func (st *settling) recorded(ctx context.Context, c *conn) error {
	for i := range st.batch {
		s, out := &st.batch[i], &st.out[i]
		if out.Lost {
			continue
		}
		out.Due = s.Then.Due
		if st.again[i] {
			out.Due = s.Now
		}
		out.Retry = !out.Due.IsZero() && (tried(s) || s.Lease.Number > 1)
	}
	return st.recallLost(ctx, c)
}

// recallLost finds among the lost ones those that were recorded.
func (st *settling) recallLost(ctx context.Context, c *conn) error {
	var lost []int
	for i := range st.batch {
		if st.out[i].Lost && tried(&st.batch[i]) {
			lost = append(lost, i)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	var messages, ids [][]byte
	var within idRange
	for _, i := range lost {
		a := &st.batch[i].Attempt
		messages, ids = append(messages, a.Message[:]), append(ids, a.ID[:])
		within.add(a.ID)
	}
	return c.query(ctx, `SELECT g.n FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS g(message, id, n)
	  CROSS JOIN LATERAL (SELECT 1 FROM attempts WHERE message = g.message AND id = g.id AND id >= $3 AND id <= $4 OFFSET 0) a`,
		[]any{messages, ids, within.low, within.high}, func(r *row) error {
			i := lost[r.int(0)-1]
			st.out[i] = hook.Settled{Due: st.batch[i].Then.Due, Retry: !st.batch[i].Then.Due.IsZero()}
			st.known[i] = true
			return nil
		})
}

const insertAttempts = `INSERT INTO attempts (id, message, endpoint, txid, number, manual, class, status, detail, url, started, timings,
    next_due, response, response_headers, request_headers)
  SELECT id, message, endpoint, (SELECT pg_current_xact_id()::text::bigint), number, manual, class, status, detail, url, started,
    timings, next_due, response, response_headers, request_headers
  FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::integer[], $5::boolean[], $6::smallint[], $7::integer[], $8::text[],
      $9::text[], $10::bigint[], $11::bytea[], $12::bigint[], $13::bytea[], $14::bytea[], $15::bytea[])
    AS g(id, message, endpoint, number, manual, class, status, detail, url, started, timings, next_due, response,
      response_headers, request_headers)`

// attempts stores what was tried.
func (st *settling) attempts(b *pgx.Batch) {
	a := st.attemptColumns(func(i int) bool { return !st.out[i].Lost && !st.known[i] && tried(&st.batch[i]) })
	if len(a.id) > 0 {
		b.Queue(insertAttempts, a.id, a.message, a.endpoint, a.number, a.manual, a.class, a.status, a.detail, a.url, a.started, a.timings,
			a.next, a.response, a.responseHeaders, a.requestHeaders)
	}
}

// attemptRows are attempts by column.
type attemptRows struct {
	id, message, timings, response, responseHeaders, requestHeaders [][]byte
	endpoint, started                                               []int64
	number, status                                                  []int32
	manual                                                          []bool
	class                                                           []int16
	detail                                                          []*string
	url                                                             []string
	next                                                            []*int64
}

// attemptColumns gives the attempts of those places in the batch that are wanted,
// in the order of keys.
func (st *settling) attemptColumns(wanted func(i int) bool) *attemptRows {
	r := &attemptRows{}
	for _, i := range st.order {
		if wanted(i) {
			r.add(&st.batch[i])
		}
	}
	return r
}

func (r *attemptRows) add(s *hook.Settlement) {
	a := &s.Attempt
	response := a.Response
	if response == nil {
		response = []byte{}
	}
	r.id, r.message, r.endpoint = append(r.id, a.ID[:]), append(r.message, s.Lease.Message.ID[:]), append(r.endpoint, s.Lease.Ref.Endpoint)
	r.number, r.status = append(r.number, int32(a.Number)), append(r.status, int32(a.Outcome.Status))
	r.manual, r.class = append(r.manual, a.Trigger == hook.TriggerManual), append(r.class, int16(a.Outcome.Class))
	r.detail, r.url = append(r.detail, textPtr(storable(a.Outcome.Detail))), append(r.url, storable(a.URL))
	r.started, r.next = append(r.started, a.StartedAt.UnixMicro()), append(r.next, microsPtr(s.Then.Due))
	r.timings, r.response = append(r.timings, appendTimings(nil, a.Timings)), append(r.response, response)
	r.responseHeaders, r.requestHeaders = append(r.responseHeaders, a.ResponseHeaders), append(r.requestHeaders, a.RequestHeaders)
}

// queue keeps the queue in step: what is due again waits in it, what has ended and
// was claimed from it leaves it.
func (st *settling) queue(b *pgx.Batch) {
	var waiting queueRows
	var ended deliveryKeys
	for _, i := range st.order {
		l, out := st.batch[i].Lease, &st.out[i]
		switch {
		case out.Lost || st.known[i]:
		case !out.Due.IsZero():
			waiting.add(l.Message.ID, l.Ref.Endpoint, out.Retry, out.Due)
		case !l.AtAccept:
			ended.add(l.Message.ID, l.Ref.Endpoint)
		}
	}
	waiting.upsert(b)
	ended.leaveQueue(b)
}

// failureClocks starts, clears or reads the time since which each endpoint has had
// nothing but failures, and disables those of which the rules say so.
func (st *settling) failureClocks(ctx context.Context, c *conn) error {
	before := map[int64]time.Time{} // of the clocks that change
	var disabled []int
	for i := range st.batch { // in the order in which the attempts ended
		s, out := &st.batch[i], &st.out[i]
		e := st.ends[s.Lease.Ref.Endpoint]
		if out.Lost || st.known[i] || !tried(s) || e == nil {
			continue
		}
		was := e.failingSince
		if s.Attempt.Outcome.Class == hook.Success {
			e.failingSince = time.Time{}
		} else if e.failingSince.IsZero() {
			e.failingSince = s.Attempt.StartedAt
		}
		if _, known := before[s.Lease.Ref.Endpoint]; !known && !e.failingSince.Equal(was) {
			before[s.Lease.Ref.Endpoint] = was
		}
		if reason := disables(s, e); reason != hook.NotDisabled {
			e.disabled = true
			out.Disabled, out.FailingSince = reason, e.failingSince
			disabled = append(disabled, i)
		}
	}
	// In one order, applications before endpoints, so that two transactions do not
	// wait for each other.
	slices.SortFunc(disabled, func(a, b int) int {
		x, y := st.batch[a].Lease.Ref.Endpoint, st.batch[b].Lease.Ref.Endpoint
		return cmp.Or(cmp.Compare(st.ends[x].app, st.ends[y].app), cmp.Compare(x, y))
	})
	for _, i := range disabled {
		endpoint := st.batch[i].Lease.Ref.Endpoint
		if err := disable(ctx, c, st.ends[endpoint].app, endpoint, st.out[i].Disabled, st.batch[i].Now); err != nil {
			return err
		}
	}
	return st.setClocks(ctx, c, before)
}

// disables says whether an attempt disables its endpoint, and why.
func disables(s *hook.Settlement, e *settledEndpoint) hook.DisableReason {
	if e.disabled || s.Attempt.Outcome.Class == hook.Success {
		return hook.NotDisabled
	}
	if s.Then.Disable == hook.NotDisabled && hook.ShouldDisable(e.failingSince, s.Now, s.DisableAfter) {
		return hook.DisabledByFailing
	}
	return s.Then.Disable
}

// setClocks writes the clocks that changed, given what they were before. One that
// another transaction has changed meanwhile stays as that one left it.
func (st *settling) setClocks(ctx context.Context, c *conn, before map[int64]time.Time) error {
	if len(before) == 0 {
		return nil
	}
	seqs := slices.Sorted(maps.Keys(before))
	was, since := make([]*int64, len(seqs)), make([]*int64, len(seqs))
	for i, seq := range seqs {
		was[i], since[i] = microsPtr(before[seq]), microsPtr(st.ends[seq].failingSince)
	}
	_, err := c.exec(ctx, `UPDATE endpoints e SET failing_since = g.since
	  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS g(seq, was, since)
	  WHERE e.seq = g.seq AND e.failing_since IS NOT DISTINCT FROM g.was`, seqs, was, since)
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
