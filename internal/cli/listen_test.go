package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/cli"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/webhook"
)

// background is a command that runs until stop.
type background struct {
	out, errs *screen
	ended     chan struct{}
	code      int // after ended
	stop      func() int
}

func (sh shell) start(t *testing.T, args ...string) *background {
	t.Helper()
	b := &background{out: newScreen(), errs: newScreen(), ended: make(chan struct{})}
	ctx, stop := context.WithCancelCause(t.Context())
	go func() {
		defer close(b.ended)
		b.code = cli.Main(ctx, cli.Streams{In: strings.NewReader(sh.in), Out: b.out, Err: b.errs, Env: sh.env}, args)
	}()
	b.stop = func() int {
		stop(&cli.Interrupted{Signal: syscall.SIGINT})
		<-b.ended
		return b.code
	}
	t.Cleanup(func() {
		b.stop()
		if t.Failed() {
			t.Logf("%v\nstdout: %s\nstderr: %s", args, b.out, b.errs)
		}
	})
	return b
}

// listen starts a listener and waits until it is connected.
func (sh shell) listen(t *testing.T, args ...string) *background {
	t.Helper()
	b := sh.start(t, append([]string{"listen"}, args...)...)
	b.errs.until(t, "✓ connected", b.ended)
	b.errs.until(t, "└→", b.ended)
	return b
}

// localApp is the program of a developer.
func localApp(t *testing.T) (*testx.Receiver, string) {
	t.Helper()
	r := testx.NewReceiver()
	s := httptest.NewServer(r)
	t.Cleanup(func() {
		r.Close()
		s.Close()
	})
	return r, s.URL
}

// withState gives the shell a home for what listeners remember.
func (sh shell) withState(t *testing.T) shell {
	t.Helper()
	sh.env = append(slices.Clone(sh.env), "XDG_STATE_HOME="+t.TempDir())
	return sh
}

func publish(t *testing.T, c *client.Client, kind, payload string) {
	t.Helper()
	if _, err := c.Publish(t.Context(), "acme", apitype.MessageIn{EventType: kind, Payload: json.RawMessage(payload)}, client.PublishOptions{}); err != nil {
		t.Fatal(err)
	}
}

var sizes = regexp.MustCompile(`\d+(\.\d+)? (B|KiB)  `)

// lines takes what differs from run to run out of listen's lines.
func lines(b *background) string {
	return sizes.ReplaceAllString(stable(b.out.String()), "SIZE  ")
}

func TestListenForwardsAnApplicationsEventsSignedForThisMachine(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	sh = sh.withState(t)
	target(t, c)
	code, secret, errs := sh.run(t, "listen", "--app", "acme", "--print-secret")
	if code != cli.ExitOK || !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("exit %d, %q, %s", code, secret, errs)
	}
	local, url := localApp(t)
	local.Verify(webhook.MustVerifier(strings.TrimSpace(secret)))
	local.On("/hooks", testx.Answer{Status: 200}, testx.Answer{Status: 500, Body: []byte("\nTypeError: no id\x1b[31m\nat line 3\n")})
	l := sh.listen(t, url+"/hooks?x=1", "--app", "acme", "--events", "invoice.*", "-H", "X-Mine: yes", "-H", "x-mine: too")
	publish(t, c, "invoice.paid", `{"n":  1}`)
	first := local.Next(t)
	if first.Refused != nil || string(first.Body) != `{"n":  1}` || first.RawQuery != "x=1" || first.Method != "POST" ||
		strings.Join(first.Header.Values("X-Mine"), ",") != "yes,too" || first.Header.Get("Content-Type") != "application/json" {
		t.Errorf("it got %+v, refused: %v", first, first.Refused)
	}
	publish(t, c, "order.made", `{}`)
	publish(t, c, "invoice.void", `{}`)
	second := local.Next(t)
	if second.Refused != nil || string(second.Body) != `{}` {
		t.Errorf("it got %+v", second)
	}
	l.out.until(t, "TypeError", l.ended)
	if code := l.stop(); code != cli.ExitOK {
		t.Errorf("exit %d after ^C", code)
	}
	got := lines(l)
	want := `TIME  -->  acme  invoice.paid  SIZE  signed here  msg_ID
TIME  <--  200 ok  POST /hooks?x=1  N ms
TIME  -->  acme  invoice.void  SIZE  signed here  msg_ID
TIME  <--  500 fail  POST /hooks?x=1  N ms  TypeError: no id` + "\uFFFD" + `[31m
`
	if got != want {
		t.Errorf("stdout:\n%s\nwant:\n%s", got, want)
	}
	if !strings.Contains(l.errs.String(), "1 event left out by --events") {
		t.Errorf("stderr: %s", l.errs)
	}
}

