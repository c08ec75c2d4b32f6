package api_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestASourceIsCreatedReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	made := r.call("POST", sources, `{"name":"Payments","uid":"pay","type":"stripe","config":{"secret":"whsec_1"},"metadata":{"a":"b"},"unknown":1}`).want(201)
	made.is("Payments", "name").is("pay", "uid").is("stripe", "type").is("stripe", "provider").is("{}", "config").is("b", "metadata", "a").is("false", "disabled")
	made.is(`[{"expiresAt":null}]`, "secrets").is("null", "rate").is("[]", "routes").is("null", "dedupe")
	if strings.Contains(string(made.body), "whsec_1") {
		t.Errorf("the secret is shown: %s", made.body)
	}
	id, url := made.at("id"), made.at("ingestUrl")
	token, ok := strings.CutPrefix(url, "https://hooks.example.test/prefix/in/")
	if !ok || !strings.HasPrefix(id, "src_") {
		t.Fatalf("id %s, URL %s", id, url)
	}
	if s, err := r.store.FindSourceByToken(t.Context(), sha256.Sum256([]byte(token)), r.now()); err != nil || hook.KindSource.Format(s.ID) != id {
		t.Errorf("the URL finds %v, %v", s.ID, err)
	}
	for _, ref := range []string{id, "pay"} {
		r.call("GET", sources+"/"+ref, nil).want(200).is(id, "id").is(url, "ingestUrl")
	}
	r.call("GET", sources, nil).want(200).is(id, "data", 0, "id").is("true", "done")
	r.call("PUT", sources+"/pay", `{"name":"Pay","type":"stripe","config":{"secret":"whsec_2"}}`).want(200).is(id, "id").is("pay", "uid").is("{}", "metadata").is(url, "ingestUrl")
	r.call("GET", sources+"/pay/secret", nil).want(200).is(`[{"expiresAt":null,"value":"whsec_2"}]`, "secrets")
	before := r.forgotten.Load()
	r.call("PATCH", sources+"/pay", `{"rate":5,"uid":null,"disabled":true}`).want(200).is("5", "rate").is("null", "uid").is("true", "disabled").is("Pay", "name")
	if r.forgotten.Load() == before {
		t.Error("the gateway was not told to forget the source")
	}
	r.call("DELETE", sources+"/"+id, nil).want(204)
	r.call("GET", sources+"/"+id, nil).refused(404, "not_found")
	r.call("DELETE", sources+"/"+id, nil).refused(404, "not_found")
	if got := r.call("GET", sources, nil).list("id"); len(got) != 0 {
		t.Errorf("listed %v", got)
	}
}

func TestPutOfASourceByUIDMakesOneAndKeepsItsOptions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.call("PUT", sources+"/hub", `{"name":"Hub","type":"github","config":{"secret":"one"},"rate":7}`).want(201).is("hub", "uid").at("id")
	r.call("PUT", sources+"/hub", `{"name":"Hub","type":"github","config":{}}`).want(200).is(id, "id").is("7", "rate").is(`[{"expiresAt":null}]`, "secrets")
	r.call("PUT", sources+"/hub", `{"name":"Hub","type":"github","config":{},"rate":null,"secrets":[]}`).want(200).is("null", "rate").is("[]", "secrets")
	r.call("PUT", sources+"/src_2vgdKCdXyOEN1WcHxkYAbO6wTzm", `{"name":"Hub","type":"github"}`).refused(404, "not_found")
	r.call("POST", sources, `{"name":"Hub","type":"github","uid":"hub"}`).refused(409, "conflict")
}

