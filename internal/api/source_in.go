package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// Members of config.
const (
	memberSecret    = "secret"
	memberPublicKey = "publicKey"
)

const (
	maxSourceSecrets = 10
	maxSourceSecret  = 16 << 10 // bytes; public keys are long
)

// sourceEdit is what a call states of a source. What is absent stays as it is.
type sourceEdit struct {
	apitype.SourcePatch
	routes []hook.SourceRoute // of the options, with ids
}

// sourceEdit reads a POST or PUT, which leave out nothing but options.
func (c *call) sourceEdit(in *apitype.SourceIn) (*sourceEdit, error) {
	patch := in.Patch()
	return c.sourcePatch(&patch)
}

func (c *call) sourcePatch(in *apitype.SourcePatch) (*sourceEdit, error) {
	routes, err := c.sourceRoutes(in.Routes.Else(nil))
	return &sourceEdit{SourcePatch: *in, routes: routes}, err
}

// editSource changes s and checks the whole of it. It looks nothing up, for it runs
// in a transaction.
func (c *call) editSource(s *hook.Source, in *sourceEdit) error {
	var k checker
	if name, given := notNull(&k, in.Name, "name"); given {
		s.Name = k.displayName(name)
	}
	if !in.UID.IsZero() {
		s.UID = k.uid(in.UID, hook.KindSource)
	}
	if !in.Metadata.IsZero() {
		s.Metadata = k.metadata(in.Metadata.Else(nil))
	}
	s.UpdatedAt = c.now
	if name, given := notNull(&k, in.Type, "type"); given {
		c.chooseType(&k, s, name)
	}
	if err := k.err(); err != nil {
		return err
	}
	before := s.Settings.Cron
	k.verification(s, in.Verification)
	config := c.sourceConfig(&k, s, in.Config)
	k.sourceOptions(s, in, c.MaxBody)
	if !in.Cron.IsZero() {
		k.cron(s, in, c.MaxBody)
	}
	texts, err := c.sourceSecrets(&k, s, config, in)
	if err != nil {
		return err
	}
	c.schedule(&k, s, before, in)
	if err := k.err(); err != nil {
		return err
	}
	if err := c.CheckSource(s, texts); err != nil {
		return inConfig(err, config != "")
	}
	return nil
}

// inConfig names the place of a wrong secret as the caller gave it.
func inConfig(err error, given bool) error {
	var e *hook.Error
	if !given || !errors.As(err, &e) {
		return err
	}
	for i, f := range e.Fields {
		if len(f.Loc) > 1 && f.Loc[1] == "secrets" {
			e.Fields[i].Loc = []string{"body", "config", memberSecret}
		}
	}
	return err
}

