package apitype

import "time"

// The types of frames on the WebSocket at /api/v1/listen.
const (
	ListenFrameHello     = "hello"     // the server's first: what is listened to
	ListenFrameEvent     = "event"     // one message
	ListenFrameRefused   = "refused"   // a request that a source did not take
	ListenFrameHeartbeat = "heartbeat" // either way; the server's has a cursor
	ListenFrameAck       = "ack"       // the client's: everything up to Cursor is dealt with
)

// ListenFrame is one text frame of /api/v1/listen, in either direction.
type ListenFrame struct {
	Type string `json:"type"`
	// Cursor is the place behind what the frame tells, to go on from. An ack names that
	// of the last event that was dealt with.
	Cursor  string         `json:"cursor,omitempty"`
	Hello   *ListenHello   `json:"hello,omitempty"`
	Event   *ListenEvent   `json:"event,omitempty"`
	Refused *ListenRefused `json:"refused,omitempty"`
}

// ListenHello says what is listened to, and the rules of the connection.
type ListenHello struct {
	Sources []ListenSource `json:"sources"`
	Apps    []ListenApp    `json:"apps"`
	// HeartbeatSeconds is how often each side says that it is there; SilenceSeconds is
	// after how long without a frame it is taken for gone.
	HeartbeatSeconds int `json:"heartbeatSeconds"`
	SilenceSeconds   int `json:"silenceSeconds"`
	// Window is how many events may be without an ack.
	Window int `json:"window"`
}

// ListenSource is a source that is listened to.
type ListenSource struct {
	ID        string `json:"id"`
	UID       string `json:"uid,omitempty"`
	Name      string `json:"name"`
	Type      string `json:"type"`
	IngestURL string `json:"ingestUrl"`
	Disabled  bool   `json:"disabled,omitempty"`
	// Verifies: what does not prove its sender is refused.
	Verifies bool `json:"verifies"`
}

// ListenApp is an application that is listened to.
type ListenApp struct {
	ID   string `json:"id"`
	UID  string `json:"uid,omitempty"`
	Name string `json:"name"`
}

// ListenEvent is a message with all that is needed to pass it on as it came.
type ListenEvent struct {
	ID         string    `json:"id"`               // of the message
	Source     string    `json:"source,omitempty"` // id of the source that received it
	App        string    `json:"app,omitempty"`    // id of the application that it belongs to
	EventType  string    `json:"eventType"`
	EventID    string    `json:"eventId,omitempty"`
	ReceivedAt time.Time `json:"receivedAt"`
	// Method, Path, Query and Headers are how a source received it; of an application's
	// message there are none. Path is what followed the ingest URL; Query has no
	// question mark.
	Method      string      `json:"method,omitempty"`
	Path        string      `json:"path,omitempty"`
	Query       string      `json:"query,omitempty"`
	Headers     [][2]string `json:"headers,omitempty"`
	ContentType string      `json:"contentType"`
	Body        []byte      `json:"body"`               // base64
	BodyGone    bool        `json:"bodyGone,omitempty"` // it is not kept any more
}

// ListenRefused is a request that a source did not take, with the reason.
type ListenRefused struct {
	ID         string    `json:"id"`
	Source     string    `json:"source"`
	Reason     string    `json:"reason"`
	Detail     string    `json:"detail,omitempty"`
	EventType  string    `json:"eventType,omitempty"`
	Status     int       `json:"status"`
	BodySize   int       `json:"bodySize"`
	ReceivedAt time.Time `json:"receivedAt"`
	// Findings are the texts of the diagnosis, the most likely first.
	Findings []string `json:"findings,omitempty"`
}