func TestOneSourceIsMadeForOneIdempotencyKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const body = `{"name":"a","type":"github"}`
	one := r.call("POST", sources, body, "Idempotency-Key", "k").want(201)
	r.call("POST", sources, body, "Idempotency-Key", "k").want(201).is(one.at("id"), "id").is(one.at("ingestUrl"), "ingestUrl")
	r.call("POST", sources, `{"name":"b","type":"github"}`, "Idempotency-Key", "k").refused(422, "idempotency_key_reused")
	rotated := r.call("POST", sources+"/"+one.at("id")+"/token/rotate", nil, "Idempotency-Key", "r").want(200).at("ingestUrl")
	r.call("POST", sources+"/"+one.at("id")+"/token/rotate", nil, "Idempotency-Key", "r").want(200).is(rotated, "ingestUrl")
}

// Every way in which clients of other servers state types and configurations.
func TestTypesAndConfigsOfOtherServersAreUnderstood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct{ kind, config, provider, verification, secrets, shown string }{
		{"stripe", `{"secret":"s"}`, "stripe", `{}`, `[{"expiresAt":null}]`, `{}`},
		{"github", `{}`, "github", `{}`, `[]`, `{}`},
		{"generic-webhook", `{}`, "generic-webhook", `{}`, `[]`, `{}`},
		{"generic-webhook", `null`, "generic-webhook", `{}`, `[]`, `{}`},
		{"open-ai", `{"secret":"s"}`, "openai", `{}`, `[{"expiresAt":null}]`, `{}`},
		{"psi-fi", `{"secret":"s"}`, "svix", `{}`, `[{"expiresAt":null}]`, `{}`},
		{"meta", `{"secret":"s","verifyToken":"v"}`, "meta", `{"verifyToken":"v"}`, `[{"expiresAt":null}]`, `{}`},
		{"telnyx", `{"publicKey":"pub"}`, "telnyx", `{}`, `[{"expiresAt":null}]`, `{"publicKey":"pub"}`},
		{"veriff", `{"secret":"s"}`, "generic-hmac", `{"generic":{"signatureHeader":"X-Hmac-Signature"}}`, `[{"expiresAt":null}]`, `{}`},
		{"tailscale", `{"secret":"s","timestampGraceSeconds":9}`, "generic-hmac", `{"generic":{"signatureHeader":"Tailscale-Webhook-Signature","signatureName":"v1","template":"{ts}.{body}","timestampName":"t"},"toleranceSeconds":9}`, `[{"expiresAt":null}]`, `{}`},
		{"cron", `{"schedule":"0 9 * * 1","payload":"{}","contentType":"text/plain"}`, "cron", `{}`, `[]`, `{"contentType":"text/plain","payload":"{}","schedule":"0 9 * * 1"}`},
	} {
		made := r.call("POST", sources, `{"name":"x","type":"`+c.kind+`","config":`+c.config+`}`).want(201)
		made.is(c.kind, "type").is(c.provider, "provider").is(c.verification, "verification").is(c.secrets, "secrets").is(c.shown, "config")
		if (c.kind == "cron") != (made.at("ingestUrl") == "null") || (c.kind == "cron") != (made.at("nextFire") != "null") {
			t.Errorf("%s: %s", c.kind, made.body)
		}
	}
}

func TestAnotherTypeDropsWhatBelongsToTheOneBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, _ := r.source("meta", `"config":{"secret":"s","verifyToken":"v"}`)
	r.call("PATCH", src, `{"type":"meta","verification":{"verifyToken":"w"}}`).want(200).is(`{"verifyToken":"w"}`, "verification").is(`[{"expiresAt":null}]`, "secrets")
	r.call("PATCH", src, `{"type":"stripe"}`).want(200).is("stripe", "type").is("{}", "verification").is("[]", "secrets")
	r.call("PATCH", src, `{"type":"segment"}`).want(200).is("generic-hmac", "provider").is("sha1", "verification", "generic", "hash")
	r.call("PATCH", src, `{"verification":{"toleranceSeconds":5}}`).want(200).is("sha1", "verification", "generic", "hash").is("5", "verification", "toleranceSeconds")
	r.call("PATCH", src, `{"type":"cron"}`).refusedAt("body", "cron")
	r.call("PATCH", src, `{"type":"cron","cron":{"schedule":"@hourly","payload":"{}"}}`).want(200).is("@hourly", "cron", "schedule")
	r.call("PATCH", src, `{"type":"github"}`).want(200).is("null", "cron").is("null", "nextFire")
}

func TestOptionsOfASourceAreKeptAndShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.call("GET", r.app("acme"), nil).want(200).at("id")
	options := map[string][2]string{ // as given, as shown
		"dedupe":         {`{"by":"body","at":"data.id"}`, `{"at":"data.id","by":"body"}`},
		"eventType":      {`{"header":"X-Type"}`, `{"header":"X-Type"}`},
		"responses":      {`[{"eventType":"a/b","status":201,"headers":{"X-A":"1"},"body":"ok"}]`, `[{"body":"ok","eventType":"a/b","headers":{"X-A":"1"},"status":201}]`},
		"routes":         {`[{"app":"acme","eventType":{"fixed":"order.paid"},"only":["orders/paid"]}]`, `[{"app":"` + app + `","eventType":{"fixed":"order.paid"},"only":["orders/paid"]}]`},
		"rate":           {`100`, `100`},
		"maxBody":        {`1024`, `1024`},
		"emptyBody":      {`true`, `true`},
		"requireJson":    {`true`, `true`},
		"methods":        {`["put","GET"]`, `["PUT","GET"]`},
		"allowNets":      {`["192.0.2.77/24","2001:db8::1"]`, `["192.0.2.0/24","2001:db8::1/128"]`},
		"forwardHeaders": {`["authorization"]`, `["Authorization"]`},
		"disabled":       {`true`, `true`},
		"verification":   {`{"a":1}`, `{"a":1}`},
	}
	body := `{"name":"x","type":"github"`
	for name, o := range options {
		body += `,"` + name + `":` + o[0]
	}
	id := r.call("POST", sources, body+"}").want(201).at("id")
	shown := r.call("GET", sources+"/"+id, nil).want(200)
	fresh := r.call("POST", sources, `{"name":"y","type":"github"}`).want(201)
	for name, o := range options {
		shown.is(o[1], name)
		if name == "verification" || name == "disabled" {
			continue
		}
		r.call("PATCH", sources+"/"+id, `{"`+name+`":null}`).want(200).is(fresh.at(name), name)
	}
}

