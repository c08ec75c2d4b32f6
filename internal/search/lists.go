package search

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// The words of the state of an endpoint.
const (
	EndpointActive   = "active"
	EndpointFailing  = "failing" // its last attempt failed
	EndpointDisabled = "disabled"
)

// StateOf says in a word how an endpoint is.
func StateOf(e *hook.Endpoint) string {
	switch {
	case e.Disabled:
		return EndpointDisabled
	case !e.FailingSince.IsZero():
		return EndpointFailing
	}
	return EndpointActive
}

// Endpoints is the list of endpoints of all applications and sources, or of one.
var Endpoints = &List[*hook.EndpointOf]{
	Name: "endpoints",
	Fields: []Field[*hook.EndpointOf]{
		{Def: Def{Name: "state", Kind: Word, Doc: "How it is.", Values: []string{EndpointActive, EndpointFailing, EndpointDisabled}}, Texts: func(e *hook.EndpointOf) []string { return []string{StateOf(&e.Endpoint)} }},
		{Def: Def{Name: "reason", Kind: Word, Doc: "Why it is disabled.", Values: []string{hook.DisabledByUser.String(), hook.DisabledByGone.String(), hook.DisabledByFailing.String()}}, Texts: func(e *hook.EndpointOf) []string { return []string{e.Endpoint.DisabledReason.String()} }},
		{Def: Def{Name: "url", Kind: Text, Doc: "Where it sends, such as ~example.com"}, Texts: func(e *hook.EndpointOf) []string { return []string{e.Endpoint.URL} }},
		{Def: Def{Name: "app", Kind: Text, Doc: "Application, by id, uid or name."}, Texts: func(e *hook.EndpointOf) []string { return ownerTexts(&e.Owner, false) }},
		{Def: Def{Name: "source", Kind: Text, Doc: "Source, by id, uid or name."}, Texts: func(e *hook.EndpointOf) []string { return ownerTexts(&e.Owner, true) }},
		{Def: Def{Name: "type", Kind: Text, Exact: true, Doc: "Event type that it asks for by name."}, Texts: func(e *hook.EndpointOf) []string { return e.Endpoint.EventTypes }},
		{Def: Def{Name: "channel", Kind: Text, Doc: "Channel that it asks for."}, Texts: func(e *hook.EndpointOf) []string { return e.Endpoint.Channels }},
		{Def: Def{Name: "description", Kind: Text, Doc: "Free text."}, Texts: func(e *hook.EndpointOf) []string { return []string{e.Endpoint.Description} }},
		{Def: Def{Name: "failingSince", Kind: Time, Doc: "Since when it has had nothing but failures."}, When: func(e *hook.EndpointOf) time.Time { return e.Endpoint.FailingSince }},
		{Def: Def{Name: "disabledAt", Kind: Time, Doc: "Since when it is disabled."}, When: func(e *hook.EndpointOf) time.Time { return e.Endpoint.DisabledAt }},
		{Def: Def{Name: "at", Kind: Time, Doc: "When it was created."}, When: endpointAt},
		After("after", endpointAt),
		Before("before", endpointAt),
		{Def: Def{Name: "rate", Kind: Number, Doc: "Most deliveries a second."}, Count: func(e *hook.EndpointOf) (int64, bool) {
			return int64(e.Endpoint.ThrottleRate), e.Endpoint.ThrottleRate > 0
		}},
		{Def: Def{Name: "id", Kind: Text, Exact: true, Doc: "Id of the endpoint."}, Texts: func(e *hook.EndpointOf) []string { return []string{hook.KindEndpoint.Format(e.Endpoint.ID)} }},
		{Def: Def{Name: "uid", Kind: Text, Doc: "The caller's own id."}, Texts: func(e *hook.EndpointOf) []string { return []string{e.Endpoint.UID} }},
	},
	Word: func(e *hook.EndpointOf, w Needle) bool {
		return w.Equals(hook.KindEndpoint.Format(e.Endpoint.ID), ownerID(&e.Owner)) ||
			w.In(e.Endpoint.URL, e.Endpoint.Description, e.Endpoint.UID, e.Owner.Name, e.Owner.UID) || w.Begins(e.Endpoint.EventTypes...)
	},
}

func endpointAt(e *hook.EndpointOf) time.Time { return e.Endpoint.CreatedAt }

