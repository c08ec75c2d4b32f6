package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// deviations are the rows of testdata/hostile-inputs.json whose text this API does
// not follow to the letter, with the rule that it follows instead.
var deviations = map[string]string{
	"X022": "a value that is no id and no uid is invalid: 422; a well-formed one that names nothing: 404",
	"X023": "out of range or an iterator of another list: 422; not a number: 400; iterators are ids, and every query is bound to the tenant",
	"X025": "a request that meets the running first one waits for the same commit and has its result, so there is no 409; more than 256 characters: 400",
	"X028": "invalid: 422; letters, digits, - _ and . in any order, as the compatible API has it",
	"X029": "over the limit: 413; too deep: 422",
	"X033": "browser clients of any origin may call with a key in a header; credentials of the browser are never allowed",
	"X046": "decided by the network policy, which is passed in: what it refuses is 422, what it normalises is shown",
	"X050": "invalid: 422", "X051": "invalid: 422", "X052": "invalid: 422", "X053": "invalid: 422", "X054": "invalid: 422",
	"X055": "the signed id is always our own, so an event id may hold dots; the rest is 422",
	"X076": "a corpus of our own by the same categories",
	"X079": "bytes that are not UTF-8 are refused with 422, since answers that show the payload must be JSON; escaped surrogates are stored as they came",
	"X083": "an object is due: 422",
}

