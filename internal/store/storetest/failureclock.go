package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var failureClockTests = []test{
	{"starts at the first failure and is cleared by a success", clockStartsAndClears},
	{"disables an endpoint that only fails", clockDisables},
	{"can be turned off", clockOff},
	{"is not touched by what was lost", clockIgnoresLost},
	{"survives other changes and a crash", clockSurvives},
	{"belongs to one endpoint", clockOfOneEndpoint},
}

// fail makes one failed attempt that started a second before now.
func (f *fixture) fail(disableAfter time.Duration) hook.Settled {
	f.Helper()
	_, leases := f.sendLeased()
	s := f.settlement(leases[0], answerFail)
	s.Attempt.StartedAt = f.now.Add(-time.Second)
	s.DisableAfter = disableAfter
	return f.settleAll(s)[0]
}

// failingSince gives the clock of an endpoint, and holds that it started with
// the attempt that ended at this time: with its start or with its end.
func (f *fixture) expectClock(endpoint hook.ID, ended time.Time) {
	f.Helper()
	since := f.endpoint(endpoint).FailingSince
	if ended.IsZero() {
		testx.Equal(f, since, time.Time{}, "failing since")
		return
	}
	testx.True(f, since.Equal(ended) || since.Equal(ended.Add(-time.Second)),
		"failing since "+since.String()+" is the time of the attempt that ended at "+ended.String())
}

func clockStartsAndClears(f *fixture) {
	e := f.newEndpoint()
	f.expectClock(e.ID, time.Time{})
	f.fail(0)
	since := f.now
	f.expectClock(e.ID, since)
	f.pass(time.Hour)
	f.fail(0)
	f.expectClock(e.ID, since)
	_, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	f.expectClock(e.ID, time.Time{})
	f.pass(time.Hour)
	f.fail(0)
	f.expectClock(e.ID, f.now)
}

func clockDisables(f *fixture) {
	const after = 120 * time.Hour
	e := f.newEndpoint()
	testx.Equal(f, f.fail(after).Disabled, hook.NotDisabled)
	f.pass(after - time.Minute)
	testx.Equal(f, f.fail(after).Disabled, hook.NotDisabled, "just before")
	_, inFlight := f.sendLeased()
	f.pass(time.Minute)
	testx.Equal(f, f.fail(after).Disabled, hook.DisabledByFailing)
	got := f.endpoint(e.ID)
	testx.Equal(f, []any{got.Disabled, got.DisabledReason, got.DisabledAt}, []any{true, hook.DisabledByFailing, f.now})
	at := f.now
	f.pass(time.Minute)
	s := f.settlement(inFlight[0], answerGone)
	s.DisableAfter = after
	testx.Equal(f, f.settleAll(s)[0].Disabled, hook.NotDisabled, "it was disabled already")
	got = f.endpoint(e.ID)
	testx.Equal(f, []any{got.DisabledReason, got.DisabledAt}, []any{hook.DisabledByFailing, at}, "the first reason stays")

	f.enable(e.ID)
	f.expectClock(e.ID, time.Time{})
	testx.Equal(f, f.fail(after).Disabled, hook.NotDisabled, "the clock starts anew")
	f.expectClock(e.ID, f.now)
}

func clockOff(f *fixture) {
	e := f.newEndpoint()
	f.fail(0)
	f.pass(10_000 * time.Hour)
	testx.Equal(f, f.fail(0).Disabled, hook.NotDisabled)
	testx.True(f, !f.endpoint(e.ID).Disabled, "it is enabled")
}

func clockIgnoresLost(f *fixture) {
	e := f.newEndpoint()
	_, leases := f.sendLeased()
	f.release(leases...)
	f.settleAll(f.settlement(leases[0], answerFail))
	f.expectClock(e.ID, time.Time{})
	f.settle(f.claimOne(e.ID), answerFail)
	since := f.endpoint(e.ID).FailingSince
	f.pass(time.Hour)
	f.settleAll(f.settlement(leases[0], answerOK))
	testx.Equal(f, f.endpoint(e.ID).FailingSince, since, "after a lost success")
}

func clockSurvives(f *fixture) {
	const after = time.Hour
	e := f.newEndpoint()
	f.fail(after)
	since := f.now
	f.pass(time.Minute)
	f.update(e.ID, func(e *hook.Endpoint) { e.Description = "changed" })
	f.expectClock(e.ID, since)
	f.setThrottle(7)
	f.fail(after)
	f.expectClock(e.ID, since)
	f.crash()
	f.register()
	f.expectClock(e.ID, since)
	f.pass(after)
	testx.Equal(f, f.fail(after).Disabled, hook.DisabledByFailing)
}

func clockOfOneEndpoint(f *fixture) {
	bad, good := f.newEndpoint(), f.newEndpoint()
	_, leases := f.sendLeased()
	var batch []hook.Settlement
	for _, l := range leases {
		o := answerOK
		if l.Endpoint.ID == bad.ID {
			o = answerFail
		}
		batch = append(batch, f.settlement(l, o))
	}
	f.settleAll(batch...)
	testx.True(f, !f.endpoint(bad.ID).FailingSince.IsZero(), "the bad one fails")
	f.expectClock(good.ID, time.Time{})
}
