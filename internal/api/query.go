package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// queryReader reads query parameters and gathers what is wrong with them: the
// first value that cannot be read is a 400, invalid ones together are a 422.
type queryReader struct {
	values url.Values
	bad    *hook.Error
	fields []hook.Field
	words  bool // event types are words of providers
}

// params reads the query of the request.
func (c *call) params() *queryReader {
	q := &queryReader{words: c.ofSource}
	if c.query == nil && c.r.URL.RawQuery != "" {
		values, err := url.ParseQuery(c.r.URL.RawQuery)
		if err != nil {
			q.bad = badRequest("The query string cannot be read.")
		}
		c.query = values
	}
	q.values = c.query
	return q
}

// err is nil if every value read so far is fine.
func (q *queryReader) err() error {
	switch {
	case q.bad != nil:
		return q.bad
	case len(q.fields) > 0:
		return &hook.Error{Code: hook.CodeInvalid, Fields: q.fields}
	}
	return nil
}

func (q *queryReader) unreadable(name, want string) {
	if q.bad == nil {
		q.bad = badRequest("The query parameter `" + name + "` is not " + want + ".")
	}
}

func (q *queryReader) invalid(name, msg string) {
	q.fields = append(q.fields, hook.Field{Loc: []string{"query", name}, Msg: msg, Type: typeValue})
}

func (q *queryReader) text(name string) string { return q.values.Get(name) }

func (q *queryReader) integer(name string) (int64, bool) {
	text := q.text(name)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		q.unreadable(name, "a whole number")
		return 0, false
	}
	return n, true
}

func (q *queryReader) boolean(name string, def bool) bool {
	switch q.text(name) {
	case "":
		return def
	case "true":
		return true
	case "false":
		return false
	}
	q.unreadable(name, "true or false")
	return def
}

// time reads an RFC 3339 time; a blank stands for a plus sign that was not
// escaped. Zero if there is none.
func (q *queryReader) time(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	if i := strings.LastIndexByte(text, ' '); i > len("2006-01-02") {
		text = text[:i] + "+" + text[i+1:]
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		q.unreadable(name, "a time as in RFC 3339, such as 2026-11-23T14:00:00Z")
		return time.Time{}
	}
	return t.UTC()
}

// list reads a list given as a comma list, repeated, or as name[] and name[0].
func (q *queryReader) list(name string) []string {
	var keys []string
	for key := range q.values {
		if rest, ok := strings.CutPrefix(key, name); ok && (rest == "" || rest[0] == '[' && strings.HasSuffix(rest, "]")) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var items []string
	for _, key := range keys {
		for _, v := range q.values[key] {
			for item := range strings.SplitSeq(v, ",") {
				if item != "" {
					items = append(items, item)
				}
			}
		}
	}
	return items
}

// filters reads event_types, channel and tag.
func (q *queryReader) filters() (eventTypes []string, channel, tag string) {
	eventTypes, channel, tag = q.list("event_types"), q.text("channel"), q.text("tag")
	for _, name := range eventTypes {
		if !isName(name) && (!q.words || !isWord(name)) {
			q.invalid("event_types", "must be names of event types")
			break
		}
	}
	if channel != "" && !isChannel(channel) {
		q.invalid("channel", channelRule)
	}
	if tag != "" && !isTag(tag) {
		q.invalid("tag", tagRule)
	}
	return eventTypes, channel, tag
}
