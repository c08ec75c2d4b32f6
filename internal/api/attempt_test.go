package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestAttemptsAreShownWithTheirOutcome(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	ep := r.endpoint(app, map[string]any{"uid": "main"})
	msg := r.publish(app, "a")
	r.deliver(noAnswer)
	r.clock.Add(int64(10 * time.Second))
	r.deliver(succeed)
	byMessage := r.call("GET", app+"/attempt/msg/"+msg, nil).want(200)
	byMessage.is("0", "data", 0, "status").is("success", "data", 0, "statusText").is("said success", "data", 0, "response").is("200", "data", 0, "responseStatusCode").is("2", "data", 0, "attemptNumber").is("12", "data", 0, "responseDurationMs").is("1.5", "data", 0, "timings", "connectMs").is("null", "data", 0, "nextAttempt")
	byMessage.is("2", "data", 1, "status").is("fail", "data", 1, "statusText").is("The connection was refused.", "data", 1, "response").is("0", "data", 1, "responseStatusCode").is("connect", "data", 1, "outcome").is("0", "data", 1, "triggerType").is(ep, "data", 1, "endpointId").is(msg, "data", 1, "msgId")
	if byMessage.at("data", 1, "nextAttempt") == "null" {
		t.Error("the planned attempt is not shown")
	}
	attempt := byMessage.at("data", 1, "id")
	r.call("GET", app+"/msg/"+msg+"/attempt/"+attempt+"?expanded_statuses=true", nil).want(200).is("The connection was refused.", "response")
	r.call("GET", app+"/attempt/endpoint/main?with_content=false&with_msg=true", nil).want(200).is("{}", "data", 0, "response").is("a", "data", 0, "msg", "eventType").is("{}", "data", 0, "msg", "payload").is(msg, "data", 0, "msg", "id")
	r.call("DELETE", app+"/msg/"+msg+"/attempt/"+byMessage.at("data", 0, "id")+"/content", nil).want(204)
	r.call("GET", app+"/attempt/msg/"+msg, nil).want(200).is("EXPUNGED", "data", 0, "response")
	r.call("GET", app+"/msg/"+msg+"/attempt/"+msg, nil).refusedAt("path", "attempt_id")
	r.call("GET", app+"/msg/"+msg+"/attempt/atmpt_2vgdKCdXyOEN1WcHxkYAbO6wTzm", nil).refused(404, "not_found")
	// Old routes that scripts still call.
	r.call("GET", app+"/msg/"+msg+"/attempt", nil).want(200).is(attempt, "data", 1, "id")
	r.call("GET", app+"/msg/"+msg+"/endpoint/main/attempt", nil).want(200).is(attempt, "data", 1, "id")
}

func TestAttemptsAreFiltered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	one := r.endpoint(app, map[string]any{"url": "https://one.test"})
	r.endpoint(app, map[string]any{"url": "https://two.test"})
	msg := r.publish(app, "a")
	r.deliver(func(url string) hook.Outcome {
		if url == "https://one.test" {
			return noAnswer(url)
		}
		return succeed(url)
	})
	count := func(query string) int {
		data, _ := r.call("GET", app+"/attempt/msg/"+msg+query, nil).want(200).object()["data"].([]any)
		return len(data)
	}
	for query, want := range map[string]int{
		"": 2, "?status=0": 1, "?status=2": 1, "?status=1": 0, "?status=3": 0, "?status=4&expanded_statuses=true": 0,
		"?status_code_class=0": 1, "?status_code_class=200": 1, "?status_code_class=500": 0,
		"?endpoint_id=" + one: 1, "?event_types=a": 2, "?event_types=b": 0, "?channel=x": 0, "?limit=1": 1,
	} {
		if got := count(query); got != want {
			t.Errorf("%s lists %d, want %d", query, got, want)
		}
	}
	at := app + "/attempt/msg/" + msg
	r.call("GET", at+"?status=5", nil).refusedAt("query", "status")
	r.call("GET", at+"?status=failed", nil).refused(400, "bad_request")
	r.call("GET", at+"?status_code_class=404", nil).refusedAt("query", "status_code_class")
	r.call("GET", at+"?endpoint_id=ep_x", nil).refusedAt("query", "endpoint_id")
	r.call("GET", at+"?endpoint_id=nobody", nil).refused(404, "not_found")
	r.call("GET", at+"?iterator="+msg, nil).refusedAt("query", "iterator")
}

