package api_test

import (
	"context"
	"testing"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// meddling does something right after the store was read, before the reader goes on.
type meddling struct {
	api.Store
	then func()
}

func (m *meddling) meddle() {
	if f := m.then; f != nil {
		m.then = nil
		f()
	}
}

func (m *meddling) FindEventTypes(ctx context.Context, env hook.ID, names []string) ([]hook.EventType, error) {
	defer m.meddle()
	return m.Store.FindEventTypes(ctx, env, names)
}

func (m *meddling) FindApplication(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Application, error) {
	defer m.meddle()
	return m.Store.FindApplication(ctx, env, ref)
}

func TestAnEventTypeThatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	t.Parallel()
	var store *meddling
	r := newRig(t, func(d *api.Deps) {
		store = &meddling{Store: d.Store}
		d.Store = store
	})
	app := "/app/" + r.call("GET", r.app("acme"), nil).want(200).at("id") // an id is not looked up
	r.call("POST", "/event-type", `{"name":"paid","description":"","schemas":{"1":{"required":["amount"]}}}`).want(201)
	const message = `{"eventType":"paid","payload":{}}`
	store.then = func() { r.call("PATCH", "/event-type/paid", `{"enforceSchema":true}`).want(200) }
	r.call("POST", app+"/msg", message).want(202)
	r.call("POST", app+"/msg", message).refusedAt("body", "payload")
}

func TestAUIDThatMovesWhileItIsReadIsReadAgain(t *testing.T) {
	t.Parallel()
	var store *meddling
	r := newRig(t, func(d *api.Deps) {
		store = &meddling{Store: d.Store}
		d.Store = store
	})
	app := r.app("acme")
	store.then = func() {
		r.call("DELETE", app, nil).want(204)
		r.app("acme")
	}
	r.call("GET", app+"/msg", nil).refused(404, "not_found")
	r.call("GET", app+"/msg", nil).want(200)
}

func TestAChangeByAnotherNodeIsSeenWithinASecond(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.publish(app, "paid")
	must(t, create(r, &hook.EventType{
		ID: hook.NewID(r.now()), Env: r.env.ID, Name: "paid", Schemas: []byte(`{"1":{"required":["amount"]}}`), EnforceSchema: true,
		CreatedAt: r.now(), UpdatedAt: r.now(),
	}))
	r.clock.Add(1_000_000_000)
	r.call("POST", app+"/msg", `{"eventType":"paid","payload":{}}`).refusedAt("body", "payload")
}

func create(r *rig, t *hook.EventType) error {
	_, _, err := r.store.CreateEventType(r.t.Context(), t, nil)
	return err
}
