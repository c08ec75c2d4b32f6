package apitype

import (
	"encoding/json"
	"time"
)

// SourceIn creates a source (POST) or states it (PUT). A PUT leaves what is absent from
// config on as it is, and so the secrets; null is the default.
type SourceIn struct {
	Name           string                      `json:"name" minLength:"1" example:"Payments" doc:"Name for people."`
	UID            Optional[string]            `json:"uid,omitzero" minLength:"1" maxLength:"256" doc:"The caller's own id, unique in the environment: letters, digits, and - _ . Usable wherever a source id is."`
	Type           string                      `json:"type" minLength:"1" example:"stripe" doc:"Who sends to it, see /ingest/api/v1/source-type; cron for a source that makes its events itself. It decides how requests are verified."`
	Metadata       Optional[map[string]string] `json:"metadata,omitzero" nullable:"false" doc:"Free text by name, at most 4096 bytes as JSON."`
	Config         Optional[json.RawMessage]   `json:"config,omitzero" doc:"Members by type, as other servers of this API know them: secret, or publicKey; verifyToken; timestampGraceSeconds; for cron schedule, payload and contentType. It replaces all secrets if it has one."`
	Secrets        Optional[[]SourceSecretIn]  `json:"secrets,omitzero" maxItems:"10" doc:"All secrets that the provider may sign with, the current one first. Not together with a secret in config."`
	Verification   Optional[json.RawMessage]   `json:"verification,omitzero" doc:"Settings of the provider, an object. The list of source types names the members that each provider reads."`
	Dedupe         Optional[SourceDedupe]      `json:"dedupe,omitzero" doc:"What makes two requests the same event. Default: the provider's event id."`
	EventType      Optional[SourcePick]        `json:"eventType,omitzero" doc:"What kind of event a request is. Default: as the provider tells."`
	Responses      Optional[[]SourceResponse]  `json:"responses,omitzero" maxItems:"20" doc:"Answers to accepted requests; the first that fits counts. None fits: what the provider wants."`
	Routes         Optional[[]SourceRoute]     `json:"routes,omitzero" maxItems:"20" doc:"Applications that get each event as a message too."`
	Rate           Optional[uint32]            `json:"rate,omitzero" minimum:"1" maximum:"100000" doc:"Most requests a second; more are answered 429. Null for no limit."`
	MaxBody        Optional[int64]             `json:"maxBody,omitzero" minimum:"1" doc:"Longest body in bytes, at most the server's own limit. Null for that one."`
	EmptyBody      Optional[bool]              `json:"emptyBody,omitzero" doc:"True if a request without a body is an event. Default: false."`
	RequireJSON    Optional[bool]              `json:"requireJson,omitzero" doc:"True to refuse bodies that are not JSON, with 415. Default: false."`
	Methods        Optional[[]string]          `json:"methods,omitzero" maxItems:"4" example:"PUT" doc:"Methods that are taken besides POST: PUT, PATCH, DELETE, GET."`
	AllowNets      Optional[[]string]          `json:"allowNets,omitzero" maxItems:"100" example:"192.0.2.0/24" doc:"Networks that requests may come from. Null for any."`
	ClientCA       Optional[string]            `json:"clientCa,omitzero" doc:"Certificates in PEM: a sender must show a certificate of one of these authorities. Null for none."`
	ForwardHeaders Optional[[]string]          `json:"forwardHeaders,omitzero" maxItems:"2" doc:"Authorization and Cookie, which endpoints do not get by default."`
	Disabled       Optional[bool]              `json:"disabled,omitzero" doc:"True to take nothing: the URL answers 404. Default: false."`
	Cron           Optional[SourceCron]        `json:"cron,omitzero" doc:"When a source of type cron makes an event, and which. Not together with config."`
}

