package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/provider"
	"github.com/grapnelhq/grapnel/webhook"
)

// listening is one run of grapnel listen.
type listening struct {
	*remote
	targets                               []string
	sources, maps, events, headers        []string
	all, create                           bool
	application                           string
	hostHeader, order, ui                 string
	insecure, missed, once                bool
	printURL, printSecret                 bool
	connect, since                        time.Duration
	concurrency, count                    int
	save, command, readyFile, secretValue string
	secretFile                            string

	session *session
	link    *link
	file    *stateFile
	secret  string // that an application's events are signed with, or a source's requests again; empty: none
}

func (a *app) listenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "listen [PORT|PORT/PATH|URL]...",
		Short: "Forward what arrives to this machine",
		Long: `Forward what arrives at a server's sources, or what an application would get, to
this machine: the bytes of the body, the method, the rest of the path, the query
and the headers as they came. It is shown as it comes; at a terminal on a screen
with replay, edit and diff. When the connection is lost it goes on where it was.`,
		Example: `  grapnel listen 3000/webhooks/stripe --source stripe
  grapnel listen --map stripe=3000/stripe --map github=4000
  grapnel listen 3000/hooks --app acme --events 'invoice.*'
  grapnel listen --all-sources --exec './handle {}' --replay-missed`,
	}
	l := &listening{remote: a.remoteFlags(cmd)}
	l.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		l.targets = args
		ctx := cmd.Context()
		if err := l.run(ctx, cmd); err != nil {
			return l.failed(ctx, "grapnel listen cannot go on", err)
		}
		return nil
	}
	return cmd
}

func (l *listening) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(texts{&l.sources, "NAME", ","}, "source", "source to listen to, by uid, id, name or type; can be repeated")
	f.BoolVar(&l.all, "all-sources", false, "listen to every source, those made later too (default without --source and --app)")
	f.Var(text{&l.application, "ID|UID"}, "app", "listen to the events of an application, signed for this machine")
	f.BoolVar(&l.create, "create", false, "make a source that does not exist, of the type that --source names")
	f.Var(texts{&l.maps, "SOURCE=TARGET", ""}, "map", "where requests of one source go; can be repeated")
	f.Var(texts{&l.events, "PATTERN", ","}, "events", "forward these event types only, such as 'invoice.*'; can be repeated")
	f.VarP(texts{&l.headers, "'NAME: VALUE'", ""}, "header", "H", "header to add or replace; can be repeated")
	f.Var(newChoice(&l.hostHeader, "target", "keep", "target"), "host-header", "Host header of the target, or of the ingest URL")
	f.BoolVar(&l.insecure, "insecure", false, "do not check the target's certificate")
	l.connect = 5 * time.Second
	f.Var(span{to: &l.connect, least: time.Millisecond}, "connect-timeout", "longest time to connect to a target")
	f.Var(newChoice(&l.order, "arrival", "arrival", "parallel"), "order", "one after another, or several at once")
	f.IntVar(&l.concurrency, "concurrency", 8, "how many at once, with --order parallel")
	f.Var(span{to: &l.since, least: time.Second}, "since", "begin with what came in this time")
	f.BoolVar(&l.missed, "replay-missed", false, "begin with what came since the last run")
	f.Var(text{&l.save, "DIR"}, "save", "save each request: .http, .sh and the body")
	f.Var(text{&l.command, "'CMD {}'"}, "exec", "run a command for each request, with its body at stdin and in the file {}")
	f.Var(text{&l.secretValue, "SECRET"}, "secret", "secret to sign with after an edit; of a new source; better in GRAPNEL_SECRET or a file")
	f.Var(text{&l.secretFile, "FILE"}, "secret-file", "file that holds the secret; - is stdin")
	f.BoolVar(&l.printURL, "print-url", false, "print the ingest URLs and end")
	f.BoolVar(&l.printSecret, "print-secret", false, "print the secret that --app signs with, and end")
	f.Var(text{&l.readyFile, "FILE"}, "ready-file", "file to write the ingest URLs to once connected")
	f.BoolVar(&l.once, "once", false, "end after the first request, with 8 if it failed")
	f.IntVar(&l.count, "count", 0, "end after this many requests, with 8 if one failed")
	f.Var(newChoice(&l.ui, uiAuto, uiAuto, uiFull, uiLines, uiJSON, uiQuiet), "ui", "how it is shown: full is a screen, the default at a terminal")
	withoutDefault(f, "since", "count")
}

