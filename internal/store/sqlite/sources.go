package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	sqlite3 "modernc.org/sqlite/lib"
)

// storedSource is a source with its row key, which is that of its owner's row in
// applications too.
type storedSource struct {
	hook.Source
	seq int64
}

const sourceColumns = `s.seq, s.id, s.env, s.uid, s.name, s.type, s.metadata, s.settings, s.secrets, s.tokens, s.disabled,
  s.next_fire, s.created, s.updated`

func scanSource(r *row) (storedSource, error) {
	s := storedSource{seq: r.int(0), Source: hook.Source{
		ID: r.id(1), Env: r.id(2), UID: r.text(3), Name: r.text(4), Type: r.text(5),
		Disabled: r.bool(10), NextFire: r.time(11), CreatedAt: r.time(12), UpdatedAt: r.time(13),
	}}
	var tokens []hook.TokenRecord
	err := firstError(
		fromJSON(r, 6, &s.Metadata), fromJSON(r, 7, &s.Settings), fromJSON(r, 8, &s.Secrets), fromJSON(r, 9, &tokens))
	if err != nil {
		return s, fmt.Errorf("source %s: %w", hook.KindSource.Format(s.ID), err)
	}
	s.Tokens = tokensFrom(tokens)
	if len(s.Secrets) == 0 {
		s.Secrets = nil
	}
	return s, nil
}

// tokensFrom reads tokens as the column and records have them.
func tokensFrom(records []hook.TokenRecord) (out []hook.SourceToken) {
	for _, r := range records {
		t := hook.SourceToken{Sealed: r.Sealed, ExpiresAt: r.ExpiresAt, CreatedAt: r.CreatedAt}
		copy(t.Hash[:], r.Hash)
		out = append(out, t)
	}
	return out
}

// tokenRecords is what tokensFrom reads.
func tokenRecords(tokens []hook.SourceToken) []hook.TokenRecord {
	out := make([]hook.TokenRecord, len(tokens))
	for i, t := range tokens {
		out[i] = hook.TokenRecord{Hash: t.Hash[:], Sealed: t.Sealed, ExpiresAt: t.ExpiresAt, CreatedAt: t.CreatedAt}
	}
	return out
}

func findSource(ctx context.Context, c *conn, env hook.ID, ref hook.Ref) (s storedSource, err error) {
	q, key := `SELECT `+sourceColumns+` FROM sources s WHERE s.env = ? AND s.id = ?`, any(ref.ID)
	if ref.UID != "" {
		q, key = `SELECT `+sourceColumns+` FROM sources s WHERE s.env = ? AND s.uid = ?`, ref.UID
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

// sourceSeq gives the row key of a source.
func sourceSeq(ctx context.Context, c *conn, env, source hook.ID) (seq int64, err error) {
	found, err := c.one(ctx, `SELECT seq FROM sources WHERE env = ? AND id = ?`, []any{env, source}, func(r *row) error {
		seq = r.int(0)
		return nil
	})
	if err == nil && !found {
		err = hook.NotFound("source")
	}
	return seq, err
}

// sourceTaken turns a violated uniqueness into what the caller may know.
func sourceTaken(err error) error {
	var failed *Error
	switch {
	case isUnique(err, "sources."):
		return &hook.Error{Code: hook.CodeConflict, Detail: "A source with this uid exists already."}
	case errors.As(err, &failed) && failed.Code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return &hook.Error{Code: hook.CodeConflict, Detail: "A source with this token exists already."}
	}
	return err
}

// sourceJSON are the columns of a source that hold JSON.
type sourceJSON struct{ settings, secrets, tokens string }

func sourceJSONOf(s *hook.Source) (out sourceJSON, err error) {
	settings, err1 := json.Marshal(&s.Settings)
	secrets, err2 := json.Marshal(slices.Concat([]hook.SealedSecret{}, s.Secrets))
	tokens, err3 := json.Marshal(tokenRecords(s.Tokens))
	if err := errors.Join(err1, err2, err3); err != nil {
		return out, fmt.Errorf("source %s: %w", hook.KindSource.Format(s.ID), err)
	}
	return sourceJSON{string(settings), string(secrets), string(tokens)}, nil
}

// CreateSource implements store.Sources.
func (s *Store) CreateSource(ctx context.Context, src *hook.Source, once *hook.IdempotencyKey) (hook.Source, bool, error) {
	var out storedSource
	var repeated bool
	err := s.writeWith(ctx, func(w *writer) error {
		id, again, err := w.once(src.Env, once, src.ID, src.CreatedAt)
		if err != nil {
			return err
		}
		if repeated = again; !repeated {
			if err := w.insertSource(src); err != nil {
				return err
			}
		}
		out, err = findSource(ctx, w.conn, src.Env, hook.Ref{ID: id})
		return err
	})
	return out.Source, repeated, err
}

// insertSource stores a source with the row of its owner.
func (w *writer) insertSource(s *hook.Source) error {
	if _, err := w.conn.exec(`INSERT INTO applications (id, env, name, throttle, created, updated, source) VALUES (?,?,?,0,?,?,1)`,
		s.ID, s.Env, s.Name, s.CreatedAt, s.UpdatedAt); err != nil {
		return err
	}
	if err := insertSourceRow(w.conn, s); err != nil {
		return err
	}
	return insertTokens(w.conn, s)
}

// insertSourceRow stores a source whose owner has a row.
func insertSourceRow(c *conn, s *hook.Source) error {
	columns, err := sourceJSONOf(s)
	if err != nil {
		return err
	}
	return sourceTaken(put(c, `INSERT INTO sources
	    (seq, id, env, uid, name, type, metadata, settings, secrets, tokens, disabled, next_fire, created, updated)
	  SELECT seq, id, ?,?,?,?,?,?,?,?,?,?,?,? FROM applications WHERE id = ? AND source = 1 AND deleted IS NULL`,
		s.Env, nullText(s.UID), s.Name, s.Type, toJSON(s.Metadata), columns.settings, columns.secrets, columns.tokens,
		s.Disabled, s.NextFire, s.CreatedAt, s.UpdatedAt, s.ID))
}

func insertTokens(c *conn, s *hook.Source) error {
	for i := range s.Tokens {
		if _, err := c.exec(`INSERT INTO source_tokens (hash, source, expires) SELECT ?, seq, ? FROM sources WHERE id = ?`,
			s.Tokens[i].Hash[:], s.Tokens[i].ExpiresAt, s.ID); err != nil {
			return sourceTaken(err)
		}
	}
	return nil
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
func (s *Store) FindSourceByToken(ctx context.Context, hash [32]byte, now time.Time) (hook.Source, error) {
	var out storedSource
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := c.one(ctx, `SELECT `+sourceColumns+` FROM source_tokens t CROSS JOIN sources s ON s.seq = t.source
		  WHERE t.hash = ? AND (t.expires IS NULL OR t.expires > ?)`, []any{hash[:], now}, func(r *row) (err error) {
			out, err = scanSource(r)
			return err
		})
		if err == nil && !found {
			err = hook.NotFound("source")
		}
		return err
	})
	return out.Source, err
}

var listSources = newListQuery(`SELECT ` + sourceColumns + ` FROM sources s INDEXED BY sources_env
  WHERE s.env = ? AND s.id >= ? AND s.id < ? ORDER BY s.id {dir} LIMIT ?`)

// ListSources implements store.Sources.
func (s *Store) ListSources(ctx context.Context, env hook.ID, p hook.Page) (out hook.PageOf[hook.Source], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(p, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listSources, p, []any{env, from, to}, func(r *row) (hook.Source, error) {
			s, err := scanSource(r)
			return s.Source, err
		})
		return err
	})
	return out, err
}