// hostile checks one row each.
var hostile = map[string]func(*testing.T, *rig){
	"X021": func(t *testing.T, r *rig) {
		expired, hash := newToken(false)
		must(t, r.store.CreateKey(t.Context(), &hook.Key{ID: hook.NewID(r.now()), Env: r.env.ID, Hash: hash, CreatedAt: r.now(), ExpiresAt: r.now().Add(-time.Second)}))
		for _, token := range []string{"", " ", "wrong", expired, strings.Repeat("x", 5000)} {
			r.callAs(token, "GET", "/app", nil).refused(401, "authentication_failed")
		}
		for _, header := range []string{"Basic " + r.token, r.token, "Bearer", "Bearer  "} {
			a := r.callAs("", "GET", "/app", nil, "Authorization", header).refused(401, "authentication_failed")
			if a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%v", a.header)
			}
		}
		// A key of another tenant: TestEnvironmentsDoNotSeeEachOther.
	},
	"X022": func(t *testing.T, r *rig) {
		for _, segment := range []string{"'%20OR%201=1;--", "%27%20OR%201=1", "1e9%20", "%00", "a%00b", strings.Repeat("x", 257), "app_", "app_short", "app_" + strings.Repeat("z", 27), "%2e%2e%2f", "a%2Fb", "😀", "%ff"} {
			r.call("GET", "/app/"+segment, nil).refused(422, "invalid")
		}
		for _, segment := range []string{"..", "1e9", "-1", "0"} {
			r.call("GET", "/app/"+segment, nil).refused(404, "not_found")
		}
		r.call("GET", "/app/../../secret", nil).refused(404, "not_found")
	},
	"X023": func(t *testing.T, r *rig) {
		for _, limit := range []string{"0", "-1", "1000000000"} {
			r.call("GET", "/app?limit="+limit, nil).refusedAt("query", "limit")
		}
		for _, limit := range []string{"NaN", "1e9", "0x10", "1.5", "99999999999999999999"} {
			r.call("GET", "/app?limit="+limit, nil).refused(400, "bad_request")
		}
		other := hook.KindMessage.Format(hook.NewID(r.now()))
		for _, iterator := range []string{other, "app_x", "--", "-", "app_" + strings.Repeat("z", 27), "%27"} {
			r.call("GET", "/app?iterator="+iterator, nil).refusedAt("query", "iterator")
		}
	},
	"X024": func(t *testing.T, r *rig) {
		foreign := hook.KindApplication.Format(hook.NewID(r.now()))
		made := r.call("POST", "/app", `{"name":"x","id":"`+foreign+`","env":"y","createdAt":"2000-01-01T00:00:00Z"}`).want(201)
		if made.at("id") == foreign || strings.HasPrefix(made.at("createdAt"), "2000") {
			t.Errorf("read-only members were taken: %s", made.body)
		}
		app := "/app/" + made.at("id")
		ep := r.endpoint(app, map[string]any{"disabledReason": "gone_410", "failingSince": "2000-01-01T00:00:00Z", "revision": 9})
		r.call("PATCH", app+"/endpoint/"+ep, `{"id":"ep_1","disabledReason":"failing","createdAt":"2000-01-01T00:00:00Z"}`).want(200).is(ep, "id").is("null", "disabledReason")
	},
	"X025": func(t *testing.T, r *rig) {
		r.call("POST", "/app", `{"name":"x"}`, "Idempotency-Key", "k").want(201)
		r.call("POST", "/app", `{"name":"y"}`, "Idempotency-Key", "k").refused(422, "idempotency_key_reused")
		r.call("POST", "/app", `{"name":"x"}`, "Idempotency-Key", strings.Repeat("k", 1<<20)).refused(400, "bad_request")
		r.call("POST", "/app", `{"name":"x"}`, "Idempotency-Key", strings.Repeat("k", 256)).want(201)
		r.call("POST", "/app", `{"name":"x"}`, "Idempotency-Key", "").refused(400, "bad_request")
		r.call("POST", "/app", `{"name":"x"}`, "Idempotency-Key", "  ").refused(400, "bad_request")
		app := r.app("acme")
		ids := make(chan string)
		for range 20 {
			go func() {
				ids <- r.call("POST", app+"/msg", `{"eventType":"a","payload":{}}`, "Idempotency-Key", "at once").at("id")
			}()
		}
		first := <-ids
		for range 19 {
			if id := <-ids; id != first {
				t.Errorf("the same key made %s and %s", first, id)
			}
		}
	},
	"X026": func(t *testing.T, r *rig) {
		other := r.addKey(r.env.ID, hook.ID{})
		one := r.call("POST", "/app", `{"name":"x"}`, "Idempotency-Key", "k").want(201).at("id")
		if two := r.callAs(other, "POST", "/app", `{"name":"y"}`, "Idempotency-Key", "k").want(201).at("id"); two == one {
			t.Error("a key of another caller gave the first one's object")
		}
	},
	"X027": func(t *testing.T, r *rig) {
		app := r.app("acme")
		id := r.publish(app, "a")
		r.call("GET", app+"/msg/"+id, nil).want(200)
		r.call("GET", app+"/msg/"+id+"/endpoint", nil).want(200).is("[]", "data")
	},
	"X028": func(t *testing.T, r *rig) {
		app := r.app("acme")
		for _, name := range []string{"../../x", "a b", "😀", strings.Repeat("a.", 1000), "a\\u0000", "a/b", "a:b", ""} {
			r.call("POST", app+"/msg", `{"eventType":"`+name+`","payload":{}}`).refusedAt("body", "eventType")
		}
		r.call("POST", app+"/msg", `{"eventType":"a..b","payload":{}}`).want(202)
	},
	"X029": func(t *testing.T, r *rig) {
		app := r.app("acme")
		message := func(payload string) string { return `{"eventType":"a","payload":` + payload + `}` }
		r.call("POST", app+"/msg", message(`{"x":"`+strings.Repeat("x", 1<<20)+`"}`)).refused(413, "payload_too_large")
		r.call("POST", app+"/msg", message(strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000))).refusedAt("body")
		r.call("POST", app+"/msg", message(`{"`+strings.Repeat("k", 1<<19)+`":1}`)).want(202)
	},
	"X030": func(t *testing.T, _ *rig) {
		r := newRig(t, func(d *api.Deps) { d.EndpointLimit = 3 })
		app := r.app("acme")
		for range 3 {
			r.endpoint(app, map[string]any{})
		}
		r.call("POST", app+"/endpoint", `{"url":"https://example.test/hook"}`).refused(400, "limit_reached")
	},
	"X031": func(t *testing.T, r *rig) {
		app := r.app("acme")
		ep := r.endpoint(app, map[string]any{})
		since := r.now().Add(-time.Hour).UTC().Format(time.RFC3339)
		r.call("POST", app+"/endpoint/"+ep+"/recover", `{"since":"`+since+`"}`).want(202).is("running", "status")
		since = r.now().Add(-300 * 24 * time.Hour).UTC().Format(time.RFC3339)
		r.call("POST", app+"/endpoint/"+ep+"/recover", `{"since":"`+since+`"}`).refusedAt("body", "since")
	},
	"X032": func(t *testing.T, r *rig) {
		app := r.app("acme")
		ep := r.endpoint(app, map[string]any{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 50 {
				r.call("POST", app+"/msg", `{"eventType":"a","payload":{}}`).want(202)
			}
		}()
		r.call("DELETE", app+"/endpoint/"+ep, nil).want(204)
		if c := r.lastChange(); c.closed != hook.ReasonEndpointDeleted {
			t.Error("the delete was acknowledged before the engine knew of it")
		}
		<-done
		r.publish(app, "a")
		if n := r.deliver(succeed); n != 0 {
			t.Errorf("%d deliveries after the delete", n)
		}
	},
	"X033": func(t *testing.T, r *rig) {
		for _, origin := range []string{"https://evil.test", "null"} {
			a := r.callAs("", "OPTIONS", "/app", nil, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization, x-own").want(204)
			h := a.header
			if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Access-Control-Max-Age") != "600" ||
				h.Get("Access-Control-Allow-Headers") != "authorization, x-own" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "PATCH") {
				t.Errorf("preflight answers %v", h)
			}
			a = r.callAs("", "GET", "/app", nil, "Origin", origin).refused(401, "authentication_failed")
			if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("answers %v", a.header)
			}
		}
		if h := r.call("GET", "/app", nil, "Cookie", "session="+r.token).header; h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("answers %v", h)
		}
		r.callAs("", "GET", "/app", nil, "Cookie", "session="+r.token).refused(401, "authentication_failed")
	},
	"X034": func(_ *testing.T, r *rig) {
		app := r.app("acme")
		for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
			r.call("GET", app, nil, header, "DELETE").want(200)
			r.call("POST", "/app?_method=DELETE", `{"name":"x"}`, header, "DELETE").want(201)
		}
		r.call("GET", app, nil).want(200)
	},
	"X035": func(t *testing.T, r *rig) {
		for _, accept := range []string{"application/xml", "text/html;q=1", "", "*/*;q=0"} {
			a := r.call("GET", "/app", nil, "Accept", accept).want(200)
			if got := a.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Accept %q gets %s", accept, got)
			}
		}
		// Headers of 64 KiB never get here: the server's limit answers 431.
		if info := hook.CodeHeadersTooBig.Info(); info.Status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("the catalog says %d", info.Status)
		}
	},
	"X036": func(t *testing.T, _ *rig) {
		r := newRig(t, func(d *api.Deps) {
			d.Accept = func(_ context.Context, events []hook.NewEvent) ([]hook.Accepted, error) {
				return nil, fmt.Errorf("INSERT INTO messages failed: %s", events[0].Body)
			}
		})
		app := r.app("acme")
		a := r.call("POST", app+"/msg", `{"eventType":"a","payload":{"k":"canary"}}`).refused(500, "internal_error")
		if text := string(a.body); strings.Contains(text, "INSERT") || strings.Contains(text, "canary") || strings.Contains(text, ".go") {
			t.Errorf("shows internals: %s", text)
		}
	},
	"X046": func(t *testing.T, _ *rig) {
		r := newRig(t, func(d *api.Deps) {
			d.CheckURL = func(raw string) (string, string, error) {
				if strings.Contains(raw, "\u202e") {
					return "", "", hook.Invalid("names a host with characters that do not show", "body", "url")
				}
				return "https://xn--pple-43d.test/", "", nil
			}
		})
		app := r.app("acme")
		r.call("POST", app+"/endpoint", `{"url":"https://exa\u202emple.test"}`).refusedAt("body", "url").is("names a host with characters that do not show", "detail", 0, "msg")
		r.call("POST", app+"/endpoint", `{"url":"https://аpple.test"}`).want(201).is("https://xn--pple-43d.test/", "url")
	},
	"X050": refusesHeaders("Host", "Content-Length", "Transfer-Encoding", "Connection", "TE", "Upgrade", "Proxy-Authorization", "proxy-authenticate", "Keep-Alive", "Trailer", "user-agent", "Content-Type"),
	"X051": refusesHeaders("webhook-id", "Webhook-Timestamp", "WEBHOOK-SIGNATURE", "svix-id", "Svix-Signature", "X-Svix-Id", "x-amz-date", "X-Goog-Auth", "X-Azure-Ref", "x-fd-id", "X-GFE-x", "x-google-x"),
	"X052": func(_ *testing.T, r *rig) {
		app := r.app("acme")
		for _, value := range []string{"a\r\nX-Evil: 1", "a\x00b", "a\nb", strings.Repeat("x", 1<<19), strings.Repeat("x", 4097), "é", "😀", "\x7f", " a", "a "} {
			r.call("POST", app+"/endpoint", map[string]any{"url": "https://e.test", "headers": map[string]string{"X-A": value}}).refusedAt("body", "headers", "X-A")
		}
		r.call("POST", app+"/endpoint", map[string]any{"url": "https://e.test", "headers": map[string]string{"X-A": strings.Repeat("x", 4096)}}).want(201)
	},
	"X053": func(_ *testing.T, r *rig) {
		app := r.app("acme")
		for _, name := range []string{"a b", "a:b", "", strings.Repeat("x", 300), "é", "a\r\nb", "a\x00"} {
			r.call("POST", app+"/endpoint", map[string]any{"url": "https://e.test", "headers": map[string]string{name: "v"}}).refusedAt("body", "headers")
			ep := r.endpoint(app, map[string]any{})
			r.call("PATCH", app+"/endpoint/"+ep+"/headers", map[string]any{"headers": map[string]string{name: "v"}}).refusedAt("body", "headers")
			r.call("PUT", app+"/endpoint/"+ep+"/headers", map[string]any{"headers": map[string]string{name: "v"}}).refusedAt("body", "headers")
		}
	},
	"X054": func(_ *testing.T, r *rig) {
		app := r.app("acme")
		many := map[string]string{}
		for i := range 200 {
			many[fmt.Sprintf("X-%d", i)] = "v"
		}
		r.call("POST", app+"/endpoint", map[string]any{"url": "https://e.test", "headers": many}).refusedAt("body", "headers")
		ep := r.endpoint(app, map[string]any{})
		r.call("PATCH", app+"/endpoint/"+ep+"/headers", map[string]any{"headers": many}).refusedAt("body", "headers")
	},
	"X055": func(_ *testing.T, r *rig) {
		app := r.app("acme")
		for _, id := range []string{`a\nb`, strings.Repeat("x", 4096), "a b", "", "a/b"} {
			r.call("POST", app+"/msg", `{"eventType":"a","payload":{},"eventId":"`+id+`"}`).refusedAt("body", "eventId")
		}
		r.call("POST", app+"/msg", `{"eventType":"a","payload":{},"eventId":"a.b"}`).want(202)
	},
	"X076": func(t *testing.T, r *rig) {
		app := r.app("acme")
		for name, text := range corpus(t) {
			if strings.HasPrefix(name, "n_depth") {
				continue // X081
			}
			started := time.Now()
			a := r.call("POST", app+"/msg", `{"eventType":"a","payload":{"v":`+text+`}}`)
			if want := map[byte]int{'y': 202, 'n': 422, 'i': a.status}[name[0]]; a.status != want || a.status >= 500 || time.Since(started) > 10*time.Second {
				t.Errorf("%s answers %d after %v", name, a.status, time.Since(started))
			}
		}
	},
	"X077": func(t *testing.T, r *rig) {
		app := r.app("acme")
		const payload = `{"type":"a","type":"b"}`
		a := r.call("POST", app+"/msg", `{"eventType":"first","eventType":"last","payload":`+payload+`}`).want(202).is("last", "eventType")
		if !strings.Contains(string(a.body), payload) {
			t.Errorf("the payload was changed: %s", a.body)
		}
	},
	"X078": func(t *testing.T, r *rig) {
		keepsPayload(t, r, `{"a":[1e400,-0,12345678901234567890,0.1000000000000000055511151231257827]}`)
	},
	"X079": func(t *testing.T, r *rig) {
		keepsPayload(t, r, `{"lone":"\ud800","swapped":"\udc00\ud800"}`)
		app := r.app("utf8")
		for _, text := range []string{"\xff", "\xc0\xaf", "\xed\xa0\x80"} {
			r.call("POST", app+"/msg", `{"eventType":"a","payload":{"v":"`+text+`"}}`).refusedAt("body")
		}
		r.call("POST", app+"/msg", "\xff\xfe{\x00}\x00").refusedAt("body")
		r.call("POST", app+"/msg", "\xef\xbb\xbf"+`{"eventType":"a","payload":{}}`).refusedAt("body")
	},
	"X080": func(t *testing.T, r *rig) { keepsPayload(t, r, `{"a\u0000b":"\u0000"}`) },
	"X081": func(_ *testing.T, r *rig) {
		app := r.app("acme")
		for _, text := range []string{strings.Repeat("[", 100_000), strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)} {
			r.call("POST", app+"/msg", text).refusedAt("body")
			r.call("POST", app+"/msg", `{"eventType":"a","payload":{"v":`+text+`}}`).refusedAt("body")
			r.call("POST", app+"/msg", `{"eventType":"a","payload":{},"ignored":`+text+`}`).refusedAt("body")
			r.call("POST", "/app", text).refusedAt("body")
			r.call("POST", "/app", `{"name":"x","metadata":`+text+`}`).refusedAt("body")
		}
	},
	"X082": func(t *testing.T, _ *rig) {
		r := newRig(t, func(d *api.Deps) { d.MaxBody = 32 << 20 })
		app := r.app("acme")
		var b strings.Builder
		for i := range 1_000_000 {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
		started := time.Now()
		r.call("POST", app+"/msg?with_content=false", `{"eventType":"a","payload":{`+b.String()+`"z":0}}`).want(202)
		r.call("POST", app+"/msg?with_content=false", `{"eventType":"a",`+b.String()+`"payload":{}}`).want(202)
		r.call("POST", app+"/msg?with_content=false", `{"eventType":"a","payload":{"`+strings.Repeat("k", 10<<20)+`":0}}`).want(202)
		if took := time.Since(started); took > time.Minute {
			t.Errorf("took %v", took)
		}
	},
	"X083": func(_ *testing.T, r *rig) {
		app := r.app("acme")
		for _, text := range []string{`"x"`, `1`, `null`, `[]`, `true`, ``, ` `, `{"eventType":"a","payload":{}} x`, `{"eventType":"a","payload":{}},`} {
			r.call("POST", app+"/msg", text).refusedAt("body")
		}
		for _, payload := range []string{`"x"`, `1`, `null`, `[]`, `true`} {
			r.call("POST", app+"/msg", `{"eventType":"a","payload":`+payload+`}`).refusedAt("body", "payload")
		}
	},
	"X084": func(t *testing.T, r *rig) {
		keepsPayload(t, r, `{"__proto__":{"x":1},"constructor":{"prototype":{}},"toString":1}`)
		r.call("POST", "/app", `{"name":"x","metadata":{"__proto__":"1"},"__proto__":{"name":"y"}}`).want(201).is("x", "name").is("1", "metadata", "__proto__")
	},
}

