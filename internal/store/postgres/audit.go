package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const auditColumns = `id, env, actor, actor_id, name, action, target, address`

func scanAudit(r *row) (hook.AuditEntry, error) {
	return hook.AuditEntry{
		ID: r.id(0), Env: r.id(1), Actor: hook.ActorKind(r.int(2)), ActorID: r.id(3), Name: r.text(4),
		Action: r.text(5), Target: r.text(6), Address: addressFrom(r.text(7)),
	}, nil
}

// WriteAudit implements store.Audits.
func (s *Store) WriteAudit(ctx context.Context, e *hook.AuditEntry) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, `INSERT INTO audits (`+auditColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
			e.ID, nullID(e.Env), int(e.Actor), nullID(e.ActorID), e.Name, e.Action, e.Target, addressText(e.Address))
		return err
	})
}

var (
	listAudits = newListQuery(`SELECT ` + auditColumns + ` FROM audits WHERE id >= $1 AND id < $2 ORDER BY id {dir} LIMIT $3`)

	listAuditsOfOne = newListQuery(`SELECT ` + auditColumns + ` FROM audits
  WHERE env = $1 AND id >= $2 AND id < $3 ORDER BY id {dir} LIMIT $4`)
)

// ListAudits implements store.Audits.
func (s *Store) ListAudits(ctx context.Context, f hook.AuditFilter) (out hook.PageOf[hook.AuditEntry], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(f.Page, f.After, f.Before)
		if f.Env.IsZero() {
			out, err = fetch(ctx, c, listAudits, f.Page, []any{from, to}, scanAudit)
		} else {
			out, err = fetch(ctx, c, listAuditsOfOne, f.Page, []any{f.Env, from, to}, scanAudit)
		}
		return err
	})
	return out, err
}

// endedPeople removes sessions, tickets and audit entries that have ended.
func (s *slice) endedPeople(ctx context.Context) (hook.Expired, error) {
	return s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		for _, step := range []struct {
			query string
			limit any
		}{
			{`DELETE FROM sessions WHERE ctid = ANY (ARRAY(SELECT ctid FROM sessions WHERE used <= $1 ORDER BY used LIMIT $2))`, s.now.Add(-hook.SessionIdle)},
			{`DELETE FROM sessions WHERE ctid = ANY (ARRAY(SELECT ctid FROM sessions WHERE created <= $1 ORDER BY created LIMIT $2))`, s.now.Add(-hook.SessionLife)},
			{`DELETE FROM tickets WHERE ctid = ANY (ARRAY(SELECT ctid FROM tickets WHERE expires <= $1 ORDER BY expires LIMIT $2))`, s.now},
			{`DELETE FROM audits WHERE ctid = ANY (ARRAY(SELECT ctid FROM audits WHERE id < $1 ORDER BY id LIMIT $2))`, hook.IDAt(s.now.Add(-hook.AuditLife))},
		} {
			n, err := c.exec(ctx, step.query, step.limit, sliceRows)
			if err != nil {
				return out, err
			}
			out.More = out.More || n == sliceRows
		}
		return out, nil
	})
}
