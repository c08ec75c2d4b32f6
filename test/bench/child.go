package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// child is a server that this program started, measures and stops; nothing
// else is ever stopped.
type child struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone

	ready time.Duration // from exec to the first 200
}

// startChild runs argv and returns when health answers 200.
func startChild(ctx context.Context, argv []string, logFile, health string) (*child, error) {
	out := os.Stderr
	if logFile != "" {
		f, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("server log: %w", err)
		}
		defer func() { _ = f.Close() }() // the child has its own handle
		out = f
	}
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // stopped in order by stop, not killed with ctx
	cmd.Stdout, cmd.Stderr = out, out
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	c := &child{cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // ProcessState tells how it ended
		close(c.exited)
	}()
	if err := c.awaitHealth(ctx, health); err != nil {
		c.stop()
		return nil, fmt.Errorf("server %s: %w (its output: %s)", filepath.Base(argv[0]), err, out.Name())
	}
	c.ready = time.Since(begin)
	return c, nil
}

// awaitHealth asks every millisecond; a refused connection answers at once.
func (c *child) awaitHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("not up after 30 s"))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	for {
		resp, err := client.Do(req)
		if err == nil {
			finish(resp)
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-c.exited:
			return fmt.Errorf("it ended at once: %s", c.cmd.ProcessState)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop asks, waits longer than a drain may take, and then kills.
func (c *child) stop() {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		log.Printf("stopping the server: %v", err)
	}
	select {
	case <-c.exited:
		return
	case <-time.After(40 * time.Second):
	}
	log.Print("the server did not stop in 40 s: killed")
	if err := c.cmd.Process.Kill(); err != nil {
		log.Printf("killing the server: %v", err)
	}
	<-c.exited
}

// cmdStart measures how soon a server answers and what it needs when idle.
func cmdStart(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("start", flag.ContinueOnError)
	target := fs.String("target", "grapnel", "name of the server, put in the result")
	label := fs.String("label", "start", "name of the row, put in the result")
	health := fs.String("health", "http://127.0.0.1:8080/healthz", "URL that answers 200 when the server is up")
	logFile := fs.String("log", "", "file that takes the server's output (default: stderr)")
	settle := fs.Duration("settle", 3*time.Second, "wait this long before memory is read")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	if fs.NArg() == 0 {
		return errors.New("start needs the server command after --")
	}
	c, err := startChild(ctx, fs.Args(), *logFile, *health)
	if err != nil {
		return err
	}
	defer c.stop()
	pause(ctx, *settle)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result{
		Target: *target, Label: *label, Mode: "start",
		StartMS: round(c.ready.Seconds()*1000, 1), IdleRSS: round(sampleTrees([]int{c.pid()}).RSS, 1),
	})
}
