package apitype

import "time"

// ApplicationIn creates an application (POST) or states all of it (PUT).
type ApplicationIn struct {
	Name         string                      `json:"name" minLength:"1" example:"Acme Ltd" doc:"Name for people."`
	UID          Optional[string]            `json:"uid,omitzero" minLength:"1" maxLength:"256" example:"customer-42" doc:"The caller's own id, unique in the environment: letters, digits, and - _ . Usable wherever an application id is."`
	ThrottleRate Optional[uint16]            `json:"throttleRate,omitzero" minimum:"1" example:"100" doc:"Most messages a second sent to all endpoints of the application. Null for no limit."`
	RateLimit    Optional[uint16]            `json:"rateLimit,omitzero" minimum:"1" deprecated:"true" doc:"Older name of throttleRate."`
	Metadata     Optional[map[string]string] `json:"metadata,omitzero" nullable:"false" doc:"Free text by name, at most 4096 bytes as JSON."`
}

// ApplicationPatch changes the members that are present.
type ApplicationPatch struct {
	Name         Optional[string]            `json:"name,omitzero" nullable:"false" minLength:"1" doc:"Name for people."`
	UID          Optional[string]            `json:"uid,omitzero" minLength:"1" maxLength:"256" doc:"The caller's own id. Null removes it."`
	ThrottleRate Optional[uint16]            `json:"throttleRate,omitzero" minimum:"1" doc:"Most messages a second. Null removes the limit."`
	RateLimit    Optional[uint16]            `json:"rateLimit,omitzero" minimum:"1" deprecated:"true" doc:"Older name of throttleRate."`
	Metadata     Optional[map[string]string] `json:"metadata,omitzero" nullable:"false" doc:"Replaces all of the metadata."`
}

// ApplicationOut is an application: one customer who receives webhooks.
type ApplicationOut struct {
	ID           string            `json:"id" example:"app_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id, sortable by time of creation."`
	UID          *string           `json:"uid" doc:"The caller's own id, null if none was given."`
	Name         string            `json:"name" doc:"Name for people."`
	ThrottleRate *uint16           `json:"throttleRate" doc:"Most messages a second sent to the application, null for no limit."`
	RateLimit    *uint16           `json:"rateLimit" deprecated:"true" doc:"Older name of throttleRate."`
	Metadata     map[string]string `json:"metadata" doc:"Free text by name."`
	CreatedAt    time.Time         `json:"createdAt" doc:"When it was created."`
	UpdatedAt    time.Time         `json:"updatedAt" doc:"When it was last changed."`
}

// ApplicationRow is an application in a list, with how many endpoints it has where the
// caller searches.
type ApplicationRow struct {
	ApplicationOut
	Endpoints *EndpointCounts `json:"endpoints,omitempty" doc:"How many endpoints it has. Only if the list was asked for with q, which may be empty."`
}

// EndpointCounts counts the endpoints of an application.
type EndpointCounts struct {
	Total    int `json:"total" minimum:"0" doc:"All of them."`
	Failing  int `json:"failing" minimum:"0" doc:"Those that have had nothing but failures since their last success."`
	Disabled int `json:"disabled" minimum:"0" doc:"Those that are disabled."`
}
