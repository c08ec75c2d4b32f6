package search

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Message is a row of the list of messages.
type Message struct {
	*hook.RecentMessage
	// Endpoint is the text of the id of an endpoint at which a delivery of the message is
	// known to fail; empty: that was not asked.
	Endpoint string
	// Known is one more id that a word finds the message by; empty: none.
	Known string
	// Body is the payload; nil: it is gone, or the caller may not see it.
	Body *Document
}

// The words of the state of a message's deliveries.
const (
	StatusDelivered = "delivered"
	StatusPending   = "pending"
	StatusRetrying  = "retrying"
	StatusFailed    = "failed"
	StatusCanceled  = "canceled"
	StatusNone      = "none" // it has no delivery
)

// Messages is the list of messages of an environment.
var Messages = &List[*Message]{
	Name: "messages",
	Fields: []Field[*Message]{
		{Def: Def{Name: "status", Kind: Word, Doc: "Where one of its deliveries stands; none: no endpoint asked for it.", Values: []string{
			StatusFailed, StatusRetrying, StatusPending, StatusDelivered, StatusCanceled, StatusNone,
		}}, Texts: messageStatus},
		{Def: Def{Name: "type", Kind: Text, Exact: true, Doc: "Event type, such as invoice.paid or invoice.*"}, Texts: func(m *Message) []string { return []string{m.Message.EventType} }},
		{Def: Def{Name: "app", Kind: Text, Doc: "Application, by id, uid or name."}, Texts: func(m *Message) []string { return ownerTexts(&m.Owner, false) }},
		{Def: Def{Name: "source", Kind: Text, Doc: "Source that it came in by, by id, uid or name."}, Texts: func(m *Message) []string { return ownerTexts(&m.Owner, true) }},
		{Def: Def{Name: "at", Kind: Time, Doc: "When it was accepted: 2h, 2026-11-01 or 2026-11-01..2026-11-02."}, When: messageAt},
		After("after", messageAt),
		Before("before", messageAt),
		{Def: Def{Name: "body.", Kind: JSON, Doc: "A value in the payload by its path, such as body.amount:>1000", Body: true}, Document: func(m *Message) *Document { return m.Body }},
		bodyText(func(m *Message) *Document { return m.Body }),
		{Def: Def{Name: "tag", Kind: Text, Exact: true, Doc: "Tag."}, Texts: func(m *Message) []string { return m.Message.Tags }},
		{Def: Def{Name: "channel", Kind: Text, Exact: true, Doc: "Channel."}, Texts: func(m *Message) []string { return m.Message.Channels }},
		{Def: Def{Name: "endpoint", Kind: Text, Exact: true, Doc: "Endpoint at which it fails, by id; together with status:failed or status:retrying."}, Texts: func(m *Message) []string { return []string{m.Endpoint} }},
		{Def: Def{Name: "size", Kind: Size, Doc: "Length of the payload, such as >10kB"}, Count: func(m *Message) (int64, bool) { return int64(m.Message.BodySize), true }},
		{Def: Def{Name: "id", Kind: Text, Exact: true, Doc: "Id of the message."}, Texts: func(m *Message) []string { return []string{hook.KindMessage.Format(m.Message.ID)} }},
		{Def: Def{Name: "eventId", Kind: Text, Doc: "The publisher's own id of the event."}, Texts: func(m *Message) []string { return []string{m.Message.EventID} }},
		{Def: Def{Name: "contentType", Kind: Text, Doc: "Media type of the payload."}, Texts: func(m *Message) []string { return []string{m.Message.ContentType} }},
	},
	Word:            messageHas,
	WordsReadBodies: true,
}

func messageAt(m *Message) time.Time { return m.Message.CreatedAt }

func messageStatus(m *Message) []string {
	d := &m.Deliveries
	if d.Total() == 0 {
		return []string{StatusNone}
	}
	var words []string
	for _, one := range []struct {
		count int
		word  string
	}{{d.Delivered, StatusDelivered}, {d.Waiting, StatusPending}, {d.Retrying, StatusRetrying}, {d.Failed, StatusFailed}, {d.Canceled, StatusCanceled}} {
		if one.count > 0 {
			words = append(words, one.word)
		}
	}
	return words
}

func messageHas(m *Message, w Needle) bool {
	o := &m.Owner
	return w.Begins(m.Message.EventType) || w.Equals(hook.KindMessage.Format(m.Message.ID), ownerID(o), m.Message.EventID, m.Known) ||
		w.In(o.Name, o.UID) || m.Body.Contains(w)
}

// bodyText is the field that looks for a part of a payload, whatever it is.
func bodyText[R any](body func(R) *Document) Field[R] {
	return Field[R]{Def: Def{Name: "body", Kind: Text, Doc: "A part of the payload.", Body: true}, Whole: body}
}

func ownerID(o *hook.Owner) string {
	switch {
	case o.ID.IsZero():
		return ""
	case o.Source:
		return hook.KindSource.Format(o.ID)
	}
	return hook.KindApplication.Format(o.ID)
}

// ownerTexts gives what an owner can be called, if it is of that kind.
func ownerTexts(o *hook.Owner, source bool) []string {
	if o.Source != source {
		return nil
	}
	return []string{ownerID(o), o.UID, o.Name}
}
