package ingest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// stripe sends a body that is signed with the secret.
func (r *rig) stripe(secret, token, body string) answer {
	r.t.Helper()
	return r.send("POST", "/in/"+token, body, r.signed("stripe", secret, token, body, "")...)
}

func TestRepeatedEventIsAnsweredAlikeAndStoredOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("stripe", hook.SourceSettings{}, stripeSecret)
	first := r.stripe(stripeSecret, token, stripeBody)
	second := r.stripe(stripeSecret, token, stripeBody)
	third := r.stripe(stripeSecret, token, strings.Replace(stripeBody, "12345", "54321", 1))
	for _, a := range []answer{second, third} {
		if a.status != first.status || a.body != first.body || a.header.Get("Grapnel-Durability") != "committed" {
			t.Errorf("answers %+v and %+v, want the same", first, a)
		}
	}
	if n := len(r.messages(src.ID)); n != 1 {
		t.Fatalf("%d messages, want 1", n)
	}
	states := map[hook.RequestState]int{}
	for _, q := range r.requests(src) {
		states[q.State]++
		if q.State == hook.RequestDiffers && !strings.Contains(string(q.Body), "54321") {
			t.Errorf("the body that differs is not kept: %q", q.Body)
		}
	}
	testx.Equal(t, states, map[hook.RequestState]int{hook.RequestAccepted: 1, hook.RequestDuplicate: 1, hook.RequestDiffers: 1})
}

func TestRefusalTellsTheSenderNothingAndTheOwnerWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("github", hook.SourceSettings{}, "the-right-secret")
	body := `{"action":"opened"}`
	got := r.send("POST", "/in/"+token, body, append(r.signed("github", "another-secret", token, body, ""), "X-GitHub-Event", "issues")...)
	testx.Equal(t, got.status, http.StatusUnauthorized)
	var shown map[string]any
	if err := json.Unmarshal([]byte(got.body), &shown); err != nil || shown["code"] != "authentication_failed" || len(got.body) > 200 || strings.Contains(got.body, "signature") {
		t.Errorf("the sender is told %s", got.body)
	}
	list := r.requests(src)
	if len(list) != 1 {
		t.Fatalf("%d requests, want 1", len(list))
	}
	q := list[0]
	if q.State != hook.RequestRefused || q.Reason != "signature_mismatch" || q.Detail == "" || string(q.Body) != body || q.Status != 401 || q.Envelope == nil {
		t.Errorf("stored as %+v", q)
	}
	if len(r.messages(src.ID)) != 0 {
		t.Error("a refused request became a message")
	}
}

func TestRefusedRequestIsProcessedOnceTheSecretIsRight(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("stripe", hook.SourceSettings{}, "whsec_d3Jvbmctc2VjcmV0")
	testx.Equal(t, r.stripe(stripeSecret, token, stripeBody).status, http.StatusBadRequest+1)
	r.clock.move(time.Hour) // what was fresh when it came is not too old for this
	q := r.requests(src)[0]
	again, err := r.Verify(t.Context(), r.env, src.ID, q.ID, true)
	testx.NoError(t, err)
	testx.Equal(t, []string{again.State.String(), again.Reason}, []string{"refused", "signature_mismatch"})
	r.change(src, func(s *hook.Source) {
		sealed, _ := seal(hook.PurposeSourceSecret, s.ID, []byte(stripeSecret))
		s.Secrets = []hook.SealedSecret{{Sealed: sealed}}
	})
	looked, err := r.Verify(t.Context(), r.env, src.ID, q.ID, false)
	testx.NoError(t, err)
	testx.Equal(t, []string{looked.State.String(), looked.Reason}, []string{"refused", "verified"})
	testx.Equal(t, len(r.messages(src.ID)), 0)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			done, err := r.Verify(t.Context(), r.env, src.ID, q.ID, true)
			if err != nil || done.State != hook.RequestAccepted || done.Detail != "" {
				t.Errorf("verify: %s %q, %v", done.State, done.Detail, err)
			}
		})
	}
	wg.Wait()
	list := r.messages(src.ID)
	if len(list) != 1 || string(list[0].Body) != stripeBody || list[0].EventType != "invoice.paid" || list[0].Envelope == nil {
		t.Fatalf("messages %+v, want one", list)
	}
	done, err := r.store.FindRequest(t.Context(), r.env, src.ID, q.ID, true)
	testx.NoError(t, err)
	if done.State != hook.RequestAccepted || done.Message != list[0].ID || done.Reason != "verified" {
		t.Errorf("the request is %+v", done)
	}
}

