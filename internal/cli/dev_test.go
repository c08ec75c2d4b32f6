package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/grapnelhq/grapnel/internal/cli"
)

// devRun is a `grapnel dev` that runs until stop.
type devRun struct {
	out, errs *screen
	sh        shell
	dir       string
	stop      func() int
}

func (d devRun) args() []string {
	return []string{"dev", "--listen", "127.0.0.1:0", "--db", "sqlite:" + filepath.Join(d.dir, ".grapnel", "grapnel.db")}
}

func startDev(t *testing.T, dir string, sh shell) devRun {
	t.Helper()
	d := devRun{out: newScreen(), errs: newScreen(), sh: sh, dir: dir}
	ctx, stop := context.WithCancelCause(t.Context())
	code, args, streams := make(chan int, 1), d.args(), cli.Streams{In: strings.NewReader(""), Out: d.out, Err: d.errs, Env: sh.env}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("stderr of dev: %s", d.errs)
		}
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		code <- cli.Main(ctx, streams, args)
	}()
	d.stop = func() int {
		stop(&cli.Interrupted{Signal: syscall.SIGINT})
		return <-code
	}
	d.out.until(t, "forgets everything.", ended)
	return d
}

func TestDevDeliversVerifiesAndSaysSo(t *testing.T) {
	t.Parallel()
	d := startDev(t, t.TempDir(), bare(t))
	expect(t, "start text", strings.ReplaceAll(strings.ReplaceAll(d.out.String(), cli.ThisProgram(), "grapnel"), d.dir, "DIR"), `  grapnel dev  development mode: loopback only, data in DIR/.grapnel

  Dashboard  http://HOST/link#code=gl_CODE
  opens signed in, once, within 10 minutes
  API  http://HOST/api/v1  docs at /api/docs
  Receiver  http://HOST  answers as its path says:
  /ok /500 /429 /410 /flaky /slow /hang /close
  API key  gk_KEY
  saved as CLI profile "dev"

  ✓ first webhook delivered  user.created → built-in receiver  200 in N ms
  signature verified  Standard Webhooks v1
  message  msg_ID

  Try  grapnel send user.created -d '{"id":42}' --wait  send one
  grapnel send demo.flaky --wait  see a retry
  grapnel catch  receive at a new URL
  curl http://HOST/api/openapi.json  every route

  ^C stops. `+"`rm -r DIR/.grapnel`"+` forgets everything.
`)
	// The saved profile is all that the next command needs.
	if code, out, errs := d.sh.run(t, "send", "user.created", "-d", `{"id":42}`, "--wait"); code != cli.ExitOK || !strings.Contains(out, "✓ demo  200") {
		t.Errorf("send: exit %d\n%s%s", code, out, errs)
	}
	if code, out, errs := d.sh.run(t, "send", "invoice.paid", "-d", `{"amount":1200}`, "--wait"); code != cli.ExitOK || !strings.Contains(out, "✓ demo  200") {
		t.Errorf("the example of the help: exit %d\n%s%s", code, out, errs)
	}
	if code, out, _ := d.sh.run(t, "send", "demo.flaky", "--wait"); code != cli.ExitNo || !strings.Contains(out, "✕ demo-flaky  500") {
		t.Errorf("flaky: exit %d\n%s", code, out)
	}
	if code := d.stop(); code != cli.ExitOK || d.errs.String() != "" {
		t.Errorf("exit %d after ^C, stderr %q", code, d.errs)
	}
	for _, name := range []string{"api-key", "master.key", "dev.json", ".gitignore"} {
		info, err := os.Stat(filepath.Join(d.dir, ".grapnel", name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 600", name, info, err)
		}
	}
}

func TestSecondDevShowsTheFirst(t *testing.T) {
	t.Parallel()
	d := startDev(t, t.TempDir(), bare(t))
	code, out, errs := d.sh.run(t, d.args()...)
	if code != cli.ExitOK || errs != "" || !strings.Contains(out, "is running already") {
		t.Errorf("exit %d, %s\n%s", code, errs, out)
	}
	middle := func(text string) string {
		_, text, _ = strings.Cut(text, "\n")
		return text[:strings.LastIndex(text, "\n\n")]
	}
	inLink := regexp.MustCompile(`gl_[0-9A-Za-z]+`)
	links := inLink.FindAllString(d.out.String()+out, -1)
	if len(links) != 2 || links[0] == links[1] {
		t.Errorf("the links to the dashboard are %q, want another one for the second", links)
	}
	if first, second := inLink.ReplaceAllString(middle(d.out.String()), "CODE"), inLink.ReplaceAllString(middle(out), "CODE"); second != first {
		t.Errorf("the second shows\n%s\nthe first\n%s", second, first)
	}
	if !strings.Contains(out, "It runs on until ^C where it was started.") {
		t.Errorf("it does not say that the first runs on:\n%s", out)
	}
	d.stop()
}

func TestSecondDevLeadsTheCommandLineBackToItsServer(t *testing.T) {
	t.Parallel()
	sh := bare(t)
	one := startDev(t, t.TempDir(), sh)
	other := startDev(t, t.TempDir(), sh)
	other.stop()
	if code, _, errs := sh.run(t, "send", "user.created"); code != cli.ExitUnreachable || !strings.Contains(errs, "run `grapnel dev` there again") {
		t.Errorf("exit %d, %s", code, errs)
	}
	sh.run(t, one.args()...)
	if code, _, errs := sh.run(t, "send", "user.created"); code != cli.ExitOK {
		t.Errorf("exit %d, %s", code, errs)
	}
	one.stop()
}

func TestDevSaysWhatToDoWhereItCannotWrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := bare(t).run(t, "dev", "--db", "sqlite:"+filepath.Join(file, "g.db"))
	if code != cli.ExitError || !strings.Contains(errs, "Run it in a folder that you can write to") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

func TestWhatIsPrintedNamesTheProgramAsItCanBeCalled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		called          string
		found, checkout bool
		want            string
	}{
		{"grapnel", true, false, "grapnel"},
		{"./bin/grapnel", true, true, "grapnel"},
		{"./bin/grapnel", false, true, "./bin/grapnel"},
		{"/opt/g/grapnel", false, false, "/opt/g/grapnel"},
		{"/opt/my programs/grapnel", false, false, "grapnel"},
		{"/tmp/go-build1/b001/exe/grapnel", false, true, "go run ./cmd/grapnel"},
		{"/tmp/go-build1/b001/exe/grapnel", false, false, "grapnel"},
	} {
		if got := cli.ProgramName(tt.called, tt.found, tt.checkout); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

func TestDevKeepsItsObjectsAndKeyOverRuns(t *testing.T) {
	t.Parallel()
	dir, sh := t.TempDir(), bare(t)
	first := startDev(t, dir, sh)
	_, before, _ := sh.run(t, "keys", "list", "-o", "name")
	if code := first.stop(); code != cli.ExitOK {
		t.Fatalf("exit %d: %s", code, first.errs)
	}
	// Somebody else has taken the receiver's port meanwhile.
	var state struct{ ReceiverURL string }
	text, err := os.ReadFile(filepath.Join(dir, ".grapnel", "dev.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", strings.TrimPrefix(state.ReceiverURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	second := startDev(t, dir, sh)
	if !strings.Contains(second.out.String(), "✓ first webhook delivered") {
		t.Errorf("second run:\n%s", second.out)
	}
	if _, after, errs := sh.run(t, "keys", "list", "-o", "name"); after != before || before == "" {
		t.Errorf("keys before %q, after %q, %s", before, after, errs)
	}
	second.stop()
}

func TestDevTakesTheNextPortIfTheUsualOneIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	url, notes, err := cli.StartDevBeside(t.Context(), t.TempDir(), taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if url == "http://"+taken.Addr().String() || len(notes) != 1 || !strings.Contains(notes[0], "is taken") {
		t.Errorf("listening at %s beside %s, notes %q", url, taken.Addr(), notes)
	}
}

func TestReceiverAnswersAsItsPathSays(t *testing.T) {
	t.Parallel()
	r, err := cli.NewReceiver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	post := func(path, id string) (int, http.Header) {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, r.URL()+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("webhook-id", id)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, nil
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header
	}
	for path, want := range map[string]int{"/": 200, "/ok": 200, "/204": 204, "/500": 500, "/410": 410, "/close": 0, "/nonsense": 404, "/999": 404} {
		if status, _ := post(path, "m"); status != want {
			t.Errorf("%s answers %d, want %d", path, status, want)
		}
	}
	if status, header := post("/429", "m"); status != 429 || header.Get("Retry-After") == "" {
		t.Errorf("/429 answers %d, Retry-After %q", status, header.Get("Retry-After"))
	}
	for try, want := range []int{500, 500, 200, 200} {
		if status, _ := post("/flaky", "one"); status != want {
			t.Errorf("/flaky answers try %d with %d, want %d", try+1, status, want)
		}
	}
	if status, _ := post("/flaky", "two"); status != 500 {
		t.Errorf("/flaky answers another message with %d", status)
	}
	status, _, page := get(t, r.URL()+"/")
	if status != 200 || !strings.Contains(page, "/hang") {
		t.Errorf("the page of the receiver: %d %s", status, page)
	}
}

func get(t *testing.T, url string) (int, http.Header, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func TestSetKeepsOrderAndMakesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ doc, set, want string }{
		{`{}`, "a=1", `{"a":1}`},
		{`{"z":1,"a":2}`, "z=3", `{"z":3,"a":2}`},
		{`{"z":1}`, "a.b.c=x", `{"z":1,"a":{"b":{"c":"x"}}}`},
		{`{"l":[{"p":1},2]}`, "l.0.p=5", `{"l":[{"p":5},2]}`},
		{`{"l":[1]}`, "l.1=2", `{"l":[1,2]}`},
		{`{"a":1}`, `a={"b":[1,"<>"]}`, `{"a":{"b":[1,"<>"]}}`},
		{`{"n":12345678901234567890}`, "x=true", `{"n":12345678901234567890,"x":true}`},
		{`{"a":null}`, `a="null"`, `{"a":"null"}`},
		{`{}`, "a=b=c", `{"a":"b=c"}`},
		{`{"a":1}`, "a.b=1", ""},
		{`{"l":[]}`, "l.5=1", ""},
		{`{"l":[]}`, "l.x=1", ""},
		{`{}`, "=1", ""},
		{`{}`, "a", ""},
		{`{}`, "a..b=1", ""},
	} {
		got, err := cli.SetAll(json.RawMessage(tt.doc), []string{tt.set})
		if string(got) != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s set %s: %s, %v, want %s", tt.doc, tt.set, got, err, tt.want)
		}
	}
}

func FuzzSetGivesValidJSON(f *testing.F) {
	for _, seed := range [][2]string{{`{}`, "a=1"}, {`{"a":[1,2]}`, "a.1=x"}, {`[]`, "0=1"}, {`{"a":1,"a":2}`, "a=3"}, {`"s"`, "a=1"}, {`{}`, "a\xff=1"}, {`{}`, "a=\xff"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, doc, set string) {
		if !json.Valid([]byte(doc)) {
			return
		}
		if got, err := cli.SetAll(json.RawMessage(doc), []string{set}); err == nil && !json.Valid(got) {
			t.Fatalf("%s set %s gave %q", doc, set, got)
		}
	})
}
