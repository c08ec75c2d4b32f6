package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// storedSource is a source with the row key of its owner.
type storedSource struct {
	hook.Source
	app int64
}

const sourceColumns = `s.app, s.id, s.env, s.uid, s.name, s.type, s.metadata, s.settings, s.secrets, s.tokens, s.disabled, s.next_fire,
  s.created, s.updated`

func scanSource(r *row) (storedSource, error) {
	s := storedSource{app: r.int(0), Source: hook.Source{
		ID: r.id(1), Env: r.id(2), UID: r.text(3), Name: r.text(4), Type: r.text(5), Disabled: r.bool(10), NextFire: r.time(11),
		CreatedAt: r.time(12), UpdatedAt: r.time(13),
	}}
	var tokens []hook.TokenRecord
	if err := firstError(fromJSON(r, 6, &s.Metadata), fromJSON(r, 7, &s.Settings), fromJSON(r, 8, &s.Secrets), fromJSON(r, 9, &tokens)); err != nil {
		return s, fmt.Errorf("source %s: %w", hook.KindSource.Format(s.ID), err)
	}
	for _, t := range tokens {
		token := hook.SourceToken{Sealed: t.Sealed, ExpiresAt: t.ExpiresAt, CreatedAt: t.CreatedAt}
		if copy(token.Hash[:], t.Hash) != len(token.Hash) {
			return s, fmt.Errorf("source %s: the hash of a token has %d bytes", hook.KindSource.Format(s.ID), len(t.Hash))
		}
		s.Tokens = append(s.Tokens, token)
	}
	if len(s.Secrets) == 0 {
		s.Secrets = nil
	}
	return s, nil
}

func scanSourceOnly(r *row) (hook.Source, error) {
	s, err := scanSource(r)
	return s.Source, err
}

// tokenRecords are tokens as JSON and streams have them.
func tokenRecords(tokens []hook.SourceToken) []hook.TokenRecord {
	out := make([]hook.TokenRecord, len(tokens))
	for i := range tokens {
		t := &tokens[i]
		out[i] = hook.TokenRecord{Hash: t.Hash[:], Sealed: t.Sealed, ExpiresAt: t.ExpiresAt, CreatedAt: t.CreatedAt}
	}
	return out
}

// jsonColumns are the parts of a source that are stored as JSON.
func jsonColumns(settings *hook.SourceSettings, secrets []hook.SealedSecret, tokens []hook.TokenRecord) (out [3]string, err error) {
	if secrets == nil {
		secrets = []hook.SealedSecret{}
	}
	for i, v := range []any{settings, secrets, tokens} {
		b, err := json.Marshal(v)
		if err != nil {
			return out, fmt.Errorf("settings of a source: %w", err)
		}
		out[i] = string(b)
	}
	return out, nil
}

// sourceTaken turns a violated uniqueness into what the caller may know.
func sourceTaken(err error) error {
	if isUnique(err, "sources_uid") || isUnique(err, "sources_id") || isUnique(err, "applications_id") {
		return &hook.Error{Code: hook.CodeConflict, Detail: "A source with this uid exists already."}
	}
	return err
}

// errTokenTaken is CodeConflict, as for a uid. Tokens are random: it is a caller's own.
func errTokenTaken() error {
	return &hook.Error{Code: hook.CodeConflict, Detail: "A source with this token exists already."}
}