func TestListenGoesOnAfterItWasKilled(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	sh = sh.withState(t)
	target(t, c)
	local, url := localApp(t)
	l := sh.listen(t, url, "--app", "acme", "--ui", "quiet", "--once")
	publish(t, c, "a", `{"n":1}`)
	local.Next(t)
	<-l.ended
	publish(t, c, "b", `{"n":2}`)
	publish(t, c, "c", `{"n":3}`)
	// Without the flag it begins with what arrives from now on.
	code, out, errs := sh.run(t, "listen", url, "--app", "acme", "--replay-missed", "--count", "2", "--ui", "json")
	if code != cli.ExitOK {
		t.Fatalf("exit %d, %s", code, errs)
	}
	var types []string
	for line := range strings.Lines(out) {
		var e struct {
			EventType string
			OK        bool
			Status    int
			JSON      json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || !e.OK || e.Status != 204 || len(e.JSON) == 0 {
			t.Errorf("%s: %v", line, err)
		}
		types = append(types, e.EventType)
	}
	if strings.Join(types, " ") != "b c" {
		t.Errorf("it went on with %v", types)
	}
	publish(t, c, "d", `{}`)
	code, out, errs = sh.run(t, "listen", url, "--app", "acme", "--since", "1h", "--count", "4", "--order", "parallel", "--concurrency", "4")
	if code != cli.ExitOK || strings.Count(out, "-->") != 4 || strings.Count(out, "<--  204 ok") != 4 {
		t.Errorf("--since: exit %d\n%s%s", code, out, errs)
	}
}

func TestListenThatEndedBeforeAnythingCameMissesNothing(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	sh = sh.withState(t)
	target(t, c)
	sh.listen(t, "3000", "--app", "acme").stop()
	publish(t, c, "a", `{}`)
	code, out, errs := sh.run(t, "listen", "--app", "acme", "--replay-missed", "--once")
	if code != cli.ExitOK || !strings.Contains(out, "acme  a  ") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestListenSurvivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func(listen string) *server.Server {
		cfg, err := config.Load(config.Sources{
			Flags: map[string]string{"listen": listen, "db": "sqlite:" + filepath.Join(dir, "g.db"), "log-level": "error", "drain-timeout": "2s"},
			Env:   []string{"GRAPNEL_API_KEY=" + testKey},
		})
		if err != nil {
			t.Fatal(err)
		}
		s := server.New(server.Options{Config: cfg, Version: "test"})
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := start("127.0.0.1:0")
	c, err := client.New(s.URL(), testKey)
	if err != nil {
		t.Fatal(err)
	}
	target(t, c)
	sh := bare(t).withState(t)
	sh.env = append(sh.env, "GRAPNEL_SERVER="+s.URL(), "GRAPNEL_API_KEY="+testKey)
	local, url := localApp(t)
	l := sh.listen(t, url, "--app", "acme")
	publish(t, c, "before", `{"n":1}`)
	local.Next(t)
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	l.errs.until(t, "✕ lost: the server is stopping; reconnecting in 500 ms (1)", l.ended)
	s = start(strings.TrimPrefix(s.URL(), "http://"))
	defer func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	publish(t, c, "between", `{"n":2}`)
	publish(t, c, "after", `{"n":3}`)
	if got := string(local.Next(t).Body) + string(local.Next(t).Body); got != `{"n":2}{"n":3}` {
		t.Errorf("after the restart it got %s", got)
	}
	l.stop()
	if n := len(local.Requests()); n != 3 {
		t.Errorf("%d requests, want each once", n)
	}
}

func TestListenForwardsARequestOfASourceByteForByte(t *testing.T) {
	t.Parallel()
	sh, _ := startServer(t)
	sh = sh.withState(t)
	sh.env = append(sh.env, "GRAPNEL_SECRET=whsec_of_stripe")
	local, url := localApp(t)
	ready, saved := filepath.Join(t.TempDir(), "ready"), filepath.Join(t.TempDir(), "saved")
	l := sh.listen(t, "--map", "stripe="+url+"/pay", "--source", "stripe", "--create", "--ready-file", ready, "--save", saved, "--host-header", "keep")
	ingest := strings.TrimSpace(readFile(t, ready))
	if _, printed, _ := sh.run(t, "listen", "--source", "stripe", "--print-url"); strings.TrimSpace(printed) != ingest {
		t.Errorf("--print-url gives %q, --ready-file %q", printed, ingest)
	}
	if code, out, errs := sh.run(t, "send", "stripe/checkout.session.completed", "--to", ingest+"/deep%20er?a=1&a=%32", "--event-id", "evt_1"); code != cli.ExitOK {
		t.Fatalf("send: exit %d\n%s%s", code, out, errs)
	}
	got := local.Next(t)
	if got.Path != "/pay/deep er" || got.RawQuery != "a=1&a=%32" || !strings.Contains(ingest, got.Host) {
		t.Errorf("it got %s %s?%s for %s", got.Method, got.Path, got.RawQuery, got.Host)
	}
	l.out.until(t, "204 ok", l.ended)
	if got := lines(l); got != "TIME  -->  stripe  checkout.session.completed  SIZE  sig ok  msg_ID\nTIME  <--  204 ok  POST /pay/deep%20er?a=1&a=%32  N ms\n" {
		t.Errorf("stdout: %s", got)
	}
	// What was forwarded still verifies, and so does what was saved.
	var body string
	for _, name := range glob(t, saved, "*.body") {
		body = readFile(t, name)
	}
	if body != string(got.Body) || len(body) == 0 {
		t.Errorf("saved %q, forwarded %q", body, got.Body)
	}
	for _, name := range glob(t, saved, "*.http") {
		if code, out, errs := sh.run(t, "verify", "@"+name, "--scheme", "stripe"); code != cli.ExitOK || !strings.Contains(stable(out), "✓ verified  stripe\n  event  evt_1\n") {
			t.Errorf("verify: exit %d\n%s%s", code, out, errs)
		}
	}
	// Another secret is refused by the source, and the listener says so.
	sh.env = append(sh.env, "GRAPNEL_SECRET=another")
	if code, _, _ := sh.run(t, "send", "stripe/charge.refunded", "--to", ingest); code != cli.ExitNo {
		t.Errorf("exit %d for a wrong secret", code)
	}
	l.out.until(t, "refused  signature_mismatch  401  req_", l.ended)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, dir, err)
	}
	return names
}

