package apitype

import (
	"encoding/json"
	"time"
)

// MessageIn publishes one message.
type MessageIn struct {
	EventType              string                          `json:"eventType" minLength:"1" maxLength:"256" example:"invoice.paid" doc:"Name of the event type."`
	Payload                json.RawMessage                 `json:"payload" doc:"A JSON object: the body of the webhook. It is sent byte for byte as it stands here."`
	Data                   json.RawMessage                 `json:"data,omitempty" hidden:"true" doc:"Other name of payload."`
	EventID                Optional[string]                `json:"eventId,omitzero" minLength:"1" maxLength:"256" doc:"The caller's own id, unique in the application: letters, digits, and - _ . A second message with the same one is refused with 409."`
	Channels               Optional[[]string]              `json:"channels,omitzero" minItems:"1" maxItems:"10" doc:"Names that endpoints can choose messages by, each at most 128 characters."`
	Tags                   Optional[[]string]              `json:"tags,omitzero" maxItems:"5" doc:"Names to find the message by, each at most 128 characters."`
	Application            Optional[ApplicationIn]         `json:"application,omitzero" doc:"Creates the application if the path names none that exists. Its uid must then equal the path."`
	DeliverAt              Optional[time.Time]             `json:"deliverAt,omitzero" doc:"Not to be sent before this: 1 minute to 24 hours from now."`
	PayloadRetentionPeriod Optional[int64]                 `json:"payloadRetentionPeriod,omitzero" minimum:"1" maximum:"90" doc:"Days after which the payload is dropped. Not together with payloadRetentionHours."`
	PayloadRetentionHours  Optional[int64]                 `json:"payloadRetentionHours,omitzero" minimum:"1" maximum:"2160" doc:"Hours after which the payload is dropped. Not together with payloadRetentionPeriod."`
	TransformationsParams  Optional[TransformationsParams] `json:"transformationsParams,omitzero" doc:"A body that is not a JSON object, and its content type."`
}

// TransformationsParams carries a body that is not a JSON object. The payload of such
// a message is {}.
type TransformationsParams struct {
	RawPayload Optional[string]            `json:"rawPayload,omitzero" doc:"The body, sent as it stands here in UTF-8, in place of the payload."`
	Headers    Optional[map[string]string] `json:"headers,omitzero" doc:"Only content-type counts (in any case of letters): the media type of rawPayload."`
}

// MessageOut is a message: one accepted event.
type MessageOut struct {
	ID        string          `json:"id" example:"msg_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id, sortable by time of acceptance; the webhook-id of every delivery."`
	EventID   *string         `json:"eventId" doc:"The caller's own id, null if none was given."`
	EventType string          `json:"eventType" example:"invoice.paid" doc:"Name of the event type."`
	Payload   json.RawMessage `json:"payload" doc:"The JSON object that is sent. {} without content or for a raw body, {\"expired\":true} if it was dropped."`
	Channels  []string        `json:"channels" doc:"Names that endpoints can choose messages by, null if none."`
	Tags      []string        `json:"tags" doc:"Names to find the message by, null if none."`
	DeliverAt *time.Time      `json:"deliverAt" doc:"Not sent before this, null for at once."`
	Timestamp time.Time       `json:"timestamp" doc:"When it was accepted."`
}

// MessageCreateOut is the answer to a publish. The added members are there only if the
// caller asked to wait.
type MessageCreateOut struct {
	MessageOut
	Deliveries  []DeliveryOut       `json:"deliveries,omitempty" doc:"One for each endpoint that gets the message."`
	Attempts    []MessageAttemptOut `json:"attempts,omitempty" doc:"What was tried while the caller waited, oldest first."`
	WaitExpired *bool               `json:"waitExpired,omitempty" doc:"True if the time was up before every delivery had been tried once."`
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"   // due at a time
	DeliverySending   DeliveryState = "sending"   // a node works on it
	DeliveryDelivered DeliveryState = "delivered" // answered with 2xx
	DeliveryFailed    DeliveryState = "failed"    // no attempt is left
	DeliveryCanceled  DeliveryState = "canceled"  // will not be sent, for a reason
)

// DeliveryOut is one message on its way to one endpoint.
type DeliveryOut struct {
	EndpointID     string        `json:"endpointId" doc:"Id of the endpoint."`
	EndpointUID    *string       `json:"endpointUid" doc:"The caller's own id of the endpoint, null if none."`
	URL            string        `json:"url" format:"uri" doc:"Where it is sent."`
	State          DeliveryState `json:"state" enum:"pending,sending,delivered,failed,canceled" doc:"Where it stands."`
	Reason         string        `json:"reason,omitempty" example:"endpoint_disabled" doc:"Why it is in this state, if there is more to say."`
	Attempts       int           `json:"attempts" minimum:"0" doc:"How often it was tried."`
	LastStatusCode *int16        `json:"lastStatusCode,omitempty" doc:"HTTP status of the last answer, 0 if there was none. Absent before the first attempt."`
	LastDurationMs *int64        `json:"lastDurationMs,omitempty" doc:"How long the last attempt took, in milliseconds."`
	DueAt          *time.Time    `json:"dueAt,omitempty" doc:"When it is tried next. Only while pending."`
}

// MessageBatchIn is the JSON form of a batch, at most 1000 messages. The other form is
// NDJSON: one MessageIn a line.
type MessageBatchIn []MessageIn

// MessageBatchOut answers a batch, one result for each item.
type MessageBatchOut struct {
	Data     []MessageBatchItem `json:"data" nullable:"false" doc:"One result for each item, in the order of the request."`
	Accepted int                `json:"accepted" minimum:"0" doc:"How many were accepted."`
	Refused  int                `json:"refused" minimum:"0" doc:"How many were refused."`
}

// MessageBatchItem is what became of one item: a message or an error.
type MessageBatchItem struct {
	Index   int         `json:"index" minimum:"0" doc:"Position of the item in the request, from 0."`
	Status  int         `json:"status" example:"202" doc:"The HTTP status that the item would have got as a request of its own."`
	Message *MessageOut `json:"message,omitempty" doc:"The message, without its payload, if it was accepted."`
	Error   *Error      `json:"error,omitempty" doc:"Why it was refused."`
}
