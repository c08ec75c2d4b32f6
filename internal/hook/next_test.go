package hook_test

import (
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

var (
	base   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	policy = hook.RetryPolicy{Steps: hook.DefaultSteps, TimeoutFloor: hook.DefaultTimeoutFloor}
)

const middle = 0.5 // no jitter

func TestEveryStatusHasTheClassOfItsRange(t *testing.T) {
	t.Parallel()
	for status := -1; status <= 1100; status++ {
		var want hook.Class
		switch {
		case status == 410:
			want = hook.FailGone
		case status == 429:
			want = hook.FailTooMany
		case status < 200 || status > 599:
			want = hook.FailProtocol
		default:
			want = map[int]hook.Class{2: hook.Success, 3: hook.FailRedirect, 4: hook.FailStatus4xx, 5: hook.FailStatus5xx}[status/100]
		}
		if got := hook.ClassOfStatus(status); got != want {
			t.Errorf("ClassOfStatus(%d) = %v, want %v", status, got, want)
		}
	}
}

func TestSlowsEndpointForOverloadAndNothingElse(t *testing.T) {
	t.Parallel()
	want := map[hook.Class]bool{hook.FailTimeout: true, hook.FailTooMany: true, hook.FailConnect: true, hook.FailBody: true}
	for _, c := range hook.Classes {
		if got := (hook.Outcome{Class: c}).SlowsEndpoint(); got != want[c] {
			t.Errorf("%v: %v", c, got)
		}
	}
	for status := 500; status <= 599; status++ {
		got := hook.Outcome{Class: hook.FailStatus5xx, Status: status}.SlowsEndpoint()
		if got != (status == 502 || status == 503 || status == 504) {
			t.Errorf("%d: %v", status, got)
		}
	}
}

func TestScheduleIsWalkedStepByStepAndThenExhausted(t *testing.T) {
	t.Parallel()
	now := base
	tried := hook.Tried{State: hook.Pending}
	for i, step := range hook.DefaultSteps {
		got := hook.Next(tried, hook.Outcome{Class: hook.FailStatus5xx, Status: 500}, policy, now, middle)
		want := hook.Transition{State: hook.Pending, Reason: hook.ReasonRetry, Step: i + 1, Due: now.Add(step)}
		if got != want {
			t.Fatalf("attempt %d: %+v, want %+v", i+1, got, want)
		}
		tried = hook.Tried{State: hook.Pending, Reason: got.Reason, Step: got.Step}
		now = got.Due
	}
	got := hook.Next(tried, hook.Outcome{Class: hook.FailDNS}, policy, now, middle)
	want := hook.Transition{State: hook.Failed, Reason: hook.ReasonExhausted, Step: len(hook.DefaultSteps) + 1}
	if got != want {
		t.Errorf("after the last step: %+v, want %+v", got, want)
	}
}

func TestNextForEveryClassOfAFirstAttempt(t *testing.T) {
	t.Parallel()
	for _, class := range hook.Classes {
		got := hook.Next(hook.Tried{State: hook.Pending}, hook.Outcome{Class: class}, policy, base, middle)
		want := hook.Transition{State: hook.Pending, Reason: hook.ReasonRetry, Step: 1, Due: base.Add(5 * time.Second)}
		switch class {
		case hook.Success:
			want = hook.Transition{State: hook.Delivered, Step: 1}
		case hook.FailGone:
			want = hook.Transition{State: hook.Canceled, Reason: hook.ReasonGone, Step: 1, Disable: hook.DisabledByGone}
		case hook.FailTimeout:
			want.Due = base.Add(time.Minute)
		case hook.FailTooMany: // jitter only upward
			want.Due = base.Add(5500 * time.Millisecond)
		case hook.FailDNS, hook.FailConnect, hook.FailTLS, hook.FailProtocol, hook.FailRedirect, hook.FailPolicy,
			hook.FailStatus4xx, hook.FailStatus5xx, hook.FailBody:
		}
		if got != want {
			t.Errorf("%v: %+v, want %+v", class, got, want)
		}
	}
}

func TestAManualAttemptNeverChangesTheScheduleUnlessItDelivers(t *testing.T) {
	t.Parallel()
	autoDue := base.Add(time.Hour)
	for _, state := range []hook.State{hook.Pending, hook.Delivered, hook.Failed, hook.Canceled} {
		for _, class := range hook.Classes {
			before := hook.Tried{State: state, Reason: hook.ReasonExhausted, Step: 3, Manual: true}
			if state == hook.Pending {
				before.AutoDue = autoDue
			}
			got := hook.Next(before, hook.Outcome{Class: class, RetryAfter: time.Minute}, policy, base, middle)
			want := hook.Transition{State: state, Reason: hook.ReasonExhausted, Step: 3, Due: before.AutoDue}
			switch class { //nolint:exhaustive // the other classes change nothing
			case hook.Success:
				want = hook.Transition{State: hook.Delivered, Step: 3}
			case hook.FailGone:
				want.Disable = hook.DisabledByGone
				if state == hook.Pending {
					want.State, want.Reason, want.Due = hook.Canceled, hook.ReasonGone, time.Time{}
				}
			case hook.FailTooMany:
				want.HoldUntil = base.Add(time.Minute)
			}
			if got != want {
				t.Errorf("%v, %v: %+v, want %+v", state, class, got, want)
			}
		}
	}
}

func TestRetryAfterCountsWithinItsBounds(t *testing.T) {
	t.Parallel()
	const step = 5 * time.Minute
	tried := hook.Tried{State: hook.Pending, Step: 1}
	for _, c := range []struct {
		name  string
		class hook.Class
		after time.Duration
		rnd   float64
		wait  time.Duration
		hold  time.Duration
	}{
		{"503 asks for less than the step", hook.FailStatus5xx, time.Minute, middle, step, 0},
		{"503 asks for a little more", hook.FailStatus5xx, 7 * time.Minute, middle, 7 * time.Minute, 0},
		{"503 asks for too much", hook.FailStatus5xx, 365 * 24 * time.Hour, middle, 2 * step, 0},
		{"503 with the lowest jitter", hook.FailStatus5xx, 0, 0, 4 * time.Minute, 0},
		{"429 without a wish", hook.FailTooMany, 0, 0, step, 0},
		{"429 asks for less than the step", hook.FailTooMany, time.Second, 0, step, time.Second},
		{"429 asks for an hour: not earlier", hook.FailTooMany, time.Hour, 0, time.Hour, time.Hour},
		{"429 asks for an hour: jitter goes up", hook.FailTooMany, time.Hour, 0.999999999, 72 * time.Minute, time.Hour},
		{"429 asks for a year", hook.FailTooMany, 365 * 24 * time.Hour, 0, 24 * time.Hour, 24 * time.Hour},
	} {
		got := hook.Next(tried, hook.Outcome{Class: c.class, RetryAfter: c.after}, policy, base, c.rnd)
		if diff := got.Due.Sub(base) - c.wait; diff > time.Second || diff < -time.Second {
			t.Errorf("%s: waits %v, want %v", c.name, got.Due.Sub(base), c.wait)
		}
		var hold time.Time
		if c.hold > 0 {
			hold = base.Add(c.hold)
		}
		if !got.HoldUntil.Equal(hold) {
			t.Errorf("%s: holds until %v, want %v", c.name, got.HoldUntil, hold)
		}
	}
}

func TestATimeoutWaitsAMinuteOrTheStepIfLonger(t *testing.T) {
	t.Parallel()
	for step, want := range map[int]time.Duration{0: time.Minute, 1: 5 * time.Minute} {
		got := hook.Next(hook.Tried{State: hook.Pending, Step: step}, hook.Outcome{Class: hook.FailTimeout}, policy, base, middle)
		if got.Due.Sub(base) != want {
			t.Errorf("step %d: %v", step, got.Due.Sub(base))
		}
	}
	got := hook.Next(hook.Tried{State: hook.Pending}, hook.Outcome{Class: hook.FailTimeout}, policy, base, 0)
	if got.Due.Sub(base) < time.Minute {
		t.Errorf("jitter undercuts the minute: %v", got.Due.Sub(base))
	}
}

func TestShouldDisableAfterNothingButFailures(t *testing.T) {
	t.Parallel()
	const after = 120 * time.Hour
	for _, c := range []struct {
		name  string
		since time.Time
		after time.Duration
		want  bool
	}{
		{"no failure", time.Time{}, after, false},
		{"not yet", base.Add(-after + time.Second), after, false},
		{"just now", base.Add(-after), after, true},
		{"turned off", base.Add(-10 * after), 0, false},
	} {
		if got := hook.ShouldDisable(c.since, base, c.after); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzNextKeepsItsPromises(f *testing.F) {
	f.Add(uint8(4), uint8(0), uint8(2), false, int64(0), int64(time.Minute), 0.3)
	f.Add(uint8(10), uint8(3), uint8(49), true, int64(time.Hour), int64(1<<62), 0.999)
	f.Fuzz(func(t *testing.T, class, state, step uint8, manual bool, auto, retryAfter int64, rnd float64) {
		if !(rnd >= 0 && rnd < 1) {
			return
		}
		o := hook.Outcome{Class: hook.Classes[int(class)%len(hook.Classes)], RetryAfter: time.Duration(retryAfter)}
		d := hook.Tried{State: hook.Pending, Step: int(step), Manual: manual}
		if manual {
			d.State = []hook.State{hook.Pending, hook.Delivered, hook.Failed, hook.Canceled}[state%4]
		}
		if manual && d.State == hook.Pending {
			d.AutoDue = base.Add(time.Duration(auto % int64(time.Hour)))
		}
		got := hook.Next(d, o, policy, base, rnd)
		switch {
		case got.State == hook.Sending:
			t.Fatal("Next leases nothing")
		case d.State == hook.Delivered && got.State != hook.Delivered:
			t.Fatal("delivered was left")
		case got.State == hook.Pending && got.Due.IsZero():
			t.Fatal("pending without a time")
		case got.State.Final() && !got.Due.IsZero():
			t.Fatal("ended with a time")
		case !manual && got.State == hook.Pending && !got.Due.After(base):
			t.Fatal("due at once: a hot loop")
		case got.State == hook.Pending && !manual && got.Due.Sub(base) > 29*time.Hour:
			t.Fatalf("waits %v", got.Due.Sub(base))
		case got.HoldUntil.Sub(base) > hook.MaxRetryAfter && !got.HoldUntil.IsZero():
			t.Fatal("held for longer than a day")
		case got.Step > d.Step+1 || got.Step < d.Step:
			t.Fatal("steps are not counted one by one")
		}
	})
}
