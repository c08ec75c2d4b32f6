package postgres

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
	// maxGroup bounds the callers of one transaction, so that the first of them
	// does not wait for ever.
	maxGroup = 512
	// queueLen is how many callers may wait. A full queue refuses: the database is
	// slower than the callers.
	queueLen = 8192
)

// group gathers concurrent callers into common transactions. While one is under
// way the next one gathers: there is no timer that waits for company. One worker is
// enough: two made smaller groups, which cost the database more than the wait for its
// disk was worth.
type group[T any] struct {
	run     func([]*waiting[T]) // does the work of all and sets each result
	maxWait time.Duration

	calls   chan *waiting[T] // callers send, the worker receives
	quit    chan struct{}    // closed by stop
	stopped sync.WaitGroup
	ending  sync.Once
}

// waiting is one caller.
type waiting[T any] struct {
	of    T
	taken atomic.Bool // by the worker, or by a caller who gave up waiting
	err   error
	done  chan struct{} // closed by the worker after it has set err
}

func newGroup[T any](maxWait time.Duration, run func([]*waiting[T])) *group[T] {
	return &group[T]{run: run, maxWait: maxWait, calls: make(chan *waiting[T], queueLen), quit: make(chan struct{})}
}

func (g *group[T]) start() {
	g.stopped.Go(g.work)
}

// stop ends the worker after what it is at.
func (g *group[T]) stop() {
	g.ending.Do(func() { close(g.quit) })
	g.stopped.Wait()
}

// do waits until the worker has done the caller's part. A caller whose context
// ends, or who waited too long, withdraws; once the worker has taken it the caller
// waits for the outcome, for it may already be on disk.
func (g *group[T]) do(ctx context.Context, of T) error {
	w := &waiting[T]{of: of, done: make(chan struct{})}
	select {
	case g.calls <- w:
	case <-g.quit:
		return hook.Unavailable(errClosed)
	default:
		return hook.Unavailable(errors.New("too many operations wait for the database"))
	}
	timer := time.NewTimer(g.maxWait)
	defer timer.Stop()
	var gaveUp error
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		gaveUp = ctx.Err()
	case <-g.quit:
		gaveUp = errClosed
	case <-timer.C:
		gaveUp = fmt.Errorf("waited %v for the database", g.maxWait)
	}
	if w.taken.CompareAndSwap(false, true) {
		return hook.Unavailable(gaveUp)
	}
	<-w.done
	return w.err
}

func (g *group[T]) work() {
	batch := make([]*waiting[T], 0, maxGroup)
	for {
		select {
		case w := <-g.calls:
			batch = g.gather(append(batch[:0], w))
			if len(batch) > 0 {
				g.run(batch)
			}
			for _, w := range batch {
				close(w.done)
			}
			clear(batch)
		case <-g.quit:
			return
		}
	}
}

// gather adds who else has arrived. Before it is content it lets the others that
// could run do so once: under load their calls join this group, and an idle
// machine loses nothing. Callers who withdrew are left out.
func (g *group[T]) gather(batch []*waiting[T]) []*waiting[T] {
	for before := -1; len(batch) > before; {
		before = len(batch)
		batch = g.take(batch)
		runtime.Gosched()
		batch = g.take(batch)
	}
	kept := batch[:0]
	for _, w := range batch {
		if w.taken.CompareAndSwap(false, true) {
			kept = append(kept, w)
		}
	}
	return kept
}

// take moves what waits to the batch.
func (g *group[T]) take(batch []*waiting[T]) []*waiting[T] {
	for len(batch) < maxGroup {
		select {
		case w := <-g.calls:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}
