package api_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// rollUp lets the store sum up what was recorded so far.
func (r *rig) rollUp() {
	r.t.Helper()
	for {
		n, err := r.store.RollUp(r.t.Context(), 1000)
		must(r.t, err)
		if n < 1000 {
			return
		}
	}
}

func TestEndpointsOfAnEnvironmentAreSearchedWithTheirHealth(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.RetrySteps = []time.Duration{1500 * time.Millisecond} })
	acme, zeta := r.app("acme"), r.app("zeta")
	r.call("POST", "/event-type", `{"name":"a","description":"x"}`).want(201)
	good := r.endpoint(acme, map[string]any{"url": "https://good.test/a", "description": "Billing", "eventTypes": []string{"a"}})
	bad := r.endpoint(acme, map[string]any{"url": "https://bad.test/b"})
	off := r.endpoint(zeta, map[string]any{"url": "https://off.test/c", "uid": "third", "disabled": true})
	r.publish(acme, "a")
	r.deliver(func(url string) hook.Outcome {
		if strings.Contains(url, "bad") {
			return fail(url)
		}
		return succeed(url)
	})
	const at = "/api/v1/endpoint"
	for query, want := range map[string][]string{
		"": {off, bad, good}, "state:active": {good}, "state:failing": {bad}, "state:disabled": {off}, "state:failing,disabled": {off, bad}, "-state:active": {off, bad},
		"app:acme": {bad, good}, "app:none": {}, "url:~BAD": {bad}, "bad.test": {bad}, "billing": {good}, "uid:third": {off}, "type:a": {good}, "reason:by_user": {off},
		"failingSince:1h": {bad}, "id:" + good: {good}, good: {good}, "zeta": {off}, "disabledAt:*": {off}, "rate:*": {}, "after:1h url:*": {off, bad, good}, "source:*": {},
	} {
		wantIDs(t, query, r.find(at, query), want...)
	}
	one := r.call("GET", at+"?limit=1", nil).want(200).is("false", "done").is(off, "data", 0, "id")
	two := r.call("GET", at+"?limit=1&iterator="+one.at("iterator"), nil).want(200).is(bad, "data", 0, "id").is("failing", "data", 0, "state").is("acme", "data", 0, "appName")
	r.call("GET", at+"?limit=1&iterator="+two.at("prevIterator"), nil).want(200).is(off, "data", 0, "id").is("disabled", "data", 0, "state")
	two.is("1", "data", 0, "health", "attempts").is("0", "data", 0, "health", "succeeded").is("1", "data", 0, "health", "hours", 23, "failed").is("0", "data", 0, "health", "hours", 0, "failed")
	if two.at("data", 0, "health", "p50Ms") == "null" {
		t.Errorf("no duration: %s", two.body)
	}
	r.call("GET", at+"/"+good, nil).want(200).is("active", "state").is("1", "health", "succeeded").is("Billing", "description")
	r.call("GET", at+"/ep_x", nil).refusedAt("path", "endpoint_id")
	r.call("GET", at+"/"+hook.KindEndpoint.Format(hook.NewID(r.now())), nil).refused(404, "not_found")

	health := acme + "/endpoint/" + bad + "/health"
	a := r.call("GET", health, nil).want(200).is("failing", "state").is("1.5", "retries", 0).is("1", "attempts").is("0", "succeeded").is("status_5xx", "failures", 0, "outcome").is("1", "failures", 0, "count")
	if n := len(a.object()["hours"].([]any)); n < 24 || n > 25 {
		t.Errorf("%d hours, want those of a day", n)
	}
	since := url.QueryEscape(r.now().Add(-72 * time.Hour).UTC().Format(time.RFC3339))
	if n := len(r.call("GET", health+"?since="+since, nil).want(200).object()["hours"].([]any)); n < 72 || n > 74 {
		t.Errorf("%d hours, want those of three days", n)
	}
	for _, query := range []string{"since=2020-01-01T00:00:00Z", "until=2099-01-01T00:00:00Z", "since=" + since + "&until=" + since} {
		r.call("GET", health+"?"+query, nil).refused(400, "invalid_range")
	}
}

