package api

import (
	"errors"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// queried reads the parameter q as a search of the list. Who may not see payloads may not
// search in them either: what is found would tell what is in them.
func queried[R any](c *call, list *search.List[R]) (*search.Query[R], error) {
	q, err := list.Parse(c.params().text("q"), c.now)
	var fault *search.Error
	switch {
	case errors.As(err, &fault):
		return nil, hook.Invalid(fault.Error(), "query", "q")
	case err != nil:
		return nil, err
	case q.ReadsBodies() && c.hidesPayloads():
		return nil, payloadsHidden()
	}
	return q, nil
}

// owners turns what a query demands of app and source into ids. ok is false if the query
// leaves them open or by too many names to look up; no id at all means that no row fits.
func owners[R any](c *call, q *search.Query[R]) (ids []hook.ID, ok bool, err error) {
	if values, demanded := q.Demanded("app"); demanded {
		return c.applicationsCalled(values)
	}
	if values, demanded := q.Demanded("source"); demanded {
		return c.sourcesCalled(values)
	}
	for _, word := range q.Words() {
		for _, kind := range []hook.Kind{hook.KindApplication, hook.KindSource} {
			if id, err := kind.Parse(word); err == nil {
				return []hook.ID{id}, true, nil
			}
		}
	}
	return nil, false, nil
}

// maxNamed is how many names of a query are looked up.
const maxNamed = 10

// applicationsCalled finds applications by id, uid or name.
func (c *call) applicationsCalled(values []search.Value) (ids []hook.ID, ok bool, err error) {
	if len(values) > maxNamed {
		return nil, false, nil
	}
	for _, v := range values {
		if id, err := hook.KindApplication.Parse(v.Text); err == nil {
			ids = append(ids, id)
			continue
		}
		page, err := c.Store.ListApplicationsWithCounts(c.ctx(), hook.ApplicationFilter{
			Env: c.key.Env, Contains: v.Text, Page: hook.Page{Limit: maxLimit, Ascending: true},
		})
		if err != nil || page.More {
			return nil, false, err
		}
		for i := range page.Items {
			if a := &page.Items[i].Application; called(v, a.UID, a.Name, hook.KindApplication.Format(a.ID)) {
				ids = append(ids, a.ID)
			}
		}
	}
	return ids, true, nil
}

// sourcesCalled finds sources by id, uid or name.
func (c *call) sourcesCalled(values []search.Value) (ids []hook.ID, ok bool, err error) {
	page, err := c.Store.ListSources(c.ctx(), c.key.Env, hook.Page{Limit: maxLimit, Ascending: true})
	if err != nil || page.More {
		return nil, false, err
	}
	for _, v := range values {
		if id, err := hook.KindSource.Parse(v.Text); err == nil {
			ids = append(ids, id)
			continue
		}
		for i := range page.Items {
			if s := &page.Items[i]; called(v, s.UID, s.Name, hook.KindSource.Format(s.ID)) {
				ids = append(ids, s.ID)
			}
		}
	}
	return ids, true, nil
}

// sourcesRead is how many sources are read to know their uids.
const sourcesRead = 1000

// withUID fills in the uid of a source, which the row of an owner does not have. A store
// that cannot be read makes no row fit; the list itself fails then.
func (c *call) withUID(o *hook.Owner) {
	if !o.Source {
		return
	}
	if c.sourceUIDs == nil {
		c.sourceUIDs = map[hook.ID]string{}
		p := hook.Page{Limit: maxLimit, Ascending: true}
		for len(c.sourceUIDs) < sourcesRead {
			page, err := c.Store.ListSources(c.ctx(), c.key.Env, p)
			if err != nil {
				break
			}
			for i := range page.Items {
				c.sourceUIDs[page.Items[i].ID] = page.Items[i].UID
				p.From = page.Items[i].ID
			}
			if !page.More {
				break
			}
		}
	}
	o.UID = c.sourceUIDs[o.ID]
}

// called reports whether one of the names is the value, as a search compares them.
func called(v search.Value, names ...string) bool {
	for _, name := range names {
		if strings.EqualFold(name, v.Text) || v.Prefix && strings.HasPrefix(strings.ToLower(name), strings.ToLower(v.Text)) {
			return true
		}
	}
	return false
}

// exactly gives the values if none of them is a beginning.
func exactly(values []search.Value) ([]string, bool) {
	var texts []string
	for _, v := range values {
		if v.Prefix {
			return nil, false
		}
		texts = append(texts, v.Text)
	}
	return texts, true
}

// rowsOf makes the envelope of a page whose places are texts.
func rowsOf[I, P, O any](p pageOf[I, P], text func(P) string, place func(*I) P, back bool, out func(*I) O) (apitype.List[O], apitype.Searched) {
	items := turned(p.items, back)
	l := apitype.List[O]{Data: make([]O, len(items)), Done: !p.more}
	for i := range items {
		l.Data[i] = out(&items[i])
	}
	last, first := p.next, p.next
	if len(items) > 0 {
		// Towards the other side the page ends at its outermost row; in the direction of
		// the walk at the last row looked at.
		if last = p.next; back {
			last = place(&items[len(items)-1])
		}
		if first = place(&items[0]); back {
			first = p.next
		}
	}
	if len(items) > 0 || p.more {
		next, prev := text(last), "-"+text(first)
		l.Iterator, l.PrevIterator = &next, &prev
	}
	return l, apitype.Searched{SearchedTo: timeOut(p.searchedTo)}
}
