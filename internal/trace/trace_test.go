package trace_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/internal/trace"
)

// variables are those that decide, empty as long as a test does not say otherwise.
var variables = []string{
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
	"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_TRACES_EXPORTER",
	"OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG",
	"OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_SCHEDULE_DELAY",
}

// environment sets the variables of this process, which is why tests that call it
// cannot be parallel.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range variables {
		t.Setenv(name, set[name])
	}
}

type logs struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func begin(t *testing.T, set map[string]string) (*trace.Tracer, *logs) {
	t.Helper()
	environment(t, set)
	log := &logs{}
	tracer := trace.New(t.Context(), trace.Options{Version: "1.2.3", Node: "node-a", Log: slog.New(slog.NewTextHandler(log, nil))})
	return tracer, log
}

var at = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// event is one event with a lease and a first attempt.
func event() (hook.NewEvent, *hook.Lease, hook.Attempt) {
	e := hook.NewEvent{Message: hook.Message{ID: hook.NewID(at), App: hook.NewID(at), EventType: "a.b", Body: []byte(`{"secret":"payload"}`), CreatedAt: at}}
	l := &hook.Lease{
		Message: &e.Message, Endpoint: &hook.Endpoint{ID: hook.NewID(at), App: e.App, URL: "https://u:p@example.com/path-token?query-token"},
		Number: 1, Due: at, AttemptID: hook.NewID(at),
	}
	a := hook.Attempt{
		ID: l.AttemptID, Message: e.ID, Endpoint: l.Endpoint.ID, Number: 1, URL: l.Endpoint.URL, StartedAt: at.Add(time.Second),
		Outcome: hook.Outcome{Class: hook.FailStatus5xx, Status: 503, Detail: "The endpoint answered 503."},
		Timings: hook.Timings{Queue: time.Millisecond, Connect: 2 * time.Millisecond, TLS: 3 * time.Millisecond, FirstByte: 4 * time.Millisecond, Body: time.Millisecond, Total: 11 * time.Millisecond},
	}
	return e, l, a
}

func TestNothingIsTracedUnlessTheEnvironmentNamesACollector(t *testing.T) {
	const url = "http://127.0.0.1:1"
	for _, tt := range []struct {
		set     map[string]string
		on      bool
		warning string
	}{
		{set: map[string]string{}},
		{set: map[string]string{"OTEL_SERVICE_NAME": "x", "OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "always_on"}},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url}, on: true},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url}, on: true},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, on: true},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, on: true},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_SDK_DISABLED": "TRUE"}},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_TRACES_EXPORTER": "none"}},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_TRACES_EXPORTER": "zipkin"}, warning: "OTEL_TRACES_EXPORTER"},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, warning: "OTEL_EXPORTER_OTLP_PROTOCOL"},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, warning: "OTEL_EXPORTER_OTLP_ENDPOINT"},
		{set: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "ftp://x"}, warning: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"},
	} {
		tracer, log := begin(t, tt.set)
		if (tracer != nil) != tt.on {
			t.Errorf("%v: on is %v, want %v", tt.set, tracer != nil, tt.on)
		}
		if warned := strings.Contains(log.String(), "WARN"); warned != (tt.warning != "") || !strings.Contains(log.String(), tt.warning) {
			t.Errorf("%v: log %q, want a warning about %q", tt.set, log, tt.warning)
		}
		tracer.Stop(t.Context())
	}
}

func TestATracerThatIsOffAllocatesNothing(t *testing.T) {
	var off *trace.Tracer
	e, l, a := event()
	header := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	call := trace.Call{Events: []hook.NewEvent{e}, Accepted: make([]hook.Accepted, 1), Began: at, Ended: at}
	lanes := []hook.ClaimedLane{{Leases: []*hook.Lease{l}}}
	settlements, settled := []hook.Settlement{{Lease: l, Attempt: a}}, make([]hook.Settled, 1)
	text := make([]byte, 0, 64)
	allocs := testing.AllocsPerRun(100, func() {
		ctx := off.Caller(t.Context(), header)
		off.Accepted(ctx, call)
		off.Claimed(lanes, at, at)
		off.Attempted(l, a)
		off.Settled(settlements, settled, at, at)
		text = off.AppendParent(text[:0], l)
	})
	if allocs != 0 {
		t.Errorf("%v allocations for an event, want none", allocs)
	}
}

func TestTraceparentNamesTheMessageAndTheAttempt(t *testing.T) {
	t.Parallel()
	l := &hook.Lease{Message: &hook.Message{}}
	for i := range l.Message.ID {
		l.Message.ID[i], l.AttemptID[i] = byte(i), byte(0xa0+i)
	}
	var off *trace.Tracer
	if got, want := string(off.AppendParent(nil, l)), "00-0405060708090a0b0c0d0e0f10111213-acadaeafb0b1b2b3-00"; got != want {
		t.Errorf("traceparent %s, want %s", got, want)
	}
	l.Message.ID, l.AttemptID = hook.ID{}, hook.ID{}
	if got, want := string(off.AppendParent(nil, l)), "00-00000000000000000000000000000001-0000000000000001-00"; got != want {
		t.Errorf("ids that are all zero give %s, want %s: W3C forbids it", got, want)
	}
}

