package api

import (
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// tokenGrace is how long a former URL works, and maxOldTokens how many of them.
	tokenGrace   = 48 * time.Hour
	maxOldTokens = 3
	// maxSecretGrace is longer than that of endpoints: the other side is another company.
	maxSecretGrace = 30 * 24 * time.Hour
)

// rotateToken gives a source a new URL; the old one works for another 48 hours.
func rotateToken(c *call) (reply, error) {
	ref, err := c.sourceRef()
	if err != nil {
		return reply{}, err
	}
	if _, err := c.readBody(c.MaxBody); err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	s, err := c.updateSource(ref, once, func(s *hook.Source) error {
		if s.Type == typeCron {
			return hook.Invalid("has no URL, for it makes its events itself", "path", "source_id")
		}
		old := slices.Clone(s.Tokens)
		if len(old) > 0 {
			old[0].ExpiresAt = c.now.Add(tokenGrace)
		}
		old = slices.DeleteFunc(old, func(t hook.SourceToken) bool { return !c.now.Before(t.ExpiresAt) })
		if len(old) > maxOldTokens {
			return &hook.Error{Code: hook.CodeLimitReached, Detail: "Three former URLs of this source still work; wait until one of them ends, 48 hours after it was replaced."}
		}
		token, err := c.newSourceToken(s.ID)
		s.Tokens = append([]hook.SourceToken{token}, old...)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	url, err := c.ingestURL(&s)
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.RotateTokenOut{IngestURL: url})
}

func getSourceSecrets(c *call) (reply, error) {
	s, err := c.source()
	if err != nil {
		return reply{}, err
	}
	texts, err := c.openSourceSecrets(&s)
	if err != nil {
		return reply{}, err
	}
	out := apitype.SourceSecretsOut{Secrets: []apitype.SourceSecretText{}}
	for i, text := range texts {
		out.Secrets = append(out.Secrets, apitype.SourceSecretText{Value: text, ExpiresAt: timeOut(s.Secrets[i].ExpiresAt)})
	}
	return ok(out)
}

// rotateSourceSecret puts a secret in the place of the current one, which verifies
// until the grace period ends. Secrets whose time is over are dropped.
func rotateSourceSecret(c *call) (reply, error) {
	ref, err := c.sourceRef()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.SourceSecretRotateIn](c)
	if err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	var k checker
	k.sourceSecret(in.Value, "value")
	grace := defaultGrace
	if seconds, given := in.GracePeriodSeconds.Get(); given {
		if grace = time.Duration(seconds) * time.Second; grace > maxSecretGrace {
			k.bad("must be from 0 to 2592000", "gracePeriodSeconds")
		}
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	_, err = c.updateSource(ref, once, func(s *hook.Source) error { return c.addSourceSecret(s, in.Value, grace) })
	if err != nil {
		return reply{}, err
	}
	return noContent()
}

func (c *call) addSourceSecret(s *hook.Source, value string, grace time.Duration) error {
	texts, err := c.openSourceSecrets(s)
	if err != nil {
		return err
	}
	sealed, err := c.Seal(hook.PurposeSourceSecret, s.ID, []byte(value))
	if err != nil {
		return err
	}
	secrets, kept := []hook.SealedSecret{{Sealed: sealed}}, []string{value}
	for i, old := range s.Secrets {
		if old.ExpiresAt.IsZero() {
			old.ExpiresAt = c.now.Add(grace)
		}
		if c.now.Before(old.ExpiresAt) && texts[i] != value {
			secrets, kept = append(secrets, old), append(kept, texts[i])
		}
	}
	if len(secrets) > maxSourceSecrets {
		return &hook.Error{Code: hook.CodeLimitReached, Detail: "Nine old secrets of this source still verify; remove one, or wait until one of them expires."}
	}
	s.Secrets = secrets
	return c.CheckSource(s, kept)
}
