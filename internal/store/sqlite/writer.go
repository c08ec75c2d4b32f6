package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// maxGroup bounds the operations of one commit, so that the first of them
	// does not wait for ever.
	maxGroup = 1024
	// queueLen is how many operations may wait. A full queue refuses: the disk
	// is slower than the callers.
	queueLen = 8192
)

// op is one operation for the writer.
type op struct {
	// apply runs inside the group's transaction, on the writer's goroutine. Its
	// error is the caller's result; it must have undone what it wrote, or be a
	// broken error, which fails the whole group.
	apply func(w *writer) error
	// settled is called once, on the writer's goroutine: with nil after the
	// commit, or with the reason why the group was undone. May be nil.
	settled func(err error)

	taken  atomic.Bool // by the writer, or by a caller who gave up waiting
	result error
	done   chan error // the writer sends exactly one result if it took the op
}

// broken wraps an error after which the transaction cannot go on.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

// writer owns the one connection that writes.
type writer struct {
	store *Store
	conn  *conn
	cache *cache
	open  *watermark
	autos *autoKeys
	// again has the deliveries in flight for which a resend was asked: the rows
	// say so too, but most settlements then need not read them.
	again      map[hook.DeliveryRef]struct{}
	againEnded []hook.DeliveryRef // taken out by the running group
	expire     expirer
	slice      time.Duration // sliceTime, but in tests of slow machines

	handedOut
	onDisk    handedOut // as of the last commit
	savedOpen int64     // the value of meta.open_from on disk

	ops     chan *op      // callers send; the writer receives
	quit    chan struct{} // closed by stop
	stopped sync.WaitGroup
	ending  sync.Once

	failing bool // the last commit failed; said once in the log
	check   *checkpointer
}

// handedOut are the highest row keys that are in the order of commits.
type handedOut struct {
	lastMessage int64 // messages.seq
	lastAttempt int64 // attempts.seq
}

func newWriter(s *Store, c *conn) (*writer, error) {
	w := &writer{
		store: s, conn: c, cache: newCache(), autos: newAutoKeys(s.opts.AutoKeys),
		again: map[hook.DeliveryRef]struct{}{},
		ops:   make(chan *op, queueLen), quit: make(chan struct{}),
		check: newCheckpointer(s), slice: sliceTime,
	}
	if err := w.load(); err != nil {
		return nil, err
	}
	return w, nil
}

// load reads what the writer keeps in memory.
func (w *writer) load() error {
	ctx := context.Background()
	var err error
	if w.lastMessage, err = feedEnd(ctx, w.conn, hook.FeedMessages); err != nil {
		return err
	}
	if w.lastAttempt, err = feedEnd(ctx, w.conn, hook.FeedAttempts); err != nil {
		return err
	}
	if _, err := w.conn.one(ctx, `SELECT value FROM meta WHERE name = 'open_from'`, nil, func(r *row) error {
		w.savedOpen = r.int(0)
		return nil
	}); err != nil {
		return err
	}
	w.onDisk = w.handedOut
	w.open = newWatermark(w.savedOpen, w.lastMessage+1)
	return w.autos.load(ctx, w.conn)
}

func (w *writer) start() {
	w.stopped.Go(w.run)
	w.check.start()
}

func (w *writer) stop() {
	w.ending.Do(func() { close(w.quit) })
	w.stopped.Wait()
	w.check.stop()
}

// do hands o to the writer and waits for its result. A caller whose context
// ends, or who waited too long, withdraws; once the writer has taken the
// operation the caller waits for the outcome, for it may already be on disk.
func (w *writer) do(ctx context.Context, o *op) error {
	o.done = make(chan error, 1)
	select {
	case w.ops <- o:
	case <-w.quit:
		return hook.Unavailable(errors.New("the store is closed"))
	default:
		return hook.Unavailable(errors.New("too many operations wait for the disk"))
	}
	timer := time.NewTimer(w.store.opts.MaxWait)
	defer timer.Stop()
	var gaveUp error
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		gaveUp = ctx.Err()
	case <-w.quit:
		gaveUp = errors.New("the store is closed")
	case <-timer.C:
		gaveUp = fmt.Errorf("waited %v for the disk", w.store.opts.MaxWait)
	}
	if o.taken.CompareAndSwap(false, true) {
		return hook.Unavailable(gaveUp)
	}
	return <-o.done
}

func (w *writer) run() {
	group := make([]*op, 0, maxGroup)
	for {
		select {
		case o := <-w.ops:
			group = w.gather(append(group[:0], o))
			w.commit(group)
			clear(group)
		case <-w.quit:
			w.refuseRest()
			return
		}
	}
}

