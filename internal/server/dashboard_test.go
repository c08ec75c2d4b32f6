//go:build !noui

package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

const html = "text/html,application/xhtml+xml"

func TestBrowserGetsThePagesAndToolsTheText(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"public-url": "https://example.com/hooks"})
	for path, base := range map[string]string{
		"/": "./", "/hooks/": "./", "/messages": "./", "/hooks/messages/msg_1": "../", "/portal": "./", "/hooks/portal/e/org_1": "../../",
	} {
		status, h, page := get(t, n.URL()+path, "Accept", html)
		if status != 200 || !strings.Contains(page, `<base href="`+base+`">`) || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d, %.200s", path, status, page)
		}
	}
	// What is not a page stays what it was, whoever asks.
	for path, status := range map[string]int{
		"/healthz": 200, "/api": 404, "/api/v1": 404, "/api/v1/nothing": 404, "/api/v1/app": 401, "/ingest/api/v1/nothing": 404, "/in/nothing": 404,
		"/metrics": 401, "//": 404, "//evil.example": 404, "/assets/nothing.js": 404, "/%2e%2e/x": 404, "/a%00b": 404, "/a//b": 404,
	} {
		got, h, body := get(t, n.URL()+path, "Accept", html)
		if got != status || strings.HasPrefix(h.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s, want %d and no page: %.100s", path, got, h.Get("Content-Type"), status, body)
		}
	}
	for _, path := range []string{"/messages", "/portal", "/nothing"} {
		status, h, body := get(t, n.URL()+path, "Accept", "*/*")
		if status != 404 || h.Get("Content-Type") != "application/json" {
			t.Errorf("%s for a tool: %d %s", path, status, body)
		}
	}
}

func TestUIDirTakesThePlaceOfTheFilesInTheBinary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"index.html": "mine {{.Base}}", "portal.html": "portal {{.Base}}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n := start(t, t.TempDir(), map[string]string{"ui-dir": dir})
	if _, _, page := get(t, n.URL()+"/", "Accept", html); page != "mine ./" {
		t.Errorf("the page is %q", page)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, page := get(t, n.URL()+"/", "Accept", html); page != "changed" {
		t.Errorf("after a change the page is %q", page)
	}
}

// portal makes an application and a link to its portal, and gives the link's page and code.
func (n *node) portal(t *testing.T, in apitype.PortalAccessIn) (page, code string) {
	t.Helper()
	if _, err := n.CreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil && code0(err) != "conflict" {
		t.Fatal(err)
	}
	access, err := n.PortalAccess(t.Context(), "acme", in)
	if err != nil {
		t.Fatal(err)
	}
	page, code, _ = strings.Cut(access.URL, "#code=")
	return page, code
}

func code0(err error) string {
	if e, ok := err.(*client.Error); ok { //nolint:errorlint // the client gives no other
		return e.Code
	}
	return ""
}

// as is a client with another token.
func (n *node) as(t *testing.T, token string) *client.Client {
	t.Helper()
	c, err := client.New(n.URL(), token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPortalIsFramedByThePagesThatSettingsName(t *testing.T) { // X100
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	page, _ := n.portal(t, apitype.PortalAccessIn{})
	ancestors := func(url string) string {
		t.Helper()
		_, h, _ := get(t, url, "Accept", html)
		_, list, _ := strings.Cut(h.Get("Content-Security-Policy"), "frame-ancestors ")
		return list
	}
	if got := ancestors(page); got != "'self'" {
		t.Errorf("without settings: %s", got)
	}
	in := apitype.SettingsPatch{PortalOrigins: apitype.Some([]string{"https://app.example.com"}), Portal: apitype.Some(apitype.PortalThemePatch{LogoLight: apitype.Some("https://img.example.com/l.svg")})}
	if _, err := n.PatchSettings(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := ancestors(page); got != "'self' https://app.example.com" {
		t.Errorf("with settings: %s", got)
	}
	for _, path := range []string{"/", "/portal", "/portal/e/org_2vgdKCdXyOEN1WcHxkYAbO6wTzm", "/portal/e/'unsafe-inline'", "/portal/e/org_%20*"} {
		if got := ancestors(n.URL() + path); got != "'none'" {
			t.Errorf("%s: %s", path, got)
		}
	}
	_, h, _ := get(t, page, "Accept", html)
	if !strings.Contains(h.Get("Content-Security-Policy"), "img-src 'self' data: blob: https://img.example.com;") || h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", h)
	}
}

func TestForgedOrForeignPortalTokenIsRefused(t *testing.T) { // X094, X095
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	_, code := n.portal(t, apitype.PortalAccessIn{Capabilities: apitype.Some([]apitype.PortalCapability{apitype.ViewBase})})
	opened, err := n.ExchangeCode(t.Context(), apitype.OneTimeTokenIn{OneTimeToken: code})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.CreateApplication(t.Context(), apitype.ApplicationIn{Name: "Other", UID: apitype.Some("other")}); err != nil {
		t.Fatal(err)
	}
	flipped := []byte(opened.Token)
	flipped[10] ^= 1
	for name, token := range map[string]string{
		"one bit flipped": string(flipped), "no signature": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhcHBfMSJ9.", "the code itself": code, "empty": "", "another prefix": "gk" + opened.Token[2:],
	} {
		if status, _, body := get(t, n.URL()+"/api/v1/app/acme/endpoint", "Authorization", "Bearer "+token); status != 401 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/v1/app/acme/endpoint", 200}, {"GET", "/api/v1/app/other/endpoint", 404}, {"GET", "/api/v1/app", 403}, {"GET", "/api/v1/system", 403},
		{"GET", "/api/v1/settings", 403}, {"GET", "/api/v1/live", 403}, {"GET", "/api/v1/app/other/live", 404}, {"POST", "/api/v1/app/acme/endpoint", 403},
		{"PATCH", "/api/v1/settings", 403}, {"POST", "/api/v1/auth/app-portal-access/acme", 403}, {"DELETE", "/api/v1/app/acme", 403},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), tt.method, n.URL()+tt.path, strings.NewReader(`{}`))
		req.Header.Set("Authorization", "Bearer "+opened.Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, resp.StatusCode, tt.status)
		}
	}
}

