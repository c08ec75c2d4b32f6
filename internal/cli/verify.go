package cli

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/provider"
)

// schemeAuto lets the headers tell whose request it is.
const schemeAuto = "auto"

// verifying is one run of grapnel verify.
type verifying struct {
	scheme
	*remote
	id, timestamp, signature, body string
	headers                        []string
	url, method, at, source        string
}

func (a *app) verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [@FILE|-|req_ID]",
		Short: "Verify a signature, or say why it fails",
		Long: `Verify a request as its receiver should, and say what is wrong if it fails: the
secret, the body, the clock or a header. The request comes from a file (a first
line, headers, an empty line, the body), from flags, or from the log of a
source, which the server verifies again with the secrets it has now.

It ends with 8 if the request is not to be believed.`,
		Example: `  grapnel verify @request.http --secret-file secret
  grapnel verify --scheme api-key --body @body.json -H 'X-Api-Key: key'
  grapnel verify req_2vgdKCdXyOEN1WcHxkYAbO6wTzm --source github`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return oneArg("@FILE")(cmd, args)
			}
			return nil
		},
	}
	v := &verifying{remote: a.remoteFlags(cmd)}
	a.outputFlag(cmd)
	f := cmd.Flags()
	v.name = schemeAuto
	f.Var(text{&v.name, "NAME"}, "scheme", "whose scheme: standard, stripe, github, …; auto tells by the headers")
	v.flags(cmd)
	f.Var(text{&v.body, "BODY|@FILE|-"}, "body", "body, byte for byte")
	f.VarP(texts{&v.headers, "'NAME: VALUE'", ""}, "header", "H", "header of the request; can be repeated")
	f.Var(text{&v.id, "ID"}, "id", "webhook-id, for the standard scheme")
	f.Var(text{&v.timestamp, "SECONDS"}, "timestamp", "webhook-timestamp")
	f.Var(text{&v.signature, "SIGNATURE"}, "signature", "webhook-signature")
	f.Var(text{&v.url, "URL"}, "url", "address that the sender was given, which some schemes sign")
	f.Var(newChoice(&v.method, http.MethodPost, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet), "method", "method of the request")
	f.Var(text{&v.at, "TIME"}, "time", "time of the verification, as RFC 3339 or Unix seconds (default: now)")
	f.Var(text{&v.source, "ID|UID"}, "source", "source of a request in the log (default: all are looked at)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		given := ""
		if len(args) == 1 {
			given = args[0]
		}
		ctx := cmd.Context()
		if err := v.run(ctx, cmd, given); err != nil {
			return v.failed(ctx, "the request cannot be verified", err)
		}
		return nil
	}
	return cmd
}

// judgment is what a verification found, in the form of -o json.
type judgment struct {
	OK        bool              `json:"ok"`
	Scheme    string            `json:"scheme"`
	Reason    string            `json:"reason"`
	Detail    string            `json:"detail,omitempty"`
	EventID   string            `json:"eventId,omitempty"`
	EventType string            `json:"eventType,omitempty"`
	SignedAt  *time.Time        `json:"signedAt,omitempty"`
	Findings  []apitype.Finding `json:"findings"`
}

func (v *verifying) run(ctx context.Context, cmd *cobra.Command, given string) error {
	var j judgment
	var err error
	if strings.HasPrefix(given, "req_") {
		j, err = v.stored(ctx, cmd, given)
	} else {
		j, err = v.local(ctx, given)
	}
	if err != nil {
		return err
	}
	return v.tell(&j)
}

