package move

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
)

// Comparison is what was taken from a source and what the target holds of it.
type Comparison struct {
	Source, Target Contents
}

// Backup writes a backup of the store at an address to a file, see [WriteFile]; the
// store may be in use.
func Backup(ctx context.Context, address, path string, force bool, h Header, tell Progress) (out Contents, size int64, err error) {
	err = reading(ctx, address, false, func(from Source) error {
		out, size, err = WriteFile(ctx, path, force, h, from, tell)
		return err
	})
	return out, size, err
}

// BackupTo writes a backup of the store at an address, which may be in use.
func BackupTo(ctx context.Context, address string, to io.Writer, h Header, tell Progress) (out Contents, err error) {
	err = reading(ctx, address, false, func(from Source) error {
		out, err = Write(ctx, to, h, from, tell)
		return err
	})
	return out, err
}

func reading(ctx context.Context, address string, alone bool, do func(Source) error) error {
	from, err := store.OpenSource(ctx, address, alone)
	if err != nil {
		return err
	}
	return errors.Join(do(from), from.Close())
}

// Restore makes a store at an address out of a backup. The store is there only if
// the backup was read to its end as it was written, and if what the store then gives
// back has the same counts and checksums. checking follows that.
func Restore(ctx context.Context, from *Reader, address string, log *slog.Logger, checking Progress) (Comparison, error) {
	var c Comparison
	err := store.Build(ctx, address, store.Options{Logger: log}, func(to store.Mover) (err error) {
		if err := to.Load(ctx, from.Next); err != nil {
			return err
		}
		c.Source = from.Contents()
		c.Target, err = compare(ctx, c.Source, to, checking)
		return err
	})
	return c, err
}

// TargetError is an error of the store that is to be filled.
type TargetError struct{ Err error }

// Error is that of Err.
func (e *TargetError) Error() string { return e.Err.Error() }

// Unwrap gives the error itself.
func (e *TargetError) Unwrap() error { return e.Err }

// Copy makes a store out of another one that nobody uses, and compares what both
// hold. The target is there only if they are the same. What goes wrong once the
// source is open is a *TargetError.
func Copy(ctx context.Context, from, to string, log *slog.Logger, copying, checking Progress) (Comparison, error) {
	var c Comparison
	err := reading(ctx, from, true, func(source Source) error {
		if err := store.Build(ctx, to, store.Options{Logger: log}, func(target store.Mover) (err error) {
			m := newMeter(copying)
			next, stop := iter.Pull2(records(ctx, source, m))
			defer stop()
			if err := target.Load(ctx, func() (hook.Record, error) {
				rec, err, ok := next()
				if !ok {
					return nil, io.EOF
				}
				return rec, err
			}); err != nil {
				return err
			}
			c.Source = m.contents()
			c.Target, err = compare(ctx, c.Source, target, checking)
			return err
		}); err != nil {
			return &TargetError{err}
		}
		return nil
	})
	return c, err
}

// errStopped ends a dump that nobody reads on.
var errStopped = errors.New("nobody reads on")

// records gives what a store holds one by one, each counted in. An error is the last.
func records(ctx context.Context, from Source, m *meter) iter.Seq2[hook.Record, error] {
	return func(yield func(hook.Record, error) bool) {
		err := from.Dump(ctx, func(rec hook.Record) error {
			if _, err := m.count(rec); err != nil {
				return err
			}
			if !yield(rec, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// compare reads all that a store holds and holds it against what was put in.
func compare(ctx context.Context, want Contents, in Source, tell Progress) (Contents, error) {
	m := newMeter(tell)
	if err := in.Dump(ctx, func(rec hook.Record) error {
		_, err := m.count(rec)
		return err
	}); err != nil {
		return m.contents(), fmt.Errorf("compare what was stored: %w", err)
	}
	got := m.contents()
	if kind, differs := got.Sums.differing(want.Sums); differs {
		return got, &Error{Problem: Differs, Detail: fmt.Sprintf("records of kind %s: %d were put in, %d are there",
			kind, want.Sums[kind].Count, got.Sums[kind].Count)}
	}
	return got, nil
}
