package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// messageStore keeps messages. See package store for what each promises.
type messageStore interface {
	FindMessage(ctx context.Context, env, app hook.ID, ref hook.Ref, withBody bool) (hook.Message, error)
	ListMessages(ctx context.Context, f hook.MessageFilter) (hook.PageOf[hook.Message], error)
	ExpungeMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) error
	ExplainMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) (hook.Explanation, error)
}

// createMessage publishes one event and counts what came of it.
func createMessage(c *call) (reply, error) {
	rep, err := c.publish()
	if err != nil {
		c.Published(refusedOrFailed(err), 1)
	}
	return rep, err
}

// publish is the hot path: no reflection, and the payload stays the bytes that came.
func (c *call) publish() (reply, error) {
	wait, withContent, err := c.publishOptions()
	if err != nil {
		return reply{}, err
	}
	body, err := c.readBody(c.MaxBody)
	if err != nil {
		return reply{}, err
	}
	p, err := decodeMessage(body, c.now)
	if err != nil {
		return reply{}, err
	}
	event, err := c.newEvent(&p, len(body))
	if err != nil {
		return reply{}, err
	}
	withContent = withContent && !c.hidesPayloads()
	if event.Idempotency, err = c.once(); err != nil {
		return reply{}, err
	}
	if wait > 0 {
		return c.publishAndWait(&event, withContent, wait)
	}
	accepted, err := c.acceptOne(&event)
	if err != nil {
		return reply{}, err
	}
	payload := accepted.Message.Body // known to be an object
	if !withContent || p.raw || accepted.Duplicate {
		payload = payloadOf(&accepted.Message, withContent)
	}
	out := appendMessage(make([]byte, 0, 512+len(payload)), &accepted.Message, payload)
	return reply{status: http.StatusAccepted, json: out}, nil
}

// publishOptions reads the query and the Prefer header.
func (c *call) publishOptions() (wait time.Duration, withContent bool, err error) {
	if c.r.Header["Prefer"] == nil {
		// What SDKs send needs no parsing.
		switch c.r.URL.RawQuery {
		case "":
			return 0, true, nil
		case "with_content=false":
			return 0, false, nil
		}
	}
	q := c.params()
	withContent = q.boolean("with_content", true)
	wait = q.wait(c.r.Header.Get("Prefer"))
	return wait, withContent, q.err()
}

// newEvent turns what was asked for into an event of the application in the path.
func (c *call) newEvent(p *published, request int) (hook.NewEvent, error) {
	app, err := c.ensureApplication(p.application)
	if err != nil {
		return hook.NewEvent{}, err
	}
	if err := c.fitsSchema(p); err != nil {
		return hook.NewEvent{}, err
	}
	e := hook.NewEvent{Published: true, Message: hook.Message{
		ID: hook.NewID(c.now), Env: c.key.Env, App: app,
		EventType: p.eventType, EventID: p.eventID, Channels: p.channels, Tags: p.tags,
		ContentType: p.contentType, Body: ownBody(p.payload, request), CreatedAt: c.now, DeliverAt: p.deliverAt,
	}}
	if p.keepFor > 0 {
		e.BodyExpiresAt = c.now.Add(p.keepFor)
	}
	return e, nil
}

// ownBody copies a payload that is a small part of its request, so that a message
// on its way does not keep the whole request in memory.
func ownBody(payload []byte, request int) []byte {
	if request > 2*len(payload)+1024 {
		return append([]byte(nil), payload...)
	}
	return payload
}

// acceptOne hands an event to the engine.
func (c *call) acceptOne(e *hook.NewEvent) (*hook.Accepted, error) {
	accepted, err := c.Accept(c.ctx(), []hook.NewEvent{*e})
	switch {
	case err != nil:
		return nil, err
	case accepted[0].Err != nil:
		return nil, accepted[0].Err
	case accepted[0].Duplicate:
		c.Published("duplicate", 1)
	default:
		c.Published("accepted", 1)
	}
	return &accepted[0], nil
}

// refusedOrFailed says whether an event was refused for what it is, or could not
// be taken by no fault of its own.
func refusedOrFailed(err error) string {
	var e *hook.Error
	if errors.As(err, &e) && e.Code.Info().Status < http.StatusInternalServerError {
		return "refused"
	}
	return "failed"
}