func TestWrongSourcesAreRefusedWithThePlaceOfTheFault(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	for body, loc := range map[string]string{
		`"name":""`: "name", `"uid":"src_x"`: "uid", `"uid":"a b"`: "uid", `"type":""`: "type", `"type":"nonsense"`: "type", `"type":"STRIPE"`: "type",
		`"config":[]`: "config", `"config":{"secret":"s","x":1}`: "config", `"config":{"secret":""}`: "config secret", `"config":{"secret":"bad"}`: "config secret", `"config":{"secret":"s","publicKey":"p"}`: "config",
		`"config":{"secret":"s"},"secrets":[]`: "secrets", `"secrets":[{"value":""}]`: "secrets [0] value", `"secrets":[{"value":"a"},{"value":"a"}]`: "secrets [1] value",
		`"secrets":[{"value":"a","expiresAt":"2001-01-01T00:00:00Z"}]`: "secrets [0] expiresAt", `"secrets":[{"value":"bad"}]`: "secrets [0] value",
		`"secrets":[` + strings.Repeat(`{"value":"a"},`, 10) + `{"value":"b"}]`: "secrets",
		`"verification":[]`: "verification", `"verification":{"unknown":1}`: "verification",
		`"dedupe":{"by":"x"}`: "dedupe by", `"dedupe":{"by":"header","at":"a b"}`: "dedupe at", `"dedupe":{"by":"body"}`: "dedupe at", `"dedupe":{"by":"hash","at":"x"}`: "dedupe at",
		`"eventType":{"fixed":"a b"}`: "eventType fixed", `"eventType":{"header":"a:b"}`: "eventType header", `"eventType":{"fixed":"a","body":"b"}`: "eventType",
		`"responses":[{"status":199}]`: "responses [0] status", `"responses":[{"status":302}]`: "responses [0] status", `"responses":[{"status":204,"body":"x"}]`: "responses [0] body",
		`"responses":[{"status":200,"headers":{"Content-Length":"9"}}]`: "responses [0] headers Content-Length", `"responses":[{"status":200,"headers":{"X-A":"a\r\nb"}}]`: "responses [0] headers X-A",
		`"responses":[{"status":200,"eventType":" "}]`: "responses [0] eventType",
		`"routes":[{"app":"nobody"}]`:                  "routes [0] app", `"routes":[{"app":"app_x"}]`: "routes [0] app", `"routes":[{"app":"acme","eventType":{"fixed":"a/b"}}]`: "routes [0] eventType fixed",
		`"routes":[{"app":"acme","only":["a b"]}]`: "routes [0] only [0]",
		`"rate":0`: "rate", `"rate":100001`: "rate", `"maxBody":0`: "maxBody", `"maxBody":99999999`: "maxBody",
		`"methods":["POST"]`: "methods [0]", `"methods":["PUT","put"]`: "methods [1]", `"methods":["TRACE"]`: "methods [0]",
		`"allowNets":["x"]`: "allowNets [0]", `"allowNets":["::ffff:192.0.2.1"]`: "allowNets [0]", `"allowNets":["10.0.0.0/33"]`: "allowNets [0]",
		`"clientCa":"nonsense"`: "clientCa", `"clientCa":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"`: "clientCa",
		`"forwardHeaders":["X-A"]`: "forwardHeaders [0]", `"forwardHeaders":["Cookie","cookie"]`: "forwardHeaders [1]",
		`"cron":{"schedule":"@hourly","payload":""}`: "cron",
		`"type":"cron"`: "cron",
		`"type":"cron","cron":{"schedule":"never","payload":""}`:                                   "cron schedule",
		`"type":"cron","config":{"schedule":"never","payload":""}`:                                 "config schedule",
		`"type":"cron","config":{"schedule":"@hourly","secret":"s"}`:                               "config",
		`"type":"cron","cron":{"schedule":"@hourly","timeZone":"Mars/Base","payload":""}`:          "cron timeZone",
		`"type":"cron","cron":{"schedule":"@hourly","timeZone":"Local","payload":""}`:              "cron timeZone",
		`"type":"cron","cron":{"schedule":"@hourly","contentType":"not one","payload":""}`:         "cron contentType",
		`"type":"cron","cron":{"schedule":"@hourly","eventType":"a b","payload":""}`:               "cron eventType",
		`"type":"cron","config":{"schedule":"@hourly"},"cron":{"schedule":"@daily","payload":"x"}`: "cron",
	} {
		at := append([]string{"body"}, strings.Fields(loc)...)
		r.call("POST", sources, `{"name":"x","type":"github",`+body+`}`).refusedAt(at...)
	}
	unknown := r.call("POST", sources, `{"name":"x","type":"nonsense"}`).refused(422, "invalid")
	if !strings.Contains(unknown.at("hint"), "/ingest/api/v1/source-type") {
		t.Errorf("the hint does not say where the types are: %s", unknown.body)
	}
	r.call("PATCH", sources+"/nobody", `{}`).refused(404, "not_found")
	r.call("PATCH", sources+"/src_x", `{}`).refusedAt("path", "source_id")
	if got := r.call("GET", sources, nil).list("id"); len(got) != 0 {
		t.Errorf("%d sources were made", len(got))
	}
}

func TestARefusedChangeLeavesTheSourceAsItWas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, _ := r.source("github", `"secrets":[{"value":"good"}]`)
	before := r.call("GET", src, nil).want(200)
	r.call("PATCH", src, `{"name":"other","secrets":[{"value":"bad"}]}`).refusedAt("body", "secrets", "[0]", "value")
	if after := r.call("GET", src, nil).want(200); string(after.body) != string(before.body) {
		t.Errorf("it is now %s, was %s", after.body, before.body)
	}
}

