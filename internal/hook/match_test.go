package hook_test

import (
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestMatchDecidesByTypeThenChannelThenDisabled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		types    []string
		channels []string
		disabled bool
		msgType  string
		msgChans []string
		want     hook.Verdict
	}{
		{"no filters take all", nil, nil, false, "a.b", nil, hook.Matched},
		{"no filters take a message with channels", nil, nil, false, "a.b", []string{"x"}, hook.Matched},
		{"the type is listed", []string{"a", "a.b"}, nil, false, "a.b", nil, hook.Matched},
		{"the type is not listed", []string{"a"}, nil, false, "a.b", nil, hook.EventTypeDiffers},
		{"types are compared whole", []string{"a.b"}, nil, false, "a", nil, hook.EventTypeDiffers},
		{"types are compared with their case", []string{"A"}, nil, false, "a", nil, hook.EventTypeDiffers},
		{"a channel is shared", nil, []string{"x", "y"}, false, "a", []string{"y", "z"}, hook.Matched},
		{"no channel is shared", nil, []string{"x"}, false, "a", []string{"y"}, hook.ChannelDiffers},
		{"a message without channels never reaches an endpoint with some", nil, []string{"x"}, false, "a", nil, hook.ChannelDiffers},
		{"type comes before channel", []string{"b"}, []string{"x"}, true, "a", nil, hook.EventTypeDiffers},
		{"channel comes before disabled", nil, []string{"x"}, true, "a", nil, hook.ChannelDiffers},
		{"disabled is said only of what would match", []string{"a"}, []string{"x"}, true, "a", []string{"x"}, hook.EndpointDisabled},
	} {
		e := hook.Endpoint{EventTypes: c.types, Channels: c.channels}
		if c.disabled {
			e.Disable(hook.DisabledByUser, time.Unix(1, 0))
		}
		if got := hook.Match(c.msgType, c.msgChans, e.Filters()); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestDisableKeepsTheFirstReasonAndEnableForgets(t *testing.T) {
	t.Parallel()
	e := hook.Endpoint{FailingSince: time.Unix(5, 0)}
	e.Disable(hook.DisabledByGone, time.Unix(10, 0))
	e.Disable(hook.DisabledByUser, time.Unix(20, 0))
	if !e.Disabled || e.DisabledReason != hook.DisabledByGone || !e.DisabledAt.Equal(time.Unix(10, 0)) {
		t.Errorf("%+v", e)
	}
	e.Enable()
	if e.Disabled || e.DisabledReason != hook.NotDisabled || !e.DisabledAt.IsZero() || !e.FailingSince.IsZero() {
		t.Errorf("%+v", e)
	}
}

func TestWordsOfClosedSetsAreDistinctAndKnown(t *testing.T) {
	t.Parallel()
	check := func(set string, words []string, beyond string) {
		seen := map[string]bool{}
		for _, w := range words {
			if w == "unknown" || seen[w] {
				t.Errorf("%s: %q", set, w)
			}
			seen[w] = true
		}
		if beyond != "unknown" {
			t.Errorf("%s: its list of all values is not complete: the next one is %q", set, beyond)
		}
	}
	check("Verdict", words(hook.Verdicts), hook.Verdict(len(hook.Verdicts)).String())
	check("State", words(hook.States), hook.State(len(hook.States)).String())
	check("Reason", words(hook.Reasons), hook.Reason(len(hook.Reasons)).String())
	check("Hold", words(hook.Holds), hook.Hold(len(hook.Holds)).String())
	check("Class", words(hook.Classes), hook.Class(len(hook.Classes)).String())
	check("DisableReason", words(hook.DisableReasons), hook.DisableReason(len(hook.DisableReasons)).String())
}

func words[T interface{ String() string }](values []T) []string {
	var s []string
	for _, v := range values {
		s = append(s, v.String())
	}
	return s
}

func TestRecoverableIsWhatEndedWithoutSuccessButNotByChoice(t *testing.T) {
	t.Parallel()
	for _, s := range hook.States {
		for _, r := range hook.Reasons {
			want := s == hook.Failed || s == hook.Canceled && (r == hook.ReasonEndpointDisabled || r == hook.ReasonGone)
			if got := hook.Recoverable(s, r); got != want {
				t.Errorf("Recoverable(%v, %v) = %v", s, r, got)
			}
		}
		if got, want := s.Final(), s == hook.Delivered || s == hook.Failed || s == hook.Canceled; got != want {
			t.Errorf("%v.Final() = %v", s, got)
		}
	}
}
