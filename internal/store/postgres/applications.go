package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// storedApplication is an application with its row key.
type storedApplication struct {
	hook.Application
	seq int64
}

const (
	applicationColumns     = `seq, id, env, uid, name, throttle, metadata, created, updated, source`
	applicationColumnCount = 10
)

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

// forUpdate is the end of a SELECT of a row that others must not change before the
// transaction ends.
const forUpdate = ` FOR UPDATE`

func findApplication(ctx context.Context, c *conn, env hook.ID, ref hook.Ref) (storedApplication, error) {
	return oneApplication(ctx, c, env, ref, "")
}

// lockApplication is findApplication for who changes the application or an endpoint
// of it. Others who do so wait until the transaction ends; whoever changes
// endpoints locks the application before them.
func lockApplication(ctx context.Context, c *conn, env hook.ID, ref hook.Ref) (storedApplication, error) {
	return oneApplication(ctx, c, env, ref, forUpdate)
}

func oneApplication(ctx context.Context, c *conn, env hook.ID, ref hook.Ref, locking string) (a storedApplication, err error) {
	q, key := `SELECT `+applicationColumns+` FROM applications WHERE env = $1 AND id = $2 AND deleted IS NULL`, any(ref.ID)
	if ref.UID != "" {
		q, key = `SELECT `+applicationColumns+` FROM applications WHERE env = $1 AND uid = $2 AND deleted IS NULL`, ref.UID
	}
	found, err := c.one(ctx, q+locking, []any{env, key}, func(r *row) (err error) {
		a, err = scanApplication(r)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("application")
	}
	return a, err
}

// lockCustomer is lockApplication for who changes or deletes the application itself,
// which must not be the owner of what a source has.
func lockCustomer(ctx context.Context, c *conn, env hook.ID, ref hook.Ref) (storedApplication, error) {
	a, err := lockApplication(ctx, c, env, ref)
	if err == nil && a.Source {
		err = hook.NotFound("application")
	}
	return a, err
}

// applicationTaken turns a violated uniqueness into what the caller may know.
func applicationTaken(err error) error {
	if isUnique(err, "applications_uid") || isUnique(err, "applications_id") {
		return &hook.Error{Code: hook.CodeConflict, Detail: "An application with this uid exists already."}
	}
	return err
}

// CreateApplication implements store.Applications.
func (s *Store) CreateApplication(ctx context.Context, a *hook.Application, key *hook.IdempotencyKey) (hook.Application, bool, error) {
	var out storedApplication
	var repeated bool
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		id, again, err := once(ctx, c, a.Env, key, a.ID, a.CreatedAt)
		if err != nil {
			return err
		}
		if repeated = again; !repeated {
			if _, err := c.exec(ctx, `INSERT INTO applications (id, env, uid, name, throttle, metadata, created, updated)
			  VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`, a.ID, a.Env, nullText(a.UID), a.Name, a.ThrottleRate, mapJSON(a.Metadata),
				a.CreatedAt, a.UpdatedAt); err != nil {
				return applicationTaken(err)
			}
		}
		out, err = findApplication(ctx, c, a.Env, hook.Ref{ID: id})
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

var listApplications = newListQuery(`SELECT ` + applicationColumns + ` FROM applications
  WHERE env = $1 AND deleted IS NULL AND NOT source AND id >= $2 AND id < $3 ORDER BY id {dir} LIMIT $4`)

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

// UpdateApplication implements store.Applications. Of what it changes a send reads
// only the throttle rate, so only that is told to other nodes.
func (s *Store) UpdateApplication(ctx context.Context, env hook.ID, ref hook.Ref, change func(*hook.Application) error) (hook.Application, error) {
	var out storedApplication
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		before, err := lockCustomer(ctx, c, env, ref)
		if err != nil {
			return err
		}
		a := before
		if err := change(&a.Application); err != nil {
			return err
		}
		if _, err := c.exec(ctx, `UPDATE applications SET uid = $1, name = $2, throttle = $3, metadata = $4, updated = $5,
		    version = version + 1 WHERE seq = $6`,
			nullText(a.UID), a.Name, a.ThrottleRate, mapJSON(a.Metadata), a.UpdatedAt, a.seq); err != nil {
			return applicationTaken(err)
		}
		if a.ThrottleRate != before.ThrottleRate {
			if err := tellAllChanged(ctx, c, a.seq); err != nil {
				return err
			}
		}
		out, err = findApplication(ctx, c, env, hook.Ref{ID: before.ID})
		return err
	})
	return out.Application, err
}

// DeleteApplication implements store.Applications.
func (s *Store) DeleteApplication(ctx context.Context, env hook.ID, ref hook.Ref, now time.Time) ([]hook.ID, error) {
	var out []hook.ID
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		a, err := lockCustomer(ctx, c, env, ref)
		if err != nil {
			return err
		}
		out, err = deleteOwner(ctx, c, env, a.ID, a.seq, now)
		return err
	})
	return out, err
}

// deleteOwner marks an application, which is locked, deleted with its endpoints,
// whose ids it gives, and ends its tokens.
func deleteOwner(ctx context.Context, c *conn, env, id hook.ID, seq int64, now time.Time) ([]hook.ID, error) {
	out, err := deleteEndpoints(ctx, c, seq, now)
	if err != nil {
		return nil, err
	}
	if err := expireAppKeys(ctx, c, env, id, nil, now); err != nil {
		return nil, err
	}
	_, err = c.exec(ctx, `UPDATE applications SET deleted = $1 WHERE seq = $2`, now, seq)
	return out, err
}

// deleteEndpoints marks all endpoints of an application deleted and gives their
// ids, in order.
func deleteEndpoints(ctx context.Context, c *conn, app int64, now time.Time) ([]hook.ID, error) {
	var ids []hook.ID
	var seqs []int64
	err := c.query(ctx, `SELECT seq, id FROM endpoints WHERE app = $1 AND deleted IS NULL`, []any{app}, func(r *row) error {
		seqs, ids = append(seqs, r.int(0)), append(ids, r.id(1))
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(ids, compareIDs)
	return ids, markDeleted(ctx, c, app, now, seqs...)
}
