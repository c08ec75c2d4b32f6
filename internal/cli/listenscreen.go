package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/provider"
)

// What a session tells the screen.
type (
	screenState   struct{ linkState }
	screenHello   struct{ hello *apitype.ListenHello }
	screenArrived struct{ a *arrival }
	screenPassed  struct {
		a *arrival
		o *outcome
	}
	screenSkipped struct{}
	screenRefused struct {
		r    *apitype.ListenRefused
		from string
	}
	screenNote   struct{ text string }
	screenEdited struct {
		a    *arrival
		text []byte
		err  error
	}
	screenEnded struct{}
)

// screenView brings what a session tells to a program.
type screenView struct {
	send  func(tea.Msg)
	ready func(*apitype.ListenHello)
	once  sync.Once
}

func (v *screenView) state(s linkState) { v.send(screenState{s}) }
func (v *screenView) hello(h *apitype.ListenHello) {
	v.send(screenHello{h})
	v.once.Do(func() { v.ready(h) })
}
func (v *screenView) arrived(a *arrival)            { v.send(screenArrived{a}) }
func (v *screenView) passed(a *arrival, o *outcome) { v.send(screenPassed{a, o}) }
func (v *screenView) shown(*arrival)                {}
func (v *screenView) skipped(*arrival)              { v.send(screenSkipped{}) }
func (v *screenView) refused(r *apitype.ListenRefused, from string) {
	v.send(screenRefused{r, from})
}

// screen shows the session on the whole terminal.
func (l *listening) screen(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	m := newScreenModel(l.server, l.paintFor(l.color, true))
	m.do = screenActions{
		replay: func(a *arrival, targets ...string) { l.session.again(ctx, a, targets...) },
		pause:  l.session.pause,
		save:   l.saveOne,
		edit:   l.editOne,
		resign: l.resign,
		curl:   func(a *arrival) string { return curlOf(a, l.session.firstTarget(a), "") },
		target: func(id string) []string {
			return l.session.targetsOf(&arrival{ListenEvent: apitype.ListenEvent{Source: id}})
		},
	}
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(l.In), tea.WithOutput(l.Out), tea.WithEnvironment(l.Env), tea.WithoutSignalHandler())
	view := &screenView{send: p.Send, ready: func(h *apitype.ListenHello) { l.ready(h, stop) }}
	l.session.view, l.link.state = view, view.state
	driven := make(chan error, 1)
	go func() {
		driven <- l.drive(ctx)
		p.Send(screenEnded{})
	}()
	_, err := p.Run()
	stop()
	if errors.Is(err, context.Canceled) || errors.Is(err, tea.ErrProgramKilled) || errors.Is(err, tea.ErrInterrupted) {
		err = nil // it was told to end
	}
	return errors.Join(<-driven, err)
}

// firstTarget is where a request that is written down goes.
func (s *session) firstTarget(a *arrival) string {
	if targets := s.targetsOf(a); len(targets) > 0 && targets[0] != "" {
		return targets[0]
	}
	return "http://localhost:3000/"
}

// saveOne saves a request in --save's folder, or here.
func (l *listening) saveOne(a *arrival) string {
	dir := l.save
	if dir == "" {
		dir = "grapnel-requests"
	}
	if err := saver(dir)(a, l.session.firstTarget(a)); err != nil {
		return "not saved: " + err.Error()
	}
	return "saved in " + dir
}

// editOne gives the command that edits a request, and how to read what became of it.
func (l *listening) editOne(a *arrival) (*exec.Cmd, func() ([]byte, error), error) {
	dir, err := os.MkdirTemp("", "grapnel-")
	if err != nil {
		return nil, nil, err
	}
	path, text := filepath.Join(dir, "request.http"), httpFile(a, l.session.firstTarget(a))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, nil, err
	}
	cmd, err := l.editor(path)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return cmd, func() ([]byte, error) {
		edited, err := readEdited(path, text)
		return edited, errors.Join(err, os.RemoveAll(dir))
	}, nil
}

// resign makes an edited request one that verifies, if the secret is known; the note
// says what was done.
func (l *listening) resign(a *arrival, target string) string {
	if a.Method == "" {
		return "sent again, signed anew"
	}
	l.session.mu.Lock()
	source := l.session.sources[a.Source]
	l.session.mu.Unlock()
	const asItWas = "sent with the original signature, which no longer fits: "
	if l.secret == "" {
		return asItWas + "give --secret to sign anew"
	}
	v, err := provider.New(source.Type, provider.Settings{}, provider.Secret{Value: l.secret})
	if err != nil {
		return asItWas + err.Error()
	}
	header, _ := passedOn(a.Headers)
	r := provider.Request{Method: a.Method, URL: source.IngestURL + a.Path, Header: header, Body: a.Body}
	if err := v.Sign(&r, a.EventID, time.Now()); err != nil {
		return asItWas + err.Error()
	}
	a.Headers, a.Body = sortedHeaders(r.Header), r.Body
	return "sent again to " + target + ", signed anew"
}

// edited makes an arrival of an edited request, and says where it goes.
func edited(a *arrival, text []byte) (*arrival, string, error) {
	file, err := parseRequestFile(text)
	if err != nil {
		return nil, "", err
	}
	u, err := url.Parse(file.url)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, "", errors.New("its first line has no URL")
	}
	changed := *a
	changed.Path, changed.Query, changed.Body = "", "", file.body
	if a.Method == "" {
		for _, h := range file.headers {
			if http.CanonicalHeaderKey(h[0]) == "Content-Type" {
				changed.ContentType = h[1]
			}
		}
		return &changed, file.url, nil
	}
	changed.Method, changed.Headers = file.method, file.headers
	return &changed, file.url, nil
}

// prettyBody is a body for a person: JSON indented, everything harmless.
func prettyBody(body []byte) []string {
	var doc json.RawMessage
	if json.Unmarshal(body, &doc) == nil {
		if text, err := json.MarshalIndent(doc, "", "  "); err == nil {
			body = text
		}
	}
	return printableLines(string(body))
}

func printableLines(text string) []string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := range lines {
		lines[i] = printable(strings.ReplaceAll(strings.TrimSuffix(lines[i], "\r"), "\t", "    "))
	}
	return lines
}

// diffLines compares two texts line by line: "  " the same, "- " only in a, "+ " only in b.
func diffLines(a, b []string) []string {
	const most = 1000 // lines; the table below grows with the square
	if len(a) > most || len(b) > most {
		a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	}
	longest := make([][]int, len(a)+1)
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var out []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, "  "+a[i])
			i++
			j++
		case j == len(b) || i < len(a) && longest[i+1][j] >= longest[i][j+1]:
			out = append(out, "- "+a[i])
			i++
		default:
			out = append(out, "+ "+b[j])
			j++
		}
	}
	return out
}

// describe is what the diff of two arrivals compares: request line, headers and body.
func describe(a *arrival) []string {
	lines := []string{fmt.Sprintf("%s %s%s", a.Method, a.Path, queryOf(a))}
	for _, h := range headersOf(a) {
		lines = append(lines, printable(h[0]+": "+h[1]))
	}
	return append(append(lines, ""), prettyBody(a.Body)...)
}

func queryOf(a *arrival) string {
	if a.Query == "" {
		return ""
	}
	return "?" + a.Query
}
