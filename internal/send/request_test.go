package send_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/send"
	"github.com/grapnelhq/grapnel/webhook"
)

// received runs a server that answers 200 and hands on what it got.
func received(t *testing.T) (url string, got <-chan *http.Request) {
	t.Helper()
	requests := make(chan *http.Request, 8)
	p := newPeer(t, func(_ *peer, c *peerConn) {
		for r := c.request(); r != nil; r = c.request() {
			requests <- r
			c.say(ok)
		}
	})
	return p.url(), requests
}

// verify checks the signature of a request with the keys, at the time of the tests.
func verify(t *testing.T, r *http.Request, keys ...webhook.Key) error {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	v, err := webhook.NewVerifier(keys, webhook.WithClock(func() time.Time { return at }))
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(r.Header, body)
}

func TestTheExactBytesAreSentAndSigned(t *testing.T) {
	each(t, func(t *testing.T, use func(*send.Sender)) {
		url, got := received(t)
		s := newSender(t, nil)
		use(s)
		for _, body := range [][]byte{nil, []byte(`{"b":1,  "a":2}`), {0, 255, '\r', '\n'}, bytes.Repeat([]byte("x"), 200<<10)} {
			l, key := lease(url, body)
			l.Message.ContentType = "application/x-raw"
			posts(t, s, l, 1)
			r := <-got
			if sent, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(sent, body) {
				t.Errorf("sent %d bytes, want %d", len(sent), len(body))
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			if err := verify(t, r, key); err != nil {
				t.Errorf("signature of %d bytes: %v", len(body), err)
			}
			if r.Header.Get("Content-Type") != "application/x-raw" || r.Header.Get("Webhook-Id") != hook.KindMessage.Format(l.Message.ID) || r.ContentLength != int64(len(body)) {
				t.Errorf("sent the header %v, length %d", r.Header, r.ContentLength)
			}
		}
	})
}

func TestNothingIsSentOnceTheLeaseIsNoLongerGood(t *testing.T) {
	each(t, func(t *testing.T, use func(*send.Sender)) {
		url, got := received(t)
		stale := true
		s := newSender(t, func(o *send.Options) { o.Fresh = func() bool { return !stale } })
		use(s)
		l, _ := lease(url, []byte("{}"))
		if a := s.Post(t.Context(), l); !a.Unsent || a.Outcome.Status != 0 || a.Outcome.Class == hook.Success {
			t.Errorf("%+v", a)
		}
		stale = false
		posts(t, s, l, 1)
		<-got
		if len(got) > 0 {
			t.Error("two requests came")
		}
	})
}

func TestTheRequestSaysOnlyWhatItShould(t *testing.T) {
	each(t, func(t *testing.T, use func(*send.Sender)) {
		url, got := received(t)
		s := newSender(t, nil)
		use(s)
		l, _ := lease(url+"?q=é", []byte("{}"))
		l.Message.ContentType = ""
		posts(t, s, l, 1)
		r := <-got
		if r.Method != http.MethodPost || r.RequestURI != "/hook?q=%C3%A9" || r.Proto != "HTTP/1.1" || !strings.HasPrefix(r.Host, "127.0.0.1:") {
			t.Errorf("sent %s %s %s to %s", r.Method, r.RequestURI, r.Proto, r.Host)
		}
		want := http.Header{
			"User-Agent": {"Grapnel/test"}, "Accept": {"*/*"}, "Content-Type": {"application/json"}, "Content-Length": {"2"},
			"Webhook-Id": r.Header["Webhook-Id"], "Webhook-Timestamp": {"1777896000"}, "Webhook-Signature": r.Header["Webhook-Signature"],
		}
		if !maps.EqualFunc(r.Header, want, slices.Equal) {
			t.Errorf("sent the header\n%v, want\n%v", r.Header, want)
		}
	})
}

func TestEverySecretThatHasNotExpiredSigns(t *testing.T) {
	each(t, func(t *testing.T, use func(*send.Sender)) {
		url, got := received(t)
		now := at
		s := newSender(t, func(o *send.Options) { o.Now = func() time.Time { return now } })
		use(s)
		l, current := lease(url, []byte("{}"))
		private, old, expired := webhook.NewPrivateKey(), webhook.NewSecret(), webhook.NewSecret()
		public, _ := private.Public()
		for _, more := range []struct {
			key webhook.Key
			end time.Time
		}{{private, at.Add(time.Hour)}, {old, at.Add(time.Minute)}, {expired, at}} {
			l.Endpoint.Secrets = append(l.Endpoint.Secrets, hook.SealedSecret{
				Sealed: seal(hook.PurposeSecret, l.Endpoint.ID, more.key.Reveal()), ExpiresAt: more.end,
			})
		}
		check := func(signatures int, good, bad []webhook.Key) {
			t.Helper()
			posts(t, s, l, 1)
			r := <-got
			if n := len(strings.Fields(r.Header.Get("Webhook-Signature"))); n != signatures {
				t.Errorf("%d signatures, want %d", n, signatures)
			}
			for _, key := range good {
				if err := verify(t, r, key); err != nil {
					t.Errorf("%v: %v", key.Kind(), err)
				}
			}
			for _, key := range bad {
				if verify(t, r, key) == nil {
					t.Errorf("an expired %v has signed", key.Kind())
				}
			}
			v, err := webhook.NewSigner(current)
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(r.Header.Get("Webhook-Signature"), " "); first != v.Sign(r.Header.Get("Webhook-Id"), now, []byte("{}")) {
				t.Error("the current secret does not sign first")
			}
		}
		check(3, []webhook.Key{current, public, old}, []webhook.Key{expired})
		// The prepared endpoint is kept, its secrets are not used beyond their end.
		now = at.Add(time.Minute)
		check(2, []webhook.Key{current, public}, []webhook.Key{old, expired})
	})
}

func TestAnEndpointsNewRevisionCounts(t *testing.T) {
	t.Parallel()
	url, got := received(t)
	s := newSender(t, func(o *send.Options) { o.MaxPrepared = 4 })
	l, key := lease(url, []byte("{}"))
	posts(t, s, l, 1)
	if err := verify(t, <-got, key); err != nil {
		t.Error(err)
	}
	next := *l.Endpoint
	fresh := webhook.NewSecret()
	next.Revision++
	next.Secrets = []hook.SealedSecret{{Sealed: seal(hook.PurposeSecret, next.ID, fresh.Reveal())}}
	l.Endpoint = &next
	posts(t, s, l, 1)
	if err := verify(t, <-got, fresh); err != nil {
		t.Error(err)
	}
	for range 20 { // more endpoints than are kept
		other, key := lease(url, []byte("{}"))
		posts(t, s, other, 1)
		if err := verify(t, <-got, key); err != nil {
			t.Error(err)
		}
	}
}

func TestSignatureHeaderNamesAreASetting(t *testing.T) {
	each(t, func(t *testing.T, use func(*send.Sender)) {
		for setting, want := range map[send.SignatureHeaders][]string{
			send.HeadersWebhook: {"Webhook-Id", "Webhook-Signature", "Webhook-Timestamp"},
			send.HeadersSvix:    {"Svix-Id", "Svix-Signature", "Svix-Timestamp"},
			send.HeadersBoth:    {"Svix-Id", "Svix-Signature", "Svix-Timestamp", "Webhook-Id", "Webhook-Signature", "Webhook-Timestamp"},
		} {
			if parsed, err := send.ParseSignatureHeaders(setting.String()); err != nil || parsed != setting {
				t.Errorf("%v is not read back", setting)
			}
			url, got := received(t)
			s := newSender(t, func(o *send.Options) { o.SignatureHeaders = setting })
			use(s)
			l, key := lease(url, []byte("{}"))
			posts(t, s, l, 1)
			r := <-got
			if err := verify(t, r, key); err != nil {
				t.Errorf("%v: %v", setting, err)
			}
			var names []string
			for name := range r.Header {
				if strings.HasPrefix(name, "Webhook-") || strings.HasPrefix(name, "Svix-") {
					names = append(names, name)
				}
			}
			if slices.Sort(names); !slices.Equal(names, want) {
				t.Errorf("%v sends %v", setting, names)
			}
		}
		if _, err := send.ParseSignatureHeaders("none"); err == nil {
			t.Error("an unknown setting is accepted")
		}
	})
}

// withHeaders gives the endpoint custom headers.
func withHeaders(t *testing.T, l *hook.Lease, headers map[string]string) {
	t.Helper()
	text, err := json.Marshal(headers)
	if err != nil {
		t.Fatal(err)
	}
	l.Endpoint.SealedHeaders = seal(hook.PurposeHeaders, l.Endpoint.ID, string(text))
}

func TestCustomHeadersAreSentAsGivenAndMaskedInTheRecord(t *testing.T) {
	each(t, func(t *testing.T, use func(*send.Sender)) {
		lines := make(chan string, 32)
		p := newPeer(t, func(_ *peer, c *peerConn) {
			for {
				line, err := c.reader.ReadString('\n')
				if line = strings.TrimSpace(line); err != nil || line == "" {
					break
				}
				if strings.Contains(line, ": ") {
					lines <- line
				}
			}
			close(lines)
			c.say(ok)
		})
		s := newSender(t, nil)
		use(s)
		l, key := lease(p.url(), nil)
		withHeaders(t, l, map[string]string{
			"x-Custom-NAME": "a \"b\" é", "authorization": "Basic c2VjcmV0", "X-API-Key": "secret", "Cookie": "secret", "Proxy-Authenticate": "dropped",
			"Webhook-Id": "forged", "sVix-signature": "forged", "Host": "forged", "content-length": "99", "Transfer-Encoding": "chunked", "Connection": "close",
		})
		a := s.Post(t.Context(), l)
		if a.Outcome.Class != hook.Success {
			t.Fatal(a.Outcome)
		}
		sent := map[string]string{}
		for line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			if _, twice := sent[name]; twice {
				t.Errorf("%s is sent twice", name)
			}
			sent[name] = value
		}
		for name, value := range map[string]string{"x-Custom-NAME": "a \"b\" é", "authorization": "Basic c2VjcmV0", "X-API-Key": "secret", "Cookie": "secret", "Content-Length": "0"} {
			if sent[name] != value {
				t.Errorf("%s is %q, want %q", name, sent[name], value)
			}
		}
		for name, value := range sent {
			if value == "forged" || value == "dropped" || value == "99" || name == "Connection" || name == "Transfer-Encoding" {
				t.Errorf("sent %s: %s", name, value)
			}
		}
		var recorded map[string]string
		if err := json.Unmarshal(a.RequestHeaders, &recorded); err != nil {
			t.Fatal(err)
		}
		for name, value := range recorded {
			if secret := sent[name] == "secret" || name == "authorization"; secret && value != "***" || !secret && value != sent[name] {
				t.Errorf("%s: %q is recorded as %q", name, sent[name], value)
			}
		}
		if len(recorded) != len(sent)-1 || strings.Contains(string(a.RequestHeaders), key.Reveal()) { // all but Host
			t.Errorf("recorded %s of %v", a.RequestHeaders, sent)
		}
	})
}

