//go:build fault

package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/test/rig"
)

const (
	database = "fault"
	// drainWithin is how long everything that is left may take when nothing is
	// broken any more.
	drainWithin = 60 * time.Second
	// commitWithin is how long a database may take that all load of a small machine
	// goes through. The table tells how long it was.
	commitWithin = 3 * time.Second
	// readyWithin is how long a node may take until it is ready.
	readyWithin = 20 * time.Second
)

// site is one database with nodes on it.
type site struct {
	*rig.World
	db    *testx.PostgreSQL
	nodes []*node
}

// node is one place of a site: its servers run one after the other at one address.
type node struct {
	options rig.Options
	server  atomic.Pointer[rig.Server] // the last one
}

func (n *node) now() *rig.Server { return n.server.Load() }

// newSite makes a database server of its own and places for so many nodes; none
// runs yet.
func newSite(t *testing.T, nodes int, all []*rig.Target, flags ...string) *site {
	t.Helper()
	db, err := testx.StartPostgreSQL()
	rig.Check(t, err)
	return newSiteOn(t, db, nodes, all, flags...)
}

func newSiteOn(t *testing.T, db *testx.PostgreSQL, nodes int, all []*rig.Target, flags ...string) *site {
	t.Helper()
	t.Cleanup(db.Stop)
	rig.Check(t, db.Run(t.Context(), "postgres", "CREATE DATABASE "+database))
	s := &site{db: db, World: rig.NewWorld(t, rig.Options{
		Binary: binary, DB: db.URL(database),
		Flags: append([]string{
			"--log-level", "warn", "--retry-schedule", "100ms,200ms,200ms,200ms,200ms,200ms",
			"--node-lease", lease().String(), "--heartbeat", heartbeat().String(),
		}, flags...),
	}, all)}
	s.Ledger.CommitWithin = commitWithin
	for range nodes {
		address, err := rig.FreeAddress()
		rig.Check(t, err)
		o := s.Options
		o.Listen = address
		s.nodes = append(s.nodes, &node{options: o})
	}
	return s
}

// start starts a server in a place and waits until it is ready.
func (s *site) start(t *testing.T, n *node) *rig.Server {
	t.Helper()
	server := s.Start(t, n.options)
	n.server.Store(server)
	return server
}

// open starts all nodes, furnishes the database and begins the load: each node gets
// messages as long as its /readyz says that it takes some.
func (s *site) open(t *testing.T) {
	t.Helper()
	for _, n := range s.nodes {
		s.start(t, n)
	}
	s.Furnish(t, s.nodes[0].now())
	s.follow(t)
	s.Load(t)
}

// followEvery is how often a load balancer looks at /readyz, and followTimeout how
// long it waits for the answer.
const (
	followEvery   = 50 * time.Millisecond
	followTimeout = time.Second
)

// follow opens and shuts the doors of the nodes as their /readyz says, as a load
// balancer does, until the test ends.
func (s *site) follow(t *testing.T) {
	t.Helper()
	done := make(chan struct{}, len(s.nodes))
	for _, n := range s.nodes {
		go func() {
			s.followOne(t.Context(), n)
			done <- struct{}{}
		}()
	}
	t.Cleanup(func() { // the test's context has ended
		for range s.nodes {
			<-done
		}
	})
}

