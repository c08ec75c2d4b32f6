package api

import (
	"slices"
	"time"
)

const (
	// searchTime is how long one call looks for rows that fit a query before it answers
	// with what it has.
	searchTime = 250 * time.Millisecond
	// searchRows is how many rows one call looks at.
	searchRows = 20_000
	// searchBytes bounds the payloads that are read at once to look into them.
	searchBytes = 32 << 20
)

// pageOf is a page of the store that a walk goes over: newest first, except where the
// walk goes to newer rows, which begins with the row next to its place.
type pageOf[I, P any] struct {
	items      []I
	next       P
	more       bool
	searchedTo time.Time
}

// walk collects rows that fit a query from pages of the store: as many as wanted, or as
// far as the time and the rows for one call allow. What it has by then is a page too, and
// names the place to go on from: so a call never looks at all of history.
type walk[I, P any] struct {
	from  P
	limit int
	batch int // most rows to read at once
	page  func(from P, limit, look int) (pageOf[I, P], error)
	place func(*I) P
	at    func(*I) time.Time
	keep  func(*I) bool // nil: every row fits
	now   func() time.Time
}

// run gives the rows in the order of the walk.
func (w *walk[I, P]) run() (out pageOf[I, P], err error) {
	deadline, batch := w.now().Add(searchTime), w.limit
	out.next = w.from
	for look := searchRows; ; batch = min(2*batch, max(w.limit, maxLimit)) {
		p, err := w.page(out.next, min(batch, w.batch), look)
		if err != nil {
			return out, err
		}
		for i := range p.items {
			item := &p.items[i]
			out.next = w.place(item)
			if w.keep != nil && !w.keep(item) {
				continue
			}
			if out.items = append(out.items, *item); len(out.items) == w.limit {
				out.more = i+1 < len(p.items) || p.more
				return out, nil
			}
		}
		if out.next, out.more = p.next, p.more; !p.more {
			return out, nil
		}
		look -= max(len(p.items), 1)
		switch {
		case !p.searchedTo.IsZero():
			out.searchedTo = p.searchedTo
			return out, nil
		case len(p.items) > 0 && (look <= 0 || !w.now().Before(deadline)):
			out.searchedTo = w.at(&p.items[len(p.items)-1])
			return out, nil
		}
	}
}

// turned gives the items in the other order where back is true: a page to newer rows
// comes newest first.
func turned[I any](items []I, back bool) []I {
	if back {
		slices.Reverse(items)
	}
	return items
}
