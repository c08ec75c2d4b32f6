package apitype

import "time"

// MessageStatus is how an attempt, or a message at an endpoint, stands.
type MessageStatus int16

// The statuses, which are numbers on the wire. The set is closed: clients fail on any other.
const (
	StatusSuccess  MessageStatus = 0 // answered with 2xx
	StatusPending  MessageStatus = 1 // not tried yet
	StatusFail     MessageStatus = 2 // failed; for a message at an endpoint: for good
	StatusSending  MessageStatus = 3 // is being sent or will be retried
	StatusCanceled MessageStatus = 4 // will not be sent
)

// MessageStatusText is a MessageStatus in a word.
type MessageStatusText string

// The words of the statuses.
const (
	StatusTextSuccess  MessageStatusText = "success"
	StatusTextPending  MessageStatusText = "pending"
	StatusTextFail     MessageStatusText = "fail"
	StatusTextSending  MessageStatusText = "sending"
	StatusTextCanceled MessageStatusText = "canceled"
)

// Text gives the word of s, empty for a number that is no status.
func (s MessageStatus) Text() MessageStatusText {
	switch s {
	case StatusSuccess:
		return StatusTextSuccess
	case StatusPending:
		return StatusTextPending
	case StatusFail:
		return StatusTextFail
	case StatusSending:
		return StatusTextSending
	case StatusCanceled:
		return StatusTextCanceled
	}
	return ""
}

// TriggerType is why an attempt was made.
type TriggerType int16

// The triggers. The set is closed.
const (
	TriggerScheduled TriggerType = 0 // first try or automatic retry
	TriggerManual    TriggerType = 1 // resend or recover
)

// StatusCodeClass is a class of HTTP statuses, for filters.
type StatusCodeClass int16

// The classes. The set is closed.
const (
	CodeNone StatusCodeClass = 0 // below 100: there was no answer
	Code1xx  StatusCodeClass = 100
	Code2xx  StatusCodeClass = 200
	Code3xx  StatusCodeClass = 300
	Code4xx  StatusCodeClass = 400
	Code5xx  StatusCodeClass = 500
)

// MessageAttemptOut is one try of a delivery and what came of it.
type MessageAttemptOut struct {
	ID                 string            `json:"id" example:"atmpt_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id, sortable by time."`
	MsgID              string            `json:"msgId" doc:"Id of the message."`
	EndpointID         string            `json:"endpointId" doc:"Id of the endpoint."`
	URL                string            `json:"url" format:"uri" doc:"Where it was sent."`
	AttemptNumber      int               `json:"attemptNumber" minimum:"1" doc:"Which try of this message at this endpoint it was, from 1."`
	TriggerType        TriggerType       `json:"triggerType" enum:"0,1" doc:"0 scheduled, 1 manual."`
	Status             MessageStatus     `json:"status" enum:"0,1,2,3,4" doc:"0 success, 1 pending, 2 fail, 3 sending, 4 canceled."`
	StatusText         MessageStatusText `json:"statusText" enum:"success,pending,fail,sending,canceled" doc:"The status in a word."`
	Outcome            string            `json:"outcome,omitempty" example:"timeout" doc:"Class of the result: success, or where it failed (dns, connect, tls, timeout, protocol, redirect, policy, body, or a class of HTTP status)."`
	ResponseStatusCode int16             `json:"responseStatusCode" doc:"HTTP status of the answer, 0 if there was none."`
	Response           string            `json:"response" doc:"Body of the answer up to a limit, in base64 if it is not UTF-8; what went wrong if there was no answer. The text {} in lists without content, EXPUNGED if it was dropped."`
	ResponseDurationMs int64             `json:"responseDurationMs" minimum:"0" doc:"From the start of the request to the end of the answer, in milliseconds."`
	Timings            *AttemptTimings   `json:"timings,omitempty" doc:"How the time was spent."`
	NextAttempt        *time.Time        `json:"nextAttempt,omitempty" doc:"When the delivery is tried again, as planned after this attempt."`
	Timestamp          time.Time         `json:"timestamp" doc:"When it was made."`
	Msg                *MessageOut       `json:"msg,omitempty" doc:"The message without its payload, if it was asked for."`
}

// AttemptTimings are the phases of one attempt in milliseconds with fractions. A phase
// that did not take place is 0: a reused connection has no dns, connect and tls.
type AttemptTimings struct {
	QueueMs     float64 `json:"queueMs" minimum:"0" doc:"From being due to the start, in milliseconds."`
	DNSMs       float64 `json:"dnsMs" minimum:"0" doc:"Looking up the name, in milliseconds."`
	ConnectMs   float64 `json:"connectMs" minimum:"0" doc:"Connecting, in milliseconds."`
	TLSMs       float64 `json:"tlsMs" minimum:"0" doc:"TLS handshake, in milliseconds."`
	FirstByteMs float64 `json:"firstByteMs" minimum:"0" doc:"From the request written to the first byte of the answer, in milliseconds."`
	BodyMs      float64 `json:"bodyMs" minimum:"0" doc:"Reading the body of the answer, in milliseconds."`
}

// EndpointMessageOut is a message as one endpoint got it.
type EndpointMessageOut struct {
	MessageOut
	DeliveryStatus
}

// MessageEndpointOut is an endpoint as one message reached it.
type MessageEndpointOut struct {
	EndpointFacts
	DeliveryStatus
}

// DeliveryStatus is how one message stands at one endpoint.
type DeliveryStatus struct {
	Status      MessageStatus     `json:"status" enum:"0,1,2,3,4" doc:"0 success, 1 pending, 2 fail, 3 sending, 4 canceled."`
	StatusText  MessageStatusText `json:"statusText" enum:"success,pending,fail,sending,canceled" doc:"The status in a word."`
	NextAttempt *time.Time        `json:"nextAttempt,omitempty" doc:"When it is tried next. Absent if nothing is planned."`
}

// AttemptHeadersOut shows the headers of one attempt as they were sent and answered.
// Values that are secret read ***.
type AttemptHeadersOut struct {
	SentHeaders     map[string]string `json:"sentHeaders" doc:"Headers of the request by name; several of one name are joined by commas."`
	Sensitive       []string          `json:"sensitive" nullable:"false" doc:"Names of headers, sent or answered, whose value is kept secret."`
	ResponseHeaders map[string]string `json:"responseHeaders" nullable:"true" doc:"Headers of the answer by name, null if there was none or they are no longer kept."`
}