// Issues is the list of issues.
var Issues = &List[*hook.Issue]{
	Name: "issues",
	Fields: []Field[*hook.Issue]{
		{Def: Def{Name: "state", Kind: Word, Doc: "Whether somebody has to look at it.", Values: issueStates()}, Texts: func(i *hook.Issue) []string { return []string{i.State.String()} }},
		{Def: Def{Name: "cause", Kind: Word, Doc: "Why attempts fail.", Values: causes()}, Texts: func(i *hook.Issue) []string { return []string{i.Class.String()} }},
		{Def: Def{Name: "status", Kind: Number, Doc: "HTTP status of the answers; 0: there was none."}, Count: func(i *hook.Issue) (int64, bool) { return int64(i.Status), true }},
		{Def: Def{Name: "healed", Kind: Word, Doc: "Whether the endpoint took a delivery since.", Values: yesNo}, Texts: func(i *hook.Issue) []string { return yes(!i.HealedAt.IsZero()) }},
		{Def: Def{Name: "url", Kind: Text, Doc: "Where the endpoint sends."}, Texts: func(i *hook.Issue) []string { return []string{i.EndpointURL} }},
		{Def: Def{Name: "app", Kind: Text, Doc: "Application, by id, uid or name."}, Texts: func(i *hook.Issue) []string { return ownerTexts(&i.Owner, false) }},
		{Def: Def{Name: "source", Kind: Text, Doc: "Source, by id, uid or name."}, Texts: func(i *hook.Issue) []string { return ownerTexts(&i.Owner, true) }},
		{Def: Def{Name: "endpoint", Kind: Text, Exact: true, Doc: "Endpoint, by id."}, Texts: func(i *hook.Issue) []string { return []string{hook.KindEndpoint.Format(i.Endpoint)} }},
		{Def: Def{Name: "failures", Kind: Number, Doc: "Failed attempts."}, Count: func(i *hook.Issue) (int64, bool) { return i.Attempts, true }},
		{Def: Def{Name: "at", Kind: Time, Doc: "When it was last seen."}, When: issueAt},
		After("after", issueAt),
		Before("before", issueAt),
		{Def: Def{Name: "firstSeen", Kind: Time, Doc: "When it was first seen."}, When: func(i *hook.Issue) time.Time { return i.FirstSeen }},
		{Def: Def{Name: "assignee", Kind: Text, Doc: "Who looks after it."}, Texts: func(i *hook.Issue) []string { return []string{i.Assignee} }},
		{Def: Def{Name: "id", Kind: Text, Exact: true, Doc: "Id of the issue."}, Texts: func(i *hook.Issue) []string { return []string{hook.KindIssue.Format(i.ID)} }},
	},
	Word: func(i *hook.Issue, w Needle) bool {
		return w.Equals(hook.KindIssue.Format(i.ID), hook.KindEndpoint.Format(i.Endpoint), hook.KindMessage.Format(i.Message), ownerID(&i.Owner)) ||
			w.In(i.EndpointURL, i.Owner.Name, i.Owner.UID, i.Note, i.Assignee) || w.Begins(i.Class.String())
	},
}

func issueAt(i *hook.Issue) time.Time { return i.LastSeen }

func issueStates() []string {
	words := make([]string, len(hook.IssueStates))
	for i, s := range hook.IssueStates {
		words[i] = s.String()
	}
	return words
}

// causes are the classes of failures.
func causes() []string {
	var words []string
	for _, c := range hook.Classes {
		if c != hook.Success {
			words = append(words, c.String())
		}
	}
	return words
}

var yesNo = []string{"yes", "no"}

func yes(is bool) []string {
	if is {
		return yesNo[:1]
	}
	return yesNo[1:]
}

// Applications is the list of applications.
var Applications = &List[*hook.ApplicationOf]{
	Name: "applications",
	Fields: []Field[*hook.ApplicationOf]{
		{Def: Def{Name: "name", Kind: Text, Doc: "Name."}, Texts: func(a *hook.ApplicationOf) []string { return []string{a.Application.Name} }},
		{Def: Def{Name: "uid", Kind: Text, Doc: "The caller's own id."}, Texts: func(a *hook.ApplicationOf) []string { return []string{a.Application.UID} }},
		{Def: Def{Name: "id", Kind: Text, Exact: true, Doc: "Id of the application."}, Texts: func(a *hook.ApplicationOf) []string {
			return []string{hook.KindApplication.Format(a.Application.ID)}
		}},
		{Def: Def{Name: "endpoints", Kind: Number, Doc: "How many endpoints it has."}, Count: func(a *hook.ApplicationOf) (int64, bool) { return int64(a.Endpoints), true }},
		{Def: Def{Name: "failing", Kind: Number, Doc: "How many of them fail."}, Count: func(a *hook.ApplicationOf) (int64, bool) { return int64(a.Failing), true }},
		{Def: Def{Name: "disabled", Kind: Number, Doc: "How many of them are disabled."}, Count: func(a *hook.ApplicationOf) (int64, bool) { return int64(a.Disabled), true }},
		{Def: Def{Name: "at", Kind: Time, Doc: "When it was created."}, When: applicationAt},
		After("after", applicationAt),
		Before("before", applicationAt),
	},
	Word: func(a *hook.ApplicationOf, w Needle) bool {
		return w.In(a.Application.Name, a.Application.UID) || w.Equals(hook.KindApplication.Format(a.Application.ID))
	},
}

