package storetest

import (
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// modelEntry is one entry of a feed.
type modelEntry struct {
	commit   int
	message  *modelMessage
	delivery *modelDelivery // of an attempt
	attempt  hook.ID
}

func (m *model) publish(kind hook.FeedKind, e modelEntry) {
	e.commit = m.commits
	m.feeds[kind] = append(m.feeds[kind], e)
}

// kept reports whether retention has left the entry.
func (m *model) kept(e modelEntry) bool {
	return slices.Contains(m.messages, e.message) && (e.delivery == nil ||
		slices.ContainsFunc(e.delivery.log, func(a modelAttempt) bool { return a.id == e.attempt }))
}

// sumUp counts an attempt in its hour.
func (e *modelEndpoint) sumUp(a *modelAttempt) {
	if e.hours == nil {
		e.hours = map[time.Time]hook.Tally{}
	}
	hour := a.at.Truncate(hook.RollupPeriod)
	t := e.hours[hour]
	t.Add(a.class, a.took)
	e.hours[hour] = t
}

// forgetHours drops those that ended before a time.
func (m *model) forgetHours(limit time.Time) {
	for _, e := range m.endpoints {
		for hour := range e.hours {
			if !hour.Add(hook.RollupPeriod).After(limit) {
				delete(e.hours, hour)
			}
		}
	}
}

// rollups gives the hours of endpoints, summed up.
func rollups(of hook.ID, endpoints ...*modelEndpoint) []hook.Rollup {
	sums := map[time.Time]hook.Tally{}
	for _, e := range endpoints {
		for hour, t := range e.hours {
			sum := sums[hour]
			sum.Merge(t)
			sums[hour] = sum
		}
	}
	out := make([]hook.Rollup, 0, len(sums))
	for hour, t := range sums {
		out = append(out, hook.Rollup{Endpoint: of, Hour: hour, Attempts: t})
	}
	slices.SortFunc(out, func(a, b hook.Rollup) int { return a.Hour.Compare(b.Hour) })
	return out
}

// counts is what is counted of an endpoint in a range of time. Of hours that lie
// in it as a whole all attempts count, of the others those that are still kept.
func (m *model) counts(e *modelEndpoint, since, until time.Time) (out hook.AttemptCounts) {
	within := func(t time.Time) bool { return !t.Before(since) && t.Before(until) }
	whole := func(hour time.Time) bool {
		return within(hour) && !hour.Add(hook.RollupPeriod).After(until)
	}
	for hour, t := range e.hours {
		if whole(hour) {
			out.Success += t.Succeeded()
			out.Fail += t.Failed()
		}
	}
	for _, d := range m.deliveries(func(d *modelDelivery) bool { return d.endpoint == e }) {
		for _, a := range d.log {
			switch {
			case !within(a.at) || whole(a.at.Truncate(hook.RollupPeriod)):
			case a.class == hook.Success:
				out.Success++
			default:
				out.Fail++
			}
		}
		if !within(d.message.value.CreatedAt) {
			continue
		}
		switch d.shown().State {
		case hook.Pending:
			out.Pending++
		case hook.Sending:
			out.Sending++
		case hook.Canceled:
			out.Canceled++
		case hook.Delivered, hook.Failed: // their attempts are counted
		}
	}
	return out
}
