package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// building is the ending of a file that is not whole yet.
const building = ".new"

// Build makes a database at path out of one piece: fill puts everything in, in a
// file beside it that takes the place when fill has succeeded and all of it is on
// disk. After an error, or a crash, there is at path what was there before. A
// database that holds something is not replaced: the error is hook.ErrNotEmpty.
func Build(ctx context.Context, path string, opts Options, fill func(*Store) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the database: %w", err)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := refuseFull(ctx, path); err != nil {
		return err
	}
	scratch := path + building
	if err := removeDatabase(scratch); err != nil { // of a build that was killed
		return err
	}
	defer func() { err = errors.Join(err, removeDatabase(scratch)) }()
	opts.Unsafe = true // it is flushed as a whole below
	s, err := Open(ctx, scratch, opts)
	if err != nil {
		return err
	}
	// The last connection that closes moves the log into the file and removes it.
	if err := errors.Join(fill(s), s.Close()); err != nil {
		return err
	}
	return bringIn(scratch, path)
}

// refuseFull accepts no file, an empty one, and a database without contents.
func refuseFull(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0:
		return nil
	case err != nil:
		return err
	}
	s, err := OpenSnapshot(ctx, path, false)
	if err != nil {
		return err
	}
	empty, err := s.empty(ctx)
	if err == nil && !empty {
		err = hook.ErrNotEmpty
	}
	return errors.Join(err, s.Close())
}

// bringIn flushes a closed database to disk and gives it its name.
func bringIn(from, to string) error {
	if _, err := os.Stat(from + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s-wal is left: the database is not whole without it", from))
	}
	file, err := os.OpenFile(from, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	// Those of the empty database that was here: they must not be taken for the new one's.
	for _, ending := range []string{"-wal", "-shm"} {
		if err := os.Remove(to + ending); !errors.Is(err, fs.ErrNotExist) && err != nil {
			return err
		}
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// removeDatabase removes a file with all that belongs to it.
func removeDatabase(path string) error {
	var errs []error
	for _, ending := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(path + ending); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