func refusesHeaders(names ...string) func(*testing.T, *rig) {
	return func(_ *testing.T, r *rig) {
		app := r.app("acme")
		ep := r.endpoint(app, map[string]any{})
		for _, name := range names {
			given := map[string]any{"headers": map[string]string{name: "v"}}
			r.call("PUT", app+"/endpoint/"+ep+"/headers", given).refused(422, "invalid")
			r.call("PATCH", app+"/endpoint/"+ep+"/headers", given).refused(422, "invalid")
			r.call("POST", app+"/endpoint", map[string]any{"url": "https://e.test", "headers": given["headers"]}).refused(422, "invalid")
		}
	}
}

// keepsPayload publishes a payload and expects its bytes in the answer and in what is sent.
func keepsPayload(t *testing.T, r *rig, payload string) {
	t.Helper()
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	a := r.call("POST", app+"/msg", `{"eventType":"a","payload":`+payload+`}`).want(202)
	if sent := r.claimBodies(); len(sent) != 1 || sent[0] != payload || !strings.Contains(string(a.body), payload) {
		t.Errorf("sent is %q", sent)
	}
}

func TestHostileInputsHaveTheOutcomeNamedThere(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/hostile-inputs.json")
	must(t, err)
	var file struct {
		Inputs []struct{ ID, Area, Input string }
	}
	must(t, json.Unmarshal(text, &file))
	ran := 0
	for _, row := range file.Inputs {
		check := hostile[row.ID]
		mine := row.Area == "API" || row.ID == "X046" || row.ID >= "X050" && row.ID <= "X055" || row.ID >= "X076" && row.ID <= "X084"
		if mine != (check != nil) {
			t.Errorf("row %s (%s) has a check: %v", row.ID, row.Area, check != nil)
		}
		if check == nil {
			continue
		}
		ran++
		t.Run(row.ID, func(t *testing.T) {
			t.Parallel()
			check(t, newRig(t))
		})
	}
	if ran != len(hostile) {
		t.Errorf("%d rows ran, want %d", ran, len(hostile))
	}
	for id := range deviations {
		if hostile[id] == nil {
			t.Errorf("the deviation %s has no row", id)
		}
	}
}
