package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// searching is what the lists that can be searched share.
type searching struct {
	*remote
	filter string
	limit  int
}

// searchFlags adds --filter and --limit.
func (s *searching) searchFlags(cmd *cobra.Command) {
	s.limit = 50
	cmd.Flags().Var(text{&s.filter, "QUERY"}, "filter", "only what this finds, such as 'status:failed after:2h'")
	cmd.Flags().Var(number{&s.limit}, "limit", "how many at most; 0 for all")
}

// finder is a search of one list.
type finder[T any] func(context.Context, *client.Client, client.Search) (apitype.List[T], error)

// searched gives the rows that the flags ask for, page by page. A page that ended early
// because nothing was found for long is gone on with.
func searched[T any](ctx context.Context, s *searching, c *client.Client, list finder[T]) ([]T, error) {
	ask := client.Search{Query: s.filter}
	ask.Limit = 250
	if s.limit > 0 {
		ask.Limit = min(s.limit, ask.Limit)
	}
	rows := []T{}
	for {
		page, err := list(ctx, c, ask)
		if err != nil {
			return nil, err
		}
		for _, row := range page.Data {
			if rows = append(rows, row); len(rows) == s.limit {
				return rows, nil
			}
		}
		if page.Done || page.Iterator == nil {
			return rows, nil
		}
		ask.Iterator = *page.Iterator
	}
}

// listing is a list command over search: T is a row.
func listing[T any](s *searching, cmd *cobra.Command, what string, list finder[T], name func(*T) string, table func([]T) error) *cobra.Command {
	cmd.Args = noArgs
	s.searchFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		c, err := s.open()
		if err != nil {
			return err
		}
		rows, err := searched(ctx, s, c, list)
		if err != nil {
			return s.failed(ctx, what+" cannot be listed", err)
		}
		return printList(s.app, rows, name, func() error { return table(rows) })
	}
	return cmd
}

// deliveriesText says how the deliveries of a message stand, such as "2/3, 1 retrying".
func deliveriesText(d *apitype.DeliveryCounts) string {
	if d.Total == 0 {
		return "no endpoint"
	}
	out := fmt.Sprintf("%d/%d delivered", d.Delivered, d.Total)
	for _, one := range []struct {
		n    int
		word string
	}{{d.Failed, "failed"}, {d.Retrying, "retrying"}, {d.Pending, "pending"}, {d.Canceled, "canceled"}} {
		if one.n > 0 {
			out += fmt.Sprintf(", %d %s", one.n, one.word)
		}
	}
	return out
}

// ownerName is how a list names an application or source.
func ownerName(name, id string) string {
	if name == "" {
		return id
	}
	return printable(name)
}
