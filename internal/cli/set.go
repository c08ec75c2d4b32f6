package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// setPath puts a value at a path such as "customer.name" or "items.0.price" of
// a JSON document. Members keep their order; missing objects are made.
func setPath(doc json.RawMessage, path string, value json.RawMessage) (json.RawMessage, error) {
	if path == "" {
		return value, nil
	}
	name, rest, _ := strings.Cut(path, ".")
	if name == "" {
		return nil, fmt.Errorf("the path %q has an empty part", path)
	}
	doc = bytes.TrimSpace(doc)
	if len(doc) > 0 && doc[0] == '[' {
		return setItem(doc, name, rest, value)
	}
	if len(doc) > 0 && doc[0] != '{' {
		return nil, fmt.Errorf("there is no object for %q", name)
	}
	members, err := membersOf(doc)
	if err != nil {
		return nil, err
	}
	for i := range members {
		if members[i].name == name {
			members[i].value, err = setPath(members[i].value, rest, value)
			return writeMembers(members), err
		}
	}
	inner, err := setPath(nil, rest, value)
	return writeMembers(append(members, member{name, inner})), err
}

func setItem(doc json.RawMessage, index, rest string, value json.RawMessage) (json.RawMessage, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(doc, &items); err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i > len(items) {
		return nil, fmt.Errorf("%q is not a position in a list of %d", index, len(items))
	}
	if i == len(items) {
		items = append(items, nil)
	}
	if items[i], err = setPath(items[i], rest, value); err != nil {
		return nil, err
	}
	return append(append([]byte{'['}, bytes.Join(raw(items), []byte{','})...), ']'), nil
}

func raw(items []json.RawMessage) [][]byte {
	out := make([][]byte, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}

type member struct {
	name  string
	value json.RawMessage
}

// membersOf reads the members of an object in their order; of nothing, none.
func membersOf(doc json.RawMessage) ([]member, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	var members []member
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		m := member{name: name}
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

func writeMembers(members []member) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		_ = writeJSON(&b, m.name, true) // a string can always be written
		b.Truncate(b.Len() - 1)         // the encoder's line end
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// setAll applies "path=value" texts. A value that is JSON is taken as such,
// everything else as a text.
func setAll(doc json.RawMessage, assignments []string) (json.RawMessage, error) {
	for _, a := range assignments {
		path, text, ok := strings.Cut(a, "=")
		if !ok || path == "" {
			return nil, fmt.Errorf("%q is not path=value", a)
		}
		value := json.RawMessage(text)
		if !json.Valid(value) {
			var b bytes.Buffer
			if err := writeJSON(&b, text, true); err != nil {
				return nil, err
			}
			value = bytes.TrimSpace(b.Bytes())
		}
		var err error
		if doc, err = setPath(doc, path, value); err != nil {
			return nil, err
		}
	}
	return doc, nil
}