func TestListenRunsACommandWithTheBody(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	sh = sh.withState(t)
	target(t, c)
	out := filepath.Join(t.TempDir(), "out")
	l := sh.start(t, "listen", "--app", "acme", "--count", "2", "--exec", "cat {} - > "+out+`; test "$GRAPNEL_EVENT_TYPE" = good || { echo "no: $GRAPNEL_EVENT_TYPE"; exit 3; }`)
	l.errs.until(t, "✓ connected", l.ended)
	l.errs.until(t, "└→", l.ended)
	publish(t, c, "good", `{"q":"$(touch /tmp/x)'"}`)
	publish(t, c, "bad", `{}`)
	<-l.ended
	if l.code != cli.ExitNo {
		t.Errorf("exit %d, want %d as one failed", l.code, cli.ExitNo)
	}
	if got := lines(l); !strings.Contains(got, "<--  done ok  exec  N ms\n") || !strings.Contains(got, "<--  failed  exec  N ms  exit 3: no: bad\n") {
		t.Errorf("stdout: %s", got)
	}
	if got := readFile(t, out); got != "{}{}" {
		t.Errorf("the command saw %q in the file and at stdin", got)
	}
}

func TestListenEndsWithTheRightCode(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	sh = sh.withState(t)
	target(t, c)
	denied := sh
	denied.env = append(slices.Clone(sh.env), "GRAPNEL_API_KEY=nobody-knows-this-key")
	gone := sh
	gone.env = append(slices.Clone(sh.env), "GRAPNEL_SERVER=http://127.0.0.1:1")
	for _, tt := range []struct {
		sh   shell
		code int
		says string
		args []string
	}{
		{denied, cli.ExitDenied, "The key is from GRAPNEL_API_KEY", []string{"3000", "--app", "acme"}},
		{gone, cli.ExitUnreachable, "connection refused", []string{"3000", "--app", "acme"}},
		{sh, cli.ExitNotFound, "There is no application nobody.", []string{"3000", "--app", "nobody"}},
		{sh, cli.ExitNotFound, "Make it with --create", []string{"3000", "--source", "stripe"}},
		{sh, cli.ExitNotFound, "There is no source my-own.", []string{"3000", "--source", "my-own", "--create"}},
		{sh, cli.ExitUsage, "is not a target", []string{"0"}},
		{sh, cli.ExitUsage, "is not a target", []string{"ftp://localhost/"}},
		{sh, cli.ExitUsage, "is not SOURCE=TARGET", []string{"--map", "3000"}},
		{sh, cli.ExitUsage, "--source does not", []string{"--map", "a=3000", "--source", "b"}},
		{sh, cli.ExitUsage, "is not a pattern", []string{"--events", "[a"}},
		{sh, cli.ExitUsage, "is not a header", []string{"-H", "no colon"}},
		{sh, cli.ExitUsage, "needs a terminal", []string{"--ui", "full"}},
		{sh, cli.ExitUsage, "cannot stand beside", []string{"--app", "acme", "--all-sources"}},
		{sh, cli.ExitUsage, "are both given", []string{"--since", "1h", "--replay-missed"}},
		{sh, cli.ExitUsage, "are both given", []string{"--once", "--count", "2"}},
		{sh, cli.ExitUsage, "--print-secret is for --app", []string{"--print-secret"}},
		{sh, cli.ExitUsage, "needs --order parallel", []string{"--concurrency", "2"}},
	} {
		code, out, errs := tt.sh.run(t, append([]string{"listen"}, tt.args...)...)
		if code != tt.code || !strings.Contains(errs, tt.says) || out != "" {
			t.Errorf("%v: exit %d, want %d with %q\n%s%s", tt.args, code, tt.code, tt.says, out, errs)
		}
	}
}

