package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/grapnelhq/grapnel/internal/config"
)

// settingFlags are the flags of the server's settings on one command.
type settingFlags struct {
	cmd  *cobra.Command
	file string
}

// setting is the text of one flag, as it was given.
type setting struct{ text, kind string }

// String, Set and Type make it a pflag.Value; config checks the text.
func (s *setting) String() string { return s.text }

// Set keeps the text.
func (s *setting) Set(text string) error { s.text = text; return nil }

// Type is what help shows for the value.
func (s *setting) Type() string { return s.kind }

// addSettings gives cmd a flag for each setting but those left out. defaults
// take the place of the server's own in help.
func addSettings(cmd *cobra.Command, defaults map[string]string, leftOut ...string) *settingFlags {
	f := &settingFlags{cmd: cmd}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&f.file, "config", "", "YAML file with settings (GRAPNEL_CONFIG)")
	cmd.Flags().Lookup("config").Annotations = map[string][]string{groupOf: {"Server"}}
	for _, s := range config.Settings() {
		if slices.Contains(leftOut, s.Name) {
			continue
		}
		value := &setting{text: s.Default, kind: s.Value}
		if d, ok := defaults[s.Name]; ok {
			value.text = d
		}
		flag := cmd.Flags().VarPF(value, s.Flag(), "", s.Usage)
		flag.Annotations = map[string][]string{groupOf: {s.Group}}
		if s.Value == "" {
			flag.NoOptDefVal = "true"
			value.kind = "bool"
		}
	}
	cmd.SetUsageFunc(groupedUsage)
	return f
}

// load reads and checks the settings.
func (f *settingFlags) load(s *Streams, defaults map[string]string, isDev bool) (*config.Config, error) {
	given := make(map[string]string)
	for _, row := range config.Settings() {
		if flag := f.cmd.Flags().Lookup(row.Flag()); flag != nil && flag.Changed {
			given[row.Flag()] = flag.Value.String()
		}
	}
	file := f.file
	if file == "" {
		file = s.getenv("GRAPNEL_CONFIG")
	}
	return config.Load(config.Sources{Flags: given, Env: s.Env, File: file, Defaults: defaults, IgnoreDatabaseURL: isDev})
}

// groupOf is the annotation that names a flag's group in help.
const groupOf = "group"

// groupedUsage prints the flags of a server command by group.
func groupedUsage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n  " + cmd.UseLine() + "\n")
	if cmd.Example != "" {
		b.WriteString("\nExample:\n" + cmd.Example + "\n")
	}
	for _, group := range []string{"Server", "Keys", "Deliveries", "Retention", "Logs"} {
		b.WriteString("\n" + group + "\n")
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			if g := flag.Annotations[groupOf]; len(g) > 0 && g[0] == group {
				writeFlag(&b, flag)
			}
		})
	}
	b.WriteString("\nEvery flag can be given as a variable (--allow-net is GRAPNEL_ALLOW_NET) or in\nthe YAML file (allow_net). Flags win over variables, variables over the file.\n")
	_, err := cmd.OutOrStderr().Write([]byte(b.String()))
	return err
}

// writeFlag writes a flag on one line and what it does on the next ones.
func writeFlag(b *strings.Builder, flag *pflag.Flag) {
	b.WriteString("  --" + flag.Name)
	switch kind := flag.Value.Type(); kind {
	case "bool":
	case "string":
		b.WriteString(" FILE")
	default:
		b.WriteString(" " + kind)
	}
	text := flag.Usage
	if d := flag.DefValue; d != "" && d != "false" {
		text += " (default " + d + ")"
	}
	const indent, most = "      ", 78
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) >= most && line != indent {
			b.WriteString("\n" + strings.TrimRight(line, " "))
			line = indent
		}
		line += word + " "
	}
	b.WriteString("\n" + strings.TrimRight(line, " ") + "\n")
}
