package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/move"
	"github.com/grapnelhq/grapnel/internal/server"
)

func (a *app) backupCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything to one file, while the server runs",
		Long: `Write everything that the database holds to one compressed file, as it is at
this moment. The server may run and goes on as usual. The file appears when it
is whole and on disk, and only its owner can read it. The FILE - is stdout.

Secrets stay encrypted in it: keep the master key too, at another place.`,
		Example: `  grapnel admin backup /backup/grapnel.gz --db sqlite:/var/lib/grapnel/g.db
  grapnel admin backup - | ssh backup@example.com 'cat > grapnel.gz'`,
		Args: oneArg("FILE"),
	}
	d := a.adminFlags(cmd, "db", "master-key")
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that exists")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return d.backup(cmd.Context(), args[0], force) }
	return cmd
}

// kindOut is one kind of record in a result.
type kindOut struct {
	Kind     string `json:"kind"`
	Records  int64  `json:"records"`
	Checksum string `json:"checksum"`
}

func kindsOf(c move.Contents) []kindOut {
	out := make([]kindOut, len(c.Sums))
	for i := range c.Sums {
		out[i] = kindOut{c.Sums[i].Kind.String(), c.Sums[i].Count, c.Sums[i].Text()}
	}
	return out
}

type backupOut struct {
	File       string    `json:"file"`
	Bytes      int64     `json:"bytes,omitempty"`
	MadeAt     time.Time `json:"madeAt"`
	Grapnel    string    `json:"grapnel"`
	Records    int64     `json:"records"`
	Kinds      []kindOut `json:"kinds"`
	MasterKeys []string  `json:"masterKeys"`
}

func (d *admin) backup(ctx context.Context, file string, force bool) error {
	const what = "the backup cannot be made"
	if err := d.load(); err != nil {
		return failed(ctx, what, err)
	}
	h := move.Header{MadeAt: time.Now().UTC().Truncate(time.Second), Grapnel: version, Store: d.storeKind(), MasterKeys: d.keyIDs()}
	p := d.progress()
	if file == "-" {
		if d.OutTerminal {
			return usage("a backup cannot be written to a terminal", "Name a file, or redirect stdout.")
		}
		c, err := move.BackupTo(ctx, d.cfg.DB, d.Out, h, p.records("writing"))
		took := p.done()
		if err != nil {
			return d.failed(ctx, what, d.cfg.ShownDB(), err)
		}
		d.note("Wrote %s in %s.", countText(c.Sums.Total(), "record"), tookText(took))
		d.tellKeys(c.MasterKeys)
		return nil
	}
	if folder := filepath.Dir(file); !isFolder(folder) {
		return d.failed(ctx, what, "folder "+folder, fs.ErrNotExist)
	}
	c, size, err := move.Backup(ctx, d.cfg.DB, file, force, h, p.records("writing"))
	took := p.done()
	if err != nil {
		return d.failed(ctx, what, d.cfg.ShownDB(), err)
	}
	out := backupOut{file, size, h.MadeAt, h.Grapnel, c.Sums.Total(), kindsOf(c), c.MasterKeys}
	return d.print(out, func() error {
		if err := d.printKinds(out.Kinds); err != nil {
			return err
		}
		d.note("Wrote %s: %s, %s, in %s.", quotedIfOdd(file), countText(out.Records, "record"), sizeText(size), tookText(took))
		d.tellKeys(c.MasterKeys)
		return nil
	}, file)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (d *admin) storeKind() string {
	if d.cfg.Postgres() {
		return "postgres"
	}
	return "sqlite"
}

// keyIDs names the master keys that the settings lead to, if there are any.
func (d *admin) keyIDs() (ids []string) {
	if d.cfg.Postgres() && !d.cfg.Explicit("master-key") {
		return nil
	}
	keys, _, err := server.MasterKeys(d.cfg)
	if err != nil {
		return nil
	}
	for _, k := range keys {
		ids = append(ids, k.ID())
	}
	return ids
}

func (d *admin) printKinds(kinds []kindOut) error {
	p := d.paintFor(d.color, d.OutTerminal)
	t := table{}
	t.add(p.quiet("KIND"), p.quiet("RECORDS"), p.quiet("CHECKSUM"))
	for _, k := range kinds {
		t.add(k.Kind, digits(k.Records), k.Checksum[:16])
	}
	return t.write(d.Out, "")
}

// tellKeys says what the secrets of a backup need.
func (d *admin) tellKeys(keys []string) {
	switch len(keys) {
	case 0:
		d.note("There are no secrets in it.")
	case 1:
		d.note("Its secrets are encrypted with master key %s: keep that key at another place, without it they are lost.", keys[0])
	default:
		d.note("Its secrets are encrypted with master keys %s: keep these keys at another place, without them they are lost.", strings.Join(keys, " and "))
	}
}

func (a *app) restoreCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a database out of a backup",
		Long: `Make a database out of a backup. The database must be empty or not exist yet: it
is there only when the backup was read to its end, every checksum was right and
the database gave the same back. What was being sent when the backup was made is
sent again. The FILE - is stdin.

With --check it only reads the backup and says whether it is whole.`,
		Example: `  grapnel admin restore grapnel.gz --check
  grapnel admin restore grapnel.gz --db sqlite:/var/lib/grapnel/g.db`,
		Args: oneArg("FILE"),
	}
	d := a.adminFlags(cmd, "db", "master-key")
	cmd.Flags().BoolVar(&check, "check", false, "make nothing; only read the backup")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if check {
			return d.checkBackup(cmd.Context(), args[0])
		}
		return d.restore(cmd.Context(), args[0])
	}
	return cmd
}

