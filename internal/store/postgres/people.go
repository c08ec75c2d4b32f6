package postgres

import (
	"context"
	"net/netip"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const memberColumns = `m.id, m.email, m.name, m.role, m.payloads, m.password, m.subject, m.created, m.updated, m.seen`

func scanMember(r *row) (hook.Member, error) {
	return hook.Member{
		ID: r.id(0), Email: r.text(1), Name: r.text(2), Role: hook.Role(r.int(3)), MayReadPayloads: r.bool(4),
		Password: r.text(5), Subject: r.text(6), CreatedAt: r.time(7), UpdatedAt: r.time(8), SeenAt: r.time(9),
	}, nil
}

// CreateMember implements store.People.
func (s *Store) CreateMember(ctx context.Context, m *hook.Member, first bool) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		if first {
			if err := lockMembers(ctx, c); err != nil {
				return err
			}
			found, err := c.one(ctx, `SELECT 1 FROM members LIMIT 1`, nil, func(*row) error { return nil })
			if err == nil && found {
				err = &hook.Error{Code: hook.CodeConflict, Detail: "There is a member already."}
			}
			if err != nil {
				return err
			}
		}
		_, err := c.exec(ctx, `INSERT INTO members (id, email, name, role, payloads, password, subject, created, updated, seen)
		  VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`,
			m.ID, m.Email, m.Name, int(m.Role), m.MayReadPayloads, nullText(m.Password), nullText(m.Subject), m.CreatedAt, m.UpdatedAt, m.SeenAt)
		return memberTaken(err)
	})
}

// lockMembers lets one transaction at a time decide by what there is of members:
// whether there are any, and whether there is another owner.
func lockMembers(ctx context.Context, c *conn) error {
	_, err := c.exec(ctx, `LOCK TABLE members IN SHARE ROW EXCLUSIVE MODE`)
	return err
}

// holdMember makes sure that a member exists and stays until the transaction ends.
func holdMember(ctx context.Context, c *conn, member hook.ID) error {
	found, err := c.one(ctx, `SELECT 1 FROM members WHERE id = $1 FOR KEY SHARE`, []any{member}, func(*row) error { return nil })
	if err == nil && !found {
		err = hook.NotFound("member")
	}
	return err
}

func memberTaken(err error) error {
	switch {
	case isUnique(err, "members_email_key"):
		return &hook.Error{Code: hook.CodeConflict, Detail: "There is a member with this e-mail address already."}
	case isUnique(err, "members_subject_key"):
		return &hook.Error{Code: hook.CodeConflict, Detail: "Another member is this person at the sign-in provider."}
	}
	return err
}

// FindMember implements store.People.
func (s *Store) FindMember(ctx context.Context, member hook.ID) (hook.Member, error) {
	return s.findMember(ctx, `SELECT `+memberColumns+` FROM members m WHERE m.id = $1`, member)
}

// FindMemberByEmail implements store.People.
func (s *Store) FindMemberByEmail(ctx context.Context, email string) (hook.Member, error) {
	return s.findMember(ctx, `SELECT `+memberColumns+` FROM members m WHERE m.email = $1`, email)
}

// FindMemberBySubject implements store.People.
func (s *Store) FindMemberBySubject(ctx context.Context, subject string) (hook.Member, error) {
	return s.findMember(ctx, `SELECT `+memberColumns+` FROM members m WHERE m.subject = $1`, subject)
}

func (s *Store) findMember(ctx context.Context, query string, arg any) (m hook.Member, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		m, err = oneMember(ctx, c, query, arg)
		return err
	})
	return m, err
}

func oneMember(ctx context.Context, c *conn, query string, arg any) (m hook.Member, err error) {
	found, err := c.one(ctx, query, []any{arg}, func(r *row) (err error) {
		m, err = scanMember(r)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("member")
	}
	return m, err
}

var listMembers = newListQuery(`SELECT ` + memberColumns + ` FROM members m WHERE m.id >= $1 AND m.id < $2 ORDER BY m.id {dir} LIMIT $3`)

// ListMembers implements store.People.
func (s *Store) ListMembers(ctx context.Context, p hook.Page) (out hook.PageOf[hook.Member], err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(p, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listMembers, p, []any{from, to}, scanMember)
		return err
	})
	return out, err
}

// UpdateMember implements store.People.
func (s *Store) UpdateMember(ctx context.Context, member hook.ID, change func(*hook.Member) error) (hook.Member, error) {
	var out hook.Member
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		if err := lockMembers(ctx, c); err != nil {
			return err
		}
		m, err := oneMember(ctx, c, `SELECT `+memberColumns+` FROM members m WHERE m.id = $1`, member)
		if err != nil {
			return err
		}
		was := m.Role
		if err := change(&m); err != nil {
			return err
		}
		if was == hook.RoleOwner && m.Role != hook.RoleOwner {
			if err := otherOwner(ctx, c, member); err != nil {
				return err
			}
		}
		out = m
		_, err = c.exec(ctx, `UPDATE members SET email = $1, name = $2, role = $3, payloads = $4, password = $5, subject = $6, updated = $7, seen = $8 WHERE id = $9`,
			m.Email, m.Name, int(m.Role), m.MayReadPayloads, nullText(m.Password), nullText(m.Subject), m.UpdatedAt, m.SeenAt, member)
		return memberTaken(err)
	})
	return out, err
}

