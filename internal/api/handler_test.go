package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// regexpParams finds the parameters of a path.
var regexpParams = regexp.MustCompile(`\{[a-z]+\}`)

func TestEveryRouteIsTheSameWithATrailingSlash(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	for _, rt := range api.Routes() {
		path := strings.NewReplacer("{app}", "acme", "{env}", "-").Replace(rt.Path)
		path = regexpParams.ReplaceAllString(path, "x")
		if rt.ID == "authentication.logout" || rt.ID == "application.delete" || strings.HasPrefix(rt.ID, "authentication.") {
			continue
		}
		without, with := r.call(rt.Method, path, nil), r.call(rt.Method, path+"/", nil)
		if without.status != with.status || without.status == 405 || without.status >= 400 && without.at("code") != with.at("code") {
			t.Errorf("%s %s answers %d, with a slash %d", rt.Method, path, without.status, with.status)
		}
	}
}

func TestOperationsOfLaterAnswer501(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := 0
	for _, rt := range api.Routes() {
		if rt.ID != "not-implemented" {
			continue
		}
		n++
		path := regexpParams.ReplaceAllString(rt.Path, "x")
		r.callAs("", rt.Method, path, nil).refused(501, "not_implemented")
	}
	if n != 184 {
		t.Errorf("%d operations, want 184", n)
	}
	if implemented := len(api.Routes()) - n; implemented != 68+69+2 {
		t.Errorf("%d operations are implemented, want 68 of the compatible API, 69 more, and 2 of the server", implemented)
	}
}

func TestUnknownPathsAndMethodsGetTheErrorObject(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call("GET", "/api/v1/nothing", nil).refused(404, "not_found")
	r.call("GET", "/api", nil).refused(404, "not_found")
	r.call("GET", "/api/v1/app/a/b/c/d/e/f/g", nil).refused(404, "not_found")
	a := r.call("DELETE", "/api/v1/app", nil).refused(405, "method_not_allowed")
	if allow := a.header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow is %q", allow)
	}
	a = r.call("GET", "/api/v1/app/x/msg/y/content", nil).refused(405, "method_not_allowed")
	if allow := a.header.Get("Allow"); allow != "DELETE" {
		t.Errorf("Allow is %q", allow)
	}
	r.call("BREW", "/api/v1/app", nil).refused(405, "method_not_allowed")
	double := r.call("GET", "//api/v1/app", nil).refused(404, "not_found")
	if !strings.Contains(double.at("hint"), "slash") {
		t.Errorf("the hint is %q", double.at("hint"))
	}
	r.call("GET", "/api/v1/app/a%2F%2Fb", nil).refusedAt("path", "app_id")
	r.call("GET", "/api/v1/app//endpoint", nil).refused(404, "not_found")
	r.call("GET", "/api/v1/app?limit=%zz", nil).refused(400, "bad_request")
	r.call("HEAD", "/api/v1/health", nil).want(204)
}

func TestEveryAnswerNamesItsRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.call("GET", "/app", nil).want(200), r.call("GET", "/app/x", nil).refused(404, "not_found")
	if id := one.header.Get("X-Request-Id"); id == "" || id == two.header.Get("X-Request-Id") {
		t.Errorf("request ids are %q and %q", id, two.header.Get("X-Request-Id"))
	}
	two.is(two.header.Get("X-Request-Id"), "requestId")
	if got := two.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("errors are %s", got)
	}
}

func TestAPanicBecomesAnErrorObjectAndALogLine(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) {
		d.Authenticate = func(context.Context, string) (hook.Key, error) { panic("secret in a panic") }
	})
	a := r.call("GET", "/app", nil).refused(500, "internal_error")
	if strings.Contains(string(a.body), "secret") {
		t.Errorf("the panic is shown: %s", a.body)
	}
	if log := r.logs.String(); !strings.Contains(log, "secret in a panic") || !strings.Contains(log, a.at("requestId")) || !strings.Contains(log, "handler_test.go") {
		t.Errorf("the log lacks cause, request or stack: %s", log)
	}
}

func TestAFailingStoreGives503WithRetryAfter(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) {
		d.Accept = func(context.Context, []hook.NewEvent) ([]hook.Accepted, error) {
			return nil, hook.Unavailable(errors.New("disk full at /secret/path"))
		}
	})
	app := r.app("acme")
	for _, path := range []string{"/msg", "/msg/batch"} {
		body := `{"eventType":"a","payload":{}}`
		if path == "/msg/batch" {
			body = "[" + body + "]"
		}
		a := r.call("POST", app+path, body).refused(503, "unavailable")
		if a.header.Get("Retry-After") != "1" || strings.Contains(string(a.body), "secret") {
			t.Errorf("answers %v %s", a.header, a.body)
		}
	}
	if r.counts["failed"] != 2 {
		t.Errorf("counted %v", r.counts)
	}
}

