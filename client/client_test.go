package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// seen is one request as the server got it.
type seen struct {
	method, uri, body string
	header            http.Header
}

// answers is an http.RoundTripper that gives prepared answers in turn, the last
// one again and again, and remembers the requests.
type answers struct {
	mu    sync.Mutex // guards what follows
	seen  []seen
	queue []answer
}

type answer struct {
	status int
	body   string
	header http.Header
	err    error
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	a.seen = append(a.seen, seen{r.Method, r.URL.RequestURI(), body, r.Header})
	next := a.queue[0]
	if len(a.queue) > 1 {
		a.queue = a.queue[1:]
	}
	if next.err != nil {
		return nil, next.err
	}
	if next.header == nil {
		next.header = http.Header{}
	}
	return &http.Response{StatusCode: next.status, Header: next.header, Body: io.NopCloser(strings.NewReader(next.body)), Request: r}, nil
}

func newClient(t *testing.T, queue ...answer) (*client.Client, *answers) {
	t.Helper()
	a := &answers{queue: queue}
	c, err := client.New("http://grapnel.test/", "gk_key", client.WithHTTPClient(&http.Client{Transport: a}))
	if err != nil {
		t.Fatal(err)
	}
	return c, a
}

func TestServerURLIsChecked(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "127.0.0.1:8080", "ftp://h", "http://", "http://h/?a=b", "http://h/#x", "http://h\x7f"} {
		if _, err := client.New(url, ""); err == nil {
			t.Errorf("New(%q) is accepted", url)
		}
	}
}

func TestPublishSendsThePayloadByteForByte(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, answer{status: 202, body: `{"id":"msg_1","eventType":"a","payload":{}}`})
	const payload = `{ "html": "<b>&</b>", "n": 1.0e2,  "payload":null }`
	out, err := c.Publish(t.Context(), "acme/eu", apitype.MessageIn{
		EventType: "a", Payload: json.RawMessage(payload), EventID: apitype.Some(`"payload":null`),
	}, client.PublishOptions{IdempotencyKey: "order-1", Wait: 1500 * time.Millisecond})
	if err != nil || out.ID != "msg_1" {
		t.Fatalf("Publish: %+v, %v", out, err)
	}
	got := a.seen[0]
	want := `{"eventType":"a","payload":` + payload + `,"eventId":"\"payload\":null"}`
	if got.body != want {
		t.Errorf("body %s\nwant %s", got.body, want)
	}
	if got.method != "POST" || got.uri != "/api/v1/app/acme%2Feu/msg?wait=2&with_content=false" {
		t.Errorf("%s %s", got.method, got.uri)
	}
	for name, value := range map[string]string{"Authorization": "Bearer gk_key", "Content-Type": "application/json", "Idempotency-Key": "order-1"} {
		if got.header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), value)
		}
	}
	if _, err := c.Publish(t.Context(), "acme", apitype.MessageIn{Payload: json.RawMessage(`{"a":`)}, client.PublishOptions{}); err == nil {
		t.Error("a payload that is not JSON was sent")
	}
}

func TestBatchIsOneArrayOfExactPayloads(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, answer{status: 202, body: `{"data":[],"accepted":2,"refused":0}`})
	if _, err := c.PublishBatch(t.Context(), "acme", []apitype.MessageIn{
		{EventType: "a", Payload: json.RawMessage(`{ }`)}, {EventType: "b", Payload: json.RawMessage(`{"x" : 1}`)},
	}, client.PublishOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := `[{"eventType":"a","payload":{ }},{"eventType":"b","payload":{"x" : 1}}]`; a.seen[0].body != want {
		t.Errorf("body %s, want %s", a.seen[0].body, want)
	}
}

func TestErrorsCarryWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer answer
		want   client.Error
	}{
		"sentence": {
			answer{status: 404, body: `{"code":"not_found","detail":"There is no such application.","title":"Not found","status":404,"hint":"Check the id.","requestId":"r-1"}`},
			client.Error{Status: 404, Code: "not_found", Detail: "There is no such application.", Title: "Not found", Hint: "Check the id.", RequestID: "r-1"},
		},
		"list": {
			answer{status: 422, body: `{"code":"invalid","detail":[{"loc":["body","name"],"msg":"must not be empty","type":"value_error"}],"status":422}`},
			client.Error{Status: 422, Code: "invalid", Detail: "body.name: must not be empty"},
		},
		"proxy": {
			answer{status: 418, body: "<html>", header: http.Header{"X-Request-Id": {"p-1"}}},
			client.Error{Status: 418, Code: "unexpected_answer", Title: "I'm a teapot", Detail: "The answer has status 418 and is not from a Grapnel server.", Hint: "Check the server's URL.", RequestID: "p-1"},
		},
		"redirect": {
			answer{status: 302, header: http.Header{"Location": {"http://elsewhere.test/"}}},
			client.Error{Status: 302, Code: "unexpected_answer", Title: "Found", Detail: "The answer has status 302 and is not from a Grapnel server.", Hint: "Check the server's URL."},
		},
	} {
		a := &answers{queue: []answer{tt.answer}}
		c, err := client.New("http://grapnel.test", "k", client.WithHTTPClient(&http.Client{Transport: a, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.FindApplication(t.Context(), "x")
		var got *client.Error
		if !errors.As(err, &got) {
			t.Fatalf("%s: %v, want *client.Error", name, err)
		}
		items := got.Items
		got.Items = nil
		if got.Error() != tt.want.Error() || got.Hint != tt.want.Hint || got.RequestID != tt.want.RequestID || got.Title != tt.want.Title || got.Status != tt.want.Status {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
		if (name == "list") != (len(items) == 1) {
			t.Errorf("%s: items %+v", name, items)
		}
	}
}

func TestRedirectIsNotFollowedWithTheKey(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed, with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	c, err := client.New(s.URL, "k")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.FindApplication(t.Context(), "x"); err == nil {
		t.Error("a redirect passes for an answer")
	}
}

func TestWhatMayGoAwayIsTriedAgainWithTheSameKey(t *testing.T) {
	t.Parallel()
	const ok = `{"id":"app_1"}`
	broken := answer{err: errors.New("connection reset")}
	for name, tt := range map[string]struct {
		queue []answer
		tries int
		fails bool
	}{
		"503 then 201":        {[]answer{{status: 503}, {status: 201, body: ok}}, 2, false},
		"broken, 500, 201":    {[]answer{broken, {status: 500}, {status: 201, body: ok}}, 3, false},
		"429 then 201":        {[]answer{{status: 429, header: http.Header{"Retry-After": {"2"}}}, {status: 201, body: ok}}, 2, false},
		"always 502":          {[]answer{{status: 502}}, 4, true},
		"always broken":       {[]answer{broken}, 4, true},
		"409 is not repeated": {[]answer{{status: 409, body: `{"code":"conflict","detail":"x"}`}}, 1, true},
		"501 is not repeated": {[]answer{{status: 501}}, 1, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, a := newClient(t, tt.queue...)
			began := time.Now()
			_, err := c.CreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme"})
			if (err != nil) != tt.fails || len(a.seen) != tt.tries {
				t.Errorf("%s: %d tries, %v", name, len(a.seen), err)
			}
			for _, s := range a.seen {
				if key := s.header.Get("Idempotency-Key"); !strings.HasPrefix(key, "auto_") || key != a.seen[0].header.Get("Idempotency-Key") || s.body != a.seen[0].body {
					t.Errorf("%s: a repeated request differs: %+v", name, s)
				}
			}
			if name == "429 then 201" && time.Since(began) < 2*time.Second {
				t.Errorf("Retry-After was not kept: %v", time.Since(began))
			}
		})
	}
}

func TestAReplayIsNotRepeated(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, answer{err: errors.New("connection reset")})
	if _, err := c.ReplayRequest(t.Context(), "s", "r", ""); err == nil || len(a.seen) != 1 {
		t.Errorf("%d tries, %v", len(a.seen), err)
	}
}

func TestWaitingForTheNextTryEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, a := newClient(t, answer{status: 503, header: http.Header{"Retry-After": {"5"}}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Whoami(ctx); err == nil || len(a.seen) != 1 {
			t.Errorf("%d tries, %v, want one", len(a.seen), err)
		}
		if ctx.Err() == nil {
			t.Error("the call came back before its context ended")
		}
	})
}

