package api_test

import "testing"

func TestBodiesComeByteForByteAndAreNeverShownByABrowser(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	const exact = `{"b":1.50, "a" : 12345678901234567890}`
	msg := r.call("POST", app+"/msg", `{"eventType":"a","payload":`+exact+`}`).want(202).at("id")
	body := r.call("GET", app+"/msg/"+msg+"/body", nil).want(200)
	if string(body.body) != exact {
		t.Errorf("the body is %s", body.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "X-Original-Content-Type": "application/json", "X-Content-Type-Options": "nosniff",
		"Content-Disposition": `attachment; filename="` + msg + `.bin"`, "Content-Security-Policy": "sandbox; default-src 'none'",
	} {
		if got := body.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	raw := r.call("POST", app+"/msg", `{"eventType":"a","payload":{},"transformationsParams":{"rawPayload":"<script>","headers":{"content-type":"text/html"}}}`).want(202).at("id")
	page := r.call("GET", app+"/msg/"+raw+"/body", nil).want(200)
	if string(page.body) != "<script>" || page.header.Get("Content-Type") != "application/octet-stream" || page.header.Get("X-Original-Content-Type") != "text/html" {
		t.Errorf("a raw body came as %q with %v", page.body, page.header)
	}
	r.call("DELETE", app+"/msg/"+raw+"/content", nil).want(204)
	r.call("GET", app+"/msg/"+raw+"/body", nil).refused(400, "missing_payload")
	r.call("GET", app+"/msg/msg_2vgdKCdXyOEN1WcHxkYAbO6wTzm/body", nil).refused(404, "not_found")
}

func TestAnAttemptShowsItsHeadersAndItsAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	msg := r.publish(app, "a")
	r.deliver(succeed)
	at := app + "/msg/" + msg + "/attempt/" + r.call("GET", app+"/attempt/msg/"+msg, nil).want(200).at("data", 0, "id")
	headers := r.call("GET", at+"/headers", nil).want(200)
	headers.is("***", "sentHeaders", "Authorization").is("a*", "sentHeaders", "X-Star").is("x", "responseHeaders", "Server")
	headers.is("Authorization", "sensitive", 0).is("Set-Cookie", "sensitive", 1).is("X-Api-Key", "sensitive", 2)
	if n := len(headers.object()["sensitive"].([]any)); n != 3 { //nolint:forcetypeassert // a failed test may panic
		t.Errorf("%d names are secret, want 3", n)
	}
	if got := r.call("GET", at+"/response", nil).want(200); string(got.body) != "said success" || got.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("the answer came as %q", got.body)
	}
	r.call("DELETE", at+"/content", nil).want(204)
	r.call("GET", at+"/response", nil).refused(400, "missing_payload")
}

func TestAnAttemptWithoutAnAnswerHasNoHeadersOfOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	msg := r.publish(app, "a")
	r.deliver(noAnswer)
	at := app + "/msg/" + msg + "/attempt/" + r.call("GET", app+"/attempt/msg/"+msg, nil).want(200).at("data", 0, "id")
	r.call("GET", at+"/headers", nil).want(200).is("null", "responseHeaders").is("***", "sentHeaders", "Authorization")
	if got := r.call("GET", at+"/response", nil).want(200); len(got.body) != 0 {
		t.Errorf("the answer is %q, want none", got.body)
	}
}
