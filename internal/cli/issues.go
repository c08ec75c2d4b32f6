package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

func (a *app) issuesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issues",
		Short: "See what fails, by endpoint and cause",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	i := &issues{searching{remote: a.remoteFlags(cmd)}}
	a.outputFlag(cmd)
	cmd.AddCommand(i.list(), i.resolve(), i.mute(), i.reopen())
	return cmd
}

// issues is what the commands about issues share.
type issues struct{ searching }

func (i *issues) list() *cobra.Command {
	return listing(&i.searching, &cobra.Command{
		Use: "list", Short: "List issues, the last seen first",
		Example: "  grapnel issues list --filter 'state:open cause:timeout'",
	}, "issues", func(ctx context.Context, c *client.Client, s client.Search) (apitype.List[apitype.IssueOut], error) {
		page, err := c.ListIssues(ctx, s)
		return page.List, err
	}, func(r *apitype.IssueOut) string { return r.ID }, i.table)
}

func (i *issues) table(rows []apitype.IssueOut) error {
	p := i.paintFor(i.color, i.OutTerminal)
	t := table{}
	t.add(p.quiet("ID"), p.quiet("STATE"), p.quiet("LAST SEEN"), p.quiet("FAILURES"), p.quiet("OF"), p.quiet("URL"), p.quiet("CAUSE"))
	for n := range rows {
		r := &rows[n]
		state := string(r.State)
		if r.HealedAt != nil {
			state += ", healed"
		}
		t.add(r.ID, state, i.time(r.LastSeen), strconv.FormatInt(r.Failures, 10), ownerName(r.AppName, r.AppID), printable(r.EndpointURL), printable(r.Text))
	}
	return t.write(i.Out, "")
}

func (i *issues) resolve() *cobra.Command {
	return i.change(&cobra.Command{Use: "resolve ISSUE", Short: "Mark an issue as done; the next failure opens it again"}, "resolved", func() apitype.IssuePatch {
		return apitype.IssuePatch{State: apitype.Some(apitype.IssueResolved)}
	})
}

func (i *issues) reopen() *cobra.Command {
	return i.change(&cobra.Command{Use: "reopen ISSUE", Short: "Open an issue again that is muted or resolved"}, "open", func() apitype.IssuePatch {
		return apitype.IssuePatch{State: apitype.Some(apitype.IssueOpen)}
	})
}

func (i *issues) mute() *cobra.Command {
	var length time.Duration
	cmd := i.change(&cobra.Command{Use: "mute ISSUE", Short: "Let an issue be, for a while or for good"}, "muted", func() apitype.IssuePatch {
		in := apitype.IssuePatch{State: apitype.Some(apitype.IssueMuted)}
		if length > 0 {
			in.MutedUntil = apitype.Some(time.Now().Add(length))
		}
		return in
	})
	cmd.Flags().Var(span{to: &length, least: time.Minute}, "for", "how long, such as 24h (default: for good)")
	cmd.Flags().Lookup("for").DefValue = ""
	return cmd
}

// change is a command that changes one issue.
func (i *issues) change(cmd *cobra.Command, done string, patch func() apitype.IssuePatch) *cobra.Command {
	cmd.Args = oneArg("ISSUE")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, what := cmd.Context(), "the issue "+quotedIfOdd(args[0])+" cannot be changed"
		c, err := i.open()
		if err != nil {
			return i.failed(ctx, what, err)
		}
		out, err := c.PatchIssue(ctx, args[0], patch())
		if err != nil {
			return i.failed(ctx, what, err)
		}
		return i.print(out, func() error {
			_, err := fmt.Fprintf(i.Out, "%s  %s\n", out.ID, done)
			return err
		}, out.ID)
	}
	return cmd
}
