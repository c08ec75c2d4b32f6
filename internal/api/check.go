package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// The rules for names, as they are told to callers.
const (
	nameRule    = "must be 1 to 256 letters, digits or - _ ."
	channelRule = "must be 1 to 128 letters, digits or - _ . : +"
	tagRule     = `must be 1 to 128 letters, digits or - _ . / \ #`

	maxName     = 256
	maxLabel    = 128
	maxMetadata = 4096 // bytes, as JSON
)

// Classes of characters, one bit each.
const (
	inName = 1 << iota
	inChannel
	inTag
)

var alphabet = func() (t [256]uint8) {
	for c := range t {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.", byte(c)) >= 0 {
			t[c] = inName | inChannel | inTag
		}
	}
	for _, c := range []byte(":+") {
		t[c] |= inChannel
	}
	for _, c := range []byte(`/\#`) {
		t[c] |= inTag
	}
	return t
}()

func consistsOf(s string, class uint8, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if alphabet[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// isName holds for uids, event ids and names of event types.
func isName(s string) bool    { return consistsOf(s, inName, maxName) }
func isChannel(s string) bool { return consistsOf(s, inChannel, maxLabel) }
func isTag(s string) bool     { return consistsOf(s, inTag, maxLabel) }

// parseRef reads a path segment that names an object by its id or uid.
func parseRef(kind hook.Kind, segment, name string) (hook.Ref, error) {
	ref := kind.ParseRef(segment)
	switch {
	case !ref.ID.IsZero():
	case strings.HasPrefix(segment, string(kind)):
		return hook.Ref{}, hook.Invalid("is not a valid id", "path", name+"_id")
	case !isName(segment):
		return hook.Ref{}, hook.Invalid(nameRule, "path", name+"_id")
	}
	return ref, nil
}

// checker gathers what is wrong with a body.
type checker struct {
	fields []hook.Field
	hint   string // what to do about it; empty: that of the code
}

func (k *checker) err() error {
	if len(k.fields) == 0 {
		return nil
	}
	return &hook.Error{Code: hook.CodeInvalid, Fields: k.fields, Hint: k.hint}
}

// bad notes one fault of the member at the path below the body.
func (k *checker) bad(msg string, path ...string) {
	k.fields = append(k.fields, hook.Field{Loc: append([]string{"body"}, path...), Msg: msg, Type: typeValue})
}

// uid checks a uid given for a new name of an object of this kind.
func (k *checker) uid(o apitype.Optional[string], kind hook.Kind) string {
	uid, given := o.Get()
	switch {
	case !given:
	case !isName(uid):
		k.bad(nameRule, "uid")
	case strings.HasPrefix(uid, string(kind)):
		k.bad("must not begin with "+string(kind)+", as ids do", "uid")
	case kind == hook.KindApplication && !hook.KindSource.ParseRef(uid).ID.IsZero():
		k.bad("must not be an id of a source", "uid")
	case uid == "." || uid == "..":
		k.bad("must not be a dot or two, which cannot stand in a path", "uid")
	}
	return uid
}

// rate checks a rate under its newer and older name; 0: no limit.
func (k *checker) rate(newer, older apitype.Optional[uint16]) int {
	o, name := newer.Or(older), "throttleRate"
	if newer.IsZero() {
		name = "rateLimit"
	}
	rate, given := o.Get()
	if given && rate < 1 {
		k.bad("must be at least 1, or null for no limit", name)
	}
	return int(rate)
}

// metadata checks free text by name.
func (k *checker) metadata(m map[string]string) map[string]string {
	if text, err := json.Marshal(m); err != nil || len(text) > maxMetadata {
		k.bad("must not be longer than 4096 bytes as JSON", "metadata")
	}
	return m
}

// description refuses control characters that no text needs.
func (k *checker) description(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r <= 8 }) >= 0 {
		k.bad("must not contain control characters", "description")
	}
	return s
}

// notNull refuses null for a member that has no null.
func notNull[T any](k *checker, o apitype.Optional[T], name string) (value T, given bool) {
	if o.IsNull() {
		k.bad("must not be null", name)
	}
	return o.Get()
}

// names checks a list of names or labels. Nil stays nil; an empty list is refused,
// because it would mean "none" in some places and "all" in others.
func (k *checker) names(list []string, given bool, most int, valid func(string) bool, rule, field string) []string {
	if !given {
		return nil
	}
	switch {
	case len(list) == 0:
		k.bad("must not be empty; leave it out or say null for all", field)
	case most > 0 && len(list) > most:
		k.bad("must have at most "+strconv.Itoa(most)+" items", field)
	default:
		k.labels(list, valid, rule, field)
	}
	return list
}

func (k *checker) labels(list []string, valid func(string) bool, rule, field string) {
	for i, item := range list {
		at := "[" + strconv.Itoa(i) + "]"
		if !valid(item) {
			k.bad(rule, field, at)
		} else if slices.Contains(list[:i], item) {
			k.bad("is named twice", field, at)
		}
	}
}

// displayName checks a name for people.
func (k *checker) displayName(name string) string {
	if strings.TrimSpace(name) == "" {
		k.bad("must not be empty", "name")
	} else if utf8.RuneCountInString(name) > maxDisplayName {
		k.bad("must not be longer than 256 characters", "name")
	}
	return name
}

const maxDisplayName = 256