// otherOwner makes sure that there is an owner beside this member.
func otherOwner(ctx context.Context, c *conn, member hook.ID) error {
	found, err := c.one(ctx, `SELECT 1 FROM members WHERE role = $1 AND id <> $2 LIMIT 1`,
		[]any{int(hook.RoleOwner), member}, func(*row) error { return nil })
	if err == nil && !found {
		err = &hook.Error{Code: hook.CodeConflict, Detail: "This is the only owner.", Hint: "Make another member an owner first."}
	}
	return err
}

// DeleteMember implements store.People.
func (s *Store) DeleteMember(ctx context.Context, member hook.ID, check func(*hook.Member) error) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		if err := lockMembers(ctx, c); err != nil {
			return err
		}
		m, err := oneMember(ctx, c, `SELECT `+memberColumns+` FROM members m WHERE m.id = $1`, member)
		if err == nil {
			err = check(&m)
		}
		if err == nil && m.Role == hook.RoleOwner {
			err = otherOwner(ctx, c, member)
		}
		if err != nil {
			return err
		}
		for _, query := range []string{
			`DELETE FROM sessions WHERE member = $1`, `DELETE FROM tickets WHERE member = $1`,
			`DELETE FROM passkeys WHERE member = $1`, `DELETE FROM members WHERE id = $1`,
		} {
			if _, err := c.exec(ctx, query, member); err != nil {
				return err
			}
		}
		return nil
	})
}

const sessionColumns = `s.id, s.member, s.hash, s.method, s.agent, s.address, s.created, s.used`

func scanSession(r *row) hook.Session {
	s := hook.Session{
		ID: r.id(0), Member: r.id(1), Method: hook.SignInMethod(r.int(3)), Agent: r.text(4), Address: addressFrom(r.text(5)),
		CreatedAt: r.time(6), UsedAt: r.time(7),
	}
	copy(s.Hash[:], r.blob(2))
	return s
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func addressFrom(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// CreateSession implements store.People.
func (s *Store) CreateSession(ctx context.Context, n *hook.Session) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		if err := holdMember(ctx, c, n.Member); err != nil {
			return err
		}
		_, err := c.exec(ctx, `INSERT INTO sessions (id, member, hash, method, agent, address, created, used) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
			n.ID, n.Member, n.Hash[:], int(n.Method), n.Agent, addressText(n.Address), n.CreatedAt, n.UsedAt)
		return err
	})
}

// FindSession implements store.People.
func (s *Store) FindSession(ctx context.Context, hash [32]byte) (session hook.Session, member hook.Member, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := c.one(ctx, `SELECT `+sessionColumns+`, `+memberColumns+` FROM sessions s JOIN members m ON m.id = s.member WHERE s.hash = $1`,
			[]any{hash[:]}, func(r *row) (err error) {
				session = scanSession(r)
				member, err = scanMember(r.from(8))
				return err
			})
		if err == nil && !found {
			err = hook.NotFound("session")
		}
		return err
	})
	return session, member, err
}

// ListSessions implements store.People.
func (s *Store) ListSessions(ctx context.Context, member hook.ID, limit int) (out []hook.Session, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT `+sessionColumns+` FROM sessions s WHERE s.member = $1 ORDER BY s.id DESC LIMIT $2`, []any{member, limit}, func(r *row) error {
			out = append(out, scanSession(r))
			return nil
		})
	})
	return out, err
}

// EndSession implements store.People.
func (s *Store) EndSession(ctx context.Context, member, session hook.ID) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		n, err := c.exec(ctx, `DELETE FROM sessions WHERE id = $1 AND member = $2`, session, member)
		if err == nil && n == 0 {
			err = hook.NotFound("session")
		}
		return err
	})
}

// EndSessions implements store.People.
func (s *Store) EndSessions(ctx context.Context, member, except hook.ID) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, `DELETE FROM sessions WHERE member = $1 AND id <> $2`, member, except)
		return err
	})
}

// TouchSessions implements store.People. The rows are locked in one order, because
// several nodes may tell of the same sessions.
func (s *Store) TouchSessions(ctx context.Context, uses []hook.SessionUse) error {
	if len(uses) == 0 {
		return nil
	}
	ids, times := make([][]byte, len(uses)), make([]int64, len(uses))
	for i, u := range uses {
		ids[i], times[i] = u.Session[:], u.At.UnixMicro()
	}
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		if _, err := c.exec(ctx, `WITH told AS (SELECT id, max(at) AS at FROM unnest($1::bytea[], $2::bigint[]) AS u (id, at) GROUP BY id), known AS (
		    SELECT s.id, told.at FROM told JOIN sessions s ON s.id = told.id ORDER BY s.id FOR UPDATE OF s)
		  UPDATE sessions s SET used = greatest(s.used, known.at) FROM known WHERE s.id = known.id`, ids, times); err != nil {
			return err
		}
		_, err := c.exec(ctx, `WITH told AS (
		    SELECT s.member AS id, max(u.at) AS at FROM unnest($1::bytea[], $2::bigint[]) AS u (id, at) JOIN sessions s ON s.id = u.id GROUP BY s.member), known AS (
		    SELECT m.id, told.at FROM told JOIN members m ON m.id = told.id ORDER BY m.id FOR NO KEY UPDATE OF m)
		  UPDATE members m SET seen = greatest(m.seen, known.at) FROM known WHERE m.id = known.id`, ids, times)
		return err
	})
}
