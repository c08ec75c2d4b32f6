package cli

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/config"
)

// version is what the binary tells; the linker sets it.
var version = "dev"

// app is one run of the command line.
type app struct {
	Streams
	color string
	// output is the form of -o in the command that runs; empty: it has none.
	output string
}

// Main runs the command line and gives the exit code. ctx ends when the process
// is told to stop; its cause is then an *Interrupted.
func Main(ctx context.Context, s Streams, args []string) int {
	a := &app{Streams: s, color: colorAuto}
	root := a.root() //nolint:contextcheck // commands get theirs from ExecuteContext
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	var f *failure
	if !errors.As(err, &f) {
		// Whatever cobra itself finds wrong is about how the command was given.
		f = usage(err.Error(), "`grapnel --help` shows how it is used.")
	}
	f.print(s.Err, wantsJSON(a.output, args), s.paintFor(a.color, s.ErrTerminal))
	return f.exit
}

// wantsJSON reports whether errors are to be JSON. It looks at the arguments
// too, for an error may come before -o was parsed.
func wantsJSON(output string, args []string) bool {
	if output != "" && output != formatTable {
		return output == formatJSON || output == formatJSONL
	}
	for i, arg := range args {
		value, joined := strings.CutPrefix(arg, "--output=")
		if !joined {
			value, joined = strings.CutPrefix(arg, "-o")
			value = strings.TrimPrefix(value, "=")
		}
		if (arg == "-o" || arg == "--output") && i+1 < len(args) {
			value, joined = args[i+1], true
		}
		if joined && (value == formatJSON || value == formatJSONL) {
			return true
		}
	}
	return false
}

const rootNote = `Exit codes
  0 done              4 there is no such thing  8 no: not delivered, not ready
  1 unexpected error  5 conflict                9 too many requests
  2 wrong usage       6 the input is refused    130, 143 stopped by a signal
  3 not allowed       7 the server is silent

"grapnel COMMAND --help" shows more of one.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "grapnel",
		Short: "Send and receive webhooks: signed, verified, retried, recorded",
		Long: `Grapnel sends webhooks and receives them. One call to its API becomes signed
deliveries to every endpoint that asks for the event; what others send to one of
its URLs is verified, kept and passed on. What fails is retried, and each
attempt is recorded. Begin with "grapnel dev"; then "grapnel catch" makes a URL
that shows what arrives there.`,
		Annotations:       map[string]string{"note": rootNote},
		Args:              noArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.Flags().Bool("version", false, "print the version")
	root.Version = version
	root.SetVersionTemplate(thisVersion().String())
	root.PersistentFlags().Var(newChoice(&a.color, colorAuto, colorAuto, colorAlways, colorNever), "color", "when to use colour")
	grouped(root.PersistentFlags(), generalGroup, "color")
	root.SetHelpCommand(helpCommand())
	root.SetUsageFunc(usageFunc)
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(&cobra.Group{ID: "start", Title: "Start"}, &cobra.Group{ID: "look", Title: "Look"}, &cobra.Group{ID: "trust", Title: "Trust"}, &cobra.Group{ID: "receive", Title: "Receive"}, &cobra.Group{ID: "run", Title: "Run it"})
	for _, cmd := range []*cobra.Command{a.devCommand(), a.serveCommand(), a.sendCommand(), a.listenCommand(), a.catchCommand()} {
		cmd.GroupID = "start"
		root.AddCommand(cmd)
	}
	for _, cmd := range []*cobra.Command{a.messagesCommand(), a.endpointsCommand(), a.issuesCommand()} {
		cmd.GroupID = "look"
		root.AddCommand(cmd)
	}
	for _, cmd := range []*cobra.Command{a.verifyCommand(), a.signCommand(), a.samplesCommand()} {
		cmd.GroupID = "trust"
		root.AddCommand(cmd)
	}
	for _, cmd := range []*cobra.Command{a.sourcesCommand(), a.requestsCommand(), a.replayCommand()} {
		cmd.GroupID = "receive"
		root.AddCommand(cmd)
	}
	for _, cmd := range []*cobra.Command{a.keysCommand(), a.adminCommand(), a.doctorCommand(), a.healthcheckCommand(), a.completionCommand(), a.versionCommand()} {
		cmd.GroupID = "run"
		root.AddCommand(cmd)
	}
	unsorted(root)
	return root
}

// commandsOf names the commands below cmd.
func commandsOf(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}

// noArgs refuses arguments, with a suggestion for a misspelt command.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		fix := "`" + cmd.CommandPath() + " --help` lists them."
		if near := config.Nearest(args[0], commandsOf(cmd)); near != "" {
			fix = "Did you mean `" + cmd.CommandPath() + " " + near + "`?"
		}
		return usage(cmd.CommandPath()+" has no command "+quoted(args[0]), fix)
	}
	return usage(cmd.CommandPath()+" takes no arguments, but there is "+quoted(args[0]), "`"+cmd.CommandPath()+" --help` shows how it is used.")
}

// oneArg asks for exactly one argument; name is what it stands for.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		fix := "Write `" + cmd.CommandPath() + " " + name + "`; `" + cmd.CommandPath() + " --help` shows more."
		switch {
		case len(args) == 0:
			return usage(cmd.CommandPath()+" needs "+name, fix)
		case len(args) == 1:
			return nil
		case cmd.Flags().Changed("wait"):
			fix = "A value of --wait is joined by an equals sign: --wait=10s."
		}
		return usage(cmd.CommandPath()+" takes one argument, but there is also "+quoted(args[1]), fix)
	}
}

// optionalArg lets one argument through, or none.
func optionalArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return oneArg(name)(cmd, args)
	}
}

func quoted(text string) string { return strconv.Quote(text) }
