package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
)

// catching is one run of grapnel catch.
type catching struct {
	scheme
	*remote
	port       int
	path       string
	status     int
	delay      time.Duration
	body       string
	headers    []string
	once       bool
	count      int
	readyFile  string
	form       string
	maxBody    int64
	paint      paint
	mu         sync.Mutex // guards what follows, and keeps what is printed whole
	seen, done int
}

func (a *app) catchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catch",
		Short: "Make a throw-away URL and print what arrives",
		Long: `Make a throw-away URL on a server and print each request that arrives there; the
URL ends with the command. With --port no server is asked: the requests come to
this machine, are verified with --verify, and get the answer that you choose.`,
		Example: `  grapnel catch
  grapnel catch --port 5000 --path /webhook --verify stripe --secret-file secret
  grapnel catch --port 5000 --status 500 --delay 3s --body 'try again'`,
		Args: noArgs,
	}
	c := &catching{remote: a.remoteFlags(cmd), maxBody: 16 << 20}
	f := cmd.Flags()
	f.IntVar(&c.port, "port", 0, "listen on this port of 127.0.0.1 instead of a server (with --path alone: on any)")
	f.Var(text{&c.path, "PATH"}, "path", "only requests to this path; others get 404 (with --port)")
	f.Var(text{&c.name, "PROVIDER"}, "verify", "verify as this provider's requests")
	c.flags(cmd)
	f.IntVar(&c.status, "status", 0, "status of the answer (default: what the provider wants, 200)")
	f.Var(span{to: &c.delay, most: time.Hour}, "delay", "wait before the answer (with --port)")
	f.Var(text{&c.body, "TEXT|@FILE|-"}, "body", "body of the answer")
	f.VarP(texts{&c.headers, "'NAME: VALUE'", ""}, "header", "H", "header of the answer; can be repeated")
	f.BoolVar(&c.once, "once", false, "end after the first request, with 8 if it was not to be believed")
	f.IntVar(&c.count, "count", 0, "end after this many requests")
	f.Var(text{&c.readyFile, "FILE"}, "ready-file", "file to write the URL to once requests are taken")
	f.VarP(newChoice(&c.form, "text", "text", "json"), "output", "o", "form of the output; json is one object a line")
	withoutDefault(f, "port", "status", "delay", "count")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if c.form == "json" {
			a.output = formatJSONL
		}
		ctx := cmd.Context()
		if err := c.run(ctx, cmd); err != nil {
			return c.failed(ctx, "grapnel catch cannot go on", err)
		}
		return nil
	}
	return cmd
}

func (c *catching) run(ctx context.Context, cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	c.paint = c.paintFor(c.color, c.OutTerminal)
	local := given("port")
	switch {
	case c.once && given("count"):
		return usage("--once and --count are both given", "Give one of them.")
	case given("count") && c.count < 1:
		return usage(fmt.Sprintf("--count %d is less than 1", c.count), "Write how many requests to wait for.")
	case c.port < 0 || c.port > 65535:
		return usage(fmt.Sprintf("--port %d is not a port", c.port), "Write a number from 1 to 65535, or 0 for any that is free.")
	case !local && (given("path") || given("delay")):
		return usage("--path and --delay are for --port", "Add --port 5000, or leave them out.")
	case given("path") && !strings.HasPrefix(c.path, "/"):
		return usage("--path "+quotedIfOdd(c.path)+" does not begin with a slash", "Write --path /"+c.path+".")
	case given("status") && (c.status < 200 || c.status > 599):
		return usage(fmt.Sprintf("--status %d is not from 200 to 599", c.status), "Write a status such as 200 or 500.")
	case !local && given("status") && c.status > 299:
		return usage("a source of a server answers 2xx to what it takes", "Add --port 5000 to answer with any status from this machine.")
	case c.name == "" && (c.secret != "" || c.file != "" || len(c.settings) > 0):
		return usage("a secret and settings are for --verify", "Name the provider, such as --verify stripe.")
	}
	if c.once {
		c.count = 1
	}
	if local {
		return c.serve(ctx)
	}
	return c.onServer(ctx)
}

