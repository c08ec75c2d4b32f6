package api

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	maxURL              = 65536
	maxEndpointChannels = 10
)

// newEndpoint checks the input and gives it an id, a sealed secret and sealed headers.
func (c *call) newEndpoint(app hook.ID, in *apitype.EndpointUpdate, givenSecret apitype.Optional[string], givenHeaders map[string]string) (*hook.Endpoint, error) {
	e := &hook.Endpoint{ID: hook.NewID(c.now), App: app, Env: c.key.Env, CreatedAt: c.now}
	var k checker
	userinfo := c.fillEndpoint(&k, e, in)
	headers := k.newHeaders(givenHeaders)
	secret, given := givenSecret.Get()
	if given {
		k.secret(c.CheckSecret(secret), "secret")
	} else {
		secret = c.NewSecret()
	}
	if err := c.knownTypes(&k, e.EventTypes, typesField(in.EventTypes)); err != nil {
		return nil, err
	}
	if err := k.err(); err != nil {
		return nil, err
	}
	if userinfo != "" {
		headers.setUserinfo(userinfo)
	}
	sealed, err := c.Seal(hook.PurposeSecret, e.ID, []byte(secret))
	if err != nil {
		return nil, err
	}
	e.Secrets = []hook.SealedSecret{{Sealed: sealed}}
	return e, c.sealHeaders(e, headers)
}

// fillEndpoint states all of e but its secret and headers, as POST and PUT do. It
// gives the userinfo that was part of the URL.
func (c *call) fillEndpoint(k *checker, e *hook.Endpoint, in *apitype.EndpointUpdate) (userinfo string) {
	e.URL, userinfo = c.checkURL(k, in.URL)
	e.Description = k.description(in.Description.Else(""))
	e.UID = k.uid(in.UID, hook.KindEndpoint)
	e.EventTypes = c.eventTypes(k, in.EventTypes, in.FilterTypes)
	channels, given := in.Channels.Get()
	e.Channels = k.names(channels, given, maxEndpointChannels, isChannel, channelRule, "channels")
	e.ThrottleRate = k.rate(in.ThrottleRate, in.RateLimit)
	e.Metadata = k.metadata(in.Metadata.Else(nil))
	k.version(in.Version)
	c.switchEndpoint(e, in.Disabled.Else(false))
	e.UpdatedAt = c.now
	return userinfo
}

// switchEndpoint disables or enables; an endpoint that is in that state already
// keeps since when and why.
func (c *call) switchEndpoint(e *hook.Endpoint, disabled bool) {
	switch {
	case disabled:
		e.Disable(hook.DisabledByUser, c.now)
	case e.Disabled:
		e.Enable()
	}
}

// checkURL applies the network policy to the form of a URL.
func (c *call) checkURL(k *checker, raw string) (clean, userinfo string) {
	if raw == "" || len(raw) > maxURL {
		k.bad("must be 1 to 65536 characters", "url")
		return "", ""
	}
	clean, userinfo, err := c.CheckURL(raw)
	if err != nil {
		k.bad(messageOf(err), "url")
	}
	return clean, userinfo
}

// messageOf gives the text of an error that is fit to show.
func messageOf(err error) string {
	var e *hook.Error
	switch {
	case !errors.As(err, &e):
		return err.Error()
	case len(e.Fields) > 0:
		return e.Fields[0].Msg
	}
	return e.Detail
}

func (k *checker) version(o apitype.Optional[uint16]) {
	if v, given := o.Get(); given && v < 1 {
		k.bad("must be at least 1", "version")
	}
}

// typesField is the name under which event types were given.
func typesField(newer apitype.Optional[[]string]) string {
	if newer.IsZero() {
		return "filterTypes"
	}
	return "eventTypes"
}

// eventTypes checks the types that an endpoint asks for. Those of a source are words
// of the provider and in no catalogue.
func (c *call) eventTypes(k *checker, newer, older apitype.Optional[[]string]) []string {
	types, given := newer.Or(older).Get()
	if c.ofSource {
		return k.names(types, given, 0, isWord, wordRule, typesField(newer))
	}
	return k.names(types, given, 0, isName, nameRule, typesField(newer))
}

// knownTypes checks that the event types of an endpoint exist and can be chosen.
func (c *call) knownTypes(k *checker, names []string, field string) error {
	if len(names) == 0 || len(k.fields) > 0 || c.ofSource {
		return nil
	}
	found, err := c.Store.FindEventTypes(c.ctx(), c.key.Env, names)
	if err != nil {
		return err
	}
	var missing []string
	for _, name := range names {
		if !slices.ContainsFunc(found, func(t hook.EventType) bool { return t.Name == name && !t.Archived && c.sees(&t) }) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		k.bad("these event types do not exist or are archived: "+strings.Join(missing, ", "), field)
		k.hint = "Create it with POST /api/v1/event-type, or leave the list out to take all."
	}
	return nil
}

// patchedEndpoint changes the members that are present.
func (c *call) patchedEndpoint(k *checker, e *hook.Endpoint, in *apitype.EndpointPatch) (userinfo string) {
	if raw, given := notNull(k, in.URL, "url"); given {
		e.URL, userinfo = c.checkURL(k, raw)
	}
	if text, given := notNull(k, in.Description, "description"); given {
		e.Description = k.description(text)
	}
	if !in.UID.IsZero() {
		e.UID = k.uid(in.UID, hook.KindEndpoint)
	}
	if disabled, given := notNull(k, in.Disabled, "disabled"); given {
		c.switchEndpoint(e, disabled)
	}
	if !in.EventTypes.IsZero() || !in.FilterTypes.IsZero() {
		e.EventTypes = c.eventTypes(k, in.EventTypes, in.FilterTypes)
	}
	if !in.Channels.IsZero() {
		channels, given := in.Channels.Get()
		e.Channels = k.names(channels, given, maxEndpointChannels, isChannel, channelRule, "channels")
	}
	if !in.ThrottleRate.IsZero() || !in.RateLimit.IsZero() {
		e.ThrottleRate = k.rate(in.ThrottleRate, in.RateLimit)
	}
	if !in.Metadata.IsZero() {
		e.Metadata = k.metadata(in.Metadata.Else(nil))
	}
	k.version(in.Version)
	e.UpdatedAt = c.now
	return userinfo
}

// basicAuth is the header that stands for userinfo in a URL.
func basicAuth(userinfo string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(userinfo))
}
