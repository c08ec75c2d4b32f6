package ingest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// secretsOf gives the texts of a stored source's secrets.
func (r *rig) secretsOf(s hook.Source) []string {
	r.t.Helper()
	now, err := r.store.FindSource(r.t.Context(), r.env, hook.Ref{ID: s.ID})
	testx.NoError(r.t, err)
	var texts []string
	for _, sealed := range now.Secrets {
		text, err := open(hook.PurposeSourceSecret, s.ID, sealed.Sealed)
		testx.NoError(r.t, err)
		texts = append(texts, string(text))
	}
	return texts
}

func TestSecretThatTheSenderTellsIsStoredOnceAndNeverReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("asana", hook.SourceSettings{})
	const secret = "0123456789abcdef0123456789abcdef"
	for range 2 {
		got := r.send("POST", "/in/"+token, "", "X-Hook-Secret", secret)
		if got.status/100 != 2 || got.header.Get("X-Hook-Secret") != secret {
			t.Fatalf("handshake: %+v", got)
		}
	}
	testx.Equal(t, r.secretsOf(src), []string{secret})
	if got := r.send("POST", "/in/"+token, "", "X-Hook-Secret", strings.Repeat("f", 32)); got.status/100 == 2 {
		t.Errorf("another secret: %+v", got)
	}
	testx.Equal(t, r.secretsOf(src), []string{secret})
	body := `{"events":[{"action":"changed"}]}`
	if got := r.send("POST", "/in/"+token, body, r.signed("asana", secret, token, body, "")...); got.status/100 != 2 {
		t.Errorf("an event under the secret: %+v", got)
	}
	states := map[hook.RequestState]int{}
	for _, q := range r.requests(src) {
		states[q.State]++
	}
	testx.Equal(t, states, map[hook.RequestState]int{hook.RequestHandshake: 2, hook.RequestRefused: 1, hook.RequestAccepted: 1})
}

func TestSecretThatIsToldWhileAnotherIsInForceIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("asana", hook.SourceSettings{})
	r.send("POST", "/in/"+token, "", "X-Other", "1") // the gateway remembers a source without a secret
	_, _, err := r.store.UpdateSource(t.Context(), r.env, hook.Ref{ID: src.ID}, nil, func(s *hook.Source) error {
		sealed, _ := seal(hook.PurposeSourceSecret, s.ID, []byte("the-operators-own-secret"))
		s.Secrets = []hook.SealedSecret{{Sealed: sealed}}
		return nil
	})
	testx.NoError(t, err)
	if got := r.send("POST", "/in/"+token, "", "X-Hook-Secret", strings.Repeat("f", 32)); got.status != http.StatusConflict || got.header.Get("X-Hook-Secret") != "" {
		t.Errorf("handshake: %+v", got)
	}
	testx.Equal(t, r.secretsOf(src), []string{"the-operators-own-secret"})
}

func TestSubscriptionIsConfirmedByAVisitThatTheLogTells(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("azure-event-grid", hook.SourceSettings{Verification: json.RawMessage(`{"confirm":true}`)}, "the-code-in-the-address")
	visit := "https://rp-eastus.eventgrid.azure.net:553/eventsubscriptions/x/validate?id=secret-part"
	r.fetches.give = map[string][]byte{visit: []byte("ok")}
	body := `[{"id":"1","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"abc","validationUrl":"` + visit + `"}}]`
	got := r.send("POST", "/in/"+token+"?code=the-code-in-the-address", body, "Aeg-Event-Type", "SubscriptionValidation", "Content-Type", "application/json")
	testx.Equal(t, got.status, http.StatusOK)
	for len(r.fetches.urls()) == 0 {
		if t.Context().Err() != nil {
			t.Fatal("nobody visited the address")
		}
	}
	list := r.requests(src)
	testx.Equal(t, len(list), 1)
	testx.Equal(t, list[0].State, hook.RequestHandshake)
	if !strings.Contains(list[0].Note, "was confirmed") || strings.Contains(list[0].Note, "secret-part") {
		t.Errorf("the note is %q", list[0].Note)
	}
	testx.Equal(t, r.fetches.urls(), []string{visit})
}

func TestHandshakeIsAnsweredByTheSourceItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("slack", hook.SourceSettings{}, "the-signing-secret-of-slack")
	body := `{"type":"url_verification","challenge":"3eZbrw1aB"}`
	got := r.send("POST", "/in/"+token, body, append(r.signed("slack", "the-signing-secret-of-slack", token, body, ""), "Content-Type", "application/json")...)
	if got.status != http.StatusOK || !strings.Contains(got.body, "3eZbrw1aB") || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("handshake: %+v", got)
	}
	if got := r.send("POST", "/in/"+token, body, "Content-Type", "application/json"); got.status/100 == 2 {
		t.Errorf("an unsigned handshake: %+v", got)
	}
	testx.Equal(t, len(r.messages(src.ID)), 0)
}
