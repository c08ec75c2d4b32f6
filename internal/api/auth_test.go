package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// TestEveryRouteAsksForItsRight goes over the whole table: what is not open needs a
// key, and what a token of an application may not do is refused with 403.
func TestEveryRouteAsksForItsRight(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	id, err := hook.KindApplication.Parse(r.call("GET", app, nil).want(200).at("id"))
	must(t, err)
	all, none := r.addKey(r.env.ID, id), r.addKey(r.env.ID, id, "ManageTransformations")
	forTokens := map[string]bool{}
	for _, name := range strings.Fields(`application.get endpoint.list endpoint.create endpoint.get endpoint.update endpoint.patch endpoint.delete
		endpoint.get-secret endpoint.rotate-secret endpoint.get-headers endpoint.update-headers endpoint.patch-headers endpoint.get-stats endpoint.recover endpoint.send-example
		event-type.list event-type.get message.list message.get message.explain message-attempt.list-by-endpoint message-attempt.list-by-msg
		message-attempt.list-attempted-messages message-attempt.list-attempted-destinations message-attempt.get message-attempt.resend
		message-attempt.list-by-msg-old message-attempt.list-by-both-old authentication.logout authentication.whoami
		message.search message.get-body message-attempt.get-headers message-attempt.get-response
		endpoint.get-health endpoint.count-recover endpoint.replay-missing endpoint.count-missing endpoint.list-tasks endpoint.cancel-task portal.config live.application`) {
		forTokens[name] = true
	}
	for _, rt := range api.Routes() {
		path := strings.NewReplacer("{app}", "acme", "{env}", "-").Replace(rt.Path)
		path = strings.NewReplacer("{ep}", "x", "{msg}", "x", "{name}", "x", "{attempt}", "x", "{task}", "x", "{key}", "x", "{source}", "x", "{req}", "x", "{issue}", "x").Replace(path)
		if rt.Open {
			continue
		}
		r.callAs("", rt.Method, path, nil).refused(401, "authentication_failed")
		r.callAs("nonsense", rt.Method, path, nil).refused(401, "authentication_failed")
		if rt.ID == "authentication.logout" || rt.ID == "endpoint.delete" {
			continue
		}
		with, without := r.callAs(all, rt.Method, path, nil), r.callAs(none, rt.Method, path, nil)
		if forTokens[rt.ID] == (with.status == 403) {
			t.Errorf("%s answers %d to a token with all capabilities", rt.ID, with.status)
		}
		if rt.ID != "authentication.whoami" && rt.ID != "portal.config" {
			without.refused(403, "insufficient access")
		}
	}
}

func TestCapabilitiesLimitATokenOfAnApplication(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	ep := r.endpoint(app, map[string]any{})
	msg := r.publish(app, "a")
	calls := map[string]func(token string) int{
		"read":   func(k string) int { return r.callAs(k, "GET", app+"/endpoint/"+ep, nil).status },
		"secret": func(k string) int { return r.callAs(k, "GET", app+"/endpoint/"+ep+"/secret", nil).status },
		"rotate": func(k string) int {
			return r.callAs(k, "POST", app+"/endpoint/"+ep+"/secret/rotate", `{"gracePeriodSeconds":0}`).status
		},
		"resend": func(k string) int { return r.callAs(k, "POST", app+"/msg/"+msg+"/endpoint/"+ep+"/resend", nil).status },
		"test": func(k string) int {
			return r.callAs(k, "POST", app+"/endpoint/"+ep+"/send-example", `{"eventType":"a","payload":{}}`).status
		},
		"change": func(k string) int { return r.callAs(k, "PATCH", app+"/endpoint/"+ep, `{}`).status },
		"key":    func(k string) int { return r.callAs(k, "PATCH", app+"/endpoint/"+ep, `{"secret":null}`).status },
	}
	for capability, may := range map[string]string{
		"ViewBase": "read", "ViewEndpointSecret": "secret", "ManageEndpointSecret": "secret rotate", "CreateAttempts": "resend test",
		"ManageEndpoint": "read secret rotate change key", "ManageTransformations": "",
	} {
		token := r.call("POST", "/auth/app-portal-access/acme", `{"capabilities":["`+capability+`"]}`).want(200).at("token")
		for name, call := range calls {
			status := call(token)
			if strings.Contains(" "+may+" ", " "+name+" ") != (status < 300) || status >= 300 && status != 403 {
				t.Errorf("%s: %s answers %d", capability, name, status)
			}
		}
	}
}

