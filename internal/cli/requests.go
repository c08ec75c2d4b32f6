package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// requests is what the commands about requests share.
type requests struct {
	*remote
	source string
	choice requestChoice
}

// requestChoice chooses requests by flags.
type requestChoice struct {
	states []string
	reason string
	since  time.Duration
	limit  int
}

var requestStates = []string{
	string(apitype.RequestAccepted), string(apitype.RequestDuplicate), string(apitype.RequestDiffers),
	string(apitype.RequestRefused), string(apitype.RequestHandshake),
}

func (a *app) requestsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "requests",
		Short: "See what reached a source, with the verdicts",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	q := &requests{remote: a.remoteFlags(cmd)}
	a.outputFlag(cmd)
	q.sourceFlag(cmd)
	cmd.AddCommand(q.list(), q.show(), q.body(), q.verify(), q.note(), q.purge())
	return cmd
}

func (q *requests) sourceFlag(cmd *cobra.Command) {
	cmd.PersistentFlags().Var(text{&q.source, "ID|UID"}, "source", "which source (default: the only one, or the one that has REQUEST)")
}

func (q *requests) choiceFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(texts{&q.choice.states, "STATE", ","}, "state", "only "+strings.Join(requestStates, ", ")+"; can be repeated")
	f.Var(text{&q.choice.reason, "REASON"}, "reason", "only those with this reason, such as signature_mismatch")
	f.Var(span{to: &q.choice.since, least: time.Second}, "since", "only those of this last time, such as 6h")
	f.Lookup("since").DefValue = ""
}

// filter turns the flags into what the API asks for.
func (c *requestChoice) filter() (client.RequestFilter, error) {
	f := client.RequestFilter{Reason: c.reason}
	for _, s := range c.states {
		if !slices.Contains(requestStates, s) {
			return f, usage("--state "+quotedIfOdd(s)+" is no state of a request", "Write one of "+strings.Join(requestStates, ", ")+".")
		}
		f.States = append(f.States, apitype.RequestState(s))
	}
	if c.since > 0 {
		f.After = time.Now().Add(-c.since)
	}
	return f, nil
}

// begin opens the client and finds the source.
func (q *requests) begin(ctx context.Context) (*client.Client, string, error) {
	c, err := q.open()
	if err != nil {
		return nil, "", err
	}
	source, err := q.onlySource(ctx, c, q.source)
	return c, source, err
}

// beginAt opens the client and finds the source that has a request.
func (q *requests) beginAt(ctx context.Context, request string) (*client.Client, string, error) {
	c, err := q.open()
	if err != nil {
		return nil, "", err
	}
	source, err := sourceOf(ctx, c, q.source, request)
	return c, source.ID, err
}

// sourceOf gives the source that has a request: the one that is named, else it is
// looked for, for ids are the same in no two sources.
func sourceOf(ctx context.Context, c *client.Client, named, request string) (apitype.SourceOut, error) {
	if named != "" {
		return c.FindSource(ctx, named)
	}
	sources, err := allSources(ctx, c)
	if err != nil {
		return apitype.SourceOut{}, err
	}
	if len(sources) == 1 {
		return sources[0], nil
	}
	for i := range sources {
		_, err := c.FindRequest(ctx, sources[i].ID, request)
		var refused *client.Error
		if err == nil || !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
			return sources[i], err
		}
	}
	return apitype.SourceOut{}, &failure{exit: ExitNotFound, code: "not_found", what: "there is no request " + quotedIfOdd(request), fix: "`grapnel requests list --source NAME` shows what is kept."}
}

// choose gives the requests that the flags choose, newest first, at most limit; 0: all.
func (q *requests) choose(ctx context.Context, c *client.Client, source string) ([]apitype.RequestFacts, error) {
	filter, err := q.choice.filter()
	if err != nil {
		return nil, err
	}
	page := client.ListOptions{Limit: 250}
	if q.choice.limit > 0 {
		page.Limit = min(q.choice.limit, page.Limit)
	}
	rows := []apitype.RequestFacts{}
	list := func(ctx context.Context, o client.ListOptions) (apitype.List[apitype.RequestFacts], error) {
		return c.ListRequests(ctx, source, filter, o)
	}
	if !filter.After.IsZero() {
		// With a time alone the server begins at it; here the newest come first.
		filter.Before = time.Now().Add(time.Minute)
	}
	for r, err := range client.All(ctx, page, list) {
		if err != nil {
			return nil, err
		}
		if rows = append(rows, r); len(rows) == q.choice.limit {
			break
		}
	}
	return rows, nil
}

