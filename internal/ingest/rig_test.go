package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/ingest"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/provider"
)

// at is the wall clock of the tests.
var at = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// rig is a gateway over a store of its own, behind an HTTP server.
type rig struct {
	*ingest.Gateway
	t       *testing.T
	store   store.Store
	env     hook.ID
	url     string
	clock   clock
	stop    func() // ends Run and with it writes what is to be recorded
	fetches *fetches

	mu      sync.Mutex // guards what follows
	results []string
	dropped int
	broken  error // of Accept
}

// clock is a wall clock that stands until it is moved; the monotonic one goes with it.
type clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Elapsed() time.Duration { return c.Now().Sub(at) }

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fetches answers Fetch and remembers what was asked for.
type fetches struct {
	mu    sync.Mutex // guards asked
	asked []string
	give  map[string][]byte
}

func (f *fetches) fetch(_ context.Context, url string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, url)
	if text, ok := f.give[url]; ok {
		return text, nil
	}
	return nil, errors.New("nobody answers")
}

func (f *fetches) urls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

// seal and open mark a text with its purpose and id, so that a wrong one is seen.
func seal(purpose string, id hook.ID, plain []byte) ([]byte, error) {
	return append([]byte(purpose+string(id[:])), plain...), nil
}

func open(purpose string, id hook.ID, data []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(data, []byte(purpose+string(id[:])))
	if !ok {
		return nil, errors.New("does not fit")
	}
	return plain, nil
}

// publicURL is the address that the rig's senders were given.
const publicURL = "https://hooks.example.com/base"

func newRig(t *testing.T, change func(*ingest.Deps)) *rig {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "grapnel.db"), store.Options{})
	testx.NoError(t, err)
	t.Cleanup(func() { testx.NoError(t, s.Close()) })
	r := &rig{t: t, store: s, env: hook.NewID(at), clock: clock{now: at}, fetches: &fetches{}}
	testx.NoError(t, s.CreateEnvironment(t.Context(), &hook.Environment{ID: r.env, Name: "test", CreatedAt: at}))
	d := ingest.Deps{
		Store: s, Accept: r.accept, Now: r.clock.Now, Elapsed: r.clock.Elapsed, Seal: seal, Open: open, Fetch: r.fetches.fetch,
		PublicURL: func(*http.Request) (string, bool) { return publicURL, true },
		ClientOf: func(req *http.Request) netip.Addr {
			a, err := netip.ParseAddrPort(req.RemoteAddr)
			if err != nil {
				return netip.Addr{}
			}
			return a.Addr().Unmap()
		},
		Observed: func(result string, _ time.Duration) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.results = append(r.results, result)
		},
		Dropped: func(n int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.dropped += n
		},
	}
	if change != nil {
		change(&d)
	}
	r.Gateway = ingest.New(d)
	server := httptest.NewServer(r.Gateway)
	t.Cleanup(server.Close)
	r.url = server.URL
	r.run()
	return r
}

// run starts the loop that records, and sets how to end it.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("Run: %v", err)
		}
	})
	r.t.Cleanup(r.stop)
}

// flush waits until everything is recorded that was handed over.
func (r *rig) flush() {
	r.stop()
	r.run()
}

func (r *rig) accept(ctx context.Context, events []hook.NewEvent) ([]hook.Accepted, error) {
	r.mu.Lock()
	broken := r.broken
	r.mu.Unlock()
	if broken != nil {
		return nil, broken
	}
	return r.store.Accept(ctx, hook.Node{}, noPlaces{}, r.clock.Now(), events)
}

func (r *rig) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = err
}

type noPlaces struct{}

func (noPlaces) Reserve(*hook.Endpoint, int) bool    { return false }
func (noPlaces) Unreserve(*hook.Endpoint, int)       {}
func (noPlaces) Due(*hook.Endpoint, bool, time.Time) {}

// source makes a source and gives it with its token.
func (r *rig) source(kind string, set hook.SourceSettings, secrets ...string) (hook.Source, string) {
	r.t.Helper()
	token, hash := ingest.NewToken()
	s := hook.Source{ID: hook.NewID(r.clock.Now()), Env: r.env, Name: kind, Type: kind, Settings: set, CreatedAt: r.clock.Now(), UpdatedAt: r.clock.Now()}
	testx.NoError(r.t, r.Check(&s, secrets))
	sealed, _ := seal(hook.PurposeSourceToken, s.ID, []byte(token))
	s.Tokens = []hook.SourceToken{{Hash: hash, Sealed: sealed, CreatedAt: s.CreatedAt}}
	for _, text := range secrets {
		sealed, _ := seal(hook.PurposeSourceSecret, s.ID, []byte(text))
		s.Secrets = append(s.Secrets, hook.SealedSecret{Sealed: sealed})
	}
	made, _, err := r.store.CreateSource(r.t.Context(), &s, nil)
	testx.NoError(r.t, err)
	return made, token
}

// change changes a stored source and makes the gateway see it.
func (r *rig) change(s hook.Source, change func(*hook.Source)) {
	r.t.Helper()
	_, _, err := r.store.UpdateSource(r.t.Context(), r.env, hook.Ref{ID: s.ID}, nil, func(s *hook.Source) error {
		change(s)
		return nil
	})
	testx.NoError(r.t, err)
	r.ForgetSources()
}

// answer is what a sender gets.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes a request; headers are name, value, name, value.
func (r *rig) send(method, path, body string, headers ...string) answer {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, bytes.NewReader([]byte(body)))
	testx.NoError(r.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return r.do(req)
}

func (r *rig) do(req *http.Request) answer {
	r.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	testx.NoError(r.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	testx.NoError(r.t, err)
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// signed gives the headers that make a body one of the provider's.
func (r *rig) signed(kind, secret, token, body, id string) []string {
	r.t.Helper()
	v, err := provider.New(kind, provider.Settings{}, provider.Secret{Value: secret})
	testx.NoError(r.t, err)
	req := provider.Request{Method: http.MethodPost, URL: publicURL + "/in/" + token, Header: http.Header{}, Body: []byte(body)}
	testx.NoError(r.t, v.Sign(&req, id, r.clock.Now()))
	var lines []string
	for name, values := range req.Header {
		for _, value := range values {
			lines = append(lines, name, value)
		}
	}
	return lines
}

// messages gives what a source or application has got, oldest first, with bodies.
func (r *rig) messages(owner hook.ID) []hook.Message {
	r.t.Helper()
	page, err := r.store.ListMessages(r.t.Context(), hook.MessageFilter{Env: r.env, App: owner, WithBody: true, Page: hook.Page{Limit: 250, Ascending: true}})
	testx.NoError(r.t, err)
	return page.Items
}

// requests gives what is in the log of a source, newest first, with bodies.
func (r *rig) requests(s hook.Source) []hook.Request {
	r.t.Helper()
	r.flush()
	page, err := r.store.ListRequests(r.t.Context(), hook.RequestFilter{Env: r.env, Source: s.ID, Page: hook.Page{Limit: 250}})
	testx.NoError(r.t, err)
	list := page.Items
	for i := range list {
		list[i], err = r.store.FindRequest(r.t.Context(), r.env, s.ID, list[i].ID, true)
		testx.NoError(r.t, err)
	}
	return list
}

// application makes one.
func (r *rig) application() hook.ID {
	r.t.Helper()
	a := hook.Application{ID: hook.NewID(at), Env: r.env, Name: "Acme", CreatedAt: at, UpdatedAt: at}
	_, _, err := r.store.CreateApplication(r.t.Context(), &a, nil)
	testx.NoError(r.t, err)
	return a.ID
}
