package api

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Names of the cookie of a session. Browsers take the first one only from the host
// itself, under https and for the whole of it.
const (
	hostCookie  = "__Host-grapnel"
	plainCookie = "grapnel_session"
)

// How a member names the environment that a request is about.
const (
	environmentHeader = "Grapnel-Environment"
	environmentQuery  = "environment"
)

// cookie makes the cookie of a session; a life below zero takes it away.
func (c *call) cookie(token string, life time.Duration) *http.Cookie {
	//nolint:gosec // Secure is set below, where the address is https
	out := &http.Cookie{
		Name: plainCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(life / time.Second),
	}
	if life < 0 {
		out.MaxAge = -1
	}
	public, err := url.Parse(c.PublicURL(c.r))
	if err != nil {
		return out
	}
	out.Secure = public.Scheme == "https"
	if path := strings.TrimSuffix(public.EscapedPath(), "/"); path != "" {
		out.Path = path
	} else if out.Secure {
		out.Name = hostCookie
	}
	return out
}

// sessionToken gives what the browser's cookies hold; empty: no session.
func (c *call) sessionToken() string {
	name := c.cookie("", 0).Name
	for _, cookie := range c.r.CookiesNamed(name) {
		if cookie.Value != "" {
			return cookie.Value
		}
	}
	return ""
}

// isMember reports whether the caller is a member, by a session.
func (c *call) isMember() bool { return !c.member.ID.IsZero() }

// visit finds the member of the request's cookie. The cookie counts only where the
// request comes from a page of our own.
func (c *call) visit() error {
	token := c.sessionToken()
	if token == "" || c.People == nil {
		return &hook.Error{Code: hook.CodeAuthentication, Detail: "The request carries no API key."}
	}
	if err := c.ownCookie(); err != nil {
		return err
	}
	session, member, err := c.People.Visit(c.ctx(), token)
	if err != nil {
		return err
	}
	c.session, c.member = session, member
	return nil
}

// ownCookie refuses a cookie that a page of another site made the browser send.
func (c *call) ownCookie() error {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		if c.r.Header.Get("Origin") == "" && c.r.Header.Get("Sec-Fetch-Site") == "" {
			return notAllowed("A session counts only for calls of the dashboard's own pages; the request does not say which page it comes from.")
		}
		return c.ownOrigin()
	}
	if site := c.r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return &hook.Error{Code: hook.CodeAuthentication, Detail: "A session counts only for calls of the dashboard's own pages."}
	}
	return nil
}

// ownOrigin refuses what a browser sends for a page of another origin. A caller that
// is no browser says nothing of the sort, and brings no cookie along.
func (c *call) ownOrigin() error {
	const other = "This call comes from a page of another site."
	if site := c.r.Header.Get("Sec-Fetch-Site"); site != "" {
		if site != "same-origin" && site != "none" {
			return notAllowed(other)
		}
		return nil
	}
	origin := c.r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return notAllowed(other)
	}
	if public, err := url.Parse(c.PublicURL(c.r)); u.Host != c.r.Host && (err != nil || u.Host != public.Host) {
		return notAllowed(other)
	}
	return nil
}

// asMember gives the call the key that stands for its member: in the environment
// that the request names, with the scopes of the role.
func (c *call) asMember() error {
	env, err := c.namedEnvironment()
	if err != nil {
		return err
	}
	c.key = hook.Key{ID: c.member.ID, Env: env, Name: c.member.Email, Scopes: scopesOf(c.member.Role)}
	return nil
}

// scopesOf gives the scopes of a key that may do what the role may; nil: everything.
func scopesOf(r hook.Role) []string {
	switch r {
	case hook.RoleAdmin, hook.RoleOwner:
		return nil
	case hook.RoleDeveloper:
		return []string{scopeRead, scopePublish, scopeManage}
	case hook.RoleViewer:
	}
	return []string{scopeRead}
}

// namedEnvironment is the environment that a member's request names, else the oldest.
func (c *call) namedEnvironment() (hook.ID, error) {
	text := c.r.Header.Get(environmentHeader)
	if text == "" && c.r.Method == http.MethodGet {
		text = c.params().text(environmentQuery)
	}
	envs, err := c.Store.ListEnvironments(c.ctx())
	if err != nil {
		return hook.ID{}, err
	}
	if text == "" && len(envs) > 0 {
		return envs[0].ID, nil
	}
	wanted, err := hook.KindEnvironment.Parse(text)
	if err != nil && len(envs) > 0 {
		return hook.ID{}, badRequest("The header " + environmentHeader + " is not the id of an environment.")
	}
	for i := range envs {
		if envs[i].ID == wanted {
			return wanted, nil
		}
	}
	return hook.ID{}, hook.NotFound("environment")
}

// hidesPayloads reports whether the caller may not see what is in messages, requests
// and answers.
func (c *call) hidesPayloads() bool { return c.isMember() && !c.member.MayReadPayloads }

// payloadsHidden is the refusal where nothing but a payload was asked for.
func payloadsHidden() *hook.Error {
	return &hook.Error{
		Code: hook.CodeNotAllowed, Detail: "You may not see payloads.",
		Hint: "An administrator can allow it, under Settings, Members.",
	}
}
