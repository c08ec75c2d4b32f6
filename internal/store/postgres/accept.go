package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// accepting is one call of Accept on its way through its group.
type accepting struct {
	node   hook.Node
	places hook.Placer
	now    time.Time
	events []hook.NewEvent
	out    []hook.Accepted
	due    []dueNote // to tell places after the commit
}

type dueNote struct {
	message  hook.ID
	endpoint *hook.Endpoint
	at       time.Time
}

// Accept implements store.Messages.
func (s *Store) Accept(ctx context.Context, node hook.Node, places hook.Placer, now time.Time, events []hook.NewEvent) ([]hook.Accepted, error) {
	a := &accepting{node: node, places: places, now: now, events: events, out: make([]hook.Accepted, len(events))}
	if err := s.accepts.do(ctx, a); err != nil {
		return nil, err
	}
	return a.out, nil
}

// acceptGroup stores the events of all callers in one transaction. If something
// in it is what the database cannot store, each caller gets a transaction of its
// own, so that one does not harm the others.
func (s *Store) acceptGroup(calls []*waiting[*accepting]) {
	err := s.acceptAll(calls)
	if err != nil && len(calls) > 1 && !isAway(s.explain(err)) {
		for _, w := range calls {
			w.err = s.explain(s.acceptAll([]*waiting[*accepting]{w}))
		}
		return
	}
	err = s.explain(err)
	for _, w := range calls {
		w.err = err
	}
}

func isUnavailable(err error) bool {
	var known *hook.Error
	return errors.As(err, &known) && known.Code == hook.CodeUnavailable
}

// isAway reports whether the database and not what was to be stored is the cause.
func isAway(err error) bool {
	var known *hook.Error
	return isUnavailable(err) || errors.As(err, &known) && known.Code == hook.CodeUnknown
}

func (s *Store) acceptAll(calls []*waiting[*accepting]) error {
	watch := startStopwatch()
	var p *acceptance
	var err error
	for try := 1; ; try++ {
		p, err = s.acceptOnce(calls)
		if !metAnother(err) || try == writeTries {
			break
		}
	}
	if p.inDoubt(err) {
		err = s.resolve(calls, p, err)
	}
	s.opts.Observe(Commit{Operations: len(calls), Took: watch.elapsed(), Err: err})
	return err
}

// acceptOnce does the transaction once, and tells the engines what came of the
// places they gave.
func (s *Store) acceptOnce(calls []*waiting[*accepting]) (*acceptance, error) {
	ctx, cancel := context.WithTimeout(s.ctx, 2*s.opts.MaxWait)
	defer cancel()
	p := &acceptance{store: s, calls: calls}
	for _, w := range calls {
		a := w.of
		a.due = a.due[:0]
		for i := range a.events {
			a.out[i] = hook.Accepted{}
			p.items = append(p.items, &acceptItem{call: a, event: &a.events[i], out: &a.out[i]})
		}
	}
	if err := p.run(ctx); err != nil {
		if p.inDoubt(err) {
			p.keep()
		}
		p.giveBack()
		return p, err
	}
	p.tell()
	return p, nil
}

// tell tells the engines, here and elsewhere, what is due.
func (p *acceptance) tell() {
	var elsewhere []hook.Lane // work that this node will not do
	for _, w := range p.calls {
		for _, d := range w.of.due {
			w.of.places.Due(d.endpoint, false, d.at)
			if w.of.node.ID == 0 {
				elsewhere = append(elsewhere, hook.Lane{Endpoint: d.endpoint.ID, App: d.endpoint.App, Due: d.at})
			}
		}
	}
	p.store.hints.tell(elsewhere)
}

// acceptance is one transaction that stores events.
type acceptance struct {
	store    *Store
	calls    []*waiting[*accepting]
	items    []*acceptItem
	open     bool // statements are part of a transaction
	sent     bool // what was sent may be committed
	asked    bool // for a commit that may have happened, whatever the driver says
	kept     *keptAcceptance
	messages messageRows
	due      deliveryRows
	queue    queueRows
	keys     keyRows
	requests receivedRows // that come with their messages
	believed receivedRows // that were stored before, and refused then
}

