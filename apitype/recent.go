package apitype

import "time"

// MessageRow is a message in lists over all applications and sources, with how its
// deliveries stand.
type MessageRow struct {
	MessageOut
	AppID          string         `json:"appId" example:"app_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id of the application or source that it belongs to."`
	AppName        string         `json:"appName" doc:"Name of the application or source; empty if that was deleted."`
	SourceID       *string        `json:"sourceId" doc:"Id of the source that it came in by, null if it was published."`
	ContentType    string         `json:"contentType" example:"application/json" doc:"Media type of the payload."`
	Size           int            `json:"size" minimum:"0" doc:"Length of the payload in bytes."`
	PayloadExpired bool           `json:"payloadExpired" doc:"True if the payload was dropped, so that it cannot be sent again."`
	PayloadHidden  bool           `json:"payloadHidden,omitempty" doc:"True if the caller may not see payloads; payload is then {}."`
	Deliveries     DeliveryCounts `json:"deliveries" doc:"How many deliveries it has, by where they stand."`
	NextAttemptAt  *time.Time     `json:"nextAttemptAt" doc:"When the next of its deliveries is tried, null if none is planned."`
}

// DeliveryCounts counts the deliveries of a message by where they stand.
type DeliveryCounts struct {
	Total     int `json:"total" minimum:"0" doc:"All of them. 0: no endpoint asked for the message."`
	Delivered int `json:"delivered" minimum:"0" doc:"Answered with 2xx."`
	Pending   int `json:"pending" minimum:"0" doc:"Not tried yet, or being tried for the first time."`
	Retrying  int `json:"retrying" minimum:"0" doc:"The last attempt failed, and there will be another."`
	Failed    int `json:"failed" minimum:"0" doc:"No attempt is left."`
	Canceled  int `json:"canceled" minimum:"0" doc:"Will not be sent, for a reason."`
}

// Searched tells how far a search came, beside its page.
type Searched struct {
	SearchedTo *time.Time `json:"searchedTo,omitempty" doc:"Only what is newer than this was looked at before the time or the rows for one call were used up; following iterator goes on there. Absent if the page is whole."`
}

// MessageRows is a page of messages, newest first in the order of acceptance.
type MessageRows struct {
	List[MessageRow]
	Searched
	Cursor string `json:"cursor,omitempty" doc:"The place behind everything that was there: live events after it are new to this page. Absent if the query names one message."`
}

// RequestRow is a request in lists over all sources.
type RequestRow struct {
	RequestFacts
	SourceName string `json:"sourceName" doc:"Name of the source; empty if it was deleted."`
	SourceType string `json:"sourceType" example:"stripe" doc:"Type of the source; empty if it was deleted."`
}

// RequestRows is a page of requests of all sources, newest first.
type RequestRows struct {
	List[RequestRow]
	Searched
}

// CountOut counts what a search finds, up to a bound.
type CountOut struct {
	Count int  `json:"count" minimum:"0" doc:"How many there are, as far as was counted."`
	More  bool `json:"more" doc:"True if counting stopped there: there may be more."`
}

// SearchFields tells what a list can be searched by, for completion.
type SearchFields struct {
	List   string        `json:"list" example:"messages" doc:"Name of the list."`
	Fields []SearchField `json:"fields" nullable:"false" doc:"The fields, in the order in which to offer them."`
}

// SearchKind is what the values of a field are.
type SearchKind string

// The kinds.
const (
	SearchText   SearchKind = "text"   // compared in any case of letters, but for ids and event types
	SearchWord   SearchKind = "word"   // one of the values
	SearchNumber SearchKind = "number" // compared, or a range
	SearchSize   SearchKind = "size"   // a number of bytes with units
	SearchTime   SearchKind = "time"   // a time, a date or how long ago
	SearchJSON   SearchKind = "json"   // a value inside a JSON document
)

// SearchField is one field of the search language.
type SearchField struct {
	Name   string     `json:"name" example:"status" doc:"What stands before the colon. One that ends in a dot is followed by a path or a name, as body.amount."`
	Kind   SearchKind `json:"kind" enum:"text,word,number,size,time,json" doc:"What its values are: text is compared in any case of letters, a word is one of values, a number and a size can be compared and given as a range, a time too, json is a value inside a JSON document."`
	Doc    string     `json:"doc" doc:"What it holds, in a line."`
	Values []string   `json:"values" nullable:"false" doc:"Values that can be offered: all words of a word, else some that are in use."`
}
