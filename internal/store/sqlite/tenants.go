package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// CreateEnvironment implements store.Tenants.
func (s *Store) CreateEnvironment(ctx context.Context, e *hook.Environment) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(`INSERT INTO environments (id, name, kind, created) VALUES (?,?,?,?)`, e.ID, e.Name, int(e.Kind), e.CreatedAt)
		if isUnique(err, "environments.id") {
			return &hook.Error{Code: hook.CodeConflict, Detail: "An environment with this id exists already."}
		}
		return err
	})
}

// ListEnvironments implements store.Tenants.
func (s *Store) ListEnvironments(ctx context.Context) ([]hook.Environment, error) {
	var out []hook.Environment
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT `+environmentColumns+` FROM environments ORDER BY id`, nil, func(r *row) error {
			out = append(out, scanEnvironment(r))
			return nil
		})
	})
	return out, err
}

const environmentColumns = `id, name, kind, created`

func scanEnvironment(r *row) hook.Environment {
	return hook.Environment{ID: r.id(0), Name: r.text(1), Kind: hook.EnvironmentKind(r.int(2)), CreatedAt: r.time(3)}
}

// UpdateEnvironment implements store.Tenants.
func (s *Store) UpdateEnvironment(ctx context.Context, env hook.ID, change func(*hook.Environment) error) (e hook.Environment, err error) {
	err = s.write(ctx, func(c *conn) error {
		found, err := c.one(context.WithoutCancel(ctx), `SELECT `+environmentColumns+` FROM environments WHERE id = ?`, []any{env}, func(r *row) error {
			e = scanEnvironment(r)
			return nil
		})
		if err == nil && !found {
			err = hook.NotFound("environment")
		}
		if err == nil {
			err = change(&e)
		}
		if err != nil {
			return err
		}
		_, err = c.exec(`UPDATE environments SET name = ?, kind = ? WHERE id = ?`, e.Name, int(e.Kind), env)
		return err
	})
	return e, err
}

const keyColumns = `id, env, app, hash, name, censored, scopes, session, flags, created, expires, last_used`

func scanKey(r *row) (hook.Key, error) {
	k := hook.Key{
		ID: r.id(0), Env: r.id(1), App: r.id(2), Name: r.text(4), CensoredText: r.text(5),
		SessionID: r.text(7), CreatedAt: r.time(9), ExpiresAt: r.time(10), LastUsedAt: r.time(11),
	}
	copy(k.Hash[:], r.blob(3))
	if err := firstError(fromJSON(r, 6, &k.Scopes), fromJSON(r, 8, &k.FeatureFlags)); err != nil {
		return k, fmt.Errorf("key %s: %w", hook.KindKey.Format(k.ID), err)
	}
	return k, nil
}

// CreateKey implements store.Tenants.
func (s *Store) CreateKey(ctx context.Context, k *hook.Key) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(`INSERT INTO api_keys (`+keyColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
			k.ID, k.Env, nullID(k.App), k.Hash[:], k.Name, k.CensoredText, toJSON(k.Scopes), nullText(k.SessionID),
			toJSON(k.FeatureFlags), k.CreatedAt, k.ExpiresAt, k.LastUsedAt)
		if isUnique(err, "api_keys.") {
			return &hook.Error{Code: hook.CodeConflict, Detail: "This key exists already."}
		}
		return err
	})
}

// FindKeyByHash implements store.Tenants.
func (s *Store) FindKeyByHash(ctx context.Context, hash [32]byte) (hook.Key, error) {
	var k hook.Key
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := c.one(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE hash = ?`, []any{hash[:]}, func(r *row) (err error) {
			k, err = scanKey(r)
			return err
		})
		if err == nil && !found {
			err = hook.NotFound("key")
		}
		return err
	})
	return k, err
}

var listKeys = newListQuery(`SELECT ` + keyColumns + ` FROM api_keys INDEXED BY api_keys_env
  WHERE env = ? AND app IS NULL AND id >= ? AND id < ? ORDER BY id {dir} LIMIT ?`)

// ListKeys implements store.Tenants.
func (s *Store) ListKeys(ctx context.Context, env hook.ID, p hook.Page) (out hook.PageOf[hook.Key], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(p, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listKeys, p, []any{env, from, to}, scanKey)
		return err
	})
	return out, err
}

// ExpireKey implements store.Tenants.
func (s *Store) ExpireKey(ctx context.Context, env, key hook.ID, at time.Time) error {
	return s.write(ctx, func(c *conn) error {
		n, err := c.exec(`UPDATE api_keys SET expires = min(coalesce(expires, ?1), ?1) WHERE id = ?2 AND env = ?3`, at, key, env)
		if err == nil && n == 0 {
			err = hook.NotFound("key")
		}
		return err
	})
}

// ExpireAppKeys implements store.Tenants.
func (s *Store) ExpireAppKeys(ctx context.Context, env, app hook.ID, sessions []string, at time.Time) error {
	return s.write(ctx, func(c *conn) error { return expireAppKeys(c, env, app, sessions, at) })
}

func expireAppKeys(c *conn, env, app hook.ID, sessions []string, at time.Time) error {
	_, err := c.exec(`UPDATE api_keys SET expires = ?1
	  WHERE app = ?2 AND env = ?3 AND (expires IS NULL OR expires > ?1)
	    AND (?4 IS NULL OR session IN (SELECT value FROM json_each(?4)))`, at, app, env, jsonList(sessions))
	return err
}

// TouchKeys implements store.Tenants. An earlier use than the one known changes nothing.
func (s *Store) TouchKeys(ctx context.Context, uses []hook.KeyUse) error {
	return s.write(ctx, func(c *conn) error {
		for _, u := range uses {
			if _, err := c.exec(`UPDATE api_keys SET last_used = max(coalesce(last_used, ?1), ?1) WHERE id = ?2`, u.At, u.Key); err != nil {
				return err
			}
		}
		return nil
	})
}

func nullID(id hook.ID) any {
	if id.IsZero() {
		return nil
	}
	return id
}
