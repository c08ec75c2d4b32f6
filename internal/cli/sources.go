package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/config"
)

func (a *app) sourcesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sources",
		Short: "Manage the URLs that providers send to",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	r := a.remoteFlags(cmd)
	a.outputFlag(cmd)
	cmd.AddCommand(r.sourcesList(), r.sourcesCreate(), r.sourcesShow(), r.sourcesRotate(), r.sourcesSecret(), r.sourcesDelete(), r.sourcesTypes())
	return cmd
}

// printList writes rows in the form of -o; for people as a table.
func printList[T any](a *app, rows []T, name func(*T) string, people func() error) error {
	switch a.output {
	case formatJSON:
		return writeJSON(a.Out, rows, false)
	case formatYAML:
		return writeYAML(a.Out, rows)
	case formatJSONL, formatName:
		for i := range rows {
			if err := a.print(&rows[i], nil, name(&rows[i])); err != nil {
				return err
			}
		}
		return nil
	}
	return people()
}

func (r *remote) sourcesList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the sources of the environment",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			c, err := r.open()
			if err != nil {
				return err
			}
			sources, err := allSources(ctx, c)
			if err != nil {
				return r.failed(ctx, "sources cannot be listed", err)
			}
			return printList(r.app, sources, func(s *apitype.SourceOut) string { return s.ID }, func() error { return r.sourceTable(sources) })
		},
	}
}

func allSources(ctx context.Context, c *client.Client) ([]apitype.SourceOut, error) {
	sources := []apitype.SourceOut{}
	for s, err := range client.All(ctx, client.ListOptions{Limit: 250}, c.ListSources) {
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
}

func (r *remote) sourceTable(sources []apitype.SourceOut) error {
	p := r.paintFor(r.color, r.OutTerminal)
	t := table{}
	t.add(p.quiet("ID"), p.quiet("UID"), p.quiet("NAME"), p.quiet("TYPE"), p.quiet("STATE"), p.quiet("URL"))
	for i := range sources {
		s := &sources[i]
		t.add(s.ID, textOr(s.UID, "-"), printable(s.Name), s.Type, sourceState(s), textOr(s.IngestURL, "-"))
	}
	return t.write(r.Out, "")
}

func textOr(text *string, or string) string {
	if text == nil {
		return or
	}
	return printable(*text)
}

// sourceState says in a word whether a source takes what it gets.
func sourceState(s *apitype.SourceOut) string {
	if s.Disabled {
		return "disabled"
	}
	return "on"
}

// newSource is one run of sources create.
type newSource struct {
	name, uid, secretFile, options string
	secretStdin                    bool
}

func (r *remote) sourcesCreate() *cobra.Command {
	n := &newSource{}
	cmd := &cobra.Command{
		Use:   "create TYPE",
		Short: "Create a source and print its URL",
		Long: `Create a source and print its URL, which the provider is to send to.

TYPE is who sends, such as stripe; "grapnel sources types" lists all. The secret
comes from a file, from stdin or from GRAPNEL_SECRET, and can be given later.`,
		Example: `  grapnel sources create stripe --name payments --secret-file stripe.txt
  grapnel sources create github --name hub < secret.txt --secret-stdin
  grapnel sources create cron --options \
    '{"cron":{"schedule":"@hourly","payload":"{}"}}'`,
		Args: oneArg("TYPE"),
	}
	f := cmd.Flags()
	f.Var(text{&n.name, "NAME"}, "name", "name for people (default: TYPE)")
	f.Var(text{&n.uid, "UID"}, "uid", "your own id for it")
	f.Var(text{&n.secretFile, "FILE"}, "secret-file", "file that holds the provider's secret (GRAPNEL_SECRET)")
	f.BoolVar(&n.secretStdin, "secret-stdin", false, "read the provider's secret from stdin")
	f.Var(text{&n.options, "JSON|@FILE"}, "options", "more members of the source, as the API has them")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return r.createNewSource(cmd.Context(), n, args[0]) }
	return cmd
}