func findSource(ctx context.Context, c *conn, env hook.ID, ref hook.Ref) (s storedSource, err error) {
	q, key := `SELECT `+sourceColumns+` FROM sources s WHERE s.env = $1 AND s.id = $2`, any(ref.ID)
	if ref.UID != "" {
		q, key = `SELECT `+sourceColumns+` FROM sources s WHERE s.env = $1 AND s.uid = $2`, ref.UID
	}
	found, err := c.one(ctx, q, []any{env, key}, func(r *row) (err error) {
		s, err = scanSource(r)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("source")
	}
	return s, err
}

// lockSource is findSource for who changes or deletes the source. Its owner is
// locked, as for a change of endpoints, and that serves for the source too.
func lockSource(ctx context.Context, c *conn, env hook.ID, ref hook.Ref) (s storedSource, err error) {
	if s, err = findSource(ctx, c, env, ref); err != nil {
		return s, err
	}
	found, err := exists(ctx, c, `SELECT 1 FROM applications WHERE seq = $1 AND deleted IS NULL`+forUpdate, s.app)
	if err != nil {
		return s, err
	}
	if !found {
		return s, hook.NotFound("source")
	}
	return findSource(ctx, c, env, hook.Ref{ID: s.ID}) // as it is now
}

// sourceSeq gives the row key of the owner of a source.
func sourceSeq(ctx context.Context, c *conn, env, source hook.ID) (app int64, err error) {
	found, err := c.one(ctx, `SELECT app FROM sources WHERE id = $1 AND env = $2`, []any{source, env}, func(r *row) error {
		app = r.int(0)
		return nil
	})
	if err == nil && !found {
		err = hook.NotFound("source")
	}
	return app, err
}

// CreateSource implements store.Sources.
func (s *Store) CreateSource(ctx context.Context, src *hook.Source, key *hook.IdempotencyKey) (hook.Source, bool, error) {
	var out storedSource
	var repeated bool
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		id, again, err := once(ctx, c, src.Env, key, src.ID, src.CreatedAt)
		if err != nil {
			return err
		}
		if repeated = again; !repeated {
			if err := insertSource(ctx, c, src); err != nil {
				return err
			}
		}
		out, err = findSource(ctx, c, src.Env, hook.Ref{ID: id})
		return err
	})
	return out.Source, repeated, err
}

func insertSource(ctx context.Context, c *conn, s *hook.Source) error {
	var app int64
	if _, err := c.one(ctx, `INSERT INTO applications (id, env, name, throttle, created, updated, source)
	  VALUES ($1,$2,$3,0,$4,$5,true) RETURNING seq`, []any{s.ID, s.Env, s.Name, s.CreatedAt, s.UpdatedAt}, func(r *row) error {
		app = r.int(0)
		return nil
	}); err != nil {
		return sourceTaken(err)
	}
	parts, err := jsonColumns(&s.Settings, s.Secrets, tokenRecords(s.Tokens))
	if err != nil {
		return err
	}
	if _, err := c.exec(ctx, `INSERT INTO sources (app, id, env, uid, name, type, metadata, settings, secrets, tokens, disabled, next_fire, created, updated)
	  VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`, app, s.ID, s.Env, nullText(s.UID), s.Name, s.Type, mapJSON(s.Metadata),
		parts[0], parts[1], parts[2], s.Disabled, s.NextFire, s.CreatedAt, s.UpdatedAt); err != nil {
		return sourceTaken(err)
	}
	return storeTokens(ctx, c, app, s.Tokens)
}

// storeTokens makes these the tokens of a source, and no others.
func storeTokens(ctx context.Context, c *conn, app int64, tokens []hook.SourceToken) error {
	hashes, expires := make([][]byte, len(tokens)), make([]*int64, len(tokens))
	seen := map[[32]byte]bool{}
	for i := range tokens {
		t := &tokens[i]
		if seen[t.Hash] {
			return errTokenTaken()
		}
		seen[t.Hash] = true
		hashes[i], expires[i] = t.Hash[:], microsPtr(t.ExpiresAt)
	}
	if _, err := c.exec(ctx, `DELETE FROM source_tokens WHERE source = $1 AND hash <> ALL ($2::bytea[])`, app, hashes); err != nil {
		return err
	}
	n, err := c.exec(ctx, `INSERT INTO source_tokens AS t (hash, source, expires)
	  SELECT g.hash, $1, g.expires FROM unnest($2::bytea[], $3::bigint[]) AS g(hash, expires) ORDER BY g.hash
	  ON CONFLICT (hash) DO UPDATE SET expires = excluded.expires WHERE t.source = excluded.source`, app, hashes, expires)
	if err == nil && int(n) < len(tokens) {
		err = errTokenTaken()
	}
	return err
}

// FindSource implements store.Sources.
func (s *Store) FindSource(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Source, error) {
	var out storedSource
	err := s.read(ctx, func(ctx context.Context, c *conn) (err error) {
		out, err = findSource(ctx, c, env, ref)
		return err
	})
	return out.Source, err
}

