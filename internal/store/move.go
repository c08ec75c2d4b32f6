package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// Mover gives and takes everything that a store holds, in the form that all stores
// have in common, and changes the keys that secrets are sealed with.
type Mover interface {
	// Dump gives everything, as it was at one moment, to emit, which may keep the
	// records. Others read and write meanwhile. An error of emit ends it and is
	// returned.
	Dump(ctx context.Context, emit func(hook.Record) error) error
	// Load fills a store that holds nothing with the records that next gives, up to
	// io.EOF: those of a whole stream, in its order. hook.ErrNotEmpty if it holds
	// something. After another error, also one of next, it holds nothing, as before.
	Load(ctx context.Context, next func() (hook.Record, error)) error
	// Reseal gives change at most limit endpoints, deleted ones too, in the order of
	// their ids after the given one, and stores, all in one transaction, what it
	// makes of SealedHeaders and of the secrets; the revision stays the same. change
	// may be called again for an endpoint, as it was before, if the transaction is
	// done again. It gives the id to go on after; zero: that was the last.
	Reseal(ctx context.Context, after hook.ID, limit int, change func(*hook.Endpoint) error) (hook.ID, error)
	// ResealSources is Reseal for sources: for what change makes of the secrets and of
	// Sealed of the tokens.
	ResealSources(ctx context.Context, after hook.ID, limit int, change func(*hook.Source) error) (hook.ID, error)
}

var (
	_ Mover = (*sqlite.Store)(nil)
	_ Mover = (*postgres.Store)(nil)
	_ Mover = (*postgres.Builder)(nil)
)

// Source is a store that is read as a whole.
type Source interface {
	Dump(ctx context.Context, emit func(hook.Record) error) error
	Close() error
}

// ErrAddress says that an address is that of no store.
var ErrAddress = errors.New("the address of a store is sqlite:PATH or postgres://USER@HOST/DATABASE")

// sqlitePath gives the path of an address.
func sqlitePath(address string) (string, error) {
	path, ok := strings.CutPrefix(address, "sqlite:")
	if !ok || path == "" {
		return "", ErrAddress
	}
	return path, nil
}

// OpenSource opens the store at an address for a Dump alone: a server may use it
// at the same time, unless alone says that none must; then the error is ErrInUse
// if one does. It changes nothing, so the schema must be this program's: else the
// error is a *hook.SchemaError.
func OpenSource(ctx context.Context, address string, alone bool) (Source, error) {
	if IsPostgres(address) {
		s, err := postgres.OpenSource(ctx, address, alone)
		if err != nil {
			return nil, usedByNode(err)
		}
		return s, nil
	}
	path, err := sqlitePath(address)
	if err != nil {
		return nil, err
	}
	s, err := sqlite.OpenSnapshot(ctx, path, alone)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Build makes a store at an address that holds nothing or does not exist: fill
// puts everything in. The store has it all when Build has succeeded, and what it
// had before, which is nothing, after an error. A database of PostgreSQL must exist.
// hook.ErrNotEmpty, ErrInUse.
func Build(ctx context.Context, address string, o Options, fill func(Mover) error) error {
	if IsPostgres(address) {
		return usedByNode(postgres.Build(ctx, address, forPostgres(o), func(b *postgres.Builder) error { return fill(b) }))
	}
	path, err := sqlitePath(address)
	if err != nil {
		return err
	}
	return sqlite.Build(ctx, path, sqlite.Options{Logger: o.Logger, Observe: o.Observe}, func(s *sqlite.Store) error { return fill(s) })
}

// usedByNode makes one error of the two that say the same.
func usedByNode(err error) error {
	if errors.Is(err, postgres.ErrInUse) {
		return fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return err
}

// Schema gives the version of the schema that the store at an address has, 0 for
// none, and the newest one, which Open would bring it to.
func Schema(ctx context.Context, address string) (have, newest int64, err error) {
	if IsPostgres(address) {
		return postgres.Schema(ctx, address)
	}
	path, err := sqlitePath(address)
	if err != nil {
		return 0, 0, err
	}
	return sqlite.Schema(ctx, path)
}