func (q *requests) list() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List requests, newest first", Args: noArgs,
		Example: `  grapnel requests list --source payments --state refused --since 6h
  grapnel requests list --filter 'source:hub body.ref:~main after:6h'`,
	}
	q.choiceFlags(cmd)
	var filter string
	cmd.Flags().Var(text{&filter, "QUERY"}, "filter", "only what this finds, in all sources unless it names one; in place of --state, --reason and --since")
	q.choice.limit = 50
	cmd.Flags().Var(number{&q.choice.limit}, "limit", "how many at most; 0 for all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, what := cmd.Context(), "requests cannot be listed"
		if filter != "" {
			return q.listFiltered(ctx, filter, what)
		}
		c, source, err := q.begin(ctx)
		if err != nil {
			return q.failed(ctx, what, err)
		}
		rows, err := q.choose(ctx, c, source)
		if err != nil {
			return q.failed(ctx, what, err)
		}
		return printList(q.app, rows, func(r *apitype.RequestFacts) string { return r.ID }, func() error { return q.table(rows) })
	}
	return cmd
}

// listFiltered lists the requests of all sources that a query finds.
func (q *requests) listFiltered(ctx context.Context, filter, what string) error {
	if len(q.choice.states) > 0 || q.choice.reason != "" || q.choice.since > 0 || q.source != "" {
		return usage("--filter goes without --source, --state, --reason and --since", "Write them into it, such as --filter 'source:hub state:refused reason:signature_mismatch after:6h'.")
	}
	c, err := q.open()
	if err != nil {
		return q.failed(ctx, what, err)
	}
	rows, err := searched(ctx, &searching{remote: q.remote, filter: filter, limit: q.choice.limit}, c,
		func(ctx context.Context, c *client.Client, s client.Search) (out apitype.List[apitype.RequestFacts], err error) {
			page, err := c.SearchRequests(ctx, s)
			out.Iterator, out.Done = page.Iterator, page.Done
			for i := range page.Data {
				out.Data = append(out.Data, page.Data[i].RequestFacts)
			}
			return out, err
		})
	if err != nil {
		return q.failed(ctx, what, err)
	}
	return printList(q.app, rows, func(r *apitype.RequestFacts) string { return r.ID }, func() error { return q.table(rows) })
}

// number is a whole number that is not negative.
type number struct{ to *int }

// String, Set and Type make it a pflag.Value.
func (n number) String() string { return strconv.Itoa(*n.to) }

// Set reads the number.
func (n number) Set(value string) error {
	v, err := strconv.Atoi(value)
	if err != nil || v < 0 {
		return &badValue{"is not a whole number", "Write a number such as 100."}
	}
	*n.to = v
	return nil
}

// Type is what help shows for the value.
func (n number) Type() string { return "N" }

func (q *requests) table(rows []apitype.RequestFacts) error {
	p := q.paintFor(q.color, q.OutTerminal)
	t := table{}
	t.add("  "+p.quiet("ID"), p.quiet("RECEIVED"), p.quiet("STATE"), p.quiet("REASON"), p.quiet("TYPE"), p.quiet("STATUS"), p.quiet("SIZE"))
	for i := range rows {
		r := &rows[i]
		kind := r.EventType
		if kind == "" {
			kind = "-"
		}
		t.add(requestMark(p, r.State)+" "+r.ID, q.time(r.ReceivedAt), string(r.State), printable(r.Reason), printable(kind), strconv.Itoa(r.Status), strconv.Itoa(r.BodySize)+" B")
	}
	return t.write(q.Out, "")
}

func requestMark(p paint, s apitype.RequestState) string {
	switch s {
	case apitype.RequestAccepted, apitype.RequestHandshake:
		return p.good()
	case apitype.RequestRefused:
		return p.bad()
	case apitype.RequestDuplicate, apitype.RequestDiffers:
	}
	return "○"
}

func (q *requests) show() *cobra.Command {
	return &cobra.Command{
		Use: "show REQUEST", Short: "Show a request with its verdict and headers", Args: oneArg("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return q.one(cmd.Context(), args[0], "cannot be shown", func(ctx context.Context, c *client.Client, source string) (apitype.RequestOut, error) {
				return c.FindRequest(ctx, source, args[0])
			})
		},
	}
}

// one does something with a request and shows it.
func (q *requests) one(ctx context.Context, id, what string, do func(context.Context, *client.Client, string) (apitype.RequestOut, error)) error {
	what = "the request " + quotedIfOdd(id) + " " + what
	c, source, err := q.beginAt(ctx, id)
	if err != nil {
		return q.failed(ctx, what, err)
	}
	out, err := do(ctx, c, source)
	if err != nil {
		return q.failed(ctx, what, err)
	}
	return q.print(out, func() error { return q.printRequest(&out) }, out.ID)
}

