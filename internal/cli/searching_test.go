package cli_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/cli"
)

var issueID = regexp.MustCompile(`iss_[0-9A-Za-z]{27}`)

func TestListsAreFilteredByTheSearchLanguage(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c, 200, 500)
	sh.run(t, "send", "invoice.paid", "-d", `{"amount":1200}`, "--wait")
	sh.run(t, "send", "user.created", "-d", `{"amount":7}`, "--wait")
	out, _ := sh.good(t, "messages", "list", "--filter", "type:invoice.* body.amount:>1000")
	expect(t, "one message", out, "ID  ACCEPTED  TYPE  OF  SIZE  DELIVERIES\nmsg_ID  TIME  invoice.paid  Acme  15 B  1/2 delivered, 1 retrying\n")
	out, _ = sh.good(t, "messages", "list", "--limit", "1", "-o", "name")
	id := strings.TrimSpace(out)
	expect(t, "the newest", out, "msg_ID\n")
	out, _ = sh.good(t, "messages", "get", id)
	expect(t, "a message", out, "id  msg_ID\ntype  user.created\nof  Acme\naccepted  TIME\ndeliveries  1/2 delivered, 1 retrying\nnext attempt  TIME\npayload  {\"amount\":7}\n")
	out, _ = sh.good(t, "messages", "explain", id)
	if lines := strings.Count(out, "\n"); lines != 3 || !strings.Contains(out, "Attempt 1 failed: the endpoint answered 500") || !strings.Contains(out, "delivered") {
		t.Errorf("the message is explained as\n%s", out)
	}
	out, _ = sh.good(t, "messages", "list", "--filter", "status:none", "-o", "json")
	expect(t, "none", out, "[]\n")
	out, _ = sh.good(t, "endpoints", "list", "--filter", "state:failing")
	expect(t, "an endpoint", out, "ID  OF  STATE  SUCCEEDED  P95  URL\nep_ID  Acme  failing  0/2  N ms  http://HOST\n")
	code, out, errs := sh.run(t, "messages", "list", "--filter", "type:a odd:x")
	if code != cli.ExitInvalid || out != "" || !strings.Contains(errs, "at character 8: there is no field \"odd\"") {
		t.Errorf("a wrong filter: exit %d, stdout %q, stderr %q", code, out, errs)
	}
}

func TestIssuesAreListedAndChanged(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c, 500)
	sh.run(t, "send", "invoice.paid", "-d", `{}`, "--wait")
	var id string
	for range 200 { // the rollup comes by itself, soon
		page, err := c.ListIssues(t.Context(), client.Search{})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Data) == 1 {
			id = page.Data[0].ID
			break
		}
		if _, err := c.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: []byte(`{}`)}, client.PublishOptions{Wait: 1e9}); err != nil {
			t.Fatal(err)
		}
	}
	out, _ := sh.good(t, "issues", "list", "--filter", "status:500")
	if !strings.Contains(out, id) || !strings.Contains(out, "The endpoint answers 500.") || !strings.Contains(out, "open") {
		t.Errorf("the issues are\n%s", out)
	}
	out, _ = sh.good(t, "issues", "mute", id, "--for", "24h")
	expect(t, "muted", issueID.ReplaceAllString(out, "iss_ID"), "iss_ID  muted\n")
	out, _ = sh.good(t, "issues", "list", "--filter", "state:muted", "-o", "name")
	expect(t, "what is muted", out, id+"\n")
	out, _ = sh.good(t, "issues", "resolve", id)
	expect(t, "resolved", issueID.ReplaceAllString(out, "iss_ID"), "iss_ID  resolved\n")
	out, _ = sh.good(t, "issues", "reopen", id)
	expect(t, "open", issueID.ReplaceAllString(out, "iss_ID"), "iss_ID  open\n")
	code, _, _ := sh.run(t, "issues", "resolve", "iss_x")
	if code != cli.ExitInvalid {
		t.Errorf("a wrong id: exit %d", code)
	}
}

func TestRequestsOfAllSourcesAreFiltered(t *testing.T) {
	t.Parallel()
	sh, _ := startServer(t)
	url, _ := sh.good(t, "sources", "create", "generic-webhook", "--name", "hub", "--uid", "hub")
	hub(t, strings.TrimSpace(url), "wrong", "push", "1", `{"ref":"main"}`)
	out, _ := sh.good(t, "requests", "list", "--filter", "source:hub body.ref:main state:accepted", "-o", "name")
	wantText(t, "a request", out, "req_ID\n")
	out, _ = sh.good(t, "requests", "list", "--filter", "state:refused", "-o", "name")
	wantText(t, "none", out, "")
	code, _, errs := sh.run(t, "requests", "list", "--filter", "x", "--state", "refused")
	if code != cli.ExitUsage || !strings.Contains(errs, "--filter goes without") {
		t.Errorf("both: exit %d, stderr %q", code, errs)
	}
}
