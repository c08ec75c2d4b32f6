package move

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
)

// The errors of stores that a caller can do something about.
var (
	// ErrInUse says that a server has the store open.
	ErrInUse = store.ErrInUse
	// ErrNotEmpty says that the store that was to be filled holds something.
	ErrNotEmpty = hook.ErrNotEmpty
)

// SchemaError says that the store has another schema than this program's.
type SchemaError = hook.SchemaError

// Schema is which version of the schema a store has, 0 for none, and which is the newest.
type Schema struct{ Have, Newest int64 }

// SchemaOf looks at the schema of the store at an address and changes nothing.
func SchemaOf(ctx context.Context, address string) (Schema, error) {
	have, newest, err := store.Schema(ctx, address)
	return Schema{have, newest}, err
}

// Migrate brings the store at an address to the newest schema.
func Migrate(ctx context.Context, address string, log *slog.Logger) (before Schema, err error) {
	if before, err = SchemaOf(ctx, address); err != nil {
		return before, err
	}
	s, err := store.Open(ctx, address, store.Options{Logger: log})
	if err != nil {
		return before, err
	}
	return before, s.Close()
}

// Retention says how long what is kept, and Removed what is gone.
type (
	Retention = hook.Retention
	Removed   = hook.Expired
)

// openAsItIs opens a store that exists and has this program's schema: Open alone
// would make it or migrate it, for which nobody has asked.
func openAsItIs(ctx context.Context, address string, o store.Options) (store.Store, error) {
	schema, err := SchemaOf(ctx, address)
	if err != nil {
		return nil, err
	}
	if schema.Have != schema.Newest {
		return nil, &SchemaError{Have: schema.Have, Newest: schema.Newest}
	}
	return store.Open(ctx, address, o)
}

// Collected is what a collection removed.
type Collected struct {
	Removed
	// Before and After are the size of the store in bytes; both 0 if the store gives
	// space back by itself.
	Before, After int64
}

// reclaimer is a store that keeps free space until it is told to give it back.
type reclaimer interface {
	// Size is that of the store, in bytes.
	Size(ctx context.Context) (int64, error)
	Reclaim(ctx context.Context) error
}

// Collect removes now all that retention no longer keeps at the time now, and gives
// the space back. tell follows what was removed so far.
func Collect(ctx context.Context, address string, keep Retention, now time.Time, log *slog.Logger, tell func(Removed)) (out Collected, err error) {
	s, err := openAsItIs(ctx, address, store.Options{Logger: log, Retention: keep})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r, keepsSpace := s.(reclaimer)
	if keepsSpace {
		if out.Before, err = r.Size(ctx); err != nil {
			return out, err
		}
	}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		gone, err := s.Expire(ctx, keep, now)
		if err != nil {
			return out, fmt.Errorf("remove what is no longer kept: %w", err)
		}
		more = gone.More
		out.Messages += gone.Messages
		out.Payloads += gone.Payloads
		out.Attempts += gone.Attempts
		out.Keys += gone.Keys
		out.Unsent += gone.Unsent
		tell(out.Removed)
	}
	if !keepsSpace {
		return out, nil
	}
	if err := r.Reclaim(ctx); err != nil {
		return out, fmt.Errorf("give the space back: %w", err)
	}
	out.After, err = r.Size(ctx)
	return out, err
}
