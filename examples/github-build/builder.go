package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/grapnelhq/grapnel/webhook"
)

// config says what is built and how. Whoever may write it may run commands.
type config struct {
	Repository     string   `json:"repository"`
	Branch         string   `json:"branch"`
	Command        []string `json:"command"` // program and arguments, run as they stand, without a shell
	TimeoutSeconds int      `json:"timeoutSeconds"`
}

// builder builds what is pushed.
type builder struct {
	config config
	db     *sql.DB
	// queued wakes the worker; one wake-up stands for any number of builds. The handler sends, the worker receives.
	queued chan struct{}
	// done tells what became of pushes and builds. Handler and worker send, the example receives.
	done chan string
}

// push is the part of GitHub's push event that counts here.
type push struct {
	Ref        string `json:"ref"`
	After      string `json:"after"`
	Deleted    bool   `json:"deleted"`
	Repository struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
}

const table = `CREATE TABLE builds (
	push TEXT PRIMARY KEY, -- id of the message, the same each time it comes
	commit_id TEXT NOT NULL,
	state TEXT NOT NULL DEFAULT 'queued',
	output TEXT NOT NULL DEFAULT '')`

func newBuilder(ctx context.Context, folder string, configuration []byte) (*builder, error) {
	b := &builder{queued: make(chan struct{}, 1), done: make(chan string, 16)}
	if err := json.Unmarshal(configuration, &b.config); err != nil {
		return nil, fmt.Errorf("build.json: %w", err)
	}
	if len(b.config.Command) == 0 || b.config.Repository == "" || b.config.Branch == "" || b.config.TimeoutSeconds <= 0 {
		return nil, errors.New("build.json must name repository, branch, command and timeoutSeconds")
	}
	var err error
	if b.db, err = sql.Open("sqlite", "file:"+filepath.Join(folder, "builds.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_txlock=immediate"); err != nil {
		return nil, err
	}
	_, err = b.db.ExecContext(ctx, table)
	return b, err
}

// commitID is what a commit looks like; anything else is not let near a command.
var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// handler verifies and queues. The build is the worker's: whoever waits for an answer does not wait for that.
func (b *builder) handler(secret string) http.Handler {
	return webhook.Receive(webhook.MustVerifier(secret), func(ctx context.Context, e webhook.Event) error {
		var p push
		if err := e.Unmarshal(&p); err != nil {
			return err
		}
		if p.Repository.FullName != b.config.Repository || p.Ref != "refs/heads/"+b.config.Branch || p.Deleted || !commitID.MatchString(p.After) {
			b.done <- fmt.Sprintf("builder: %q of %q is not built", p.Ref, p.Repository.FullName)
			return nil
		}
		result, err := b.db.ExecContext(ctx, "INSERT INTO builds (push, commit_id) VALUES (?, ?) ON CONFLICT DO NOTHING", e.ID, p.After)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			b.done <- fmt.Sprintf("builder: %.7s came again, nothing to do", p.After)
			return err
		}
		select {
		case b.queued <- struct{}{}:
		default: // the worker will look anyway
		}
		return nil
	})
}

// run builds what is queued, one after the other, until ctx ends.
func (b *builder) run(ctx context.Context) error {
	for {
		built, err := b.buildNext(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end; what was interrupted stays in the queue
		}
		if err != nil {
			return err
		}
		if built {
			continue
		}
		select {
		case <-b.queued:
		case <-ctx.Done():
			return nil
		}
	}
}

// buildNext runs one build and keeps its output. It is false if none is queued.
func (b *builder) buildNext(ctx context.Context) (bool, error) {
	var id, commit string
	err := b.db.QueryRowContext(ctx, "SELECT push, commit_id FROM builds WHERE state = 'queued' ORDER BY rowid LIMIT 1").Scan(&id, &commit)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	state, output := b.build(ctx, commit)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if _, err := b.db.ExecContext(ctx, "UPDATE builds SET state = ?, output = ? WHERE push = ?", state, output, id); err != nil {
		return false, err
	}
	b.done <- fmt.Sprintf("builder: %.7s %s", commit, state)
	return true, nil
}

// build runs the command of the configuration.
func (b *builder) build(ctx context.Context, commit string) (state string, output []byte) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.config.TimeoutSeconds)*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, b.config.Command[0], b.config.Command[1:]...)
	command.Env = append(os.Environ(), "COMMIT="+commit)
	command.WaitDelay = 5 * time.Second
	output, err := command.CombinedOutput()
	if err != nil {
		return "failed: " + err.Error(), output
	}
	return "succeeded", output
}
