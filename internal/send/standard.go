package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"
)

// maxHead is the largest header section of an answer, interim answers
// included, in bytes.
const maxHead = 64 << 10

// maxDrain is how much of an answer beyond the cap is read so that its
// connection can be kept, in bytes.
const maxDrain = 16 << 10

// maxRepeats is how often the request may go out again on another connection.
const maxRepeats = 2

var (
	errProxy    = errors.New("the egress proxy refused")
	errRepeated = errors.New("the connection was lost again and again")
)

// newClient makes the net/http transport of all standard exchanges.
func newClient(opts *Options) *http.Transport {
	t := &http.Transport{
		// Never http.ProxyFromEnvironment.
		Proxy:                  nil,
		DialContext:            opts.Dialer.DialContext,
		TLSClientConfig:        opts.tlsConfig(),
		TLSHandshakeTimeout:    opts.Timeouts.TLS,
		DisableCompression:     true,
		MaxIdleConns:           opts.MaxIdle,
		MaxIdleConnsPerHost:    opts.MaxIdlePerHost,
		IdleConnTimeout:        opts.IdleTimeout,
		MaxResponseHeaderBytes: maxHead,
		ForceAttemptHTTP2:      true,
		// A connection over which nothing comes back must not take one attempt
		// after the other with it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second, WriteByteTimeout: 10 * time.Second},
	}
	if opts.Timeouts.FirstByte < opts.Timeouts.Total {
		t.ResponseHeaderTimeout = opts.Timeouts.FirstByte
	}
	if opts.EgressProxy != nil {
		t.Proxy = http.ProxyURL(opts.EgressProxy)
		// The proxy is the operator's choice and stands inside, as a rule.
		t.DialContext = (&net.Dialer{Timeout: opts.Timeouts.DNS + opts.Timeouts.Connect}).DialContext
		t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode != http.StatusOK {
				return fmt.Errorf("%w: status %d", errProxy, answer.StatusCode)
			}
			return nil
		}
	}
	return t
}

// standard is the transport over net/http.
type standard struct {
	client *http.Transport
	opts   *Options
}

func (s *standard) roundTrip(ctx context.Context, x *exchange) {
	ctx, stop := context.WithDeadline(ctx, x.deadline)
	defer stop()
	watch := newProbe(x.start)
	// RoundTrip itself, not a Client: no redirects, no cookies, no credentials
	// for whoever asks.
	answer, err := s.client.RoundTrip(x.request(httptrace.WithClientTrace(ctx, watch.trace())))
	if err != nil {
		x.phase, x.timings, x.reused = watch.result()
		if x.err = err; ctx.Err() != nil {
			x.err = ctx.Err() // not the cause that the caller gave it
		}
		return
	}
	watch.advance(answered)
	x.arrived(answer.StatusCode, answer.ProtoMajor, fieldsOf(answer.Header))
	// Whatever becomes of the body, the outcome stands.
	limit := time.AfterFunc(s.opts.Timeouts.Body, stop)
	x.response, _ = keep(answer.Body, answer.ContentLength, s.opts.ResponseCap)
	limit.Stop()
	answer.Body.Close()
	_, x.timings, x.reused = watch.result()
}

// request makes the request of net/http. Net/http repeats it by itself when a
// kept connection breaks before the answer, as the direct transport does; the
// Idempotency-Key without a value tells it that it may, and is not sent.
func (x *exchange) request(ctx context.Context) *http.Request {
	method, address, header := http.MethodPost, x.to.url, x.to.header
	if x.passed == nil {
		header = maps.Clone(header)
	} else {
		method, address, header = x.passed.method, x.passed.url, x.passed.header()
	}
	if x.contentType != "" {
		header["Content-Type"] = []string{x.contentType}
	}
	if _, own := header["Idempotency-Key"]; !own {
		header["Idempotency-Key"] = []string{}
	}
	for _, n := range x.to.names {
		header[n.id] = []string{string(x.id)}
		header[n.timestamp] = []string{string(x.timestamp)}
		header[n.signature] = []string{string(x.signature)}
	}
	if len(x.parent) > 0 {
		header[headerParent] = []string{string(x.parent)}
	}
	r := &http.Request{
		Method: method, URL: address, Host: address.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}
	if body := x.body; len(body) > 0 {
		repeats := 0
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) {
			if repeats++; repeats > maxRepeats {
				return nil, errRepeated
			}
			return io.NopCloser(bytes.NewReader(body)), nil
		}
	}
	return r.WithContext(ctx)
}

// fieldsOf lists a header in the order of its names.
func fieldsOf(header http.Header) []field {
	fields := make([]field, 0, len(header))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fields = append(fields, field{[]byte(name), []byte(value)})
		}
	}
	return fields
}

// keep reads an answer's body: it returns up to limit bytes of it, and reads a
// little more. ended reports that this was all. size is the length that the
// header gives, -1 if it gives none.
func keep(body io.Reader, size int64, limit int) (kept []byte, ended bool) {
	if size == 0 {
		return nil, true
	}
	room := 512
	if size > 0 {
		room = int(min(size, int64(limit)))
	}
	if limit > 0 {
		kept = make([]byte, 0, min(room, limit))
	}
	for len(kept) < limit {
		if len(kept) == cap(kept) {
			kept = slices.Grow(kept, 1)
		}
		n, err := body.Read(kept[len(kept):min(cap(kept), limit)])
		kept = kept[:len(kept)+n]
		if err != nil {
			return kept, errors.Is(err, io.EOF)
		}
		if size > 0 && int64(len(kept)) == size {
			return kept, true
		}
	}
	if size-int64(limit) > maxDrain {
		return wholeRunes(kept), false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(body, maxDrain+1))
	if n > 0 {
		kept = wholeRunes(kept)
	}
	return kept, err == nil && n <= maxDrain
}

// wholeRunes takes away the part of a character that the cap has left at the end:
// with it, text would no longer pass for text.
func wholeRunes(text []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if c := text[len(text)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(text[len(text)-i:]) {
				return text[:len(text)-i]
			}
			break
		}
	}
	return text
}
