package apitype

import "time"

// IssueState says whether somebody has to look at an issue.
type IssueState string

// The states of an issue.
const (
	IssueOpen     IssueState = "open"     // it fails
	IssueMuted    IssueState = "muted"    // it may fail; nobody is told
	IssueResolved IssueState = "resolved" // done; the next failure opens it again
)

// IssueOut is one cause of failures at one endpoint: failures of the same class and HTTP
// status are one issue.
type IssueOut struct {
	ID            string     `json:"id" example:"iss_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id, sortable by when it was first seen."`
	AppID         string     `json:"appId" doc:"Id of the application or source that the endpoint belongs to."`
	AppName       string     `json:"appName" doc:"Name of that application or source; empty if it was deleted."`
	SourceID      *string    `json:"sourceId" doc:"Id of the source that the endpoint belongs to, null if that is an application."`
	EndpointID    string     `json:"endpointId" doc:"Id of the endpoint."`
	EndpointURL   string     `json:"endpointUrl" doc:"Where the endpoint sends; empty if it was deleted."`
	Cause         string     `json:"cause" example:"status_5xx" doc:"Class of the failures, as attempts have it."`
	Status        int        `json:"status" minimum:"0" doc:"HTTP status of the answers, 0 if there was none."`
	Text          string     `json:"text" example:"The endpoint answers 503." doc:"The cause as a sentence."`
	State         IssueState `json:"state" enum:"open,muted,resolved" doc:"Whether somebody has to look at it."`
	HealedAt      *time.Time `json:"healedAt" doc:"When the endpoint first took a delivery after the last of these failures, null if it did not."`
	ResolvedAt    *time.Time `json:"resolvedAt" doc:"When it was resolved, null if it is not."`
	Note          string     `json:"note" doc:"Free text."`
	Assignee      string     `json:"assignee" doc:"Who looks after it, as free text."`
	MutedUntil    *time.Time `json:"mutedUntil" doc:"Until when it is muted, null for ever or if it is not muted."`
	FirstSeen     time.Time  `json:"firstSeen" doc:"When the first of these failures was."`
	LastSeen      time.Time  `json:"lastSeen" doc:"When the last of these failures was."`
	Failures      int64      `json:"failures" minimum:"1" doc:"Failed attempts."`
	SampleMessage *string    `json:"sampleMessageId" doc:"A message that it happened to, null if none is kept."`
	SampleAttempt *string    `json:"sampleAttemptId" doc:"An attempt at that message, null if none is kept."`
	Affected      *CountOut  `json:"affected,omitempty" doc:"Messages that wait or have failed because of it, up to a bound. Only for a single issue."`
}

// IssuePatch changes the members that are present.
type IssuePatch struct {
	State      Optional[IssueState] `json:"state,omitzero" nullable:"false" enum:"open,muted,resolved" doc:"The new state."`
	MutedUntil Optional[time.Time]  `json:"mutedUntil,omitzero" doc:"Until when to mute it; only with the state muted. Null or absent for ever."`
	Note       Optional[string]     `json:"note,omitzero" maxLength:"4096" doc:"Free text. Null removes it."`
	Assignee   Optional[string]     `json:"assignee,omitzero" maxLength:"256" doc:"Who looks after it, as free text. Null removes it."`
}

// IssueRecoverIn sends again what failed at the endpoint of an issue.
type IssueRecoverIn struct {
	Rate Optional[uint32] `json:"rate,omitzero" minimum:"1" maximum:"10000" doc:"Most messages a second. Null or absent for no limit."`
}

// IssueRows is a page of issues, the one that was seen last first.
type IssueRows struct {
	List[IssueOut]
	Searched
}
