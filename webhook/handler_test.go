package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

type handled struct {
	status  int
	header  http.Header
	answer  string
	event   *webhook.Event
	read    []byte
	length  int64
	refused []error
}

func serve(t *testing.T, verifier *webhook.Verifier, r *http.Request, options ...webhook.HandlerOption) handled {
	t.Helper()
	var got handled
	options = append(options, webhook.WithRefused(func(_ *http.Request, err error) { got.refused = append(got.refused, err) }))
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, ok := webhook.EventOf(r)
		if !ok {
			t.Error("a request without an event was passed on")
		}
		read, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got.event, got.read, got.length = &event, read, r.ContentLength
		w.WriteHeader(http.StatusAccepted)
	})
	recorder := httptest.NewRecorder()
	webhook.Handler(verifier, next, options...).ServeHTTP(recorder, r)
	got.status, got.header, got.answer = recorder.Code, recorder.Header(), recorder.Body.String()
	return got
}

func signedRequest(t *testing.T, key webhook.Key, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
	r.Header = signedHeader(t, key, testTime, []byte(body))
	return r
}

func TestHandlerHandsOnTheVerifiedBytes(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	body := "{ \"type\" : \"invoice.paid\",\n \"data\":{\"u\":\"\\u00e4\"}}"
	got := serve(t, verifierAt(t, testTime, key), signedRequest(t, key, body))
	if got.status != http.StatusAccepted || len(got.refused) != 0 {
		t.Fatalf("status %d, refused %v", got.status, got.refused)
	}
	if string(got.read) != body || string(got.event.Body) != body || got.length != int64(len(body)) {
		t.Errorf("bytes changed: %q, %q, length %d", got.read, got.event.Body, got.length)
	}
	if got.event.ID != testID || got.event.Type != "invoice.paid" || !got.event.Timestamp.Equal(time.Unix(testTime, 0)) {
		t.Errorf("event %+v", got.event)
	}
	var decoded struct{ Data struct{ U string } }
	if err := got.event.Unmarshal(&decoded); err != nil || decoded.Data.U != "ä" {
		t.Errorf("Unmarshal: %v, %+v", err, decoded)
	}
}

func TestHandlerPassesBodiesThatAreNotJSON(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	for _, body := range []string{"", "plain", "\x00\xff", `["type"]`, `{"type":5}`, `null`} {
		got := serve(t, verifierAt(t, testTime, key), signedRequest(t, key, body))
		if got.status != http.StatusAccepted || got.event.Type != "" || string(got.event.Body) != body {
			t.Errorf("%q: status %d, event %+v", body, got.status, got.event)
		}
	}
}

func TestHandlerTakesPostOnly(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post"} {
		r := signedRequest(t, key, "x")
		r.Method = method
		got := serve(t, verifierAt(t, testTime, key), r)
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST" || got.event != nil {
			t.Errorf("%s: status %d, Allow %q", method, got.status, got.header.Get("Allow"))
		}
		if len(got.refused) != 1 || !errors.Is(got.refused[0], webhook.ErrMethod) {
			t.Errorf("%s: refused %v", method, got.refused)
		}
	}
}

func TestHandlerCapsTheBody(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	for name, test := range map[string]struct {
		size     int
		declared bool
		want     int
	}{
		"at the limit":                {100, true, http.StatusAccepted},
		"one over":                    {101, true, http.StatusRequestEntityTooLarge},
		"at the limit, no length":     {100, false, http.StatusAccepted},
		"one over, no length":         {101, false, http.StatusRequestEntityTooLarge},
		"far over, no length":         {1 << 20, false, http.StatusRequestEntityTooLarge},
		"far over, declared up front": {1 << 20, true, http.StatusRequestEntityTooLarge},
	} {
		r := signedRequest(t, key, strings.Repeat("x", test.size))
		counted := &countingReader{Reader: r.Body}
		r.Body = io.NopCloser(counted)
		if !test.declared {
			r.ContentLength = -1
		}
		got := serve(t, verifierAt(t, testTime, key), r, webhook.WithMaxBody(100))
		if got.status != test.want {
			t.Errorf("%s: status %d, want %d", name, got.status, test.want)
		}
		if counted.read > 1024 || test.declared && test.size > 100 && counted.read > 0 {
			t.Errorf("%s: read %d bytes", name, counted.read)
		}
	}
}

type countingReader struct {
	io.Reader
	read int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p[:min(len(p), 1024)])
	r.read += n
	return n, err
}

func TestHandlerAnswersBadSignaturesWithoutDetail(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	answers := map[string]bool{}
	for want, change := range map[error]func(*http.Request){
		webhook.ErrMissingHeader:   func(r *http.Request) { r.Header.Del("webhook-signature") },
		webhook.ErrMalformedHeader: func(r *http.Request) { r.Header.Set("webhook-timestamp", "soon") },
		webhook.ErrTooOld:          func(r *http.Request) { r.Header.Set("webhook-timestamp", "1") },
		webhook.ErrTooNew:          func(r *http.Request) { r.Header.Set("webhook-timestamp", "9999999999") },
		webhook.ErrNoMatch:         func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("other")) },
	} {
		r := signedRequest(t, key, "body")
		change(r)
		got := serve(t, verifierAt(t, testTime, key), r)
		if got.status != http.StatusUnauthorized || got.event != nil {
			t.Errorf("%v: status %d", want, got.status)
		}
		if len(got.refused) != 1 || !errors.Is(got.refused[0], want) {
			t.Errorf("refused %v, want %v", got.refused, want)
		}
		answers[got.answer] = true
	}
	if len(answers) != 1 {
		t.Errorf("answers differ by reason: %v", answers)
	}
}

func TestHandlerAnswers400WhenTheBodyBreaksOff(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	r := signedRequest(t, key, "body")
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader([]byte("bo")), failingReader{}))
	got := serve(t, verifierAt(t, testTime, key), r)
	if got.status != http.StatusBadRequest || len(got.refused) != 1 || !errors.Is(got.refused[0], webhook.ErrBody) {
		t.Errorf("status %d, refused %v", got.status, got.refused)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestReceiveAnswersByTheResult(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	for want, result := range map[int]error{http.StatusNoContent: nil, http.StatusInternalServerError: errors.New("disk /dev/secret is full")} {
		var got webhook.Event
		handler := webhook.Receive(verifierAt(t, testTime, key), func(_ context.Context, event webhook.Event) error {
			got = event
			return result
		})
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, signedRequest(t, key, `{"type":"a.b"}`))
		if recorder.Code != want || got.Type != "a.b" {
			t.Errorf("status %d, want %d; event %+v", recorder.Code, want, got)
		}
		if strings.Contains(recorder.Body.String(), "secret") {
			t.Error("the answer shows the error")
		}
	}
}

func TestEventOfIsEmptyOutsideAHandler(t *testing.T) {
	t.Parallel()
	if event, ok := webhook.EventOf(httptest.NewRequest(http.MethodPost, "/", nil)); ok {
		t.Errorf("event %+v of an unverified request", event)
	}
}

func TestWithMaxBodyRefusesNonsense(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a limit of 0 was accepted")
		}
	}()
	webhook.WithMaxBody(0)
}
