package apitype

import "time"

// OverviewOut is how an environment has been doing in a range of time, and what needs
// somebody.
type OverviewOut struct {
	Since       time.Time       `json:"since" doc:"Beginning of the range."`
	Until       time.Time       `json:"until" doc:"End of the range."`
	StepSeconds int             `json:"stepSeconds" example:"3600" doc:"How many seconds each point of the series covers."`
	Tiles       OverviewTiles   `json:"tiles" doc:"The range in four figures."`
	Series      []OverviewPoint `json:"series" nullable:"false" doc:"Every step of the range, oldest first."`
	Attention   []Attention     `json:"attention" nullable:"false" doc:"What needs somebody, the most severe first. Empty if nothing does."`
}

// OverviewTiles are the figures of a range.
type OverviewTiles struct {
	Accepted           int64    `json:"accepted" minimum:"0" doc:"Messages that were accepted."`
	Attempts           int64    `json:"attempts" minimum:"0" doc:"Attempts that ended."`
	Succeeded          int64    `json:"succeeded" minimum:"0" doc:"Attempts that were answered with 2xx."`
	DeliveredShare     *float64 `json:"deliveredShare" minimum:"0" maximum:"1" doc:"Share of the attempts that were answered with 2xx, 0 to 1. Null without attempts."`
	MedianToDeliveryMs *float64 `json:"medianToDeliveryMs" doc:"Half of what was delivered had taken at most this long since it was accepted, in milliseconds; estimated to a third. Null if nothing was."`
	P95ToDeliveryMs    *float64 `json:"p95ToDeliveryMs" doc:"The same for 95 of 100."`
	FailingEndpoints   int      `json:"failingEndpoints" minimum:"0" doc:"Endpoints whose last attempt failed, now."`
	DisabledEndpoints  int      `json:"disabledEndpoints" minimum:"0" doc:"Endpoints that the server disabled, now."`
	EndpointsMore      bool     `json:"endpointsMore" doc:"True if counting endpoints stopped at a bound: there may be more."`
}

// OverviewPoint is one step of the series.
type OverviewPoint struct {
	At                 time.Time `json:"at" doc:"Beginning of the step."`
	Accepted           int64     `json:"accepted" minimum:"0" doc:"Messages that were accepted."`
	Delivered          int64     `json:"delivered" minimum:"0" doc:"Attempts that were answered with 2xx."`
	Failed             int64     `json:"failed" minimum:"0" doc:"Attempts that failed."`
	MedianToDeliveryMs *float64  `json:"medianToDeliveryMs" doc:"As in the tiles, for this step."`
}

// AttentionKind is what something that needs somebody is about.
type AttentionKind string

// The kinds.
const (
	AttentionNoNode           AttentionKind = "no_node"           // nothing is delivered
	AttentionBacklog          AttentionKind = "backlog"           // what is due waits
	AttentionEndpointDisabled AttentionKind = "endpoint_disabled" // by the server
	AttentionEndpointFailing  AttentionKind = "endpoint_failing"  // and will be disabled
	AttentionSourceRefused    AttentionKind = "source_refused"    // signatures do not fit
	AttentionSecretExpiring   AttentionKind = "secret_expiring"   // a former secret ends soon
)

// Severity says how soon somebody is needed.
type Severity string

// The severities, the worst first.
const (
	SeverityError   Severity = "error"   // something is lost or stands still
	SeverityWarning Severity = "warning" // it will be
	SeverityInfo    Severity = "info"    // good to know
)

// Attention is one thing that needs somebody.
type Attention struct {
	Kind       AttentionKind `json:"kind" enum:"no_node,backlog,endpoint_disabled,endpoint_failing,source_refused,secret_expiring" doc:"What it is about."`
	Severity   Severity      `json:"severity" enum:"error,warning,info" doc:"How soon somebody is needed."`
	Text       string        `json:"text" doc:"What is the matter, as a sentence."`
	Since      *time.Time    `json:"since" doc:"Since when, null if that is not known."`
	AppID      *string       `json:"appId" doc:"Application or source that the endpoint belongs to, null if it is about none."`
	AppName    *string       `json:"appName" doc:"Name of that application or source."`
	EndpointID *string       `json:"endpointId" doc:"Endpoint that it is about, null if it is about none."`
	SourceID   *string       `json:"sourceId" doc:"Source that it is about, null if it is about none."`
	Count      int           `json:"count" minimum:"0" doc:"How many there are of what the text counts; 0 if it counts nothing."`
	More       bool          `json:"more" doc:"True if counting stopped there."`
}
