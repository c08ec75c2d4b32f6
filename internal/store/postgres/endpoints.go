package postgres

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

// endpointColumns are what scanEndpoint reads, of a table named e.
const (
	endpointColumns = `e.seq, e.id, e.uid, e.description, e.url, e.event_types, e.channels, e.throttle,
  e.metadata, e.flags, e.headers, e.secrets, e.disabled, e.disabled_at, e.failing_since, e.revision, e.created, e.updated`
	endpointColumnCount = 18
)

// scanEndpoint reads all but the application and environment.
func scanEndpoint(r *row) (hook.Endpoint, error) {
	e := hook.Endpoint{
		ID: r.id(1), UID: r.text(2), Description: r.text(3), URL: r.text(4), EventTypes: r.words(5), Channels: r.words(6),
		ThrottleRate: int(r.int(7)), FeatureFlags: r.words(9), SealedHeaders: r.blob(10),
		DisabledReason: hook.DisableReason(r.int(12)), DisabledAt: r.time(13),
		FailingSince: r.time(14), Revision: r.int(15), CreatedAt: r.time(16), UpdatedAt: r.time(17),
	}
	e.Disabled = e.DisabledReason != hook.NotDisabled
	if err := firstError(fromJSON(r, 8, &e.Metadata), fromJSON(r, 11, &e.Secrets)); err != nil {
		return e, fmt.Errorf("endpoint %s: %w", hook.KindEndpoint.Format(e.ID), err)
	}
	return e, nil
}

// findEndpoint gives an endpoint that is not deleted, of the application with
// row key app.
func findEndpoint(ctx context.Context, c *conn, env, appID hook.ID, app int64, ref hook.Ref) (storedEndpoint, error) {
	return oneEndpoint(ctx, c, env, appID, app, ref, "")
}

// lockEndpoint is findEndpoint for who changes all of it. Its application is
// locked already; a settlement, which writes the failure clock, waits here.
func lockEndpoint(ctx context.Context, c *conn, env, appID hook.ID, app int64, ref hook.Ref) (storedEndpoint, error) {
	return oneEndpoint(ctx, c, env, appID, app, ref, forUpdate)
}

