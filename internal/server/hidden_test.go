package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// marker stands in every payload, body and answer of the test.
const marker = "the-card-number-4111"

// Every route that reads is asked, as the API describes it, by a member who may do everything but see payloads.
func TestNoRouteShowsPayloadsToWhoMayNotReadThem(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, marker, http.StatusTeapot)
	}))
	defer receiver.Close()
	n := start(t, t.TempDir(), nil)
	ep := n.target(t, receiver.URL)
	owner := n.owner(t)
	blind := owner.invited(n, "blind@example.com", "owner", false)
	msg := owner.call("POST", "/api/v1/app/acme/msg?wait=5", map[string]any{"eventType": "a", "payload": map[string]any{"card": marker}}).want(202).at("id")
	source := owner.call("POST", "/ingest/api/v1/source", map[string]any{"name": "s", "type": "none"}).want(201)
	n.browser(t).call("POST", strings.TrimPrefix(source.at("ingestUrl"), n.URL()), map[string]any{"card": marker}).want(202)
	first := func(path string) string {
		var all apitype.List[struct{ ID string }]
		testx.NoError(t, json.Unmarshal([]byte(owner.call("GET", path, nil).want(200).body), &all))
		if len(all.Data) == 0 {
			t.Fatalf("%s is empty", path)
		}
		return all.Data[0].ID
	}
	ids := strings.NewReplacer("{app}", "acme", "{ep}", ep.ID, "{msg}", msg, "{attempt}", first("/api/v1/app/acme/attempt/msg/"+msg),
		"{source}", source.at("id"), "{req}", first("/ingest/api/v1/source/"+source.at("id")+"/request"), "{name}", "a", "{env}", "-",
		"{member}", first("/api/v1/member"), "{session}", "x", "{passkey}", "x", "{key}", "x", "{task}", "x", "{issue}", "x")

	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	testx.NoError(t, json.Unmarshal([]byte(owner.call("GET", "/api/openapi.json", nil).want(200).body), &document))
	asked, shown := 0, 0
	for path, methods := range document.Paths {
		if _, reads := methods["get"]; !reads || strings.HasSuffix(path, "/live") || strings.Contains(path, "/oidc") || strings.HasSuffix(path, "/listen") {
			continue
		}
		for _, query := range []string{"", "?with_content=true&with_msg=true&limit=50", "?q=" + url.QueryEscape(marker)} {
			at := ids.Replace(path) + query
			if strings.Contains(at, "{") {
				t.Fatalf("%s has a parameter that this test does not know", path)
			}
			if got := blind.call("GET", at, nil); got.status < 300 && strings.Contains(got.body, marker) {
				t.Errorf("GET %s shows a payload: %s", at, got.body)
			}
			if got := owner.call("GET", at, nil); strings.Contains(got.body, marker) {
				shown++
			}
			asked++
		}
	}
	if asked < 150 || shown < 8 {
		t.Errorf("%d calls were made, and the owner saw the payload in %d", asked, shown)
	}
	for _, path := range []string{"/api/v1/app/acme/msg/" + msg + "/body", "/api/v1/app/acme/msg/" + msg + "/attempt/" + first("/api/v1/app/acme/attempt/msg/"+msg) + "/response"} {
		owner.call("GET", path, nil).want(200)
		blind.call("GET", path, nil).want(403)
	}
}
