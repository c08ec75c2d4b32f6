package cli

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/provider"
)

// schemeStandard is the short name of the scheme of Standard Webhooks.
const schemeStandard = "standard"

// scheme is by what rules a command signs or verifies, and with which secret.
type scheme struct {
	name         string
	secret, file string
	settings     []string
	known        bool // secret is what was found
}

// flags adds those of a scheme; the name has a flag of its own in each command.
func (s *scheme) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(text{&s.secret, "SECRET"}, "secret", "secret; better in GRAPNEL_SECRET or a file, which other users cannot see")
	f.Var(text{&s.file, "FILE"}, "secret-file", "file that holds the secret; - is stdin")
	f.Var(texts{&s.settings, "NAME=VALUE", ""}, "setting", "setting of the provider, such as toleranceSeconds=600; can be repeated")
}

// schemeNames are the names of --scheme.
func schemeNames() []string {
	all := provider.List()
	names := append(make([]string, 0, 1+len(all)), schemeStandard)
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}

// find gives the provider of a scheme.
func findScheme(flag, name string) (provider.Provider, error) {
	if name == schemeStandard {
		name = "standard-webhooks"
	}
	p, ok := provider.Find(name)
	if ok {
		return p, nil
	}
	fix := "`grapnel samples` lists the providers."
	if near := config.Nearest(name, schemeNames()); near != "" {
		fix = "Did you mean " + near + "?"
	}
	return p, usage(flag+quotedIfOdd(name)+" is not a provider", fix)
}

// verifier makes the verifier of a provider. Without a secret there is one only for
// providers that need none.
func (s *scheme) verifier(st *Streams, p *provider.Provider) (*provider.Verifier, error) {
	secret, err := s.secret, error(nil)
	if !s.known {
		secret, err = st.findSecret(s.secret, s.file)
	}
	if err != nil {
		return nil, err
	}
	settings, err := s.parseSettings(p)
	if err != nil {
		return nil, err
	}
	var secrets []provider.Secret
	if secret != "" {
		secrets = []provider.Secret{{Value: secret}}
	}
	v, err := provider.New(p.Name, settings, secrets...)
	if errors.Is(err, provider.ErrNoSecret) {
		return nil, usage(p.Title+" needs a secret", "Give --secret-file or set GRAPNEL_SECRET. "+p.SecretHelp)
	}
	if err != nil {
		return nil, usage(err.Error(), p.SecretHelp)
	}
	return v, nil
}

// parseSettings reads NAME=VALUE pairs as the JSON that a source's settings have.
func (s *scheme) parseSettings(p *provider.Provider) (provider.Settings, error) {
	var settings provider.Settings
	doc, err := setAll(json.RawMessage("{}"), s.settings)
	if err == nil {
		err = json.Unmarshal(doc, &settings)
	}
	if err != nil {
		fix := p.Title + " has no settings."
		if len(p.Uses) > 0 {
			fix = p.Title + " knows " + strings.Join(p.Uses, ", ") + "."
		}
		return settings, usage("--setting: "+err.Error(), fix)
	}
	return settings, nil
}

// input reads a value that is a text, @FILE or - for stdin.
func (s *Streams) input(what, given string) ([]byte, error) {
	var raw []byte
	var err error
	switch {
	case given == "-":
		raw, err = io.ReadAll(s.In)
	case strings.HasPrefix(given, "@"):
		raw, err = os.ReadFile(given[1:])
	default:
		return []byte(given), nil
	}
	if err != nil {
		return nil, usage(what+" cannot be read: "+err.Error(), "Give a text, @FILE, or - for stdin.")
	}
	return raw, nil
}

// signing is one run of grapnel sign.
type signing struct {
	scheme
	*app
	id, url, method, form string
	at                    string
	headers               []string
}

// The forms in which a signed request is shown.
var requestForms = []string{"headers", "curl", "http", "json"}

