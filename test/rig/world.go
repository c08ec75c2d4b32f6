package rig

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// World is one database, the servers that run on it, and everything around them.
type World struct {
	Options Options // of every server
	Ledger  *Ledger
	Sink    *Sink
	Apps    []string // ids

	http  *http.Client
	lives int
}

// patience is how long a publisher waits for an answer.
const patience = 10 * time.Second

// NewWorld makes an empty world; no server runs yet.
func NewWorld(t testing.TB, o Options, all []*Target) *World {
	t.Helper()
	l := NewLedger(all)
	h := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(h.CloseIdleConnections)
	return &World{Options: o, Ledger: l, Sink: newSink(t, l), http: h}
}

// Start runs a server until it is ready, and kills it with the test.
func (w *World) Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := w.Launch(t, o)
	Check(t, s.AwaitReady(t.Context()))
	return s
}

// Launch is Start that waits for nothing. The server has a life of its own.
func (w *World) Launch(t testing.TB, o Options) *Server {
	t.Helper()
	w.lives++
	o.Life = w.lives
	s, err := Launch(t.Context(), o)
	Check(t, err)
	t.Cleanup(s.Kill)
	return s
}

// furnishers is how many requests Furnish has under way at a time.
const furnishers = 8

// Furnish makes the applications, event types and endpoints.
func (w *World) Furnish(t testing.TB, s *Server) {
	t.Helper()
	c, err := client.New(s.URL, Key)
	Check(t, err)
	for _, kind := range Kinds {
		_, err := c.CreateEventType(t.Context(), apitype.EventTypeIn{Name: kind})
		Check(t, err)
	}
	for i := range w.Ledger.apps() {
		app, err := c.CreateApplication(t.Context(), apitype.ApplicationIn{Name: fmt.Sprintf("application %d", i)})
		Check(t, err)
		w.Apps = append(w.Apps, app.ID)
	}
	var wg sync.WaitGroup
	failed := make(chan error, furnishers)
	for n := range furnishers {
		wg.Go(func() {
			for i := n; i < len(w.Ledger.Targets); i += furnishers {
				if err := w.furnish(t, c, i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	Check(t, <-failed)
}

// furnish makes one endpoint.
func (w *World) furnish(t testing.TB, c *client.Client, index int) error {
	target := w.Ledger.Targets[index]
	in := target.Filter
	in.URL = w.Sink.url(index)
	ep, err := c.CreateEndpoint(t.Context(), w.Apps[target.App], in)
	if err != nil {
		return err
	}
	secret, err := c.EndpointSecret(t.Context(), w.Apps[target.App], ep.ID)
	if err != nil {
		return err
	}
	target.ID = ep.ID
	target.verify, err = verifyWith(secret.Key)
	return err
}
