package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/provider"
)

const sampleGroup = "Samples of providers"

// printForms are those of --print: every language, and a file for editors.
var printForms = append(slices.Clone(languages), formHTTP)

const formHTTP = "http"

// sampling is the part of grapnel send that sends samples of providers.
type sampling struct {
	scheme
	to    string
	count int
	edit  bool
}

func (s *sampling) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(text{&s.to, "PORT|URL"}, "to", "send PROVIDER/TYPE to this address, without a server")
	s.scheme.flags(cmd)
	f.IntVar(&s.count, "count", 1, "how many, each with an id of its own")
	f.BoolVar(&s.edit, "edit", false, "open the body in $EDITOR first")
	grouped(f, sampleGroup, "to", "secret", "secret-file", "setting", "count", "edit")
}

// only are the flags of send that make no sense without a sample, or with one.
var (
	onlySamples = []string{"to", "secret", "secret-file", "setting", "count", "edit"}
	onlyAPI     = []string{"app", "channel", "idempotency-key", "wait", "server", "api-key", "api-key-file", "profile"}
)

// sampleInstead sends a sample if the command asks for one.
func (s *sending) sampleInstead(cmd *cobra.Command) (done bool, err error) {
	given := func(names []string) string {
		for _, name := range names {
			if cmd.Flags().Changed(name) {
				return "--" + name
			}
		}
		return ""
	}
	if !strings.Contains(s.eventType, "/") {
		if flag := given(onlySamples); flag != "" {
			return true, usage(flag+" is for samples of providers, but "+quotedIfOdd(s.eventType)+" is an event type", "Write PROVIDER/TYPE, such as stripe/checkout.session.completed; `grapnel samples` lists them.")
		}
		if s.language == formHTTP {
			return true, usage("--print http is for samples of providers", "Write --print curl.")
		}
		return false, nil
	}
	if flag := given(onlyAPI); flag != "" {
		return true, usage(flag+" is for events of an application, but "+quotedIfOdd(s.eventType)+" is a sample of a provider", "Samples go to an address: give --to.")
	}
	ctx := cmd.Context()
	if err := s.sendSamples(ctx); err != nil {
		return true, s.failed(ctx, quotedIfOdd(s.eventType)+" cannot be sent", err)
	}
	return true, nil
}

// sampleResult is what came of one sample, in the form of -o json.
type sampleResult struct {
	ID     string `json:"id"`
	Sample string `json:"sample"`
	URL    string `json:"url"`
	Status int    `json:"status,omitempty"`
	TookMs int64  `json:"tookMs"`
	OK     bool   `json:"ok"`
	Error  string `json:"error,omitempty"`
	// Request is what a source of Grapnel keeps it as.
	Request string `json:"request,omitempty"`
}

func (s *sending) sendSamples(ctx context.Context) error {
	sample, err := findSample(s.eventType)
	if err != nil {
		return err
	}
	target := "http://localhost:3000/"
	switch {
	case s.sample.count < 1 || s.sample.count > 100_000:
		return usage(fmt.Sprintf("--count %d is not from 1 to 100000", s.sample.count), "Write how many to send.")
	case s.eventID != "" && s.sample.count > 1:
		return usage("--event-id names one event, but --count asks for several", "Leave one of them out.")
	case s.sample.to != "":
		if target, err = parseTarget(s.sample.to); err != nil {
			return err
		}
	case s.language == "":
		return usage("there is no address to send "+sample.Name()+" to", "Give --to, such as --to 3000/webhooks; or --print curl to see the request.")
	}
	of, err := findScheme("", sample.Provider)
	if err != nil {
		return err
	}
	verifier, err := s.sample.verifier(&s.Streams, &of)
	if err != nil {
		return err
	}
	body, err := s.sampleBody()
	if err != nil {
		return err
	}
	f := newForwarder(10*time.Second, false)
	f.client.Timeout = s.timeout
	results := make([]sampleResult, 0, s.sample.count)
	for n := range s.sample.count {
		r, id, err := s.sampleRequest(&sample, verifier, target, body, n)
		if err != nil {
			return err
		}
		if s.language != "" {
			return s.printSample(r, target)
		}
		result := s.post(ctx, f, r)
		result.ID, result.Sample, result.URL = id, sample.Name(), target
		if results = append(results, result); ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := s.tellSample(&result); err != nil {
			return err
		}
	}
	return s.sampleVerdict(results)
}

