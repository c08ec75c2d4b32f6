package ingest

import (
	"errors"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/provider"
)

// Bounds of what the owner of a source can choose.
const (
	maxRate       = 1_000_000
	maxRules      = 32
	maxRoutes     = 32
	maxTypes      = 100
	maxNets       = 100
	maxForward    = 32
	maxCA         = 64 << 10 // bytes
	maxAnswer     = 64 << 10 // bytes of one body
	maxHeaderName = 100
	maxHeaderText = 1024
)

// Check says what is wrong with a source and the texts of its secrets: an *Error
// with CodeInvalid that names each place below "body". A source without a secret is
// right although nothing is verified yet: many providers give the secret only when
// they have been given the URL. A cron source without NextFire gets one.
func (g *Gateway) Check(s *hook.Source, secrets []string) error {
	k := &checker{}
	if s.Type == TypeCron {
		g.checkCron(k, s, secrets)
	} else {
		g.checkReceiver(k, s, secrets)
	}
	k.routes(s)
	if len(k.fields) == 0 {
		return nil
	}
	return &hook.Error{Code: hook.CodeInvalid, Fields: k.fields}
}

// checker gathers faults.
type checker struct{ fields []hook.Field }

func (k *checker) bad(msg string, path ...string) {
	k.fields = append(k.fields, hook.Field{Loc: append([]string{"body"}, path...), Msg: msg, Type: "value_error"})
}

func (g *Gateway) checkReceiver(k *checker, s *hook.Source, secrets []string) {
	set := &s.Settings
	if set.Cron != nil {
		k.bad("is for sources of type cron", "cron")
	}
	p, ok := provider.Find(s.Type)
	if !ok {
		k.bad("is no known type of source", "type")
		return
	}
	known := make([]provider.Secret, len(secrets))
	for i, text := range secrets {
		known[i].Value = text
	}
	if _, err := newVerifier(p.Name, set.Verification, g.fetch, known); err != nil && !errors.Is(err, provider.ErrNoSecret) {
		k.verification(&p, set, err, len(secrets) > 0, g.fetch)
	}
	k.dedupe(&set.Dedupe)
	k.pick(&set.EventType, true, "eventType")
	k.responses(set.Responses)
	k.limits(set, g.MaxBody)
	k.senders(set)
}

// verification finds out which of the two is wrong: the settings alone, or a secret.
func (k *checker) verification(p *provider.Provider, set *hook.SourceSettings, err error, secrets bool, fetch fetchFunc) {
	if secrets {
		alone := fetchless(p.Name, set, fetch)
		if alone == nil || errors.Is(alone, provider.ErrNoSecret) {
			k.bad(err.Error(), "secrets")
			return
		}
	}
	k.bad(err.Error(), "verification")
}

func fetchless(name string, set *hook.SourceSettings, fetch fetchFunc) error {
	_, err := newVerifier(name, set.Verification, fetch, nil)
	return err
}

func (k *checker) dedupe(d *hook.Dedupe) {
	switch d.By {
	case "", "hash", "none":
		if d.At != "" {
			k.bad("is for the ways header and body", "dedupe", "at")
		}
	case "header":
		if !isToken9110(d.At) {
			k.bad("must be the name of a header", "dedupe", "at")
		}
	case "body":
		k.path(d.At, "dedupe", "at")
	default:
		k.bad("must be header, body, hash, none, or empty for the provider's own", "dedupe", "by")
	}
}

// pick checks a word or a place. words says that the word is an event type in the
// sender's words, not a name.
func (k *checker) pick(p *hook.Pick, words bool, at ...string) {
	chosen := 0
	for _, text := range []string{p.Fixed, p.Header, p.Body} {
		if text != "" {
			chosen++
		}
	}
	if chosen > 1 {
		k.bad("must have one of fixed, header and body", at...)
		return
	}
	switch {
	case p.Fixed != "" && words && cleanType(p.Fixed) != p.Fixed:
		k.bad("must be 1 to 256 bytes without blanks and control characters", append(at, "fixed")...)
	case p.Fixed != "" && !words && nameOf(p.Fixed) != p.Fixed:
		k.bad("must be 1 to 256 letters, digits or - _ . without empty parts", append(at, "fixed")...)
	case p.Header != "" && !isToken9110(p.Header):
		k.bad("must be the name of a header", append(at, "header")...)
	case p.Body != "":
		k.path(p.Body, append(at, "body")...)
	}
}

func (k *checker) path(path string, at ...string) {
	if path == "" || len(path) > maxType || strings.Count(path, ".") >= maxSteps || !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		k.bad("must be a path such as data.id", at...)
	}
}

