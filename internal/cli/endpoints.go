package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

func (a *app) endpointsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "endpoints",
		Short: "See where messages go, and how that has been",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	e := &endpoints{searching{remote: a.remoteFlags(cmd)}}
	a.outputFlag(cmd)
	cmd.AddCommand(e.list())
	return cmd
}

// endpoints is what the commands about endpoints share.
type endpoints struct{ searching }

func (e *endpoints) list() *cobra.Command {
	return listing(&e.searching, &cobra.Command{
		Use: "list", Short: "List endpoints of all applications and sources, with their last 24 hours",
		Example: `  grapnel endpoints list --filter 'state:failing,disabled'
  grapnel endpoints list --filter 'app:acme url:~example.com'`,
	}, "endpoints", func(ctx context.Context, c *client.Client, s client.Search) (apitype.List[apitype.EndpointRow], error) {
		page, err := c.SearchEndpoints(ctx, s)
		return page.List, err
	}, func(r *apitype.EndpointRow) string { return r.ID }, e.table)
}

func (e *endpoints) table(rows []apitype.EndpointRow) error {
	p := e.paintFor(e.color, e.OutTerminal)
	t := table{}
	t.add(p.quiet("ID"), p.quiet("OF"), p.quiet("STATE"), p.quiet("SUCCEEDED"), p.quiet("P95"), p.quiet("URL"))
	for i := range rows {
		r := &rows[i]
		state, p95 := string(r.State), "-"
		if r.DisabledReason != "" {
			state += " (" + r.DisabledReason + ")"
		}
		if r.Health.P95Ms != nil {
			p95 = fmt.Sprintf("%.0f ms", *r.Health.P95Ms)
		}
		t.add(r.ID, ownerName(r.AppName, r.AppID), state, fmt.Sprintf("%d/%d", r.Health.Succeeded, r.Health.Attempts), p95, printable(r.URL))
	}
	return t.write(e.Out, "")
}
