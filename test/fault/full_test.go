//go:build fault

package fault_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/test/rig"
)

const (
	diskSize = 192 << 20
	ballast  = 48 << 20
	// bigBody makes the disk full within some hundred messages.
	bigBody     = 128 << 10
	mostFilling = 4 * diskSize / bigBody
)

// A disk that is full is an end of the database's own: with its data it goes on and
// refuses to grow, with its log it has to stop.
func TestFullDiskUnderTheDatabaseRefusesAndRecovers(t *testing.T) {
	for _, logToo := range []bool{false, true} {
		name := "data on the full disk"
		if logToo {
			name = "data and log on the full disk"
		}
		t.Run(name, func(t *testing.T) { fullDisk(t, "PostgreSQL with "+name, logToo) })
	}
}

func fullDisk(t *testing.T, scenario string, logToo bool) {
	disk := rig.NewDisk(t, diskSize, ballast)
	if disk == nil {
		table.notRun(t, scenario, "this machine allows no file system in a namespace")
		return
	}
	s := newSiteOn(t, onDisk(t, disk, logToo), 2, []*rig.Target{{Name: "only", Wants: rig.Everything, Answer: rig.Prompt}})
	for _, n := range s.nodes {
		s.start(t, n)
	}
	s.Furnish(t, s.nodes[0].now())
	filled := s.fill(t)
	pending := s.Ledger.Pending()
	wait(t, time.Second) // it stays full for a while

	rig.Check(t, disk.MakeRoom())
	if !s.db.Running() { // there was no room even to recover: its supervisor starts it again
		rig.Check(t, s.db.Start())
	}
	room := time.Now()
	s.publishAgain(t)
	took := max(time.Since(room), s.recovered(t, pending, room, lease()+recoveryGrace))
	s.Ledger.Trouble(rig.Trouble{From: filled, To: room.Add(s.Ledger.CommitWithin), Reason: "answered while the disk was full"})
	s.finish(t, scenario, took)
}

// onDisk makes a database server whose data are on a small disk. It is not root in
// the disk's namespace, only the one who owns the files.
func onDisk(t *testing.T, d *rig.Disk, logToo bool) *testx.PostgreSQL {
	t.Helper()
	o := testx.PostgreSQLOptions{
		Data: filepath.Join(d.Folder, "data"), InitDB: []string{"--wal-segsize=1"},
		Settings: []string{"max_wal_size=16MB", "min_wal_size=4MB"},
		Under:    append(d.Under, "unshare", "--user", "--map-user=1000", "--map-group=1000", "--"),
	}
	if !logToo {
		o.InitDB = append(o.InitDB, "--waldir="+filepath.Join(t.TempDir(), "wal"))
	}
	db, err := testx.StartPostgreSQLWith(o)
	rig.Check(t, err)
	return db
}

// fill publishes until a server refuses, and gives when it did.
func (s *site) fill(t *testing.T) time.Time {
	t.Helper()
	for serial := range mostFilling {
		if a := s.publishBig(t, serial); a.Status == http.StatusServiceUnavailable {
			t.Logf("the disk was full after %d messages of %d KiB; PostgreSQL runs on: %t", serial, bigBody>>10, s.db.Running())
			if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 {
				t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
			}
			return time.Now()
		}
	}
	t.Fatalf("%d messages of %d KiB fit on a disk of %d MiB", mostFilling, bigBody>>10, diskSize>>20)
	return time.Time{}
}

// publishAgain publishes until both nodes accept again, without a restart.
func (s *site) publishAgain(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(lease() + recoveryGrace)
	for serial, took := mostFilling, 0; took < len(s.nodes); serial++ {
		a := s.publishBig(t, serial)
		if a.Status == http.StatusAccepted {
			took++
			continue
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is room, but a node still answers %d %s:%s", a.Status, a.Body, s.logs())
		}
		wait(t, 100*time.Millisecond)
	}
}

// publishBig publishes one large message to the node whose turn it is.
func (s *site) publishBig(t *testing.T, serial int) rig.Answered {
	t.Helper()
	i := rig.Item{Mark: fmt.Sprintf("big-%d", serial), Kind: rig.Kinds[0]}
	body := rig.Wire{EventType: i.Kind, Payload: map[string]string{"mark": i.Mark, "pad": strings.Repeat("x", bigBody)}}
	a, o := s.PublishBody(t.Context(), s.nodes[serial%len(s.nodes)].now().Door(), i, body)
	if o == rig.Unknown {
		t.Errorf("message %d got no answer", serial)
	}
	return a
}
