package listen_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/listen"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// noPlaces leaves everything due.
type noPlaces struct{}

func (noPlaces) Reserve(*hook.Endpoint, int) bool    { return false }
func (noPlaces) Unreserve(*hook.Endpoint, int)       {}
func (noPlaces) Due(*hook.Endpoint, bool, time.Time) {}

// rig is a hub over a store, with an application and a source.
type rig struct {
	*testing.T
	store  store.Store
	hub    *listen.Hub
	url    string
	client *http.Client
	env    hook.ID
	app    hook.Application
	source hook.Source
	keysMu sync.Mutex          // guards keys
	keys   map[string]hook.Key // by token
	stop   context.CancelFunc
	ended  chan error
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := makeRig(t)
	server := httptest.NewServer(r.hub)
	t.Cleanup(server.Close)
	r.url, r.client = server.URL, server.Client()
	return r
}

// makeRig makes everything but the server.
func makeRig(t *testing.T) *rig {
	t.Helper()
	st := testx.Must(store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "g.db"), store.Options{Logger: slog.New(slog.DiscardHandler)}))(t)
	t.Cleanup(func() { st.Close() })
	now := time.Now()
	r := &rig{T: t, store: st, env: hook.NewID(now), keys: make(map[string]hook.Key), ended: make(chan error, 1)}
	testx.NoError(t, st.CreateEnvironment(t.Context(), &hook.Environment{ID: r.env, Name: "test", CreatedAt: now}))
	r.app = hook.Application{ID: hook.NewID(now), Env: r.env, UID: "acme", Name: "Acme", CreatedAt: now, UpdatedAt: now}
	_, _, err := st.CreateApplication(t.Context(), &r.app, nil)
	testx.NoError(t, err)
	r.source = hook.Source{
		ID: hook.NewID(now), Env: r.env, UID: "pay", Name: "Payments", Type: "stripe", CreatedAt: now, UpdatedAt: now,
		Tokens: []hook.SourceToken{{Hash: [32]byte{1}, Sealed: []byte("sealed"), CreatedAt: now}},
	}
	_, _, err = st.CreateSource(t.Context(), &r.source, nil)
	testx.NoError(t, err)
	r.keys["key"] = hook.Key{Env: r.env}
	r.hub = listen.New(listen.Deps{
		Store: st, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Authenticate: func(_ context.Context, token string) (hook.Key, error) {
			r.keysMu.Lock()
			defer r.keysMu.Unlock()
			if k, ok := r.keys[token]; ok {
				return k, nil
			}
			return hook.Key{}, &hook.Error{Code: hook.CodeAuthentication}
		},
		IngestURL: func(_ *http.Request, s *hook.Source) string { return "https://example.com/in/" + s.UID },
		Verifies:  func(*hook.Source) bool { return true },
		Fail: func(w http.ResponseWriter, err error) {
			var e *hook.Error
			if !errors.As(err, &e) {
				e = &hook.Error{Code: hook.CodeInternal, Detail: err.Error()}
			}
			w.WriteHeader(e.Code.Info().Status)
			_ = json.NewEncoder(w).Encode(map[string]string{"code": string(e.Code), "detail": e.Detail})
		},
	})
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { r.ended <- r.hub.Run(ctx) }()
	t.Cleanup(func() {
		r.stop()
		testx.NoError(t, <-r.ended)
	})
	return r
}

// accept stores events of an owner, one commit each, and gives their ids.
func (r *rig) accept(owner hook.ID, at time.Time, types ...string) []string {
	r.Helper()
	var ids []string
	for _, kind := range types {
		m := hook.Message{
			ID: hook.NewID(at), App: owner, Env: r.env, EventType: kind, ContentType: "application/json", Body: []byte(`{"a": 1}`), BodySize: 8, CreatedAt: at,
		}
		if owner == r.source.ID {
			m.Envelope = &hook.Envelope{Method: "PUT", Path: "/x%20y", Query: "a=1&a=2", Headers: []hook.HeaderLine{{"X-A", "1"}, {"X-A", "2"}}}
		}
		out := testx.Must(r.store.Accept(r.Context(), hook.Node{}, noPlaces{}, at, []hook.NewEvent{{Message: m}}))(r)
		testx.NoError(r, out[0].Err)
		ids = append(ids, hook.KindMessage.Format(m.ID))
	}
	return ids
}

