package cli_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/cli"
)

var (
	sourceID = regexp.MustCompile(`(src|req)_[0-9A-Za-z]{27}`)
	inURL    = regexp.MustCompile(`http://[^ ]*/in/[^\s]+`)
)

// steady is stable for what sources add.
func steady(text string) string {
	return stable(inURL.ReplaceAllString(sourceID.ReplaceAllString(text, "${1}_ID"), "URL"))
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got = steady(got); got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// good runs a command that must succeed and gives its output.
func (sh shell) good(t *testing.T, args ...string) (out, errs string) {
	t.Helper()
	code, out, errs := sh.run(t, args...)
	if code != cli.ExitOK {
		t.Fatalf("grapnel %s: exit %d, %s", strings.Join(args, " "), code, errs)
	}
	return out, errs
}

// hub sends to the ingest URL as GitHub would with this secret, and gives the status.
func hub(t *testing.T, url, secret, event, id, body string) int {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", event)
	req.Header.Set("X-GitHub-Delivery", id)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSourcesAreCreatedListedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	sh, _ := startServer(t)
	out, errs := sh.good(t, "sources", "create", "github", "--name", "Hub", "--uid", "hub", "--secret-file", secretFile(t, "first secret of the hub"))
	wantText(t, "create", out, "URL\n")
	wantText(t, "stderr of create", errs, "Created src_ID (Hub).\n")
	first := strings.TrimSpace(out)
	sh.in = "a secret that comes by stdin"
	sh.good(t, "sources", "create", "shopify", "--secret-stdin", "--options", `{"rate":5}`)
	out, errs = sh.good(t, "sources", "create", "stripe", "-o", "name")
	wantText(t, "create -o name", out+errs, "src_ID\n")
	_, errs = sh.good(t, "sources", "create", "stripe", "--name", "later")
	wantText(t, "a source without secret", errs, "Created src_ID (later).\nIt has no secret yet: grapnel sources secret add src_ID --secret-file FILE\n"+
		"Stripe Dashboard, Developers, Webhooks, the endpoint, Signing secret; it begins with whsec_ and each endpoint has its own.\n")
	_, errs = sh.good(t, "sources", "create", "none", "--uid", "open")
	wantText(t, "a source that needs no secret", errs, "Created src_ID (none).\n")
	sh.good(t, "sources", "delete", "open", "--yes")
	sh.good(t, "sources", "create", "none", "--uid", "open", "--options", `{"dedupe":{"by":"body","at":"id"},"responses":[{"eventType":"a","status":200},{"status":201}]}`)
	out, _ = sh.good(t, "sources", "show", "open")
	if !strings.Contains(steady(out), "duplicates by  body id\nanswer  200 to a\nanswer  201 to all events\n") {
		t.Errorf("show lacks duplicates and answers:\n%s", out)
	}
	sh.good(t, "sources", "delete", "open", "--yes")

	out, _ = sh.good(t, "sources", "list")
	for _, line := range []string{"ID  UID  NAME  TYPE  STATE  URL\n", "\nsrc_ID  hub  Hub  github  on  URL\n", "\nsrc_ID  -  shopify  shopify  on  URL\n"} {
		if !strings.Contains(steady(out), line) {
			t.Errorf("list lacks %q:\n%s", line, steady(out))
		}
	}
	out, _ = sh.good(t, "sources", "list", "-o", "jsonl")
	if strings.Count(out, "\n") != 4 || strings.Contains(out, "first secret") {
		t.Errorf("list -o jsonl:\n%s", out)
	}
	out, _ = sh.good(t, "sources", "show", "hub")
	wantText(t, "show", out, "id  src_ID\nuid  hub\nname  Hub\ntype  github\nurl  URL\nstate  on\nsecrets  1\ncreated  TIME\n")
	var shown apitype.SourceOut
	out, _ = sh.good(t, "sources", "show", "hub", "-o", "json")
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Type != "github" {
		t.Errorf("show -o json: %v: %s", err, out)
	}
	out, errs = sh.good(t, "sources", "rotate-token", "hub")
	if second := strings.TrimSpace(out); second == first || !strings.Contains(errs, "48 hours") {
		t.Errorf("rotate-token: %s %s", out, errs)
	}
	if code, _, errs := sh.run(t, "sources", "delete", "hub"); code != cli.ExitUsage || !strings.Contains(errs, "--yes") {
		t.Errorf("delete without a terminal: exit %d, %s", code, errs)
	}
	sh.terminal, sh.in = true, "y\n"
	out, _ = sh.good(t, "sources", "delete", "hub", "--color", "never")
	wantText(t, "delete at a terminal", out, "src_ID  deleted\n")
	if code, _, _ := sh.run(t, "sources", "show", "hub"); code != cli.ExitNotFound {
		t.Errorf("show of a deleted one: exit %d", code)
	}
}

func TestSecretsOfASourceAreAddedAndRemovedByNumber(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	sh.good(t, "sources", "create", "github", "--uid", "hub", "--secret-file", secretFile(t, "first secret of the hub"))
	out, _ := sh.good(t, "sources", "secret", "add", "hub", "--secret-file", secretFile(t, "second secret of the hub"), "--keep-old", "1h")
	wantText(t, "add", out, "src_ID  has 2 secrets\n")
	out, _ = sh.good(t, "sources", "secret", "list", "hub")
	wantText(t, "list", out, "NUMBER  SECRET  ENDS\n1  second…  never\n2  first…  TIME\n")
	out, _ = sh.good(t, "sources", "secret", "remove", "hub", "2", "--yes")
	wantText(t, "remove", out, "src_ID  has 1 secret\n")
	left, err := c.SourceSecrets(t.Context(), "hub")
	if err != nil || len(left.Secrets) != 1 || left.Secrets[0].Value != "second secret of the hub" {
		t.Errorf("left are %+v, %v", left, err)
	}
	for _, number := range []string{"0", "2", "x"} {
		if code, _, _ := sh.run(t, "sources", "secret", "remove", "hub", number, "--yes"); code != cli.ExitUsage {
			t.Errorf("remove %s: exit %d", number, code)
		}
	}
}

func TestSourceTypesAreListed(t *testing.T) {
	t.Parallel()
	sh, _ := startServer(t)
	out, _ := sh.good(t, "sources", "types")
	for _, name := range []string{"TYPE", "\nstripe ", "\ngithub ", "\ncron ", "\ngeneric-hmac "} {
		if !strings.Contains(out, name) {
			t.Errorf("no %q in\n%s", name, out)
		}
	}
	if out, _ := sh.good(t, "sources", "types", "-o", "name"); !strings.Contains(out, "\nstripe\n") {
		t.Errorf("-o name:\n%s", out)
	}
}

// twoRefused has a source with two refused requests, which have the bodies {"n": 1} and
// {"n": 2}, and an endpoint that tells what it gets.
func twoRefused(t *testing.T, sh shell, c *client.Client) (ids []string, received <-chan string) {
	t.Helper()
	url := strings.TrimSpace(first(sh.good(t, "sources", "create", "github", "--uid", "hub", "--secret-file", secretFile(t, "a wrong secret"))))
	bodies := make(chan string, 10)
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			bodies <- string(body)
		}
	}))
	t.Cleanup(target.Close)
	source, err := c.FindSource(t.Context(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateEndpoint(t.Context(), source.ID, apitype.EndpointIn{URL: target.URL}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"1", "2"} {
		if status := hub(t, url, "the right secret", "push", "delivery-"+n, `{"n": `+n+`}`); status != http.StatusUnauthorized {
			t.Fatalf("a request with another secret is answered %d", status)
		}
		ids = append(ids, recorded(t, c, ids))
	}
	return ids, bodies
}

// recorded waits for a request that is not among the known ones: refused ones are
// stored after their answer.
func recorded(t *testing.T, c *client.Client, known []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		page, err := c.ListRequests(ctx, "hub", client.RequestFilter{}, client.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Data {
			if !slices.Contains(known, r.ID) {
				return r.ID
			}
		}
	}
}

func first(a, _ string) string { return a }

func TestRefusedRequestsAreSeenVerifiedAndBecomeMessages(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	ids, received := twoRefused(t, sh, c)
	out, _ := sh.good(t, "requests", "list", "--source", "hub", "--state", "refused", "--since", "6h")
	wantText(t, "list", out, "  ID  RECEIVED  STATE  REASON  TYPE  STATUS  SIZE\n✕ req_ID  TIME  refused  signature_mismatch  -  401  8 B\n✕ req_ID  TIME  refused  signature_mismatch  -  401  8 B\n")
	out, _ = sh.good(t, "requests", "show", ids[0])
	for _, part := range []string{"✕ " + ids[0] + "  refused  signature_mismatch  answered 401", "POST /", "X-Github-Event: push"} {
		if !strings.Contains(out, part) {
			t.Errorf("show lacks %q:\n%s", part, out)
		}
	}
	if out, _ = sh.good(t, "requests", "body", ids[0]); out != `{"n": 1}` {
		t.Errorf("body is %q", out)
	}
	out, _ = sh.good(t, "requests", "note", ids[0], "ask \x1b[31mthem")
	if !strings.Contains(out, "note: ask \uFFFD[31mthem") {
		t.Errorf("the note is not shown, or commands the terminal: %q", out)
	}
	if code, _, errs := sh.run(t, "requests", "verify", ids[0]); code != cli.ExitNo || !strings.Contains(errs, "does not verify") {
		t.Errorf("verify with the wrong secret: exit %d, %s", code, errs)
	}
	sh.good(t, "sources", "secret", "add", "hub", "--secret-file", secretFile(t, "the right secret"))
	out, _ = sh.good(t, "requests", "verify", ids[0])
	if !strings.Contains(out, "refused  verified") {
		t.Errorf("verify:\n%s", out)
	}
	out, _ = sh.good(t, "replay", "--source", "hub", "--state", "refused", "--since", "6h", "--yes")
	wantText(t, "replay", out, "✓ req_ID  verifies now, became msg_ID\n✓ req_ID  verifies now, became msg_ID\n")
	got := []string{<-received, <-received}
	if strings.Join(got, "") != `{"n": 1}{"n": 2}` && strings.Join(got, "") != `{"n": 2}{"n": 1}` {
		t.Errorf("the endpoint got %v", got)
	}
	if _, errs := sh.good(t, "replay", "--source", "hub", "--state", "refused", "--since", "6h"); errs != "  No request fits.\n" {
		t.Errorf("again: %s", errs)
	}
	out, _ = sh.good(t, "replay", ids[1])
	wantText(t, "replay of an accepted one", out, "✓ req_ID  as msg_ID\n")
	if body := <-received; body != `{"n": 2}` {
		t.Errorf("the endpoint got %s", body)
	}
}

func TestARequestIsReplayedToAURLOnce(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	ids, _ := twoRefused(t, sh, c)
	id := ids[1]
	got := make(chan string, 1)
	staging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("X-GitHub-Event") + " " + string(body)
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer staging.Close()
	out, _ := sh.good(t, "replay", id, "--to", staging.URL+"/yes")
	wantText(t, "replay --to", out, "✓ req_ID  200  N ms  success\n")
	if sent := <-got; sent != `push {"n": 2}` {
		t.Errorf("staging got %q", sent)
	}
	if code, out, _ := sh.run(t, "replay", id, "--to", staging.URL+"/no"); code != cli.ExitNo || !strings.HasPrefix(steady(out), "✕ req_ID  418") {
		t.Errorf("an answer that is no: exit %d, %s", code, out)
	}
	<-got
	if code, _, errs := sh.run(t, "replay", id, "--to", "https://169.254.169.254/latest"); code != cli.ExitInvalid || !strings.Contains(errs, "to.url") {
		t.Errorf("an address that is not allowed: exit %d, %s", code, errs)
	}
	out, _ = sh.good(t, "requests", "purge", "--yes")
	wantText(t, "purge", out, "2 requests removed\n")
}

func TestARequestIsFoundWhicheverSourceHasIt(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	ids, _ := twoRefused(t, sh, c)
	sh.good(t, "sources", "create", "none", "--uid", "another")
	for _, args := range [][]string{{"show"}, {"body"}, {"note", "seen"}} {
		sh.good(t, append([]string{"requests", args[0], ids[0]}, args[1:]...)...)
	}
	code, _, errs := sh.run(t, "replay", ids[0])
	if code != cli.ExitNo || !strings.Contains(errs, "✕ "+ids[0]+" was not taken") {
		t.Errorf("replay of a refused request: exit %d, %s", code, errs)
	}
	code, _, errs = sh.run(t, "requests", "list")
	if code != cli.ExitUsage || !strings.Contains(errs, "there are several sources") {
		t.Errorf("a list of no source: exit %d, %s", code, errs)
	}
}

func TestSeveralRequestsAreNotReplayedUnasked(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	twoRefused(t, sh, c)
	if code, _, errs := sh.run(t, "replay", "--state", "refused"); code != cli.ExitUsage || !strings.Contains(errs, "--yes") {
		t.Errorf("at a pipe: exit %d, %s", code, errs)
	}
	sh.terminal, sh.in = true, "n\n"
	if code, _, errs := sh.run(t, "replay", "--state", "refused", "--color", "never"); code != cli.ExitError || !strings.Contains(errs, "Send 2 requests again? [y/N]") {
		t.Errorf("with a no: exit %d, %s", code, errs)
	}
	sh.in = "y\n"
	code, out, _ := sh.run(t, "replay", "--state", "refused", "--color", "never")
	if code != cli.ExitNo || strings.Count(out, "still refused: signature_mismatch") != 2 {
		t.Errorf("with a yes: exit %d, %s", code, out)
	}
}

func TestWrongUseOfSourcesAndRequestsIsToldAsPromised(t *testing.T) {
	t.Parallel()
	sh, _ := startServer(t)
	if code, _, errs := sh.run(t, "requests", "list"); code != cli.ExitNotFound || !strings.Contains(errs, "there is no source") {
		t.Errorf("without a source: exit %d, %s", code, errs)
	}
	sh.good(t, "sources", "create", "github", "--uid", "a")
	sh.good(t, "sources", "create", "github", "--uid", "b")
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"sources create nonsense", cli.ExitInvalid, "/ingest/api/v1/source-type"},
		{"sources create", cli.ExitUsage, "needs TYPE"},
		{"sources create github --options {", cli.ExitUsage, "--options is not JSON"},
		{"sources create github --options []", cli.ExitUsage, "not an object"},
		{`sources create github --options {"ratte":1}`, cli.ExitUsage, "ratte"},
		{"sources types strip", cli.ExitNotFound, "Did you mean stripe?"},
		{"sources types a b", cli.ExitUsage, "one argument"},
		{"requests show req_2vgdKCdXyOEN1WcHxkYAbO6wTzm", cli.ExitNotFound, "there is no request"},
		{"sources create github --uid a", cli.ExitConflict, "exists already"},
		{"sources create github --secret-stdin --secret-file x", cli.ExitUsage, "both given"},
		{"sources secret add a", cli.ExitUsage, "no secret to add"},
		{"sources secret remove a", cli.ExitUsage, "needs ID and NUMBER"},
		{"sources shwo", cli.ExitUsage, "Did you mean `grapnel sources show`?"},
		{"requests list", cli.ExitUsage, "Name one with --source, such as"},
		{"requests list --source none", cli.ExitNotFound, "no such source"},
		{"requests list --source a --state nonsense", cli.ExitUsage, "is no state of a request"},
		{"requests list --source a --limit -1", cli.ExitUsage, "not a whole number"},
		{"requests show req_x --source a", cli.ExitInvalid, "is not a valid id"},
		{"requests purge --source a", cli.ExitUsage, "--yes"},
		{"replay", cli.ExitUsage, "needs REQUEST"},
		{"replay req_x --state refused", cli.ExitUsage, "choose others"},
	} {
		code, _, errs := sh.run(t, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(errs, tt.says) {
			t.Errorf("grapnel %s: exit %d, want %d and %q in:\n%s", tt.args, code, tt.code, tt.says, errs)
		}
	}
}

func TestHelpOfSourcesAndRequestsFitsEightyColumns(t *testing.T) {
	t.Parallel()
	sh := bare(t)
	for _, command := range []string{
		"sources", "sources list", "sources create", "sources show", "sources rotate-token", "sources secret", "sources secret add", "sources secret list",
		"sources secret remove", "sources delete", "sources types", "requests", "requests list", "requests show", "requests body", "requests verify",
		"requests note", "requests purge", "replay",
	} {
		out, _ := sh.good(t, append(strings.Fields(command), "--help")...)
		for line := range strings.Lines(out) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				t.Errorf("%s: a line of help has %d columns: %s", command, n, line)
			}
		}
	}
}
