package api

import (
	"crypto/x509"
	"encoding/pem"
	"mime"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	wordRule        = "must be 1 to 256 bytes without blanks and control characters"
	maxRate         = 100_000
	maxResponses    = 20
	maxResponseBody = 64 << 10 // bytes
	maxRoutes       = 20
	maxOnly         = 100
	maxNets         = 100
	maxPEM          = 64 << 10 // bytes
	maxPath         = 256
)

// isWord holds for event types of sources, which are the words of the providers.
func isWord(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) &&
		strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) < 0
}

// sourceOptions states the options that are present.
func (k *checker) sourceOptions(s *hook.Source, in *sourceEdit, mostBody int64) {
	o := &s.Settings
	if !in.Dedupe.IsZero() {
		o.Dedupe = k.dedupe(in.Dedupe.Else(apitype.SourceDedupe{}))
	}
	if !in.EventType.IsZero() {
		o.EventType = k.pick(in.EventType.Else(apitype.SourcePick{}), isWord, wordRule, "eventType")
	}
	if !in.Responses.IsZero() {
		o.Responses = k.responses(in.Responses.Else(nil))
	}
	if !in.Routes.IsZero() {
		o.Routes = in.routes
	}
	if !in.Rate.IsZero() {
		rate, given := in.Rate.Get()
		if given && (rate < 1 || rate > maxRate) {
			k.bad("must be from 1 to 100000, or null for no limit", "rate")
		}
		o.Rate = int(rate)
	}
	if !in.MaxBody.IsZero() {
		most, given := in.MaxBody.Get()
		if given && (most < 1 || most > mostBody) {
			k.bad("must be from 1 to "+strconv.FormatInt(mostBody, 10)+", the server's own limit, or null for that", "maxBody")
		}
		o.MaxBody = int(most)
	}
	k.admission(s, in)
}

// admission states what decides whether a request is looked at.
func (k *checker) admission(s *hook.Source, in *sourceEdit) {
	o := &s.Settings
	if !in.EmptyBody.IsZero() {
		o.EmptyBody = in.EmptyBody.Else(false)
	}
	if !in.RequireJSON.IsZero() {
		o.RequireJSON = in.RequireJSON.Else(false)
	}
	if !in.Disabled.IsZero() {
		s.Disabled = in.Disabled.Else(false)
	}
	if !in.Methods.IsZero() {
		o.Methods = k.methods(in.Methods.Else(nil))
	}
	if !in.AllowNets.IsZero() {
		o.AllowNets = k.nets(in.AllowNets.Else(nil))
	}
	if !in.ClientCA.IsZero() {
		o.ClientCA = k.authorities(in.ClientCA.Else(""))
	}
	if !in.ForwardHeaders.IsZero() {
		o.ForwardHeaders = k.forwarded(in.ForwardHeaders.Else(nil))
	}
}

func (k *checker) dedupe(in apitype.SourceDedupe) hook.Dedupe {
	switch in.By {
	case "", "hash", "none":
		if in.At != "" {
			k.bad("is for header and body only", "dedupe", "at")
		}
	case "header":
		if !isHeaderName(in.At) {
			k.bad("must be the name of a header", "dedupe", "at")
		}
	case "body":
		k.bodyPath(in.At, "dedupe", "at")
	default:
		k.bad("must be header, body, hash or none", "dedupe", "by")
	}
	return hook.Dedupe(in)
}

func (k *checker) bodyPath(path string, place ...string) {
	if path == "" || len(path) > maxPath || !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		k.bad("must be a path of 1 to 256 bytes such as data.id", place...)
	}
}

// pick checks a fixed word or the place of one.
func (k *checker) pick(in apitype.SourcePick, valid func(string) bool, rule string, place ...string) hook.Pick {
	at := func(member string) []string { return append(slices.Clone(place), member) }
	n := 0
	if in.Fixed != "" {
		if n++; !valid(in.Fixed) {
			k.bad(rule, at("fixed")...)
		}
	}
	if in.Header != "" {
		if n++; !isHeaderName(in.Header) {
			k.bad("must be the name of a header", at("header")...)
		}
	}
	if in.Body != "" {
		n++
		k.bodyPath(in.Body, at("body")...)
	}
	if n > 1 {
		k.bad("must have one of fixed, header and body", place...)
	}
	return hook.Pick(in)
}

func (k *checker) responses(in []apitype.SourceResponse) []hook.ResponseRule {
	if len(in) > maxResponses {
		k.bad("must have at most 20 items", "responses")
		return nil
	}
	var out []hook.ResponseRule
	for i, r := range in {
		at := "[" + strconv.Itoa(i) + "]"
		switch {
		case r.EventType != "" && !isWord(r.EventType):
			k.bad(wordRule, "responses", at, "eventType")
		case r.Status < 200 || r.Status > 299:
			k.bad("must be from 200 to 299", "responses", at, "status")
		case len(r.Body) > maxResponseBody:
			k.bad("must not be longer than 65536 bytes", "responses", at, "body")
		case r.Body != "" && (r.Status == http.StatusNoContent || r.Status == http.StatusResetContent):
			k.bad("must be empty with this status", "responses", at, "body")
		}
		k.answerHeaders(r.Headers, "responses", at, "headers")
		out = append(out, hook.ResponseRule(r))
	}
	return out
}

// framingHeaders are those of an answer that the server itself decides.
var framingHeaders = []string{
	"connection", "content-length", "date", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}