func TestHealthFollowsTheStore(t *testing.T) {
	t.Parallel()
	var broken error
	r := newRig(t, func(d *api.Deps) { d.Store = pinged{d.Store, &broken} })
	r.callAs("", "GET", "/health", nil).want(204)
	broken = errors.New("no disk")
	r.callAs("", "GET", "/health", nil).refused(503, "unavailable")
	r.callAs("", "GET", "/health/ping", nil).want(204)
}

type pinged struct {
	api.Store
	err *error
}

func (p pinged) Ping(context.Context) error { return *p.err }

func TestABodyOverTheLimitIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.MaxBody = 1000 })
	app := r.app("acme")
	body := `{"eventType":"a","payload":{"x":"` + strings.Repeat("x", 1000) + `"}}`
	r.call("POST", app+"/msg", body).refused(413, "payload_too_large")
	req := httptest.NewRequest(http.MethodPost, "/api/v1"+app+"/msg", io.MultiReader(strings.NewReader(body))) // of unknown length
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.ContentLength = -1
	r.serve(req).refused(413, "payload_too_large")
	exact := `{"eventType":"a","payload":{"x":"` + strings.Repeat("x", 1000-len(`{"eventType":"a","payload":{"x":""}}`)) + `"}}`
	r.call("POST", app+"/msg", exact).want(202)
	r.call("POST", "/app", `{"name":"`+strings.Repeat("x", 1000)+`"}`).refused(413, "payload_too_large")
}

func TestAWaitingClientIsNotToldToGoOnWithABodyOverTheLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.MaxBody = 1000 })
	app := r.app("acme")
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/v1%s/msg HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n", app, r.token)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestEntityTooLarge || !answer.Close {
		t.Errorf("answered %s, close %v", answer.Status, answer.Close)
	}
}

func TestABodyThatStopsOrStallsIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{{io.ErrUnexpectedEOF, 400, "bad_request"}, {os.ErrDeadlineExceeded, 408, "request_timeout"}} {
		req := httptest.NewRequest(http.MethodPost, "/api/v1"+app+"/msg", failing{c.err})
		req.ContentLength = 100
		req.Header.Set("Authorization", "Bearer "+r.token)
		r.serve(req).refused(c.status, c.code)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestTheDescriptionIsOpenAPIAndNamesEveryRoute(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	doc := r.callAs("", "GET", "/api/openapi.json", nil).want(200).is("3.1.0", "openapi").is("1.2.3", "info", "version").is("..", "servers", 0, "url").object()
	paths, _ := doc["paths"].(map[string]any)
	for _, rt := range api.Routes() {
		item, _ := paths[rt.Path].(map[string]any)
		_, found := item[strings.ToLower(rt.Method)]
		if found == rt.Hidden {
			t.Errorf("%s %s is described: %v", rt.Method, rt.Path, found)
		}
	}
	if body := r.callAs("", "GET", "/api/openapi.json", nil).body; bytes.Contains(body, []byte("$schema")) || bytes.Contains(body, []byte(`"additionalProperties":false`)) {
		t.Error("the description forbids unknown members")
	}
	components, _ := doc["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for name, schema := range schemas {
		object, _ := schema.(map[string]any)
		members, _ := object["properties"].(map[string]any)
		for member, p := range members {
			if p, _ := p.(map[string]any); p["$ref"] == nil && p["description"] == nil {
				t.Errorf("%s.%s has no description", name, member)
			}
		}
	}
	if got := r.callAs("", "GET", "/api/openapi.json", nil).at("webhooks", "message", "post", "parameters", 0, "name"); got != "webhook-id" {
		t.Errorf("what endpoints receive is not described: %s", got)
	}
	if len(schemas) < 20 {
		t.Errorf("only %d types are described", len(schemas))
	}
}

func TestTheDocsPageLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.callAs("", "GET", "/api/docs", nil).want(200)
	if got := a.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("it is %s", got)
	}
	policy := a.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains("; "+policy, "; "+part) {
			t.Errorf("the policy lacks %s: %s", part, policy)
		}
	}
	for _, foreign := range []string{"http://", "https://", " src=", "@import", "url(", " style=", "onclick", "innerHTML"} {
		if bytes.Contains(a.body, []byte(foreign)) {
			t.Errorf("the page holds %q", foreign)
		}
	}
}

func TestTheDocsPageShowsEveryMethodInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const order = `"post", "get", "put", "patch", "delete"`
	if page := r.callAs("", "GET", "/api/docs", nil).want(200); !bytes.Contains(page.body, []byte("const order = ["+order+"];")) {
		t.Errorf("the page does not draw the methods in the order %s", order)
	}
	for path, item := range r.callAs("", "GET", "/api/openapi.json", nil).want(200).object()["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if !strings.Contains(order, `"`+method+`"`) {
				t.Errorf("the page leaves out %s %s", method, path)
			}
		}
	}
}

func TestAWriterThatHasGoneIsNoFailure(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v1"+app+"/msg?wait=60", strings.NewReader(`{"eventType":"a","payload":{}}`))
	req.Header.Set("Authorization", "Bearer "+r.token)
	r.serve(req)
	if log := r.logs.String(); strings.Contains(log, "request failed") {
		t.Errorf("logged %s", log)
	}
}
