package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func scanSettings(r *row) (hook.Settings, error) {
	var s hook.Settings
	if err := fromJSON(r, 1, &s); err != nil {
		return s, fmt.Errorf("settings of environment %s: %w", hook.KindEnvironment.Format(r.id(0)), err)
	}
	s.Env = r.id(0)
	return s, nil
}

// settingsRecord gives the settings of a row as they are moved; nil: none were set.
func settingsRecord(r *row, i int) (*hook.Settings, error) {
	if r.null(i) {
		return nil, nil
	}
	s := new(hook.Settings)
	return s, fromJSON(r, i, s)
}

// settingsText is the column; nil: none were set.
func settingsText(s *hook.Settings) (any, error) {
	if s == nil {
		return nil, nil
	}
	text, err := json.Marshal(s)
	return string(text), err
}

// FindSettings implements store.Portal.
func (s *Store) FindSettings(ctx context.Context, env hook.ID) (out hook.Settings, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out, err = settingsOf(ctx, c, env)
		return err
	})
	return out, err
}

func settingsOf(ctx context.Context, c *conn, env hook.ID) (out hook.Settings, err error) {
	found, err := c.one(ctx, `SELECT id, settings FROM environments WHERE id = ?`, []any{env}, func(r *row) (err error) {
		out, err = scanSettings(r)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("environment")
	}
	return out, err
}

// ListSettings implements store.Portal.
func (s *Store) ListSettings(ctx context.Context) (out []hook.Settings, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT id, settings FROM environments WHERE settings IS NOT NULL ORDER BY id`, nil, func(r *row) error {
			set, err := scanSettings(r)
			out = append(out, set)
			return err
		})
	})
	return out, err
}

// UpdateSettings implements store.Portal.
func (s *Store) UpdateSettings(ctx context.Context, env hook.ID, change func(*hook.Settings) error) (out hook.Settings, err error) {
	err = s.write(ctx, func(c *conn) error {
		if out, err = settingsOf(context.Background(), c, env); err != nil {
			return err
		}
		if err := change(&out); err != nil {
			return err
		}
		text, err := json.Marshal(out)
		if err != nil {
			return err
		}
		_, err = c.exec(`UPDATE environments SET settings = ? WHERE id = ?`, string(text), env)
		return err
	})
	return out, err
}

// grantsPurged is how many ended grants go when a new one comes.
const grantsPurged = 100

// CreatePortalGrant implements store.Portal.
func (s *Store) CreatePortalGrant(ctx context.Context, g *hook.PortalGrant, now time.Time) error {
	return s.write(ctx, func(c *conn) error {
		if _, err := c.exec(`DELETE FROM portal_grants WHERE hash IN
		    (SELECT hash FROM portal_grants INDEXED BY portal_grants_ended WHERE expires <= ? LIMIT ?)`, now, grantsPurged); err != nil {
			return err
		}
		_, err := c.exec(`INSERT INTO portal_grants (hash, key, once, expires, used) VALUES (?,?,?,?,?)`, g.Hash[:], g.Key, g.Once, g.ExpiresAt, g.UsedAt)
		return err
	})
}

// UsePortalGrant implements store.Portal.
func (s *Store) UsePortalGrant(ctx context.Context, hash [32]byte, now time.Time) (g hook.PortalGrant, k hook.Key, err error) {
	err = s.write(ctx, func(c *conn) error {
		found, err := c.one(context.Background(), `SELECT key, once, expires, used FROM portal_grants WHERE hash = ?`, []any{hash[:]}, func(r *row) error {
			g = hook.PortalGrant{Hash: hash, Key: r.id(0), Once: r.bool(1), ExpiresAt: r.time(2), UsedAt: r.time(3)}
			return nil
		})
		if err != nil {
			return err
		}
		if found {
			found, err = c.one(context.Background(), `SELECT `+keyColumns+` FROM api_keys WHERE id = ?`, []any{g.Key}, func(r *row) (err error) {
				k, err = scanKey(r)
				return err
			})
		}
		if err == nil && !found {
			err = hook.NotFound("portal link")
		}
		if err == nil {
			err = g.Usable(&k, now)
		}
		if err != nil || !g.Once {
			return err
		}
		g.UsedAt = now
		_, err = c.exec(`UPDATE portal_grants SET used = ? WHERE hash = ?`, now, hash[:])
		return err
	})
	return g, k, err
}

// DeletePortalGrant implements store.Portal.
func (s *Store) DeletePortalGrant(ctx context.Context, hash [32]byte) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(`DELETE FROM portal_grants WHERE hash = ?`, hash[:])
		return err
	})
}
