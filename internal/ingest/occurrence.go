package ingest

import (
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// occurrence is one event of a source, whatever brought it.
type occurrence struct {
	message     hook.ID // of the source's own message
	key         string  // what a repetition repeats; empty: each is another
	eventType   string
	contentType string
	now         time.Time
	envelope    *hook.Envelope // nil: nothing was received
	request     *hook.Request  // nil: it is stored already, or there is none
}

// eventsOf makes the message of the source itself, and one for each of its routes.
func eventsOf(s *source, a *arrival, o *occurrence) []hook.NewEvent {
	own := hook.NewEvent{
		Message: hook.Message{
			ID: o.message, App: s.ID, Env: s.Env, EventType: o.eventType, EventID: o.key,
			ContentType: o.contentType, Envelope: o.envelope, Body: a.body, BodySize: len(a.body), CreatedAt: o.now,
		},
		Request: o.request,
	}
	events := append(make([]hook.NewEvent, 0, 1+len(s.Settings.Routes)), own)
	for i := range s.Settings.Routes {
		route := &s.Settings.Routes[i]
		if len(route.Only) > 0 && !slices.Contains(route.Only, o.eventType) {
			continue
		}
		if slices.ContainsFunc(events[1:], func(e hook.NewEvent) bool { return e.App == route.App }) {
			continue // the first route to an application counts
		}
		events = append(events, routed(s, a, o, route))
	}
	return events
}

// routed makes the message of an application. It is like one of the API: our
// signature, and nothing of how the event came.
func routed(s *source, a *arrival, o *occurrence, route *hook.SourceRoute) hook.NewEvent {
	name := a.pick(route.EventType)
	if name == "" {
		name = o.eventType
	}
	e := hook.NewEvent{Message: hook.Message{
		ID: hook.NewID(o.now), App: route.App, Env: s.Env, EventType: nameOf(name),
		ContentType: o.contentType, Body: a.body, BodySize: len(a.body), CreatedAt: o.now,
	}}
	if e.ContentType == "" {
		e.ContentType = defaultContentType
	}
	if o.key != "" {
		e.EventID = hook.KindSource.Format(s.ID) + ":" + o.key
	}
	return e
}

const defaultContentType = "application/json"
