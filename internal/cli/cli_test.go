package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/cli"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
)

const testKey = "a-key-for-tests-0123456789"

// screen is a writer that a test can read while it is written.
type screen struct {
	mu      sync.Mutex // guards what follows
	buf     bytes.Buffer
	changed chan struct{}
}

func newScreen() *screen { return &screen{changed: make(chan struct{}, 1)} }

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return s.buf.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// until waits for a text, but not after the end of what writes it.
func (s *screen) until(t *testing.T, text string, ended <-chan struct{}) {
	t.Helper()
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.changed:
		case <-ended:
			if !strings.Contains(s.String(), text) {
				t.Fatalf("no %q in %q", text, s)
			}
		}
	}
}

// shell runs commands with an environment of its own.
type shell struct {
	env      []string
	terminal bool
	in       string
}

func (sh shell) run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	return sh.runWith(t.Context(), args...)
}

func (sh shell) runWith(ctx context.Context, args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = cli.Main(ctx, cli.Streams{
		In: strings.NewReader(sh.in), Out: &stdout, Err: &stderr, Env: sh.env,
		InTerminal: sh.terminal, OutTerminal: sh.terminal, ErrTerminal: sh.terminal,
	}, args)
	return code, stdout.String(), stderr.String()
}

// bare is a shell without server, key and profile.
func bare(t *testing.T) shell {
	t.Helper()
	return shell{env: []string{"XDG_CONFIG_HOME=" + t.TempDir()}}
}

// startServer runs a server and gives a shell that talks to it.
func startServer(t *testing.T) (shell, *client.Client) {
	t.Helper()
	cfg, err := config.Load(config.Sources{
		Flags: map[string]string{
			"listen": "127.0.0.1:0", "db": "sqlite:" + filepath.Join(t.TempDir(), "g.db"), "log-level": "error",
			"allow-net": "127.0.0.0/8", "allow-http": "true", "retry-schedule": "1h", "drain-timeout": "2s",
		},
		Env: []string{"GRAPNEL_API_KEY=" + testKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := server.New(server.Options{Config: cfg, Version: "test"})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	c, err := client.New(s.URL(), testKey)
	if err != nil {
		t.Fatal(err)
	}
	sh := bare(t)
	sh.env = append(sh.env, "GRAPNEL_SERVER="+s.URL(), "GRAPNEL_API_KEY="+testKey)
	return sh, c
}

// target makes the application acme with endpoints that answer with these statuses.
func target(t *testing.T, c *client.Client, statuses ...int) {
	t.Helper()
	if _, err := c.GetOrCreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
		t.Fatal(err)
	}
	for _, status := range statuses {
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, "answer %d\x1b[31m\nsecond line", status)
		}))
		t.Cleanup(receiver.Close)
		if _, err := c.CreateEndpoint(t.Context(), "acme", apitype.EndpointIn{URL: receiver.URL, UID: apitype.Some(fmt.Sprintf("ep%d", status))}); err != nil {
			t.Fatal(err)
		}
	}
}

var changing = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`(msg|key|ep)_[0-9A-Za-z]{27}`), "${1}_ID"},
	{regexp.MustCompile(`(<1|\d+) ms`), "N ms"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`in (\d+h)?(\d+m)?[\d.]+m?s`), "in WAIT"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
	{regexp.MustCompile(`gk_[0-9A-Za-z]{38}`), "gk_KEY"},
	{regexp.MustCompile(`gl_[0-9A-Za-z]{38}`), "gl_CODE"},
	{regexp.MustCompile(` +\n`), "\n"},
	{regexp.MustCompile(`  +`), "  "},
}

// stable takes out of a text what differs from run to run.
func stable(text string) string {
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.text)
	}
	return text
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got = stable(got); got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

