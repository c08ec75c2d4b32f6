package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

// Source is a database as it was at one moment, to be read as a whole. Nodes may use
// it and go on; but until Close nothing is cleaned up that was still there at that
// moment, and retention takes no partition away.
type Source struct {
	pg *pgx.Conn // in a transaction
}

// OpenSource connects to the database at url to read it. With alone it refuses one
// that a node uses, with ErrInUse, and lets no node register until Close. The schema
// must be the newest; the error is a *hook.SchemaError if it is not.
func OpenSource(ctx context.Context, url string, alone bool) (*Source, error) {
	pg, err := session(ctx, url)
	if err != nil {
		return nil, err
	}
	s := &Source{pg}
	if err := s.begin(ctx, alone); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// byIndex is how a dump is planned: each slice is read in the order of an index.
var byIndex = []string{
	"enable_seqscan = off", "enable_bitmapscan = off", "enable_sort = off", "enable_mergejoin = off", "enable_nestloop = on", "jit = off",
}

func (s *Source) begin(ctx context.Context, alone bool) error {
	c := &conn{s.pg}
	if err := needNewest(ctx, c); err != nil {
		return err
	}
	if _, err := c.exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
		return err
	}
	if err := unhurried(ctx, c, byIndex...); err != nil {
		return err
	}
	// What is detached, truncated or dropped is gone for those too whose snapshot is
	// older: so all locks come before the snapshot, which the first SELECT takes.
	if _, err := c.exec(ctx, `LOCK TABLE messages, deliveries, attempts, requests IN ACCESS SHARE MODE`); err != nil {
		return locksOf(err)
	}
	if alone {
		if err := keepNodesOut(ctx, c); err != nil {
			return err
		}
	}
	_, err := c.exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, int64(dropLock))
	return err
}

// Dump gives everything; see dump.go.
func (s *Source) Dump(ctx context.Context, emit func(hook.Record) error) error {
	return locksOf(dump(ctx, &conn{s.pg}, emit))
}

// closeWait is how long Close waits for the database.
const closeWait = 5 * time.Second

// Close ends the reading. What it kept others from is free when it returns.
func (s *Source) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	if !s.pg.IsClosed() {
		// A session that only ends keeps its locks for a moment.
		if _, err := s.pg.Exec(ctx, `ROLLBACK`); err != nil {
			return errors.Join(err, s.pg.Close(ctx))
		}
	}
	return s.pg.Close(ctx)
}

// Dump implements store.Mover. It reads on a connection of its own, for as long as
// that takes.
func (s *Store) Dump(ctx context.Context, emit func(hook.Record) error) error {
	source, err := OpenSource(ctx, s.direct, false)
	if err != nil {
		return s.explain(err)
	}
	return errors.Join(source.Dump(ctx, emit), source.Close())
}
