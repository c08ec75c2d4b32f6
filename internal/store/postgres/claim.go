package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

// Lanes implements store.Queue. It skips from lane to lane in the index of the
// queue, so its cost is that of the lanes, not of the deliveries in them. The
// order is that in which the endpoints were made.
func (s *Store) Lanes(ctx context.Context, after hook.ID, limit int) ([]hook.Lane, error) {
	var lanes []hook.Lane
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		at := int64(0)
		if !after.IsZero() {
			found, err := c.one(ctx, `SELECT seq FROM endpoints WHERE id = $1`, []any{after}, func(r *row) error {
				at = r.int(0)
				return nil
			})
			if err != nil || !found {
				return err
			}
		}
		var last int64
		// One lane more than asked for tells whether the last endpoint is whole.
		return c.query(ctx, `SELECT l.endpoint, e.id, a.id, l.retry, l.due FROM (
		    WITH RECURSIVE lanes AS (
		      (SELECT endpoint, retry, due FROM queue WHERE node IS NULL AND endpoint > $1 ORDER BY endpoint, retry, due LIMIT 1)
		      UNION ALL
		      SELECT n.endpoint, n.retry, n.due FROM lanes l CROSS JOIN LATERAL (
		        SELECT endpoint, retry, due FROM queue WHERE node IS NULL AND (endpoint, retry) > (l.endpoint, l.retry)
		        ORDER BY endpoint, retry, due LIMIT 1) n)
		    SELECT * FROM lanes LIMIT $2) l
		  JOIN endpoints e ON e.seq = l.endpoint JOIN applications a ON a.seq = e.app ORDER BY l.endpoint, l.retry`,
			[]any{at, limit + 1}, func(r *row) error {
				if len(lanes) >= limit && r.int(0) != last {
					return nil
				}
				last = r.int(0)
				lanes = append(lanes, hook.Lane{Endpoint: r.id(1), App: r.id(2), Retry: r.bool(3), Due: r.time(4)})
				return nil
			})
	})
	return lanes, err
}

// Claim implements store.Queue. Nodes pass over what another one is claiming.
func (s *Store) Claim(ctx context.Context, r hook.ClaimRequest) ([]hook.ClaimedLane, error) {
	s.orphans.claims.RLock()
	defer s.orphans.claims.RUnlock()
	var claim *claiming
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		claim = &claiming{store: s, request: r, out: make([]hook.ClaimedLane, len(r.Lanes))}
		return claim.run(ctx, c)
	})
	if err != nil {
		if isUnavailable(err) && claim != nil {
			s.orphans.add(claim.leases) // if the connection broke, it may be committed
		}
		return nil, err
	}
	taken := make([]deliveryKey, len(claim.leases))
	for i, l := range claim.leases {
		taken[i] = keyOf(l)
	}
	s.orphans.known(taken)
	return claim.out, nil
}

// claiming is one transaction that leases due deliveries.
type claiming struct {
	store   *Store
	request hook.ClaimRequest
	out     []hook.ClaimedLane
	ends    []*cachedEndpoint // by lane; nil: it takes nothing
	apps    []*cachedApp      // by lane
	picked  []pick
	leases  []*hook.Lease
}

// pick is a delivery that is to be leased.
type pick struct {
	lane     int
	message  hook.ID
	endpoint int64
	size     int
}

func (cl *claiming) run(ctx context.Context, c *conn) error {
	if err := cl.findEndpoints(ctx, c); err != nil {
		return err
	}
	if err := cl.pick(ctx, c); err != nil {
		return err
	}
	if len(cl.picked) > 0 {
		if err := cl.room(ctx, c); err != nil {
			return err
		}
		if err := cl.lease(ctx, c); err != nil {
			return err
		}
	}
	return cl.lookAhead(ctx, c)
}

