package api

import (
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

func passkeyOut(p *hook.Passkey) apitype.PasskeyOut {
	return apitype.PasskeyOut{ID: hook.KindPasskey.Format(p.ID), Name: p.Name, CreatedAt: p.CreatedAt.UTC(), LastUsedAt: timeOut(p.UsedAt)}
}

func listPasskeys(c *call) (reply, error) {
	all, err := c.Store.ListPasskeys(c.ctx(), c.member.ID)
	if err != nil {
		return reply{}, err
	}
	out := apitype.List[apitype.PasskeyOut]{Data: []apitype.PasskeyOut{}, Done: true}
	for i := range all {
		out.Data = append(out.Data, passkeyOut(&all[i]))
	}
	return ok(out)
}

func beginPasskey(c *call) (reply, error) {
	ticket, options, err := c.People.BeginPasskey(c.ctx(), c.visitor(), c.member)
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.PasskeyBeginOut{Ticket: ticket, Options: options})
}

func finishPasskey(c *call) (reply, error) {
	in, err := decode[apitype.PasskeyFinishIn](c)
	if err != nil {
		return reply{}, err
	}
	name := strings.TrimSpace(in.Name.Else(""))
	if name == "" {
		name = "Passkey"
	}
	var k checker
	name = k.memberName(name)
	if err := k.err(); err != nil {
		return reply{}, err
	}
	p, err := c.People.FinishPasskey(c.ctx(), c.visitor(), c.member, in.Ticket, name, in.Credential)
	if err != nil {
		return reply{}, err
	}
	return created(passkeyOut(&p))
}

func deletePasskey(c *call) (reply, error) {
	id, err := c.idIn("passkey", hook.KindPasskey)
	if err != nil {
		return reply{}, err
	}
	if err := c.Store.DeletePasskey(c.ctx(), c.member.ID, id); err != nil {
		return reply{}, err
	}
	return noContent()
}

func beginPasskeySignIn(c *call) (reply, error) {
	if err := c.ownOrigin(); err != nil {
		return reply{}, err
	}
	ticket, options, err := c.People.BeginPasskeySignIn(c.ctx(), c.visitor())
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.PasskeyBeginOut{Ticket: ticket, Options: options})
}

func finishPasskeySignIn(c *call) (reply, error) {
	if err := c.ownOrigin(); err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.PasskeyFinishIn](c)
	if err != nil {
		return reply{}, err
	}
	if !in.Name.IsZero() {
		return reply{}, hook.Invalid("cannot be given here: a sign-in names no passkey", "body", "name")
	}
	return c.enter(c.People.FinishPasskeySignIn(c.ctx(), c.visitor(), in.Ticket, in.Credential))
}
