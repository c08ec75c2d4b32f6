package send

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/netguard"
	"github.com/grapnelhq/grapnel/webhook"
)

// target is an endpoint made ready: its URL taken apart, its secrets opened, the
// part of the request that is the same for every message written out. It is
// read by many goroutines and not changed, http1 apart.
type target struct {
	revision   int64
	validUntil time.Time // when a secret in signer expires; zero: never
	refusal    string    // why nothing can be sent to it, for its owner; empty: it can

	url     *url.URL
	secure  bool
	host    string // without port, for TLS
	address string // host:port, for the dialer
	// http1 says that an answer over TLS came in HTTP/1.1.
	http1 atomic.Bool

	signer      *webhook.Signer
	names       []signatureNames
	agent       string      // User-Agent of ours
	custom      []field     // its own headers, in the order of their names
	ownParent   bool        // its own headers have a traceparent
	head        []byte      // request line and fixed lines, for the direct transport
	header      http.Header // the same lines for net/http
	headersJSON []byte      // the same as an open JSON object, secrets masked
}

// prepareError is what keeps an endpoint from being sent to. Its text is the
// sentence for the owner, the wrapped error is for the operator.
type prepareError struct {
	sentence string
	err      error
	// fault says that it is the operator's to mend.
	fault bool
}

func (e *prepareError) Error() string { return e.sentence }
func (e *prepareError) Unwrap() error { return e.err }

// The sentences of endpoints that cannot be sent to.
const (
	sentenceSecret  = "The signing secret cannot be read: the master key does not fit it. Nothing was sent."
	sentenceNoKey   = "The endpoint has no signing secret that is valid now. Nothing was sent."
	sentenceHeaders = "The custom headers of the endpoint cannot be read: the master key does not fit them. Nothing was sent."
	sentenceHeader  = "A custom header of the endpoint has a name or value that HTTP does not allow. Nothing was sent."
	sentenceURL     = "The URL of the endpoint cannot be used. Nothing was sent."
	sentenceBody    = "The payload is gone, so there is nothing to send."
	sentenceContent = "The content type of the message has characters that HTTP does not allow. Nothing was sent."
)

// prepare makes a target of the endpoint as it is at now.
func (s *Sender) prepare(e *hook.Endpoint, now time.Time) (*target, error) {
	t := &target{revision: e.Revision, names: s.names, agent: s.opts.UserAgent}
	checked, err := s.opts.Dialer.Policy.CheckURL(e.URL)
	if err != nil {
		return nil, &prepareError{sentence: denial(err), err: err}
	}
	t.setURL(checked)
	if err := t.readSecrets(e, s.opts.Open, now); err != nil {
		return nil, err
	}
	custom, err := openHeaders(e, s.opts.Open)
	if err != nil {
		return nil, err
	}
	t.custom = custom
	t.ownParent = seen(custom, []byte("traceparent"))
	t.writeHead(s.opts.UserAgent, custom)
	return t, nil
}

// setURL leaves out the userinfo: it is a credential that the API has put into
// the custom headers.
func (t *target) setURL(checked netguard.Target) {
	t.url, t.host, t.secure = checked.URL, checked.Host, checked.URL.Scheme == "https"
	t.url.RawQuery = escapeQuery(t.url.RawQuery)
	t.address = net.JoinHostPort(checked.Host, strconv.Itoa(int(checked.Port)))
}

// escapeQuery escapes what the check lets through and a request line cannot hold.
func escapeQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// readSecrets opens every secret that has not expired. One that cannot be opened
// fails them all: a receiver that still has the older secret would refuse the rest.
func (t *target) readSecrets(e *hook.Endpoint, open hook.SealFunc, now time.Time) error {
	var keys []webhook.Key
	for _, secret := range e.Secrets {
		if !secret.ExpiresAt.IsZero() {
			if !now.Before(secret.ExpiresAt) {
				continue
			}
			if t.validUntil.IsZero() || secret.ExpiresAt.Before(t.validUntil) {
				t.validUntil = secret.ExpiresAt
			}
		}
		text, err := open(hook.PurposeSecret, e.ID, secret.Sealed)
		if err != nil {
			return &prepareError{fault: true, sentence: sentenceSecret, err: fmt.Errorf("opening a signing secret: %w", err)}
		}
		key, err := webhook.ParseLooseKey(string(text))
		if err != nil {
			return &prepareError{fault: true, sentence: sentenceSecret, err: err}
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return &prepareError{fault: true, sentence: sentenceNoKey, err: errors.New("every secret has expired, or none was given")}
	}
	signer, err := webhook.NewSigner(keys...)
	if err != nil {
		return &prepareError{fault: true, sentence: sentenceSecret, err: err}
	}
	t.signer = signer
	return nil
}

// openHeaders gives the custom headers in the order of their names, without
// those that are ours.
func openHeaders(e *hook.Endpoint, open hook.SealFunc) ([]field, error) {
	if len(e.SealedHeaders) == 0 {
		return nil, nil
	}
	text, err := open(hook.PurposeHeaders, e.ID, e.SealedHeaders)
	if err != nil {
		return nil, &prepareError{fault: true, sentence: sentenceHeaders, err: fmt.Errorf("opening custom headers: %w", err)}
	}
	var values map[string]string
	if json.Unmarshal(text, &values) != nil {
		// The error of encoding/json may quote the value.
		return nil, &prepareError{fault: true, sentence: sentenceHeaders, err: errors.New("the custom headers are not a JSON object of strings")}
	}
	var fields []field
	for name, value := range values {
		if reserved(name) {
			continue
		}
		if !validName(name) || !validValue(value) {
			return nil, &prepareError{sentence: sentenceHeader, err: errors.New("a custom header is not valid")}
		}
		fields = append(fields, field{[]byte(name), []byte(strings.Trim(value, " \t"))})
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(string(a.name), string(b.name)) })
	return fields, nil
}

// writeHead writes what is the same in every request to this endpoint.
func (t *target) writeHead(userAgent string, custom []field) {
	fixed := []field{{[]byte("User-Agent"), []byte(userAgent)}}
	if !seen(custom, []byte("accept")) {
		fixed = append(fixed, field{[]byte("Accept"), []byte("*/*")})
	}
	fixed = append(fixed, custom...)

	t.head = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\n", t.url.RequestURI(), t.url.Host)
	t.header = make(http.Header, len(fixed)+8)
	for _, f := range fixed {
		t.head = fmt.Appendf(t.head, "%s: %s\r\n", f.name, f.value)
		t.header[string(f.name)] = []string{string(f.value)}
		shown := string(f.value)
		if sensitive(f.name) {
			shown = masked
		}
		t.headersJSON = appendMember(t.headersJSON, string(f.name), shown)
	}
}

// targets keeps prepared endpoints by id, for one revision each.
type targets struct {
	max int

	mu   sync.RWMutex // guards byID
	byID map[hook.ID]*target
}

func (c *targets) find(e *hook.Endpoint, now time.Time) *target {
	c.mu.RLock()
	t := c.byID[e.ID]
	c.mu.RUnlock()
	if t == nil || t.revision != e.Revision || !t.validUntil.IsZero() && !now.Before(t.validUntil) {
		return nil
	}
	return t
}

// keep makes room by dropping any eighth: which one hardly matters, since a
// dropped endpoint costs one opening of its secrets.
func (c *targets) keep(id hook.ID, t *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.byID[id]; !known && len(c.byID) >= c.max {
		room := max(c.max/8, 1)
		for old := range c.byID {
			delete(c.byID, old)
			if room--; room == 0 {
				break
			}
		}
	}
	c.byID[id] = t
}
