package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

func (a *app) messagesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "messages",
		Short: "See what was sent, and why something did not arrive",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	m := &messages{searching{remote: a.remoteFlags(cmd)}}
	a.outputFlag(cmd)
	cmd.AddCommand(m.list(), m.get(), m.explain())
	return cmd
}

// messages is what the commands about messages share.
type messages struct{ searching }

func (m *messages) list() *cobra.Command {
	return listing(&m.searching, &cobra.Command{
		Use: "list", Short: "List messages of all applications and sources, newest first",
		Long: `List messages of all applications and sources, newest first.

--filter finds by words, by fields such as status, type, app, source, at, after,
before, tag, channel and size, and by values in payloads: body.amount:>1000.`,
		Example: `  grapnel messages list --filter 'status:failed type:invoice.* after:2h'
  grapnel messages list --filter 'app:acme body.customer.id:17' -o name`,
	}, "messages", func(ctx context.Context, c *client.Client, s client.Search) (apitype.List[apitype.MessageRow], error) {
		page, err := c.SearchMessages(ctx, s)
		return page.List, err
	}, func(r *apitype.MessageRow) string { return r.ID }, m.table)
}

func (m *messages) table(rows []apitype.MessageRow) error {
	p := m.paintFor(m.color, m.OutTerminal)
	t := table{}
	t.add(p.quiet("ID"), p.quiet("ACCEPTED"), p.quiet("TYPE"), p.quiet("OF"), p.quiet("SIZE"), p.quiet("DELIVERIES"))
	for i := range rows {
		r := &rows[i]
		t.add(r.ID, m.time(r.Timestamp), printable(r.EventType), ownerName(r.AppName, r.AppID), strconv.Itoa(r.Size)+" B", deliveriesText(&r.Deliveries))
	}
	return t.write(m.Out, "")
}

func (m *messages) get() *cobra.Command {
	return &cobra.Command{
		Use: "get MESSAGE", Short: "Show a message with its payload", Args: oneArg("MESSAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, what := cmd.Context(), "the message "+quotedIfOdd(args[0])+" cannot be shown"
			c, err := m.open()
			if err != nil {
				return m.failed(ctx, what, err)
			}
			r, err := c.FindAnyMessage(ctx, args[0])
			if err != nil {
				return m.failed(ctx, what, err)
			}
			return m.print(r, func() error { return m.show(&r) }, r.ID)
		},
	}
}

func (m *messages) show(r *apitype.MessageRow) error {
	p := m.paintFor(m.color, m.OutTerminal)
	t := table{}
	t.add(p.quiet("id"), p.strong(r.ID))
	t.add(p.quiet("type"), printable(r.EventType))
	t.add(p.quiet("of"), ownerName(r.AppName, r.AppID))
	t.add(p.quiet("accepted"), m.time(r.Timestamp))
	t.add(p.quiet("deliveries"), deliveriesText(&r.Deliveries))
	if r.NextAttemptAt != nil {
		t.add(p.quiet("next attempt"), m.time(*r.NextAttemptAt))
	}
	switch {
	case r.PayloadExpired:
		t.add(p.quiet("payload"), "not kept any more")
	case r.PayloadHidden:
		t.add(p.quiet("payload"), "hidden from you")
	default:
		t.add(p.quiet("payload"), printable(string(r.Payload)))
	}
	return t.write(m.Out, "")
}

func (m *messages) explain() *cobra.Command {
	return &cobra.Command{
		Use: "explain MESSAGE", Short: "Tell for every endpoint what became of a message, and why", Args: oneArg("MESSAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, what := cmd.Context(), "the message "+quotedIfOdd(args[0])+" cannot be explained"
			c, err := m.open()
			if err != nil {
				return m.failed(ctx, what, err)
			}
			r, err := c.FindAnyMessage(ctx, args[0])
			if err != nil {
				return m.failed(ctx, what, err)
			}
			out, err := c.ExplainMessage(ctx, r.AppID, r.ID)
			if err != nil {
				return m.failed(ctx, what, err)
			}
			return m.print(out, func() error { return m.explanation(&out) }, r.ID)
		},
	}
}

func (m *messages) explanation(out *apitype.ExplainOut) error {
	p := m.paintFor(m.color, m.OutTerminal)
	t := table{}
	t.add(p.quiet("ENDPOINT"), p.quiet("VERDICT"), p.quiet("URL"), p.quiet("WHY"))
	for i := range out.Endpoints {
		e := &out.Endpoints[i]
		t.add(e.EndpointID, string(e.Verdict), printable(e.URL), printable(e.Text))
	}
	if len(out.Endpoints) == 0 {
		t.note("There was no endpoint.")
	}
	return t.write(m.Out, "")
}
