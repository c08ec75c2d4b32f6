package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	maxHeaders     = 50
	maxHeaderName  = 256
	maxHeaderValue = 4096 // bytes
)

// Headers that an endpoint cannot set: they frame the request, describe its body,
// belong to a connection or a proxy, or are set by the sender itself.
var refusedHeaders = []string{
	"host", "content-length", "content-type", "content-encoding", "content-language", "content-location",
	"transfer-encoding", "te", "trailer", "trailers", "upgrade", "connection", "keep-alive", "proxy-authenticate",
	"proxy-authorization", "proxy-connection", "user-agent", "expect", "age", "cache-control", "expires", "pragma", "warning",
	"clear-site-data",
}

// Prefixes of names that clouds and signatures keep for themselves.
var refusedPrefixes = []string{
	"x-amz-", "x-amzn-", "x-google", "x-goog-", "x-gfe", "x-azure-", "x-fd-", "x-svix-", "svix-", "webhook-",
}

// Headers whose value is kept secret once it is stored.
var sensitiveHeaders = []string{"authorization", "x-api-key", "x-auth-token", "www-authenticate"}

// headers are the added request headers of an endpoint, names as they were given.
type headers map[string]string

func isSensitive(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(sensitiveHeaders, name) || strings.HasPrefix(name, "proxy-auth")
}

// find gives the name under which the header is stored, whatever its case.
func (h headers) find(name string) string {
	for stored := range h {
		if strings.EqualFold(stored, name) {
			return stored
		}
	}
	return name
}

func (h headers) set(name, value string) {
	delete(h, h.find(name))
	h[name] = value
}

func (h headers) setUserinfo(userinfo string) { h.set("authorization", basicAuth(userinfo)) }

// newHeaders checks headers that are given as a whole.
func (k *checker) newHeaders(given map[string]string) headers {
	h := headers{}
	for name, value := range given {
		if stored := h.find(name); stored != name {
			k.bad("is named twice", "headers", headerPlace(name))
		}
		k.header(name, value)
		h[name] = value
	}
	if len(given) > maxHeaders {
		k.bad("must have at most "+strconv.Itoa(maxHeaders)+" items", "headers")
	}
	return h
}

// header checks one header. A name that is no header name is not repeated.
func (k *checker) header(name, value string) {
	lower := strings.ToLower(name)
	switch {
	case !isHeaderName(name):
		k.bad("has a name that is not a header name", "headers")
	case slices.Contains(refusedHeaders, lower), slices.ContainsFunc(refusedPrefixes, func(p string) bool { return strings.HasPrefix(lower, p) }):
		k.bad("cannot be set: it belongs to the sender or the connection", "headers", headerPlace(name))
	case len(value) > maxHeaderValue:
		k.bad("must not be longer than 4096 bytes", "headers", headerPlace(name))
	case !isHeaderValue(value):
		k.bad("must consist of printable ASCII characters", "headers", headerPlace(name))
	}
}

func headerPlace(name string) string { return http.CanonicalHeaderKey(name) }

// isHeaderName holds for a token of RFC 9110.
func isHeaderName(s string) bool {
	if s == "" || len(s) > maxHeaderName {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}) < 0
}

// isHeaderValue holds for printable ASCII with blanks and tabs inside.
func isHeaderValue(s string) bool {
	if strings.TrimSpace(s) != s {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') }) < 0
}

func getHeaders(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	h, err := c.openHeaders(&e)
	if err != nil {
		return reply{}, err
	}
	out := apitype.EndpointHeadersOut{Headers: map[string]string{}, Sensitive: []string{}}
	for name, value := range h {
		if isSensitive(name) {
			out.Sensitive = append(out.Sensitive, name)
		} else {
			out.Headers[name] = value
		}
	}
	slices.Sort(out.Sensitive)
	return ok(out)
}

func putHeaders(c *call) (reply, error) {
	app, ref, err := c.appAndEndpoint()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.EndpointHeadersIn](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	h := k.newHeaders(in.Headers)
	if err := k.err(); err != nil {
		return reply{}, err
	}
	_, err = c.updateEndpoint(app, ref, nil, func(e *hook.Endpoint) error {
		e.UpdatedAt = c.now
		return c.sealHeaders(e, h)
	})
	if err != nil {
		return reply{}, err
	}
	return noContent()
}

func patchHeaders(c *call) (reply, error) {
	app, ref, err := c.appAndEndpoint()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.EndpointHeadersPatchIn](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	set, remove := headers{}, in.DeleteHeaders.Else(nil)
	for name, value := range in.Headers.Else(nil) {
		if value == nil {
			remove = append(remove, name)
			continue
		}
		k.header(name, *value)
		set[name] = *value
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	_, err = c.updateEndpoint(app, ref, nil, func(e *hook.Endpoint) error {
		h, err := c.openHeaders(e)
		if err != nil {
			return err
		}
		for _, name := range remove {
			delete(h, h.find(name))
		}
		for name, value := range set {
			h.set(name, value)
		}
		if len(h) > maxHeaders {
			return hook.Invalid("must have at most "+strconv.Itoa(maxHeaders)+" items", "body", "headers")
		}
		e.UpdatedAt = c.now
		return c.sealHeaders(e, h)
	})
	if err != nil {
		return reply{}, err
	}
	return noContent()
}

// adoptUserinfo turns the userinfo of a URL into the endpoint's authorization
// header. Without one the headers stay as they are.
func (c *call) adoptUserinfo(e *hook.Endpoint, userinfo string) error {
	if userinfo == "" {
		return nil
	}
	h, err := c.openHeaders(e)
	if err != nil {
		return err
	}
	h.setUserinfo(userinfo)
	return c.sealHeaders(e, h)
}

// openHeaders decrypts the headers of an endpoint.
func (c *call) openHeaders(e *hook.Endpoint) (headers, error) {
	h := headers{}
	if e.SealedHeaders == nil {
		return h, nil
	}
	text, err := c.Open(hook.PurposeHeaders, e.ID, e.SealedHeaders)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, fmt.Errorf("read the headers of an endpoint: %w", err)
	}
	return h, nil
}

// sealHeaders encrypts headers into an endpoint.
func (c *call) sealHeaders(e *hook.Endpoint, h headers) error {
	if len(h) == 0 {
		e.SealedHeaders = nil
		return nil
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	e.SealedHeaders, err = c.Seal(hook.PurposeHeaders, e.ID, text)
	return err
}
