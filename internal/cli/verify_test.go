package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/cli"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/provider"
)

// signer is a shell that knows a secret and no server.
func signer(t *testing.T, secret string) shell {
	t.Helper()
	sh := bare(t)
	sh.env = append(sh.env, "GRAPNEL_SECRET="+secret)
	return sh
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsSignedVerifiesAndWhatIsChangedDoesNot(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"standard", "stripe", "github", "shopify", "slack"} {
		secret := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		sh := signer(t, secret)
		code, request, errs := sh.run(t, "sign", `{"id": 42}`, "--scheme", scheme, "-o", "http", "--url", "http://localhost:3000/x")
		if code != cli.ExitOK || errs != "" {
			t.Fatalf("%s: exit %d, %s", scheme, code, errs)
		}
		if code, out, errs := sh.run(t, "verify", "@"+write(t, "r.http", request), "--scheme", scheme); code != cli.ExitOK || !strings.Contains(out, "✓ verified") {
			t.Errorf("%s: exit %d\n%s%s", scheme, code, out, errs)
		}
		changed := write(t, "r.http", strings.Replace(request, `{"id": 42}`, `{"id": 43}`, 1))
		if code, out, errs := sh.run(t, "verify", "@"+changed, "--scheme", scheme); code != cli.ExitNo || !strings.Contains(out, "✕ signature mismatch") || !strings.Contains(errs, "fix") {
			t.Errorf("%s, changed: exit %d\n%s%s", scheme, code, out, errs)
		}
	}
}

