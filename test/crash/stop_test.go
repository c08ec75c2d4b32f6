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
	w := newWorld(t, targets(), "--drain-timeout", drainTimeout.String())
	s := w.start(t)
	w.furnish(t, s)
	newLoad(t, w)
	for round := range 3 {
		generation := w.sink.next(t)
		if round > 0 {
			s = w.start(t)
		}
		w.ledger.gate(generation)
		if !w.ledger.acceptedAtLeast(1000*(round+1), fillWithin) {
			t.Fatalf("the load did not get through:\n%s", s.Log)
		}
		w.stopUnderLoad(t, s)
	}
	generation := w.sink.next(t)
	s = w.start(t)
	w.ledger.gate(generation)
	w.ledger.end()
	if !w.ledger.drained(drainWithin) {
		t.Errorf("%d accepted deliveries did not arrive within %s", len(w.ledger.pending()), drainWithin)
	}
	check(t, s.Stop(t.Context()))
	books := w.ledger.audit(t)
	t.Logf("%d messages accepted, %d refused, %d without an answer; %d deliveries, %d of them twice",
		books.accepted, books.refused, books.unknown, books.delivered, books.doubles)
	if books.doubles != 0 {
		t.Errorf("%d deliveries came twice, though every attempt had time to end", books.doubles)
	}
	w.auditDatabase(t, books, true)
}

// stopUnderLoad stops a server that is being published to and looks at how it
// goes.
func (w *world) stopUnderLoad(t *testing.T, s *rig.Server) {
	t.Helper()
	half := w.publishHalf(t, fmt.Sprintf("half-%d", s.Pid()))
	probes := make(chan error, 1)
	go func() { probes <- neverReadyAgain(t.Context(), s) }()
	began := time.Now()
	check(t, s.Signal(syscall.SIGTERM))
	awaitRefusal(t, s.URL)
	half.finish(t, w.ledger)
	ctx, cancel := context.WithTimeout(t.Context(), drainTimeout+5*time.Second)
	defer cancel()
	code, err := s.ExitCode(ctx)
	check(t, err)
	if code != 0 {
		t.Errorf("the exit code is %d:\n%s", code, s.Log)
	}
	if took := time.Since(began); took > drainTimeout {
		t.Errorf("the stop took %s", took)
	}
	check(t, <-probes)
	w.ledger.gate(0)
	if !w.ledger.quiet(fillWithin) {
		t.Error("requests are under way to a server that has ended")
	}
	w.auditDatabase(t, w.ledger.tally(), false)
}

// tally counts messages without judging, for the middle of a run.
func (l *ledger) tally() (b books) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		switch e.outcome {
		case accepted:
			b.accepted++
		case refused:
			b.refused++
		case unknown:
			b.unknown++
		}
	}
	b.unknown += l.parked // they may have been stored
	return b
}

// halfPublish is a connection on which the second half of a publish is missing.
type halfPublish struct {
	net.Conn
	in   *bufio.Reader
	item item
	rest []byte
}

func (w *world) publishHalf(t *testing.T, mark string) halfPublish {
	t.Helper()
	h := halfPublish{item: item{mark: mark, kind: kinds[0]}}
	body, err := json.Marshal(wireOf(h.item))
	check(t, err)
	h.Conn, err = net.Dial("tcp", w.options.Listen)
	check(t, err)
	t.Cleanup(func() { h.Close() })
	h.in = bufio.NewReader(h)
	_, err = fmt.Fprintf(h, "POST /api/v1/app/%s/msg HTTP/1.1\r\nHost: grapnel\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", w.apps[0], rig.Key, len(body))
	check(t, err)
	// The server says this when it begins to read the body.
	line, err := h.in.ReadString('\n')
	check(t, err)
	if !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server answers a request without its body with %q", line)
	}
	_, err = h.in.ReadString('\n')
	check(t, err)
	half := len(body) / 2
	h.rest = body[half:]
	_, err = h.Write(body[:half])
	check(t, err)
	return h
}

// finish sends the other half. The request began before the stop, so it is
// answered, and what is accepted counts.
func (h halfPublish) finish(t *testing.T, l *ledger) {
	t.Helper()
	check(t, h.SetDeadline(time.Now().Add(5*time.Second)))
	_, err := h.Write(h.rest)
	check(t, err)
	resp, err := http.ReadResponse(h.in, nil)
	if err != nil {
		t.Fatalf("a publish that began before the stop got no answer: %v", err)
	}
	defer resp.Body.Close()
	var out apitype.MessageOut
	check(t, json.NewDecoder(resp.Body).Decode(&out))
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("a publish that began before the stop was answered %d", resp.StatusCode)
	}
	l.published(h.item, accepted, out.ID)
}

// awaitRefusal waits until the server takes no more connections.
func awaitRefusal(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	check(t, rig.Until(ctx, func() error {
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
func hanging(t *testing.T) (all []*target, arrived <-chan struct{}, letGo func()) {
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
	return []*target{{name: "hanging", wants: everything, answer: func(ctx context.Context, _ *target, _ string, _ bool) int {
		came <- struct{}{}
		select {
		case <-free:
		case <-ctx.Done():
		}
		return http.StatusNoContent
	}}}, came, letGo
}

// publishOne publishes a message and waits until its delivery is in flight.
func (w *world) publishOne(t *testing.T, mark string, arrived <-chan struct{}) {
	t.Helper()
	l := &load{world: w, http: &http.Client{Timeout: 5 * time.Second}}
	i := item{mark: mark, kind: kinds[0]}
	o, id := l.publish(t.Context(), lastGeneration, i, "")
	w.ledger.published(i, o, id)
	if o != accepted {
		t.Fatalf("the message was not accepted: %v", w.ledger.faults)
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
	w.sink.next(t)
	s := w.start(t)
	if !w.ledger.drained(drainWithin) {
		t.Errorf("%d deliveries that were in flight at the stop did not arrive after it", len(w.ledger.pending()))
	}
	check(t, s.Stop(t.Context()))
	w.auditDatabase(t, w.ledger.audit(t), true)
}

func TestAttemptsThatOutlastTheDrainTimeoutAreNotCounted(t *testing.T) {
	all, arrived, letGo := hanging(t)
	w := newWorld(t, all, "--drain-timeout", "500ms")
	s := w.start(t)
	w.furnish(t, s)
	w.publishOne(t, "outlasting", arrived)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	check(t, s.Stop(ctx))
	w.auditDatabase(t, w.ledger.tally(), false)
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
	w.furnish(t, s)
	w.publishOne(t, "impatient", arrived)
	check(t, s.Signal(syscall.SIGTERM))
	awaitRefusal(t, s.URL)
	select {
	case <-s.Exited():
		t.Errorf("the server did not wait for the attempt that runs:\n%s", s.Log)
	default:
	}
	check(t, s.Signal(syscall.SIGTERM))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	code, err := s.ExitCode(ctx)
	check(t, err)
	if code == 0 {
		t.Error("the exit code of an exit at once is 0, as if everything had ended well")
	}
	w.again(t, letGo)
}