func (s *site) followOne(ctx context.Context, n *node) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		server := n.now()
		if isReady(ctx, server) {
			s.Ledger.Open(server.Door())
		} else {
			s.Ledger.Shut(server.Door())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func isReady(ctx context.Context, server *rig.Server) bool {
	ctx, cancel := context.WithTimeout(ctx, followTimeout)
	defer cancel()
	status, err := server.Status(ctx, "/readyz")
	return err == nil && status == http.StatusOK
}

// kill kills the server of a place and notes that.
func (s *site) kill(n *node) {
	server := n.now()
	s.Ledger.Killed(server.Life, time.Now())
	server.Kill()
	s.Ledger.Shut(server.Door())
}

// flow waits until so many more messages were accepted.
func (s *site) flow(t *testing.T, more int) {
	t.Helper()
	if !s.Ledger.AcceptedAtLeast(s.Ledger.Count()+more, drainWithin) {
		t.Fatalf("the load does not get through:%s", s.logs())
	}
}

// logs are the ends of what the servers wrote, and what the database says of what is
// left.
func (s *site) logs() (text string) {
	for i, n := range s.nodes {
		text += "\n--- node " + strconv.Itoa(i) + "\n" + n.now().Log.String()
	}
	for _, query := range []string{
		`SELECT state, reason, node, epoch, to_timestamp(due / 1e6) AS due, count(*), min(to_timestamp(updated / 1e6)), max(to_timestamp(updated / 1e6))
		  FROM deliveries WHERE state <> 2 GROUP BY 1, 2, 3, 4, 5 LIMIT 20`,
		`SELECT node, count(*), min(to_timestamp(due / 1e6)), max(to_timestamp(due / 1e6)) FROM queue GROUP BY 1`,
		`SELECT id, name, epoch, delivers, started, seen, until, ended, swept, encode(open_from, 'hex') FROM nodes`,
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		said, err := s.db.Ask(ctx, database, query)
		cancel()
		text += fmt.Sprintf("\n--- %s\n%s\n%v", query, said, err)
	}
	return text
}

// recovered waits until parcels that were outstanding when something broke have
// arrived, and gives how long that took since then.
func (s *site) recovered(t *testing.T, parcels []rig.Parcel, since time.Time, limit time.Duration) time.Duration {
	t.Helper()
	if !s.Ledger.Arrived(parcels, drainWithin) {
		t.Fatalf("of %d deliveries that were outstanding some never arrived:%s", len(parcels), s.logs())
	}
	var took time.Duration
	late := map[string]int{}
	for _, p := range parcels {
		got, failed := s.Ledger.Receipts(p)
		if len(got) == 0 {
			continue
		}
		took = max(took, got[0].At.Sub(since))
		if got[0].At.Sub(since) > limit {
			late[fmt.Sprintf("%s from life %d, failed before: %t", s.Ledger.Targets[p.Target].Name, got[0].Life, len(failed) > 0)]++
		}
	}
	if took > limit {
		t.Errorf("the slowest of %d deliveries that were outstanding took %s, want at most %s; late are %v", len(parcels), took, limit, late)
	}
	return took
}

// finish lets everything that is left arrive, stops the nodes and closes the books.
func (s *site) finish(t *testing.T, scenario string, recovered time.Duration) rig.Books {
	t.Helper()
	s.Ledger.End()
	if !s.Ledger.Drained(drainWithin) {
		t.Errorf("%d accepted deliveries did not arrive:%s", len(s.Ledger.Pending()), s.logs())
	}
	s.settled(t)
	for _, n := range s.nodes {
		if err := n.now().Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	b := s.Ledger.Audit(t)
	table.tell(t, scenario, b, recovered)
	if n := len(b.Needless); n > 0 {
		t.Errorf("%d came twice without a reason, such as %q:%s", n, b.Needless[:min(n, 10)], s.logs())
	}
	if b.Accepted == 0 {
		t.Error("a load without accepted messages proves nothing")
	}
	b.AuditDatabase(t, true, func(query string) int { return s.count(t, query) })
	return b
}

// settled waits until the database says that everything is delivered. That is later
// than its arrival if the answer did not reach the sender: then it comes again.
func (s *site) settled(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(drainWithin); time.Now().Before(end); wait(t, 200*time.Millisecond) {
		if s.count(t, "SELECT count(*) FROM deliveries WHERE state <> 2") == 0 {
			return
		}
	}
}

func (s *site) count(t *testing.T, query string) int {
	t.Helper()
	text, err := s.db.Ask(t.Context(), database, query)
	rig.Check(t, err)
	n, err := strconv.Atoi(text)
	rig.Check(t, err)
	return n
}