func TestAllWalksEveryPageAndStopsWhenToldTo(t *testing.T) {
	t.Parallel()
	queue := []answer{
		{status: 200, body: `{"data":[{"id":"app_1"},{"id":"app_2"}],"iterator":"app_2","done":false}`},
		{status: 200, body: `{"data":[{"id":"app_3"}],"iterator":"app_3","done":true}`},
	}
	c, a := newClient(t, queue...)
	var ids []string
	for app, err := range client.All(t.Context(), client.ListOptions{Limit: 2, Order: apitype.Ascending}, c.ListApplications) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, app.ID)
	}
	if strings.Join(ids, " ") != "app_1 app_2 app_3" || a.seen[1].uri != "/api/v1/app?iterator=app_2&limit=2&order=ascending" {
		t.Errorf("ids %v, second page %s", ids, a.seen[1].uri)
	}
	c, a = newClient(t, queue...)
	for range client.All(t.Context(), client.ListOptions{}, c.ListApplications) {
		break
	}
	if len(a.seen) != 1 {
		t.Errorf("%d pages read for one row", len(a.seen))
	}
	c, _ = newClient(t, answer{status: 404, body: `{"code":"not_found","detail":"x"}`})
	n := 0
	for _, err := range client.All(t.Context(), client.ListOptions{}, c.ListApplications) {
		n++
		if err == nil {
			t.Error("the failure is not given")
		}
	}
	if n != 1 {
		t.Errorf("a failure was given %d times", n)
	}
}

