package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// listQuery is the text of one list, in both directions of its order. Only
// newListQuery makes one, so that the test of the query plans sees all of them.
type listQuery struct{ ascending, descending string }

// listQueries has every text of every list.
var listQueries []string

// newListQuery makes the two texts: {dir} stands for the direction of the order.
// The last parameter is the limit.
func newListQuery(text string) listQuery {
	q := listQuery{
		ascending:  strings.ReplaceAll(text, "{dir}", "ASC"),
		descending: strings.ReplaceAll(text, "{dir}", "DESC"),
	}
	listQueries = append(listQueries, q.ascending, q.descending)
	return q
}

// ascends reports whether the rows of a page are read in ascending order.
func ascends(p hook.Page) bool { return p.Ascending != p.Backward }

// fetch reads one page: a row more than asked for tells whether there are more.
func fetch[T any](ctx context.Context, c *conn, q listQuery, p hook.Page, args []any, scan func(*row) (T, error)) (hook.PageOf[T], error) {
	text := q.descending
	if ascends(p) {
		text = q.ascending
	}
	var out hook.PageOf[T]
	err := c.query(ctx, text, append(args, p.Limit+1), func(r *row) error {
		if len(out.Items) == p.Limit {
			out.More = true
			return nil
		}
		item, err := scan(r)
		out.Items = append(out.Items, item)
		return err
	})
	if err != nil {
		return hook.PageOf[T]{}, tooLong(err)
	}
	if p.Backward {
		slices.Reverse(out.Items)
	}
	return out, nil
}

// tooLong says what the caller can do about a list that hit Options.ReadTimeout: a
// filter that few rows pass makes it look at many. The driver ends the statement at
// the time, or the database does when it hears of it.
func tooLong(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) && pgCode(err) != codeCanceled {
		return err
	}
	return &hook.Error{Code: hook.CodeUnavailable, Err: err,
		Detail: "Too many rows would have to be searched for this list.",
		Hint:   "Narrow it with before and after, or with fewer filters."}
}

// codeCanceled is the SQLSTATE of a statement that was canceled.
const codeCanceled = "57014"

// lastID is above every id.
var lastID = hook.ID(bytes.Repeat([]byte{0xff}, len(hook.ID{})))

// idBounds gives the ids of a page as a half-open range. Times are turned into
// the smallest id of their 1/256 s; zero times bound nothing.
func idBounds(p hook.Page, after, before time.Time) (from, to hook.ID) {
	to = lastID
	if !after.IsZero() {
		from = hook.IDAt(after)
	}
	if !before.IsZero() {
		to = hook.IDAt(before)
	}
	switch {
	case p.From.IsZero():
	case ascends(p):
		if next := nextID(p.From); compareIDs(next, from) > 0 {
			from = next
		}
	case compareIDs(p.From, to) < 0:
		to = p.From
	}
	return from, to
}

// nextID is the id right after this one.
func nextID(id hook.ID) hook.ID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}

func compareIDs(a, b hook.ID) int { return bytes.Compare(a[:], b[:]) }
