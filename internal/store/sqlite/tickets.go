package sqlite

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const ticketColumns = `hash, kind, member, data, created, expires`

func scanTicket(r *row) hook.Ticket {
	t := hook.Ticket{Kind: hook.TicketKind(r.int(1)), Member: r.id(2), Data: r.blob(3), CreatedAt: r.time(4), ExpiresAt: r.time(5)}
	copy(t.Hash[:], r.blob(0))
	return t
}

// CreateTicket implements store.People.
func (s *Store) CreateTicket(ctx context.Context, t *hook.Ticket) error {
	return s.write(ctx, func(c *conn) error {
		if !t.Member.IsZero() {
			if _, err := c.exec(`DELETE FROM tickets WHERE member = ? AND kind = ?`, t.Member, int(t.Kind)); err != nil {
				return err
			}
		}
		n, err := c.exec(`INSERT INTO tickets (`+ticketColumns+`) SELECT ?1,?2,?3,?4,?5,?6 WHERE ?3 IS NULL OR EXISTS (SELECT 1 FROM members WHERE id = ?3)`,
			t.Hash[:], int(t.Kind), nullID(t.Member), t.Data, t.CreatedAt, t.ExpiresAt)
		return orNoMember(n, err)
	})
}

// FindTicket implements store.People.
func (s *Store) FindTicket(ctx context.Context, hash [32]byte, now time.Time) (t hook.Ticket, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		t, err = oneTicket(ctx, c, `SELECT `+ticketColumns+` FROM tickets WHERE hash = ? AND expires > ?`, hash, now)
		return err
	})
	return t, err
}

// TakeTicket implements store.People.
func (s *Store) TakeTicket(ctx context.Context, hash [32]byte, now time.Time) (t hook.Ticket, err error) {
	err = s.write(ctx, func(c *conn) error {
		var err error
		t, err = oneTicket(context.WithoutCancel(ctx), c, `DELETE FROM tickets WHERE hash = ? AND expires > ? RETURNING `+ticketColumns, hash, now)
		return err
	})
	return t, err
}

func oneTicket(ctx context.Context, c *conn, query string, hash [32]byte, now time.Time) (t hook.Ticket, err error) {
	found, err := c.one(ctx, query, []any{hash[:], now}, func(r *row) error {
		t = scanTicket(r)
		return nil
	})
	if err == nil && !found {
		err = hook.NotFound("link or code; it was used already, or its time is over")
	}
	return t, err
}

//nolint:gosec // names of columns
const passkeyColumns = `id, member, credential, name, data, created, used`

func scanPasskey(r *row) hook.Passkey {
	return hook.Passkey{
		ID: r.id(0), Member: r.id(1), Credential: r.blob(2), Name: r.text(3), Data: r.blob(4), CreatedAt: r.time(5), UsedAt: r.time(6),
	}
}

// CreatePasskey implements store.People.
func (s *Store) CreatePasskey(ctx context.Context, p *hook.Passkey) error {
	return s.write(ctx, func(c *conn) error {
		n, err := c.exec(`INSERT INTO passkeys (`+passkeyColumns+`) SELECT ?1,id,?3,?4,?5,?6,?7 FROM members WHERE id = ?2`,
			p.ID, p.Member, p.Credential, p.Name, p.Data, p.CreatedAt, p.UsedAt)
		if isUnique(err, "passkeys.credential") {
			return &hook.Error{Code: hook.CodeConflict, Detail: "This passkey is known already."}
		}
		return orNoMember(n, err)
	})
}

// ListPasskeys implements store.People.
func (s *Store) ListPasskeys(ctx context.Context, member hook.ID) (out []hook.Passkey, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT `+passkeyColumns+` FROM passkeys WHERE member = ? ORDER BY id`, []any{member}, func(r *row) error {
			out = append(out, scanPasskey(r))
			return nil
		})
	})
	return out, err
}

// UsePasskey implements store.People.
func (s *Store) UsePasskey(ctx context.Context, passkey hook.ID, data []byte, at time.Time) error {
	return s.write(ctx, func(c *conn) error {
		n, err := c.exec(`UPDATE passkeys SET data = ?, used = ? WHERE id = ?`, data, at, passkey)
		return orNoPasskey(n, err)
	})
}

// DeletePasskey implements store.People.
func (s *Store) DeletePasskey(ctx context.Context, member, passkey hook.ID) error {
	return s.write(ctx, func(c *conn) error {
		n, err := c.exec(`DELETE FROM passkeys WHERE id = ? AND member = ?`, passkey, member)
		return orNoPasskey(n, err)
	})
}

func orNoPasskey(rows int64, err error) error {
	if err == nil && rows == 0 {
		return hook.NotFound("passkey")
	}
	return err
}
