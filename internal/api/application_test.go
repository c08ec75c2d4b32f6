package api_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestAnApplicationIsCreatedReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	made := r.call("POST", "/app", `{"name":"Acme","uid":"acme","rateLimit":5,"metadata":{"a":"b"},"unknown":1}`).want(201)
	made.is("Acme", "name").is("acme", "uid").is("5", "throttleRate").is("5", "rateLimit").is("b", "metadata", "a")
	id := made.at("id")
	for _, ref := range []string{id, "acme"} {
		r.call("GET", "/app/"+ref, nil).want(200).is(id, "id")
	}
	r.call("PUT", "/app/acme", `{"name":"Acme Ltd"}`).want(200).is(id, "id").is("acme", "uid").is("null", "throttleRate").is("{}", "metadata")
	r.call("PATCH", "/app/acme", `{"throttleRate":7}`).want(200).is("7", "rateLimit").is("Acme Ltd", "name")
	r.call("PATCH", "/app/acme", `{"throttleRate":null,"uid":null}`).want(200).is("null", "rateLimit").is("null", "uid")
	r.call("GET", "/app/acme", nil).refused(404, "not_found")
	r.call("DELETE", "/app/"+id, nil).want(204)
	r.call("GET", "/app/"+id, nil).refused(404, "not_found")
	r.call("DELETE", "/app/"+id, nil).refused(404, "not_found")
}

func TestPutOfAnApplicationByUIDMakesOneObjectHoweverOften(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.call("PUT", "/app/acme", `{"name":"Acme"}`).want(201).is("acme", "uid").at("id")
	r.call("PUT", "/app/acme", `{"name":"Acme"}`).want(200).is(id, "id").is("acme", "uid")
	r.call("PUT", "/app/acme", `{"name":"Acme","uid":"new"}`).want(200).is("new", "uid")
	r.call("PUT", "/app/"+id, `{"name":"Acme"}`).want(200).is("null", "uid")
	r.call("PUT", "/app/app_2vgdKCdXyOEN1WcHxkYAbO6wTzm", `{"name":"Acme"}`).refused(404, "not_found")
}

func TestGetIfExistsGivesTheApplicationThatIsThere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.call("POST", "/app?get_if_exists=true", `{"name":"Acme","uid":"acme"}`).want(201).at("id")
	r.call("POST", "/app?get_if_exists=true", `{"name":"Other","uid":"acme"}`).want(200).is(id, "id").is("Acme", "name")
	r.call("POST", "/app?get_if_exists=false", `{"name":"Other","uid":"acme"}`).refused(409, "conflict")
	r.call("POST", "/app?get_if_exists=perhaps", `{"name":"Other","uid":"acme"}`).refused(400, "bad_request")
}

func TestInvalidApplicationsAreRefusedWithThePlaceOfTheFault(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for body, loc := range map[string][]string{
		`{}`:                              {"body", "name"},
		`{"name":" "}`:                    {"body", "name"},
		`{"name":"x","uid":""}`:           {"body", "uid"},
		`{"name":"x","uid":"a b"}`:        {"body", "uid"},
		`{"name":"x","uid":".."}`:         {"body", "uid"},
		`{"name":"x","uid":"app_x"}`:      {"body", "uid"},
		`{"name":"x","throttleRate":0}`:   {"body", "throttleRate"},
		`{"name":"x","rateLimit":0}`:      {"body", "rateLimit"},
		`{"name":"x","rateLimit":70000}`:  {"body", "rateLimit"},
		`{"name":5}`:                      {"body", "name"},
		`{"name":"x","metadata":{"a":1}}`: {"body", "metadata"},
		`{"name":"x","metadata":{"a":"` + strings.Repeat("b", 4096) + `"}}`: {"body", "metadata"},
		`[]`:                    {"body"},
		`"x"`:                   {"body"},
		`null`:                  {"body"},
		``:                      {"body"},
		`{"name":"x"`:           {"body"},
		`{"name":"x"} trailing`: {"body"},
		"{\"name\":\"\xff\"}":   {"body"},
	} {
		a := r.call("POST", "/app", body).refusedAt(loc...)
		if strings.Contains(string(a.body), "Go struct") || strings.Contains(string(a.body), strings.Repeat("b", 20)) {
			t.Errorf("%q shows internals or the value: %s", body, a.body)
		}
	}
	r.call("PATCH", "/app/x", `{"name":null}`).refused(404, "not_found")
	r.call("POST", "/app", `{"name":"x","uid":"x"}`).want(201)
	r.call("PATCH", "/app/x", `{"name":null}`).refusedAt("body", "name")
	r.call("PATCH", "/app/x", `{"metadata":null}`).want(200).is("{}", "metadata")
	r.call("PUT", "/app/"+strings.Repeat("x", 257), `{"name":"x"}`).refusedAt("path", "app_id")
	r.call("GET", "/app/app_short", nil).refusedAt("path", "app_id")
}

