package deliver_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func (r *rig) app(throttle int) hook.ID {
	r.t.Helper()
	a, _, err := r.store.CreateApplication(r.t.Context(), &hook.Application{
		ID: hook.NewID(time.Now()), Env: r.env, Name: "app", ThrottleRate: throttle, CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}, nil)
	r.must(err)
	return a.ID
}

func (r *rig) endpoint(app hook.ID, throttle int) hook.ID {
	r.t.Helper()
	e, _, err := r.store.CreateEndpoint(r.t.Context(), &hook.Endpoint{
		ID: hook.NewID(time.Now()), App: app, Env: r.env, URL: "https://example.com/hook", ThrottleRate: throttle,
		CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}, 0, nil)
	r.must(err)
	return e.ID
}

// lone gives an application with one endpoint.
func (r *rig) lone() (app, endpoint hook.ID) {
	r.t.Helper()
	app = r.app(0)
	return app, r.endpoint(app, 0)
}

// publish accepts n events through the engine, in one call.
func (r *rig) publish(app hook.ID, n int) []hook.ID {
	r.t.Helper()
	return r.publishBody(app, n, []byte(`{}`))
}

func (r *rig) publishBody(app hook.ID, n int, body []byte) []hook.ID {
	r.t.Helper()
	return r.accept(r.engine.Accept, r.events(app, n, body))
}

func (r *rig) events(app hook.ID, n int, body []byte) []hook.NewEvent {
	events := make([]hook.NewEvent, n)
	now := r.wall()
	for i := range events {
		events[i].Message = hook.Message{
			ID: hook.NewID(now), App: app, Env: r.env, EventType: "test.made",
			ContentType: "application/json", Body: body, CreatedAt: now,
		}
	}
	return events
}

func (r *rig) accept(accept func(context.Context, []hook.NewEvent) ([]hook.Accepted, error), events []hook.NewEvent) []hook.ID {
	r.t.Helper()
	accepted, err := accept(r.t.Context(), events)
	r.must(err)
	ids := make([]hook.ID, len(accepted))
	for i, a := range accepted {
		r.must(a.Err)
		ids[i] = a.Message.ID
	}
	return ids
}

// stored accepts events without the engine: they are due.
func (r *rig) stored(app hook.ID, n int) []hook.ID {
	r.t.Helper()
	return r.accept(func(ctx context.Context, events []hook.NewEvent) ([]hook.Accepted, error) {
		return r.store.Accept(ctx, hook.Node{}, noPlace{}, r.wall(), events)
	}, r.events(app, n, []byte(`{}`)))
}

type noPlace struct{}

func (noPlace) Reserve(*hook.Endpoint, int) bool    { return false }
func (noPlace) Unreserve(*hook.Endpoint, int)       {}
func (noPlace) Due(*hook.Endpoint, bool, time.Time) {}

// sends gives the calls of Send so far that pick selects, in their order.
func (r *rig) sends(pick func(sending) bool) []sending {
	r.mu.Lock()
	defer r.mu.Unlock()
	var picked []sending
	for _, s := range r.sent {
		if pick(s) {
			picked = append(picked, s)
		}
	}
	return picked
}

func all(sending) bool { return true }

func to(endpoint hook.ID) func(sending) bool {
	return func(s sending) bool { return s.endpoint == endpoint }
}

func (r *rig) mostAtOnce() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.most
}

// forgetMost lets mostAtOnce count from now on.
func (r *rig) forgetMost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.most = 0
}

// delivery gives the delivery of a message for an endpoint.
func (r *rig) delivery(app, message, endpoint hook.ID) hook.Delivery {
	r.t.Helper()
	x, err := r.store.ExplainMessage(r.t.Context(), r.env, app, hook.Ref{ID: message})
	r.must(err)
	for _, e := range x.Endpoints {
		if e.Endpoint.ID == endpoint && e.Delivery != nil {
			return *e.Delivery
		}
	}
	r.t.Fatal("there is no such delivery")
	return hook.Delivery{}
}

// states counts the deliveries of messages for an endpoint, as "state reason".
func (r *rig) states(app, endpoint hook.ID, messages []hook.ID) map[string]int {
	r.t.Helper()
	counts := map[string]int{}
	for _, m := range messages {
		d := r.delivery(app, m, endpoint)
		key := d.State.String()
		if d.Reason != hook.ReasonNone {
			key += " " + d.Reason.String()
		}
		counts[key]++
	}
	return counts
}

func (r *rig) wantStates(app, endpoint hook.ID, messages []hook.ID, want map[string]int) {
	r.t.Helper()
	if got := r.states(app, endpoint, messages); fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("the deliveries are %v, want %v", got, want)
	}
}

// attempts gives the attempts of a message, oldest first.
func (r *rig) attempts(app, message hook.ID) []hook.Attempt {
	r.t.Helper()
	page, err := r.store.ListAttempts(r.t.Context(), hook.AttemptFilter{
		Env: r.env, App: app, Message: message, StatusClass: -1, Page: hook.Page{Limit: 250, Ascending: true},
	})
	r.must(err)
	slices.SortFunc(page.Items, func(a, b hook.Attempt) int { return a.Number - b.Number })
	return page.Items
}