func TestRequestsOfAllSourcesAreSearched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, hub := r.source("github", `"uid":"hub"`)
	_, own := r.source("api-key", `"uid":"own","verification":{"header":"x-own"}`)
	first := r.received(hub)
	r.clock.Add(int64(5 * time.Millisecond))
	second := r.received(own, func(q *hook.Request) { q.Envelope.Query, q.Reason = "a=2&token=CANARY", "bad_key" })
	r.clock.Add(int64(5 * time.Millisecond))
	message, third := r.accepted(hub, "push", `{"ref":"main"}`)
	const at = "/ingest/api/v1/request"
	for query, want := range map[string][]string{
		"": {third, second, first}, "state:refused": {second, first}, "state:accepted": {third}, "reason:bad_key": {second}, "source:hub": {third, first}, "source:own,hub": {third, second, first},
		"source:none": {}, "method:PUT": {third}, "method:post": {second, first}, "path:/x": {second, first}, "query:~a=2": {second}, "remote:192.0.2.*": {third, second, first},
		"status:401": {second, first}, "status:<300": {third}, "type:push": {third}, "type:charge/*": {second, first}, "message:" + message: {third}, "body.ref:main": {third},
		"body.n:1": {}, "main": {third}, "charge": {second, first}, "header.x-sign:*": {third, second, first}, "header.content-type:~json": {second, first}, "size:>13": {third},
		"after:1h": {third, second, first}, "before:1h": {}, first: {first}, "id:" + third: {third}, "note:*": {},
		// What is secret cannot be found out by searching for it.
		"header.authorization:*": {}, "header.cookie:*": {}, "query:~CANARY": {}, "header.x-own:secret": {first}, "source:own header.x-own:*": {},
	} {
		wantIDs(t, query, r.find(at, query), want...)
	}
	page := r.call("GET", at+"?limit=2", nil).want(200).is("false", "done").is("in", "data", 0, "sourceName").is("github", "data", 0, "sourceType").is("api-key", "data", 1, "sourceType")
	r.call("GET", at+"?limit=2&iterator="+page.at("iterator"), nil).want(200).is(first, "data", 0, "id").is("true", "done")
	read := r.addKey(r.env.ID, hook.ID{}, "read")
	if got := r.callAs(read, "GET", at+"?q=header.x-sign:sig", nil).list("id"); len(got) > 0 {
		t.Errorf("who may not see a signature finds it: %v", got)
	}
}

