package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestRequestsAreListedWithTheirVerdicts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	one := r.received(id)
	r.clock.Add(int64(time.Second))
	two := r.received(id, func(q *hook.Request) { q.State, q.Reason, q.Findings = hook.RequestHandshake, "challenge", nil })
	r.clock.Add(int64(time.Second))
	msg, three := r.accepted(id, "orders/paid", `{}`)
	for _, path := range []string{"/request", "/log", "/request/"} {
		if got := r.call("GET", src+path, nil).list("id"); !slices.Equal(got, []string{three, two, one}) {
			t.Errorf("%s lists %v", path, got)
		}
	}
	page := r.call("GET", src+"/request?limit=1", nil).want(200).is("false", "done").is(msg, "data", 0, "messageId").is("accepted", "data", 0, "state")
	page = r.call("GET", src+"/request?limit=1&iterator="+page.at("iterator"), nil).want(200).is(two, "data", 0, "id").is("[]", "data", 0, "findings")
	r.call("GET", src+"/request?iterator="+page.at("prevIterator"), nil).want(200).is(three, "data", 0, "id")
	for query, want := range map[string][]string{
		"state=refused": {one}, "state=handshake,accepted": {three, two}, "state=refused&state=handshake": {two, one}, "reason=challenge": {two}, "reason=none": {},
		"after=2001-01-01T00:00:00Z": {three, two, one}, "before=2001-01-01T00:00:00Z": {},
	} {
		if got := r.call("GET", src+"/request?"+query, nil).list("id"); !slices.Equal(got, want) {
			t.Errorf("%s lists %v, want %v", query, got, want)
		}
	}
	r.call("GET", src+"/request?state=nonsense", nil).refusedAt("query", "state")
	r.call("GET", src+"/request?reason=a%20b", nil).refusedAt("query", "reason")
	r.call("GET", src+"/request?iterator=msg_x", nil).refusedAt("query", "iterator")
	r.call("GET", src+"/request?limit=251", nil).refusedAt("query", "limit")
	other, _ := r.source("github")
	if got := r.call("GET", other+"/request", nil).list("id"); len(got) != 0 {
		t.Errorf("another source lists %v", got)
	}
	r.call("GET", other+"/request/"+one, nil).refused(404, "not_found")
}

func TestARequestIsShownWithoutWhatIsSecretInIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("api-key", `"verification":{"header":"x-own"}`)
	req := src + "/request/" + r.received(id)
	all := r.call("GET", req, nil).want(200)
	all.is("refused", "state").is("signature_mismatch", "reason").is("wrong_secret", "findings", 0, "code").is("POST", "method").is("/x", "path").is("a=1", "query").is("192.0.2.9", "remote")
	all.is("charge/paid", "eventType").is("null", "messageId").is("401", "status").is("9", "bodySize")
	const hidden = `["Authorization","[redacted]"],["Content-Type","application/json; charset=utf-8"],["Cookie","[redacted]"],["X-Own","[redacted]"],`
	all.is(`[`+hidden+`["X-Sign","sig"],["X-Sign","nature"]]`, "headers")
	read := r.addKey(r.env.ID, hook.ID{}, "read")
	r.callAs(read, "GET", req, nil).want(200).is(`[`+hidden+`["X-Sign","[redacted]"],["X-Sign","[redacted]"]]`, "headers")
	if strings.Contains(string(all.body), "c2VjcmV0") || strings.Contains(string(all.body), "secret=1") {
		t.Errorf("a credential is shown: %s", all.body)
	}
	r.call("GET", src+"/request/req_x", nil).refusedAt("path", "request_id")
	r.call("GET", src+"/request/"+hook.KindRequest.Format(hook.NewID(r.now())), nil).refused(404, "not_found")
}

func TestASecretInTheAddressOfARequestIsNotShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	req := r.received(id, func(q *hook.Request) {
		q.Envelope.Query = "a=1&code=CANARY&hub.verify%5Ftoken=CANARY&Token=CANARY&key&hub.mode=subscribe"
	})
	const shown = "a=1&code=[redacted]&hub.verify%5Ftoken=[redacted]&Token=[redacted]&key&hub.mode=subscribe"
	r.call("GET", src+"/request/"+req, nil).want(200).is(shown, "query")
	r.call("GET", src+"/request", nil).want(200).is(shown, "data", 0, "query")
}

