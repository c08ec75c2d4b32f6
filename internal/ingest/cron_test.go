package ingest_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/ingest"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func every(schedule, zone string) *hook.CronSettings {
	return &hook.CronSettings{Schedule: schedule, TimeZone: zone, Payload: `{"tick":true}`}
}

func TestNextFireFollowsScheduleAndTimeZone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ schedule, zone, now, want string }{
		{"0 9 * * 1-5", "", "2026-05-04T08:59:59Z", "2026-05-04T09:00:00Z"},
		{"0 9 * * 1-5", "", "2026-05-04T09:00:00Z", "2026-05-05T09:00:00Z"},
		{"0 9 * * *", "Europe/Berlin", "2026-05-04T06:00:00Z", "2026-05-04T07:00:00Z"},
		{"0 9 * * *", "Europe/Berlin", "2026-01-04T06:00:00Z", "2026-01-04T08:00:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", "2026-03-30T00:30:00Z"}, // 02:30 does not exist on the 29th
		{"@hourly", "", "2026-05-04T08:10:00Z", "2026-05-04T09:00:00Z"},
		{"@every 90m", "", "2026-05-04T08:10:00Z", "2026-05-04T09:40:00Z"},
		{"0 0 29 2 *", "", "2026-05-04T08:10:00Z", "2028-02-29T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		testx.NoError(t, err)
		next, err := ingest.NextFire(*every(tt.schedule, tt.zone), now)
		if err != nil || next.Format(time.RFC3339) != tt.want {
			t.Errorf("%s %s after %s: %s, %v, want %s", tt.schedule, tt.zone, tt.now, next.Format(time.RFC3339), err, tt.want)
		}
	}
	for _, tt := range [][2]string{
		{"", ""}, {"* * * *", ""}, {"* * * * * *", ""}, {"61 * * * *", ""}, {"0 0 30 2 *", ""}, {"@every 1s", ""}, {"@every x", ""}, {"@reboot", ""},
		{"TZ=UTC 0 9 * * *", ""}, {"CRON_TZ=UTC 0 9 * * *", ""}, {"0 9 * * *", "Mars/Olympus"}, {"0 9 * * *", "Local"}, {"0 9 * * *", "../etc/passwd"},
		{"0 9 * * *", "localtime"}, {"0 9 * * *", "right/UTC"}, {"0 9 * * *", "posix/Europe/Berlin"}, {"0 9 * * *", "posixrules"},
		{strings.Repeat("*", 300) + " * * * *", ""},
	} {
		if next, err := ingest.NextFire(*every(tt[0], tt[1]), at); err == nil {
			t.Errorf("%.20q %q is taken: %v", tt[0], tt[1], next)
		}
	}
}

func TestLatestMissedFiringIsFoundHoweverLongItHasBeen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ schedule, due, now, want string }{
		{"* * * * *", "2026-05-04T08:00:00Z", "2026-05-04T08:00:00Z", "2026-05-04T08:00:00Z"},
		{"* * * * *", "2021-05-04T08:00:00Z", "2026-05-04T08:00:30Z", "2026-05-04T08:00:00Z"},
		{"0 9 * * *", "2026-05-01T09:00:00Z", "2026-05-04T08:59:00Z", "2026-05-03T09:00:00Z"},
		{"0 0 1 1 *", "2020-01-01T00:00:00Z", "2026-05-04T08:59:00Z", "2026-01-01T00:00:00Z"},
		{"0 0 29 2 *", "2020-02-29T00:00:00Z", "2023-05-04T00:00:00Z", "2020-02-29T00:00:00Z"},
		{"@every 7m", "2026-05-04T08:00:00Z", "2026-05-04T08:20:00Z", "2026-05-04T08:14:00Z"},
	} {
		due, _ := time.Parse(time.RFC3339, tt.due)
		now, _ := time.Parse(time.RFC3339, tt.now)
		got, err := ingest.LatestFiring(tt.schedule, due, now)
		if err != nil || got.UTC().Format(time.RFC3339) != tt.want {
			t.Errorf("%s due %s at %s: %s, %v, want %s", tt.schedule, tt.due, tt.now, got, err, tt.want)
		}
	}
}

