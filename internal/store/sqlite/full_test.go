package sqlite_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// counter counts the places that are taken.
type counter struct {
	noRoom
	taken int
}

func (c *counter) Reserve(*hook.Endpoint, int) bool { c.taken++; return true }
func (c *counter) Unreserve(*hook.Endpoint, int)    { c.taken-- }

func TestAFullDiskRefusesWholeGroupsAndTakesWritesAgainWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	var commits []sqlite.Commit
	w := newWorld(t, sqlite.Options{MaxPages: 400, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Observe: func(c sqlite.Commit) { commits = append(commits, c) }})
	w.endpoint()
	places := &counter{}
	accept := func(at time.Time) error {
		events := make([]hook.NewEvent, 7)
		for i := range events {
			events[i] = w.event(at, string(make([]byte, 5000)))
			events[i].Idempotency = &hook.IdempotencyKey{Auto: true, Hash: [16]byte(events[i].ID[4:]), ExpiresAt: at.Add(time.Hour)}
		}
		_, err := w.Accept(w.Context(), w.node, places, at, events)
		return err
	}
	fill := func(at time.Time) (calls int) {
		t.Helper()
		for {
			err := accept(at)
			if code(err) == hook.CodeUnavailable {
				return calls
			}
			w.must(err)
			if calls++; calls > 1000 {
				t.Fatal("the disk does not get full")
			}
		}
	}
	stored := 7 * fill(start)
	for range 3 {
		if err := accept(start); code(err) != hook.CodeUnavailable {
			t.Fatalf("on a full disk: %v", err)
		}
	}
	for _, table := range []string{"messages", "deliveries", "once_auto"} {
		if n := w.number(`SELECT count(*) FROM ` + table); n != int64(stored) {
			t.Errorf("%d rows in %s, want those of the %d accepted", n, table, stored)
		}
	}
	if places.taken != stored {
		t.Errorf("%d places are taken for %d accepted", places.taken, stored)
	}
	if _, err := w.ListMessages(w.Context(), hook.MessageFilter{Env: w.env, App: w.app, Page: hook.Page{Limit: 9}}); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	late := start.Add(2 * time.Hour)
	if got := w.expire(hook.Retention{Messages: time.Hour}, late); got.Messages != stored || got.Keys != stored {
		t.Errorf("removed %+v of %d", got, stored)
	}
	if again := 7 * fill(late); again < stored*9/10 {
		t.Errorf("only %d fit in again, after %d", again, stored)
	}
	if len(commits) == 0 {
		t.Error("no commit was observed")
	}
}
