package move

import "fmt"

// Problem is what is wrong with a backup or a copy; decide by it with errors.Is.
type Problem uint8

// The closed set of problems.
const (
	// NotABackup: the file is something else.
	NotABackup Problem = iota + 1
	// NewerFormat: a newer version of Grapnel made the backup.
	NewerFormat
	// CutOff: the file ends before the backup does.
	CutOff
	// Damaged: the file is not as it was written.
	Damaged
	// FileExists: there is a file where the backup is to be written.
	FileExists
	// NotAFile: a folder or a device is where the backup is to be written.
	NotAFile
	// Differs: what a store holds after it was filled is not what it was filled with.
	Differs
)

// Problems lists the closed set.
func Problems() []Problem {
	return []Problem{NotABackup, NewerFormat, CutOff, Damaged, FileExists, NotAFile, Differs}
}

// Error names the problem.
func (p Problem) Error() string {
	switch p {
	case NotABackup:
		return "this is not a backup made by Grapnel"
	case NewerFormat:
		return "a newer version of Grapnel made this backup"
	case CutOff:
		return "the backup is cut off"
	case Damaged:
		return "the backup is damaged"
	case FileExists:
		return "the file exists already"
	case NotAFile:
		return "a backup cannot take the place of a folder or a device"
	case Differs:
		return "the copy differs from its source"
	}
	return fmt.Sprintf("move.Problem(%d)", uint8(p))
}

// Hint says what an operator can do about the problem.
func (p Problem) Hint() string {
	switch p {
	case NotABackup:
		return "Name a file that `grapnel admin backup` has made."
	case NewerFormat:
		return "Restore it with that version or a newer one."
	case CutOff:
		return "Fetch the file again, or take another backup: this one was not written or copied to its end."
	case Damaged:
		return "Fetch the file again, or take another backup: this one was changed after it was written."
	case FileExists:
		return "Name another file, or overwrite it with --force."
	case NotAFile:
		return "Name a file, or - to write to stdout."
	case Differs:
		return "Do not use the copy. Try again, and report it: this must not happen."
	}
	return ""
}

// Error is a problem where it was met.
type Error struct {
	// Problem is the kind of the error.
	Problem Problem
	// Detail says more, such as the line; it may be empty.
	Detail string
	// Err is the cause, or nil.
	Err error
}

// Error says problem, detail and cause.
func (e *Error) Error() string {
	text := e.Problem.Error()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Hint says what an operator can do about it.
func (e *Error) Hint() string { return e.Problem.Hint() }

// Unwrap gives the problem and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Problem}
	}
	return []error{e.Problem, e.Err}
}
