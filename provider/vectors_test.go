package provider_test

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// vector is one entry of testdata/providers.json: a request whose verdict is known,
// mostly from the provider's own documentation or library.
type vector struct {
	Provider string            `json:"provider"`
	Name     string            `json:"name"`
	Secret   string            `json:"secret"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	Method   string            `json:"method"`
	URL      string            `json:"request_url"`
	Valid    *bool             `json:"valid"`
	Now      int64             `json:"verify_at_unix"`
}

func (v *vector) request() provider.Request {
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	r := provider.Request{Method: v.Method, URL: v.URL, Header: h, Body: []byte(v.Body)}
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	if r.URL == "" {
		r.URL = "https://example.com/in/x"
	}
	return r
}

func readVectors[T any](t *testing.T, file string) []T {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Vectors []T `json:"vectors"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all.Vectors
}

// vectorClocks are the times for vectors whose signed time the file does not repeat.
var vectorClocks = map[string]time.Time{
	"discord/ping-computed":                  time.Unix(1700000000, 0),
	"discord/ping-bad-signature-must-be-401": time.Unix(1700000000, 0),
	"zendesk/computed":                       time.Date(2021, 7, 25, 10, 0, 0, 0, time.UTC),
	"sendgrid/ecdsa-known-answer":            time.Unix(1600112502, 0),
	"sendgrid/trailing-crlf-stripped":        time.Unix(1600112502, 0),
}

// vectorSettings are the settings without which a vector's provider cannot judge it.
var vectorSettings = map[string]provider.Settings{
	"pusher": {AccountKey: "key"},
}

// refusals are the reasons of those vectors that must be refused for one reason only.
var refusals = map[string]provider.Reason{
	"stripe/only-v0":                         provider.MalformedHeader,
	"stripe/header-v1-t1":                    provider.MalformedHeader,
	"stripe/empty-t":                         provider.MalformedHeader,
	"stripe/stale":                           provider.TooOld,
	"stripe/signature-over-body-only":        provider.SignatureMismatch,
	"github/sha1-only-header":                provider.MissingHeader,
	"github/no-prefix":                       provider.MalformedHeader,
	"github/not-hex":                         provider.MalformedHeader,
	"github/short":                           provider.MalformedHeader,
	"github/empty":                           provider.MissingHeader,
	"slack/stale":                            provider.TooOld,
	"slack/body-tampered":                    provider.SignatureMismatch,
	"square/url-mismatch":                    provider.SignatureMismatch,
	"square/reformatted-body":                provider.SignatureMismatch,
	"paddle/bad-format":                      provider.MalformedHeader,
	"paddle/other-body":                      provider.SignatureMismatch,
	"pagerduty/mismatch":                     provider.SignatureMismatch,
	"pusher/wrong-key-header":                provider.NotAllowed,
	"onfido/one-nibble-off":                  provider.SignatureMismatch,
	"sanity/timestamp-changed":               provider.SignatureMismatch,
	"sanity/unknown-version":                 provider.MalformedHeader,
	"discord/ping-bad-signature-must-be-401": provider.SignatureMismatch,
}

func TestEveryPublishedVectorGetsItsVerdict(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, v := range readVectors[vector](t, "providers.json") {
		if v.Valid == nil {
			continue // not a whole request; the provider's own test uses its parts
		}
		seen++
		t.Run(v.Provider+"/"+v.Name, func(t *testing.T) {
			t.Parallel()
			verifier, err := provider.New(v.Provider, vectorSettings[v.Provider], provider.Secret{Value: v.Secret})
			if err != nil {
				t.Fatal(err)
			}
			now, ok := vectorClocks[v.Provider+"/"+v.Name]
			if !ok {
				now = time.Unix(v.Now, 0)
			}
			verdict := verifier.Verify(t.Context(), v.request(), now)
			if verdict.OK() != *v.Valid {
				t.Fatalf("verdict is %s (%s), valid is %t", verdict.Reason, verdict.Detail, *v.Valid)
			}
			if want, ok := refusals[v.Provider+"/"+v.Name]; ok && verdict.Reason != want {
				t.Errorf("refused as %s (%s), want %s", verdict.Reason, verdict.Detail, want)
			}
		})
	}
	if seen < 100 {
		t.Errorf("only %d vectors were read", seen)
	}
}

// TestALegacySHA1SignatureCountsOnlyWhenAskedFor has the one vector that a setting turns.
func TestALegacySHA1SignatureCountsOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors[vector](t, "providers.json") {
		if v.Provider != "github" || v.Name != "sha1-only-header" {
			continue
		}
		verifier, err := provider.New("github", provider.Settings{LegacySHA1: true}, provider.Secret{Value: v.Secret})
		if err != nil {
			t.Fatal(err)
		}
		r := v.request()
		if verdict := verifier.Verify(t.Context(), r, time.Unix(0, 0)); !verdict.OK() {
			t.Errorf("with the setting it is %s (%s)", verdict.Reason, verdict.Detail)
		}
		// A newer header that is wrong must not fall back to the older one that is right.
		r.Header.Set("X-Hub-Signature-256", "sha256=00")
		if verdict := verifier.Verify(t.Context(), r, time.Unix(0, 0)); verdict.OK() {
			t.Error("a wrong newer signature fell back to the older one")
		}
		return
	}
	t.Error("the vector is gone")
}

type standardVector struct {
	Name      string  `json:"name"`
	Secret    string  `json:"secret"`
	ID        *string `json:"webhook-id"`
	Timestamp *string `json:"webhook-timestamp"`
	Signature *string `json:"webhook-signature"`
	Body      string  `json:"body"`
	Valid     bool    `json:"valid"`
	Now       int64   `json:"verify_at_unix"`
}

func TestStandardWebhooksVectorsGetTheirVerdictUnderBothHeaderNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"standard-webhooks", "svix", "openai", "gitlab"} {
		for _, family := range []string{"webhook-", "svix-"} {
			for _, v := range readVectors[standardVector](t, "standard-webhooks.json") {
				if name == "gitlab" && (len(v.Secret) < 6 || v.Secret[:6] != "whsec_") {
					continue // any other secret is one of the older kind there
				}
				h := http.Header{}
				for header, value := range map[string]*string{"id": v.ID, "timestamp": v.Timestamp, "signature": v.Signature} {
					if value != nil {
						h.Set(family+header, *value)
					}
				}
				verifier, err := provider.New(name, provider.Settings{}, provider.Secret{Value: v.Secret})
				if err != nil {
					t.Fatal(err)
				}
				verdict := verifier.Verify(t.Context(), provider.Request{Method: "POST", Header: h, Body: []byte(v.Body)}, time.Unix(v.Now, 0))
				if verdict.OK() != v.Valid {
					t.Errorf("%s, %s headers, %s: %s (%s), valid is %t", name, family, v.Name, verdict.Reason, verdict.Detail, v.Valid)
				}
				if verdict.OK() && (verdict.EventID != *v.ID || verdict.SignedAt.Unix() == 0) {
					t.Errorf("%s, %s: id %q, signed at %s", name, v.Name, verdict.EventID, verdict.SignedAt)
				}
			}
		}
	}
}
