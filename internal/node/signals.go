package node

import "github.com/grapnelhq/grapnel/internal/hook"

// Signal keeps what this node found out about an endpoint for the next beat.
func (k *Keeper) Signal(s hook.Signal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signals = append(k.signals, s)
}

// Hold says why the due deliveries of an endpoint wait, as far as other nodes have
// told: it is for a node that has no engine of its own.
func (k *Keeper) Hold(endpoint hook.ID) hook.HoldState {
	if k.delivering.Load() == 0 {
		return hook.HoldState{Hold: hook.HeldNoNode}
	}
	now := k.Clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.held[endpoint]; s.Until.After(now) {
		return s
	}
	return hook.HoldState{}
}

func (k *Keeper) takeSignals() []hook.Signal {
	k.mu.Lock()
	defer k.mu.Unlock()
	taken := latest(k.signals)
	k.signals = nil
	return taken
}

// giveBack keeps signals that were not taken for the next beat.
func (k *Keeper) giveBack(signals []hook.Signal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signals = latest(append(signals, k.signals...))
}

// latest leaves the last signal of each kind about each endpoint, in their order.
func latest(signals []hook.Signal) []hook.Signal {
	type about struct {
		endpoint hook.ID
		circuit  bool // whose end is told as well
	}
	key := func(s hook.Signal) about { return about{s.Endpoint, s.Hold != hook.HeldRateLimit} }
	last := make(map[about]int, len(signals))
	for i, s := range signals {
		last[key(s)] = i
	}
	kept := signals[:0]
	for i, s := range signals {
		if last[key(s)] == i {
			kept = append(kept, s)
		}
	}
	return kept
}

// remember keeps what other nodes found out for Hold, and forgets what is over.
func (k *Keeper) remember(signals []hook.Signal) {
	if k.Delivers {
		return // the engine knows
	}
	now := k.Clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, s := range k.held {
		if !s.Until.After(now) {
			delete(k.held, id)
		}
	}
	for _, s := range signals {
		if s.Hold == hook.NotHeld {
			delete(k.held, s.Endpoint)
		} else {
			k.held[s.Endpoint] = hook.HoldState{Hold: s.Hold, Until: s.Until}
		}
	}
}

// news gives the items that are not among those of before.
func news[T comparable](items, before []T) []T {
	if len(items) == 0 || len(before) == 0 {
		return items
	}
	known := make(map[T]bool, len(before))
	for _, item := range before {
		known[item] = true
	}
	var fresh []T
	for _, item := range items {
		if !known[item] {
			fresh = append(fresh, item)
		}
	}
	return fresh
}