func TestVerifyTellsWhoseRequestItIsAndWhatIsWrong(t *testing.T) {
	t.Parallel()
	sh := signer(t, "It's a secret")
	_, request, _ := sh.run(t, "send", "github/push", "--print", "http")
	file := write(t, "r.http", request)
	code, out, errs := sh.run(t, "verify", "@"+file, "-o", "json")
	var j struct {
		OK                        bool
		Scheme, Reason, EventType string
		Findings                  []struct{ Code, Text string }
	}
	if err := json.Unmarshal([]byte(out), &j); err != nil || code != cli.ExitOK || !j.OK || j.Scheme != "github" || j.Reason != "verified" || j.EventType != "push" {
		t.Errorf("exit %d, %+v\n%s%s", code, j, out, errs)
	}
	// The framework has parsed and written the body again.
	_, body, _ := strings.Cut(request, "\n\n")
	var doc any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	again, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	code, out, _ = sh.run(t, "verify", "@"+write(t, "again.http", strings.Replace(request, body, string(again), 1)), "-o", "json")
	j.Findings = nil
	if err := json.Unmarshal([]byte(out), &j); err != nil || code != cli.ExitNo || j.OK || len(j.Findings) == 0 {
		t.Errorf("exit %d, %+v", code, j)
	}
	if code, _, errs := bare(t).run(t, "verify", "@"+file); code != cli.ExitUsage || !strings.Contains(errs, "GitHub needs a secret") {
		t.Errorf("without a secret: exit %d, %s", code, errs)
	}
	if code, _, errs := sh.run(t, "verify", "--body", "x", "-H", "X-Nothing: 1"); code != cli.ExitUsage || !strings.Contains(errs, "Name the scheme with --scheme") {
		t.Errorf("without a known header: exit %d, %s", code, errs)
	}
	if code, _, errs := sh.run(t, "sign", "x", "--scheme", "strip"); code != cli.ExitUsage || !strings.Contains(errs, "Did you mean stripe?") {
		t.Errorf("exit %d, %s", code, errs)
	}
	if code, _, errs := bare(t).run(t, "sign", "x", "--scheme", "github", "--secret", "s"); code != cli.ExitOK || !strings.Contains(errs, "other users of this machine can see a secret") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

func TestSamplesAreListedShownAndSent(t *testing.T) {
	t.Parallel()
	sh := signer(t, "whsec_x")
	if _, out, _ := sh.run(t, "samples", "stripe", "-o", "name"); !strings.Contains(out, "stripe/checkout.session.completed\n") || strings.Contains(out, "github") {
		t.Errorf("samples: %s", out)
	}
	sample, _ := provider.FindSample("stripe/checkout.session.completed")
	if _, out, _ := sh.run(t, "samples", "show", sample.Name()); out != string(sample.Body) {
		t.Errorf("it shows %s", out)
	}
	local, url := localApp(t)
	local.On("/hooks", testx.Answer{Status: 204}, testx.Answer{Status: 400, Body: []byte("bad signature\n")})
	code, out, errs := sh.run(t, "send", sample.Name(), "--to", url+"/hooks", "--set", "data.object.amount_total=7")
	got := local.Next(t)
	v, err := provider.New("stripe", provider.Settings{}, provider.Secret{Value: "whsec_x"})
	if err != nil {
		t.Fatal(err)
	}
	verdict := v.Verify(t.Context(), provider.Request{Method: got.Method, Header: got.Header, Body: got.Body}, got.At)
	if code != cli.ExitOK || verdict.Reason != provider.Verified || !strings.Contains(string(got.Body), `"amount_total":7`) || !strings.Contains(out, "✓ "+sample.Name()) {
		t.Errorf("exit %d, %+v\n%s%s%s", code, verdict, got.Body, out, errs)
	}
	code, out, errs = sh.run(t, "send", sample.Name(), "--to", url+"/hooks", "--count", "2", "-o", "json")
	var results []struct {
		ID, Error string
		Status    int
	}
	if err := json.Unmarshal([]byte(out), &results); err != nil || code != cli.ExitNo || len(results) != 2 || results[0].ID == results[1].ID || results[0].Error != "bad signature" {
		t.Errorf("exit %d, %+v, %v\n%s", code, results, err, errs)
	}
	for _, tt := range []struct {
		code int
		says string
		args []string
	}{
		{cli.ExitUsage, "Give --to", []string{sample.Name()}},
		{cli.ExitUsage, "there is no sample", []string{"stripe/nothing", "--to", url}},
		{cli.ExitUsage, "is for samples of providers", []string{"invoice.paid", "--to", url}},
		{cli.ExitUsage, "is for events of an application", []string{sample.Name(), "--to", url, "--wait"}},
		{cli.ExitUnreachable, "connection refused", []string{sample.Name(), "--to", "http://127.0.0.1:1"}},
	} {
		if code, _, errs := sh.run(t, append([]string{"send"}, tt.args...)...); code != tt.code || !strings.Contains(errs, tt.says) {
			t.Errorf("%v: exit %d, %s", tt.args, code, errs)
		}
	}
	for _, language := range []string{"curl", "go", "node", "python", "http"} {
		if code, out, errs := sh.run(t, "send", sample.Name(), "--print", language); code != cli.ExitOK || !strings.Contains(out, "Stripe-Signature") {
			t.Errorf("%s: exit %d, %s%s", language, code, out, errs)
		}
	}
}

func TestCatchIsAReceiverThatVerifies(t *testing.T) {
	t.Parallel()
	sh := signer(t, "whsec_x")
	ready := filepath.Join(t.TempDir(), "ready")
	c := sh.start(t, "catch", "--port", "0", "--path", "/hook", "--verify", "stripe", "--count", "2", "--ready-file", ready, "-o", "json")
	c.errs.until(t, "^C ends it", c.ended)
	url := strings.TrimSpace(readFile(t, ready))
	if code, out, errs := sh.run(t, "send", "stripe/charge.refunded", "--to", url); code != cli.ExitOK {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	resp, err := http.Post(strings.TrimSuffix(url, "/hook")+"/other", "text/plain", strings.NewReader("x"))
	if err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("another path: %v, %v", resp, err)
	}
	resp.Body.Close()
	if code, out, _ := signer(t, "other").run(t, "send", "stripe/charge.refunded", "--to", url); code != cli.ExitNo || !strings.Contains(out, "  400  ") && !strings.Contains(out, "  401  ") {
		t.Errorf("exit %d\n%s", code, out)
	}
	<-c.ended
	if c.code != cli.ExitNo {
		t.Errorf("exit %d, want %d for a request that is not to be believed", c.code, cli.ExitNo)
	}
	var reasons []string
	for line := range strings.Lines(c.out.String()) {
		var r struct {
			Path    string
			Verdict struct{ Reason string }
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Path != "/hook" {
			t.Errorf("%s: %v", line, err)
		}
		reasons = append(reasons, r.Verdict.Reason)
	}
	if strings.Join(reasons, " ") != "verified signature_mismatch" {
		t.Errorf("verdicts: %v", reasons)
	}
}

func TestCatchMakesAThrowAwaySource(t *testing.T) {
	t.Parallel()
	sh, _ := startServer(t)
	c := sh.start(t, "catch", "--once", "--status", "201", "--body", "thanks")
	c.errs.until(t, "^C ends it", c.ended)
	url := strings.Fields(c.errs.String())[0]
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/deep?a=1", strings.NewReader("plain text"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
	<-c.ended
	if got := c.out.String(); c.code != cli.ExitOK || !strings.Contains(got, "PUT /deep?a=1") || !strings.Contains(got, "\nplain text\n") {
		t.Errorf("exit %d\n%s", c.code, got)
	}
	if code, out, _ := sh.run(t, "sources", "list", "-o", "name"); code != cli.ExitOK || out != "" {
		t.Errorf("left behind: %s", out)
	}
}
