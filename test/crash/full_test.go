//go:build crash

package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/test/rig"
)

const (
	diskSize = 24 << 20
	// ballast is what is taken off the disk to make room again.
	ballast = 8 << 20
	// bodySize makes the disk full within some hundred messages.
	bodySize     = 32 << 10
	mostMessages = 4 * diskSize / bodySize
)

// smallDisk lets a world keep its database on a disk that is soon full, and gives
// what makes room on it. That is a file system of its own in a namespace where
// the machine allows one; elsewhere a limit on the size of files.
func (w *world) smallDisk(t *testing.T) (makeRoom func(s *rig.Server)) {
	t.Helper()
	if disk := rig.NewDisk(t, diskSize, ballast); disk != nil {
		t.Logf("the disk is a file system of %d MiB in a namespace", diskSize>>20)
		w.Options.Under = disk.Under
		w.Options.DB = filepath.Join(disk.Folder, "crash.db")
		w.file = filepath.Join(disk.Seen, "crash.db")
		return func(*rig.Server) { rig.Check(t, disk.MakeRoom()) }
	}
	t.Logf("no namespace to be had: the disk is a limit of %d MiB for each file", (diskSize-ballast)>>20)
	w.Options.Under = []string{"prlimit", fmt.Sprintf("--fsize=%d:unlimited", diskSize-ballast), "--"}
	return func(s *rig.Server) {
		out, err := exec.CommandContext(t.Context(), "prlimit", "--pid", strconv.Itoa(s.Pid()), "--fsize=unlimited").CombinedOutput()
		if err != nil {
			t.Fatalf("raising the limit: %v: %s", err, out)
		}
	}
}

func TestFullDiskRefusesLosesNothingAndRecovers(t *testing.T) {
	w := newWorld(t, []*rig.Target{{Name: "only", Wants: rig.Everything, Answer: rig.Prompt}}, "--log-level", "info")
	makeRoom := w.smallDisk(t)
	s := w.start(t)
	w.Furnish(t, s)
	first := w.fill(t, s)
	c, err := client.New(s.URL, rig.Key, client.WithRetries(0))
	rig.Check(t, err)
	found, err := c.FindMessage(t.Context(), w.Apps[0], first)
	if err != nil || found.ID != first {
		t.Errorf("reading a message while the disk is full: %v", err)
	}
	if _, err := c.ListEndpoints(t.Context(), w.Apps[0], client.ListOptions{}); err != nil {
		t.Errorf("listing endpoints while the disk is full: %v", err)
	}
	if status, err := s.Status(t.Context(), "/healthz"); err != nil || status != http.StatusOK {
		t.Errorf("/healthz while the disk is full: %d, %v", status, err)
	}
	wants(t, s, `msg="the database refuses writes`, "check free space")

	makeRoom(s)
	w.publishAgain(t, s)
	if !w.Ledger.Drained(drainWithin) {
		t.Errorf("%d accepted deliveries did not arrive after there was room again:\n%s", len(w.Ledger.Pending()), s.Log)
	}
	wants(t, s, `msg="the database takes writes again"`)
	rig.Check(t, s.Stop(t.Context()))
	books := w.Ledger.Audit(t)
	t.Logf("%d messages accepted, %d refused; %d deliveries, %d of them twice", books.Accepted, books.Refused, books.Delivered, books.Doubles)
	w.file = copied(t, w.file)
	w.auditDatabase(t, books, true)
}

// wants waits until the log has a line with each of these texts; lines are
// written a moment after what they tell.
func wants(t *testing.T, s *rig.Server, texts ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	rig.Check(t, rig.Until(ctx, func() error {
		for _, text := range texts {
			if !strings.Contains(s.Log.String(), text) {
				return fmt.Errorf("the log does not say %q:\n%s", text, s.Log)
			}
		}
		return nil
	}))
}

// copied copies a database out of its namespace: SQLite follows links, and the
// one into a namespace leads nowhere.
func copied(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	for _, end := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + end)
		if errors.Is(err, os.ErrNotExist) && end != "" {
			continue
		}
		rig.Check(t, err)
		rig.Check(t, os.WriteFile(to+end, content, 0o600))
	}
	return to
}

// publishBig publishes one large message.
func (w *world) publishBig(t *testing.T, s *rig.Server, serial int) (a rig.Answered, id string) {
	t.Helper()
	h := &http.Client{Timeout: 30 * time.Second}
	i := rig.Item{Mark: fmt.Sprintf("big-%d", serial), Kind: rig.Kinds[0]}
	body := rig.Wire{EventType: i.Kind, Payload: map[string]string{"mark": i.Mark, "pad": strings.Repeat("x", bodySize)}}
	a, err := rig.Post(t.Context(), h, s.URL+"/api/v1/app/"+w.Apps[0]+"/msg?with_content=false", rig.Key, "", body)
	rig.Check(t, err)
	switch a.Status {
	case http.StatusAccepted:
		var out apitype.MessageOut
		rig.Check(t, json.Unmarshal(a.Body, &out))
		w.Ledger.Published(i, rig.Accepted, out.ID)
		return a, out.ID
	case http.StatusServiceUnavailable:
		w.Ledger.Published(i, rig.Refused, "")
	default:
		t.Fatalf("a message was answered %d: %s", a.Status, a.Body)
	}
	return a, ""
}

// fill publishes until the server refuses, and gives the first message that it
// took.
func (w *world) fill(t *testing.T, s *rig.Server) (first string) {
	t.Helper()
	for serial := range mostMessages {
		a, id := w.publishBig(t, s, serial)
		if first == "" {
			first = id
		}
		if a.Status == http.StatusServiceUnavailable {
			t.Logf("the disk was full after %d messages of %d KiB", serial, bodySize>>10)
			var object apitype.Error
			rig.Check(t, json.Unmarshal(a.Body, &object))
			if object.Code != "unavailable" || object.Detail.String() == "" || object.Hint == "" || object.RequestID == "" {
				t.Errorf("the error object is %s", a.Body)
			}
			if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 {
				t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
			}
			return first
		}
	}
	t.Fatalf("%d messages of %d KiB fit on a disk of %d MiB:\n%s", mostMessages, bodySize>>10, diskSize>>20, s.Log)
	return ""
}

// publishAgain publishes until the server accepts again, without a restart.
func (w *world) publishAgain(t *testing.T, s *rig.Server) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for serial := mostMessages; ; serial++ {
		a, id := w.publishBig(t, s, serial)
		if id != "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is room, but the server still answers %s", a.Body)
		}
	}
}
