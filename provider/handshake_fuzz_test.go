package provider_test

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

// visitable are the only hosts that a handshake may name for a visit.
var visitable = regexp.MustCompile(`^(sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|rp-[a-z0-9-]+\.eventgrid\.azure\.(net|us|cn)(:443|:553)?)$`)

// FuzzHandshake shows requests to every provider that has a handshake, as if they had been
// verified and as if not. Whatever is in them, the answer is small, is never a page, has
// no secret in it, and nothing but the pinned hosts is named for a visit.
func FuzzHandshake(f *testing.F) {
	for _, c := range readChallenges(f) {
		for name, value := range c.Request.Headers {
			f.Add(c.Request.Method, c.Request.Query, name, value, []byte(c.Request.Body))
		}
		f.Add(c.Request.Method, c.Request.Query, "", "", []byte(c.Request.Body))
	}
	f.Add("POST", "", "X-Hook-Secret", "a\r\nb", []byte(`{"verification_token":"<script>"}`))
	f.Add("POST", "", "Aeg-Event-Type", "SubscriptionValidation",
		[]byte(`[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"1","validationUrl":"https://rp-eastus.eventgrid.azure.net:553/x"}}]`))
	f.Add("POST", "", "", "", []byte(`{"Type":"SubscriptionConfirmation","TopicArn":"arn:aws:sns:eu-central-1:000000000001:kettle","SubscribeURL":`+
		`"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-central-1:000000000001:kettle&Token=1"}`))
	verifiers := handshakeVerifiers(f)
	f.Fuzz(func(t *testing.T, method, query, name, value string, body []byte) {
		r := provider.Request{Method: method, URL: receiverURL + "?" + query, Header: http.Header{}, Body: body}
		if name != "" {
			r.Header.Set(name, value)
		}
		asked := strings.Join([]string{query, name, value, string(body)}, "\n")
		for _, v := range verifiers {
			for _, reason := range []provider.Reason{provider.Verified, provider.SignatureMismatch} {
				if found, ok := v.Handshake(r, provider.Verdict{Reason: reason}, challengeTime); ok {
					checkHarmless(t, v.Provider().Name, found, asked)
				}
			}
		}
	})
}

func handshakeVerifiers(f *testing.F) []*provider.Verifier {
	settings := map[string]provider.Settings{
		"meta": {VerifyToken: textSecret}, "strava": {VerifyToken: textSecret}, "websub": {Topics: []string{"https://example.com/feed"}},
		"cloudevents": {Origins: []string{"*"}}, "azure-event-grid": {Confirm: true},
		"aws-sns": {Confirm: true, Topics: []string{"arn:aws:sns:eu-central-1:000000000001:kettle"}},
	}
	var verifiers []*provider.Verifier
	for _, p := range provider.List() {
		s, ok := settings[p.Name]
		if !ok {
			s = sampleSettings[p.Name]
		}
		verifiers = append(verifiers, ready(f, p.Name, s, secretOf(p)))
	}
	return append(verifiers, ready(f, "asana", provider.Settings{}, ""), ready(f, "notion", provider.Settings{}, ""))
}

func checkHarmless(t *testing.T, name string, found provider.Handshake, asked string) {
	t.Helper()
	answer := found.Answer
	if answer.Status < 200 || answer.Status > 499 || len(answer.Body) > 32<<10 || len(found.Learned) > 512 {
		t.Errorf("%s: status %d, %d bytes, %d learned", name, answer.Status, len(answer.Body), len(found.Learned))
	}
	contentType := answer.Header.Get("Content-Type")
	if len(answer.Body) > 0 && (!slices.Contains([]string{"text/plain; charset=utf-8", "application/json"}, contentType) ||
		answer.Header.Get("X-Content-Type-Options") != "nosniff") {
		t.Errorf("%s: %q without nosniff or as a page", name, contentType)
	}
	if bytes.Contains(answer.Body, []byte(textSecret)) && !strings.Contains(asked, textSecret) {
		t.Errorf("%s: the secret is in the answer", name)
	}
	for header, values := range answer.Header {
		if strings.ContainsFunc(strings.Join(values, ""), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%s: control characters in %s", name, header)
		}
	}
	if found.Visit == "" {
		return
	}
	if u, err := url.Parse(found.Visit); err != nil || u.Scheme != "https" || u.User != nil || !visitable.MatchString(u.Host) {
		t.Errorf("%s: a visit to %q", name, found.Visit)
	}
}