// acceptItem is one event in it.
type acceptItem struct {
	call  *accepting
	event *hook.NewEvent
	out   *hook.Accepted
	app   *cachedApp
	use   *keyUse // of its idempotency key; nil: it has none
	ended bool    // refused, or a repetition
	// Of a repetition by a request: the message that was first, if that is known, or
	// the item of this group with the same request.
	first hook.ID
	same  *acceptItem
}

func (i *acceptItem) refuse(err error) { i.out.Err, i.ended = err, true }

func (p *acceptance) run(ctx context.Context) error {
	pc, err := p.store.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer pc.Release()
	c := &conn{pc.Conn()}
	if err := p.ensurePartitions(ctx); err != nil {
		return err
	}
	if p.cachedApps() && p.distinctKeys() && !p.believes() {
		done, err := p.atOnce(ctx, c, true)
		if done || err != nil && pgCode(err) != codeUnique {
			return err
		}
		p.giveBack()
		p.sent = false
	}
	if err := p.findApps(ctx, c); err != nil {
		return err
	}
	if p.keyed() {
		return p.withKeys(ctx, pc, c)
	}
	done, err := p.atOnce(ctx, c, false)
	if err == nil && !done {
		err = errChanged
	}
	return err
}

// distinctKeys reports whether no two events bring the same key. Nearly all keys
// are new, so it is tried first whether all are: if not, the database refuses the
// statement, and withKeys finds out which.
func (p *acceptance) distinctKeys() bool {
	onces, events := map[onceKey]bool{}, map[eventKey]bool{}
	for _, i := range p.items {
		if k := i.event.Idempotency; k != nil {
			o := onceKey{i.event.Env, k.Hash, k.Auto}
			if onces[o] {
				return false
			}
			onces[o] = true
		}
		if i.event.EventID != "" {
			e := eventKey{i.app.seq, i.event.EventID}
			if events[e] {
				return false
			}
			events[e] = true
		}
	}
	return true
}

// eventKey is a caller's own id of an event.
type eventKey struct {
	app int64
	id  string
}

// errChanged says that an application was changed between the look at it and the
// transaction. It is treated like a transaction that the database has undone.
var errChanged = &pgconn.PgError{Code: codeSerialization, Message: "the configuration changed meanwhile"}

// cachedApps takes the applications as they are in memory, and reports whether all
// of them are there.
func (p *acceptance) cachedApps() bool {
	for _, i := range p.items {
		if i.app = p.store.cache.newest(i.event.App); i.app == nil || i.app.env != i.event.Env || i.event.Request != nil && !i.app.source || i.app.source && i.event.Published {
			return false
		}
	}
	return true
}

// atOnce stores the events in one statement, which stores nothing if an
// application is not of the version that the deliveries were made with; then it
// reports false.
func (p *acceptance) atOnce(ctx context.Context, c *conn, withKeys bool) (done bool, err error) {
	p.build(withKeys)
	if len(p.messages.id) == 0 {
		return true, nil
	}
	p.sent = !p.open
	if p.messages.received {
		return p.receiveAtOnce(ctx, c)
	}
	_, err = c.one(ctx, storeAtOnce, p.arguments(), func(r *row) error {
		done = r.bool(0)
		return nil
	})
	return done, err
}

// withKeys is the rest of run for events that bring keys: who was first with a key
// must be known before anything is stored.
func (p *acceptance) withKeys(ctx context.Context, pc *pgxpool.Conn, c *conn) error {
	p.sent, p.asked, p.open = false, false, true
	tx, err := pc.Begin(ctx)
	if err != nil {
		return err
	}
	if err := p.storeKeyed(ctx, c); err != nil {
		_ = tx.Rollback(ctx) // the first error says it all
		return err
	}
	p.sent, p.asked = true, true
	return tx.Commit(ctx)
}

