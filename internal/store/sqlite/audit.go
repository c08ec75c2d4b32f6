package sqlite

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
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(`INSERT INTO audits (`+auditColumns+`) VALUES (?,?,?,?,?,?,?,?)`,
			e.ID, nullID(e.Env), int(e.Actor), nullID(e.ActorID), e.Name, e.Action, e.Target, addressText(e.Address))
		return err
	})
}

var (
	listAudits = newListQuery(`SELECT ` + auditColumns + ` FROM audits WHERE id >= ? AND id < ? ORDER BY id {dir} LIMIT ?`)

	listAuditsOfOne = newListQuery(`SELECT ` + auditColumns + ` FROM audits INDEXED BY audits_env
  WHERE env = ? AND env IS NOT NULL AND id >= ? AND id < ? ORDER BY id {dir} LIMIT ?`)
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
func (s *slice) endedPeople() (more bool, err error) {
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM sessions WHERE seq IN (SELECT seq FROM sessions WHERE used <= ? ORDER BY used LIMIT ?)`, []any{s.now.Add(-hook.SessionIdle)}},
		{`DELETE FROM sessions WHERE seq IN (SELECT seq FROM sessions WHERE created <= ? ORDER BY created LIMIT ?)`, []any{s.now.Add(-hook.SessionLife)}},
		{`DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets WHERE expires <= ? ORDER BY expires LIMIT ?)`, []any{s.now}},
		{`DELETE FROM audits WHERE id IN (SELECT id FROM audits WHERE id < ? ORDER BY id LIMIT ?)`, []any{hook.IDAt(s.now.Add(-hook.AuditLife))}},
	} {
		n, err := s.exec(step.query, append(step.args, lookRows)...)
		if err != nil {
			return false, err
		}
		more = more || n == lookRows
	}
	return more, nil
}
