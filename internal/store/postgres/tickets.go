package postgres

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
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		if !t.Member.IsZero() {
			if err := holdMember(ctx, c, t.Member); err != nil {
				return err
			}
			if _, err := c.exec(ctx, `DELETE FROM tickets WHERE member = $1 AND kind = $2`, t.Member, int(t.Kind)); err != nil {
				return err
			}
		}
		_, err := c.exec(ctx, `INSERT INTO tickets (`+ticketColumns+`) VALUES ($1,$2,$3,$4,$5,$6)`,
			t.Hash[:], int(t.Kind), nullID(t.Member), t.Data, t.CreatedAt, t.ExpiresAt)
		return err
	})
}

// FindTicket implements store.People.
func (s *Store) FindTicket(ctx context.Context, hash [32]byte, now time.Time) (t hook.Ticket, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		t, err = oneTicket(ctx, c, `SELECT `+ticketColumns+` FROM tickets WHERE hash = $1 AND expires > $2`, hash, now)
		return err
	})
	return t, err
}

// TakeTicket implements store.People.
func (s *Store) TakeTicket(ctx context.Context, hash [32]byte, now time.Time) (t hook.Ticket, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		var err error
		t, err = oneTicket(ctx, c, `DELETE FROM tickets WHERE hash = $1 AND expires > $2 RETURNING `+ticketColumns, hash, now)
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
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		if err := holdMember(ctx, c, p.Member); err != nil {
			return err
		}
		_, err := c.exec(ctx, `INSERT INTO passkeys (`+passkeyColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
			p.ID, p.Member, p.Credential, p.Name, p.Data, p.CreatedAt, p.UsedAt)
		if isUnique(err, "passkeys_credential_key") {
			return &hook.Error{Code: hook.CodeConflict, Detail: "This passkey is known already."}
		}
		return err
	})
}

// ListPasskeys implements store.People.
func (s *Store) ListPasskeys(ctx context.Context, member hook.ID) (out []hook.Passkey, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT `+passkeyColumns+` FROM passkeys WHERE member = $1 ORDER BY id`, []any{member}, func(r *row) error {
			out = append(out, scanPasskey(r))
			return nil
		})
	})
	return out, err
}

// UsePasskey implements store.People.
func (s *Store) UsePasskey(ctx context.Context, passkey hook.ID, data []byte, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		n, err := c.exec(ctx, `UPDATE passkeys SET data = $1, used = $2 WHERE id = $3`, data, at, passkey)
		return orNoPasskey(n, err)
	})
}

// DeletePasskey implements store.People.
func (s *Store) DeletePasskey(ctx context.Context, member, passkey hook.ID) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		n, err := c.exec(ctx, `DELETE FROM passkeys WHERE id = $1 AND member = $2`, passkey, member)
		return orNoPasskey(n, err)
	})
}

func orNoPasskey(rows int64, err error) error {
	if err == nil && rows == 0 {
		return hook.NotFound("passkey")
	}
	return err
}
