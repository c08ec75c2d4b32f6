package api

import (
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	defaultGrace  = 24 * time.Hour
	maxGrace      = 7 * 24 * time.Hour
	maxOldSecrets = 10
)

// secret notes what is wrong with a signing secret.
func (k *checker) secret(err error, field string) {
	if err != nil {
		k.bad(messageOf(err), field)
	}
}

func getSecret(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	text, err := c.Open(hook.PurposeSecret, e.ID, e.Secrets[0].Sealed)
	if err != nil {
		return reply{}, err
	}
	shown, err := c.PublicSecret(string(text))
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.EndpointSecretOut{Key: shown})
}

// rotateSecret replaces the signing secret; deliveries carry signatures by the old
// one as well until the grace period ends.
func rotateSecret(c *call) (reply, error) {
	app, ref, err := c.appAndEndpoint()
	if err != nil {
		return reply{}, err
	}
	in, err := decodeOptional[apitype.EndpointSecretRotateIn](c)
	if err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	var k checker
	text, given := in.Key.Get()
	if given {
		k.secret(c.CheckSecret(text), "key")
	} else {
		text = c.NewSecret()
	}
	grace := defaultGrace
	if seconds, given := in.GracePeriodSeconds.Get(); given {
		if grace = time.Duration(seconds) * time.Second; grace > maxGrace {
			k.bad("must be from 0 to 604800", "gracePeriodSeconds")
		}
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	_, err = c.updateEndpoint(app, ref, once, func(e *hook.Endpoint) error {
		e.UpdatedAt = c.now
		return c.replaceSecret(e, text, grace)
	})
	if err != nil {
		return reply{}, err
	}
	return noContent()
}

// replaceSecret makes text the current secret and keeps the old one for the grace
// period. Secrets whose time is over are dropped.
func (c *call) replaceSecret(e *hook.Endpoint, text string, grace time.Duration) error {
	sealed, err := c.Seal(hook.PurposeSecret, e.ID, []byte(text))
	if err != nil {
		return err
	}
	next := []hook.SealedSecret{{Sealed: sealed}}
	for _, old := range e.Secrets {
		if old.ExpiresAt.IsZero() {
			old.ExpiresAt = c.now.Add(grace)
		}
		if c.now.Before(old.ExpiresAt) {
			next = append(next, old)
		}
	}
	if len(next)-1 > maxOldSecrets {
		return &hook.Error{Code: hook.CodeLimitReached, Detail: "Ten old secrets of this endpoint are still valid; wait until one of them expires."}
	}
	e.Secrets = next
	return nil
}

// maySetSecret reports whether the caller may change signing secrets, for calls that
// do so besides something else.
func (c *call) maySetSecret() bool {
	if c.key.App.IsZero() || len(c.key.Scopes) == 0 {
		return true
	}
	return slices.ContainsFunc(rightManageSecret.capabilities(), func(capability apitype.PortalCapability) bool {
		return slices.Contains(c.key.Scopes, string(capability))
	})
}
