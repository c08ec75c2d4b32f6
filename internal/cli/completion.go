package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/config"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func oneShell(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(cmd.CommandPath()+" needs the name of a shell", "Write one of "+strings.Join(shells, ", ")+".")
	}
	if slices.Contains(shells, args[0]) {
		return nil
	}
	fix := "Write one of " + strings.Join(shells, ", ") + "."
	if near := config.Nearest(args[0], shells); near != "" {
		fix = "Did you mean " + near + "?"
	}
	return usage("there is no completion for "+quoted(args[0]), fix)
}

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print the completion script of a shell",
		Long: `Print the completion script of a shell.

  bash        source <(grapnel completion bash)
  zsh         grapnel completion zsh > "${fpath[1]}/_grapnel"
  fish        grapnel completion fish > ~/.config/fish/completions/grapnel.fish
  powershell  grapnel completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args:      oneShell,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Out, true)
			case "zsh":
				return root.GenZshCompletion(a.Out)
			case "fish":
				return root.GenFishCompletion(a.Out, true)
			}
			return root.GenPowerShellCompletionWithDesc(a.Out)
		},
	}
}