// UpdateSource implements store.Sources. A known key counts until Expire removes it.
func (s *Store) UpdateSource(ctx context.Context, env hook.ID, ref hook.Ref, once *hook.IdempotencyKey,
	change func(*hook.Source) error) (hook.Source, bool, error) {
	var out storedSource
	var repeated bool
	err := s.writeWith(ctx, func(w *writer) (err error) {
		if out, err = findSource(ctx, w.conn, env, ref); err != nil {
			return err
		}
		if _, repeated, err = w.once(env, once, out.ID, time.Time{}); err != nil || repeated {
			return err
		}
		changed := out
		if err := change(&changed.Source); err != nil {
			return err
		}
		if err := w.updateSource(&changed); err != nil {
			return err
		}
		out, err = findSource(ctx, w.conn, env, hook.Ref{ID: out.ID})
		return err
	})
	return out.Source, repeated, err
}

// updateSource writes what change may have changed.
func (w *writer) updateSource(s *storedSource) error {
	columns, err := sourceJSONOf(&s.Source)
	if err != nil {
		return err
	}
	if _, err := w.conn.exec(`UPDATE sources SET uid = ?, name = ?, type = ?, metadata = ?, settings = ?, secrets = ?, tokens = ?,
	    disabled = ?, next_fire = ?, updated = ? WHERE seq = ?`,
		nullText(s.UID), s.Name, s.Type, toJSON(s.Metadata), columns.settings, columns.secrets, columns.tokens,
		s.Disabled, s.NextFire, s.UpdatedAt, s.seq); err != nil {
		return sourceTaken(err)
	}
	if _, err := w.conn.exec(`UPDATE applications SET name = ?, updated = ? WHERE seq = ?`, s.Name, s.UpdatedAt, s.seq); err != nil {
		return err
	}
	if _, err := w.conn.exec(`DELETE FROM source_tokens WHERE source = ?`, s.seq); err != nil {
		return err
	}
	return insertTokens(w.conn, &s.Source)
}

// DeleteSource implements store.Sources.
func (s *Store) DeleteSource(ctx context.Context, env hook.ID, ref hook.Ref, now time.Time) ([]hook.ID, error) {
	var out []hook.ID
	err := s.writeWith(ctx, func(w *writer) error {
		src, err := findSource(ctx, w.conn, env, ref)
		if err != nil {
			return err
		}
		for _, table := range []string{
			`DELETE FROM source_tokens WHERE source = ?`, `DELETE FROM sources WHERE seq = ?`,
		} {
			if _, err := w.conn.exec(table, src.seq); err != nil {
				return err
			}
		}
		out, err = w.deleteOwner(env, src.ID, src.seq, now)
		return err
	})
	return out, err
}

const dueSources = `SELECT ` + sourceColumns + ` FROM sources s INDEXED BY sources_due
  WHERE s.next_fire IS NOT NULL AND s.next_fire <= ? ORDER BY s.next_fire LIMIT ?`

// DueSources implements store.Sources.
func (s *Store) DueSources(ctx context.Context, now time.Time, limit int) (out []hook.Source, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, dueSources, []any{now, limit}, func(r *row) error {
			s, err := scanSource(r)
			out = append(out, s.Source)
			return err
		})
	})
	return out, err
}
