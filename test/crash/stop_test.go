//go:build crash

package crash_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/test/rig"
)

const (
	drainTimeout = 10 * time.Second
	fillWithin   = 20 * time.Second
)

// A stop under load ends every attempt that runs, doubles none, and leaves the
// rest for the next start.
func TestStopUnderLoadLosesAndDoublesNothing(t *testing.T) {
	w := newWorld(t, rig.Targets(), "--drain-timeout", drainTimeout.String())
	s := w.start(t)
	w.Furnish(t, s)
	w.Load(t)
	for round := range 3 {
		if round > 0 {
			s = w.start(t)
		}
		w.Ledger.Open(s.Door())
		if !w.Ledger.AcceptedAtLeast(1000*(round+1), fillWithin) {
			t.Fatalf("the load did not get through:\n%s", s.Log)
		}
		w.stopUnderLoad(t, s)
	}
	s = w.start(t)
	w.drain(t, s)
	rig.Check(t, s.Stop(t.Context()))
	books := w.Ledger.Audit(t)
	t.Logf("%d messages accepted, %d refused, %d without an answer; %d deliveries, %d of them twice",
		books.Accepted, books.Refused, books.Unknown, books.Delivered, books.Doubles)
	if books.Doubles != 0 {
		t.Errorf("%d deliveries came twice, though every attempt had time to end", books.Doubles)
	}
	w.auditDatabase(t, books, true)
}

// stopUnderLoad stops a server that is being published to and looks at how it
// goes.
func (w *world) stopUnderLoad(t *testing.T, s *rig.Server) {
	t.Helper()
	half := w.publishHalf(t, s, fmt.Sprintf("half-%d", s.Pid()))
	probes := make(chan error, 1)
	go func() { probes <- neverReadyAgain(t.Context(), s) }()
	began := time.Now()
	rig.Check(t, s.Signal(syscall.SIGTERM))
	awaitRefusal(t, s.URL)
	half.finish(t, w.Ledger)
	ctx, cancel := context.WithTimeout(t.Context(), drainTimeout+5*time.Second)
	defer cancel()
	code, err := s.ExitCode(ctx)
	rig.Check(t, err)
	if code != 0 {
		t.Errorf("the exit code is %d:\n%s", code, s.Log)
	}
	if took := time.Since(began); took > drainTimeout {
		t.Errorf("the stop took %s", took)
	}
	rig.Check(t, <-probes)
	w.Ledger.ShutAll()
	if !w.Ledger.Quiet(fillWithin) {
		t.Error("requests are under way to a server that has ended")
	}
	w.auditDatabase(t, w.Ledger.Tally(), false)
}

// halfPublish is a connection on which the second half of a publish is missing.
type halfPublish struct {
	net.Conn
	in   *bufio.Reader
	item rig.Item
	rest []byte
}

func (w *world) publishHalf(t *testing.T, s *rig.Server, mark string) halfPublish {
	t.Helper()
	h := halfPublish{item: rig.Item{Mark: mark, Kind: rig.Kinds[0]}}
	body, err := json.Marshal(rig.WireOf(h.item))
	rig.Check(t, err)
	h.Conn, err = net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	rig.Check(t, err)
	t.Cleanup(func() { h.Close() })
	h.in = bufio.NewReader(h)
	_, err = fmt.Fprintf(h, "POST /api/v1/app/%s/msg HTTP/1.1\r\nHost: grapnel\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", w.Apps[0], rig.Key, len(body))
	rig.Check(t, err)
	// The server says this when it begins to read the body.
	line, err := h.in.ReadString('\n')
	rig.Check(t, err)
	if !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server answers a request without its body with %q", line)
	}
	_, err = h.in.ReadString('\n')
	rig.Check(t, err)
	half := len(body) / 2
	h.rest = body[half:]
	_, err = h.Write(body[:half])
	rig.Check(t, err)
	return h
}

// finish sends the other half. The request began before the stop, so it is
// answered, and what is accepted counts.
func (h halfPublish) finish(t *testing.T, l *rig.Ledger) {
	t.Helper()
	rig.Check(t, h.SetDeadline(time.Now().Add(5*time.Second)))
	_, err := h.Write(h.rest)
	rig.Check(t, err)
	resp, err := http.ReadResponse(h.in, nil)
	if err != nil {
		t.Fatalf("a publish that began before the stop got no answer: %v", err)
	}
	defer resp.Body.Close()
	var out apitype.MessageOut
	rig.Check(t, json.NewDecoder(resp.Body).Decode(&out))
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("a publish that began before the stop was answered %d", resp.StatusCode)
	}
	l.Published(h.item, rig.Accepted, out.ID)
}

