package api_test

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// deliver makes every attempt that is due, with the outcome that answer gives for
// the endpoint's URL, and records it in the store.
func (r *rig) deliver(answer func(url string) hook.Outcome) int {
	r.t.Helper()
	ctx, now := r.t.Context(), r.now()
	lanes, err := r.store.Lanes(ctx, hook.ID{}, 100)
	must(r.t, err)
	made := 0
	for _, lane := range lanes {
		claimed, err := r.store.Claim(ctx, hook.ClaimRequest{
			Node: r.node, Now: now, MaxBytes: 1 << 20,
			Lanes: []hook.ClaimLane{{Endpoint: lane.Endpoint, Retry: lane.Retry, Max: 100}},
		})
		must(r.t, err)
		for _, lease := range claimed[0].Leases {
			r.settle(lease, answer(lease.Endpoint.URL), now)
			made++
		}
	}
	return made
}

func (r *rig) settle(l *hook.Lease, o hook.Outcome, now time.Time) {
	r.t.Helper()
	policy := hook.RetryPolicy{Steps: hook.DefaultSteps, TimeoutFloor: time.Minute}
	then := hook.Next(l.Tried, o, policy, now, 0.5)
	a := hook.Attempt{
		ID: hook.NewID(now), Message: l.Message.ID, Endpoint: l.Endpoint.ID, Number: l.Number, URL: l.Endpoint.URL,
		Outcome: o, StartedAt: now, Response: []byte("said " + o.Class.String()), NextDue: then.Due,
		Timings:        hook.Timings{Connect: 1500 * time.Microsecond, Total: 12 * time.Millisecond},
		RequestHeaders: []byte(`{"Authorization":"***","X-Api-Key":"***, ***","X-Star":"a*"}`), ResponseHeaders: []byte(`{"Set-Cookie":"***","Server":"x"}`),
	}
	if l.Tried.Manual {
		a.Trigger = hook.TriggerManual
	}
	if o.Status == 0 {
		a.Response, a.ResponseHeaders = nil, nil
	}
	settled, err := r.store.Settle(r.t.Context(), []hook.Settlement{{Lease: l, Attempt: a, Then: then, Now: now}})
	must(r.t, err)
	if settled[0].Lost {
		r.t.Fatal("the lease was lost")
	}
	select {
	case r.watch <- struct{}{}:
	default:
	}
}

func succeed(string) hook.Outcome { return hook.Outcome{Class: hook.Success, Status: 200} }

func fail(string) hook.Outcome {
	return hook.Outcome{Class: hook.FailStatus5xx, Status: 500, Detail: "The endpoint answered 500."}
}

func noAnswer(string) hook.Outcome {
	return hook.Outcome{Class: hook.FailConnect, Detail: "The connection was refused."}
}

// exhaust fails every attempt of what is due until nothing is planned any more.
func (r *rig) exhaust() {
	r.t.Helper()
	for range len(hook.DefaultSteps) + 1 {
		r.deliver(fail)
		r.clock.Add(int64(13 * time.Hour))
	}
}

// app makes an application and gives its path.
func (r *rig) app(uid string) string {
	r.t.Helper()
	r.call("POST", "/app", map[string]any{"name": uid, "uid": uid}).want(201)
	return "/app/" + uid
}

// endpoint makes an endpoint of the application and gives its id.
func (r *rig) endpoint(app string, members map[string]any) string {
	r.t.Helper()
	if members["url"] == nil {
		members["url"] = "https://example.test/hook"
	}
	r.clock.Add(int64(5 * time.Millisecond)) // ids of one moment have no order
	return r.call("POST", app+"/endpoint", members).want(201).at("id")
}

// publish sends a message of this type and gives its id.
func (r *rig) publish(app, eventType string) string {
	r.t.Helper()
	r.clock.Add(int64(5 * time.Millisecond))
	return r.call("POST", app+"/msg", `{"eventType":"`+eventType+`","payload":{"n":1}}`).want(202).at("id")
}
