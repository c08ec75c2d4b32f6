package testx

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
)

// Copied gives a function that puts a copy of a file at a path where there is none.
// The file is made once, by build: a database whose schema is made anew for each of a
// hundred tests costs more than the tests do.
func Copied(build func(path string) error) func(path string) error {
	content := sync.OnceValues(func() ([]byte, error) {
		folder, err := os.MkdirTemp("", "grapnel-copied-*")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(folder)
		path := filepath.Join(folder, "made")
		if err := build(path); err != nil {
			return nil, err
		}
		return os.ReadFile(path)
	})
	return func(path string) error {
		data, err := content()
		if err != nil {
			return err
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = file.Write(data)
		return errors.Join(err, file.Close())
	}
}