func TestCronSourceMakesOneEventForAllNodesAndTheLatestOfThoseMissed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	app := r.application()
	src, _ := r.source("cron", hook.SourceSettings{Cron: every("0 * * * *", ""), Routes: []hook.SourceRoute{{App: app}}})
	testx.Equal(t, src.NextFire.UTC(), at.Add(time.Hour))
	testx.NoError(t, r.FireDue(t.Context()))
	testx.Equal(t, len(r.messages(src.ID)), 0, "events before the time")
	r.clock.move(time.Hour)
	testx.NoError(t, r.FireDue(t.Context()))
	// Another node that has read the source as due makes the same event.
	testx.NoError(t, r.Fire(t.Context(), src))
	list := r.messages(src.ID)
	testx.Equal(t, len(list), 1)
	testx.Equal(t, []string{list[0].EventID, list[0].EventType, string(list[0].Body), list[0].ContentType}, []string{"cron:2026-05-04T13:00:00Z", "cron", `{"tick":true}`, "application/json"})
	testx.Equal(t, len(r.messages(app)), 1)
	r.clock.move(5*time.Hour + time.Minute)
	testx.NoError(t, r.FireDue(t.Context()))
	testx.NoError(t, r.FireDue(t.Context()))
	list = r.messages(src.ID)
	testx.Equal(t, len(list), 2, "the missed ones are one event")
	testx.Equal(t, list[1].EventID, "cron:2026-05-04T18:00:00Z")
	now, err := r.store.FindSource(t.Context(), r.env, hook.Ref{ID: src.ID})
	testx.NoError(t, err)
	testx.Equal(t, now.NextFire.UTC(), at.Add(7*time.Hour))
}

func TestFiringThatIsNotStoredIsMadeAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, _ := r.source("cron", hook.SourceSettings{Cron: every("0 * * * *", "")})
	r.clock.move(time.Hour)
	r.fail(hook.Unavailable(nil))
	if err := r.FireDue(t.Context()); err == nil {
		t.Fatal("a failure of the store is not told")
	}
	r.fail(nil)
	r.clock.move(30 * time.Second)
	testx.NoError(t, r.FireDue(t.Context()))
	list := r.messages(src.ID)
	testx.Equal(t, len(list), 1)
	testx.Equal(t, list[0].EventID, "cron:2026-05-04T13:00:00Z")
}

func TestDisabledOrBrokenCronSourceIsNotDueForEver(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	off, _ := r.source("cron", hook.SourceSettings{Cron: every("0 * * * *", "")})
	broken, _ := r.source("cron", hook.SourceSettings{Cron: every("0 * * * *", "")})
	r.change(off, func(s *hook.Source) { s.Disabled = true })
	r.change(broken, func(s *hook.Source) { s.Settings.Cron.Schedule = "x" })
	r.clock.move(time.Hour)
	testx.NoError(t, r.FireDue(t.Context()))
	due, err := r.store.DueSources(t.Context(), r.clock.Now(), 10)
	testx.NoError(t, err)
	testx.Equal(t, len(due)+len(r.messages(off.ID))+len(r.messages(broken.ID)), 0)
}

func TestOnlyTheLeaderMakesEvents(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	second := make(chan struct{}, 1)
	r := newRig(t, func(d *ingest.Deps) {
		d.Leads = func() bool {
			if asked.Add(1) >= 2 {
				select {
				case second <- struct{}{}:
				default:
				}
			}
			return false
		}
	})
	src, _ := r.source("cron", hook.SourceSettings{Cron: every("0 * * * *", "")})
	r.clock.move(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.RunCron(ctx) }()
	testx.Receive(t, second, "a second look")
	cancel()
	testx.NoError(t, testx.Receive(t, done, "the end of the loop"))
	testx.Equal(t, len(r.messages(src.ID)), 0)
}
