package seal

import "fmt"

// Problem is what is wrong with a key or a sealed secret; decide by it with
// errors.Is.
type Problem uint8

// The closed set of problems.
const (
	// KeyText: the text of a master key is not 32 bytes in base64.
	KeyText Problem = iota + 1
	// KeyFile: the file of the master key cannot be read or made.
	KeyFile
	// NotSealed: the bytes are too short or of an unknown format.
	NotSealed
	// UnknownKey: the secret was sealed under a key that the keyring lacks.
	UnknownKey
	// Tampered: the bytes were changed, or belong to another context.
	Tampered
)

// Problems lists the closed set.
func Problems() []Problem { return []Problem{KeyText, KeyFile, NotSealed, UnknownKey, Tampered} }

// Error names the problem.
func (p Problem) Error() string {
	switch p {
	case KeyText:
		return "the master key is not 32 bytes in base64"
	case KeyFile:
		return "the master key file cannot be used"
	case NotSealed:
		return "this is not a sealed secret"
	case UnknownKey:
		return "the secret was sealed under another master key"
	case Tampered:
		return "the sealed secret was changed or moved"
	}
	return fmt.Sprintf("seal.Problem(%d)", uint8(p))
}

// Hint says what an operator can do about the problem.
func (p Problem) Hint() string {
	switch p {
	case KeyText:
		return "Make one with: head -c 32 /dev/urandom | base64"
	case KeyFile:
		return "Let the server's user read and write the file and its folder, or name another file with --master-key-file."
	case NotSealed, Tampered:
		return "Restore the database from a backup; secrets that stay unreadable must be rotated."
	case UnknownKey:
		return "Start with the master key that this database was used with (--master-key-file, GRAPNEL_MASTER_KEY)."
	}
	return ""
}

// Error is a problem where it was met. It contains no secret.
type Error struct {
	// Problem is the kind of the error.
	Problem Problem
	// Detail says more, such as the path or the id of a key; it may be empty.
	Detail string
	// Err is the cause, or nil.
	Err error
}

// Error says problem, detail and cause.
func (e *Error) Error() string {
	text := "seal: " + e.Problem.Error()
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
