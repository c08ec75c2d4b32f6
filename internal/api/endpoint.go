package api

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
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
	app, err := c.owner()
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

func listEndpoints(c *call) (reply, error) {
	app, err := c.owner()
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
	app, err = c.owner()
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
