package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

func (a *app) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List, create and expire API keys",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	r := a.remoteFlags(cmd)
	a.outputFlag(cmd)
	cmd.AddCommand(r.keysList(), r.keysCreate(), r.keysExpire())
	return cmd
}

func (r *remote) keysList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the API keys of the environment",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			keys, err := r.allKeys(ctx)
			if err != nil {
				return r.failed(ctx, "keys cannot be listed", err)
			}
			return r.printKeys(keys)
		},
	}
}

func (r *remote) allKeys(ctx context.Context) ([]apitype.APITokenCensoredOut, error) {
	c, env, err := r.openEnvironment(ctx)
	if err != nil {
		return nil, err
	}
	keys := []apitype.APITokenCensoredOut{}
	list := func(ctx context.Context, o client.ListOptions) (apitype.List[apitype.APITokenCensoredOut], error) {
		return c.ListKeys(ctx, env, o)
	}
	for key, err := range client.All(ctx, client.ListOptions{Limit: 250}, list) {
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (r *remote) openEnvironment(ctx context.Context) (*client.Client, string, error) {
	c, err := r.open()
	if err != nil {
		return nil, "", err
	}
	env, err := r.environment(ctx, c)
	return c, env, err
}

func (r *remote) printKeys(keys []apitype.APITokenCensoredOut) error {
	switch r.output {
	case formatJSON:
		return writeJSON(r.Out, keys, false)
	case formatYAML:
		return writeYAML(r.Out, keys)
	case formatJSONL, formatName:
		for _, k := range keys {
			if err := r.print(k, nil, k.ID); err != nil {
				return err
			}
		}
		return nil
	}
	t := table{}
	p := r.paintFor(r.color, r.OutTerminal)
	t.add(p.quiet("ID"), p.quiet("KEY"), p.quiet("NAME"), p.quiet("SCOPES"), p.quiet("CREATED"), p.quiet("ENDS"))
	for _, k := range keys {
		name, scopes, ends := "", "all", "never"
		if k.Name != nil {
			name = *k.Name
		}
		if len(k.Scopes) > 0 {
			scopes = strings.Join(k.Scopes, ",")
		}
		if k.ExpiresAt != nil {
			ends = r.time(*k.ExpiresAt)
		}
		t.add(k.ID, k.CensoredToken, printable(name), scopes, r.time(k.CreatedAt), ends)
	}
	return t.write(r.Out, "")
}

// time writes a time for a person at a terminal, or exactly.
func (s *Streams) time(t time.Time) string {
	if s.OutTerminal {
		return relative(time.Until(t))
	}
	return t.UTC().Format(time.RFC3339)
}

// relative says how far away a time is: "now", "5 min ago", "in 3 h".
func relative(d time.Duration) string {
	far := d.Abs().Round(time.Second)
	var text string
	switch {
	case far < time.Second:
		return "now"
	case far < time.Minute:
		text = fmt.Sprintf("%d s", far/time.Second)
	case far < time.Hour:
		text = fmt.Sprintf("%d min", far/time.Minute)
	case far < 48*time.Hour:
		text = fmt.Sprintf("%d h", far/time.Hour)
	default:
		text = fmt.Sprintf("%d days", far/(24*time.Hour))
	}
	if d < 0 {
		return text + " ago"
	}
	return "in " + text
}

// printable makes foreign text harmless for a terminal.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return '\uFFFD'
		}
		return c
	}, text)
}

func (r *remote) keysCreate() *cobra.Command {
	var scopes []string
	cmd := &cobra.Command{
		Use:     "create NAME",
		Short:   "Create an API key; it is shown this once",
		Example: "  grapnel keys create billing --scope publish",
		Args:    oneArg("NAME"),
	}
	cmd.Flags().Var(texts{&scopes, "read|publish|manage", ","}, "scope", "what the key may do; can be repeated (default: everything)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		const what = "the key cannot be created"
		ctx := cmd.Context()
		c, env, err := r.openEnvironment(ctx)
		if err != nil {
			return r.failed(ctx, what, err)
		}
		in := apitype.APITokenIn{Name: args[0]}
		if len(scopes) > 0 {
			in.Scopes = apitype.Some(scopes)
		}
		out, err := c.CreateKey(ctx, env, in)
		if err != nil {
			return r.failed(ctx, what, err)
		}
		return r.print(out, func() error {
			// The key alone goes to stdout, so that it can be taken by a script.
			if _, err := fmt.Fprintln(r.Out, out.Token); err != nil {
				return err
			}
			_, err := fmt.Fprintf(r.Err, "Created %s (%s). Keep the key: it is not shown again.\nEnd it with: grapnel keys expire %s\n", out.ID, printable(in.Name), out.ID)
			return err
		}, out.ID)
	}
	return cmd
}

func (r *remote) keysExpire() *cobra.Command {
	var wait time.Duration
	var yes bool
	cmd := &cobra.Command{
		Use:     "expire ID",
		Short:   "End an API key, now or after a time",
		Example: "  grapnel keys expire key_2vgdKCdXyOEN1WcHxkYAbO6wTzm --after 1h",
		Args:    oneArg("ID"),
	}
	cmd.Flags().Var(span{to: &wait, most: 72 * time.Hour}, "after", "when, from now: at most 3d")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		const what = "the key cannot be ended"
		ctx := cmd.Context()
		c, env, err := r.openEnvironment(ctx)
		if err != nil {
			return r.failed(ctx, what, err)
		}
		if err := r.confirm(yes, "End the key "+args[0]+"? Programs that use it will be refused."); err != nil {
			return err
		}
		if err := c.ExpireKey(ctx, env, args[0], wait); err != nil {
			return r.failed(ctx, what, err)
		}
		out := struct {
			ID        string    `json:"id"`
			ExpiresAt time.Time `json:"expiresAt"`
		}{args[0], time.Now().Add(wait).UTC().Truncate(time.Second)}
		return r.print(out, func() error {
			_, err := fmt.Fprintf(r.Out, "%s  ends %s\n", out.ID, r.time(out.ExpiresAt))
			return err
		}, out.ID)
	}
	return cmd
}

// confirm asks before something is destroyed. Without a terminal only the flag
// can answer.
func (s *Streams) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !s.InTerminal || !s.ErrTerminal {
		return usage("there is no terminal to ask at: "+question, "Give --yes to say so beforehand.")
	}
	fmt.Fprint(s.Err, question+" [y/N] ")
	line, err := bufio.NewReader(s.In).ReadString('\n')
	if err == nil && (strings.EqualFold(strings.TrimSpace(line), "y") || strings.EqualFold(strings.TrimSpace(line), "yes")) {
		return nil
	}
	return &failure{exit: ExitError, code: "not_confirmed", what: "nothing was done", why: "The answer was no."}
}
