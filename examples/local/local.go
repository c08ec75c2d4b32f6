// Package local runs a throw-away Grapnel on loopback for the examples beside it. It is the part of them that nobody needs to copy:
// at work the server runs already, and its address and key come from the environment.
package local

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/grapnelhq/grapnel/client"
)

// Grapnel is a running server.
type Grapnel struct {
	// Client calls its API with a key that may do everything.
	*client.Client
	// URL is where it listens, such as http://127.0.0.1:40123.
	URL string

	process *exec.Cmd
	stop    context.CancelFunc
}

// Start builds the server from this repository and runs it on an empty database in the folder. It returns when the server listens.
// Deliveries may go to loopback, and a failed one is tried again after a moment.
func Start(ctx context.Context, folder string) (*Grapnel, error) {
	binary := filepath.Join(folder, "grapnel")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/grapnelhq/grapnel/cmd/grapnel")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building grapnel: %w\n%s", err, out)
	}
	key := rand.Text()
	ctx, stop := context.WithCancel(ctx)
	process := exec.CommandContext(ctx, binary, "serve",
		"--listen", "127.0.0.1:0", "--db", "sqlite:"+filepath.Join(folder, "grapnel.db"),
		"--allow-net", "127.0.0.0/8", "--allow-http", "--retry-schedule", "100ms,1s,5s", "--log-format", "json")
	process.Env = append(os.Environ(), "GRAPNEL_API_KEY="+key)
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) }
	process.WaitDelay = 10 * time.Second
	g := &Grapnel{process: process, stop: stop}
	if err := g.listen(key); err != nil {
		return nil, errors.Join(err, g.Stop())
	}
	return g, nil
}

// listen starts the process and reads its log until that says where it listens.
func (g *Grapnel) listen(key string) error {
	log, err := g.process.StderrPipe()
	if err != nil {
		return err
	}
	if err := g.process.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var entry struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &entry) != nil || entry.Msg != "listening" {
			continue
		}
		go func() { // a log that nobody reads would stop its writer; this ends with the process
			for lines.Scan() {
			}
		}()
		g.URL = entry.URL
		g.Client, err = client.New(g.URL, key)
		return err
	}
	return errors.New("the server ended before it listened")
}

// Stop ends the server and waits until it has ended.
func (g *Grapnel) Stop() error {
	g.stop()
	if g.process.Process == nil {
		return nil
	}
	if err := g.process.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the server ended badly: %w", err)
	}
	return nil
}

// Serve runs a handler on a loopback address of its own. Stop ends it when the requests under way have ended.
func Serve(handler http.Handler) (url string, stop func() error, err error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	stop = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err := server.Shutdown(ctx)
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
	return "http://" + listener.Addr().String(), stop, nil
}
