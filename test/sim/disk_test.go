package sim_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// disk is what is wrong with the disk now. World.mu guards it.
type disk struct {
	slowUntil time.Time     // until then each commit takes
	slow      time.Duration // up to that long
	failUntil time.Time     // until then commits fail
	crashIn   int           // the machine dies at this commit from now, counted from 1; 0: it does not
	crashLate bool          // behind the commit, before anybody hears of it
}

// ioError is what SQLite says of a disk that does not take a write.
const ioError = 10

var errPowerCut = errors.New("the machine is off")

// openStore opens a process's store with this disk below it.
func (p *process) openStore(ctx context.Context, address string, o store.Options) (store.Store, error) {
	s, err := sqlite.Open(ctx, strings.TrimPrefix(address, "sqlite:"), sqlite.Options{
		Logger: o.Logger, Observe: o.Observe, Unsafe: true, BeforeCommit: p.beforeCommit, AfterCommit: p.afterCommit,
	})
	if err != nil {
		return nil, err
	}
	p.store = s
	return s, nil
}

// beforeCommit runs on the writer's goroutine, inside its transaction.
func (p *process) beforeCommit() error {
	w := p.w
	w.mu.Lock()
	p.commits++
	p.began = time.Now()
	var wait time.Duration
	if p.began.Before(w.disk.slowUntil) {
		wait = time.Duration(w.chance("commit", w.age()).Int64N(int64(w.disk.slow)))
	}
	w.mu.Unlock()
	time.Sleep(wait)

	w.mu.Lock()
	fails := time.Now().Before(w.disk.failUntil)
	if fails || wait > time.Second {
		p.trouble = time.Now()
	}
	dies, late := false, w.disk.crashLate
	if w.disk.crashIn > 0 && !fails && !p.dead {
		w.disk.crashIn--
		dies = w.disk.crashIn == 0
	}
	p.dieAfter = dies && late
	dead := p.dead
	w.mu.Unlock()
	switch {
	case dead:
		return errPowerCut
	case fails:
		return &sqlite.Error{Code: ioError, Message: "the disk takes no writes"}
	case dies && !late:
		p.crash("before")
		return errPowerCut
	}
	return nil
}

// afterCommit runs when the commit is on disk and nobody knows it yet.
func (p *process) afterCommit() {
	p.w.mu.Lock()
	p.good = p.began
	dies := p.dieAfter
	p.w.mu.Unlock()
	if dies {
		p.crash("after")
	}
}

// crash cuts the power: what is on disk now is what the next process finds, and
// nothing that this one still does reaches anybody. The files are copied, so that
// its memory can be taken down in peace.
func (p *process) crash(when string) {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noteLocked("process %d dies %s commit %d", p.number, when, p.commits)
	p.dead, p.over = true, time.Now()
	p.next = filepath.Join(w.dir, "after-"+name(p.number))
	if err := copyDisk(p.folder, p.next); err != nil {
		w.violateLocked("copying the disk: %v", err)
	}
	p.cutLocked()
}

// copyDisk copies the database and its log. The log comes last: whatever a
// checkpoint moves meanwhile is still in it, for only the writer starts it anew.
func copyDisk(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, file := range []string{database, database + "-wal"} {
		data, err := os.ReadFile(filepath.Join(from, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, file), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
