package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// announced is a request that says it is size bytes long, whatever body gives.
func (r *rig) announced(token, path string, size int64, body io.Reader) *http.Request {
	req := httptest.NewRequest(http.MethodPost, "/api/v1"+path, body)
	req.Header.Set("Authorization", "Bearer "+token)
	req.ContentLength = size
	return req
}

//nolint:paralleltest // it measures the memory of the process
func TestAnnouncedLengthTakesNoMemory(t *testing.T) {
	r := newRig(t)
	path := r.app("acme") + "/msg/batch"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 {
		r.serve(r.announced(r.token, path, 8<<20, strings.NewReader(`[{"eventType"`))).refused(400, "bad_request")
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 8<<20 {
		t.Errorf("20 requests that announce 8 MiB and send 13 bytes take %d bytes", taken)
	}
}

func TestLongBodiesOfOneEnvironmentLeaveRoomForOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path := r.app("acme") + "/msg/batch"
	stranger := hook.Environment{ID: hook.NewID(r.now()), Name: "stranger", CreatedAt: r.now()}
	must(t, r.store.CreateEnvironment(t.Context(), &stranger))
	other := r.addKey(stranger.ID, hook.ID{})
	r.callAs(other, "PUT", "/app/theirs", `{"name":"Theirs"}`).want(201)

	const size = 8 << 20
	almost := strings.NewReader("[" + strings.Repeat(" ", size-2))
	stalled, done := make([]*io.PipeWriter, 0, 4), make(chan struct{})
	for range 4 { // half of the budget
		in, out := io.Pipe()
		stalled = append(stalled, out)
		go func() {
			defer func() { done <- struct{}{} }()
			rec := httptest.NewRecorder()
			r.handler.ServeHTTP(rec, r.announced(r.token, path, size, in))
		}()
		_, err := io.Copy(out, io.NewSectionReader(almost, 0, size-1))
		must(t, err)
	}
	message := `{"eventType":"a","payload":{"x":"` + strings.Repeat("x", 100_000) + `"}}`
	refused := r.call("POST", "/app/acme/msg", message).refused(503, "unavailable")
	if refused.header.Get("Retry-After") == "" {
		t.Error("the refusal does not say when to try again")
	}
	r.call("POST", "/app/acme/msg", `{"eventType":"a","payload":{}}`).want(202)
	r.callAs(other, "POST", "/app/theirs/msg", message).want(202)
	for _, out := range stalled {
		must(t, out.CloseWithError(io.ErrUnexpectedEOF))
		<-done
	}
	r.call("POST", "/app/acme/msg", message).want(202)
}

func TestLongBodyArrivesWholeHoweverItIsCut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	body := `{"eventType":"a","payload":{"x":"` + strings.Repeat("0123456789", 5000) + `"}}`
	for _, size := range []int64{int64(len(body)), -1} {
		for name, from := range map[string]io.Reader{
			"bytes": iotest.OneByteReader(strings.NewReader(body)), "halves": iotest.HalfReader(strings.NewReader(body)),
			"with the end": iotest.DataErrReader(strings.NewReader(body)),
		} {
			a := r.serve(r.announced(r.token, app+"/msg", size, from)).want(202)
			if got := a.at("payload", "x"); got != strings.Repeat("0123456789", 5000) {
				t.Errorf("%s of %d: %d characters arrived", name, size, len(got))
			}
		}
	}
}
