package sqlite

import (
	"bytes"
	"context"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Reseal implements store.Mover.
func (s *Store) Reseal(ctx context.Context, after hook.ID, limit int, change func(*hook.Endpoint) error) (last hook.ID, err error) {
	err = s.writeWith(ctx, func(w *writer) error {
		var page []storedEndpoint
		if err := w.conn.query(ctx, `SELECT `+endpointColumns+`, a.id, a.env FROM endpoints e CROSS JOIN applications a ON a.seq = e.app
		  WHERE e.id > ? ORDER BY e.id LIMIT ?`, []any{after, limit}, func(r *row) error {
			e, err := scanEndpoint(r)
			e.App, e.Env = r.id(18), r.id(19)
			page = append(page, storedEndpoint{Endpoint: e, seq: r.int(0)})
			return err
		}); err != nil {
			return err
		}
		for i := range page {
			if err := w.reseal(&page[i], change); err != nil {
				return err
			}
		}
		last = hook.ID{}
		if len(page) == limit {
			last = page[limit-1].ID
		}
		return nil
	})
	return last, err
}

// reseal stores what change makes of the sealed parts, if it makes anything.
func (w *writer) reseal(e *storedEndpoint, change func(*hook.Endpoint) error) error {
	before := e.Endpoint
	e.Secrets = slices.Clone(e.Secrets)
	if err := change(&e.Endpoint); err != nil {
		return err
	}
	same := func(a, b hook.SealedSecret) bool {
		return bytes.Equal(a.Sealed, b.Sealed) && a.ExpiresAt.Equal(b.ExpiresAt)
	}
	if bytes.Equal(before.SealedHeaders, e.SealedHeaders) && slices.EqualFunc(before.Secrets, e.Secrets, same) {
		return nil
	}
	secrets, err := secretsColumn(e.Secrets)
	if err != nil {
		return err
	}
	w.cache.forget(e.App)
	_, err = w.conn.exec(`UPDATE endpoints SET headers = ?, secrets = ? WHERE seq = ?`, e.SealedHeaders, secrets, e.seq)
	return err
}

// ResealSources implements store.Mover.
func (s *Store) ResealSources(ctx context.Context, after hook.ID, limit int, change func(*hook.Source) error) (last hook.ID, err error) {
	err = s.writeWith(ctx, func(w *writer) error {
		var page []storedSource
		if err := w.conn.query(ctx, `SELECT `+sourceColumns+` FROM sources s WHERE s.id > ? ORDER BY s.id LIMIT ?`, []any{after, limit},
			func(r *row) error {
				s, err := scanSource(r)
				page = append(page, s)
				return err
			}); err != nil {
			return err
		}
		for i := range page {
			if err := change(&page[i].Source); err != nil {
				return err
			}
			columns, err := sourceJSONOf(&page[i].Source)
			if err != nil {
				return err
			}
			if _, err := w.conn.exec(`UPDATE sources SET secrets = ?, tokens = ? WHERE seq = ?`,
				columns.secrets, columns.tokens, page[i].seq); err != nil {
				return err
			}
		}
		last = hook.ID{}
		if len(page) == limit {
			last = page[limit-1].ID
		}
		return nil
	})
	return last, err
}
