package cli

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	tea "charm.land/bubbletea/v2"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/config"
)

// What the tests call.
var (
	SetAll      = setAll
	ProgramName = programName
	ThisProgram = thisProgram
	Relative    = relative
	Digits      = digits
	SizeText    = sizeText
	TookText    = tookText
)

// ShowProgress gives what one sees of a progress that is told these texts.
func ShowProgress(terminal bool, told ...string) string {
	var out bytes.Buffer
	p := (&Streams{Err: &out, ErrTerminal: terminal}).progress()
	p.interval = 0
	for _, text := range told {
		p.tell(func() string { return text })
	}
	p.done()
	return out.String()
}

// Receiver shows the built-in receiver.
type Receiver struct{ *receiver }

// NewReceiver starts a receiver.
func NewReceiver(ctx context.Context) (Receiver, error) {
	r, err := newReceiver(ctx, "127.0.0.1:0")
	if err == nil {
		go func() { _ = r.run() }()
	}
	return Receiver{r}, err
}

// URL is its address.
func (r Receiver) URL() string { return r.url() }

// Close ends it.
func (r Receiver) Close() error { return r.close() }

// StartDevBeside starts dev's server with this address as the usual one, stops
// it, and gives the address it had and what it noted.
func StartDevBeside(ctx context.Context, dir, usual string) (url string, notes []string, err error) {
	defaults := map[string]string{"listen": usual, "db": "sqlite:" + filepath.Join(dir, "g.db"), "log-level": "error"}
	cfg, err := config.Load(config.Sources{Defaults: defaults})
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	d := &devRun{app: &app{Streams: Streams{Out: &out, Err: &out}}, cfg: cfg, folder: dir}
	if err := d.prepare(); err != nil {
		return "", nil, err
	}
	srv, err := d.start(ctx)
	if err != nil {
		return "", nil, err
	}
	return srv.URL(), d.notes, srv.Stop(ctx)
}

// What the tests of listening call.
var (
	ParseTarget = parseTarget
	TargetURL   = targetURL
	PassedOn    = passedOn
	DiffLines   = diffLines
)

// Ledger shows what is dealt with.
type Ledger struct{ l *ledger }

// NewLedger makes an empty one.
func NewLedger() Ledger { return Ledger{new(ledger)} }

// Enter, Finish and Empty are those of a ledger; no cursor is "".
func (l Ledger) Enter(cursor string) int { return l.l.enter(cursor) }

// Finish gives the cursor to go on from.
func (l Ledger) Finish(number int) string {
	cursor, _ := l.l.finish(number)
	return cursor
}

// Empty reports whether all is dealt with.
func (l Ledger) Empty() bool { return l.l.empty() }

// RequestFile shows what is read of a request in a file.
func RequestFile(text []byte) (string, error) {
	r, err := parseRequestFile(text)
	return fmt.Sprintf("%s %s %v %q", r.method, r.url, r.headers, r.body), err
}

// RequestBody gives the body of a request in a file.
func RequestBody(text []byte) ([]byte, error) {
	r, err := parseRequestFile(text)
	return r.body, err
}

// Screen is the screen of listen without a terminal.
type Screen struct {
	m     *screenModel
	did   []string
	ended bool
}

// NewScreen makes one of 80 columns and 24 lines.
func NewScreen(server string) *Screen {
	s := &Screen{m: newScreenModel(server, false)}
	s.m.do = screenActions{
		replay: func(a *arrival, targets ...string) {
			text := "replay:" + a.EventType
			if len(targets) > 0 {
				text += fmt.Sprintf(" %s %s %v %s", a.Method, targets[0], a.Headers, a.Body)
			}
			s.did = append(s.did, text)
		},
		pause:  func(on bool) { s.did = append(s.did, fmt.Sprintf("pause:%t", on)) },
		save:   func(a *arrival) string { s.did = append(s.did, "save:"+a.EventType); return "saved" },
		resign: func(*arrival, string) string { return "signed anew" },
		curl:   func(*arrival) string { return "" },
		target: func(string) []string { return []string{"http://localhost:3000/"} },
	}
	return s
}

// Send gives the model a message, and what its command says.
func (s *Screen) Send(msg tea.Msg) {
	_, cmd := s.m.Update(msg)
	if cmd == nil {
		return
	}
	switch answer := cmd().(type) {
	case nil:
	case tea.QuitMsg:
		s.ended = true
	default:
		s.Send(answer)
	}
}

// Text, Did and Ended tell what came of it.
func (s *Screen) Text() string { return s.m.render() }

// Did lists the actions.
func (s *Screen) Did() []string { return s.did }

// Ended reports whether the program would end.
func (s *Screen) Ended() bool { return s.ended }

// Connect tells of a connection with one source.
func (s *Screen) Connect(source, _ string) {
	s.Send(screenState{linkState{"connected", "connected in 3 ms"}})
	s.Send(screenHello{&apitype.ListenHello{Sources: []apitype.ListenSource{{ID: "src_1", UID: source, IngestURL: "https://in"}}}})
}

// Arrive tells of a request and its answer.
func (s *Screen) Arrive(from, kind, body string, status int, says string) {
	a := &arrival{from: from, verdict: "sig ok"}
	a.ID, a.EventType, a.Body, a.Method, a.Source = "msg_"+kind, kind, []byte(body), "POST", "src_1"
	s.Send(screenArrived{a})
	s.Send(screenPassed{a, &outcome{target: "POST /", status: status, body: []byte(says)}})
}

// Refuse tells of a request that was not believed.
func (s *Screen) Refuse(from, id, reason, detail string, findings ...string) {
	s.Send(screenRefused{&apitype.ListenRefused{ID: id, Reason: reason, Detail: detail, Status: 401, Findings: findings}, from})
}

// Edit tells that the editor has left this text of a request.
func (s *Screen) Edit(row int, text string) {
	s.Send(screenEdited{a: s.m.rows[row].a, text: []byte(text)})
}