func TestScopesLimitAKeyOfAnEnvironment(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	ep := r.endpoint(app, map[string]any{})
	calls := map[string]func(token string) int{
		"read":    func(k string) int { return r.callAs(k, "GET", app+"/msg", nil).status },
		"publish": func(k string) int { return r.callAs(k, "POST", app+"/msg", `{"eventType":"a","payload":{}}`).status },
		"manage":  func(k string) int { return r.callAs(k, "PATCH", app, `{}`).status },
		"secret":  func(k string) int { return r.callAs(k, "GET", app+"/endpoint/"+ep+"/secret", nil).status },
	}
	for scope, may := range map[string]string{"read": "read", "publish": "publish", "manage": "manage secret"} {
		token := r.call("POST", "/management/authentication/-/api-token", `{"name":"n","scopes":["`+scope+`"]}`).want(200).is(`["`+scope+`"]`, "scopes").at("token")
		for name, call := range calls {
			status := call(token)
			if strings.Contains(" "+may+" ", " "+name+" ") != (status < 300) || status >= 300 && status != 403 {
				t.Errorf("scope %s: %s answers %d", scope, name, status)
			}
		}
		r.callAs(token, "POST", "/management/authentication/-/api-token", `{"name":"n"}`).refused(403, "insufficient access")
	}
	r.call("POST", "/management/authentication/-/api-token", `{"name":"n","scopes":["all"]}`).refusedAt("body", "scopes", "[0]")
	r.call("POST", "/management/authentication/-/api-token", `{"name":"n","scopes":[]}`).refusedAt("body", "scopes")
}

func TestATokenSeesItsOwnApplicationOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("mine")
	r.app("theirs")
	foreign := r.call("GET", "/app/theirs", nil).want(200).at("id")
	token := r.call("POST", "/auth/app-portal-access/mine", `{}`).want(200).at("token")
	r.callAs(token, "GET", "/app/mine/endpoint", nil).want(200)
	r.callAs(token, "GET", "/app/theirs/endpoint", nil).refused(404, "not_found")
	r.callAs(token, "GET", "/app/"+foreign+"/endpoint", nil).refused(404, "not_found")
	r.callAs(token, "GET", "/app/nobody/endpoint", nil).refused(404, "not_found")
	r.callAs(token, "GET", "/app/a%20b/endpoint", nil).refusedAt("path", "app_id")
}

func TestATokenSeesEventTypesOfItsFlagsOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.call("POST", "/event-type", `{"name":"a.open","description":""}`).want(201)
	r.call("POST", "/event-type", `{"name":"b.beta","description":"","featureFlags":["beta"]}`).want(201)
	plain := r.call("POST", "/auth/app-portal-access/acme", `{}`).want(200).at("token")
	beta := r.call("POST", "/auth/app-portal-access/acme", `{"featureFlags":["beta"]}`).want(200).at("token")
	r.callAs(plain, "GET", "/event-type/b.beta", nil).refused(404, "not_found")
	r.callAs(beta, "GET", "/event-type/b.beta", nil).want(200)
	for token, want := range map[string]int{plain: 1, beta: 2} {
		data, _ := r.callAs(token, "GET", "/event-type", nil).want(200).is("b.beta", "iterator").object()["data"].([]any)
		if len(data) != want {
			t.Errorf("lists %d types, want %d", len(data), want)
		}
	}
	r.callAs(plain, "POST", app+"/endpoint", `{"url":"https://e.test","eventTypes":["b.beta"]}`).refusedAt("body", "eventTypes")
	r.callAs(beta, "POST", app+"/endpoint", `{"url":"https://e.test","eventTypes":["b.beta"]}`).want(201)
}

