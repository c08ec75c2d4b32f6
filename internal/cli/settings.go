package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/config"
)

const settingsNote = `Each flag is a variable too (--allow-net is GRAPNEL_ALLOW_NET) and a key of the
YAML file (allow_net). Flags win over variables, variables over the file.`

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
	cmd.Annotations = map[string]string{"note": settingsNote}
	cmd.Flags().Var(text{&f.file, "FILE"}, "config", "YAML file with settings (GRAPNEL_CONFIG)")
	grouped(cmd.Flags(), serverGroup, "config")
	for _, s := range config.Settings() {
		if slices.Contains(leftOut, s.Name) {
			continue
		}
		value := &setting{text: s.Default, kind: s.Value}
		if d, ok := defaults[s.Name]; ok {
			value.text = d
		}
		flag := cmd.Flags().VarPF(value, s.Flag(), "", s.Usage)
		grouped(cmd.Flags(), s.Group, s.Flag())
		if s.Value == "" {
			flag.NoOptDefVal = "true"
			value.kind = "bool"
		}
	}
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
