package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

// ErrInUse says that a node uses the database.
var ErrInUse = errors.New("a node uses the database")

// ConnectError says that the database could not be reached.
type ConnectError struct{ Err error }

// Error gives the driver's words, which have no password.
func (e *ConnectError) Error() string { return "connect to the database: " + e.Err.Error() }

// Unwrap gives the driver's error.
func (e *ConnectError) Unwrap() error { return e.Err }

// Is reports that a database that is not there is fs.ErrNotExist.
func (e *ConnectError) Is(target error) bool {
	return target == fs.ErrNotExist && pgCode(e.Err) == codeNoDatabase
}

// Codes that a server answers a connection with.
const (
	codeNoDatabase  = "3D000"
	codeBadPassword = "28P01"
	codeBadUser     = "28000"
	codeTooMany     = "53300"
	codeProtocol    = "08P01"
)

// Hint says what the operator can do.
func (e *ConnectError) Hint() string {
	switch pgCode(e.Err) {
	case codeNoDatabase:
		return "Make the database, empty and owned by the user in the address: CREATE DATABASE … OWNER …"
	case codeBadPassword, codeBadUser:
		return "Check user and password in the address of the database, and the server's pg_hba.conf."
	case codeTooMany:
		return "The database has no connection left: raise its max_connections, or lower --db-connections of the nodes."
	case codeProtocol:
		return "A connection pooler such as PgBouncer answers here. A server needs --db-direct, the address of the database itself, beside --db; other commands take that address as --db."
	}
	return "Check that PostgreSQL runs and that --db is its address."
}

// LocksError says that the database has no room for the locks of a transaction
// over many partitions.
type LocksError struct{ Err error }

// Error gives the database's words.
func (e *LocksError) Error() string {
	return "too many partitions for one transaction: " + e.Err.Error()
}

// Unwrap gives the database's error.
func (e *LocksError) Unwrap() error { return e.Err }

// Hint says what the operator can do.
func (e *LocksError) Hint() string {
	return "Raise max_locks_per_transaction of PostgreSQL, to 256 for a year of messages, restart it and try again."
}

// locksOf tells errors for want of locks from others.
func locksOf(err error) error {
	const codeOutOfMemory = "53200"
	if pgCode(err) == codeOutOfMemory {
		return &LocksError{err}
	}
	return err
}

// session is a connection outside of the pool, for what takes longer than any
// operation of a server. Nothing of it outlives a transaction, so a pool between
// us and the database does no harm.
func session(ctx context.Context, url string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the address of the database: %w", err)
	}
	cfg.RuntimeParams["application_name"] = "grapnel admin"
	cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	pg, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, &ConnectError{err}
	}
	return pg, nil
}

// unhurried lets a transaction take its time, whatever the role or the server say,
// and sets how it is planned.
func unhurried(ctx context.Context, c *conn, planning ...string) error {
	for _, setting := range append(planning, "statement_timeout = 0", "idle_in_transaction_session_timeout = 0", "lock_timeout = 0") {
		if _, err := c.exec(ctx, "SET LOCAL "+setting); err != nil {
			return err
		}
	}
	return nil
}

// keepNodesOut lets no node register until the transaction ends. The error is
// ErrInUse if one is there.
func keepNodesOut(ctx context.Context, c *conn) error {
	if _, err := c.exec(ctx, `LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return err
	}
	found, err := exists(ctx, c, `SELECT 1 FROM nodes WHERE ended IS NULL AND until > clock_timestamp() LIMIT 1`)
	if err == nil && found {
		err = ErrInUse
	}
	return err
}

// Schema gives the version of the schema that the database at url has, 0 for none,
// and the newest one.
func Schema(ctx context.Context, url string) (have, newest int64, err error) {
	if newest, err = newestSchema(); err != nil {
		return 0, 0, err
	}
	pg, err := session(ctx, url)
	if err != nil {
		return 0, newest, err
	}
	defer pg.Close(ctx) //nolint:errcheck // it is not needed any more
	have, err = schemaOf(ctx, &conn{pg})
	return have, newest, err
}

// schemaOf reads what goose has noted.
func schemaOf(ctx context.Context, c *conn) (version int64, err error) {
	migrated, err := exists(ctx, c, `SELECT 1 WHERE to_regclass('goose_db_version') IS NOT NULL`)
	if err != nil || !migrated {
		return 0, err
	}
	_, err = c.one(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`, nil, func(r *row) error {
		version = r.int(0)
		return nil
	})
	return version, err
}

// newestSchema is the number of the last migration.
func newestSchema() (newest int64, err error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		number, _, _ := strings.Cut(path.Base(file), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the name of a migration: %w", err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}

// needNewest refuses a database of another schema with a *hook.SchemaError.
func needNewest(ctx context.Context, c *conn) error {
	newest, err := newestSchema()
	if err != nil {
		return err
	}
	have, err := schemaOf(ctx, c)
	if err == nil && have != newest {
		err = &hook.SchemaError{Have: have, Newest: newest}
	}
	return err
}
