package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/webhook"
)

// Bounds of one forwarded request.
const (
	forwardTimeout = 2 * time.Minute // a debugger may hold the answer up
	forwardAnswer  = 256 << 10       // most bytes that are kept of an answer
)

// arrival is one event that came, with what a person is told about it.
type arrival struct {
	apitype.ListenEvent
	cursor   string
	from     string // name of the source or application
	host     string // of the ingest URL; empty: an application's
	verdict  string // "sig ok", "unchecked", "to be signed"
	replayed bool   // sent again by hand
}

// outcome is what came of one arrival at one target.
type outcome struct {
	target  string // as it is shown: "POST /webhooks/stripe", or the command
	status  int    // 0: no answer
	took    time.Duration
	err     error
	header  http.Header
	body    []byte      // of the answer, at most forwardAnswer
	sent    http.Header // what went out
	url     string
	dropped []string // names of headers that were not passed on
	command bool     // --exec: there is no status
}

// ok reports whether the target took it.
func (o *outcome) ok() bool { return o.err == nil && (o.command || o.status >= 200 && o.status < 300) }

// word is the status, or why there is none.
func (o *outcome) word() string {
	switch {
	case o.err != nil:
		return "failed"
	case o.command:
		return "done"
	}
	return strconv.Itoa(o.status)
}

// says is the first line of what a target that did not take it has answered.
func (o *outcome) says() string {
	if o.err != nil {
		return shortError(o.err)
	}
	if o.ok() {
		return ""
	}
	return firstLine(o.body)
}

// firstLine gives the first line with something in it, harmless and not too long.
func firstLine(text []byte) string {
	const most = 120
	for line := range strings.Lines(string(text[:min(len(text), 4<<10)])) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if cut := []rune(line); len(cut) > most {
			line = string(cut[:most]) + "…"
		}
		return printable(line)
	}
	return ""
}

// forwarder passes arrivals on to where the user said, and nowhere else.
type forwarder struct {
	client  *http.Client
	headers [][2]string // added, or put in the place of those of that name
	keep    bool        // the Host header of the ingest URL
	signer  *webhook.Signer
	command string // instead of HTTP; empty: none
	environ []string
}

// newForwarder makes the client for the user's own targets. It follows no redirects:
// the sender would not either.
func newForwarder(connect time.Duration, insecure bool) *forwarder {
	dialer := &net.Dialer{Timeout: connect}
	return &forwarder{client: &http.Client{
		Timeout:       forwardTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: connect,
			DisableCompression: true, // the target sees the sender's Accept-Encoding, and its answer is shown as it came
			MaxIdleConns:       64, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}, //nolint:gosec // only with --insecure, for the user's own target
		},
	}}
}

// pass sends an arrival to a target.
func (f *forwarder) pass(ctx context.Context, a *arrival, target string) outcome {
	if a.BodyGone {
		return outcome{err: errors.New("the payload is not kept any more"), target: target}
	}
	if f.command != "" {
		return f.run(ctx, a)
	}
	req, dropped, err := f.request(ctx, a, target)
	if err != nil {
		return outcome{err: err, target: target}
	}
	o := outcome{target: req.Method + " " + req.URL.RequestURI(), sent: req.Header, url: req.URL.String(), dropped: dropped}
	began := time.Now()
	resp, err := f.client.Do(req)
	if err != nil {
		o.took, o.err = time.Since(began), plainError(err)
		return o
	}
	defer resp.Body.Close()
	o.body, err = io.ReadAll(io.LimitReader(resp.Body, forwardAnswer))
	o.took, o.status, o.header = time.Since(began), resp.StatusCode, resp.Header
	if err != nil {
		o.err = fmt.Errorf("the answer broke off: %w", err)
	}
	return o
}

// request builds what goes out: method, rest of the path, query, headers and body as
// they came.
func (f *forwarder) request(ctx context.Context, a *arrival, target string) (*http.Request, []string, error) {
	method := a.Method
	if method == "" {
		method = http.MethodPost
	}
	full, err := targetURL(target, a.Path, a.Query)
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, full, bytes.NewReader(a.Body))
	if err != nil {
		return nil, nil, err
	}
	if len(a.Body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	}
	var dropped []string
	req.Header, dropped = passedOn(a.Headers)
	if a.Method == "" { // an event of the API, which becomes a webhook only now
		req.Header.Set("Content-Type", a.ContentType)
		if f.signer != nil {
			if err := f.signer.SetHeaders(req.Header, a.ID, time.Now(), a.Body); err != nil {
				return nil, nil, err
			}
		}
	}
	replaced := make(map[string]bool)
	for _, h := range f.headers {
		name := textproto.CanonicalMIMEHeaderKey(h[0])
		if name == "Host" {
			req.Host = h[1]
			continue
		}
		if !replaced[name] {
			req.Header.Del(name)
			replaced[name] = true
		}
		req.Header.Add(name, h[1])
	}
	if _, has := req.Header["User-Agent"]; !has {
		req.Header["User-Agent"] = []string{""} // or net/http would give its own
	}
	if f.keep && a.host != "" {
		req.Host = a.host
	}
	return req, dropped, nil
}