// awaitRefusal waits until the server takes no more connections.
func awaitRefusal(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	rig.Check(t, rig.Until(ctx, func() error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return nil //nolint:nilerr // that is what is waited for
		}
		return errors.Join(errors.New("it still takes connections"), conn.Close())
	}))
}

// neverReadyAgain asks /readyz until the process has ended. Once it said no, or
// nothing, it must not say yes.
func neverReadyAgain(ctx context.Context, s *rig.Server) error {
	over := false
	for {
		status, err := s.Status(ctx, "/readyz")
		switch yes := err == nil && status == http.StatusOK; {
		case !yes:
			over = true
		case over:
			return errors.New("/readyz said yes again after the stop had begun")
		}
		select {
		case <-s.Exited():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
	}
}

// hanging is one endpoint that answers only when it is let go.
func hanging(t *testing.T) (all []*rig.Target, arrived <-chan struct{}, letGo func()) {
	t.Helper()
	came, free := make(chan struct{}, 64), make(chan struct{})
	released := false
	letGo = func() {
		if !released {
			released = true
			close(free)
		}
	}
	t.Cleanup(letGo)
	return []*rig.Target{{Name: "hanging", Wants: rig.Everything, Answer: func(ctx context.Context, _ rig.Visit) int {
		came <- struct{}{}
		select {
		case <-free:
		case <-ctx.Done():
		}
		return http.StatusNoContent
	}}}, came, letGo
}

// publishOne publishes a message and waits until its delivery is in flight.
func (w *world) publishOne(t *testing.T, s *rig.Server, mark string, arrived <-chan struct{}) {
	t.Helper()
	if o := w.Publish(t.Context(), s.Door(), rig.Item{Mark: mark, Kind: rig.Kinds[0]}); o != rig.Accepted {
		t.Fatalf("the message was not accepted:\n%s", s.Log)
	}
	select {
	case <-arrived:
	case <-time.After(fillWithin):
		t.Fatal("the delivery did not arrive")
	}
}

// again starts a server on what another has left and lets it deliver.
func (w *world) again(t *testing.T, letGo func()) {
	t.Helper()
	letGo()
	s := w.start(t)
	if !w.Ledger.Drained(drainWithin) {
		t.Errorf("%d deliveries that were in flight at the stop did not arrive after it", len(w.Ledger.Pending()))
	}
	rig.Check(t, s.Stop(t.Context()))
	w.auditDatabase(t, w.Ledger.Audit(t), true)
}

func TestAttemptsThatOutlastTheDrainTimeoutAreNotCounted(t *testing.T) {
	all, arrived, letGo := hanging(t)
	w := newWorld(t, all, "--drain-timeout", "500ms")
	s := w.start(t)
	w.Furnish(t, s)
	w.publishOne(t, s, "outlasting", arrived)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	rig.Check(t, s.Stop(ctx))
	w.auditDatabase(t, w.Ledger.Tally(), false)
	if n := w.countRows(t, "SELECT count(*) FROM attempts"); n != 0 {
		t.Errorf("%d attempts are recorded, though none ended", n)
	}
	w.again(t, letGo)
	if n := w.countRows(t, "SELECT max(number) FROM attempts"); n != 1 {
		t.Errorf("the attempt after the restart has number %d", n)
	}
}

func TestSecondSignalExitsAtOnce(t *testing.T) {
	all, arrived, letGo := hanging(t)
	w := newWorld(t, all, "--drain-timeout", "10m")
	s := w.start(t)
	w.Furnish(t, s)
	w.publishOne(t, s, "impatient", arrived)
	rig.Check(t, s.Signal(syscall.SIGTERM))
	awaitRefusal(t, s.URL)
	select {
	case <-s.Exited():
		t.Errorf("the server did not wait for the attempt that runs:\n%s", s.Log)
	default:
	}
	rig.Check(t, s.Signal(syscall.SIGTERM))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	code, err := s.ExitCode(ctx)
	rig.Check(t, err)
	if code == 0 {
		t.Error("the exit code of an exit at once is 0, as if everything had ended well")
	}
	w.again(t, letGo)
}