func TestPortalAccessGivesATokenAndALinkThatOpensThePortal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	id := r.call("GET", "/app/acme", nil).want(200).at("id")
	a := r.call("POST", "/auth/app-portal-access/acme", nil).want(200)
	code, ok := strings.CutPrefix(a.at("url"), "https://hooks.example.test/prefix/portal/e/"+hook.KindEnvironment.Format(r.env.ID)+"#code=")
	if !ok || len(code) < 43 || strings.Contains(a.at("url"), a.at("token")) {
		t.Errorf("the link is %s", a.at("url"))
	}
	opened := r.callAs("", "POST", "/auth/one-time-token", `{"oneTimeToken":"`+code+`"}`).want(200).is(id, "appId")
	r.callAs(opened.at("token"), "GET", "/auth/whoami", nil).want(200).is("application", "kind").is(id, "appId")
	r.callAs(a.at("token"), "GET", "/auth/whoami", nil).want(200).is("application", "kind").is(id, "appId").is("Unknown", "permissionSource").is("ViewBase", "capabilities", 0)
	r.call("GET", "/auth/whoami", nil).want(200).is("environment", "kind").is("null", "appId").is("null", "scopes")
	r.call("POST", "/auth/dashboard-access/acme", nil).want(200)
	r.call("POST", "/auth/app-portal-access/new", `{"application":{"name":"New","uid":"new"}}`).want(200)
	r.call("POST", "/auth/app-portal-access/app_2vgdKCdXyOEN1WcHxkYAbO6wTzm", nil).refused(404, "not_found")
	read := r.call("POST", "/auth/app-portal-access/acme", `{"readOnly":true,"sessionId":"s@1","expiry":3600}`).want(200).at("token")
	r.callAs(read, "POST", "/app/acme/endpoint", `{"url":"https://e.test"}`).refused(403, "insufficient access")
	r.callAs(read, "GET", "/auth/whoami", nil).want(200).is("s@1", "sessionId").is(`["ViewBase"]`, "capabilities")
	r.clock.Add(int64(time.Hour))
	r.callAs(read, "GET", "/auth/whoami", nil).refused(401, "authentication_failed")
	for body, loc := range map[string][]string{
		`{"expiry":60}`:                                            {"body", "expiry"},
		`{"expiry":604801}`:                                        {"body", "expiry"},
		`{"capabilities":[]}`:                                      {"body", "capabilities"},
		`{"capabilities":["Everything"]}`:                          {"body", "capabilities", "[0]"},
		`{"sessionId":"a.b"}`:                                      {"body", "sessionId"},
		`{"sessionId":""}`:                                         {"body", "sessionId"},
		`{"readOnly":true,"capabilities":["ViewBase"]}`:            {"body", "readOnly"},
		`{"featureFlags":["a b"]}`:                                 {"body", "featureFlags", "[0]"},
		`{"featureFlags":[` + strings.Repeat(`"a",`, 25) + `"b"]}`: {"body", "featureFlags"},
	} {
		r.call("POST", "/auth/app-portal-access/acme", body).refusedAt(loc...)
	}
}

func TestTokensOfAnApplicationCanBeEnded(t *testing.T) {
	t.Parallel()
	forgotten := 0
	r := newRig(t, func(d *api.Deps) { d.Forget = func() { forgotten++ } })
	r.app("acme")
	token := func(session string) string {
		return r.call("POST", "/auth/app-portal-access/acme", `{"sessionId":"`+session+`"}`).want(200).at("token")
	}
	one, two, three := token("one"), token("two"), token("three")
	works := func(token string) bool { return r.callAs(token, "GET", "/auth/whoami", nil).status == 200 }
	r.callAs(one, "POST", "/auth/logout", nil).want(204)
	if works(one) || !works(two) {
		t.Error("logout does not end exactly the token that is presented")
	}
	r.call("POST", "/auth/app/acme/expire-all", `{"sessionIds":["two"]}`).want(204)
	if works(two) || !works(three) {
		t.Error("expire-all does not end exactly the session that is named")
	}
	r.call("POST", "/auth/app/acme/expire-all", `{"expiry":60}`).want(204)
	if !works(three) {
		t.Error("expire-all does not wait")
	}
	r.clock.Add(int64(time.Minute))
	if works(three) || forgotten != 3 {
		t.Errorf("the token still works, or the cache was cleared %d times, not 3", forgotten)
	}
	r.call("POST", "/auth/logout", nil).refused(403, "insufficient access")
	r.call("POST", "/auth/app/nobody/expire-all", `{}`).refused(404, "not_found")
	r.call("POST", "/auth/app/acme/expire-all", `{"expiry":259201}`).refusedAt("body", "expiry")
	r.call("POST", "/auth/app/acme/expire-all", `{"sessionIds":["a b"]}`).refusedAt("body", "sessionIds", "[0]")
}

func TestAPITokensAreMadeListedAndEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	env := hook.KindEnvironment.Format(r.env.ID)
	at := "/management/authentication/" + env + "/api-token"
	made := r.call("POST", at, `{"name":"billing"}`).want(200).is("billing", "name").is("null", "scopes")
	r.callAs(made.at("token"), "GET", "/app", nil).want(200)
	list := r.call("GET", at, nil).want(200).is(made.at("id"), "data", 0, "id")
	if censored := list.at("data", 0, "censoredToken"); strings.Contains(made.at("token"), strings.Trim(censored, "…")) || !strings.HasPrefix(censored, "gk_…") {
		t.Errorf("the token is shown as %q", censored)
	}
	if strings.Contains(string(list.body), made.at("token")) {
		t.Error("the list shows the token")
	}
	r.call("POST", at+"/"+made.at("id")+"/expire", nil).want(204)
	r.callAs(made.at("token"), "GET", "/app", nil).refused(401, "authentication_failed")
	r.call("POST", at+"/key_2vgdKCdXyOEN1WcHxkYAbO6wTzm/expire", nil).refused(404, "not_found")
	r.call("POST", at+"/"+made.at("id")+"/expire", `{"expiry":-1}`).refusedAt("body", "expiry")
	r.call("POST", at+"/x/expire", nil).refusedAt("path", "key_id")
	r.call("GET", "/management/authentication/org_2vgdKCdXyOEN1WcHxkYAbO6wTzm/api-token", nil).refused(404, "not_found")
	r.call("GET", "/management/authentication/here/api-token", nil).refusedAt("path", "env_id")
	r.call("POST", at, `{"name":""}`).refusedAt("body", "name")
}

func TestEnvironmentsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	id := r.call("GET", app, nil).want(200).at("id")
	ep, msg := r.endpoint(app, map[string]any{}), r.publish(app, "a")
	other := hook.Environment{ID: hook.NewID(r.now()), Name: "other", CreatedAt: r.now()}
	must(t, r.store.CreateEnvironment(context.Background(), &other))
	key := r.addKey(other.ID, hook.ID{})
	for _, path := range []string{"/app/acme", "/app/" + id, "/app/" + id + "/endpoint", "/app/" + id + "/endpoint/" + ep, "/app/" + id + "/msg", "/app/" + id + "/msg/" + msg, "/app/" + id + "/attempt/msg/" + msg, "/app/" + id + "/msg/" + msg + "/explain"} {
		r.callAs(key, "GET", path, nil).refused(404, "not_found")
	}
	r.callAs(key, "POST", "/app/"+id+"/msg", `{"eventType":"a","payload":{}}`).refused(404, "not_found")
	r.callAs(key, "POST", "/app/"+id+"/msg/batch", `[{"eventType":"a","payload":{}}]`).want(202).is("404", "data", 0, "status")
	r.callAs(key, "DELETE", "/app/"+id, nil).refused(404, "not_found")
	r.callAs(key, "GET", "/app", nil).want(200).is("[]", "data")
}

func TestTokensEndWithTheirApplication(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	token := r.call("POST", "/auth/app-portal-access/acme", nil).want(200).at("token")
	r.callAs(token, "GET", "/event-type", nil).want(200)
	r.call("DELETE", "/app/acme", nil).want(204)
	r.callAs(token, "GET", "/event-type", nil).refused(401, "authentication_failed")
	r.app("acme")
	r.callAs(token, "GET", "/app/acme", nil).refused(401, "authentication_failed")
}
