package api

import (
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	defaultLimit = 50
	maxLimit     = 250
	// listWindow is how far back a list of messages or attempts looks unless the
	// caller names a time.
	listWindow = 90 * 24 * time.Hour
	// futureSlack is how far ahead a time bound may lie.
	futureSlack = time.Hour
)

// page reads limit, iterator and, where the list has one, order.
func (q *queryReader) page(kind hook.Kind, ascending, ordered bool) hook.Page {
	p := hook.Page{Limit: q.limit(), Ascending: ascending}
	if ordered {
		p.Ascending = q.order(ascending)
	}
	text := q.text("iterator")
	if text == "" {
		return p
	}
	text, p.Backward = strings.CutPrefix(text, "-")
	id, err := kind.Parse(text)
	if err != nil {
		q.invalid("iterator", "is not an iterator of this list")
	}
	p.From = id
	return p
}

// namePage is page for a list whose iterator is a name.
func (q *queryReader) namePage() hook.Page {
	p := hook.Page{Limit: q.limit(), Ascending: true}
	q.order(true)
	text := q.text("iterator")
	if text == "" {
		return p
	}
	p.FromName, p.Backward = strings.CutPrefix(text, "-")
	if !isName(p.FromName) {
		q.invalid("iterator", "is not an iterator of this list")
	}
	return p
}

func (q *queryReader) limit() int {
	limit, given := q.integer("limit")
	switch {
	case !given:
		return defaultLimit
	case limit > maxLimit:
		q.invalid("limit", "Given limit must not exceed 250")
	case limit < 1:
		q.invalid("limit", "must be at least 1")
	}
	return int(limit)
}

func (q *queryReader) order(ascending bool) bool {
	switch apitype.Ordering(q.text("order")) {
	case "":
		return ascending
	case apitype.Ascending:
		return true
	case apitype.Descending:
		return false
	}
	q.invalid("order", "must be ascending or descending")
	return ascending
}

// window reads before and after. Without either, the list looks 90 days back from
// now or from the iterator. With after alone, the first page is the one next to
// that time, not the newest.
func (q *queryReader) window(p *hook.Page, now time.Time) (before, after time.Time) {
	before, after = q.time("before"), q.time("after")
	for name, t := range map[string]time.Time{"before": before, "after": after} {
		if t.After(now.Add(futureSlack)) {
			q.invalid(name, "must not be more than an hour in the future")
		}
	}
	switch {
	case before.IsZero() && after.IsZero():
		from := now
		if !p.From.IsZero() {
			from = p.From.Time()
		}
		after = from.Add(-listWindow)
	case before.IsZero() && p.From.IsZero():
		p.From, p.Backward = hook.IDAt(after), true
	}
	return before, after
}

// listOf turns a page of the store into the envelope. key gives the iterator of an item.
func listOf[T, O any](p hook.PageOf[T], key func(*T) string, out func(*T) O) apitype.List[O] {
	l := apitype.List[O]{Data: make([]O, len(p.Items)), Done: !p.More}
	for i := range p.Items {
		l.Data[i] = out(&p.Items[i])
	}
	if len(p.Items) > 0 {
		last, first := key(&p.Items[len(p.Items)-1]), "-"+key(&p.Items[0])
		l.Iterator, l.PrevIterator = &last, &first
	}
	return l
}
