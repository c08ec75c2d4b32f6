package api

import (
	"context"
	"net/http"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// applicationStore keeps applications. See package store for what each promises.
type applicationStore interface {
	CreateApplication(ctx context.Context, a *hook.Application, once *hook.IdempotencyKey) (hook.Application, bool, error)
	FindApplication(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Application, error)
	ListApplications(ctx context.Context, env hook.ID, p hook.Page) (hook.PageOf[hook.Application], error)
	UpdateApplication(ctx context.Context, env hook.ID, ref hook.Ref, change func(*hook.Application) error) (hook.Application, error)
	DeleteApplication(ctx context.Context, env hook.ID, ref hook.Ref, now time.Time) ([]hook.ID, error)
}

func createApplication(c *call) (reply, error) {
	q := c.params()
	getIfExists := q.boolean("get_if_exists", false)
	in, err := decode[apitype.ApplicationIn](c)
	if err == nil {
		err = q.err()
	}
	if err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	a, err := c.newApplication(&in)
	if err != nil {
		return reply{}, err
	}
	made, _, err := c.Store.CreateApplication(c.ctx(), a, once)
	if getIfExists && a.UID != "" && isCode(err, hook.CodeConflict) {
		made, err = c.Store.FindApplication(c.ctx(), c.key.Env, hook.Ref{UID: a.UID})
		if err == nil {
			return ok(applicationOut(&made))
		}
	}
	if err != nil {
		return reply{}, err
	}
	return created(applicationOut(&made))
}

// newApplication checks the input and gives it an id.
func (c *call) newApplication(in *apitype.ApplicationIn) (*hook.Application, error) {
	a := &hook.Application{ID: hook.NewID(c.now), Env: c.key.Env, CreatedAt: c.now}
	return a, fillApplication(a, in, c.now)
}

// fillApplication states all of a, as POST and PUT do.
func fillApplication(a *hook.Application, in *apitype.ApplicationIn, now time.Time) error {
	var k checker
	a.Name = k.displayName(in.Name)
	a.UID = k.uid(in.UID, hook.KindApplication)
	a.ThrottleRate = k.rate(in.ThrottleRate, in.RateLimit)
	a.Metadata = k.metadata(in.Metadata.Else(nil))
	a.UpdatedAt = now
	return k.err()
}

func listApplications(c *call) (reply, error) {
	q := c.params()
	p := q.page(hook.KindApplication, true, true)
	filter := applicationFilter{
		noEndpoints:  q.boolean("exclude_apps_with_no_endpoints", false),
		someDisabled: q.boolean("exclude_apps_with_disabled_endpoints", false),
	}
	// Endpoints of that kind do not exist here, so the filter excludes nothing.
	q.boolean("exclude_apps_with_svix_play_endpoints", false)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	if q.values.Has("q") {
		return c.searchApplications(p, filter)
	}
	page, err := c.Store.ListApplications(c.ctx(), c.key.Env, p)
	if err != nil {
		return reply{}, err
	}
	list := listOf(page, applicationKey, applicationOut)
	if list.Data, err = c.exclude(filter, page.Items, list.Data); err != nil {
		return reply{}, err
	}
	return ok(list)
}

// applicationFilter leaves applications out of a list by their endpoints.
type applicationFilter struct{ noEndpoints, someDisabled bool }

// exclude drops what the filter leaves out. The page then has fewer rows than its
// limit; its iterator still names the last application looked at, so following it
// finds all the others.
func (c *call) exclude(f applicationFilter, items []hook.Application, out []apitype.ApplicationOut) ([]apitype.ApplicationOut, error) {
	if f == (applicationFilter{}) {
		return out, nil
	}
	kept := []apitype.ApplicationOut{}
	for i := range items {
		endpoints, disabled, err := c.endpointsOf(items[i].ID)
		if err != nil {
			return nil, err
		}
		if f.noEndpoints && endpoints == 0 || f.someDisabled && disabled > 0 {
			continue
		}
		kept = append(kept, out[i])
	}
	return kept, nil
}

// endpointsOf counts the endpoints of an application and the disabled ones.
func (c *call) endpointsOf(app hook.ID) (all, disabled int, err error) {
	p := hook.Page{Limit: maxLimit, Ascending: true}
	for {
		page, err := c.Store.ListEndpoints(c.ctx(), c.key.Env, app, p)
		if err != nil {
			return 0, 0, err
		}
		for i := range page.Items {
			all++
			if page.Items[i].Disabled {
				disabled++
			}
		}
		if !page.More {
			return all, disabled, nil
		}
		p.From = page.Items[len(page.Items)-1].ID
	}
}

func getApplication(c *call) (reply, error) {
	ref, err := c.ownerRef()
	if err != nil {
		return reply{}, err
	}
	a, err := c.Store.FindApplication(c.ctx(), c.key.Env, ref)
	if err == nil && a.Source != c.ofSource {
		err = hook.NotFound("application")
	}
	if err != nil {
		return reply{}, err
	}
	return ok(applicationOut(&a))
}

// putApplication changes the application of the path, or creates it. A uid that the
// path names and the body leaves out stays: calling twice changes nothing more.
func putApplication(c *call) (reply, error) {
	ref, err := c.appRef()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.ApplicationIn](c)
	if err != nil {
		return reply{}, err
	}
	if in.UID.IsZero() && ref.UID != "" {
		in.UID = apitype.Some(ref.UID)
	}
	var a hook.Application
	return upsert(ref,
		func() error {
			a, err = c.Store.UpdateApplication(c.ctx(), c.key.Env, ref, func(a *hook.Application) error {
				return fillApplication(a, &in, c.now)
			})
			c.apps.clear()
			return err
		},
		func() error {
			made, err := c.newApplication(&in)
			if err != nil {
				return err
			}
			a, _, err = c.Store.CreateApplication(c.ctx(), made, nil)
			return err
		},
		func() (any, error) { return applicationOut(&a), nil })
}

