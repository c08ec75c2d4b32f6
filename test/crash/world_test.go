//go:build crash

// Package crash_test ends the real binary in every way a machine can, under
// load, and counts afterwards what was lost, doubled or left behind.
package crash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/test/rig"
)

// The event types and channels of the load.
var (
	kinds    = []string{"crash.paid", "crash.void"}
	channels = []string{"", "eu", "us"} // the first stands for none
)

// item is one message of the load. Its mark is unique and part of the payload.
type item struct {
	mark    string
	app     int
	kind    string
	channel string
}

// target is one endpoint and how it behaves.
type target struct {
	name   string
	app    int
	wants  func(item) bool
	filter apitype.EndpointIn
	// answer gives the status for a message; seen says that it was there before.
	answer func(ctx context.Context, t *target, mark string, seen bool) int

	id     string
	verify func([]byte, http.Header) error
	mu     sync.Mutex // guards count
	count  int
}

// binary is the path of the server that all tests run.
var binary string

// TestMain builds the binary once.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "grapnel-crash-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if binary, err = rig.Build(context.Background(), dir); err != nil {
		panic(err)
	}
	m.Run()
}

func everything(item) bool { return true }

func prompt(context.Context, *target, string, bool) int { return http.StatusNoContent }

// flaky fails the first attempt of every fourth message.
func flaky(_ context.Context, t *target, _ string, seen bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if t.count%4 == 0 && !seen {
		return http.StatusInternalServerError
	}
	return http.StatusNoContent
}

// slow hangs for up to 200 ms, depending on the message.
func slow(ctx context.Context, _ *target, mark string, _ bool) int {
	var sum int
	for _, c := range []byte(mark) {
		sum = (sum*31 + int(c)) % 200
	}
	timer := time.NewTimer(time.Duration(sum) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return http.StatusNoContent
}

// backlog is how many deliveries of each application may be outstanding before
// its publishers wait: a restart finds work, but not the work of minutes.
var backlog = []int{600, 600, 100, 600}

func targets() []*target {
	only := func(kind string) apitype.EndpointIn {
		return apitype.EndpointIn{EventTypes: apitype.Some([]string{kind})}
	}
	in := func(channel string) apitype.EndpointIn {
		return apitype.EndpointIn{Channels: apitype.Some([]string{channel})}
	}
	return []*target{
		{name: "plain", app: 0, wants: everything, answer: prompt},
		{name: "by type", app: 0, wants: func(i item) bool { return i.kind == kinds[0] }, filter: only(kinds[0]), answer: prompt},
		{name: "flaky", app: 1, wants: everything, answer: flaky},
		{name: "beside flaky", app: 1, wants: everything, answer: prompt},
		{name: "slow", app: 2, wants: everything, answer: slow},
		{name: "eu", app: 3, wants: func(i item) bool { return i.channel == "eu" }, filter: in("eu"), answer: prompt},
		{name: "us", app: 3, wants: func(i item) bool { return i.channel == "us" }, filter: in("us"), answer: flaky},
		{name: "beside channels", app: 3, wants: everything, answer: prompt},
	}
}

// world is one database, the servers that run on it one after the other, and
// everything around them.
type world struct {
	options rig.Options
	ledger  *ledger
	sink    *sink
	apps    []string // ids
	file    string   // the database as the test sees it
}

// newWorld makes an empty world; no server runs yet.
func newWorld(t *testing.T, all []*target, flags ...string) *world {
	t.Helper()
	address, err := rig.FreeAddress(t.Context())
	check(t, err)
	l := newLedger(all)
	w := &world{ledger: l, sink: newSink(t, l), options: rig.Options{
		Binary: binary, DB: filepath.Join(t.TempDir(), "crash.db"), Listen: address,
		Flags: append([]string{"--log-level", "warn", "--retry-schedule", "100ms,200ms,200ms,200ms,200ms,200ms"}, flags...),
	}}
	w.file = w.options.DB
	return w
}

// start runs a server and stops it with the test.
func (w *world) start(t *testing.T) *rig.Server {
	t.Helper()
	s, err := rig.Start(t.Context(), w.options)
	check(t, err)
	t.Cleanup(s.Kill)
	return s
}

// furnish makes the applications, event types and endpoints.
func (w *world) furnish(t *testing.T, s *rig.Server) {
	t.Helper()
	c, err := client.New(s.URL, rig.Key)
	check(t, err)
	for _, kind := range kinds {
		_, err := c.CreateEventType(t.Context(), apitype.EventTypeIn{Name: kind})
		check(t, err)
	}
	apps := 1 + slices.MaxFunc(w.ledger.targets, func(a, b *target) int { return a.app - b.app }).app
	for i := range apps {
		app, err := c.CreateApplication(t.Context(), apitype.ApplicationIn{Name: fmt.Sprintf("application %d", i)})
		check(t, err)
		w.apps = append(w.apps, app.ID)
	}
	for i, target := range w.ledger.targets {
		in := target.filter
		in.URL = w.sink.url(i)
		ep, err := c.CreateEndpoint(t.Context(), w.apps[target.app], in)
		check(t, err)
		secret, err := c.EndpointSecret(t.Context(), w.apps[target.app], ep.ID)
		check(t, err)
		target.id = ep.ID
		target.verify = verifyWith(t, secret.Key)
	}
}

// answer is what a server said to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// post sends a request with a JSON body. The error means that no answer came.
func post(ctx context.Context, h *http.Client, url, key, once string, body any) (a answer, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return a, err
	}
	// Without this the transport repeats a request by itself.
	req.GetBody = nil
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	if once != "" {
		req.Header.Set("Idempotency-Key", once)
	}
	resp, err := h.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, err = io.ReadAll(resp.Body)
	return a, err
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