// openBackup opens a file, or stdin.
func (d *admin) openBackup(file string) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(d.In), nil
	}
	return os.Open(file)
}

func (d *admin) checkBackup(ctx context.Context, file string) error {
	what := quotedIfOdd(file) + " is not a whole backup"
	in, err := d.openBackup(file)
	if err != nil {
		return d.failed(ctx, "the backup cannot be read", file, err)
	}
	defer in.Close()
	p := d.progress()
	r, err := move.NewReader(in, p.records("reading"))
	for err == nil && ctx.Err() == nil {
		_, err = r.Next()
	}
	p.done()
	if !errors.Is(err, io.EOF) {
		return d.failed(ctx, what, file, firstOf(ctx.Err(), err))
	}
	c := r.Contents()
	h := r.Header()
	out := backupOut{File: file, MadeAt: h.MadeAt, Grapnel: h.Grapnel, Records: c.Sums.Total(), Kinds: kindsOf(c), MasterKeys: c.MasterKeys}
	return d.print(out, func() error {
		if err := d.printKinds(out.Kinds); err != nil {
			return err
		}
		d.note("%s is whole: %s, made %s by version %s from %s.", quotedIfOdd(file), countText(out.Records, "record"), d.time(h.MadeAt), h.Grapnel, h.Store)
		d.tellKeys(c.MasterKeys)
		return nil
	}, file)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

type restoreOut struct {
	DB      string    `json:"db"`
	MadeAt  time.Time `json:"madeAt"`
	Records int64     `json:"records"`
	Kinds   []kindOut `json:"kinds"`
	// MissingKeys are ids of master keys that the settings do not lead to.
	MissingKeys []string `json:"missingKeys"`
}

func (d *admin) restore(ctx context.Context, file string) error {
	const what = "the backup cannot be restored"
	if err := d.load(); err != nil {
		return failed(ctx, what, err)
	}
	in, err := d.openBackup(file)
	if err != nil {
		return d.failed(ctx, what, file, err)
	}
	defer in.Close()
	p := d.progress()
	r, err := move.NewReader(in, p.records("restoring"))
	if err != nil {
		return d.failed(ctx, what, file, err)
	}
	h := r.Header()
	d.note("Restoring a backup made %s by version %s from %s.", d.time(h.MadeAt), h.Grapnel, h.Store)
	foreseen := d.missingKeys(h.MasterKeys)
	d.warnOfKeys(foreseen)
	c, err := move.Restore(ctx, r, d.cfg.DB, d.log(), p.records("comparing"))
	took := p.done()
	if err != nil {
		return d.failed(ctx, what, d.cfg.ShownDB(), err)
	}
	out := restoreOut{d.cfg.ShownDB(), h.MadeAt, c.Source.Sums.Total(), kindsOf(c.Source), d.missingKeys(c.Source.MasterKeys)}
	return d.print(out, func() error {
		if err := d.printKinds(out.Kinds); err != nil {
			return err
		}
		d.note("%s holds all of it: %s, compared, in %s.", out.DB, countText(out.Records, "record"), tookText(took))
		if !slices.Equal(out.MissingKeys, foreseen) {
			d.warnOfKeys(out.MissingKeys)
		}
		return nil
	}, out.DB)
}

// missingKeys gives those that the settings do not lead to.
func (d *admin) missingKeys(keys []string) []string {
	have := d.keyIDs()
	return slices.DeleteFunc(append([]string{}, keys...), func(id string) bool { return slices.Contains(have, id) })
}

func (d *admin) warnOfKeys(missing []string) {
	if len(missing) == 0 {
		return
	}
	p := d.paintFor(d.color, d.ErrTerminal)
	d.note("%s The secrets in it are encrypted with master key %s, which is not here.", p.wait("!"), strings.Join(missing, " and "))
	where := "give it by GRAPNEL_MASTER_KEY or --master-key-file"
	if !d.cfg.Postgres() && !d.cfg.Explicit("master-key") {
		_, file, err := server.MasterKeys(d.cfg)
		file = quotedIfOdd(file)
		if !errors.Is(err, fs.ErrNotExist) {
			file += ", which holds another one"
		}
		where = "put it into " + file + ", or " + where
	}
	d.note("  Before the server starts, %s: nothing can be sent without it.", where)
}