// check finds what is wrong with the flags before anything happens.
func (l *listening) check(cmd *cobra.Command) error {
	given := func(name string) bool { return cmd.Flags().Changed(name) }
	switch {
	case l.application != "" && (l.all || len(l.sources) > 0 || len(l.maps) > 0 || l.create):
		return usage("--app cannot stand beside flags of sources", "Listen to sources in one terminal and to the application in another.")
	case l.all && len(l.sources) > 0:
		return usage("--source and --all-sources are both given", "Give one of them.")
	case l.missed && l.since > 0:
		return usage("--since and --replay-missed are both given", "Give one of them.")
	case l.once && given("count"):
		return usage("--once and --count are both given", "Give one of them.")
	case given("count") && l.count < 1:
		return usage(fmt.Sprintf("--count %d is less than 1", l.count), "Write how many requests to wait for.")
	case l.concurrency < 1 || l.concurrency > 64:
		return usage(fmt.Sprintf("--concurrency %d is not from 1 to 64", l.concurrency), "Write a number in between.")
	case given("concurrency") && l.order != "parallel":
		return usage("--concurrency needs --order parallel", "In the order of arrival there is one at a time.")
	case l.command != "" && (len(l.targets) > 0 || len(l.maps) > 0):
		return usage("--exec takes the place of targets, but there are both", "Give one of them.")
	case l.printSecret && l.application == "":
		return usage("--print-secret is for --app, whose events are signed on their way here", "Requests of a source keep the signature of their sender, whose secret is shown where the sender is set up.")
	case l.create && len(l.sources) == 0:
		return usage("--create needs --source", "Name the type of the source, such as --source stripe.")
	case l.ui == uiFull && (!l.OutTerminal || !l.InTerminal):
		return usage("--ui full needs a terminal", "Use --ui lines or --ui json.")
	}
	if l.once {
		l.count = 1
	}
	for _, p := range l.events {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return usage("--events "+quotedIfOdd(p)+" is not a pattern", "Write a type, or one with * for any letters, such as 'invoice.*'.")
		}
	}
	return nil
}

func (l *listening) run(ctx context.Context, cmd *cobra.Command) error {
	if err := l.check(cmd); err != nil {
		return err
	}
	if err := l.prepare(); err != nil {
		return err
	}
	if l.printSecret {
		_, err := fmt.Fprintln(l.Out, l.secret)
		return err
	}
	err := l.listen(ctx)
	for err != nil {
		made, why := l.makeMissing(ctx, err)
		if why != nil {
			return why
		}
		if !made {
			return err
		}
		err = l.listen(ctx)
	}
	return nil
}