func (p *acceptance) storeKeyed(ctx context.Context, c *conn) error {
	if err := p.useKeys(ctx, c); err != nil {
		return err
	}
	if err := p.lockRefused(ctx, c); err != nil {
		return err
	}
	if err := p.useEventIDs(ctx, c); err != nil {
		return err
	}
	if done, err := p.atOnce(ctx, c, false); err != nil {
		return err
	} else if !done {
		return errChanged
	}
	if err := p.believe(ctx, c); err != nil {
		return err
	}
	if err := p.findFirsts(ctx, c); err != nil {
		return err
	}
	return p.findReceived(ctx, c)
}

func (p *acceptance) findApps(ctx context.Context, c *conn) error {
	var ids []hook.ID
	seen := map[hook.ID]bool{}
	for _, i := range p.items {
		if !seen[i.event.App] {
			seen[i.event.App] = true
			ids = append(ids, i.event.App)
		}
	}
	apps, err := p.store.findApps(ctx, c, ids)
	if err != nil {
		return err
	}
	for _, i := range p.items {
		a := apps[i.event.App]
		if a == nil || a.env != i.event.Env || a.source && i.event.Published {
			i.refuse(hook.NotFound("application"))
			continue
		}
		if i.event.Request != nil && !a.source {
			i.refuse(hook.NotFound("source"))
			continue
		}
		i.app = a
	}
	return nil
}