// findEndpoints finds out which lanes are open, with the endpoints as they are now.
func (cl *claiming) findEndpoints(ctx context.Context, c *conn) error {
	ids := make([]hook.ID, len(cl.request.Lanes))
	for i, l := range cl.request.Lanes {
		ids[i] = l.Endpoint
		cl.out[i].Closed = hook.ReasonEndpointDeleted // unless it is found
	}
	type found struct {
		seq int64
		app hook.ID
	}
	ends, apps := map[hook.ID]found{}, map[hook.ID]bool{}
	err := c.query(ctx, `SELECT e.id, e.seq, a.id FROM endpoints e JOIN applications a ON a.seq = e.app
	  WHERE e.id = ANY($1) AND e.deleted IS NULL AND a.deleted IS NULL`, []any{idArray(ids)}, func(r *row) error {
		ends[r.id(0)] = found{r.int(1), r.id(2)}
		apps[r.id(2)] = true
		return nil
	})
	if err != nil {
		return err
	}
	appIDs := make([]hook.ID, 0, len(apps))
	for id := range apps {
		appIDs = append(appIDs, id)
	}
	cached, err := cl.store.findApps(ctx, c, appIDs)
	if err != nil {
		return err
	}
	cl.ends, cl.apps = make([]*cachedEndpoint, len(ids)), make([]*cachedApp, len(ids))
	for i, id := range ids {
		a := cached[ends[id].app]
		if a == nil {
			continue
		}
		e := a.find(ends[id].seq)
		switch {
		case e == nil:
		case e.endpoint.Disabled:
			cl.out[i].Closed = hook.ReasonEndpointDisabled
		default:
			cl.out[i].Closed, cl.ends[i], cl.apps[i] = hook.ReasonNone, e, a
		}
	}
	return nil
}

// laneArrays are the open lanes by column; n is the place of each.
func (cl *claiming) laneArrays() (n []int32, endpoint []int64, retry []bool, most []int32) {
	for i, l := range cl.request.Lanes {
		if cl.ends[i] == nil {
			continue
		}
		n, endpoint = append(n, int32(i)), append(endpoint, cl.ends[i].seq)
		retry, most = append(retry, l.Retry), append(most, int32(max(0, l.Max)))
	}
	return n, endpoint, retry, most
}

// pick locks the earliest deliveries of each lane; a lane that is asked for twice
// gives them once, and a node whose epoch is over gets none.
func (cl *claiming) pick(ctx context.Context, c *conn) error {
	n, endpoint, retry, most := cl.laneArrays()
	if len(n) == 0 {
		return nil
	}
	seen := map[deliveryKey]bool{}
	return c.query(ctx, `SELECT l.n, q.message, q.endpoint
	  FROM unnest($1::integer[], $2::bigint[], $3::boolean[], $4::integer[]) AS l(n, endpoint, retry, most)
	    CROSS JOIN LATERAL (SELECT message, endpoint FROM queue
	      WHERE endpoint = l.endpoint AND retry = l.retry AND node IS NULL AND due <= $5
	      ORDER BY due LIMIT l.most FOR UPDATE SKIP LOCKED) q
	  WHERE (SELECT count(*) FROM nodes WHERE id = $6 AND epoch = $7) > 0`,
		[]any{n, endpoint, retry, most, cl.request.Now, cl.request.Node.ID, cl.request.Node.Epoch}, func(r *row) error {
			k := deliveryKey{r.id(1), r.int(2)}
			if !seen[k] {
				seen[k] = true
				cl.picked = append(cl.picked, pick{lane: int(r.int(0)), message: k.message, endpoint: k.endpoint})
			}
			return nil
		})
}

// room keeps of the picked deliveries those whose bodies there is room for. The
// first one is taken whatever its size, or a body larger than all the room would
// never be sent.
func (cl *claiming) room(ctx context.Context, c *conn) error {
	var within idRange
	apps, ids := make([]int64, len(cl.picked)), make([][]byte, len(cl.picked))
	for i := range cl.picked {
		p := &cl.picked[i]
		apps[i], ids[i] = cl.apps[p.lane].seq, p.message[:]
		within.add(p.message)
	}
	err := c.query(ctx, `SELECT g.n, m.size FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS g(app, id, n)
	    CROSS JOIN LATERAL (SELECT CASE WHEN body IS NULL THEN 0 ELSE size END AS size FROM messages
	      WHERE app = g.app AND id = g.id AND id >= $3 AND id <= $4 OFFSET 0) m`,
		[]any{apps, ids, within.low, within.high}, func(r *row) error {
			cl.picked[r.int(0)-1].size = int(r.int(1))
			return nil
		})
	left := cl.request.MaxBytes
	full := make([]bool, len(cl.request.Lanes)) // a lane that is full keeps its order
	kept := cl.picked[:0]
	for _, p := range cl.picked {
		if full[p.lane] || len(kept) > 0 && p.size > left {
			full[p.lane] = true
			continue
		}
		left -= p.size
		kept = append(kept, p)
	}
	cl.picked = kept
	return err
}