func (q *requests) printRequest(r *apitype.RequestOut) error {
	p := q.paintFor(q.color, q.OutTerminal)
	t := table{}
	t.add(requestMark(p, r.State)+" "+p.strong(r.ID), string(r.State), printable(r.Reason), "answered "+strconv.Itoa(r.Status), q.time(r.ReceivedAt))
	if err := t.write(q.Out, ""); err != nil {
		return err
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	if r.Detail != "" {
		line("%s", printable(r.Detail))
	}
	for _, f := range r.Findings {
		line("○ %s  %s", p.wait(printable(f.Code)), printable(f.Text))
	}
	if r.MessageID != nil {
		line("message %s", *r.MessageID)
	}
	if r.Note != "" {
		line("note: %s", printable(r.Note))
	}
	path := r.Path
	if r.Query != "" {
		path += "?" + r.Query
	}
	line("%s %s  from %s  %s", printable(r.Method), printable(orRoot(path)), printable(r.Remote), count(r.BodySize, "byte"))
	for _, h := range r.Headers {
		line("%s %s", p.quiet(printable(h[0])+":"), printable(h[1]))
	}
	_, err := q.Out.Write([]byte(b.String()))
	return err
}

func orRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func (q *requests) body() *cobra.Command {
	return &cobra.Command{
		Use: "body REQUEST", Short: "Print the body of a request, byte for byte", Args: oneArg("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, what := cmd.Context(), "the body of "+quotedIfOdd(args[0])+" cannot be had"
			c, source, err := q.beginAt(ctx, args[0])
			if err != nil {
				return q.failed(ctx, what, err)
			}
			body, err := c.RequestBody(ctx, source, args[0])
			if err != nil {
				return q.failed(ctx, what, err)
			}
			if q.OutTerminal {
				// A stranger's bytes could command the terminal.
				lines := strings.Split(string(body), "\n")
				for i, l := range lines {
					lines[i] = printable(strings.ReplaceAll(l, "\t", "    "))
				}
				body = []byte(strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n")
			}
			_, err = q.Out.Write(body)
			return err
		},
	}
}

func (q *requests) verify() *cobra.Command {
	var process bool
	cmd := &cobra.Command{
		Use: "verify REQUEST", Short: "Verify a request again with the secrets of today", Args: oneArg("REQUEST"),
		Long: `Verify a request again with the secrets of today. It ends with 8 if the request
is still not believed.`,
	}
	cmd.Flags().BoolVar(&process, "process", false, "make a refused request that now verifies a message, once")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var out apitype.RequestOut
		err := q.one(cmd.Context(), args[0], "cannot be verified", func(ctx context.Context, c *client.Client, source string) (r apitype.RequestOut, err error) {
			out, err = c.VerifyRequest(ctx, source, args[0], process)
			return out, err
		})
		if err == nil && !believed(&out.RequestFacts) {
			err = &failure{exit: ExitNo, code: "not_verified", what: out.ID + " does not verify", why: printable(out.Detail)}
		}
		return err
	}
	return cmd
}

// believed reports whether a request was verified, or did not have to be.
func believed(r *apitype.RequestFacts) bool { return r.Reason == "verified" || r.Reason == "unchecked" }

func (q *requests) note() *cobra.Command {
	return &cobra.Command{
		Use: "note REQUEST TEXT", Short: "Write a note at a request; an empty TEXT removes it", Args: twoArgs("REQUEST", "TEXT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return q.one(cmd.Context(), args[0], "cannot get a note", func(ctx context.Context, c *client.Client, source string) (apitype.RequestOut, error) {
				return c.AnnotateRequest(ctx, source, args[0], args[1])
			})
		},
	}
}

func (q *requests) purge() *cobra.Command {
	var older time.Duration
	var yes bool
	cmd := &cobra.Command{
		Use: "purge", Short: "Remove requests that became no message", Args: noArgs,
		Example: "  grapnel requests purge --source payments --older-than 7d",
	}
	cmd.Flags().Var(span{to: &older}, "older-than", "only those that arrived longer ago than this")
	cmd.Flags().Lookup("older-than").DefValue = ""
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, what := cmd.Context(), "requests cannot be removed"
		c, source, err := q.begin(ctx)
		if err != nil {
			return q.failed(ctx, what, err)
		}
		if err := q.confirm(yes, "Remove what reached "+source+" and became no message? It cannot be verified again then."); err != nil {
			return err
		}
		var before time.Time
		if older > 0 {
			before = time.Now().Add(-older)
		}
		all := apitype.RequestPurgeOut{}
		for !all.Done {
			out, err := c.PurgeRequests(ctx, source, before)
			if err != nil {
				return q.failed(ctx, what, err)
			}
			all.Removed, all.Done = all.Removed+out.Removed, out.Done
		}
		return q.print(all, func() error {
			_, err := fmt.Fprintf(q.Out, "%s removed\n", count(all.Removed, "request"))
			return err
		}, strconv.Itoa(all.Removed))
	}
	return cmd
}