// verification states the provider's settings; those that make the type what it is
// stay below them.
func (k *checker) verification(s *hook.Source, given apitype.Optional[json.RawMessage]) {
	if given.IsZero() {
		return
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(given.Else(json.RawMessage(emptyPayload)), &members); err != nil {
		k.bad("must be an object", "verification")
		return
	}
	var err error
	if s.Settings.Verification, err = mergeMembers(typeSettings(s), members); err != nil {
		k.bad("cannot be stored", "verification")
	}
}

// sourceConfig reads the members by type. It gives the secret; empty: it has none.
func (c *call) sourceConfig(k *checker, s *hook.Source, given apitype.Optional[json.RawMessage]) (secret string) {
	text, ok := given.Get()
	if !ok {
		return ""
	}
	if s.Type == typeCron {
		cron, err := strictly[apitype.SourceCron](text)
		if err != nil {
			k.bad("must be an object with schedule and payload, and contentType, timeZone and eventType if need be", "config")
			return ""
		}
		k.checkCron(&cron, c.MaxBody, "config")
		settings := hook.CronSettings(cron)
		s.Settings.Cron = &settings
		return ""
	}
	config, err := strictly[struct {
		Secret      *string `json:"secret"`
		PublicKey   *string `json:"publicKey"`
		VerifyToken *string `json:"verifyToken"`
		Grace       *uint32 `json:"timestampGraceSeconds"`
	}](text)
	if err != nil {
		k.bad("must be an object with no other members than secret or publicKey, verifyToken and timestampGraceSeconds", "config")
		return ""
	}
	added := map[string]json.RawMessage{}
	if config.VerifyToken != nil {
		added["verifyToken"], _ = json.Marshal(*config.VerifyToken) //nolint:errchkjson // a string always encodes
	}
	if config.Grace != nil {
		added["toleranceSeconds"] = json.RawMessage(strconv.FormatUint(uint64(*config.Grace), 10))
	}
	if s.Settings.Verification, err = mergeMembers(s.Settings.Verification, added); err != nil {
		k.bad("cannot be stored", "config")
	}
	name, value := memberSecret, config.Secret
	if config.PublicKey != nil {
		if value != nil {
			k.bad("must not have both secret and publicKey", "config")
		}
		name, value = memberPublicKey, config.PublicKey
	}
	if value == nil {
		return ""
	}
	k.sourceSecret(*value, "config", name)
	return *value
}

// strictly reads an object that has no members but those of T.
func strictly[T any](text json.RawMessage) (v T, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return v, dec.Decode(&v)
}

func (k *checker) sourceSecret(value string, path ...string) {
	if value == "" || len(value) > maxSourceSecret {
		k.bad("must be 1 to 16384 bytes", path...)
	}
}

// sourceSecrets replaces the secrets if the call states them, and gives the texts of
// all that are in s then.
func (c *call) sourceSecrets(k *checker, s *hook.Source, config string, in *sourceEdit) ([]string, error) {
	stated := in.Secrets.Else(nil)
	switch {
	case config != "" && !in.Secrets.IsZero():
		k.bad("cannot be given together with a secret in config", "secrets")
		return nil, nil
	case config != "":
		stated = []apitype.SourceSecretIn{{Value: config}}
	case in.Secrets.IsZero():
		return c.openSourceSecrets(s)
	}
	if len(stated) > maxSourceSecrets {
		k.bad("must have at most 10 items", "secrets")
		return nil, nil
	}
	s.Secrets = nil
	var texts []string
	for i, secret := range stated {
		at := "[" + strconv.Itoa(i) + "]"
		until := secret.ExpiresAt.Else(time.Time{})
		if config == "" {
			k.sourceSecret(secret.Value, "secrets", at, "value")
		}
		if slices.Contains(texts, secret.Value) {
			k.bad("is there twice", "secrets", at, "value")
		}
		if !until.IsZero() && !c.now.Before(until) {
			k.bad("must be in the future", "secrets", at, "expiresAt")
		}
		sealed, err := c.Seal(hook.PurposeSourceSecret, s.ID, []byte(secret.Value))
		if err != nil {
			return nil, err
		}
		s.Secrets = append(s.Secrets, hook.SealedSecret{Sealed: sealed, ExpiresAt: until.UTC().Truncate(time.Microsecond)})
		texts = append(texts, secret.Value)
	}
	return texts, nil
}

// openSourceSecrets gives the texts of the secrets.
func (c *call) openSourceSecrets(s *hook.Source) ([]string, error) {
	texts := make([]string, len(s.Secrets))
	for i, secret := range s.Secrets {
		text, err := c.Open(hook.PurposeSourceSecret, s.ID, secret.Sealed)
		if err != nil {
			return nil, err
		}
		texts[i] = string(text)
	}
	return texts, nil
}

// schedule decides when a cron source makes its next event. A schedule that stays as
// it was keeps its next time.
func (c *call) schedule(k *checker, s *hook.Source, before *hook.CronSettings, in *sourceEdit) {
	cron := s.Settings.Cron
	switch {
	case s.Type != typeCron:
		s.NextFire = time.Time{}
		if cron != nil {
			k.bad("is for sources of type cron only", "cron")
		}
		return
	case cron == nil:
		k.bad("is needed for a source of type cron: schedule and payload", "cron")
		return
	}
	next, err := c.NextFire(*cron, c.now)
	if err != nil {
		place := "cron"
		if in.Cron.IsZero() {
			place = "config"
		}
		k.bad(messageOf(err), place, "schedule")
		return
	}
	same := before != nil && before.Schedule == cron.Schedule && before.TimeZone == cron.TimeZone
	switch {
	case s.Disabled:
		s.NextFire = time.Time{}
	case !same || s.NextFire.IsZero():
		s.NextFire = next
	}
}
