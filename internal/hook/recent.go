package hook

import "time"

// LookLimit is how many rows a list of a whole environment looks at in one call
// unless it is told otherwise.
const LookLimit = 20_000

// Owner is who owns endpoints and messages: an application or a source.
type Owner struct {
	ID     ID
	Name   string
	UID    string
	Source bool
}

// DeliverySummary counts the deliveries of one message.
type DeliverySummary struct {
	Delivered int
	Waiting   int // for the first attempt, or it is in flight
	Retrying  int // an attempt failed, and another is planned or in flight
	Failed    int
	Canceled  int
	NextDue   time.Time // of the earliest attempt that is planned; zero: none is
}

// Total is how many deliveries there are.
func (s *DeliverySummary) Total() int {
	return s.Delivered + s.Waiting + s.Retrying + s.Failed + s.Canceled
}

// RecentFilter selects messages of a whole environment. The newest come first, in
// the order of commits, or of one application (or source) in the order of ids.
type RecentFilter struct {
	Env  ID
	Apps []ID // of these applications or sources; empty: all
	// A message passes if its event type is one of EventTypes or begins with one of
	// EventTypePrefixes; both empty: all pass.
	EventTypes        []string
	EventTypePrefixes []string
	Channel           string
	Tag               string
	Before            time.Time // exclusive; zero: no bound
	After             time.Time // inclusive
	// States selects messages with a delivery that fails like this; empty: all.
	States   []FailingState
	Endpoint ID // only with States: the delivery is one to this endpoint
	WithBody bool
	From     Cursor // a place that an earlier page gave; zero: the beginning
	Newer    bool   // the page that ends right above From, newest first all the same
	Limit    int    // 1 to 250
	Look     int    // rows looked at at most; 0: LookLimit
}

// RecentMessage is a row of such a list.
type RecentMessage struct {
	Message    Message
	Owner      Owner
	Deliveries DeliverySummary
	Place      Cursor
}

// RecentPage is a page of such a list.
type RecentPage struct {
	Items []RecentMessage // newest first
	Next  Cursor          // where to go on in the direction asked for
	More  bool            // there may be more from Next on
	// SearchedTo is set if Look ended the page: what was created after it, or with
	// Newer before it, was looked at.
	SearchedTo time.Time
	// Head is the place in the feed of messages behind all that was there: what comes
	// after it is new to a reader of this page.
	Head Cursor
}

// BoundedCount is a count that may have stopped before its end.
type BoundedCount struct {
	Count int
	More  bool // there may be more
}

// RecentRequestFilter selects what reached all sources of an environment, newest first.
type RecentRequestFilter struct {
	Env      ID
	Sources  []ID           // empty: all
	States   []RequestState // empty: all
	Reason   string         // empty: all
	Before   time.Time
	After    time.Time
	WithBody bool
	From     Cursor
	Newer    bool
	Limit    int
	Look     int
}

// RecentRequest is a row of such a list.
type RecentRequest struct {
	Request Request
	Owner   Owner
	Place   Cursor
}

// RecentRequestPage is a page of such a list; the fields are those of RecentPage.
type RecentRequestPage struct {
	Items      []RecentRequest
	Next       Cursor
	More       bool
	SearchedTo time.Time
}

// EndpointOf is an endpoint with its owner.
type EndpointOf struct {
	Endpoint Endpoint
	Owner    Owner
}

// EnvironmentEndpointFilter selects endpoints of all applications and sources,
// newest first.
type EnvironmentEndpointFilter struct {
	Env      ID
	Apps     []ID   // of these applications or sources; empty: all
	Disabled *bool  // nil: both
	Failing  *bool  // nothing but failures since the last success; nil: both
	Contains string // in URL, description or uid, in any case; empty: all
	Look     int    // rows looked at at most; 0: LookLimit
	Page     Page   // Limit, From and Backward count
}

// EndpointPage is a page of such a list.
type EndpointPage struct {
	Items   []EndpointOf
	More    bool
	Next    ID   // Page.From to go on in the direction asked for
	Limited bool // Look ended the page
}

// ApplicationFilter selects applications, ordered by id.
type ApplicationFilter struct {
	Env      ID
	Contains string // in name or uid, in any case; empty: all
	Page     Page
}

// ApplicationOf is an application with counts of its endpoints.
type ApplicationOf struct {
	Application Application
	Endpoints   int
	Failing     int // that have had nothing but failures since their last success
	Disabled    int
}
