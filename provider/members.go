package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// members are those of a JSON object whose signature is inside of it.
type members map[string]json.RawMessage

// strictMembers reads one JSON object and nothing after it. Names are exact, and a name
// that is there twice is an error: what is verified and what a reader after us takes
// must be the same.
func strictMembers(raw []byte) (members, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	found := members{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, errors.New("it is no JSON")
		}
		text, _ := name.(string)
		if _, twice := found[text]; twice {
			return nil, fmt.Errorf("it has the member %q twice", text)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errors.New("it is no JSON")
		}
		found[text] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, errors.New("it is no JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its JSON")
	}
	return found, nil
}

// text is the member that is a JSON string; false if it is not there or is none.
func (m members) text(name string) (string, bool) {
	raw := m[name]
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}

// scalar is the member as text: the string, or the number or truth value as written;
// empty for null and for what is not there.
func (m members) scalar(name string) (string, bool) {
	raw := m[name]
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	switch raw[0] {
	case '"':
		return m.text(name)
	case '{', '[':
		return "", false
	}
	return string(raw), true
}
