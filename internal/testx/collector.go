package testx

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span that reached a Collector, in a form that tests compare easily.
// Ids are in hexadecimal, values of attributes are texts.
type Span struct {
	Trace, ID, Parent string
	Name, Kind        string
	Start, End        time.Time
	Failed            bool
	Reason            string // why it failed
	Attributes        map[string]string
	Events            []string // names
	Links             []string // trace/span
	Resource          map[string]string
}

// Ref is how a link names the span.
func (s *Span) Ref() string { return s.Trace + "/" + s.ID }

// Collector is an OpenTelemetry collector on loopback that takes traces over
// OTLP/HTTP and keeps them.
type Collector struct {
	URL string

	mu      sync.Mutex // guards what follows
	spans   []Span
	headers []http.Header
	arrived chan struct{} // the handler sends, Until receives; one value at most
}

// NewCollector starts a collector that ends with the test.
func NewCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{arrived: make(chan struct{}, 1)}
	server := httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var in coltracepb.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.headers = append(c.headers, r.Header)
	for _, of := range in.GetResourceSpans() {
		for _, scope := range of.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, spanOf(s, valuesOf(of.GetResource().GetAttributes())))
			}
		}
	}
	c.mu.Unlock()
	select {
	case c.arrived <- struct{}{}:
	default:
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty body is an empty answer
}

// Until waits until what has come is enough and gives it. One goroutine may wait.
func (c *Collector) Until(t testing.TB, enough func([]Span) bool) []Span {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for {
		spans := c.Spans()
		if enough(spans) {
			return spans
		}
		select {
		case <-c.arrived:
		case <-limit.C:
			t.Fatalf("after 30 s these spans have come: %+v", spans)
		}
	}
}

// Spans gives what has come so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Headers gives those of the requests so far.
func (c *Collector) Headers() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]http.Header(nil), c.headers...)
}

func spanOf(s *tracepb.Span, resource map[string]string) Span {
	out := Span{
		Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Name: s.GetName(), Kind: s.GetKind().String(),
		Start: time.Unix(0, int64(s.GetStartTimeUnixNano())).UTC(), End: time.Unix(0, int64(s.GetEndTimeUnixNano())).UTC(),
		Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR, Reason: s.GetStatus().GetMessage(),
		Attributes: valuesOf(s.GetAttributes()), Resource: resource,
	}
	for _, e := range s.GetEvents() {
		out.Events = append(out.Events, e.GetName())
	}
	for _, l := range s.GetLinks() {
		out.Links = append(out.Links, hex.EncodeToString(l.GetTraceId())+"/"+hex.EncodeToString(l.GetSpanId()))
	}
	return out
}

func valuesOf(list []*commonpb.KeyValue) map[string]string {
	values := make(map[string]string, len(list))
	for _, kv := range list {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			values[kv.GetKey()] = v.StringValue
		case *commonpb.AnyValue_BoolValue:
			values[kv.GetKey()] = strconv.FormatBool(v.BoolValue)
		case *commonpb.AnyValue_IntValue:
			values[kv.GetKey()] = strconv.FormatInt(v.IntValue, 10)
		case *commonpb.AnyValue_DoubleValue:
			values[kv.GetKey()] = strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
		default:
			values[kv.GetKey()] = kv.GetValue().String()
		}
	}
	return values
}
