package provider_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// idless are the samples of events that their providers give no id.
var idless = map[string]bool{
	"airtable": true, "asana": true, "buildkite": true, "calendly": true, "cloudflare-stream": true, "discord": true, "docusign": true,
	"dropbox": true, "elevenlabs": true, "generic-webhook": true, "instagram": true, "lemonsqueezy": true, "meta": true, "none": true,
	"onfido": true, "plaid": true, "pusher": true, "webflow": true, "websub": true, "whatsapp": true, "x-twitter": true, "xero": true, "zoom": true,
}

func TestEveryProviderHasASample(t *testing.T) {
	t.Parallel()
	have := map[string]int{}
	for _, s := range provider.Samples() {
		have[s.Provider]++
		if _, ok := provider.Find(s.Provider); !ok {
			t.Errorf("%s: there is no such provider", s.Name())
		}
	}
	for _, p := range provider.List() {
		if have[p.Name] == 0 {
			t.Errorf("%s has no sample", p.Name)
		}
	}
	for _, name := range []string{"stripe", "github", "shopify", "slack"} {
		if have[name] < 3 {
			t.Errorf("%s has %d samples, want 3 at least", name, have[name])
		}
	}
}

func TestSamplesAreFoundByTheirNames(t *testing.T) {
	t.Parallel()
	for _, s := range provider.Samples() {
		found, ok := provider.FindSample(s.Name())
		if !ok || found.Name() != s.Name() {
			t.Errorf("%s is not found", s.Name())
		}
	}
	for _, name := range []string{"", "stripe", "stripe/", "stripe/nothing", "nobody/order.paid"} {
		if _, ok := provider.FindSample(name); ok {
			t.Errorf("%q is found", name)
		}
	}
}

const receiverURL = "https://hooks.example.com/in/abc"

func TestEverySampleIsSignedAndVerifiedAndHasItsIDAndType(t *testing.T) {
	t.Parallel()
	for _, s := range provider.Samples() {
		t.Run(s.Name(), func(t *testing.T) {
			t.Parallel()
			p, _ := provider.Find(s.Provider)
			v := ready(t, s.Provider, sampleSettings[s.Provider], secretOf(p))
			id := s.ID(challengeTime)
			request := s.Request(receiverURL, id, challengeTime)
			if err := v.Sign(&request, id, challengeTime); err != nil {
				t.Fatal(err)
			}
			verdict := v.Verify(t.Context(), request, challengeTime)
			if !verdict.OK() {
				t.Fatalf("refused: %s, %s", verdict.Reason, verdict.Detail)
			}
			if secretOf(p) != "" && verdict.Reason != provider.Verified {
				t.Errorf("%s, want verified", verdict.Reason)
			}
			checkLocated(t, s, verdict, id)
			if _, ok := v.Handshake(request, verdict, challengeTime); ok {
				t.Error("it is taken for a handshake")
			}
			if !verdict.SignedAt.IsZero() {
				if late := v.Verify(t.Context(), request, challengeTime.Add(p.Tolerance+time.Hour)); late.OK() {
					t.Error("it is believed after its time")
				}
			}
		})
	}
}

func checkLocated(t *testing.T, s provider.Sample, verdict provider.Verdict, id string) {
	t.Helper()
	if (verdict.EventType == "") != typeless[s.Provider] {
		t.Errorf("its type is %q", verdict.EventType)
	}
	switch {
	case idless[s.Provider]:
		if verdict.EventID != "" {
			t.Errorf("it has the id %q, and the table says it has none", verdict.EventID)
		}
	case !strings.Contains(verdict.EventID, id):
		t.Errorf("its id is %q, want it to hold %q", verdict.EventID, id)
	}
}

func TestAChangedSampleIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range provider.Samples() {
		p, _ := provider.Find(s.Provider)
		if secretOf(p) == "" || bodyUnsigned[s.Provider] {
			continue
		}
		v := ready(t, s.Provider, sampleSettings[s.Provider], secretOf(p))
		request := s.Request(receiverURL, "", challengeTime)
		if err := v.Sign(&request, s.ID(challengeTime), challengeTime); err != nil {
			t.Errorf("%s: %v", s.Name(), err)
			continue
		}
		request.Body[len(request.Body)/2] ^= 1
		if verdict := v.Verify(t.Context(), request, challengeTime); verdict.OK() {
			t.Errorf("%s: believed with one bit flipped", s.Name())
		}
	}
}

func TestSamplesHaveFreshIDsAndTimes(t *testing.T) {
	t.Parallel()
	s, _ := provider.FindSample("stripe/checkout.session.completed")
	later := challengeTime.Add(time.Second)
	one, two := s.Request(receiverURL, "", challengeTime), s.Request(receiverURL, "", later)
	if bytes.Equal(one.Body, two.Body) || s.ID(challengeTime) == s.ID(later) {
		t.Error("two seconds give the same event")
	}
	if again := s.Request(receiverURL, "", challengeTime); !bytes.Equal(one.Body, again.Body) {
		t.Error("the same time gives another event")
	}
	var event struct {
		ID      string
		Created int64
	}
	if err := json.Unmarshal(s.Request(receiverURL, `evt_"quoted"`, challengeTime).Body, &event); err != nil {
		t.Fatal(err)
	}
	if event.ID != `evt_"quoted"` || event.Created != challengeTime.Unix() {
		t.Errorf("id %q, created %d", event.ID, event.Created)
	}
}

func TestSamplesHaveNoPlaceLeftOpen(t *testing.T) {
	t.Parallel()
	for _, s := range provider.Samples() {
		request := s.Request(receiverURL, "", challengeTime)
		texts := []string{string(s.Body), string(request.Body)}
		for _, values := range request.Header {
			texts = append(texts, values...)
		}
		for _, text := range texts {
			for _, place := range []string{"{id}", "{unix}", "{ms}", "{time}", `"#id"`, `"#unix"`, `"#ms"`} {
				if strings.Contains(text, place) {
					t.Errorf("%s: %s is left in %q", s.Name(), place, text)
				}
			}
		}
		if strings.Contains(s.ContentType, "json") && !json.Valid(request.Body) {
			t.Errorf("%s: the body is no JSON", s.Name())
		}
		if s.Method != http.MethodPost || request.Header.Get("Content-Type") != s.ContentType || s.Header.Get("Content-Type") != "" {
			t.Errorf("%s: %s, %q", s.Name(), s.Method, request.Header.Get("Content-Type"))
		}
	}
}

// typeless are the providers whose events have no type.
var typeless = map[string]bool{
	"airtable": true, "api-key": true, "basic-auth": true, "deepgram": true, "dropbox": true, "generic-webhook": true, "none": true, "replicate": true, "supabase": true, "telegram": true,
	"websub": true, "x-twitter": true,
}

// bodyUnsigned are the providers whose proof does not cover all of the body.
var bodyUnsigned = map[string]bool{
	"adyen": true, "api-key": true, "azure-event-grid": true, "basic-auth": true, "chargebee": true, "cloudevents": true, "deepgram": true,
	"jira-connect": true, "mailgun": true, "microsoft-graph": true, "monday": true, "okta": true, "postmark": true, "telegram": true,
}
