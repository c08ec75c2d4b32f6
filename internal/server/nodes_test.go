package server_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
)

func TestEachRoleServesWhatItIsFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		role           config.Role
		api, delivers  bool
		landing, event int // status of / and of a request to an ingest path
	}{
		{config.RoleAll, true, true, 200, 404},
		{config.RoleAPI, true, false, 200, 404},
		{config.RoleDeliver, false, true, 404, 404},
		{config.RoleIngest, false, false, 404, 404},
	} {
		n := start(t, t.TempDir(), map[string]string{"role": string(tt.role)})
		key := []string{"Authorization", "Bearer " + testKey}
		status := func(path string, want int) {
			t.Helper()
			if got, _, body := get(t, n.URL()+path, key...); got != want {
				t.Errorf("%s: %s is %d, want %d: %s", tt.role, path, got, want, body)
			}
		}
		api := http.StatusNotFound
		if tt.api {
			api = http.StatusOK
		}
		status("/api/v1/app", api)
		status("/", tt.landing)
		status("/in/token", tt.event)
		status("/healthz", 200)
		status("/readyz", 200)
		delivering := `grapnel_nodes{state="delivering"} 0`
		if tt.delivers {
			delivering = `grapnel_nodes{state="delivering"} 1`
		}
		_, _, metrics := get(t, n.URL()+"/metrics", key...)
		for _, line := range []string{delivering, `grapnel_nodes{state="alive"} 1`, "grapnel_leader 1", "grapnel_lease_fresh 1"} {
			if !strings.Contains(metrics, "\n"+line+"\n") {
				t.Errorf("%s: the metrics lack %q", tt.role, line)
			}
		}
	}
}

func TestReadinessSaysEachReasonInALineOfItsOwn(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"heartbeat": "50ms", "node-lease": "1s"})
	if status, _, body := get(t, n.URL()+"/readyz"); status != http.StatusOK {
		t.Fatalf("/readyz: %d %s", status, body)
	}
	if err := n.CloseStore(); err != nil {
		t.Fatal(err)
	}
	const lease, database = "The lease of this node is not fresh, so it sends nothing.", "The database cannot be written."
	for {
		status, _, body := get(t, n.URL()+"/readyz")
		if status != http.StatusServiceUnavailable {
			t.Fatalf("/readyz without a store: %d %s", status, body)
		}
		lines := strings.Split(detail(t, body), "\n")
		if !slices.Contains(lines, database) {
			t.Fatalf("it does not name the database: %q", lines)
		}
		if slices.Contains(lines, lease) {
			break
		}
	}
	if _, err := n.FindApplication(t.Context(), "acme"); code(t, err) != "unavailable" {
		t.Errorf("the API without a store: %v", err)
	}
	if !strings.Contains(n.log.String(), "cannot renew its lease") {
		t.Errorf("the log does not tell of the lease:\n%s", n.log)
	}
}

func TestLogTellsOfReadinessOnceForEachChangeAndNotForEachProbe(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	probe := func(want int) {
		t.Helper()
		for range 5 {
			if status, _, body := get(t, n.URL()+"/readyz"); status != want {
				t.Fatalf("/readyz: %d %s, want %d", status, body, want)
			}
			if status, _, _ := get(t, n.URL()+"/healthz"); status != http.StatusOK {
				t.Fatalf("/healthz: %d", status)
			}
		}
	}
	told := func(unready, again int) {
		t.Helper()
		log := n.log.String()
		if got := strings.Count(log, `msg="not ready"`); got != unready {
			t.Errorf("told %d times that it is not ready, want %d:\n%s", got, unready, log)
		}
		if got := strings.Count(log, `msg="ready again"`); got != again {
			t.Errorf("told %d times that it is ready again, want %d:\n%s", got, again, log)
		}
	}
	n.SetReady(false)
	probe(http.StatusServiceUnavailable)
	n.SetReady(true)
	probe(http.StatusOK)
	n.SetReady(false)
	probe(http.StatusServiceUnavailable)
	n.SetReady(true)
	if err := n.stop(); err != nil { // what is left in the log's buffer is written
		t.Fatal(err)
	}
	told(2, 1)
}

func TestRoleThatLeavesWorkToOthersIsToldOfOnSQLite(t *testing.T) {
	t.Parallel()
	for role, warned := range map[config.Role]bool{config.RoleAll: false, config.RoleAPI: true, config.RoleDeliver: true, config.RoleIngest: true} {
		n := start(t, t.TempDir(), map[string]string{"role": string(role)})
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(n.log.String(), "no other node can share a SQLite file"); got != warned {
			t.Errorf("%s: warned %t, want %t:\n%s", role, got, warned, n.log)
		}
	}
}

func TestServerAnswersThroughTheDrainDelayWithoutBeingReady(t *testing.T) {
	t.Parallel()
	const delay = 700 * time.Millisecond
	n := start(t, t.TempDir(), map[string]string{"drain-delay": "700ms"})
	began := time.Now()
	stopped := make(chan error, 1) // the stop sends, the test receives
	go func() { stopped <- n.stop() }()
	for {
		status, _, body := get(t, n.URL()+"/readyz")
		if status == http.StatusOK && time.Since(began) < delay {
			continue // the stop has not begun
		}
		if status != http.StatusServiceUnavailable || detail(t, body) != "The server is starting or stopping." {
			t.Fatalf("/readyz in the delay: %d %s", status, body)
		}
		break
	}
	if _, err := n.GetOrCreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
		t.Errorf("the API in the delay: %v", err)
	}
	if status, _, _ := get(t, n.URL()+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz in the delay: %d", status)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("the stop took %v, want at least the delay", took)
	}
	if _, err := http.Get(n.URL() + "/healthz"); err == nil {
		t.Error("it answers after the stop")
	}
}

func TestPartThatHasEndedIsNotWaitedForWithADrainDelay(t *testing.T) {
	t.Parallel()
	s := server.New(server.Options{Config: settings(t, t.TempDir(), map[string]string{"drain-delay": "10m"})})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Chore("doomed", func(context.Context) error { return context.Canceled })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Wait(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("Wait: %v", err)
	}
}

func TestNodeLeavesWhenItStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := start(t, dir, nil).stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir, map[string]string{"metrics-listen": "127.0.0.1:0"})
	if _, _, metrics := get(t, again.MetricsURL()+"/metrics"); !strings.Contains(metrics, `grapnel_nodes{state="alive"} 1`) {
		t.Error("the node that was stopped counts as alive")
	}
}
