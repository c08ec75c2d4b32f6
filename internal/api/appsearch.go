package api

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// countedStore lists applications with counts of their endpoints.
type countedStore interface {
	ListApplicationsWithCounts(ctx context.Context, f hook.ApplicationFilter) (hook.PageOf[hook.ApplicationOf], error)
}

// searchApplications lists the applications that fit q, with counts of their endpoints.
func (c *call) searchApplications(p hook.Page, filter applicationFilter) (reply, error) {
	query, err := queried(c, search.Applications)
	if err != nil {
		return reply{}, err
	}
	f := hook.ApplicationFilter{Env: c.key.Env, Page: p}
	for _, word := range query.Words() {
		if _, err := hook.KindApplication.Parse(word); err != nil {
			f.Contains = word // an id is in no name
		}
	}
	w := walk[hook.ApplicationOf, hook.ID]{
		from: p.From, limit: p.Limit, batch: maxLimit, now: c.Now, place: applicationPlace,
		at: func(a *hook.ApplicationOf) time.Time { return a.Application.CreatedAt },
		keep: func(a *hook.ApplicationOf) bool {
			return (!filter.noEndpoints || a.Endpoints > 0) && (!filter.someDisabled || a.Disabled == 0) && query.Match(a)
		},
	}
	w.page = func(from hook.ID, limit, _ int) (out pageOf[hook.ApplicationOf, hook.ID], err error) {
		f.Page.From, f.Page.Limit = from, limit
		page, err := c.Store.ListApplicationsWithCounts(c.ctx(), f)
		out = pageOf[hook.ApplicationOf, hook.ID]{items: turned(page.Items, p.Backward), next: from, more: page.More}
		if n := len(out.items); n > 0 {
			out.next = applicationPlace(&out.items[n-1])
		}
		return out, err
	}
	page, err := w.run()
	if err != nil {
		return reply{}, err
	}
	list, _ := rowsOf(page, hook.KindApplication.Format, applicationPlace, p.Backward, func(a *hook.ApplicationOf) apitype.ApplicationRow {
		return apitype.ApplicationRow{
			ApplicationOut: applicationOut(&a.Application),
			Endpoints:      &apitype.EndpointCounts{Total: a.Endpoints, Failing: a.Failing, Disabled: a.Disabled},
		}
	})
	return ok(list)
}

func applicationPlace(a *hook.ApplicationOf) hook.ID { return a.Application.ID }
