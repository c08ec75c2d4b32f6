package hook

import "time"

// Application is a customer who receives webhooks.
type Application struct {
	ID           ID
	Env          ID
	UID          string // the caller's own name for it; empty: none
	Name         string
	ThrottleRate int // messages a second over all endpoints; 0: no limit
	Metadata     map[string]string
	// Source says that it is none but the owner of a source's endpoints and messages.
	// Lists leave it out, and only the methods for sources change it.
	Source    bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// EventType names a kind of event, with its schemas.
type EventType struct {
	ID            ID
	Env           ID
	Name          string
	Description   string
	GroupName     string
	Archived      bool
	Deprecated    bool
	FeatureFlags  []string
	Schemas       []byte // JSON object: version -> JSON Schema; nil: none
	EnforceSchema bool   // payloads must fit the schema of the highest version
	CreatedAt     time.Time
	UpdatedAt     time.Time
}