// prepare makes the parts that need no connection.
func (l *listening) prepare() error {
	s := newSession()
	s.patterns, s.most, s.byName, s.workers = l.events, l.count, make(map[string]string), 1
	if l.order == "parallel" {
		s.workers = l.concurrency
	}
	for _, given := range l.targets {
		target, err := parseTarget(given)
		if err != nil {
			return err
		}
		s.targets = append(s.targets, target)
	}
	for _, given := range l.maps {
		name, target, ok := strings.Cut(given, "=")
		if !ok || name == "" {
			return usage("--map "+quotedIfOdd(given)+" is not SOURCE=TARGET", "Write --map stripe=3000/webhooks.")
		}
		var err error
		if s.byName[name], err = parseTarget(target); err != nil {
			return err
		}
		if len(l.sources) > 0 && !slices.Contains(l.sources, name) {
			return usage("--map names the source "+quotedIfOdd(name)+", but --source does not", "Name it in both, or leave --source out.")
		}
	}
	if len(l.maps) > 0 && len(l.sources) == 0 && len(l.targets) == 0 && !l.all {
		for name := range s.byName {
			l.sources = append(l.sources, name)
		}
		slices.Sort(l.sources)
	}
	s.forward = newForwarder(l.connect, l.insecure)
	s.forward.keep, s.forward.command, s.forward.environ = l.hostHeader == "keep", l.command, l.Env
	for _, given := range l.headers {
		name, value, ok := strings.Cut(given, ":")
		if !ok || !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
			return usage("-H "+quotedIfOdd(given)+" is not a header", "Write -H 'Name: value'.")
		}
		s.forward.headers = append(s.forward.headers, [2]string{name, strings.TrimSpace(value)})
	}
	if l.save != "" {
		s.save = saver(l.save)
	}
	l.session = s
	return l.connectTo()
}

// connectTo finds the server, the place to begin at and the secret.
func (l *listening) connectTo() error {
	if err := l.resolve(); err != nil {
		return err
	}
	key, err := l.findKey()
	if err != nil {
		return err
	}
	q := url.Values{}
	owners := slices.Clone(l.sources)
	switch {
	case l.application != "":
		q.Set("app", l.application)
		owners = []string{"app:" + l.application}
	case len(l.sources) > 0:
		q["source"] = l.sources
	default:
		q.Set("all_sources", "true")
	}
	if l.since > 0 {
		q.Set("since", l.since.String())
	}
	if l.file, err = l.openState(l.server, l.profileName, owners); err != nil {
		return err
	}
	if l.secret, err = l.findSecret(l.secretValue, l.secretFile); err != nil {
		return err
	}
	if err := l.signer(); err != nil {
		return err
	}
	l.session.keep = l.file.keep
	l.link = &link{server: l.server, key: key, query: q, acks: l.session.acks, hello: l.session.greet, frame: l.session.take}
	if l.missed {
		l.link.cursor = l.file.state.Cursor
		if l.link.cursor == "" {
			fmt.Fprintln(l.Err, "  There was no earlier run here, so nothing was missed.")
		}
	}
	return nil
}

// signer makes events of an application webhooks: they are signed as an endpoint's
// deliveries are, with a secret of this machine.
func (l *listening) signer() error {
	if l.application == "" {
		return nil
	}
	if l.secret == "" {
		var err error
		if l.secret, err = l.file.secret(); err != nil {
			return err
		}
	}
	key, err := webhook.ParseLooseKey(l.secret)
	if err == nil {
		l.session.forward.signer, err = webhook.NewSigner(key)
	}
	if err != nil {
		return usage("the secret cannot be signed with: "+err.Error(), "Leave it out: a new one is made, which --print-secret prints.")
	}
	return nil
}

// makeMissing creates a source that the server did not find, if the user wants that.
func (l *listening) makeMissing(ctx context.Context, err error) (made bool, why error) {
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		return false, nil
	}
	i := slices.IndexFunc(l.sources, func(name string) bool { return refused.Detail == "There is no source "+name+"." })
	if i < 0 {
		return false, nil
	}
	name := l.sources[i]
	refused.Hint = "Make it with --create, if " + name + " is the name of a provider; `grapnel samples` lists those."
	if _, known := provider.Find(name); !known {
		return false, nil
	}
	if !l.create {
		if !l.InTerminal || !l.ErrTerminal {
			return false, nil
		}
		if err := l.confirm(false, "There is no source "+name+". Make one?"); err != nil {
			return false, err
		}
	}
	server, err := l.clientWith(l.link.key)
	if err != nil {
		return false, err
	}
	_, err = server.CreateSource(ctx, apitype.SourceIn{Name: name, UID: apitype.Some(name), Type: name, Secrets: secretsIn(l.secret)})
	return err == nil, err
}

