package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Loaded is a master key that came from a file.
type Loaded struct {
	Key Key
	// Older are further keys of the file, which open but do not seal: the master
	// key is being changed.
	Older []Key
	// Created tells that the file was made now.
	Created bool
	// Note is a warning for the operator's log, or empty.
	Note string
}

// maxKeyFile is more than any master key, with some older ones and white space,
// needs, in bytes.
const maxKeyFile = 4096

// LoadOrCreate reads the master key from the file at path, or makes a new one and
// the file with mode 0600 if there is none. When it returns a new key, the file is on
// disk with its name: no secret can be sealed under a key that a crash takes
// away. Of several processes that start at once, all get the key of one.
//
// The directory must exist. The error is an [*Error] with [KeyFile] or, if the file holds
// something else, [KeyText].
func LoadOrCreate(path string) (Loaded, error) {
	loaded, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return loaded, err
	}
	key := NewKey()
	err = create(path, key)
	if errors.Is(err, fs.ErrExist) {
		// Another process was first; it may not have come to sync the name yet.
		if err := syncDir(filepath.Dir(path)); err != nil {
			return Loaded{}, &Error{Problem: KeyFile, Detail: path, Err: err}
		}
		return Load(path)
	}
	if err != nil {
		return Loaded{}, &Error{Problem: KeyFile, Detail: path, Err: err}
	}
	return Loaded{Key: key, Created: true}, nil
}

// Load reads the master key from the file at path, which must exist. The errors are
// those of [LoadOrCreate].
func Load(path string) (Loaded, error) {
	file, err := os.Open(path)
	if err != nil {
		return Loaded{}, &Error{Problem: KeyFile, Detail: path, Err: err}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Loaded{}, &Error{Problem: KeyFile, Detail: path, Err: err}
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return Loaded{}, &Error{Problem: KeyFile, Detail: path, Err: err}
	}
	keys, err := ParseKeys(string(text))
	if err != nil {
		return Loaded{}, fmt.Errorf("%s: %w", path, err)
	}
	return Loaded{Key: keys[0], Older: keys[1:], Note: modeNote(path, info.Mode())}, nil
}

// Replace makes the file at path hold these keys, the current one first, one a
// line. At every moment, a crash included, the file is there and holds either what
// it held before or all of this. The error is an [*Error] with [KeyFile].
func Replace(path string, current Key, older ...Key) error {
	var lines strings.Builder
	for _, key := range append([]Key{current}, older...) {
		lines.WriteString(key.Reveal() + "\n")
	}
	if err := put(path, lines.String(), os.Rename); err != nil {
		return &Error{Problem: KeyFile, Detail: path, Err: err}
	}
	return nil
}

// modeNote warns instead of refusing: mounted secrets often have a mode that
// the operator cannot choose.
func modeNote(path string, mode fs.FileMode) string {
	// Windows keeps rights elsewhere and always shows 0666.
	if runtime.GOOS == "windows" || mode.Perm()&0o077 == 0 {
		return ""
	}
	return fmt.Sprintf("the master key file %s has mode %04o, so others can reach it: chmod 600 %s", path, mode.Perm(), path)
}

// create makes a file that is not there yet. Whoever comes second gets fs.ErrExist.
func create(path string, key Key) error {
	return put(path, key.Reveal()+"\n", os.Link)
}

// put writes a file beside its place and brings it there, as place does, when it
// is whole: a crash leaves what was there before or all of the text.
func put(path, text string, place func(from, to string) error) (err error) {
	dir := filepath.Dir(path)
	// CreateTemp opens with O_EXCL and mode 0600.
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(file.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err := place(file.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name in the directory survive a power cut.
func syncDir(dir string) error {
	// Windows cannot sync a directory and does not need to.
	if runtime.GOOS == "windows" {
		return nil
	}
	handle, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}
