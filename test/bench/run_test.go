package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// lastPort is below the ports that connections going out are given, so that
// none of them takes an address between the question and its use.
var lastPort atomic.Int32

// freeAddr is a loopback address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+os.Getpid()%8000+int(lastPort.Add(1)))
		if ln, err := net.Listen("tcp", addr); err == nil {
			ln.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// measure does what bench run does, with the result as a value.
func measure(t *testing.T, args ...string) result {
	t.Helper()
	args = append([]string{"-linger", "0", "-timeout", "30s", "-key", "test-key"}, args...)
	opt, err := parseOptions(args)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), opt.timeout)
	defer cancel()
	got, err := perform(ctx, opt)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// server is the command line by which a run starts this binary as a server.
func server(t *testing.T, args ...string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{"--", self}, args...)
}

func fakeArgs(t *testing.T, dir, role string, flags ...string) []string {
	t.Helper()
	addr := freeAddr(t)
	flags = append([]string{"-target", "grapnel", "-base", "http://" + addr, "-log", filepath.Join(dir, "log")}, flags...)
	return append(flags, server(t, "fake", addr, role, filepath.Join(dir, "journal"))...)
}

func TestARunAgainstTheForwarderDeliversAllToAll(t *testing.T) {
	t.Parallel()
	addr, sink := freeAddr(t), freeAddr(t)
	got := measure(t, append([]string{"-base", "http://" + addr, "-sink", sink, "-c", "4", "-max", "200", "-endpoints", "3", "-apps", "5", "-spread"},
		server(t, "limit", "-addr", addr, "-to", "http://"+sink, "-endpoints", "3")...)...)
	if got.Accepted != 200 || got.Expected != 600 || got.Delivered != 600 || trouble(&got) != "" {
		t.Errorf("%+v", got)
	}
	if got.DeliverPS <= 0 || got.E2EP99 <= 0 || got.StartMS <= 0 {
		t.Errorf("not measured: %+v", got)
	}
}

func TestARunMakesApplicationsAndTellsTheHangingApart(t *testing.T) {
	t.Parallel()
	got := measure(t, fakeArgs(t, t.TempDir(), "all", "-sink", freeAddr(t), "-max", "300", "-rate", "1000", "-d", "5s",
		"-apps", "20", "-spread", "-hang", "25%", "-sdk-headers", "-headers")...)
	if got.Hanging != 5 || got.HungFirst == 0 || trouble(&got) != "" {
		t.Errorf("%+v", got)
	}
	if got.Accepted != 300 || got.Delivered != got.Expected || got.Expected >= 300 || got.Delivered+int64(got.HungFirst) > 300 {
		t.Errorf("%d accepted, %d delivered, %d at hanging endpoints", got.Accepted, got.Delivered, got.HungFirst)
	}
	if !slices.Contains(got.Headers, "Webhook-Signature") {
		t.Errorf("headers: %v", got.Headers)
	}
}

func TestABatchCountsItsRefusedItems(t *testing.T) {
	t.Parallel()
	got := measure(t, fakeArgs(t, t.TempDir(), "all", "-sink", freeAddr(t), "-max", "200", "-c", "3", "-batch", "15")...)
	if got.Sent != 200 || got.Accepted != 180 || got.Rejected != 20 || got.Delivered != 180 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(got.FirstError, "422") {
		t.Errorf("first error %q", got.FirstError)
	}
}

func TestABacklogIsPublishedByOneRunAndDrainedByTheNext(t *testing.T) {
	t.Parallel()
	dir, sink := t.TempDir(), freeAddr(t)
	flags := []string{"-sink", sink, "-state", filepath.Join(dir, "state.json")}
	filled := measure(t, fakeArgs(t, dir, "api", append(flags, "-apps", "4", "-spread", "-phase", "preload", "-preload", "100", "-batch", "10", "-c", "2")...)...)
	if filled.Accepted != 90 || filled.Rejected != 10 || filled.Delivered != 0 {
		t.Errorf("preload: %+v", filled)
	}
	drained := measure(t, fakeArgs(t, dir, "all", append(flags, "-phase", "drain")...)...)
	if drained.Expected != 90 || drained.Delivered != 90 || trouble(&drained) != "" {
		t.Errorf("drain: %+v", drained)
	}
	if drained.FirstMS <= 0 || drained.DeliverPS <= 0 || drained.Apps != 4 {
		t.Errorf("not measured: %+v", drained)
	}
}

func TestASetUpIsTakenOverFromAnEarlierRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "state.json")
	made := &svix{Apps: []string{"app_a", "app_b"}}
	if err := (&state{Plan: plan{Apps: 2, Endpoints: 1}, Run: "r"}).write(file, made); err != nil {
		t.Fatal(err)
	}
	var ad svix
	got, err := readState(file, &ad)
	if err != nil || !slices.Equal(ad.Apps, made.Apps) || got.Run != "r" {
		t.Errorf("%+v, %v, %v", got, ad.Apps, err)
	}
	if err := got.fits(plan{Apps: 3, Endpoints: 1}); err == nil {
		t.Error("a set-up of two applications cannot be measured as three")
	}
}

func TestAServerThatEndsAtOnceIsAnError(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	_, err := startChild(t.Context(), server(t, "limit", "-no-such-flag")[1:], log, "http://"+freeAddr(t))
	if err == nil || !strings.Contains(err.Error(), "ended at once") || !strings.Contains(err.Error(), log) {
		t.Errorf("error: %v", err)
	}
}

func TestAFailedSetUpNamesTheAnswer(t *testing.T) {
	t.Parallel()
	addr := freeAddr(t)
	c, err := startChild(t.Context(), server(t, "fake", addr, "all", "none")[1:], filepath.Join(t.TempDir(), "log"), "http://"+addr+"/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer c.stop()
	ad, err := newAdapter("svix", "http://"+addr, "wrong-key")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := ad.setUp(ctx, make([][]string, 100)); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("error: %v", err)
	}
}

func TestFlagsThatContradictAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-phase", "some"}, {"-hang", "5"}, {"-preload", "10"}, {"-phase", "preload", "-state", "f"}, {"-phase", "preload", "-preload", "10"},
		{"-phase", "drain", "-state", "f"}, {"-target", "limit", "-batch", "10"}, {"-target", "svix", "-batch", "1001"},
		{"-max", "9999999999"}, {"-pids", "x"}, {"-key-file", "does-not-exist"},
	} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}

func TestAResultSurvivesAsOneLine(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(result{Target: "limit", Label: "c64", DeliverPS: 10})
	if err != nil {
		t.Fatal(err)
	}
	got := runs{}
	if err := got.read(strings.NewReader("\n" + string(b) + "\n")); err != nil || len(got["c64"].forwarder) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := got.read(strings.NewReader("no result")); err == nil {
		t.Error("a line that is no result was read")
	}
}
