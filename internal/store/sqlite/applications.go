package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// storedApplication is an application with its row key.
type storedApplication struct {
	hook.Application
	seq int64
}

const applicationColumns = `seq, id, env, uid, name, throttle, metadata, created, updated, source`

func scanApplication(r *row) (storedApplication, error) {
	a := storedApplication{seq: r.int(0), Application: hook.Application{
		ID: r.id(1), Env: r.id(2), UID: r.text(3), Name: r.text(4), ThrottleRate: int(r.int(5)),
		CreatedAt: r.time(7), UpdatedAt: r.time(8), Source: r.bool(9),
	}}
	if err := fromJSON(r, 6, &a.Metadata); err != nil {
		return a, fmt.Errorf("application %s: %w", hook.KindApplication.Format(a.ID), err)
	}
	return a, nil
}

// findApplication finds the owner of a source too, by its id.
func findApplication(ctx context.Context, c *conn, env hook.ID, ref hook.Ref) (a storedApplication, err error) {
	q, key := `SELECT `+applicationColumns+` FROM applications WHERE env = ? AND id = ? AND deleted IS NULL`, any(ref.ID)
	if ref.UID != "" {
		q, key = `SELECT `+applicationColumns+` FROM applications WHERE env = ? AND uid = ? AND deleted IS NULL`, ref.UID
	}
	found, err := c.one(ctx, q, []any{env, key}, func(r *row) (err error) {
		a, err = scanApplication(r)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("application")
	}
	return a, err
}

// findCustomer is findApplication without the owners of sources.
func findCustomer(ctx context.Context, c *conn, env hook.ID, ref hook.Ref) (storedApplication, error) {
	a, err := findApplication(ctx, c, env, ref)
	if err == nil && a.Source {
		return storedApplication{}, hook.NotFound("application")
	}
	return a, err
}

// applicationTaken turns a violated uniqueness into what the caller may know.
func applicationTaken(err error) error {
	if isUnique(err, "applications.") {
		return &hook.Error{Code: hook.CodeConflict, Detail: "An application with this uid exists already."}
	}
	return err
}

// CreateApplication implements store.Applications.
func (s *Store) CreateApplication(ctx context.Context, a *hook.Application, once *hook.IdempotencyKey) (hook.Application, bool, error) {
	var out storedApplication
	var repeated bool
	err := s.writeWith(ctx, func(w *writer) error {
		id, again, err := w.once(a.Env, once, a.ID, a.CreatedAt)
		if err != nil {
			return err
		}
		if repeated = again; !repeated {
			if _, err := w.conn.exec(`INSERT INTO applications (id, env, uid, name, throttle, metadata, created, updated)
			  VALUES (?,?,?,?,?,?,?,?)`, a.ID, a.Env, nullText(a.UID), a.Name, a.ThrottleRate, toJSON(a.Metadata),
				a.CreatedAt, a.UpdatedAt); err != nil {
				return applicationTaken(err)
			}
		}
		out, err = findApplication(ctx, w.conn, a.Env, hook.Ref{ID: id})
		return err
	})
	return out.Application, repeated, err
}

// FindApplication implements store.Applications.
func (s *Store) FindApplication(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Application, error) {
	var out storedApplication
	err := s.read(ctx, func(ctx context.Context, c *conn) (err error) {
		out, err = findApplication(ctx, c, env, ref)
		return err
	})
	return out.Application, err
}

var listApplications = newListQuery(`SELECT ` + applicationColumns + ` FROM applications INDEXED BY applications_env
  WHERE env = ? AND deleted IS NULL AND source = 0 AND id >= ? AND id < ? ORDER BY id {dir} LIMIT ?`)

// ListApplications implements store.Applications.
func (s *Store) ListApplications(ctx context.Context, env hook.ID, p hook.Page) (out hook.PageOf[hook.Application], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(p, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listApplications, p, []any{env, from, to}, func(r *row) (hook.Application, error) {
			a, err := scanApplication(r)
			return a.Application, err
		})
		return err
	})
	return out, err
}

