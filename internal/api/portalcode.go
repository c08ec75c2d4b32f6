package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// portalStore keeps what browsers get portal tokens for. See package store for what
// each promises.
type portalStore interface {
	CreatePortalGrant(ctx context.Context, g *hook.PortalGrant, now time.Time) error
	UsePortalGrant(ctx context.Context, hash [32]byte, now time.Time) (hook.PortalGrant, hook.Key, error)
	DeletePortalGrant(ctx context.Context, hash [32]byte) error
}

const (
	// portalCookie is by which the portal's page gets a new token after a reload.
	portalCookie = "grapnel_portal"
	// portalTokenLife is that of the token which the page holds in memory.
	portalTokenLife = time.Hour
	// maxCode is the length of a code at most, in bytes.
	maxCode = 128
)

// portalLink makes the address that opens the portal once, in the name of the key.
// The code stands in the fragment, which no server and no Referer ever sees; the
// environment stands in the path, for its settings say who may frame the page.
func (c *call) portalLink(k *hook.Key) (string, error) {
	code, err := c.newGrant(k, true)
	if err != nil {
		return "", err
	}
	return c.PublicURL(c.r) + "/portal/e/" + hook.KindEnvironment.Format(k.Env) + "#code=" + code, nil
}

// newGrant stores a code or a cookie of the link with this key and gives its text.
func (c *call) newGrant(k *hook.Key, once bool) (string, error) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // it never fails
	text := base64.RawURLEncoding.EncodeToString(secret[:])
	g := hook.PortalGrant{Hash: sha256.Sum256([]byte(text)), Key: k.ID, Once: once, ExpiresAt: k.ExpiresAt}
	return text, c.Store.CreatePortalGrant(c.ctx(), &g, c.now)
}

// exchangeCode makes a token of the code of a link.
func exchangeCode(c *call) (reply, error) {
	in, err := decode[apitype.OneTimeTokenIn](c)
	if err != nil {
		return reply{}, err
	}
	if in.OneTimeToken == "" || len(in.OneTimeToken) > maxCode {
		return reply{}, hook.Invalid("must have 1 to 128 characters", "body", "oneTimeToken")
	}
	remember := in.Remember.Else(false)
	if remember {
		// Else a page of another site could make this browser somebody else's.
		if err := c.ownOrigin(); err != nil {
			return reply{}, err
		}
	}
	link, err := c.useGrant(in.OneTimeToken, true)
	if err != nil {
		return reply{}, err
	}
	rep, err := c.portalToken(&link, remember)
	if err != nil || !remember {
		return rep, err
	}
	text, err := c.newGrant(&link, false)
	if err != nil {
		return reply{}, err
	}
	rep.header.Add("Set-Cookie", c.cookieOfPortal(text, link.ExpiresAt.Sub(c.now)).String())
	return rep, nil
}

// renewToken makes another token for a page that has the cookie.
func renewToken(c *call) (reply, error) {
	if err := c.ownOrigin(); err != nil {
		return reply{}, err
	}
	cookie, err := c.r.Cookie(portalCookie)
	if err != nil {
		return reply{}, &hook.Error{Code: hook.CodeAuthentication, Detail: "This browser has not opened a portal link.", Hint: "Ask for a new link where you got the last one."}
	}
	link, err := c.useGrant(cookie.Value, false)
	if err != nil {
		return reply{}, err
	}
	return c.portalToken(&link, true)
}

// useGrant finds the key of the link; a code is used up by it.
func (c *call) useGrant(text string, once bool) (hook.Key, error) {
	g, link, err := c.Store.UsePortalGrant(c.ctx(), sha256.Sum256([]byte(text)), c.now)
	var e *hook.Error
	if errors.As(err, &e) && e.Code == hook.CodeNotFound || err == nil && g.Once != once {
		err = &hook.Error{Code: hook.CodeAuthentication, Detail: "This link is not known, or has ended.", Hint: "Ask for a new link where you got this one."}
	}
	return link, err
}

