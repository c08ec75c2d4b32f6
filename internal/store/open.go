package store

import (
	"context"
	"errors"
	"strings"

	"github.com/grapnelhq/grapnel/internal/store/sqlite"
)

// Options adjust the store that Open gives.
type Options = sqlite.Options

// Commit describes one group commit, for Options.Observe.
type Commit = sqlite.Commit

// ErrInUse says that another process has the database open.
var ErrInUse = sqlite.ErrInUse

var _ Store = (*sqlite.Store)(nil)

// Open opens the store at an address such as "sqlite:/var/lib/grapnel/grapnel.db".
func Open(ctx context.Context, address string, opts Options) (*sqlite.Store, error) {
	path, ok := strings.CutPrefix(address, "sqlite:")
	if !ok || path == "" {
		return nil, errors.New("the address of a store is sqlite:PATH")
	}
	return sqlite.Open(ctx, path, opts)
}
