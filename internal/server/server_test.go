package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/seal"
	"github.com/grapnelhq/grapnel/internal/server"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/webhook"
)

const testKey = "a-key-for-tests-0123456789"

// logs is a writer that a test can read while the server writes.
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

// settings gives those of a test server in dir, changed by more.
func settings(t *testing.T, dir string, more map[string]string) *config.Config {
	t.Helper()
	flags := map[string]string{
		"listen": "127.0.0.1:0", "db": "sqlite:" + filepath.Join(dir, "grapnel.db"),
		"allow-net": "127.0.0.0/8", "allow-http": "true", "retry-schedule": "1s,1s", "drain-timeout": "5s",
	}
	for name, value := range more {
		flags[name] = value
	}
	cfg, err := config.Load(config.Sources{Flags: flags, Env: []string{"GRAPNEL_API_KEY=" + testKey}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

type node struct {
	*server.Server
	*client.Client
	log  *logs
	stop func() error // stops once, however often it is called
}

// blank puts a database with the schema and nothing else at a path.
var blank = testx.Copied(func(path string) error {
	st, err := store.Open(context.Background(), "sqlite:"+path, store.Options{Unsafe: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return st.Close()
})

// furnish gives an empty folder a database with nothing in it, and the master key
// without which a server refuses one that it finds.
func furnish(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		return
	}
	testx.Must(seal.LoadOrCreate(filepath.Join(dir, "master.key")))(t)
	testx.NoError(t, blank(filepath.Join(dir, "grapnel.db")))
}

func start(t *testing.T, dir string, more map[string]string) *node {
	t.Helper()
	furnish(t, dir)
	log := &logs{}
	s := server.New(server.Options{Config: settings(t, dir, more), Version: "test", Log: log})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := &node{Server: s, log: log}
	n.stop = sync.OnceValue(func() error { return s.Stop(context.Background()) })
	t.Cleanup(func() {
		if err := n.stop(); err != nil {
			t.Errorf("stop: %v\n%s", err, log)
		}
	})
	c, err := client.New(s.URL(), testKey, client.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	n.Client = c
	return n
}

// target makes an application with an endpoint at url.
func (n *node) target(t *testing.T, url string) apitype.EndpointOut {
	t.Helper()
	if _, err := n.GetOrCreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
		t.Fatal(err)
	}
	ep, err := n.CreateEndpoint(t.Context(), "acme", apitype.EndpointIn{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return ep
}

func TestEventBecomesSignedDeliveryAndRecordedAttempt(t *testing.T) {
	t.Parallel()
	type arrival struct {
		header http.Header
		body   []byte
	}
	arrived := make(chan arrival, 1) // the receiver sends, the test receives
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- arrival{r.Header, body}
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, "thanks")
	}))
	defer receiver.Close()
	n := start(t, t.TempDir(), nil)
	ep := n.target(t, receiver.URL+"/hook")

	const payload = `{ "b": 2, "a": 1 }`
	out, err := n.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "user.created", Payload: json.RawMessage(payload)}, client.PublishOptions{Wait: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	got := <-arrived
	if string(got.body) != payload {
		t.Errorf("body %q arrived, want it byte for byte: %q", got.body, payload)
	}
	secret, err := n.EndpointSecret(t.Context(), "acme", ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := webhook.MustVerifier(secret.Key).Verify(got.header, got.body); err != nil {
		t.Errorf("signature: %v", err)
	}
	if id := got.header.Get(webhook.HeaderID); id != out.ID {
		t.Errorf("signed id %q, want the message's %q", id, out.ID)
	}
	if agent := got.header.Get("User-Agent"); agent != "Grapnel/test" {
		t.Errorf("User-Agent %q", agent)
	}
	if len(out.Deliveries) != 1 || out.Deliveries[0].State != apitype.DeliveryDelivered {
		t.Fatalf("deliveries %+v, want one that is delivered", out.Deliveries)
	}
	attempts, err := n.ListAttemptsOfMessage(t.Context(), "acme", out.ID, client.AttemptFilter{MessageFilter: client.MessageFilter{WithContent: true}}, client.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(attempts.Data) != 1 {
		t.Fatalf("%d attempts, want 1", len(attempts.Data))
	}
	at := attempts.Data[0]
	if at.ResponseStatusCode != 202 || at.Response != "thanks" || at.Status != apitype.StatusSuccess || at.EndpointID != ep.ID {
		t.Errorf("attempt %+v, want the receiver's answer", at)
	}
	if err := n.stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	for _, line := range []string{"msg=accepted", "msg=attempt", "msg=listening", "msg=stopped", out.ID} {
		if !strings.Contains(n.log.String(), line) {
			t.Errorf("the log has no %q:\n%s", line, n.log)
		}
	}
}

func TestStopLetsARunningAttemptFinish(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{}) // receiver -> test, test -> receiver
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	dir := t.TempDir()
	n := start(t, dir, nil)
	n.target(t, receiver.URL)
	out, err := n.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(`{}`)}, client.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- n.stop() }()
	// The server refuses connections before the attempt has ended.
	for {
		if _, err := http.Get(n.URL() + "/healthz"); err != nil {
			break
		}
	}
	close(finish)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}

	again := start(t, dir, nil)
	attempts, err := again.ListAttemptsOfMessage(t.Context(), "acme", out.ID, client.AttemptFilter{}, client.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(attempts.Data) != 1 || attempts.Data[0].ResponseStatusCode != http.StatusNoContent {
		t.Errorf("attempts %+v, want the one that was running at the stop", attempts.Data)
	}
}

func TestUndeliveredEventIsSentAfterRestart(t *testing.T) {
	t.Parallel()
	arrived := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get(webhook.HeaderID)
	}))
	defer receiver.Close()
	dir := t.TempDir()
	n := start(t, dir, map[string]string{"role": "api"})
	n.target(t, receiver.URL)
	out, err := n.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(`{}`)}, client.PublishOptions{Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Deliveries) != 1 || out.Deliveries[0].State != apitype.DeliveryPending || out.WaitExpired == nil || !*out.WaitExpired {
		t.Errorf("a node with role api answered %+v, want a pending delivery", out)
	}
	explained, err := n.ExplainMessage(t.Context(), "acme", out.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(explained.Endpoints) != 1 || explained.Endpoints[0].HeldReason != "no_node" {
		t.Errorf("explain %+v, want it held because no node delivers", explained.Endpoints)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	start(t, dir, map[string]string{"role": "deliver"})
	if id := <-arrived; id != out.ID {
		t.Errorf("%q arrived, want %q", id, out.ID)
	}
}

func TestSecondProcessIsToldThatTheDatabaseIsInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir, nil)
	other := server.New(server.Options{Config: settings(t, dir, nil)})
	var inUse *server.DatabaseInUseError
	if err := other.Run(t.Context()); !errors.As(err, &inUse) {
		t.Errorf("a second server on the same database: %v, want DatabaseInUseError", err)
	}
}