func TestEveryMethodCallsItsRoute(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, answer{status: 200, body: `{}`})
	ctx, at := t.Context(), time.Date(2026, 11, 23, 1, 2, 3, 0, time.FixedZone("", 3600))
	fail, class := apitype.StatusFail, apitype.Code5xx
	for _, tt := range []struct {
		call func() error
		want string
	}{
		{func() error { _, err := c.GetOrCreateApplication(ctx, apitype.ApplicationIn{}); return err }, "POST /app?get_if_exists=true"},
		{func() error { _, err := c.FindApplication(ctx, "a"); return err }, "GET /app/a"},
		{func() error { _, err := c.PutApplication(ctx, "a", apitype.ApplicationIn{}); return err }, "PUT /app/a"},
		{func() error { _, err := c.PatchApplication(ctx, "a", apitype.ApplicationPatch{}); return err }, "PATCH /app/a"},
		{func() error { return c.DeleteApplication(ctx, "a") }, "DELETE /app/a"},
		{func() error { _, err := c.CreateEndpoint(ctx, "a", apitype.EndpointIn{}); return err }, "POST /app/a/endpoint"},
		{func() error { _, err := c.FindEndpoint(ctx, "a", "e"); return err }, "GET /app/a/endpoint/e"},
		{func() error { _, err := c.ListEndpoints(ctx, "a", client.ListOptions{}); return err }, "GET /app/a/endpoint"},
		{func() error { _, err := c.PutEndpoint(ctx, "a", "e", apitype.EndpointUpdate{}); return err }, "PUT /app/a/endpoint/e"},
		{func() error { _, err := c.PatchEndpoint(ctx, "a", "e", apitype.EndpointPatch{}); return err }, "PATCH /app/a/endpoint/e"},
		{func() error { return c.DeleteEndpoint(ctx, "a", "e") }, "DELETE /app/a/endpoint/e"},
		{func() error { _, err := c.EndpointSecret(ctx, "a", "e"); return err }, "GET /app/a/endpoint/e/secret"},
		{func() error { return c.RotateEndpointSecret(ctx, "a", "e", apitype.EndpointSecretRotateIn{}) }, "POST /app/a/endpoint/e/secret/rotate"},
		{func() error { _, err := c.EndpointHeaders(ctx, "a", "e"); return err }, "GET /app/a/endpoint/e/headers"},
		{func() error { return c.PutEndpointHeaders(ctx, "a", "e", apitype.EndpointHeadersIn{}) }, "PUT /app/a/endpoint/e/headers"},
		{func() error { return c.PatchEndpointHeaders(ctx, "a", "e", apitype.EndpointHeadersPatchIn{}) }, "PATCH /app/a/endpoint/e/headers"},
		{func() error { _, err := c.EndpointStats(ctx, "a", "e", at, time.Time{}); return err }, "GET /app/a/endpoint/e/stats?since=2026-11-23T00%3A02%3A03Z"},
		{func() error { _, err := c.RecoverEndpoint(ctx, "a", "e", apitype.RecoverIn{}); return err }, "POST /app/a/endpoint/e/recover"},
		{func() error { _, err := c.SendExample(ctx, "a", "e", apitype.EventExampleIn{}); return err }, "POST /app/a/endpoint/e/send-example"},
		{func() error { _, err := c.CreateEventType(ctx, apitype.EventTypeIn{}); return err }, "POST /event-type"},
		{func() error { _, err := c.FindEventType(ctx, "x.y"); return err }, "GET /event-type/x.y"},
		{func() error { _, err := c.ListEventTypes(ctx, client.ListOptions{}); return err }, "GET /event-type"},
		{func() error { _, err := c.PutEventType(ctx, "x", apitype.EventTypeUpdate{}); return err }, "PUT /event-type/x"},
		{func() error { _, err := c.PatchEventType(ctx, "x", apitype.EventTypePatch{}); return err }, "PATCH /event-type/x"},
		{func() error { return c.DeleteEventType(ctx, "x", true) }, "DELETE /event-type/x?expunge=true"},
		{func() error {
			_, err := c.ListMessages(ctx, "a", client.MessageFilter{EventTypes: []string{"x", "y"}, Channel: "c", Tag: "t", After: at, WithContent: true}, client.ListOptions{})
			return err
		}, "GET /app/a/msg?after=2026-11-23T00%3A02%3A03Z&channel=c&event_types=x%2Cy&tag=t&with_content=true"},
		{func() error { _, err := c.FindMessage(ctx, "a", "m"); return err }, "GET /app/a/msg/m"},
		{func() error { return c.ExpungeMessage(ctx, "a", "m") }, "DELETE /app/a/msg/m/content"},
		{func() error { _, err := c.ExplainMessage(ctx, "a", "m"); return err }, "GET /app/a/msg/m/explain"},
		{func() error {
			_, err := c.ListAttemptsOfMessage(ctx, "a", "m", client.AttemptFilter{Status: &fail, StatusCode: &class, Endpoint: "e"}, client.ListOptions{})
			return err
		}, "GET /app/a/attempt/msg/m?endpoint_id=e&expanded_statuses=true&status=2&status_code_class=500&with_content=false"},
		{func() error {
			_, err := c.ListAttemptsOfEndpoint(ctx, "a", "e", client.AttemptFilter{}, client.ListOptions{})
			return err
		}, "GET /app/a/attempt/endpoint/e?expanded_statuses=true&with_content=false"},
		{func() error {
			_, err := c.ListMessagesOfEndpoint(ctx, "a", "e", client.AttemptFilter{}, client.ListOptions{})
			return err
		}, "GET /app/a/endpoint/e/msg?expanded_statuses=true&with_content=false"},
		{func() error { _, err := c.ListEndpointsOfMessage(ctx, "a", "m", client.ListOptions{}); return err }, "GET /app/a/msg/m/endpoint"},
		{func() error { _, err := c.FindAttempt(ctx, "a", "m", "t"); return err }, "GET /app/a/msg/m/attempt/t?expanded_statuses=true"},
		{func() error { return c.ExpungeAttempt(ctx, "a", "m", "t") }, "DELETE /app/a/msg/m/attempt/t/content"},
		{func() error { return c.Resend(ctx, "a", "m", "e") }, "POST /app/a/msg/m/endpoint/e/resend"},
		{func() error { _, err := c.Whoami(ctx); return err }, "GET /auth/whoami"},
		{func() error { _, err := c.CreateKey(ctx, "org", apitype.APITokenIn{}); return err }, "POST /management/authentication/org/api-token"},
		{func() error { _, err := c.ListKeys(ctx, "org", client.ListOptions{}); return err }, "GET /management/authentication/org/api-token"},
		{func() error { return c.ExpireKey(ctx, "org", "k", time.Hour) }, "POST /management/authentication/org/api-token/k/expire"},
		{func() error { _, err := c.PortalAccess(ctx, "a", apitype.PortalAccessIn{}); return err }, "POST /auth/app-portal-access/a"},
		{func() error { return c.ExpirePortalTokens(ctx, "a", apitype.TokenExpireIn{}) }, "POST /auth/app/a/expire-all"},
		{func() error { return c.Logout(ctx) }, "POST /auth/logout"},
		{func() error { _, err := c.FindTask(ctx, "q"); return err }, "GET /background-task/q"},
		{func() error { _, err := c.ListTasks(ctx, client.ListOptions{}); return err }, "GET /background-task"},
		{func() error { return c.Health(ctx) }, "GET /health"},
		{func() error { _, err := c.CreateSource(ctx, apitype.SourceIn{}); return err }, "POST /ingest/api/v1/source"},
		{func() error { _, err := c.FindSource(ctx, "s/t"); return err }, "GET /ingest/api/v1/source/s%2Ft"},
		{func() error { _, err := c.ListSources(ctx, client.ListOptions{Limit: 3}); return err }, "GET /ingest/api/v1/source?limit=3"},
		{func() error { _, err := c.ListSourceTypes(ctx); return err }, "GET /ingest/api/v1/source-type"},
		{func() error { _, err := c.PutSource(ctx, "s", apitype.SourceIn{}); return err }, "PUT /ingest/api/v1/source/s"},
		{func() error { _, err := c.PatchSource(ctx, "s", apitype.SourcePatch{}); return err }, "PATCH /ingest/api/v1/source/s"},
		{func() error { return c.DeleteSource(ctx, "s") }, "DELETE /ingest/api/v1/source/s"},
		{func() error { _, err := c.RotateSourceToken(ctx, "s"); return err }, "POST /ingest/api/v1/source/s/token/rotate"},
		{func() error { _, err := c.SourceSecrets(ctx, "s"); return err }, "GET /ingest/api/v1/source/s/secret"},
		{func() error { return c.RotateSourceSecret(ctx, "s", apitype.SourceSecretRotateIn{}) }, "POST /ingest/api/v1/source/s/secret/rotate"},
		{func() error {
			_, err := c.ListRequests(ctx, "s", client.RequestFilter{States: []apitype.RequestState{"refused", "handshake"}, Reason: "x", Before: at}, client.ListOptions{})
			return err
		}, "GET /ingest/api/v1/source/s/request?before=2026-11-23T00%3A02%3A03Z&reason=x&state=refused%2Chandshake"},
		{func() error { _, err := c.FindRequest(ctx, "s", "r"); return err }, "GET /ingest/api/v1/source/s/request/r"},
		{func() error { _, err := c.RequestBody(ctx, "s", "r"); return err }, "GET /ingest/api/v1/source/s/request/r/body"},
		{func() error { _, err := c.VerifyRequest(ctx, "s", "r", true); return err }, "POST /ingest/api/v1/source/s/request/r/verify"},
		{func() error { _, err := c.ReplayRequest(ctx, "s", "r", "https://h"); return err }, "POST /ingest/api/v1/source/s/request/r/replay"},
		{func() error { _, err := c.AnnotateRequest(ctx, "s", "r", "n"); return err }, "PATCH /ingest/api/v1/source/s/request/r"},
		{func() error { _, err := c.PurgeRequests(ctx, "s", at); return err }, "POST /ingest/api/v1/source/s/request/purge"},
	} {
		a.wantCall(t, tt.call, tt.want)
	}
}