// listen connects and passes on until it is told to end.
func (l *listening) listen(ctx context.Context) error {
	if l.ui == uiAuto {
		l.ui = uiLines
		if l.OutTerminal && l.InTerminal && l.count == 0 && !l.printURL && l.getenv("TERM") != "dumb" {
			l.ui = uiFull
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l.session.done = stop
	if l.ui == uiFull {
		return l.screen(ctx)
	}
	v := &printer{
		Streams: &l.Streams, ui: l.ui, p: l.paintFor(l.color, l.OutTerminal), pe: l.paintFor(l.color, l.ErrTerminal),
		together: l.session.workers > 1, banner: l.banner, ready: func(h *apitype.ListenHello) { l.ready(h, stop) },
	}
	if l.printURL {
		v.ui, v.banner = uiQuiet, nil
	}
	l.session.view, l.link.state = v, v.state
	if l.printURL { // it is there in a moment or fails
		l.link.state = func(linkState) {}
	}
	err := l.drive(ctx)
	v.summary()
	if err != nil || l.printURL {
		return err
	}
	return l.verdict()
}

// drive runs the link and the workers until one of them ends the run.
func (l *listening) drive(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	working := make(chan struct{})
	go func() {
		defer close(working)
		l.session.work(ctx)
	}()
	err := l.link.run(ctx)
	stop()
	<-working
	return errors.Join(err, l.file.close(), l.session.problem)
}

// verdict is no if one of the awaited requests was not taken.
func (l *listening) verdict() error {
	if l.count == 0 || l.session.failures == 0 {
		return nil
	}
	return &failure{
		exit: ExitNo, code: "not_delivered", what: "not everything was taken", why: fmt.Sprintf("%d of %s failed.", l.session.failures, count(l.session.finished, "request")),
		fix: "Look at the answers above.",
	}
}

// ready does what waits for the connection.
func (l *listening) ready(h *apitype.ListenHello, stop func()) {
	var urls strings.Builder
	for _, s := range h.Sources {
		urls.WriteString(s.IngestURL + "\n")
	}
	if l.readyFile != "" {
		l.session.note(writePrivate(l.readyFile, []byte(urls.String())))
	}
	if l.printURL {
		fmt.Fprint(l.Out, urls.String())
		stop()
	}
}

// banner says what is listened to and where it goes.
func (l *listening) banner(h *apitype.ListenHello) {
	p := l.paintFor(l.color, l.ErrTerminal)
	for _, s := range h.Sources {
		fmt.Fprintf(l.Err, "  %s  %s\n", p.strong(printable(nameOfSource(s, s.ID))), s.IngestURL)
		l.bannerTargets(&arrival{ListenEvent: apitype.ListenEvent{Source: s.ID}})
	}
	for _, a := range h.Apps {
		fmt.Fprintf(l.Err, "  %s  events of the application %s\n", p.strong(printable(a.Name)), a.ID)
		l.bannerTargets(&arrival{})
		if l.ErrTerminal {
			fmt.Fprintf(l.Err, "  Secret for your program  %s\n", l.secret)
		}
	}
	if len(h.Sources)+len(h.Apps) == 0 {
		fmt.Fprintln(l.Err, "  There is no source yet. `grapnel listen --source stripe --create` makes one; one that is made elsewhere is listened to as well.")
	}
	if l.since > 0 || l.link.cursor != "" && l.missed {
		return
	}
	fmt.Fprintln(l.Err, "  Waiting for the first request.")
}

func (l *listening) bannerTargets(a *arrival) {
	targets := l.session.targetsOf(a)
	if l.command != "" {
		targets = []string{"exec " + l.command}
	}
	if len(targets) == 0 {
		targets = []string{"shown only: name a port to forward to"}
	}
	for _, target := range targets {
		fmt.Fprintln(l.Err, "  └→ "+target)
	}
}
