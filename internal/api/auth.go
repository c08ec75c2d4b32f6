package api

import (
	"slices"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// right is what a route asks of the caller: a key, or a member whose session stands
// for one.
type right uint8

const (
	// rightNone: no key is needed.
	rightNone right = iota
	// rightAny: every valid key.
	rightAny
	// rightApp: app tokens only.
	rightApp
	// rightRead, rightPublish and rightManage: an environment key with that scope.
	rightRead
	rightPublish
	rightManage
	// rightAdmin: an environment key that may manage, and members who administer.
	rightAdmin
	// rightMembers: members who administer, and the key of the server's settings. Other
	// keys are of one environment, and members are of all.
	rightMembers
	// rightMember: every member, by a session.
	rightMember
	// The others also let in a token of the application in the path, if it has
	// the capability.
	rightViewBase
	rightViewSecret
	rightManageSecret
	rightCreateAttempts
	rightManageEndpoint
)

// Scopes that limit an environment key. A key without scopes may do everything.
const (
	scopeRead    = "read"    // every call that only reads, secrets excluded
	scopePublish = "publish" // create messages
	scopeManage  = "manage"  // everything else
)

var scopes = []string{scopeRead, scopePublish, scopeManage}

// scope is what an environment key with scopes must have for the right.
func (r right) scope() string {
	switch r {
	case rightRead, rightViewBase:
		return scopeRead
	case rightPublish:
		return scopePublish
	case rightManage, rightAdmin, rightMembers, rightViewSecret, rightManageSecret, rightCreateAttempts, rightManageEndpoint:
		return scopeManage
	case rightNone, rightAny, rightApp, rightMember:
	}
	return ""
}

// capabilities are those of an app token that give the right; nil: none does.
func (r right) capabilities() []apitype.PortalCapability {
	switch r {
	case rightViewBase:
		return []apitype.PortalCapability{apitype.ViewBase, apitype.ManageEndpoint}
	case rightViewSecret:
		return []apitype.PortalCapability{apitype.ViewEndpointSecret, apitype.ManageEndpointSecret, apitype.ManageEndpoint}
	case rightManageSecret:
		return []apitype.PortalCapability{apitype.ManageEndpointSecret, apitype.ManageEndpoint}
	case rightCreateAttempts:
		return []apitype.PortalCapability{apitype.CreateAttempts}
	case rightManageEndpoint:
		return []apitype.PortalCapability{apitype.ManageEndpoint}
	case rightNone, rightAny, rightApp, rightRead, rightPublish, rightManage, rightAdmin, rightMembers, rightMember:
	}
	return nil
}

// authorize finds the caller's key, or the session that stands for one, and checks it
// against the route. A key counts where both are there.
func (a *API) authorize(c *call) error {
	need := c.route.right
	if need == rightNone {
		return nil
	}
	header := c.r.Header.Get("Authorization")
	if header == "" && c.sessionToken() != "" {
		if err := c.visit(); err != nil {
			return err
		}
		if err := c.asMember(); err != nil {
			return err
		}
		return c.memberMay(need)
	}
	token, err := bearer(header)
	if err != nil {
		return err
	}
	if c.key, err = a.Authenticate(c.ctx(), token); err != nil {
		return err
	}
	if need == rightAny {
		return nil
	}
	if c.key.App.IsZero() {
		return c.environmentMay(need)
	}
	if err := tokenMay(&c.key, need); err != nil {
		return err
	}
	return c.ownApp()
}

// bearer reads the token of an Authorization header.
func bearer(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	switch {
	case header == "":
		return "", &hook.Error{Code: hook.CodeAuthentication, Detail: "The request carries no API key."}
	case !strings.EqualFold(scheme, "Bearer") || token == "":
		return "", &hook.Error{Code: hook.CodeAuthentication, Detail: "The Authorization header is not of the form `Bearer KEY`."}
	}
	return token, nil
}

// memberMay checks what the scopes of a role do not tell.
func (c *call) memberMay(need right) error {
	switch {
	case need == rightAny || need == rightMember:
		return nil
	case need == rightApp:
		return notAllowed("This call ends the token of one application; sign out to end a session.")
	case (need == rightAdmin || need == rightMembers) && c.member.Role < hook.RoleAdmin:
		return notAllowed("Only administrators and owners may do this.")
	}
	if scope := need.scope(); len(c.key.Scopes) > 0 && !slices.Contains(c.key.Scopes, scope) {
		return notAllowed("Your role, " + c.member.Role.String() + ", may not do this.")
	}
	return nil
}

func (c *call) environmentMay(need right) error {
	k := &c.key
	switch {
	case need == rightApp:
		return notAllowed("This call ends the token of one application; an API key is ended by its own route.")
	case need == rightMember:
		return notAllowed("This call is about the session of a member, and a key has none.")
	case need == rightMembers && (c.OperatorKey == [32]byte{} || k.Hash != c.OperatorKey):
		return notAllowed("Members are managed by members who administer, and with the API key of the server's settings.")
	}
	if scope := need.scope(); len(k.Scopes) > 0 && !slices.Contains(k.Scopes, scope) {
		return notAllowed("The API key lacks the scope `" + scope + "`.")
	}
	return nil
}

func tokenMay(k *hook.Key, need right) error {
	if need == rightApp {
		return nil
	}
	wanted := need.capabilities()
	if wanted == nil {
		return notAllowed("A token of one application may not do this.")
	}
	if len(k.Scopes) == 0 {
		return nil
	}
	for _, capability := range wanted {
		if slices.Contains(k.Scopes, string(capability)) {
			return nil
		}
	}
	return notAllowed("The token lacks the capability " + string(wanted[0]) + ".")
}

// ownApp hides every application but the token's own.
func (c *call) ownApp() error {
	segment := c.value("app")
	if segment == "" {
		return nil
	}
	ref, err := parseRef(hook.KindApplication, segment, "app")
	if err != nil {
		return err
	}
	id, err := c.applicationID(ref)
	if err != nil {
		return err
	}
	if id != c.key.App {
		return hook.NotFound("application")
	}
	return nil
}
