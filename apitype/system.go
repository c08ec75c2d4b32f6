package apitype

import "time"

// CheckState is what a check of the server found.
type CheckState string

// The states. The set is closed.
const (
	CheckOK   CheckState = "ok"
	CheckWarn CheckState = "warn" // it works, but something should be done
	CheckFail CheckState = "fail" // something does not work
)

// SystemCheck is one thing that was looked at.
type SystemCheck struct {
	Name  string     `json:"name" example:"clock" doc:"Name of the check, the same in every version."`
	Title string     `json:"title" example:"Clock against the database" doc:"What was looked at."`
	State CheckState `json:"state" enum:"ok,warn,fail" doc:"What was found."`
	Text  string     `json:"text" doc:"What was found, in a sentence."`
	Hint  string     `json:"hint,omitempty" doc:"What to do about it."`
}

// SystemStore is the database of the server.
type SystemStore struct {
	Kind      string        `json:"kind" doc:"Kind of database: sqlite or postgres."`
	Version   string        `json:"version" doc:"Version of the database program."`
	Schema    int64         `json:"schema" doc:"Version of the tables."`
	Address   string        `json:"address" doc:"Where it is, without passwords."`
	Bytes     int64         `json:"bytes" doc:"Size of the database."`
	LogBytes  *int64        `json:"logBytes" doc:"Size of its write-ahead log, null if it cannot be told."`
	FreeBytes *int64        `json:"freeBytes" doc:"What its disk has left, null if this server cannot tell."`
	Tables    []SystemTable `json:"tables" doc:"Its largest tables, with their indexes."`
}

// SystemTable is the size of one table.
type SystemTable struct {
	Name  string `json:"name" doc:"Name of the table."`
	Bytes *int64 `json:"bytes" doc:"Its size, indexes included, null if it cannot be told."`
	Rows  *int64 `json:"rows" doc:"How many rows it has, about; null if it cannot be told."`
}

// SystemQueue is what waits to be delivered.
type SystemQueue struct {
	Due              int64   `json:"due" doc:"Deliveries that wait for an attempt, counted up to a bound."`
	OldestDueSeconds float64 `json:"oldestDueSeconds" doc:"For how long the oldest delivery that is due has been waiting."`
	InFlight         int     `json:"inFlight" doc:"Attempts of this node that are running."`
}

// SystemNode is one of the servers on the database.
type SystemNode struct {
	Name      string    `json:"name" doc:"Name of the node: host, process, and a random part."`
	Self      bool      `json:"self" doc:"True for the node that answers."`
	Alive     bool      `json:"alive" doc:"Whether its lease has not run out."`
	Delivers  bool      `json:"delivers" doc:"Whether it delivers."`
	StartedAt time.Time `json:"startedAt" doc:"When it started."`
	SeenAt    time.Time `json:"seenAt" doc:"When it was heard of last."`
}

// SystemSetting is one setting of the answering node.
type SystemSetting struct {
	Name   string `json:"name" doc:"Name of the setting."`
	Value  string `json:"value" doc:"Its value; secrets are masked."`
	Origin string `json:"origin" doc:"Where the value comes from: a flag, a variable, a file; empty for the default."`
}

// SystemOut is what the server knows about itself.
type SystemOut struct {
	Version   string          `json:"version" doc:"Version of the server."`
	StartedAt time.Time       `json:"startedAt" doc:"When the answering node started."`
	Now       time.Time       `json:"now" doc:"Its time, by the clock that all nodes go by."`
	Role      string          `json:"role" doc:"Duties of the answering node."`
	Store     SystemStore     `json:"store" doc:"The database."`
	Queue     SystemQueue     `json:"queue" doc:"What waits to be delivered."`
	Nodes     []SystemNode    `json:"nodes" doc:"The servers on the database that were heard of within a day, newest first."`
	Checks    []SystemCheck   `json:"checks" doc:"What the doctor finds."`
	Settings  []SystemSetting `json:"settings" doc:"Settings in force on the answering node."`
}
