package apitype

import "time"

// EndpointState says in a word how an endpoint is.
type EndpointState string

// The states of an endpoint.
const (
	EndpointActive   EndpointState = "active"   // takes deliveries
	EndpointFailing  EndpointState = "failing"  // takes deliveries, and the last attempt failed
	EndpointDisabled EndpointState = "disabled" // takes none
)

// EndpointRow is an endpoint in lists over all applications, with how it has been
// in the last 24 hours.
type EndpointRow struct {
	EndpointOut
	AppID    string        `json:"appId" doc:"Id of the application or source that it belongs to."`
	AppName  string        `json:"appName" doc:"Name of the application or source."`
	SourceID *string       `json:"sourceId" doc:"Id of the source that it belongs to, null if that is an application."`
	State    EndpointState `json:"state" enum:"active,failing,disabled" doc:"How it is: disabled, failing if the last attempt failed, else active."`
	Health   HealthOut     `json:"health" doc:"The last 24 hours."`
}

// EndpointRows is a page of endpoints of all applications and sources, newest first.
type EndpointRows struct {
	List[EndpointRow]
	Searched
}

// HealthOut sums up the attempts at an endpoint in whole hours.
type HealthOut struct {
	Attempts  int64        `json:"attempts" minimum:"0" doc:"Attempts that ended."`
	Succeeded int64        `json:"succeeded" minimum:"0" doc:"Those that were answered with 2xx."`
	P50Ms     *float64     `json:"p50Ms" doc:"Half of the attempts took at most this long, in milliseconds; estimated to a third. Null without attempts."`
	P95Ms     *float64     `json:"p95Ms" doc:"95 of 100 attempts took at most this long, in milliseconds; estimated to a third. Null without attempts."`
	Hours     []HealthHour `json:"hours" nullable:"false" doc:"Every hour of the range, oldest first."`
}

// HealthHour is one hour of a HealthOut.
type HealthHour struct {
	At        time.Time `json:"at" doc:"Beginning of the hour."`
	Succeeded int64     `json:"succeeded" minimum:"0" doc:"Attempts that were answered with 2xx."`
	Failed    int64     `json:"failed" minimum:"0" doc:"Attempts that failed."`
}

// EndpointHealth is the health of one endpoint in a range of time, with why attempts
// failed and how long they took hour by hour.
type EndpointHealth struct {
	Since     time.Time      `json:"since" doc:"Beginning of the range: a whole hour."`
	Until     time.Time      `json:"until" doc:"End of the range: a whole hour."`
	State     EndpointState  `json:"state" enum:"active,failing,disabled" doc:"How it is now."`
	Attempts  int64          `json:"attempts" minimum:"0" doc:"Attempts that ended."`
	Succeeded int64          `json:"succeeded" minimum:"0" doc:"Those that were answered with 2xx."`
	P50Ms     *float64       `json:"p50Ms" doc:"Half of the attempts took at most this long, in milliseconds; estimated to a third. Null without attempts."`
	P95Ms     *float64       `json:"p95Ms" doc:"95 of 100 attempts took at most this long, in milliseconds; estimated to a third. Null without attempts."`
	Hours     []HealthDetail `json:"hours" nullable:"false" doc:"Every hour of the range, oldest first."`
	Failures  []OutcomeCount `json:"failures" nullable:"false" doc:"Why attempts failed, the most frequent first."`
	Retries   []float64      `json:"retries" nullable:"false" doc:"The server's waits before each retry of a delivery, in seconds, without jitter."`
}

// HealthDetail is one hour of an EndpointHealth.
type HealthDetail struct {
	HealthHour
	P50Ms *float64 `json:"p50Ms" doc:"Half of the attempts took at most this long, in milliseconds. Null without attempts."`
	P95Ms *float64 `json:"p95Ms" doc:"95 of 100 attempts took at most this long, in milliseconds. Null without attempts."`
}

// OutcomeCount counts attempts of one outcome.
type OutcomeCount struct {
	Outcome string `json:"outcome" example:"timeout" doc:"Class of the result, as attempts have it."`
	Count   int64  `json:"count" minimum:"1" doc:"How many attempts."`
}