func TestTheOverviewShowsFiguresAndWhatNeedsSomebody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.store.Beat(t.Context(), hook.Beat{Node: r.node, Lease: time.Hour, Delivers: true, Now: r.now()})
	must(t, err)
	const at = "/api/v1/overview"
	empty := r.call("GET", at, nil).want(200).is("[]", "attention").is("0", "tiles", "accepted").is("null", "tiles", "deliveredShare").is("null", "tiles", "medianToDeliveryMs").is("900", "stepSeconds")
	if n := len(empty.object()["series"].([]any)); n < 96 || n > 97 {
		t.Errorf("%d points, want those of a day", n)
	}
	app := r.app("acme")
	good := r.endpoint(app, map[string]any{"url": "https://good.test"})
	bad := r.endpoint(app, map[string]any{"url": "https://bad.test"})
	gone := r.endpoint(app, map[string]any{"url": "https://gone.test"})
	_, source := r.source("github")
	r.received(source)
	r.received(source)
	r.publish(app, "a")
	r.deliver(func(url string) hook.Outcome {
		switch {
		case strings.Contains(url, "bad"):
			return fail(url)
		case strings.Contains(url, "gone"):
			return hook.Outcome{Class: hook.FailGone, Status: 410}
		}
		return succeed(url)
	})
	r.call("POST", app+"/endpoint/"+good+"/secret/rotate", `{"gracePeriodSeconds":3600}`).want(204)
	r.rollUp()
	a := r.call("GET", at, nil).want(200).is("1", "tiles", "accepted").is("3", "tiles", "attempts").is("1", "tiles", "succeeded").is("1", "tiles", "failingEndpoints").is("1", "tiles", "disabledEndpoints")
	want := []string{"endpoint_disabled error " + gone, "endpoint_failing warning " + bad, "source_refused warning null", "secret_expiring info " + good}
	list := a.object()["attention"].([]any)
	for i, w := range want {
		if i >= len(list) || a.at("attention", i, "kind")+" "+a.at("attention", i, "severity")+" "+a.at("attention", i, "endpointId") != w {
			t.Fatalf("attention %d is not %s: %s", i, w, a.body)
		}
	}
	if len(list) != len(want) {
		t.Errorf("more than %v needs somebody: %s", want, a.body)
	}
	a.is("2", "attention", 2, "count").is(hook.KindSource.Format(source), "attention", 2, "sourceId").is("acme", "attention", 0, "appName")
	if a.at("tiles", "medianToDeliveryMs") == "null" {
		t.Errorf("no median: %s", a.body)
	}
	for _, query := range []string{"since=2020-01-01T00:00:00Z", "until=2099-01-01T00:00:00Z", "since=2026-01-01T00:00:00Z&until=2026-01-01T00:00:00Z"} {
		r.call("GET", at+"?"+query, nil).refused(400, "invalid_range")
	}
}

func TestTheOverviewTellsOfLateDeliveriesAndOfNobodyWhoDelivers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	r.publish(app, "a")
	const at = "/api/v1/overview"
	r.call("GET", at, nil).want(200).is("no_node", "attention", 0, "kind")
	_, err := r.store.Beat(t.Context(), hook.Beat{Node: r.node, Lease: time.Hour, Delivers: true, Now: r.now()})
	must(t, err)
	r.call("GET", at, nil).want(200).is("[]", "attention")
	r.clock.Add(int64(2 * time.Minute))
	late := r.call("GET", at, nil).want(200).is("backlog", "attention", 0, "kind")
	if !strings.Contains(late.at("attention", 0, "text"), "2 minutes") {
		t.Errorf("does not say how late: %s", late.body)
	}
	r.held = hook.HoldState{Hold: hook.HeldCircuit}
	r.call("GET", at, nil).want(200).is("[]", "attention")
}