// gather adds what else has arrived. Before it is content it lets the others
// that could run do so once: under load their operations join this group, and
// an idle machine loses nothing.
func (w *writer) gather(group []*op) []*op {
	for before := -1; len(group) > before; {
		before = len(group)
		group = w.take(group)
		runtime.Gosched()
		group = w.take(group)
	}
	return group
}

// take moves what waits in the queue to the group.
func (w *writer) take(group []*op) []*op {
	for len(group) < maxGroup {
		select {
		case o := <-w.ops:
			group = append(group, o)
		default:
			return group
		}
	}
	return group
}

func (w *writer) refuseRest() {
	for {
		select {
		case o := <-w.ops:
			if o.taken.CompareAndSwap(false, true) {
				o.done <- hook.Unavailable(errors.New("the store is closed"))
			}
		default:
			return
		}
	}
}

// commit runs a group in one transaction and answers its callers.
func (w *writer) commit(group []*op) {
	err := w.transaction(group)
	if err != nil {
		w.undo(group, err)
	}
	for _, o := range group {
		if o.done == nil { // withdrawn before its turn
			continue
		}
		if err == nil && o.result == nil && o.settled != nil {
			o.settled(nil)
		}
		if err != nil {
			o.result = w.store.explain(err)
		}
		o.done <- o.result
	}
	w.check.afterCommit(w.conn, len(group))
}

func (w *writer) transaction(group []*op) error {
	if _, err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, o := range group {
		if !o.taken.CompareAndSwap(false, true) {
			o.done = nil
			o.settled = nil
			continue
		}
		o.result = o.apply(w)
		var b broken
		if errors.As(o.result, &b) {
			return b.error
		}
	}
	mark := w.open.value(w.lastMessage + 1)
	if mark != w.savedOpen {
		if _, err := w.conn.exec(`UPDATE meta SET value = ? WHERE name = 'open_from'`, mark); err != nil {
			return err
		}
	}
	if err := w.store.opts.BeforeCommit(); err != nil {
		return err
	}
	watch := startStopwatch()
	_, err := w.conn.exec("COMMIT")
	if w.store.opts.Observe != nil {
		w.store.opts.Observe(Commit{Operations: len(group), Took: watch.elapsed(), Err: err})
	}
	if err != nil {
		return err
	}
	w.store.opts.AfterCommit()
	w.savedOpen, w.onDisk = mark, w.handedOut
	w.againEnded = w.againEnded[:0]
	w.open.committed(mark)
	if w.failing {
		w.failing = false
		w.store.log.Info("the database takes writes again")
	}
	return nil
}

// undo rolls a group back. What the writer keeps in memory may have followed
// the transaction, so it is read again.
func (w *writer) undo(group []*op, cause error) {
	// SQLite may have rolled back on its own already; then this says so.
	_, _ = w.conn.exec("ROLLBACK")
	for _, o := range group {
		if o.settled != nil {
			o.settled(cause)
		}
	}
	w.cache.clear()
	w.open.reset()
	w.handedOut = w.onDisk
	w.expire = expirer{}
	// A resend noted for nothing costs one look into an empty lane, a forgotten
	// one would wait for the next look through all lanes.
	for _, ref := range w.againEnded {
		w.again[ref] = struct{}{}
	}
	w.againEnded = w.againEnded[:0]
	if err := w.autos.load(context.Background(), w.conn); err != nil {
		w.store.log.Error("reading idempotency keys again failed", "error", err)
	}
	if !w.failing {
		w.failing = true
		w.store.log.Error("the database refuses writes; callers get 503 until it recovers",
			"error", cause, "hint", "check free space and health of the disk that holds "+w.store.path)
	}
}

// inSavepoint runs fn so that its error undoes only what it wrote.
func (w *writer) inSavepoint(fn func() error) error {
	if _, err := w.conn.exec("SAVEPOINT op"); err != nil {
		return broken{err}
	}
	key := w.autos.next
	err := fn()
	if err != nil {
		// Whatever fn changed in memory is gone with it.
		w.cache.clear()
		w.autos.dropFrom(key)
		w.expire = expirer{}
		if _, rerr := w.conn.exec("ROLLBACK TO op"); rerr != nil {
			return broken{errors.Join(err, rerr)}
		}
	}
	if _, rerr := w.conn.exec("RELEASE op"); rerr != nil {
		return broken{errors.Join(err, rerr)}
	}
	return w.store.explain(err)
}
