package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestAnEventTypeIsCreatedChangedArchivedAndRevived(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call("POST", "/event-type", `{"name":"a.b","description":"d","featureFlag":"beta","groupName":"a"}`).want(201).is(`["beta"]`, "featureFlags").is("beta", "featureFlag").is("a", "groupName")
	r.call("POST", "/event-type", `{"name":"a.b","description":""}`).refused(409, "event_type_exists")
	r.call("PATCH", "/event-type/a.b", `{"deprecated":true,"groupName":null}`).want(200).is("true", "deprecated").is("null", "groupName").is("d", "description")
	r.call("PUT", "/event-type/a.b", `{"description":"e"}`).want(200).is("e", "description").is("null", "featureFlags").is("false", "deprecated")
	r.call("PUT", "/event-type/c.d", `{"description":""}`).want(201).is("c.d", "name")
	r.call("DELETE", "/event-type/a.b", nil).want(204)
	r.call("GET", "/event-type/a.b", nil).want(200).is("true", "archived")
	r.call("GET", "/event-type", nil).want(200).is("c.d", "data", 0, "name").is("true", "done")
	r.call("GET", "/event-type?include_archived=true", nil).want(200).is("a.b", "data", 0, "name")
	r.call("POST", "/event-type", `{"name":"a.b","description":"back"}`).want(201).is("false", "archived").is("back", "description")
	r.call("DELETE", "/event-type/a.b?expunge=true", nil).want(204)
	r.call("GET", "/event-type/a.b", nil).refused(404, "not_found")
	r.call("DELETE", "/event-type/a.b", nil).refused(404, "not_found")
}

func TestEventTypesAreListedByName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, name := range []string{"c", "a", "b"} {
		r.call("POST", "/event-type", `{"name":"`+name+`","description":"","schemas":{"1":{"type":"object"}}}`).want(201)
	}
	page := r.call("GET", "/event-type?limit=2&order=descending", nil).want(200).is("a", "data", 0, "name").is("b", "iterator").is("false", "done").is("null", "data", 0, "schemas")
	r.call("GET", "/event-type?with_content=true&iterator="+page.at("iterator"), nil).want(200).is("c", "data", 0, "name").is("object", "data", 0, "schemas", "1", "type").is("true", "done")
	r.call("GET", "/event-type?iterator=-c", nil).want(200).is("a", "data", 0, "name")
	r.call("GET", "/event-type?iterator=a%20b", nil).refusedAt("query", "iterator")
}

func TestSchemasAreCheckedWhenTheyAreSaved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for schemas, loc := range map[string][]string{
		`{"1":{"type":"nothing"}}`:                          {"body", "schemas", "1"},
		`{"1":{"properties":{"a":{"minimum":"x"}}}}`:        {"body", "schemas", "1"},
		`{"1":{"$ref":"https://example.test/schema.json"}}`: {"body", "schemas", "1"},
		`{"1":{"$ref":"file:///etc/passwd"}}`:               {"body", "schemas", "1"},
		`{"1":{"$ref":"#/definitions/none"}}`:               {"body", "schemas", "1"},
		`{"1":5}`:                                           {"body", "schemas", "1"},
		`{"v1":{}}`:                                         {"body", "schemas"},
		`{"01":{}}`:                                         {"body", "schemas"},
		`[]`:                                                {"body", "schemas"},
	} {
		a := r.call("POST", "/event-type", `{"name":"x","description":"","schemas":`+schemas+`}`).refusedAt(loc...)
		if strings.Contains(string(a.body), "root:") || strings.Contains(string(a.body), "passwd") {
			t.Errorf("shows more than the rule: %s", a.body)
		}
	}
	for body, loc := range map[string][]string{
		`{"name":"a b","description":""}`:                   {"body", "name"},
		`{"name":"","description":""}`:                      {"body", "name"},
		`{"name":"a","description":"","featureFlags":[]}`:   {"body", "featureFlags"},
		`{"name":"a","description":"","featureFlag":"a b"}`: {"body", "featureFlag", "[0]"},
		`{"name":"a","description":"","groupName":""}`:      {"body", "groupName"},
	} {
		r.call("POST", "/event-type", body).refusedAt(loc...)
	}
	r.call("GET", "/event-type/a%20b", nil).refusedAt("path", "event_type_name")
}

func TestPayloadsMustFitAnEnforcedSchema(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	send := func(payload string) answer {
		return r.call("POST", app+"/msg", `{"eventType":"paid","payload":`+payload+`}`)
	}
	schema := `{"1":{"required":["old"]},"2":{"type":"object","required":["amount"],"properties":{"amount":{"type":"integer"},"lines":{"items":{"properties":{"sku":{"pattern":"^[A-Z]+$"}}}}}}}`
	r.call("POST", "/event-type", `{"name":"paid","description":"","schemas":`+schema+`}`).want(201)
	send(`{}`).want(202)
	r.call("PATCH", "/event-type/paid", `{"enforceSchema":true}`).want(200).is("true", "enforceSchema")
	send(`{}`).refusedAt("body", "payload").is("lacks amount", "detail", 0, "msg")
	send(`{"amount":"secret-value"}`).refusedAt("body", "payload", "amount").is("must be of type integer", "detail", 0, "msg")
	bad := send(`{"amount":1,"lines":[{"sku":"A"},{"sku":"secret-value"}]}`).refusedAt("body", "payload", "lines", "[1]", "sku")
	if strings.Contains(string(bad.body), "secret-value") {
		t.Errorf("the value is shown: %s", bad.body)
	}
	send(`{"amount":12345678901234567890}`).want(202)
	r.call("POST", app+"/msg", `{"eventType":"paid","payload":{},"transformationsParams":{"rawPayload":"not json"}}`).refusedAt("body", "payload")
	r.call("PATCH", "/event-type/paid", `{"enforceSchema":false}`).want(200)
	send(`{}`).want(202)
	r.call("DELETE", "/event-type/paid", nil).want(204)
	send(`{}`).refusedAt("body", "eventType")
}

