package postgres

import "github.com/grapnelhq/grapnel/internal/hook"

// dumpedPeople are the kinds behind all others. Sessions and tickets are left behind:
// who restores a backup signs in again.
var dumpedPeople = []dumpedTable{
	{`SELECT ` + memberColumns + `, m.id FROM members m WHERE m.id > $1 ORDER BY m.id LIMIT $2`, []any{hook.ID{}}, dumpMember},
	{`SELECT ` + passkeyColumns + `, id FROM passkeys WHERE id > $1 ORDER BY id LIMIT $2`, []any{hook.ID{}}, dumpPasskey},
	{`SELECT ` + auditColumns + `, id FROM audits WHERE id > $1 ORDER BY id LIMIT $2`, []any{hook.ID{}}, dumpAudit},
}

func dumpMember(_ *dumper, r *row) (hook.Record, error) {
	m, err := scanMember(r)
	rec := hook.MemberRecord(m)
	return &rec, err
}

func dumpPasskey(_ *dumper, r *row) (hook.Record, error) {
	rec := hook.PasskeyRecord(scanPasskey(r))
	return &rec, nil
}

func dumpAudit(_ *dumper, r *row) (hook.Record, error) {
	e, err := scanAudit(r)
	rec := hook.AuditRecord(e)
	return &rec, err
}

// person gives the columns of a record of those kinds; nil: it is of another.
func (l *loader) person(rec hook.Record) ([]any, error) {
	switch r := rec.(type) {
	case *hook.MemberRecord:
		l.members[r.ID] = true
		return []any{r.ID, r.Email, r.Name, int16(r.Role), r.MayReadPayloads, nullText(r.Password), nullText(r.Subject), r.CreatedAt, r.UpdatedAt, r.SeenAt}, nil
	case *hook.PasskeyRecord:
		return []any{r.ID, r.Member, r.Credential, r.Name, r.Data, r.CreatedAt, r.UsedAt}, dangling(l.members[r.Member])
	case *hook.AuditRecord:
		return []any{r.ID, nullID(r.Env), int16(r.Actor), nullID(r.ActorID), r.Name, r.Action, r.Target, addressText(r.Address)}, nil
	}
	return nil, nil
}
