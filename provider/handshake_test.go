package provider_test

import (
	"encoding/json"
	"mime"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// challenge is one case of testdata/challenges.json.
type challenge struct {
	Provider string
	Request  struct {
		Method, Query, Body string
		Headers             map[string]string
	}
	Expect struct {
		Status        json.RawMessage
		Body          *string
		JSON          json.RawMessage
		ContentType   string   `json:"content_type"`
		AbsentHeaders []string `json:"absent_headers"`
		Headers       map[string]string
	}
	Secret      string
	VerifyToken string `json:"secret_verify_token"`
}

func readChallenges(t testing.TB) []challenge {
	raw, err := os.ReadFile("testdata/challenges.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []challenge }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// challengeTime is when every case happens.
var challengeTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// signedFirst are the providers whose handshake is answered only with a good signature.
var signedFirst = map[string]bool{"slack": true, "twitch": true, "discord": true}

func TestEveryChallengeIsAnsweredAsItsProviderWants(t *testing.T) {
	t.Parallel()
	cases := readChallenges(t)
	if len(cases) != 24 {
		t.Fatalf("%d cases, want 24", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Provider+" "+c.Request.Method, func(t *testing.T) {
			t.Parallel()
			switch c.Provider {
			case "xero":
				checkXero(t, c)
			case "aws-sns": // the case has no body of its own; see sns_handshake_test.go
			default:
				checkChallenge(t, c)
			}
		})
	}
}

func checkChallenge(t *testing.T, c challenge) {
	v, request := challengeVerifier(t, c), c.request()
	if signedFirst[c.Provider] {
		if _, ok := v.Handshake(request, v.Verify(t.Context(), request, challengeTime), challengeTime); ok {
			t.Error("it is answered without a signature")
		}
		if err := v.Sign(&request, "b0c4e1", challengeTime); err != nil {
			t.Fatal(err)
		}
	}
	found, ok := v.Handshake(request, v.Verify(t.Context(), request, challengeTime), challengeTime)
	if !ok {
		t.Fatal("it is taken for an event")
	}
	checkAnswer(t, c, found.Answer)
}

func (c challenge) request() provider.Request {
	header := http.Header{}
	for name, value := range c.Request.Headers {
		header.Set(name, value)
	}
	return provider.Request{
		Method: c.Request.Method, URL: "https://hooks.example.com/in/abc?" + c.Request.Query, Header: header, Body: []byte(c.Request.Body),
	}
}

func challengeVerifier(t *testing.T, c challenge) *provider.Verifier {
	var s provider.Settings
	switch c.Provider {
	case "meta", "strava":
		s.VerifyToken = c.VerifyToken
	case "cloudevents":
		s.Origins = []string{"eventemitter.example.com"}
	case "websub":
		s.Topics = []string{"https://example.com/feed"}
	}
	return ready(t, c.Provider, s, c.Secret)
}

func checkAnswer(t *testing.T, c challenge, answer provider.Answer) {
	t.Helper()
	if !statusFits(c.Expect.Status, answer.Status) {
		t.Errorf("status %d, want %s", answer.Status, c.Expect.Status)
	}
	if c.Expect.Body != nil && string(answer.Body) != *c.Expect.Body {
		t.Errorf("body %q, want %q", answer.Body, *c.Expect.Body)
	}
	if c.Expect.JSON != nil && !sameJSON(t, answer.Body, c.Expect.JSON) {
		t.Errorf("body %s, want %s", answer.Body, c.Expect.JSON)
	}
	media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if c.Expect.ContentType != "" && media != c.Expect.ContentType {
		t.Errorf("content type %q, want %q", media, c.Expect.ContentType)
	}
	for name, value := range c.Expect.Headers {
		if got := answer.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	for _, name := range c.Expect.AbsentHeaders {
		if got := answer.Header.Values(name); len(got) > 0 {
			t.Errorf("%s: %q, want none", name, got)
		}
	}
	if len(answer.Body) > 0 && answer.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a text of the request is given back without nosniff")
	}
}

// statusFits reads 200, "200 or 204", "200, 204 or 405" and "2xx".
func statusFits(want json.RawMessage, got int) bool {
	text := strings.Trim(string(want), `"`)
	if text == "2xx" {
		return got/100 == 2
	}
	number, _ := json.Marshal(got)
	return strings.Contains(text, string(number))
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%q is no JSON: %v", a, err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatal(err)
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}

// checkXero: the intent to receive is a signed event like any other, and a bad one is
// answered 401 with nothing in it.
func checkXero(t *testing.T, c challenge) {
	v, request := challengeVerifier(t, c), c.request()
	verdict := v.Verify(t.Context(), request, challengeTime)
	if _, ok := v.Handshake(request, verdict, challengeTime); ok || verdict.OK() {
		t.Errorf("handshake %t, verdict %s; want an event that is refused", ok, verdict.Reason)
	}
	if p := v.Provider(); p.Refusal != http.StatusUnauthorized || !p.RefusalEmpty {
		t.Errorf("refused with %d, empty %t; want 401 and empty", p.Refusal, p.RefusalEmpty)
	}
	if err := v.Sign(&request, "", challengeTime); err != nil {
		t.Fatal(err)
	}
	if verdict := v.Verify(t.Context(), request, challengeTime); verdict.Reason != provider.Verified {
		t.Errorf("signed: %s, want verified", verdict.Reason)
	}
	if got := v.Provider().Accepted.Status; got != http.StatusOK {
		t.Errorf("a good one is answered %d, want 200", got)
	}
}
