package hook

import "time"

// FailingState says how a delivery fails.
type FailingState uint8

// The states. A delivery that succeeded or was canceled does not fail any more.
const (
	FailingRetrying FailingState = iota // its last attempt failed, and another is planned
	FailingFailed                       // every attempt of its schedule failed
)

// FailingStates lists every state once.
var FailingStates = []FailingState{FailingRetrying, FailingFailed}

// String gives the word that the API shows.
func (s FailingState) String() string {
	if s == FailingFailed {
		return "failed"
	}
	return "retrying"
}

// Failing is what the store keeps apart of a delivery that fails, so that those
// few are found among the many that do not.
type Failing struct {
	State  FailingState
	Class  Class // of the last attempt
	Status int   // of the last attempt; 0: no answer
	Since  time.Time
}

// FailingChange says what a settlement means for what fails.
type FailingChange uint8

// The changes.
const (
	FailingStays FailingChange = iota // as it was
	FailingSet                        // it fails, as FailingAs says
	FailingEnds                       // it fails no longer
)

// Failing says what the settlement means for what fails. The first attempt of a
// delivery that succeeds changes nothing, so that what works costs nothing.
func (s *Settlement) Failing() FailingChange {
	tried := !s.Attempt.ID.IsZero()
	failed := tried && s.Attempt.Outcome.Class != Success
	switch {
	case failed && (s.Then.State == Pending || s.Then.State == Failed):
		return FailingSet
	case s.Lease.Number <= 1 || !tried && s.Then.State != Canceled:
		return FailingStays
	}
	return FailingEnds
}

// FailingAs is how the delivery fails after a settlement of which Failing gives
// FailingSet. Since is that of its first failure, which the store may know better.
func (s *Settlement) FailingAs() Failing {
	f := Failing{Class: s.Attempt.Outcome.Class, Status: s.Attempt.Outcome.Status, Since: s.Attempt.StartedAt}
	if s.Then.State == Failed {
		f.State = FailingFailed
	}
	return f
}
