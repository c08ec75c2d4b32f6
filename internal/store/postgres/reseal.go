package postgres

import (
	"bytes"
	"context"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Reseal implements store.Mover. The versions of the applications are counted up, so
// that no node goes on with the sealed bytes of before.
func (s *Store) Reseal(ctx context.Context, after hook.ID, limit int, change func(*hook.Endpoint) error) (last hook.ID, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) (err error) {
		last, err = reseal(ctx, c, after, limit, change)
		return err
	})
	return last, err
}

func reseal(ctx context.Context, c *conn, after hook.ID, limit int, change func(*hook.Endpoint) error) (last hook.ID, err error) {
	page, apps, err := lockPage(ctx, c, after, limit)
	if err != nil {
		return last, err
	}
	var ends, changed []int64
	var headers [][]byte
	var secrets []string
	for i := range page {
		e := &page[i]
		before := e.Endpoint
		e.Secrets = slices.Clone(e.Secrets)
		if err := change(&e.Endpoint); err != nil {
			return last, err
		}
		if sameSealed(&before, &e.Endpoint) {
			continue
		}
		column, err := secretsColumn(e.Secrets)
		if err != nil {
			return last, err
		}
		ends, headers, secrets = append(ends, e.seq), append(headers, e.SealedHeaders), append(secrets, column)
		changed = append(changed, apps[e.App])
	}
	if err := storeSealed(ctx, c, ends, headers, secrets, changed); err != nil {
		return last, err
	}
	if len(page) == limit {
		last = page[limit-1].ID
	}
	return last, nil
}

// lockPage reads endpoints, deleted ones too, and locks them, their applications
// first. It gives the row keys of these.
func lockPage(ctx context.Context, c *conn, after hook.ID, limit int) (page []storedEndpoint, apps map[hook.ID]int64, err error) {
	var seqs []int64
	if err := c.query(ctx, `SELECT app FROM endpoints WHERE id > $1 ORDER BY id LIMIT $2`, []any{after, limit}, func(r *row) error {
		seqs = append(seqs, r.int(0))
		return nil
	}); err != nil {
		return nil, nil, err
	}
	type app struct{ id, env hook.ID }
	bySeq := map[int64]app{}
	apps = map[hook.ID]int64{}
	if err := c.query(ctx, `SELECT seq, id, env FROM applications WHERE seq = ANY ($1::bigint[]) ORDER BY seq`+forUpdate, []any{distinct(seqs)},
		func(r *row) error {
			bySeq[r.int(0)] = app{r.id(1), r.id(2)}
			apps[r.id(1)] = r.int(0)
			return nil
		}); err != nil {
		return nil, nil, err
	}
	err = c.query(ctx, `SELECT `+endpointColumns+`, e.app FROM endpoints e WHERE e.id > $1 ORDER BY e.id LIMIT $2`+forUpdate, []any{after, limit},
		func(r *row) error {
			e, err := scanEndpoint(r)
			a, locked := bySeq[r.int(endpointColumnCount)]
			if !locked { // one made since, of another application
				return errChanged
			}
			e.App, e.Env = a.id, a.env
			page = append(page, storedEndpoint{Endpoint: e, seq: r.int(0)})
			return err
		})
	return page, apps, err
}

func sameSealed(a, b *hook.Endpoint) bool {
	return bytes.Equal(a.SealedHeaders, b.SealedHeaders) && slices.EqualFunc(a.Secrets, b.Secrets, func(a, b hook.SealedSecret) bool {
		return bytes.Equal(a.Sealed, b.Sealed) && a.ExpiresAt.Equal(b.ExpiresAt)
	})
}

// storeSealed writes the sealed parts of endpoints, and counts the versions of
// their applications up.
func storeSealed(ctx context.Context, c *conn, ends []int64, headers [][]byte, secrets []string, apps []int64) error {
	if len(ends) == 0 {
		return nil
	}
	if _, err := c.exec(ctx, `UPDATE endpoints e SET headers = g.headers, secrets = g.secrets
	  FROM unnest($1::bigint[], $2::bytea[], $3::text[]) AS g(seq, headers, secrets) WHERE e.seq = g.seq`, ends, headers, secrets); err != nil {
		return err
	}
	_, err := c.exec(ctx, `UPDATE applications SET version = version + 1 WHERE seq = ANY ($1::bigint[])`, apps)
	return err
}

// ResealSources implements store.Mover.
func (s *Store) ResealSources(ctx context.Context, after hook.ID, limit int, change func(*hook.Source) error) (last hook.ID, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) (err error) {
		last, err = resealSources(ctx, c, after, limit, change)
		return err
	})
	return last, err
}

// resealSources locks the owners of the sources, as every change of a source does.
func resealSources(ctx context.Context, c *conn, after hook.ID, limit int, change func(*hook.Source) error) (last hook.ID, err error) {
	locked := map[int64]bool{}
	if err := c.query(ctx, `SELECT seq FROM applications WHERE seq IN (SELECT app FROM sources WHERE id > $1 ORDER BY id LIMIT $2)
	  ORDER BY seq`+forUpdate, []any{after, limit}, func(r *row) error {
		locked[r.int(0)] = true
		return nil
	}); err != nil {
		return last, err
	}
	var apps []int64
	var secrets, tokens []string
	if err := c.query(ctx, `SELECT `+sourceColumns+` FROM sources s WHERE s.id > $1 ORDER BY s.id LIMIT $2`, []any{after, limit}, func(r *row) error {
		s, err := scanSource(r)
		if err != nil {
			return err
		}
		if !locked[s.app] { // one made since
			return errChanged
		}
		if err := change(&s.Source); err != nil {
			return err
		}
		parts, err := jsonColumns(&s.Settings, s.Secrets, tokenRecords(s.Tokens))
		apps, secrets, tokens, last = append(apps, s.app), append(secrets, parts[1]), append(tokens, parts[2]), s.ID
		return err
	}); err != nil {
		return hook.ID{}, err
	}
	if len(apps) < limit {
		last = hook.ID{}
	}
	_, err = c.exec(ctx, `UPDATE sources s SET secrets = g.secrets, tokens = g.tokens
	  FROM unnest($1::bigint[], $2::text[], $3::text[]) AS g(app, secrets, tokens) WHERE s.app = g.app`, apps, secrets, tokens)
	return last, err
}
