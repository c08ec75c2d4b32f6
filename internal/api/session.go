package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// People is the desk at which members sign in; internal/auth has the one that there
// is. Whatever lets nobody in is a *hook.Error: CodeSignIn for a try to sign in,
// CodeAuthentication for a session, CodeRateLimited for one try too many.
type People interface {
	// Visit gives the session of a cookie and its member.
	Visit(ctx context.Context, token string) (hook.Session, hook.Member, error)
	// Ways are those that are open at a site.
	Ways(ctx context.Context, site string) (hook.Ways, error)
	// SignIn begins a session by e-mail address and password. It takes the same time,
	// and fails with the same words, whether there is such a member or not.
	SignIn(ctx context.Context, v hook.Visitor, email, password string) (hook.SignedIn, error)
	// SignInByCode begins one by a ticket of kind TicketSignIn.
	SignInByCode(ctx context.Context, v hook.Visitor, code string) (hook.SignedIn, error)
	// LookAtLink tells what a code is good for, and for whom; the member is zero for
	// a setup.
	LookAtLink(ctx context.Context, v hook.Visitor, code string) (hook.Ticket, hook.Member, error)
	// Redeem uses a code of a setup, an invitation or a reset, and begins a session.
	// Empty fields are left as they are.
	Redeem(ctx context.Context, v hook.Visitor, code, name, email, password string) (hook.SignedIn, error)
	// NewCode makes a ticket for a member.
	NewCode(ctx context.Context, kind hook.TicketKind, member hook.ID) (code string, ends time.Time, err error)
	// ChangePassword checks the current password, if there is one, sets another, and
	// ends all sessions but that one.
	ChangePassword(ctx context.Context, v hook.Visitor, m hook.Member, keep hook.ID, current, next string) error
	// Forget drops what Visit remembers, after members or sessions were changed.
	Forget()

	passkeys
	provider
}

// passkeys is what WebAuthn needs of the desk.
type passkeys interface {
	BeginPasskey(ctx context.Context, v hook.Visitor, m hook.Member) (ticket string, options json.RawMessage, err error)
	FinishPasskey(ctx context.Context, v hook.Visitor, m hook.Member, ticket, name string, credential json.RawMessage) (hook.Passkey, error)
	BeginPasskeySignIn(ctx context.Context, v hook.Visitor) (ticket string, options json.RawMessage, err error)
	FinishPasskeySignIn(ctx context.Context, v hook.Visitor, ticket string, credential json.RawMessage) (hook.SignedIn, error)
}

// provider is what OpenID Connect needs of the desk.
type provider interface {
	// BeginProvider gives where to send the browser, and what it must keep until it
	// comes back to the callback.
	BeginProvider(ctx context.Context, v hook.Visitor, callback, back string) (to, state string, err error)
	// FinishProvider takes what the provider sent the browser back with.
	FinishProvider(ctx context.Context, v hook.Visitor, callback, state string, query url.Values) (hook.SignedIn, error)
}

// peopleStore keeps members and their sessions. See package store for what each promises.
type peopleStore interface {
	CreateMember(ctx context.Context, m *hook.Member, first bool) error
	FindMember(ctx context.Context, member hook.ID) (hook.Member, error)
	ListMembers(ctx context.Context, p hook.Page) (hook.PageOf[hook.Member], error)
	UpdateMember(ctx context.Context, member hook.ID, change func(*hook.Member) error) (hook.Member, error)
	DeleteMember(ctx context.Context, member hook.ID, check func(*hook.Member) error) error
	ListSessions(ctx context.Context, member hook.ID, limit int) ([]hook.Session, error)
	EndSession(ctx context.Context, member, session hook.ID) error
	ListPasskeys(ctx context.Context, member hook.ID) ([]hook.Passkey, error)
	DeletePasskey(ctx context.Context, member, passkey hook.ID) error
}

// visitor is the browser of the request.
func (c *call) visitor() hook.Visitor {
	site := c.PublicURL(c.r)
	if u, err := url.Parse(site); err == nil {
		site = u.Scheme + "://" + u.Host
	}
	return hook.Visitor{Address: c.Address(c.r), Agent: c.r.UserAgent(), Site: site}
}

func getSession(c *call) (reply, error) {
	if c.r.Header.Get("Authorization") == "" {
		if err := c.visit(); err != nil && !isCode(err, hook.CodeAuthentication) {
			return reply{}, err
		}
	}
	return c.sessionReply()
}

// sessionReply tells who is signed in.
func (c *call) sessionReply() (reply, error) {
	ways, err := c.People.Ways(c.ctx(), c.visitor().Site)
	if err != nil {
		return reply{}, err
	}
	out := apitype.SessionOut{SetupNeeded: ways.Empty, Methods: apitype.SignInMethods{Password: true, Passkey: ways.Passkey}}
	if ways.Provider != "" {
		out.Methods.OIDC = &apitype.SignInProvider{Name: ways.Provider}
	}
	header := http.Header{"Cache-Control": {"no-store"}}
	if !c.isMember() {
		return reply{status: http.StatusOK, body: out, header: header}, nil
	}
	envs, err := c.Store.ListEnvironments(c.ctx())
	if err != nil {
		return reply{}, err
	}
	set, id := c.member.Password != "", hook.KindSession.Format(c.session.ID)
	out.SignedIn, out.PasswordSet, out.Session = true, &set, &id
	out.Member = &apitype.SessionMember{
		ID: hook.KindMember.Format(c.member.ID), Name: c.member.Name, Email: c.member.Email,
		Role: apitype.MemberRole(c.member.Role.String()), MayReadPayloads: c.member.MayReadPayloads,
	}
	for i := range envs {
		out.Environments = append(out.Environments, environmentOut(&envs[i]))
	}
	return reply{status: http.StatusOK, body: out, header: header}, nil
}

