package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestAnEndpointIsCreatedReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.call("POST", "/event-type", `{"name":"a.b","description":""}`).want(201)
	made := r.call("POST", app+"/endpoint", `{"url":"https://example.test/h","uid":"main","filterTypes":["a.b"],"rateLimit":9,"version":1,"channels":["c:1"],"metadata":{"k":"v"},"description":"d"}`).want(201)
	made.is(`["a.b"]`, "eventTypes").is(`["a.b"]`, "filterTypes").is("9", "throttleRate").is("1", "version").is("false", "disabled").is("null", "disabledReason")
	id := made.at("id")
	r.call("GET", app+"/endpoint/main", nil).want(200).is(id, "id").is(`["c:1"]`, "channels")
	r.call("PUT", app+"/endpoint/main", `{"url":"https://example.test/2"}`).want(200).is("main", "uid").is("null", "eventTypes").is("null", "channels").is("{}", "metadata").is("", "description")
	r.call("PATCH", app+"/endpoint/"+id, `{"eventTypes":["a.b"],"rateLimit":3}`).want(200).is(`["a.b"]`, "filterTypes").is("3", "throttleRate").is("https://example.test/2", "url")
	r.call("PATCH", app+"/endpoint/"+id, `{"eventTypes":null,"filterTypes":["no.such"],"throttleRate":null}`).want(200).is("null", "filterTypes").is("null", "rateLimit")
	if c := r.lastChange(); hook.KindEndpoint.Format(c.endpoint) != id || c.closed != hook.ReasonNone || c.revision < 2 {
		t.Errorf("the engine was told %+v", c)
	}
	r.call("DELETE", app+"/endpoint/main", nil).want(204)
	if c := r.lastChange(); hook.KindEndpoint.Format(c.endpoint) != id || c.closed != hook.ReasonEndpointDeleted {
		t.Errorf("the engine was told %+v", c)
	}
	r.call("GET", app+"/endpoint/main", nil).refused(404, "not_found")
	other := r.app("other")
	r.call("GET", other+"/endpoint/"+id, nil).refused(404, "not_found")
}

func TestPutOfAnEndpointByUIDMakesOneObjectAndKeepsItsSecret(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	id := r.call("PUT", app+"/endpoint/main", `{"url":"https://example.test"}`).want(201).is("main", "uid").at("id")
	r.call("POST", app+"/endpoint/main/secret/rotate", `{"key":"whsec_`+base64.StdEncoding.EncodeToString(make([]byte, 32))+`"}`).want(204)
	r.call("PUT", app+"/endpoint/main/headers", `{"headers":{"X-A":"1"}}`).want(204)
	r.call("PUT", app+"/endpoint/main", `{"url":"https://example.test","secret":"ignored","headers":{"host":"ignored"}}`).want(200).is(id, "id")
	r.call("GET", app+"/endpoint/main/secret", nil).want(200).is("whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32)), "key")
	r.call("GET", app+"/endpoint/main/headers", nil).want(200).is("1", "headers", "X-A")
}

func TestDisablingAndEnablingSaysSinceWhenAndWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	id := r.endpoint(app, map[string]any{})
	off := r.call("PATCH", app+"/endpoint/"+id, `{"disabled":true}`).want(200).is("true", "disabled").is("by_user", "disabledReason")
	if c := r.lastChange(); c.closed != hook.ReasonEndpointDisabled {
		t.Errorf("the engine was told %+v", c)
	}
	r.clock.Add(1e9)
	r.call("PATCH", app+"/endpoint/"+id, `{"disabled":true,"description":"x"}`).want(200).is(off.at("disabledAt"), "disabledAt")
	r.call("PATCH", app+"/endpoint/"+id, `{"disabled":false}`).want(200).is("false", "disabled").is("null", "disabledReason").is("null", "disabledAt")
	if c := r.lastChange(); c.closed != hook.ReasonNone {
		t.Errorf("the engine was told %+v", c)
	}
	r.publish(app, "a")
	r.deliver(fail)
	failing := r.call("GET", app+"/endpoint/"+id, nil).want(200)
	if failing.at("failingSince") == "null" {
		t.Error("a failed attempt leaves no trace at the endpoint")
	}
	r.call("PATCH", app+"/endpoint/"+id, `{"disabled":true}`).want(200)
	r.call("PUT", app+"/endpoint/"+id, `{"url":"https://example.test"}`).want(200).is("false", "disabled").is("null", "failingSince")
}

