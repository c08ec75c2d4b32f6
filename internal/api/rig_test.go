package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// rig is an API over a real store, with the functions that a server would pass in.
type rig struct {
	t       *testing.T
	deps    api.Deps
	handler http.Handler
	store   store.Store
	node    hook.Node
	env     hook.Environment
	token   string // environment key with all rights
	logs    *bytes.Buffer

	clock     atomic.Int64 // nanoseconds ahead of the real clock
	forgotten atomic.Int64 // how often the gateway was told to forget sources

	mu      sync.Mutex
	changed []change
	woken   []hook.Lane
	watch   chan struct{}
	held    hook.HoldState
	counts  map[string]int
}

type change struct {
	endpoint hook.ID
	revision int64
	closed   hook.Reason
}

// blank puts a database with the schema and nothing else at a path.
var blank = testx.Copied(func(path string) error {
	st, err := store.Open(context.Background(), "sqlite:"+path, store.Options{Unsafe: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return st.Close()
})

// newRig starts with an empty environment. adjust may change the dependencies.
func newRig(t *testing.T, adjust ...func(*api.Deps)) *rig {
	t.Helper()
	r := &rig{t: t, watch: make(chan struct{}, 1), counts: map[string]int{}, logs: new(bytes.Buffer)}
	log := slog.New(slog.NewTextHandler(&lockedWriter{w: r.logs}, nil))
	path := filepath.Join(t.TempDir(), "grapnel.db")
	must(t, blank(path))
	opened, err := store.Open(t.Context(), "sqlite:"+path, store.Options{Unsafe: true, Logger: log})
	must(t, err)
	t.Cleanup(func() { opened.Close() })
	r.store = opened
	r.node, err = r.store.RegisterNode(t.Context(), "rig", time.Hour, r.now())
	must(t, err)
	r.env = hook.Environment{ID: hook.NewID(r.now()), Name: "test", CreatedAt: r.now()}
	must(t, r.store.CreateEnvironment(t.Context(), &r.env))
	r.token = r.addKey(r.env.ID, hook.ID{})
	r.deps = api.Deps{
		Store: r.store, Now: r.now, Accept: r.accept, Wake: r.wake, EndpointChanged: r.endpointChanged,
		Watch:        func(hook.ID) (<-chan struct{}, func()) { return r.watch, func() {} },
		Hold:         func(hook.ID) hook.HoldState { return r.held },
		People:       nobody{},
		Authenticate: r.authenticate, NewToken: newToken, Forget: func() {},
		Seal: seal, Open: unseal, CheckURL: checkURL,
		NewSecret:    func() string { return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 24)) },
		CheckSecret:  checkSecret,
		PublicSecret: func(s string) (string, error) { return strings.Replace(s, "whsk_", "whpk_", 1), nil },
		PublicURL:    func(*http.Request) string { return "https://hooks.example.test/prefix" },
		Version:      "1.2.3", Logger: log, Published: r.published,
		SourceTypes: sourceTypes, CheckSource: checkSource, NextFire: nextFire, NewSourceToken: newSourceToken,
		ForgetSource: func() { r.forgotten.Add(1) }, VerifyRequest: r.verifyRequest, ReplayRequest: r.replayRequest, SendTo: r.sendTo,
	}
	for _, f := range adjust {
		f(&r.deps)
	}
	r.handler = api.New(r.deps).Handler()
	return r
}

func (r *rig) now() time.Time { return time.Now().Add(time.Duration(r.clock.Load())) }

func (r *rig) accept(ctx context.Context, events []hook.NewEvent) ([]hook.Accepted, error) {
	return r.store.Accept(ctx, r.node, noPlaces{}, r.now(), events)
}

func (r *rig) wake(l hook.Lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.woken = append(r.woken, l)
}

func (r *rig) endpointChanged(id hook.ID, revision int64, closed hook.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = append(r.changed, change{id, revision, closed})
}

func (r *rig) lastChange() change {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.changed) == 0 {
		return change{}
	}
	return r.changed[len(r.changed)-1]
}

func (r *rig) published(result string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[result] += n
}

func (r *rig) authenticate(ctx context.Context, token string) (hook.Key, error) {
	k, err := r.store.FindKeyByHash(ctx, sha256.Sum256([]byte(token)))
	if err != nil || !k.Valid(r.now()) {
		return hook.Key{}, &hook.Error{Code: hook.CodeAuthentication, Detail: "The API key is not valid."}
	}
	return k, nil
}

// addKey makes an environment key, or a token of app.
func (r *rig) addKey(env, app hook.ID, scopes ...string) string {
	token, hash := newToken(!app.IsZero())
	must(r.t, r.store.CreateKey(context.Background(), &hook.Key{
		ID: hook.NewID(r.now()), Env: env, App: app, Hash: hash, CensoredText: "gk_…", Scopes: scopes, CreatedAt: r.now(),
	}))
	return token
}

// nobody is a desk at which nobody can sign in. How members do is tried with the real
// one, in package server.
type nobody struct{ api.People }

func (nobody) Forget() {}

func (nobody) Ways(context.Context, string) (hook.Ways, error) { return hook.Ways{}, nil }

func (nobody) Visit(context.Context, string) (hook.Session, hook.Member, error) {
	return hook.Session{}, hook.Member{}, &hook.Error{Code: hook.CodeAuthentication, Detail: "The session has ended."}
}

func (nobody) LookAtLink(context.Context, hook.Visitor, string) (hook.Ticket, hook.Member, error) {
	return hook.Ticket{}, hook.Member{}, &hook.Error{Code: hook.CodeSignIn, Detail: "The link is not good."}
}