// wantCall makes a call and checks the request that came of it.
func (a *answers) wantCall(t *testing.T, call func() error, want string) {
	t.Helper()
	if err := call(); err != nil {
		t.Errorf("%s: %v", want, err)
		return
	}
	last := a.seen[len(a.seen)-1]
	if got := last.method + " " + strings.TrimPrefix(last.uri, "/api/v1"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestEveryMethodOverAnEnvironmentCallsItsRoute(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, answer{status: 200, body: `{}`})
	ctx, at := t.Context(), time.Date(2026, 11, 23, 1, 2, 3, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		call func() error
		want string
	}{
		{func() error {
			_, err := c.SearchMessages(ctx, client.Search{Query: "a b", WithContent: true, ListOptions: client.ListOptions{Limit: 2}})
			return err
		}, "GET /message?limit=2&q=a+b&with_content=true"},
		{func() error { _, err := c.SearchMessagesOf(ctx, "a", client.Search{}); return err }, "GET /app/a/message"},
		{func() error { _, err := c.CountMessages(ctx, "x"); return err }, "GET /message/count?q=x"},
		{func() error { _, err := c.FindAnyMessage(ctx, "m"); return err }, "GET /message/m"},
		{func() error { _, err := c.SearchEndpoints(ctx, client.Search{Query: "x"}); return err }, "GET /endpoint?q=x"},
		{func() error { _, err := c.FindAnyEndpoint(ctx, "e"); return err }, "GET /endpoint/e"},
		{func() error { _, err := c.SearchApplications(ctx, "", client.ListOptions{}); return err }, "GET /app?q="},
		{func() error { _, err := c.SearchSources(ctx, "x", client.ListOptions{}); return err }, "GET /ingest/api/v1/source?q=x"},
		{func() error { _, err := c.SearchFields(ctx, "messages"); return err }, "GET /search/fields?list=messages"},
		{func() error { _, err := c.Overview(ctx, at, time.Time{}); return err }, "GET /overview?since=2026-11-23T00%3A02%3A03Z"},
		{func() error { _, err := c.ListIssues(ctx, client.Search{Query: "x"}); return err }, "GET /issue?q=x"},
		{func() error { _, err := c.FindIssue(ctx, "i"); return err }, "GET /issue/i"},
		{func() error { _, err := c.PatchIssue(ctx, "i", apitype.IssuePatch{}); return err }, "PATCH /issue/i"},
		{func() error { _, err := c.RecoverIssue(ctx, "i", apitype.IssueRecoverIn{}); return err }, "POST /issue/i/recover"},
		{func() error { _, err := c.CountRecoverable(ctx, "a", "e", apitype.RecoverRange{}); return err }, "POST /app/a/endpoint/e/recover/count"},
		{func() error { _, err := c.ReplayMissing(ctx, "a", "e", apitype.RecoverIn{}); return err }, "POST /app/a/endpoint/e/replay-missing"},
		{func() error { _, err := c.CountMissing(ctx, "a", "e", apitype.RecoverRange{}); return err }, "POST /app/a/endpoint/e/replay-missing/count"},
		{func() error { _, err := c.EndpointHealth(ctx, "a", "e", at, time.Time{}); return err }, "GET /app/a/endpoint/e/health?since=2026-11-23T00%3A02%3A03Z"},
		{func() error { _, err := c.ListEndpointTasks(ctx, "a", "e", client.ListOptions{}); return err }, "GET /app/a/endpoint/e/task"},
		{func() error { _, err := c.CancelEndpointTask(ctx, "a", "e", "t"); return err }, "POST /app/a/endpoint/e/task/t/cancel"},
	} {
		a.wantCall(t, tt.call, tt.want)
	}
}

func FuzzPayloadIsNeverChanged(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, ` {"payload":null}`, `{"\u2028":"<>&"}`, `nul`, `{"a":`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		body, err := client.EncodeMessage(apitype.MessageIn{EventType: `a"payload":null`, Payload: json.RawMessage(payload)})
		if err != nil {
			return
		}
		var out struct{ Payload json.RawMessage }
		if err := json.Unmarshal(body, &out); err != nil {
			t.Fatalf("%q became %q, which is not JSON: %v", payload, body, err)
		}
		if string(out.Payload) != strings.Trim(payload, " \t\r\n") {
			t.Fatalf("%q became %q", payload, out.Payload)
		}
	})
}