// ensurePartitions makes the tables for messages that nobody had of that time.
func (p *acceptance) ensurePartitions(ctx context.Context) error {
	for _, i := range p.items {
		if i.ended {
			continue
		}
		if err := p.store.partitions.ensure(ctx, i.event.ID.Time()); err != nil {
			return err
		}
		if q := i.event.Request; q != nil && !isRefused(q) {
			if err := p.store.partitions.ensure(ctx, q.ID.Time()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *acceptance) keyed() bool {
	for _, i := range p.items {
		if !i.ended && (i.event.EventID != "" || i.event.Idempotency != nil || isRefused(i.event.Request)) {
			return true
		}
	}
	return false
}

func (p *acceptance) useKeys(ctx context.Context, c *conn) error {
	var uses []*keyUse
	for _, i := range p.items {
		if !i.ended && i.event.Idempotency != nil {
			i.use = &keyUse{env: i.event.Env, key: i.event.Idempotency, object: i.event.ID, now: i.call.now}
			uses = append(uses, i.use)
		}
	}
	if len(uses) == 0 {
		return nil
	}
	if err := useKeys(ctx, c, uses); err != nil {
		return err
	}
	for _, i := range p.items {
		switch {
		case i.use == nil:
		case i.use.err != nil:
			i.refuse(i.use.err)
		case i.use.repeated:
			i.out.Duplicate, i.ended = true, true
		}
	}
	return nil
}

// useEventIDs takes the callers' own ids, in one order. An event whose id is taken
// is refused, or a repetition if it is a request, and must not leave an idempotency key.
func (p *acceptance) useEventIDs(ctx context.Context, c *conn) error {
	wanted := map[eventKey]*acceptItem{}
	var apps []int64
	var ids []string
	var messages, prints [][]byte
	var taken []*acceptItem
	for _, i := range p.items {
		if i.ended || i.event.EventID == "" {
			continue
		}
		k := eventKey{i.app.seq, i.event.EventID}
		if wanted[k] != nil { // taken by one of this group
			taken = append(taken, i)
			continue
		}
		wanted[k] = i
		apps, ids, messages = append(apps, k.app), append(ids, k.id), append(messages, i.event.ID[:])
		prints = append(prints, fingerprint(i.event))
	}
	if len(wanted) == 0 {
		return nil
	}
	err := c.query(ctx, `INSERT INTO message_keys (app, event_id, message, fingerprint)
	  SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[]) AS g(app, event_id, message, fingerprint)
	  ORDER BY app, event_id COLLATE "C"
	  ON CONFLICT DO NOTHING RETURNING app, event_id`, []any{apps, ids, messages, prints}, func(r *row) error {
		delete(wanted, eventKey{r.int(0), r.text(1)})
		return nil
	})
	if err != nil {
		return err
	}
	for _, i := range wanted {
		taken = append(taken, i)
	}
	var leave []*keyUse
	for _, i := range taken {
		i.lose()
		if i.use != nil {
			leave = append(leave, i.use)
		}
	}
	return forgetKeys(ctx, c, leave)
}

// findFirsts fills in the messages that keys led to before.
func (p *acceptance) findFirsts(ctx context.Context, c *conn) error {
	for _, i := range p.items {
		if !i.out.Duplicate || i.use == nil || !i.use.repeated {
			continue
		}
		m, found, err := findMessage(ctx, c, i.app.seq, hook.Ref{ID: i.use.object}, true)
		if err != nil {
			return err
		}
		if !found {
			i.out.Duplicate = false
			i.refuse(hook.NotFound("message; it was removed since this idempotency key was used"))
			continue
		}
		m.Env, m.App = i.event.Env, i.event.App
		i.out.Message = m.Message
	}
	return nil
}

// build puts together the rows of the events that are stored, with their keys if
// these are to be stored too, and asks the engines for places.
func (p *acceptance) build(withKeys bool) {
	p.messages, p.due, p.queue, p.keys = messageRows{}, deliveryRows{}, queueRows{}, keyRows{}
	p.requests, p.believed = receivedRows{}, receivedRows{}
	for _, i := range p.items {
		if i.ended {
			continue
		}
		i.out.Message = i.event.Message
		i.out.Message.BodySize = len(i.event.Body)
		i.out.Message.Envelope = envelopeOf(i.event)
		p.messages.add(i.app, i.event)
		p.receive(i)
		if withKeys {
			p.keys.add(i.app, i.event)
		}
		for _, e := range i.app.endpoints {
			p.deliver(i, e)
		}
	}
}

// deliver adds the delivery for one endpoint, if it matches.
func (p *acceptance) deliver(i *acceptItem, ep *cachedEndpoint) {
	e := i.event
	verdict := hook.Match(e.EventType, e.Channels, ep.endpoint.Filters())
	if !e.Only.IsZero() {
		if ep.endpoint.ID != e.Only {
			return
		}
		verdict = hook.Matched
		if ep.endpoint.Disabled {
			verdict = hook.EndpointDisabled
		}
	}
	d := deliveryRow{message: e.ID, endpoint: ep.seq, updated: i.call.now}
	switch verdict {
	case hook.EventTypeDiffers, hook.ChannelDiffers:
		return
	case hook.EndpointDisabled:
		d.state, d.reason = hook.Canceled, hook.ReasonEndpointDisabled
	case hook.Matched:
		i.out.Matched++
		p.plan(i, ep, &d)
	}
	p.due.add(&d)
}

// plan leases a delivery to this node if it has a place, or makes it due.
func (p *acceptance) plan(i *acceptItem, ep *cachedEndpoint, d *deliveryRow) {
	e, a := i.event, i.call
	at := e.CreatedAt
	if !e.DeliverAt.IsZero() {
		at, d.reason = e.DeliverAt, hook.ReasonScheduled
	}
	if e.DeliverAt.IsZero() && p.store.open.begin(e.ID) {
		if a.places.Reserve(ep.endpoint, len(e.Body)) {
			lease := &hook.Lease{
				Ref: hook.DeliveryRef{Endpoint: ep.seq}, Node: a.node,
				Message: &i.out.Message, Endpoint: ep.endpoint, Number: 1, Due: at, AtAccept: true,
			}
			i.out.Leased = append(i.out.Leased, lease)
			d.state, d.node = hook.Sending, a.node
			return
		}
		p.store.open.end(e.ID)
	}
	d.due = at
	p.queue.add(e.ID, ep.seq, false, at)
	a.due = append(a.due, dueNote{e.ID, ep.endpoint, at})
}

// giveBack returns the places of a transaction that failed, or of one that was
// not made.
func (p *acceptance) giveBack() {
	for _, i := range p.items {
		p.giveBackOf(i)
		i.call.due = i.call.due[:0]
	}
}

// giveBackOf returns the places of one event.
func (p *acceptance) giveBackOf(i *acceptItem) {
	for _, l := range i.out.Leased {
		i.call.places.Unreserve(l.Endpoint, l.Size())
		p.store.open.end(l.Message.ID)
	}
	i.out.Leased, i.out.Matched = nil, 0
}