func (k *checker) responses(rules []hook.ResponseRule) {
	if len(rules) > maxRules {
		k.bad("must have at most 32 items", "responses")
		return
	}
	for i := range rules {
		k.response(&rules[i], "responses", index(i))
	}
}

// ownHeaders are those of an answer that belong to the server: to the connection, or
// to what browsers keep for the whole of its origin.
var ownHeaders = []string{
	"Clear-Site-Data", "Content-Security-Policy", "Content-Security-Policy-Report-Only", "Refresh", "Service-Worker-Allowed", "Set-Cookie2",
	"X-Content-Type-Options", "Connection", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Trailer", "Te", "Upgrade", "Keep-Alive", "Date", "Set-Cookie",
	"Proxy-Authenticate", "Proxy-Connection", "Alt-Svc", "Strict-Transport-Security", HeaderDurability, HeaderRequest,
}

func (k *checker) response(r *hook.ResponseRule, at ...string) {
	if r.Status < 200 || r.Status > 299 {
		k.bad("must be 200 to 299: the event was accepted", append(at, "status")...)
	}
	bodyless := r.Status == http.StatusNoContent || r.Status == http.StatusResetContent
	if bodyless && r.Body != "" {
		k.bad("must be empty with this status", append(at, "body")...)
	}
	if len(r.Body) > maxAnswer {
		k.bad("must not be longer than 64 KiB", append(at, "body")...)
	}
	if len(r.Headers) > maxRules {
		k.bad("must have at most 32 items", append(at, "headers")...)
	}
	for name, value := range r.Headers {
		switch {
		case !isToken9110(name) || len(value) > maxHeaderText || strings.ContainsFunc(value, notInHeader):
			k.bad("must be names and values that HTTP allows", append(at, "headers")...)
		case slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(name)):
			k.bad("must not have "+textproto.CanonicalMIMEHeaderKey(name)+", which is the server's", append(at, "headers")...)
		}
	}
	if r.EventType != "" && cleanType(r.EventType) != r.EventType {
		k.bad("must be an event type", append(at, "eventType")...)
	}
}

func notInHeader(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }

// isToken9110 reports whether a text can be the name of a header.
func isToken9110(name string) bool {
	return name != "" && len(name) <= maxHeaderName && !strings.ContainsFunc(name, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func (k *checker) limits(set *hook.SourceSettings, server int64) {
	if set.Rate < 0 || set.Rate > maxRate {
		k.bad("must be 1 to 1000000 requests a second, or 0 for no limit", "rate")
	}
	if set.MaxBody < 0 || int64(set.MaxBody) > server {
		k.bad("must be within the server's own limit, in bytes; 0 is that one", "maxBody")
	}
	for i, m := range set.Methods {
		if !slices.Contains([]string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet}, m) || slices.Contains(set.Methods[:i], m) {
			k.bad("must be PUT, PATCH, DELETE or GET, each once; POST is always taken", "methods", index(i))
		}
	}
}

func (k *checker) senders(set *hook.SourceSettings) {
	if len(set.AllowNets) > maxNets {
		k.bad("must have at most 100 items", "allowNets")
	} else if _, err := parseNets(set.AllowNets); err != nil {
		k.bad(err.Error(), "allowNets")
	}
	if len(set.ClientCA) > maxCA {
		k.bad("must not be longer than 64 KiB", "clientCa")
	} else if _, err := parseRoots(set.ClientCA); err != nil {
		k.bad(err.Error(), "clientCa")
	}
	if len(set.ForwardHeaders) > maxForward {
		k.bad("must have at most 32 items", "forwardHeaders")
	}
	for i, name := range set.ForwardHeaders {
		if !slices.ContainsFunc([]string{"Authorization", "Cookie"}, func(n string) bool { return strings.EqualFold(n, name) }) {
			k.bad("must be Authorization or Cookie; all others are passed on, or never are", "forwardHeaders", index(i))
		}
	}
}

func (k *checker) routes(s *hook.Source) {
	routes := s.Settings.Routes
	if len(routes) > maxRoutes {
		k.bad("must have at most 32 items", "routes")
		return
	}
	for i := range routes {
		r, at := &routes[i], []string{"routes", index(i)}
		if r.App.IsZero() {
			k.bad("must be the id of an application", append(at, "app")...)
		}
		if slices.ContainsFunc(routes[:i], func(other hook.SourceRoute) bool { return other.App == r.App }) {
			k.bad("has a route already", append(at, "app")...)
		}
		k.pick(&r.EventType, false, append(at, "eventType")...)
		if len(r.Only) > maxTypes {
			k.bad("must have at most 100 items", append(at, "only")...)
		}
		for _, only := range r.Only {
			if only == "" || cleanType(only) != only {
				k.bad("must be event types", append(at, "only")...)
			}
		}
	}
}