// sampleBody gives what -d puts in the place of a sample's body; nil: nothing.
func (s *sending) sampleBody() ([]byte, error) {
	if s.data == "" {
		return nil, nil
	}
	if s.data == "-" && s.sample.file == "-" {
		return nil, usage("stdin cannot hold both the body and the secret", "Give one of them as a file.")
	}
	return s.input("the body", s.data)
}

// sampleRequest makes one request, changes it as the user wants, and signs it then.
func (s *sending) sampleRequest(sample *provider.Sample, v *provider.Verifier, target string, body []byte, n int) (*provider.Request, string, error) {
	now := time.Now()
	id := s.eventID
	if id == "" {
		id = sample.ID(now.Add(time.Duration(n))) // the clock may stand still between two
	}
	r := sample.Request(target, id, now)
	if body != nil {
		r.Body = body
	}
	var err error
	if len(s.sets) > 0 {
		if why := syntaxOf(r.Body); why != "" {
			return nil, "", usage("--set needs a body that is JSON: "+why, "Give the whole body with -d.")
		}
		if r.Body, err = setAll(r.Body, s.sets); err != nil {
			return nil, "", usage("--set: "+err.Error(), "Write --set data.object.amount_total=100.")
		}
	}
	if s.sample.edit {
		if r.Body, err = s.editText(r.Body, "body.json"); err != nil {
			return nil, "", err
		}
	}
	if err := v.Sign(&r, id, now); err != nil {
		p := v.Provider()
		return nil, "", usage("this cannot be signed as "+p.Title+" does: "+err.Error(), p.SecretHelp)
	}
	return &r, id, nil
}

// post sends a signed request.
func (s *sending) post(ctx context.Context, f *forwarder, r *provider.Request) sampleResult {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(string(r.Body)))
	if err != nil {
		return sampleResult{Error: err.Error()}
	}
	req.Header = r.Header
	if _, has := req.Header["User-Agent"]; !has {
		req.Header.Set("User-Agent", "grapnel-cli/"+version)
	}
	began := time.Now()
	resp, err := f.client.Do(req)
	if err != nil {
		return sampleResult{Error: shortError(plainError(err)), TookMs: time.Since(began).Milliseconds()}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, forwardAnswer))
	out := sampleResult{Status: resp.StatusCode, TookMs: time.Since(began).Milliseconds(), OK: err == nil && resp.StatusCode >= 200 && resp.StatusCode < 300}
	if !out.OK {
		out.Error = firstLine(answer)
		out.Request = printable(resp.Header.Get("Grapnel-Request-Id"))
	}
	return out
}

// tellSample prints one result, unless all of them become one document.
func (s *sending) tellSample(r *sampleResult) error {
	switch s.output {
	case formatJSON, formatYAML:
		return nil
	case formatJSONL:
		return writeJSON(s.Out, r, true)
	case formatName:
		_, err := fmt.Fprintln(s.Out, r.ID)
		return err
	}
	p := s.paintFor(s.color, s.OutTerminal)
	mark, word := p.good(), fmt.Sprint(r.Status)
	if !r.OK {
		mark = p.bad()
	}
	if r.Status == 0 {
		word = "no answer"
	}
	parts := []string{mark + " " + p.strong(r.Sample), "→", r.URL, word, milliseconds(r.TookMs), r.ID}
	if r.Error != "" {
		parts = append(parts, printable(r.Error))
	}
	_, err := fmt.Fprintln(s.Out, "  "+strings.Join(parts, "  "))
	return err
}

func (s *sending) sampleVerdict(results []sampleResult) error {
	var all any = results
	if len(results) == 1 {
		all = results[0]
	}
	var err error
	switch s.output {
	case formatJSON:
		err = writeJSON(s.Out, all, false)
	case formatYAML:
		err = writeYAML(s.Out, all)
	}
	bad := 0
	for _, r := range results {
		if !r.OK {
			bad++
		}
	}
	if err != nil || bad == 0 {
		return err
	}
	last := results[len(results)-1]
	f := &failure{exit: ExitNo, code: "not_delivered", what: last.Sample + " was sent, but not taken", why: fmt.Sprintf("%d of %s failed.", bad, count(len(results), "request")), fix: "Look at the answer above."}
	if last.Request != "" {
		f.fix = "`grapnel requests show " + last.Request + "` says why."
	}
	if last.Status == 0 {
		f.exit, f.code, f.what = ExitUnreachable, "unreachable", last.Sample+" cannot be sent"
		f.why, f.fix = "no answer from "+last.URL+": "+last.Error, "Check that your program runs and listens there."
	}
	return f
}

