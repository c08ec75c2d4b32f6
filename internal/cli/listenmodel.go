package cli

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/grapnelhq/grapnel/apitype"
)

// screenActions is what keys do outside of the screen. All but pause and target run
// beside it.
type screenActions struct {
	replay func(*arrival, ...string)
	pause  func(bool)
	save   func(*arrival) string
	edit   func(*arrival) (*exec.Cmd, func() ([]byte, error), error)
	resign func(*arrival, string) string
	curl   func(*arrival) string
	target func(source string) []string
}

// screenRow is one line of the list.
type screenRow struct {
	a        *arrival // nil: a refused request
	outcomes []*outcome
	refused  *apitype.ListenRefused
	from     string
	at       time.Time
	marked   bool
}

// What is shown besides the list.
const (
	paneList = iota
	paneDetail
	paneDiff
	paneKeys
)

var detailTabs = []string{"Request", "Response", "Headers", "Raw"}

// maxRows are kept; the oldest go first.
const maxRows = 1000

// screenModel is the state of the screen. Update changes it by messages alone.
type screenModel struct {
	server        string
	p             paint
	do            screenActions
	width, height int
	link          linkState
	hello         *apitype.ListenHello
	rows          []screenRow
	at            int // of the shown rows
	follow        bool
	pane          int
	tab, scroll   int
	filter        string
	filtering     bool
	paused        bool
	note          string
	good, bad     int
	skipped       int
}

func newScreenModel(server string, p paint) *screenModel {
	return &screenModel{server: server, p: p, width: 80, height: 24, follow: true}
}

// Init starts nothing: the session brings what there is.
func (m *screenModel) Init() tea.Cmd { return nil }

// Update takes one message in.
func (m *screenModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, 20), max(msg.Height, 8)
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case screenState:
		m.link = msg.linkState
	case screenHello:
		m.hello = msg.hello
	case screenArrived:
		m.add(screenRow{a: msg.a, from: msg.a.from, at: msg.a.ReceivedAt})
	case screenPassed:
		m.passed(msg.a, msg.o)
	case screenSkipped:
		m.skipped++
	case screenRefused:
		m.add(screenRow{refused: msg.r, from: msg.from, at: msg.r.ReceivedAt})
	case screenNote:
		m.note = msg.text
	case screenEdited:
		return m, m.sendEdited(msg)
	case screenEnded:
		return m, tea.Quit
	}
	return m, nil
}

func (m *screenModel) add(r screenRow) {
	m.rows = append(m.rows, r)
	if len(m.rows) > maxRows {
		m.rows = slices.Delete(m.rows, 0, len(m.rows)-maxRows)
		m.at = max(m.at-1, 0)
	}
	if m.follow {
		m.at = max(len(m.shown())-1, 0)
	}
}

func (m *screenModel) passed(a *arrival, o *outcome) {
	if o.ok() {
		m.good++
	} else {
		m.bad++
	}
	for i := range m.rows {
		if m.rows[i].a == a {
			m.rows[i].outcomes = append(m.rows[i].outcomes, o)
		}
	}
}

// shown gives the places of the rows that the filter lets through.
func (m *screenModel) shown() []int {
	var at []int
	for i := range m.rows {
		if m.filter == "" || strings.Contains(strings.ToLower(m.rows[i].text()), strings.ToLower(m.filter)) {
			at = append(at, i)
		}
	}
	return at
}

// text is what the filter looks at: everything of the row and its body.
func (r *screenRow) text() string {
	if r.refused != nil {
		return strings.Join([]string{r.from, "refused", r.refused.Reason, r.refused.ID, r.refused.EventType}, " ")
	}
	words := []string{r.from, r.a.EventType, r.a.ID, r.a.EventID, r.a.Path, string(r.a.Body)}
	for _, o := range r.outcomes {
		words = append(words, o.word(), o.says())
	}
	return strings.Join(words, " ")
}

// current is the row under the cursor; nil: there is none.
func (m *screenModel) current() *screenRow {
	shown := m.shown()
	if len(shown) == 0 {
		return nil
	}
	return &m.rows[shown[min(m.at, len(shown)-1)]]
}

// key does what a key says.
func (m *screenModel) key(msg tea.KeyPressMsg) tea.Cmd {
	name := msg.String()
	if name == "ctrl+c" {
		return tea.Quit
	}
	if m.filtering {
		m.typeFilter(name, msg.Text)
		return nil
	}
	m.note = ""
	if m.pane != paneList {
		if done := m.paneKey(name); done {
			return nil
		}
	}
	switch name {
	case "q":
		return tea.Quit
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup":
		m.move(-m.listHeight())
	case "pgdown":
		m.move(m.listHeight())
	case "home", "g":
		m.move(-len(m.rows))
	case "end", "G", "f":
		m.move(len(m.rows))
	case "enter":
		if m.current() != nil {
			m.pane, m.tab, m.scroll = paneDetail, 0, 0
		}
	case "?":
		m.pane, m.scroll = paneKeys, 0
	case "/":
		m.filtering = true
	case "esc":
		m.filter = ""
		m.move(0)
	case "p":
		m.paused = !m.paused
		m.do.pause(m.paused)
	case "space", " ":
		if r := m.current(); r != nil {
			r.marked = !r.marked
		}
	case "d":
		m.diff()
	default:
		return m.act(name)
	}
	return nil
}