func TestStepsOfAnEventAreOneTraceOnEveryNode(t *testing.T) {
	collector := testx.NewCollector(t)
	here, _ := begin(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_SERVICE_NAME": "hooks", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
		"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=blue",
	})
	there := trace.New(t.Context(), trace.Options{Version: "1.2.3", Node: "node-b", Log: slog.New(slog.DiscardHandler)})
	e, l, a := event()
	ctx := here.Caller(t.Context(), http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}})
	here.Accepted(ctx, trace.Call{Events: []hook.NewEvent{e}, Accepted: []hook.Accepted{{Message: e.Message, Matched: 1}}, Began: at.Add(time.Millisecond), Ended: at.Add(2 * time.Millisecond)})
	there.Claimed([]hook.ClaimedLane{{Leases: []*hook.Lease{l}}}, at, at.Add(time.Millisecond))
	there.Attempted(l, a)
	there.Settled([]hook.Settlement{{Lease: l, Attempt: a, Now: at}, {Lease: l}}, []hook.Settled{{Due: at.Add(time.Minute)}, {}}, at, at.Add(time.Millisecond))
	header := string(there.AppendParent(nil, l))
	here.Stop(t.Context())
	there.Stop(t.Context())

	got := map[string]testx.Span{}
	for _, s := range collector.Spans() {
		got[s.Name] = s
	}
	accept := got["accept"]
	for child, parent := range map[string]string{"accept": "", "commit": accept.ID, "claim": accept.ID, "attempt": accept.ID, "settle": got["attempt"].ID} {
		if s := got[child]; s.Trace != accept.Trace || s.Parent != parent || s.ID == "" {
			t.Errorf("%s: %+v, want a child of %q in trace %s", child, s, parent, accept.Trace)
		}
	}
	publish := got["publish"]
	if publish.Ref() != "0af7651916cd43dd8448eb211c80319c/"+publish.ID || publish.Parent != "b7ad6b7169203331" || len(publish.Links) != 1 || publish.Links[0] != accept.Ref() {
		t.Errorf("publish %+v, want a child of the caller's span with a link to accept", publish)
	}
	if want := "0af7651916cd43dd8448eb211c80319c/b7ad6b7169203331"; len(accept.Links) != 1 || accept.Links[0] != want {
		t.Errorf("accept has the links %v, want %s", accept.Links, want)
	}
	if want := "00-" + accept.Trace + "-" + got["attempt"].ID + "-01"; header != want {
		t.Errorf("traceparent %s, want %s", header, want)
	}
	if r := accept.Resource; r["service.name"] != "hooks" || r["service.version"] != "1.2.3" || r["service.instance.id"] != "node-a" || r["deployment.environment"] != "test" {
		t.Errorf("resource %v", r)
	}
	if h := collector.Headers()[0].Get("X-Tenant"); h != "blue" {
		t.Errorf("header of the environment: %q", h)
	}
	checkAttempt(t, got["attempt"], a)
}