func TestTakenAddressIsNamedWithItsFlag(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	address := strings.TrimPrefix(n.URL(), "http://")
	for flag, more := range map[string]map[string]string{
		"--listen":         {"listen": address},
		"--metrics-listen": {"metrics-listen": address},
	} {
		err := server.New(server.Options{Config: settings(t, t.TempDir(), more)}).Run(t.Context())
		var taken *server.ListenError
		if !errors.As(err, &taken) || !taken.Taken || taken.Flag != flag || !strings.Contains(taken.Hint(), flag) {
			t.Errorf("%s taken: %v", flag, err)
		}
	}
}

func TestDatabaseWithoutItsMasterKeyIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := start(t, dir, nil).stop(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "master.key")
	info, err := os.Stat(key)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("master key has mode %o, want 600", info.Mode().Perm())
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	var missing *server.MasterKeyError
	if err := server.New(server.Options{Config: settings(t, dir, nil)}).Run(t.Context()); !errors.As(err, &missing) {
		t.Errorf("start without the key: %v, want MasterKeyError", err)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new master key was made for an old database")
	}
}

func TestSeveralMasterKeysInTheFileAreToldOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const unfinished = "grapnel admin rotate-master-key"
	n := start(t, dir, nil)
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(n.log.String(), unfinished) {
		t.Errorf("one key, and yet:\n%s", n.log)
	}
	path := filepath.Join(dir, "master.key")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	two := append([]byte("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"), old...)
	if err := os.WriteFile(path, two, 0o600); err != nil {
		t.Fatal(err)
	}
	n = start(t, dir, nil)
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if log := n.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, unfinished) {
		t.Errorf("two keys, and no word of it:\n%s", log)
	}
}

func TestEndedLoopEndsTheServer(t *testing.T) {
	t.Parallel()
	log := &logs{}
	s := server.New(server.Options{Config: settings(t, t.TempDir(), nil), Log: log})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("boom")
	s.Chore("doomed", func(context.Context) error { return cause })
	err := s.Wait(t.Context())
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "doomed") {
		t.Errorf("Wait: %v, want the loop's name and error", err)
	}
	if !strings.Contains(log.String(), "a part of the server has ended") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

func TestWhatIsNoDatabaseIsRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	write := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for what, place := range map[string]func(path string) error{
		" is a directory":           func(path string) error { return os.Mkdir(path, 0o700) },
		" is not a SQLite database": write("to do: buy rope\n"),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "grapnel.db")
		if err := place(path); err != nil {
			t.Fatal(err)
		}
		err := server.New(server.Options{Config: settings(t, dir, nil)}).Run(t.Context())
		var file *server.DatabaseFileError
		if !errors.As(err, &file) || file.Error() != path+what || !strings.Contains(file.Hint(), "--db sqlite:"+dir) {
			t.Errorf("a start where the database%s: %v", what, err)
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
			t.Errorf("the refused start left %v in the folder, %v", names, err)
		}
	}
	dir := t.TempDir()
	if err := write("")(filepath.Join(dir, "grapnel.db")); err != nil {
		t.Fatal(err)
	}
	var key *server.MasterKeyError
	if err := server.New(server.Options{Config: settings(t, dir, nil)}).Run(t.Context()); !errors.As(err, &key) {
		t.Errorf("an empty file, which SQLite takes for a database: %v", err)
	}
}

func TestAFolderThatCannotBeUsedIsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := server.New(server.Options{Config: settings(t, file, nil)}).Run(t.Context())
	var folder *server.DataFolderError
	if !errors.As(err, &folder) || folder.Path != file || !strings.Contains(folder.Hint(), "--db") {
		t.Errorf("start: %v, want the folder %s and a hint", err, file)
	}
}

func TestTheLogSaysWhereMetricsAre(t *testing.T) {
	t.Parallel()
	for _, more := range []map[string]string{nil, {"metrics-listen": "127.0.0.1:0"}} {
		n := start(t, t.TempDir(), more)
		want := "metrics=main"
		if url := n.MetricsURL(); url != "" {
			want = "metrics=" + url
		}
		if err := n.stop(); err != nil { // which writes the last lines
			t.Fatal(err)
		}
		if !strings.Contains(n.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, n.log)
		}
	}
}