// hopByHop are headers of one connection (RFC 9110 7.6.1) and the length, which the
// new connection states itself.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "Content-Length", "Host", "Expect",
}

// passedOn gives the headers that go to the target, and the names of those that do not.
func passedOn(lines [][2]string) (http.Header, []string) {
	drop := slices.Clone(hopByHop)
	for _, line := range lines {
		if strings.EqualFold(line[0], "Connection") {
			for name := range strings.SplitSeq(line[1], ",") {
				drop = append(drop, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
			}
		}
	}
	header := make(http.Header)
	var dropped []string
	for _, line := range lines {
		name := textproto.CanonicalMIMEHeaderKey(line[0])
		switch {
		case !slices.Contains(drop, name):
			header[name] = append(header[name], line[1])
		case name != "Content-Length" && name != "Host" && !slices.Contains(dropped, name):
			dropped = append(dropped, name)
		}
	}
	return header, dropped
}

// targetURL puts the rest of the path and the query of a request behind a target.
func targetURL(target, rest, query string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	if rest != "" {
		raw := strings.TrimSuffix(u.EscapedPath(), "/") + "/" + strings.TrimPrefix(rest, "/")
		path, err := url.PathUnescape(raw)
		if err != nil { // not an encoding at all: its bytes as they are
			path = raw
		}
		u.Path, u.RawPath = path, raw
	}
	switch {
	case u.RawQuery == "":
		u.RawQuery = query
	case query != "":
		u.RawQuery += "&" + query
	}
	return u.String(), nil
}

// parseTarget reads PORT, PORT/PATH, HOST:PORT/PATH or a URL.
func parseTarget(text string) (string, error) {
	full := text
	port, _, _ := strings.Cut(text, "/")
	if n, err := strconv.Atoi(port); err == nil && n > 0 && n < 1<<16 {
		full = "http://localhost:" + text
	} else if !strings.Contains(text, "://") && strings.Contains(text, ":") {
		full = "http://" + text
	}
	u, err := url.Parse(full)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Fragment != "" {
		return "", usage(quotedIfOdd(text)+" is not a target", "Write a port, a port with a path, or a URL: 3000, 3000/webhooks, http://localhost:3000/webhooks.")
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// run starts the user's command with the body at stdin and in a file, whose name takes
// the place of {}. What came is in the environment, never in the command.
func (f *forwarder) run(ctx context.Context, a *arrival) outcome {
	o := outcome{target: "exec", command: true}
	file, err := os.CreateTemp("", "grapnel-*.body")
	if err != nil {
		o.err = err
		return o
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(a.Body)
	if err := errors.Join(err, file.Close()); err != nil {
		o.err = err
		return o
	}
	command := strings.ReplaceAll(f.command, "{}", shellQuote(file.Name()))
	shell, flag := "sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag, command = "cmd", "/C", strings.ReplaceAll(f.command, "{}", file.Name())
	}
	cmd := exec.CommandContext(ctx, shell, flag, command) //nolint:gosec // the user's own command
	cmd.Stdin = bytes.NewReader(a.Body)
	cmd.Env = append(slices.Clone(f.environ),
		"GRAPNEL_MESSAGE_ID="+a.ID, "GRAPNEL_EVENT_TYPE="+a.EventType, "GRAPNEL_EVENT_ID="+a.EventID, "GRAPNEL_SOURCE="+a.from,
		"GRAPNEL_REQUEST_METHOD="+a.Method, "GRAPNEL_REQUEST_PATH="+a.Path, "GRAPNEL_REQUEST_QUERY="+a.Query, "GRAPNEL_BODY_FILE="+file.Name())
	cmd.WaitDelay = time.Second
	began := time.Now()
	o.body, o.err = cmd.CombinedOutput()
	o.took = time.Since(began)
	var exit *exec.ExitError
	if errors.As(o.err, &exit) {
		o.err = fmt.Errorf("exit %d", exit.ExitCode())
		if line := firstLine(o.body); line != "" {
			o.err = fmt.Errorf("exit %d: %s", exit.ExitCode(), line)
		}
	}
	return o
}
