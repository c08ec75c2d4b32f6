package apitype

import (
	"encoding/json"
	"time"
)

// EndpointVersion is the value of the deprecated member version in every answer.
const EndpointVersion int32 = 1

// EndpointIn creates an endpoint.
type EndpointIn struct {
	URL          string                      `json:"url" format:"uri" minLength:"1" maxLength:"65536" example:"https://example.com/webhooks" doc:"Where to send: https, or http if the server allows it. A user and password in it become an authorization header and are not shown again."`
	Description  Optional[string]            `json:"description,omitzero" nullable:"false" doc:"Free text for people. Default: empty."`
	UID          Optional[string]            `json:"uid,omitzero" minLength:"1" maxLength:"256" doc:"The caller's own id, unique in the application: letters, digits, and - _ ."`
	Disabled     Optional[bool]              `json:"disabled,omitzero" nullable:"false" doc:"True to send nothing to it. Default: false."`
	EventTypes   Optional[[]string]          `json:"eventTypes,omitzero" minItems:"1" example:"invoice.paid,invoice.voided" doc:"Only messages of these types. Null or absent for all."`
	FilterTypes  Optional[[]string]          `json:"filterTypes,omitzero" minItems:"1" deprecated:"true" doc:"Older name of eventTypes."`
	Channels     Optional[[]string]          `json:"channels,omitzero" minItems:"1" maxItems:"10" example:"project_1337" doc:"Only messages that name one of these channels. Null or absent for all messages."`
	ThrottleRate Optional[uint16]            `json:"throttleRate,omitzero" minimum:"1" doc:"Most deliveries a second. Null for no limit."`
	RateLimit    Optional[uint16]            `json:"rateLimit,omitzero" minimum:"1" deprecated:"true" doc:"Older name of throttleRate."`
	Metadata     Optional[map[string]string] `json:"metadata,omitzero" nullable:"false" doc:"Free text by name, at most 4096 bytes as JSON."`
	Version      Optional[uint16]            `json:"version,omitzero" minimum:"1" deprecated:"true" doc:"Accepted for older clients; has no meaning."`
	Secret       Optional[string]            `json:"secret,omitzero" doc:"Signing key: whsec_ and base64 of 24 to 75 bytes, or whsk_ and the base64 of an Ed25519 private key. Made by the server if absent, which is best."`
	Headers      Optional[map[string]string] `json:"headers,omitzero" doc:"Request headers to add to each delivery. Each value at most 4096 bytes."`
}

// Update gives the members that a PUT states as well: all but secret and headers.
func (in EndpointIn) Update() EndpointUpdate {
	return EndpointUpdate{
		URL: in.URL, Description: in.Description, UID: in.UID, Disabled: in.Disabled,
		EventTypes: in.EventTypes, FilterTypes: in.FilterTypes, Channels: in.Channels,
		ThrottleRate: in.ThrottleRate, RateLimit: in.RateLimit, Metadata: in.Metadata, Version: in.Version,
	}
}

// EndpointUpdate states all of an endpoint but its secret and headers, which have
// calls of their own and stay as they are.
type EndpointUpdate struct {
	URL          string                      `json:"url" format:"uri" minLength:"1" maxLength:"65536" example:"https://example.com/webhooks" doc:"Where to send: https, or http if the server allows it. A user and password in it become an authorization header and are not shown again."`
	Description  Optional[string]            `json:"description,omitzero" nullable:"false" doc:"Free text for people. Default: empty."`
	UID          Optional[string]            `json:"uid,omitzero" minLength:"1" maxLength:"256" doc:"The caller's own id, unique in the application: letters, digits, and - _ ."`
	Disabled     Optional[bool]              `json:"disabled,omitzero" nullable:"false" doc:"True to send nothing to it. Default: false."`
	EventTypes   Optional[[]string]          `json:"eventTypes,omitzero" minItems:"1" example:"invoice.paid,invoice.voided" doc:"Only messages of these types. Null or absent for all."`
	FilterTypes  Optional[[]string]          `json:"filterTypes,omitzero" minItems:"1" deprecated:"true" doc:"Older name of eventTypes."`
	Channels     Optional[[]string]          `json:"channels,omitzero" minItems:"1" maxItems:"10" example:"project_1337" doc:"Only messages that name one of these channels. Null or absent for all messages."`
	ThrottleRate Optional[uint16]            `json:"throttleRate,omitzero" minimum:"1" doc:"Most deliveries a second. Null for no limit."`
	RateLimit    Optional[uint16]            `json:"rateLimit,omitzero" minimum:"1" deprecated:"true" doc:"Older name of throttleRate."`
	Metadata     Optional[map[string]string] `json:"metadata,omitzero" nullable:"false" doc:"Free text by name, at most 4096 bytes as JSON."`
	Version      Optional[uint16]            `json:"version,omitzero" minimum:"1" deprecated:"true" doc:"Accepted for older clients; has no meaning."`
}

