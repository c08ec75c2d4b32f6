package api

import (
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// typeCache remembers what publishing must know of an event type. Changes by this
// process clear it; a change by another node is seen within cacheLife. A compiled
// schema is used again as long as its event type was not changed.
type typeCache struct {
	mu         sync.RWMutex // guards what follows
	entries    map[typeKey]typeEntry
	generation uint64
}

type typeKey struct {
	env  hook.ID
	name string
}

type typeEntry struct {
	archived  bool
	schema    *schema // nil: payloads need not fit one
	id        hook.ID // zero: there is no such type
	updatedAt time.Time
	until     time.Time
}

func newTypeCache() *typeCache { return &typeCache{entries: map[typeKey]typeEntry{}} }

// fitsSchema refuses an event of an archived type, and a payload that does not fit
// the schema of a type that enforces it. Types that are not in the catalogue are
// taken as they are.
func (c *call) fitsSchema(p *published) error {
	t, err := c.publishedType(p.eventType)
	switch {
	case err != nil:
		return err
	case t.archived:
		return hook.Invalid("is archived and takes no more messages", "body", "eventType")
	case t.schema == nil:
		return nil
	}
	return misfits(t.schema, p.payload)
}

// publishedType looks an event type up, in memory if it was looked up just now.
func (c *call) publishedType(name string) (typeEntry, error) {
	key := typeKey{c.key.Env, name}
	old, generation := c.types.find(key)
	if c.now.Before(old.until) {
		return old, nil
	}
	found, err := c.Store.FindEventTypes(c.ctx(), key.env, []string{name})
	if err != nil {
		return typeEntry{}, err
	}
	fresh := typeEntry{until: c.now.Add(cacheLife)}
	if len(found) > 0 {
		t := &found[0]
		fresh.id, fresh.archived, fresh.updatedAt = t.ID, t.Archived, t.UpdatedAt
		if old.id == t.ID && old.updatedAt.Equal(t.UpdatedAt) {
			fresh.schema = old.schema
		} else if fresh.schema, err = enforced(t); err != nil {
			return typeEntry{}, err
		}
	}
	c.types.keep(key, fresh, generation)
	return fresh, nil
}

func (t *typeCache) find(key typeKey) (typeEntry, uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.entries[key], t.generation
}

// keep stores what was read, unless the cache was cleared since.
func (t *typeCache) keep(key typeKey, e typeEntry, generation uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if generation != t.generation {
		return
	}
	if len(t.entries) >= cacheSize {
		clear(t.entries)
	}
	t.entries[key] = e
}

func (t *typeCache) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation++
	clear(t.entries)
}