func (nobody) NewCode(context.Context, hook.TicketKind, hook.ID) (string, time.Time, error) {
	return "code", time.Now(), nil
}

func (nobody) BeginPasskeySignIn(context.Context, hook.Visitor) (string, json.RawMessage, error) {
	return "", nil, &hook.Error{Code: hook.CodeBadRequest, Detail: "Passkeys do not work here."}
}

func (nobody) BeginProvider(context.Context, hook.Visitor, string, string) (to, state string, err error) {
	return "", "", hook.NotFound("provider")
}

func (nobody) FinishProvider(context.Context, hook.Visitor, string, string, url.Values) (hook.SignedIn, error) {
	return hook.SignedIn{}, hook.NotFound("provider")
}

// noPlaces leaves every delivery due in the store.
type noPlaces struct{}

func (noPlaces) Reserve(*hook.Endpoint, int) bool    { return false }
func (noPlaces) Unreserve(*hook.Endpoint, int)       {}
func (noPlaces) Due(*hook.Endpoint, bool, time.Time) {}

var tokens atomic.Int64

func newToken(app bool) (string, [32]byte) {
	text := fmt.Sprintf("gk_%024d", tokens.Add(1))
	if app {
		text = "gp" + text[2:]
	}
	return text, sha256.Sum256([]byte(text))
}

func seal(purpose string, id hook.ID, data []byte) ([]byte, error) {
	return append([]byte("sealed:"+purpose+string(id[:])), flip(data)...), nil
}

func unseal(purpose string, id hook.ID, data []byte) ([]byte, error) {
	text, ok := bytes.CutPrefix(data, []byte("sealed:"+purpose+string(id[:])))
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return flip(text), nil
}

func flip(data []byte) []byte {
	out := make([]byte, len(data))
	for i, c := range data {
		out[i] = c ^ 0x5a
	}
	return out
}

func checkURL(raw string) (clean, userinfo string, err error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Host == "":
		return "", "", errors.New("is not a URL")
	case u.Scheme != "https":
		return "", "", errors.New("must be https; the server allows http with --allow-http")
	case u.Hostname() == "169.254.169.254":
		return "", "", errors.New("names a link-local address; the server allows it with --allow-net")
	}
	if u.User != nil {
		password, _ := u.User.Password()
		userinfo = u.User.Username() + ":" + password
		u.User = nil
	}
	return u.String(), userinfo, nil
}

func checkSecret(text string) error {
	rest, ok := strings.CutPrefix(text, "whsec_")
	if !ok {
		rest, ok = strings.CutPrefix(text, "whsk_")
	}
	if key, err := base64.StdEncoding.DecodeString(rest); !ok || err != nil || len(key) < 24 || len(key) > 75 {
		return errors.New("must be whsec_ and the base64 of 24 to 75 bytes")
	}
	return nil
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// call sends a request with the key of the environment. body is a string as it
// stands, nil for none, or a value to encode. header is name, value, name, value.
func (r *rig) call(method, path string, body any, header ...string) answer {
	r.t.Helper()
	return r.callAs(r.token, method, path, body, header...)
}

func (r *rig) callAs(token, method, path string, body any, header ...string) answer {
	r.t.Helper()
	var reader io.Reader = http.NoBody
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		must(r.t, err)
		reader = bytes.NewReader(text)
	}
	if strings.HasPrefix(path, "/app") || strings.HasPrefix(path, "/event-type") || strings.HasPrefix(path, "/auth") ||
		strings.HasPrefix(path, "/background-task") || strings.HasPrefix(path, "/management") || strings.HasPrefix(path, "/health") {
		path = "/api/v1" + path
	}
	req := httptest.NewRequestWithContext(context.Background(), method, "http://grapnel.test"+path, reader)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return r.serve(req)
}

func (r *rig) serve(req *http.Request) answer {
	r.t.Helper()
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	a := answer{t: r.t, status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}
	conforms(r.t, req, a)
	return a
}

// want fails the test unless the status is this one.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status is %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// object decodes the body.
func (a answer) object() map[string]any {
	a.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		a.t.Fatalf("body is no JSON object: %v: %s", err, a.body)
	}
	return m
}

// at gives the value at a path of names and positions, as text.
func (a answer) at(path ...any) string {
	a.t.Helper()
	var v any
	dec := json.NewDecoder(bytes.NewReader(a.body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		a.t.Fatalf("body is no JSON: %v: %s", err, a.body)
	}
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				a.t.Fatalf("nothing at %v in %s", path, a.body)
			}
			v = l[s]
		}
	}
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return "null"
	}
	text, err := json.Marshal(v)
	must(a.t, err)
	return string(text)
}

// is fails the test unless the value at the path is this text.
func (a answer) is(want string, path ...any) answer {
	a.t.Helper()
	if got := a.at(path...); got != want {
		a.t.Fatalf("%v is %s, want %s, in %s", path, got, want, a.body)
	}
	return a
}

// refused fails the test unless this is the error object with the code.
func (a answer) refused(status int, code string) answer {
	a.t.Helper()
	a.want(status)
	a.is(code, "code")
	if a.at("requestId") == "null" || a.at("title") == "null" || a.at("hint") == "null" {
		a.t.Fatalf("the error object is not whole: %s", a.body)
	}
	_, isList := a.object()["detail"].([]any)
	if isList != (status == 422) {
		a.t.Fatalf("detail must be a list for 422 and text else: %s", a.body)
	}
	return a
}

// refusedAt is a 422 about this member.
func (a answer) refusedAt(loc ...string) answer {
	a.t.Helper()
	a.refused(422, "invalid")
	text, err := json.Marshal(loc)
	must(a.t, err)
	return a.is(string(text), "detail", 0, "loc")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
