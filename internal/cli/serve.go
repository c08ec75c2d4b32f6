package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/server"
)

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server until it is told to stop: SIGTERM or ^C lets running attempts
finish, a second one ends at once.`,
		Example: "  export GRAPNEL_API_KEY=$(openssl rand -base64 32)\n  grapnel serve --db sqlite:/var/lib/grapnel/grapnel.db",
		Args:    noArgs,
	}
	settings := addSettings(cmd, nil)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		const what = "the server cannot start"
		ctx := cmd.Context()
		cfg, err := settings.load(&a.Streams, nil, false)
		if err != nil {
			return failed(ctx, what, err)
		}
		srv := server.New(server.Options{Config: cfg, Version: version, Log: a.Err})
		if err := srv.Start(ctx); err != nil {
			return failed(ctx, what, err)
		}
		if err := srv.Wait(ctx); err != nil {
			// That a signal began the stop is not what went wrong.
			return failed(context.WithoutCancel(ctx), "the server did not run or stop as it should", unsignaled{err})
		}
		return nil
	}
	return cmd
}

// unsignaled hides that a signal ended the context of an error.
type unsignaled struct{ error }

// Unwrap gives the error itself.
func (u unsignaled) Unwrap() error { return u.error }