func TestTokenInTheQueryIsNotTakenAndNotLogged(t *testing.T) { // X096
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"log-level": "debug"})
	_, code := n.portal(t, apitype.PortalAccessIn{})
	opened, err := n.ExchangeCode(t.Context(), apitype.OneTimeTokenIn{OneTimeToken: code})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"token", "access_token", "key", "api_key", "authorization"} {
		if status, _, _ := get(t, n.URL()+"/api/v1/app/acme/endpoint?"+name+"="+opened.Token); status != 401 {
			t.Errorf("?%s=: %d", name, status)
		}
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if log := n.log.String(); strings.Contains(log, opened.Token) || strings.Contains(log, code) {
		t.Error("the log has a token or a code")
	}
}

func TestPortalLinkOpensOnce(t *testing.T) { // X097
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	_, code := n.portal(t, apitype.PortalAccessIn{})
	const callers = 8
	results := make(chan string, callers) // the callers send, the test receives
	for range callers {
		go func() {
			_, err := n.ExchangeCode(context.WithoutCancel(t.Context()), apitype.OneTimeTokenIn{OneTimeToken: code})
			results <- code0(err)
		}()
	}
	opened := 0
	for range callers {
		switch got := <-results; got {
		case "":
			opened++
		case "authentication_failed":
		default:
			t.Errorf("refused with %s", got)
		}
	}
	if opened != 1 {
		t.Errorf("%d of %d exchanges gave a token", opened, callers)
	}
}

// events reads a live stream.
type events struct {
	t    *testing.T
	resp *http.Response
	in   *bufio.Scanner
}

func (n *node) follow(t *testing.T, token, path string, header ...string) *events {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("%s: %d %v", path, resp.StatusCode, resp.Header)
	}
	return &events{t: t, resp: resp, in: bufio.NewScanner(resp.Body)}
}

// next gives the fields of the next event; nil: the stream has ended.
func (e *events) next() map[string]string {
	fields := map[string]string{}
	for e.in.Scan() {
		line := e.in.Text()
		if line == "" && fields["data"] != "" {
			return fields
		}
		if name, value, ok := strings.Cut(line, ": "); ok && name != "" {
			fields[name] = value
		}
	}
	return nil
}

// until reads events until one satisfies, and gives the id behind it.
func (e *events) until(ok func(apitype.LiveEvent) bool) string {
	e.t.Helper()
	for {
		fields := e.next()
		if fields == nil {
			e.t.Fatal("the stream has ended")
		}
		var data apitype.LiveEvent
		if err := json.Unmarshal([]byte(fields["data"]), &data); err != nil {
			e.t.Fatalf("%v: %v", fields, err)
		}
		if ok(data) {
			return fields["id"]
		}
	}
}

