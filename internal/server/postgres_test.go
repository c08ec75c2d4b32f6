package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// shared is a PostgreSQL server with a database for each test.
type shared struct{ *testx.PostgreSQL }

// config gives the settings of a node on a database.
func (s *shared) config(t *testing.T, database string, more map[string]string) *config.Config {
	t.Helper()
	flags := map[string]string{
		"listen": "127.0.0.1:0", "db": s.URL(database), "db-connections": "4", "drain-delay": "0s",
		"allow-net": "127.0.0.0/8", "allow-http": "true", "retry-schedule": "1s,1s", "drain-timeout": "5s",
	}
	for name, value := range more {
		flags[name] = value
	}
	cfg, err := config.Load(config.Sources{Flags: flags, Env: []string{
		"GRAPNEL_API_KEY=" + testKey, "GRAPNEL_MASTER_KEY=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// start starts a node whose wall clock is wrong by skew.
func (s *shared) start(t *testing.T, database string, skew time.Duration, more map[string]string) *node {
	t.Helper()
	log := &logs{}
	n := &node{log: log, Server: server.New(server.Options{
		Config: s.config(t, database, more), Version: "test", Log: log, Now: func() time.Time { return time.Now().Add(skew) },
	})}
	if err := n.Start(t.Context()); err != nil {
		t.Error(err)
		return nil
	}
	n.stop = sync.OnceValue(func() error { return n.Stop(context.Background()) })
	t.Cleanup(func() {
		if err := n.stop(); err != nil {
			t.Errorf("stop: %v\n%s", err, log)
		}
	})
	c, err := client.New(n.URL(), testKey, client.WithRetries(0))
	if err != nil {
		t.Error(err)
		return nil
	}
	n.Client = c
	return n
}

func TestNodesOnPostgres(t *testing.T) {
	t.Parallel()
	db, err := testx.StartPostgreSQL()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Stop)
	s := &shared{db}
	for name, test := range map[string]func(t *testing.T, database string){
		"start_together": s.startTogether, "split_duties": s.splitDuties, "wrong_clocks": s.wrongClocks, "changes_count": s.changesCount,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := db.Run(t.Context(), "postgres", "CREATE DATABASE "+name); err != nil {
				t.Fatal(err)
			}
			test(t, name)
		})
	}
}

// startTogether lets nodes begin at the same time on an empty database.
func (s *shared) startTogether(t *testing.T, database string) {
	var all sync.WaitGroup
	nodes := make([]*node, 3)
	for i := range nodes {
		all.Go(func() { nodes[i] = s.start(t, database, 0, nil) })
	}
	all.Wait()
	leaders := 0
	for _, n := range nodes {
		if n == nil {
			t.FailNow()
		}
		if _, err := n.GetOrCreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
			t.Error(err)
		}
		_, _, metrics := get(t, n.URL()+"/metrics", "Authorization", "Bearer "+testKey)
		if strings.Contains(metrics, "\ngrapnel_leader 1\n") {
			leaders++
		}
		if !strings.Contains(metrics, `grapnel_nodes{state="delivering"} 3`) {
			t.Error("the metrics do not count three nodes")
		}
	}
	if leaders != 1 {
		t.Errorf("%d of three nodes lead, want one", leaders)
	}
	if n, err := s.Ask(t.Context(), database, "SELECT count(*) FROM environments"); err != nil || n != "1" {
		t.Errorf("%s environments, %v, want one", n, err)
	}
}

// splitDuties lets one node take events in and another deliver them.
func (s *shared) splitDuties(t *testing.T, database string) {
	url, arrived := answering(t, http.StatusOK)
	front := s.start(t, database, 0, map[string]string{"role": "api"})
	if front == nil {
		t.FailNow()
	}
	front.target(t, url)
	out, err := front.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(`{}`)}, client.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	held := func() string {
		t.Helper()
		explained, err := front.ExplainMessage(t.Context(), "acme", out.ID)
		if err != nil {
			t.Fatal(err)
		}
		return explained.Endpoints[0].HeldReason
	}
	if why := held(); why != "no_node" {
		t.Errorf("without a node that delivers it is held by %q", why)
	}
	back := s.start(t, database, time.Hour, map[string]string{"role": "deliver"})
	if back == nil {
		t.FailNow()
	}
	if h := <-arrived; h.Get("webhook-id") != out.ID {
		t.Errorf("%q arrived, want %q", h.Get("webhook-id"), out.ID)
	}
	if out := front.publish(t, `{}`); out.Deliveries[0].State != apitype.DeliveryDelivered {
		t.Errorf("%+v, want it delivered by the other node", out.Deliveries)
	}
	if why := held(); why != "" {
		t.Errorf("with a node that delivers it is held by %q", why)
	}
}

// wrongClocks lets nodes whose clocks are wrong by an hour work together.
func (s *shared) wrongClocks(t *testing.T, database string) {
	var fail sync.Map // message ids whose first attempt was refused
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, again := fail.LoadOrStore(r.Header.Get("webhook-id"), true); !again {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer receiver.Close()
	began := time.Now()
	slow := s.start(t, database, -time.Hour, nil)
	fast := s.start(t, database, time.Hour, nil)
	if slow == nil || fast == nil {
		t.FailNow()
	}
	slow.target(t, receiver.URL)
	for _, n := range []*node{slow, fast} {
		out := n.publish(t, `{}`)
		for {
			explained, err := n.ExplainMessage(t.Context(), "acme", out.ID)
			if err != nil {
				t.Fatal(err)
			}
			if explained.Endpoints[0].Verdict == apitype.VerdictDelivered {
				break
			}
			if explained.Endpoints[0].Attempts > 2 || time.Since(began) > time.Minute {
				t.Fatalf("%+v, want it delivered by the second attempt a second later", explained.Endpoints)
			}
		}
		if at := out.Timestamp; at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("a message of now has the time %v", at)
		}
	}
}

// changesCount lets one node change what another works with.
func (s *shared) changesCount(t *testing.T, database string) {
	url, arrived := answering(t, http.StatusInternalServerError)
	one, two := s.start(t, database, 0, nil), s.start(t, database, 0, nil)
	if one == nil || two == nil {
		t.FailNow()
	}
	ep := one.target(t, url)
	// The first node opens the circuit; the second one hears of it.
	for range 10 {
		if _, err := one.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(`{}`)}, client.PublishOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		<-arrived
	}
	out, err := two.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(`{}`)}, client.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; {
		explained, err := two.ExplainMessage(t.Context(), "acme", out.ID)
		if err != nil {
			t.Fatal(err)
		}
		if explained.Endpoints[0].HeldReason == "circuit_open" {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the second node does not hold the endpoint: %+v", explained.Endpoints)
		}
	}
	if _, err := one.PatchEndpoint(t.Context(), "acme", ep.ID, apitype.EndpointPatch{Disabled: apitype.Some(true)}); err != nil {
		t.Fatal(err)
	}
	later, err := two.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(`{}`)}, client.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	explained, err := two.ExplainMessage(t.Context(), "acme", later.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := explained.Endpoints[0].Verdict; got != apitype.VerdictCanceled {
		t.Errorf("an event at the other node after the disable is %s, want canceled", got)
	}
}
