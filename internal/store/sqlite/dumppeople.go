package sqlite

import "github.com/grapnelhq/grapnel/internal/hook"

// dumpedPeople are the kinds behind all others. Sessions and tickets are left behind:
// who restores a backup signs in again.
var dumpedPeople = []dumpedTable{
	{`SELECT ` + memberColumns + ` FROM members m ORDER BY m.seq`, dumpMember},
	{`SELECT ` + passkeyColumns + ` FROM passkeys ORDER BY seq`, dumpPasskey},
	{`SELECT ` + auditColumns + ` FROM audits ORDER BY id`, dumpAudit},
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

// loadPerson puts a record of those kinds in; false: it is of another.
func loadPerson(c *conn, rec hook.Record) (bool, error) {
	var err error
	switch r := rec.(type) {
	case *hook.MemberRecord:
		_, err = c.exec(`INSERT INTO members (id, email, name, role, payloads, password, subject, created, updated, seen) VALUES (?,?,?,?,?,?,?,?,?,?)`,
			r.ID, r.Email, r.Name, int(r.Role), r.MayReadPayloads, nullText(r.Password), nullText(r.Subject), r.CreatedAt, r.UpdatedAt, r.SeenAt)
	case *hook.PasskeyRecord:
		var n int64
		n, err = c.exec(`INSERT INTO passkeys (`+passkeyColumns+`) SELECT ?1,id,?3,?4,?5,?6,?7 FROM members WHERE id = ?2`,
			r.ID, r.Member, r.Credential, r.Name, r.Data, r.CreatedAt, r.UsedAt)
		if err == nil && n == 0 {
			err = errDangling
		}
	case *hook.AuditRecord:
		_, err = c.exec(`INSERT INTO audits (`+auditColumns+`) VALUES (?,?,?,?,?,?,?,?)`,
			r.ID, nullID(r.Env), int(r.Actor), nullID(r.ActorID), r.Name, r.Action, r.Target, addressText(r.Address))
	default:
		return false, nil
	}
	return true, err
}
