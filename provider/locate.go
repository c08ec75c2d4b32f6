package provider

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLocated is the longest id or type of an event in bytes; a longer one is as
// good as none.
const maxLocated = 256

// usable gives the text back if it can be an id or a type, else nothing.
func usable(text string) string {
	if len(text) > maxLocated || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return text
}

// inHeader finds the value of a header that is there once.
func inHeader(name string) locator {
	name = http.CanonicalHeaderKey(name)
	return func(r *Request) string {
		if values := r.Header[name]; len(values) == 1 {
			return values[0]
		}
		return ""
	}
}

// inBody finds a text, number or truth value in a JSON body: member names and
// indexes, joined by dots.
func inBody(path string) locator {
	steps := strings.Split(path, ".")
	return func(r *Request) string { return jsonText(r.Body, steps) }
}

// inForm finds the first value of that name in a body of the form
// application/x-www-form-urlencoded.
func inForm(name string) locator {
	return func(r *Request) string {
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			return ""
		}
		return pairOf(string(r.Body), name)
	}
}

// inQuery finds the first value of that name in the query of the URL.
func inQuery(name string) locator {
	return func(r *Request) string {
		_, query, _ := strings.Cut(r.URL, "?")
		query, _, _ = strings.Cut(query, "#")
		return pairOf(query, name)
	}
}

// pairOf reads one value out of name=value&…, without making a map of all.
func pairOf(text, name string) string {
	for pair := range strings.SplitSeq(text, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if k, err := url.QueryUnescape(k); err != nil || k != name {
			continue
		}
		if v, err := url.QueryUnescape(v); err == nil {
			return v
		}
		return ""
	}
	return ""
}

// firstOf asks one after the other until one finds something.
func firstOf(locators ...locator) locator {
	return func(r *Request) string {
		for _, find := range locators {
			if text := find(r); text != "" {
				return text
			}
		}
		return ""
	}
}

// joined puts what the locators find together with a separator, if all find something.
func joined(separator string, locators ...locator) locator {
	return func(r *Request) string {
		parts := make([]string, 0, len(locators))
		for _, find := range locators {
			text := find(r)
			if text == "" {
				return ""
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, separator)
	}
}

// jsonText is the scalar at the end of the path as text, empty for null, for
// containers and for what is not there.
func jsonText(body []byte, steps []string) string {
	value := jsonAt(body, steps)
	if len(value) == 0 {
		return ""
	}
	switch value[0] {
	case '"':
		text, _ := unquote(value)
		return text
	case '{', '[', 'n':
		return ""
	}
	return string(value)
}

// jsonAt gives the bytes of the value at the end of the path. It reads the body
// once from left to right in constant space, and of several members of one name it
// takes the last, as encoding/json and JSON.parse do. It does not judge whether the
// rest of the body is JSON: for one that is not, the answer may be any part of it.
func jsonAt(body []byte, steps []string) []byte {
	value := bytes.TrimLeft(body, jsonBlanks)
	for _, step := range steps {
		if len(value) == 0 {
			return nil
		}
		switch value[0] {
		case '{':
			value = member(value, step)
		case '[':
			value = element(value, step)
		default:
			return nil
		}
	}
	if n := valueLen(value); n > 0 {
		return value[:n]
	}
	return nil
}

const jsonBlanks = " \t\r\n"

// member gives the bytes from the value of the last member of that name on, nil if
// there is none. object begins with a brace.
func member(object []byte, name string) []byte {
	var found []byte
	rest := bytes.TrimLeft(object[1:], jsonBlanks)
	for len(rest) > 0 && rest[0] == '"' {
		n := stringLen(rest)
		if n == 0 {
			break
		}
		quoted := rest[:n]
		rest = bytes.TrimLeft(rest[n:], jsonBlanks)
		if len(rest) == 0 || rest[0] != ':' {
			break
		}
		rest = bytes.TrimLeft(rest[1:], jsonBlanks)
		if isName(quoted, name) {
			found = rest
		}
		if n = valueLen(rest); n == 0 {
			break
		}
		rest = bytes.TrimLeft(rest[n:], jsonBlanks)
		if len(rest) == 0 || rest[0] != ',' {
			break
		}
		rest = bytes.TrimLeft(rest[1:], jsonBlanks)
	}
	return found
}

// element gives the bytes from the element of that index on. array begins with a
// bracket.
func element(array []byte, index string) []byte {
	left, err := strconv.Atoi(index)
	if err != nil || left < 0 {
		return nil
	}
	rest := bytes.TrimLeft(array[1:], jsonBlanks)
	for ; left > 0; left-- {
		n := valueLen(rest)
		if n == 0 {
			return nil
		}
		rest = bytes.TrimLeft(rest[n:], jsonBlanks)
		if len(rest) == 0 || rest[0] != ',' {
			return nil
		}
		rest = bytes.TrimLeft(rest[1:], jsonBlanks)
	}
	return rest
}

// isName compares a quoted member name with a plain one.
func isName(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == name
	}
	text, ok := unquote(quoted)
	return ok && text == name
}

func unquote(quoted []byte) (text string, ok bool) {
	if bytes.IndexByte(quoted, '\\') < 0 && utf8.Valid(quoted) && len(quoted) >= 2 {
		return string(quoted[1 : len(quoted)-1]), true
	}
	err := json.Unmarshal(quoted, &text)
	return text, err == nil
}

// stringLen is the length of the quoted string that text begins with, 0 if it has
// no end.
func stringLen(text []byte) int {
	for i := 1; i < len(text); {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			return 0
		}
		end := i + n
		escapes := 0
		for end-escapes > i && text[end-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return end + 1
		}
		i = end + 1
	}
	return 0
}

// valueLen is the length of the JSON value that text begins with, 0 if there is
// none or it has no end. It counts brackets and knows strings, no more.
func valueLen(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	switch text[0] {
	case '"':
		return stringLen(text)
	case '{', '[':
		return containerLen(text)
	}
	n := bytes.IndexAny(text, ",]} \t\r\n")
	if n < 0 {
		return len(text)
	}
	return n
}

func containerLen(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			n := stringLen(text[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// jsonWith gives a JSON object in which the member of that name has that value. What
// is no object becomes one.
func jsonWith(body []byte, name, value string) []byte {
	object := bytes.TrimLeft(body, jsonBlanks)
	if len(object) == 0 || object[0] != '{' {
		return []byte(`{"` + name + `":` + value + `}`)
	}
	if old := member(object, name); old != nil {
		at := len(object) - len(old)
		return bytes.Join([][]byte{object[:at], old[valueLen(old):]}, []byte(value))
	}
	rest := bytes.TrimLeft(object[1:], jsonBlanks)
	first := `{"` + name + `":` + value
	if len(rest) > 0 && rest[0] == '"' {
		first += ","
	}
	return append([]byte(first), rest...)
}
