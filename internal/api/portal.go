package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	minPortal      = 3600   // seconds
	maxPortal      = 604800 // seconds
	maxExpireIn    = 259200 // seconds
	maxFlags       = 25
	maxSession     = 64
	maxSessions    = 1000
	censoredLength = 4
)

// keyStore keeps keys and tokens. See package store for what each promises.
type keyStore interface {
	CreateKey(ctx context.Context, k *hook.Key) error
	ListKeys(ctx context.Context, env hook.ID, p hook.Page) (hook.PageOf[hook.Key], error)
	ExpireKey(ctx context.Context, env, key hook.ID, at time.Time) error
	ExpireAppKeys(ctx context.Context, env, app hook.ID, sessions []string, at time.Time) error
}

var capabilities = []apitype.PortalCapability{
	apitype.ViewBase, apitype.ViewEndpointSecret, apitype.ManageEndpointSecret,
	apitype.ManageTransformations, apitype.CreateAttempts, apitype.ManageEndpoint,
}

// portalAccess makes a token for the customer portal of one application, and the
// link that opens it. It does not look at the idempotency key: a token is shown
// once and not kept, so a second call makes a second token.
func portalAccess(c *call) (reply, error) {
	in, err := decodeOptional[apitype.PortalAccessIn](c)
	if err != nil {
		return reply{}, err
	}
	k := hook.Key{ID: hook.NewID(c.now), Env: c.key.Env, CreatedAt: c.now}
	if err := c.fillPortalKey(&k, &in); err != nil {
		return reply{}, err
	}
	var application []byte
	if a, given := in.Application.Get(); given {
		if application, err = json.Marshal(a); err != nil {
			return reply{}, err
		}
	}
	if k.App, err = c.ensureApplication(application); err != nil {
		return reply{}, err
	}
	// An id in the path was not looked up so far.
	owner, err := c.Store.FindApplication(c.ctx(), c.key.Env, hook.Ref{ID: k.App})
	if err == nil && owner.Source {
		err = hook.NotFound("application")
	}
	if err != nil {
		return reply{}, err
	}
	token, err := c.newKey(&k, true)
	if err != nil {
		return reply{}, err
	}
	url, err := c.portalLink(&k)
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.PortalAccessOut{URL: url, Token: token})
}

// newKey makes the token of k and stores k.
func (c *call) newKey(k *hook.Key, app bool) (token string, err error) {
	token, k.Hash = c.NewToken(app)
	k.CensoredText = token[:3] + "…" + token[len(token)-censoredLength:]
	return token, c.Store.CreateKey(c.ctx(), k)
}

func (c *call) fillPortalKey(key *hook.Key, in *apitype.PortalAccessIn) error {
	var k checker
	life := in.Expiry.Else(maxPortal)
	if life < minPortal || life > maxPortal {
		k.bad("must be from 3600 to 604800", "expiry")
	}
	key.ExpiresAt = c.now.Add(time.Duration(min(life, maxPortal)) * time.Second)
	if session, given := in.SessionID.Get(); given {
		key.SessionID = k.session(session, "sessionId")
	}
	if flags := in.FeatureFlags.Else(nil); len(flags) > maxFlags {
		k.bad("must have at most 25 items", "featureFlags")
	} else {
		k.labels(flags, isName, nameRule, "featureFlags")
		key.FeatureFlags = flags
	}
	if list, given := in.Capabilities.Get(); given {
		key.Scopes = k.capabilities(list)
	}
	if in.ReadOnly.Else(false) {
		if in.Capabilities.IsNull() || in.Capabilities.IsZero() {
			key.Scopes = []string{string(apitype.ViewBase)}
		} else {
			k.bad("cannot be given together with capabilities", "readOnly")
		}
	}
	return k.err()
}

func (k *checker) capabilities(list []apitype.PortalCapability) []string {
	if len(list) == 0 {
		k.bad("must not be empty; leave it out for all", "capabilities")
	}
	out := make([]string, len(list))
	for i, capability := range list {
		if !slices.Contains(capabilities, capability) {
			k.bad("is not a capability", "capabilities", "["+strconv.Itoa(i)+"]")
		}
		out[i] = string(capability)
	}
	return out
}

// session checks a name by which tokens can be revoked.
func (k *checker) session(s string, path ...string) string {
	valid := s != "" && len(s) <= maxSession
	for i := range len(s) {
		valid = valid && (s[i] == '@' || s[i] != '.' && alphabet[s[i]]&inName != 0)
	}
	if !valid {
		k.bad("must be 1 to 64 letters, digits or @ _ -", path...)
	}
	return s
}

// expireAll ends the tokens of an application, all or by session.
func expireAll(c *call) (reply, error) {
	in, err := decodeOptional[apitype.TokenExpireIn](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	after := in.Expiry.Else(0)
	if after < 0 || after > maxExpireIn {
		k.bad("must be from 0 to 259200", "expiry")
	}
	sessions := in.SessionIDs.Else(nil)
	if len(sessions) > maxSessions {
		k.bad("must have at most 1000 items", "sessionIds")
	}
	for i, s := range sessions {
		k.session(s, "sessionIds", "["+strconv.Itoa(i)+"]")
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	ref, err := c.appRef()
	if err != nil {
		return reply{}, err
	}
	a, err := c.Store.FindApplication(c.ctx(), c.key.Env, ref)
	if err != nil {
		return reply{}, err
	}
	if err := c.Store.ExpireAppKeys(c.ctx(), c.key.Env, a.ID, sessions, c.now.Add(time.Duration(after)*time.Second)); err != nil {
		return reply{}, err
	}
	c.Forget()
	return noContent()
}

// logout ends the app token that the caller presents.
func logout(c *call) (reply, error) {
	if err := c.Store.ExpireKey(c.ctx(), c.key.Env, c.key.ID, c.now); err != nil {
		return reply{}, err
	}
	c.Forget()
	header, err := c.forgetPortal()
	return reply{status: http.StatusNoContent, header: header}, err
}

// whoami says whose token the request carries.
func whoami(c *call) (reply, error) {
	env := hook.KindEnvironment.Format(c.key.Env)
	out := apitype.WhoamiOut{
		PermissionSource: apitype.PermissionUnknown, Kind: apitype.TokenEnvironment,
		EnvID: &env, SessionID: textOut(c.key.SessionID), ExpiresAt: timeOut(c.key.ExpiresAt),
	}
	if c.key.App.IsZero() {
		out.Scopes = c.key.Scopes
		return ok(out)
	}
	app := hook.KindApplication.Format(c.key.App)
	out.Kind, out.AppID, out.Capabilities = apitype.TokenApplication, &app, capabilitiesOf(&c.key)
	return ok(out)
}
