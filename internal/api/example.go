package api

import (
	"encoding/json"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// pingType is an event type that can be sent as an example without being in
	// the catalogue. Its name is part of the compatible API.
	pingType    = "svix.ping"
	pingPayload = `{"success":true}`
	// exampleVersion is the version of a schema whose examples are sent.
	exampleVersion = "1"
)

// sendExample sends the example of an event type to one endpoint, whatever its
// filters say.
func sendExample(c *call) (reply, error) {
	in, err := decode[apitype.EventExampleIn](c)
	if err != nil {
		return reply{}, err
	}
	if !isName(in.EventType) {
		return reply{}, hook.Invalid(nameRule, "body", "eventType")
	}
	e, err := c.endpoint()
	if err == nil && c.ofSource {
		err = hook.NotFound("application") // its messages are what it received
	}
	if err == nil {
		err = takesDeliveries(&e)
	}
	if err != nil {
		return reply{}, err
	}
	payload, err := c.example(&in)
	if err != nil {
		return reply{}, err
	}
	event := hook.NewEvent{Only: e.ID, Message: hook.Message{
		ID: hook.NewID(c.now), Env: c.key.Env, App: e.App, EventType: in.EventType,
		ContentType: jsonContent, Body: payload, CreatedAt: c.now,
	}}
	if event.Idempotency, err = c.once(); err != nil {
		return reply{}, err
	}
	accepted, err := c.acceptOne(&event)
	if err != nil {
		return reply{}, err
	}
	return ok(messageJSON(appendMessage(nil, &accepted.Message, payloadOf(&accepted.Message, true))))
}

// example gives the payload of the call, or finds the example that the schema of the
// event type holds.
func (c *call) example(in *apitype.EventExampleIn) ([]byte, error) {
	if payload, given := in.Payload.Get(); given {
		return c.ownExample(in, payload)
	}
	t, err := c.Store.FindEventType(c.ctx(), c.key.Env, in.EventType)
	if in.EventType == pingType && isCode(err, hook.CodeNotFound) {
		return []byte(pingPayload), nil
	}
	if err == nil && !c.sees(&t) {
		err = hook.NotFound("event type")
	}
	if err != nil {
		return nil, err
	}
	byVersion, err := schemasOut(&t)
	if err != nil {
		return nil, err
	}
	var schema struct {
		Examples []json.RawMessage `json:"examples"`
	}
	// A member `examples` that is no list is as good as none.
	if text := byVersion[exampleVersion]; text == nil || json.Unmarshal(text, &schema) != nil || len(schema.Examples) == 0 {
		return nil, &hook.Error{Code: hook.CodeInvalidScheme, Detail: "The event type has no example in version 1 of its schema."}
	}
	i := in.ExampleIndex.Else(0)
	if i >= uint64(len(schema.Examples)) {
		return nil, hook.Invalid("the schema has fewer examples", "body", "exampleIndex")
	}
	if !isObject(schema.Examples[i]) {
		return nil, &hook.Error{Code: hook.CodeInvalidScheme, Detail: "The example is not a JSON object."}
	}
	return schema.Examples[i], nil
}

// ownExample checks a payload that the caller wrote, as publishing it would.
func (c *call) ownExample(in *apitype.EventExampleIn, payload []byte) ([]byte, error) {
	switch {
	case !in.ExampleIndex.IsZero():
		return nil, hook.Invalid("cannot be given together with payload", "body", "exampleIndex")
	case !isObject(payload):
		return nil, hook.Invalid("must be a JSON object", "body", "payload")
	}
	return payload, c.fitsSchema(&published{eventType: in.EventType, payload: payload})
}