func TestADeliveryShowsWhereItStands(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	good := r.endpoint(app, map[string]any{"url": "https://good.test"})
	bad := r.endpoint(app, map[string]any{"url": "https://bad.test"})
	gone := r.endpoint(app, map[string]any{"url": "https://gone.test"})
	msg := r.publish(app, "a")
	outcome := func(url string) hook.Outcome {
		switch url {
		case "https://good.test":
			return succeed(url)
		case "https://gone.test":
			return hook.Outcome{Class: hook.FailGone, Status: 410}
		}
		return fail(url)
	}
	r.deliver(outcome)
	list := r.call("GET", app+"/msg/"+msg+"/endpoint?expanded_statuses=true", nil).want(200)
	list.is(good, "data", 0, "id").is("0", "data", 0, "status").is(bad, "data", 1, "id").is("3", "data", 1, "status").is("sending", "data", 1, "statusText").is(gone, "data", 2, "id").is("4", "data", 2, "status").is("canceled", "data", 2, "statusText").is("gone_410", "data", 2, "disabledReason")
	if list.at("data", 1, "nextAttempt") == "null" {
		t.Error("the planned attempt is not shown")
	}
	r.call("GET", app+"/msg/"+msg+"/endpoint", nil).want(200).is("0", "data", 2, "status").is("success", "data", 2, "statusText")
	first := r.call("GET", app+"/msg/"+msg+"/endpoint?limit=2", nil).want(200).is("false", "done").is(bad, "iterator")
	r.call("GET", app+"/msg/"+msg+"/endpoint?limit=2&iterator="+first.at("iterator"), nil).want(200).is(gone, "data", 0, "id").is("true", "done")
	r.exhaust()
	r.call("GET", app+"/endpoint/"+bad+"/msg", nil).want(200).is(msg, "data", 0, "id").is("2", "data", 0, "status").is("null", "data", 0, "nextAttempt").is("1", "data", 0, "payload", "n")
	for query, want := range map[string]string{"?status=2": msg, "?status=0": "", "?status=3": "", "?status=1": ""} {
		a := r.call("GET", app+"/endpoint/"+bad+"/msg"+query, nil).want(200)
		if data := a.object()["data"].([]any); (len(data) == 1) != (want != "") {
			t.Errorf("%s lists %s", query, a.body)
		}
	}
	r.call("POST", app+"/msg/"+msg+"/endpoint/"+bad+"/resend", nil).want(202)
	r.call("GET", app+"/msg/"+msg+"/endpoint", nil).want(200).is("3", "data", 1, "status")
	r.deliver(fail)
	r.call("GET", app+"/msg/"+msg+"/endpoint", nil).want(200).is("2", "data", 1, "status")
	r.call("GET", app+"/endpoint/"+gone+"/msg?status=4&expanded_statuses=true&with_content=false", nil).want(200).is("{}", "data", 0, "payload").is("4", "data", 0, "status")
	r.call("GET", app+"/endpoint/"+good+"/stats", nil).want(200).is("1", "success").is("0", "fail")
	r.call("GET", app+"/endpoint/"+bad+"/stats", nil).want(200).is("0", "success")
}

func TestStatisticsRefuseImpossibleRanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	at := app + "/endpoint/" + r.endpoint(app, map[string]any{}) + "/stats"
	day := func(d int) string { return r.now().AddDate(0, 0, d).UTC().Format(time.RFC3339) }
	r.call("GET", at+"?since="+day(-29), nil).refused(400, "invalid_range")
	r.call("GET", at+"?until="+day(1), nil).refused(400, "invalid_range")
	r.call("GET", at+"?since="+day(-1)+"&until="+day(-2), nil).refused(400, "invalid_range")
	r.call("GET", at+"?since="+day(-40)+"&until="+day(-20), nil).want(200)
	r.call("GET", at+"?since=monday", nil).refused(400, "bad_request")
}

func TestAResendMakesOneManualAttempt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	ep := r.endpoint(app, map[string]any{"channels": []string{"other"}})
	msg := r.publish(app, "a")
	at := app + "/msg/" + msg + "/endpoint/" + ep + "/resend"
	if a := r.call("POST", at, nil, "idempotency-key", "k").want(202); strings.TrimSpace(string(a.body)) != "{}" {
		t.Errorf("answers %q", a.body)
	}
	if len(r.woken) != 1 || hook.KindEndpoint.Format(r.woken[0].Endpoint) != ep {
		t.Errorf("the engine was woken for %v", r.woken)
	}
	r.deliver(fail)
	r.call("POST", at, nil, "idempotency-key", "k").want(202)
	if n := r.deliver(succeed); n != 0 {
		t.Error("the same key resent twice")
	}
	r.call("GET", app+"/attempt/msg/"+msg, nil).want(200).is("1", "data", 0, "triggerType")
	r.call("PATCH", app+"/endpoint/"+ep, `{"disabled":true}`).want(200)
	a := r.call("POST", at, nil).refused(400, "endpoint_disabled")
	if !strings.Contains(a.at("detail"), "by_user") {
		t.Errorf("does not say why: %s", a.body)
	}
	r.call("POST", app+"/msg/"+msg+"/endpoint/nobody/resend", nil).refused(404, "not_found")
	r.call("POST", app+"/msg/nothing/endpoint/"+ep+"/resend", nil).refused(404, "not_found")
}

func TestExplainNamesTheReasonForEveryEndpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.call("POST", "/event-type", `{"name":"other","description":""}`).want(201)
	want := map[string][2]string{}
	add := func(verdict, reason string, members map[string]any) string {
		id := r.endpoint(app, members)
		want[id] = [2]string{verdict, reason}
		return id
	}
	add("not_matched", "event_type_differs", map[string]any{"eventTypes": []string{"other"}})
	add("not_matched", "channel_differs", map[string]any{"channels": []string{"c"}})
	add("canceled", "endpoint_disabled", map[string]any{"disabled": true})
	add("delivered", "delivered", map[string]any{"url": "https://good.test"})
	add("pending", "retry", map[string]any{"url": "https://bad.test"})
	add("canceled", "gone_410", map[string]any{"url": "https://gone.test"})
	changed := add("delivered", "delivered", map[string]any{"url": "https://changed.test"})
	msg := r.publish(app, "a")
	r.deliver(func(url string) hook.Outcome {
		switch url {
		case "https://bad.test":
			return fail(url)
		case "https://gone.test":
			return hook.Outcome{Class: hook.FailGone, Status: 410}
		}
		return succeed(url)
	})
	r.clock.Add(int64(time.Second))
	add("not_matched", "created_later", map[string]any{})
	r.call("PATCH", app+"/endpoint/"+changed, `{"channels":["later"]}`).want(200)
	r.held = hook.HoldState{Hold: hook.HeldCircuit, Until: r.now()}
	a := r.call("GET", app+"/msg/"+msg+"/explain", nil).want(200).is("a", "message", "eventType").is("false", "message", "payloadExpired")
	found := a.object()["endpoints"].([]any)
	if len(found) != len(want) {
		t.Errorf("explains %d endpoints, want %d: %s", len(found), len(want), a.body)
	}
	for _, e := range found {
		e := e.(map[string]any)
		id := e["endpointId"].(string)
		if got := [2]string{e["verdict"].(string), e["reason"].(string)}; got != want[id] {
			t.Errorf("%v is %v, want %v", e["url"], got, want[id])
		}
		if text, _ := e["text"].(string); len(text) < 10 || !strings.HasSuffix(text, ".") {
			t.Errorf("%v: %q is no sentence", e["url"], text)
		}
		if was, _ := e["changedSinceAccept"].(bool); was != (id == changed || e["url"] == "https://gone.test") {
			t.Errorf("%v: changedSinceAccept is %v", e["url"], e["changedSinceAccept"])
		}
		if (e["heldReason"] == "circuit_open") != (e["verdict"] == "pending") {
			t.Errorf("%v: held is %v", e["url"], e["heldReason"])
		}
	}
	r.held = hook.HoldState{}
	r.exhaust()
	b := r.call("GET", app+"/msg/"+msg+"/explain", nil).want(200)
	if !strings.Contains(string(b.body), `"exhausted"`) || !strings.Contains(string(b.body), "answered 500") {
		t.Errorf("does not tell about the exhausted one: %s", b.body)
	}
}

func TestARecoverIsATaskThatCanBeLookedUpAndCanceled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	ep := r.endpoint(app, map[string]any{})
	r.publish(app, "a")
	r.exhaust()
	since := r.now().Add(-13 * 24 * time.Hour).UTC().Format(time.RFC3339)
	at := app + "/endpoint/" + ep + "/recover"
	made := r.call("POST", at, `{"since":"`+since+`"}`, "idempotency-key", "k").want(202).is("running", "status").is("endpoint.recover", "task")
	r.call("POST", at, `{"since":"`+since+`"}`, "idempotency-key", "k").want(202).is(made.at("id"), "id")
	if len(r.woken) == 0 {
		t.Error("the engine was not woken")
	}
	task := "/background-task/" + made.at("id")
	r.call("GET", task, nil).want(200).is("0", "data", "messagesSent").is("running", "status")
	id, err := hook.KindTask.Parse(made.at("id"))
	must(t, err)
	_, _, err = r.store.RecoverStep(t.Context(), id, r.now(), 10)
	must(t, err)
	r.call("GET", task, nil).want(200).is("1", "data", "messagesSent")
	r.call("POST", task+"/cancel", nil).want(200)
	r.call("GET", "/background-task?status=finished&task=endpoint.recover", nil).want(200).is(made.at("id"), "data", 0, "id")
	r.call("GET", "/background-task?status=running", nil).want(200).is("[]", "data")
	r.call("GET", "/background-task?task=application.stats", nil).want(200).is("[]", "data")
	r.call("GET", "/background-task?status=sleeping", nil).refusedAt("query", "status")
	r.call("GET", "/background-task?task=nap", nil).refusedAt("query", "task")
	r.call("GET", "/background-task/qtask_2vgdKCdXyOEN1WcHxkYAbO6wTzm", nil).refused(404, "not_found")
	r.call("GET", "/background-task/nonsense", nil).refusedAt("path", "task_id")
	for body, loc := range map[string]string{
		`{}`:                    "since",
		`{"since":"yesterday"}`: "",
		`{"since":"` + r.now().Add(-15*24*time.Hour).UTC().Format(time.RFC3339) + `"}`: "since",
		`{"since":"` + since + `","until":"` + since + `"}`:                            "since",
	} {
		if loc == "" {
			r.call("POST", at, body).refusedAt("body")
			continue
		}
		r.call("POST", at, body).refusedAt("body", loc)
	}
	r.call("PATCH", app+"/endpoint/"+ep, `{"disabled":true}`).want(200)
	r.call("POST", at, `{"since":"`+since+`"}`).refused(400, "endpoint_disabled")
}
