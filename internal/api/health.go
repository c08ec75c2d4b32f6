package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// healthStore lists endpoints of a whole environment and how they have been.
type healthStore interface {
	ListEnvironmentEndpoints(ctx context.Context, f hook.EnvironmentEndpointFilter) (hook.EndpointPage, error)
	ListRollupsOf(ctx context.Context, f hook.RollupFilter) (map[hook.ID][]hook.Rollup, error)
	FindEndpointAnywhere(ctx context.Context, env, endpoint hook.ID) (hook.EndpointOf, error)
}

const (
	// healthHours is the range of the health in lists, and the default of its route.
	healthHours = 24
	// healthWindow is the longest range of its route.
	healthWindow = 31 * 24 * time.Hour
)

// listAllEndpoints lists the endpoints of all applications and sources, with their health.
func listAllEndpoints(c *call) (reply, error) {
	q := c.params()
	p := q.page(hook.KindEndpoint, false, false)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	query, err := queried(c, search.Endpoints)
	if err != nil {
		return reply{}, err
	}
	found, err := c.findEndpoints(query, p)
	if err != nil {
		return reply{}, err
	}
	health, since, err := c.healthOf(found.items)
	if err != nil {
		return reply{}, err
	}
	out := apitype.EndpointRows{}
	out.List, out.Searched = rowsOf(found, hook.KindEndpoint.Format, endpointPlace, p.Backward, func(e *hook.EndpointOf) apitype.EndpointRow {
		return endpointRow(e, healthOut(health[e.Endpoint.ID], since))
	})
	return ok(out)
}

func endpointPlace(e *hook.EndpointOf) hook.ID { return e.Endpoint.ID }

func endpointRow(e *hook.EndpointOf, health apitype.HealthOut) apitype.EndpointRow {
	return apitype.EndpointRow{
		EndpointOut: endpointOut(&e.Endpoint), AppID: ownerText(&e.Owner, e.Endpoint.App), AppName: e.Owner.Name,
		SourceID: sourceIDOf(&e.Owner), State: apitype.EndpointState(search.StateOf(&e.Endpoint)), Health: health,
	}
}

// findEndpoints walks over the endpoints that a query leaves.
func (c *call) findEndpoints(query *search.Query[*hook.EndpointOf], p hook.Page) (found pageOf[hook.EndpointOf, hook.ID], err error) {
	f := hook.EnvironmentEndpointFilter{Env: c.key.Env, Page: hook.Page{Backward: p.Backward}}
	if states, _ := query.Demanded("state"); len(states) == 1 {
		is, isNot := true, false
		switch states[0].Text {
		case search.EndpointDisabled:
			f.Disabled = &is
		case search.EndpointFailing:
			f.Disabled, f.Failing = &isNot, &is
		case search.EndpointActive:
			f.Disabled, f.Failing = &isNot, &isNot
		}
	}
	ids, known, err := owners(c, query)
	if err != nil || known && len(ids) == 0 {
		return found, err
	}
	f.Apps = ids
	w := walk[hook.EndpointOf, hook.ID]{
		from: p.From, limit: p.Limit, batch: maxLimit, now: c.Now, place: endpointPlace,
		at: func(e *hook.EndpointOf) time.Time { return e.Endpoint.CreatedAt },
	}
	if !query.Empty() {
		w.keep = func(e *hook.EndpointOf) bool {
			c.withUID(&e.Owner)
			return query.Match(e)
		}
	}
	w.page = func(from hook.ID, limit, look int) (out pageOf[hook.EndpointOf, hook.ID], err error) {
		f.Page.From, f.Page.Limit, f.Look = from, limit, look
		page, err := c.Store.ListEnvironmentEndpoints(c.ctx(), f)
		out = pageOf[hook.EndpointOf, hook.ID]{items: turned(page.Items, p.Backward), next: page.Next, more: page.More}
		if page.Limited {
			out.searchedTo = page.Next.Time()
		}
		return out, err
	}
	return w.run()
}

// getHealth tells how one endpoint has been, hour by hour.
func getHealth(c *call) (reply, error) {
	q := c.params()
	since, until, err := q.hours(c.now)
	if err != nil {
		return reply{}, err
	}
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	rollups, err := c.Store.ListRollupsOf(c.ctx(), hook.RollupFilter{Env: c.key.Env, Endpoints: []hook.ID{e.ID}, Since: since, Until: until})
	if err != nil {
		return reply{}, err
	}
	out := endpointHealth(&e, rollups[e.ID], since, until)
	out.Retries = make([]float64, len(c.RetrySteps))
	for i, step := range c.RetrySteps {
		out.Retries[i] = step.Seconds()
	}
	return ok(out)
}