func TestIssuesAreListedChangedAndRecovered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	ep := r.endpoint(app, map[string]any{"url": "https://bad.test"})
	other := r.endpoint(app, map[string]any{"url": "https://worse.test"})
	msg := r.publish(app, "a")
	r.deliver(func(url string) hook.Outcome {
		if strings.Contains(url, "worse") {
			return noAnswer(url)
		}
		return fail(url)
	})
	r.rollUp()
	const at = "/api/v1/issue"
	all := r.call("GET", at, nil).want(200)
	ids := all.list("id")
	if len(ids) != 2 {
		t.Fatalf("issues are %s", all.body)
	}
	of := map[string]string{all.at("data", 0, "endpointId"): ids[0], all.at("data", 1, "endpointId"): ids[1]}
	bad, worse := of[ep], of[other]
	for query, want := range map[string]string{
		"cause:status_5xx": bad, "status:500": bad, "status:0": worse, "cause:connect": worse, "url:~worse": worse, "endpoint:" + ep: bad, "worse.test": worse, ep: bad,
		"state:open cause:connect": worse, "failures:1 status:500": bad, bad: bad,
	} {
		wantIDs(t, query, r.find(at, query), want)
	}
	for _, query := range []string{"state:muted", "healed:yes", "endpoint:x", "app:zeta", "before:1h", "assignee:*"} {
		wantIDs(t, query, r.find(at, query))
	}
	one := r.call("GET", at+"?limit=1", nil).want(200).is("false", "done")
	r.call("GET", at+"?limit=1&iterator="+url.QueryEscape(one.at("iterator")), nil).want(200).is(ids[1], "data", 0, "id").is("true", "done")
	r.call("GET", at+"?iterator=x", nil).refusedAt("query", "iterator")
	r.call("GET", at+"?state=odd", nil).refusedAt("query", "state")
	r.call("GET", at+"/"+bad, nil).want(200).is("The endpoint answers 500.", "text").is("acme", "appName").is(msg, "sampleMessageId").is("1", "affected", "count").is("1", "failures").is("open", "state")

	until := r.now().Add(time.Hour).UTC().Format(time.RFC3339)
	r.call("PATCH", at+"/"+bad, `{"state":"muted","mutedUntil":"`+until+`","note":"known","assignee":"Kim"}`).want(200).is("muted", "state").is("known", "note").is("Kim", "assignee").is(until, "mutedUntil")
	wantIDs(t, "muted", r.call("GET", at+"?state=muted", nil).list("id"), bad)
	wantIDs(t, "open", r.call("GET", at+"?state=open", nil).list("id"), worse)
	r.call("PATCH", at+"/"+bad, `{"state":"resolved"}`).want(200).is("resolved", "state").is("null", "mutedUntil").is("known", "note")
	r.call("PATCH", at+"/"+bad, `{"note":null}`).want(200).is("resolved", "state").is("", "note")
	for body, loc := range map[string]string{
		`{"state":"odd"}`: "state", `{"state":null}`: "state", `{"mutedUntil":"` + until + `"}`: "mutedUntil", `{"state":"open","mutedUntil":"` + until + `"}`: "mutedUntil",
		`{"state":"muted","mutedUntil":"2020-01-01T00:00:00Z"}`: "mutedUntil", `{"note":"` + strings.Repeat("x", 5000) + `"}`: "note", `{"assignee":"` + strings.Repeat("x", 300) + `"}`: "assignee",
	} {
		r.call("PATCH", at+"/"+bad, body).refusedAt("body", loc)
	}
	r.call("GET", at+"/iss_x", nil).refusedAt("path", "issue_id")
	r.call("GET", at+"/"+hook.KindIssue.Format(hook.NewID(r.now())), nil).refused(404, "not_found")

	r.exhaust()
	task := r.call("POST", at+"/"+bad+"/recover", `{"rate":5}`).want(202).is("endpoint.recover", "task").at("id")
	r.call("GET", "/background-task/"+task, nil).want(200).is("5", "data", "rate").is("1", "data", "total").is(ep, "data", "endpointId")
	r.call("POST", at+"/"+bad+"/recover", `{"rate":0}`).refusedAt("body", "rate")
	r.call("POST", at+"/"+bad+"/recover", nil).want(202)
}

