package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

// Builder is a database that is being filled. Nobody else sees any of it yet.
type Builder struct {
	c    *conn // in the one transaction
	opts Options
}

// Build fills the database at url, which must hold nothing: fill puts everything in,
// and all of it is there when Build has succeeded. After an error, or a crash, there
// is nothing, as before. The errors are hook.ErrNotEmpty, and ErrInUse if a node
// uses the database; none can register meanwhile.
func Build(ctx context.Context, url string, opts Options, fill func(*Builder) error) (err error) {
	opts.setDefaults()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("the address of the database: %w", err)
	}
	if err := migrate(ctx, cfg, ""); err != nil {
		return err
	}
	pg, err := session(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.Close(context.WithoutCancel(ctx))) }()
	return pgx.BeginFunc(ctx, pg, func(tx pgx.Tx) error {
		c := &conn{tx.Conn()}
		if err := keepNodesOut(ctx, c); err != nil {
			return err
		}
		if err := lockEmpty(ctx, c); err != nil {
			return err
		}
		return fill(&Builder{c, opts})
	})
}

// Load implements store.Mover. After an error nothing more can be done.
func (b *Builder) Load(ctx context.Context, next func() (hook.Record, error)) error {
	return load(ctx, b.c, b.opts.PartitionWidth, next)
}

// Dump implements store.Mover. It gives what was put in so far.
func (b *Builder) Dump(ctx context.Context, emit func(hook.Record) error) error {
	if err := unhurried(ctx, b.c, byIndex...); err != nil {
		return err
	}
	return dump(ctx, b.c, emit)
}

// Reseal implements store.Mover.
func (b *Builder) Reseal(ctx context.Context, after hook.ID, limit int, change func(*hook.Endpoint) error) (hook.ID, error) {
	return reseal(ctx, b.c, after, limit, change)
}

// ResealSources implements store.Mover.
func (b *Builder) ResealSources(ctx context.Context, after hook.ID, limit int, change func(*hook.Source) error) (hook.ID, error) {
	return resealSources(ctx, b.c, after, limit, change)
}