func (r *remote) createNewSource(ctx context.Context, n *newSource, kind string) error {
	what := "the source of type " + quotedIfOdd(kind) + " cannot be created"
	in, err := r.newSourceIn(n, kind)
	if err != nil {
		return r.failed(ctx, what, err)
	}
	c, err := r.open()
	if err != nil {
		return r.failed(ctx, what, err)
	}
	out, err := c.CreateSource(ctx, in)
	if err != nil {
		return r.failed(ctx, what, err)
	}
	help := ""
	if len(out.Secrets) == 0 && out.IngestURL != nil {
		help = secretHelp(ctx, c, out.Type)
	}
	return r.print(out, func() error {
		// The URL alone goes to stdout, so that it can be taken by a script.
		if out.IngestURL != nil {
			if _, err := fmt.Fprintln(r.Out, *out.IngestURL); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(r.Err, "Created %s (%s).\n", out.ID, printable(out.Name))
		if help != "" && err == nil {
			_, err = fmt.Fprintf(r.Err, "It has no secret yet: grapnel sources secret add %s --secret-file FILE\n%s\n", out.ID, printable(help))
		}
		return err
	}, out.ID)
}

// secretHelp says where the secret of a type is found; empty: the type needs none. It is
// advice, so a list that cannot be had says nothing.
func secretHelp(ctx context.Context, c *client.Client, kind string) string {
	page, err := c.ListSourceTypes(ctx)
	if err != nil {
		return ""
	}
	for _, t := range page.Data {
		if t.Name == kind && !t.SecretOptional {
			return t.SecretHelp
		}
	}
	return ""
}

func (r *remote) newSourceIn(n *newSource, kind string) (apitype.SourceIn, error) {
	var in apitype.SourceIn
	if n.options != "" {
		doc, err := jsonArgument("--options", n.options)
		if err != nil {
			return in, err
		}
		strict := json.NewDecoder(bytes.NewReader(doc))
		strict.DisallowUnknownFields() // a misspelt member would have no effect
		if err := strict.Decode(&in); err != nil {
			return in, usage("--options is not an object with members of a source: "+err.Error(), `Write it like --options '{"rate":10}'; /api/docs of the server describes the members.`)
		}
	}
	in.Type, in.Name = kind, strings.TrimSpace(n.name)
	if in.Name == "" {
		in.Name = kind
	}
	if n.uid != "" {
		in.UID = apitype.Some(n.uid)
	}
	secret, err := r.providerSecret(n.secretFile, n.secretStdin)
	if err == nil && secret != "" {
		in.Secrets = secretsIn(secret)
	}
	return in, err
}

// providerSecret reads the secret of a provider; empty: none is given.
func (r *remote) providerSecret(file string, stdin bool) (string, error) {
	if stdin && file != "" {
		return "", usage("--secret-stdin and --secret-file are both given", "Give one of them.")
	}
	if stdin {
		file = "-"
	}
	return r.findSecret("", file)
}

// jsonArgument reads JSON that is an argument, or in the file after an @.
func jsonArgument(flag, value string) (json.RawMessage, error) {
	doc := []byte(value)
	if value[0] == '@' {
		var err error
		if doc, err = os.ReadFile(value[1:]); err != nil {
			return nil, usage(flag+" cannot be read: "+err.Error(), "Give JSON or @FILE.")
		}
	}
	if why := syntaxOf(doc); why != "" {
		return nil, usage(flag+" is not JSON: "+why, "Put it in single quotes, or into a file: "+flag+" @FILE.")
	}
	return doc, nil
}

func (r *remote) sourcesShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a source", Args: oneArg("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, what := cmd.Context(), "the source "+quotedIfOdd(args[0])+" cannot be shown"
			c, err := r.open()
			if err != nil {
				return r.failed(ctx, what, err)
			}
			s, err := c.FindSource(ctx, args[0])
			if err != nil {
				return r.failed(ctx, what, err)
			}
			return r.print(s, func() error { return r.printSource(&s) }, s.ID)
		},
	}
}

func (r *remote) printSource(s *apitype.SourceOut) error {
	p := r.paintFor(r.color, r.OutTerminal)
	t := table{}
	row := func(name, value string) {
		if value != "" {
			t.add(p.quiet(name), value)
		}
	}
	row("id", p.strong(s.ID))
	row("uid", textOr(s.UID, ""))
	row("name", printable(s.Name))
	kind := s.Type
	if s.Provider != s.Type {
		kind += " (verified as " + s.Provider + ")"
	}
	row("type", kind)
	row("url", textOr(s.IngestURL, ""))
	row("state", sourceState(s))
	row("secrets", strconv.Itoa(len(s.Secrets)))
	if string(s.Verification) != "{}" {
		row("verification", printable(string(s.Verification)))
	}
	if s.Cron != nil {
		row("schedule", printable(strings.TrimSpace(s.Cron.Schedule+" "+s.Cron.TimeZone)))
	}
	if s.NextFire != nil {
		row("next event", r.time(*s.NextFire))
	}
	if s.Dedupe != nil {
		row("duplicates by", printable(strings.TrimSpace(s.Dedupe.By+" "+s.Dedupe.At)))
	}
	for i := range s.Responses {
		answer := "to all events"
		if kind := s.Responses[i].EventType; kind != "" {
			answer = "to " + printable(kind)
		}
		row("answer", strconv.Itoa(s.Responses[i].Status)+" "+answer)
	}
	for _, route := range s.Routes {
		row("route", "to "+route.App)
	}
	for _, at := range s.OldTokens {
		row("former url", "works until "+at.UTC().Format(time.RFC3339))
	}
	row("created", r.time(s.CreatedAt))
	return t.write(r.Out, "")
}

