package server

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// What can stand at the path of the database instead of one.
const (
	aDirectory  = "a directory"
	notDatabase = "not a SQLite database"
)

// sqliteHeader begins every SQLite database that is not empty (section 1.3.1 of its
// file format).
var sqliteHeader = []byte("SQLite format 3\x00")

// lookAtDatabase finds a path that cannot be the database before anything is made
// beside it and before a master key is missed there. No file, or an empty one, will
// become a database.
func lookAtDatabase(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &DataFolderError{Path: filepath.Dir(path), Err: err}
	case info.IsDir():
		return &DatabaseFileError{Path: path, What: aDirectory}
	case !info.Mode().IsRegular():
		return &DatabaseFileError{Path: path, What: notDatabase}
	}
	file, err := os.Open(path)
	if err != nil {
		return &DataFolderError{Path: filepath.Dir(path), Err: err}
	}
	defer file.Close()
	header, err := io.ReadAll(io.LimitReader(file, int64(len(sqliteHeader))))
	if err != nil {
		return &DataFolderError{Path: filepath.Dir(path), Err: err}
	}
	if len(header) > 0 && !bytes.Equal(header, sqliteHeader) {
		return &DatabaseFileError{Path: path, What: notDatabase}
	}
	return nil
}
