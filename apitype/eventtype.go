package apitype

import (
	"encoding/json"
	"time"
)

// EventTypeIn creates an event type, or revives an archived one.
type EventTypeIn struct {
	Name          string                               `json:"name" minLength:"1" maxLength:"256" example:"invoice.paid" doc:"Letters, digits, and - _ . Unique in the environment."`
	Description   string                               `json:"description" doc:"What happened when this event is sent. May be empty."`
	Archived      Optional[bool]                       `json:"archived,omitzero" nullable:"false" doc:"True to hide it: no endpoint can newly choose it. Default: false."`
	Deprecated    Optional[bool]                       `json:"deprecated,omitzero" nullable:"false" doc:"True to tell receivers that it will go. Default: false."`
	Schemas       Optional[map[string]json.RawMessage] `json:"schemas,omitzero" doc:"JSON Schema of the payload by version, a number. The highest version can be enforced; the examples of version 1 feed the call send-example."`
	EnforceSchema Optional[bool]                       `json:"enforceSchema,omitzero" nullable:"false" doc:"True to refuse messages whose payload does not fit the schema. Default: false."`
	GroupName     Optional[string]                     `json:"groupName,omitzero" minLength:"1" maxLength:"256" example:"invoice" doc:"Group under which it is listed."`
	FeatureFlags  Optional[[]string]                   `json:"featureFlags,omitzero" minItems:"1" doc:"Portal tokens see the type only if they have one of these flags. Null for all."`
	FeatureFlag   Optional[string]                     `json:"featureFlag,omitzero" minLength:"1" maxLength:"256" deprecated:"true" doc:"Older form of featureFlags, with one flag."`
}

// Update gives the members that a PUT states as well: all but the name.
func (in EventTypeIn) Update() EventTypeUpdate {
	return EventTypeUpdate{
		Description: in.Description, Archived: in.Archived, Deprecated: in.Deprecated,
		Schemas: in.Schemas, EnforceSchema: in.EnforceSchema, GroupName: in.GroupName,
		FeatureFlags: in.FeatureFlags, FeatureFlag: in.FeatureFlag,
	}
}

// EventTypeUpdate states all of an event type.
type EventTypeUpdate struct {
	Description   string                               `json:"description" doc:"What happened when this event is sent. May be empty."`
	Archived      Optional[bool]                       `json:"archived,omitzero" nullable:"false" doc:"True to hide it: no endpoint can newly choose it. Default: false."`
	Deprecated    Optional[bool]                       `json:"deprecated,omitzero" nullable:"false" doc:"True to tell receivers that it will go. Default: false."`
	Schemas       Optional[map[string]json.RawMessage] `json:"schemas,omitzero" doc:"JSON Schema of the payload by version, a number. The highest version can be enforced; the examples of version 1 feed the call send-example."`
	EnforceSchema Optional[bool]                       `json:"enforceSchema,omitzero" nullable:"false" doc:"True to refuse messages whose payload does not fit the schema. Default: false."`
	GroupName     Optional[string]                     `json:"groupName,omitzero" minLength:"1" maxLength:"256" example:"invoice" doc:"Group under which it is listed."`
	FeatureFlags  Optional[[]string]                   `json:"featureFlags,omitzero" minItems:"1" doc:"Portal tokens see the type only if they have one of these flags. Null for all."`
	FeatureFlag   Optional[string]                     `json:"featureFlag,omitzero" minLength:"1" maxLength:"256" deprecated:"true" doc:"Older form of featureFlags, with one flag."`
}

// EventTypePatch changes the members that are present.
type EventTypePatch struct {
	Description   Optional[string]                     `json:"description,omitzero" nullable:"false" doc:"What happened when this event is sent."`
	Archived      Optional[bool]                       `json:"archived,omitzero" nullable:"false" doc:"True to hide it."`
	Deprecated    Optional[bool]                       `json:"deprecated,omitzero" nullable:"false" doc:"True to tell receivers that it will go."`
	Schemas       Optional[map[string]json.RawMessage] `json:"schemas,omitzero" doc:"JSON Schema of the payload by version. Null removes them."`
	EnforceSchema Optional[bool]                       `json:"enforceSchema,omitzero" nullable:"false" doc:"True to refuse messages whose payload does not fit the schema."`
	GroupName     Optional[string]                     `json:"groupName,omitzero" minLength:"1" maxLength:"256" doc:"Group under which it is listed. Null removes it."`
	FeatureFlags  Optional[[]string]                   `json:"featureFlags,omitzero" minItems:"1" doc:"Portal tokens see the type only if they have one of these flags. Null for all."`
	FeatureFlag   Optional[string]                     `json:"featureFlag,omitzero" minLength:"1" maxLength:"256" deprecated:"true" doc:"Older form of featureFlags, with one flag."`
}

// EventTypeOut is an event type.
type EventTypeOut struct {
	Name          string                     `json:"name" example:"invoice.paid" doc:"Name, which is also its id."`
	Description   string                     `json:"description" doc:"What happened when this event is sent."`
	Archived      bool                       `json:"archived" doc:"True if it is hidden."`
	Deprecated    bool                       `json:"deprecated" doc:"True if it will go."`
	Schemas       map[string]json.RawMessage `json:"schemas" nullable:"true" doc:"JSON Schema of the payload by version. Null if there is none, and in lists without content."`
	EnforceSchema bool                       `json:"enforceSchema" doc:"True if messages whose payload does not fit the schema are refused."`
	GroupName     *string                    `json:"groupName" doc:"Group under which it is listed, null if none."`
	FeatureFlags  []string                   `json:"featureFlags" doc:"Portal tokens see the type only if they have one of these flags, null for all."`
	FeatureFlag   *string                    `json:"featureFlag" deprecated:"true" doc:"The first of featureFlags."`
	CreatedAt     time.Time                  `json:"createdAt" doc:"When it was created."`
	UpdatedAt     time.Time                  `json:"updatedAt" doc:"When it was last changed."`
}
