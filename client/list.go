package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"github.com/grapnelhq/grapnel/apitype"
)

// ListOptions choose a page of a list.
type ListOptions struct {
	Limit    int              // rows of a page, 1 to 250; 0: the server's default, 50
	Iterator string           // Iterator of the page before, or PrevIterator to go back; empty: the first page
	Order    apitype.Ordering // empty: the order of the list
}

func (o ListOptions) query() url.Values {
	q := url.Values{}
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.Iterator != "" {
		q.Set("iterator", o.Iterator)
	}
	if o.Order != "" {
		q.Set("order", string(o.Order))
	}
	return q
}

// All walks a list to its end, page by page. list is one of the list methods:
//
//	for app, err := range client.All(ctx, client.ListOptions{}, c.ListApplications) {
//
// A failure is given once, as the last pair.
func All[T any](ctx context.Context, o ListOptions, list func(context.Context, ListOptions) (apitype.List[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := list(ctx, o)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range page.Data {
				if !yield(row, nil) {
					return
				}
			}
			if page.Done || page.Iterator == nil {
				return
			}
			o.Iterator = *page.Iterator
		}
	}
}
