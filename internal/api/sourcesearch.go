package api

import (
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// searchSources lists the sources that fit q, with what reached each last.
func (c *call) searchSources(p hook.Page) (reply, error) {
	query, err := queried(c, search.Sources)
	if err != nil {
		return reply{}, err
	}
	w := walk[hook.Source, hook.ID]{
		from: p.From, limit: p.Limit, batch: maxLimit, now: c.Now, place: sourcePlace, keep: query.Match,
		at: func(s *hook.Source) time.Time { return s.CreatedAt },
	}
	w.page = func(from hook.ID, limit, _ int) (out pageOf[hook.Source, hook.ID], err error) {
		p.From, p.Limit = from, limit
		page, err := c.Store.ListSources(c.ctx(), c.key.Env, p)
		out = pageOf[hook.Source, hook.ID]{items: turned(page.Items, p.Backward), next: from, more: page.More}
		if n := len(out.items); n > 0 {
			out.next = sourcePlace(&out.items[n-1])
		}
		return out, err
	}
	page, err := w.run()
	if err != nil {
		return reply{}, err
	}
	var failed error
	list, _ := rowsOf(page, hook.KindSource.Format, sourcePlace, p.Backward, func(s *hook.Source) apitype.SourceRow {
		row, err := c.sourceRow(s)
		if err != nil {
			failed = err
		}
		return row
	})
	if failed != nil {
		return reply{}, failed
	}
	return ok(list)
}

func sourcePlace(s *hook.Source) hook.ID { return s.ID }

func (c *call) sourceRow(s *hook.Source) (row apitype.SourceRow, err error) {
	if row.SourceOut, err = c.sourceOut(s); err != nil {
		return row, err
	}
	last, err := c.Store.ListRequests(c.ctx(), hook.RequestFilter{Env: s.Env, Source: s.ID, Page: hook.Page{Limit: 1}})
	if err != nil || len(last.Items) == 0 {
		return row, err
	}
	r := &last.Items[0]
	row.LastRequest = &apitype.SourceRequest{
		ID: requestKey(r), State: apitype.RequestState(r.State.String()), Reason: r.Reason, ReceivedAt: r.ReceivedAt.UTC(),
	}
	return row, nil
}
