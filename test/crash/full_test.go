//go:build crash

package crash_test

import (
	"bufio"
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
	if root, under := mountSmall(t); root != "" {
		t.Logf("the disk is a file system of %d MiB in a namespace", diskSize>>20)
		w.options.Under = under
		w.options.DB = filepath.Join(mountPoint, "crash.db")
		w.file = filepath.Join(root, w.options.DB)
		return func(*rig.Server) { check(t, os.Remove(filepath.Join(root, mountPoint, "ballast"))) }
	}
	t.Logf("no namespace to be had: the disk is a limit of %d MiB for each file", (diskSize-ballast)>>20)
	w.options.Under = []string{"prlimit", fmt.Sprintf("--fsize=%d:unlimited", diskSize-ballast), "--"}
	return func(s *rig.Server) {
		out, err := exec.CommandContext(t.Context(), "prlimit", "--pid", strconv.Itoa(s.Pid()), "--fsize=unlimited").CombinedOutput()
		if err != nil {
			t.Fatalf("raising the limit: %v: %s", err, out)
		}
	}
}

// mountPoint is a folder that every machine has and the server does not need.
const mountPoint = "/mnt"

// mountSmall mounts a small file system in a namespace. It gives the path under
// which others see the namespace's files, and the command that runs another in it;
// root is empty if the machine does not allow it.
func mountSmall(t *testing.T) (root string, under []string) {
	t.Helper()
	script := fmt.Sprintf("mount -t tmpfs -o size=%d none %s && head -c %d /dev/zero > %s/ballast && echo mounted && exec cat",
		diskSize, mountPoint, ballast, mountPoint)
	keeper := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c", script)
	in, err := keeper.StdinPipe() // it ends when this is closed
	check(t, err)
	out, err := keeper.StdoutPipe()
	check(t, err)
	if keeper.Start() != nil {
		return "", nil
	}
	t.Cleanup(func() {
		in.Close()
		_ = keeper.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "mounted\n" {
		return "", nil
	}
	pid := strconv.Itoa(keeper.Process.Pid)
	root = filepath.Join("/proc", pid, "root")
	if _, err := os.Stat(filepath.Join(root, mountPoint, "ballast")); err != nil {
		return "", nil
	}
	return root, []string{"nsenter", "--target", pid, "--user", "--mount", "--preserve-credentials", "--"}
}

func TestFullDiskRefusesLosesNothingAndRecovers(t *testing.T) {
	w := newWorld(t, []*target{{name: "only", wants: everything, answer: prompt}}, "--log-level", "info")
	makeRoom := w.smallDisk(t)
	s := w.start(t)
	w.furnish(t, s)
	first := w.fill(t, s)
	c, err := client.New(s.URL, rig.Key, client.WithRetries(0))
	check(t, err)
	found, err := c.FindMessage(t.Context(), w.apps[0], first)
	if err != nil || found.ID != first {
		t.Errorf("reading a message while the disk is full: %v", err)
	}
	if _, err := c.ListEndpoints(t.Context(), w.apps[0], client.ListOptions{}); err != nil {
		t.Errorf("listing endpoints while the disk is full: %v", err)
	}
	if status, err := s.Status(t.Context(), "/healthz"); err != nil || status != http.StatusOK {
		t.Errorf("/healthz while the disk is full: %d, %v", status, err)
	}
	wants(t, s, `msg="the database refuses writes`, "check free space")

	makeRoom(s)
	w.publishAgain(t)
	if !w.ledger.drained(drainWithin) {
		t.Errorf("%d accepted deliveries did not arrive after there was room again:\n%s", len(w.ledger.pending()), s.Log)
	}
	wants(t, s, `msg="the database takes writes again"`)
	check(t, s.Stop(t.Context()))
	books := w.ledger.audit(t)
	t.Logf("%d messages accepted, %d refused; %d deliveries, %d of them twice", books.accepted, books.refused, books.delivered, books.doubles)
	w.file = copied(t, w.file)
	w.auditDatabase(t, books, true)
}

// wants waits until the log has a line with each of these texts; lines are
// written a moment after what they tell.
func wants(t *testing.T, s *rig.Server, texts ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	check(t, rig.Until(ctx, func() error {
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
		check(t, err)
		check(t, os.WriteFile(to+end, content, 0o600))
	}
	return to
}

// publishBig publishes one large message.
func (w *world) publishBig(t *testing.T, serial int) (a answer, id string) {
	t.Helper()
	h := &http.Client{Timeout: 30 * time.Second}
	i := item{mark: fmt.Sprintf("big-%d", serial), kind: kinds[0]}
	body := wire{EventType: i.kind, Payload: map[string]string{"mark": i.mark, "pad": strings.Repeat("x", bodySize)}}
	a, err := post(t.Context(), h, "http://"+w.options.Listen+"/api/v1/app/"+w.apps[0]+"/msg?with_content=false", rig.Key, "", body)
	check(t, err)
	switch a.status {
	case http.StatusAccepted:
		var out apitype.MessageOut
		check(t, json.Unmarshal(a.body, &out))
		w.ledger.published(i, accepted, out.ID)
		return a, out.ID
	case http.StatusServiceUnavailable:
		w.ledger.published(i, refused, "")
	default:
		t.Fatalf("a message was answered %d: %s", a.status, a.body)
	}
	return a, ""
}

// fill publishes until the server refuses, and gives the first message that it
// took.
func (w *world) fill(t *testing.T, s *rig.Server) (first string) {
	t.Helper()
	for serial := range mostMessages {
		a, id := w.publishBig(t, serial)
		if first == "" {
			first = id
		}
		if a.status == http.StatusServiceUnavailable {
			t.Logf("the disk was full after %d messages of %d KiB", serial, bodySize>>10)
			var object apitype.Error
			check(t, json.Unmarshal(a.body, &object))
			if object.Code != "unavailable" || object.Detail.String() == "" || object.Hint == "" || object.RequestID == "" {
				t.Errorf("the error object is %s", a.body)
			}
			if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 {
				t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
			}
			return first
		}
	}
	t.Fatalf("%d messages of %d KiB fit on a disk of %d MiB:\n%s", mostMessages, bodySize>>10, diskSize>>20, s.Log)
	return ""
}

// publishAgain publishes until the server accepts again, without a restart.
func (w *world) publishAgain(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for serial := mostMessages; ; serial++ {
		a, id := w.publishBig(t, serial)
		if id != "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is room, but the server still answers %s", a.body)
		}
	}
}