func oneEndpoint(ctx context.Context, c *conn, env, appID hook.ID, app int64, ref hook.Ref, locking string) (e storedEndpoint, err error) {
	q, key := `SELECT `+endpointColumns+` FROM endpoints e WHERE e.app = $1 AND e.id = $2 AND e.deleted IS NULL`, any(ref.ID)
	if ref.UID != "" {
		q, key = `SELECT `+endpointColumns+` FROM endpoints e WHERE e.app = $1 AND e.uid = $2 AND e.deleted IS NULL`, ref.UID
	}
	found, err := c.one(ctx, q+locking, []any{app, key}, func(r *row) (err error) {
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
	found, err := c.one(ctx, `SELECT seq FROM endpoints WHERE id = $1 AND app = $2`, []any{id, app}, func(r *row) error {
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
	if isUnique(err, "endpoints_uid") || isUnique(err, "endpoints_id") {
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
func (s *Store) CreateEndpoint(ctx context.Context, e *hook.Endpoint, limit int, key *hook.IdempotencyKey) (hook.Endpoint, bool, error) {
	var out storedEndpoint
	var repeated bool
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		a, err := lockApplication(ctx, c, e.Env, hook.Ref{ID: e.App})
		if err != nil {
			return err
		}
		id, again, err := once(ctx, c, e.Env, key, e.ID, e.CreatedAt)
		if err != nil {
			return err
		}
		if repeated = again; !repeated {
			if err := roomForEndpoint(ctx, c, a.seq, limit); err != nil {
				return err
			}
			if err := insertEndpoint(ctx, c, a.seq, e); err != nil {
				return err
			}
		}
		out, err = findEndpoint(ctx, c, e.Env, e.App, a.seq, hook.Ref{ID: id})
		if err != nil || repeated {
			return err
		}
		return endpointsChanged(ctx, c, a.seq, out.seq)
	})
	return out.Endpoint, repeated, err
}

// roomForEndpoint refuses if the application, which is locked, has limit endpoints
// already. 0: no limit.
func roomForEndpoint(ctx context.Context, c *conn, app int64, limit int) error {
	if limit <= 0 {
		return nil
	}
	has := 0
	if _, err := c.one(ctx, `SELECT count(*) FROM endpoints WHERE app = $1 AND deleted IS NULL`, []any{app}, func(r *row) error {
		has = int(r.int(0))
		return nil
	}); err != nil || has < limit {
		return err
	}
	return &hook.Error{Code: hook.CodeLimitReached, Detail: fmt.Sprintf("The application has %d endpoints, which is the limit.", has)}
}

// insertEndpoint stores e with revision 1.
func insertEndpoint(ctx context.Context, c *conn, app int64, e *hook.Endpoint) error {
	secrets, err := secretsColumn(e.Secrets)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, `INSERT INTO endpoints (id, app, uid, description, url, event_types, channels, throttle, metadata, flags,
	    headers, secrets, disabled, disabled_at, failing_since, revision, created, updated)
	  VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,1,$16,$17)`,
		e.ID, app, nullText(e.UID), e.Description, e.URL, words(e.EventTypes), words(e.Channels), e.ThrottleRate,
		mapJSON(e.Metadata), words(e.FeatureFlags), e.SealedHeaders, secrets,
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

var listEndpoints = newListQuery(`SELECT ` + endpointColumns + ` FROM endpoints e
  WHERE e.app = $1 AND e.id >= $2 AND e.id < $3 AND e.deleted IS NULL ORDER BY e.id {dir} LIMIT $4`)

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
func (s *Store) UpdateEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, key *hook.IdempotencyKey,
	change func(*hook.Endpoint) error) (hook.Endpoint, bool, error) {
	var out storedEndpoint
	var repeated bool
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		repeated = false
		a, err := lockApplication(ctx, c, env, hook.Ref{ID: app})
		if err != nil {
			return err
		}
		if out, err = lockEndpoint(ctx, c, env, app, a.seq, ref); err != nil {
			return err
		}
		if _, repeated, err = once(ctx, c, env, key, out.ID, time.Time{}); err != nil || repeated {
			return err
		}
		e := out
		if err := change(&e.Endpoint); err != nil {
			return err
		}
		if err := updateEndpoint(ctx, c, a.seq, &e); err != nil {
			return err
		}
		out, err = findEndpoint(ctx, c, env, app, a.seq, hook.Ref{ID: out.ID})
		return err
	})
	return out.Endpoint, repeated, err
}

// updateEndpoint writes what change may have changed, as a new revision.
func updateEndpoint(ctx context.Context, c *conn, app int64, e *storedEndpoint) error {
	secrets, err := secretsColumn(e.Secrets)
	if err != nil {
		return err
	}
	if _, err := c.exec(ctx, `UPDATE endpoints SET uid = $1, description = $2, url = $3, event_types = $4, channels = $5, throttle = $6,
	    metadata = $7, flags = $8, headers = $9, secrets = $10, disabled = $11, disabled_at = $12, failing_since = $13,
	    revision = revision + 1, updated = $14 WHERE seq = $15`,
		nullText(e.UID), e.Description, e.URL, words(e.EventTypes), words(e.Channels), e.ThrottleRate,
		mapJSON(e.Metadata), words(e.FeatureFlags), e.SealedHeaders, secrets, disabledColumn(&e.Endpoint), e.DisabledAt, e.FailingSince,
		e.UpdatedAt, e.seq); err != nil {
		return endpointTaken(err)
	}
	return endpointsChanged(ctx, c, app, e.seq)
}

// DeleteEndpoint implements store.Endpoints.
func (s *Store) DeleteEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, now time.Time) (hook.ID, error) {
	var out storedEndpoint
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		a, err := lockApplication(ctx, c, env, hook.Ref{ID: app})
		if err != nil {
			return err
		}
		if out, err = findEndpoint(ctx, c, env, app, a.seq, ref); err != nil {
			return err
		}
		return markDeleted(ctx, c, a.seq, now, out.seq)
	})
	return out.ID, err
}
