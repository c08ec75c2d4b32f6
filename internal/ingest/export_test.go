package ingest

import (
	"context"
	"net/netip"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// What the external tests look at from inside.

var (
	SplitPath = splitPath
	CleanType = cleanType
	NameOf    = nameOf
	JSONText  = jsonText
)

// LatestFiring is latestFiring in UTC.
func LatestFiring(schedule string, due, now time.Time) (time.Time, error) {
	s, err := parseSchedule(schedule, "")
	if err != nil {
		return time.Time{}, err
	}
	return latestFiring(s, due, now), nil
}

// FireDue makes the events that are due.
func (g *Gateway) FireDue(ctx context.Context) error { return g.fireDue(ctx) }

// Fire makes the event of a source that was read as due.
func (g *Gateway) Fire(ctx context.Context, s hook.Source) error { return g.fire(ctx, &s, g.Now()) }

// FetchCached is fetch.
func (g *Gateway) FetchCached(ctx context.Context, url string) ([]byte, error) {
	return g.fetch(ctx, url)
}

// FetchesRemembered is how many addresses are remembered.
func (g *Gateway) FetchesRemembered() int { return len(g.fetched.entries) }

// Limiter is a limiter by address.
type Limiter struct{ limiter[netip.Prefix] }

// Take is take.
func (l *Limiter) Take(a netip.Addr, rate, burst float64, now time.Duration) (time.Duration, bool) {
	return l.take(neighbourhood(a), rate, burst, now)
}

// Len is how many buckets there are.
func (l *Limiter) Len() int { return len(l.buckets) }
