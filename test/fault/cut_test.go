//go:build fault

package fault_test

import (
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/test/rig"
)

// slack is how much later than it was sent a webhook is seen, on a busy machine.
const slack = 300 * time.Millisecond

// What a node does that cannot reach the database while another one can. Packets that
// vanish and connections that are reset are two faults: of the first nobody is told.
func TestNodeCutOffFromTheDatabaseIsReplacedAndReturns(t *testing.T) {
	for name, cut := range map[string]func(*proxy){
		"packets lost":      (*proxy).blackhole,
		"connections reset": (*proxy).resetAll,
	} {
		t.Run(name, func(t *testing.T) { cutOff(t, name, cut) })
	}
}

func cutOff(t *testing.T, name string, cut func(*proxy)) {
	s := newSite(t, 2, rig.Targets(), "--endpoint-timeout", "5s")
	p := newProxy(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(s.db.Port)))
	one := s.nodes[1]
	one.options.DB = s.db.URLBy(p.Port, database)
	s.open(t)
	s.flow(t, 500)
	life := one.now().Life

	cut(p)
	at := time.Now()
	wait(t, slack) // what was accepted just before is in the books by then
	pending := s.Ledger.Pending()
	answers := s.askAll(t, one, at.Add(scale(30*time.Second, 2*lease())))
	healed := time.Now()
	s.Ledger.Trouble(rig.Trouble{Life: life, From: at, To: healed, Reason: "lease lost while cut off"})
	p.heal()

	took := s.recovered(t, pending, at, lease()+recoveryGrace)
	silent := at.Add(lease() * 4 / 5)
	for _, sent := range s.Ledger.Sent(life, silent.Add(slack), healed) {
		if sent.Signed.After(silent) {
			t.Errorf("the node that was cut off sent %s %s after 0.8 of its lease", sent.Mark, sent.Began.Sub(silent))
		}
	}
	for status, n := range answers {
		if status != http.StatusServiceUnavailable && status != http.StatusGatewayTimeout {
			t.Errorf("the node that was cut off answered %d requests with %d", n, status)
		}
	}
	if n := answers[http.StatusServiceUnavailable]; n == 0 {
		t.Errorf("the node that was cut off never answered 503, but %v (status: times)", answers)
	}
	s.returns(t, one, healed)
	s.finish(t, "one node cut off for "+healed.Sub(at).Round(time.Second).String()+", "+name, took)
}

// askAll publishes to a node that cannot store anything, until that time, and counts
// the answers by status; 0: none came. /readyz must say no.
func (s *site) askAll(t *testing.T, n *node, until time.Time) map[int]int {
	t.Helper()
	h := &http.Client{Timeout: readyWithin}
	defer h.CloseIdleConnections()
	answers := map[int]int{}
	for serial := 0; time.Now().Before(until); serial++ {
		i := rig.Item{Mark: "cut-off-" + strconv.Itoa(serial), Kind: rig.Kinds[0]}
		a, err := rig.Post(t.Context(), h, n.now().URL+"/api/v1/app/"+s.Apps[0]+"/msg", rig.Key, "", rig.WireOf(i))
		if err != nil {
			a.Status = 0
		}
		answers[a.Status]++
		o := rig.Refused
		if a.Status == http.StatusGatewayTimeout { // only what was under way at the cut
			o = rig.Unknown
		}
		s.Ledger.Published(i, o, "")
		if isReady(t.Context(), n.now()) {
			t.Error("a node that is cut off says that it is ready")
		}
		wait(t, 200*time.Millisecond)
	}
	return answers
}

// returns waits until a node is ready again and delivers.
func (s *site) returns(t *testing.T, n *node, since time.Time) {
	t.Helper()
	if err := n.now().AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	ready := time.Since(since)
	for sent := 0; sent == 0; sent = len(s.Ledger.Sent(n.now().Life, since, time.Now())) {
		s.flow(t, 100)
		if time.Since(since) > lease()+readyWithin {
			t.Fatalf("the node that came back delivers nothing:%s", s.logs())
		}
	}
	t.Logf("the node was ready again after %s and delivered after %s",
		ready.Round(time.Millisecond), time.Since(since).Round(time.Millisecond))
	if ready > lease()+recoveryGrace {
		t.Errorf("the node was ready again only after %s", ready)
	}
}
