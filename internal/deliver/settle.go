package deliver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// settleMost is how many results one call of Settle records.
const settleMost = 512

// result is a lease that is to be ended in the store: settled, or released.
type result struct {
	hook.Settlement
	ep      *endpoint
	bytes   int64 // of the body
	extra   int64 // of the answer
	release bool
}

// settleLoop records results until done is closed and none is left, or until
// work is done. There is no linger: it takes whatever came while the batch
// before was being committed.
func (e *Engine) settleLoop(work context.Context, done <-chan struct{}) error {
	trouble := trouble{engine: e, what: "settle"}
	most := settleMost
	for {
		batch := e.takeResults(most)
		if len(batch) == 0 {
			select {
			case <-e.settles:
				continue
			case <-done:
				if e.takeNone() {
					return nil
				}
				continue
			}
		}
		for {
			err := e.record(work, batch)
			wait := trouble.met(err)
			if err == nil {
				most = min(2*most, settleMost)
				break
			}
			if !pause(work, wait) {
				e.Logger.Error("stopped with results that could not be recorded; their deliveries are sent again", slog.Int("results", len(batch)))
				return nil
			}
			if isUnavailable(err) {
				continue
			}
			// Something in the batch may be the cause: go on with smaller ones, and
			// let a single one that fails wait behind the others.
			most = max(1, len(batch)/2)
			e.putBack(batch)
			break
		}
	}
}

func isUnavailable(err error) bool {
	var known *hook.Error
	return errors.As(err, &known) && known.Code == hook.CodeUnavailable
}

// pause waits, and reports false if ctx was done before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// takeResults takes at most limit results of one kind.
func (e *Engine) takeResults(limit int) []result {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := min(limit, e.results.Len())
	batch := make([]result, 0, n)
	for len(batch) < n && (len(batch) == 0 || e.results.Peek().release == batch[0].release) {
		batch = append(batch, e.results.Pop())
	}
	return batch
}

// takeNone reports whether no result waits.
func (e *Engine) takeNone() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.results.Len() == 0
}

// putBack appends results to those that wait.
func (e *Engine) putBack(batch []result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range batch {
		e.results.Push(r)
	}
}

// record ends the leases of a batch in the store.
func (e *Engine) record(ctx context.Context, batch []result) error {
	if batch[0].release {
		leases := make([]*hook.Lease, len(batch))
		for i := range batch {
			leases[i] = batch[i].Lease
		}
		if err := e.Store.Release(ctx, leases, e.clock.Read().now); err != nil {
			return err //nolint:wrapcheck // logged by the one caller, which says what it was doing
		}
		e.released(batch)
		return nil
	}
	settlements := make([]hook.Settlement, len(batch))
	for i := range batch {
		settlements[i] = batch[i].Settlement
	}
	before := e.Elapsed()
	settled, err := e.Store.Settle(ctx, settlements)
	if err != nil {
		return err //nolint:wrapcheck // as above
	}
	took := e.Elapsed() - before
	e.Observer.Settle(len(batch), took)
	if e.Observer.Settled != nil {
		ended := e.clock.Read().now
		e.Observer.Settled(settlements, settled, ended.Add(-took), ended)
	}
	e.settled(batch, settled)
	return nil
}

// released takes over that leases were given back: the deliveries are due as before.
func (e *Engine) released(batch []result) {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range batch {
		e.recorded(r)
		if e.phase == phaseRunning {
			e.tell(r.ep, r.Lease.Retry, r.Lease.Due, 1, t)
		}
	}
	e.kick(t)
}

// settled takes over what the store made of a batch.
func (e *Engine) settled(batch []result, settled []hook.Settled) {
	t := e.clock.Read()
	e.mu.Lock()
	lost, earlier := 0, e.earlier
	var disabled []disabling
	for i, r := range batch {
		e.recorded(r)
		s := settled[i]
		if s.Lost {
			lost++
			continue
		}
		if s.Disabled != hook.NotDisabled {
			r.Then.Disable = s.Disabled
			disabled = append(disabled, disabling{r.Lease.Endpoint, s.Disabled, s.FailingSince})
			e.close(r.ep.id, closeReason(s.Disabled), t)
		}
		if !s.Due.IsZero() && e.phase == phaseRunning {
			e.tell(r.ep, s.Retry, s.Due, 1, t)
		}
	}
	e.lost += lost
	caughtUp := earlier > 0 && e.earlier == 0
	e.kick(t)
	e.mu.Unlock()

	e.watchers.signalSettled(batch)
	for _, d := range disabled {
		e.report(d)
	}
	if lost > 0 {
		e.Observer.Lost(lost)
	}
	if caughtUp {
		e.tellLost()
	}
}

// recorded gives back what a result held.
func (e *Engine) recorded(r result) {
	if r.Lease.Node != e.node && e.earlier > 0 {
		e.earlier--
	}
	e.places.unsettled--
	r.ep.unsettled--
	e.places.hold(r.ep.app, -r.bytes-r.extra)
}

// closeReason is what becomes of the deliveries that wait for a disabled endpoint.
func closeReason(why hook.DisableReason) hook.Reason {
	if why == hook.DisabledByGone {
		return hook.ReasonGone
	}
	return hook.ReasonEndpointDisabled
}

// disabling is what the log says of an endpoint that an attempt disabled.
type disabling struct {
	endpoint *hook.Endpoint
	why      hook.DisableReason
	since    time.Time // nothing but failures since then
}

func (e *Engine) report(d disabling) {
	e.Observer.Disabled(d.why)
	e.Logger.Warn("endpoint disabled",
		idOf("app", hook.KindApplication, d.endpoint.App), idOf("endpoint", hook.KindEndpoint, d.endpoint.ID),
		slog.String("reason", d.why.String()), slog.Time("failing_since", d.since))
}
