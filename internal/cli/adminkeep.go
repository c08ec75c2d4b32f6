package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/move"
	"github.com/grapnelhq/grapnel/internal/server"
)

func (a *app) gcCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove now what retention does not keep, free the space",
		Long: `Remove now what retention no longer keeps, and give the space back to the file
system. A server does the same all the time, in small steps; this is for a
retention that was shortened, or a disk that is full. A SQLite file must not be
in use; with PostgreSQL the servers may run.

Give the settings that the server has: the defaults may keep less than it does.`,
		Example: `  grapnel admin gc --db sqlite:/var/lib/grapnel/g.db --retention 30d`,
		Args:    noArgs,
	}
	d := a.adminFlags(cmd, "db", "retry-schedule", "retention", "retention-payload", "retention-attempts", "allow-short-retention")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.gc(cmd.Context(), yes) }
	return cmd
}

type gcOut struct {
	DB       string `json:"db"`
	Messages int    `json:"messages"`
	Payloads int    `json:"payloads"`
	Attempts int    `json:"attempts"`
	Keys     int    `json:"idempotencyKeys"`
	Unsent   int    `json:"unsent"`
	Before   int64  `json:"bytesBefore,omitempty"`
	After    int64  `json:"bytesAfter,omitempty"`
}

func (d *admin) gc(ctx context.Context, yes bool) error {
	const what = "what retention does not keep was not all removed"
	if err := d.load(); err != nil {
		return failed(ctx, what, err)
	}
	keep, place := keepOf(d.cfg), d.cfg.ShownDB()
	if err := d.confirm(yes, "Remove from "+place+" "+keepText(d.cfg)+"?"); err != nil {
		return err
	}
	p := d.progress()
	got, err := move.Collect(ctx, d.cfg.DB, keep, time.Now(), d.log(), func(gone move.Removed) {
		p.tell(func() string {
			return fmt.Sprintf("removing: %s messages, %s payloads, %s attempts", digits(int64(gone.Messages)), digits(int64(gone.Payloads)), digits(int64(gone.Attempts)))
		})
	})
	took := p.done()
	if err != nil {
		return d.failed(ctx, what, place, err)
	}
	out := gcOut{place, got.Messages, got.Payloads, got.Attempts, got.Keys, got.Unsent, got.Before, got.After}
	return d.print(out, func() error {
		if err := d.printRemoved(&out); err != nil {
			return err
		}
		if out.Unsent > 0 {
			d.note("%s had not been sent when retention ended them.", countText(int64(out.Unsent), "delivery", "deliveries"))
		}
		if out.Before > 0 {
			d.note("%s had %s and has %s, after %s.", place, sizeText(out.Before), sizeText(out.After), tookText(took))
		}
		return nil
	}, place)
}

func (d *admin) printRemoved(out *gcOut) error {
	p := d.paintFor(d.color, d.OutTerminal)
	t := table{}
	t.add(p.quiet("KIND"), p.quiet("REMOVED"))
	for _, row := range []struct {
		kind string
		n    int
	}{{"message", out.Messages}, {"payload", out.Payloads}, {"attempt", out.Attempts}, {"idempotency_key", out.Keys}} {
		t.add(row.kind, digits(int64(row.n)))
	}
	return t.write(d.Out, "")
}

func keepOf(c *config.Config) move.Retention {
	return move.Retention{Messages: c.Retention, Payloads: c.RetentionPayload, Attempts: c.RetentionAttempts}
}

// keepText says what goes with these settings.
func keepText(c *config.Config) string {
	var parts []string
	for _, kind := range []struct {
		name string
		keep time.Duration
	}{{"messages", c.Retention}, {"payloads", c.RetentionPayload}, {"attempts", c.RetentionAttempts}} {
		if kind.keep > 0 {
			parts = append(parts, kind.name+" older than "+config.FormatDuration(kind.keep))
		}
	}
	if len(parts) == 0 {
		return "nothing but keys that have ended"
	}
	return strings.Join(parts, ", ")
}

