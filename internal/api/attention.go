package api

import (
	"fmt"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// backlogAge is how long what is due may wait before somebody is told.
	backlogAge = time.Minute
	// expiryNotice is how long before its end a former secret is told of.
	expiryNotice = 24 * time.Hour
	// attentionEach is how many of a kind are told one by one.
	attentionEach = 10
	// attentionLook is how many rows of a kind are looked at.
	attentionLook = 1000
)

// attention gathers what needs somebody, the most severe first, and fills in the tiles
// that count endpoints. Each part looks at a bounded number of rows.
func (c *call) attention(since time.Time, t *apitype.OverviewTiles) ([]apitype.Attention, error) {
	list := []apitype.Attention{}
	for _, part := range []func() ([]apitype.Attention, error){
		c.nodesNeeded, c.backlog,
		func() ([]apitype.Attention, error) { return c.disabledEndpoints(t) },
		func() ([]apitype.Attention, error) { return c.failingEndpoints(t) },
		func() ([]apitype.Attention, error) { return c.refusedRequests(since) },
		c.expiringSecrets,
	} {
		some, err := part()
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// nodesNeeded tells if no node delivers.
func (c *call) nodesNeeded() ([]apitype.Attention, error) {
	nodes, err := c.Store.ListNodes(c.ctx(), c.now)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(nodes, func(n hook.NodeInfo) bool { return n.Alive && n.Delivers }) {
		return nil, nil
	}
	return []apitype.Attention{{
		Kind: apitype.AttentionNoNode, Severity: apitype.SeverityError,
		Text: "No node delivers: messages are accepted and wait until a node of the role deliver runs.",
	}}, nil
}

// backlog tells how long what is due has been waiting without a reason.
func (c *call) backlog() ([]apitype.Attention, error) {
	lanes, err := c.Store.Lanes(c.ctx(), hook.ID{}, attentionLook)
	if err != nil {
		return nil, err
	}
	oldest := c.now
	for _, l := range lanes {
		if l.Due.Before(oldest) && c.Hold(l.Endpoint).Hold == hook.NotHeld {
			oldest = l.Due
		}
	}
	age := c.now.Sub(oldest)
	if age <= backlogAge {
		return nil, nil
	}
	return []apitype.Attention{{
		Kind: apitype.AttentionBacklog, Severity: apitype.SeverityError, Since: timeOut(oldest),
		Text: "Deliveries are late: the oldest one that is due has been waiting for " + roughly(age) + ".",
	}}, nil
}

// roughly is a duration as one figure.
func roughly(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int(d / u.of); n > 0 {
			return counted(n, u.name)
		}
	}
	return "less than a second"
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// disabledEndpoints tells of those that the server disabled itself.
func (c *call) disabledEndpoints(t *apitype.OverviewTiles) ([]apitype.Attention, error) {
	is := true
	page, err := c.Store.ListEnvironmentEndpoints(c.ctx(), hook.EnvironmentEndpointFilter{
		Env: c.key.Env, Disabled: &is, Look: attentionLook, Page: hook.Page{Limit: maxLimit},
	})
	if err != nil {
		return nil, err
	}
	byUs := slices.DeleteFunc(page.Items, func(e hook.EndpointOf) bool { return e.Endpoint.DisabledReason == hook.DisabledByUser })
	t.DisabledEndpoints, t.EndpointsMore = len(byUs), t.EndpointsMore || page.More
	slices.SortFunc(byUs, func(a, b hook.EndpointOf) int { return b.Endpoint.DisabledAt.Compare(a.Endpoint.DisabledAt) })
	return each(byUs, page.More, apitype.Attention{
		Kind: apitype.AttentionEndpointDisabled, Severity: apitype.SeverityError, Text: "more endpoints were disabled by the server.",
	}, func(e *hook.EndpointOf) (time.Time, string) {
		why := "it has had nothing but failures since " + shortTime(e.Endpoint.FailingSince)
		if e.Endpoint.DisabledReason == hook.DisabledByGone {
			why = "it answered 410, which says that it is gone for good"
		}
		return e.Endpoint.DisabledAt, "The endpoint " + e.Endpoint.URL + " of " + nameOf(&e.Owner) + " was disabled: " + why + "."
	}), nil
}

// failingEndpoints tells of those whose last attempt failed.
func (c *call) failingEndpoints(t *apitype.OverviewTiles) ([]apitype.Attention, error) {
	is, isNot := true, false
	page, err := c.Store.ListEnvironmentEndpoints(c.ctx(), hook.EnvironmentEndpointFilter{
		Env: c.key.Env, Disabled: &isNot, Failing: &is, Look: attentionLook, Page: hook.Page{Limit: maxLimit},
	})
	if err != nil {
		return nil, err
	}
	t.FailingEndpoints, t.EndpointsMore = len(page.Items), t.EndpointsMore || page.More
	slices.SortFunc(page.Items, func(a, b hook.EndpointOf) int { return a.Endpoint.FailingSince.Compare(b.Endpoint.FailingSince) })
	return each(page.Items, page.More, apitype.Attention{
		Kind: apitype.AttentionEndpointFailing, Severity: apitype.SeverityWarning, Text: "more endpoints fail.",
	}, func(e *hook.EndpointOf) (time.Time, string) {
		return e.Endpoint.FailingSince, "The endpoint " + e.Endpoint.URL + " of " + nameOf(&e.Owner) +
			" has had nothing but failures for " + roughly(c.now.Sub(e.Endpoint.FailingSince)) + "; it will be disabled if that goes on."
	}), nil
}

// each tells of the first few endpoints one by one and of the others in one line.
func each(list []hook.EndpointOf, more bool, kind apitype.Attention, tell func(*hook.EndpointOf) (time.Time, string)) []apitype.Attention {
	var out []apitype.Attention
	for i := range list {
		if i == attentionEach {
			rest := kind
			rest.Count, rest.More = len(list)-i, more
			rest.Text = fmt.Sprintf("%d %s", rest.Count, kind.Text)
			return append(out, rest)
		}
		one, e := kind, &list[i]
		var since time.Time
		since, one.Text = tell(e)
		one.Since = timeOut(since)
		about(&one, e)
		out = append(out, one)
	}
	return out
}

func shortTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func nameOf(o *hook.Owner) string {
	if o.Name != "" {
		return o.Name
	}
	return ownerText(o, o.ID)
}

// refusedRequests tells of sources that refused requests in the range.
func (c *call) refusedRequests(since time.Time) ([]apitype.Attention, error) {
	page, err := c.Store.ListEnvironmentRequests(c.ctx(), hook.RecentRequestFilter{
		Env: c.key.Env, States: []hook.RequestState{hook.RequestRefused}, After: since, Limit: maxLimit, Look: attentionLook,
	})
	if err != nil {
		return nil, err
	}
	var out []apitype.Attention
	at := map[hook.ID]int{}
	for i := range page.Items {
		r := &page.Items[i]
		n, seen := at[r.Owner.ID]
		if !seen {
			n = len(out)
			at[r.Owner.ID] = n
			name, id := r.Owner.Name, hook.KindSource.Format(r.Owner.ID)
			out = append(out, apitype.Attention{
				Kind: apitype.AttentionSourceRefused, Severity: apitype.SeverityWarning, AppID: &id, AppName: &name, SourceID: &id, More: page.More,
				Text: "The source " + nameOf(&r.Owner) + " refused requests, the last one for " + r.Request.Reason + ".",
			})
		}
		out[n].Count++
		out[n].Since = timeOut(r.Request.ReceivedAt) // they come newest first
	}
	return out, nil
}

// expiringSecrets tells of former secrets that will soon be good no more.
func (c *call) expiringSecrets() ([]apitype.Attention, error) {
	page, err := c.Store.ListEnvironmentEndpoints(c.ctx(), hook.EnvironmentEndpointFilter{Env: c.key.Env, Look: attentionLook, Page: hook.Page{Limit: maxLimit}})
	if err != nil {
		return nil, err
	}
	soon := slices.DeleteFunc(page.Items, func(e hook.EndpointOf) bool { return c.endsSoon(e.Endpoint.Secrets).IsZero() })
	out := each(soon, false, apitype.Attention{
		Kind: apitype.AttentionSecretExpiring, Severity: apitype.SeverityInfo, Text: "more endpoints have a former key that ends within a day.",
	}, func(e *hook.EndpointOf) (time.Time, string) {
		return time.Time{}, "The former signing key of " + e.Endpoint.URL + " of " + nameOf(&e.Owner) + " ends at " + shortTime(c.endsSoon(e.Endpoint.Secrets)) + "."
	})
	sources, err := c.Store.ListSources(c.ctx(), c.key.Env, hook.Page{Limit: maxLimit, Ascending: true})
	if err != nil {
		return nil, err
	}
	for i := range sources.Items {
		s := &sources.Items[i]
		if end := c.endsSoon(s.Secrets); !end.IsZero() {
			id, name := sourceKey(s), s.Name
			out = append(out, apitype.Attention{
				Kind: apitype.AttentionSecretExpiring, Severity: apitype.SeverityInfo, SourceID: &id, AppID: &id, AppName: &name,
				Text: "The former secret of the source " + name + " ends at " + shortTime(end) + ".",
			})
		}
	}
	return out, nil
}

// endsSoon gives when the first of the secrets that are still good ends, if that is soon.
func (c *call) endsSoon(secrets []hook.SealedSecret) (end time.Time) {
	for _, s := range secrets {
		if s.ExpiresAt.After(c.now) && s.ExpiresAt.Before(c.now.Add(expiryNotice)) && (end.IsZero() || s.ExpiresAt.Before(end)) {
			end = s.ExpiresAt
		}
	}
	return end
}

// about names the endpoint and its owner.
func about(a *apitype.Attention, e *hook.EndpointOf) {
	app, name, id := ownerText(&e.Owner, e.Endpoint.App), e.Owner.Name, endpointKey(&e.Endpoint)
	a.AppID, a.AppName, a.EndpointID, a.SourceID = &app, &name, &id, sourceIDOf(&e.Owner)
}