func TestSendPrintsEachAnswerAndFailsWithEight(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c, 200)
	code, out, errs := sh.run(t, "send", "invoice.paid", "-d", `{"amount":1200}`, "--wait")
	if code != cli.ExitOK || errs != "" {
		t.Errorf("exit %d, stderr %q", code, errs)
	}
	expect(t, "one that succeeds, piped", out, "  msg_ID  invoice.paid  →  1 endpoint\n  ✓ ep200  200  N ms  attempt 1  delivered\n")

	target(t, c, 500)
	code, out, errs = sh.run(t, "send", "invoice.paid", "--wait=20s")
	if code != cli.ExitNo {
		t.Errorf("exit %d, want %d", code, cli.ExitNo)
	}
	for _, line := range []string{"✓ ep200  200  N ms  attempt 1  delivered\n", "✕ ep500  500  N ms  attempt 1  failed, will be retried at TIME  answer 500\uFFFD[31m\n"} {
		if !strings.Contains(stable(out), line) {
			t.Errorf("stdout lacks %q:\n%s", line, stable(out))
		}
	}
	expect(t, "stderr", errs, "✕ msg_ID was accepted, but not delivered everywhere\n  why  1 of 2 endpoints did not take it.\n  fix  Look at the answers above; what is retried may still arrive.\n")

	sh.terminal = true
	_, out, errs = sh.run(t, "send", "invoice.paid", "--wait", "--color", "never")
	if !strings.Contains(stable(out), "failed, will be retried in WAIT\n  answer 500") || !strings.Contains(errs, "--print curl|go|node|python") {
		t.Errorf("at a terminal: %s\n%s", out, errs)
	}
	_, out, _ = sh.run(t, "send", "invoice.paid", "--wait")
	if !strings.Contains(out, "\x1b[32m✓\x1b[0m") {
		t.Errorf("no colour at a terminal: %q", out)
	}
}

func TestSendWithoutWaitingIsOneLine(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c)
	code, out, errs := sh.run(t, "send", "a", "--set", "customer.name=Ada", "--set", "customer.age=36", "--event-id", "e1", "--channel", "x,y")
	if code != cli.ExitOK || errs != "" {
		t.Errorf("exit %d, stderr %q", code, errs)
	}
	expect(t, "stdout", out, "  msg_ID  a  accepted\n")
	msg, err := c.FindMessage(t.Context(), "acme", "e1")
	if err != nil {
		t.Fatal(err)
	}
	if string(msg.Payload) != `{"customer":{"name":"Ada","age":36}}` || strings.Join(msg.Channels, " ") != "x y" {
		t.Errorf("stored %s with channels %v", msg.Payload, msg.Channels)
	}
	if code, _, errs := sh.run(t, "send", "a", "--app", "acme", "--wait"); code != cli.ExitOK || errs != "  No endpoint of application acme asks for a.\n" {
		t.Errorf("exit %d, no word about the missing endpoint: %q", code, errs)
	}
	sh.terminal = true
	if _, _, errs := sh.run(t, "send", "a", "--color", "never"); errs != "  --wait shows what the endpoints answer\n" {
		t.Errorf("what can be done next: %q", errs)
	}
}

