package api

import (
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// cacheLife is how long another node's change may go unseen here.
	cacheLife = time.Second
	cacheSize = 8192
)

// appCache remembers which application a uid names, for publishers that use uids.
// Changes by this process clear it; a change by another node is seen within
// cacheLife.
type appCache struct {
	mu         sync.RWMutex // guards what follows
	ids        map[appKey]appEntry
	generation uint64
}

type appKey struct {
	env hook.ID
	uid string
}

type appEntry struct {
	id    hook.ID
	until time.Time
}

func newAppCache() *appCache { return &appCache{ids: map[appKey]appEntry{}} }

func (a *appCache) find(env hook.ID, uid string, now time.Time) (hook.ID, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	e, found := a.ids[appKey{env, uid}]
	return e.id, found && now.Before(e.until)
}

// start is called before the store is read; keep forgets what was read before a clear.
func (a *appCache) start() uint64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.generation
}

func (a *appCache) keep(generation uint64, env hook.ID, uid string, id hook.ID, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if generation != a.generation {
		return
	}
	if len(a.ids) >= cacheSize {
		clear(a.ids)
	}
	a.ids[appKey{env, uid}] = appEntry{id, now.Add(cacheLife)}
}

func (a *appCache) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.generation++
	clear(a.ids)
}
