package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
)

// answering is a receiver that answers with status and tells the request's headers.
func answering(t *testing.T, status int) (url string, headers <-chan http.Header) {
	t.Helper()
	got := make(chan http.Header, 100) // the receiver sends, the test receives
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func (n *node) publish(t *testing.T, payload string) apitype.MessageCreateOut {
	t.Helper()
	out, err := n.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(payload)}, client.PublishOptions{Wait: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func code(t *testing.T, err error) string {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want one of the server", err)
	}
	return e.Code
}

func TestSignatureHeadersAreNamedAsChosen(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string][2]bool{"webhook": {true, false}, "svix": {false, true}, "both": {true, true}} {
		url, headers := answering(t, 200)
		n := start(t, t.TempDir(), map[string]string{"signature-headers": setting})
		n.target(t, url)
		n.publish(t, `{}`)
		h := <-headers
		if got := [2]bool{h.Get("webhook-signature") != "", h.Get("svix-signature") != ""}; got != want {
			t.Errorf("%s: webhook-, svix- sent: %v, want %v", setting, got, want)
		}
	}
}

func TestLimitsOfRequestsAndEndpointsHold(t *testing.T) {
	t.Parallel()
	url, _ := answering(t, 200)
	n := start(t, t.TempDir(), map[string]string{"max-body": "1KiB", "endpoint-limit": "1"})
	n.target(t, url)
	if _, err := n.CreateEndpoint(t.Context(), "acme", apitype.EndpointIn{URL: url}); code(t, err) != "limit_reached" {
		t.Errorf("a second endpoint: %v", err)
	}
	big := `{"a":"` + strings.Repeat("x", 1024) + `"}`
	if _, err := n.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(big)}, client.PublishOptions{}); code(t, err) != "payload_too_large" {
		t.Errorf("a body over the limit: %v", err)
	}
}

func TestRetryScheduleDecidesWhetherAFailureIsFinal(t *testing.T) {
	t.Parallel()
	for schedule, want := range map[string]apitype.DeliveryState{"none": apitype.DeliveryFailed, "1h": apitype.DeliveryPending} {
		url, _ := answering(t, 500)
		n := start(t, t.TempDir(), map[string]string{"retry-schedule": schedule})
		n.target(t, url)
		if out := n.publish(t, `{}`); len(out.Deliveries) != 1 || out.Deliveries[0].State != want {
			t.Errorf("%s: %+v, want %s", schedule, out.Deliveries, want)
		}
	}
}

func TestEndpointTimeoutEndsAnAttempt(t *testing.T) {
	t.Parallel()
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hang.Close()
	n := start(t, t.TempDir(), map[string]string{"endpoint-timeout": "200ms", "retry-schedule": "none"})
	n.target(t, hang.URL)
	if out := n.publish(t, `{}`); len(out.Attempts) != 1 || out.Attempts[0].Outcome != "timeout" {
		t.Errorf("%+v, want one attempt that timed out", out.Attempts)
	}
}

func TestEndpointThatOnlyFailsIsDisabledAfterTheSetTime(t *testing.T) {
	t.Parallel()
	url, headers := answering(t, 500)
	n := start(t, t.TempDir(), map[string]string{"disable-after": "1s", "retry-schedule": "1500ms"})
	ep := n.target(t, url)
	n.publish(t, `{}`)
	<-headers
	<-headers // the retry, more than a second after the first failure
	for {
		got, err := n.FindEndpoint(t.Context(), "acme", ep.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Disabled {
			break
		}
	}
}

func TestNetworkRulesHoldWhereTheEndpointIsMade(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"allow-net": "", "allow-http": "false"})
	if _, err := n.CreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
		t.Fatal(err)
	}
	for url, rule := range map[string]string{
		"http://example.com/": "plain_http", "https://127.0.0.1/": "special_address", "https://example.com:9999/": "port", "https://169.254.169.254/": "metadata",
	} {
		if _, err := n.CreateEndpoint(t.Context(), "acme", apitype.EndpointIn{URL: url}); err == nil || !strings.Contains(err.Error(), rule) {
			t.Errorf("%s: %v, want the rule %s", url, err, rule)
		}
	}
	ep, err := n.CreateEndpoint(t.Context(), "acme", apitype.EndpointIn{URL: "https://user:secret@example.com/x"})
	if err != nil {
		t.Fatal(err)
	}
	if ep.URL != "https://example.com/x" {
		t.Errorf("URL %q, want it without userinfo", ep.URL)
	}
}

