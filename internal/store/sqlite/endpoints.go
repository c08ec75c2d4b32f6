package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// storedEndpoint is an endpoint with its row key.
type storedEndpoint struct {
	hook.Endpoint
	seq int64
}

// findEndpoint gives an endpoint that is not deleted, of the application with
// row key app.
func findEndpoint(ctx context.Context, c *conn, env, appID hook.ID, app int64, ref hook.Ref) (e storedEndpoint, err error) {
	q, key := `SELECT `+endpointColumns+` FROM endpoints e WHERE e.app = ? AND e.id = ? AND e.deleted IS NULL`, any(ref.ID)
	if ref.UID != "" {
		q, key = `SELECT `+endpointColumns+` FROM endpoints e WHERE e.app = ? AND e.uid = ? AND e.deleted IS NULL`, ref.UID
	}
	found, err := c.one(ctx, q, []any{app, key}, func(r *row) (err error) {
		e.seq = r.int(0)
		e.Endpoint, err = scanEndpoint(r)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("endpoint")
	}
	e.Env, e.App = env, appID
	return e, err
}

// anyEndpoint gives the row key of an endpoint of the application, deleted or not.
func anyEndpoint(ctx context.Context, c *conn, app int64, id hook.ID) (seq int64, err error) {
	found, err := c.one(ctx, `SELECT seq FROM endpoints WHERE id = ? AND app = ?`, []any{id, app}, func(r *row) error {
		seq = r.int(0)
		return nil
	})
	if err == nil && !found {
		err = hook.NotFound("endpoint")
	}
	return seq, err
}

// endpointTaken turns a violated uniqueness into what the caller may know.
func endpointTaken(err error) error {
	if isUnique(err, "endpoints.") {
		return &hook.Error{Code: hook.CodeConflict, Detail: "An endpoint with this uid exists already."}
	}
	return err
}

// disabledColumn is 0 for an enabled endpoint.
func disabledColumn(e *hook.Endpoint) int {
	switch {
	case !e.Disabled:
		return int(hook.NotDisabled)
	case e.DisabledReason == hook.NotDisabled:
		return int(hook.DisabledByUser)
	}
	return int(e.DisabledReason)
}

// secretsColumn is a JSON array, as scanEndpoint reads it.
func secretsColumn(secrets []hook.SealedSecret) (string, error) {
	if secrets == nil {
		secrets = []hook.SealedSecret{}
	}
	b, err := json.Marshal(secrets)
	if err != nil {
		return "", fmt.Errorf("secrets of an endpoint: %w", err)
	}
	return string(b), nil
}

// CreateEndpoint implements store.Endpoints.
func (s *Store) CreateEndpoint(ctx context.Context, e *hook.Endpoint, limit int, once *hook.IdempotencyKey) (hook.Endpoint, bool, error) {
	var out storedEndpoint
	var repeated bool
	err := s.writeWith(ctx, func(w *writer) error {
		a, err := w.app(e.Env, e.App)
		if err != nil {
			return err
		}
		if a == nil {
			return hook.NotFound("application")
		}
		id, again, err := w.once(e.Env, once, e.ID, e.CreatedAt)
		if err != nil {
			return err
		}
		if repeated = again; !repeated {
			if limit > 0 && len(a.endpoints) >= limit {
				return &hook.Error{Code: hook.CodeLimitReached,
					Detail: fmt.Sprintf("The application has %d endpoints, which is the limit.", len(a.endpoints))}
			}
			if err := w.insertEndpoint(a.seq, e); err != nil {
				return err
			}
		}
		out, err = findEndpoint(ctx, w.conn, e.Env, e.App, a.seq, hook.Ref{ID: id})
		if err != nil || repeated {
			return err
		}
		w.cache.forget(e.App)
		return w.noteRevision(out.seq)
	})
	return out.Endpoint, repeated, err
}

// insertEndpoint stores e with revision 1.
func (w *writer) insertEndpoint(app int64, e *hook.Endpoint) error {
	secrets, err := secretsColumn(e.Secrets)
	if err != nil {
		return err
	}
	_, err = w.conn.exec(`INSERT INTO endpoints (id, app, uid, description, url, event_types, channels, throttle, metadata, flags,
	    headers, secrets, disabled, disabled_at, failing_since, revision, created, updated)
	  VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1,?,?)`,
		e.ID, app, nullText(e.UID), e.Description, e.URL, toJSON(e.EventTypes), toJSON(e.Channels), e.ThrottleRate,
		toJSON(e.Metadata), toJSON(e.FeatureFlags), e.SealedHeaders, secrets,
		disabledColumn(e), e.DisabledAt, e.FailingSince, e.CreatedAt, e.UpdatedAt)
	return endpointTaken(err)
}

// FindEndpoint implements store.Endpoints.
func (s *Store) FindEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref) (hook.Endpoint, error) {
	var out storedEndpoint
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		a, err := appSeq(ctx, c, env, app)
		if err != nil {
			return err
		}
		out, err = findEndpoint(ctx, c, env, app, a, ref)
		return err
	})
	return out.Endpoint, err
}

