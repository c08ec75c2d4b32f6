package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Key is the environment key that every server of the rig is started with.
const Key = "rig-key-with-all-rights"

// readyWithin is how long a server may take until /readyz says yes.
const readyWithin = 20 * time.Second

// Options says how a server is started.
type Options struct {
	Binary string
	DB     string   // path of the SQLite file, or postgres://…
	Listen string   // host:port; empty: a free port on loopback
	Flags  []string // more flags of `grapnel serve`
	Env    []string // more of its environment
	// Under is a command that runs the rest of its arguments in its own place, such
	// as nsenter; nil: none.
	Under []string
	// Life tells one run of a server from all others: deliveries carry it. 0: none.
	Life int
}

// Server is one running process.
type Server struct {
	URL     string
	Life    int
	Started time.Time // just before the process was started
	Ready   time.Duration
	Log     *Tail

	cmd    *exec.Cmd
	exited chan struct{} // closed by the goroutine that waits for the process
}

// Start runs `grapnel serve` with deliveries to loopback allowed and waits until
// it is ready. The error holds what the process wrote.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := Launch(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.AwaitReady(ctx); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// Launch runs `grapnel serve` like Start but waits for nothing. The process is
// killed when ctx ends.
func Launch(ctx context.Context, o Options) (*Server, error) {
	if o.Listen == "" {
		address, err := FreeAddress()
		if err != nil {
			return nil, err
		}
		o.Listen = address
	}
	args := o.arguments()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	s := &Server{URL: "http://" + o.Listen, Life: o.Life, Log: &Tail{}, cmd: cmd, exited: make(chan struct{})}
	cmd.Env = append(cleanEnvironment(), "GRAPNEL_API_KEY="+Key)
	if o.postgres() { // beside a file the server makes one itself
		cmd.Env = append(cmd.Env, "GRAPNEL_MASTER_KEY="+masterKey)
	}
	cmd.Env = append(cmd.Env, o.Env...)
	cmd.Stdout, cmd.Stderr = s.Log, s.Log
	s.Started = time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.Binary, err)
	}
	go func() {
		defer close(s.exited)
		_ = cmd.Wait() // the state has the exit code
	}()
	return s, nil
}

// masterKey is the same for all nodes of a database.
const masterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func (o *Options) postgres() bool { return strings.HasPrefix(o.DB, "postgres:") }

// arguments are those of the process, its name first.
func (o *Options) arguments() []string {
	db := o.DB
	if !o.postgres() {
		db = "sqlite:" + db
	}
	args := append(slices.Clone(o.Under), o.Binary,
		"serve", "--listen", o.Listen, "--db", db, "--allow-net", "127.0.0.0/8", "--allow-http")
	if o.Life != 0 {
		args = append(args, "--public-url", fmt.Sprintf(lifeAddress, o.Life))
	}
	return append(args, o.Flags...)
}

// cleanEnvironment is the environment without settings of a server.
func cleanEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GRAPNEL_") || strings.HasPrefix(v, "DATABASE_URL=")
	})
}

// AwaitReady waits until /readyz says yes, and notes how long that took.
func (s *Server) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	go func() { // a process that has ended is not waited for
		select {
		case <-s.exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := Until(ctx, func() error { return s.probe(ctx) }); err != nil {
		return fmt.Errorf("waiting for /readyz: %w\n%s", err, s.Log)
	}
	s.Ready = time.Since(s.Started)
	return nil
}

// probe gives nil if /readyz says yes.
func (s *Server) probe(ctx context.Context) error {
	status, err := s.Status(ctx, "/readyz")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("/readyz answers %d", status)
	}
	return err
}

// prober keeps no connections, so that a probe never meets one of a dead process.
var prober = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// Status is the status with which the server answers a GET of the path.
func (s *Server) Status(ctx context.Context, path string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := prober.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// Metric is the sum of the series of a metric; labels such as `state="alive"` choose
// among them.
func (s *Server) Metric(ctx context.Context, name string, labels ...string) (sum float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+Key)
	resp, err := prober.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("/metrics answers %d", resp.StatusCode)
	}
	found := false
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		series, value, ok := strings.Cut(lines.Text(), " ")
		rest, named := strings.CutPrefix(series, name)
		if !ok || !named || rest != "" && rest[0] != '{' || slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(rest, l) }) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		sum, found = sum+n, true
	}
	if !found {
		return 0, fmt.Errorf("/metrics has no %s%v", name, labels)
	}
	return sum, nil
}

// Kill ends the process as kill -9 does, and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may be gone already
	<-s.exited
}

// Signal sends a signal to the process.
func (s *Server) Signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

// Door lets publishers through to the server.
func (s *Server) Door() Door { return Door{s.Life, s.URL} }

// Pid is the process id.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// ExitCode waits for the end of the process and gives its code; -1 if a signal
// ended it.
func (s *Server) ExitCode(ctx context.Context) (int, error) {
	select {
	case <-s.exited:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("the server did not end: %w", ctx.Err())
	}
}

// Stop ends the process by SIGTERM. The error says if it did not exit with code
// 0, and holds its log.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the server: %w", err)
	}
	code, err := s.ExitCode(ctx)
	if err != nil {
		s.Kill()
		return fmt.Errorf("%w\n%s", err, s.Log)
	}
	if code != 0 {
		return fmt.Errorf("the server ended with code %d:\n%s", code, s.Log)
	}
	return nil
}

// tailSize is how much of a log is kept, in bytes.
const tailSize = 1 << 20

// Tail keeps the end of what a process writes.
type Tail struct {
	mu   sync.Mutex // guards text
	text []byte
}

// Write appends p. It never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 2*tailSize {
		t.text = append(t.text[:0], t.text[len(t.text)-tailSize:]...)
	}
	return len(p), nil
}

// String gives the end of the log.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text[max(0, len(t.text)-tailSize):])
}
