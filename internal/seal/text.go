package seal

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Mask is what a [Text] prints as.
const Mask = "***"

// Text is a secret that prints as *** through fmt, log/slog, encoding/json and
// everything else that asks it for text, and as nothing when it is empty, so that a
// printed configuration shows what is not set. Only [Text.Reveal] gives the
// secret away.
//
// The zero Text is the empty secret. Texts are compared with [Text.Equal], not
// with ==.
type Text struct {
	// secret is a pointer to a string because fmt prints the unexported fields
	// of foreign structs without asking for methods, and of all it meets there
	// it follows neither functions nor pointers to strings.
	secret *string
}

// NewText hides secret.
func NewText(secret string) Text {
	if secret == "" {
		return Text{}
	}
	return Text{secret: &secret}
}

// Reveal returns the secret. Never log the result.
func (t Text) Reveal() string {
	if t.secret == nil {
		return ""
	}
	return *t.secret
}

// IsZero tells whether the secret is empty; encoders ask it for omitzero.
func (t Text) IsZero() bool { return t.secret == nil }

// Equal compares in time that does not depend on where the secrets differ.
func (t Text) Equal(other Text) bool {
	return subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(other.Reveal())) == 1
}

// String returns *** or nothing.
func (t Text) String() string {
	if t.IsZero() {
		return ""
	}
	return Mask
}

// GoString returns *** or nothing.
func (t Text) GoString() string { return t.String() }

// Format prints *** or nothing for every verb.
func (t Text) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, t.String()) }

// LogValue returns *** or nothing.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText returns *** or nothing; JSON, XML and YAML encoders use it.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// ErrMasked is the error of reading a secret that somebody printed.
var ErrMasked = errors.New("seal: *** is how a secret is printed, not a secret")

// UnmarshalText takes the secret from a configuration or request. It refuses ***
// with [ErrMasked]: that is a printed secret on its way back.
func (t *Text) UnmarshalText(text []byte) error {
	if string(text) == Mask {
		return ErrMasked
	}
	*t = NewText(string(text))
	return nil
}
