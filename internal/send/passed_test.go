package send_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/send"
)

// got is a request as it arrived.
type got struct {
	method, uri, length, body string
	header                    http.Header
}

// passTarget gives the URL of a receiver and the channel of what arrives there.
func passTarget(t *testing.T) (string, <-chan got) {
	t.Helper()
	arrived := make(chan got, 4)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- got{r.Method, r.RequestURI, r.Header.Get("Content-Length"), string(body), r.Header}
		w.Header().Set("Content-Length", "5")
		if r.Method != http.MethodHead {
			io.WriteString(w, "fine.")
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, arrived
}

// cameAs makes the envelope of a webhook; headers are name, value, name, value.
func cameAs(method, path, query string, headers ...string) *hook.Envelope {
	e := &hook.Envelope{Method: method, Path: path, Query: query}
	for i := 0; i+1 < len(headers); i += 2 {
		e.Headers = append(e.Headers, hook.HeaderLine{headers[i], headers[i+1]})
	}
	return e
}

func TestReceivedWebhookIsPassedOnWithWhatBelongsToIt(t *testing.T) {
	t.Parallel()
	for name, use := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, arrived := passTarget(t)
			l, key := lease(url+"/hook?own=1", []byte(" {\"a\": 1}\n"))
			l.Endpoint.SealedHeaders = seal(hook.PurposeHeaders, l.Endpoint.ID, `{"X-Team":"ours","authorization":"Bearer ours"}`)
			l.Message.ContentType = "application/cloudevents+json; charset=utf-8"
			l.Message.Envelope = cameAs("PUT", "/orders/7", "a=%20b&c=d e",
				"Accept", "application/x-theirs", "Accept-Encoding", "gzip", "Authorization", "Basic theirs", "Connection", "close, X-Hop",
				"Content-Encoding", "identity", "Content-Length", "99", "Content-Type", "text/plain", "Cookie", "a=b", "Expect", "100-continue",
				"Forwarded", "for=1.2.3.4", "Grapnel-Hops", "2", "Grapnel-Path", "/forged", "Proxy-Authorization", "x", "Stripe-Signature", "t=1,v1=ab",
				"Te", "trailers", "Traceparent", "00-theirs", "Transfer-Encoding", "chunked", "Upgrade", "h2c", "User-Agent", "Stripe/1.0",
				"Webhook-Id", "msg_theirs", "Webhook-Signature", "v1,theirs", "X-Forwarded-For", "1.2.3.4", "X-Forwarded-Host", "evil", "X-Hop", "1",
				"X-Many", "one", "X-Many", "two", "X-Team", "theirs")
			s := newSender(t, nil)
			use(s)
			a := s.Post(t.Context(), l)
			if a.Outcome.Class != hook.Success {
				t.Fatalf("outcome %+v", a.Outcome)
			}
			g := <-arrived
			if g.method != "PUT" || g.uri != "/hook?own=1&a=%20b&c=d%20e" || g.body != " {\"a\": 1}\n" {
				t.Errorf("%s %s %q", g.method, g.uri, g.body)
			}
			for name, want := range map[string][]string{
				"Accept": {"application/x-theirs"}, "Authorization": {"Bearer ours"}, "Content-Encoding": {"identity"},
				"Content-Type": {"application/cloudevents+json; charset=utf-8"}, "Grapnel-Hops": {"3"}, "Grapnel-Path": {"/orders/7"},
				"Stripe-Signature": {"t=1,v1=ab"}, "Traceparent": {"00-theirs"}, "User-Agent": {"Stripe/1.0"},
				"X-Original-Webhook-Id": {"msg_theirs"}, "X-Original-Webhook-Signature": {"v1,theirs"}, "X-Many": {"one", "two"}, "X-Team": {"ours"},
				"Cookie": nil, "Connection": nil, "Expect": nil, "Forwarded": nil, "Proxy-Authorization": nil, "Te": nil, "Upgrade": nil,
				"X-Forwarded-For": nil, "X-Forwarded-Host": nil, "X-Hop": nil, "Accept-Encoding": nil,
			} {
				if !slices.Equal(g.header[name], want) {
					t.Errorf("%s is %q, want %q", name, g.header[name], want)
				}
			}
			if err := verify(t, &http.Request{Header: g.header, Body: io.NopCloser(strings.NewReader(g.body))}, key); err != nil {
				t.Errorf("our own signature: %v", err)
			}
			shown := map[string]string{}
			if err := json.Unmarshal(a.RequestHeaders, &shown); err != nil {
				t.Fatalf("%s: %v", a.RequestHeaders, err)
			}
			if shown["Stripe-Signature"] != "t=1,v1=ab" || shown["X-Many"] != "one, two" || strings.Contains(string(a.RequestHeaders), "Bearer ours") || shown["Webhook-Id"] == "" {
				t.Errorf("the attempt shows %s", a.RequestHeaders)
			}
		})
	}
}