// printSample prints the request instead of sending it.
func (s *sending) printSample(r *provider.Request, target string) error {
	if s.output != formatTable {
		return usage("--print gives the text of a program, for which there is no -o "+s.output, "Give one of the two.")
	}
	switch s.language {
	case "curl", formHTTP:
		return writeRequest(s.Out, s.language, target, r)
	case "go":
		return sampleGo(s.Out, r)
	case "node":
		return sampleNode(s.Out, r)
	}
	return samplePython(s.Out, r)
}

func sampleGo(w io.Writer, r *provider.Request) error {
	var headers strings.Builder
	for _, h := range sortedHeaders(r.Header) {
		fmt.Fprintf(&headers, "\treq.Header.Add(%q, %q)\n", h[0], h[1])
	}
	_, err := fmt.Fprintf(w, `package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
)

func main() {
	req, err := http.NewRequest(%q, %q, strings.NewReader(%s))
	if err != nil {
		log.Fatal(err)
	}
%s	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, string(answer))
}
`, r.Method, r.URL, goQuote(string(r.Body)), headers.String())
	return err
}

// jsonHeaders are the headers as the pairs of an object, each in a line.
func jsonHeaders(r *provider.Request, indent string) string {
	var b strings.Builder
	for name, values := range joinedHeaders(r.Header) {
		b.WriteString(indent + jsonQuote(name) + ": " + jsonQuote(values) + ",\n")
	}
	return b.String()
}

// joinedHeaders gives each name once, in order, with its values joined as HTTP allows.
func joinedHeaders(h http.Header) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		names := make([]string, 0, len(h))
		for name := range h {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if !yield(name, strings.Join(h[name], ", ")) {
				return
			}
		}
	}
}

func sampleNode(w io.Writer, r *provider.Request) error {
	_, err := fmt.Fprintf(w, `const answer = await fetch(%s, {
  method: %s,
  headers: {
%s  },
  body: %s,
});
console.log(answer.status, await answer.text());
`, jsonQuote(r.URL), jsonQuote(r.Method), jsonHeaders(r, "    "), jsonQuote(string(r.Body)))
	return err
}

func samplePython(w io.Writer, r *provider.Request) error {
	_, err := fmt.Fprintf(w, `import urllib.request

request = urllib.request.Request(
    %s,
    method=%s,
    data=%s.encode(),
    headers={
%s    },
)
with urllib.request.urlopen(request) as answer:
    print(answer.status, answer.read().decode())
`, jsonQuote(r.URL), jsonQuote(r.Method), jsonQuote(string(r.Body)), jsonHeaders(r, "        "))
	return err
}

// editText opens a text in the user's editor. A line end that the editor has added is
// taken off again: a signature would see it.
func (s *Streams) editText(text []byte, name string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "grapnel-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := dir + string(os.PathSeparator) + name
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	cmd, err := s.editor(path)
	if err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Err, s.Err // stdout is for data
	if err := cmd.Run(); err != nil {
		return nil, usage("the editor failed: "+err.Error(), "Set EDITOR to a command that edits a file and waits.")
	}
	return readEdited(path, text)
}

// editor is the command that opens a file in the user's editor.
func (s *Streams) editor(path string) (*exec.Cmd, error) {
	command := s.getenv("VISUAL")
	if command == "" {
		command = s.getenv("EDITOR")
	}
	if command == "" {
		return nil, usage("there is no editor", "Set EDITOR, such as EDITOR=nano.")
	}
	if runtime.GOOS == "windows" {
		return exec.Command("cmd", "/C", command+" "+path), nil //nolint:gosec,noctx // the user's own editor, which ends when the user ends it
	}
	return exec.Command("sh", "-c", command+" "+shellQuote(path)), nil //nolint:gosec,noctx // likewise
}

func readEdited(path string, before []byte) ([]byte, error) {
	after, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(string(before), "\n") {
		after = []byte(strings.TrimSuffix(strings.TrimSuffix(string(after), "\n"), "\r"))
	}
	return after, nil
}
