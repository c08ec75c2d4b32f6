package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// lastWords bounds what comes after the drain: cutting attempts off, releasing
// their leases and recording the last results.
const lastWords = 5 * time.Second

var errLoopEnded = errors.New("ended without being told to")

// Run delivers, as the node that Join names, until ctx is done. Then it stops in this
// order: no more claims; attempts under way may end, for at most DrainTimeout;
// those left are cut off and their leases released, without counting an
// attempt; the last results are recorded. Run may be called once. It gives an
// error if a loop ends by itself, and then has stopped in the same order.
func (e *Engine) Run(ctx context.Context) error {
	e.mu.Lock()
	again := e.ran
	e.ran = true
	e.mu.Unlock()
	if again {
		return errors.New("the engine was run before")
	}
	// Work outlives ctx: what was begun is to be recorded.
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()
	sends, cutSends := context.WithCancel(work)
	defer cutSends()
	loops, stopLoops := context.WithCancel(ctx)
	defer stopLoops()
	settled := make(chan struct{}) // closed by stop, received by the settlers

	e.mu.Lock()
	e.phase = phaseRunning
	e.launch = func(f flight) { go e.fly(sends, f) }
	e.mu.Unlock()

	var feeding, settling sync.WaitGroup
	died := make(chan error, 4) // guard sends, at most one for each loop; Run receives
	e.guard(loops, &feeding, died, "claim", func() error { return e.claimLoop(loops, work) })
	e.guard(loops, &feeding, died, "sweep", func() error { return e.sweepLoop(loops) })
	e.guard(loops, &feeding, died, "cancel", func() error { return e.cancelLoop(loops) })
	e.guard(loops, &settling, died, "settle", func() error { return e.settleLoop(work, settled) })
	e.Logger.Info("engine started")

	var err error
	select {
	case <-ctx.Done():
	case err = <-died:
		e.Logger.Error("stopping: a part of the engine died", slog.Any("error", err))
	}
	e.Logger.Info("stopping: no more claims", slog.Int("in_flight", e.setPhase(phaseDraining)))
	stopLoops()
	e.drain(cutSends)
	close(settled)
	finish := time.AfterFunc(lastWords, endWork)
	defer finish.Stop()
	feeding.Wait()
	settling.Wait()
	e.tellLost()
	s := e.Stats()
	e.Logger.Info("engine stopped", slog.Int("abandoned", s.Leased+s.Unsettled))
	return err
}

// guard runs a loop. One that ends before ctx is done, or panics, is reported to died.
func (e *Engine) guard(ctx context.Context, wg *sync.WaitGroup, died chan<- error, name string, loop func() error) {
	wg.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				e.Logger.Error("a loop panicked", slog.String("loop", name), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
				died <- fmt.Errorf("%s loop: panic: %v", name, p)
			}
		}()
		err := loop()
		if err == nil && ctx.Err() == nil {
			err = errLoopEnded
		}
		if err != nil {
			died <- fmt.Errorf("%s loop: %w", name, err)
		}
	})
}

// setPhase goes on to the next phase, in which nothing that waits is sent, and
// gives how many attempts run.
func (e *Engine) setPhase(p phase) int {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.phase = p
	e.crew.dismiss(true)
	for _, ep := range e.endpoints {
		e.flush(ep, t)
	}
	return e.places.sending
}

// drain waits for attempts to end, then cuts off those left and waits for them
// to come back.
func (e *Engine) drain(cut context.CancelFunc) {
	if e.emptyWithin(e.DrainTimeout) {
		e.setPhase(phaseEnding)
		return
	}
	left := e.setPhase(phaseEnding)
	e.Logger.Warn("stopping: cutting off attempts and releasing their leases", slog.Int("in_flight", left))
	cut()
	if !e.emptyWithin(lastWords) {
		e.Logger.Error("attempts did not end when they were cut off; their deliveries are sent again after the next start")
	}
}

// emptyWithin reports whether no place is held any more before the time is over.
func (e *Engine) emptyWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		e.mu.Lock()
		used := e.places.used
		e.mu.Unlock()
		if used == 0 {
			return true
		}
		select {
		case <-e.emptied:
		case <-timer.C:
			return false
		}
	}
}