func TestRequestWithoutAKeyIsProcessedOnlyOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("api-key", hook.SourceSettings{Verification: json.RawMessage(`{"header":"X-Key"}`), Dedupe: hook.Dedupe{By: "none"}}, "wrong-secret-of-the-source")
	testx.Equal(t, r.send("POST", "/in/"+token, "x", "X-Key", "right-secret-of-the-sender").status, 401)
	q := r.requests(src)[0]
	r.change(src, func(s *hook.Source) {
		sealed, _ := seal(hook.PurposeSourceSecret, s.ID, []byte("right-secret-of-the-sender"))
		s.Secrets = []hook.SealedSecret{{Sealed: sealed}}
	})
	for range 3 {
		_, err := r.Verify(t.Context(), r.env, src.ID, q.ID, true)
		testx.NoError(t, err)
	}
	if n := len(r.messages(src.ID)); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestReplayMakesNewMessagesForTheSameRoutes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	app := r.application()
	src, token := r.source("stripe", hook.SourceSettings{Routes: []hook.SourceRoute{{App: app}}}, stripeSecret)
	r.stripe(stripeSecret, token, stripeBody)
	q := r.requests(src)[0]
	made, err := r.Replay(t.Context(), r.env, src.ID, q.ID, nil)
	testx.NoError(t, err)
	testx.Equal(t, len(made), 2)
	testx.Equal(t, []int{len(r.messages(src.ID)), len(r.messages(app))}, []int{2, 2})
	for _, m := range r.messages(src.ID) {
		if string(m.Body) != stripeBody || m.Envelope == nil || m.EventType != "invoice.paid" {
			t.Errorf("message %+v", m)
		}
	}
	r.stripe("whsec_d3Jvbmctc2VjcmV0", token, stripeBody)
	for _, q := range r.requests(src) {
		if q.State != hook.RequestRefused {
			continue
		}
		_, err := r.Replay(t.Context(), r.env, src.ID, q.ID, nil)
		testx.Code(t, err, hook.CodeConflict)
	}
}

func TestReplayOfAnEditedBodySendsThatOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("none", hook.SourceSettings{EventType: hook.Pick{Body: "kind"}})
	r.send("POST", "/in/"+token, `{"kind":"a","n":1}`)
	made, err := r.Replay(t.Context(), r.env, src.ID, r.requests(src)[0].ID, []byte(`{"kind":"b","n":2}`))
	testx.NoError(t, err)
	testx.Equal(t, made[0].EventType, "b")
	bodies := map[string]string{}
	for _, m := range r.messages(src.ID) {
		bodies[m.EventType] = string(m.Body)
	}
	testx.Equal(t, bodies, map[string]string{"a": `{"kind":"a","n":1}`, "b": `{"kind":"b","n":2}`})
}

func TestRouteMakesAMessageOfAnApplicationInTheSameTransaction(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	all, some, gone := r.application(), r.application(), hook.NewID(at)
	src, token := r.source("none", hook.SourceSettings{
		EventType: hook.Pick{Header: "X-Type"}, Dedupe: hook.Dedupe{By: "body", At: "data.id"},
		Routes: []hook.SourceRoute{{App: gone}, {App: all}, {App: some, EventType: hook.Pick{Body: "kind"}, Only: []string{"orders/create"}}},
	})
	for i, eventType := range []string{"orders/create", "orders/ 2"} {
		body := fmt.Sprintf(`{"kind":"Order..Made!","data":{"id":%d}}`, i)
		for range 2 {
			if got := r.send("POST", "/in/"+token, body, "X-Type", eventType); got.status/100 != 2 {
				t.Fatalf("answer %+v", got)
			}
		}
	}
	var types []string
	for _, owner := range []hook.ID{src.ID, all, some} {
		for _, m := range r.messages(owner) {
			types = append(types, m.EventType)
			if owner != src.ID && (m.Envelope != nil || m.EventID != hook.KindSource.Format(src.ID)+":0" && m.EventID != hook.KindSource.Format(src.ID)+":1") {
				t.Errorf("routed message %+v", m)
			}
		}
	}
	slices.Sort(types) // all ids are of one moment
	testx.Equal(t, types, []string{"Order.Made", "orders.2", "orders.create", "orders/.2", "orders/create"})
}

