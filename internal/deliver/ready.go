package deliver

import "time"

// put files an endpoint where it belongs: among the ready ones of its
// application, among those that wait for a time, or nowhere.
func (e *Engine) put(ep *endpoint, t moment) {
	if ep.ready || ep.asking {
		return
	}
	at, ok := ep.readyAt(e.places.scarce(), t)
	switch {
	case !ok:
		e.timers.Remove(&ep.timer)
	case at > t.mono:
		e.timers.Set(&ep.timer, at)
	default:
		e.timers.Remove(&ep.timer)
		ep.ready = true
		ep.app.ready.Push(ep)
		e.ready++
		e.queue(ep.app, t)
	}
}

// queue gives an application with ready endpoints its turn, now or when its throttle allows.
func (e *Engine) queue(a *app, t moment) {
	if a.queued || a.ready.Len() == 0 {
		return
	}
	if at := a.throttle.ReadyAt(t.mono); at > t.mono {
		e.timers.Set(&a.timer, at)
		return
	}
	e.timers.Remove(&a.timer)
	a.queued = true
	e.turns.Push(a)
}

// fire does everything whose time has come.
func (e *Engine) fire(t moment) {
	for tm := e.timers.Pop(t.mono); tm != nil; tm = e.timers.Pop(t.mono) {
		tm.fire(t)
	}
}

// next takes the next endpoint, the applications taking turns.
func (e *Engine) next(a *app) *endpoint {
	ep := a.ready.Pop()
	ep.ready = false
	e.ready--
	return ep
}

// kick wakes the claim loop if there is something for it before it would wake by itself.
func (e *Engine) kick(t moment) {
	if !e.sleeping {
		return
	}
	at, ok := e.timers.Next()
	if e.turns.Len() > 0 {
		at, ok = t.mono, true
	}
	if !ok || at >= e.wakeAt {
		return
	}
	e.sleeping = false
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// wakeIn is how long the claim loop may sleep.
func (e *Engine) wakeIn(t moment) time.Duration {
	at, ok := e.timers.Next()
	if !ok {
		return longSleep
	}
	// At least a millisecond: the timer may run ahead of a clock that gives time back.
	return max(time.Millisecond, at-t.mono)
}