func TestARecoverIsCountedBeforeItStartsAndSeenAtItsEndpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.publish(app, "missed")
	ep := r.endpoint(app, map[string]any{})
	r.publish(app, "a")
	r.exhaust()
	at := app + "/endpoint/" + ep
	since := `"since":"` + r.now().Add(-13*24*time.Hour).UTC().Format(time.RFC3339) + `"`
	id, err := hook.KindApplication.Parse(r.call("GET", app, nil).want(200).at("id"))
	must(t, err)
	token := r.addKey(r.env.ID, id)
	r.callAs(token, "POST", at+"/recover/count", `{`+since+`}`).want(200).is("1", "count").is("false", "more")
	r.callAs(token, "POST", at+"/replay-missing/count", `{`+since+`}`).want(200).is("1", "count")
	r.call("POST", at+"/recover/count", `{}`).refusedAt("body", "since")
	for _, rate := range []string{"0", "10001"} {
		r.call("POST", at+"/recover", `{`+since+`,"rate":`+rate+`}`).refusedAt("body", "rate")
	}
	again := r.callAs(token, "POST", at+"/recover", `{`+since+`,"rate":10}`).want(202).at("id")
	r.clock.Add(int64(5 * time.Millisecond))
	missing := r.callAs(token, "POST", at+"/replay-missing", `{`+since+`}`).want(202).is("endpoint.replay", "task").at("id")
	list := r.callAs(token, "GET", at+"/task", nil).want(200)
	wantIDs(t, "tasks", list.list("id"), missing, again)
	list.is("10", "data", 1, "data", "rate").is("1", "data", 1, "data", "total").is("0", "data", 1, "data", "messagesSent")
	r.callAs(token, "POST", at+"/task/"+again+"/cancel", nil).want(200).is("finished", "status").is("true", "data", "canceled")
	second := r.endpoint(app, map[string]any{})
	wantIDs(t, "tasks of another endpoint", r.call("GET", app+"/endpoint/"+second+"/task", nil).list("id"))
	r.call("POST", app+"/endpoint/"+second+"/task/"+missing+"/cancel", nil).refused(404, "not_found")
	r.call("PATCH", at, `{"disabled":true}`).want(200)
	r.call("POST", at+"/replay-missing", `{`+since+`}`).refused(400, "endpoint_disabled")
	r.call("POST", at+"/recover/count", `{`+since+`}`).want(200).is("1", "count")
}

func TestApplicationsAreSearchedWithCountsOfTheirEndpoints(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	acme, zeta := r.app("acme"), r.app("zeta")
	r.endpoint(acme, map[string]any{})
	r.endpoint(acme, map[string]any{"disabled": true})
	const at = "/app"
	for query, want := range map[string][]string{
		"": {"acme", "zeta"}, "ACM": {"acme"}, "name:zeta": {"zeta"}, "name:~e": {"acme", "zeta"}, "endpoints:>1": {"acme"}, "endpoints:0": {"zeta"}, "disabled:1": {"acme"}, "failing:>0": {}, "-acme": {"zeta"}, "before:1h": {},
	} {
		if got := r.call("GET", at+"?q="+url.QueryEscape(query), nil).list("name"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s finds %v, want %v", query, got, want)
		}
	}
	r.call("GET", at+"?q=acme", nil).want(200).is("2", "data", 0, "endpoints", "total").is("1", "data", 0, "endpoints", "disabled").is("0", "data", 0, "endpoints", "failing")
	r.call("GET", at, nil).want(200).is("null", "data", 0, "endpoints")
	id := r.call("GET", zeta, nil).want(200).at("id")
	r.call("GET", at+"?q="+id, nil).want(200).is("zeta", "data", 0, "name")
	if got := r.call("GET", at+"?q=&exclude_apps_with_no_endpoints=true", nil).list("name"); len(got) != 1 {
		t.Errorf("applications without endpoints are not left out: %v", got)
	}
	page := r.call("GET", at+"?q=&limit=1", nil).want(200).is("false", "done")
	next := r.call("GET", at+"?q=&limit=1&iterator="+page.at("iterator"), nil).want(200).is("zeta", "data", 0, "name")
	r.call("GET", at+"?q=&limit=1&iterator="+next.at("prevIterator"), nil).want(200).is("acme", "data", 0, "name")
}

func TestEventTypesAreSearched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, body := range []string{`{"name":"invoice.paid","description":"An invoice"}`, `{"name":"invoice.voided","description":"x","deprecated":true}`, `{"name":"user.created","description":"x","groupName":"people"}`} {
		r.call("POST", "/event-type", body).want(201)
	}
	for query, want := range map[string]string{
		"": "[invoice.paid invoice.voided user.created]", "name:invoice.*": "[invoice.paid invoice.voided]", "deprecated:yes": "[invoice.voided]", "group:people": "[user.created]", "user": "[user.created]", "schema:yes": "[]", "description:~AN": "[invoice.paid]",
	} {
		if got := fmt.Sprint(r.call("GET", "/event-type?q="+url.QueryEscape(query), nil).list("name")); got != want {
			t.Errorf("%s finds %s, want %s", query, got, want)
		}
	}
	page := r.call("GET", "/event-type?limit=1&q=invoice", nil).want(200).is("false", "done")
	next := r.call("GET", "/event-type?limit=1&q=invoice&iterator="+page.at("iterator"), nil).want(200).is("invoice.voided", "data", 0, "name")
	r.call("GET", "/event-type?limit=1&q=invoice&iterator="+next.at("prevIterator"), nil).want(200).is("invoice.paid", "data", 0, "name")
}

