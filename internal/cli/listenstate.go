package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

// listenState is what a listener keeps between runs.
type listenState struct {
	// Cursor is behind the last event that was dealt with.
	Cursor string `json:"cursor,omitempty"`
	// Secret is what an application's events are signed with on their way to localhost.
	Secret string `json:"secret,omitempty"`
}

// stateFile keeps a listenState. Cursors are written a few times a second at most; the
// last one when it is closed.
type stateFile struct {
	path string

	mu      sync.Mutex // guards what follows
	state   listenState
	written time.Time
	dirty   bool
}

// stateEvery is how often a cursor is written: what is lost by kill -9 comes again.
const stateEvery = 200 * time.Millisecond

// stateDir is $XDG_STATE_HOME/grapnel, or its like.
func (s *Streams) stateDir() (string, error) {
	if dir := s.getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "grapnel"), nil
	}
	if home := s.getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "grapnel"), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("HOME is not set")
	}
	return filepath.Join(dir, "grapnel", "state"), nil
}

// openState reads the state for a server, a profile and what is listened to.
func (s *Streams) openState(server, profile string, owners []string) (*stateFile, error) {
	dir, err := s.stateDir()
	if err != nil {
		return nil, err
	}
	owners = slices.Sorted(slices.Values(owners))
	sum := sha256.Sum256([]byte(strings.Join(append([]string{server, profile}, owners...), "\x00")))
	f := &stateFile{path: filepath.Join(dir, "listen", hex.EncodeToString(sum[:8])+".json")}
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f.state)
	}
	if err != nil {
		return nil, &failure{
			exit: ExitError, code: "bad_state", what: "the state of an earlier run cannot be read", why: err.Error(), err: err,
			fix: "Remove " + f.path + "; the next run begins with what arrives then.",
		}
	}
	return f, nil
}

// keep stores a cursor, now or soon.
func (f *stateFile) keep(cursor string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.Cursor, f.dirty = cursor, true
	if now := time.Now(); now.Sub(f.written) >= stateEvery {
		f.written = now
		return f.write()
	}
	return nil
}

// close writes what keep has not written yet.
func (f *stateFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.dirty {
		return nil
	}
	return f.write()
}

// secret gives the secret of this listener, a new one if there is none.
func (f *stateFile) secret() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.Secret == "" {
		f.state.Secret = webhook.NewSecret().Reveal()
		return f.state.Secret, f.write()
	}
	return f.state.Secret, nil
}

// write needs the lock.
func (f *stateFile) write() error {
	text, err := json.Marshal(f.state) //nolint:gosec // the file is for the owner only, and keeps the secret on purpose
	if err != nil {
		return err
	}
	f.dirty = false
	return writePrivate(f.path, append(text, '\n'))
}