func TestTheBodyOfARequestIsGivenAsBytesThatNoBrowserRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	const evil = "<script>alert(1)</script>\x00\xff"
	req := r.received(id, func(q *hook.Request) { q.Body, q.BodySize, q.ContentType = []byte(evil), len(evil), "text/html" })
	a := r.call("GET", src+"/request/"+req+"/body", nil).want(200)
	if string(a.body) != evil {
		t.Errorf("got %q", a.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Content-Disposition": `attachment; filename="` + req + `.bin"`,
		"X-Original-Content-Type": "text/html", "Cache-Control": "no-store",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	odd := r.received(id, func(q *hook.Request) { q.ContentType = "text/html\r\nX-Evil: 1" })
	if a := r.call("GET", src+"/request/"+odd+"/body", nil).want(200); a.header.Get("X-Original-Content-Type") != "" || a.header.Get("X-Evil") != "" {
		t.Errorf("a type that is none came through: %v", a.header)
	}
	_, taken := r.accepted(id, "a", `{ "as" : "it came" }`)
	if got := r.call("GET", src+"/request/"+taken+"/body", nil).want(200).body; string(got) != `{ "as" : "it came" }` {
		t.Errorf("got %q", got)
	}
	empty := r.received(id, func(q *hook.Request) { q.Body, q.BodySize = []byte{}, 0 })
	if got := r.call(http.MethodGet, src+"/request/"+empty+"/body", nil).want(200); len(got.body) != 0 {
		t.Errorf("got %q", got.body)
	}
}

func TestABodyThatIsGoneCannotBeHadOrSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	msg, req := r.accepted(id, "a", `{}`)
	r.call("DELETE", "/app/"+hook.KindSource.Format(id)+"/msg/"+msg+"/content", nil).want(204)
	r.call("GET", src+"/request/"+req, nil).want(200).is("true", "bodyGone")
	r.call("GET", src+"/request/"+req+"/body", nil).refused(400, "missing_payload")
	r.call("POST", src+"/request/"+req+"/replay", `{"to":{"url":"https://example.test"}}`).refused(400, "missing_payload")
}

func TestARequestIsVerifiedAgainAndGetsANote(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	req := src + "/request/" + r.received(id)
	r.call("POST", req+"/verify", nil).want(200).is("verified", "reason").is("process is false", "detail")
	r.call("POST", req+"/verify", `{"process":true}`).want(200).is("process is true", "detail")
	r.call("PATCH", req, `{"note":"ask them"}`).want(200).is("ask them", "note")
	r.call("PATCH", req, `{}`).want(200).is("ask them", "note")
	r.call("PATCH", req, `{"note":null}`).want(200).is("", "note")
	r.call("PATCH", req, `{"note":"`+strings.Repeat("x", 4097)+`"}`).refusedAt("body", "note")
	r.call("PATCH", req, `{"note":"a\u0000"}`).refusedAt("body", "note")
	missing := src + "/request/" + hook.KindRequest.Format(hook.NewID(r.now()))
	r.call("POST", missing+"/verify", nil).refused(404, "not_found")
	r.call("POST", missing+"/replay", nil).refused(404, "not_found")
	r.call("PATCH", missing, `{"note":"x"}`).refused(404, "not_found")
}

func TestARequestIsReplayedThroughItsRoutesOrToAnAllowedURL(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	req := src + "/request/" + r.received(id)
	made := r.call("POST", req+"/replay", nil).want(202).is(hook.KindSource.Format(id), "messages", 0, "ownerId").is("charge/paid", "messages", 0, "eventType")
	r.call("GET", "/app/"+hook.KindSource.Format(id)+"/msg/"+made.at("messages", 0, "id"), nil).want(200)
	r.call("POST", req+"/replay", `{"to":null}`).want(202)
	sent := r.call("POST", req+"/replay", `{"to":{"url":"https://example.test/x"}}`).want(200).is("[]", "messages")
	sent.is("https://example.test/x", "attempt", "url").is("success", "attempt", "outcome").is("200", "attempt", "responseStatusCode").is("12", "attempt", "responseDurationMs").is(`got {"n": 1}0`, "attempt", "response")
	r.call("POST", req+"/replay", `{"to":{"url":"https://example.test/x"},"body":"{\"n\": 2}"}`).want(200).is(`got {"n": 2}`, "attempt", "response")
	edited := r.call("POST", req+"/replay", `{"body":"{\"n\": 3}"}`).want(202).at("messages", 0, "id")
	if body := r.call("GET", "/app/"+hook.KindSource.Format(id)+"/msg/"+edited+"/body", nil).want(200).body; string(body) != `{"n": 3}` {
		t.Errorf("the edited body arrived as %s", body)
	}
	for _, url := range []string{"", "http://example.test", "https://169.254.169.254/latest", "https://user:secret@example.test", "/x"} {
		r.call("POST", req+"/replay", map[string]any{"to": map[string]any{"url": url}}).refusedAt("body", "to", "url")
	}
}

func TestOnlyRequestsWithoutAMessageArePurged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	src, id := r.source("github")
	r.received(id)
	r.clock.Add(int64(time.Hour))
	late := r.received(id)
	_, kept := r.accepted(id, "a", `{}`)
	r.call("POST", src+"/request/purge", map[string]any{"before": r.now().Add(-time.Minute)}).want(200).is("1", "removed").is("true", "done")
	if got := r.call("GET", src+"/request", nil).list("id"); len(got) != 2 || !slices.Contains(got, late) {
		t.Errorf("left are %v", got)
	}
	r.call("POST", src+"/request/purge", nil).want(200).is("1", "removed")
	if got := r.call("GET", src+"/request", nil).list("id"); !slices.Equal(got, []string{kept}) {
		t.Errorf("left are %v", got)
	}
}
