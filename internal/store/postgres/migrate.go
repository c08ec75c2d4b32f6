package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the advisory lock of migrations: the bytes of "grapnel".
const migrationLock = 0x67726170_6e656c

// migrate brings the database to the newest schema. One node does it while the
// others wait: the lock belongs to a transaction, so that it works through a pool
// of connections and ends with its connection. Migrations only go forward.
func migrate(ctx context.Context, cfg *pgx.ConnConfig, direct string) error {
	if direct != "" {
		var err error
		if cfg, err = pgx.ParseConfig(direct); err != nil {
			return fmt.Errorf("the direct address of the database: %w", err)
		}
	}
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	guard, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return &ConnectError{err}
	}
	defer guard.Close(ctx) //nolint:errcheck // it is not needed any more
	return pgx.BeginFunc(ctx, guard, func(tx pgx.Tx) error {
		if err := unhurried(ctx, &conn{tx.Conn()}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return fmt.Errorf("wait for migrations of other nodes: %w", err)
		}
		db := stdlib.OpenDB(*cfg)
		defer db.Close()
		p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return fmt.Errorf("read migrations: %w", err)
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if err := settleIn(ctx, &conn{tx.Conn()}); err != nil {
			return err
		}
		if direct == "" {
			return nil
		}
		return settingsOfRole(ctx, tx)
	})
}

// settingsOfRole ties settings to our role in this database, for
// connections that come through a pool.
func settingsOfRole(ctx context.Context, tx pgx.Tx) error {
	for name, value := range settings {
		if _, err := tx.Exec(ctx, fmt.Sprintf(`DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %%I SET %s = %s', current_database()); END $$`,
			name, value)); err != nil {
			return fmt.Errorf("set %s for this role: %w", name, err)
		}
	}
	return nil
}
