package store

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// Options adjust the store that Open gives.
type Options struct {
	Logger *slog.Logger // nil: slog.Default()
	// Observe is called after each commit; nil: not.
	Observe func(Commit)

	// For PostgreSQL; a file has no use for them.

	// DirectURL reaches the database without a connection pooler between; empty: the address.
	DirectURL string
	// Connections is the most connections of this process; 0: 8.
	Connections int
	// OnDue is a hint that another node left due work in a lane; nil: nobody is told.
	// It may be called from Open on, from any goroutine, and must not block.
	OnDue func(hook.Lane)
	// Retention is what Expire will be asked to keep.
	Retention hook.Retention

	// Unsafe turns the flush to disk off, for tests in simulated time only.
	Unsafe bool
}

// Commit describes one group commit.
type Commit = sqlite.Commit

// ErrInUse says that another process has the database open.
var ErrInUse = sqlite.ErrInUse

var (
	_ Store = (*sqlite.Store)(nil)
	_ Store = (*postgres.Store)(nil)
)

// Open opens the store at an address: "sqlite:/var/lib/grapnel/grapnel.db" or
// "postgres://user@host/database".
func Open(ctx context.Context, address string, o Options) (Store, error) {
	if IsPostgres(address) {
		return openPostgres(ctx, address, o)
	}
	path, err := sqlitePath(address)
	if err != nil {
		return nil, err
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{Logger: o.Logger, Observe: o.Observe, Unsafe: o.Unsafe})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// IsPostgres reports whether an address is that of a PostgreSQL database.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// shortRetention is the retention below which a partition of a day would keep too
// much beyond it.
const shortRetention = 4 * 24 * time.Hour

// forPostgres are the options of a store in PostgreSQL.
func forPostgres(o Options) postgres.Options {
	p := postgres.Options{
		Logger: o.Logger, Connections: o.Connections,
		DirectURL: o.DirectURL, OnDue: o.OnDue,
	}
	if o.Observe != nil {
		p.Observe = func(c postgres.Commit) { o.Observe(Commit(c)) }
	}
	for _, keep := range []time.Duration{o.Retention.Messages, o.Retention.Attempts} {
		if keep > 0 && keep < shortRetention {
			p.PartitionWidth = time.Hour
		}
	}
	return p
}

func openPostgres(ctx context.Context, address string, o Options) (Store, error) {
	s, err := postgres.Open(ctx, address, forPostgres(o))
	if err != nil {
		return nil, err
	}
	return s, nil
}