func TestPayloadComesFromArgumentFileOrStdin(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c)
	file := filepath.Join(t.TempDir(), "p.json")
	if err := os.WriteFile(file, []byte(`{"from": "file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	sh.in = `{"from": "stdin"}`
	for arg, want := range map[string]string{"@" + file: `{"from": "file"}`, "-": sh.in, `{"from": "argument"}`: `{"from": "argument"}`} {
		code, out, errs := sh.run(t, "send", "a", "-d", arg, "-o", "name")
		if code != cli.ExitOK {
			t.Fatalf("%s: exit %d, %s", arg, code, errs)
		}
		msg, err := c.FindMessage(t.Context(), "acme", strings.TrimSpace(out))
		if err != nil || string(msg.Payload) != want {
			t.Errorf("%s: stored %s, %v, want the bytes %s", arg, msg.Payload, err, want)
		}
	}
}

func TestOutputFormsHoldTheSame(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c, 200)
	var first apitype.MessageCreateOut
	for _, format := range []string{"json", "jsonl", "yaml"} {
		for _, how := range []struct {
			env  string
			args []string
		}{{"", []string{"-o", format}}, {"GRAPNEL_OUTPUT=" + format, nil}} {
			s := sh
			s.env = append(append([]string{}, sh.env...), how.env)
			code, out, errs := s.run(t, append([]string{"send", "a", "--wait", "--idempotency-key", "same"}, how.args...)...)
			if code != cli.ExitOK || errs != "" {
				t.Fatalf("%s: exit %d, %s", format, code, errs)
			}
			text := []byte(out)
			if format == "yaml" {
				var v any
				if err := yaml.Unmarshal(text, &v); err != nil {
					t.Fatalf("not YAML: %v\n%s", err, out)
				}
				text, _ = json.Marshal(v)
			}
			if format == "jsonl" && strings.Count(out, "\n") != 1 {
				t.Errorf("jsonl has %d lines", strings.Count(out, "\n"))
			}
			var got apitype.MessageCreateOut
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatalf("%s: %v\n%s", format, err, out)
			}
			if first.ID == "" {
				first = got
			}
			if got.ID != first.ID || len(got.Deliveries) != 1 {
				t.Errorf("%s: %+v, want message %s", format, got, first.ID)
			}
		}
	}
}

func TestExitCodesAreThePromisedOnes(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c)
	if _, err := c.CreateEventType(t.Context(), apitype.EventTypeIn{
		Name: "strict", Description: "x", EnforceSchema: apitype.Some(true),
		Schemas: apitype.Some(map[string]json.RawMessage{"1": json.RawMessage(`{"type":"object","required":["id"]}`)}),
	}); err != nil {
		t.Fatal(err)
	}
	without := bare(t)
	keyed := shell{env: append(append([]string{}, sh.env...), "GRAPNEL_MASTER_KEY=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")}
	stranger := shell{env: append(append([]string{}, sh.env...), "GRAPNEL_API_KEY=gk_nobody-knows-this-key")}
	nobody := shell{env: append(append([]string{}, sh.env...), "GRAPNEL_SERVER=http://127.0.0.1:1")}
	proxied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	defer proxied.Close()
	limited := shell{env: append(append([]string{}, sh.env...), "GRAPNEL_SERVER="+proxied.URL)}
	if code, _, errs := sh.run(t, "send", "a", "--event-id", "taken"); code != cli.ExitOK {
		t.Fatal(errs)
	}
	for _, tt := range []struct {
		shell shell
		args  string
		code  int
		says  string
	}{
		{sh, "", cli.ExitOK, ""},
		{sh, "--help", cli.ExitOK, ""},
		{sh, "version", cli.ExitOK, ""},
		{sh, "sned a", cli.ExitUsage, "Did you mean `grapnel send`?"},
		{sh, "keys lst", cli.ExitUsage, "Did you mean `grapnel keys list`?"},
		{sh, "send", cli.ExitUsage, "send needs TYPE"},
		{sh, "send a b", cli.ExitUsage, "takes one argument"},
		{sh, "send a --wait 5s", cli.ExitUsage, "--wait=10s"},
		{sh, "send a --wait=1h", cli.ExitUsage, "not from 1s to 1m"},
		{sh, "send a --output JSON", cli.ExitUsage, "Did you mean json?"},
		{sh, "send a --output", cli.ExitUsage, "--output needs a value"},
		{sh, "send a --timeout soon", cli.ExitUsage, "--timeout soon is not a duration"},
		{sh, "send a --timeout 0", cli.ExitUsage, "is less than 1ms"},
		{sh, "send a --server localhost:8080", cli.ExitUsage, "such as http://localhost:8080"},
		{sh, "healthcheck --server here", cli.ExitUsage, "--server here is not the URL of a server"},
		{sh, "send a --wiat", cli.ExitUsage, "Did you mean --wait?"},
		{sh, "serve --api-key x", cli.ExitUsage, "Did you mean --api-key-file?"},
		{sh, "send a -x", cli.ExitUsage, "grapnel send has no flag -x"},
		{sh, "help keys lst", cli.ExitUsage, "Did you mean `grapnel keys list`?"},
		{sh, "help nonsense", cli.ExitUsage, `no command "nonsense"`},
		{sh, "help send", cli.ExitOK, ""},
		{sh, "--version", cli.ExitOK, ""},
		{sh, "completion", cli.ExitUsage, "needs the name of a shell"},
		{sh, "send a --color pink", cli.ExitUsage, "auto, always, never"},
		{sh, "send a --print cobol", cli.ExitUsage, "curl, go, node, python"},
		{sh, "send a --nonsense", cli.ExitUsage, "grapnel send has no flag --nonsense"},
		{sh, "send a --print go -o json", cli.ExitUsage, "one of the two"},
		{sh, "send a --print go", cli.ExitUsage, "--app"},
		{sh, "send a -d {", cli.ExitUsage, "not JSON"},
		{sh, "send a -d @/does/not/exist", cli.ExitUsage, "cannot be read"},
		{sh, "send a --set x", cli.ExitUsage, "not path=value"},
		{sh, "version extra", cli.ExitUsage, "takes no arguments"},
		{sh, "completion tcsh", cli.ExitUsage, "no completion"},
		{sh, "serve --role everything", cli.ExitUsage, "is not one of all, api, deliver, ingest"},
		{sh, "serve --db mysql://h/d", cli.ExitUsage, "neither sqlite:PATH nor postgres://"},
		{sh, "serve --db postgres://h/d", cli.ExitUsage, "needs a master key"},
		{keyed, "dev --db postgres://h/d", cli.ExitUsage, "keeps its data in a SQLite file"},
		{sh, "dev --listen 0.0.0.0:8080", cli.ExitUsage, "loopback only"},
		{sh, "dev --role all", cli.ExitUsage, "no flag --role"},
		{sh, "keys expire key_x", cli.ExitUsage, "--yes"},
		{sh, "keys expire key_x --after 9d --yes", cli.ExitUsage, "not from 0s to 3d"},
		{sh, "keys expire key_000000000000000000000000000 --yes", cli.ExitNotFound, "no such"},
		{sh, "send a --profile nope", cli.ExitUsage, "no profile"},
		{sh, "send a --app nobody", cli.ExitNotFound, "a cannot be sent to application nobody\n  why      There is no such application"},
		{sh, "send a --event-id taken", cli.ExitConflict, "why"},
		{sh, "send strict", cli.ExitInvalid, "id"},
		{stranger, "send a", cli.ExitDenied, "The key is from GRAPNEL_API_KEY"},
		{sh, "keys create x --scope all", cli.ExitInvalid, "scopes[0] must be one of"},
		{without, "send a", cli.ExitDenied, "there is no API key"},
		{nobody, "send a --app acme", cli.ExitUnreachable, "connection refused"},
		{nobody, "healthcheck", cli.ExitUnreachable, "no answer"},
		{limited, "healthcheck", cli.ExitNo, "status 429"},
		{limited, "send a --app acme", cli.ExitLimited, "429"},
		{sh, "healthcheck", cli.ExitOK, ""},
	} {
		code, _, errs := tt.shell.run(t, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(errs, tt.says) || (code != cli.ExitOK) != (errs != "") {
			t.Errorf("grapnel %s: exit %d, want %d and %q in:\n%s", tt.args, code, tt.code, tt.says, errs)
		}
	}
}

func TestErrorsAreJSONWhereTheOutputIs(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c)
	for _, args := range [][]string{
		{"send", "a", "--app", "nobody", "-o", "json"}, {"send", "a", "--app", "nobody", "-ojsonl"},
		{"send", "a", "--app", "nobody", "--output=json"}, {"send", "a", "-o", "json", "--nonsense"}, {"send", "-o", "json"},
	} {
		_, out, errs := sh.run(t, args...)
		var got struct {
			Error struct {
				Code, Message, Hint string
				RequestID           string `json:"request_id"`
			}
		}
		if err := json.Unmarshal([]byte(errs), &got); err != nil || out != "" {
			t.Errorf("%v: stdout %q, stderr %q: %v", args, out, errs, err)
			continue
		}
		if got.Error.Code == "" || got.Error.Message == "" || got.Error.Hint == "" || (got.Error.Code == "not_found") != (got.Error.RequestID != "") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

func TestKeysAreListedCreatedAndEnded(t *testing.T) {
	t.Parallel()
	sh, _ := startServer(t)
	code, token, errs := sh.run(t, "keys", "create", "billing", "--scope", "publish")
	if code != cli.ExitOK || !regexp.MustCompile(`^gk_\w{38}\n$`).MatchString(token) {
		t.Fatalf("exit %d, stdout %q", code, token)
	}
	expect(t, "stderr of create", errs, "Created key_ID (billing). Keep the key: it is not shown again.\nEnd it with: grapnel keys expire key_ID\n")
	_, out, _ := sh.run(t, "keys", "list")
	expect(t, "list", out, "ID  KEY  NAME  SCOPES  CREATED  ENDS\nkey_ID  gk_…"+strings.TrimSpace(token)[37:]+"  billing  publish  TIME  never\nkey_ID  …6789  first key  all  TIME  never\n")
	_, ids, _ := sh.run(t, "keys", "list", "-o", "name")
	id := strings.Fields(ids)[0]
	if code, _, errs := sh.run(t, "keys", "expire", id, "--yes"); code != cli.ExitOK {
		t.Fatal(errs)
	}
	other := shell{env: append(append([]string{}, sh.env...), "GRAPNEL_API_KEY="+strings.TrimSpace(token))}
	if code, _, _ := other.run(t, "send", "a"); code != cli.ExitDenied {
		t.Errorf("an ended key: exit %d, want %d", code, cli.ExitDenied)
	}

	sh.terminal = true
	for answer, want := range map[string]int{"n\n": cli.ExitError, "": cli.ExitError, "y\n": cli.ExitOK} {
		sh.in = answer
		code, out, errs := sh.run(t, "keys", "expire", id, "--after", "1h")
		if code == cli.ExitOK && out != id+"  ends in 59 min\n" && out != id+"  ends in 1 h\n" {
			t.Errorf("at a terminal: %q", out)
		}
		if code != want || !strings.Contains(errs, "[y/N]") {
			t.Errorf("answer %q: exit %d, %q", answer, code, errs)
		}
	}
}

func TestKeyOfAProfileIsNotSentToAnotherServer(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- r.Header.Get("Authorization") }))
	defer other.Close()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "grapnel"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "grapnel", "config.yaml"), []byte("profiles:\n  dev:\n    server: http://127.0.0.1:1\n    api_key: gk_secret\n    app: demo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sh := shell{env: []string{"XDG_CONFIG_HOME=" + dir}}
	if code, _, errs := sh.run(t, "send", "a", "--server", other.URL); code != cli.ExitDenied {
		t.Errorf("exit %d, %s, want refused for want of a key", code, errs)
	}
	select {
	case key := <-got:
		t.Errorf("the other server got %q", key)
	default:
	}
	code, _, errs := sh.run(t, "send", "a", "--timeout", "1s")
	if code != cli.ExitUnreachable || !strings.Contains(errs, "127.0.0.1:1") || !strings.Contains(errs, "The address is from the saved profile") {
		t.Errorf("the profile's server is not used: exit %d, %s", code, errs)
	}
}

func TestApplicationOfAProfileGoesWithItsKey(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c)
	if _, err := c.GetOrCreateApplication(t.Context(), apitype.ApplicationIn{Name: "Other", UID: apitype.Some("other")}); err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimPrefix(sh.env[0], "XDG_CONFIG_HOME=")
	if err := os.MkdirAll(filepath.Join(dir, "grapnel"), 0o700); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{testKey: cli.ExitOK, "gk_another_key_of_old": cli.ExitUsage} {
		text := "profiles:\n  dev:\n    " + strings.Replace(sh.env[1], "GRAPNEL_SERVER=", "server: ", 1) + "\n    api_key: " + key + "\n    app: acme\n"
		if err := os.WriteFile(filepath.Join(dir, "grapnel", "config.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, errs := sh.run(t, "send", "a"); code != want {
			t.Errorf("the profile's key is %s: exit %d, want %d: %s", key, code, want, errs)
		}
	}
}

func TestKeyInTheCommandLineDrawsANote(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	target(t, c)
	_, _, errs := sh.run(t, "send", "a", "--api-key", testKey)
	if !strings.Contains(errs, "other users of this machine can see") || strings.Contains(errs, testKey) {
		t.Errorf("stderr %q", errs)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sh.env = append(sh.env, "GRAPNEL_API_KEY=")
	if code, _, errs := sh.run(t, "send", "a", "--api-key-file", file); code != cli.ExitOK || errs != "" {
		t.Errorf("--api-key-file: exit %d, %s", code, errs)
	}
	sh.env = append(sh.env, "GRAPNEL_API_KEY_FILE="+file)
	if code, _, errs := sh.run(t, "send", "a"); code != cli.ExitOK || errs != "" {
		t.Errorf("GRAPNEL_API_KEY_FILE: exit %d, %s", code, errs)
	}
}

func TestColourFollowsFlagThenEnvironmentThenTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env      string
		flag     string
		terminal bool
		want     bool
	}{
		{"", "auto", true, true}, {"", "auto", false, false}, {"", "always", false, true}, {"", "never", true, false},
		{"NO_COLOR=1", "auto", true, false}, {"NO_COLOR=1", "always", true, true}, {"NO_COLOR=", "auto", true, true},
		{"CLICOLOR_FORCE=1", "auto", false, true}, {"CLICOLOR_FORCE=0", "auto", false, false}, {"TERM=dumb", "auto", true, false},
	} {
		sh := bare(t)
		sh.env, sh.terminal = append(sh.env, tt.env), tt.terminal
		_, _, errs := sh.run(t, "send", "--color", tt.flag)
		if strings.Contains(errs, "\x1b[") != tt.want {
			t.Errorf("%+v: %q", tt, errs)
		}
	}
}

func TestCompletionAndHelpGoToStdout(t *testing.T) {
	t.Parallel()
	sh := bare(t)
	for _, args := range [][]string{{"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, {"completion", "powershell"}, {"serve", "--help"}, {"--help"}, {"keys"}} {
		if code, out, errs := sh.run(t, args...); code != cli.ExitOK || out == "" || errs != "" {
			t.Errorf("%v: exit %d, %d bytes, stderr %q", args, code, len(out), errs)
		}
	}
	_, out, _ := sh.run(t, "serve", "--help")
	for _, s := range config.Settings() {
		if !strings.Contains(out, "--"+s.Flag()) {
			t.Errorf("the help of serve lacks --%s", s.Flag())
		}
	}
}

func TestHelpTellsEveryFlagInEightyColumns(t *testing.T) {
	t.Parallel()
	sh := bare(t)
	for _, command := range []string{"", "dev", "serve", "send", "listen", "catch", "verify", "sign", "samples", "samples show", "keys", "keys list", "keys create", "keys expire", "doctor", "healthcheck", "completion", "version"} {
		code, out, errs := sh.run(t, append(strings.Fields(command), "--help")...)
		if code != cli.ExitOK || errs != "" || !strings.Contains(out, "--color auto|always|never") || !strings.Contains(out, "-h, --help") {
			t.Errorf("%s --help: exit %d, %q\n%s", command, code, errs, out)
		}
		for line := range strings.Lines(out) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				t.Errorf("%s: a line of help has %d columns: %s", command, n, line)
			}
		}
		if _, same, _ := sh.run(t, append([]string{"help"}, strings.Fields(command)...)...); same != out {
			t.Errorf("help %s differs from %s --help:\n%s", command, command, same)
		}
	}
	_, out, _ := sh.run(t, "send", "--help")
	for _, line := range []string{
		"  -d, --data JSON|@FILE|-     payload; - is stdin (default {})\n",
		"      --wait[=DURATION]       stay until each endpoint has been tried, at most\n                              this long: 1s to 1m\n",
		"      --print curl|go|node|python|http\n                              do not send; print the call in this language\n",
		"\nServer\n  -s, --server URL            which server",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("help of send lacks\n%s\n%s", line, out)
		}
	}
}

func TestPrintedCallsHoldTheExactEvent(t *testing.T) {
	t.Parallel()
	sh := bare(t)
	sh.env = append(sh.env, "GRAPNEL_SERVER=http://127.0.0.1:8080")
	for language, want := range map[string][]string{
		"curl":   {`-d '{"eventType":"a.b","payload":{"it":"it'\''s"},"eventId":"e"}'`, `'http://127.0.0.1:8080/api/v1/app/acme/msg?wait=30'`, `-H 'Idempotency-Key: k'`, "$GRAPNEL_API_KEY"},
		"go":     {`EventType: "a.b"`, "json.RawMessage(`{\"it\":\"it's\"}`)", `apitype.Some("e")`, `IdempotencyKey: "k", Wait: 30 * time.Second`},
		"node":   {`"{\"eventType\":\"a.b\"`, "process.env.GRAPNEL_API_KEY", `"Idempotency-Key": "k"`},
		"python": {`"{\"eventType\":\"a.b\"`, `os.environ["GRAPNEL_API_KEY"]`, `"Idempotency-Key": "k"`},
	} {
		code, out, errs := sh.run(t, "send", "a.b", "-d", `{"it":"it's"}`, "--app", "acme", "--event-id", "e", "--idempotency-key", "k", "--wait", "--print", language)
		if code != cli.ExitOK || errs != "" {
			t.Fatalf("%s: exit %d, %s", language, code, errs)
		}
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%s lacks %s:\n%s", language, text, out)
			}
		}
	}
}