func TestInvalidEndpointsAreRefusedWithThePlaceOfTheFault(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	for body, loc := range map[string][]string{
		`{}`:                            {"body", "url"},
		`{"url":"http://example.test"}`: {"body", "url"},
		`{"url":"https://169.254.169.254/latest"}`:                                            {"body", "url"},
		`{"url":"https://e.test/` + strings.Repeat("x", 65536) + `"}`:                         {"body", "url"},
		`{"url":"https://e.test","eventTypes":[]}`:                                            {"body", "eventTypes"},
		`{"url":"https://e.test","filterTypes":["no.such"]}`:                                  {"body", "filterTypes"},
		`{"url":"https://e.test","eventTypes":["a b"]}`:                                       {"body", "eventTypes", "[0]"},
		`{"url":"https://e.test","channels":[]}`:                                              {"body", "channels"},
		`{"url":"https://e.test","channels":["a","a"]}`:                                       {"body", "channels", "[1]"},
		`{"url":"https://e.test","channels":["1","2","3","4","5","6","7","8","9","10","11"]}`: {"body", "channels"},
		`{"url":"https://e.test","uid":"ep_1"}`:                                               {"body", "uid"},
		`{"url":"https://e.test","throttleRate":0}`:                                           {"body", "throttleRate"},
		`{"url":"https://e.test","version":0}`:                                                {"body", "version"},
		`{"url":"https://e.test","secret":"whsec_short"}`:                                     {"body", "secret"},
		`{"url":"https://e.test","secret":""}`:                                                {"body", "secret"},
		`{"url":"https://e.test","description":"a\u0001b"}`:                                   {"body", "description"},
		`{"url":"https://e.test","disabled":"yes"}`:                                           {"body", "disabled"},
		`{"url":"https://e.test","headers":{"Host":"x"}}`:                                     {"body", "headers", "Host"},
	} {
		a := r.call("POST", app+"/endpoint", body).refusedAt(loc...)
		if strings.Contains(string(a.body), "whsec_short") {
			t.Errorf("the secret is shown: %s", a.body)
		}
	}
	id := r.endpoint(app, map[string]any{})
	for _, member := range []string{"url", "description", "disabled"} {
		r.call("PATCH", app+"/endpoint/"+id, `{"`+member+`":null}`).refusedAt("body", member)
	}
	r.call("PATCH", app+"/endpoint/"+id, `{"channels":[]}`).refusedAt("body", "channels")
	r.call("POST", "/app/nobody/endpoint", `{"url":"https://e.test"}`).refused(404, "not_found")
	r.call("POST", "/app/app_2vgdKCdXyOEN1WcHxkYAbO6wTzm/endpoint", `{"url":"https://e.test"}`).refused(404, "not_found")
}

func TestArchivedEventTypesCannotBeChosenByAnEndpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.call("POST", "/event-type", `{"name":"old","description":""}`).want(201)
	r.call("DELETE", "/event-type/old", nil).want(204)
	a := r.call("POST", app+"/endpoint", `{"url":"https://e.test","eventTypes":["old"]}`).refusedAt("body", "eventTypes")
	if !strings.Contains(a.at("detail", 0, "msg"), "old") {
		t.Errorf("the missing type is not named: %s", a.body)
	}
}

func TestAnUnknownEventTypeIsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	id := r.endpoint(app, map[string]any{})
	const hint = "Create it with POST /api/v1/event-type, or leave the list out to take all."
	for _, field := range []string{"eventTypes", "filterTypes"} {
		body := `{"url":"https://e.test","` + field + `":["new"]}`
		r.call("POST", app+"/endpoint", body).refusedAt("body", field).is(hint, "hint")
		r.call("PUT", app+"/endpoint/"+id, body).refusedAt("body", field).is(hint, "hint")
		r.call("PATCH", app+"/endpoint/"+id, body).refusedAt("body", field).is(hint, "hint")
	}
}

func TestTheLimitOfEndpointsHolds(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.EndpointLimit = 2 })
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	r.endpoint(app, map[string]any{})
	r.call("POST", app+"/endpoint", `{"url":"https://e.test"}`).refused(400, "limit_reached")
	r.call("PUT", app+"/endpoint/third", `{"url":"https://e.test"}`).refused(400, "limit_reached")
}

func TestUserinfoOfAURLBecomesASecretHeader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	id := r.call("POST", app+"/endpoint", `{"url":"https://user:pa%20ss@example.test/h"}`).want(201).is("https://example.test/h", "url").at("id")
	r.call("GET", app+"/endpoint/"+id+"/headers", nil).want(200).is("{}", "headers").is(`["authorization"]`, "sensitive")
	if got := r.headers(id)["authorization"]; got != "Basic "+base64.StdEncoding.EncodeToString([]byte("user:pa ss")) {
		t.Errorf("authorization is %q", got)
	}
	// A client that reads and writes back the shown URL keeps the header.
	r.call("PUT", app+"/endpoint/"+id, `{"url":"https://example.test/h"}`).want(200)
	r.call("PATCH", app+"/endpoint/"+id, `{"url":"https://me:2@example.test/h"}`).want(200).is("https://example.test/h", "url")
	if got := r.headers(id)["authorization"]; got != "Basic "+base64.StdEncoding.EncodeToString([]byte("me:2")) {
		t.Errorf("authorization is %q", got)
	}
}

// headers opens the sealed headers of an endpoint.
func (r *rig) headers(id string) map[string]string {
	r.t.Helper()
	e := r.stored(id)
	text, err := unseal(hook.PurposeHeaders, e.ID, e.SealedHeaders)
	must(r.t, err)
	var h map[string]string
	must(r.t, json.Unmarshal(text, &h))
	return h
}

