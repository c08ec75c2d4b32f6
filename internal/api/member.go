package api

import (
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	maxMemberName  = 100
	memberNameRule = "must be 1 to 100 characters"
)

// memberName checks a name of a member or an environment.
func (k *checker) memberName(name string) string {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxMemberName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		k.bad(memberNameRule, "name")
	}
	return name
}

func (k *checker) role(word apitype.MemberRole) hook.Role {
	role, known := hook.ParseRole(string(word))
	if !known {
		k.bad("must be viewer, developer, admin or owner", "role")
	}
	return role
}

// rank is the role that the caller has over members: the operator's own key has all.
func (c *call) rank() hook.Role {
	if c.isMember() {
		return c.member.Role
	}
	return hook.RoleOwner
}

// over refuses to make, change or let in somebody of a role above the caller's.
func (c *call) over(role hook.Role) error {
	if role == hook.RoleOwner && c.rank() != hook.RoleOwner {
		return notAllowed("Only an owner may manage owners.")
	}
	return nil
}

func memberOut(m *hook.Member) apitype.MemberOut {
	return apitype.MemberOut{
		ID: hook.KindMember.Format(m.ID), Email: m.Email, Name: m.Name, Role: apitype.MemberRole(m.Role.String()),
		MayReadPayloads: m.MayReadPayloads, PasswordSet: m.Password != "", ProviderKnown: m.Subject != "",
		CreatedAt: m.CreatedAt.UTC(), LastSeenAt: timeOut(m.SeenAt),
	}
}

func listMembers(c *call) (reply, error) {
	q := c.params()
	p := q.page(hook.KindMember, true, true)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	page, err := c.Store.ListMembers(c.ctx(), p)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page, func(m *hook.Member) string { return hook.KindMember.Format(m.ID) }, memberOut))
}

func createMember(c *call) (reply, error) {
	in, err := decode[apitype.MemberIn](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	m := hook.Member{ID: hook.NewID(c.now), Role: hook.RoleViewer, CreatedAt: c.now, UpdatedAt: c.now}
	email, valid := hook.FoldEmail(in.Email)
	if !valid {
		k.bad("must be an e-mail address", "email")
	}
	m.Email, m.Name = email, email
	if name, given := in.Name.Get(); given && strings.TrimSpace(name) != "" {
		m.Name = k.memberName(name)
	}
	if role, given := in.Role.Get(); given {
		m.Role = k.role(role)
	}
	m.MayReadPayloads = in.MayReadPayloads.Else(m.Role != hook.RoleViewer)
	if err := k.err(); err != nil {
		return reply{}, err
	}
	if err := c.over(m.Role); err != nil {
		return reply{}, err
	}
	if err := c.Store.CreateMember(c.ctx(), &m, false); err != nil {
		return reply{}, err
	}
	c.People.Forget()
	link, err := c.memberLink(hook.TicketInvite, m.ID)
	if err != nil {
		return reply{}, err
	}
	c.target = "/member/" + hook.KindMember.Format(m.ID)
	return created(apitype.MemberCreateOut{Member: memberOut(&m), Link: link})
}

// memberLink makes a link that lets a member in.
func (c *call) memberLink(kind hook.TicketKind, member hook.ID) (apitype.MemberLinkOut, error) {
	code, ends, err := c.People.NewCode(c.ctx(), kind, member)
	if err != nil {
		return apitype.MemberLinkOut{}, err
	}
	return apitype.MemberLinkOut{URL: linkURL(c.PublicURL(c.r), code), ExpiresAt: ends.UTC().Truncate(time.Microsecond)}, nil
}

// linkURL is where the dashboard takes a code: in the fragment, which browsers send
// to nobody.
func linkURL(public, code string) string { return public + "/link#code=" + url.QueryEscape(code) }

func (c *call) memberInPath() (hook.Member, error) {
	id, err := c.idIn("member", hook.KindMember)
	if err != nil {
		return hook.Member{}, err
	}
	return c.Store.FindMember(c.ctx(), id)
}

func getMember(c *call) (reply, error) {
	m, err := c.memberInPath()
	if err != nil {
		return reply{}, err
	}
	return ok(memberOut(&m))
}

func patchMember(c *call) (reply, error) {
	id, err := c.idIn("member", hook.KindMember)
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.MemberPatch](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	name, named := in.Name.Get()
	if named {
		name = k.memberName(name)
	}
	role := hook.Role(0)
	if word, given := in.Role.Get(); given {
		role = k.role(word)
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	m, err := c.Store.UpdateMember(c.ctx(), id, func(m *hook.Member) error {
		if err := errors.Join(c.over(m.Role), c.over(role)); err != nil {
			return err
		}
		if named {
			m.Name = name
		}
		if role != 0 {
			m.Role = role
		}
		m.MayReadPayloads, m.UpdatedAt = in.MayReadPayloads.Else(m.MayReadPayloads), c.now
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	c.People.Forget()
	return ok(memberOut(&m))
}

func deleteMember(c *call) (reply, error) {
	id, err := c.idIn("member", hook.KindMember)
	if err != nil {
		return reply{}, err
	}
	if err := c.Store.DeleteMember(c.ctx(), id, func(m *hook.Member) error { return c.over(m.Role) }); err != nil {
		return reply{}, err
	}
	c.People.Forget()
	return noContent()
}

func createMemberLink(c *call) (reply, error) {
	m, err := c.memberInPath()
	if err != nil {
		return reply{}, err
	}
	in, err := decodeOptional[apitype.MemberLinkIn](c)
	if err != nil {
		return reply{}, err
	}
	if err := c.over(m.Role); err != nil {
		return reply{}, err
	}
	kind := hook.TicketReset
	switch word, given := in.Kind.Get(); {
	case !given:
		if m.Password == "" && m.SeenAt.IsZero() {
			kind = hook.TicketInvite
		}
	case word == hook.TicketSignIn.String():
		// A member who could sign others in could act in their names.
		if c.isMember() {
			return reply{}, notAllowed("Only the API key of the server's settings can make a link that signs a member in.")
		}
		kind = hook.TicketSignIn
	case word != hook.TicketReset.String():
		return reply{}, hook.Invalid("must be reset or signin", "body", "kind")
	}
	link, err := c.memberLink(kind, m.ID)
	if err != nil {
		return reply{}, err
	}
	return created(link)
}