const claimQueue = `UPDATE queue q SET node = $3 FROM unnest($1::bytea[], $2::bigint[]) AS g(message, endpoint)
  WHERE q.message = g.message AND q.endpoint = g.endpoint AND q.message = ANY($1)`

// claimDeliveries leases deliveries, in the way of endLeases. One that is not there
// comes back with the epoch -1.
const claimDeliveries = `INSERT INTO deliveries AS d
    (message, endpoint, node, epoch, updated, state, reason, attempts, step, last_status, manual, again, retry)
  SELECT message, endpoint, $3, -1, $5, 0, 0, 0, 0, 0, false, false, false FROM unnest($1::bytea[], $2::bigint[]) AS g(message, endpoint)
  ON CONFLICT (message, endpoint) DO UPDATE SET node = excluded.node, epoch = $4, updated = excluded.updated,
    state = CASE d.state WHEN 0 THEN 1 ELSE d.state END
  RETURNING d.message, d.endpoint, d.epoch, d.state, d.reason, d.attempts, d.step, d.manual, d.due, d.auto_due`

const claimedMessages = `SELECT g.n, ` + messageColumns + `, ` + bodyColumns + `
  FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS g(app, id, n)
    CROSS JOIN LATERAL (SELECT * FROM messages WHERE app = g.app AND id = g.id AND id >= $3 AND id <= $4 OFFSET 0) m`

// lease takes the picked deliveries for the node and reads what is to be sent.
func (cl *claiming) lease(ctx context.Context, c *conn) error {
	slices.SortFunc(cl.picked, func(a, b pick) int {
		return cmp.Or(compareIDs(a.message, b.message), cmp.Compare(a.endpoint, b.endpoint))
	})
	var within idRange
	var keys, gone deliveryKeys
	apps := make([]int64, len(cl.picked))
	leases := make([]*hook.Lease, len(cl.picked))
	byKey := make(map[deliveryKey]*hook.Lease, len(cl.picked))
	for i, p := range cl.picked {
		apps[i] = cl.apps[p.lane].seq
		keys.add(p.message, p.endpoint)
		within.add(p.message)
		leases[i] = &hook.Lease{
			Ref: hook.DeliveryRef{Endpoint: p.endpoint}, Node: cl.request.Node,
			Endpoint: cl.ends[p.lane].endpoint, Retry: cl.request.Lanes[p.lane].Retry,
		}
		byKey[deliveryKey{p.message, p.endpoint}] = leases[i]
	}
	node := cl.request.Node
	b := &pgx.Batch{}
	b.Queue(claimQueue, keys.message, keys.endpoint, node.ID)
	b.Queue(claimDeliveries, keys.message, keys.endpoint, node.ID, node.Epoch, cl.request.Now.UnixMicro()).
		Query(scanRows(func(r *row) error {
			if r.int(2) < 0 {
				gone.add(r.id(0), r.int(1))
				return nil
			}
			scanClaimed(r.from(3), byKey[deliveryKey{r.id(0), r.int(1)}])
			return nil
		}))
	b.Queue(claimedMessages, apps, keys.message, within.low[:], within.high[:]).
		Query(scanRows(func(r *row) error { return cl.scanMessage(r, leases) }))
	if err := c.send(ctx, b); err != nil {
		return err
	}
	cl.handOut(leases)
	if len(gone.message) == 0 {
		return nil
	}
	if err := gone.remove(ctx, c); err != nil {
		return err
	}
	_, err := c.exec(ctx, deleteQueue, gone.message, gone.endpoint)
	return err
}

// handOut gives each lane its leases, the earliest first.
func (cl *claiming) handOut(leases []*hook.Lease) {
	for i, p := range cl.picked {
		if l := leases[i]; l.Message != nil && l.Number > 0 {
			cl.out[p.lane].Leases = append(cl.out[p.lane].Leases, l)
			cl.leases = append(cl.leases, l)
		}
	}
	for i := range cl.out {
		slices.SortStableFunc(cl.out[i].Leases, func(a, b *hook.Lease) int { return a.Due.Compare(b.Due) })
	}
}

