package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// What a gateway would pass in, as far as the API can tell.

func sourceTypes() []apitype.SourceTypeOut {
	var types []apitype.SourceTypeOut
	for _, name := range []string{"api-key", "generic-hmac", "generic-webhook", "github", "meta", "openai", "stripe", "svix", "telnyx"} {
		types = append(types, apitype.SourceTypeOut{Name: name, Title: name, Scheme: "x", Headers: []string{"X-Sign"}, SecretHelp: "x", Settings: []string{}, Samples: []string{}})
	}
	return types
}

func checkSource(s *hook.Source, secrets []string) error {
	for i, text := range secrets {
		if strings.HasPrefix(text, "bad") {
			return hook.Invalid("is no key of "+s.Type, "body", "secrets", fmt.Sprintf("[%d]", i), "value")
		}
	}
	var members map[string]json.RawMessage
	if len(s.Settings.Verification) > 0 && json.Unmarshal(s.Settings.Verification, &members) == nil && members["unknown"] != nil {
		return hook.Invalid("has no setting unknown", "body", "verification")
	}
	return nil
}

func nextFire(c hook.CronSettings, now time.Time) (time.Time, error) {
	if c.Schedule != "@hourly" && len(strings.Fields(c.Schedule)) != 5 {
		return time.Time{}, errors.New("is no schedule of five fields")
	}
	return now.Truncate(time.Hour).Add(time.Hour), nil
}

func newSourceToken() (string, [32]byte) {
	text := fmt.Sprintf("in_%024d", tokens.Add(1))
	return text, sha256.Sum256([]byte(text))
}

func (r *rig) verifyRequest(ctx context.Context, env, source, request hook.ID, process bool) (hook.Request, error) {
	return r.store.UpdateRequest(ctx, env, source, request, func(q *hook.Request) error {
		q.Reason, q.Detail = "verified", fmt.Sprintf("process is %v", process)
		return nil
	})
}

func (r *rig) replayRequest(ctx context.Context, env, source, request hook.ID, body []byte) ([]hook.Message, error) {
	q, err := r.store.FindRequest(ctx, env, source, request, true)
	if err != nil {
		return nil, err
	}
	if body != nil {
		q.Body = body
	}
	m := hook.Message{ID: hook.NewID(r.now()), Env: env, App: source, EventType: q.EventType, ContentType: q.ContentType, Body: q.Body, Envelope: q.Envelope, CreatedAt: r.now()}
	accepted, err := r.accept(ctx, []hook.NewEvent{{Message: m}})
	if err != nil {
		return nil, err
	}
	return []hook.Message{accepted[0].Message}, accepted[0].Err
}

func (r *rig) sendTo(_ context.Context, url string, q hook.Request) (hook.Attempt, error) {
	return hook.Attempt{
		URL: url, Outcome: hook.Outcome{Class: hook.Success, Status: 200}, StartedAt: r.now(),
		Timings: hook.Timings{Total: 12 * time.Millisecond}, Response: append([]byte("got "), q.Body...),
	}, nil
}

// source makes a source of that type and gives its path.
func (r *rig) source(kind string, more ...string) (path string, id hook.ID) {
	r.t.Helper()
	members := ""
	if len(more) > 0 {
		members = "," + strings.Join(more, ",")
	}
	text := r.call("POST", sources, `{"name":"in","type":"`+kind+`"`+members+`}`).want(201).at("id")
	id, err := hook.KindSource.Parse(text)
	must(r.t, err)
	return sources + "/" + text, id
}

const sources = "/ingest/api/v1/source"

// received stores a request of the source that became no message, and gives its id.
func (r *rig) received(source hook.ID, adjust ...func(*hook.Request)) string {
	r.t.Helper()
	body := []byte(`{"n": 1}` + fmt.Sprint(len(adjust)))
	sum := sha256.Sum256(body)
	q := hook.Request{
		ID: hook.NewID(r.now()), Source: source, Env: r.env.ID, State: hook.RequestRefused, Reason: "signature_mismatch", Detail: "No signature fits.",
		Findings: []byte(`[{"code":"wrong_secret","text":"Another secret."}]`), Remote: "192.0.2.9", EventType: "charge/paid", Status: 401,
		ContentType: "application/json; charset=utf-8", Body: body, BodySize: len(body), ReceivedAt: r.now(),
		Envelope: &hook.Envelope{Method: "POST", Path: "/x", Query: "a=1", Headers: []hook.HeaderLine{
			{"Authorization", "Basic c2VjcmV0"}, {"Content-Type", "application/json; charset=utf-8"}, {"Cookie", "secret=1"}, {"X-Own", "secret"}, {"X-Sign", "sig"}, {"X-Sign", "nature"},
		}},
	}
	copy(q.Fingerprint[:], sum[:])
	for _, f := range adjust {
		f(&q)
	}
	must(r.t, r.store.RecordRequests(context.Background(), hook.RequestBound{Count: 1000, Bytes: 1 << 20}, []hook.Request{q}))
	return hook.KindRequest.Format(q.ID)
}

// accepted stores an event of the source with its request, and gives the ids of both.
func (r *rig) accepted(source hook.ID, kind, body string) (message, request string) {
	r.t.Helper()
	now := r.now()
	q := hook.Request{ID: hook.NewID(now), Source: source, Env: r.env.ID, State: hook.RequestAccepted, Reason: "verified", Remote: "192.0.2.9", EventType: kind, Status: 202, ContentType: "application/json", BodySize: len(body), ReceivedAt: now}
	e := hook.NewEvent{Request: &q, Message: hook.Message{
		ID: hook.NewID(now), Env: r.env.ID, App: source, EventType: kind, ContentType: "application/json; charset=utf-8", Body: []byte(body), CreatedAt: now,
		Envelope: &hook.Envelope{Method: "PUT", Headers: []hook.HeaderLine{{"X-Sign", "sig"}}},
	}}
	out, err := r.accept(context.Background(), []hook.NewEvent{e})
	must(r.t, err)
	must(r.t, out[0].Err)
	return hook.KindMessage.Format(out[0].Message.ID), hook.KindRequest.Format(q.ID)
}

// list gives the values of one member in the data of a list.
func (a answer) list(member string) []string {
	a.t.Helper()
	var page struct{ Data []map[string]any }
	if err := json.Unmarshal(a.want(200).body, &page); err != nil {
		a.t.Fatal(err)
	}
	values := []string{}
	for _, row := range page.Data {
		values = append(values, fmt.Sprint(row[member]))
	}
	return values
}
