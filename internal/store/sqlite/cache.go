package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// cacheLimit is how many applications are kept; above it the cache starts anew.
const cacheLimit = 50_000

// cache holds what the writer needs of applications and endpoints. It belongs
// to the writer's goroutine. Whoever changes an application or an endpoint
// forgets the application here, inside the same operation; a group that is
// undone clears it all.
type cache struct {
	apps      map[hook.ID]*cachedApp
	endpoints map[int64]*cachedEndpoint   // by endpoints.seq
	byID      map[hook.ID]*cachedEndpoint // the same by id
	apart     map[int64]*apart            // by applications.seq of a source
}

type cachedApp struct {
	seq       int64
	env       hook.ID
	source    bool
	endpoints []*cachedEndpoint
}

type cachedEndpoint struct {
	seq          int64
	endpoint     *hook.Endpoint // never changed once made: leases share it
	failingSince time.Time      // the current value, unlike the one in endpoint
}

func newCache() *cache {
	c := &cache{}
	c.clear()
	return c
}

func (c *cache) clear() {
	c.apps = map[hook.ID]*cachedApp{}
	c.endpoints = map[int64]*cachedEndpoint{}
	c.byID = map[hook.ID]*cachedEndpoint{}
	c.apart = map[int64]*apart{}
}

// forget drops one application; the next use reads it again.
func (c *cache) forget(app hook.ID) {
	a, ok := c.apps[app]
	if !ok {
		return
	}
	delete(c.apps, app)
	delete(c.apart, a.seq)
	for _, e := range a.endpoints {
		delete(c.endpoints, e.seq)
		delete(c.byID, e.endpoint.ID)
	}
}

// app gives an application that is not deleted; nil if there is none.
func (w *writer) app(env, id hook.ID) (*cachedApp, error) {
	if a, ok := w.cache.apps[id]; ok {
		if a.env != env {
			return nil, nil
		}
		return a, nil
	}
	var a *cachedApp
	var throttle int
	_, err := w.conn.one(context.Background(),
		`SELECT seq, env, throttle, source FROM applications WHERE id = ? AND deleted IS NULL`, []any{id},
		func(r *row) error {
			a = &cachedApp{seq: r.int(0), env: r.id(1), source: r.bool(3)}
			throttle = int(r.int(2))
			return nil
		})
	if err != nil || a == nil {
		return nil, err
	}
	err = w.conn.query(context.Background(),
		`SELECT `+endpointColumns+` FROM endpoints e WHERE app = ? AND deleted IS NULL ORDER BY id`, []any{a.seq},
		func(r *row) error {
			e, err := scanEndpoint(r)
			if err != nil {
				return err
			}
			e.App, e.Env, e.AppThrottleRate = id, a.env, throttle
			a.endpoints = append(a.endpoints, &cachedEndpoint{seq: r.int(0), endpoint: &e, failingSince: e.FailingSince})
			return nil
		})
	if err != nil {
		return nil, err
	}
	if len(w.cache.apps) >= cacheLimit {
		w.cache.clear()
	}
	w.cache.apps[id] = a
	for _, e := range a.endpoints {
		w.cache.endpoints[e.seq] = e
		w.cache.byID[e.endpoint.ID] = e
	}
	if a.env != env {
		return nil, nil
	}
	return a, nil
}

// endpoint gives an endpoint by id; nil if it, or its application, is deleted.
func (w *writer) endpoint(id hook.ID) (*cachedEndpoint, error) {
	if e, ok := w.cache.byID[id]; ok {
		return e, nil
	}
	return w.findEndpoint(`SELECT a.id, a.env, e.seq FROM endpoints e JOIN applications a ON a.seq = e.app WHERE e.id = ?`, id)
}

// endpointBySeq is endpoint for the row key.
func (w *writer) endpointBySeq(seq int64) (*cachedEndpoint, error) {
	if e, ok := w.cache.endpoints[seq]; ok {
		return e, nil
	}
	return w.findEndpoint(`SELECT a.id, a.env, e.seq FROM endpoints e JOIN applications a ON a.seq = e.app WHERE e.seq = ?`, seq)
}

func (w *writer) findEndpoint(query string, key any) (*cachedEndpoint, error) {
	var app, env hook.ID
	var seq int64
	found, err := w.conn.one(context.Background(), query, []any{key}, func(r *row) error {
		app, env, seq = r.id(0), r.id(1), r.int(2)
		return nil
	})
	if err != nil || !found {
		return nil, err
	}
	if _, err := w.app(env, app); err != nil {
		return nil, err
	}
	return w.cache.endpoints[seq], nil
}

// endpointColumns are what scanEndpoint reads, of a table named e.
const endpointColumns = `e.seq, e.id, e.uid, e.description, e.url, e.event_types, e.channels, e.throttle,
  e.metadata, e.flags, e.headers, e.secrets, e.disabled, e.disabled_at, e.failing_since, e.revision, e.created, e.updated`

// scanEndpoint reads all but the application and environment.
func scanEndpoint(r *row) (hook.Endpoint, error) {
	e := hook.Endpoint{
		ID: r.id(1), UID: r.text(2), Description: r.text(3), URL: r.text(4),
		ThrottleRate: int(r.int(7)), SealedHeaders: r.blob(10),
		DisabledReason: hook.DisableReason(r.int(12)), DisabledAt: r.time(13),
		FailingSince: r.time(14), Revision: r.int(15), CreatedAt: r.time(16), UpdatedAt: r.time(17),
	}
	e.Disabled = e.DisabledReason != hook.NotDisabled
	err := firstError(
		fromJSON(r, 5, &e.EventTypes), fromJSON(r, 6, &e.Channels), fromJSON(r, 8, &e.Metadata),
		fromJSON(r, 9, &e.FeatureFlags), fromJSON(r, 11, &e.Secrets))
	if err != nil {
		return e, fmt.Errorf("endpoint %s: %w", hook.KindEndpoint.Format(e.ID), err)
	}
	return e, nil
}

// fromJSON reads a JSON column; NULL leaves the target alone.
func fromJSON(r *row, i int, into any) error {
	if r.null(i) {
		return nil
	}
	return json.Unmarshal(r.blob(i), into)
}

// toJSON makes a JSON column of a list or map; an empty one becomes NULL.
func toJSON[T []string | map[string]string](v T) any {
	if len(v) == 0 {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil { // strings and maps of strings always marshal
		panic(err)
	}
	return string(b)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