func TestEveryListTellsItsFields(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	r.source("github", `"uid":"hub"`)
	r.call("POST", "/event-type", `{"name":"invoice.paid","description":"x"}`).want(201)
	const at = "/api/v1/search/fields"
	for _, list := range []string{"messages", "requests", "endpoints", "issues", "applications", "sources", "event-types"} {
		a := r.call("GET", at+"?list="+list, nil).want(200).is(list, "list")
		if len(a.object()["fields"].([]any)) < 8 {
			t.Errorf("%s has few fields: %s", list, a.body)
		}
	}
	fields := string(r.call("GET", at+"?list=messages", nil).body)
	for _, want := range []string{`"name":"body."`, `["failed","retrying","pending","delivered","canceled","none"]`, `["invoice.paid"]`, `["acme"]`, `["hub"]`} {
		if !strings.Contains(fields, want) {
			t.Errorf("%s is not offered: %s", want, fields)
		}
	}
	r.call("GET", at+"?list=odd", nil).refusedAt("query", "list")
}

// desk lets one member in, whatever the cookie.
type desk struct {
	api.People
	member hook.Member
}

func (d *desk) Visit(context.Context, string) (hook.Session, hook.Member, error) {
	return hook.Session{}, d.member, nil
}

func TestWhoMayNotSeePayloadsCannotSearchInThem(t *testing.T) {
	t.Parallel()
	d := &desk{member: hook.Member{ID: hook.NewID(time.Now()), Role: hook.RoleViewer}}
	r := newRig(t, func(deps *api.Deps) { deps.People = d })
	app := r.app("acme")
	msg := r.publish(app, "invoice.paid")
	_, source := r.source("github")
	r.received(source)
	cookie := []string{"Cookie", "__Host-grapnel=x; grapnel_session=x", "Sec-Fetch-Site", "same-origin"}
	see := func(path string) answer { return r.callAs("", "GET", path, nil, cookie...) }
	for _, at := range []string{everywhere, everywhere + "/count", "/ingest/api/v1/request", "/api/v1" + app + "/message"} {
		for _, query := range []string{"body.n:1", "body:n", "-body.n:2", "type:x OR body.n:*"} {
			see(at+"?q="+url.QueryEscape(query)).refused(403, "insufficient access")
		}
	}
	// A word is not looked for in payloads, but everywhere else.
	wantIDs(t, `"n":1`, see(everywhere+"?q="+url.QueryEscape(`"\"n\""`)).list("id"))
	wantIDs(t, "n", see("/ingest/api/v1/request?q="+url.QueryEscape(`"\"n\""`)).list("id"))
	wantIDs(t, msg, see(everywhere+"?q="+msg+"+-"+url.QueryEscape(`"\"n\""`)).list("id"), msg)
	see(everywhere+"?with_content=true&q=invoice").want(200).is("{}", "data", 0, "payload").is("true", "data", 0, "payloadHidden")
	see(everywhere+"/"+msg).want(200).is("{}", "payload").is("true", "payloadHidden")
	if fields := string(see("/api/v1/search/fields?list=messages").want(200).body); strings.Contains(fields, `"body`) {
		t.Errorf("fields of payloads are offered: %s", fields)
	}
	d.member.MayReadPayloads = true
	wantIDs(t, "body.n:1", see(everywhere+"?q=body.n:1").list("id"), msg)
	see(everywhere+"/"+msg).want(200).is("1", "payload", "n").is("null", "payloadHidden")
}
