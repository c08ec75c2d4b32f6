package upkeep

import (
	"context"
	"log/slog"
	"time"
)

const (
	// restAtLeast is the shortest rest between two steps that both had work, and
	// restAtMost the longest.
	restAtLeast = time.Millisecond
	restAtMost  = time.Second
	// afterError is the rest after the store failed.
	afterError = 5 * time.Second
	// notLeading is how long a node that does not lead waits until it looks again.
	notLeading = 500 * time.Millisecond
)

// loop is how all chores run.
type loop struct {
	leads   func() bool // asked before each step
	log     *slog.Logger
	trouble string // what the log says when the store begins to fail
	// step does a little and gives the rest to take.
	step func(ctx context.Context) (time.Duration, error)
	// again is the rest after a failure; 0: afterError.
	again time.Duration
}

// run works until ctx ends.
func (l *loop) run(ctx context.Context) error {
	if l.again == 0 {
		l.again = afterError
	}
	failing := false
	for {
		rest := notLeading
		if l.leads() {
			var err error
			if rest, err = l.step(ctx); err != nil {
				rest = l.again
				if !failing && ctx.Err() == nil {
					l.log.WarnContext(ctx, l.trouble, "error", err)
				}
			}
			failing = err != nil
		}
		if !sleep(ctx, rest) {
			return nil
		}
	}
}

// restAfter is the rest after a step that took so long and left more to do: as long
// again, so that a chore takes no more than half of a busy store.
func restAfter(took time.Duration) time.Duration {
	return min(max(took, restAtLeast), restAtMost)
}

// sleep waits, and reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
