package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/move"
)

func (a *app) adminCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "admin",
		Short: "Back up, restore, move and maintain the database",
		Long: `Back up, restore, move and maintain the database. These commands open it
themselves, with the server's own settings; backup may do so while a server
runs, the others say when they cannot.`,
		Annotations: map[string]string{"note": adminNote},
		Args:        noArgs,
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.outputFlag(cmd)
	cmd.AddCommand(a.backupCommand(), a.restoreCommand(), a.copyCommand(), a.migrateCommand(), a.gcCommand(), a.rotateCommand(), a.memberLinkCommand())
	return cmd
}

const adminNote = `Exit codes
  0 done              4 there is no such file or database
  1 unexpected error  5 in use, not empty, or of another version
  2 wrong usage       6 the backup is damaged, or is none
                      8 no: a migration is needed`

// admin is one run of an administrative command.
type admin struct {
	*app
	settings *settingFlags
	cfg      *config.Config
}

// adminFlags gives cmd flags for these settings of the server alone.
func (a *app) adminFlags(cmd *cobra.Command, settings ...string) *admin {
	var others []string
	for _, s := range config.Settings() {
		if !slices.Contains(settings, s.Name) {
			others = append(others, s.Name)
		}
	}
	return &admin{app: a, settings: addSettings(cmd, nil, others...)}
}

// anyMasterKey stands for the master key where none is needed: PostgreSQL asks
// for one in the settings of a server.
const anyMasterKey = "Z3JhcG5lbCBhZG1pbiBuZWVkcyBubyBtYXN0ZXIga2U="

// load reads the settings. The master key is there only if it was given.
func (d *admin) load() (err error) {
	d.cfg, err = d.settings.load(&d.Streams, map[string]string{"master-key": anyMasterKey}, false)
	return err
}

// log is for what a store has to say on its own.
func (d *admin) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(d.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// note writes a line that is not data.
func (d *admin) note(format string, args ...any) { fmt.Fprintf(d.Err, format+"\n", args...) }

// failed says what an error means, and what to do; place is the address of the
// database, without passwords, or the file that the error is about.
func (d *admin) failed(ctx context.Context, what, place string, err error) error {
	var known *failure
	var schema *move.SchemaError
	f := failed(ctx, what, err)
	switch {
	case errors.As(err, &known) || f.code == "interrupted" || f.code == "bad_settings":
	case errors.Is(err, move.ErrInUse):
		f.exit, f.code, f.why = ExitConflict, "database_in_use", "Another process has "+place+" open."
		f.fix = "Stop the server that uses it and try again; only a backup is made beside a server."
	case errors.Is(err, move.ErrNotEmpty):
		f.exit, f.code, f.why = ExitConflict, "not_empty", place+" holds something already."
		f.fix = "Name a database that does not exist yet or is empty: nothing is ever replaced."
	case errors.As(err, &schema):
		f.exit, f.code = ExitConflict, "other_schema"
	case errors.Is(err, move.FileExists), errors.Is(err, move.NotAFile):
		f.exit, f.code = ExitConflict, "file_exists"
	case errors.Is(err, move.NotABackup), errors.Is(err, move.CutOff), errors.Is(err, move.Damaged), errors.Is(err, move.NewerFormat):
		f.exit, f.code = ExitInvalid, "bad_backup"
	case errors.Is(err, fs.ErrNotExist):
		f.exit, f.code, f.why = ExitNotFound, "not_found", "There is no "+place+"."
		if f.fix == "" {
			f.fix = "Name one that exists; a path that does not begin with / begins at the current folder."
		}
	}
	return f
}

// takesAddress gives an address of a database that a flag holds, as it is and
// without passwords.
func takesAddress(flag, text string) (address, shown string, err error) {
	if text == "" {
		return "", "", usage(flag+" is missing", "Give the address of a database, such as sqlite:grapnel.db or postgres://USER:PASSWORD@HOST/DATABASE.")
	}
	cfg, err := config.Load(config.Sources{Flags: map[string]string{"db": text}, Defaults: map[string]string{"master-key": anyMasterKey}})
	var bad *config.Error
	if errors.As(err, &bad) {
		return "", "", usage(flag+" "+bad.Problems[0].What, bad.Problems[0].Fix)
	}
	if err != nil {
		return "", "", err
	}
	return cfg.DB, cfg.ShownDB(), nil
}

// digits writes a number with a comma after each three digits.
func digits(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// countText writes a number of things; more is what several are called, by
// default with an s.
func countText(n int64, one string, more ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(more) > 0:
		return digits(n) + " " + more[0]
	}
	return digits(n) + " " + one + "s"
}

// sizeText writes a number of bytes for a person.
func sizeText(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/step, 0
	for ; value >= step && unit < 3; unit++ {
		value /= step
	}
	return fmt.Sprintf("%.1f %s", value, [...]string{"KiB", "MiB", "GiB", "TiB"}[unit])
}

// progress shows how far something is: at a terminal in a line that is written
// over, elsewhere in a line now and then.
type progress struct {
	to       *Streams
	began    time.Time
	last     time.Time
	shown    bool
	interval time.Duration
}

const (
	redrawEvery = 100 * time.Millisecond
	lineEvery   = 10 * time.Second
)

func (s *Streams) progress() *progress {
	p := &progress{to: s, began: time.Now(), interval: lineEvery}
	if s.ErrTerminal {
		p.interval = redrawEvery
	}
	p.last = p.began
	return p
}

// tell shows the text that line makes, if it is time to.
func (p *progress) tell(line func() string) {
	now := time.Now()
	if now.Sub(p.last) < p.interval {
		return
	}
	p.last = now
	if p.to.ErrTerminal {
		p.shown = true
		fmt.Fprintf(p.to.Err, "\r\x1b[K%s", line())
		return
	}
	fmt.Fprintln(p.to.Err, line())
}

// done clears the line, and gives the time that all of it took.
func (p *progress) done() time.Duration {
	if p.shown {
		fmt.Fprint(p.to.Err, "\r\x1b[K")
		p.shown = false
	}
	return time.Since(p.began)
}

// records follows records as they pass.
func (p *progress) records(doing string) move.Progress {
	return func(kind move.Kind, total int64) {
		if total%64 == 0 { // looking at the clock costs more than a small record
			p.tell(func() string { return fmt.Sprintf("%s: %s, now of kind %s", doing, countText(total, "record"), kind) })
		}
	}
}

// tookText writes how long something took.
func tookText(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}
