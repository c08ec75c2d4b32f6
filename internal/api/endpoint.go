package api

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	maxURL              = 65536
	maxEndpointChannels = 10
)

// endpointStore keeps endpoints. See package store for what each promises.
type endpointStore interface {
	CreateEndpoint(ctx context.Context, e *hook.Endpoint, limit int, once *hook.IdempotencyKey) (hook.Endpoint, bool, error)
	FindEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref) (hook.Endpoint, error)
	ListEndpoints(ctx context.Context, env, app hook.ID, p hook.Page) (hook.PageOf[hook.Endpoint], error)
	UpdateEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, once *hook.IdempotencyKey, change func(*hook.Endpoint) error) (hook.Endpoint, bool, error)
	DeleteEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, now time.Time) (hook.ID, error)
}

func createEndpoint(c *call) (reply, error) {
	app, err := c.app()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.EndpointIn](c)
	if err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	update := in.Update()
	e, err := c.newEndpoint(app, &update, in.Secret, in.Headers.Else(nil))
	if err != nil {
		return reply{}, err
	}
	made, _, err := c.Store.CreateEndpoint(c.ctx(), e, c.EndpointLimit, once)
	if err != nil {
		return reply{}, err
	}
	return created(endpointOut(&made))
}

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
	e.EventTypes = k.eventTypes(in.EventTypes, in.FilterTypes)
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

func (k *checker) eventTypes(newer, older apitype.Optional[[]string]) []string {
	types, given := newer.Or(older).Get()
	return k.names(types, given, 0, isName, nameRule, typesField(newer))
}

// knownTypes checks that the event types of an endpoint exist and can be chosen.
func (c *call) knownTypes(k *checker, names []string, field string) error {
	if len(names) == 0 || len(k.fields) > 0 {
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
	}
	return nil
}

func listEndpoints(c *call) (reply, error) {
	app, err := c.app()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	p := q.page(hook.KindEndpoint, false, true)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	page, err := c.Store.ListEndpoints(c.ctx(), c.key.Env, app, p)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page, endpointKey, endpointOut))
}

func getEndpoint(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	return ok(endpointOut(&e))
}

// putEndpoint changes the endpoint of the path, or creates it, see putApplication.
func putEndpoint(c *call) (reply, error) {
	app, ref, err := c.appAndEndpoint()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.EndpointUpdate](c)
	if err != nil {
		return reply{}, err
	}
	if in.UID.IsZero() && ref.UID != "" {
		in.UID = apitype.Some(ref.UID)
	}
	var k checker
	var probe hook.Endpoint
	userinfo := c.fillEndpoint(&k, &probe, &in)
	if err := c.knownTypes(&k, probe.EventTypes, typesField(in.EventTypes)); err != nil {
		return reply{}, err
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	var e hook.Endpoint
	return upsert(ref,
		func() error {
			e, err = c.updateEndpoint(app, ref, nil, func(e *hook.Endpoint) error {
				c.fillEndpoint(&checker{}, e, &in)
				return c.adoptUserinfo(e, userinfo)
			})
			return err
		},
		func() error {
			fresh, err := c.newEndpoint(app, &in, apitype.Optional[string]{}, nil)
			if err != nil {
				return err
			}
			e, _, err = c.Store.CreateEndpoint(c.ctx(), fresh, c.EndpointLimit, nil)
			return err
		},
		func() (any, error) { return endpointOut(&e), nil })
}

func patchEndpoint(c *call) (reply, error) {
	app, ref, err := c.appAndEndpoint()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.EndpointPatch](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	var probe hook.Endpoint
	userinfo := c.patchedEndpoint(&k, &probe, &in)
	if err := c.knownTypes(&k, probe.EventTypes, typesField(in.EventTypes)); err != nil {
		return reply{}, err
	}
	secret, given := in.Secret.Get()
	if given {
		k.secret(c.CheckSecret(secret), "secret")
	} else if in.Secret.IsNull() {
		secret = c.NewSecret()
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	if !in.Secret.IsZero() && !c.maySetSecret() {
		return reply{}, notAllowed("The token lacks the capability ManageEndpointSecret.")
	}
	e, err := c.updateEndpoint(app, ref, nil, func(e *hook.Endpoint) error {
		c.patchedEndpoint(&checker{}, e, &in)
		if secret != "" {
			if err := c.replaceSecret(e, secret, 0); err != nil {
				return err
			}
		}
		return c.adoptUserinfo(e, userinfo)
	})
	if err != nil {
		return reply{}, err
	}
	return ok(endpointOut(&e))
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
		e.EventTypes = k.eventTypes(in.EventTypes, in.FilterTypes)
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

func deleteEndpoint(c *call) (reply, error) {
	app, ref, err := c.appAndEndpoint()
	if err != nil {
		return reply{}, err
	}
	id, err := c.Store.DeleteEndpoint(c.ctx(), c.key.Env, app, ref, c.now)
	if err != nil {
		return reply{}, err
	}
	c.EndpointChanged(id, 0, hook.ReasonEndpointDeleted)
	return noContent()
}

// updateEndpoint changes an endpoint and tells the engine before the answer.
func (c *call) updateEndpoint(app hook.ID, ref hook.Ref, once *hook.IdempotencyKey, change func(*hook.Endpoint) error) (hook.Endpoint, error) {
	e, duplicate, err := c.Store.UpdateEndpoint(c.ctx(), c.key.Env, app, ref, once, change)
	if err != nil || duplicate {
		return e, err
	}
	closed := hook.ReasonNone
	if e.Disabled {
		closed = hook.ReasonEndpointDisabled
	}
	c.EndpointChanged(e.ID, e.Revision, closed)
	return e, nil
}

func (c *call) appAndEndpoint() (app hook.ID, ref hook.Ref, err error) {
	if ref, err = parseRef(hook.KindEndpoint, c.value("ep"), "endpoint"); err != nil {
		return app, ref, err
	}
	app, err = c.app()
	return app, ref, err
}

// endpoint finds the endpoint of the path.
func (c *call) endpoint() (hook.Endpoint, error) {
	app, ref, err := c.appAndEndpoint()
	if err != nil {
		return hook.Endpoint{}, err
	}
	return c.Store.FindEndpoint(c.ctx(), c.key.Env, app, ref)
}

func endpointKey(e *hook.Endpoint) string { return hook.KindEndpoint.Format(e.ID) }

func endpointOut(e *hook.Endpoint) apitype.EndpointOut {
	return apitype.EndpointOut{EndpointFacts: endpointFacts(e), Metadata: mapOut(e.Metadata)}
}

func endpointFacts(e *hook.Endpoint) apitype.EndpointFacts {
	rate, types := rateOut(e.ThrottleRate), listOut(e.EventTypes)
	return apitype.EndpointFacts{
		ID: endpointKey(e), UID: textOut(e.UID), URL: e.URL, Description: e.Description,
		Disabled: e.Disabled, DisabledReason: e.DisabledReason.String(), DisabledAt: timeOut(e.DisabledAt),
		FailingSince: timeOut(e.FailingSince), EventTypes: types, FilterTypes: types, Channels: listOut(e.Channels),
		ThrottleRate: rate, RateLimit: rate, Version: apitype.EndpointVersion,
		CreatedAt: e.CreatedAt.UTC(), UpdatedAt: e.UpdatedAt.UTC(),
	}
}

// basicAuth is the header that stands for userinfo in a URL.
func basicAuth(userinfo string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(userinfo))
}