func TestForwardedHeadersOfTheOwnerGoAlong(t *testing.T) {
	t.Parallel()
	url, arrived := passTarget(t)
	l, _ := lease(url, nil)
	l.Message.Envelope = cameAs("POST", "", "", "Authorization", "Basic theirs", "Cookie", "a=b")
	l.Message.Envelope.Forward = []string{"authorization"}
	a := newSender(t, nil).Post(t.Context(), l)
	g := <-arrived
	if g.header.Get("Authorization") != "Basic theirs" || g.header["Cookie"] != nil {
		t.Errorf("headers %v", g.header)
	}
	if strings.Contains(string(a.RequestHeaders), "theirs") {
		t.Errorf("the attempt shows the credentials: %s", a.RequestHeaders)
	}
}

func TestMethodsWithoutABodyArePassedOnWithoutALength(t *testing.T) {
	t.Parallel()
	for name, use := range transports {
		for method, length := range map[string]string{"GET": "", "DELETE": "", "HEAD": "", "POST": "0", "PATCH": "0"} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				if method == "HEAD" {
					use = (*send.Sender).UseStandard // the sender never takes the direct one for it
				}
				url, arrived := passTarget(t)
				l, _ := lease(url, nil)
				l.Message.ContentType = ""
				l.Message.Envelope = cameAs(method, "", "")
				s := newSender(t, nil)
				use(s)
				if a := s.Post(t.Context(), l); a.Outcome.Class != hook.Success {
					t.Fatalf("outcome %+v", a.Outcome)
				}
				if g := <-arrived; g.method != method || g.length != length || g.header["Content-Type"] != nil || g.header.Get("User-Agent") != "Grapnel/test" {
					t.Errorf("%+v, want the length %q", g, length)
				}
			})
		}
	}
}

func TestHeadGoesOverTheTransportThatKnowsItsAnswers(t *testing.T) {
	t.Parallel()
	url, arrived := passTarget(t)
	s := newSender(t, nil)
	for range 2 { // the second one would find the rest of the first answer on a connection that was kept
		l, _ := lease(url, nil)
		l.Message.Envelope = cameAs("HEAD", "", "")
		if a := s.Post(t.Context(), l); a.Outcome.Class != hook.Success {
			t.Fatalf("outcome %+v", a.Outcome)
		}
		<-arrived
	}
}

func TestPassGoesToAnyAllowedAddressWithoutOurSignature(t *testing.T) {
	t.Parallel()
	url, arrived := passTarget(t)
	s := newSender(t, nil)
	m := &hook.Message{ID: hook.NewID(at), ContentType: "application/json", Body: []byte(`{}`), Envelope: cameAs("POST", "", "q=1", "Webhook-Id", "theirs", "X-Own", "1")}
	if a := s.Pass(t.Context(), url+"/try", m); a.Outcome.Class != hook.Success || a.URL != url+"/try" {
		t.Fatalf("attempt %+v", a)
	}
	g := <-arrived
	if g.uri != "/try?q=1" || g.header.Get("Webhook-Id") != "theirs" || g.header["Webhook-Signature"] != nil || g.header.Get("X-Own") != "1" {
		t.Errorf("%+v", g)
	}
	if a := s.Pass(t.Context(), "http://10.0.0.1/", m); a.Outcome.Class != hook.FailPolicy {
		t.Errorf("a forbidden address: %+v", a.Outcome)
	}
}
