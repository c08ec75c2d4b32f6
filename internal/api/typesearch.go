package api

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// searchEventTypes gives the page of event types that fit q, which may be empty. A catalogue
// is small, so the clock stands still for the walk: an empty page with more behind it has
// no name to go on from.
func (c *call) searchEventTypes(archived bool, p hook.Page) (hook.PageOf[hook.EventType], error) {
	query, err := queried(c, search.EventTypes)
	if err != nil || query.Empty() {
		if err != nil {
			return hook.PageOf[hook.EventType]{}, err
		}
		return c.Store.ListEventTypes(c.ctx(), c.key.Env, archived, p)
	}
	w := walk[hook.EventType, string]{
		from: p.FromName, limit: p.Limit, batch: maxLimit, now: func() time.Time { return c.now }, keep: query.Match,
		place: func(t *hook.EventType) string { return t.Name },
		at:    func(t *hook.EventType) time.Time { return t.CreatedAt },
	}
	w.page = func(from string, limit, _ int) (out pageOf[hook.EventType, string], err error) {
		p.FromName, p.Limit = from, limit
		page, err := c.Store.ListEventTypes(c.ctx(), c.key.Env, archived, p)
		out = pageOf[hook.EventType, string]{items: turned(page.Items, p.Backward), next: from, more: page.More}
		if n := len(out.items); n > 0 {
			out.next = out.items[n-1].Name
		}
		return out, err
	}
	found, err := w.run()
	return hook.PageOf[hook.EventType]{Items: turned(found.items, p.Backward), More: found.more}, err
}
