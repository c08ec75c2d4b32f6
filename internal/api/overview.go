package api

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// overviewStore tells how an environment has been doing.
type overviewStore interface {
	ListTraffic(ctx context.Context, f hook.TrafficFilter) ([]hook.Traffic, error)
	ListNodes(ctx context.Context, now time.Time) ([]hook.NodeInfo, error)
	Lanes(ctx context.Context, after hook.ID, limit int) ([]hook.Lane, error)
}

const (
	overviewRange  = 24 * time.Hour      // unless the caller names one
	overviewWindow = 92 * 24 * time.Hour // the longest
	overviewPoints = 100                 // most seriesSteps of a series, about
)

// seriesSteps are those that a series can have: multiples of what the store keeps.
var seriesSteps = []time.Duration{hook.TrafficPeriod, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

// getOverview shows a range of time in figures, and what needs somebody now.
func getOverview(c *call) (reply, error) {
	since, until, err := c.params().rangeOf(c.now)
	if err != nil {
		return reply{}, err
	}
	step := stepOf(until.Sub(since))
	traffic, err := c.Store.ListTraffic(c.ctx(), hook.TrafficFilter{Env: c.key.Env, Since: since, Until: until, Step: step})
	if err != nil {
		return reply{}, err
	}
	out := apitype.OverviewOut{Since: since, Until: until, StepSeconds: int(step / time.Second), Series: series(traffic, since, until, step)}
	out.Tiles = tiles(traffic)
	if out.Attention, err = c.attention(since, &out.Tiles); err != nil {
		return reply{}, err
	}
	return ok(out)
}

// rangeOf reads since and until of an overview.
func (q *queryReader) rangeOf(now time.Time) (since, until time.Time, err error) {
	since, until = q.time("since"), q.time("until")
	if err := q.err(); err != nil {
		return since, until, err
	}
	if until.IsZero() {
		until = now
	}
	if since.IsZero() {
		since = until.Add(-overviewRange)
	}
	switch {
	case until.After(now.Add(clockSlack)):
		err = invalidRange("`until` lies in the future.")
	case !since.Before(until):
		err = invalidRange("`until` does not lie after `since`.")
	case until.Sub(since) > overviewWindow:
		err = invalidRange("The range is longer than 92 days.")
	}
	return since, until, err
}

func stepOf(length time.Duration) time.Duration {
	for _, step := range seriesSteps {
		if length <= overviewPoints*step {
			return step
		}
	}
	return seriesSteps[len(seriesSteps)-1]
}

// series gives every step of the range, those without traffic too.
func series(traffic []hook.Traffic, since, until time.Time, step time.Duration) []apitype.OverviewPoint {
	points := []apitype.OverviewPoint{}
	for at := since.Truncate(step); at.Before(until); at = at.Add(step) {
		p := apitype.OverviewPoint{At: at}
		if len(traffic) > 0 && !traffic[0].Start.After(at) {
			t := &traffic[0]
			p.Accepted, p.Delivered, p.Failed = t.Accepted, t.Attempts.Succeeded(), t.Attempts.Failed()
			p.MedianToDeliveryMs = delayOut(&t.Delay, 0.5)
			traffic = traffic[1:]
		}
		points = append(points, p)
	}
	return points
}

func tiles(traffic []hook.Traffic) apitype.OverviewTiles {
	var sum hook.Traffic
	for i := range traffic {
		sum.Merge(&traffic[i])
	}
	out := apitype.OverviewTiles{Accepted: sum.Accepted, Attempts: sum.Attempts.Total(), Succeeded: sum.Attempts.Succeeded()}
	if out.Attempts > 0 {
		share := float64(out.Succeeded) / float64(out.Attempts)
		out.DeliveredShare = &share
	}
	out.MedianToDeliveryMs, out.P95ToDeliveryMs = delayOut(&sum.Delay, 0.5), delayOut(&sum.Delay, 0.95)
	return out
}

// delayOut gives a quantile in milliseconds, null if nothing was counted.
func delayOut(d *hook.Delays, q float64) *float64 {
	if d.Total() == 0 {
		return nil
	}
	return millisOut(d.Quantile(q))
}
