package hook

import "time"

// MaxRetryAfter is the longest wait that an endpoint can ask for.
const MaxRetryAfter = 24 * time.Hour

// MaxSteps is the most retries a schedule may have.
const MaxSteps = 50

// RetryPolicy says when a failed delivery is tried again.
type RetryPolicy struct {
	// Steps are the waits after the first, second, … failed automatic attempt.
	// After the last one the delivery is exhausted.
	Steps []time.Duration
	// TimeoutFloor is the shortest wait after a timeout.
	TimeoutFloor time.Duration
}

// DefaultSteps is the schedule that the field uses: eight attempts in about 27.6 hours.
var DefaultSteps = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute,
	2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// DefaultTimeoutFloor is the usual RetryPolicy.TimeoutFloor.
const DefaultTimeoutFloor = time.Minute

// Tried is what Next must know of the delivery whose attempt has ended.
type Tried struct {
	State   State     // the state before the attempt, Pending for an automatic one
	Reason  Reason    // the reason that belongs to State
	Step    int       // automatic attempts made before this one
	Manual  bool      // a resend or recover, not part of the schedule
	AutoDue time.Time // for a manual attempt: when the next automatic one is due; zero: none
}

// Transition is what follows from an attempt.
type Transition struct {
	State  State
	Reason Reason
	Step   int       // automatic attempts made so far
	Due    time.Time // when to try again; zero: never
	// Disable says that the endpoint is to be disabled for this reason.
	Disable DisableReason
	// HoldUntil says that no delivery may start to the endpoint before this
	// time; zero: no such wish.
	HoldUntil time.Time
}

// Next decides what follows when an attempt has ended at now with outcome o.
// rnd is a random number in [0, 1) for the jitter.
//
// Rules: a success delivers, whatever the trigger. A failed manual attempt
// changes neither state nor schedule. A 410 cancels the delivery and disables
// the endpoint. Otherwise the delivery waits for the next step of the schedule
// with ±20 % jitter, or fails for good after the last one. A 429 waits for
// Retry-After if that is longer (at most 24 h, jitter only upward) and holds the
// whole endpoint; on other failures Retry-After is clamped to one to two times
// the step. A timeout waits at least TimeoutFloor.
func Next(d Tried, o Outcome, p RetryPolicy, now time.Time, rnd float64) Transition {
	if o.Class == Success {
		step := d.Step
		if !d.Manual {
			step++
		}
		return Transition{State: Delivered, Step: step}
	}
	t := Transition{State: d.State, Reason: d.Reason, Step: d.Step, Due: d.AutoDue}
	if o.Class == FailTooMany && o.RetryAfter > 0 {
		t.HoldUntil = now.Add(min(o.RetryAfter, MaxRetryAfter))
	}
	if o.Class == FailGone {
		t.Disable = DisabledByGone
		if d.State == Pending {
			t.State, t.Reason, t.Due = Canceled, ReasonGone, time.Time{}
		}
	}
	if d.Manual || o.Class == FailGone {
		if !d.Manual {
			t.Step++
		}
		return t
	}
	t.Step++
	if d.Step >= len(p.Steps) || d.Step >= MaxSteps {
		t.State, t.Reason, t.Due = Failed, ReasonExhausted, time.Time{}
		return t
	}
	t.State, t.Reason = Pending, ReasonRetry
	t.Due = now.Add(wait(p.Steps[d.Step], o, p.TimeoutFloor, rnd))
	return t
}

// wait is the time from a failed automatic attempt to the next one.
func wait(step time.Duration, o Outcome, timeoutFloor time.Duration, rnd float64) time.Duration {
	if o.Class == FailTooMany {
		asked := min(o.RetryAfter, MaxRetryAfter)
		return jitter(max(step, asked), 1, 1.2, rnd)
	}
	if o.RetryAfter > 0 {
		step = min(max(step, o.RetryAfter), 2*step)
	}
	d := jitter(step, 0.8, 1.2, rnd)
	if o.Class == FailTimeout {
		d = max(d, timeoutFloor)
	}
	return d
}

func jitter(d time.Duration, low, high, rnd float64) time.Duration {
	return time.Duration(float64(d) * (low + (high-low)*rnd))
}

// ShouldDisable reports whether an endpoint that has had nothing but failures
// since failingSince is to be disabled at now. after ≤ 0 turns the rule off.
func ShouldDisable(failingSince, now time.Time, after time.Duration) bool {
	return after > 0 && !failingSince.IsZero() && now.Sub(failingSince) >= after
}