// upsert updates, or creates what is not there. Two callers may meet: who loses the
// race to create finds the object on the second try, and who updates what another
// has just deleted creates it.
func upsert(ref hook.Ref, update, create func() error, out func() (any, error)) (reply, error) {
	status := http.StatusOK
	for tries := 0; ; tries++ {
		err := update()
		if isCode(err, hook.CodeNotFound) && ref.ID.IsZero() {
			status, err = http.StatusCreated, create()
			if tries == 0 && (isCode(err, hook.CodeConflict) || isCode(err, hook.CodeEventTypeTaken)) {
				status = http.StatusOK
				continue
			}
		}
		if err != nil {
			return reply{}, err
		}
		body, err := out()
		return reply{status: status, body: body}, err
	}
}

func patchApplication(c *call) (reply, error) {
	ref, err := c.appRef()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.ApplicationPatch](c)
	if err != nil {
		return reply{}, err
	}
	a, err := c.Store.UpdateApplication(c.ctx(), c.key.Env, ref, func(a *hook.Application) error {
		return patchedApplication(a, &in, c.now)
	})
	c.apps.clear()
	if err != nil {
		return reply{}, err
	}
	return ok(applicationOut(&a))
}

// patchedApplication changes the members that are present.
func patchedApplication(a *hook.Application, in *apitype.ApplicationPatch, now time.Time) error {
	var k checker
	if name, given := notNull(&k, in.Name, "name"); given {
		a.Name = k.displayName(name)
	}
	if !in.UID.IsZero() {
		a.UID = k.uid(in.UID, hook.KindApplication)
	}
	if !in.ThrottleRate.IsZero() || !in.RateLimit.IsZero() {
		a.ThrottleRate = k.rate(in.ThrottleRate, in.RateLimit)
	}
	if !in.Metadata.IsZero() {
		a.Metadata = k.metadata(in.Metadata.Else(nil))
	}
	a.UpdatedAt = now
	return k.err()
}

func deleteApplication(c *call) (reply, error) {
	ref, err := c.appRef()
	if err != nil {
		return reply{}, err
	}
	endpoints, err := c.Store.DeleteApplication(c.ctx(), c.key.Env, ref, c.now)
	c.apps.clear()
	if err != nil {
		return reply{}, err
	}
	c.Forget()
	for _, id := range endpoints {
		c.EndpointChanged(id, 0, hook.ReasonEndpointDeleted)
	}
	return noContent()
}

// appRef reads the application in the path.
func (c *call) appRef() (hook.Ref, error) {
	return parseRef(hook.KindApplication, c.value("app"), "app")
}

// applicationID resolves a uid. An id is taken as it is: every store method that
// gets it checks that it is one of the environment.
func (c *call) applicationID(ref hook.Ref) (hook.ID, error) {
	if !ref.ID.IsZero() {
		return ref.ID, nil
	}
	if id, found := c.apps.find(c.key.Env, ref.UID, c.now); found {
		return id, nil
	}
	generation := c.apps.start()
	a, err := c.Store.FindApplication(c.ctx(), c.key.Env, ref)
	if err != nil {
		return hook.ID{}, err
	}
	c.apps.keep(generation, c.key.Env, ref.UID, a.ID, c.now)
	return a.ID, nil
}
