package acceptance_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/grapnelhq/grapnel/test/rig"
)

// fault is the error object as clients of the API read it: detail is a list for
// 422 and a text for everything else.
type fault struct {
	Code   string          `json:"code"`
	Detail json.RawMessage `json:"detail"`
}

type faultItem struct {
	Loc  []string `json:"loc"`
	Msg  string   `json:"msg"`
	Type string   `json:"type"`
}

// refused checks that the client raised its own error with this status and code.
// For 422 the code is the place of the first fault, such as "body.name".
func refused(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *svix.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want the client's error with status %d", err, status)
	}
	if e.Status() != status {
		t.Fatalf("status is %d (%s), want %d", e.Status(), e.Body(), status)
	}
	isFault(t, e.Body(), status, code)
}

func isFault(t *testing.T, body []byte, status int, code string) {
	t.Helper()
	var f fault
	if err := json.Unmarshal(body, &f); err != nil {
		t.Fatalf("the error is no JSON object: %v: %s", err, body)
	}
	if status != http.StatusUnprocessableEntity {
		var detail string
		if err := json.Unmarshal(f.Detail, &detail); err != nil || detail == "" {
			t.Errorf("detail is no text: %s", body)
		}
		equal(t, "code", f.Code, code)
		return
	}
	var items []faultItem
	if err := json.Unmarshal(f.Detail, &items); err != nil || len(items) == 0 {
		t.Fatalf("detail is no list of faults: %s", body)
	}
	if items[0].Msg == "" || items[0].Type == "" {
		t.Errorf("the first fault has no msg or type: %s", body)
	}
	equal(t, "loc", strings.Join(items[0].Loc, "."), code)
}

func TestErrorsReachTheClientAsItsOwnError(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app := newApplication(t, c)
	taken := unique("uid")
	_, err := c.Application.Create(t.Context(), models.ApplicationIn{Name: "first", Uid: &taken}, nil)
	ok(t, err)
	ping := models.MessageIn{EventType: "a.b", Payload: map[string]any{}}
	for _, test := range []struct {
		name   string
		status int
		code   string
		call   func() error
	}{
		{"unknown application", 404, "not_found", func() error {
			_, err := c.Application.Get(t.Context(), "nobody")
			return err
		}},
		{"unknown application by id", 404, "not_found", func() error {
			_, err := c.Application.Get(t.Context(), "app_"+strings.Repeat("1", 27))
			return err
		}},
		{"malformed id", 422, "path.app_id", func() error {
			_, err := c.Application.Get(t.Context(), "app_1")
			return err
		}},
		{"unknown endpoint", 404, "not_found", func() error {
			_, err := c.Endpoint.Get(t.Context(), app, "nowhere")
			return err
		}},
		{"unknown message", 404, "not_found", func() error {
			_, err := c.Message.Get(t.Context(), app, "nothing", nil)
			return err
		}},
		{"unknown event type", 404, "not_found", func() error {
			_, err := c.EventType.Get(t.Context(), unique("none"))
			return err
		}},
		{"uid taken", 409, "conflict", func() error {
			_, err := c.Application.Create(t.Context(), models.ApplicationIn{Name: "second", Uid: &taken}, nil)
			return err
		}},
		{"empty name", 422, "body.name", func() error {
			_, err := c.Application.Create(t.Context(), models.ApplicationIn{}, nil)
			return err
		}},
		{"payload null", 422, "body.payload", func() error {
			_, err := c.Message.Create(t.Context(), app, models.MessageIn{EventType: "a.b"}, nil)
			return err
		}},
		{"bad event type name", 422, "body.eventType", func() error {
			_, err := c.Message.Create(t.Context(), app, models.MessageIn{EventType: "a b", Payload: map[string]any{}}, nil)
			return err
		}},
		{"limit too high", 422, "query.limit", func() error {
			_, err := c.Application.List(t.Context(), &svix.ApplicationListOptions{Limit: new(uint64(251))})
			return err
		}},
		{"payload too large", 413, "payload_too_large", func() error {
			in := ping
			in.Payload = map[string]any{"text": strings.Repeat("x", 2<<20)}
			_, err := c.Message.Create(t.Context(), app, in, nil)
			return err
		}},
		{"wrong key", 401, "authentication_failed", func() error {
			_, err := clientWith(t, "not-a-key-of-this-server").Application.List(t.Context(), nil)
			return err
		}},
		{"operation of a later time", 501, "not_implemented", func() error {
			_, err := c.Message.Precheck(t.Context(), app, models.MessagePrecheckIn{EventType: "a.b"}, nil)
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) { refused(t, test.call(), test.status, test.code) })
	}
}

// call makes a request without the client: for what it does not offer.
func call(t *testing.T, method, path, token, body string) (status int, answer []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	ok(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{}).Do(req)
	ok(t, err)
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	ok(t, err)
	return resp.StatusCode, answer
}

func TestPathsThatNobodyServesAnswerTheErrorObject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/api/v1/no-such-thing", 404, "not_found"},
		{"PUT", "/api/v1/app", 405, "method_not_allowed"},
		{"GET", "/api/v1//app", 404, "not_found"},
	} {
		status, body := call(t, test.method, test.path, rig.Key, "")
		if status != test.status {
			t.Errorf("%s %s: status %d (%s), want %d", test.method, test.path, status, body, test.status)
			continue
		}
		isFault(t, body, status, test.code)
	}
}

func TestHealthAndWhoami(t *testing.T) {
	t.Parallel()
	ok(t, admin(t).Health.Get(t.Context()))
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := call(t, "GET", path, "", ""); status != 200 {
			t.Errorf("GET %s: %d %s", path, status, body)
		}
	}
	status, body := call(t, "GET", "/api/v1/auth/whoami", rig.Key, "")
	equal(t, "status", status, 200)
	var who struct {
		PermissionSource, Kind string
		EnvID                  *string `json:"envId"`
		AppID                  *string `json:"appId"`
	}
	ok(t, json.Unmarshal(body, &who))
	equal(t, "kind", who.Kind, "environment")
	equal(t, "permission source", who.PermissionSource, "Unknown")
	if who.EnvID == nil || !strings.HasPrefix(*who.EnvID, "org_") || who.AppID != nil {
		t.Errorf("whoami of the environment key: %s", body)
	}
	if status, body = call(t, "GET", "/api/v1/auth/whoami", "", ""); status != 401 {
		t.Errorf("whoami without a key: %d %s", status, body)
	}
}

func TestTrailingSlashIsTheSameRoute(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/v1/app", "/api/v1/app/", "/api/v1/event-type/"} {
		status, body := call(t, "GET", path, rig.Key, "")
		if status != 200 || !strings.Contains(string(body), `"data":[`) {
			t.Errorf("GET %s: %d %s", path, status, body)
		}
	}
}