// caught is one request, in the form of -o json.
type caught struct {
	ID         string          `json:"id,omitempty"`
	ReceivedAt time.Time       `json:"receivedAt"`
	Method     string          `json:"method"`
	Path       string          `json:"path"`
	Query      string          `json:"query,omitempty"`
	Remote     string          `json:"remote,omitempty"`
	Headers    [][2]string     `json:"headers"`
	JSON       json.RawMessage `json:"json,omitempty"`
	Body       []byte          `json:"body,omitempty"` // base64, of one that is not JSON
	Bytes      int             `json:"bytes"`
	EventType  string          `json:"eventType,omitempty"`
	Status     int             `json:"status,omitempty"` // what was answered
	Verdict    *judgment       `json:"verdict,omitempty"`
	raw        []byte
}

func (r *caught) setBody(body []byte) {
	r.raw, r.Bytes = body, len(body)
	if json.Valid(body) {
		r.JSON = body
	} else {
		r.Body = body
	}
}

// show prints a request. It reports whether that was the last one.
func (c *catching) show(r *caught) (last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count > 0 && c.seen >= c.count {
		return true
	}
	c.seen++
	if r.Verdict != nil && !r.Verdict.OK {
		c.done++
	}
	if c.form == "json" {
		_ = writeJSON(c.Out, r, true) // a closed pipe ends the process by its signal
	} else {
		c.showText(r)
	}
	return c.count > 0 && c.seen >= c.count
}

func (c *catching) showText(r *caught) {
	var b bytes.Buffer
	target := r.Path
	if target == "" {
		target = "/"
	}
	if r.Query != "" {
		target += "?" + r.Query
	}
	clock := r.ReceivedAt.UTC().Format(time.RFC3339)
	if c.OutTerminal {
		clock = r.ReceivedAt.Local().Format("15:04:05")
	}
	parts := []string{clock, "-->", c.paint.strong(r.Method + " " + printable(target)), sizeText(int64(r.Bytes))}
	if r.EventType != "" {
		parts = append(parts, printable(r.EventType))
	}
	if r.ID != "" {
		parts = append(parts, r.ID)
	}
	fmt.Fprintln(&b, strings.Join(parts, "  "))
	if v := r.Verdict; v != nil {
		mark := c.paint.good()
		if !v.OK {
			mark = c.paint.bad()
		}
		fmt.Fprintf(&b, "  %s %s  %s\n", mark, strings.ReplaceAll(v.Reason, "_", " "), v.Scheme)
		for _, f := range v.Findings {
			fmt.Fprintf(&b, "  ○ %s\n", printable(f.Text))
		}
	}
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "  %s %s\n", c.paint.quiet(printable(h[0])+":"), printable(h[1]))
	}
	if len(r.raw) > 0 {
		b.WriteByte('\n')
		b.WriteString(c.bodyText(r.raw))
	}
	b.WriteByte('\n')
	_, _ = c.Out.Write(b.Bytes())
}

// bodyText is the body as it is, or for a person indented and harmless.
func (c *catching) bodyText(body []byte) string {
	text := string(body)
	if c.OutTerminal {
		var pretty bytes.Buffer
		if json.Indent(&pretty, body, "", "  ") == nil {
			text = pretty.String()
		}
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = printable(lines[i])
		}
		text = strings.Join(lines, "\n")
	}
	return strings.TrimSuffix(text, "\n") + "\n"
}

// verdict is no if one of the awaited requests was not to be believed.
func (c *catching) verdict() error {
	if c.count == 0 || c.done == 0 {
		return nil
	}
	return &failure{exit: ExitNo, code: "not_verified", what: "not every request is to be believed", why: fmt.Sprintf("%d of %s failed.", c.done, count(c.seen, "request")), fix: "The reasons stand above."}
}