// enter gives the browser the cookie of a session that has begun.
func (c *call) enter(in hook.SignedIn, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	c.member, c.session = in.Member, in.Session
	http.SetCookie(c.w, c.cookie(in.Token, hook.SessionLife))
	return c.sessionReply()
}

func signIn(c *call) (reply, error) {
	if err := c.ownOrigin(); err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.SignInIn](c)
	if err != nil {
		return reply{}, err
	}
	code, withCode := in.Code.Get()
	email, withEmail := in.Email.Get()
	password, withPassword := in.Password.Get()
	switch {
	case withCode && (withEmail || withPassword):
		return reply{}, hook.Invalid("cannot be given together with email and password", "body", "code")
	case withCode:
		return c.enter(c.People.SignInByCode(c.ctx(), c.visitor(), code))
	case !withEmail:
		return reply{}, hook.Invalid("is missing", "body", "email")
	case !withPassword:
		return reply{}, hook.Invalid("is missing", "body", "password")
	}
	return c.enter(c.People.SignIn(c.ctx(), c.visitor(), email, password))
}

func signOut(c *call) (reply, error) {
	if err := c.Store.EndSession(c.ctx(), c.member.ID, c.session.ID); err != nil && !isCode(err, hook.CodeNotFound) {
		return reply{}, err
	}
	c.People.Forget()
	http.SetCookie(c.w, c.cookie("", -1))
	return noContent()
}

func lookAtLink(c *call) (reply, error) {
	if err := c.ownOrigin(); err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.LinkIn](c)
	if err != nil {
		return reply{}, err
	}
	ticket, member, err := c.People.LookAtLink(c.ctx(), c.visitor(), in.Code)
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.LinkOut{Kind: apitype.LinkKind(ticket.Kind.String()), Email: textOut(member.Email), Name: textOut(member.Name)})
}

func setUp(c *call) (reply, error) {
	if err := c.ownOrigin(); err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.SetupIn](c)
	if err != nil {
		return reply{}, err
	}
	name := strings.TrimSpace(in.Name.Else(""))
	if len(name) > maxMemberName {
		return reply{}, hook.Invalid(memberNameRule, "body", "name")
	}
	return c.enter(c.People.Redeem(c.ctx(), c.visitor(), in.Code, name, in.Email.Else(""), in.Password.Else("")))
}

// maxListed bounds the sessions of one member that are shown; upkeep ends the others.
const maxListed = 250

func listSessions(c *call) (reply, error) {
	sessions, err := c.Store.ListSessions(c.ctx(), c.member.ID, maxListed)
	if err != nil {
		return reply{}, err
	}
	out := apitype.List[apitype.SessionListed]{Data: []apitype.SessionListed{}, Done: true}
	for i := range sessions {
		s := &sessions[i]
		if !s.Valid(c.now) {
			continue
		}
		ends := s.UsedAt.Add(hook.SessionIdle)
		if last := s.CreatedAt.Add(hook.SessionLife); last.Before(ends) {
			ends = last
		}
		address := ""
		if s.Address.IsValid() {
			address = s.Address.String()
		}
		out.Data = append(out.Data, apitype.SessionListed{
			ID: hook.KindSession.Format(s.ID), Current: s.ID == c.session.ID, Method: apitype.SignInMethod(s.Method.String()), Agent: s.Agent,
			Address: address, CreatedAt: s.CreatedAt.UTC(), LastUsedAt: s.UsedAt.UTC(), ExpiresAt: ends.UTC(),
		})
	}
	return ok(out)
}

func endSession(c *call) (reply, error) {
	id, err := c.idIn("session", hook.KindSession)
	if err != nil {
		return reply{}, err
	}
	if err := c.Store.EndSession(c.ctx(), c.member.ID, id); err != nil {
		return reply{}, err
	}
	c.People.Forget()
	return noContent()
}

// idIn reads an id in the path.
func (c *call) idIn(param string, kind hook.Kind) (hook.ID, error) {
	id, err := kind.Parse(c.value(param))
	if err != nil {
		return hook.ID{}, hook.Invalid("is not a valid id", "path", param+"_id")
	}
	return id, nil
}

func patchOwnMember(c *call) (reply, error) {
	in, err := decode[apitype.OwnMemberPatch](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	name, named := in.Name.Get()
	if named {
		name = k.memberName(name)
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	if change, given := in.Password.Get(); given {
		if err := c.People.ChangePassword(c.ctx(), c.visitor(), c.member, c.session.ID, change.Current.Else(""), change.New); err != nil {
			return reply{}, err
		}
	}
	c.member, err = c.Store.UpdateMember(c.ctx(), c.member.ID, func(m *hook.Member) error {
		if named {
			m.Name, m.UpdatedAt = name, c.now
		}
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	c.People.Forget()
	return c.sessionReply()
}
