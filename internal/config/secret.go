package config

import (
	"fmt"
	"log/slog"
	"strings"
)

// Secret is a text that is never printed: formatting, logging and encoding it
// give stars.
type Secret string

const stars = "***"

// Reveal gives the text itself.
func (s Secret) Reveal() string { return string(s) }

// String gives stars, or nothing for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return stars
}

// Format writes stars whatever the verb, so that %#v and %x give nothing away.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(s.String()))
}

// LogValue gives stars to log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives stars to encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Line is one setting in force.
type Line struct {
	Name   string
	Value  string // secrets and passwords are stars
	Origin Origin // empty: the default
}

// Lines lists the settings in force, in the order of the table.
func (c *Config) Lines() []Line {
	lines := make([]Line, 0, len(settings))
	for _, s := range settings {
		lines = append(lines, Line{Name: s.Name, Value: s.show(c), Origin: c.origins[s.Name]})
	}
	return lines
}

// String gives the settings in force as a YAML file would hold them. It is on the
// value, so that printing a copy gives no secret away either.
func (c Config) String() string {
	var b strings.Builder
	for i, l := range (&c).Lines() {
		fmt.Fprintf(&b, "%s: %s", settings[i].Key(), quote(l.Value))
		if l.Origin != "" {
			fmt.Fprintf(&b, " # %s", l.Origin)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// GoString is String, for %#v would show passwords.
func (c Config) GoString() string { return c.String() }
