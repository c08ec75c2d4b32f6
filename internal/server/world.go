package server

import (
	"context"
	"net"

	"github.com/grapnelhq/grapnel/internal/store"
)

// World is what a server reaches beyond itself. A nil member is the real thing;
// tests in simulated time put their own in its place.
type World struct {
	// Listen binds an address; nil: of this machine.
	Listen func(ctx context.Context, network, address string) (net.Listener, error)
	// Connect is how deliveries leave, to addresses that the network policy allows;
	// nil: over the network.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)
	// Rand gives the random numbers in [0, 1) of the retries' jitter; nil: math/rand.
	Rand func() float64
	// OpenStore opens the store at an address; nil: store.Open.
	OpenStore func(ctx context.Context, address string, o store.Options) (store.Store, error)
}

func (w *World) setDefaults() {
	if w.Listen == nil {
		var lc net.ListenConfig
		w.Listen = lc.Listen
	}
	if w.OpenStore == nil {
		w.OpenStore = store.Open
	}
}
