package send

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Headers that tell about a webhook that was received and is passed on.
const (
	headerPath = "Grapnel-Path" // what followed the token in the path
	headerHops = "Grapnel-Hops" // how often it was passed on, this time included
	// originalPrefix is put before the name of a received header that has a name of
	// our own signature.
	originalPrefix = "X-Original-"
)

// passed is the part of a request that a received webhook brings with it. A message
// of the API has none.
type passed struct {
	method string
	url    *url.URL
	fields []field // in their order, without those of our signature
}

// droppedNames are the headers of a received webhook that say something about its
// own connection or way, or that are the receiver's credentials.
var droppedNames = map[string]bool{
	"host": true, "connection": true, "proxy-connection": true, "keep-alive": true, "te": true, "trailer": true, "trailers": true,
	"transfer-encoding": true, "upgrade": true, "expect": true, "content-length": true, "content-type": true, "accept-encoding": true,
	"http2-settings": true, "alt-used": true, "forwarded": true, "via": true, "x-real-ip": true, "true-client-ip": true,
	"cf-connecting-ip": true, "authorization": true, "cookie": true, "cookie2": true, "range": true, "if-range": true,
}

// dropped reports whether a received header stays behind. name is in lower case;
// listed are the names that its header Connection lists.
func dropped(name string, listed []string) bool {
	return droppedNames[name] || slices.Contains(listed, name) ||
		strings.HasPrefix(name, "proxy-") || strings.HasPrefix(name, "x-forwarded-") || strings.HasPrefix(name, "grapnel-")
}

// pass makes a received webhook's part of the request to the target.
func (t *target) pass(e *hook.Envelope, parent bool) *passed {
	p := &passed{method: e.Method, url: t.url, fields: make([]field, 0, len(e.Headers)+len(t.custom)+4)}
	if e.Query != "" {
		with := *t.url
		if with.RawQuery != "" {
			with.RawQuery += "&"
		}
		with.RawQuery += escapeQuery(e.Query)
		p.url = &with
	}
	listed, hops := connectionOf(e)
	for _, h := range e.Headers {
		name := strings.ToLower(h[0])
		if dropped(name, listed) && !slices.Contains(e.Forward, name) || !validName(h[0]) || !validValue(h[1]) {
			continue
		}
		if seen(t.custom, []byte(h[0])) || parent && (name == "traceparent" || name == "tracestate") {
			continue
		}
		if t.signs(h[0]) {
			h[0] = originalPrefix + h[0]
		}
		p.add(h[0], h[1])
	}
	p.fields = append(p.fields, t.custom...)
	p.addMissing("User-Agent", t.agent)
	p.addMissing("Accept", "*/*")
	p.add(headerHops, strconv.Itoa(hops+1))
	if e.Path != "" && validValue(e.Path) {
		p.add(headerPath, e.Path)
	}
	return p
}

func (p *passed) add(name, value string) {
	p.fields = append(p.fields, field{[]byte(name), []byte(strings.Trim(value, " \t"))})
}

func (p *passed) addMissing(name, value string) {
	if !seen(p.fields, []byte(name)) {
		p.add(name, value)
	}
}

// signs reports whether the name is one of our signature's.
func (t *target) signs(name string) bool {
	return slices.ContainsFunc(t.names, func(n signatureNames) bool {
		return strings.EqualFold(name, n.id) || strings.EqualFold(name, n.timestamp) || strings.EqualFold(name, n.signature)
	})
}

// connectionOf gives the names that the header Connection lists, and how often the
// webhook was passed on before.
func connectionOf(e *hook.Envelope) (listed []string, hops int) {
	for _, h := range e.Headers {
		switch {
		case strings.EqualFold(h[0], "connection"):
			for name := range strings.SplitSeq(h[1], ",") {
				listed = append(listed, strings.ToLower(strings.TrimSpace(name)))
			}
		case strings.EqualFold(h[0], headerHops):
			if n, err := strconv.ParseUint(h[1], 10, 16); err == nil {
				hops = int(n)
			}
		}
	}
	return listed, hops
}

// countsBody reports whether a request of this method says how long its body is even
// if there is none.
func countsBody(method string, body []byte) bool {
	return len(body) > 0 || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// appendHead writes everything of the request before our own lines.
func (p *passed) appendHead(b []byte) []byte {
	b = append(b, p.method...)
	b = append(b, ' ')
	b = append(b, p.url.RequestURI()...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, p.url.Host...)
	b = append(b, "\r\n"...)
	for _, f := range p.fields {
		b = append(b, f.name...)
		b = append(b, ": "...)
		b = append(b, f.value...)
		b = append(b, "\r\n"...)
	}
	return b
}

// header is the same for net/http. Names keep the letters that they have.
func (p *passed) header() http.Header {
	h := make(http.Header, len(p.fields)+8)
	for _, f := range p.fields {
		name := string(f.name)
		h[name] = append(h[name], string(f.value))
	}
	return h
}

// json is what was sent, as an open JSON object, secrets masked.
func (p *passed) json() []byte {
	return bytes.TrimSuffix(appendFields(nil, p.fields), []byte("}"))
}

// Pass sends a received webhook once to an address that belongs to no endpoint,
// without a signature of ours. The attempt is not numbered and belongs to nothing.
func (s *Sender) Pass(ctx context.Context, address string, m *hook.Message) hook.Attempt {
	start, now := time.Now(), s.opts.Now()
	a := hook.Attempt{Message: m.ID, Trigger: hook.TriggerManual, URL: address, StartedAt: now}
	checked, err := s.opts.Dialer.Policy.CheckURL(address)
	if err != nil {
		a.Outcome = hook.Outcome{Class: hook.FailPolicy, Detail: denial(err)}
		return a
	}
	to := &target{agent: s.opts.UserAgent, ownParent: true} // a traceparent names an attempt that is stored
	to.setURL(checked)
	to.writeHead(s.opts.UserAgent, nil)
	s.attempt(ctx, &a, to, &hook.Lease{Message: m}, start, now)
	return a
}