var listEndpoints = newListQuery(`SELECT ` + endpointColumns + ` FROM endpoints e INDEXED BY endpoints_app
  WHERE e.app = ? AND e.id >= ? AND e.id < ? AND e.deleted IS NULL ORDER BY e.id {dir} LIMIT ?`)

// ListEndpoints implements store.Endpoints.
func (s *Store) ListEndpoints(ctx context.Context, env, app hook.ID, p hook.Page) (out hook.PageOf[hook.Endpoint], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		a, err := appSeq(ctx, c, env, app)
		if err != nil {
			return err
		}
		from, to := idBounds(p, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listEndpoints, p, []any{a, from, to}, func(r *row) (hook.Endpoint, error) {
			e, err := scanEndpoint(r)
			e.Env, e.App = env, app
			return e, err
		})
		return err
	})
	return out, err
}

// UpdateEndpoint implements store.Endpoints. There is no time to hold the key's
// end against here: a known key counts until Expire removes it.
func (s *Store) UpdateEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, once *hook.IdempotencyKey,
	change func(*hook.Endpoint) error) (hook.Endpoint, bool, error) {
	var out storedEndpoint
	var repeated bool
	err := s.writeWith(ctx, func(w *writer) error {
		a, err := appSeq(ctx, w.conn, env, app)
		if err != nil {
			return err
		}
		if out, err = findEndpoint(ctx, w.conn, env, app, a, ref); err != nil {
			return err
		}
		if _, repeated, err = w.once(env, once, out.ID, time.Time{}); err != nil || repeated {
			return err
		}
		e := out
		if err := change(&e.Endpoint); err != nil {
			return err
		}
		if err := w.updateEndpoint(&e); err != nil {
			return err
		}
		w.cache.forget(app)
		out, err = findEndpoint(ctx, w.conn, env, app, a, hook.Ref{ID: out.ID})
		return err
	})
	return out.Endpoint, repeated, err
}

// updateEndpoint writes what change may have changed, as a new revision.
func (w *writer) updateEndpoint(e *storedEndpoint) error {
	secrets, err := secretsColumn(e.Secrets)
	if err != nil {
		return err
	}
	if _, err := w.conn.exec(`UPDATE endpoints SET uid = ?, description = ?, url = ?, event_types = ?, channels = ?, throttle = ?,
	    metadata = ?, flags = ?, headers = ?, secrets = ?, disabled = ?, disabled_at = ?, failing_since = ?,
	    revision = revision + 1, updated = ? WHERE seq = ?`,
		nullText(e.UID), e.Description, e.URL, toJSON(e.EventTypes), toJSON(e.Channels), e.ThrottleRate,
		toJSON(e.Metadata), toJSON(e.FeatureFlags), e.SealedHeaders, secrets, disabledColumn(&e.Endpoint), e.DisabledAt, e.FailingSince,
		e.UpdatedAt, e.seq); err != nil {
		return endpointTaken(err)
	}
	return w.noteRevision(e.seq)
}

// DeleteEndpoint implements store.Endpoints.
func (s *Store) DeleteEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, now time.Time) (hook.ID, error) {
	var out storedEndpoint
	err := s.writeWith(ctx, func(w *writer) error {
		a, err := appSeq(ctx, w.conn, env, app)
		if err != nil {
			return err
		}
		if out, err = findEndpoint(ctx, w.conn, env, app, a, ref); err != nil {
			return err
		}
		w.cache.forget(app)
		return w.deleteEndpoint(out.seq, now)
	})
	return out.ID, err
}

// deleteEndpoint marks an endpoint deleted. Its last revision is that of the
// deletion: a message accepted under it was accepted without the endpoint.
func (w *writer) deleteEndpoint(seq int64, now time.Time) error {
	if _, err := w.conn.exec(`DELETE FROM issues WHERE endpoint = ?`, seq); err != nil {
		return err
	}
	if _, err := w.conn.exec(`UPDATE endpoints SET deleted = ?1, revision = revision + 1, updated = ?1 WHERE seq = ?2`, now, seq); err != nil {
		return err
	}
	return w.noteRevision(seq)
}
