package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/grapnelhq/grapnel/internal/config"
)

// The annotation that names a flag's group in help, and the usual groups.
const (
	groupOf      = "group"
	flagGroup    = "Flags"
	serverGroup  = "Server"
	generalGroup = "Every command"
)

// The columns of help.
const (
	helpColumn = 30
	helpWidth  = 80
)

// grouped puts flags into a group of help.
func grouped(f *pflag.FlagSet, group string, names ...string) {
	for _, name := range names {
		f.Lookup(name).Annotations = map[string][]string{groupOf: {group}}
	}
}

// withoutDefault leaves the default of flags out of help, where it means that nothing is set.
func withoutDefault(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f.Lookup(name).DefValue = ""
	}
}

// unsorted keeps the flags of a command, and of those below it, in the order in
// which they were made.
func unsorted(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.PersistentFlags().SortFlags = false
	for _, c := range cmd.Commands() {
		unsorted(c)
	}
}

// helpCommand is `grapnel help COMMAND`, which many type before --help.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show how a command is used", Hidden: true, GroupID: "run",
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || target == cmd.Root() {
				target, rest = cmd.Root(), args
			}
			if len(rest) > 0 {
				return noArgs(target, rest)
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		},
	}
}

// usageFunc writes what help shows below a command's description.
func usageFunc(cmd *cobra.Command) error {
	var b strings.Builder
	line := cmd.UseLine()
	if cmd.HasSubCommands() {
		line = cmd.CommandPath() + " COMMAND [flags]"
	}
	b.WriteString("Usage\n  " + line + "\n")
	if cmd.Example != "" {
		b.WriteString("\nExamples\n" + cmd.Example + "\n")
	}
	writeCommands(&b, cmd)
	writeFlags(&b, cmd)
	if note := cmd.Annotations["note"]; note != "" {
		b.WriteString("\n" + note + "\n")
	}
	_, err := cmd.OutOrStderr().Write([]byte(b.String()))
	return err
}

// writeCommands lists the commands below cmd, by group if there are groups.
func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	groups := cmd.Groups()
	if len(groups) == 0 && cmd.HasAvailableSubCommands() {
		groups = []*cobra.Group{{Title: "Commands"}}
	}
	widest := 0
	for _, c := range cmd.Commands() {
		widest = max(widest, len(c.Name()))
	}
	for _, group := range groups {
		b.WriteString("\n" + group.Title + "\n")
		for _, c := range cmd.Commands() {
			if c.GroupID == group.ID && c.IsAvailableCommand() {
				b.WriteString("  " + c.Name() + strings.Repeat(" ", widest-len(c.Name())+2) + c.Short + "\n")
			}
		}
	}
}

// writeFlags lists the flags by group, in the order in which they were made.
func writeFlags(b *strings.Builder, cmd *cobra.Command) {
	cmd.InheritedFlags() // brings those of the commands above in
	byGroup := make(map[string]*strings.Builder)
	var order []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		group := flagGroup
		if g := flag.Annotations[groupOf]; len(g) > 0 {
			group = g[0]
		} else if flag.Name == "help" || flag.Name == "version" {
			group = generalGroup
		}
		if byGroup[group] == nil {
			byGroup[group] = new(strings.Builder)
			if group != generalGroup {
				order = append(order, group)
			}
		}
		writeFlag(byGroup[group], flag)
	})
	for _, group := range append(order, generalGroup) {
		b.WriteString("\n" + group + "\n" + byGroup[group].String())
	}
}

// writeFlag writes a flag and, in a column beside it, what it does.
func writeFlag(b *strings.Builder, flag *pflag.Flag) {
	line := "      --" + flag.Name
	if flag.Shorthand != "" {
		line = "  -" + flag.Shorthand + ", --" + flag.Name
	}
	kind := flag.Value.Type()
	switch {
	case kind == "bool":
	case flag.NoOptDefVal != "":
		line += "[=" + kind + "]"
	default:
		line += " " + kind
	}
	usage := flag.Usage
	if flag.Name == "help" {
		usage = "show this"
	}
	if d := flag.DefValue; d != "" && d != "false" {
		usage += " (default " + d + ")"
	}
	if width(line) > helpColumn-2 {
		b.WriteString(line + "\n")
		line = ""
	}
	for word := range strings.FieldsSeq(usage) {
		if width(line) >= helpColumn && width(line)+1+width(word) > helpWidth {
			b.WriteString(line + "\n")
			line = ""
		}
		if width(line) < helpColumn {
			line += strings.Repeat(" ", helpColumn-width(line)) + word
		} else {
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
}

// flagError says in our words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	help := "`" + cmd.CommandPath() + " --help` lists them."
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		if unknown.GetSpecifiedShortnames() != "" {
			return usage(cmd.CommandPath()+" has no flag -"+unknown.GetSpecifiedName(), help)
		}
		if near := config.Nearest(unknown.GetSpecifiedName(), flagsOf(cmd)); near != "" {
			help = "Did you mean --" + near + "?"
		}
		return usage(cmd.CommandPath()+" has no flag --"+unknown.GetSpecifiedName(), help)
	case errors.As(err, &bare):
		flag := "--" + bare.GetFlag().Name
		return usage(flag+" needs a value", "Write "+flag+" "+bare.GetFlag().Value.Type()+".")
	case errors.As(err, &bad):
		joint := " "
		if bad.GetFlag().NoOptDefVal != "" {
			joint = "="
		}
		return flagValueError("--"+bad.GetFlag().Name+joint+quotedIfOdd(bad.GetValue()), bad.Unwrap())
	}
	return usage(err.Error(), "`"+cmd.CommandPath()+" --help` shows how it is used.")
}

// flagValueError says what is wrong with a value; given names it and its place.
func flagValueError(given string, err error) *failure {
	var known *badValue
	if errors.As(err, &known) {
		return usage(given+" "+known.what, known.fix)
	}
	return usage(given+" cannot be used: "+err.Error(), "")
}

func flagsOf(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	return names
}

// quotedIfOdd quotes a text that could not be told from the words around it.
func quotedIfOdd(text string) string {
	if text == "" || strings.ContainsAny(text, " \t\n\"") {
		return quoted(text)
	}
	return text
}