func TestTheExampleOfAnEventTypeGoesToOneEndpointOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.call("POST", "/event-type", `{"name":"paid","description":"","schemas":{"1":{"examples":[{"n":1},{"n": 2},5]}}}`).want(201)
	r.call("POST", "/event-type", `{"name":"bare","description":""}`).want(201)
	one := r.endpoint(app, map[string]any{"url": "https://one.test", "eventTypes": []string{"bare"}})
	r.endpoint(app, map[string]any{"url": "https://two.test"})
	at := app + "/endpoint/" + one + "/send-example"
	r.call("POST", at, `{"eventType":"paid"}`).want(200).is("1", "payload", "n").is("paid", "eventType")
	var to []string
	r.deliver(func(url string) (o hook.Outcome) { to = append(to, url); return succeed(url) })
	if len(to) != 1 || to[0] != "https://one.test" {
		t.Errorf("the example went to %v", to)
	}
	r.call("POST", at, `{"eventType":"paid","exampleIndex":1}`).want(200).is("2", "payload", "n")
	r.call("POST", at, `{"eventType":"paid","exampleIndex":2}`).refused(400, "invalid_scheme")
	r.call("POST", at, `{"eventType":"paid","exampleIndex":3}`).refusedAt("body", "exampleIndex")
	r.call("POST", at, `{"eventType":"bare"}`).refused(400, "invalid_scheme")
	r.call("POST", at, `{"eventType":"no.such"}`).refused(404, "not_found")
	r.call("POST", at, `{"eventType":"svix.ping"}`).want(200)
	r.call("POST", at, `{"eventType":"bare","payload":{"n": 3}}`).want(200).is("3", "payload", "n")
	r.call("POST", at, `{"eventType":"bare","payload":[3]}`).refusedAt("body", "payload")
	r.call("POST", at, `{"eventType":"bare","payload":{},"exampleIndex":0}`).refusedAt("body", "exampleIndex")
	r.call("PUT", "/event-type/strict", `{"description":"","enforceSchema":true,"schemas":{"1":{"required":["n"]}}}`).want(201)
	r.call("POST", at, `{"eventType":"strict","payload":{}}`).refusedAt("body", "payload")
	r.call("PATCH", app+"/endpoint/"+one, `{"disabled":true}`).want(200)
	r.call("POST", at, `{"eventType":"paid"}`).refused(400, "endpoint_disabled")
}

func TestSchemaThatCostsTooMuchRefusesThePayloadInstead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	// Each definition checks the one before it twice: 2^40 checks in all.
	doubled := func(keyword, last, draft string) string {
		text := `{"$schema":"` + draft + `","properties":{"x":{"$ref":"#/definitions/a40"}},"definitions":{"a0":` + last
		for i := 1; i <= 40; i++ {
			ref := fmt.Sprintf(`{"$ref":"#/definitions/a%d"}`, i-1)
			text += fmt.Sprintf(`,"a%d":{"%s":[%s,%s]}`, i, keyword, ref, ref)
		}
		return text + `}}`
	}
	for _, draft := range []string{"http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"} {
		for keyword, last := range map[string]string{"allOf": `{"type":"string"}`, "anyOf": `{"type":"number"}`, "oneOf": `{}`} {
			body := `{"description":"","enforceSchema":true,"schemas":{"1":` + doubled(keyword, last, draft) + `}}`
			if a := r.call("PUT", "/event-type/bomb", body); a.status >= 300 {
				t.Fatalf("%s is not taken: %d %s", keyword, a.status, a.body)
			}
			r.call("POST", app+"/msg", `{"eventType":"bomb","payload":{"x":"a"}}`).refusedAt("body", "payload").
				is("needs too many steps to be checked against the schema of its event type", "detail", 0, "msg")
			r.call("POST", app+"/msg", `{"eventType":"bomb","payload":{}}`).want(202)
		}
	}
}

func TestLongPayloadFitsAnOrdinarySchema(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.call("POST", "/event-type", `{"name":"long","description":"","enforceSchema":true,"schemas":{"1":{"properties":{"list":{"items":{"allOf":[{"type":"integer"},{"minimum":0}]}}}}}}`).want(201)
	r.call("POST", app+"/msg", `{"eventType":"long","payload":{"list":[`+strings.Repeat("1,", 50_000)+`1]}}`).want(202)
}
