package provider_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

func TestAPathFindsWhatJSONHasThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, path, want string }{
		{`{"id":"a"}`, "id", "a"},
		{"\r\n\t { \"id\" : \"a\" } ", "id", "a"},
		{`{"x":{"id":"no"},"id":7}`, "id", "7"},
		{`{"id":12345678901234567890}`, "id", "12345678901234567890"},
		{`{"id":true}`, "id", "true"},
		{`{"id":null}`, "id", ""},
		{`{"id":{}}`, "id", ""},
		{`{"id":[1]}`, "id", ""},
		{`{"id":[1,"b"]}`, "id.1", "b"},
		{`{"id":[1,"b"]}`, "id.2", ""},
		{`{"id":[1,"b"]}`, "id.-1", ""},
		{`{"id":[1,"b"]}`, "id.x", ""},
		{`{"id":[]}`, "id.0", ""},
		{`{"a":{"b":{"c":"d"}}}`, "a.b.c", "d"},
		{`{"a":"b"}`, "a.b", ""},
		{`{"id":"first","id":"last"}`, "id", "last"},
		{`{"a":{"id":1},"a":{}}`, "a.id", ""},
		{`{"\u0069d":"a"}`, "id", "a"},
		{`{"id":"\u00fc\"}{"}`, "id", `ü"}{`},
		{`{"ID":"a"}`, "id", ""},
		{`{"a":"\"id\":\"no\"","b":"}"}`, "id", ""},
		{`[{"id":"a"}]`, "0.id", "a"},
		{`{}`, "id", ""},
		{``, "id", ""},
		{`"text"`, "id", ""},
		{`{"id"`, "id", ""},
		{`{"id":`, "id", ""},
		{`{"id":"a`, "id", ""},
		{`{"a":[[[`, "id", ""},
		{strings.Repeat("[", 100_000), "id", ""},
		{`{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `,"id":"deep"}`, "id", "deep"},
	} {
		if got := provider.JSONText([]byte(c.body), strings.Split(c.path, ".")); got != c.want {
			t.Errorf("%s in %.80s: %q, want %q", c.path, c.body, got, c.want)
		}
	}
}

func TestAMemberIsSetWithoutTouchingTheOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{`{}`, `{"t":1}`},
		{` { "a" : 1 }`, `{"t":1,"a" : 1 }`},
		{`{"a":1,"t": 0 ,"b":[2]}`, `{"a":1,"t": 1 ,"b":[2]}`},
		{``, `{"t":1}`},
		{`[]`, `{"t":1}`},
	} {
		if got := string(provider.JSONWith([]byte(c.body), "t", "1")); got != c.want {
			t.Errorf("%s became %s, want %s", c.body, got, c.want)
		}
	}
}

// scalar is what encoding/json finds at the path, as text.
func scalar(value any, steps []string) string {
	for _, step := range steps {
		switch container := value.(type) {
		case map[string]any:
			value = container[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(container) {
				return ""
			}
			value = container[i]
		default:
			return ""
		}
	}
	switch scalar := value.(type) {
	case string:
		return scalar
	case json.Number:
		return scalar.String()
	case bool:
		return strconv.FormatBool(scalar)
	}
	return ""
}

func FuzzJSONText(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,"c"]},"a":{"b":[true,null]}}`), "a.b.0")
	f.Add([]byte(`{"\u0061":"\\\"","b":-1.5e3}`), "a")
	f.Add([]byte(`[[[`), "0.0")
	f.Add([]byte(`{"a" :"\ud800"}`), "a")
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		steps := strings.Split(path, ".")
		got := provider.JSONText(body, steps)
		if !json.Valid(body) {
			return // any answer will do that is no panic
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) != nil {
			return
		}
		for _, step := range steps {
			if i, err := strconv.Atoi(step); err == nil && strconv.Itoa(i) != step || strings.ContainsRune(step, '\ufffd') {
				return // other spellings of an index, and what stands for broken letters
			}
		}
		if want := scalar(value, steps); got != want {
			t.Errorf("%q in %q: %q, encoding/json finds %q", path, body, got, want)
		}
	})
}
