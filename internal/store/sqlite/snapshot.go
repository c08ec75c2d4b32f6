package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Snapshot is a file as it was at one moment, to be read as a whole. A server may
// have the file open and go on writing: SQLite keeps the pages of that moment
// apart. Until Close the write-ahead log cannot begin anew, so it grows with all
// that is written meanwhile.
type Snapshot struct {
	conn *conn
	lock *os.File // nil: others may use the file
}

// OpenSnapshot opens the file at path for reading alone. With alone it refuses a file that a
// server has open, with ErrInUse, and keeps servers away until Close. The schema
// must be the newest; the error is a *hook.SchemaError if it is not, and
// fs.ErrNotExist if there is no file.
func OpenSnapshot(ctx context.Context, path string, alone bool) (_ *Snapshot, err error) {
	s := &Snapshot{}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open database %s: %w", path, err), s.Close())
		}
	}()
	if alone {
		if s.lock, err = lockFile(path + ".lock"); err != nil {
			return nil, err
		}
	}
	s.conn, err = openConn(fileURI(path)+"?mode=ro", "busy_timeout = 5000", "query_only = 1", "temp_store = memory", "cache_size = -16384")
	if err != nil {
		return nil, err
	}
	if _, err := s.conn.exec("BEGIN"); err != nil {
		return nil, err
	}
	have, err := schemaOf(ctx, s.conn) // the first read: it fixes the moment
	if err != nil {
		return nil, err
	}
	newest, err := newestSchema()
	if err == nil && have != newest {
		err = &hook.SchemaError{Have: have, Newest: newest}
	}
	return s, err
}

// Close ends the reading.
func (s *Snapshot) Close() error {
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// empty reports whether nothing was ever put in.
func (s *Snapshot) empty(ctx context.Context) (bool, error) { return isEmpty(ctx, s.conn) }

// Schema gives the version of the schema that the file at path has, 0 for none, and the
// newest one. The error is fs.ErrNotExist if there is no file.
func Schema(ctx context.Context, path string) (have, newest int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	if newest, err = newestSchema(); err != nil || info.Size() == 0 {
		return 0, newest, err
	}
	c, err := openConn(fileURI(path)+"?mode=ro", "busy_timeout = 5000")
	if err != nil {
		return 0, newest, err
	}
	have, err = schemaOf(ctx, c)
	return have, newest, errors.Join(err, c.close())
}

// schemaOf reads what goose has noted.
func schemaOf(ctx context.Context, c *conn) (version int64, err error) {
	read := func(r *row) error {
		version = r.int(0)
		return nil
	}
	migrated, err := c.one(ctx, `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'`, nil, read)
	if err != nil || !migrated {
		return 0, err
	}
	_, err = c.one(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied = 1`, nil, read)
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