func listMessages(c *call) (reply, error) {
	if c.params().values.Has("q") {
		return listRecent(c)
	}
	app, err := c.owner()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	f := hook.MessageFilter{Env: c.key.Env, App: app, Page: q.page(hook.KindMessage, false, false)}
	f.Before, f.After = q.window(&f.Page, c.now)
	f.EventTypes, f.Channel, f.Tag = q.filters()
	f.WithBody = q.boolean("with_content", true) && !c.hidesPayloads()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	page, err := c.Store.ListMessages(c.ctx(), f)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page, messageKey, func(m *hook.Message) messageJSON {
		return messageJSON(appendMessage(nil, m, payloadOf(m, f.WithBody)))
	}))
}

func getMessage(c *call) (reply, error) {
	app, msg, err := c.appAndMessage()
	if err != nil {
		return reply{}, err
	}
	q := c.params()
	withContent := q.boolean("with_content", true) && !c.hidesPayloads()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	m, err := c.Store.FindMessage(c.ctx(), c.key.Env, app, msg, withContent)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, json: appendMessage(nil, &m, payloadOf(&m, withContent))}, nil
}

func expungeMessage(c *call) (reply, error) {
	app, msg, err := c.appAndMessage()
	if err != nil {
		return reply{}, err
	}
	if err := c.Store.ExpungeMessage(c.ctx(), c.key.Env, app, msg); err != nil {
		return reply{}, err
	}
	return noContent()
}

func (c *call) appAndMessage() (app hook.ID, msg hook.Ref, err error) {
	if msg, err = parseRef(hook.KindMessage, c.value("msg"), "msg"); err != nil {
		return app, msg, err
	}
	app, err = c.owner()
	return app, msg, err
}

func messageKey(m *hook.Message) string { return hook.KindMessage.Format(m.ID) }

// messageJSON is a message that is encoded already.
type messageJSON []byte

// MarshalJSON gives the bytes.
func (m messageJSON) MarshalJSON() ([]byte, error) { return m, nil }

// ensureApplication gives the application of the path. If there is none, the
// `application` member of the body creates it.
func (c *call) ensureApplication(member []byte) (hook.ID, error) {
	ref, err := c.appRef()
	if err != nil {
		return hook.ID{}, err
	}
	if member == nil {
		return c.applicationID(ref)
	}
	found, err := c.Store.FindApplication(c.ctx(), c.key.Env, ref)
	if err == nil || !isCode(err, hook.CodeNotFound) {
		return found.ID, err
	}
	var in apitype.ApplicationIn
	if err := decodeObject(member, &in, "body", "application"); err != nil {
		return hook.ID{}, err
	}
	return c.implicitApplication(ref, &in)
}

func (c *call) implicitApplication(ref hook.Ref, in *apitype.ApplicationIn) (hook.ID, error) {
	uid, given := in.UID.Get()
	switch {
	case !given:
		return hook.ID{}, applicationFault("is needed to create the application", "application_uid_missing")
	case uid != ref.UID:
		return hook.ID{}, applicationFault("is not the application that the path names", "application_uid_mismatch")
	}
	a, err := c.newApplication(in)
	if err != nil {
		return hook.ID{}, below(err, "application")
	}
	made, _, err := c.Store.CreateApplication(c.ctx(), a, nil)
	if isCode(err, hook.CodeConflict) {
		made, err = c.Store.FindApplication(c.ctx(), c.key.Env, ref)
	}
	return made.ID, err
}

func applicationFault(msg, kind string) *hook.Error {
	return &hook.Error{Code: hook.CodeInvalid, Fields: []hook.Field{
		{Loc: []string{"body", "application", "uid"}, Msg: msg, Type: kind},
	}}
}

// below moves the places of faults in a body to a member of it.
func below(err error, member string) error {
	if e, ok := err.(*hook.Error); ok { //nolint:errorlint // checker gives this type itself
		for i := range e.Fields {
			e.Fields[i].Loc = append([]string{"body", member}, e.Fields[i].Loc[1:]...)
		}
	}
	return err
}