// UpdateApplication implements store.Applications.
func (s *Store) UpdateApplication(ctx context.Context, env hook.ID, ref hook.Ref, change func(*hook.Application) error) (hook.Application, error) {
	var out storedApplication
	err := s.writeWith(ctx, func(w *writer) error {
		a, err := findCustomer(ctx, w.conn, env, ref)
		if err != nil {
			return err
		}
		if err := change(&a.Application); err != nil {
			return err
		}
		if _, err := w.conn.exec(`UPDATE applications SET uid = ?, name = ?, throttle = ?, metadata = ?, updated = ? WHERE seq = ?`,
			nullText(a.UID), a.Name, a.ThrottleRate, toJSON(a.Metadata), a.UpdatedAt, a.seq); err != nil {
			return applicationTaken(err)
		}
		w.cache.forget(a.ID)
		out, err = findApplication(ctx, w.conn, env, hook.Ref{ID: a.ID})
		return err
	})
	return out.Application, err
}

// DeleteApplication implements store.Applications.
func (s *Store) DeleteApplication(ctx context.Context, env hook.ID, ref hook.Ref, now time.Time) ([]hook.ID, error) {
	var out []hook.ID
	err := s.writeWith(ctx, func(w *writer) error {
		a, err := findCustomer(ctx, w.conn, env, ref)
		if err != nil {
			return err
		}
		out, err = w.deleteOwner(env, a.ID, a.seq, now)
		return err
	})
	return out, err
}

// deleteOwner deletes the row of an application, or of the owner of a source, with
// its endpoints, whose ids it gives, and ends its tokens.
func (w *writer) deleteOwner(env, id hook.ID, seq int64, now time.Time) (endpoints []hook.ID, err error) {
	cached, err := w.app(env, id)
	if err != nil {
		return nil, err
	}
	for _, e := range cached.endpoints {
		if err := w.deleteEndpoint(e.seq, now); err != nil {
			return nil, err
		}
		endpoints = append(endpoints, e.endpoint.ID)
	}
	w.cache.forget(id)
	if err := expireAppKeys(w.conn, env, id, nil, now); err != nil {
		return nil, err
	}
	_, err = w.conn.exec(`UPDATE applications SET deleted = ? WHERE seq = ?`, now, seq)
	return endpoints, err
}

var listApplicationsOf = newListQuery(`SELECT seq, id, env, uid, name, throttle, metadata, created, updated, source,
    (SELECT count(*) FROM endpoints e INDEXED BY endpoints_app WHERE e.app = a.seq AND e.deleted IS NULL),
    (SELECT count(*) FROM endpoints e INDEXED BY endpoints_app WHERE e.app = a.seq AND e.deleted IS NULL AND e.failing_since IS NOT NULL),
    (SELECT count(*) FROM endpoints e INDEXED BY endpoints_app WHERE e.app = a.seq AND e.deleted IS NULL AND e.disabled <> 0)
  FROM applications a INDEXED BY applications_env
  WHERE env = ?1 AND id >= ?2 AND id < ?3 AND deleted IS NULL AND source = 0
    AND (?4 IS NULL OR instr(lower(name), ?4) OR instr(lower(coalesce(uid, '')), ?4)) ORDER BY id {dir} LIMIT ?5`)

// ListApplicationsWithCounts implements store.Recent.
func (s *Store) ListApplicationsWithCounts(ctx context.Context, f hook.ApplicationFilter) (out hook.PageOf[hook.ApplicationOf], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(f.Page, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listApplicationsOf, f.Page, []any{f.Env, from, to, nullText(lower(f.Contains))},
			func(r *row) (hook.ApplicationOf, error) {
				a, err := scanApplication(r)
				return hook.ApplicationOf{Application: a.Application,
					Endpoints: int(r.int(10)), Failing: int(r.int(11)), Disabled: int(r.int(12))}, err
			})
		return err
	})
	return out, err
}
