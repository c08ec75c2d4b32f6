package api_test

import (
	"testing"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestAPublishWaitsForTheFirstAttempts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	good := r.endpoint(app, map[string]any{"url": "https://good.test", "uid": "good"})
	bad := r.endpoint(app, map[string]any{"url": "https://bad.test"})
	r.endpoint(app, map[string]any{"url": "https://off.test", "disabled": true})
	for i, ask := range [][]string{{"?wait=30s"}, {"?wait=30"}, {"", "Prefer", "respond-async, wait=30"}} {
		done := make(chan answer)
		go func() {
			done <- r.call("POST", app+"/msg"+ask[0], `{"eventType":"a","payload":{"n": 1}}`, ask[1:]...)
		}()
		r.deliverUntil(2, func(url string) hook.Outcome {
			if url == "https://good.test" {
				return succeed(url)
			}
			return noAnswer(url)
		})
		a := (<-done).want(202).is("false", "waitExpired").is("1", "payload", "n")
		a.is(good, "deliveries", 0, "endpointId").is("good", "deliveries", 0, "endpointUid").is("delivered", "deliveries", 0, "state").is("200", "deliveries", 0, "lastStatusCode").is("12", "deliveries", 0, "lastDurationMs").is("null", "deliveries", 0, "dueAt")
		a.is(bad, "deliveries", 1, "endpointId").is("pending", "deliveries", 1, "state").is("retry", "deliveries", 1, "reason").is("1", "deliveries", 1, "attempts").is("0", "deliveries", 1, "lastStatusCode")
		if a.at("deliveries", 1, "dueAt") == "null" || len(a.object()["deliveries"].([]any)) != 2 || len(a.object()["attempts"].([]any)) != 2 {
			t.Errorf("call %d answers %s", i, a.body)
		}
	}
}

// deliverUntil delivers what is due until n attempts were made.
func (r *rig) deliverUntil(n int, answer func(string) hook.Outcome) {
	for made := 0; made < n && r.t.Context().Err() == nil; {
		made += r.deliver(answer)
	}
}

func TestAPublishStopsWaitingWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	a := r.call("POST", app+"/msg?wait=20ms", `{"eventType":"a","payload":{}}`).want(202).is("true", "waitExpired")
	a.is("pending", "deliveries", 0, "state").is("0", "deliveries", 0, "attempts").is("[]", "attempts").is("null", "deliveries", 0, "lastStatusCode")
}

func TestAPublishWithoutEndpointsDoesNotWait(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) {
		d.Watch = func(hook.ID) (<-chan struct{}, func()) { return nil, func() {} }
	})
	app := r.app("acme")
	r.call("POST", app+"/msg?wait=60", `{"eventType":"a","payload":{}}`).want(202).is("false", "waitExpired").is("[]", "deliveries")
}

func TestARepeatedPublishWaitsForTheFirstMessage(t *testing.T) {
	t.Parallel()
	var watched []hook.ID
	stopped := 0
	r := newRig(t, func(d *api.Deps) {
		d.Watch = func(id hook.ID) (<-chan struct{}, func()) {
			watched = append(watched, id)
			return nil, func() { stopped++ }
		}
	})
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	first := r.call("POST", app+"/msg?wait=1ms", `{"eventType":"a","payload":{}}`, "idempotency-key", "k").want(202)
	r.deliver(succeed)
	again := r.call("POST", app+"/msg?wait=1ms", `{"eventType":"a","payload":{}}`, "idempotency-key", "k").want(202)
	again.is(first.at("id"), "id").is("delivered", "deliveries", 0, "state").is("false", "waitExpired")
	if last := watched[len(watched)-1]; hook.KindMessage.Format(last) != first.at("id") || stopped != len(watched) {
		t.Errorf("watched %v, stopped %d", watched, stopped)
	}
}
