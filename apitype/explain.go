package apitype

import "time"

// ExplainOut says for every endpoint of the application what became of one message,
// and why.
type ExplainOut struct {
	Message   ExplainMessage    `json:"message" doc:"The message in brief."`
	Endpoints []ExplainEndpoint `json:"endpoints" nullable:"false" doc:"One for each endpoint that the application had at acceptance or got the message since, by id."`
	At        time.Time         `json:"at" doc:"When this was found out."`
}

// ExplainMessage is what of a message decides where it goes.
type ExplainMessage struct {
	ID             string    `json:"id" doc:"Id of the message."`
	EventID        *string   `json:"eventId" doc:"The caller's own id, null if none was given."`
	EventType      string    `json:"eventType" doc:"Name of the event type."`
	Channels       []string  `json:"channels" doc:"Its channels, null if none."`
	Timestamp      time.Time `json:"timestamp" doc:"When it was accepted."`
	PayloadExpired bool      `json:"payloadExpired" doc:"True if the payload was dropped, so that it cannot be sent again."`
}

// Verdict is what became of a message at one endpoint.
type Verdict string

// The verdicts: the five states of a delivery, or that there is none.
const (
	VerdictDelivered  Verdict = "delivered"
	VerdictPending    Verdict = "pending"
	VerdictSending    Verdict = "sending"
	VerdictFailed     Verdict = "failed"
	VerdictCanceled   Verdict = "canceled"
	VerdictNotMatched Verdict = "not_matched"
)

// ExplainEndpoint is the verdict for one endpoint.
type ExplainEndpoint struct {
	EndpointID         string     `json:"endpointId" doc:"Id of the endpoint."`
	EndpointUID        *string    `json:"endpointUid" doc:"The caller's own id of the endpoint, null if none."`
	URL                string     `json:"url" format:"uri" doc:"Where it sends."`
	Verdict            Verdict    `json:"verdict" enum:"delivered,pending,sending,failed,canceled,not_matched" doc:"What became of the message there."`
	Reason             string     `json:"reason" example:"event_type" doc:"Stable name of the reason, for programs."`
	Text               string     `json:"text" example:"The endpoint takes invoice.voided only." doc:"The reason as a sentence."`
	Attempts           int        `json:"attempts" minimum:"0" doc:"How often it was tried."`
	LastStatusCode     *int16     `json:"lastStatusCode,omitempty" doc:"HTTP status of the last answer, 0 if there was none. Absent before the first attempt."`
	LastAttemptAt      *time.Time `json:"lastAttemptAt,omitempty" doc:"When it was last tried."`
	DueAt              *time.Time `json:"dueAt,omitempty" doc:"When it is due next. Only while pending."`
	HeldReason         string     `json:"heldReason,omitempty" example:"circuit_open" doc:"Why it is not sent although it is due or will be: the endpoint fails, is over its rate or is busy."`
	NextProbeAt        *time.Time `json:"nextProbeAt,omitempty" doc:"When a failing endpoint is tried again with its oldest delivery."`
	DisabledSince      *time.Time `json:"disabledSince,omitempty" doc:"Since when the endpoint is disabled."`
	ChangedSinceAccept bool       `json:"changedSinceAccept" doc:"True if the endpoint's filters or state were changed after the message was accepted; the verdict is by those of then."`
}