func TestNothingIsAnsweredAsAcceptedThatWasNotStored(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"unavailable": hook.Unavailable(errors.New("disk full")), "unknown": hook.Unknown(errors.New("connection lost")), "internal": errors.New("bug"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			src, token := r.source("stripe", hook.SourceSettings{}, stripeSecret)
			r.fail(err)
			got := r.stripe(stripeSecret, token, stripeBody)
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || got.header.Get("Grapnel-Durability") != "" {
				t.Errorf("answer %+v", got)
			}
			r.fail(nil)
			if got := r.stripe(stripeSecret, token, stripeBody); got.status/100 != 2 {
				t.Errorf("the next try: %+v", got)
			}
			if n := len(r.messages(src.ID)); n != 1 {
				t.Errorf("%d messages, want 1", n)
			}
		})
	}
}

func TestSenderIsToComeAgainWhenItsKeyCannotBeFetched(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("aws-sns", hook.SourceSettings{Verification: json.RawMessage(`{"topics":["arn:aws:sns:us-east-1:1:t"]}`)})
	body := `{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:us-east-1:1:t","Message":"x","Timestamp":"` + at.Format(time.RFC3339) +
		`","SignatureVersion":"2","Signature":"` + strings.Repeat("AAAA", 128) + `",` +
		`"SigningCertURL":"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0000000000000000.pem"}`
	got := r.send("POST", "/in/"+token, body)
	testx.Equal(t, []any{got.status, got.header.Get("Retry-After")}, []any{http.StatusServiceUnavailable, "10"})
	testx.Equal(t, r.requests(src)[0].Reason, "key_unavailable")
	testx.Equal(t, len(r.messages(src.ID)), 0)
}

func TestAnswerIsTheFirstRuleThatFits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	_, token := r.source("stripe", hook.SourceSettings{Responses: []hook.ResponseRule{
		{EventType: "other", Status: 204},
		{EventType: "invoice.paid", Status: 201, Headers: map[string]string{"X-Answer": "yes", "content-type": "application/json"}, Body: `{"ok":true}`},
		{Status: 202},
	}}, stripeSecret)
	got := r.stripe(stripeSecret, token, stripeBody)
	testx.Equal(t, []any{got.status, got.body, got.header.Get("X-Answer"), got.header.Get("Content-Type")}, []any{201, `{"ok":true}`, "yes", "application/json"})
}

func TestAnswerOfTheOwnerIsNoPageOfTheServer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	_, token := r.source("stripe", hook.SourceSettings{Responses: []hook.ResponseRule{
		{Status: 200, Headers: map[string]string{"Content-Type": "text/html"}, Body: "<script>alert(1)</script>"},
	}}, stripeSecret)
	got := r.stripe(stripeSecret, token, stripeBody)
	testx.Equal(t, []string{got.body, got.header.Get("Content-Security-Policy"), got.header.Get("X-Content-Type-Options")},
		[]string{"<script>alert(1)</script>", "default-src 'none'; sandbox", "nosniff"})
}

func TestSourceWithoutASecretKeepsWhatComesUntilThereIsOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("stripe", hook.SourceSettings{})
	testx.Equal(t, r.stripe(stripeSecret, token, stripeBody).status/100, 4)
	q := r.requests(src)[0]
	testx.Equal(t, q.Reason, "no_secret")
	r.change(src, func(s *hook.Source) {
		sealed, _ := seal(hook.PurposeSourceSecret, s.ID, []byte(stripeSecret))
		s.Secrets = []hook.SealedSecret{{Sealed: sealed}}
	})
	done, err := r.Verify(t.Context(), r.env, src.ID, q.ID, true)
	testx.NoError(t, err)
	testx.Equal(t, done.State, hook.RequestAccepted)
	testx.Equal(t, len(r.messages(src.ID)), 1)
}