// SourcePatch changes the members that are present.
type SourcePatch struct {
	Name           Optional[string]            `json:"name,omitzero" nullable:"false" minLength:"1" doc:"Name for people."`
	UID            Optional[string]            `json:"uid,omitzero" minLength:"1" maxLength:"256" doc:"The caller's own id. Null removes it."`
	Type           Optional[string]            `json:"type,omitzero" nullable:"false" minLength:"1" doc:"Who sends to it. Another type drops the secrets and verification settings of the one before."`
	Metadata       Optional[map[string]string] `json:"metadata,omitzero" nullable:"false" doc:"Replaces all of the metadata."`
	Config         Optional[json.RawMessage]   `json:"config,omitzero" doc:"Members by type, as other servers of this API know them: secret, or publicKey; verifyToken; timestampGraceSeconds; for cron schedule, payload and contentType. It replaces all secrets if it has one."`
	Secrets        Optional[[]SourceSecretIn]  `json:"secrets,omitzero" maxItems:"10" doc:"All secrets that the provider may sign with, the current one first. Not together with a secret in config."`
	Verification   Optional[json.RawMessage]   `json:"verification,omitzero" doc:"Settings of the provider, an object. The list of source types names the members that each provider reads."`
	Dedupe         Optional[SourceDedupe]      `json:"dedupe,omitzero" doc:"What makes two requests the same event. Default: the provider's event id."`
	EventType      Optional[SourcePick]        `json:"eventType,omitzero" doc:"What kind of event a request is. Default: as the provider tells."`
	Responses      Optional[[]SourceResponse]  `json:"responses,omitzero" maxItems:"20" doc:"Answers to accepted requests; the first that fits counts. None fits: what the provider wants."`
	Routes         Optional[[]SourceRoute]     `json:"routes,omitzero" maxItems:"20" doc:"Applications that get each event as a message too."`
	Rate           Optional[uint32]            `json:"rate,omitzero" minimum:"1" maximum:"100000" doc:"Most requests a second; more are answered 429. Null for no limit."`
	MaxBody        Optional[int64]             `json:"maxBody,omitzero" minimum:"1" doc:"Longest body in bytes, at most the server's own limit. Null for that one."`
	EmptyBody      Optional[bool]              `json:"emptyBody,omitzero" doc:"True if a request without a body is an event. Default: false."`
	RequireJSON    Optional[bool]              `json:"requireJson,omitzero" doc:"True to refuse bodies that are not JSON, with 415. Default: false."`
	Methods        Optional[[]string]          `json:"methods,omitzero" maxItems:"4" example:"PUT" doc:"Methods that are taken besides POST: PUT, PATCH, DELETE, GET."`
	AllowNets      Optional[[]string]          `json:"allowNets,omitzero" maxItems:"100" example:"192.0.2.0/24" doc:"Networks that requests may come from. Null for any."`
	ClientCA       Optional[string]            `json:"clientCa,omitzero" doc:"Certificates in PEM: a sender must show a certificate of one of these authorities. Null for none."`
	ForwardHeaders Optional[[]string]          `json:"forwardHeaders,omitzero" maxItems:"2" doc:"Authorization and Cookie, which endpoints do not get by default."`
	Disabled       Optional[bool]              `json:"disabled,omitzero" doc:"True to take nothing: the URL answers 404. Default: false."`
	Cron           Optional[SourceCron]        `json:"cron,omitzero" doc:"When a source of type cron makes an event, and which. Not together with config."`
}

// Patch gives the change that makes a source what in states.
func (in SourceIn) Patch() SourcePatch {
	p := SourcePatch{
		Name: Some(in.Name), UID: in.UID, Type: Some(in.Type), Metadata: in.Metadata,
		Config: in.Config, Secrets: in.Secrets, Verification: in.Verification, Dedupe: in.Dedupe,
		EventType: in.EventType, Responses: in.Responses, Routes: in.Routes, Rate: in.Rate,
		MaxBody: in.MaxBody, EmptyBody: in.EmptyBody, RequireJSON: in.RequireJSON, Methods: in.Methods,
		AllowNets: in.AllowNets, ClientCA: in.ClientCA, ForwardHeaders: in.ForwardHeaders, Disabled: in.Disabled,
		Cron: in.Cron,
	}
	if in.UID.IsZero() {
		p.UID = Null[string]()
	}
	if in.Metadata.IsZero() {
		p.Metadata = Null[map[string]string]()
	}
	return p
}

// SourceSecretIn is one secret that a provider signs with.
type SourceSecretIn struct {
	Value     string              `json:"value" minLength:"1" doc:"The text as the provider shows it."`
	ExpiresAt Optional[time.Time] `json:"expiresAt,omitzero" doc:"When it stops verifying. Absent or null for never."`
}

