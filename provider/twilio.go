package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // as HMAC, and because Twilio uses it
	"crypto/subtle"
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// twilioScheme signs the address that Twilio was given, and with it the form fields, or
// a hash of any other body that stands in the query.
type twilioScheme struct{ plainSecret }

var _ scheme = twilioScheme{}

const (
	twilioHeader   = "X-Twilio-Signature"
	twilioBodyHash = "bodySHA256"
)

var twilio = Provider{
	Name:  "twilio",
	Title: "Twilio",
	Scheme: "HMAC-SHA1 (base64) in X-Twilio-Signature of the URL and the sorted form fields; " +
		"for other bodies of the URL with bodySHA256",
	Headers: []string{twilioHeader, "I-Twilio-Idempotency-Token"},
	SecretHelp: "Console > Account > API keys & tokens: the auth token (not an API key's secret). " +
		"The URL of the source must be the one that Twilio calls, as the signature covers it.",
	AnswerWithin: 15 * time.Second,
	Accepted: Answer{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}, Body: []byte("<Response/>"),
	},
	Methods: []string{http.MethodGet},
	scheme:  twilioScheme{},
	// A message is told of once in each state. What calls tell has no id but that of the try.
	eventID: firstOf(joined(":", inForm("MessageSid"), firstOf(inForm("MessageStatus"), inForm("SmsStatus"))),
		inHeader("I-Twilio-Idempotency-Token")),
	eventType: firstOf(inForm("MessageStatus"), inForm("SmsStatus"), inForm("CallStatus"), inForm("EventType"), inBody("0.type")),
}

func (twilioScheme) verify(_ context.Context, r *Request, k key, _ *Settings, _ time.Time) Verdict {
	text, refused := single(r.Header, twilioHeader)
	if refused.Reason != "" {
		return refused
	}
	signature, ok := base64Std.bytes(text)
	if !ok || len(signature) != sha1.Size {
		return refuse(MalformedHeader, "The signature is not the base64 of a SHA-1.")
	}
	fields, refused := twilioFields(r)
	if refused.Reason != "" {
		return refused
	}
	fits := 0
	for _, address := range twilioURLs(r.URL) {
		fits |= subtle.ConstantTimeCompare(signature, twilioMAC(k, address, fields))
	}
	if fits == 0 {
		return refuse(SignatureMismatch, noFit+" It covers the URL that Twilio was given.")
	}
	return Verdict{Reason: Verified}
}

func twilioMAC(k key, address, fields string) []byte {
	h := hmac.New(sha1.New, k.bytes)
	h.Write([]byte(address + fields))
	return h.Sum(nil)
}

// twilioFields is what is signed after the URL: for a form its names and values. A body
// that is none must have its hash in the URL, else nothing would cover it.
func twilioFields(r *Request) (string, Verdict) {
	if want := inQuery(twilioBodyHash)(r); want != "" {
		if subtle.ConstantTimeCompare([]byte(strings.ToLower(want)), []byte(hexSHA256(r.Body))) != 1 {
			return "", refuse(SignatureMismatch, "The body is not the one whose hash is in the URL (bodySHA256).")
		}
		return "", Verdict{}
	}
	if len(r.Body) == 0 {
		return "", Verdict{}
	}
	if !isForm(r.Header) {
		return "", refuse(MalformedBody, "The body is no form and the URL has no bodySHA256, so nothing covers the body.")
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return "", refuse(MalformedBody, "The form cannot be read.")
	}
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		values := form[name]
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			text.WriteString(name + value)
		}
	}
	return text.String(), Verdict{}
}

func isForm(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// twilioURLs are the spellings of the configured URL that Twilio may have signed: with
// and without the default port, and with the apostrophes of the query as they are.
func twilioURLs(address string) []string {
	urls := []string{address}
	if other := otherPort(address); other != "" {
		urls = append(urls, other)
	}
	for _, one := range urls[:len(urls):len(urls)] {
		if path, query, ok := strings.Cut(one, "?"); ok && strings.Contains(query, "%27") {
			urls = append(urls, path+"?"+strings.ReplaceAll(query, "%27", "'"))
		}
	}
	return urls
}

// otherPort is the address without the default port of its scheme, or with it if it has
// none; empty if it names another port.
func otherPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	standard := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	switch {
	case standard == "":
		return ""
	case u.Port() == standard:
		return strings.Replace(address, u.Host, strings.TrimSuffix(u.Host, ":"+standard), 1)
	case u.Port() == "":
		return strings.Replace(address, u.Host, u.Host+":"+standard, 1)
	}
	return ""
}

// sign adds bodySHA256 to the URL for a body that is no form.
func (twilioScheme) sign(r *Request, k key, _ *Settings, _ string, _ time.Time) error {
	if len(r.Body) > 0 && !isForm(r.Header) && inQuery(twilioBodyHash)(r) == "" {
		separator := "?"
		if strings.Contains(r.URL, "?") {
			separator = "&"
		}
		r.URL += separator + twilioBodyHash + "=" + hexSHA256(r.Body)
	}
	fields, refused := twilioFields(r)
	if refused.Reason != "" {
		return errBody
	}
	r.Header.Set(twilioHeader, base64.StdEncoding.EncodeToString(twilioMAC(k, r.URL, fields)))
	return nil
}
