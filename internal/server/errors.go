package server

import "fmt"

// DatabaseInUseError says that another process has the database open.
type DatabaseInUseError struct{ Path string }

// Error names the database.
func (e *DatabaseInUseError) Error() string {
	return "another process has the database " + e.Path + " open"
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
