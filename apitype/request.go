package apitype

import "time"

// RequestState is what became of a request.
type RequestState string

// The states of a request.
const (
	RequestAccepted  RequestState = "accepted"          // it became a message
	RequestDuplicate RequestState = "duplicate"         // its event was there already
	RequestDiffers   RequestState = "duplicate_differs" // its event was there already, with another body
	RequestRefused   RequestState = "refused"           // not believed or not taken
	RequestHandshake RequestState = "handshake"         // part of a subscription, and answered
)

// RequestFacts are the members that a request has wherever it is shown.
type RequestFacts struct {
	ID          string       `json:"id" example:"req_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id, sortable by time of arrival."`
	SourceID    string       `json:"sourceId" doc:"Id of the source that it reached."`
	State       RequestState `json:"state" enum:"accepted,duplicate,duplicate_differs,refused,handshake" doc:"What became of it."`
	Reason      string       `json:"reason" example:"signature_mismatch" doc:"Stable name of the reason, for programs."`
	Detail      string       `json:"detail" doc:"The reason as a sentence; may be empty."`
	Findings    []Finding    `json:"findings" nullable:"false" doc:"What a diagnosis of a refused request found, the most likely first."`
	Method      string       `json:"method" example:"POST" doc:"HTTP method."`
	Path        string       `json:"path" doc:"What followed the token in the path."`
	Query       string       `json:"query" doc:"Raw query, without the question mark."`
	Remote      string       `json:"remote" doc:"Address of the sender."`
	EventType   string       `json:"eventType" doc:"What kind of event it is; empty if that is not known."`
	Key         string       `json:"key" doc:"What a repeated event repeats; empty if there is nothing."`
	MessageID   *string      `json:"messageId" doc:"Id of the message that it became, or for a duplicate of the first one; null if there is none."`
	Fingerprint string       `json:"fingerprint" doc:"First 16 bytes of the body's SHA-256, in hex."`
	Status      int          `json:"status" doc:"HTTP status that the sender was answered."`
	ContentType string       `json:"contentType" doc:"Content type, as it came."`
	BodySize    int          `json:"bodySize" minimum:"0" doc:"Length of the body in bytes."`
	BodyGone    bool         `json:"bodyGone" doc:"True if the body is not kept any more."`
	ReceivedAt  time.Time    `json:"receivedAt" doc:"When it arrived."`
	Note        string       `json:"note" doc:"Free text of the owner."`
}

// RequestOut is a request with its headers. The body has a route of its own.
type RequestOut struct {
	RequestFacts
	Headers [][2]string `json:"headers" nullable:"false" doc:"Names and values in the order of names. Values that are secret are replaced by [redacted]."`
}

// Finding is one thing that a diagnosis found out.
type Finding struct {
	Code string `json:"code" example:"wrong_secret" doc:"Stable name, for programs."`
	Text string `json:"text" doc:"What is wrong and what to do."`
}

// RequestVerifyIn verifies a stored request again.
type RequestVerifyIn struct {
	Process Optional[bool] `json:"process,omitzero" nullable:"false" doc:"True to make a refused request that now verifies a message. It happens once. Default: false."`
}

// RequestReplayIn sends a stored request again.
type RequestReplayIn struct {
	To   Optional[RequestTarget] `json:"to,omitzero" doc:"Where to. Absent or null: to the source's endpoints and routes, as a new message."`
	Body Optional[string]        `json:"body,omitzero" doc:"What to send in place of the body, as text. Headers stay, so a signature of the sender fits no more; so does the event type, unless the source takes it from the body. Absent or null: the body as it came."`
}

// RequestTarget is where a request is sent once.
type RequestTarget struct {
	URL string `json:"url" format:"uri" minLength:"1" maxLength:"65536" doc:"An address that endpoints could have too."`
}

// RequestReplayOut tells what a replay made: messages, or one attempt that is not kept.
type RequestReplayOut struct {
	Messages []ReplayedMessage `json:"messages" nullable:"false" doc:"The new messages: one of the source, and one for each route. Empty if it was sent to a URL."`
	Attempt  *ReplayAttempt    `json:"attempt,omitempty" doc:"What the URL answered."`
}

// ReplayedMessage is a message that a replay made.
type ReplayedMessage struct {
	ID        string `json:"id" doc:"Id of the message."`
	OwnerID   string `json:"ownerId" doc:"Id of the source or the application that it belongs to."`
	EventType string `json:"eventType" doc:"Its event type."`
}

// ReplayAttempt is one request to a URL and what came of it.
type ReplayAttempt struct {
	URL                string          `json:"url" format:"uri" doc:"Where it was sent."`
	Outcome            string          `json:"outcome" example:"success" doc:"What came of it, as attempts of endpoints have it."`
	ResponseStatusCode int16           `json:"responseStatusCode" doc:"HTTP status of the answer, 0 if there was none."`
	Response           string          `json:"response" doc:"Body of the answer up to a limit, or what went wrong. Base64 if it is not text."`
	ResponseDurationMs int64           `json:"responseDurationMs" doc:"How long it took, in milliseconds."`
	Timings            *AttemptTimings `json:"timings" doc:"How long each phase took."`
	Timestamp          time.Time       `json:"timestamp" doc:"When it was sent."`
}

// RequestPatch changes the note of a request.
type RequestPatch struct {
	Note Optional[string] `json:"note,omitzero" maxLength:"4096" doc:"Free text of the owner. Null removes it."`
}

// RequestPurgeIn removes requests that became no message.
type RequestPurgeIn struct {
	Before Optional[time.Time] `json:"before,omitzero" doc:"Only those that arrived before this. Absent or null for all."`
}

// RequestPurgeOut tells how many requests were removed.
type RequestPurgeOut struct {
	Removed int  `json:"removed" minimum:"0" doc:"How many there were."`
	Done    bool `json:"done" doc:"False if there are more; the call can be repeated."`
}