func TestLiveStreamTellsWhatIsNewAndGoesOnBehindAnEvent(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	url, _ := answering(t, 200)
	n.target(t, url)
	all := n.follow(t, testKey, "/api/v1/live")
	own := n.follow(t, testKey, "/api/v1/app/acme/live?topics=messages")
	first := n.publish(t, `{"n":1}`)
	id := all.until(func(e apitype.LiveEvent) bool {
		return len(e.Messages) > 0 && e.Messages[0].ID == first.ID && e.Messages[0].EventType == "a" && e.Messages[0].AppID != ""
	})
	own.until(func(e apitype.LiveEvent) bool { return len(e.Messages) == 1 && len(e.Attempts) == 0 })
	all.resp.Body.Close()
	second := n.publish(t, `{"n":2}`)
	again := n.follow(t, testKey, "/api/v1/live?topics=messages,attempts", "Last-Event-ID", id)
	again.until(func(e apitype.LiveEvent) bool {
		for _, m := range e.Messages {
			if m.ID == first.ID {
				t.Errorf("%s is told again", m.ID)
			}
		}
		return len(e.Messages) > 0 && e.Messages[0].ID == second.ID
	})
	for query, status := range map[string]int{"?topics=money": 400, "?topics=": 200} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, n.URL()+"/api/v1/live"+query, nil)
		req.Header.Set("Authorization", "Bearer "+testKey)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("HEAD %s: %d, want %d", query, resp.StatusCode, status)
		}
	}
	if status, _, _ := get(t, n.URL()+"/api/v1/app/acme/live?topics=requests", "Authorization", "Bearer "+testKey); status != 400 {
		t.Errorf("requests of an application: %d", status)
	}
}

func TestLiveStreamEndsWhenTheTokenDoes(t *testing.T) { // X098
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	for name, end := range map[string]func() error{
		"revoked": func() error { return n.ExpirePortalTokens(t.Context(), "acme", apitype.TokenExpireIn{}) },
		"deleted": func() error { return n.DeleteApplication(t.Context(), "acme") },
	} {
		_, code := n.portal(t, apitype.PortalAccessIn{})
		opened, err := n.ExchangeCode(t.Context(), apitype.OneTimeTokenIn{OneTimeToken: code})
		if err != nil {
			t.Fatal(err)
		}
		page := n.as(t, opened.Token)
		if _, err := page.PortalConfig(t.Context()); err != nil {
			t.Fatal(err)
		}
		stream := n.follow(t, opened.Token, "/api/v1/app/acme/live")
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if _, err := page.PortalConfig(t.Context()); code0(err) != "authentication_failed" {
			t.Errorf("%s: the next call: %v", name, err)
		}
		for last := stream.next(); ; {
			next := stream.next()
			if next == nil {
				if last["event"] != "end" || !strings.Contains(last["data"], "authentication_failed") {
					t.Errorf("%s: the stream ends with %v", name, last)
				}
				break
			}
			last = next
		}
	}
}

func TestLiveStreamsEndWhenTheServerStops(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	stream := n.follow(t, testKey, "/api/v1/live")
	stream.next()
	began := time.Now()
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if last := stream.next(); last["event"] != "end" || !strings.Contains(last["data"], "unavailable") {
		t.Errorf("the stream ends with %v", last)
	}
}

func TestSystemTellsOfTheServerAndFindsNothingWrong(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"public-url": "https://example.com/hooks"})
	out, err := n.System(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if out.Store.Kind != "sqlite" || out.Store.Bytes <= 0 || len(out.Store.Tables) == 0 || len(out.Nodes) != 1 || !out.Nodes[0].Self || !out.Nodes[0].Alive || out.StartedAt.IsZero() {
		t.Errorf("%+v", out)
	}
	want := []string{"database", "disk", "clock", "lease", "delivering", "queue", "public_url", "tls", "master_key", "retention"}
	for i, c := range out.Checks {
		if i >= len(want) || c.Name != want[i] || c.State == apitype.CheckFail || c.Text == "" || c.Title == "" || (c.State == apitype.CheckWarn) != (c.Hint != "") {
			t.Errorf("check %d: %+v", i, c)
		}
	}
	for _, s := range out.Settings {
		if strings.Contains(s.Value, testKey) {
			t.Errorf("the setting %s shows a secret", s.Name)
		}
		if s.Name == "public-url" && (s.Value != "https://example.com/hooks" || s.Origin == "") {
			t.Errorf("%+v", s)
		}
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir, map[string]string{"retention": "forever"})
	if err := os.Chmod(filepath.Join(dir, "master.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := n.System(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]apitype.CheckState{}
	for _, c := range out.Checks {
		got[c.Name] = c.State
	}
	for name, state := range map[string]apitype.CheckState{"master_key": apitype.CheckFail, "public_url": apitype.CheckWarn, "retention": apitype.CheckWarn, "tls": apitype.CheckOK} {
		if got[name] != state {
			t.Errorf("%s: %s, want %s", name, got[name], state)
		}
	}
}
