package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultTimeout = 60 * time.Second
	defaultRetries = 3
	firstPause     = 100 * time.Millisecond
	longestPause   = 5 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 256 << 20
)

// Client calls one server with one key. It is safe for concurrent use.
type Client struct {
	base    string // without a trailing slash
	key     string
	http    *http.Client
	retries int
	agent   string
}

// Option changes how a Client works.
type Option func(*Client)

// WithHTTPClient makes the Client send through h, with its timeouts. Redirects
// are followed as h says.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithRetries sets how often a request is repeated after the connection or the
// server failed. The default is 3; 0 turns it off.
func WithRetries(n int) Option { return func(c *Client) { c.retries = max(n, 0) } }

// WithUserAgent sets the User-Agent header.
func WithUserAgent(agent string) Option { return func(c *Client) { c.agent = agent } }

// WithTimeout bounds one request with its answer. The default is 60 s.
func WithTimeout(d time.Duration) Option {
	return func(c *Client) {
		h := *c.http
		h.Timeout = d
		c.http = &h
	}
}

// New makes a Client for the server at this URL, such as
// "https://hooks.example.com", with an API key or a portal token. It connects
// to nothing. The error says what is wrong with the URL.
func New(server, key string, opts ...Option) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not the URL of a server, such as https://hooks.example.com", server)
	}
	c := &Client{
		base: strings.TrimRight(u.String(), "/"), key: key,
		retries: defaultRetries, agent: "grapnel-go",
		http: &http.Client{
			Timeout: defaultTimeout,
			// A redirect could take the key to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	for _, o := range opts {
		o(c)
	}
	return c, nil
}

// request is one call before it is sent.
type request struct {
	method, path string
	query        url.Values
	body         any    // nil: none; json.RawMessage goes out as it is
	once         string // idempotency key; empty: one is made for a POST
	single       bool   // it is not repeated
}

// apiPath builds a path under /api/v1, each part escaped.
func apiPath(parts ...string) string {
	var b strings.Builder
	b.WriteString("/api/v1")
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// call sends r and decodes the answer into a T. An answer without a body
// leaves T at its zero value.
func call[T any](ctx context.Context, c *Client, r request) (T, error) {
	var out T
	answer, err := c.do(ctx, r)
	if err != nil {
		return out, err
	}
	if len(answer) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("%s %s: the answer is not what this client knows: %w", r.method, r.path, err)
	}
	return out, nil
}

// do sends r, again if the connection or the server fails, and gives the body
// of a 2xx answer.
func (c *Client) do(ctx context.Context, r request) ([]byte, error) {
	body, err := encode(r.body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	if r.method == http.MethodPost && r.once == "" {
		r.once = "auto_" + rand.Text()
	}
	pause := firstPause
	for try := 0; ; try++ {
		answer, err := c.try(ctx, r, body)
		if err == nil || r.single || try >= c.retries || ctx.Err() != nil || !again(err) {
			return answer, err
		}
		wait := time.Duration(float64(pause) * (0.5 + mathrand.Float64()))
		var refused *Error
		if errors.As(err, &refused) {
			wait = max(wait, min(refused.RetryAfter, longestPause))
		}
		pause = min(2*pause, longestPause)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// again reports whether a failure may go away by itself.
func again(err error) bool {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Status >= http.StatusInternalServerError && refused.Status != http.StatusNotImplemented ||
			refused.Status == http.StatusTooManyRequests
	}
	var unreachable *UnreachableError
	return errors.As(err, &unreachable)
}

func (c *Client) try(ctx context.Context, r request, body []byte) ([]byte, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.once != "" {
		req.Header.Set("Idempotency-Key", r.once)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &UnreachableError{Server: c.base, Err: withoutURL(err)}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, &UnreachableError{Server: c.base, Err: err}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, errorOf(resp, answer)
	}
	return answer, nil
}

// withoutURL takes the method and the full URL off, which the caller knows.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// encode writes a body as JSON without changing characters of payloads.
func encode(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case json.RawMessage:
		return b, nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
