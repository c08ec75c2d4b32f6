package api

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	maxChannels  = 10
	maxTags      = 5
	maxPayDays   = 90
	maxPayHours  = 90 * 24
	minDelay     = time.Minute
	maxDelay     = 24 * time.Hour
	jsonContent  = "application/json"
	octetContent = "application/octet-stream"
	maxMediaType = 256
)

// published is one message as it was asked for.
type published struct {
	eventType, eventID string
	channels, tags     []string
	payload            []byte // the exact bytes; a span of the request unless raw
	raw                bool   // payload is the text of rawPayload
	contentType        string
	deliverAt          time.Time
	keepFor            time.Duration // 0: as long as the server keeps payloads
	application        []byte        // span of the member, nil if absent
}

// members of a message that the decoder looks at, in their last occurrence.
type messageSpans struct {
	eventType, eventID, channels, tags, payload, data, days, hours []byte
	deliverAt, params, application                                 []byte
}

func (m *messageSpans) visit(name, value []byte) {
	switch string(name) {
	case "eventType":
		m.eventType = value
	case "eventId":
		m.eventID = value
	case "channels":
		m.channels = value
	case "tags":
		m.tags = value
	case "payload":
		m.payload = value
	case "data":
		m.data = value
	case "payloadRetentionPeriod":
		m.days = value
	case "payloadRetentionHours":
		m.hours = value
	case "deliverAt":
		m.deliverAt = value
	case "transformationsParams":
		m.params = value
	case "application":
		m.application = value
	}
}

// decodeMessage reads a published message in one pass over its bytes. The payload
// stays as it came. Of a member that is there twice, the last counts; names are
// compared exactly; unknown members are ignored.
func decodeMessage(body []byte, now time.Time) (published, error) {
	if err := checkText(body); err != nil {
		return published{}, err
	}
	var m messageSpans
	s := scanner{data: body}
	if err := s.members(m.visit); err != nil {
		return published{}, err
	}
	var p published
	var k checker
	k.readNames(&p, &m)
	k.readPayload(&p, &m)
	k.readTimes(&p, &m, now)
	if m.application != nil && !isNull(m.application) {
		p.application = m.application
	}
	return p, k.err()
}

func (k *checker) decodes(msg, field string) {
	k.fields = append(k.fields, hook.Field{Loc: []string{"body", field}, Msg: msg, Type: typeDecode})
}

func (k *checker) readNames(p *published, m *messageSpans) {
	var isText bool
	switch p.eventType, isText = textOf(m.eventType); {
	case m.eventType == nil:
		k.bad("is missing", "eventType")
	case !isText:
		k.decodes("must be a string", "eventType")
	case !isName(p.eventType):
		k.bad(nameRule, "eventType")
	}
	if m.eventID != nil && !isNull(m.eventID) {
		switch p.eventID, isText = textOf(m.eventID); {
		case !isText:
			k.decodes("must be a string", "eventId")
		case !isName(p.eventID):
			k.bad(nameRule, "eventId")
		case strings.HasPrefix(p.eventID, string(hook.KindMessage)):
			k.bad("must not begin with msg_, as ids do", "eventId")
		}
	}
	if list, given := k.readList(m.channels, "channels"); given {
		p.channels = k.names(list, true, maxChannels, isChannel, channelRule, "channels")
	}
	if list, given := k.readList(m.tags, "tags"); given && len(list) > 0 {
		p.tags = k.names(list, true, maxTags, isTag, tagRule, "tags")
	}
}

// readList reads a list of strings.
func (k *checker) readList(span []byte, field string) (list []string, given bool) {
	if span == nil || isNull(span) {
		return nil, false
	}
	if span[0] != '[' {
		k.decodes("must be a list of strings", field)
		return nil, false
	}
	s := scanner{data: span, pos: 1}
	list = []string{}
	for s.space() != ']' {
		item, _ := s.span(1) // valid: the whole was scanned before
		text, isText := textOf(item)
		if !isText {
			k.decodes("must be a list of strings", field)
			return nil, false
		}
		list = append(list, text)
		s.next(']')
		if s.pos >= len(span) {
			break
		}
	}
	return list, true
}

// readPayload takes the payload's bytes as they are, or the raw text in their place.
func (k *checker) readPayload(p *published, m *messageSpans) {
	field := "payload"
	if p.payload = m.payload; p.payload == nil && m.data != nil {
		p.payload, field = m.data, "data"
	}
	switch {
	case p.payload == nil:
		k.bad("is missing", field)
	case p.payload[0] != '{':
		k.bad("must be a JSON object", field)
	}
	p.contentType = jsonContent
	if m.params == nil || isNull(m.params) {
		return
	}
	var params apitype.TransformationsParams
	if err := decodeObject(m.params, &params, "body", "transformationsParams"); err != nil {
		k.merge(err)
		return
	}
	if text, given := params.RawPayload.Get(); given {
		p.raw, p.payload = true, []byte(text)
	}
	for name, value := range params.Headers.Else(nil) {
		if !strings.EqualFold(name, "content-type") {
			continue
		}
		if !isMediaType(value) {
			k.bad("must be a media type such as text/plain", "transformationsParams", "headers", "content-type")
		}
		p.contentType = value
	}
}

// isMediaType accepts what can stand in a Content-Type header.
func isMediaType(s string) bool {
	if len(s) > maxMediaType || strings.Count(s, "/") < 1 {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// merge takes over the faults of another decoder.
func (k *checker) merge(err error) {
	if e, ok := err.(*hook.Error); ok { //nolint:errorlint // decoders give this type itself
		k.fields = append(k.fields, e.Fields...)
	}
}

func (k *checker) readTimes(p *published, m *messageSpans, now time.Time) {
	days, byDay := k.readCount(m.days, "payloadRetentionPeriod", maxPayDays)
	hours, byHour := k.readCount(m.hours, "payloadRetentionHours", maxPayHours)
	switch {
	case byDay && byHour:
		k.bad("cannot be given together with payloadRetentionPeriod", "payloadRetentionHours")
	case byDay:
		p.keepFor = time.Duration(days) * 24 * time.Hour
	case byHour:
		p.keepFor = time.Duration(hours) * time.Hour
	}
	if m.deliverAt == nil || isNull(m.deliverAt) {
		return
	}
	text, _ := textOf(m.deliverAt)
	at, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil:
		k.decodes("must be a time as in RFC 3339", "deliverAt")
	case at.Before(now.Add(minDelay)) || at.After(now.Add(maxDelay)):
		k.bad("must be 1 minute to 24 hours from now", "deliverAt")
	default:
		p.deliverAt = at.UTC()
	}
}

// readCount reads a whole number from 1 to most.
func (k *checker) readCount(span []byte, field string, most int) (int, bool) {
	if span == nil || isNull(span) {
		return 0, false
	}
	n, err := strconv.Atoi(string(span))
	switch {
	case err != nil && bytes.ContainsAny(span, "\"{[tf.eE"):
		k.decodes("must be a whole number", field)
	case err != nil || n < 1 || n > most:
		k.bad("must be from 1 to "+strconv.Itoa(most), field)
	}
	return n, true
}