func checkAttempt(t *testing.T, s testx.Span, a hook.Attempt) {
	t.Helper()
	for name, want := range map[string]string{
		"grapnel.endpoint.id": hook.KindEndpoint.Format(a.Endpoint), "grapnel.message.id": hook.KindMessage.Format(a.Message),
		"grapnel.attempt.number": "1", "http.response.status_code": "503", "grapnel.attempt.class": "status_5xx",
		"error.type": "status_5xx", "server.address": "example.com", "grapnel.queue_ms": "1",
	} {
		if got := s.Attributes[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := strings.Join(s.Events, " "); got != "connect tls first_byte body" {
		t.Errorf("events %q, want the phases that happened", got)
	}
	if !s.Failed || s.Reason != a.Outcome.Detail || !s.Start.Equal(a.StartedAt) || s.End.Sub(s.Start) != a.Timings.Total {
		t.Errorf("%+v, want the attempt's own times and failure", s)
	}
	for name, value := range s.Attributes {
		if strings.Contains(value, "token") || strings.Contains(value, "payload") || strings.Contains(value, "u:p") {
			t.Errorf("%s shows %q", name, value)
		}
	}
}

func TestRefusedFailedAndDuplicateEventsAreDrawnAsSuch(t *testing.T) {
	collector := testx.NewCollector(t)
	tracer, _ := begin(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL})
	first, _, _ := event()
	again, _, _ := event()
	refused, _, _ := event()
	failed, l, a := event()
	tracer.Accepted(t.Context(), trace.Call{Events: []hook.NewEvent{again, refused}, Accepted: []hook.Accepted{
		{Message: first.Message, Duplicate: true}, {Err: &hook.Error{Code: hook.CodeConflict, Detail: "taken"}},
	}, Began: at, Ended: at})
	tracer.Accepted(t.Context(), trace.Call{Events: []hook.NewEvent{failed}, Err: errors.New("secret inside"), Began: at, Ended: at})
	tracer.Settled([]hook.Settlement{{Lease: l, Attempt: a}}, []hook.Settled{{Lost: true}}, at, at)
	tracer.Stop(t.Context())

	type drawn struct {
		trace, name, why string
		failed           bool
	}
	of := func(e hook.NewEvent) string { return trace.ID(e.ID).String() }
	want := map[drawn]bool{
		{of(first), "commit", "", false}: true, {of(refused), "accept", "conflict", true}: true, {of(refused), "commit", "conflict", true}: true,
		{of(failed), "accept", "internal_error", true}: true, {of(failed), "commit", "internal_error", true}: true,
		{of(failed), "settle", "The lease was no longer this node's; nothing was recorded.", true}: true,
	}
	for _, s := range collector.Spans() {
		d := drawn{s.Trace, s.Name, s.Reason, s.Failed}
		if !want[d] {
			t.Errorf("%+v was not expected", d)
		}
		delete(want, d)
	}
	for d := range want {
		t.Errorf("%+v is missing", d)
	}
}

func TestSamplersOfTheEnvironmentDecideForWholeEvents(t *testing.T) {
	const events = 200
	for sampler, want := range map[string][2]int{"always_on": {events, events}, "always_off": {0, 0}, "parentbased_traceidratio": {events / 5, events * 4 / 5}} {
		collector := testx.NewCollector(t)
		tracer, _ := begin(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0.5"})
		flags := map[string]string{}
		for range events {
			e, l, a := event()
			tracer.Accepted(t.Context(), trace.Call{Events: []hook.NewEvent{e}, Accepted: make([]hook.Accepted, 1), Began: at, Ended: at})
			tracer.Attempted(l, a)
			flags[trace.ID(e.ID).String()] = string(tracer.AppendParent(nil, l))[53:]
		}
		tracer.Stop(t.Context())
		steps := map[string]int{}
		for _, s := range collector.Spans() {
			steps[s.Trace]++
		}
		if n := len(steps); n < want[0] || n > want[1] {
			t.Errorf("%s: %d events are sampled, want %v", sampler, n, want)
		}
		for id, flag := range flags {
			if n := steps[id]; n != 0 && n != 3 || (n > 0) != (flag == "01") {
				t.Errorf("%s: an event has %d of its 3 spans and the flag %s", sampler, n, flag)
			}
		}
	}
}

func TestACollectorThatIsDownCostsSpansAndNothingElse(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	tracer, log := begin(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + nobody.Addr().String() + "/key-in-path", "OTEL_BSP_MAX_QUEUE_SIZE": "10",
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "5", "OTEL_BSP_SCHEDULE_DELAY": "1",
	})
	began := time.Now()
	for range 1000 {
		_, l, a := event()
		tracer.Attempted(l, a)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("1000 attempts took %s", took)
	}
	tracer.Stop(t.Context())
	exported, failed, dropped := tracer.Counts()
	if exported != 0 || failed == 0 || dropped == 0 || failed+dropped > 1000 {
		t.Errorf("exported %d, failed %d, dropped %d; want none, some, some", exported, failed, dropped)
	}
	for _, text := range []string{"spans are dropped", "spans cannot be exported"} {
		if n := strings.Count(log.String(), text); n != 1 {
			t.Errorf("%q is logged %d times, want once:\n%s", text, n, log)
		}
	}
	if strings.Contains(log.String(), "key-in-path") {
		t.Errorf("the path of the collector's address is logged:\n%s", log)
	}
}

func TestACollectorThatHangsDoesNotKeepTheServerFromStopping(t *testing.T) {
	over := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer hanging.Close()
	defer close(over)
	tracer, log := begin(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": hanging.URL})
	_, l, a := event()
	tracer.Attempted(l, a)
	began := time.Now()
	tracer.Stop(context.Background())
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s, want about 2 s", took)
	}
	if !strings.Contains(log.String(), "the last spans were not exported") {
		t.Errorf("log: %s", log)
	}
}

func TestWhatTheSDKComplainsOfIsLoggedOnceAndWithoutSecrets(t *testing.T) {
	tracer, log := begin(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_HEADERS": "no-value-but-secret-word",
		"OTEL_TRACES_SAMPLER": "psychic",
	})
	defer tracer.Stop(t.Context())
	for range 3 {
		otel.Handle(errors.New("again and again at https://user:secret-word@collector/secret-word"))
	}
	for _, text := range []string{"unsupported sampler: psychic", "parse headers", "again and again at https://collector"} {
		if n := strings.Count(log.String(), text); n != 1 {
			t.Errorf("%q is logged %d times, want once:\n%s", text, n, log)
		}
	}
	if strings.Contains(log.String(), "secret-word") {
		t.Errorf("a secret of the environment is logged:\n%s", log)
	}
}
