package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/provider"
)

const (
	maxKey  = 200 // bytes; a longer key is replaced by its hash
	maxType = 256 // bytes
	// namelessType is the type of an event that names none.
	namelessType = "event"
	maxSteps     = 32 // of a path in a JSON body
)

// arrival is what a decision about an event may look at.
type arrival struct {
	header  http.Header
	body    []byte
	verdict provider.Verdict
}

// dedupeKey is what a repeated event repeats; empty: nothing.
func (a *arrival) dedupeKey(d hook.Dedupe) string {
	key := ""
	switch d.By {
	case "":
		key = a.verdict.EventID
	case "header":
		key = a.oneHeader(d.At)
	case "body":
		key = jsonText(a.body, d.At)
	case "hash":
		sum := sha256.Sum256(a.body)
		return hex.EncodeToString(sum[:])
	}
	return bounded(key)
}

// bounded replaces a key that is long, or that no text column takes, by its hash.
func bounded(key string) string {
	if len(key) <= maxKey && utf8.ValidString(key) && !strings.ContainsFunc(key, unicode.IsControl) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// eventType is the kind of the event in the sender's words.
func (a *arrival) eventType(p hook.Pick) string {
	if text := a.pick(p); text != "" {
		return cleanType(text)
	}
	return cleanType(a.verdict.EventType)
}

// pick finds what was chosen; empty: nothing.
func (a *arrival) pick(p hook.Pick) string {
	switch {
	case p.Fixed != "":
		return p.Fixed
	case p.Header != "":
		return a.oneHeader(p.Header)
	case p.Body != "":
		return jsonText(a.body, p.Body)
	}
	return ""
}

// oneHeader gives a value that is there once: of several nobody knows which counts.
func (a *arrival) oneHeader(name string) string {
	if values := a.header.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// cleanType makes a text one that can be an event type of a source.
func cleanType(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) {
			return '.'
		}
		return r
	}, strings.ToValidUTF8(text, "."))
	for len(text) > maxType {
		_, n := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-n]
	}
	if text == "" {
		return namelessType
	}
	return text
}

// nameOf makes an event type one that an application's message can have: every
// character that a name cannot have becomes a dot, and no part is empty.
func nameOf(eventType string) string {
	var b strings.Builder
	for _, r := range eventType {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
		if plain {
			b.WriteRune(r)
		} else if s := b.String(); s != "" && s[len(s)-1] != '.' {
			b.WriteByte('.')
		}
	}
	name := b.String()
	name = strings.Trim(name[:min(len(name), maxType)], ".")
	if name == "" {
		return namelessType
	}
	return name
}

// jsonText finds a text, number or truth value in a JSON body by member names and
// indexes, joined by dots. Of several members of one name the last counts. Numbers
// are given as they are written.
func jsonText(body []byte, path string) string {
	steps := strings.Split(path, ".")
	if len(steps) > maxSteps {
		return ""
	}
	value := json.RawMessage(body)
	for _, step := range steps {
		if value = jsonStep(value, step); value == nil {
			return ""
		}
	}
	var text string
	switch {
	case len(value) == 0 || strings.IndexByte("{[n", value[0]) >= 0:
		return ""
	case value[0] == '"':
		if json.Unmarshal(value, &text) != nil {
			return ""
		}
		return text
	}
	return string(value)
}

// jsonStep gives one member of an object or one element of an array; nil: it is not
// there.
func jsonStep(value json.RawMessage, step string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) == nil {
		return members[step]
	}
	var elements []json.RawMessage
	i, err := strconv.ParseUint(step, 10, 31)
	if err != nil || json.Unmarshal(value, &elements) != nil || i >= uint64(len(elements)) {
		return nil
	}
	return elements[i]
}
