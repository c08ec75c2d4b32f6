package ingest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestCheckNamesThePlaceOfEachFault(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	app := hook.NewID(at)
	for want, tt := range map[string]struct {
		kind    string
		set     hook.SourceSettings
		secrets []string
	}{
		"":                           {"github", hook.SourceSettings{Methods: []string{"PUT"}, AllowNets: []string{"192.0.2.0/24", "2001:db8::1"}, ForwardHeaders: []string{"cookie"}}, []string{"a-secret"}},
		"type":                       {"nobody", hook.SourceSettings{}, nil},
		"secrets":                    {"standard-webhooks", hook.SourceSettings{}, []string{"whsec_"}},
		"verification":               {"github", hook.SourceSettings{Verification: json.RawMessage(`{"unknown":1}`)}, []string{"a-secret"}},
		"verification ":              {"github", hook.SourceSettings{Verification: json.RawMessage(`{"webhookId":"x"}`)}, nil},
		"dedupe.by":                  {"github", hook.SourceSettings{Dedupe: hook.Dedupe{By: "luck"}}, nil},
		"dedupe.at":                  {"github", hook.SourceSettings{Dedupe: hook.Dedupe{By: "header", At: "a b"}}, nil},
		"dedupe.at ":                 {"github", hook.SourceSettings{Dedupe: hook.Dedupe{By: "hash", At: "x"}}, nil},
		"dedupe.at  ":                {"github", hook.SourceSettings{Dedupe: hook.Dedupe{By: "body"}}, nil},
		"eventType":                  {"github", hook.SourceSettings{EventType: hook.Pick{Fixed: "a", Body: "b"}}, nil},
		"eventType.fixed":            {"github", hook.SourceSettings{EventType: hook.Pick{Fixed: "a b"}}, nil},
		"responses.[0].status":       {"github", hook.SourceSettings{Responses: []hook.ResponseRule{{Status: 302}}}, nil},
		"responses.[0].body":         {"github", hook.SourceSettings{Responses: []hook.ResponseRule{{Status: 204, Body: "x"}}}, nil},
		"responses.[0].headers":      {"github", hook.SourceSettings{Responses: []hook.ResponseRule{{Status: 200, Headers: map[string]string{"content-length": "1"}}}}, nil},
		"responses.[0].headers ":     {"github", hook.SourceSettings{Responses: []hook.ResponseRule{{Status: 200, Headers: map[string]string{"X": "a\r\nb"}}}}, nil},
		"responses.[0].headers  ":    {"github", hook.SourceSettings{Responses: []hook.ResponseRule{{Status: 200, Headers: map[string]string{"grapnel-durability": "none"}}}}, nil},
		"responses.[0].headers   ":   {"github", hook.SourceSettings{Responses: []hook.ResponseRule{{Status: 200, Headers: map[string]string{"clear-site-data": "*"}}}}, nil},
		"responses.[0].headers    ":  {"github", hook.SourceSettings{Responses: []hook.ResponseRule{{Status: 200, Headers: map[string]string{"Content-Security-Policy": "default-src *"}}}}, nil},
		"responses.[0].headers     ": {"github", hook.SourceSettings{Responses: []hook.ResponseRule{{Status: 200, Headers: map[string]string{"Refresh": "0;url=https://example.com"}}}}, nil},
		"rate":                       {"github", hook.SourceSettings{Rate: -1}, nil},
		"maxBody":                    {"github", hook.SourceSettings{MaxBody: 2 << 20}, nil},
		"methods.[0]":                {"github", hook.SourceSettings{Methods: []string{"TRACE"}}, nil},
		"methods.[1]":                {"github", hook.SourceSettings{Methods: []string{"PUT", "PUT"}}, nil},
		"allowNets":                  {"github", hook.SourceSettings{AllowNets: []string{"everybody"}}, nil},
		"clientCa":                   {"github", hook.SourceSettings{ClientCA: "not PEM"}, nil},
		"forwardHeaders.[0]":         {"github", hook.SourceSettings{ForwardHeaders: []string{"Host"}}, nil},
		"routes.[0].app":             {"github", hook.SourceSettings{Routes: []hook.SourceRoute{{}}}, nil},
		"routes.[1].app":             {"github", hook.SourceSettings{Routes: []hook.SourceRoute{{App: app}, {App: app}}}, nil},
		"routes.[0].eventType.fixed": {"github", hook.SourceSettings{Routes: []hook.SourceRoute{{App: app, EventType: hook.Pick{Fixed: "a/b"}}}}, nil},
		"routes.[0].only":            {"github", hook.SourceSettings{Routes: []hook.SourceRoute{{App: app, Only: []string{""}}}}, nil},
		"cron":                       {"github", hook.SourceSettings{Cron: every("@daily", "")}, nil},
		"cron ":                      {"cron", hook.SourceSettings{}, nil},
		"secrets ":                   {"cron", hook.SourceSettings{Cron: every("@daily", "")}, []string{"x"}},
		"type ":                      {"cron", hook.SourceSettings{Cron: every("@daily", ""), Rate: 1}, nil},
		"cron.schedule":              {"cron", hook.SourceSettings{Cron: every("daily", "")}, nil},
		"cron.timeZone":              {"cron", hook.SourceSettings{Cron: every("@daily", "Moon")}, nil},
		"cron.payload":               {"cron", hook.SourceSettings{Cron: &hook.CronSettings{Schedule: "@daily", Payload: strings.Repeat("x", 2<<20)}}, nil},
		"cron.contentType":           {"cron", hook.SourceSettings{Cron: &hook.CronSettings{Schedule: "@daily", ContentType: "a\nb"}}, nil},
	} {
		s := hook.Source{ID: hook.NewID(at), Type: tt.kind, Settings: tt.set}
		err := r.Check(&s, tt.secrets)
		var e *hook.Error
		want := strings.TrimSpace(want)
		switch {
		case want == "" && err != nil:
			t.Errorf("a right one: %v", err)
		case want == "":
		case !errors.As(err, &e) || e.Code != hook.CodeInvalid || len(e.Fields) != 1:
			t.Errorf("%s: %v", want, err)
		case strings.Join(e.Fields[0].Loc, ".") != "body."+want:
			t.Errorf("%s: the place is %v", want, e.Fields[0])
		}
		for _, secret := range tt.secrets {
			if err != nil && len(secret) > 6 && strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error has the secret: %v", want, err)
			}
		}
	}
}