// EndpointPatch changes the members that are present.
type EndpointPatch struct {
	URL          Optional[string]            `json:"url,omitzero" nullable:"false" format:"uri" minLength:"1" maxLength:"65536" doc:"Where to send."`
	Description  Optional[string]            `json:"description,omitzero" nullable:"false" doc:"Free text for people."`
	UID          Optional[string]            `json:"uid,omitzero" minLength:"1" maxLength:"256" doc:"The caller's own id. Null removes it."`
	Disabled     Optional[bool]              `json:"disabled,omitzero" nullable:"false" doc:"True to send nothing to it."`
	EventTypes   Optional[[]string]          `json:"eventTypes,omitzero" minItems:"1" doc:"Only messages of these types. Null for all."`
	FilterTypes  Optional[[]string]          `json:"filterTypes,omitzero" minItems:"1" deprecated:"true" doc:"Older name of eventTypes."`
	Channels     Optional[[]string]          `json:"channels,omitzero" minItems:"1" maxItems:"10" doc:"Only messages that name one of these channels. Null for all messages."`
	ThrottleRate Optional[uint16]            `json:"throttleRate,omitzero" minimum:"1" doc:"Most deliveries a second. Null removes the limit."`
	RateLimit    Optional[uint16]            `json:"rateLimit,omitzero" minimum:"1" deprecated:"true" doc:"Older name of throttleRate."`
	Secret       Optional[string]            `json:"secret,omitzero" deprecated:"true" doc:"Replaces the signing key at once; null makes a new one. The call secret/rotate keeps the old one valid for a while."`
	Metadata     Optional[map[string]string] `json:"metadata,omitzero" nullable:"false" doc:"Replaces all of the metadata."`
	Version      Optional[uint16]            `json:"version,omitzero" nullable:"false" minimum:"1" deprecated:"true" doc:"Accepted for older clients; has no meaning."`
}

// EndpointOut is an endpoint: one target of an application.
type EndpointOut struct {
	EndpointFacts
	Metadata map[string]string `json:"metadata" doc:"Free text by name."`
}

// EndpointFacts are the members that an endpoint has wherever it is shown.
type EndpointFacts struct {
	ID             string     `json:"id" example:"ep_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id, sortable by time of creation."`
	UID            *string    `json:"uid" doc:"The caller's own id, null if none was given."`
	URL            string     `json:"url" format:"uri" doc:"Where it sends, without user and password."`
	Description    string     `json:"description" doc:"Free text for people."`
	Disabled       bool       `json:"disabled" doc:"True if nothing is sent to it."`
	DisabledReason string     `json:"disabledReason,omitempty" example:"gone_410" doc:"Why it is disabled: by_user, gone_410 (it answered 410) or failing (nothing but failures for too long). Absent if it is enabled."`
	DisabledAt     *time.Time `json:"disabledAt,omitempty" doc:"Since when it is disabled. Absent if it is enabled."`
	FailingSince   *time.Time `json:"failingSince,omitempty" doc:"First failed attempt after the last success. Absent if the last attempt succeeded."`
	EventTypes     []string   `json:"eventTypes" doc:"Only messages of these types, null for all."`
	FilterTypes    []string   `json:"filterTypes" deprecated:"true" doc:"Older name of eventTypes."`
	Channels       []string   `json:"channels" doc:"Only messages that name one of these channels, null for all messages."`
	ThrottleRate   *uint16    `json:"throttleRate" doc:"Most deliveries a second, null for no limit."`
	RateLimit      *uint16    `json:"rateLimit" deprecated:"true" doc:"Older name of throttleRate."`
	Version        int32      `json:"version" deprecated:"true" example:"1" doc:"Has no meaning; it is always 1."`
	CreatedAt      time.Time  `json:"createdAt" doc:"When it was created."`
	UpdatedAt      time.Time  `json:"updatedAt" doc:"When it was last changed."`
}

