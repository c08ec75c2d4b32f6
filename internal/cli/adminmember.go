package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/server"
)

func (a *app) memberLinkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "member-link EMAIL",
		Short: "Make a link for a member who has no other way in",
		Long: `Make a link by which a member of the dashboard chooses another password. It is
good once, for a day. Without any member it makes the first one, an owner, within
an hour. A SQLite file must not be in use; with PostgreSQL the servers may run.

While a server runs, an administrator can make the same link in the dashboard, and
the API key of its settings can by POST /api/v1/member/{member}/link.`,
		Example: `  grapnel admin member-link ada@example.com --db sqlite:/var/lib/grapnel/grapnel.db`,
		Args:    oneArg("EMAIL"),
	}
	d := a.adminFlags(cmd, "db", "db-direct", "db-connections", "public-url", "listen")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return d.memberLink(cmd.Context(), args[0]) }
	return cmd
}

type memberLinkOut struct {
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (d *admin) memberLink(ctx context.Context, email string) error {
	const what = "there is no link"
	if err := d.load(); err != nil {
		return failed(ctx, what, err)
	}
	link, ends, err := server.MemberLink(ctx, d.cfg, email, d.log())
	if err != nil {
		var used *server.DatabaseInUseError
		f := failed(ctx, what, err)
		if errors.As(err, &used) {
			f.exit, f.code, f.why = ExitConflict, "database_in_use", "Another process has "+d.cfg.ShownDB()+" open."
			f.fix = "Stop the server and try again, or use POST /api/v1/member/{member}/link with the API key of its settings."
		}
		return f
	}
	out := memberLinkOut{link, ends.UTC().Truncate(time.Second)}
	return d.print(out, func() error {
		if _, err := fmt.Fprintln(d.Out, out.URL); err != nil {
			return err
		}
		d.note("It is good once, until %s.", out.ExpiresAt.Format(time.RFC3339))
		return nil
	}, out.URL)
}