// onServer makes a source, prints what comes, and removes the source.
func (c *catching) onServer(ctx context.Context) (err error) {
	if err := c.resolve(); err != nil {
		return err
	}
	key, err := c.findKey()
	if err != nil {
		return err
	}
	server, err := c.clientWith(key)
	if err != nil {
		return err
	}
	in, err := c.throwAway()
	if err != nil {
		return err
	}
	source, err := server.CreateSource(ctx, in)
	if err != nil {
		return err
	}
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
		defer cancel()
		err = errors.Join(err, server.DeleteSource(cleanup, source.ID))
	}()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := newSession()
	s.workers, s.forward, s.done = 1, newForwarder(time.Second, false), stop
	s.view = &catchView{catching: c, url: *source.IngestURL, stop: stop}
	l := &link{
		server: c.server, key: key, query: url.Values{"source": {source.ID}}, acks: s.acks, hello: s.greet, frame: s.take, state: s.view.state,
	}
	working := make(chan struct{})
	go func() {
		defer close(working)
		s.work(ctx)
	}()
	err = l.run(ctx)
	stop()
	<-working
	if err != nil {
		return err
	}
	return errors.Join(s.problem, c.verdict())
}

// throwAway is the source to make.
func (c *catching) throwAway() (apitype.SourceIn, error) {
	in := apitype.SourceIn{
		Name: "grapnel catch", Type: "none", EmptyBody: apitype.Some(true),
		Methods: apitype.Some([]string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet}),
	}
	if c.name != "" {
		p, err := findScheme("--verify ", c.name)
		if err != nil {
			return in, err
		}
		in.Type = p.Name
		settings, err := c.parseSettings(&p)
		if err != nil {
			return in, err
		}
		if len(c.settings) > 0 {
			text, err := json.Marshal(settings)
			if err != nil {
				return in, err
			}
			in.Verification = apitype.Some(json.RawMessage(text))
		}
		secret, err := c.findSecret(c.secret, c.file)
		if err != nil {
			return in, err
		}
		in.Secrets = secretsIn(secret)
	}
	answer, err := c.input("the body of the answer", c.body)
	if err != nil {
		return in, err
	}
	headers, err := parseHeaders(c.headers)
	if err != nil {
		return in, err
	}
	if c.status != 0 || len(answer) > 0 || len(headers) > 0 {
		r := apitype.SourceResponse{Status: http.StatusOK, Body: string(answer), Headers: make(map[string]string)}
		if c.status != 0 {
			r.Status = c.status
		}
		for name, value := range joinedHeaders(headers) {
			r.Headers[name] = value
		}
		in.Responses = apitype.Some([]apitype.SourceResponse{r})
	}
	return in, nil
}

// catchView shows the requests of a throw-away source.
type catchView struct {
	*catching
	url  string
	stop func()
	once sync.Once
}

func (v *catchView) state(s linkState) {
	if s.word == "lost" {
		fmt.Fprintln(v.Err, s.text)
	}
}

func (v *catchView) hello(*apitype.ListenHello) {
	v.once.Do(func() {
		v.begin(v.url)
	})
}

// begin tells the URL: to a person, and to a script that waits for it.
func (c *catching) begin(at string) {
	if c.readyFile != "" {
		if err := writePrivate(c.readyFile, []byte(at+"\n")); err != nil {
			fmt.Fprintln(c.Err, "  "+err.Error())
		}
	}
	fmt.Fprintf(c.Err, "  %s\n  Waiting for the first request. ^C ends it.\n", at)
}

func (v *catchView) shown(a *arrival) {
	r := &caught{ID: a.ID, ReceivedAt: a.ReceivedAt, Method: a.Method, Path: a.Path, Query: a.Query, Headers: a.Headers, EventType: a.EventType}
	if v.name != "" {
		r.Verdict = &judgment{OK: true, Scheme: v.name, Reason: "verified", EventID: a.EventID, EventType: a.EventType, Findings: []apitype.Finding{}}
	}
	r.setBody(a.Body)
	if v.show(r) {
		v.stop()
	}
}

func (v *catchView) refused(r *apitype.ListenRefused, _ string) {
	j := &judgment{Scheme: v.name, Reason: r.Reason, Detail: r.Detail, EventType: r.EventType, Findings: []apitype.Finding{}}
	for _, text := range r.Findings {
		j.Findings = append(j.Findings, apitype.Finding{Text: text})
	}
	if v.show(&caught{ID: r.ID, ReceivedAt: r.ReceivedAt, Status: r.Status, Headers: [][2]string{}, Bytes: r.BodySize, EventType: r.EventType, Verdict: j}) {
		v.stop()
	}
}

func (v *catchView) arrived(*arrival)          {}
func (v *catchView) passed(*arrival, *outcome) {}
func (v *catchView) skipped(*arrival)          {}
