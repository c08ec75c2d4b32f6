package sqlite

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
	return s.write(ctx, func(c *conn) error {
		n, err := c.exec(`INSERT INTO members (id, email, name, role, payloads, password, subject, created, updated, seen)
		  SELECT ?,?,?,?,?,?,?,?,?,? WHERE NOT ? OR NOT EXISTS (SELECT 1 FROM members)`,
			m.ID, m.Email, m.Name, int(m.Role), m.MayReadPayloads, nullText(m.Password), nullText(m.Subject), m.CreatedAt, m.UpdatedAt, m.SeenAt, first)
		if err == nil && n == 0 {
			return &hook.Error{Code: hook.CodeConflict, Detail: "There is a member already."}
		}
		return memberTaken(err)
	})
}

func memberTaken(err error) error {
	switch {
	case isUnique(err, "members.email"):
		return &hook.Error{Code: hook.CodeConflict, Detail: "There is a member with this e-mail address already."}
	case isUnique(err, "members.subject"):
		return &hook.Error{Code: hook.CodeConflict, Detail: "Another member is this person at the sign-in provider."}
	}
	return err
}

// FindMember implements store.People.
func (s *Store) FindMember(ctx context.Context, member hook.ID) (hook.Member, error) {
	return s.findMember(ctx, `SELECT `+memberColumns+` FROM members m WHERE m.id = ?`, member)
}

// FindMemberByEmail implements store.People.
func (s *Store) FindMemberByEmail(ctx context.Context, email string) (hook.Member, error) {
	return s.findMember(ctx, `SELECT `+memberColumns+` FROM members m WHERE m.email = ?`, email)
}

// FindMemberBySubject implements store.People.
func (s *Store) FindMemberBySubject(ctx context.Context, subject string) (hook.Member, error) {
	return s.findMember(ctx, `SELECT `+memberColumns+` FROM members m WHERE m.subject = ?`, subject)
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

var listMembers = newListQuery(`SELECT ` + memberColumns + ` FROM members m WHERE m.id >= ? AND m.id < ? ORDER BY m.id {dir} LIMIT ?`)

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
	err := s.write(ctx, func(c *conn) error {
		m, err := oneMember(context.WithoutCancel(ctx), c, `SELECT `+memberColumns+` FROM members m WHERE m.id = ?`, member)
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
		_, err = c.exec(`UPDATE members SET email = ?, name = ?, role = ?, payloads = ?, password = ?, subject = ?, updated = ?, seen = ? WHERE id = ?`,
			m.Email, m.Name, int(m.Role), m.MayReadPayloads, nullText(m.Password), nullText(m.Subject), m.UpdatedAt, m.SeenAt, member)
		return memberTaken(err)
	})
	return out, err
}

// otherOwner makes sure that there is an owner beside this member.
func otherOwner(ctx context.Context, c *conn, member hook.ID) error {
	found, err := c.one(context.WithoutCancel(ctx), `SELECT 1 FROM members WHERE role = ? AND id <> ? LIMIT 1`,
		[]any{int(hook.RoleOwner), member}, func(*row) error { return nil })
	if err == nil && !found {
		err = &hook.Error{Code: hook.CodeConflict, Detail: "This is the only owner.", Hint: "Make another member an owner first."}
	}
	return err
}

// DeleteMember implements store.People.
func (s *Store) DeleteMember(ctx context.Context, member hook.ID, check func(*hook.Member) error) error {
	return s.write(ctx, func(c *conn) error {
		m, err := oneMember(context.WithoutCancel(ctx), c, `SELECT `+memberColumns+` FROM members m WHERE m.id = ?`, member)
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
			`DELETE FROM sessions WHERE member = ?`, `DELETE FROM tickets WHERE member = ?`,
			`DELETE FROM passkeys WHERE member = ?`, `DELETE FROM members WHERE id = ?`,
		} {
			if _, err := c.exec(query, member); err != nil {
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
	return s.write(ctx, func(c *conn) error {
		rows, err := c.exec(`INSERT INTO sessions (id, member, hash, method, agent, address, created, used)
		  SELECT ?,id,?,?,?,?,?,? FROM members WHERE id = ?`,
			n.ID, n.Hash[:], int(n.Method), n.Agent, addressText(n.Address), n.CreatedAt, n.UsedAt, n.Member)
		return orNoMember(rows, err)
	})
}

func orNoMember(rows int64, err error) error {
	if err == nil && rows == 0 {
		return hook.NotFound("member")
	}
	return err
}

// FindSession implements store.People.
func (s *Store) FindSession(ctx context.Context, hash [32]byte) (session hook.Session, member hook.Member, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := c.one(ctx, `SELECT `+sessionColumns+`, `+memberColumns+` FROM sessions s JOIN members m ON m.id = s.member WHERE s.hash = ?`,
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
		return c.query(ctx, `SELECT `+sessionColumns+` FROM sessions s WHERE s.member = ? ORDER BY s.id DESC LIMIT ?`, []any{member, limit}, func(r *row) error {
			out = append(out, scanSession(r))
			return nil
		})
	})
	return out, err
}

// EndSession implements store.People.
func (s *Store) EndSession(ctx context.Context, member, session hook.ID) error {
	return s.write(ctx, func(c *conn) error {
		n, err := c.exec(`DELETE FROM sessions WHERE id = ? AND member = ?`, session, member)
		if err == nil && n == 0 {
			err = hook.NotFound("session")
		}
		return err
	})
}

// EndSessions implements store.People.
func (s *Store) EndSessions(ctx context.Context, member, except hook.ID) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(`DELETE FROM sessions WHERE member = ? AND id <> ?`, member, except)
		return err
	})
}

// TouchSessions implements store.People.
func (s *Store) TouchSessions(ctx context.Context, uses []hook.SessionUse) error {
	return s.write(ctx, func(c *conn) error {
		for _, u := range uses {
			if _, err := c.exec(`UPDATE sessions SET used = max(used, ?1) WHERE id = ?2`, u.At, u.Session); err != nil {
				return err
			}
			if _, err := c.exec(`UPDATE members SET seen = max(coalesce(seen, ?1), ?1) WHERE id = (SELECT member FROM sessions WHERE id = ?2)`, u.At, u.Session); err != nil {
				return err
			}
		}
		return nil
	})
}