// hours reads since and until, widened to whole hours.
func (q *queryReader) hours(now time.Time) (since, until time.Time, err error) {
	since, until = q.time("since"), q.time("until")
	if err := q.err(); err != nil {
		return since, until, err
	}
	if until.IsZero() {
		until = now
	}
	if since.IsZero() {
		since = until.Add(-healthHours * time.Hour)
	}
	switch {
	case until.After(now.Add(clockSlack)):
		return since, until, invalidRange("`until` lies in the future.")
	case !since.Before(until):
		return since, until, invalidRange("`until` does not lie after `since`.")
	case until.Sub(since) > healthWindow:
		return since, until, invalidRange("The range is longer than 31 days.")
	}
	return wholeHours(since, until)
}

func wholeHours(since, until time.Time) (time.Time, time.Time, error) {
	return since.Truncate(time.Hour), until.Add(time.Hour - 1).Truncate(time.Hour), nil
}

// healthOf gives the rollups of the last 24 hours, the current one included, and where
// they begin.
func (c *call) healthOf(list []hook.EndpointOf) (map[hook.ID][]hook.Rollup, time.Time, error) {
	until := c.now.Add(time.Hour).Truncate(time.Hour)
	since := until.Add(-healthHours * time.Hour)
	if len(list) == 0 {
		return nil, since, nil
	}
	ids := make([]hook.ID, len(list))
	for i := range list {
		ids[i] = list[i].Endpoint.ID
	}
	rollups, err := c.Store.ListRollupsOf(c.ctx(), hook.RollupFilter{Env: c.key.Env, Endpoints: ids, Since: since, Until: until})
	return rollups, since, err
}

// healthOut sums up the 24 hours from since on.
func healthOut(rollups []hook.Rollup, since time.Time) apitype.HealthOut {
	var sum hook.Tally
	out := apitype.HealthOut{Hours: make([]apitype.HealthHour, healthHours)}
	for i := range out.Hours {
		out.Hours[i].At = since.Add(time.Duration(i) * time.Hour)
	}
	for i := range rollups {
		r := &rollups[i]
		at := int(r.Hour.Sub(since) / time.Hour)
		if at < 0 || at >= len(out.Hours) {
			continue
		}
		sum.Merge(r.Attempts)
		out.Hours[at].Succeeded += r.Attempts.Succeeded()
		out.Hours[at].Failed += r.Attempts.Failed()
	}
	out.Attempts, out.Succeeded = sum.Total(), sum.Succeeded()
	out.P50Ms, out.P95Ms = tookOut(&sum, 0.5), tookOut(&sum, 0.95)
	return out
}

func endpointHealth(e *hook.Endpoint, rollups []hook.Rollup, since, until time.Time) apitype.EndpointHealth {
	out := apitype.EndpointHealth{
		Since: since, Until: until, State: apitype.EndpointState(search.StateOf(e)), Failures: []apitype.OutcomeCount{},
		Hours: make([]apitype.HealthDetail, int(until.Sub(since)/time.Hour)),
	}
	for i := range out.Hours {
		out.Hours[i].At = since.Add(time.Duration(i) * time.Hour)
	}
	var sum hook.Tally
	for i := range rollups {
		at := int(rollups[i].Hour.Sub(since) / time.Hour)
		if at < 0 || at >= len(out.Hours) {
			continue
		}
		t, hour := &rollups[i].Attempts, &out.Hours[at]
		sum.Merge(*t)
		hour.Succeeded, hour.Failed = t.Succeeded(), t.Failed()
		hour.P50Ms, hour.P95Ms = tookOut(t, 0.5), tookOut(t, 0.95)
	}
	out.Attempts, out.Succeeded = sum.Total(), sum.Succeeded()
	out.P50Ms, out.P95Ms = tookOut(&sum, 0.5), tookOut(&sum, 0.95)
	for _, class := range hook.Classes {
		if n := sum.ByClass[class]; n > 0 && class != hook.Success {
			out.Failures = append(out.Failures, apitype.OutcomeCount{Outcome: class.String(), Count: n})
		}
	}
	slices.SortStableFunc(out.Failures, func(a, b apitype.OutcomeCount) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// tookOut gives a quantile in milliseconds, null if nothing was counted.
func tookOut(t *hook.Tally, q float64) *float64 {
	if t.Total() == 0 {
		return nil
	}
	return millisOut(t.Quantile(q))
}

func millisOut(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}

// getAnyEndpoint gives an endpoint of whatever application or source.
func getAnyEndpoint(c *call) (reply, error) {
	id, err := hook.KindEndpoint.Parse(c.value("ep"))
	if err != nil {
		return reply{}, hook.Invalid("is not a valid id", "path", "endpoint_id")
	}
	e, err := c.Store.FindEndpointAnywhere(c.ctx(), c.key.Env, id)
	if err != nil {
		return reply{}, err
	}
	health, since, err := c.healthOf([]hook.EndpointOf{e})
	if err != nil {
		return reply{}, err
	}
	return ok(endpointRow(&e, healthOut(health[id], since)))
}
