package api

import (
	"slices"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// right is what a route asks of the caller's key.
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
	case rightManage, rightViewSecret, rightManageSecret, rightCreateAttempts, rightManageEndpoint:
		return scopeManage
	case rightNone, rightAny, rightApp:
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
	case rightNone, rightAny, rightApp, rightRead, rightPublish, rightManage:
	}
	return nil
}

// authorize finds the caller's key and checks it against the route.
func (a *API) authorize(c *call) error {
	need := c.route.right
	if need == rightNone {
		return nil
	}
	token, err := bearer(c.r.Header.Get("Authorization"))
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
		return environmentMay(&c.key, need)
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

func environmentMay(k *hook.Key, need right) error {
	if need == rightApp {
		return notAllowed("This call ends the token of one application; an API key is ended by its own route.")
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