// portalToken makes a short token with the rights of the link.
func (c *call) portalToken(link *hook.Key, renewable bool) (reply, error) {
	k := hook.Key{
		ID: hook.NewID(c.now), Env: link.Env, App: link.App, Name: link.Name, Scopes: link.Scopes, SessionID: link.SessionID,
		FeatureFlags: link.FeatureFlags, CreatedAt: c.now, ExpiresAt: c.now.Add(portalTokenLife),
	}
	if !link.ExpiresAt.IsZero() && link.ExpiresAt.Before(k.ExpiresAt) {
		k.ExpiresAt = link.ExpiresAt
	}
	token, err := c.newKey(&k, true)
	if err != nil {
		return reply{}, err
	}
	rep, err := ok(apitype.PortalTokenOut{
		Token: token, ExpiresAt: k.ExpiresAt, EndsAt: link.ExpiresAt, EnvID: hook.KindEnvironment.Format(k.Env),
		AppID: hook.KindApplication.Format(k.App), Capabilities: capabilitiesOf(&k), Renewable: renewable,
	})
	rep.header = http.Header{"Cache-Control": {"no-store"}}
	return rep, err
}

// cookieOfPortal makes the cookie; a life below zero takes it away. It names no path:
// the browser's own default is the folder of this call, with whatever prefix a proxy
// has put before it, so that nothing but these calls ever gets it.
func (c *call) cookieOfPortal(text string, life time.Duration) *http.Cookie {
	//nolint:gosec // Secure is set below, where the address is https
	out := &http.Cookie{Name: portalCookie, Value: text, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(life / time.Second)}
	if life < 0 {
		out.MaxAge = -1
	}
	if public, err := url.Parse(c.PublicURL(c.r)); err == nil {
		out.Secure = public.Scheme == "https"
	}
	return out
}

// forgetPortal ends what the cookie of the request is good for, if it has one.
func (c *call) forgetPortal() (http.Header, error) {
	cookies := c.r.CookiesNamed(portalCookie)
	if len(cookies) == 0 {
		return nil, nil
	}
	if err := c.Store.DeletePortalGrant(c.ctx(), sha256.Sum256([]byte(cookies[0].Value))); err != nil {
		return nil, err
	}
	return http.Header{"Set-Cookie": {c.cookieOfPortal("", -1).String()}}, nil
}

// portalConfig gives the portal what it draws itself with.
func portalConfig(c *call) (reply, error) {
	if c.key.App.IsZero() {
		return reply{}, notAllowed("This call is for the portal: it needs the token of one application.")
	}
	app, err := c.Store.FindApplication(c.ctx(), c.key.Env, hook.Ref{ID: c.key.App})
	if err != nil {
		return reply{}, err
	}
	s, err := c.Store.FindSettings(c.ctx(), c.key.Env)
	if err != nil {
		return reply{}, err
	}
	out := apitype.PortalConfigOut{
		Theme: themeOut(&s.Portal), EnvID: hook.KindEnvironment.Format(c.key.Env), App: applicationOut(&app),
		Capabilities: capabilitiesOf(&c.key), ExpiresAt: timeOut(c.key.ExpiresAt),
	}
	if out.Theme.LogoDark == "" {
		out.Theme.LogoDark = out.Theme.LogoLight
	}
	light, given := parseColor(s.Portal.Accent)
	if given {
		out.Light = &apitype.PortalColors{Accent: light.String(), OnAccent: onColor(light)}
	}
	dark, darkGiven := parseColor(s.Portal.AccentDark)
	if given && !darkGiven {
		dark, darkGiven = lightened(light), true
	}
	if darkGiven {
		out.Dark = &apitype.PortalColors{Accent: dark.String(), OnAccent: onColor(dark)}
	}
	return ok(out)
}

// capabilitiesOf are those of an app token; one without any has all.
func capabilitiesOf(k *hook.Key) []apitype.PortalCapability {
	if len(k.Scopes) == 0 {
		return capabilities
	}
	out := make([]apitype.PortalCapability, len(k.Scopes))
	for i, s := range k.Scopes {
		out[i] = apitype.PortalCapability(s)
	}
	return out
}
