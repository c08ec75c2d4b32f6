package rig

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// Disk is a small file system in a namespace of its own. It ends with the test.
type Disk struct {
	// Folder is where processes in the namespace see it, and Seen where all others do.
	Folder, Seen string
	// Under runs a command in the namespace.
	Under []string
}

// mountPoint is a folder that every machine has and the servers do not need.
const mountPoint = "/mnt"

// NewDisk makes a file system of so many bytes, of which ballast takes a part until
// MakeRoom. It is nil if the machine does not allow that.
func NewDisk(t testing.TB, size, ballast int) *Disk {
	t.Helper()
	script := fmt.Sprintf("mount -t tmpfs -o size=%d none %s && head -c %d /dev/zero > %s/ballast && echo mounted && exec cat",
		size, mountPoint, ballast, mountPoint)
	keeper := exec.CommandContext(t.Context(), "unshare", "--map-root-user", "--mount", "sh", "-c", script)
	in, err := keeper.StdinPipe() // it ends when this is closed
	Check(t, err)
	out, err := keeper.StdoutPipe()
	Check(t, err)
	if keeper.Start() != nil {
		return nil
	}
	t.Cleanup(func() {
		_ = in.Close() // tells the keeper to end
		_ = keeper.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "mounted\n" {
		return nil
	}
	pid := strconv.Itoa(keeper.Process.Pid)
	d := &Disk{
		Folder: mountPoint, Seen: filepath.Join("/proc", pid, "root", mountPoint),
		Under: []string{"nsenter", "--target", pid, "--user", "--mount", "--preserve-credentials", "--"},
	}
	if _, err := os.Stat(filepath.Join(d.Seen, "ballast")); err != nil {
		return nil
	}
	return d
}

// MakeRoom takes the ballast off.
func (d *Disk) MakeRoom() error { return os.Remove(filepath.Join(d.Seen, "ballast")) }
