package testx

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// daemon is a process that runs beside the tests. It ends with them at the latest.
type daemon struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
}

// startDaemon starts cmd from a thread that lives as long as the process: the
// kernel ends the process with the thread that started it.
func startDaemon(cmd *exec.Cmd) (*daemon, error) {
	d := &daemon{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it is told to end
			close(d.ended)
		}
	}()
	return d, <-started
}

// end sends a signal and waits until the process is gone.
func (d *daemon) end(s syscall.Signal) {
	_ = d.cmd.Process.Signal(s) // an error: it has ended already
	<-d.ended
}

// endFamily kills the process and its children at the same moment, as a crash of
// the machine does.
func (d *daemon) endFamily() error {
	pid := d.cmd.Process.Pid
	// Stopped it has no more children.
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stopping process %d: %w", pid, err)
	}
	children, err := childrenOf(pid)
	for _, p := range append([]*os.Process{d.cmd.Process}, children...) {
		err = errors.Join(err, ignoreDone(p.Kill()))
	}
	<-d.ended
	for _, c := range children {
		err = errors.Join(err, awaitEnd(c.Pid))
	}
	return err
}

func ignoreDone(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// childrenOf lists the processes that a process has started.
func childrenOf(pid int) (list []*os.Process, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, err
	}
	for _, word := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		p, err := os.FindProcess(child)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// awaitEnd waits until a process that is not our child is gone, or dead and only
// not yet buried.
func awaitEnd(pid int) error {
	for range 1000 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			return nil
		}
		if err != nil {
			return err
		}
		if at := bytes.LastIndexByte(stat, ')'); bytes.HasPrefix(stat[at+1:], []byte(" Z")) {
			return nil
		}
		<-time.After(5 * time.Millisecond)
	}
	return fmt.Errorf("process %d did not end when it was killed", pid)
}

// unprivileged is whom to run as a server that refuses to run as root; nil: as this
// process.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("neither a user postgres nor nobody exists, and the server refuses to run as root")
}

// chownTo gives a folder to whom a server runs as.
func chownTo(folder string, c *syscall.Credential) error {
	if c == nil {
		return nil
	}
	return os.Chown(folder, int(c.Uid), int(c.Gid))
}

// The ports from which FreePort takes one lie below those that systems use for
// outgoing connections (32768 and up on Linux), so that nothing takes the port
// while what listens there is restarted.
const firstPort, lastPort = 10_000, 32_000

// FreePort gives a port of the loopback address on which nothing listens.
func FreePort() (int, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, failed := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if failed != nil {
			err = failed
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("finding a free port: %w", err)
}