// EndpointSecretOut is the key that verifies an endpoint's signatures.
type EndpointSecretOut struct {
	Key string `json:"key" example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" doc:"The shared key (whsec_), or the public half (whpk_) if the signatures are Ed25519."`
}

// EndpointSecretRotateIn replaces an endpoint's signing key.
type EndpointSecretRotateIn struct {
	Key                Optional[string] `json:"key,omitzero" doc:"The new key, in a form that creation accepts. Null or absent: the server makes one."`
	GracePeriodSeconds Optional[uint32] `json:"gracePeriodSeconds,omitzero" minimum:"0" maximum:"604800" example:"86400" doc:"How many seconds deliveries are signed with the old key as well. Default: 86400."`
}

// EndpointHeadersIn replaces the added request headers.
type EndpointHeadersIn struct {
	Headers map[string]string `json:"headers" doc:"Value by header name."`
}

// EndpointHeadersPatchIn changes some of the added request headers. Both members may
// be absent or null: there is nothing to set, or nothing to remove.
type EndpointHeadersPatchIn struct {
	Headers       Optional[map[string]*string] `json:"headers,omitzero" doc:"Value by header name. A null value removes the header."`
	DeleteHeaders Optional[[]string]           `json:"deleteHeaders,omitzero" doc:"Names of headers to remove."`
}

// EndpointHeadersOut shows the added request headers.
type EndpointHeadersOut struct {
	Headers   map[string]string `json:"headers" doc:"Value by header name, without the secret ones."`
	Sensitive []string          `json:"sensitive" nullable:"false" doc:"Names of headers whose value is kept secret."`
}

// EndpointStats counts the attempts of an endpoint in a range of time by status.
type EndpointStats struct {
	Success  int64 `json:"success" doc:"Attempts that were answered with 2xx."`
	Pending  int64 `json:"pending" doc:"Deliveries that wait for their first attempt."`
	Sending  int64 `json:"sending" doc:"Deliveries that are being sent or will be retried."`
	Fail     int64 `json:"fail" doc:"Attempts that failed."`
	Canceled int64 `json:"canceled" doc:"Deliveries that were canceled."`
}

// EventExampleIn sends the example of an event type to one endpoint.
type EventExampleIn struct {
	EventType    string           `json:"eventType" minLength:"1" maxLength:"256" example:"invoice.paid" doc:"Name of the event type."`
	ExampleIndex Optional[uint64] `json:"exampleIndex,omitzero" nullable:"false" minimum:"0" doc:"Which of the examples in the type's schema to send, from 0. Default: 0."`
	// Payload is ours.
	Payload Optional[json.RawMessage] `json:"payload,omitzero" nullable:"false" doc:"A JSON object to send byte for byte in place of an example. It must fit the schema if the type enforces one. Not together with exampleIndex."`
}

// RecoverIn sends again what failed for good since a time.
type RecoverIn struct {
	Since time.Time           `json:"since" doc:"Messages from here on. At most 14 days before until."`
	Until Optional[time.Time] `json:"until,omitzero" doc:"Messages before this. Default: now."`
	Rate  Optional[uint32]    `json:"rate,omitzero" minimum:"1" maximum:"10000" doc:"Most messages a second. Null or absent for no limit."`
}

// RecoverRange is the range of time that a recover or a replay is counted for.
type RecoverRange struct {
	Since time.Time           `json:"since" doc:"Messages from here on. At most 14 days before until."`
	Until Optional[time.Time] `json:"until,omitzero" doc:"Messages before this. Default: now."`
}
