package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// ownEnvironment is what a caller may write for the id of its own environment.
const ownEnvironment = "-"

// inOwnEnvironment checks the environment in the path: a key sees only its own.
func (c *call) inOwnEnvironment() error {
	text := c.value("env")
	if text == ownEnvironment {
		return nil
	}
	env, err := hook.KindEnvironment.Parse(text)
	switch {
	case err != nil:
		return hook.Invalid("is not a valid id", "path", "env_id")
	case env != c.key.Env:
		return hook.NotFound("environment")
	}
	return nil
}

func listAPITokens(c *call) (reply, error) {
	if err := c.inOwnEnvironment(); err != nil {
		return reply{}, err
	}
	q := c.params()
	p := q.page(hook.KindKey, false, true)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	page, err := c.Store.ListKeys(c.ctx(), c.key.Env, p)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page,
		func(k *hook.Key) string { return hook.KindKey.Format(k.ID) },
		func(k *hook.Key) apitype.APITokenCensoredOut {
			return apitype.APITokenCensoredOut{
				ID: hook.KindKey.Format(k.ID), CensoredToken: k.CensoredText, Name: textOut(k.Name), Scopes: listOut(k.Scopes),
				CreatedAt: k.CreatedAt.UTC(), ExpiresAt: timeOut(k.ExpiresAt), LastUsedAt: timeOut(k.LastUsedAt),
			}
		}))
}

// createAPIToken makes a key of the caller's environment. Like every call that shows
// a new secret it does not look at the idempotency key.
func createAPIToken(c *call) (reply, error) {
	if err := c.inOwnEnvironment(); err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.APITokenIn](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	key := hook.Key{ID: hook.NewID(c.now), Env: c.key.Env, Name: k.displayName(in.Name), CreatedAt: c.now}
	wanted, given := in.Scopes.Get()
	if given {
		key.Scopes = k.names(wanted, true, 0, func(s string) bool { return slices.Contains(scopes, s) },
			"must be one of "+strings.Join(scopes, ", "), "scopes")
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	if !covers(c.key.Scopes, key.Scopes) {
		return reply{}, notAllowed("A key cannot make one that may do more than itself.")
	}
	token, err := c.newKey(&key, false)
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.APITokenOut{
		ID: hook.KindKey.Format(key.ID), Token: token, Name: textOut(key.Name), Scopes: listOut(key.Scopes), CreatedAt: key.CreatedAt,
	})
}

// covers reports whether a key with these scopes may do all that wanted would; no
// scopes are all.
func covers(have, wanted []string) bool {
	if len(have) == 0 {
		return true
	}
	return len(wanted) > 0 && !slices.ContainsFunc(wanted, func(s string) bool { return !slices.Contains(have, s) })
}

func expireAPIToken(c *call) (reply, error) {
	if err := c.inOwnEnvironment(); err != nil {
		return reply{}, err
	}
	id, err := hook.KindKey.Parse(c.value("key"))
	if err != nil {
		return reply{}, hook.Invalid("is not a valid id", "path", "key_id")
	}
	in, err := decodeOptional[apitype.APITokenExpireIn](c)
	if err != nil {
		return reply{}, err
	}
	after := in.Expiry.Else(0)
	if after < 0 || after > maxExpireIn {
		return reply{}, hook.Invalid("must be from 0 to "+strconv.Itoa(maxExpireIn), "body", "expiry")
	}
	if err := c.Store.ExpireKey(c.ctx(), c.key.Env, id, c.now.Add(time.Duration(after)*time.Second)); err != nil {
		return reply{}, err
	}
	c.Forget()
	return noContent()
}

// health answers when the store can be read and written.
func health(c *call) (reply, error) {
	if err := c.Store.Ping(c.ctx()); err != nil {
		return reply{}, hook.Unavailable(err)
	}
	return noContent()
}

// healthPing answers whenever the process does.
func healthPing(*call) (reply, error) { return noContent() }
