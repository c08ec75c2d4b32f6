package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/move"
)

func (a *app) copyCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "copy",
		Short: "Copy a database that nobody uses into an empty one",
		Long: `Copy everything of one database into another one, of the same kind or of
another, and compare what both hold. The source must not be in use and stays as
it is; the target must be empty or not exist yet, and is there only if the two
are the same.

Secrets are copied as they are: the new server needs the same master key. Other
users of this machine can see a password in the command line; PGPASSWORD and
~/.pgpass keep it out.`,
		Example: `  grapnel admin copy --from sqlite:g.db --to postgres://me@db/grapnel
  grapnel admin copy --from postgres://me@db/grapnel --to sqlite:g.db`,
		Args: noArgs,
	}
	cmd.Flags().Var(text{&from, "ADDRESS"}, "from", "database to copy")
	cmd.Flags().Var(text{&to, "ADDRESS"}, "to", "empty database, or one that does not exist yet")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return (&admin{app: a}).copy(cmd.Context(), from, to)
	}
	return cmd
}

type copyOut struct {
	From    string         `json:"from"`
	To      string         `json:"to"`
	Records int64          `json:"records"`
	Kinds   []comparedKind `json:"kinds"`
}

type comparedKind struct {
	Kind     string `json:"kind"`
	Source   int64  `json:"source"`
	Target   int64  `json:"target"`
	Checksum string `json:"checksum"`
	Same     bool   `json:"same"`
}

func (d *admin) copy(ctx context.Context, fromText, toText string) error {
	const what = "the database cannot be copied"
	from, shownFrom, err := takesAddress("--from", fromText)
	if err != nil {
		return err
	}
	to, shownTo, err := takesAddress("--to", toText)
	if err != nil {
		return err
	}
	if from == to {
		return usage("--from and --to are the same database", "Name two databases.")
	}
	p := d.progress()
	c, err := move.Copy(ctx, from, to, d.log(), p.records("copying"), p.records("comparing"))
	took := p.done()
	if err != nil {
		place := shownFrom
		var target *move.TargetError
		if errors.As(err, &target) {
			place = shownTo
		}
		return d.failed(ctx, what, place, err)
	}
	out := copyOut{From: shownFrom, To: shownTo, Records: c.Source.Sums.Total()}
	for i := range c.Source.Sums {
		s, t := &c.Source.Sums[i], &c.Target.Sums[i]
		out.Kinds = append(out.Kinds, comparedKind{s.Kind.String(), s.Count, t.Count, s.Text(), *s == *t})
	}
	return d.print(out, func() error {
		if err := d.printCompared(out.Kinds); err != nil {
			return err
		}
		d.note("Copied and compared %s in %s. Start the server with --db %s and the master key that it has now.",
			countText(out.Records, "record"), tookText(took), quotedIfOdd(out.To))
		return nil
	}, out.To)
}

func (d *admin) printCompared(kinds []comparedKind) error {
	p := d.paintFor(d.color, d.OutTerminal)
	t := table{}
	t.add(p.quiet("KIND"), p.quiet("SOURCE"), p.quiet("TARGET"), p.quiet("CHECKSUM"), "")
	for _, k := range kinds {
		mark := p.bad()
		if k.Same {
			mark = p.good()
		}
		t.add(k.Kind, digits(k.Source), digits(k.Target), k.Checksum[:16], mark)
	}
	return t.write(d.Out, "")
}

func (a *app) migrateCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this version's schema",
		Long: `Bring the database to the schema of this version. A server does so by itself
when it starts; this does it beforehand. There is no way back but a backup.

With --check it changes nothing, and ends with 8 if a migration is needed.`,
		Example: `  grapnel admin migrate --check --db sqlite:/var/lib/grapnel/grapnel.db`,
		Args:    noArgs,
	}
	d := a.adminFlags(cmd, "db")
	cmd.Flags().BoolVar(&check, "check", false, "change nothing; say whether it is needed")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.migrate(cmd.Context(), check) }
	return cmd
}

type migrateOut struct {
	DB     string `json:"db"`
	Before int64  `json:"before"`
	Schema int64  `json:"schema"`
}

func (d *admin) migrate(ctx context.Context, check bool) error {
	const what = "the database cannot be migrated"
	if err := d.load(); err != nil {
		return failed(ctx, what, err)
	}
	place := d.cfg.ShownDB()
	schema, err := move.SchemaOf(ctx, d.cfg.DB)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !d.cfg.Postgres():
		return &failure{exit: ExitNotFound, code: "not_found", what: what, why: "There is no " + place + ".", fix: "A server makes it when it starts.", err: err}
	case err != nil:
		return d.failed(ctx, what, place, err)
	case schema.Have > schema.Newest:
		return d.failed(ctx, what, place, &move.SchemaError{Have: schema.Have, Newest: schema.Newest})
	case check && schema.Have < schema.Newest:
		return &failure{
			exit: ExitNo, code: "migration_needed", what: place + " needs a migration",
			why: fmt.Sprintf("Its schema has version %d, that of this program %d.", schema.Have, schema.Newest),
			fix: "Make a backup with the version that serves it, then run `grapnel admin migrate` or start the server.",
		}
	}
	out := migrateOut{place, schema.Have, schema.Newest}
	if schema.Have < schema.Newest {
		if _, err := move.Migrate(ctx, d.cfg.DB, d.log()); err != nil {
			return d.failed(ctx, what, place, err)
		}
	}
	return d.print(out, func() error {
		if out.Before == out.Schema {
			d.note("%s has schema version %d, the newest: there is nothing to do.", place, out.Schema)
			return nil
		}
		d.note("%s was brought from schema version %d to %d.", place, out.Before, out.Schema)
		return nil
	}, place)
}
