package storetest

import (
	"math/rand/v2"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var rollupTests = []test{
	{"equal a count of the attempts, however far they have come", rollupsEqual},
	{"count each attempt once when several callers sum up", rollupsConcurrent},
	{"are given for a range of whole hours", rollupsRange},
	{"outlive the attempts, and go with the messages", rollupsRetention},
	{"agree with the counts of an endpoint", rollupsAgree},
	{"hold what was in flight when its endpoint went", rollupsOfDeleted},
}

// history is a random past of some endpoints, and how it should be summed up.
type history struct {
	*fixture
	rng       *rand.Rand
	endpoints []*modelEndpoint // app is the place in apps
	apps      []hook.ID
	recorded  int
	times     map[hook.ID][]modelAttempt
}

func newHistory(f *fixture, seed uint64) *history {
	h := &history{fixture: f, rng: rand.New(rand.NewPCG(seed, 7)), apps: []hook.ID{f.app, f.newApp().ID}, times: map[hook.ID][]modelAttempt{}}
	for i := range 4 {
		e := f.newEndpoint(func(e *hook.Endpoint) { e.App = h.apps[i/3] })
		h.endpoints = append(h.endpoints, &modelEndpoint{value: e, app: i / 3})
	}
	return h
}

// record makes an attempt with a random outcome, at a random endpoint.
func (h *history) record() {
	h.Helper()
	e := h.endpoints[h.rng.IntN(len(h.endpoints))]
	a := h.acceptWith(&places{room: everywhere}, h.event(func(n *hook.NewEvent) { n.App, n.Only = e.value.App, e.value.ID }))[0]
	testx.NoError(h, a.Err)
	s := h.settlement(a.Leased[0], hook.Outcome{Class: hook.Classes[h.rng.IntN(len(hook.Classes))], Detail: "Why."})
	s.Then.Disable = hook.NotDisabled
	s.Attempt.Timings.Total = time.Duration(h.rng.IntN(20_000_000)) * time.Microsecond
	h.settleAll(s)
	made := modelAttempt{id: s.Attempt.ID, class: s.Attempt.Outcome.Class, at: h.now, took: s.Attempt.Timings.Total}
	e.sumUp(&made)
	h.times[e.value.ID] = append(h.times[e.value.ID], made)
	h.recorded++
	h.pass(time.Duration(h.rng.IntN(25*60)) * time.Second)
}

func (f *fixture) rollups(app, endpoint hook.ID, since, until time.Time) []hook.Rollup {
	f.Helper()
	return testx.Must(f.store.ListRollups(f.ctx, hook.StatsFilter{Env: f.env, App: app, Endpoint: endpoint, Since: since, Until: until}))(f)
}

// check compares all that is summed up.
func (h *history) check(what string) {
	h.Helper()
	of := map[int][]*modelEndpoint{}
	for _, e := range h.endpoints {
		of[e.app] = append(of[e.app], e)
		if !e.deleted {
			testx.Equal(h, h.rollups(e.value.App, e.value.ID, time.Time{}, time.Time{}), rollups(e.value.ID, e), what+", an endpoint")
		}
	}
	for i, app := range h.apps {
		testx.Equal(h, h.rollups(app, hook.ID{}, time.Time{}, time.Time{}), rollups(hook.ID{}, of[i]...), what+", an application")
	}
}

// rollUp sums up at most limit attempts.
func (f *fixture) rollUp(limit int) int {
	f.Helper()
	n := testx.Must(f.store.RollUp(f.ctx, limit))(f)
	testx.True(f, n >= 0 && n <= limit, "no more than the limit")
	return n
}

// rollUpAll sums up n attempts, which must be all that are left.
func (f *fixture) rollUpAll(n int) {
	f.Helper()
	for tries := 0; n > 0; tries++ {
		testx.True(f, tries < patience, "it comes to an end")
		n -= f.rollUp(3)
	}
	testx.Equal(f, n, 0, "attempts that are left")
	testx.Equal(f, f.rollUp(10), 0, "there are no more")
}

func rollupsEqual(f *fixture) {
	h := newHistory(f, 1)
	h.check("nothing")
	summed := 0
	for i := range 120 {
		h.record()
		switch {
		case i%10 == 3:
			summed += f.rollUp(1 + h.rng.IntN(5))
		case i%40 == 25:
			f.crash()
			f.register()
		case i%15 == 7:
			h.check("some summed up")
		}
	}
	h.check("before the rest")
	f.rollUpAll(h.recorded - summed)
	h.check("all summed up")
	f.crash()
	f.register()
	testx.Equal(f, f.rollUp(10), 0, "left after a crash")
	h.check("after a crash")
	h.record()
	h.check("with one more")
}

func rollupsConcurrent(f *fixture) { rollupsOf(f, f) }

// rollupsOf sums up on several nodes while they settle.
func rollupsOf(f *fixture, nodes ...*fixture) {
	endpoints := []*modelEndpoint{{value: f.newEndpoint()}, {value: f.newEndpoint()}}
	const writers, each = 4, 20
	together(2*writers, func(i int) {
		on := nodes[i%len(nodes)]
		for range each {
			if i >= writers {
				if _, err := on.store.RollUp(f.ctx, 1+i); err != nil {
					f.Errorf("roll up: %v", err)
				}
				continue
			}
			a, ok := on.acceptOne(&places{room: everywhere}, f.event())
			if !ok {
				return
			}
			for _, l := range a.Leased {
				if out, err := on.store.Settle(f.ctx, []hook.Settlement{f.settlement(l, answerFail)}); err != nil || out[0].Lost {
					f.Errorf("settle: %v, %+v", err, out)
				}
			}
		}
	})
	for _, e := range endpoints {
		for range writers * each {
			e.sumUp(&modelAttempt{class: answerFail.Class, at: f.now, took: 20 * time.Millisecond})
		}
	}
	check := func() {
		f.Helper()
		testx.Equal(f, f.rollups(f.app, hook.ID{}, time.Time{}, time.Time{}), rollups(hook.ID{}, endpoints...))
		for _, e := range endpoints {
			testx.Equal(f, f.rollups(f.app, e.value.ID, time.Time{}, time.Time{}), rollups(e.value.ID, e))
		}
	}
	check()
	for range patience {
		if f.rollUp(50) == 0 {
			break
		}
	}
	check()
}

func rollupsRange(f *fixture) {
	e := f.newEndpoint()
	f.pass(20 * time.Minute)
	start := f.now.Truncate(time.Hour)
	for range 6 {
		f.old(e.ID, time.Hour)
	}
	at := func(hours float64) time.Time { return start.Add(time.Duration(hours * float64(time.Hour))) }
	for _, rolled := range []bool{false, true} {
		if rolled {
			f.rollUpAll(6)
		}
		for _, c := range []struct {
			since, until time.Time
			first, count int
		}{
			{time.Time{}, time.Time{}, 0, 6}, {at(0), at(6), 0, 6}, {at(2), time.Time{}, 2, 4}, {time.Time{}, at(2), 0, 2},
			{at(2), at(4), 2, 2}, {at(2.9), at(3.1), 2, 2}, {at(3), at(3), 0, 0}, {at(3.5), at(3.5), 3, 1}, {at(4), at(2), 0, 0},
			{at(-9), at(1), 0, 1}, {at(5.99), at(99), 5, 1}, {at(6), at(99), 0, 0},
		} {
			for _, endpoint := range []hook.ID{e.ID, {}} {
				got := f.rollups(f.app, endpoint, c.since, c.until)
				testx.Equal(f, len(got), c.count, "hours")
				for i, r := range got {
					testx.Equal(f, []any{r.Endpoint, r.Hour, r.Attempts.Total(), r.Attempts.Succeeded()},
						[]any{endpoint, at(float64(c.first + i)), int64(1), int64(1)})
				}
			}
		}
	}
	_, err := f.store.ListRollups(f.ctx, hook.StatsFilter{Env: f.env, App: f.app, Endpoint: hook.NewID(f.now)})
	testx.Code(f, err, hook.CodeNotFound, "of no endpoint")
	_, err = f.store.ListRollups(f.ctx, hook.StatsFilter{Env: f.env, App: hook.NewID(f.now)})
	testx.Code(f, err, hook.CodeNotFound, "of no application")
}

func rollupsRetention(f *fixture) {
	h := newHistory(f, 2)
	start := f.now
	for range 40 {
		h.record()
	}
	summed := f.rollUp(13) // the others are not summed up yet when their attempts go
	f.pass(10 * day)
	gone := f.expire(hook.Retention{Attempts: 9 * day}).Attempts
	testx.True(f, gone > 13 && gone == h.recorded, "all attempts are removed")
	h.check("after the attempts")
	testx.Equal(f, f.expire(hook.Retention{Messages: 15 * day}).Messages, 0)
	for range 5 {
		h.record()
	}
	h.check("with new ones")
	testx.True(f, summed+f.rollUp(1000) <= h.recorded, "none is summed up twice")
	e := h.endpoints[0]
	hours := f.rollups(e.value.App, e.value.ID, start, f.now)
	var want hook.AttemptCounts
	for _, r := range hours {
		want.Success += r.Attempts.Succeeded()
		want.Fail += r.Attempts.Failed()
	}
	counts := testx.Must(f.store.CountAttempts(f.ctx, f.env, e.value.App, e.value.ID, start.Truncate(time.Hour), f.now.Add(time.Hour).Truncate(time.Hour)))(f)
	testx.Equal(f, []int64{counts.Success, counts.Fail}, []int64{want.Success, want.Fail}, "counts of whole hours")

	last := f.now
	f.pass(15*day - 4*time.Hour) // the last attempts are younger than the messages' time, the first ones older
	f.expire(hook.Retention{Messages: 15 * day})
	for _, e := range h.endpoints {
		for hour := range e.hours {
			if hour.Before(last.Add(-day)) {
				delete(e.hours, hour)
			}
		}
	}
	h.check("after the old messages")
	f.pass(day)
	f.expire(hook.Retention{Messages: 15 * day})
	for _, app := range h.apps {
		testx.Equal(f, len(f.rollups(app, hook.ID{}, time.Time{}, time.Time{})), 0, "hours after all messages")
	}
	for _, e := range h.endpoints {
		e.hours = nil
	}
	begin := f.now.Truncate(time.Hour).Add(time.Hour)
	f.now = begin
	h.record()
	h.check("begun anew")
	keep := hook.Retention{Messages: 2 * time.Hour}
	f.now = begin.Add(3*time.Hour - time.Millisecond)
	f.expire(keep)
	h.check("just before the whole hour is old enough")
	f.now = begin.Add(3 * time.Hour)
	f.expire(keep)
	for _, app := range h.apps {
		testx.Equal(f, len(f.rollups(app, hook.ID{}, time.Time{}, time.Time{})), 0, "hours when it is")
	}
}

func rollupsAgree(f *fixture) {
	h := newHistory(f, 3)
	start := f.now
	for i := range 80 {
		h.record()
		if i == 60 {
			f.rollUp(50)
		}
	}
	span := int(f.now.Sub(start) / time.Second)
	for range 60 {
		since := start.Add(time.Duration(h.rng.IntN(span)) * time.Second)
		until := since.Add(time.Duration(h.rng.IntN(span)) * time.Second)
		e := h.endpoints[h.rng.IntN(len(h.endpoints))]
		var want hook.AttemptCounts
		for _, a := range h.times[e.value.ID] {
			switch {
			case a.at.Before(since) || !a.at.Before(until):
			case a.class == hook.Success:
				want.Success++
			default:
				want.Fail++
			}
		}
		got := testx.Must(f.store.CountAttempts(f.ctx, f.env, e.value.App, e.value.ID, since, until))(f)
		testx.Equal(f, []int64{got.Success, got.Fail}, []int64{want.Success, want.Fail}, "counts from "+since.String()+" to "+until.String())
	}
}

func rollupsOfDeleted(f *fixture) {
	gone, kept := &modelEndpoint{value: f.newEndpoint()}, &modelEndpoint{value: f.newEndpoint()}
	_, leases := f.sendLeased()
	f.deleteEndpoint(gone.value.ID)
	for _, l := range leases {
		f.settle(l, answerOK)
	}
	for _, e := range []*modelEndpoint{gone, kept} {
		e.sumUp(&modelAttempt{at: f.now, took: 20 * time.Millisecond})
	}
	for _, rolled := range []bool{false, true} {
		if rolled {
			f.rollUpAll(2)
		}
		testx.Equal(f, f.rollups(f.app, hook.ID{}, time.Time{}, time.Time{}), rollups(hook.ID{}, gone, kept), "of the application")
		testx.Equal(f, f.rollups(f.app, kept.value.ID, time.Time{}, time.Time{}), rollups(kept.value.ID, kept), "of the endpoint that is left")
	}
}