func TestAFormerURLWorksFor48HoursAndThereAreAtMostThree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, _ := r.source("github")
	hash := func(url string) [32]byte { return sha256.Sum256([]byte(url[strings.LastIndex(url, "/")+1:])) }
	urls := []string{r.call("GET", src, nil).want(200).at("ingestUrl")}
	for range 3 {
		urls = append(urls, r.call("POST", src+"/token/rotate", nil).want(200).at("ingestUrl"))
	}
	r.call("GET", src, nil).want(200).is(urls[3], "ingestUrl")
	for _, url := range urls {
		if _, err := r.store.FindSourceByToken(t.Context(), hash(url), r.now().Add(47*time.Hour)); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range urls[:3] {
		if _, err := r.store.FindSourceByToken(t.Context(), hash(url), r.now().Add(49*time.Hour)); err == nil {
			t.Errorf("%s works after 49 hours", url)
		}
	}
	r.call("POST", src+"/token/rotate", nil).refused(400, "limit_reached")
	if n := strings.Count(r.call("GET", src, nil).want(200).at("oldTokens"), "T"); n != 3 {
		t.Errorf("%d former URLs are shown", n)
	}
	r.clock.Add(int64(48*time.Hour + time.Second))
	r.call("POST", src+"/token/rotate", nil).want(200)
	cron, _ := r.source("cron", `"cron":{"schedule":"@hourly","payload":""}`)
	r.call("POST", cron+"/token/rotate", nil).refusedAt("path", "source_id")
}

func TestANewSecretLetsTheOldOneVerifyForAWhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, _ := r.source("github", `"secrets":[{"value":"one"}]`)
	r.call("POST", src+"/secret/rotate", `{"value":"two","gracePeriodSeconds":60}`).want(204)
	shown := r.call("GET", src+"/secret", nil).want(200).is("two", "secrets", 0, "value").is("null", "secrets", 0, "expiresAt").is("one", "secrets", 1, "value")
	if at, err := time.Parse(time.RFC3339Nano, shown.at("secrets", 1, "expiresAt")); err != nil || at.Sub(r.now()) > time.Minute {
		t.Errorf("the old one ends %v, %v", at, err)
	}
	r.clock.Add(int64(61 * time.Second))
	r.call("POST", src+"/secret/rotate", `{"value":"three","gracePeriodSeconds":0}`).want(204)
	r.call("GET", src+"/secret", nil).want(200).is(`[{"expiresAt":null,"value":"three"}]`, "secrets")
	r.call("POST", src+"/secret/rotate", `{"value":"bad"}`).refused(422, "invalid")
	r.call("POST", src+"/secret/rotate", `{"value":""}`).refusedAt("body", "value")
	r.call("POST", src+"/secret/rotate", `{"value":"x","gracePeriodSeconds":2592001}`).refusedAt("body", "gracePeriodSeconds")
	for i := range 9 {
		r.call("POST", src+"/secret/rotate", fmt.Sprintf(`{"value":"more %d"}`, i)).want(204)
	}
	r.call("POST", src+"/secret/rotate", `{"value":"one too many"}`).refused(400, "limit_reached")
}

func TestACronSourceKeepsItsNextTimeUntilItsScheduleChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, _ := r.source("cron", `"cron":{"schedule":"@hourly","payload":"{}"}`)
	next := r.call("GET", src, nil).want(200).at("nextFire")
	r.clock.Add(int64(2 * time.Hour))
	r.call("PATCH", src, `{"name":"other"}`).want(200).is(next, "nextFire")
	r.call("PATCH", src, `{"disabled":true}`).want(200).is("null", "nextFire")
	later := r.call("PATCH", src, `{"disabled":false}`).want(200).at("nextFire")
	if later == next || later == "null" {
		t.Errorf("fires %s after it was disabled", later)
	}
	r.clock.Add(int64(2 * time.Hour))
	if again := r.call("PATCH", src, `{"cron":{"schedule":"5 * * * *","payload":"{}"}}`).want(200).at("nextFire"); again == later {
		t.Errorf("a new schedule fires %s, like the old one", again)
	}
}