// stored reads an endpoint of the application with the uid acme from the store.
func (r *rig) stored(id string) hook.Endpoint {
	r.t.Helper()
	app, err := r.store.FindApplication(r.t.Context(), r.env.ID, hook.Ref{UID: "acme"})
	must(r.t, err)
	e, err := r.store.FindEndpoint(r.t.Context(), r.env.ID, app.ID, hook.KindEndpoint.ParseRef(id))
	must(r.t, err)
	return e
}

func TestHeadersAreReplacedMergedAndMasked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	id := r.endpoint(app, map[string]any{"headers": map[string]string{"X-One": "1", "Authorization": "secret"}})
	at := app + "/endpoint/" + id + "/headers"
	r.call("GET", at, nil).want(200).is(`{"X-One":"1"}`, "headers").is(`["Authorization"]`, "sensitive")
	r.call("PATCH", at, `{"headers":{"x-one":"2","X-Two":"3","X-API-Key":"k"}}`).want(204)
	r.call("GET", at, nil).want(200).is(`{"X-Two":"3","x-one":"2"}`, "headers").is(`["Authorization","X-API-Key"]`, "sensitive")
	r.call("PATCH", at, `{"headers":null,"deleteHeaders":["X-ONE"]}`).want(204)
	r.call("PATCH", at, `{"headers":{"authorization":null}}`).want(204)
	r.call("GET", at, nil).want(200).is(`{"X-Two":"3"}`, "headers").is(`["X-API-Key"]`, "sensitive")
	r.call("PUT", at, `{"headers":{"Proxy-Auth-Token":"x"}}`).want(204)
	r.call("GET", at, nil).want(200).is(`{}`, "headers").is(`["Proxy-Auth-Token"]`, "sensitive")
	r.call("PUT", at, `{"headers":null}`).want(204)
	r.call("GET", at, nil).want(200).is(`{}`, "headers").is(`[]`, "sensitive")
	r.call("PUT", at, `{"headers":{"X-A":"1","x-a":"2"}}`).want(422)
	if len(r.stored(id).SealedHeaders) != 0 {
		t.Error("empty headers are kept")
	}
}

func TestASecretIsRotatedWithAGracePeriod(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	key := func(n byte) string {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(n)), 24)))
	}
	id := r.endpoint(app, map[string]any{"secret": key('a')})
	at := app + "/endpoint/" + id + "/secret"
	r.call("GET", at, nil).want(200).is(key('a'), "key")
	r.call("POST", at+"/rotate", `{"key":"`+key('b')+`","gracePeriodSeconds":60}`).want(204)
	r.call("GET", at, nil).want(200).is(key('b'), "key")
	if got := len(r.stored(id).Secrets); got != 2 {
		t.Errorf("%d secrets are kept, want the new and the old", got)
	}
	r.clock.Add(61e9)
	r.call("POST", at+"/rotate", `{"key":"`+key('c')+`","gracePeriodSeconds":0}`).want(204)
	if got := len(r.stored(id).Secrets); got != 1 {
		t.Errorf("%d secrets are kept after the grace periods, want 1", got)
	}
	for i := range 10 {
		r.call("POST", at+"/rotate", fmt.Sprintf(`{"key":%q}`, key(byte('d'+i)))).want(204)
	}
	r.call("POST", at+"/rotate", `{}`).refused(400, "limit_reached")
	r.clock.Add(25 * 3600 * 1e9)
	r.call("POST", at+"/rotate", nil, "idempotency-key", "once").want(204)
	before := r.stored(id).Secrets
	r.call("POST", at+"/rotate", nil, "idempotency-key", "once").want(204)
	if after := r.stored(id).Secrets; len(after) != len(before) {
		t.Error("the same key rotated twice")
	}
	r.call("POST", at+"/rotate", `{"gracePeriodSeconds":604801}`).refusedAt("body", "gracePeriodSeconds")
	r.call("POST", at+"/rotate", `{"key":"nonsense"}`).refusedAt("body", "key")
	r.call("PATCH", app+"/endpoint/"+id, `{"secret":"`+key('z')+`"}`).want(200)
	r.call("GET", at, nil).want(200).is(key('z'), "key")
	private := "whsk_" + base64.StdEncoding.EncodeToString(make([]byte, 64))
	r.call("POST", at+"/rotate", `{"key":"`+private+`"}`).want(204)
	r.call("GET", at, nil).want(200).is(strings.Replace(private, "whsk_", "whpk_", 1), "key")
}

func TestEndpointsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	first, second := r.endpoint(app, map[string]any{}), r.endpoint(app, map[string]any{})
	r.call("GET", app+"/endpoint", nil).want(200).is(second, "data", 0, "id").is(first, "iterator").is("true", "done")
	r.call("GET", app+"/endpoint?order=ascending", nil).want(200).is(first, "data", 0, "id")
}