// local verifies without a server.
func (v *verifying) local(ctx context.Context, given string) (judgment, error) {
	r, err := v.request(given)
	if err != nil {
		return judgment{}, err
	}
	now, err := parseMoment("--time", v.at)
	if err != nil {
		return judgment{}, err
	}
	candidates, err := v.candidates(r.Header)
	if err != nil {
		return judgment{}, err
	}
	if v.file == "-" || v.secret != "" { // it is read, and its note given, once
		if v.secret, err = v.findSecret(v.secret, v.file); err != nil {
			return judgment{}, err
		}
		v.file, v.known = "", true
	}
	var verifier *provider.Verifier
	var problem error
	for i := range candidates {
		one, err := v.verifier(&v.Streams, &candidates[i])
		switch {
		case err != nil && problem == nil:
			problem = err
		case err == nil && one.Verify(ctx, r, now).OK():
			return judge(ctx, one, r, now), nil
		case err == nil && verifier == nil:
			verifier = one
		}
	}
	if verifier == nil {
		return judgment{}, problem
	}
	if len(candidates) > 1 && !isStandard(candidates[0].Name) {
		names := make([]string, len(candidates))
		for i, p := range candidates {
			names[i] = p.Name
		}
		return judgment{}, usage("the request could be one of "+strings.Join(names, ", ")+", and verifies as none", "Name the scheme with --scheme to hear why.")
	}
	return judge(ctx, verifier, r, now), nil
}

// isStandard reports whether the other candidates sign as this one does.
func isStandard(name string) bool { return name == "standard-webhooks" || name == "svix" }

// judge verifies a request and, if it is not to be believed, finds out why.
func judge(ctx context.Context, verifier *provider.Verifier, r provider.Request, now time.Time) judgment {
	verdict := verifier.Verify(ctx, r, now)
	j := judgment{
		OK: verdict.OK(), Scheme: verifier.Provider().Name, Reason: string(verdict.Reason), Detail: verdict.Detail,
		EventID: verdict.EventID, EventType: verdict.EventType, Findings: []apitype.Finding{},
	}
	if !verdict.SignedAt.IsZero() {
		at := verdict.SignedAt.UTC()
		j.SignedAt = &at
	}
	if !j.OK {
		for _, f := range verifier.Diagnose(r, now) {
			j.Findings = append(j.Findings, apitype.Finding{Code: f.Code, Text: f.Text})
		}
	}
	return j
}

// request builds the request out of a file and flags; flags come on top.
func (v *verifying) request(given string) (provider.Request, error) {
	r := provider.Request{Method: v.method, URL: v.url, Header: http.Header{}}
	if given == "-" && v.file == "-" || v.body == "-" && (v.file == "-" || given == "-") {
		return r, usage("stdin cannot hold two things", "Give one of them as a file.")
	}
	switch {
	case given != "" && given != "-" && !strings.HasPrefix(given, "@"):
		return r, usage(quotedIfOdd(given)+" is neither a file nor a request", "Write @"+given+" for a file, or req_… for a request of a source.")
	case given == "" && v.body == "" && len(v.headers) == 0 && v.signature == "":
		return r, usage("there is nothing to verify", "Name a request, such as @request.http, or give --body and -H.")
	case given != "":
		if err := v.fromFile(given, &r); err != nil {
			return r, err
		}
	}
	if v.body != "" {
		body, err := v.input("the body", v.body)
		if err != nil {
			return r, err
		}
		r.Body = body
	}
	added, err := parseHeaders(v.headers)
	if err != nil {
		return r, err
	}
	for name, value := range map[string]string{"Webhook-Id": v.id, "Webhook-Timestamp": v.timestamp, "Webhook-Signature": v.signature} {
		if value != "" {
			added.Set(name, value)
		}
	}
	for name, values := range added {
		r.Header[name] = values
	}
	return r, nil
}

func (v *verifying) fromFile(given string, r *provider.Request) error {
	raw, err := v.input("the request", given)
	if err != nil {
		return err
	}
	file, err := parseRequestFile(raw)
	if err != nil {
		return usage("the request cannot be read: "+err.Error(), "A body alone goes into --body "+given+", its headers into -H.")
	}
	if file.method != "" {
		r.Method = file.method
	}
	if r.URL == "" && strings.Contains(file.url, "://") {
		r.URL = file.url
	}
	for _, h := range file.headers {
		r.Header.Add(h[0], h[1])
	}
	r.Body = file.body
	return nil
}