// SourceDedupe says where the key is that a repeated event repeats.
type SourceDedupe struct {
	By string `json:"by,omitempty" example:"header" doc:"header, body (a path in the JSON), hash (of the whole body) or none. Absent for the provider's event id."`
	At string `json:"at,omitempty" example:"X-Event-Id" doc:"Name of the header, or path such as data.id. Only for header and body."`
}

// SourcePick is a fixed word or the one place where to find it.
type SourcePick struct {
	Fixed  string `json:"fixed,omitempty" example:"order.paid" doc:"The word itself."`
	Header string `json:"header,omitempty" example:"X-Event-Type" doc:"Name of a header that has it."`
	Body   string `json:"body,omitempty" example:"data.type" doc:"Path in the JSON body to it."`
}

// SourceResponse answers accepted requests.
type SourceResponse struct {
	EventType string            `json:"eventType,omitempty" doc:"Only for events of this type. Absent for all."`
	Status    int               `json:"status" minimum:"200" maximum:"299" example:"200" doc:"HTTP status of the answer."`
	Headers   map[string]string `json:"headers,omitempty" doc:"Headers of the answer by name."`
	Body      string            `json:"body,omitempty" doc:"Body of the answer, at most 65536 bytes."`
}

// SourceRoute makes an event of a source a message of an application as well.
type SourceRoute struct {
	App       string     `json:"app" example:"customer-42" doc:"Id or uid of the application; answers have the id."`
	EventType SourcePick `json:"eventType,omitzero" doc:"Event type of the message. Absent: the source's, with each character that a name cannot have replaced by a dot."`
	Only      []string   `json:"only,omitempty" maxItems:"100" doc:"Only events of these types of the source. Absent for all."`
}

// SourceCron says when a source makes an event, and which.
type SourceCron struct {
	Schedule    string `json:"schedule" minLength:"1" example:"0 9 * * 1-5" doc:"Minute, hour, day of month, month and day of week, or @hourly and the like."`
	TimeZone    string `json:"timeZone,omitempty" example:"Europe/Berlin" doc:"Time zone of the schedule, an IANA name. Absent for UTC."`
	EventType   string `json:"eventType,omitempty" doc:"Type of the events. Absent: cron."`
	ContentType string `json:"contentType,omitempty" doc:"Media type of the payload. Absent: application/json."`
	Payload     string `json:"payload" doc:"Body of the events."`
}

// SourceOut is a source: an ingest URL with the verification of whoever sends to it.
type SourceOut struct {
	ID             string            `json:"id" example:"src_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id, sortable by time of creation."`
	UID            *string           `json:"uid" doc:"The caller's own id, null if none was given."`
	Name           string            `json:"name" doc:"Name for people."`
	Type           string            `json:"type" example:"stripe" doc:"Who sends to it, by the name that was given."`
	Provider       string            `json:"provider" example:"stripe" doc:"The source type that verifies, which differs from type if that is another name of it."`
	Config         json.RawMessage   `json:"config" doc:"The part of the settings that is no secret, as other servers of this API show it."`
	IngestURL      *string           `json:"ingestUrl" format:"uri" doc:"Where the provider is to send. Who knows it can send; null for cron."`
	Metadata       map[string]string `json:"metadata" doc:"Free text by name."`
	Disabled       bool              `json:"disabled" doc:"True if it takes nothing."`
	Secrets        []SourceSecretOut `json:"secrets" nullable:"false" doc:"The secrets that the provider may sign with, without their texts."`
	OldTokens      []time.Time       `json:"oldTokens" nullable:"false" doc:"When former ingest URLs, which still work, stop working."`
	Verification   json.RawMessage   `json:"verification" doc:"Settings of the provider."`
	Dedupe         *SourceDedupe     `json:"dedupe,omitempty" doc:"What makes two requests the same event. Absent for the provider's event id."`
	EventType      *SourcePick       `json:"eventType,omitempty" doc:"What kind of event a request is. Absent for as the provider tells."`
	Responses      []SourceResponse  `json:"responses" nullable:"false" doc:"Answers to accepted requests."`
	Routes         []SourceRoute     `json:"routes" nullable:"false" doc:"Applications that get each event as a message too."`
	Rate           *uint32           `json:"rate" doc:"Most requests a second, null for no limit."`
	MaxBody        *int64            `json:"maxBody" doc:"Longest body in bytes, null for the server's limit."`
	EmptyBody      bool              `json:"emptyBody" doc:"True if a request without a body is an event."`
	RequireJSON    bool              `json:"requireJson" doc:"True if bodies that are not JSON are refused."`
	Methods        []string          `json:"methods" nullable:"false" doc:"Methods that are taken besides POST."`
	AllowNets      []string          `json:"allowNets" doc:"Networks that requests may come from, null for any."`
	ClientCA       *string           `json:"clientCa" doc:"Authorities of client certificates in PEM, null if none is asked for."`
	ForwardHeaders []string          `json:"forwardHeaders" nullable:"false" doc:"Headers that endpoints get although they do not by default."`
	Cron           *SourceCron       `json:"cron,omitempty" doc:"When it makes an event and which. Absent unless its type is cron."`
	NextFire       *time.Time        `json:"nextFire" doc:"When it makes its next event, null unless its type is cron."`
	CreatedAt      time.Time         `json:"createdAt" doc:"When it was created."`
	UpdatedAt      time.Time         `json:"updatedAt" doc:"When it was last changed."`
}

