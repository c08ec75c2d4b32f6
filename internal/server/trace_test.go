package server_test

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// flaky is a receiver on loopback that fails once and then takes everything.
func flaky(t *testing.T) (*testx.Receiver, string) {
	t.Helper()
	receiver := testx.NewReceiver()
	receiver.On("/hook", testx.Answer{Status: 503}, testx.Answer{Status: 204})
	return receiver, receiver.ServeLoopback(t) + "/hook?token=query-secret"
}

// publishAs publishes with a traceparent and gives the message's id.
func (n *node) publishAs(t *testing.T, traceparent string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL()+"/api/v1/app/acme/msg", strings.NewReader(`{"eventType":"a","payload":{"card":"body-secret"}}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+testKey)
	if traceparent != "" {
		request.Header.Set("Traceparent", traceparent)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var out apitype.MessageOut
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil || answer.StatusCode != http.StatusAccepted {
		t.Fatalf("publish: status %d, %v", answer.StatusCode, err)
	}
	return out.ID
}

// named gives the spans of a name, in the order of their beginning.
func named(spans []testx.Span, name string) (found []testx.Span) {
	for _, s := range spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// TestAnEventIsOneTraceFromItsAcceptanceToItsLastAttempt sets the environment of
// the process, so it is not parallel, like the other tests here that do.
func TestAnEventIsOneTraceFromItsAcceptanceToItsLastAttempt(t *testing.T) {
	const caller = "0af7651916cd43dd8448eb211c80319c"
	collector := testx.NewCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	receiver, url := flaky(t)
	n := start(t, t.TempDir(), map[string]string{"send-traceparent": "true", "retry-schedule": "100ms", "log-level": "debug"})
	n.target(t, url)
	id := n.publishAs(t, "00-"+caller+"-b7ad6b7169203331-01")
	spans := collector.Until(t, func(spans []testx.Span) bool {
		return len(named(spans, "settle")) == 2 && len(named(spans, "publish")) == 1
	})

	if len(spans) != 8 {
		t.Fatalf("%d spans, want publish, accept, commit, claim and two attempts with settle: %+v", len(spans), spans)
	}
	accept, publish := named(spans, "accept")[0], named(spans, "publish")[0]
	attempts, settles := named(spans, "attempt"), named(spans, "settle")
	if accept.Parent != "" || accept.Attributes["grapnel.message.id"] != id || accept.Attributes["grapnel.leased"] != "1" {
		t.Errorf("accept %+v, want the root, of the message %s", accept, id)
	}
	if publish.Trace != caller || len(publish.Links) != 1 || publish.Links[0] != accept.Ref() || len(accept.Links) != 1 || accept.Links[0] != caller+"/b7ad6b7169203331" {
		t.Errorf("publish %+v and accept %+v, want a link to each other's trace", publish, accept)
	}
	for _, s := range append(attempts, named(spans, "commit")[0], named(spans, "claim")[0]) {
		if s.Trace != accept.Trace || s.Parent != accept.ID {
			t.Errorf("%s has the parent %s in %s, want accept", s.Name, s.Parent, s.Trace)
		}
	}
	for i, want := range []struct{ status, leased, state string }{{"503", "true", "pending"}, {"204", "false", "delivered"}} {
		a, s, sent := attempts[i], settles[i], receiver.Requests()[i].Header.Get("Traceparent")
		if a.Attributes["http.response.status_code"] != want.status || a.Failed != (i == 0) || a.Attributes["grapnel.leased_at_accept"] != want.leased {
			t.Errorf("attempt %d: %+v, want status %s", i, a, want.status)
		}
		if s.Parent != a.ID || s.Trace != a.Trace || s.Attributes["grapnel.delivery.state"] != want.state {
			t.Errorf("settle %d: %+v, want a child of its attempt with the state %s", i, s, want.state)
		}
		if wantSent := "00-" + a.Trace + "-" + a.ID + "-01"; sent != wantSent {
			t.Errorf("attempt %d was sent with the traceparent %q, want %q", i, sent, wantSent)
		}
	}
	for _, s := range spans {
		for name, value := range s.Attributes {
			if strings.Contains(value, "secret") || strings.Contains(value, testKey) {
				t.Errorf("%s of %s shows %q", name, s.Name, value)
			}
		}
	}
}

func TestACollectorThatIsDownLeavesTheServerAlone(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+nobody.Addr().String())
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
	url, _ := answering(t, 200)
	n := start(t, t.TempDir(), nil)
	n.target(t, url)
	for range 20 {
		if out := n.publish(t, `{}`); out.Deliveries[0].State != apitype.DeliveryDelivered {
			t.Fatalf("%+v, want it delivered", out)
		}
	}
	if err := n.stop(); err != nil {
		t.Error(err)
	}
	if strings.Contains(n.log.String(), "level=ERROR") || !strings.Contains(n.log.String(), "spans cannot be exported") {
		t.Errorf("the log should tell of it once, as no error:\n%s", n.log)
	}
}

func TestTraceparentIsSentOnlyIfAskedForAndWithoutACollectorToo(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{"false": "", "true": "-00"} {
		url, headers := answering(t, 200)
		n := start(t, t.TempDir(), map[string]string{"send-traceparent": setting})
		n.target(t, url)
		n.publish(t, `{}`)
		got := (<-headers).Get("Traceparent")
		if (got == "") != (want == "") || !strings.HasSuffix(got, want) {
			t.Errorf("send-traceparent %s: sent %q, want it to end in %q", setting, got, want)
		}
		if log := n.log.String(); strings.Contains(log, "trace") {
			t.Errorf("the log speaks of traces that nobody asked for:\n%s", log)
		}
	}
}
