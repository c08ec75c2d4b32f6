package apitype

// LiveTopic is something that a live stream tells of.
type LiveTopic string

// The topics. The set is closed.
const (
	LiveMessages LiveTopic = "messages"
	LiveAttempts LiveTopic = "attempts"
	LiveRequests LiveTopic = "requests"
	LiveTasks    LiveTopic = "tasks"
)

// LiveMessage is a message that was accepted.
type LiveMessage struct {
	ID        string `json:"id" doc:"Id of the message."`
	AppID     string `json:"appId,omitempty" doc:"Its application; absent if it is of a source."`
	SourceID  string `json:"sourceId,omitempty" doc:"Its source; absent if it is of an application."`
	EventType string `json:"eventType" doc:"Its event type."`
}

// LiveAttempt is an attempt that was recorded.
type LiveAttempt struct {
	ID         string `json:"id" doc:"Id of the attempt."`
	MsgID      string `json:"msgId" doc:"Its message."`
	AppID      string `json:"appId,omitempty" doc:"Its application; absent if it is of a source."`
	SourceID   string `json:"sourceId,omitempty" doc:"Its source; absent if it is of an application."`
	EndpointID string `json:"endpointId" doc:"Its endpoint."`
}

// LiveRequest is a request that a source received and that became no message.
type LiveRequest struct {
	ID       string `json:"id" doc:"Id of the request."`
	SourceID string `json:"sourceId" doc:"Its source."`
	State    string `json:"state" doc:"What became of it."`
}

// LiveTask is a background task that has got further.
type LiveTask struct {
	ID     string `json:"id" doc:"Id of the task."`
	Status string `json:"status" doc:"Where it is: running, finished or failed."`
}

// LiveEvent is the data of one event of a live stream: what is new since the last one.
type LiveEvent struct {
	Messages []LiveMessage `json:"messages,omitempty" doc:"Messages that were accepted."`
	Attempts []LiveAttempt `json:"attempts,omitempty" doc:"Attempts that were recorded."`
	Requests []LiveRequest `json:"requests,omitempty" doc:"Requests that sources received."`
	Tasks    []LiveTask    `json:"tasks,omitempty" doc:"Tasks that have got further."`
	// More says that there was more than an event holds: read the list again.
	More bool `json:"more,omitempty" doc:"True if there was more than one event tells: read the list again."`
}