func TestInterruptedCommandSaysSoInItsExitCode(t *testing.T) {
	t.Parallel()
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hang.Close()
	sh := bare(t)
	sh.env = append(sh.env, "GRAPNEL_API_KEY="+testKey, "GRAPNEL_SERVER="+hang.URL)
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: cli.ExitInterrupted, syscall.SIGTERM: cli.ExitTerminated} {
		ctx, stop := context.WithCancelCause(t.Context())
		stop(&cli.Interrupted{Signal: signal})
		if code, _, errs := sh.runWith(ctx, "send", "a", "--app", "x"); code != want || !strings.Contains(errs, "stopped by") {
			t.Errorf("%v: exit %d, %s, want %d", signal, code, errs, want)
		}
	}
}

func TestServeStopsCleanlyWhenTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	errs := newScreen()
	ctx, stop := context.WithCancelCause(t.Context())
	code, ended := make(chan int, 1), make(chan struct{})
	go func() {
		defer close(ended)
		code <- cli.Main(ctx, cli.Streams{In: strings.NewReader(""), Out: io.Discard, Err: errs, Env: []string{"GRAPNEL_API_KEY=" + testKey}},
			[]string{"serve", "--listen", "127.0.0.1:0", "--db", "sqlite:" + filepath.Join(dir, "g.db")})
	}()
	errs.until(t, "msg=listening", ended)
	if c, _, text := (shell{}).run(t, "serve", "--listen", "127.0.0.1:0", "--db", "sqlite:"+filepath.Join(dir, "g.db")); c != cli.ExitConflict || !strings.Contains(text, "another process has the database") {
		t.Errorf("a second server: exit %d, %s", c, text)
	}
	stop(&cli.Interrupted{Signal: syscall.SIGTERM})
	if c := <-code; c != cli.ExitOK {
		t.Errorf("exit %d after SIGTERM, want 0:\n%s", c, errs)
	}
	if strings.Contains(errs.String(), testKey) {
		t.Error("the log shows the API key")
	}
}

func TestTimesAtATerminalSayHowFarAwayTheyAre(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "now", 400 * time.Millisecond: "now", time.Second: "in 1 s", -59 * time.Second: "59 s ago", time.Minute: "in 1 min", -59 * time.Minute: "59 min ago",
		time.Hour: "in 1 h", -47 * time.Hour: "47 h ago", 48 * time.Hour: "in 2 days", -1000 * time.Hour: "41 days ago",
	} {
		if got := cli.Relative(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