func TestOnceFailsIfTheProgramDoes(t *testing.T) {
	t.Parallel()
	sh, c := startServer(t)
	sh = sh.withState(t)
	target(t, c)
	l := sh.listen(t, "http://127.0.0.1:1/", "--app", "acme", "--once")
	publish(t, c, "a", `{}`)
	<-l.ended
	if l.code != cli.ExitNo || !strings.Contains(l.out.String(), "connection refused") {
		t.Errorf("exit %d\n%s", l.code, l.out)
	}
}

func TestTargetsAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"3000": "http://localhost:3000/", "3000/a/b?c=d": "http://localhost:3000/a/b?c=d", "localhost:3000": "http://localhost:3000/",
		"https://example.com": "https://example.com/", "http://[::1]:80/x": "http://[::1]:80/x",
	} {
		if got, err := cli.ParseTarget(given); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", given, got, err, want)
		}
	}
	for _, bad := range []string{"", "0", "65536", "/x", "example", "ftp://x/", "http://", "http://x/#y", "http://a b/"} {
		if got, err := cli.ParseTarget(bad); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
	for _, tt := range [][4]string{
		{"http://h/a", "", "", "http://h/a"}, {"http://h/a", "/b", "q=1", "http://h/a/b?q=1"}, {"http://h/a/", "/b", "", "http://h/a/b"},
		{"http://h/a?x=1", "/b%2Fc", "y=%20", "http://h/a/b%2Fc?x=1&y=%20"},
	} {
		if got, err := cli.TargetURL(tt[0], tt[1], tt[2]); err != nil || got != tt[3] {
			t.Errorf("%v: %s, %v", tt, got, err)
		}
	}
}

