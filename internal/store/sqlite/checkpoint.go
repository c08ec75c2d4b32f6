package sqlite

import (
	"context"
	"sync"
	"sync/atomic"
)

const (
	// checkpointEvery is how many operations go by between checkpoints.
	checkpointEvery = 2048
	// walHigh is the number of 4 KiB pages in the write-ahead log from which on
	// the writer itself finishes the checkpoint, so that the log starts anew.
	walHigh = 16 * 1024
)

// checkpointer moves pages from the write-ahead log to the database file, on a
// connection of its own, so that no caller waits for it. While commits go on,
// such a checkpoint never reaches the end of the log, and the log would grow
// without end; so above walHigh the writer does the short rest between two groups.
type checkpointer struct {
	store   *Store
	since   int           // operations since the last kick; the writer's
	kick    chan struct{} // the writer sends; run receives
	finish  atomic.Bool   // run asks the writer for the rest
	pages   atomic.Int64  // pages in the log at the last checkpoint
	cancel  context.CancelFunc
	stopped sync.WaitGroup
}

func newCheckpointer(s *Store) *checkpointer {
	return &checkpointer{store: s, kick: make(chan struct{}, 1)}
}

func (k *checkpointer) start() {
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	k.stopped.Go(func() { k.run(ctx) })
}

func (k *checkpointer) stop() {
	k.cancel()
	k.stopped.Wait()
}

func (k *checkpointer) run(ctx context.Context) {
	var c *conn
	defer func() {
		if c != nil {
			_ = c.close()
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.kick:
		}
		if c == nil {
			var err error
			if c, err = k.store.connect(asWriter); err != nil {
				k.store.log.Error("checkpoint: open the database", "error", err)
				continue
			}
		}
		pages, err := checkpoint(c)
		if err != nil {
			k.store.log.Error("checkpoint of the write-ahead log failed", "error", err)
			continue
		}
		k.pages.Store(pages)
		if pages > walHigh {
			k.finish.Store(true)
		}
	}
}

// afterCommit is called by the writer between two groups.
func (k *checkpointer) afterCommit(c *conn, operations int) {
	if k.finish.CompareAndSwap(true, false) {
		if _, err := checkpoint(c); err != nil {
			k.store.log.Error("checkpoint by the writer failed", "error", err)
		}
	}
	if k.since += operations; k.since >= checkpointEvery {
		k.since = 0
		select {
		case k.kick <- struct{}{}:
		default:
		}
	}
}

// checkpoint moves what it can without waiting and gives the pages in the log.
func checkpoint(c *conn) (pages int64, err error) {
	_, err = c.one(context.Background(), `PRAGMA wal_checkpoint(PASSIVE)`, nil, func(r *row) error {
		pages = r.int(1)
		return nil
	})
	return pages, err
}

// LogPages is the number of pages in the write-ahead log at the last checkpoint.
func (s *Store) LogPages() int64 { return s.writer.check.pages.Load() }