func TestNothingLeavesWithoutASignature(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*testing.T, *hook.Lease)
		detail string
		logged bool
	}{
		"secret of another key": {func(_ *testing.T, l *hook.Lease) { l.Endpoint.Secrets[0].Sealed = []byte("foreign") }, "master key", true},
		"secret that is no key": {func(_ *testing.T, l *hook.Lease) {
			l.Endpoint.Secrets[0].Sealed = seal(hook.PurposeSecret, l.Endpoint.ID, "whpk_x")
		}, "signing secret", true},
		"old secret unreadable": {func(_ *testing.T, l *hook.Lease) {
			l.Endpoint.Secrets = append(l.Endpoint.Secrets, hook.SealedSecret{ExpiresAt: at.Add(time.Hour)})
		}, "master key", true},
		"no secret":                {func(_ *testing.T, l *hook.Lease) { l.Endpoint.Secrets = nil }, "no signing secret", true},
		"only an expired secret":   {func(_ *testing.T, l *hook.Lease) { l.Endpoint.Secrets[0].ExpiresAt = at }, "no signing secret", true},
		"headers of another key":   {func(_ *testing.T, l *hook.Lease) { l.Endpoint.SealedHeaders = []byte("foreign") }, "custom headers", true},
		"headers that split":       {func(t *testing.T, l *hook.Lease) { withHeaders(t, l, map[string]string{"A": "b\r\nC: d"}) }, "custom header", false},
		"header without a name":    {func(t *testing.T, l *hook.Lease) { withHeaders(t, l, map[string]string{"": "b"}) }, "custom header", false},
		"content type that splits": {func(_ *testing.T, l *hook.Lease) { l.Message.ContentType = "a\r\nb: c" }, "content type", false},
		"payload gone":             {func(_ *testing.T, l *hook.Lease) { l.Message.Body, l.Message.BodyGone = nil, true }, "payload", false},
		"no URL":                   {func(_ *testing.T, l *hook.Lease) { l.Endpoint.URL = "" }, "url_length", false},
		"forbidden address":        {func(_ *testing.T, l *hook.Lease) { l.Endpoint.URL = "https://10.0.0.1/?token=canary" }, "special_address", false},
		"forbidden port":           {func(_ *testing.T, l *hook.Lease) { l.Endpoint.URL = "https://8.8.8.8:22/?token=canary" }, "port", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			g := newGuard()
			s := newSender(t, func(o *send.Options) { o.Dialer = &g.Dialer; o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			l, key := lease("http://127.0.0.1:1/?token=canary", []byte("{}"))
			row.change(t, l)
			for range 2 {
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != hook.FailPolicy || a.Outcome.Status != 0 || !strings.Contains(a.Outcome.Detail, row.detail) {
					t.Errorf("outcome is %+v", a.Outcome)
				}
				if strings.Contains(a.Outcome.Detail, "canary") {
					t.Errorf("the sentence gives the URL away: %q", a.Outcome.Detail)
				}
			}
			if n := g.dials.Load(); n != 0 {
				t.Errorf("dialled %d times", n)
			}
			if n := strings.Count(log.String(), hook.KindEndpoint.Format(l.Endpoint.ID)); row.logged && n != 1 || !row.logged && n != 0 {
				t.Errorf("logged %d times: %s", n, log.String())
			}
			if strings.Contains(log.String(), key.Reveal()) || strings.Contains(log.String(), "canary") {
				t.Errorf("the log gives a secret away: %s", log.String())
			}
		})
	}
}

func TestTheAttemptTellsWhatItIsOf(t *testing.T) {
	t.Parallel()
	url, _ := received(t)
	s := newSender(t, func(o *send.Options) { o.ResponseCap = -1 })
	l, _ := lease(url, []byte("{}"))
	l.Number, l.Tried.Manual = 7, true
	a := s.Post(t.Context(), l)
	if a.Message != l.Message.ID || a.Endpoint != l.Endpoint.ID || a.Number != 7 || a.Trigger != hook.TriggerManual || a.URL != url || !a.StartedAt.Equal(at) {
		t.Errorf("the attempt is %+v", a)
	}
	if a.Response != nil {
		t.Errorf("kept %q although nothing is to be kept", a.Response)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range badOptions {
		opts := send.Options{Open: open}
		change(&opts)
		if _, err := send.New(opts); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := send.New(send.Options{Open: func(string, hook.ID, []byte) ([]byte, error) { return nil, errors.New("x") }}); err != nil {
		t.Error(err)
	}
}
