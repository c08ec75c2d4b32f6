package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// NewCode makes a ticket for a member, or for nobody yet: a setup.
func (p *People) NewCode(ctx context.Context, kind hook.TicketKind, member hook.ID) (code string, ends time.Time, err error) {
	life := map[hook.TicketKind]time.Duration{
		hook.TicketSetup: setupLife, hook.TicketInvite: inviteLife, hook.TicketReset: resetLife, hook.TicketSignIn: signInLife,
	}[kind]
	code, ends, err = p.ticket(ctx, kind, member, life, nil)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("making a link: %w", err)
	}
	return code, ends, nil
}

func (p *People) ticket(ctx context.Context, kind hook.TicketKind, member hook.ID, life time.Duration, data []byte) (string, time.Time, error) {
	now := p.now().UTC().Truncate(time.Microsecond)
	code := newText(TicketPrefix)
	t := hook.Ticket{Hash: Hash(code), Kind: kind, Member: member, Data: data, CreatedAt: now, ExpiresAt: now.Add(life)}
	return code, t.ExpiresAt, p.store.CreateTicket(ctx, &t)
}

// SetupCode makes the code that makes the first member, as long as there is none; else
// it is empty.
func (p *People) SetupCode(ctx context.Context) (code string, ends time.Time, err error) {
	empty, err := p.empty(ctx)
	if err != nil || !empty {
		return "", time.Time{}, err
	}
	return p.NewCode(ctx, hook.TicketSetup, hook.ID{})
}

func badLink() error {
	return &hook.Error{
		Code: hook.CodeSignIn, Detail: "The link is not good any more: it was used, its time is over, or a newer one has taken its place.",
		Hint: "Ask an administrator for another one. A server without members writes a new link to its log when it starts.",
	}
}

// LookAtLink tells what a code is good for, and for whom; the member is zero for a setup.
func (p *People) LookAtLink(ctx context.Context, v hook.Visitor, code string) (t hook.Ticket, m hook.Member, err error) {
	err = p.limited(p.triesOf(v), func() error {
		t, m, err = p.look(ctx, code)
		return err
	})
	return t, m, err
}

func (p *People) look(ctx context.Context, code string) (hook.Ticket, hook.Member, error) {
	t, err := p.store.FindTicket(ctx, Hash(code), p.now())
	if err != nil {
		return t, hook.Member{}, orBadLink(err)
	}
	switch t.Kind {
	case hook.TicketSetup:
		empty, err := p.empty(ctx)
		if err == nil && !empty {
			err = badLink()
		}
		return t, hook.Member{}, err
	case hook.TicketInvite, hook.TicketReset, hook.TicketSignIn:
		m, err := p.store.FindMember(ctx, t.Member)
		return t, m, orBadLink(err)
	case hook.TicketAddPasskey, hook.TicketWithPasskey, hook.TicketProvider:
	}
	return hook.Ticket{}, hook.Member{}, badLink()
}

func orBadLink(err error) error {
	if isCode(err, hook.CodeNotFound) {
		return badLink()
	}
	return err
}

// SignInByCode begins a session by a ticket of kind TicketSignIn.
func (p *People) SignInByCode(ctx context.Context, v hook.Visitor, code string) (in hook.SignedIn, err error) {
	err = p.limited(p.triesOf(v), func() error {
		t, m, err := p.look(ctx, code)
		if err == nil && t.Kind != hook.TicketSignIn {
			err = badLink()
		}
		if err == nil {
			_, err = p.store.TakeTicket(ctx, t.Hash, p.now())
		}
		if err != nil {
			return orBadLink(err)
		}
		in, err = p.begin(ctx, v, m, hook.ByLink)
		return err
	})
	return in, err
}

// Redeem uses a code of a setup, an invitation or a reset, and begins a session. Empty
// fields are left as they are.
func (p *People) Redeem(ctx context.Context, v hook.Visitor, code, name, email, password string) (in hook.SignedIn, err error) {
	err = p.limited(p.triesOf(v), func() error {
		t, m, err := p.look(ctx, code)
		if err == nil && t.Kind == hook.TicketSignIn {
			err = badLink()
		}
		if err != nil {
			return err
		}
		in, err = p.redeem(ctx, v, &t, m, name, email, password)
		return err
	})
	return in, err
}

func (p *People) redeem(ctx context.Context, v hook.Visitor, t *hook.Ticket, m hook.Member, name, email, password string) (hook.SignedIn, error) {
	if name == "" {
		name = m.Name
	}
	folded, valid := hook.FoldEmail(email)
	switch setup := t.Kind == hook.TicketSetup; {
	case setup && name == "":
		return hook.SignedIn{}, hook.Invalid("must not be empty", "body", "name")
	case setup && !valid:
		return hook.SignedIn{}, hook.Invalid("must be an e-mail address", "body", "email")
	case !setup && email != "" && folded != m.Email:
		return hook.SignedIn{}, hook.Invalid("is not the one that the link is for; leave it out", "body", "email")
	case setup:
		m.Email = folded
	}
	hash := ""
	if password != "" {
		err := checkPassword(password, m.Email, "body", "password")
		if err == nil {
			hash, err = p.hashes.make(ctx, password)
		}
		if err != nil {
			return hook.SignedIn{}, err
		}
	}
	// Everything is in order, so the link is used up; of two callers one goes on.
	if _, err := p.store.TakeTicket(ctx, t.Hash, p.now()); err != nil {
		return hook.SignedIn{}, orBadLink(err)
	}
	m, err := p.settle(ctx, t.Kind, m, name, hash)
	if err != nil {
		return hook.SignedIn{}, err
	}
	return p.begin(ctx, v, m, hook.ByLink)
}

// settle makes the first member, or changes the one that a link is for. A new password
// ends all sessions.
func (p *People) settle(ctx context.Context, kind hook.TicketKind, m hook.Member, name, hash string) (hook.Member, error) {
	now := p.now().UTC().Truncate(time.Microsecond)
	if kind == hook.TicketSetup {
		m = hook.Member{
			ID: hook.NewID(now), Email: m.Email, Name: name, Role: hook.RoleOwner, MayReadPayloads: true,
			Password: hash, CreatedAt: now, UpdatedAt: now,
		}
		return m, p.store.CreateMember(ctx, &m, true)
	}
	m, err := p.store.UpdateMember(ctx, m.ID, func(m *hook.Member) error {
		m.Name, m.UpdatedAt = name, now
		if hash != "" {
			m.Password = hash
		}
		return nil
	})
	if err != nil || hash == "" {
		return m, err
	}
	defer p.Forget()
	return m, p.store.EndSessions(ctx, m.ID, hook.ID{})
}