func (k *checker) answerHeaders(headers map[string]string, place ...string) {
	if len(headers) > maxHeaders {
		k.bad("must have at most "+strconv.Itoa(maxHeaders)+" items", place...)
	}
	for name, value := range headers {
		switch {
		case !isHeaderName(name):
			k.bad("has a name that is not a header name", place...)
		case slices.Contains(framingHeaders, strings.ToLower(name)):
			k.bad("cannot be set: it belongs to the connection", append(slices.Clone(place), headerPlace(name))...)
		case len(value) > maxHeaderValue || !isHeaderValue(value):
			k.bad("must be at most 4096 printable ASCII characters", append(slices.Clone(place), headerPlace(name))...)
		}
	}
}

// sourceRoutes checks routes and finds their applications.
func (c *call) sourceRoutes(in []apitype.SourceRoute) ([]hook.SourceRoute, error) {
	var k checker
	if len(in) > maxRoutes {
		k.bad("must have at most 20 items", "routes")
		return nil, k.err()
	}
	var out []hook.SourceRoute
	for i, r := range in {
		at := "[" + strconv.Itoa(i) + "]"
		if len(r.Only) > maxOnly {
			k.bad("must have at most 100 items", "routes", at, "only")
		}
		for j, word := range r.Only {
			if !isWord(word) {
				k.bad(wordRule, "routes", at, "only", "["+strconv.Itoa(j)+"]")
			}
		}
		route := hook.SourceRoute{EventType: k.pick(r.EventType, isName, nameRule, "routes", at, "eventType"), Only: r.Only}
		ref, err := parseRef(hook.KindApplication, r.App, "app")
		if err != nil {
			k.bad("is not the id or uid of an application", "routes", at, "app")
			continue
		}
		app, err := c.Store.FindApplication(c.ctx(), c.key.Env, ref)
		switch {
		case isCode(err, hook.CodeNotFound), err == nil && app.Source:
			k.bad("is no application of this environment", "routes", at, "app")
		case err != nil:
			return nil, err
		}
		route.App = app.ID
		out = append(out, route)
	}
	return out, k.err()
}

var moreMethods = []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet}

func (k *checker) methods(in []string) []string {
	out := make([]string, 0, len(in))
	for i, m := range in {
		m = strings.ToUpper(m)
		switch {
		case !slices.Contains(moreMethods, m):
			k.bad("must be PUT, PATCH, DELETE or GET; POST is always taken", "methods", "["+strconv.Itoa(i)+"]")
		case slices.Contains(out, m):
			k.bad("is named twice", "methods", "["+strconv.Itoa(i)+"]")
		}
		out = append(out, m)
	}
	return out
}

// nets reads networks and single addresses, and gives them as networks.
func (k *checker) nets(in []string) []string {
	if len(in) > maxNets {
		k.bad("must have at most 100 items", "allowNets")
		return nil
	}
	var out []string
	for i, text := range in {
		net, err := netip.ParsePrefix(text)
		if addr, alone := netip.ParseAddr(text); alone == nil && addr.Zone() == "" {
			net, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil:
			k.bad("is not a network such as 192.0.2.0/24 or an address", "allowNets", "["+strconv.Itoa(i)+"]")
			continue
		case net.Addr().Is4In6():
			k.bad("is an IPv4 network in the form of IPv6; write it as IPv4", "allowNets", "["+strconv.Itoa(i)+"]")
		}
		out = append(out, net.Masked().String())
	}
	return out
}

// authorities reads certificates in PEM.
func (k *checker) authorities(text string) string {
	if len(text) > maxPEM {
		k.bad("must not be longer than 65536 bytes", "clientCa")
		return ""
	}
	n, rest := 0, []byte(text)
	for len(strings.TrimSpace(string(rest))) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			k.bad("must be certificates in PEM and nothing else", "clientCa")
			return ""
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			k.bad("has a certificate that cannot be read", "clientCa")
			return ""
		}
		n++
	}
	if n == 0 {
		return ""
	}
	return text
}

func (k *checker) forwarded(in []string) []string {
	out := make([]string, 0, len(in))
	for i, name := range in {
		name = http.CanonicalHeaderKey(name)
		switch {
		case name != "Authorization" && name != "Cookie":
			k.bad("must be Authorization or Cookie; the others are passed on anyway, or belong to the connection", "forwardHeaders", "["+strconv.Itoa(i)+"]")
		case slices.Contains(out, name):
			k.bad("is named twice", "forwardHeaders", "["+strconv.Itoa(i)+"]")
		}
		out = append(out, name)
	}
	return out
}

// cron states the schedule by its own member.
func (k *checker) cron(s *hook.Source, in *sourceEdit, mostBody int64) {
	cron, given := in.Cron.Get()
	switch {
	case !given:
		s.Settings.Cron = nil
		return
	case !in.Config.IsZero() && s.Type == typeCron:
		k.bad("cannot be given together with config", "cron")
	}
	k.checkCron(&cron, mostBody, "cron")
	settings := hook.CronSettings(cron)
	s.Settings.Cron = &settings
}

// checkCron checks all of it but the schedule.
func (k *checker) checkCron(in *apitype.SourceCron, mostBody int64, place string) {
	if in.EventType != "" && !isWord(in.EventType) {
		k.bad(wordRule, place, "eventType")
	}
	if in.ContentType != "" {
		if _, _, err := mime.ParseMediaType(in.ContentType); err != nil || !isHeaderValue(in.ContentType) || len(in.ContentType) > maxLabel {
			k.bad("is not a media type", place, "contentType")
		}
	}
	if int64(len(in.Payload)) > mostBody {
		k.bad("must not be longer than "+strconv.FormatInt(mostBody, 10)+" bytes", place, "payload")
	}
	if _, err := time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "Local" {
		k.bad("is not a time zone such as Europe/Berlin", place, "timeZone")
	}
}