func applicationAt(a *hook.ApplicationOf) time.Time { return a.Application.CreatedAt }

// Sources is the list of sources.
var Sources = &List[*hook.Source]{
	Name: "sources",
	Fields: []Field[*hook.Source]{
		{Def: Def{Name: "name", Kind: Text, Doc: "Name."}, Texts: func(s *hook.Source) []string { return []string{s.Name} }},
		{Def: Def{Name: "provider", Kind: Text, Doc: "Who sends to it, such as stripe."}, Texts: sourceTypes},
		{Def: Def{Name: "state", Kind: Word, Doc: "Whether it takes requests.", Values: []string{EndpointActive, EndpointDisabled}}, Texts: func(s *hook.Source) []string { return []string{sourceState(s)} }},
		{Def: Def{Name: "uid", Kind: Text, Doc: "The caller's own id."}, Texts: func(s *hook.Source) []string { return []string{s.UID} }},
		{Def: Def{Name: "id", Kind: Text, Exact: true, Doc: "Id of the source."}, Texts: func(s *hook.Source) []string { return []string{hook.KindSource.Format(s.ID)} }},
		{Def: Def{Name: "routes", Kind: Number, Doc: "How many applications get its events."}, Count: func(s *hook.Source) (int64, bool) { return int64(len(s.Settings.Routes)), true }},
		{Def: Def{Name: "at", Kind: Time, Doc: "When it was created."}, When: sourceAt},
		After("after", sourceAt),
		Before("before", sourceAt),
	},
	Word: func(s *hook.Source, w Needle) bool {
		return w.In(s.Name, s.UID) || w.Equals(hook.KindSource.Format(s.ID)) || w.Begins(sourceTypes(s)...)
	},
}

func sourceAt(s *hook.Source) time.Time { return s.CreatedAt }

func sourceState(s *hook.Source) string {
	if s.Disabled {
		return EndpointDisabled
	}
	return EndpointActive
}

// sourceTypes gives the name that its owner gave the sender, and the one that verifies it.
func sourceTypes(s *hook.Source) []string {
	if s.Settings.Alias != "" {
		return []string{s.Settings.Alias, s.Type}
	}
	return []string{s.Type}
}

// EventTypes is the list of event types.
var EventTypes = &List[*hook.EventType]{
	Name: "event-types",
	Fields: []Field[*hook.EventType]{
		{Def: Def{Name: "name", Kind: Text, Doc: "Name, such as invoice.*"}, Texts: func(t *hook.EventType) []string { return []string{t.Name} }},
		{Def: Def{Name: "group", Kind: Text, Doc: "Name of its group."}, Texts: func(t *hook.EventType) []string { return []string{t.GroupName} }},
		{Def: Def{Name: "description", Kind: Text, Doc: "What it is for."}, Texts: func(t *hook.EventType) []string { return []string{t.Description} }},
		{Def: Def{Name: "archived", Kind: Word, Doc: "Whether it is archived.", Values: yesNo}, Texts: func(t *hook.EventType) []string { return yes(t.Archived) }},
		{Def: Def{Name: "deprecated", Kind: Word, Doc: "Whether it is deprecated.", Values: yesNo}, Texts: func(t *hook.EventType) []string { return yes(t.Deprecated) }},
		{Def: Def{Name: "schema", Kind: Word, Doc: "Whether it has a schema.", Values: yesNo}, Texts: func(t *hook.EventType) []string { return yes(len(t.Schemas) > 0) }},
		{Def: Def{Name: "at", Kind: Time, Doc: "When it was created."}, When: eventTypeAt},
		After("after", eventTypeAt),
		Before("before", eventTypeAt),
	},
	Word: func(t *hook.EventType, w Needle) bool { return w.In(t.Name, t.GroupName, t.Description) },
}

func eventTypeAt(t *hook.EventType) time.Time { return t.CreatedAt }