// FindSourceByToken implements store.Sources.
func (s *Store) FindSourceByToken(ctx context.Context, hash [32]byte, now time.Time) (out hook.Source, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := c.one(ctx, `SELECT `+sourceColumns+` FROM source_tokens t JOIN sources s ON s.app = t.source
		  WHERE t.hash = $1 AND (t.expires IS NULL OR t.expires > $2)`, []any{hash[:], now}, func(r *row) (err error) {
			out, err = scanSourceOnly(r)
			return err
		})
		if err == nil && !found {
			err = hook.NotFound("source")
		}
		return err
	})
	return out, err
}

var listSources = newListQuery(`SELECT ` + sourceColumns + ` FROM sources s
  WHERE s.env = $1 AND s.id >= $2 AND s.id < $3 ORDER BY s.id {dir} LIMIT $4`)

// ListSources implements store.Sources.
func (s *Store) ListSources(ctx context.Context, env hook.ID, p hook.Page) (out hook.PageOf[hook.Source], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(p, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listSources, p, []any{env, from, to}, scanSourceOnly)
		return err
	})
	return out, err
}

// UpdateSource implements store.Sources. There is no time to hold the key's end
// against here: a known key counts until Expire removes it.
func (s *Store) UpdateSource(ctx context.Context, env hook.ID, ref hook.Ref, key *hook.IdempotencyKey,
	change func(*hook.Source) error) (hook.Source, bool, error) {
	var out storedSource
	var repeated bool
	err := s.write(ctx, func(ctx context.Context, c *conn) (err error) {
		repeated = false
		if out, err = lockSource(ctx, c, env, ref); err != nil {
			return err
		}
		if _, repeated, err = once(ctx, c, env, key, out.ID, time.Time{}); err != nil || repeated {
			return err
		}
		changed := out
		if err := change(&changed.Source); err != nil {
			return err
		}
		if err := updateSource(ctx, c, &changed); err != nil {
			return err
		}
		out, err = findSource(ctx, c, env, hook.Ref{ID: out.ID})
		return err
	})
	return out.Source, repeated, err
}

// updateSource writes what change may have changed.
func updateSource(ctx context.Context, c *conn, s *storedSource) error {
	parts, err := jsonColumns(&s.Settings, s.Secrets, tokenRecords(s.Tokens))
	if err != nil {
		return err
	}
	if _, err := c.exec(ctx, `UPDATE sources SET uid = $1, name = $2, type = $3, metadata = $4, settings = $5, secrets = $6, tokens = $7,
	    disabled = $8, next_fire = $9, updated = $10 WHERE app = $11`, nullText(s.UID), s.Name, s.Type, mapJSON(s.Metadata),
		parts[0], parts[1], parts[2], s.Disabled, s.NextFire, s.UpdatedAt, s.app); err != nil {
		return sourceTaken(err)
	}
	if _, err := c.exec(ctx, `UPDATE applications SET name = $1, updated = $2 WHERE seq = $3`, s.Name, s.UpdatedAt, s.app); err != nil {
		return err
	}
	return storeTokens(ctx, c, s.app, s.Tokens)
}

// DeleteSource implements store.Sources. Its requests go as its messages do.
func (s *Store) DeleteSource(ctx context.Context, env hook.ID, ref hook.Ref, now time.Time) ([]hook.ID, error) {
	var out []hook.ID
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		src, err := lockSource(ctx, c, env, ref)
		if err != nil {
			return err
		}
		if out, err = deleteOwner(ctx, c, env, src.ID, src.app, now); err != nil {
			return err
		}
		for _, q := range []string{`DELETE FROM source_tokens WHERE source = $1`, `DELETE FROM sources WHERE app = $1`} {
			if _, err := c.exec(ctx, q, src.app); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

const dueSources = `SELECT ` + sourceColumns + ` FROM sources s WHERE s.next_fire <= $1 ORDER BY s.next_fire LIMIT $2`

// DueSources implements store.Sources.
func (s *Store) DueSources(ctx context.Context, now time.Time, limit int) (out []hook.Source, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out = nil
		return c.query(ctx, dueSources, []any{now, limit}, func(r *row) error {
			src, err := scanSourceOnly(r)
			out = append(out, src)
			return err
		})
	})
	return out, err
}
