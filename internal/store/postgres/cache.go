package postgres

import (
	"context"
	"sync"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// cacheLimit is how many applications are kept; above it the cache starts anew.
const cacheLimit = 50_000

// cache holds what accept and claim need of applications and endpoints, by the
// version of the application. Whoever uses an entry has first read the version
// from the database: any node may have changed it.
type cache struct {
	mu   sync.Mutex // guards apps
	apps map[hook.ID]*cachedApp
}

// cachedApp is an application at one version; it never changes once made.
type cachedApp struct {
	seq       int64
	id, env   hook.ID
	version   int64
	source    bool // it owns what a source has
	endpoints []*cachedEndpoint
}

type cachedEndpoint struct {
	seq      int64
	endpoint *hook.Endpoint // leases share it
}

func newCache() *cache { return &cache{apps: map[hook.ID]*cachedApp{}} }

func (c *cache) get(app hook.ID, version int64) *cachedApp {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.apps[app]; a != nil && a.version == version {
		return a
	}
	return nil
}

// newest gives an application as it was when somebody last looked; nil if nobody did.
func (c *cache) newest(app hook.ID) *cachedApp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.apps[app]
}

func (c *cache) put(a *cachedApp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.apps) >= cacheLimit {
		clear(c.apps)
	}
	if before := c.apps[a.id]; before == nil || before.version < a.version {
		c.apps[a.id] = a
	}
}

// findApps gives the applications of these ids as they are now, without those
// that do not exist or are deleted.
func (s *Store) findApps(ctx context.Context, c *conn, ids []hook.ID) (map[hook.ID]*cachedApp, error) {
	found := make(map[hook.ID]*cachedApp, len(ids))
	var stale [][]byte
	err := c.query(ctx, `SELECT id, version FROM applications WHERE id = ANY($1) AND deleted IS NULL`, []any{idArray(ids)}, func(r *row) error {
		id := r.id(0)
		if a := s.cache.get(id, r.int(1)); a != nil {
			found[id] = a
		} else {
			stale = append(stale, id[:])
		}
		return nil
	})
	if err != nil || len(stale) == 0 {
		return found, err
	}
	loaded, err := loadApps(ctx, c, stale)
	for _, a := range loaded {
		s.cache.put(a)
		found[a.id] = a
	}
	return found, err
}

// loadApps reads applications with their endpoints in one statement, so that both
// are of the same version.
func loadApps(ctx context.Context, c *conn, ids [][]byte) ([]*cachedApp, error) {
	const ofApp = 6
	var apps []*cachedApp
	err := c.query(ctx, `SELECT a.seq, a.id, a.env, a.version, a.throttle, a.source, `+endpointColumns+`
	  FROM applications a LEFT JOIN endpoints e ON e.app = a.seq AND e.deleted IS NULL
	  WHERE a.id = ANY($1) AND a.deleted IS NULL ORDER BY a.seq, e.id`, []any{ids}, func(r *row) error {
		if len(apps) == 0 || apps[len(apps)-1].seq != r.int(0) {
			apps = append(apps, &cachedApp{seq: r.int(0), id: r.id(1), env: r.id(2), version: r.int(3), source: r.bool(5)})
		}
		a := apps[len(apps)-1]
		if r.null(ofApp) {
			return nil
		}
		e, err := scanEndpoint(r.from(ofApp))
		if err != nil {
			return err
		}
		e.App, e.Env, e.AppThrottleRate = a.id, a.env, int(r.int(4))
		a.endpoints = append(a.endpoints, &cachedEndpoint{seq: r.int(ofApp), endpoint: &e})
		return nil
	})
	return apps, err
}

// find gives an endpoint of the application; nil if it is not there.
func (a *cachedApp) find(seq int64) *cachedEndpoint {
	for _, e := range a.endpoints {
		if e.seq == seq {
			return e
		}
	}
	return nil
}

// idArray is a list of ids as one parameter.
func idArray(ids []hook.ID) [][]byte {
	out := make([][]byte, len(ids))
	for i := range ids {
		out[i] = ids[i][:]
	}
	return out
}
