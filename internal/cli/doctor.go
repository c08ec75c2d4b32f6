package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
)

func (a *app) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Ask a server what is wrong with it",
		Long: `Ask a server what is wrong with it: database, disk, clock, queue, nodes,
address, encryption, master key, retention. The exit code is 0 if nothing
failed, warnings or not, and 8 if something did. The key needs the scope manage.`,
		Args: noArgs,
	}
	r := a.remoteFlags(cmd)
	a.outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		c, err := r.open()
		if err != nil {
			return r.failed(ctx, "the doctor cannot be asked", err)
		}
		out, err := c.System(ctx)
		if err != nil {
			return r.failed(ctx, "the doctor cannot be asked", err)
		}
		if err := r.printChecks(&out); err != nil {
			return err
		}
		for _, check := range out.Checks {
			if check.State == apitype.CheckFail {
				return &failure{exit: ExitNo, code: "unhealthy", what: "something does not work", why: check.Text, fix: check.Hint}
			}
		}
		return nil
	}
	return cmd
}

// printChecks writes what was found, with advice below what is not well.
func (r *remote) printChecks(out *apitype.SystemOut) error {
	switch r.output {
	case formatJSON:
		return writeJSON(r.Out, out.Checks, false)
	case formatYAML:
		return writeYAML(r.Out, out.Checks)
	case formatJSONL, formatName:
		for _, c := range out.Checks {
			if err := r.print(c, nil, c.Name); err != nil {
				return err
			}
		}
		return nil
	}
	p := r.paintFor(r.color, r.OutTerminal)
	var b strings.Builder
	for _, c := range out.Checks {
		mark := p.good() + " ok  "
		switch c.State {
		case apitype.CheckWarn:
			mark = p.wait("!") + " warn"
		case apitype.CheckFail:
			mark = p.bad() + " fail"
		case apitype.CheckOK:
		}
		fmt.Fprintf(&b, "%s  %s: %s\n", mark, p.strong(c.Title), printable(c.Text))
		if c.Hint != "" {
			fmt.Fprintf(&b, "        %s\n", printable(c.Hint))
		}
	}
	_, err := fmt.Fprint(r.Out, b.String())
	return err
}