func TestASourceOwnsEndpointsAsAnApplicationDoes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github", `"uid":"hub"`)
	key := hook.KindSource.Format(id)
	for _, at := range []string{src, sources + "/hub", "/app/" + key} {
		ep := r.call("POST", at+"/endpoint", `{"url":"https://example.test/h","uid":"main","eventTypes":["orders/paid"],"headers":{"X-A":"1"}}`).want(201).is(`["orders/paid"]`, "eventTypes").at("id")
		r.call("GET", at+"/endpoint", nil).want(200).is(ep, "data", 0, "id")
		r.call("GET", at+"/endpoint/main", nil).want(200).is(ep, "id")
		r.call("PUT", at+"/endpoint/main", `{"url":"https://example.test/2"}`).want(200).is(ep, "id")
		r.call("GET", at+"/endpoint/main/headers", nil).want(200).is("1", "headers", "X-A")
		r.call("PUT", at+"/endpoint/main/headers", `{"headers":{"X-B":"2"}}`).want(204)
		old := r.call("GET", at+"/endpoint/main/secret", nil).want(200).at("key")
		r.call("POST", at+"/endpoint/main/secret/rotate", `{"key":"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`).want(204)
		if now := r.call("GET", at+"/endpoint/main/secret", nil).want(200).at("key"); now == old {
			t.Error("the secret stayed")
		}
		r.call("POST", at+"/endpoint", `{"url":"https://example.test/h","eventTypes":["a b"]}`).refusedAt("body", "eventTypes", "[0]")
		r.call("DELETE", at+"/endpoint/main", nil).want(204)
	}
	r.call("PATCH", "/app/"+key+"/endpoint/none", `{"eventTypes":["a/b"]}`).refused(404, "not_found")
	r.call("POST", src+"/endpoint", `{"url":"https://example.test/h"}`).want(201)
	r.call("DELETE", src, nil).want(204)
	if c := r.lastChange(); c.closed != hook.ReasonEndpointDeleted {
		t.Errorf("the engine was told %+v", c)
	}
	r.call("GET", "/app/"+key+"/endpoint", nil).refused(404, "not_found")
}

func TestMessagesOfASourceAreReadAndNotPublished(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	app := "/app/" + hook.KindSource.Format(id)
	ep := r.call("POST", src+"/endpoint", `{"url":"https://example.test/h"}`).want(201).at("id")
	msg, _ := r.accepted(id, "orders/paid", `{"n": 1}`)
	r.call("GET", app+"/msg?event_types=orders/paid", nil).want(200).is(msg, "data", 0, "id").is("orders/paid", "data", 0, "eventType").is(`{"n":1}`, "data", 0, "payload")
	r.call("GET", app+"/msg/"+msg, nil).want(200).is(msg, "id")
	r.call("GET", app+"/msg/"+msg+"/explain", nil).want(200).is(ep, "endpoints", 0, "endpointId")
	r.call("GET", app+"/attempt/endpoint/"+ep, nil).want(200)
	r.call("GET", app+"/endpoint/"+ep+"/msg?event_types=orders/paid", nil).want(200)
	r.call("POST", app+"/msg/"+msg+"/endpoint/"+ep+"/resend", nil).want(202)
	odd, _ := r.accepted(id, "odd", "{\"bytes\":\"\xff\"}")
	r.call("GET", app+"/msg/"+odd, nil).want(200).is("{}", "payload")
	r.call("GET", app, nil).want(200).is(hook.KindSource.Format(id), "id")
	for _, c := range [][3]string{
		{"POST", "/msg", `{"eventType":"a","payload":{}}`},
		{"POST", "/msg", `{"eventType":"a","payload":{},"application":{"name":"x","uid":"y"}}`},
		{"POST", "/endpoint/" + ep + "/send-example", `{"eventType":"svix.ping"}`},
		{"PUT", "", `{"name":"x"}`}, {"PATCH", "", `{"name":"x"}`}, {"DELETE", "", ``},
	} {
		if got := r.call(c[0], app+c[1], c[2]).status; got != 404 && got != 422 {
			t.Errorf("%s %s answers %d", c[0], c[1], got)
		}
	}
	r.call("POST", app+"/msg/batch", `[{"eventType":"a","payload":{}}]`).want(202).is("0", "accepted").is("404", "data", 0, "status")
	if ids := r.call("GET", "/app", nil).list("id"); len(ids) != 0 {
		t.Errorf("applications are %v", ids)
	}
	r.call("POST", "/app", `{"name":"x","uid":"`+hook.KindSource.Format(id)+`"}`).refusedAt("body", "uid")
}

