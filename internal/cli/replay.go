package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// replaying is one run of grapnel replay.
type replaying struct {
	requests
	to  string
	yes bool
}

// replayed is what came of one request.
type replayed struct {
	Request  string                    `json:"request"`
	Done     bool                      `json:"done"`
	Text     string                    `json:"text"`
	Messages []apitype.ReplayedMessage `json:"messages,omitempty"`
	Attempt  *apitype.ReplayAttempt    `json:"attempt,omitempty"`
}

func (a *app) replayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay [REQUEST]",
		Short: "Send what reached a source again",
		Long: `Send a request that reached a source again: through its endpoints and routes as
a new message, or with --to once to a URL that the server may reach.

Without REQUEST, the flags choose which, and they are sent in the order of their
arrival. A refused request is verified again instead, and becomes a message if
it verifies now. It ends with 8 if one was not sent or not taken.`,
		Example: `  grapnel replay req_2vgdKCdXyOEN1WcHxkYAbO6wTzm --to https://staging.test/in
  grapnel replay --source payments --state refused --since 6h`,
	}
	r := &replaying{requests: requests{remote: a.remoteFlags(cmd)}}
	a.outputFlag(cmd)
	r.sourceFlag(cmd)
	cmd.Flags().Var(text{&r.to, "URL"}, "to", "send it there once instead")
	r.choiceFlags(cmd)
	cmd.Flags().BoolVarP(&r.yes, "yes", "y", false, "do not ask before several are sent")
	cmd.Args = r.args
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args) }
	return cmd
}

func (r *replaying) args(cmd *cobra.Command, args []string) error {
	chosen := len(r.choice.states) > 0 || r.choice.reason != "" || r.choice.since > 0
	switch {
	case len(args) > 1:
		return oneArg("REQUEST")(cmd, args)
	case len(args) == 1 && chosen:
		return usage("there is a request and flags that choose others", "Name the request, or choose by --state, --reason and --since.")
	case len(args) == 0 && !chosen:
		return usage(cmd.CommandPath()+" needs REQUEST, or flags that choose requests", "Write `"+cmd.CommandPath()+" REQUEST`, or choose by --state, --reason and --since.")
	}
	return nil
}

func (r *replaying) run(ctx context.Context, args []string) error {
	if len(args) == 1 {
		c, source, err := r.beginAt(ctx, args[0])
		if err != nil {
			return r.failed(ctx, "nothing can be sent again", err)
		}
		what := "the request " + quotedIfOdd(args[0]) + " cannot be sent again"
		one, err := c.FindRequest(ctx, source, args[0])
		if err != nil {
			return r.failed(ctx, what, err)
		}
		result, err := r.send(ctx, c, source, &one.RequestFacts)
		if err != nil {
			return r.failed(ctx, what, err)
		}
		return r.finish([]replayed{result})
	}
	c, source, err := r.begin(ctx)
	if err != nil {
		return r.failed(ctx, "nothing can be sent again", err)
	}
	return r.several(ctx, c, source)
}

// several sends what the flags choose, in the order of arrival.
func (r *replaying) several(ctx context.Context, c *client.Client, source string) error {
	const what = "requests cannot be sent again"
	rows, err := r.choose(ctx, c, source)
	if err != nil {
		return r.failed(ctx, what, err)
	}
	if len(rows) > 1 {
		if err := r.confirm(r.yes, "Send "+count(len(rows), "request")+" again?"); err != nil {
			return err
		}
	}
	slices.Reverse(rows)
	results := []replayed{}
	for i := range rows {
		result, err := r.send(ctx, c, source, &rows[i])
		if err != nil {
			f := r.failed(ctx, what, err)
			if ctx.Err() != nil || f.exit == ExitUnreachable || f.exit == ExitDenied {
				f.what = fmt.Sprintf("%d of %d were sent again, then it failed at %s", len(results), len(rows), rows[i].ID)
				return f
			}
			result = replayed{Request: rows[i].ID, Text: f.why}
		}
		results = append(results, result)
	}
	return r.finish(results)
}

// send sends one request again. An error is one of the call; what came of it else is
// in the result.
func (r *replaying) send(ctx context.Context, c *client.Client, source string, q *apitype.RequestFacts) (replayed, error) {
	out := replayed{Request: q.ID}
	if r.to == "" && q.State == apitype.RequestRefused {
		again, err := c.VerifyRequest(ctx, source, q.ID, true)
		if err != nil {
			return out, err
		}
		out.Done = again.State == apitype.RequestAccepted && again.MessageID != nil
		if out.Text = "still refused: " + again.Reason; out.Done {
			out.Text = "verifies now, became " + *again.MessageID
		} else if believed(&again.RequestFacts) {
			out.Text = again.Detail
		}
		return out, nil
	}
	sent, err := c.ReplayRequest(ctx, source, q.ID, r.to)
	if err != nil {
		return out, err
	}
	out.Messages, out.Attempt = sent.Messages, sent.Attempt
	if a := sent.Attempt; a != nil {
		out.Done = a.ResponseStatusCode >= 200 && a.ResponseStatusCode <= 299
		out.Text = fmt.Sprintf("%d  %s  %s", a.ResponseStatusCode, milliseconds(a.ResponseDurationMs), a.Outcome)
		if a.ResponseStatusCode == 0 {
			out.Text = "no answer  " + a.Outcome + "  " + a.Response
		}
		return out, nil
	}
	out.Done = true
	ids := make([]string, len(sent.Messages))
	for i, m := range sent.Messages {
		ids[i] = m.ID
	}
	out.Text = "as " + strings.Join(ids, ", ")
	return out, nil
}

// finish prints the results and is no if one failed.
func (r *replaying) finish(results []replayed) error {
	err := printList(r.app, results, func(x *replayed) string { return x.Request }, func() error {
		p := r.paintFor(r.color, r.OutTerminal)
		t := table{}
		for _, x := range results {
			mark := p.bad()
			if x.Done {
				mark = p.good()
			}
			t.add(mark+" "+x.Request, printable(x.Text))
		}
		return t.write(r.Out, "")
	})
	if err != nil {
		return err
	}
	if len(results) == 0 {
		fmt.Fprintln(r.Err, "  No request fits.")
	}
	bad := 0
	for _, x := range results {
		if !x.Done {
			bad++
		}
	}
	if bad == 0 {
		return nil
	}
	f := &failure{exit: ExitNo, code: "not_replayed", what: results[0].Request + " was not taken", fix: "`grapnel requests show REQUEST` shows the verdict with what to do."}
	if len(results) > 1 {
		f.what = fmt.Sprintf("%d of %s were not taken", bad, count(len(results), "request"))
	}
	if r.to != "" {
		f.fix = "Look at what " + r.to + " answered; it has to be 2xx."
	}
	return f
}
