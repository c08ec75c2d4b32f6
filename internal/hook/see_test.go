package hook_test

import (
	"errors"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestASettlementSaysWhetherItsDeliveryFails(t *testing.T) {
	t.Parallel()
	id := hook.NewID(time.Unix(1, 0))
	for _, c := range []struct {
		name   string
		number int
		tried  bool
		class  hook.Class
		then   hook.State
		want   hook.FailingChange
	}{
		{"first attempt succeeds", 1, true, hook.Success, hook.Delivered, hook.FailingStays},
		{"later attempt succeeds", 2, true, hook.Success, hook.Delivered, hook.FailingEnds},
		{"first attempt fails, to be retried", 1, true, hook.FailTimeout, hook.Pending, hook.FailingSet},
		{"later attempt fails, to be retried", 3, true, hook.FailTimeout, hook.Pending, hook.FailingSet},
		{"last attempt fails", 8, true, hook.FailTimeout, hook.Failed, hook.FailingSet},
		{"first attempt is answered 410", 1, true, hook.FailGone, hook.Canceled, hook.FailingStays},
		{"later attempt is answered 410", 2, true, hook.FailGone, hook.Canceled, hook.FailingEnds},
		{"resend of a delivered one fails", 2, true, hook.FailTimeout, hook.Delivered, hook.FailingEnds},
		{"nothing was tried, the first time", 1, false, 0, hook.Canceled, hook.FailingStays},
		{"nothing was tried, later, and it is canceled", 2, false, 0, hook.Canceled, hook.FailingEnds},
		{"nothing was tried, and it stays as it is", 2, false, 0, hook.Pending, hook.FailingStays},
	} {
		s := hook.Settlement{Lease: &hook.Lease{Number: c.number}, Then: hook.Transition{State: c.then}}
		if c.tried {
			s.Attempt = hook.Attempt{ID: id, Outcome: hook.Outcome{Class: c.class}}
		}
		testx.Equal(t, s.Failing(), c.want, c.name)
	}
}

func TestTrafficSurvivesItsBinaryForm(t *testing.T) {
	t.Parallel()
	began := time.Unix(1_700_000_000, 0)
	var want hook.Traffic
	want.Accepted = 12345
	want.Count(hook.Success, began, 80*time.Millisecond, began.Add(-time.Second))
	want.Count(hook.FailTimeout, began, 20*time.Second, time.Time{})
	got, err := hook.ParseTraffic(want.Append(nil))
	testx.NoError(t, err)
	testx.Equal(t, got, want)
	for _, bad := range [][]byte{nil, {2}, {1}, append(want.Append(nil), 0), want.Append(nil)[:5]} {
		_, err := hook.ParseTraffic(bad)
		testx.True(t, errors.Is(err, hook.ErrBadTraffic), "what is not traffic is refused")
	}
}

func FuzzParseTraffic(f *testing.F) {
	var some hook.Traffic
	some.Accepted = 7
	some.Count(hook.Success, time.Unix(9, 0), time.Second, time.Unix(5, 0))
	f.Add(some.Append(nil))
	f.Add([]byte{1, 0, 0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := hook.ParseTraffic(b)
		if err != nil {
			return
		}
		again, err := hook.ParseTraffic(got.Append(nil))
		testx.NoError(t, err)
		testx.Equal(t, again, got)
	})
}

func TestDelaysEstimateWithinTheirCell(t *testing.T) {
	t.Parallel()
	var d hook.Delays
	testx.Equal(t, d.Quantile(0.5), time.Duration(0), "of nothing")
	for _, took := range []time.Duration{0, time.Millisecond, 3 * time.Second, 30 * time.Hour, 1000 * time.Hour} {
		var one hook.Delays
		one.Add(took)
		q := one.Quantile(1)
		testx.True(t, q >= min(took, hook.DelayBound(hook.DelayCells-1)) && q <= max(2*took, time.Millisecond), took.String())
		d.Merge(&one)
	}
	testx.Equal(t, d.Total(), int64(5))
	testx.True(t, hook.DelayBound(hook.DelayCells-1) > 28*time.Hour, "the whole schedule fits")
}

func TestAnIssueOpensOnlyByWhatIsNewerThanItsState(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		name  string
		issue hook.Issue
		want  bool
	}{
		{"open", hook.Issue{State: hook.IssueOpen}, false},
		{"resolved before", hook.Issue{State: hook.IssueResolved, ResolvedAt: at.Add(-1)}, true},
		{"resolved at the same time", hook.Issue{State: hook.IssueResolved, ResolvedAt: at}, false},
		{"muted for good", hook.Issue{State: hook.IssueMuted}, false},
		{"muted until later", hook.Issue{State: hook.IssueMuted, MutedUntil: at.Add(1)}, false},
		{"muted until then", hook.Issue{State: hook.IssueMuted, MutedUntil: at}, true},
	} {
		testx.Equal(t, c.issue.Reopens(at), c.want, c.name)
	}
}

func TestATaskHasRoomForWhatItsRateAllows(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		rate  int
		since time.Duration
		want  int
	}{
		{0, 0, 200}, {10, 0, 0}, {10, 99 * time.Millisecond, 0}, {10, 100 * time.Millisecond, 1}, {10, time.Hour, 10},
		{1000, time.Second, 200}, {10, -time.Second, 0},
	} {
		task := hook.Task{Rate: c.rate, UpdatedAt: now.Add(-c.since)}
		testx.Equal(t, task.Room(now, 200), c.want)
	}
}

func TestEveryWordOfWhatIsSeenIsItsOwn(t *testing.T) {
	t.Parallel()
	words := map[string]bool{}
	for _, s := range hook.IssueStates {
		words["issue "+s.String()] = true
	}
	for _, s := range hook.FailingStates {
		words["failing "+s.String()] = true
	}
	testx.Equal(t, len(words), len(hook.IssueStates)+len(hook.FailingStates))
	testx.True(t, !words["issue unknown"], "every state has a word")
}