// candidates finds whose request it may be. With auto it is of a provider of whose
// headers most are there, the plain form of a scheme before those that are made like it.
func (v *verifying) candidates(h http.Header) ([]provider.Provider, error) {
	if v.name != schemeAuto {
		p, err := findScheme("--scheme ", v.name)
		return []provider.Provider{p}, err
	}
	var best []provider.Provider
	most := 0
	for _, p := range provider.List() {
		there := 0
		for _, name := range p.Headers {
			if len(h.Values(name)) > 0 {
				there++
			}
		}
		switch {
		case there == 0 || there < most || isShared(p.Headers):
		case there > most:
			best, most = []provider.Provider{p}, there
		case isStandard(p.Name):
			best = append([]provider.Provider{p}, best...)
		default:
			best = append(best, p)
		}
	}
	if len(best) == 0 {
		return nil, usage("no header of the request is one that a known provider signs with", "Name the scheme with --scheme; `grapnel samples` lists them.")
	}
	return namedBy(h, best), nil
}

// namedBy leaves the provider that the headers name, if they name one: several send
// their signature in a header of the same name.
func namedBy(h http.Header, candidates []provider.Provider) []provider.Provider {
	var named []provider.Provider
	for _, p := range candidates {
		for name := range h {
			if strings.Contains(strings.ToLower(name), strings.ReplaceAll(p.Name, "-", "")) {
				named = append(named, p)
				break
			}
		}
	}
	if len(named) == 1 {
		return named
	}
	return candidates
}

// isShared reports whether a provider's headers are those of anybody.
func isShared(names []string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, "Authorization") })
}

// stored has the server verify a request of its log again.
func (v *verifying) stored(ctx context.Context, cmd *cobra.Command, id string) (judgment, error) {
	if given := cmd.Flags().Changed; given("body") || given("header") || given("scheme") || given("secret") || given("secret-file") || given("setting") {
		return judgment{}, usage("a request of the log is verified by the server, with the secrets and settings of its source", "Leave the flags of the request out.")
	}
	c, err := v.open()
	if err != nil {
		return judgment{}, err
	}
	source, err := sourceOf(ctx, c, v.source, id)
	if err != nil {
		return judgment{}, err
	}
	out, err := c.VerifyRequest(ctx, source.ID, id, false)
	if err != nil {
		return judgment{}, err
	}
	j := judgment{
		OK: believed(&out.RequestFacts), Scheme: source.Provider, Reason: out.Reason,
		Detail: out.Detail, EventID: out.Key, EventType: out.EventType, Findings: out.Findings,
	}
	return j, nil
}

// tell prints the judgment; a bad one is the exit code 8.
func (v *verifying) tell(j *judgment) error {
	err := v.print(j, func() error { return v.tellText(j) }, j.EventID)
	if err != nil || j.OK {
		return err
	}
	f := &failure{exit: ExitNo, code: j.Reason, what: "the request is not to be believed", why: j.Detail}
	if len(j.Findings) > 0 {
		f.fix = j.Findings[0].Text
	}
	return f
}

func (v *verifying) tellText(j *judgment) error {
	p := v.paintFor(v.color, v.OutTerminal)
	var b bytes.Buffer
	mark := p.good()
	if !j.OK {
		mark = p.bad()
	}
	fmt.Fprintf(&b, "%s %s  %s\n", mark, strings.ReplaceAll(j.Reason, "_", " "), j.Scheme)
	t := table{}
	for _, row := range [][2]string{{"event", j.EventID}, {"type", j.EventType}} {
		if row[1] != "" {
			t.add(row[0], printable(row[1]))
		}
	}
	if j.SignedAt != nil {
		t.add("signed", v.time(*j.SignedAt))
	}
	if err := t.write(&b, "  "); err != nil {
		return err
	}
	if len(j.Findings) > 1 { // the first is told with the failure
		for _, f := range j.Findings[1:] {
			fmt.Fprintf(&b, "  ○ %s\n", printable(f.Text))
		}
	}
	_, err := v.Out.Write(b.Bytes())
	return err
}
