package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// CreateEnvironment implements store.Tenants.
func (s *Store) CreateEnvironment(ctx context.Context, e *hook.Environment) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, `INSERT INTO environments (id, name, kind, created) VALUES ($1,$2,$3,$4)`, e.ID, e.Name, int(e.Kind), e.CreatedAt)
		if isUnique(err, "environments_pkey") {
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
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		found, err := c.one(ctx, `SELECT `+environmentColumns+` FROM environments WHERE id = $1 FOR UPDATE`, []any{env}, func(r *row) error {
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
		_, err = c.exec(ctx, `UPDATE environments SET name = $1, kind = $2 WHERE id = $3`, e.Name, int(e.Kind), env)
		return err
	})
	return e, err
}

const keyColumns = `id, env, app, hash, name, censored, scopes, session, flags, created, expires, last_used`

func scanKey(r *row) (hook.Key, error) {
	k := hook.Key{
		ID: r.id(0), Env: r.id(1), App: r.id(2), Name: r.text(4), CensoredText: r.text(5), Scopes: r.words(6),
		SessionID: r.text(7), FeatureFlags: r.words(8), CreatedAt: r.time(9), ExpiresAt: r.time(10), LastUsedAt: r.time(11),
	}
	if hash := r.blob(3); copy(k.Hash[:], hash) != len(k.Hash) {
		return k, fmt.Errorf("key %s: its hash has %d bytes", hook.KindKey.Format(k.ID), len(hash))
	}
	return k, nil
}

// CreateKey implements store.Tenants.
func (s *Store) CreateKey(ctx context.Context, k *hook.Key) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, `INSERT INTO api_keys (`+keyColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)`,
			k.ID, k.Env, nullID(k.App), k.Hash[:], k.Name, k.CensoredText, words(k.Scopes), nullText(k.SessionID),
			words(k.FeatureFlags), k.CreatedAt, k.ExpiresAt, k.LastUsedAt)
		if isUnique(err, "api_keys_hash") || isUnique(err, "api_keys_pkey") {
			return &hook.Error{Code: hook.CodeConflict, Detail: "This key exists already."}
		}
		return err
	})
}

// FindKeyByHash implements store.Tenants.
func (s *Store) FindKeyByHash(ctx context.Context, hash [32]byte) (hook.Key, error) {
	var k hook.Key
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := c.one(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE hash = $1`, []any{hash[:]}, func(r *row) (err error) {
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

var listKeys = newListQuery(`SELECT ` + keyColumns + ` FROM api_keys
  WHERE env = $1 AND app IS NULL AND id >= $2 AND id < $3 ORDER BY id {dir} LIMIT $4`)

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
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		n, err := c.exec(ctx, `UPDATE api_keys SET expires = least(expires, $1) WHERE id = $2 AND env = $3`, at, key, env)
		if err == nil && n == 0 {
			err = hook.NotFound("key")
		}
		return err
	})
}

// ExpireAppKeys implements store.Tenants.
func (s *Store) ExpireAppKeys(ctx context.Context, env, app hook.ID, sessions []string, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		return expireAppKeys(ctx, c, env, app, sessions, at)
	})
}

func expireAppKeys(ctx context.Context, c *conn, env, app hook.ID, sessions []string, at time.Time) error {
	_, err := c.exec(ctx, `WITH live AS (
	    SELECT id FROM api_keys WHERE app = $2 AND env = $3 AND (expires IS NULL OR expires > $1)
	      AND ($4::text[] IS NULL OR session = ANY ($4)) ORDER BY id FOR UPDATE)
	  UPDATE api_keys k SET expires = $1 FROM live WHERE k.id = live.id`, at, app, env, words(sessions))
	return err
}

// TouchKeys implements store.Tenants. An earlier use than the one known changes
// nothing. The rows are locked in one order, because every node tells of the same keys.
func (s *Store) TouchKeys(ctx context.Context, uses []hook.KeyUse) error {
	last := map[hook.ID]time.Time{}
	for _, u := range uses {
		if u.At.After(last[u.Key]) {
			last[u.Key] = u.At
		}
	}
	if len(last) == 0 {
		return nil
	}
	ids, times := make([][]byte, 0, len(last)), make([]int64, 0, len(last))
	for id, at := range last {
		ids, times = append(ids, id[:]), append(times, at.UnixMicro())
	}
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, `WITH known AS (
		    SELECT k.id, u.at FROM unnest($1::bytea[], $2::bigint[]) AS u (id, at) JOIN api_keys k ON k.id = u.id
		    ORDER BY k.id FOR UPDATE OF k)
		  UPDATE api_keys k SET last_used = greatest(k.last_used, known.at) FROM known WHERE k.id = known.id`, ids, times)
		return err
	})
}