func (r *remote) sourcesRotate() *cobra.Command {
	return &cobra.Command{
		Use: "rotate-token ID", Short: "Give a source a new URL; the old one works for another 48 hours", Args: oneArg("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, what := cmd.Context(), "the URL of "+quotedIfOdd(args[0])+" cannot be replaced"
			c, err := r.open()
			if err != nil {
				return r.failed(ctx, what, err)
			}
			out, err := c.RotateSourceToken(ctx, args[0])
			if err != nil {
				return r.failed(ctx, what, err)
			}
			return r.print(out, func() error {
				if _, err := fmt.Fprintln(r.Out, out.IngestURL); err != nil {
					return err
				}
				_, err := fmt.Fprintln(r.Err, "The former URL works for another 48 hours.")
				return err
			}, out.IngestURL)
		},
	}
}

func (r *remote) sourcesDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{Use: "delete ID", Short: "Delete a source with its endpoints", Args: oneArg("ID")}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, what := cmd.Context(), "the source "+quotedIfOdd(args[0])+" cannot be deleted"
		c, err := r.open()
		if err != nil {
			return r.failed(ctx, what, err)
		}
		s, err := c.FindSource(ctx, args[0])
		if err != nil {
			return r.failed(ctx, what, err)
		}
		if err := r.confirm(yes, "Delete the source "+printable(s.Name)+"? Its URL will answer 404, and what waits for its endpoints is not sent."); err != nil {
			return err
		}
		if err := c.DeleteSource(ctx, s.ID); err != nil {
			return r.failed(ctx, what, err)
		}
		return r.print(map[string]string{"id": s.ID}, func() error {
			_, err := fmt.Fprintf(r.Out, "%s  deleted\n", s.ID)
			return err
		}, s.ID)
	}
	return cmd
}

func (r *remote) sourcesTypes() *cobra.Command {
	return &cobra.Command{
		Use: "types [TYPE]", Short: "List who can send; with TYPE, where its secret is found", Args: optionalArg("TYPE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, what := cmd.Context(), "source types cannot be listed"
			c, err := r.open()
			if err != nil {
				return r.failed(ctx, what, err)
			}
			page, err := c.ListSourceTypes(ctx)
			if err != nil {
				return r.failed(ctx, what, err)
			}
			if len(args) == 1 {
				return r.sourceType(page.Data, args[0])
			}
			return printList(r.app, page.Data, func(t *apitype.SourceTypeOut) string { return t.Name }, func() error {
				p := r.paintFor(r.color, r.OutTerminal)
				t := table{}
				t.add(p.quiet("TYPE"), p.quiet("TITLE"), p.quiet("SCHEME"))
				for _, kind := range page.Data {
					t.add(kind.Name, kind.Title, kind.Scheme)
				}
				return t.write(r.Out, "")
			})
		},
	}
}

// sourceType shows one type with where its secret is found.
func (r *remote) sourceType(types []apitype.SourceTypeOut, name string) error {
	names := make([]string, len(types))
	for i := range types {
		if names[i] = types[i].Name; names[i] != name {
			continue
		}
		kind := &types[i]
		return r.print(kind, func() error {
			p := r.paintFor(r.color, r.OutTerminal)
			t := table{}
			for _, row := range [][2]string{
				{"type", kind.Name}, {"title", kind.Title}, {"scheme", kind.Scheme}, {"headers", strings.Join(kind.Headers, ", ")},
				{"secret", kind.SecretHelp}, {"settings", strings.Join(kind.Settings, ", ")},
			} {
				if row[1] != "" {
					t.add(p.quiet(row[0]), printable(row[1]))
				}
			}
			return t.write(r.Out, "")
		}, kind.Name)
	}
	fix := "`grapnel sources types` lists them; generic-hmac is for a scheme that is not among them."
	if near := config.Nearest(name, names); near != "" {
		fix = "Did you mean " + near + "?"
	}
	return &failure{exit: ExitNotFound, code: "not_found", what: quotedIfOdd(name) + " is not a source type of this server", fix: fix}
}

// onlySource gives the source that is named, else the only one.
func (r *remote) onlySource(ctx context.Context, c *client.Client, named string) (string, error) {
	if named != "" {
		return named, nil
	}
	page, err := c.ListSources(ctx, client.ListOptions{Limit: 5})
	if err != nil {
		return "", err
	}
	switch len(page.Data) {
	case 0:
		return "", &failure{exit: ExitNotFound, code: "no_source", what: "there is no source", fix: "Make one: grapnel sources create TYPE."}
	case 1:
		return page.Data[0].ID, nil
	}
	names := make([]string, len(page.Data))
	for i, s := range page.Data {
		names[i] = textOr(s.UID, s.ID)
	}
	return "", usage("there are several sources", "Name one with --source, such as "+strings.Join(names, ", ")+".")
}