// paneKey moves in a pane; false: the key means what it means in the list.
func (m *screenModel) paneKey(name string) bool {
	switch name {
	case "esc", "q", "enter", "backspace":
		m.pane = paneList
	case "?":
		if m.pane != paneKeys {
			return false
		}
		m.pane = paneList
	case "up", "k":
		m.scroll = max(m.scroll-1, 0)
	case "down", "j":
		m.scroll++
	case "pgup":
		m.scroll = max(m.scroll-m.listHeight(), 0)
	case "pgdown", "space", " ":
		m.scroll += m.listHeight()
	case "home", "g":
		m.scroll = 0
	case "tab", "right", "l":
		m.tab, m.scroll = (m.tab+1)%len(detailTabs), 0
	case "shift+tab", "left", "h":
		m.tab, m.scroll = (m.tab+len(detailTabs)-1)%len(detailTabs), 0
	default:
		return false
	}
	return true
}

func (m *screenModel) typeFilter(name, text string) {
	switch name {
	case "enter":
		m.filtering = false
	case "esc":
		m.filtering, m.filter = false, ""
	case "backspace":
		if r := []rune(m.filter); len(r) > 0 {
			m.filter = string(r[:len(r)-1])
		}
	default:
		m.filter += text
	}
	m.move(0)
}

func (m *screenModel) move(by int) {
	last := max(len(m.shown())-1, 0)
	m.at = min(max(m.at+by, 0), last)
	m.follow = m.at == last && by >= 0
}

// diff shows the two marked requests beside each other.
func (m *screenModel) diff() {
	var marked []*arrival
	for i := range m.rows {
		if m.rows[i].marked && m.rows[i].a != nil {
			marked = append(marked, m.rows[i].a)
		}
	}
	if len(marked) != 2 {
		m.note = fmt.Sprintf("mark two requests with space, then d; %d are marked", len(marked))
		return
	}
	m.pane, m.scroll = paneDiff, 0
}

// act does what leaves the screen: each runs beside it and tells with a note.
func (m *screenModel) act(name string) tea.Cmd {
	if name == "R" { // of all rows, wherever the cursor is
		return m.replayFailed()
	}
	r := m.current()
	if r == nil || r.a == nil {
		if r != nil && slices.Contains([]string{"r", "e", "s", "c", "y"}, name) {
			m.note = "refused, so it is not here: grapnel requests show " + r.refused.ID
		}
		return nil
	}
	a := r.a
	switch name {
	case "r":
		m.note = "sent again"
		return func() tea.Msg { m.do.replay(a); return nil }
	case "s":
		return func() tea.Msg { return screenNote{m.do.save(a)} }
	case "c":
		m.note = "copied as curl"
		return tea.SetClipboard(m.do.curl(a))
	case "y":
		m.note = "body copied"
		return tea.SetClipboard(string(a.Body))
	case "e":
		cmd, read, err := m.do.edit(a)
		if err != nil {
			m.note = err.Error()
			return nil
		}
		return tea.ExecProcess(cmd, func(err error) tea.Msg {
			text, readErr := read()
			if err == nil {
				err = readErr
			}
			return screenEdited{a, text, err}
		})
	}
	return nil
}

// replayFailed sends again what no target took, in its order.
func (m *screenModel) replayFailed() tea.Cmd {
	var failed []*arrival
	for i := range m.rows {
		r := &m.rows[i]
		if r.a != nil && !r.a.replayed && slices.ContainsFunc(r.outcomes, func(o *outcome) bool { return !o.ok() }) {
			failed = append(failed, r.a)
		}
	}
	m.note = count(len(failed), "request") + " sent again"
	return func() tea.Msg {
		for _, a := range failed {
			m.do.replay(a)
		}
		return nil
	}
}

// sendEdited sends what the editor has left, if it is a request and another one.
func (m *screenModel) sendEdited(msg screenEdited) tea.Cmd {
	if msg.err != nil {
		m.note = "not sent: " + msg.err.Error()
		return nil
	}
	changed, target, err := edited(msg.a, msg.text)
	if err != nil {
		m.note = "not sent: " + err.Error()
		return nil
	}
	return func() tea.Msg {
		note := m.do.resign(changed, target)
		m.do.replay(changed, target)
		return screenNote{note}
	}
}
