package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// conn is a connection, inside a transaction or not. Arguments may be, beside
// what pgx takes, a hook.ID and a time.Time: the zero time is NULL.
type conn struct{ pg *pgx.Conn }

// exec runs a statement and gives the number of rows it changed.
func (c *conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := c.pg.Exec(ctx, query, bind(args)...)
	return tag.RowsAffected(), err
}

// query runs fn for each row. The first error of fn ends it.
func (c *conn) query(ctx context.Context, query string, args []any, fn func(*row) error) error {
	rows, err := c.pg.Query(ctx, query, bind(args)...)
	if err != nil {
		return err
	}
	return eachRow(rows, fn)
}

// one runs fn for the first row, and reports whether there was one.
func (c *conn) one(ctx context.Context, query string, args []any, fn func(*row) error) (found bool, err error) {
	err = c.query(ctx, query, args, func(r *row) error {
		if found {
			return nil
		}
		found = true
		return fn(r)
	})
	return found, err
}

func eachRow(rows pgx.Rows, fn func(*row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(&row{values: rows.RawValues()}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// bind turns our own types into those of the driver.
func bind(args []any) []any {
	out := args
	copied := false
	for i, a := range args {
		var v any
		switch a := a.(type) {
		case hook.ID:
			v = a[:]
		case time.Time:
			v = micros(a)
		default:
			continue
		}
		if !copied {
			out = append([]any(nil), args...)
			copied = true
		}
		out[i] = v
	}
	return out
}

// micros is a time as it is stored; nil for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// microsPtr is micros for arrays of times.
func microsPtr(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := t.UnixMicro()
	return &us
}

func nullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func nullID(id hook.ID) any {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

// words is a list of words as a parameter; an empty one is NULL.
func words(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// Classes and codes of errors (PostgreSQL documentation, appendix A).
const (
	classConnection   = "08"
	classData         = "22"
	classResources    = "53"
	classIntervention = "57"
	classSystem       = "58"
	codeUnique        = "23505"
	codeNoPartition   = "23514"
	codeReadOnly      = "25006"
	codeIdleEnded     = "25P03"
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeNoUTF8        = "22021"
	codeLockTimeout   = "55P03"
)

// pgCode is the SQLSTATE of an error of the database; empty for others.
func pgCode(err error) string {
	var failed *pgconn.PgError
	if errors.As(err, &failed) {
		return failed.Code
	}
	return ""
}

// metAnother reports whether a transaction was undone because of another one.
func metAnother(err error) bool {
	code := pgCode(err)
	return code == codeSerialization || code == codeDeadlock
}

// isUnique reports whether err is a violated uniqueness, of an index with this name.
func isUnique(err error, index string) bool {
	var failed *pgconn.PgError
	return errors.As(err, &failed) && failed.Code == codeUnique && failed.ConstraintName == index
}

// explain turns an error of the driver into one of the contract.
func (s *Store) explain(err error) error {
	var known *hook.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	code := pgCode(err)
	switch code {
	case "":
		// Not an answer of the database: the connection broke, nobody was there,
		// the time was up, or the store is closed.
		return hook.Unavailable(err)
	case codeNoUTF8:
		return &hook.Error{Code: hook.CodeInvalid, Err: err,
			Fields: []hook.Field{{Loc: []string{"body"}, Msg: "texts must be UTF-8 and must not hold the character U+0000", Type: "value_error"}}}
	}
	switch code[:2] {
	case classConnection, classResources, classIntervention, classSystem:
		return hook.Unavailable(err)
	}
	switch code {
	case codeReadOnly, codeIdleEnded, codeSerialization, codeDeadlock, codeLockTimeout:
		return hook.Unavailable(err)
	}
	return fmt.Errorf("postgres: %w", err)
}

// send runs the statements of a batch in one round trip. Outside of a transaction
// they are one.
func (c *conn) send(ctx context.Context, b *pgx.Batch) error {
	return c.pg.SendBatch(ctx, b).Close()
}

// storable makes a text of foreign bytes one that the database takes: UTF-8
// without U+0000.
func storable(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