func TestDeliveriesLeaveThroughTheEgressProxy(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Method + " " + r.RequestURI }))
	defer proxy.Close()
	n := start(t, t.TempDir(), map[string]string{"egress-proxy": proxy.URL})
	n.target(t, "http://example.com/hook")
	if out := n.publish(t, `{}`); len(out.Attempts) != 1 || out.Attempts[0].ResponseStatusCode != 200 {
		t.Errorf("attempts %+v", out.Attempts)
	}
	if got := <-asked; got != "POST http://example.com/hook" {
		t.Errorf("the proxy was asked for %q", got)
	}
}

func TestShortRetentionRemovesAMessage(t *testing.T) {
	t.Parallel()
	url, _ := answering(t, 200)
	n := start(t, t.TempDir(), map[string]string{"retention": "1s", "allow-short-retention": "true"})
	n.target(t, url)
	out := n.publish(t, `{}`)
	for {
		if _, err := n.FindMessage(t.Context(), "acme", out.ID); err != nil {
			if code(t, err) != "not_found" {
				t.Fatal(err)
			}
			return
		}
	}
}

func TestNodeThatOnlyDeliversHasNoAPI(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"role": "deliver"})
	if status, _, body := get(t, n.URL()+"/api/v1/app", "Authorization", "Bearer "+testKey); status != http.StatusNotFound || !strings.Contains(body, "role all or api") {
		t.Errorf("%d %s", status, body)
	}
	if status, _, _ := get(t, n.URL()+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d", status)
	}
}

func TestLogLevelAndFormatAreKept(t *testing.T) {
	t.Parallel()
	for level, lines := range map[string]bool{"info": true, "warn": false} {
		n := start(t, t.TempDir(), map[string]string{"log-level": level, "log-format": "json"})
		url, _ := answering(t, 200)
		n.target(t, url)
		out := n.publish(t, `{}`)
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(n.log.String(), out.ID) != lines {
			t.Errorf("level %s: the log is %q", level, n.log)
		}
		for line := range strings.Lines(n.log.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %s", line)
			}
		}
	}
}

func TestStartWithoutAnyKeyWarns(t *testing.T) {
	t.Parallel()
	cfg := settings(t, t.TempDir(), nil)
	cfg.APIKey = ""
	log := &logs{}
	s := server.New(server.Options{Config: cfg, Log: log})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "there is no API key") {
		t.Errorf("no warning: %s", log)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestDrainDeadlineCutsAttemptsOffWithoutCountingThem(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 10)
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		begun <- struct{}{}
		<-r.Context().Done()
	}))
	defer hang.Close()
	dir := t.TempDir()
	n := start(t, dir, map[string]string{"drain-timeout": "300ms"})
	n.target(t, hang.URL)
	out, err := n.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(`{}`)}, client.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir, map[string]string{"role": "api"})
	explained, err := again.ExplainMessage(t.Context(), "acme", out.ID)
	if err != nil {
		t.Fatal(err)
	}
	if ep := explained.Endpoints[0]; ep.Verdict != apitype.VerdictPending || ep.Attempts != 0 || ep.DueAt == nil {
		t.Errorf("%+v, want it due again with no attempt counted", ep)
	}
}

func TestSecretsSurviveARestartUnderAGivenMasterKey(t *testing.T) {
	t.Parallel()
	const master = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	dir := t.TempDir()
	cfg := settings(t, dir, nil)
	cfg.MasterKey = config.Secret(master)
	s := server.New(server.Options{Config: cfg})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(s.URL(), testKey)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Server: s, Client: c}
	ep := n.target(t, "http://127.0.0.1:1/")
	before, err := c.EndpointSecret(t.Context(), "acme", ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = server.New(server.Options{Config: cfg})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err = client.New(s.URL(), testKey); err != nil {
		t.Fatal(err)
	}
	if after, err := c.EndpointSecret(t.Context(), "acme", ep.ID); err != nil || after.Key != before.Key {
		t.Errorf("secret %v, %v, want the same after a restart", after, err)
	}
	for range 300 { // a wrong key is found however few applications have an endpoint
		if _, err := c.CreateApplication(t.Context(), apitype.ApplicationIn{Name: "without endpoints"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.MasterKey = config.Secret("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDI=")
	s = server.New(server.Options{Config: cfg})
	err = s.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "another master key") {
		t.Errorf("start with another master key: %v, want refused", err)
	}
	if err == nil {
		_ = s.Stop(t.Context())
	}
}

func TestAttemptsLeaveFilesToTheAPI(t *testing.T) {
	t.Parallel()
	for files, want := range map[int][2]int{0: {1, 1}, 256: {64, 32}, 1024: {256, 128}, 1 << 20: {4096, 4096}} {
		inFlight, idle := server.Connections(files)
		if got := [2]int{inFlight, idle}; got != want {
			t.Errorf("of %d files: %v, want %v", files, got, want)
		}
	}
}