func (r *rig) dial(query string, token string) (*websocket.Conn, *http.Response, error) {
	return websocket.Dial(r.Context(), r.url+"/api/v1/listen?"+query, &websocket.DialOptions{
		HTTPClient: r.client, HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
}

// listener is a client.
type listener struct {
	*rig
	conn  *websocket.Conn
	hello apitype.ListenFrame
}

func (r *rig) listen(query string) *listener {
	r.Helper()
	conn, _, err := r.dial(query, "key")
	testx.NoError(r, err)
	r.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(-1)
	l := &listener{rig: r, conn: conn}
	l.hello = l.next()
	return l
}

func (l *listener) next() apitype.ListenFrame {
	l.Helper()
	_, text, err := l.conn.Read(l.Context())
	testx.NoError(l, err)
	var frame apitype.ListenFrame
	testx.NoError(l, json.Unmarshal(text, &frame))
	return frame
}

// events takes n events and gives their ids and the last cursor.
func (l *listener) events(n int) (ids []string, cursor string) {
	l.Helper()
	for len(ids) < n {
		frame := l.next()
		if frame.Event != nil {
			ids, cursor = append(ids, frame.Event.ID), frame.Cursor
		}
	}
	return ids, cursor
}

func (l *listener) say(text string) {
	l.Helper()
	testx.NoError(l, l.conn.Write(l.Context(), websocket.MessageText, []byte(text)))
}

func (l *listener) ack(cursor string) { l.Helper(); l.say(`{"type":"ack","cursor":"` + cursor + `"}`) }

// closed waits for the end of the connection and gives its reason.
func (l *listener) closed() string {
	for {
		_, _, err := l.conn.Read(l.Context())
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Reason
		}
		if err != nil {
			return err.Error()
		}
	}
}

func TestListenerGetsWhatItNamesAsItCame(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.listen("source=pay")
	testx.Equal(t, *l.hello.Hello, apitype.ListenHello{
		Sources: []apitype.ListenSource{{
			ID: hook.KindSource.Format(r.source.ID), UID: "pay", Name: "Payments", Type: "stripe", IngestURL: "https://example.com/in/pay", Verifies: true,
		}},
		Apps: []apitype.ListenApp{}, HeartbeatSeconds: 15, SilenceSeconds: 45, Window: 64,
	})
	r.accept(r.app.ID, time.Now(), "not.this")
	ids := r.accept(r.source.ID, time.Now(), "invoice.paid")
	r.hub.Wake()
	e := l.next().Event
	if e == nil {
		t.Fatal("no event")
	}
	e.ReceivedAt = time.Time{}
	testx.Equal(t, *e, apitype.ListenEvent{
		ID: ids[0], Source: hook.KindSource.Format(r.source.ID), EventType: "invoice.paid", Method: "PUT", Path: "/x%20y", Query: "a=1&a=2",
		Headers: [][2]string{{"X-A", "1"}, {"X-A", "2"}}, ContentType: "application/json", Body: []byte(`{"a": 1}`),
	})
}

func TestListenerGetsTheSendersCredentialsOnlyIfTheOwnerPassesThemOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.listen("source=pay")
	lines := []hook.HeaderLine{{"Authorization", "Bearer x"}, {"Cookie", "s=1"}, {"Proxy-Authorization", "x"}, {"Stripe-Signature", "t=1"}}
	for _, forward := range [][]string{nil, {"cookie"}} {
		m := hook.Message{ID: hook.NewID(time.Now()), App: r.source.ID, Env: r.env, EventType: "a", CreatedAt: time.Now(), Envelope: &hook.Envelope{Method: "POST", Headers: lines, Forward: forward}}
		out := testx.Must(r.store.Accept(r.Context(), hook.Node{}, noPlaces{}, time.Now(), []hook.NewEvent{{Message: m}}))(t)
		testx.NoError(t, out[0].Err)
	}
	r.hub.Wake()
	testx.Equal(t, l.next().Event.Headers, [][2]string{{"Stripe-Signature", "t=1"}})
	testx.Equal(t, l.next().Event.Headers, [][2]string{{"Cookie", "s=1"}, {"Stripe-Signature", "t=1"}})
}

func TestListenerHearsOfEventsThatNobodyWokeItFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.listen("app=acme")
	ids := r.accept(r.app.ID, time.Now(), "a") // by another node, as it were
	got, _ := l.events(1)
	testx.Equal(t, got, ids)
}

func TestWindowClosesUntilEventsAreAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.listen("app=acme")
	types := make([]string, listen.Window+6)
	for i := range types {
		types[i] = "e" + strconv.Itoa(i)
	}
	ids := r.accept(r.app.ID, time.Now(), types...)
	first, _ := l.events(listen.Window)
	testx.Equal(t, first, ids[:listen.Window])
	// One ack lets all go that it covers; an unknown one lets none go.
	l.ack("unknown")
	again := r.listen("app=acme&cursor=" + url.QueryEscape(l.hello.Cursor))
	var third string
	for range 3 {
		third = again.next().Cursor
	}
	l.ack(third)
	rest, _ := l.events(3)
	testx.Equal(t, rest, ids[listen.Window:listen.Window+3])
}

func TestListenerGoesOnBehindTheCursor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.listen("app=acme")
	ids := r.accept(r.app.ID, time.Now(), "a", "b", "c", "d")
	_, second := l.events(2)
	_ = l.conn.CloseNow()
	more := r.accept(r.app.ID, time.Now(), "e")
	l = r.listen("app=acme&cursor=" + second)
	got, last := l.events(3)
	testx.Equal(t, got, append(ids[2:], more...))
	// A cursor at the end of a page is good too.
	ids = r.accept(r.app.ID, time.Now(), "f")
	got, _ = r.listen("app=acme&cursor=" + last).events(1)
	testx.Equal(t, got, ids)
}

func TestSinceBeginsInThePast(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now := time.Now()
	for hour := range 40 {
		r.accept(r.app.ID, now.Add(-time.Duration(60-hour)*time.Hour), "old")
	}
	want := r.accept(r.app.ID, now.Add(-50*time.Minute), "a", "b")
	want = append(want, r.accept(r.app.ID, now, "c")...)
	got, _ := r.listen("app=acme&since=1h").events(3)
	testx.Equal(t, got, want)
}

func TestAllSourcesMeansThoseMadeLaterToo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.listen("all_sources=true")
	late := r.source
	late.ID, late.UID, late.Tokens = hook.NewID(time.Now()), "late", []hook.SourceToken{{Hash: [32]byte{2}, Sealed: []byte("x"), CreatedAt: time.Now()}}
	_, _, err := r.store.CreateSource(t.Context(), &late, nil)
	testx.NoError(t, err)
	r.accept(r.app.ID, time.Now(), "not.this")
	want := append(r.accept(late.ID, time.Now(), "a"), r.accept(r.source.ID, time.Now(), "b")...)
	got, _ := l.events(2)
	testx.Equal(t, got, want)
}

func TestRefusedRequestsAreTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	refused := func(reason string) hook.Request {
		return hook.Request{
			ID: hook.NewID(time.Now()), Source: r.source.ID, Env: r.env, State: hook.RequestRefused, Reason: reason, Status: 401,
			Findings: []byte(`[{"code":"wrong_secret","text":"The secret is another one."}]`), Envelope: &hook.Envelope{Method: "POST"}, ReceivedAt: time.Now(),
		}
	}
	before := refused("before")
	testx.NoError(t, r.store.RecordRequests(t.Context(), hook.RequestBound{Count: 10, Bytes: 1000}, []hook.Request{before}))
	l := r.listen("source=pay")
	// The listener has looked where the log ends once it answers an event.
	r.accept(r.source.ID, time.Now(), "a")
	l.events(1)
	after := refused("signature_mismatch")
	testx.NoError(t, r.store.RecordRequests(t.Context(), hook.RequestBound{Count: 10, Bytes: 1000}, []hook.Request{after}))
	told := l.next().Refused
	if told == nil || told.ID != hook.KindRequest.Format(after.ID) || told.Reason != "signature_mismatch" || told.Findings[0] != "The secret is another one." {
		t.Errorf("told %+v", told)
	}
}

func TestListeningIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := hook.Application{ID: hook.NewID(time.Now()), Env: r.env, UID: "other", Name: "Other", CreatedAt: time.Now(), UpdatedAt: time.Now()}
	_, _, err := r.store.CreateApplication(t.Context(), &other, nil)
	testx.NoError(t, err)
	r.keys["publisher"] = hook.Key{Env: r.env, Scopes: []string{"publish"}}
	r.keys["reader"] = hook.Key{Env: r.env, Scopes: []string{"read"}}
	r.keys["portal"] = hook.Key{Env: r.env, App: r.app.ID}
	r.keys["blind"] = hook.Key{Env: r.env, App: r.app.ID, Scopes: []string{"CreateAttempts"}}
	foreign := listen.FormatPlace(hook.NewID(time.Now()), hook.Cursor{}, hook.ID{})
	for _, tt := range []struct {
		query, token string
		status       int
	}{
		{"app=acme", "nobody", 401},
		{"app=acme", "publisher", 403},
		{"app=acme", "blind", 403},
		{"app=other", "portal", 404},
		{"source=pay", "portal", 403},
		{"all_sources=true", "portal", 403},
		{"app=nobody", "key", 404},
		{"app=" + hook.KindApplication.Format(r.source.ID), "key", 404},
		{"source=nobody", "key", 404},
		{"", "key", 400},
		{"app=acme&sauce=pay", "key", 400},
		{"app=acme&since=yesterday", "key", 400},
		{"app=acme&since=1h&cursor=x", "key", 400},
		{"app=acme&cursor=x", "key", 400},
		{"app=acme&cursor=" + foreign, "key", 400},
		{"all_sources=maybe", "key", 400},
		{"app=acme", "reader", 101},
		{"app=acme", "portal", 101},
	} {
		conn, resp, err := r.dial(tt.query, tt.token)
		if resp == nil || resp.StatusCode != tt.status {
			t.Errorf("%s as %s: %v, %v, want %d", tt.query, tt.token, resp, err, tt.status)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
	for method, want := range map[string]int{http.MethodGet: 400, http.MethodPost: 405} {
		req := testx.Must(http.NewRequestWithContext(t.Context(), method, r.url+"/api/v1/listen?app=acme", nil))(t)
		req.Header.Set("Authorization", "Bearer key")
		resp := testx.Must(r.client.Do(req))(t)
		resp.Body.Close()
		testx.Equal(t, resp.StatusCode, want, method+" without an upgrade")
	}
}

func TestEnvironmentHasAHundredListenersAtMost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range listen.MostListeners {
		r.listen("app=acme")
	}
	_, resp, err := r.dial("app=acme", "key")
	if err == nil || resp == nil || resp.StatusCode != hook.CodeLimitReached.Info().Status {
		t.Errorf("one more: %v, %v", resp, err)
	}
	r.keys["elsewhere"] = hook.Key{Env: hook.NewID(time.Now())}
	_, resp, _ = r.dial("all_sources=true", "elsewhere")
	testx.Equal(t, resp.StatusCode, http.StatusSwitchingProtocols, "another environment")
}

func TestStopSaysGoodbye(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.listen("app=acme")
	r.stop()
	testx.Equal(t, l.closed(), "the server is stopping")
	testx.NoError(t, <-r.ended)
	r.ended <- nil // for the clean-up
	_, resp, err := r.dial("app=acme", "key")
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after the stop: %v, %v", resp, err)
	}
}

func TestStrangeFramesEndTheConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, frame := range []string{"", "{", `{"type":"event"}`, `{"type":1}`} {
		l := r.listen("app=acme")
		l.say(frame)
		if why := l.closed(); !strings.Contains(why, "neither ack nor heartbeat") {
			t.Errorf("%q: %s", frame, why)
		}
	}
}

func TestBothSidesShowThatTheyLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := makeRig(t)
		network := testx.NewNetwork()
		server := &http.Server{Handler: r.hub, ReadHeaderTimeout: time.Second}
		l := testx.Must(network.Listen("10.0.0.1:80"))(t)
		go func() { _ = server.Serve(l) }()
		defer server.Close()
		r.url = "http://10.0.0.1:80"
		transport := &http.Transport{DialContext: func(ctx context.Context, n, a string) (net.Conn, error) { return network.DialContext(ctx, n, a) }}
		defer transport.CloseIdleConnections()
		r.client = &http.Client{Transport: transport}
		began := time.Now()
		one := r.listen("app=acme")
		for beat := 1; beat <= 4; beat++ { // a client that says something stays
			testx.Equal(t, one.next().Type, apitype.ListenFrameHeartbeat)
			testx.Equal(t, time.Since(began), time.Duration(beat)*listen.Heartbeat)
			one.say(`{"type":"heartbeat"}`)
		}
		last := time.Now()
		if why := one.closed(); why != "no frame for 45 s" {
			t.Error(why)
		}
		testx.Equal(t, time.Since(last), listen.Silence)
		// A key that has ended is noticed with the next beat.
		two := r.listen("app=acme")
		r.keysMu.Lock()
		delete(r.keys, "key")
		r.keysMu.Unlock()
		testx.Equal(t, two.closed(), "the API key has ended")
	})
}