func TestAnApplicationIsNoSourceAndASourceNoApplication(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, id := r.source("github")
	appID, err := hook.KindApplication.Parse(r.call("GET", r.app("acme"), nil).want(200).at("id"))
	must(t, err)
	posing := hook.KindSource.Format(appID)
	for _, path := range []string{sources + "/" + posing, sources + "/" + posing + "/endpoint", "/app/" + posing, "/app/" + posing + "/endpoint", "/app/" + hook.KindApplication.Format(id)} {
		r.call("GET", path, nil).refused(404, "not_found")
	}
	for _, name := range []string{hook.KindApplication.Format(id), hook.KindSource.Format(id)} {
		r.call("POST", "/auth/app-portal-access/"+name, nil).refused(404, "not_found")
	}
}

func TestTokensOfApplicationsDoNotReachSources(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	appID, err := hook.KindApplication.Parse(r.call("GET", r.app("acme"), nil).want(200).at("id"))
	must(t, err)
	token := r.addKey(r.env.ID, appID)
	r.callAs(token, "GET", "/app/"+hook.KindSource.Format(id)+"/endpoint", nil).refused(404, "not_found")
	for _, path := range []string{sources, src, src + "/secret", src + "/endpoint", src + "/request", src + "/log"} {
		r.callAs(token, "GET", path, nil).refused(403, "insufficient access")
	}
}

func TestScopesSayWhatAKeyMayDoWithSources(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, _ := r.source("github", `"secrets":[{"value":"secret-text"}]`)
	read, publish := r.addKey(r.env.ID, hook.ID{}, "read"), r.addKey(r.env.ID, hook.ID{}, "publish")
	r.callAs(read, "GET", src, nil).want(200)
	r.callAs(read, "GET", src+"/request", nil).want(200)
	r.callAs(read, "GET", src+"/secret", nil).refused(403, "insufficient access")
	r.callAs(read, "PATCH", src, `{}`).refused(403, "insufficient access")
	r.callAs(publish, "GET", src, nil).refused(403, "insufficient access")
	other := hook.Environment{ID: hook.NewID(r.now()), Name: "other", CreatedAt: r.now()}
	must(t, r.store.CreateEnvironment(t.Context(), &other))
	stranger := r.addKey(other.ID, hook.ID{})
	for _, path := range []string{"", "/secret", "/endpoint", "/request"} {
		r.callAs(stranger, "GET", src+path, nil).refused(404, "not_found")
	}
	r.callAs(stranger, "DELETE", src, nil).refused(404, "not_found")
	r.callAs(stranger, "POST", src+"/token/rotate", nil).refused(404, "not_found")
}

func TestSourceTypesAreListedByName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	names := r.call("GET", "/ingest/api/v1/source-type", nil).list("name")
	if !slices.IsSorted(names) || !slices.Contains(names, "cron") || len(names) != len(sourceTypes())+1 {
		t.Errorf("listed %v", names)
	}
}