// scanRows is fn for the rows of one statement of a batch.
func scanRows(fn func(*row) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error { return eachRow(rows, fn) }
}

func scanClaimed(r *row, l *hook.Lease) {
	l.Number, l.Due = int(r.int(2))+1, r.time(5)
	// The row says sending for what was pending.
	state := hook.State(r.int(0))
	if state == hook.Sending {
		state = hook.Pending
	}
	l.Tried = hook.Tried{
		State: state, Reason: hook.Reason(r.int(1)),
		Step: int(r.int(3)), Manual: r.bool(4), AutoDue: r.time(6),
	}
}

func (cl *claiming) scanMessage(r *row, leases []*hook.Lease) error {
	l := leases[r.int(0)-1]
	m, err := scanMessage(r.from(1))
	m.Env, m.App = l.Endpoint.Env, l.Endpoint.App
	l.Message = &m.Message
	return err
}

// lookAhead finds out when each open lane has work next.
func (cl *claiming) lookAhead(ctx context.Context, c *conn) error {
	n, endpoint, retry, _ := cl.laneArrays()
	if len(n) == 0 {
		return nil
	}
	return c.query(ctx, `SELECT l.n, q.due FROM unnest($1::integer[], $2::bigint[], $3::boolean[]) AS l(n, endpoint, retry)
	    CROSS JOIN LATERAL (SELECT due FROM queue WHERE endpoint = l.endpoint AND retry = l.retry AND node IS NULL
	      ORDER BY due LIMIT 1) q`, []any{n, endpoint, retry}, func(r *row) error {
		cl.out[r.int(0)].Next = r.time(1)
		return nil
	})
}

// backInLane is the part of an UPDATE of deliveries d that takes one whose attempt
// was not made out of the hands of a node. A resend that was asked for meanwhile
// comes first, and the attempt that was not made is the automatic one after it. In
// {due} stands when a delivery leased at accept is due.
const backInLane = `node = NULL, epoch = NULL, due = coalesce(d.due, {due}),
    reason = CASE d.state WHEN 1 THEN 3 ELSE d.reason END, state = CASE d.state WHEN 1 THEN 0 ELSE d.state END,
    auto_due = CASE WHEN d.again AND NOT d.manual THEN coalesce(d.due, {due}) ELSE d.auto_due END,
    retry = d.retry OR d.again, manual = d.manual OR d.again, again = false`

// Release implements store.Queue.
func (s *Store) Release(ctx context.Context, leases []*hook.Lease, now time.Time) error {
	if _, err := s.release(ctx, leases, now); err != nil {
		return err
	}
	for _, l := range leases {
		if l.AtAccept {
			s.open.end(l.Message.ID)
		}
	}
	return nil
}

// release gives leases back that are still the node's, and gives those.
func (s *Store) release(ctx context.Context, leases []*hook.Lease, now time.Time) (freed []deliveryKey, err error) {
	if len(leases) == 0 {
		return nil, nil
	}
	leases = slices.Clone(leases)
	slices.SortFunc(leases, compareLeases)
	var keys deliveryKeys
	var within idRange
	nodes, epochs, dues := make([]int64, len(leases)), make([]int64, len(leases)), make([]int64, len(leases))
	for i, l := range leases {
		keys.add(l.Message.ID, l.Ref.Endpoint)
		within.add(l.Message.ID)
		nodes[i], epochs[i], dues[i] = l.Node.ID, l.Node.Epoch, l.Due.UnixMicro()
	}
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		freed = freed[:0]
		args := []any{keys.message, keys.endpoint, nodes, epochs, dues, now, within.low, within.high}
		return c.query(ctx, releaseLeases, args, func(r *row) error {
			freed = append(freed, deliveryKey{r.id(0), r.int(1)})
			return nil
		})
	})
	return freed, err
}

func compareLeases(a, b *hook.Lease) int {
	if n := compareIDs(a.Message.ID, b.Message.ID); n != 0 {
		return n
	}
	return int(a.Ref.Endpoint - b.Ref.Endpoint)
}