func TestAListIsReadForwardsAndBackwards(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var ids []string
	for i := range 7 {
		r.clock.Add(5_000_000)
		ids = append(ids, r.call("POST", "/app", fmt.Sprintf(`{"name":"app %d"}`, i)).want(201).at("id"))
	}
	first := r.call("GET", "/app?limit=3", nil).want(200).is("false", "done").is(ids[0], "data", 0, "id").is(ids[2], "iterator").is("-"+ids[0], "prevIterator")
	second := r.call("GET", "/app?limit=3&iterator="+first.at("iterator"), nil).want(200).is(ids[3], "data", 0, "id").is("false", "done")
	last := r.call("GET", "/app?limit=3&iterator="+second.at("iterator"), nil).want(200).is(ids[6], "data", 0, "id").is("true", "done").is(ids[6], "iterator")
	r.call("GET", "/app?limit=3&iterator="+last.at("iterator"), nil).want(200).is("[]", "data").is("null", "iterator").is("true", "done")
	back := r.call("GET", "/app?limit=3&iterator="+last.at("prevIterator"), nil).want(200).is(ids[3], "data", 0, "id").is("false", "done")
	r.call("GET", "/app?limit=3&iterator="+back.at("prevIterator"), nil).want(200).is(ids[0], "data", 0, "id").is("true", "done")
	r.call("GET", "/app?order=descending&limit=2", nil).want(200).is(ids[6], "data", 0, "id").is(ids[5], "iterator")
	r.call("GET", "/app?order=sideways", nil).refusedAt("query", "order")
	r.call("GET", "/app?limit=251", nil).refusedAt("query", "limit").is("Given limit must not exceed 250", "detail", 0, "msg")
}

func TestApplicationsCanBeLeftOutByTheirEndpoints(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, uid := range []string{"none", "some", "off"} {
		r.clock.Add(5_000_000)
		r.call("POST", "/app", `{"name":"x","uid":"`+uid+`"}`).want(201)
	}
	r.call("POST", "/app/some/endpoint", `{"url":"https://example.test"}`).want(201)
	r.call("POST", "/app/off/endpoint", `{"url":"https://example.test","disabled":true}`).want(201)
	r.call("GET", "/app?exclude_apps_with_no_endpoints=true", nil).want(200).is("some", "data", 0, "uid").is("off", "data", 1, "uid")
	r.call("GET", "/app?exclude_apps_with_disabled_endpoints=true", nil).want(200).is("none", "data", 0, "uid").is("some", "data", 1, "uid")
	r.call("GET", "/app?exclude_apps_with_svix_play_endpoints=true", nil).want(200).is("off", "data", 2, "uid")
}

func TestAPostWithTheSameIdempotencyKeyHappensOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.call("POST", "/app", `{"name":"x"}`, "idempotency-key", "k1").want(201).at("id")
	r.call("POST", "/app/", `{"name":"x"}`, "idempotency-key", "k1").want(201).is(id, "id")
	if got := r.call("POST", "/app", `{"name":"x"}`, "idempotency-key", "k2").want(201).at("id"); got == id {
		t.Error("another key gave the same application")
	}
	r.call("POST", "/app", `{"name":"y"}`, "idempotency-key", "k1").refused(422, "idempotency_key_reused").is(`["header","idempotency-key"]`, "detail", 0, "loc")
	// The same text on another path is another key.
	r.call("POST", "/event-type", `{"name":"x","description":""}`, "idempotency-key", "k1").want(201)
	// Go's SDK sends its own key and an empty one of the caller.
	r.call("POST", "/app", `{"name":"x"}`, "idempotency-key", "auto_1", "idempotency-key", "").want(201)
	r.clock.Add(13 * 3600 * 1e9)
	if got := r.call("POST", "/app", `{"name":"x"}`, "idempotency-key", "k1").want(201).at("id"); got == id {
		t.Error("the key still holds after 13 hours")
	}
}