func TestHeadersOfOneConnectionAreDropped(t *testing.T) {
	t.Parallel()
	kept, dropped := cli.PassedOn([][2]string{
		{"Accept", "a"}, {"Connection", "close, X-Hop"}, {"accept", "b"}, {"X-Hop", "1"}, {"TE", "trailers"}, {"Te", "x"}, {"Content-Length", "3"}, {"Host", "h"}, {"Upgrade", "h2c"},
	})
	if want := (http.Header{"Accept": {"a", "b"}}); kept.Get("Accept") != "a" || len(kept) != len(want) || len(kept["Accept"]) != 2 {
		t.Errorf("kept %v", kept)
	}
	if got := strings.Join(dropped, " "); got != "Connection X-Hop Te Upgrade" {
		t.Errorf("dropped %s", got)
	}
}

func TestPlaceIsKeptOnlyUpToWhatIsDealtWith(t *testing.T) {
	t.Parallel()
	l := cli.NewLedger()
	a, b, c := l.Enter("a"), l.Enter("b"), l.Enter("c")
	for _, step := range []struct {
		done int
		want string
	}{{b, ""}, {a, "b"}, {c, "c"}} {
		if got := l.Finish(step.done); got != step.want {
			t.Errorf("after %d: %q, want %q", step.done, got, step.want)
		}
	}
	if d := l.Enter("d"); l.Finish(d) != "d" || !l.Empty() {
		t.Error("it does not go on")
	}
}

func TestRequestFilesAreReadByteForByte(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"POST http://h/x HTTP/1.1\r\nA: b\r\n\r\n{\r\n}\n": "POST http://h/x [[A b]] \"{\\r\\n}\\n\"",
		"PUT /x\nA:b\nA: c\n\n":                            "PUT /x [[A b] [A c]] \"\"",
		"A: b\n\nbody":                                     "  [[A b]] \"body\"",
		"POST /x\nContent-Length: 4\n\nbody\n":             "POST /x [[Content-Length 4]] \"body\"",
		"POST /x\nContent-Length: 2\n\nbody\n":             "POST /x [[Content-Length 2]] \"body\\n\"",
	} {
		if got, err := cli.RequestFile([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "\n\nbody", `{"a":1}`, "POST\n\n", "POST /x\nno header\n\n"} {
		if got, err := cli.RequestFile([]byte(bad)); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
}

func FuzzRequestFile(f *testing.F) {
	for _, seed := range []string{"POST http://h/ HTTP/1.1\r\nA: b\r\n\r\nx", "A: b\n\n", "", "\x00\n", "Content-Length: 99999999999999999999\n\nx\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := cli.RequestBody(text)
		if err == nil && !bytes.Contains(text, got) {
			t.Errorf("the body %q is not in %q", got, text)
		}
	})
}
