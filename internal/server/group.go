package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// group runs loops and waits for them. A loop that ends before it is told to is
// reported on ended.
type group struct {
	ctx    context.Context //nolint:containedctx // the life of the loops, which ends with stop
	cancel context.CancelFunc
	wg     sync.WaitGroup
	ended  chan error // loops send, Wait receives; the first one counts
	mu     sync.Mutex // guards late
	late   map[string]bool
	ending atomic.Bool // a loop that ends now does so because it was asked to
}

func newGroup() *group {
	ctx, cancel := context.WithCancel(context.Background())
	return &group{ctx: ctx, cancel: cancel, ended: make(chan error, 1), late: make(map[string]bool)}
}

// start runs a loop on a goroutine of its own.
func (g *group) start(name string, loop func(context.Context) error) {
	g.mu.Lock()
	g.late[name] = true
	g.mu.Unlock()
	g.wg.Go(func() {
		err := loop(g.ctx)
		g.mu.Lock()
		delete(g.late, name)
		g.mu.Unlock()
		if err == nil && (g.ctx.Err() != nil || g.ending.Load()) {
			return
		}
		if err == nil {
			err = errors.New("it ended without being told to")
		}
		select {
		case g.ended <- fmt.Errorf("%s: %w", name, err):
		default:
		}
	})
}

// expectEnd says that loops may end from now on.
func (g *group) expectEnd() { g.ending.Store(true) }

// stop tells the loops to end; the channel is closed when they have.
func (g *group) stop() <-chan struct{} {
	g.cancel()
	done := make(chan struct{})
	go func() {
		g.wg.Wait()
		close(done)
	}()
	return done
}

// wait waits for done, at most this long, and names the loops that are late.
func (g *group) wait(done <-chan struct{}, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	names := make([]string, 0, len(g.late))
	for name := range g.late {
		names = append(names, name)
	}
	return fmt.Errorf("not ended after %s: %v", limit, names)
}
