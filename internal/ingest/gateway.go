package ingest

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Store is what the gateway asks of the store. See package store for what each
// method promises.
type Store interface {
	FindSource(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Source, error)
	FindSourceByToken(ctx context.Context, hash [32]byte, now time.Time) (hook.Source, error)
	UpdateSource(ctx context.Context, env hook.ID, ref hook.Ref, once *hook.IdempotencyKey, change func(*hook.Source) error) (hook.Source, bool, error)
	DueSources(ctx context.Context, now time.Time, limit int) ([]hook.Source, error)
	RecordRequests(ctx context.Context, bound hook.RequestBound, rs []hook.Request) error
	FindRequest(ctx context.Context, env, source, request hook.ID, withBody bool) (hook.Request, error)
	UpdateRequest(ctx context.Context, env, source, request hook.ID, change func(*hook.Request) error) (hook.Request, error)
}

// Deps is what the gateway needs from the rest of the server. Every field without
// a default in its comment must be set.
type Deps struct {
	Store Store
	// Accept stores events as the engine does it. Results are in the order of the
	// events; an error means that nothing was stored.
	Accept func(ctx context.Context, events []hook.NewEvent) ([]hook.Accepted, error)
	// Now gives the current time, Elapsed a monotonic one.
	Now     func() time.Time
	Elapsed func() time.Duration
	// Seal and Open encrypt and decrypt secrets at rest.
	Seal, Open hook.SealFunc
	// PublicURL gives the address of the server without a slash at its end; told says
	// that the operator has named it. Without a request it is what the server knows
	// of itself.
	PublicURL func(r *http.Request) (base string, told bool)
	// ClientOf gives the address of the client, behind proxies that are trusted.
	ClientOf func(r *http.Request) netip.Addr
	// Fetch gets a certificate, or visits an address that confirms a subscription. It
	// is https only, follows no redirects and is bounded in size and time.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// Nodes says how many nodes share the rate of a source. Default: this one.
	Nodes func() int
	// Leads says that this node does the chores. Default: it does.
	Leads func() bool
	// MaxBody is the longest body, in bytes. Default 1 MiB.
	MaxBody int64
	// BodyTimeout is how long a body may take to arrive. Default 30 s.
	BodyTimeout time.Duration
	// Logger gets internal errors. Default: slog.Default().
	Logger *slog.Logger
	// Observed is told what came of a request, one of Results, and how long it took.
	// Default: nobody is told.
	Observed func(result string, took time.Duration)
	// Dropped is told of requests that the log had no room for. Default: nobody.
	Dropped func(requests int)
}

// Results lists what Deps.Observed is told, each once.
var Results = []string{
	resultAccepted, resultDuplicate, resultHandshake, resultRefused, resultLimited, resultUnknown, resultUnavailable,
}

const (
	resultAccepted    = "accepted"    // it became a message
	resultDuplicate   = "duplicate"   // its event was there already
	resultHandshake   = "handshake"   // part of a subscription
	resultRefused     = "refused"     // not believed or not taken
	resultLimited     = "limited"     // over a rate
	resultUnknown     = "unknown"     // there is no such URL, or it is disabled
	resultUnavailable = "unavailable" // nothing could be stored
)

// Gateway receives. Its methods may be called from many goroutines.
type Gateway struct {
	Deps
	sources  cache
	rates    limiter[hook.ID]      // of sources
	searches limiter[netip.Prefix] // of addresses that ask for unknown URLs
	bodies   budget
	records  recorder
	fetched  fetchCache
}

// New makes a gateway and starts nothing.
func New(d Deps) *Gateway {
	if d.Nodes == nil {
		d.Nodes = func() int { return 1 }
	}
	if d.Leads == nil {
		d.Leads = func() bool { return true }
	}
	if d.MaxBody <= 0 {
		d.MaxBody = 1 << 20
	}
	if d.BodyTimeout <= 0 {
		d.BodyTimeout = 30 * time.Second
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	if d.Observed == nil {
		d.Observed = func(string, time.Duration) {}
	}
	if d.Dropped == nil {
		d.Dropped = func(int) {}
	}
	g := &Gateway{Deps: d, bodies: budget{most: max(minBodies, 8*d.MaxBody)}}
	g.sources.init()
	g.records.init()
	g.fetched.init()
	return g
}

// ForgetSources drops what is remembered of sources, so that a change counts here
// at once. Other nodes see it within sourceAge.
func (g *Gateway) ForgetSources() { g.sources.init() }
