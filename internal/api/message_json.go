package api

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// emptyPayload stands for a payload that an answer does not show.
var emptyPayload = []byte(`{}`)

// appendMessage appends the wire form of a message, apitype.MessageOut, with the
// bytes of payload as they are.
func appendMessage(dst []byte, m *hook.Message, payload []byte) []byte {
	dst = append(dst, '{')
	dst = appendMessageMembers(dst, m, payload)
	return append(dst, '}')
}

// appendMessageMembers appends the members without the braces, so that more can follow.
func appendMessageMembers(dst []byte, m *hook.Message, payload []byte) []byte {
	dst = append(dst, `"id":"`...)
	dst = hook.KindMessage.Append(dst, m.ID)
	dst = append(dst, `","eventId":`...)
	dst = appendTextOrNull(dst, m.EventID)
	dst = append(dst, `,"eventType":`...)
	dst = appendText(dst, m.EventType)
	dst = append(dst, `,"payload":`...)
	dst = append(dst, payload...)
	dst = append(dst, `,"channels":`...)
	dst = appendTexts(dst, m.Channels)
	dst = append(dst, `,"tags":`...)
	dst = appendTexts(dst, m.Tags)
	dst = append(dst, `,"deliverAt":`...)
	if m.DeliverAt.IsZero() {
		dst = append(dst, "null"...)
	} else {
		dst = appendTime(dst, m.DeliverAt)
	}
	dst = append(dst, `,"timestamp":`...)
	return appendTime(dst, m.CreatedAt)
}

// payloadOf is what an answer shows of a stored payload: clients demand a JSON
// object, so a raw body is not shown.
func payloadOf(m *hook.Message, withContent bool) []byte {
	switch {
	case !withContent:
		return emptyPayload
	case m.BodyGone:
		return []byte(`{"expired":true}`)
	}
	if m.ContentType != jsonContent && !isJSON(m.ContentType) {
		return emptyPayload
	}
	s := scanner{data: m.Body}
	if s.members(func(_, _ []byte) {}) != nil || !utf8.Valid(m.Body) {
		return emptyPayload
	}
	return m.Body
}

// isJSON holds for the media types of JSON as received messages have them, with
// parameters or a suffix.
func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == jsonContent || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// appendText appends a JSON string. Names consist of plain characters; anything
// else goes through the encoder.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if alphabet[s[i]] == 0 || s[i] == '\\' {
			quoted, _ := json.Marshal(s) //nolint:errchkjson // a string always encodes
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendTextOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendText(dst, s)
}

func appendTexts(dst []byte, list []string) []byte {
	if list == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, s)
	}
	return append(dst, ']')
}

func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}
