package api_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// kilobyte is a publish body of about 1 KiB.
var kilobyte = []byte(`{"eventType":"invoice.paid","eventId":"evt-12345","channels":["project_1"],"payload":{"id":"in_1","lines":[` +
	strings.Repeat(`{"sku":"A-100","quantity":3,"price":12.5,"text":"A line of an invoice"},`, 12) + `{"sku":"end"}]}}`)

func BenchmarkDecodeMessage(b *testing.B) {
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := api.DecodePayload(kilobyte); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeMessage(b *testing.B) {
	m := hook.Message{ID: hook.NewID(time.Now()), EventType: "invoice.paid", EventID: "evt-12345", Channels: []string{"project_1"}, CreatedAt: time.Now()}
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		dst = api.EncodeMessage(dst[:0], &m, []byte(`{}`))
	}
}

// BenchmarkPublish is the whole handler but the store.
func BenchmarkPublish(b *testing.B) {
	key := hook.Key{ID: hook.NewID(time.Now()), Env: hook.NewID(time.Now())}
	handler := api.New(api.Deps{
		Now:          time.Now,
		Store:        typesOnly{},
		Authenticate: func(context.Context, string) (hook.Key, error) { return key, nil },
		Accept: func(_ context.Context, events []hook.NewEvent) ([]hook.Accepted, error) {
			return []hook.Accepted{{Message: events[0].Message}}, nil
		},
	}).Handler()
	path := "/api/v1/app/" + hook.KindApplication.Format(hook.NewID(time.Now())) + "/msg?with_content=false"
	for _, key := range []string{"", "auto_0b8a7e8e-1111-4222-8333-123456789abc"} {
		b.Run(map[bool]string{true: "plain", false: "idempotent"}[key == ""], func(b *testing.B) {
			r := httptest.NewRequest(http.MethodPost, path, nil)
			r.Header.Set("Authorization", "Bearer key")
			if key != "" {
				r.Header.Set("Idempotency-Key", key)
			}
			body := bytes.NewReader(kilobyte)
			r.Body, r.ContentLength = readOnly{body}, int64(len(kilobyte))
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(kilobyte)
				clear(w.header)
				handler.ServeHTTP(w, r)
				if w.status != http.StatusAccepted {
					b.Fatal(w.status)
				}
			}
		})
	}
}

type readOnly struct{ *bytes.Reader }

func (readOnly) Close() error { return nil }

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// typesOnly is a store without event types; nothing else is asked of it.
type typesOnly struct{ api.Store }

func (typesOnly) FindEventTypes(context.Context, hook.ID, []string) ([]hook.EventType, error) {
	return nil, nil
}
