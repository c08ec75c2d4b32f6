//go:build fault

package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

const (
	appsOfHanging = 20
	// goodWithin is how late the messages of an endpoint that works may be, 99 of
	// 100, while all others hang; memoryWithin how much a node may need.
	goodWithin   = time.Second
	memoryWithin = 512 << 20
)

// Endpoints that hang must cost an endpoint that works nothing but a little time,
// and the node a bounded amount of memory.
func TestHangingEndpointsDelayNobodyElse(t *testing.T) {
	hanging := scale(10_000, 1_000)
	free := make(chan struct{})
	all := []*rig.Target{{Name: "good", Wants: rig.Everything, Answer: rig.Prompt}}
	for i := range hanging {
		all = append(all, &rig.Target{
			Name: fmt.Sprintf("hanging %d", i), App: 1 + i%appsOfHanging, Wants: rig.Everything,
			Answer: func(ctx context.Context, _ rig.Visit) int {
				select {
				case <-free:
				case <-ctx.Done():
				}
				return http.StatusNoContent
			},
		})
	}
	s := newSite(t, 1, all, "--endpoint-timeout", "5s", "--retry-schedule", strings.Repeat("2s,", 30)+"2s")
	node := s.start(t, s.nodes[0])
	s.Furnish(t, node)
	began := time.Now()
	for app := 1; app <= appsOfHanging; app++ {
		i := rig.Item{Mark: fmt.Sprintf("hanging-%d", app), App: app, Kind: rig.Kinds[0]}
		if o := s.Publish(t.Context(), node.Door(), i); o != rig.Accepted {
			t.Fatalf("a message for hanging endpoints was not accepted:\n%s", node.Log)
		}
	}
	late := s.publishGood(t, node, began.Add(scale(30*time.Second, 12*time.Second)))
	memory := peakMemory(t, node)
	close(free)
	released := time.Now()
	s.Ledger.Trouble(rig.Trouble{From: released, To: time.Now(), Reason: "answered as the sender gave up"})
	took := s.recovered(t, s.Ledger.Pending(), released, 30*time.Second)
	slices.Sort(late)
	p50, p99 := late[len(late)/2], late[len(late)*99/100]
	t.Logf("%d endpoints hang: the good one got %d messages, median %s, p99 %s, slowest %s after their acceptance began; the node's memory peaked at %d MiB",
		hanging, len(late), p50.Round(time.Millisecond), p99.Round(time.Millisecond), late[len(late)-1].Round(time.Millisecond), memory>>20)
	if p99 > goodWithin {
		t.Errorf("p99 of the good endpoint is %s, want at most %s", p99, goodWithin)
	}
	if memory > memoryWithin {
		t.Errorf("the node's memory peaked at %d MiB, want at most %d", memory>>20, memoryWithin>>20)
	}
	s.finish(t, fmt.Sprintf("%d hanging endpoints (a good one: p99 %s; memory %d MiB)", hanging, p99.Round(time.Millisecond), memory>>20), took)
}

// publishGood publishes to the endpoint that works and gives how long each message
// took from the request to the webhook.
func (s *site) publishGood(t *testing.T, node *rig.Server, until time.Time) (took []time.Duration) {
	t.Helper()
	began := map[rig.Parcel]time.Time{}
	for serial := 0; time.Now().Before(until); serial++ {
		i := rig.Item{Mark: "good-" + strconv.Itoa(serial), Kind: rig.Kinds[0]}
		p := rig.Parcel{Target: 0, Mark: i.Mark}
		began[p] = time.Now()
		if o := s.Publish(t.Context(), node.Door(), i); o != rig.Accepted {
			t.Fatalf("a message for the good endpoint was not accepted:\n%s", node.Log)
		}
		wait(t, 25*time.Millisecond)
	}
	parcels := make([]rig.Parcel, 0, len(began))
	for p := range began {
		parcels = append(parcels, p)
	}
	s.Ledger.Arrived(parcels, drainWithin)
	for p, at := range began {
		got, _ := s.Ledger.Receipts(p)
		if len(got) == 0 {
			t.Errorf("%s did not arrive while the others hang", p.Mark)
			continue
		}
		took = append(took, got[0].Began.Sub(at))
	}
	return took
}

// peakMemory is the most physical memory that a process has had, in bytes.
func peakMemory(t *testing.T, node *rig.Server) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", node.Pid()))
	rig.Check(t, err)
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			rig.Check(t, err)
			return kib << 10
		}
	}
	t.Fatal("the system does not tell the memory of a process")
	return 0
}
