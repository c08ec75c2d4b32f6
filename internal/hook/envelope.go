package hook

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// envelopeJSON is an Envelope in JSON. A query or a header may have bytes that are
// not UTF-8, which JSON cannot say: then Octets is set, and each character of every
// text stands for the byte of its number.
type envelopeJSON struct {
	Method  string       `json:"method"`
	Path    string       `json:"path,omitempty"`
	Query   string       `json:"query,omitempty"`
	Headers []HeaderLine `json:"headers,omitempty"`
	Forward []string     `json:"forward,omitempty"`
	Octets  bool         `json:"octets,omitempty"`
}

// errOctets says that a text that stands for bytes has another character.
var errOctets = errors.New("the envelope of a request has a character that is no byte")

// MarshalJSON loses no byte, whatever the texts are.
func (e Envelope) MarshalJSON() ([]byte, error) {
	v := envelopeJSON{Method: e.Method, Path: e.Path, Query: e.Query, Headers: e.Headers, Forward: e.Forward}
	_ = v.each(func(s string) (string, error) {
		v.Octets = v.Octets || !utf8.ValidString(s)
		return s, nil
	})
	if v.Octets {
		_ = v.each(func(s string) (string, error) { return fromOctets(s), nil })
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON gives, and nothing that it does not know.
func (e *Envelope) UnmarshalJSON(text []byte) error {
	var v envelopeJSON
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return err
	}
	if v.Octets {
		if err := v.each(toOctets); err != nil {
			return err
		}
	}
	*e = Envelope{Method: v.Method, Path: v.Path, Query: v.Query, Headers: v.Headers, Forward: v.Forward}
	return nil
}

// each puts another text in the place of each. The lists are new ones.
func (v *envelopeJSON) each(change func(string) (string, error)) (err error) {
	to := func(s *string) {
		if err == nil {
			*s, err = change(*s)
		}
	}
	v.Headers, v.Forward = append([]HeaderLine(nil), v.Headers...), append([]string(nil), v.Forward...)
	to(&v.Method)
	to(&v.Path)
	to(&v.Query)
	for i := range v.Headers {
		to(&v.Headers[i][0])
		to(&v.Headers[i][1])
	}
	for i := range v.Forward {
		to(&v.Forward[i])
	}
	return err
}

// fromOctets gives a character for each byte.
func fromOctets(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// toOctets gives a byte for each character.
func toOctets(s string) (string, error) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return "", errOctets
		}
		b = append(b, byte(r))
	}
	return string(b), nil
}
