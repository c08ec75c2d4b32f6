package server

import (
	"fmt"
	"path/filepath"
)

// DatabaseInUseError says that another process has the database open.
type DatabaseInUseError struct{ Path string }

// Error names the database.
func (e *DatabaseInUseError) Error() string {
	return "another process has the database " + e.Path + " open"
}

// DatabaseFileError says that what stands at the path of the database is no
// database.
type DatabaseFileError struct{ Path, What string }

// Error says what it is.
func (e *DatabaseFileError) Error() string { return e.Path + " is " + e.What }

// Hint says what the operator can do.
func (e *DatabaseFileError) Hint() string {
	return "Name the database file with --db, as in --db sqlite:" + e.example() + "; it is made if there is none."
}

func (e *DatabaseFileError) example() string {
	if e.What == aDirectory {
		return filepath.Join(e.Path, "grapnel.db")
	}
	return filepath.Join(filepath.Dir(e.Path), "grapnel.db")
}

// DataFolderError says that the folder of the database, or a file in it, cannot be
// used.
type DataFolderError struct {
	Path string // of the folder
	Err  error
}

// Error names folder and cause.
func (e *DataFolderError) Error() string {
	return "the folder of the database, " + e.Path + ", cannot be used: " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *DataFolderError) Unwrap() error { return e.Err }

// Hint says what the operator can do.
func (e *DataFolderError) Hint() string {
	return "Let the server's user read and write the folder and its files, or choose another place with --db."
}

// ListenError says that an address cannot be listened on.
type ListenError struct {
	Flag, Address string
	Taken         bool // somebody else listens there
	Err           error
}

// Error names flag, address and cause.
func (e *ListenError) Error() string {
	return fmt.Sprintf("cannot listen on %s %s: %s", e.Flag, e.Address, e.Err)
}

// Unwrap gives the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// Hint says what the operator can do.
func (e *ListenError) Hint() string {
	if e.Taken {
		return "Stop what listens there, or choose another port with " + e.Flag + "."
	}
	return "Choose an address of this machine with " + e.Flag + "; ports below 1024 need a privilege."
}

// MasterKeyError says that the key for secrets at rest is missing or wrong.
type MasterKeyError struct{ Path, Database string }

// Error says what is missing.
func (e *MasterKeyError) Error() string {
	return "the database " + e.Database + " exists, but its master key " + e.Path + " does not"
}

// Hint says what the operator can do.
func (e *MasterKeyError) Hint() string {
	return "Restore the file from a backup, or name the key with --master-key-file or GRAPNEL_MASTER_KEY: without it the secrets in the database cannot be read."
}