func (a *app) rotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate-master-key",
		Short: "Encrypt all secrets under a new master key",
		Long: `Encrypt all secrets in the database anew, under a new master key. It can be
stopped and started again at any time: until its end the old key stays beside
the new one, so that everything can be read.

The key in the file beside a SQLite database is made and changed here; the
server must not run. A key that you give by --master-key-file or
GRAPNEL_MASTER_KEY stays in your hands:
  1. put the new key behind the old one, start every server with both,
  2. put the new key in front, start every server with both again,
  3. run this command, with both,
  4. take the old key out, start every server with the new one.
Keys are parted by white space or commas; the first one encrypts. With
PostgreSQL the servers may run all the while.`,
		Example: `  grapnel admin rotate-master-key --db sqlite:/var/lib/grapnel/grapnel.db`,
		Args:    noArgs,
	}
	d := a.adminFlags(cmd, "db", "master-key")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.rotate(cmd.Context()) }
	return cmd
}

type rotateOut struct {
	DB        string `json:"db"`
	MasterKey string `json:"masterKey"` // the id of the key, not the key
	Endpoints int64  `json:"endpoints"`
	Sources   int64  `json:"sources"`
	Values    int64  `json:"values"`
	// Unreadable are endpoints and sources with a secret that no key opens.
	Unreadable []string `json:"unreadable"`
	OldKeys    string   `json:"oldKeys,omitempty"` // the file that keeps them
}

func (d *admin) rotate(ctx context.Context) error {
	const what = "the master key cannot be changed"
	var err error
	if d.cfg, err = d.settings.load(&d.Streams, nil, false); err != nil {
		return failed(ctx, what, err)
	}
	place := d.cfg.ShownDB()
	keys, file, err := server.MasterKeys(d.cfg)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d.failed(ctx, what, file, err)
	case err != nil:
		return failed(ctx, what, err)
	case file == "" && len(keys) == 1:
		return usage("there is only one master key", "Put a new one (`openssl rand -base64 32`) in front of it, parted by a space, and give both; `grapnel admin rotate-master-key --help` has all steps.")
	}
	p := d.progress()
	got, err := move.Rotation{
		Address: d.cfg.DB, KeyFile: file, Keys: keys, Sealer: server.Sealer, Log: d.log(),
		Tell: func(r move.Rotated) {
			p.tell(func() string {
				return fmt.Sprintf("encrypting: %s endpoints, %s secrets changed", digits(r.Endpoints), digits(r.Values))
			})
		},
	}.Run(ctx)
	p.done()
	if err != nil {
		return d.failed(ctx, what, place, err)
	}
	out := rotateOut{place, got.Key, got.Endpoints, got.Sources, got.Values, got.UnreadableIDs(), got.OldKeys}
	if len(out.Unreadable) > 0 {
		return unreadable(&out)
	}
	return d.print(out, func() error { return d.tellRotated(&out, got.Resumed) }, out.MasterKey)
}

// unreadable says what to do about secrets that no key opens.
func unreadable(out *rotateOut) error {
	const most = 10
	names := out.Unreadable
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("and %s more", digits(int64(len(out.Unreadable)-most))))
	}
	return &failure{
		exit: ExitError, code: "unreadable_secrets", what: "the master key is changed, but for secrets that no key opens",
		why: fmt.Sprintf("%s encrypted with key %s now; those of these endpoints and sources were left as they are:\n%s", countText(out.Values, "secret is", "secrets are"), out.MasterKey, strings.Join(names, "\n")),
		fix: "Add the key that they were encrypted with, or give these endpoints and sources new secrets or delete them; then run this again. Until then all keys stay.",
	}
}

func (d *admin) tellRotated(out *rotateOut, resumed bool) error {
	if resumed {
		d.note("An earlier run had not come to its end; this one went on.")
	}
	d.note("Every secret is encrypted with master key %s: %s changed, %s and %s looked at.",
		out.MasterKey, countText(out.Values, "secret"), countText(out.Endpoints, "endpoint"), countText(out.Sources, "source"))
	if out.OldKeys != "" {
		d.note("Back the new key up: it is in the key file. The old one is in %s, and opens backups made before; delete it with the last of them.", quotedIfOdd(out.OldKeys))
		return nil
	}
	d.note("Take the old key out of the settings, start the servers again, and keep it as long as there are backups made before.")
	return nil
}
