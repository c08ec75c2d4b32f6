package sim_test

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// action is something that can happen in a step.
type action struct {
	weight int
	may    func(*world) bool // nil: always
	do     func(*world)
}

// actions is all that happens.
var actions = []action{
	{weight: 40, do: (*world).publish},
	{weight: 6, do: (*world).publishBatch},
	{weight: 5, do: (*world).republish},
	{weight: 10, do: (*world).resend},
	{weight: 3, do: (*world).recoverAll},
	{weight: 4, do: (*world).expunge},
	{weight: 3, do: (*world).explain},
	{weight: 8, do: (*world).change},
	{weight: 3, do: (*world).remove},
	{weight: 2, do: (*world).addTarget},
	{weight: 12, do: (*world).changeMood},
	{weight: 4, may: func(w *world) bool { return w.swarm.jumps }, do: (*world).jumpClock},
	{weight: 6, may: func(w *world) bool { return w.swarm.crashes }, do: (*world).armCrash},
	{weight: 3, may: func(w *world) bool { return w.swarm.restarts }, do: (*world).restart},
	{weight: 4, may: func(w *world) bool { return w.swarm.slow }, do: (*world).slowDisk},
	{weight: 4, may: func(w *world) bool { return w.swarm.failing }, do: (*world).failDisk},
}

// work takes the steps. After each the invariants are looked at, and from time to
// time all that is stored.
func (w *world) work(steps int) {
	for i := range steps {
		w.step()
		w.pass(w.pause())
		w.revive()
		w.look()
		if i%30 == 29 {
			w.audit(midway)
		}
		if w.broken() {
			return
		}
	}
}

// pause is how long a step takes: mostly a moment, now and then long enough for retries.
func (w *world) pause() time.Duration {
	switch w.dice.IntN(20) {
	case 0:
		return time.Duration(w.dice.IntN(60_000)) * time.Millisecond
	case 1, 2, 3:
		return time.Duration(w.dice.IntN(6_000)) * time.Millisecond
	case 4, 5, 6, 7:
		return 0
	}
	return time.Duration(w.dice.IntN(600_000)) * time.Microsecond
}

func (w *world) step() {
	total := 0
	for _, a := range actions {
		if a.may == nil || a.may(w) {
			total += a.weight
		}
	}
	roll := w.dice.IntN(total)
	for _, a := range actions {
		if a.may != nil && !a.may(w) {
			continue
		}
		if roll -= a.weight; roll < 0 {
			a.do(w)
			return
		}
	}
}

// lost draws whether an answer is lost on its way.
func (w *world) lost() bool { return w.swarm.lost && w.dice.IntN(12) == 0 }

// anyTarget draws a target that callers know, and that no change is under way of.
func (w *world) anyTarget() *target {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.targets[w.dice.IntN(len(w.targets))]
	if g.busy || g.id.IsZero() {
		return nil
	}
	return g
}

// anyEvent draws one of the latest events that a caller knows the id of, or any.
func (w *world) anyEvent() *event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == 0 {
		return nil
	}
	from := 0
	if w.dice.IntN(3) > 0 {
		from = max(0, len(w.events)-10)
	}
	e := w.events[from+w.dice.IntN(len(w.events)-from)]
	if e.id.IsZero() || !e.accepted() {
		return nil
	}
	return e
}

func (w *world) changeMood() {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.targets[w.dice.IntN(len(w.targets))]
	g.mood = w.swarm.moods[w.dice.IntN(len(w.swarm.moods))]
	if w.dice.IntN(3) == 0 {
		g.mood = good
	}
	w.noteLocked("%s is %s", g, g.mood)
}

// mostJumps bounds how far the clock gets from the true time.
const mostJumps = 3 * time.Hour

func (w *world) jumpClock() {
	w.mu.Lock()
	defer w.mu.Unlock()
	by := time.Duration(w.dice.IntN(120_000)-60_000) * time.Millisecond
	if w.dice.IntN(3) == 0 {
		by *= 60
	}
	if (w.clock.offset + by).Abs() > mostJumps {
		by = -by
	}
	w.clock.jump(by)
	w.noteLocked("the clock jumps by %v", by)
}

func (w *world) armCrash() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disk.crashIn, w.disk.crashLate = 1+w.dice.IntN(12), w.dice.IntN(2) == 0
}

func (w *world) slowDisk() {
	w.mu.Lock()
	defer w.mu.Unlock()
	most := []time.Duration{20 * time.Millisecond, 300 * time.Millisecond, 3 * time.Second, 8 * time.Second}
	w.disk.slow, w.disk.slowUntil = most[w.dice.IntN(len(most))], time.Now().Add(time.Duration(w.dice.IntN(20_000))*time.Millisecond)
	w.process.troubled = true
	w.noteLocked("commits take up to %v for %v", w.disk.slow, time.Until(w.disk.slowUntil))
}

func (w *world) failDisk() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disk.failUntil = time.Now().Add(time.Duration(w.dice.IntN([]int{500, 5_000, 25_000}[w.dice.IntN(3)])) * time.Millisecond)
	w.process.troubled = true
	w.noteLocked("commits fail for %v", time.Until(w.disk.failUntil))
}

func (e *event) text() string { return hook.KindMessage.Format(e.id) }
