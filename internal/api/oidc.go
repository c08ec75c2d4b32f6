package api

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// providerCookie binds what comes back from the provider to the browser that set out.
	providerCookie = "grapnel_provider"
	providerLife   = 10 * time.Minute
	// returnQuery names the page to go on with, below the dashboard's path.
	returnQuery = "return"
)

// beginProvider sends the browser to the provider of OpenID Connect.
func beginProvider(c *call) (reply, error) {
	to, state, err := c.People.BeginProvider(c.ctx(), c.visitor(), c.callback(), ownPath(c.params().text(returnQuery)))
	if err != nil {
		return c.backToSignIn(err)
	}
	http.SetCookie(c.w, c.stateCookie(state, providerLife))
	return redirect(to)
}

// finishProvider takes the browser back from it, signed in or with a reason why not.
func finishProvider(c *call) (reply, error) {
	state := ""
	if cookie, err := c.r.Cookie(providerCookie); err == nil {
		state = cookie.Value
	}
	http.SetCookie(c.w, c.stateCookie("", -1))
	q := c.params()
	if err := q.err(); err != nil {
		return c.backToSignIn(err)
	}
	in, err := c.People.FinishProvider(c.ctx(), c.visitor(), c.callback(), state, q.values)
	if err != nil {
		return c.backToSignIn(err)
	}
	c.member, c.session = in.Member, in.Session
	http.SetCookie(c.w, c.cookie(in.Token, hook.SessionLife))
	return redirect(c.PublicURL(c.r) + ownPath(in.Return))
}

// callback is the address that the provider sends browsers back to; it must be
// registered there.
func (c *call) callback() string { return c.PublicURL(c.r) + v1 + "/session/oidc/callback" }

// stateCookie lives from the start to the callback. Lax lets it come along when the
// provider's page sends the browser back.
func (c *call) stateCookie(value string, life time.Duration) *http.Cookie {
	out := c.cookie(value, life) //nolint:gosec // cookie sets them
	out.Name = providerCookie
	return out
}

// backToSignIn shows a person, who sees a page and not an answer, what went wrong.
func (c *call) backToSignIn(err error) (reply, error) {
	var shown *hook.Error
	if !errors.As(err, &shown) || shown.Code.Info().Status >= http.StatusInternalServerError {
		c.Logger.Log(c.ctx(), slog.LevelError, "sign-in by the provider failed", "requestId", c.id, "error", err)
		shown = &hook.Error{Code: hook.CodeSignIn, Detail: "The sign-in by the provider failed. The server's log has the cause."}
	} else if shown.Err != nil {
		c.Logger.Log(c.ctx(), slog.LevelWarn, "sign-in by the provider refused", "requestId", c.id, "error", err)
	}
	return redirect(c.PublicURL(c.r) + "/?signInError=" + url.QueryEscape(shown.Detail))
}

func redirect(to string) (reply, error) {
	return reply{status: http.StatusFound, header: http.Header{"Location": {to}, "Cache-Control": {"no-store"}}}, nil
}

// ownPath gives a path that stays on this server: one slash first, nothing that a
// browser could take for a host.
func ownPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
