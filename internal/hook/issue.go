package hook

import "time"

// IssueState is what the owner has decided about an issue.
type IssueState uint8

// The states.
const (
	IssueOpen     IssueState = iota
	IssueMuted               // known; until MutedUntil, if that is set
	IssueResolved            // settled, until a new failure opens it again
)

// IssueStates lists every state once.
var IssueStates = []IssueState{IssueOpen, IssueMuted, IssueResolved}

// String gives the word that the API shows.
func (s IssueState) String() string {
	switch s {
	case IssueOpen:
		return "open"
	case IssueMuted:
		return "muted"
	case IssueResolved:
		return "resolved"
	}
	return "unknown"
}

// Cause is why attempts fail: those of one endpoint with the same cause are one issue.
type Cause struct {
	Class  Class
	Status int // HTTP status; 0: no answer
}

// Issue is an endpoint that fails for one cause.
type Issue struct {
	ID       ID
	Env      ID
	App      ID
	Endpoint ID
	Cause
	FirstSeen time.Time // the first failed attempt
	LastSeen  time.Time // the last one
	Attempts  int64     // that failed
	Message   ID        // of the last failed attempt
	Attempt   ID        // the last failed attempt

	State      IssueState
	MutedUntil time.Time // zero: for good, or not muted
	ResolvedAt time.Time // zero: it is not
	// HealedAt is the first success at the endpoint that was seen after LastSeen;
	// zero: there was none.
	HealedAt time.Time
	Note     string
	Assignee string // who looks after it, in the owner's words

	// Filled by reads.
	Owner       Owner
	EndpointURL string
}

// Reopens reports whether a failure at that time opens the issue again: it is
// newer than what the owner decided.
func (i *Issue) Reopens(at time.Time) bool {
	switch i.State {
	case IssueResolved:
		return at.After(i.ResolvedAt)
	case IssueMuted:
		return !i.MutedUntil.IsZero() && !at.Before(i.MutedUntil)
	case IssueOpen:
	}
	return false
}

// Open makes the issue one that nobody has decided about.
func (i *Issue) Open() {
	i.State, i.MutedUntil, i.ResolvedAt = IssueOpen, time.Time{}, time.Time{}
}

// IssuePlace is a place in a list of issues.
type IssuePlace struct {
	LastSeen time.Time
	ID       ID
}

// IssueFilter selects issues of an environment; that with the newest LastSeen
// comes first.
type IssueFilter struct {
	Env      ID
	States   []IssueState // empty: all
	App      ID           // zero: all
	Endpoint ID           // zero: all
	After    IssuePlace   // the last one of the page before; zero: from the newest on
	Limit    int          // 1 to 250
}

// IssueFailures are failures of one cause that are not in their issue yet.
type IssueFailures struct {
	Attempts         int64
	First, Last      time.Time
	Message, Attempt ID // of the last one
}

// Add counts one.
func (f *IssueFailures) Add(message, attempt ID, at time.Time) {
	f.Attempts++
	if f.First.IsZero() || at.Before(f.First) {
		f.First = at
	}
	if !at.Before(f.Last) {
		f.Last, f.Message, f.Attempt = at, message, attempt
	}
}

// Fold takes failures in.
func (i *Issue) Fold(f *IssueFailures) {
	if i.FirstSeen.IsZero() || f.First.Before(i.FirstSeen) {
		i.FirstSeen = f.First
	}
	i.Attempts += f.Attempts
	if f.Last.After(i.LastSeen) {
		i.LastSeen, i.Message, i.Attempt = f.Last, f.Message, f.Attempt
	}
	if !i.HealedAt.IsZero() && !f.Last.Before(i.HealedAt) {
		i.HealedAt = time.Time{}
	}
	if i.Reopens(f.Last) {
		i.Open()
	}
}

// Heal notes a success at the endpoint.
func (i *Issue) Heal(at time.Time) {
	if i.HealedAt.IsZero() && at.After(i.LastSeen) {
		i.HealedAt = at
	}
}
