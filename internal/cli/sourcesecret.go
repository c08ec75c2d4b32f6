package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
)

// maxKeepOld is the longest that a server lets an old secret verify.
const maxKeepOld = 30 * 24 * time.Hour

func (r *remote) sourcesSecret() *cobra.Command {
	cmd := &cobra.Command{
		Use: "secret", Short: "Add, list and remove the secrets that a provider signs with", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(r.secretAdd(), r.secretList(), r.secretRemove())
	return cmd
}

func (r *remote) secretAdd() *cobra.Command {
	var file string
	var stdin bool
	keep := 24 * time.Hour
	cmd := &cobra.Command{
		Use: "add ID", Short: "Add a secret, which takes the place of the current one",
		Example: "  grapnel sources secret add payments --secret-file new.txt --keep-old 1h",
		Args:    oneArg("ID"),
	}
	cmd.Flags().Var(text{&file, "FILE"}, "secret-file", "file that holds the secret (GRAPNEL_SECRET)")
	cmd.Flags().BoolVar(&stdin, "secret-stdin", false, "read the secret from stdin")
	cmd.Flags().Var(span{to: &keep, most: maxKeepOld}, "keep-old", "how long the ones before still verify: 0s to 30d")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, what := cmd.Context(), "the secret cannot be added"
		secret, err := r.providerSecret(file, stdin)
		if err == nil && secret == "" {
			err = usage("there is no secret to add", "Give --secret-file FILE, --secret-stdin or GRAPNEL_SECRET.")
		}
		if err != nil {
			return r.failed(ctx, what, err)
		}
		c, err := r.open()
		if err != nil {
			return r.failed(ctx, what, err)
		}
		in := apitype.SourceSecretRotateIn{Value: secret, GracePeriodSeconds: apitype.Some(uint32(keep / time.Second))}
		if err := c.RotateSourceSecret(ctx, args[0], in); err != nil {
			return r.failed(ctx, what, err)
		}
		s, err := c.FindSource(ctx, args[0])
		if err != nil {
			return r.failed(ctx, what, err)
		}
		return r.print(s, func() error {
			_, err := fmt.Fprintf(r.Out, "%s  has %s\n", s.ID, count(len(s.Secrets), "secret"))
			return err
		}, s.ID)
	}
	return cmd
}

// shownSecret is a secret without its text, by its place in the list.
type shownSecret struct {
	Number    int        `json:"number"`
	Begins    string     `json:"begins"`
	ExpiresAt *time.Time `json:"expiresAt"`
}

func (r *remote) secretList() *cobra.Command {
	return &cobra.Command{
		Use: "list ID", Short: "List the secrets by their first characters", Args: oneArg("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, what := cmd.Context(), "the secrets cannot be listed"
			c, err := r.open()
			if err != nil {
				return r.failed(ctx, what, err)
			}
			out, err := c.SourceSecrets(ctx, args[0])
			if err != nil {
				return r.failed(ctx, what, err)
			}
			rows := []shownSecret{}
			for i, s := range out.Secrets {
				rows = append(rows, shownSecret{Number: i + 1, Begins: beginning(s.Value), ExpiresAt: s.ExpiresAt})
			}
			return printList(r.app, rows, func(s *shownSecret) string { return strconv.Itoa(s.Number) }, func() error {
				p := r.paintFor(r.color, r.OutTerminal)
				t := table{}
				t.add(p.quiet("NUMBER"), p.quiet("SECRET"), p.quiet("ENDS"))
				for _, s := range rows {
					ends := "never"
					if s.ExpiresAt != nil {
						ends = r.time(*s.ExpiresAt)
					}
					t.add(strconv.Itoa(s.Number), s.Begins, ends)
				}
				return t.write(r.Out, "")
			})
		},
	}
}

// beginning shows as much of a secret as tells it from others: at most a quarter.
func beginning(secret string) string {
	runes := []rune(secret)
	return printable(string(runes[:min(10, len(runes)/4)])) + "…"
}

func (r *remote) secretRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "remove ID NUMBER", Short: "Remove a secret by its number in the list",
		Example: "  grapnel sources secret remove payments 2 --yes",
		Args:    twoArgs("ID", "NUMBER"),
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, what := cmd.Context(), "the secret cannot be removed"
		c, err := r.open()
		if err != nil {
			return r.failed(ctx, what, err)
		}
		out, err := c.SourceSecrets(ctx, args[0])
		if err != nil {
			return r.failed(ctx, what, err)
		}
		number, err := strconv.Atoi(args[1])
		if err != nil || number < 1 || number > len(out.Secrets) {
			return usage("there is no secret "+quotedIfOdd(args[1]), "`grapnel sources secret list "+args[0]+"` lists them with their numbers.")
		}
		if err := r.confirm(yes, "Remove the secret "+beginning(out.Secrets[number-1].Value)+"? What is signed with it will be refused."); err != nil {
			return err
		}
		left := []apitype.SourceSecretIn{}
		for i, s := range out.Secrets {
			if i == number-1 || s.ExpiresAt != nil && !time.Now().Before(*s.ExpiresAt) {
				continue
			}
			left = append(left, apitype.SourceSecretIn{Value: s.Value, ExpiresAt: apitype.FromPointer(s.ExpiresAt)})
		}
		s, err := c.PatchSource(ctx, args[0], apitype.SourcePatch{Secrets: apitype.Some(left)})
		if err != nil {
			return r.failed(ctx, what, err)
		}
		return r.print(s, func() error {
			_, err := fmt.Fprintf(r.Out, "%s  has %s\n", s.ID, count(len(s.Secrets), "secret"))
			return err
		}, s.ID)
	}
	return cmd
}

// twoArgs asks for exactly two arguments; the names are what they stand for.
func twoArgs(first, second string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 2 {
			return nil
		}
		return usage(cmd.CommandPath()+" needs "+first+" and "+second, "Write `"+cmd.CommandPath()+" "+first+" "+second+"`; `"+cmd.CommandPath()+" --help` shows more.")
	}
}