// SourceRow is a source in a list, with what reached it last where the caller searches.
type SourceRow struct {
	SourceOut
	LastRequest *SourceRequest `json:"lastRequest,omitempty" doc:"What reached it last, of what is kept. Absent if nothing did, and unless the list was asked for with q, which may be empty."`
}

// SourceRequest is a request of a source in a few words.
type SourceRequest struct {
	ID         string       `json:"id" example:"req_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id of the request."`
	State      RequestState `json:"state" enum:"accepted,duplicate,duplicate_differs,refused,handshake" doc:"What became of it."`
	Reason     string       `json:"reason" example:"signature_mismatch" doc:"Stable name of the reason, for programs."`
	ReceivedAt time.Time    `json:"receivedAt" doc:"When it arrived."`
}

// SourceSecretOut is a secret without its text.
type SourceSecretOut struct {
	ExpiresAt *time.Time `json:"expiresAt" doc:"When it stops verifying, null for never."`
}

// SourceSecretsOut shows the secrets of a source.
type SourceSecretsOut struct {
	Secrets []SourceSecretText `json:"secrets" nullable:"false" doc:"All of them, the current one first."`
}

// SourceSecretText is a secret with its text.
type SourceSecretText struct {
	Value     string     `json:"value" doc:"The text as the provider shows it."`
	ExpiresAt *time.Time `json:"expiresAt" doc:"When it stops verifying, null for never."`
}

// SourceSecretRotateIn adds a secret, which takes the place of the current one.
type SourceSecretRotateIn struct {
	Value              string           `json:"value" minLength:"1" doc:"The new secret, as the provider shows it."`
	GracePeriodSeconds Optional[uint32] `json:"gracePeriodSeconds,omitzero" minimum:"0" maximum:"2592000" example:"86400" doc:"How many seconds requests signed with the secrets before are taken as well. Default: 86400."`
}

// RotateTokenOut tells the new ingest URL.
type RotateTokenOut struct {
	IngestURL string `json:"ingestUrl" format:"uri" doc:"Where the provider is to send from now on. The URL before works for another 48 hours."`
}

// SourceTypeOut is a type of source: who sends, and how that is verified.
type SourceTypeOut struct {
	Name             string   `json:"name" example:"stripe" doc:"The type, as a source has it."`
	Title            string   `json:"title" example:"Stripe" doc:"Name for people."`
	Scheme           string   `json:"scheme" doc:"What is signed and how, in a line."`
	Headers          []string `json:"headers" nullable:"false" doc:"Headers that the scheme reads."`
	SecretHelp       string   `json:"secretHelp" doc:"Where the secret is found."`
	SecretOptional   bool     `json:"secretOptional" doc:"True if it can be used without a secret."`
	ToleranceSeconds int      `json:"toleranceSeconds" minimum:"0" doc:"How far the signed time may lie from now; 0 if the scheme has none."`
	Settings         []string `json:"settings" nullable:"false" doc:"Members of verification that it reads."`
	Samples          []string `json:"samples" nullable:"false" doc:"Types of sample events that grapnel send NAME/TYPE --to URL sends, signed."`
}
