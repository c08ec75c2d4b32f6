//go:build fault

package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

// hangingFor are endpoints that never answer the server of one life.
func hangingFor(endpoints int, life *int) (all []*rig.Target) {
	for i := range endpoints {
		all = append(all, &rig.Target{Name: fmt.Sprintf("hanging %d", i), Wants: rig.Everything, Answer: func(ctx context.Context, v rig.Visit) int {
			if v.Life == *life {
				<-ctx.Done()
			}
			return http.StatusNoContent
		}})
	}
	return all
}

// A node dies with as many deliveries in its hands as a node may well have. They are
// on their way again when its lease has run out.
func TestNodeKilledWithThousandLeasesIsReplacedWithinTheLease(t *testing.T) {
	const perEndpoint = 10
	endpoints, doomed := scale(100, 30), 1
	s := newSite(t, 2, hangingFor(endpoints, &doomed), "--endpoint-timeout", "1m")
	for _, n := range s.nodes {
		s.start(t, n)
	}
	s.Furnish(t, s.nodes[0].now())
	one := s.nodes[0].now()
	for serial := range perEndpoint {
		i := rig.Item{Mark: "leased-" + strconv.Itoa(serial), Kind: rig.Kinds[0]}
		if o := s.Publish(t.Context(), one.Door(), i); o != rig.Accepted {
			t.Fatalf("message %d was not accepted:%s", serial, s.logs())
		}
	}
	want := endpoints * perEndpoint
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	rig.Check(t, rig.Until(ctx, func() error {
		if n := len(s.Ledger.Sent(one.Life, one.Started, time.Now())); n < want {
			return fmt.Errorf("%d of %d deliveries are in flight", n, want)
		}
		return nil
	}))
	pending := s.Ledger.Pending()
	if len(pending) != want {
		t.Errorf("%d deliveries are outstanding, want %d", len(pending), want)
	}
	s.kill(s.nodes[0])
	took := s.recovered(t, pending, time.Now(), lease()+recoveryGrace)
	s.start(t, s.nodes[0])
	s.finish(t, fmt.Sprintf("one of two nodes killed with %d leases", want), took)
}