func (a *app) signCommand() *cobra.Command {
	s := &signing{app: a}
	cmd := &cobra.Command{
		Use:   "sign BODY|@FILE|-",
		Short: "Sign a body as a provider does",
		Long: `Sign a body as a provider does, and print the headers that prove it. Nothing is
sent and no server is asked.`,
		Example: `  grapnel sign '{"id":42}' --scheme stripe --secret-file secret
  grapnel sign @body.json --id msg_1 -o curl --url http://localhost:3000/hooks`,
		Args: oneArg("BODY|@FILE|-"),
	}
	f := cmd.Flags()
	s.name = schemeStandard
	f.Var(text{&s.name, "NAME"}, "scheme", "whose scheme: standard, stripe, github, …; `grapnel samples` lists them")
	s.flags(cmd)
	f.Var(text{&s.id, "ID"}, "id", "id of the event, where the scheme signs one (default: a new one)")
	f.Var(text{&s.at, "TIME"}, "time", "time of the signature, as RFC 3339 or Unix seconds (default: now)")
	f.Var(text{&s.url, "URL"}, "url", "address of the receiver, which some schemes sign")
	f.Var(newChoice(&s.method, http.MethodPost, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet), "method", "method of the request")
	f.VarP(texts{&s.headers, "'NAME: VALUE'", ""}, "header", "H", "header of the request; can be repeated")
	f.VarP(newChoice(&s.form, "headers", requestForms...), "output", "o", "form of the output")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if s.form == "json" {
			a.output = formatJSON
		}
		return s.run(args[0])
	}
	return cmd
}

func (s *signing) run(given string) error {
	p, err := findScheme("--scheme ", s.name)
	if err != nil {
		return err
	}
	if given == "-" && s.file == "-" {
		return usage("stdin cannot hold both the body and the secret", "Give one of them as a file.")
	}
	body, err := s.input("the body", given)
	if err != nil {
		return err
	}
	now, err := parseMoment("--time", s.at)
	if err != nil {
		return err
	}
	v, err := s.verifier(&s.Streams, &p)
	if err != nil {
		return err
	}
	headers, err := parseHeaders(s.headers)
	if err != nil {
		return err
	}
	r := provider.Request{Method: s.method, URL: s.url, Header: headers, Body: body}
	if s.id == "" {
		s.id = newEventID()
	}
	if err := v.Sign(&r, s.id, now); err != nil {
		return usage("this cannot be signed as "+p.Title+" does: "+err.Error(), p.SecretHelp)
	}
	return s.show(&r)
}

// newEventID makes an id for an event that has none.
func newEventID() string { return "msg_" + rand.Text() }

func (s *signing) show(r *provider.Request) error {
	switch s.form {
	case "headers":
		for _, h := range sortedHeaders(r.Header) {
			if _, err := fmt.Fprintf(s.Out, "%s: %s\n", h[0], h[1]); err != nil {
				return err
			}
		}
		return nil
	case "json":
		return writeJSON(s.Out, struct {
			Method  string      `json:"method"`
			URL     string      `json:"url,omitempty"`
			Headers [][2]string `json:"headers"`
			Body    []byte      `json:"body"`
		}{r.Method, r.URL, sortedHeaders(r.Header), r.Body}, false)
	}
	target := r.URL
	if target == "" {
		target = "http://localhost:3000/"
	}
	return writeRequest(s.Out, s.form, target, r)
}

// writeRequest writes a request as a command for curl or as a file for editors.
func writeRequest(w io.Writer, form, target string, r *provider.Request) error {
	a := arrivalOf(r)
	if form == "http" {
		_, err := w.Write(httpFile(a, target))
		return err
	}
	_, err := io.WriteString(w, curlOf(a, target, ""))
	return err
}

// arrivalOf is a request as the writers of requests take it.
func arrivalOf(r *provider.Request) *arrival {
	a := &arrival{}
	a.Method, a.Body, a.Headers = r.Method, r.Body, sortedHeaders(r.Header)
	return a
}

// sortedHeaders gives headers by name, each value in a line of its own.
func sortedHeaders(h http.Header) [][2]string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	lines := [][2]string{}
	for _, name := range names {
		for _, value := range h[name] {
			lines = append(lines, [2]string{name, value})
		}
	}
	return lines
}

// parseHeaders reads "Name: value" texts.
func parseHeaders(given []string) (http.Header, error) {
	h := make(http.Header)
	for _, line := range given {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
			return nil, usage("-H "+quotedIfOdd(line)+" is not a header", "Write -H 'Name: value'.")
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h, nil
}

// parseMoment reads a time; empty: now.
func parseMoment(flag, given string) (time.Time, error) {
	if given == "" {
		return time.Now(), nil
	}
	if t, err := time.Parse(time.RFC3339, given); err == nil {
		return t, nil
	}
	var seconds int64
	if n, err := fmt.Sscanf(given, "%d", &seconds); err == nil && n == 1 && fmt.Sprint(seconds) == given {
		return time.Unix(seconds, 0), nil
	}
	return time.Time{}, usage(flag+" "+quotedIfOdd(given)+" is not a time", "Write it as 2026-01-15T09:30:00Z or in Unix seconds.")
}
